package digest_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/digest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// set sets the clock.
func (w *world) set(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = at
}

// dueTimes returns the due times of a list's numbered issues, by number.
func (w *world) dueTimes(list int64) (due []time.Time) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(tx *sql.Tx) (err error) {
		due, err = database.Collect(w.t.Context(), tx, database.ScanOne[time.Time], `SELECT due_at FROM issues WHERE list = $1 AND number > 0 ORDER BY number`, list)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return due
}

// Each list has one issue for each due time, and each article is in one issue, although two
// nodes compose at the same time, their clocks are set back and forth by hours around due
// times that the zones' clocks skip or show twice, and both nodes sleep for three weeks.
func TestNeverTwoIssues(t *testing.T) {
	issues, settings := 0, 0
	t.Cleanup(func() {
		trust.Report(t, "clocks set by hours around due times", "%d issues for as many due times; clocks set %d times", issues, settings)
	})
	t.Parallel()
	cases := []struct{ zone, cron, from string }{
		{"America/New_York", "30 2 * * 0", "2026-02-16"},    // does not exist on 8 March
		{"America/New_York", "30 1 * * 0", "2026-10-12"},    // occurs twice on 1 November
		{"Europe/Berlin", "30 2 * * 0", "2026-03-09"},       // does not exist on 29 March
		{"Europe/Berlin", "30 2 * * 0", "2026-10-05"},       // occurs twice on 25 October
		{"Australia/Lord_Howe", "15 2 * * 0", "2026-09-14"}, // half an hour that does not exist on 4 October
		{"Australia/Lord_Howe", "45 1 * * 0", "2026-03-16"}, // half an hour that occurs twice on 5 April
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		other := must[*digest.Service](t)(digest.New(db, w.articles, w.readers, digest.Options{
			BaseURL: "http://127.0.0.1:8080", From: netmail.Address{Address: "dibao@test.example"}, Logger: quiet,
			Now: func() time.Time { return w.now().Add(7 * time.Minute) }, // its clock is slightly wrong
		}))
		both := func() {
			var all sync.WaitGroup
			for _, s := range []*digest.Service{w.service, other} {
				all.Go(func() {
					if _, err := s.ComposeDue(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		}
		slices.SortFunc(cases, func(a, b struct{ zone, cron, from string }) int { return strings.Compare(a.from, b.from) })
		for n, c := range cases {
			zone := must[*time.Location](t)(time.LoadLocation(c.zone))
			first := must[time.Time](t)(time.ParseInLocation(time.DateOnly, c.from, zone)) // a Monday
			w.set(first)
			l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: fmt.Sprintf("dst%d", n), Zone: c.zone, Cron: c.cron, MaxItems: 500}))
			reader := fmt.Sprintf("dst%d", n)
			w.reader(reader, l)
			var sundays []string // Sundays with an issue
			var titles []string
			for week := range 8 {
				monday := first.AddDate(0, 0, 7*week)
				w.set(monday)
				title := fmt.Sprintf("第%d例第%d周的通知", n, week)
				titles = append(titles, title)
				w.article(title)
				sunday := monday.AddDate(0, 0, 6)
				if week >= 3 && week < 5 { // both sleep for three weeks, and wake up on a Monday
					continue
				}
				sundays = append(sundays, sunday.Format(time.DateOnly))
				if week == 5 {
					w.set(sunday.AddDate(0, 0, 1))
					both()
					continue
				}
				midnight := time.Date(sunday.Year(), sunday.Month(), sunday.Day(), 0, 0, 0, 0, zone)
				for at := midnight; at.Before(midnight.Add(4 * time.Hour)); at = at.Add(30 * time.Minute) {
					w.set(at)
					both()
					// Articles that arrive after the due time are for the next issue, and the clock
					// is set back and forth by hours.
					w.set(at.Add(time.Duration(rand.IntN(600)-300) * time.Minute))
					settings += 2
					both()
				}
				w.set(sunday.AddDate(0, 0, 1))
				both()
			}
			due := w.dueTimes(l.ID)
			var got []string
			for _, at := range due {
				got = append(got, at.In(zone).Format(time.DateOnly))
			}
			if !slices.Equal(got, sundays) {
				t.Errorf("%s %s: issues of %v, want one of each of %v", c.zone, c.cron, due, sundays)
			}
			issues += len(got)
			w.deliver()
			text := strings.Join(w.to(reader), "\n")
			if mails := len(w.to(reader)); mails != len(sundays) {
				t.Errorf("%s %s: %d emails, want %d", c.zone, c.cron, mails, len(sundays))
			}
			for _, title := range titles {
				if n := strings.Count(text, "· "+title); n != 1 {
					t.Errorf("%s came %d times, want once", title, n)
				}
			}
			if err := w.readers.RemoveList(t.Context(), l.ID); err != nil {
				t.Fatal(err)
			}
		}
	})
}
