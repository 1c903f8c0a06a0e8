package digest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/internal/trace"
	"dibao/subscribers"
)

// Composed is what was composed at one due time.
type Composed struct {
	Mailing    int64 // 0 means that nothing was new, or everything is held; nothing is sent
	DueAt      time.Time
	Issues     []Issue // numbered, without those that are held
	Held       []Issue // numbered issues that wait for an admin
	Deliveries int
}

// ComposeDue composes everything that is due now: for each list at most one issue, at the
// latest due time that passed since its last one, so that a node that was suspended during several
// due times composes one issue. Lists that are due together are sent together: a reader of
// several lists gets one email. Running it again, or on two nodes at once, composes nothing
// twice; it completes what another process left incomplete.
func (s *Service) ComposeDue(ctx context.Context) ([]Composed, error) {
	all, err := s.finishMailings(ctx)
	if err != nil {
		return all, err
	}
	lists, err := s.subscribers.Lists(ctx)
	if err != nil {
		return all, err
	}
	if slices.ContainsFunc(lists, func(l subscribers.List) bool { return l.AsItHappens }) {
		if err := s.Match(ctx); err != nil {
			return all, err
		}
	}
	var due []dueList
	for _, l := range lists {
		at, ok, err := s.dueAt(ctx, l)
		if err != nil {
			return all, fmt.Errorf("schedule of list %s: %w", l.Slug, err)
		}
		if ok {
			due = append(due, dueList{l, at})
		}
	}
	if len(due) > 0 {
		if err := s.Match(ctx); err != nil {
			return all, err
		}
		c, err := s.compose(ctx, due, 0)
		if err != nil {
			return all, err
		}
		all = append(all, c)
	}
	welcomes, err := s.composeWelcomes(ctx)
	if all = append(all, welcomes...); err != nil {
		return all, err
	}
	reminders, err := s.composeReminders(ctx)
	return append(all, reminders...), err
}

// ComposeNow composes an issue of the given lists outside their schedule. The
// issue waits for an admin if Hold of the given list is set.
func (s *Service) ComposeNow(ctx context.Context, lists []subscribers.List) (Composed, error) {
	return s.ComposeOver(ctx, lists, 0)
}

// ComposeOver is ComposeNow with emails spread over some time, each reader's at
// a time of their own; see [MaxSpread].
func (s *Service) ComposeOver(ctx context.Context, lists []subscribers.List, over time.Duration) (Composed, error) {
	if err := checkSpread(over); err != nil {
		return Composed{}, err
	}
	if err := s.Match(ctx); err != nil {
		return Composed{}, err
	}
	due := make([]dueList, len(lists))
	for i, l := range lists {
		due[i] = dueList{l, s.now()}
	}
	return s.compose(ctx, due, over)
}

// dueList is a list with the due time that has come.
type dueList struct {
	list subscribers.List
	at   time.Time
}

// compose stores the issues of lists and their mailing in one transaction; the deliveries
// to readers follow in pages, and the mailing is sent when all of them exist.
func (s *Service) compose(ctx context.Context, due []dueList, over time.Duration) (Composed, error) {
	_, span := trace.Start(ctx, "compose issues")
	slices.SortFunc(due, func(a, b dueList) int { return cmp.Compare(a.list.ID, b.list.ID) })
	var out Composed
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		out = Composed{}
		var seen []int64 // issues at the due times, numbered or not
		for _, d := range due {
			if d.at.After(out.DueAt) {
				out.DueAt = d.at
			}
			issue, err := s.composeIssue(ctx, tx, d)
			if err != nil {
				return fmt.Errorf("list %s: %w", d.list.Slug, err)
			}
			switch {
			case issue.ID == 0: // composed before
			case issue.Held:
				out.Held = append(out.Held, issue)
			default:
				seen = append(seen, issue.ID)
				if issue.Number > 0 {
					out.Issues = append(out.Issues, issue)
				}
			}
		}
		if len(seen) == 0 {
			return nil
		}
		if len(out.Issues) == 0 {
			waiting, err := s.hasWaitingReaders(ctx, tx, seen)
			if err != nil || !waiting {
				return err
			}
		}
		var err error
		out.Mailing, err = s.newMailing(ctx, tx, out.DueAt, seen, over)
		return err
	})
	if err != nil {
		return Composed{}, fmt.Errorf("compose due issues: %w", err)
	}
	for _, issue := range out.Held {
		s.opts.Logger.Info("issue is held for an admin", "list", issue.List.Slug, "issue", issue.Number, "articles", len(issue.Articles))
	}
	if out.Mailing != 0 {
		out.Deliveries, err = s.finishMailing(ctx, out.Mailing)
	}
	s.traceComposed(ctx, span, out, err)
	return out, err
}

