package when

import (
	"strings"
	"time"
)

// shape is a sequence of tokens that forms one date.
type shape struct {
	kinds []kind
	take  func(t []token) token
}

// shapes are the sequences, longest first.
var shapes = []shape{
	{[]kind{month, bare, clock, year}, func(t []token) token {
		return token{kind: fullDate, y: t[3].y, m: t[0].m, d: t[1].d, time: t[2].time, seconds: 1}
	}},
	{[]kind{month, bare, year}, func(t []token) token { return token{kind: fullDate, y: t[2].y, m: t[0].m, d: t[1].d} }},
	{[]kind{bare, month, year}, func(t []token) token { return token{kind: fullDate, y: t[2].y, m: t[1].m, d: t[0].d} }},
	{[]kind{year, month, bare}, func(t []token) token { return token{kind: fullDate, y: t[0].y, m: t[1].m, d: t[2].d} }},
	{[]kind{year, month, day}, func(t []token) token { return token{kind: fullDate, y: t[0].y, m: t[1].m, d: t[2].d} }},
	{[]kind{day, month, year}, func(t []token) token { return token{kind: fullDate, y: t[2].y, m: t[1].m, d: t[0].d} }},
	{[]kind{bare, month, bare}, func(t []token) token { return token{kind: fullDate, y: 2000 + t[2].d, m: t[1].m, d: t[0].d} }},
	{[]kind{bare, yearMonth}, func(t []token) token { return token{kind: fullDate, y: t[1].y, m: t[1].m, d: t[0].d} }},
	{[]kind{day, yearMonth}, func(t []token) token { return token{kind: fullDate, y: t[1].y, m: t[1].m, d: t[0].d} }},
	{[]kind{yearMonth, bare}, func(t []token) token { return token{kind: fullDate, y: t[0].y, m: t[0].m, d: t[1].d} }},
	{[]kind{yearMonth, day}, func(t []token) token { return token{kind: fullDate, y: t[0].y, m: t[0].m, d: t[1].d} }},
	{[]kind{year, monthDay}, func(t []token) token { return token{kind: fullDate, y: t[0].y, m: t[1].m, d: t[1].d} }},
	{[]kind{monthDay, year}, func(t []token) token { return token{kind: fullDate, y: t[1].y, m: t[0].m, d: t[0].d} }},
	{[]kind{month, bare}, func(t []token) token { return token{kind: monthDay, m: t[0].m, d: t[1].d} }},
	{[]kind{bare, month}, func(t []token) token { return token{kind: monthDay, m: t[1].m, d: t[0].d} }},
	{[]kind{month, day}, func(t []token) token { return token{kind: monthDay, m: t[0].m, d: t[1].d} }},
	{[]kind{day, month}, func(t []token) token { return token{kind: monthDay, m: t[1].m, d: t[0].d} }},
	{[]kind{fullDate}, func(t []token) token { return t[0] }},
	{[]kind{monthDay}, func(t []token) token { return t[0] }},
	{[]kind{yearMonth}, func(t []token) token { return t[0] }},
	{[]kind{month}, func(t []token) token { return t[0] }},
	{[]kind{day}, func(t []token) token { return t[0] }},
	{[]kind{year}, func(t []token) token { return t[0] }},
	{[]kind{bare}, func(t []token) token { return t[0] }},
	{[]kind{relative}, func(t []token) token { return t[0] }},
}

// join joins the tokens of s to dates.
func join(s string, tokens []token, c Clock) []When {
	var found []When
	gap := withoutWeekdays(s)
	for i := 0; i < len(tokens); {
		n, t := match(gap, tokens[i:])
		if n == 0 {
			i++
			continue
		}
		t.start, t.end = tokens[i].start, tokens[i+n-1].end
		hasTime := t.seconds == 1 && t.kind != relative
		switch {
		case !hasTime && i+n < len(tokens) && tokens[i+n].kind == clock && timeGap(gap[t.end:tokens[i+n].start]):
			t.time, t.end, hasTime = tokens[i+n].time, tokens[i+n].end, true
			n++
		case !hasTime && i > 0 && tokens[i-1].kind == clock && timeGap(gap[tokens[i-1].end:t.start]) && (len(found) == 0 || found[len(found)-1].end <= tokens[i-1].start):
			t.time, t.start, hasTime = tokens[i-1].time, tokens[i-1].start, true
		}
		i += n
		if w, ok := c.make(t, hasTime); ok {
			w.Text, w.start, w.end = s[t.start:t.end], t.start, t.end
			found = append(found, w)
		}
	}
	return found
}

