package digest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/subscribers"
)

// readerPage is the number of readers whose deliveries are created in one transaction: few
// enough for a short transaction that fits in memory, many enough that the cost of its
// statements does not matter.
const readerPage = 1000

// errTaken says that another process created deliveries since a page of readers was read:
// for this mailing, or for another that may send them the same articles.
var errTaken = errors.New("another process is creating deliveries to the same readers")

// finishMailings creates the deliveries of mailings that a process left incomplete when it
// ended.
func (s *Service) finishMailings(ctx context.Context) ([]Composed, error) {
	return s.finishBefore(ctx, math.MaxInt64)
}

// finishBefore creates the deliveries of the unfinished mailings before one.
func (s *Service) finishBefore(ctx context.Context, mailing int64) ([]Composed, error) {
	var begun []Composed
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		begun, err = database.Collect(ctx, tx, func(r database.Row) (Composed, error) {
			var c Composed
			err := r.Scan(&c.Mailing, &c.DueAt)
			return c, err
		}, `SELECT id, due_at FROM mailings WHERE state = 'composed' AND composed_at IS NULL AND id < $1 ORDER BY id`, mailing)
		return err
	})
	for i := range begun {
		if err == nil {
			begun[i].Deliveries, err = s.makeDeliveries(ctx, begun[i].Mailing)
		}
	}
	return begun, err
}

// finishMailing creates the deliveries of a mailing, after those of earlier incomplete
// ones: two that run at the same time would force each other to read every page again.
func (s *Service) finishMailing(ctx context.Context, mailing int64) (int, error) {
	if _, err := s.finishBefore(ctx, mailing); err != nil {
		return 0, err
	}
	return s.makeDeliveries(ctx, mailing)
}

// makeDeliveries creates one delivery for every reader of a mailing, with what is new to
// that reader, page by page, and then releases the mailing for sending. It continues where
// it stopped, and returns how many deliveries it created.
func (s *Service) makeDeliveries(ctx context.Context, mailing int64) (n int, err error) {
	m, err := s.openMailing(ctx, mailing)
	if err != nil {
		return 0, fmt.Errorf("mailing %d: %w", mailing, err)
	}
	for more := m.open; more; {
		var readers []subscribers.Reader
		readers, more, err = m.readers(ctx)
		if err == nil && len(readers) > 0 {
			var made int
			made, err = m.page(ctx, readers)
			n += made
		}
		if errors.Is(err, errTaken) {
			m, err = s.openMailing(ctx, mailing) // continue from its present state
			more = m != nil && m.open
		}
		if err != nil {
			return n, fmt.Errorf("deliveries of mailing %d: %w", mailing, err)
		}
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error { return m.finish(ctx, tx) })
	if err == nil && m.open {
		s.opts.Logger.Info("mailing composed", "mailing_id", mailing, "due_at", m.due, "issues", len(m.issues), "deliveries", n)
	}
	return n, err
}

// mailingRun is a mailing for which deliveries are being created.
type mailingRun struct {
	s      *Service
	id     int64
	due    time.Time
	made   time.Time     // when it was begun
	over   time.Duration // its emails are spread over this time
	open   bool
	after  int64   // readers up to here are done
	issues []int64 // its issues, numbered or not
	lists  []int64
	fresh  bool // one of the issues is numbered: every reader is examined
	*chooser
	variants map[string]int64 // by key of their content, as far as they are known
	skipped  delivery.Skipped // readers examined so far who get no email, by reason
}

