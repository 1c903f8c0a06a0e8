package digest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/digest/agenda"
	"dibao/digest/stars"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/subscribers"
)

// reminderHour is the hour of the day, in the zone of the reader's list, from which
// reminders go out.
const reminderHour = 8

// reminderPage is how many stars one query reads at most.
const reminderPage = 100_000

const reminderPrefix = "remind/"

// reminderDays returns how many days before the last day an item reminds, 0 for items that
// are not reminders.
func reminderDays(event string) int {
	text, ok := strings.CutPrefix(event, reminderPrefix)
	if !ok {
		return 0
	}
	n, _ := strconv.Atoi(text)
	return n
}

// reminder is one call of which one reader must be reminded.
type reminder struct {
	stars.Wanted
	days int
}

// composeReminders composes the emails that remind readers of the calls they starred, as
// emails of a list to which they subscribe, so that the same rules apply to both. Each
// reminder is composed once: its row and its delivery are written in one transaction.
func (s *Service) composeReminders(ctx context.Context) (all []Composed, err error) {
	today := policy.DateOf(s.now()) // in any time zone, it is this day, the previous or the next one
	for after := int64(0); ; {
		near, err := s.Stars.Near(ctx, today.AddDays(-1), today.AddDays(slices.Max(agenda.ReminderDays)+1), after, reminderPage)
		if err != nil || len(near) == 0 {
			return all, err
		}
		some, err := s.composeRemindersOf(ctx, near)
		all = append(all, some...)
		if err != nil || len(near) < reminderPage-stars.Max {
			return all, err
		}
		after = near[len(near)-1].Subscriber
	}
}

// composeRemindersOf composes the reminders that are due for these stars.
func (s *Service) composeRemindersOf(ctx context.Context, near []stars.Wanted) ([]Composed, error) {
	var ids []int64
	for _, w := range near {
		ids = append(ids, w.Subscriber)
	}
	readers, err := s.subscribers.Readers(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	lists, err := s.subscribers.Lists(ctx)
	if err != nil {
		return nil, err
	}
	issues := make(map[int64]Issue) // the last one of each list, by list
	for _, l := range lists {
		last, err := s.Issues(ctx, l.ID, 1)
		if err != nil {
			return nil, err
		}
		if len(last) > 0 {
			last[0].List = l
			issues[l.ID] = last[0]
		}
	}
	due := make(map[int64][]reminder)          // by reader
	by := make(map[int64][]subscribers.Reader) // by the list whose sender and links the reminder uses
	for _, w := range near {
		r, ok := readers[w.Subscriber]
		i := slices.IndexFunc(r.Lists, func(l int64) bool { return issues[l].ID != 0 })
		if !ok || r.Suppressed || i < 0 {
			continue
		}
		list := issues[r.Lists[i]].List
		zone, err := time.LoadLocation(list.Zone)
		if err != nil {
			return nil, fmt.Errorf("zone of list %s: %w", list.Slug, err)
		}
		local := s.now().In(zone)
		on := policy.DateOf(local)
		days := w.Due(on, zone)
		if days == 0 || local.Hour() < reminderHour || on.Before(r.PausedUntil) {
			continue
		}
		if len(due[r.ID]) == 0 {
			by[list.ID] = append(by[list.ID], r)
		}
		due[r.ID] = append(due[r.ID], reminder{w, days})
	}
	var all []Composed
	for _, l := range lists {
		for page := range slices.Chunk(by[l.ID], readerPage) {
			c, err := s.remind(ctx, issues[l.ID], page, due)
			if err != nil {
				return all, fmt.Errorf("reminders by list %s: %w", l.Slug, err)
			}
			if c.Mailing != 0 {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// remind makes a mailing of the readers' reminders that have not been composed yet. It
// returns mailing 0 if there are none.
func (s *Service) remind(ctx context.Context, issue Issue, readers []subscribers.Reader, due map[int64][]reminder) (out Composed, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		out = Composed{DueAt: s.now()}
		id, err := insertMailing(ctx, tx, out.DueAt, []int64{issue.ID}, out.DueAt)
		if err != nil {
			return err
		}
		m := &mailingRun{s: s, id: id, due: out.DueAt, made: out.DueAt}
		variants := make(map[string]int64)
		var rows [][2]int64
		for _, r := range readers {
			c := &content{language: r.Language, format: cmp.Or(r.Format, subscribers.HTML), issues: []int64{issue.ID}}
			for _, x := range due[r.ID] {
				mine, err := stars.Claim(ctx, tx, x.Wanted, x.days, id)
				if err != nil {
					return err
				}
				if mine {
					c.items = append(c.items, contentItem{Article: x.Article, Issue: issue.ID, Event: reminderPrefix + strconv.Itoa(x.days)})
				}
			}
			if len(c.items) == 0 {
				continue
			}
			sum := sha256.Sum256([]byte(c.language + "|" + string(c.format) + database.JSON(c.items)))
			c.key = hex.EncodeToString(sum[:16])
			if variants[c.key] == 0 {
				if variants[c.key], err = m.storeVariant(ctx, tx, c); err != nil {
					return err
				}
			}
			rows = append(rows, [2]int64{r.ID, variants[c.key]})
		}
		if len(rows) == 0 { // another node already composed them
			_, err := tx.ExecContext(ctx, `DELETE FROM mailings WHERE id = $1`, id)
			return err
		}
		if err := m.insertDeliveries(ctx, tx, rows); err != nil {
			return err
		}
		out.Mailing, out.Deliveries = id, len(rows)
		return m.finish(ctx, tx)
	})
	return out, err
}

// reminded returns a call as a reminder shows it; none if it has been canceled or withdrawn
// since.
func (s *Service) reminded(ctx context.Context, article int64) (it IssueItem, ok bool, err error) {
	found, err := s.articles.ArticlesByID(ctx, []int64{article})
	a, ok := found[article]
	if err != nil || !ok || isWithheld(a) {
		return IssueItem{}, false, err
	}
	items, err := s.amendItems(ctx, []IssueItem{{Article: a, Section: sectionDeadlines}})
	if err != nil || items[0].isCanceled() {
		return IssueItem{}, false, err
	}
	notices, err := s.notices(ctx, items)
	if n, ok := notices[article]; ok {
		items[0].Call = &n.Call
	}
	return items[0], true, err
}
