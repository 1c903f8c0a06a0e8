package site_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-ical"

	"dibao/feed/site/sitetest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// events reads a calendar and returns its events by UID.
func events(s *sitetest.Site, path string) map[string]*ical.Event {
	s.Helper()
	c, err := ical.NewDecoder(strings.NewReader(s.Read(path))).Decode()
	if err != nil {
		s.Fatalf("%s: %v", path, err)
	}
	all := make(map[string]*ical.Event)
	for _, e := range c.Events() {
		all[e.Props.Get(ical.PropUID).Value] = &e
	}
	return all
}

// Days of documents and deadlines of articles are events with a permanent UID, whose
// SEQUENCE grows when they move.
func TestCalendars(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 3, func(id int) (int, string) {
			return 1, map[int]string{1: "国防", 2: "民政、扶贫、救灾", 3: "国防"}[id]
		})
		s.Exec(`INSERT INTO documents (id, key, number, title, effective_on, expires_on, article, created_at, updated_at)
			VALUES (7, 'k', '国发〔2026〕1号', '样例办法', '2026-12-01', '2031-11-30', 1, $1, $1)`, sitetest.Clock())
		s.Exec(`INSERT INTO carriers (article, document, standing) VALUES (1, 7, 0), (3, 7, 1)`)
		s.Exec(`UPDATE articles SET deadline_on = '2026-12-15' WHERE id = 2`)
		s.Exec(`UPDATE articles SET deadline_on = '2020-01-01' WHERE id = 3`)
		all := events(s, "/calendar.ics")
		for uid, want := range map[string]string{
			"document-7-effective@policy.example": "20261201 施行：样例办法 alarms 0", "document-7-expires@policy.example": "20311130 有效期满：样例办法 alarms 0",
			"article-2-deadline@policy.example": "20261215 截止：通知 alarms 1",
		} {
			e := all[uid]
			if e == nil {
				t.Fatalf("%s is missing from %v", uid, all)
			}
			title, _ := e.Props.Text(ical.PropSummary)
			if got := fmt.Sprintf("%s %s alarms %d", e.Props.Get(ical.PropDateTimeStart).Value, title, len(e.Children)); got != want {
				t.Errorf("%s: %s, want %s", uid, got, want)
			}
		}
		if len(all) != 3 {
			t.Errorf("%d events", len(all))
		}
		if n := len(events(s, "/themes/%E5%9B%BD%E9%98%B2/calendar.ics")); n != 2 {
			t.Errorf("a theme has %d events, want the 2 of its document", n)
		}
		if n := len(events(s, "/themes/%E6%B0%91%E6%94%BF/calendar.ics")); n != 1 {
			t.Errorf("another theme has %d events, want 1", n)
		}
		if res := s.Get("/issuers/x/calendar.ics"); res.StatusCode != 404 {
			t.Errorf("an unknown issuer: %d", res.StatusCode)
		}
		before := s.Get("/calendar.ics").Header.Get("ETag")
		s.Exec(`UPDATE sources SET checked_at = $1, failures = 3`, sitetest.Clock())
		if again := s.Get("/calendar.ics", "If-None-Match", before); again.StatusCode != 304 {
			t.Errorf("when nothing changed: %d", again.StatusCode)
		}
		s.Exec(`UPDATE documents SET effective_on = '2027-01-01' WHERE id = 7`)
		e := events(s, "/calendar.ics")["document-7-effective@policy.example"]
		if e == nil || e.Props.Get(ical.PropSequence).Value != "1" || e.Props.Get(ical.PropDateTimeStart).Value != "20270101" {
			t.Errorf("a moved day: %+v", e)
		}
	})
}