func (s *Service) openMailing(ctx context.Context, id int64) (*mailingRun, error) {
	var text, state string
	var issues []int64
	var due, made time.Time
	var after, over int64
	var composed sql.Null[time.Time]
	var skipped delivery.Skipped
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var counts sql.Null[string]
		err := tx.QueryRowContext(ctx, `SELECT due_at, created_at, spread_seconds, issues, state, composed_to, composed_at, skipped FROM mailings WHERE id = $1`, id).
			Scan(&due, &made, &over, &text, &state, &after, &composed, &counts)
		if err != nil || !counts.Valid {
			return err
		}
		return json.Unmarshal([]byte(counts.V), &skipped)
	})
	if err == nil {
		err = json.Unmarshal([]byte(text), &issues)
	}
	if err != nil {
		return nil, err
	}
	if state != "composed" || composed.Valid {
		return &mailingRun{s: s, id: id, issues: issues}, nil
	}
	m, err := s.newMailingRun(ctx, id, due, issues)
	if err == nil {
		m.open, m.after, m.skipped = true, after, skipped
		m.made, m.over = made, time.Duration(over)*time.Second
	}
	return m, err
}

func (s *Service) newMailingRun(ctx context.Context, id int64, due time.Time, issues []int64) (*mailingRun, error) {
	all, err := s.issuesByID(ctx, issues)
	if err != nil {
		return nil, err
	}
	m := &mailingRun{s: s, id: id, due: due, issues: issues, variants: make(map[string]int64)}
	for _, i := range all {
		m.lists = append(m.lists, i.List.ID)
		m.fresh = m.fresh || i.Number > 0
	}
	m.chooser, err = s.newChooser(ctx, id, due, all)
	return m, err
}

// readers returns the next readers to look at and whether there may be more.
func (m *mailingRun) readers(ctx context.Context) ([]subscribers.Reader, bool, error) {
	if m.fresh {
		readers, err := m.s.subscribers.ForMailing(ctx, m.lists, m.after, readerPage)
		return readers, len(readers) == readerPage, err
	}
	// Nothing is new: only readers who wait for something are examined.
	waiting, err := m.s.subscribers.WantEmpty(ctx, m.lists, m.after, readerPage)
	if err != nil {
		return nil, false, err
	}
	more := len(waiting) == readerPage
	err = m.s.db.Read(ctx, func(tx *sql.Tx) error {
		ids, err := database.Collect(ctx, tx, database.ScanOne[int64], `
			SELECT DISTINCT subscriber FROM carried WHERE list IN (`+m.s.db.Dialect().IDs("$1")+`) AND subscriber > $2 ORDER BY subscriber LIMIT $3`,
			database.JSON(m.lists), m.after, readerPage)
		more = more || len(ids) == readerPage
		waiting = append(waiting, ids...)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	slices.Sort(waiting)
	waiting = slices.Compact(waiting)
	if len(waiting) > readerPage {
		waiting, more = waiting[:readerPage], true
	}
	byID, err := m.s.subscribers.Readers(ctx, waiting)
	readers := make([]subscribers.Reader, 0, len(waiting))
	for _, id := range waiting {
		if r, ok := byID[id]; ok {
			if r.Suppressed {
				r.Lists = nil
			}
			r.Lists = slices.DeleteFunc(r.Lists, func(l int64) bool { return !slices.Contains(m.lists, l) })
			readers = append(readers, r)
		}
	}
	return readers, more, err
}

// batch contains the deliveries for the readers of a page.
type batch struct {
	deliveries    []planned
	waits, served []waiting
	skipped       delivery.Skipped
	last          int64 // id of the last reader
}

type planned struct {
	subscriber int64
	content    *content
}

// without returns the batch without some readers.
func (p batch) without(gone map[int64]bool) batch {
	p.deliveries = slices.DeleteFunc(slices.Clone(p.deliveries), func(d planned) bool { return gone[d.subscriber] })
	p.waits = slices.DeleteFunc(slices.Clone(p.waits), func(w waiting) bool { return gone[w.subscriber] })
	p.served = slices.DeleteFunc(slices.Clone(p.served), func(w waiting) bool { return gone[w.subscriber] })
	return p
}

// plan determines what each reader with an id greater than after gets.
func (m *mailingRun) plan(ctx context.Context, readers []subscribers.Reader, after int64) (batch, error) {
	p := batch{last: readers[len(readers)-1].ID}
	if err := m.load(ctx, readers, after, p.last); err != nil {
		return batch{}, err
	}
	for _, r := range readers {
		got := m.choose(r)
		switch {
		case got.content != nil:
			p.deliveries = append(p.deliveries, planned{r.ID, got.content})
		case r.Suppressed:
			p.skipped.Suppressed++
		case got.later:
			p.skipped.Later++
		default:
			p.skipped.NothingNew++
		}
		p.waits, p.served = append(p.waits, got.waits...), append(p.served, got.served...)
	}
	return p, nil
}

// page creates the deliveries of a page of readers.
func (m *mailingRun) page(ctx context.Context, readers []subscribers.Reader) (n int, err error) {
	p, err := m.plan(ctx, readers, m.after)
	if err != nil {
		return 0, err
	}
	var stored map[string]int64
	skipped := m.skipped.Plus(p.skipped)
	err = m.s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE mailings SET composed_to = $3, skipped = $4 WHERE id = $1 AND composed_to = $2 AND state = 'composed' AND composed_at IS NULL`,
			m.id, m.after, p.last, database.JSON(skipped))
		if err != nil {
			return err
		}
		if moved, err := res.RowsAffected(); err != nil || moved == 0 {
			return errors.Join(err, errTaken)
		}
		stored, err = m.store(ctx, tx, p)
		return err
	})
	if err != nil {
		return 0, err
	}
	m.version++ // our own change
	if len(m.variants) > maxMemo {
		clear(m.variants) // they will be read from the table again
	}
	maps.Copy(m.variants, stored)
	m.unnoted, m.after, m.skipped = nil, p.last, skipped
	return len(p.deliveries), nil
}

// store stores the deliveries of a page. It returns the new variants: if the
// transaction is repeated, they are stored again.
func (m *mailingRun) store(ctx context.Context, tx *sql.Tx, p batch) (map[string]int64, error) {
	if err := m.s.countComposition(ctx, tx, m.version); err != nil {
		return nil, err
	}
	stored := make(map[string]int64)
	if err := m.noteItems(ctx, tx); err != nil {
		return nil, err
	}
	rows := make([][2]int64, len(p.deliveries))
	for i, d := range p.deliveries {
		id, ok := m.variants[d.content.key]
		if !ok {
			id, ok = stored[d.content.key]
		}
		if !ok {
			var err error
			if id, err = m.storeVariant(ctx, tx, d.content); err != nil {
				return nil, err
			}
			stored[d.content.key] = id
		}
		rows[i] = [2]int64{d.subscriber, id}
	}
	if err := m.insertDeliveries(ctx, tx, rows); err != nil {
		return nil, err
	}
	return stored, m.saveWaiting(ctx, tx, p.waits, p.served)
}

// compositionVersion returns a number that grows whenever deliveries are created.
func (s *Service) compositionVersion(ctx context.Context) (version int64, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM composition`).Scan(&version)
	})
	return version, err
}

