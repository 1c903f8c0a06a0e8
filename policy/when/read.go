package when

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Read reads a value that should be only a date: an element of a feed, a member of a JSON
// object, a meta element. It also reads seconds and milliseconds since 1970 and digits without
// separators. Ambiguous values (05/01/2024), the epoch and other placeholders, and values that
// contain other words are refused.
func Read(value string, c Clock) (When, bool) {
	value = strings.Trim(fold(clip(value)), " []（）【】")
	if inner, ok := strings.CutPrefix(value, "/Date("); ok { // written by ASP.NET, possibly with a zone
		value, _, _ = strings.Cut(strings.TrimRight(inner, ")/"), "+")
	}
	if w, ok := readDigits(value, c); ok {
		return w.real(c)
	}
	s := value
	// The weekday in any language: "Mo, 25 Jun", "五, 05 1月".
	if head, rest, ok := strings.Cut(s, ","); ok && len(head) <= 12 && !strings.ContainsFunc(head, unicode.IsDigit) && hasNoMonth(head) {
		s = rest
	}
	found := Find(s, c)
	var whole When
	for _, w := range found {
		if !w.IsPartial() {
			if !whole.IsPartial() {
				return When{}, false
			}
			whole = w
		}
	}
	if whole.IsPartial() || !isFiller(s[:whole.start]) || !isFiller(s[whole.end:]) {
		return When{}, false
	}
	return whole.real(c)
}

func hasNoMonth(s string) bool {
	for _, t := range scan(s) {
		if t.kind == month {
			return false
		}
	}
	return true
}

// isFiller reports whether the text next to a date has no meaning: punctuation,
// a weekday, a label.
func isFiller(s string) bool {
	s = strings.TrimSpace(withoutWeekdays(s))
	if strings.HasSuffix(s, ":") && RoleOf(s) == RolePublished {
		return true
	}
	return strings.Trim(s, " ,.，:+-/|()（）[]") == ""
}

// real refuses placeholders: the epoch, in UTC or in the zone of the clock, and
// impossible years.
func (w When) real(c Clock) (When, bool) {
	at := w.Instant(c.zone())
	if at.Unix() >= -86400 && at.Unix() <= 86400 || at.Year() < firstPublished {
		return When{}, false
	}
	return w, true
}

// firstPublished is the first year in which anything was published online; an older date in
// a value of a program is a placeholder.
const firstPublished = 1980

// readDigits reads a value that consists of digits: 20240105, 20240105093000,
// seconds and milliseconds.
func readDigits(s string, c Clock) (When, bool) {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return When{}, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return When{}, false
	}
	switch len(s) {
	case 9, 10:
		return ofInstant(time.Unix(n, 0), s, c), n > 1e8
	case 12, 13:
		if w, ok := ofClock(s, c); ok && len(s) == 12 {
			return w, true
		}
		return ofInstant(time.UnixMilli(n), s, c), n > 1e11
	case 14:
		return ofClock(s, c)
	}
	return When{}, false
}

func ofInstant(at time.Time, text string, c Clock) When {
	at = at.In(c.zone())
	on := DateOf(at)
	return When{On: on, At: at, Zoned: true, Year: on.Year, Month: int(on.Month), Day: on.Day, Text: text}
}

// ofClock reads YYYYMMDDhhmm and YYYYMMDDhhmmss.
func ofClock(s string, c Clock) (When, bool) {
	layout := "20060102150405"
	if s[:2] != "19" && s[:2] != "20" {
		return When{}, false
	}
	at, err := time.ParseInLocation(layout[:len(s)], s, c.zone())
	if err != nil {
		return When{}, false
	}
	w := ofInstant(at, s, c)
	w.Zoned = false
	return w, true
}
