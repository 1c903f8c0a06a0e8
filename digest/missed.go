package digest

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/subscribers"
)

// missedFor is how long articles that a reader did not get are offered again with the
// numbered issues of their list, counted from the due time of the failed mailing or from
// the time when a suppression was lifted.
const missedFor = 31 * 24 * time.Hour

// missedPart is something that a reader did not get: the part of an issue that
// an undelivered variant contained, or, with variant 0, everything that matches
// the reader's choices.
type missedPart struct{ list, issue, variant int64 }

// missing contains what the readers of a mailing did not get.
type missing struct {
	composedIssues map[int64]*composedIssue       // by issue
	items          map[missedPart]map[mailed]bool // the items of a variant that was not delivered
	parts          map[int64][]missedPart         // parts of issues by variant
	lifted         map[int64][]missedPart         // by reader
	failed         map[int64][]int64              // by reader of the page: variants
	mailings       []int64                        // mailings whose deliveries may have failed
}

// lookMissing reads what is the same for all pages: the mailings and the lifted
// suppressions to consider.
func (c *chooser) lookMissing(ctx context.Context) error {
	c.missing = missing{
		composedIssues: make(map[int64]*composedIssue), items: make(map[missedPart]map[mailed]bool), parts: make(map[int64][]missedPart), lifted: make(map[int64][]missedPart),
	}
	lifted, err := c.s.subscribers.Lifted(ctx, c.due.Add(-missedFor), missedFor)
	if err != nil {
		return err
	}
	return c.s.db.Read(ctx, func(tx *sql.Tx) error {
		c.missing.mailings, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT id FROM mailings WHERE due_at > $1 AND id <> $2 AND state <> 'cancelled' ORDER BY id`,
			c.due.Add(-missedFor), c.mailing)
		if err != nil {
			return err
		}
		clear(c.missing.lifted)
		for _, x := range lifted {
			if c.current[x.List] == nil {
				continue
			}
			issues, err := database.Collect(ctx, tx, database.ScanOne[int64], `SELECT i.id FROM issues i JOIN mailings m ON m.id = i.mailing
				WHERE i.list = $1 AND i.number > 0 AND i.held = 0 AND m.state <> 'cancelled' AND i.created_at > $2 AND i.created_at < $3 ORDER BY i.id`, x.List, x.From, x.To)
			if err != nil {
				return err
			}
			for _, id := range issues {
				c.missing.lifted[x.Subscriber] = append(c.missing.lifted[x.Subscriber], missedPart{x.List, id, 0})
			}
		}
		return nil
	})
}

const undelivered = `state IN ('failed', 'uncertain', 'suppressed') AND (state = 'failed' OR state = 'suppressed' AND reply = '` + delivery.ReplySuppressed + `')`

// readMissed reads what the readers of a page, whose ids are in (after, last],
// did not get.
func (c *chooser) readMissed(ctx context.Context, readers []subscribers.Reader, after, last int64) error {
	c.missing.failed = make(map[int64][]int64)
	variants := make(map[int64]bool)
	err := c.s.db.Read(ctx, func(tx *sql.Tx) error {
		clear(c.missing.failed)
		for _, mailing := range c.missing.mailings {
			_, err := database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
				var reader, variant int64
				err := r.Scan(&reader, &variant)
				c.missing.failed[reader] = append(c.missing.failed[reader], variant)
				variants[variant] = c.missing.parts[variant] == nil
				return struct{}{}, err
			}, `SELECT subscriber, variant FROM deliveries WHERE mailing = $1 AND `+undelivered+` AND subscriber > $2 AND subscriber <= $3`, mailing, after, last)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var issues []int64
	for variant, fresh := range variants {
		if !fresh {
			continue
		}
		of, err := c.noteUndelivered(ctx, variant)
		if err != nil {
			return err
		}
		issues = append(issues, of...)
	}
	for _, r := range readers {
		for _, p := range c.missing.lifted[r.ID] {
			issues = append(issues, p.issue)
		}
	}
	return c.loadMissed(ctx, issues)
}

// noteUndelivered records what a variant contained for the lists that are due, and returns
// its issues.
func (c *chooser) noteUndelivered(ctx context.Context, variant int64) (issues []int64, err error) {
	var text string
	var items []contentItem
	var lists map[int64]int64 // by issue
	err = c.s.db.Read(ctx, func(tx *sql.Tx) error {
		var of string
		err := tx.QueryRowContext(ctx, `SELECT items, issues FROM variants WHERE id = $1`, variant).Scan(&text, &of)
		if err != nil {
			return err
		}
		lists, err = database.CollectMap(ctx, tx, database.ScanPair[int64, int64], `SELECT id, list FROM issues WHERE id IN (`+c.s.db.Dialect().IDs("$1")+`)`, of)
		return err
	})
	if err == nil {
		err = json.Unmarshal([]byte(text), &items)
	}
	if err != nil {
		return nil, err
	}
	parts := []missedPart{}
	for _, it := range items {
		list := lists[it.Issue]
		if c.current[list] == nil {
			continue
		}
		p := missedPart{list, it.Issue, variant}
		if c.missing.items[p] == nil {
			c.missing.items[p] = make(map[mailed]bool)
			parts = append(parts, p)
			issues = append(issues, it.Issue)
		}
		c.missing.items[p][mailed{it.Article, it.Event}] = true
	}
	c.missing.parts[variant] = parts
	return issues, nil
}

// loadMissed reads issues of which some reader missed something, and which of
// their articles later mailings sent.
func (c *chooser) loadMissed(ctx context.Context, issues []int64) error {
	issues = slices.DeleteFunc(issues, func(id int64) bool { return c.missing.composedIssues[id] != nil })
	if len(issues) == 0 {
		return nil
	}
	slices.Sort(issues)
	all, err := c.s.issuesByID(ctx, slices.Compact(issues))
	if err != nil {
		return err
	}
	for _, i := range all {
		e, err := c.s.composedIssue(ctx, i)
		if err != nil {
			return err
		}
		c.missing.composedIssues[i.ID] = e
		c.note(e)
	}
	return c.findPrior(ctx)
}

// missedBy returns the articles of lists that a reader did not get, in the
// order of their issues. They are sent with a numbered issue of the list.
func (c *chooser) missedBy(reader int64, lists []int64) []missedPart {
	var all []missedPart
	for _, variant := range c.missing.failed[reader] {
		all = append(all, c.missing.parts[variant]...)
	}
	all = append(all, c.missing.lifted[reader]...)
	all = slices.DeleteFunc(all, func(p missedPart) bool {
		return !slices.Contains(lists, p.list) || c.current[p.list].issue.Number == 0 || c.missing.composedIssues[p.issue] == nil
	})
	slices.SortFunc(all, func(a, b missedPart) int {
		if a.issue != b.issue {
			return int(a.issue - b.issue)
		}
		return int(a.variant - b.variant)
	})
	return all
}

// contains reports whether a part contains an item.
func (c *chooser) contains(p missedPart, it IssueItem) bool {
	return p.variant == 0 || c.missing.items[p][mailed{it.Article.ID, it.Event}]
}
