package digest

import (
	"context"
	"database/sql"
	"encoding/json"
	"math"

	"dibao/feed/amend"
	"dibao/internal/database"
	"dibao/subscribers"
)

// findPrior finds the variants of other mailings that contained something that this one may
// contain.
func (c *chooser) findPrior(ctx context.Context) error {
	ours := make(map[mailed]bool)
	ids := []int64{}
	add := func(e *composedIssue) {
		for _, it := range e.items {
			same := it.identities()
			if amend.ChangesCall(it.Event) { // a change is for readers who got the call
				same = append(same, it.asNews()...)
			}
			for _, m := range same {
				if !ours[m] {
					ours[m] = true
					ids = append(ids, m.article)
				}
			}
		}
	}
	for _, e := range c.current {
		add(e)
	}
	for _, composedIssues := range c.older {
		for _, e := range composedIssues {
			add(e)
		}
	}
	for _, e := range c.missing.composedIssues {
		add(e)
	}
	c.prior = make(map[int64][]mailed)
	return c.s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		c.priorIn, err = database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT DISTINCT mailing FROM mailing_items WHERE article IN (`+c.s.db.Dialect().IDs("$1")+`) AND mailing <> $2`, database.JSON(ids), c.mailing)
		if err != nil || len(c.priorIn) == 0 {
			return err
		}
		_, err = database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
			var id int64
			var text string
			var items []contentItem
			err := r.Scan(&id, &text)
			if err == nil {
				err = json.Unmarshal([]byte(text), &items)
			}
			for _, it := range items {
				if m := (mailed{it.Article, it.Event}); ours[m] {
					c.prior[id] = append(c.prior[id], m)
				}
			}
			return struct{}{}, err
		}, `SELECT id, items FROM variants WHERE mailing IN (`+c.s.db.Dialect().IDs("$1")+`)`, database.JSON(c.priorIn))
		return err
	})
}

// load reads what choose needs about a page of readers, whose ids are in (after,
// last]. The result is valid until another process creates deliveries.
func (c *chooser) load(ctx context.Context, readers []subscribers.Reader, after, last int64) error {
	version, err := c.s.compositionVersion(ctx)
	if err != nil {
		return err
	}
	if version != c.version { // another mailing may contain the same
		c.version = version
		if err := c.findPrior(ctx); err != nil {
			return err
		}
	}
	if err := c.loadWaiting(ctx, after, last); err != nil {
		return err
	}
	if err := c.readMissed(ctx, readers, after, last); err != nil {
		return err
	}
	c.sent = make(map[int64][]int64)
	if len(c.prior) > 0 {
		err := c.s.db.Read(ctx, func(tx *sql.Tx) error {
			_, err := database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
				var subscriber, variant int64
				err := r.Scan(&subscriber, &variant)
				if c.prior[variant] != nil {
					c.sent[subscriber] = append(c.sent[subscriber], variant)
				}
				return struct{}{}, err
			}, `SELECT d.subscriber, d.variant FROM deliveries d JOIN mailings m ON m.id = d.mailing
				WHERE d.mailing IN (`+c.s.db.Dialect().IDs("$1")+`) AND d.subscriber > $2 AND d.subscriber <= $3
				AND d.state NOT IN ('failed', 'suppressed') AND (m.state <> 'cancelled' OR d.state <> 'waiting')
				ORDER BY d.subscriber, d.variant`, database.JSON(c.priorIn), after, last)
			return err
		})
		if err != nil {
			return err
		}
	}
	return c.loadLast(ctx, readers)
}

// loadWaiting reads which issues wait for the readers of a page, and these issues.
func (c *chooser) loadWaiting(ctx context.Context, after, last int64) error {
	c.firstWaiting = make(map[int64]map[int64]int64)
	first := make(map[int64]int64) // by list: the oldest issue that waits for anybody
	lists := make([]int64, 0, len(c.current))
	for list := range c.current {
		lists = append(lists, list)
	}
	err := c.s.db.Read(ctx, func(tx *sql.Tx) error {
		_, err := database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
			var w waiting
			err := r.Scan(&w.subscriber, &w.list, &w.issue)
			if c.firstWaiting[w.subscriber] == nil {
				c.firstWaiting[w.subscriber] = make(map[int64]int64)
			}
			c.firstWaiting[w.subscriber][w.list] = w.issue
			if first[w.list] == 0 || w.issue < first[w.list] {
				first[w.list] = w.issue
			}
			return struct{}{}, err
		}, `SELECT subscriber, list, issue FROM carried
			WHERE subscriber > $2 AND subscriber <= $3 AND list IN (`+c.s.db.Dialect().IDs("$1")+`)`,
			database.JSON(lists), after, last)
		return err
	})
	if err != nil {
		return err
	}
	found := false
	for list, from := range first {
		to := c.current[list].issue.ID
		if to < 0 { // a preview: all issues so far
			to = math.MaxInt64
		}
		if have := c.older[list]; len(have) > 0 {
			to = have[0].issue.ID
		}
		if from >= to {
			continue
		}
		more, err := c.s.issuesBetween(ctx, c.current[list].issue.List, from, to)
		if err != nil {
			return err
		}
		composedIssues := make([]*composedIssue, len(more))
		for i, issue := range more {
			if composedIssues[i], err = c.s.composedIssue(ctx, issue); err != nil {
				return err
			}
			c.note(composedIssues[i])
		}
		c.older[list] = append(composedIssues, c.older[list]...)
		found = true
	}
	if !found {
		return nil
	}
	return c.findPrior(ctx)
}
