package publish_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/emersion/go-ical"
	"pgregory.net/rapid"

	"dibao/feed/publish"
)

func writeCalendar(t interface{ Fatal(...any) }, c publish.Calendar) string {
	var buf bytes.Buffer
	if err := publish.WriteCalendar(&buf, c); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestCalendar(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	c := publish.Calendar{Name: "邸报", URL: "https://a.example/", Self: "https://a.example/calendar.ics", Events: []publish.Event{
		{UID: "article-1-deadline@a.example", On: "2026-12-31", Summary: "截止：样例省,样例市;关于征求意见的公告\\", Description: "第一行\n第二行", URL: "https://a.example/articles/1",
			Categories: []string{"截止"}, Sequence: 2, Stamp: at, RemindDays: []int{3}},
		{UID: "article-1-deadline@a.example", On: "2026-12-30", Summary: "twice", Stamp: at},
		{UID: "x@a.example", On: "someday", Summary: "no day", Stamp: at},
	}}
	text := writeCalendar(t, c)
	if again := writeCalendar(t, c); again != text {
		t.Error("the same calendar gives other bytes")
	}
	want := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//dibao//policy calendar//ZH
CALSCALE:GREGORIAN
NAME:邸报
X-WR-CALNAME:邸报
X-WR-TIMEZONE:Asia/Shanghai
REFRESH-INTERVAL;VALUE=DURATION:PT6H
X-PUBLISHED-TTL:PT6H
URL:https://a.example/
SOURCE;VALUE=URI:https://a.example/calendar.ics
BEGIN:VEVENT
UID:article-1-deadline@a.example
DTSTAMP:20261123T080000Z
LAST-MODIFIED:20261123T080000Z
SEQUENCE:2
DTSTART;VALUE=DATE:20261231
DTEND;VALUE=DATE:20270101
SUMMARY:截止：样例省\,样例市\;关于征求意见的公告\\
DESCRIPTION:第一行\n第二行
URL:https://a.example/articles/1
CATEGORIES:截止
STATUS:CONFIRMED
TRANSP:TRANSPARENT
CLASS:PUBLIC
X-MICROSOFT-CDO-BUSYSTATUS:FREE
X-MICROSOFT-CDO-ALLDAYEVENT:TRUE
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-P3D
DESCRIPTION:截止：样例省\,样例市\;关于征求意见的公告\\
END:VALARM
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

// Whatever the events contain, every line is at most 75 octets long and folded between
// characters (RFC 5545 §3.1), and two parsers read the same events.
func TestEveryCalendarIsValid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := publish.Calendar{Name: "x" + hostile("name").Draw(t, "name"), Description: hostile("d").Draw(t, "description"), URL: "https://a.example/民政/"}
		n := rapid.IntRange(0, 4).Draw(t, "events")
		for i := range n {
			c.Events = append(c.Events, publish.Event{
				UID: "article-" + strings.Repeat("1", i+1) + "@a.example", On: rapid.SampledFrom([]string{"2026-02-28", "2024-02-29", "1999-12-31"}).Draw(t, "on"),
				Summary: "s" + hostileTitle("s").Draw(t, "summary"), Description: hostile("d").Draw(t, "about"), URL: "https://a.example/articles/1",
				Categories: []string{hostile("c").Draw(t, "category")}, Sequence: i, Stamp: time.Unix(1.7e9, 0), RemindDays: []int{i + 1, 1}[:i%3], Canceled: i == 3,
			})
		}
		text := writeCalendar(t, c)
		for _, line := range strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n") {
			if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
				t.Fatalf("%d octets: %q", len(line), line)
			}
		}
		first, err := ics.ParseCalendar(strings.NewReader(text))
		if err != nil {
			t.Fatalf("golang-ical: %v\n%.2000s", err, text)
		}
		second, err := ical.NewDecoder(strings.NewReader(text)).Decode()
		if err != nil {
			t.Fatalf("go-ical: %v\n%.2000s", err, text)
		}
		if len(first.Events()) != n || len(second.Events()) != n {
			t.Fatalf("%d and %d events, want %d", len(first.Events()), len(second.Events()), n)
		}
		for i, e := range second.Events() {
			title, err := e.Props.Text(ical.PropSummary)
			other := first.Events()[i].GetProperty(ics.ComponentPropertySummary).Value
			if err != nil || title != other || e.Props.Get(ical.PropUID).Value != c.Events[i].UID {
				t.Fatalf("event %d: %q and %q, %v", i, title, other, err)
			}
			day, err := e.DateTimeStart(time.UTC)
			if err != nil || day.Format(time.DateOnly) != c.Events[i].On || e.Props.Get(ical.PropDateTimeStart).ValueType() != ical.ValueDate {
				t.Fatalf("event %d is on %s, want %s: %v", i, day, c.Events[i].On, err)
			}
		}
	})
}