// composeIssue composes the issue of one list at a due time from the matches after its last
// issue. If there are none it stores issue 0, which only records that the due time was
// examined. If the issue already exists, it is returned without an ID.
func (s *Service) composeIssue(ctx context.Context, tx *sql.Tx, d dueList) (Issue, error) {
	l := d.list
	if err := s.lockList(ctx, tx, l.ID); err != nil {
		return Issue{}, err
	}
	var number, lastSeq int64
	err := tx.QueryRowContext(ctx,
		`SELECT COALESCE(MAX(number), 0), COALESCE(MAX(last_seq), 0) FROM issues WHERE list = $1`, l.ID).Scan(&number, &lastSeq)
	if err != nil {
		return Issue{}, err
	}
	draft, err := s.draft(ctx, tx, d, lastSeq)
	if err != nil {
		return Issue{}, err
	}
	issue := Issue{List: l, DueAt: d.at, Backfill: draft.backfill}
	if len(draft.items) > 0 {
		issue.Number, issue.Held = number+1, l.Hold
	} else if l.AsItHappens && draft.lastSeq == lastSeq {
		return Issue{}, nil
	}
	err = tx.QueryRowContext(ctx, `
		INSERT INTO issues (list, number, due_at, last_seq, held, backfill, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (list, due_at) DO NOTHING RETURNING id`,
		l.ID, issue.Number, d.at, draft.lastSeq, database.Bit(issue.Held), issue.Backfill, s.now()).Scan(&issue.ID)
	if errors.Is(err, sql.ErrNoRows) { // already composed, here or on another node
		return Issue{}, nil
	}
	if err != nil {
		return Issue{}, err
	}
	for i, it := range draft.items {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO issue_items (issue, position, article, section, why, event, standing, reason, folded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			issue.ID, i+1, it.Article.ID, it.Section, database.JSON(it.Why), it.Event, it.Priority, it.Reason, database.JSON(it.sameTexts())); err != nil {
			return Issue{}, err
		}
		issue.Articles = append(issue.Articles, it.Article.ID)
	}
	return issue, nil
}

// Release releases a held issue: from now on it is like an issue of a list without Hold.
func (s *Service) Release(ctx context.Context, issue Issue) (Composed, error) {
	return s.ReleaseOver(ctx, issue, 0)
}

// ReleaseOver is Release with emails spread over some time.
func (s *Service) ReleaseOver(ctx context.Context, issue Issue, over time.Duration) (Composed, error) {
	if err := checkSpread(over); err != nil {
		return Composed{}, err
	}
	_, span := trace.Start(ctx, "release issue")
	out := Composed{DueAt: s.now(), Issues: []Issue{issue}}
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := unhold(ctx, tx, issue); err != nil {
			return err
		}
		if err := storePins(ctx, tx, issue.ID); err != nil {
			return err
		}
		var err error
		out.Mailing, err = s.newMailing(ctx, tx, out.DueAt, []int64{issue.ID}, over)
		return err
	})
	if err != nil {
		return Composed{}, err
	}
	out.Deliveries, err = s.finishMailing(ctx, out.Mailing)
	s.traceComposed(ctx, span, out, err)
	return out, err
}

// newMailing stores the mailing of issues, numbered or not, whose emails are spread over
// some time.
func (s *Service) newMailing(ctx context.Context, tx *sql.Tx, due time.Time, issues []int64, over time.Duration) (int64, error) {
	id, err := insertMailing(ctx, tx, due, issues, s.now())
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE mailings SET spread_seconds = $2 WHERE id = $1`, id, int64(over/time.Second)); err != nil {
		return 0, err
	}
	lists, err := database.CollectMap(ctx, tx, database.ScanPair[int64, int64],
		`UPDATE issues SET mailing = $2 WHERE number > 0 AND id IN (`+s.db.Dialect().IDs("$1")+`) RETURNING id, list`, database.JSON(issues), id)
	if err != nil {
		return 0, err
	}
	return id, s.Channels.Enqueue(ctx, tx, id, lists)
}

// insertMailing stores the mailing of a due time. If one exists already (a list became due
// a moment after the others were composed), the new one is a microsecond later: a mailing
// that may be in progress is never changed.
func insertMailing(ctx context.Context, tx *sql.Tx, due time.Time, issues []int64, now time.Time) (id int64, err error) {
	for at := due; ; at = at.Add(time.Microsecond) {
		err = tx.QueryRowContext(ctx, `
			INSERT INTO mailings (due_at, state, issues, created_at) VALUES ($1, 'composed', $2, $3)
			ON CONFLICT (due_at) DO NOTHING RETURNING id`, at, database.JSON(issues), now).Scan(&id)
		if !errors.Is(err, sql.ErrNoRows) {
			return id, err
		}
	}
}

// hasWaitingReaders reports whether lists without news at their due time have readers who
// wait for something else: for articles of earlier issues, or for an email that says that
// nothing is new.
func (s *Service) hasWaitingReaders(ctx context.Context, tx *sql.Tx, issues []int64) (waits bool, err error) {
	lists, err := database.Collect(ctx, tx, database.ScanOne[int64],
		`SELECT list FROM issues WHERE id IN (`+s.db.Dialect().IDs("$1")+`)`, database.JSON(issues))
	if err != nil {
		return false, err
	}
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM carried WHERE list IN (`+s.db.Dialect().IDs("$1")+`))`, database.JSON(lists)).Scan(&waits)
	if err != nil || waits {
		return waits, err
	}
	notes, err := s.subscribers.WantEmpty(ctx, lists, 0, 1)
	return len(notes) > 0, err
}
