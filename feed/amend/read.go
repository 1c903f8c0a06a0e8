package amend

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/call"
	"dibao/policy/when"
)

// Change is what one notice did to a call, or its site by an edit of the text.
type Change struct {
	Notice   int64 // id of the notice; for an edit, the call itself
	Title    string
	On       policy.Date // date of publication
	Kind     call.ChangeKind
	Was      policy.Date // the last day before; zero means unknown
	Until    policy.Date // the last day from then on; zero means unknown
	Evidence string
	By       string // the kind of key that links them, or ByEdit
}

// MovesDay reports whether the notice changes the last day of the call.
func (c Change) MovesDay() bool {
	return c.Kind != call.ChangeCanceled && !c.Until.IsZero() && c.Until != c.Was
}

// changesOf returns the changes of a call by notices, oldest first; a notice and its
// reposts count once, as the article that was stored first.
func changesOf(ctx context.Context, tx *sql.Tx, target int64) (all []Change, err error) {
	var until policy.Date
	err = tx.QueryRowContext(ctx, `SELECT deadline_on FROM articles WHERE id = $1`, target).Scan(&until)
	if err != nil {
		return nil, err
	}
	type noted struct {
		Change
		cluster int64
	}
	notices, err := database.Collect(ctx, tx, func(r database.Row) (n noted, err error) {
		err = r.Scan(&n.Notice, &n.Title, &n.On, &n.Kind, &n.Until, &n.Evidence, &n.By, &n.cluster)
		return n, err
	}, `SELECT n.article, a.title, a.published_on, n.kind, n.until_on, n.evidence, n.linked_by, COALESCE(c.cluster, n.article)
		FROM call_notices n JOIN articles a ON a.id = n.article LEFT JOIN clusters c ON c.article = n.article
		WHERE n.target = $1 AND a.hidden = 0 AND a.withdrawn_at IS NULL ORDER BY COALESCE(a.published_on, ''), n.article LIMIT $2`, target, maxLinks)
	if err != nil {
		return nil, err
	}
	seen := make(map[int64]bool)
	for _, n := range notices {
		if seen[n.cluster] || n.Kind == call.ChangeMoved && n.Until == until && len(all) > 0 { // another notice already says so
			continue
		}
		seen[n.cluster] = true
		n.Was = until
		if n.Until.IsZero() || !n.On.IsZero() && n.Until.Before(n.On) {
			n.Until = until
		}
		until = n.Until
		all = append(all, n.Change)
	}
	return all, nil
}

// Edit returns how the site changed the last day of a call in its text, given the first and the
// last revision of the text since the call was sent; ok is false if there is no such change.
func Edit(ctx context.Context, db *database.DB, first, last int64) (c Change, ok bool, err error) {
	c.Kind = call.ChangeMoved
	err = db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT l.article, a.title, f.was_on, l.until_on FROM revisions l JOIN revisions f ON f.id = $1 AND f.article = l.article
			JOIN articles a ON a.id = l.article WHERE l.id = $2 AND l.until_on IS NOT NULL`, first, last).Scan(&c.Notice, &c.Title, &c.Was, &c.Until)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Change{}, false, nil
	}
	return c, err == nil, err
}

// History returns the changes of an article's call by notices, oldest first.
func History(ctx context.Context, db *database.DB, article int64) (all []Change, err error) {
	err = db.Read(ctx, func(tx *sql.Tx) error {
		targets, err := database.Collect(ctx, tx, database.ScanOne[int64], `SELECT n.target FROM call_states s JOIN call_notices n ON n.article = s.notice
			WHERE s.article = $1 AND n.target IS NOT NULL`, article)
		if err != nil || len(targets) == 0 {
			return err
		}
		all, err = changesOf(ctx, tx, targets[0])
		return err
	})
	return all, err
}

// Changes returns the changes of an article's call by notices and by its site, which edited the last
// day in the text. They are in the order of their days.
func Changes(ctx context.Context, db *database.DB, article int64) (all []Change, err error) {
	if all, err = History(ctx, db, article); err != nil {
		return nil, err
	}
	err = db.Read(ctx, func(tx *sql.Tx) error {
		edits, err := database.Collect(ctx, tx, func(r database.Row) (c Change, err error) {
			var at time.Time
			err = r.Scan(&c.Notice, &c.Title, &at, &c.Was, &c.Until)
			c.Kind, c.By, c.On = call.ChangeMoved, ByEdit, policy.DateOf(at.In(when.Shanghai))
			return c, err
		}, `SELECT r.article, a.title, r.replaced_at, r.was_on, r.until_on FROM revisions r JOIN articles a ON a.id = r.article
			WHERE r.article = $1 AND r.until_on IS NOT NULL ORDER BY r.id LIMIT $2`, article, maxLinks)
		all = append(all, edits...)
		return err
	})
	slices.SortStableFunc(all, func(a, b Change) int { return a.On.Compare(b.On) })
	return all, err
}

// Target returns the call that a notice changes, and how it changes it; 0 if none is known.
func Target(ctx context.Context, db *database.DB, notice int64) (target int64, c Change, err error) {
	err = db.Read(ctx, func(tx *sql.Tx) error {
		found, err := database.Collect(ctx, tx, database.ScanOne[int64], `SELECT target FROM call_notices WHERE article = $1 AND target IS NOT NULL`, notice)
		if err != nil || len(found) == 0 {
			return err
		}
		all, err := changesOf(ctx, tx, found[0])
		for _, x := range all {
			if x.Notice == notice {
				target, c = found[0], x
			}
		}
		return err
	})
	return target, c, err
}

// State is the state of a call that notices have changed.
type State struct {
	Notice     int64 // id of the latest notice
	Kind       call.ChangeKind
	Was, Until policy.Date // the last day before the latest notice and now; zero means not known
	Changes    int
}

// States returns the states of those calls among articles that notices have changed.
func States(ctx context.Context, db *database.DB, articles []int64) (all map[int64]State, err error) {
	if len(articles) == 0 {
		return nil, nil
	}
	err = db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.CollectMap(ctx, tx, func(r database.Row) (id int64, s State, err error) {
			err = r.Scan(&id, &s.Notice, &s.Kind, &s.Was, &s.Until, &s.Changes)
			return id, s, err
		}, `SELECT article, notice, kind, was_on, until_on, changes FROM call_states WHERE article IN (`+db.Dialect().IDs("$1")+`)`, database.JSON(articles))
		return err
	})
	return all, err
}

// Targets returns the calls that are changed by the notices among articles.
func Targets(ctx context.Context, db *database.DB, articles []int64) (targets []int64, err error) {
	err = db.Read(ctx, func(tx *sql.Tx) error {
		targets, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT DISTINCT target FROM call_notices
			WHERE target IS NOT NULL AND article IN (`+db.Dialect().IDs("$1")+`)`, database.JSON(articles))
		return err
	})
	return targets, err
}
