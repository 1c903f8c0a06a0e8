package digest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"dibao/subscribers"
)

// composeWelcomes composes the welcome issues that readers wait for: the last issue of a
// list, for readers who have confirmed it since.
func (s *Service) composeWelcomes(ctx context.Context) ([]Composed, error) {
	due, err := s.subscribers.DueWelcomes(ctx, readerPage)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	var all []Composed
	byList := make(map[int64][]subscribers.Welcome)
	for _, w := range due {
		byList[w.List] = append(byList[w.List], w)
	}
	for _, l := range slices.Sorted(maps.Keys(byList)) {
		c, err := s.composeWelcome(ctx, l, byList[l])
		if err != nil {
			return all, fmt.Errorf("welcome issue of list %d: %w", l, err)
		}
		if c.Mailing != 0 {
			all = append(all, c)
		}
	}
	return all, nil
}

// composeWelcome composes the last issue of a list for readers who just confirmed it. If
// the list has no issue, it sends them nothing.
func (s *Service) composeWelcome(ctx context.Context, list int64, due []subscribers.Welcome) (Composed, error) {
	last, err := s.Issues(ctx, list, 1)
	if err != nil {
		return Composed{}, err
	}
	ids := make([]int64, len(due))
	for i, w := range due {
		ids[i] = w.Subscriber
	}
	found, err := s.subscribers.Readers(ctx, ids)
	if err != nil {
		return Composed{}, err
	}
	slices.Sort(ids)
	var readers []subscribers.Reader
	for _, id := range ids {
		if r, ok := found[id]; ok && !r.Suppressed && slices.Contains(r.Lists, list) {
			r.Lists, r.WantsEmpty = []int64{list}, false
			readers = append(readers, r)
		}
	}
	if len(last) == 0 || len(readers) == 0 {
		return Composed{}, s.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := s.welcomed(ctx, tx, due)
			return err
		})
	}
	m, err := s.newMailingRun(ctx, 0, s.now(), []int64{last[0].ID})
	if err != nil {
		return Composed{}, err
	}
	out := Composed{DueAt: m.due, Issues: last}
	for err = errTaken; errors.Is(err, errTaken); { // until no other deliveries were made in between
		out.Mailing, out.Deliveries, err = m.welcome(ctx, readers, due)
	}
	return out, err
}

// welcomed records that readers get their welcome issue. It returns those who
// no longer wait for it: another node sends it, or they unsubscribed.
func (s *Service) welcomed(ctx context.Context, tx *sql.Tx, due []subscribers.Welcome) (gone map[int64]bool, err error) {
	gone = make(map[int64]bool)
	for _, w := range due {
		still, err := s.subscribers.Welcomed(ctx, tx, w)
		if err != nil {
			return nil, err
		}
		gone[w.Subscriber] = !still
	}
	return gone, nil
}

// welcome creates a separate mailing for the readers who still wait for it. It returns
// mailing 0 if there are none.
func (m *mailingRun) welcome(ctx context.Context, readers []subscribers.Reader, due []subscribers.Welcome) (mailing int64, n int, err error) {
	all, err := m.plan(ctx, readers, readers[0].ID-1)
	if err != nil {
		return 0, 0, err
	}
	err = m.s.db.Write(ctx, func(tx *sql.Tx) error {
		mailing, n = 0, 0
		gone, err := m.s.welcomed(ctx, tx, due)
		if err != nil {
			return err
		}
		plan := all.without(gone)
		if len(plan.deliveries) == 0 {
			return nil
		}
		if m.id, err = insertMailing(ctx, tx, m.due, m.issues, m.s.now()); err != nil {
			return err
		}
		if _, err := m.store(ctx, tx, plan); err != nil {
			return err
		}
		mailing, n = m.id, len(plan.deliveries)
		return m.finish(ctx, tx)
	})
	return mailing, n, err
}
