package publish

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// CalendarType is the media type of a calendar (RFC 5545 §8.1).
const CalendarType = "text/calendar; charset=utf-8"

// Calendar contains days that policies name, for calendar programs.
type Calendar struct {
	Name        string
	Description string
	URL         string // address of the page that it belongs to
	Self        string // its own address
	Language    string // BCP 47
	Events      []Event
}

// Event is one day. The same event always has the same UID; Sequence grows when
// its day or title changes.
type Event struct {
	UID         string
	On          string // YYYY-MM-DD: a calendar date, not an instant
	Summary     string
	Description string
	URL         string
	Categories  []string
	Sequence    int
	Canceled    bool
	Stamp       time.Time // when it was last changed
	RemindDays  []int     // how many days before it the reader is reminded
}

// refresh is how often programs should request the calendar again (RFC 7986 §5.7).
const refresh = "PT6H"

// WriteCalendar writes a calendar that Apple, Google and Outlook can read: all-day events,
// which need no time zone, and no METHOD, because these are not invitations. The same
// calendar results in the same bytes.
func WriteCalendar(w io.Writer, c Calendar) error {
	if c.Name == "" {
		return errors.New("a calendar needs a name")
	}
	cal := ics.NewCalendarFor("dibao")
	language, _, _ := strings.Cut(cmp.Or(c.Language, "zh"), "-")
	cal.SetProductId("-//dibao//policy calendar//" + strings.ToUpper(language)) // the language of its words; syntax of ISO 9070
	cal.SetCalscale("GREGORIAN")
	name := line(c.Name)
	cal.SetName(name)       // RFC 7986
	cal.SetXWRCalName(name) // read by Apple and Google
	if about := line(c.Description); about != "" {
		cal.SetDescription(about)
		cal.SetXWRCalDesc(about)
	}
	cal.SetXWRTimezone("Asia/Shanghai")
	cal.SetRefreshInterval(refresh)
	cal.SetXPublishedTTL(refresh)
	if u := address(c.URL); u != "" {
		cal.SetUrl(u)
	}
	if self := address(c.Self); self != "" {
		cal.CalendarProperties = append(cal.CalendarProperties, ics.CalendarProperty{BaseProperty: ics.BaseProperty{
			IANAToken: "SOURCE", Value: self, ICalParameters: map[string][]string{"VALUE": {"URI"}}}})
	}
	seen := make(map[string]bool)
	for _, e := range c.Events {
		day, err := time.Parse(time.DateOnly, e.On)
		if err != nil || e.UID == "" || seen[e.UID] {
			continue // an event needs a day and a title
		}
		seen[e.UID] = true
		addEvent(cal, e, day)
	}
	return cal.SerializeTo(w, ics.WithNewLine("\r\n"))
}

func addEvent(cal *ics.Calendar, e Event, day time.Time) {
	v := cal.AddEvent(line(e.UID))
	v.SetDtStampTime(e.Stamp)
	v.SetLastModifiedAt(e.Stamp)
	v.SetSequence(e.Sequence)
	v.SetAllDayStartAt(day)
	v.SetAllDayEndAt(day.AddDate(0, 0, 1)) // exclusive end (RFC 5545 §3.6.1)
	v.SetSummary(line(e.Summary))
	if d := text(e.Description); d != "" {
		v.SetDescription(d)
	}
	if u := address(e.URL); u != "" {
		v.SetURL(u)
	}
	for _, c := range slices.Compact(slices.Clone(e.Categories)) {
		if c = line(c); c != "" {
			v.AddCategory(c)
		}
	}
	status := ics.ObjectStatusConfirmed
	if e.Canceled {
		status = ics.ObjectStatusCancelled
	}
	v.SetStatus(status)
	v.SetTimeTransparency(ics.TransparencyTransparent) // do not mark the reader as busy on that day
	v.SetClass(ics.ClassificationPublic)
	v.SetProperty("X-MICROSOFT-CDO-BUSYSTATUS", "FREE")
	v.SetProperty("X-MICROSOFT-CDO-ALLDAYEVENT", "TRUE")
	for _, days := range e.RemindDays {
		if e.Canceled {
			break
		}
		a := v.AddAlarm()
		a.SetAction(ics.ActionDisplay)
		a.SetTrigger("-P" + strconv.Itoa(days) + "D")
		a.SetProperty(ics.ComponentPropertyDescription, line(e.Summary))
	}
}

// line returns text on one line.
func line(s string) string { return strings.Join(strings.Fields(text(s)), " ") }