// match finds the shape at the beginning of tokens.
func match(gap string, tokens []token) (n int, t token) {
next:
	for _, x := range shapes {
		if len(x.kinds) > len(tokens) {
			continue
		}
		for i, k := range x.kinds {
			if tokens[i].kind != k || i > 0 && !joins(gap, tokens[i-1], tokens[i]) {
				continue next
			}
		}
		if t := x.take(tokens); t.kind != fullDate || !MakeDate(t.y, t.m, t.d).IsZero() {
			return len(x.kinds), t
		}
	}
	return 0, token{}
}

// joins reports whether the text between two tokens joins them; a dash does if one is the
// name of a month.
func joins(gap string, a, b token) bool {
	between := gap[a.end:b.start]
	return dateGap(between) || between == "-" && (isLetter(gap[a.start]) || isLetter(gap[b.start]))
}

// dateGap reports whether the text between two tokens joins them.
func dateGap(s string) bool { return len(s) <= 8 && strings.Trim(s, " \x1f,./|，、stndrh") == "" }

// timeGap reports whether the text between a date and a time joins them.
func timeGap(s string) bool {
	return len(s) <= 12 && strings.Trim(s, " \x1f,T-|()[]（），") == ""
}

// withoutWeekdays replaces the days of the week by spaces, because they add nothing.
func withoutWeekdays(s string) string {
	if !strings.Contains(s, "星期") && !strings.Contains(s, "周") && !hasLetters(s) {
		return s
	}
	b := []byte(s)
	for i := 0; i < len(b); i++ {
		n := weekdayAt(s[i:])
		for j := range n {
			b[i+j] = ' '
		}
		i += max(0, n-1)
	}
	return string(b)
}

func hasLetters(s string) bool {
	for i := range len(s) {
		if isLetter(s[i]) {
			return true
		}
	}
	return false
}

// weekdayAt returns the length of the name of a weekday at the beginning of s.
func weekdayAt(s string) int {
	for _, head := range []string{"星期", "礼拜", "周"} {
		if rest, ok := strings.CutPrefix(s, head); ok {
			for _, d := range []string{"一", "二", "三", "四", "五", "六", "日", "天"} {
				if strings.HasPrefix(rest, d) {
					return len(head) + len(d)
				}
			}
		}
	}
	if len(s) < 3 || !isLetter(s[0]) {
		return 0
	}
	end := 0
	for end < len(s) && end < 12 && isLetter(s[end]) {
		end++
	}
	switch strings.ToLower(s[:end]) {
	case "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun",
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday":
		return end
	}
	return 0
}

// make converts a token to a date.
func (c Clock) make(t token, hasTime bool) (When, bool) {
	w := When{Year: t.y, Month: t.m, Day: t.d, Weak: t.weak, short: t.short, compact: t.compact}
	switch t.kind {
	case relative:
		return c.back(t, hasTime)
	case year, bare, month:
		w.Weak = true
		return w, t.kind != bare || isDay(t.d)
	case fullDate:
		on := MakeDate(t.y, t.m, t.d)
		if on.IsZero() {
			return w, false
		}
		if t.swapped {
			w.Swapped = MakeDate(t.y, t.d, t.m)
			return w, true
		}
		w.On = on
		if hasTime {
			w.setTime(t.time, c.zone())
		}
	case monthDay:
		if MakeDate(2024, t.m, t.d).IsZero() {
			return w, false
		}
		if hasTime {
			w.clock = &t.time
		}
	}
	return w, true
}

// setTime adds a time of day to a complete date; 24:00 is the next day.
func (w *When) setTime(h hour, zone *time.Location) {
	if h.zone != nil {
		w.Zoned, zone = true, h.zone
	}
	w.At = time.Date(w.On.Year, w.On.Month, w.On.Day, h.h, h.m, h.s, h.nano, zone)
}

// back returns the date of a relative date such as 3天前.
func (c Clock) back(t token, hasTime bool) (When, bool) {
	if c.Now.IsZero() {
		return When{}, false
	}
	now := c.Now.In(c.zone())
	if t.seconds >= 0 {
		at := now.Add(-time.Duration(t.seconds) * time.Second)
		on := DateOf(at)
		return When{On: on, Year: on.Year, Month: int(on.Month), Day: on.Day}, true
	}
	on := DateOf(now).AddDays(-t.ago)
	w := When{On: on, Year: on.Year, Month: int(on.Month), Day: on.Day}
	if hasTime {
		w.setTime(t.time, c.zone())
	}
	return w, true
}
