package digest

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/policy"
	"dibao/subscribers"
)

// loadLast reads, for the readers who want fewer emails than there are issues, when they
// last got each of their lists.
func (c *chooser) loadLast(ctx context.Context, readers []subscribers.Reader) error {
	c.lastOn = make(map[int64]map[int64]time.Time)
	ids := []int64{}
	for _, r := range readers {
		for _, choice := range r.Choices {
			if rarer(choice) {
				ids = append(ids, r.ID)
				break
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return c.s.db.Read(ctx, func(tx *sql.Tx) error {
		type last struct {
			subscriber, variant int64
			at                  time.Time
		}
		all, err := database.Collect(ctx, tx, func(r database.Row) (last, error) {
			var l last
			err := r.Scan(&l.subscriber, &l.variant, &l.at)
			return l, err
		}, `SELECT d.subscriber, d.variant, m.due_at FROM deliveries d JOIN mailings m ON m.id = d.mailing
			WHERE d.subscriber IN (`+c.s.db.Dialect().IDs("$1")+`) AND m.due_at > $2 AND m.id <> $3
			AND d.state NOT IN ('failed', 'suppressed') AND (m.state <> 'cancelled' OR d.state <> 'waiting')`,
			database.JSON(ids), c.due.AddDate(0, 0, -33), c.mailing)
		if err != nil {
			return err
		}
		for _, l := range all {
			lists, err := c.listsOf(ctx, tx, l.variant)
			if err != nil {
				return err
			}
			if c.lastOn[l.subscriber] == nil {
				c.lastOn[l.subscriber] = make(map[int64]time.Time)
			}
			for _, list := range lists {
				if l.at.After(c.lastOn[l.subscriber][list]) {
					c.lastOn[l.subscriber][list] = l.at
				}
			}
		}
		return nil
	})
}

// listsOf returns the lists whose articles a variant contained. An email with reminders
// is sent for a list but contains no articles of it.
func (c *chooser) listsOf(ctx context.Context, tx *sql.Tx, variant int64) ([]int64, error) {
	if lists, ok := c.ofVariant[variant]; ok {
		return lists, nil
	}
	var issues, text string
	var items []contentItem
	err := tx.QueryRowContext(ctx, `SELECT issues, items FROM variants WHERE id = $1`, variant).Scan(&issues, &text)
	if err == nil {
		err = json.Unmarshal([]byte(text), &items)
	}
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(items, func(it contentItem) bool { return reminderDays(it.Event) != 0 }) {
		issues = "[]"
	}
	lists, err := database.Collect(ctx, tx, database.ScanOne[int64],
		`SELECT DISTINCT list FROM issues WHERE id IN (`+c.s.db.Dialect().IDs("$1")+`)`, issues)
	if err != nil {
		return nil, err
	}
	if len(c.ofVariant) > maxMemo {
		clear(c.ofVariant)
	}
	c.ofVariant[variant] = lists
	return lists, nil
}

func rarer(c subscribers.Choice) bool {
	return c.Frequency == subscribers.Weekly || c.Frequency == subscribers.Monthly
}

// takesMail reports whether a reader wants email of a list at this due time.
func (c *chooser) takesMail(r subscribers.Reader, list int64) bool {
	return !policy.DateOf(c.due.In(c.zones[list])).Before(c.mailFrom(r, list))
}

// mailFrom returns the first day on which a reader wants email of a list again: after a
// pause, and not more often than they chose. It is zero if they want any email.
func (c *chooser) mailFrom(r subscribers.Reader, list int64) policy.Date {
	from := r.PausedUntil
	if at, ok := c.lastOn[r.ID][list]; ok && rarer(r.Choices[list]) {
		last := policy.DateOf(at.In(c.zones[list]))
		next := last.AddDays(7)
		if r.Choices[list].Frequency == subscribers.Monthly {
			next = policy.DateOf(time.Date(last.Year, time.Month(last.Month)+1, 1, 0, 0, 0, 0, time.UTC))
		}
		if from.Before(next) {
			from = next
		}
	}
	return from
}
