// Package when reads dates in the forms in which pages, lists, feeds and JSON
// responses write them. It finds every date in a text, with the label in front
// of it and the role that the words around it give it; the caller chooses among
// them.
//
// A missing year or month stays missing until something supplies it: the time
// of fetching, a heading, or the rows around it. It is never guessed.
package when

import (
	"time"

	"dibao/policy/hans"
)

// Border is a character that callers insert where an element begins or ends. It is white
// space that separates sentences.
const Border = '\x1f'

// Clock is the reference for incomplete and relative dates.
type Clock struct {
	// Now is when the text was fetched. If it is zero, 昨天 is not a date, and a date without
	// a year is incomplete.
	Now time.Time
	// Zone is the zone of dates that do not state one; nil is UTC+8.
	Zone *time.Location
}

// china is the zone of dates that do not state one.
var china = time.FixedZone("CST", 8*60*60)

func (c Clock) zone() *time.Location {
	if c.Zone == nil {
		return china
	}
	return c.Zone
}

// today returns the day of Now in the zone of the clock, the zero Date if Now is unknown.
func (c Clock) today() Date {
	if c.Now.IsZero() {
		return Date{}
	}
	return DateOf(c.Now.In(c.zone()))
}

// IsFuture reports whether a day is after today. It is false if today is unknown.
func (c Clock) IsFuture(d Date) bool { return !c.today().IsZero() && c.today().Before(d) }

// When is a date that a text states. On is the zero Date if the text omits the
// year or the day; then Year, Month and Day contain what it states.
type When struct {
	On    Date
	At    time.Time // zero if no time of day is stated
	Zoned bool      // the text states the zone

	Year, Month, Day int  // as stated; 0 means not stated
	Swapped          Date // the other reading of 05/01/2024; On is zero in this case

	Text  string // as written, with full-width digits converted to half-width
	Label string // the label or column head before it, "" if there is none
	Role  Role
	Weak  bool // a form that numbers also have (11.27); counts only if it is on its own
	Alone bool // its element contains little else but a label

	hasColon bool // the label has one

	guessed    bool      // nothing states the year
	compact    bool      // eight digits, as in numbers of cases
	short      shortDate // set for a date with a two-digit year
	clock      *hour     // time of day of a date without a year
	start, end int       // position in the text
}

// IsPartial reports whether the year or the day is missing.
func (w When) IsPartial() bool { return w.On.IsZero() }

// Instant returns the stated time of day, or else the first instant of the day in zone.
func (w When) Instant(zone *time.Location) time.Time {
	if !w.At.IsZero() {
		return w.At
	}
	return w.On.In(zone)
}

// The years that a date can have; others are placeholders (0001, 9999) or numbers.
const (
	firstYear = 1900
	lastYear  = 2199
)

// MakeDate returns a date, or the zero Date for days that the calendar does not have.
func MakeDate(year, month, day int) Date {
	if year < firstYear || year > lastYear || month < 1 || month > 12 || day < 1 || day > 31 {
		return Date{}
	}
	d := Date{year, time.Month(month), day}
	if day > 28 && DateOf(d.In(time.UTC)) != d {
		return Date{}
	}
	return d
}

// maxText limits the text that is searched, in bytes; dates are in headers, rows and cells.
const maxText = 4096

// Find returns the dates of a text in order, each with its label and role, in
// linear time.
func Find(text string, c Clock) []When {
	written := fold(clip(text))
	if !mayHold(written) {
		return nil
	}
	s := hans.Simplify(written) // has the same length in bytes
	found := join(s, scan(s), c)
	for i := range found {
		found[i].judge(s, found, i)
		found[i].Text = written[found[i].start:found[i].end]
	}
	return found
}

// First returns the first complete date of a text.
func First(text string, c Clock) (When, bool) {
	for _, w := range Find(text, c) {
		if !w.IsPartial() && !w.Weak {
			return w, true
		}
	}
	return When{}, false
}

// Published returns, of several dates, the one that says when something was published: a
// date with such a label, or else a date without another role; of several, the latest one
// that is not in the future, because a document is written before it is published.
func Published(all []When, c Clock) (When, bool) {
	best, today := -1, c.today()
	for i, w := range all {
		if w.rank() == 0 {
			continue
		}
		if best < 0 || w.rank() > all[best].rank() || w.rank() == all[best].rank() && later(w, all[best], today) {
			best = i
		}
	}
	if best < 0 {
		return When{}, false
	}
	return all[best], true
}

// later reports whether a is the better of two dates of the same rank.
func later(a, b When, today Date) bool {
	if a.IsPartial() != b.IsPartial() {
		return b.IsPartial()
	}
	if !today.IsZero() && today.Before(a.On) != today.Before(b.On) {
		return today.Before(b.On)
	}
	return b.On.Before(a.On) || a.On == b.On && b.At.IsZero() && !a.At.IsZero()
}

// rank orders dates by how reliably they say when something was published; 0
// means not at all. A date in a sentence counts less than one on its own.
func (w When) rank() int {
	switch {
	case w.compact && w.Role == RoleUnknown:
		return 1
	case w.Role == RolePublished && (w.Alone && w.Label == "" || (w.Alone || w.hasColon) && !isVague(w.Label)):
		return 6
	case w.Role == RolePublished && w.Alone:
		return 5
	case w.Role == RoleUnknown && w.Alone && !w.Weak:
		return 5
	case w.Role == RolePublished:
		return 4
	case w.Role == RoleUnknown && w.Alone:
		return 3
	case w.Role == RoleUnknown && !w.Weak:
		return 2
	case w.Role == RoleUpdated:
		return 1
	}
	return 0
}

// clip truncates a text to the part that is searched.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	at := maxText
	for at > 0 && s[at]&0xC0 == 0x80 {
		at--
	}
	return s[:at]
}