// countComposition records that deliveries are created from the data as of version, or
// returns errTaken if others have been created since. It locks the row until the end of the
// transaction: two mailings that are composed at the same time can't send one reader the
// same article.
func (s *Service) countComposition(ctx context.Context, tx *sql.Tx, version int64) error {
	res, err := tx.ExecContext(ctx, `INSERT INTO composition (id, version) VALUES (1, 1)
		ON CONFLICT (id) DO UPDATE SET version = composition.version + 1 WHERE composition.version = $1`, version)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errTaken)
	}
	return nil
}

// finish releases a mailing for sending when all of its readers have their
// deliveries; without deliveries it is done.
func (m *mailingRun) finish(ctx context.Context, tx *sql.Tx) error {
	res, err := tx.ExecContext(ctx, `UPDATE mailings SET state = 'sending', composed_at = $2 WHERE id = $1 AND state = 'composed' AND composed_at IS NULL`,
		m.id, m.s.now())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	res, err = tx.ExecContext(ctx, `UPDATE mailings SET state = 'done', done_at = $2 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE mailing = $1)`,
		m.id, m.s.now())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	skipped := m.skipped
	err = tx.QueryRowContext(ctx, `SELECT COUNT(DISTINCT subscriber) FROM subscriptions WHERE state = 'pending' AND list IN (`+m.s.db.Dialect().IDs("$1")+`)`,
		database.JSON(m.lists)).Scan(&skipped.Unconfirmed)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE mailings SET skipped = $2 WHERE id = $1`, m.id, database.JSON(skipped))
	}
	return err
}

const insertDeliveriesSQLite = `
	INSERT INTO deliveries (mailing, subscriber, variant, state, next_at)
	SELECT $1, value ->> 0, value ->> 1, 'waiting', $3 FROM json_each($2) WHERE true
	ON CONFLICT (mailing, subscriber) DO NOTHING`

const insertDeliveriesPostgres = `
	INSERT INTO deliveries (mailing, subscriber, variant, state, next_at)
	SELECT $1, (value ->> 0)::bigint, (value ->> 1)::bigint, 'waiting', $3 FROM jsonb_array_elements($2::jsonb)
	ON CONFLICT (mailing, subscriber) DO NOTHING`

// insertDeliveries stores deliveries, pairs of a reader and a variant, with the times at
// which they are due.
func (m *mailingRun) insertDeliveries(ctx context.Context, tx *sql.Tx, rows [][2]int64) error {
	for at, some := range m.spread(rows) {
		if len(some) == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, m.s.db.Dialect().Pick(insertDeliveriesSQLite, insertDeliveriesPostgres), m.id, database.JSON(some), at); err != nil {
			return err
		}
	}
	return nil
}

// The parameters are pairs and triples of numbers, for a whole page at once.
const (
	addWaitingSQLite = `INSERT INTO carried (subscriber, list, issue)
		SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1) WHERE true ON CONFLICT (subscriber, list) DO UPDATE SET issue = excluded.issue`
	addWaitingPostgres = `INSERT INTO carried (subscriber, list, issue)
		SELECT (value ->> 0)::bigint, (value ->> 1)::bigint, (value ->> 2)::bigint FROM jsonb_array_elements($1::jsonb) ON CONFLICT (subscriber, list) DO UPDATE SET issue = excluded.issue`
	removeWaitingSQLite   = `DELETE FROM carried WHERE (subscriber, list) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1))`
	removeWaitingPostgres = `DELETE FROM carried WHERE (subscriber, list) IN (SELECT (value ->> 0)::bigint, (value ->> 1)::bigint FROM jsonb_array_elements($1::jsonb))`
)

// saveWaiting stores which readers' issues wait for a later email and which no longer do.
func (m *mailingRun) saveWaiting(ctx context.Context, tx *sql.Tx, waits, served []waiting) error {
	for _, step := range []struct {
		statement string
		rows      []waiting
	}{
		{m.s.db.Dialect().Pick(addWaitingSQLite, addWaitingPostgres), waits},
		{m.s.db.Dialect().Pick(removeWaitingSQLite, removeWaitingPostgres), served},
	} {
		if len(step.rows) == 0 {
			continue
		}
		rows := make([][3]int64, len(step.rows))
		for i, w := range step.rows {
			rows[i] = [3]int64{w.subscriber, w.list, w.issue}
		}
		if _, err := tx.ExecContext(ctx, step.statement, database.JSON(rows)); err != nil {
			return err
		}
	}
	return nil
}

// storeVariant stores a content that no reader of the mailing had so far.
func (m *mailingRun) storeVariant(ctx context.Context, tx *sql.Tx, c *content) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `
		INSERT INTO variants (mailing, key, language, format, issues, items) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (mailing, key) DO UPDATE SET key = excluded.key RETURNING id`,
		m.id, c.key, c.language, string(c.format), database.JSON(c.issues), database.JSON(c.items)).Scan(&id)
	return id, err
}

// noteItems stores which articles the mailing may contain; later mailings use it to find
// what was sent before.
func (m *mailingRun) noteItems(ctx context.Context, tx *sql.Tx) error {
	for _, it := range m.unnoted {
		if _, err := tx.ExecContext(ctx, `INSERT INTO mailing_items (article, event, mailing) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			it.article, it.event, m.id); err != nil {
			return err
		}
	}
	return nil
}
