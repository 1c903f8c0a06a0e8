package when

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is the kind of a token.
type kind byte

const (
	bare      kind = iota // a number of one or two digits without separators
	year                  // 2026, 2026年
	month                 // 11月, 十一月, Nov
	day                   // 27日
	yearMonth             // 2026-11, 2026年11月
	monthDay              // 11-27, 11月27日
	fullDate              // 2026-11-27
	clock                 // 09:30, with its zone
	relative              // 昨天, 3天前
)

// token is a part of a date, or a complete one.
type token struct {
	kind       kind
	start, end int
	y, m, d    int
	swapped    bool // d/m/y or m/d/y: the order is unknown
	short      shortDate
	compact    bool // eight digits, as in numbers of cases
	weak       bool
	ago        int  // days before the time of fetching, for a relative date
	seconds    int  // hours, minutes and seconds of a relative date, in seconds; -1 if it has none
	time       hour // the time of day
}

// maxTokens limits the tokens of one text.
const maxTokens = 200

// scanner splits a text into tokens, in one pass.
type scanner struct {
	s      string
	at     int
	tokens []token
}

func scan(s string) []token {
	sc := &scanner{s: s}
	for sc.at < len(s) && len(sc.tokens) < maxTokens {
		before := sc.at
		switch c := s[sc.at]; {
		case isDigit(c):
			sc.number()
		case isLetter(c), c == 0xD0, c == 0xD1: // Cyrillic
			sc.word()
		case c >= utf8.RuneSelf:
			sc.han()
		default:
			sc.at++
		}
		if sc.at <= before {
			sc.at = before + 1
		}
	}
	return sc.tokens
}

func (sc *scanner) push(t token) {
	sc.tokens = append(sc.tokens, t)
	sc.at = t.end
}

// part is one number of a chain such as 2026-11-27.
type part struct {
	start, end, value int
	sep               byte // the character after it, 0 for none
	spaced            bool // whitespace is next to sep
}

func (p part) digits() int { return p.end - p.start }

// number reads text that begins with a digit: a whole chain of numbers with separators, so
// that no part of an index number or an address becomes a date.
func (sc *scanner) number() {
	start := sc.at
	r, _ := utf8.DecodeLastRuneInString(sc.s[:start])
	if !sc.continues(start) && (isASCIIAlnum(r) || r == '_' || sc.inChain(start)) {
		sc.skipChain()
		return
	}
	first := sc.digits(start)
	if sc.units(first) || sc.agoIn(first) {
		return
	}
	if first.sep == 0 && first.end < len(sc.s) && sc.s[first.end] == ':' {
		if t, ok := sc.clockAt(start); ok {
			sc.push(t)
			return
		}
	}
	sc.chain(first)
}

// continues reports whether the text at i continues after a complete date: the
// time of 2026-11-27T09:30, the end of 2026.11.27-2026.12.27.
func (sc *scanner) continues(i int) bool {
	if len(sc.tokens) == 0 || sc.tokens[len(sc.tokens)-1].end != i-1 {
		return false
	}
	return strings.IndexByte("T-/.", sc.s[i-1]) >= 0
}

// inChain reports whether i follows a separator after other text: 0233621J/2026-00150.
func (sc *scanner) inChain(i int) bool {
	if i < 2 || !strings.ContainsRune("-/._", rune(sc.s[i-1])) {
		return false
	}
	return isDigit(sc.s[i-2]) || isLetter(sc.s[i-2])
}

// skipChain skips digits, letters and separators that belong together.
func (sc *scanner) skipChain() {
	for sc.at < len(sc.s) && (isDigit(sc.s[sc.at]) || isLetter(sc.s[sc.at]) || sc.s[sc.at] == '_') {
		sc.at++
	}
}

// digits reads a run of digits and the separator after it.
func (sc *scanner) digits(at int) part {
	p := part{start: at, end: at}
	for p.end < len(sc.s) && isDigit(sc.s[p.end]) {
		p.end++
	}
	p.value, _ = strconv.Atoi(sc.s[p.start:min(p.end, p.start+9)])
	i := sc.spaces(p.end)
	if i < len(sc.s) && strings.IndexByte("-/.", sc.s[i]) >= 0 {
		next := sc.spaces(i + 1)
		if next < len(sc.s) && isDigit(sc.s[next]) && !sc.hasUnit(next) {
			p.sep, p.spaced = sc.s[i], i > p.end || next > i+1
		}
	}
	return p
}

// hasUnit reports whether the number at i has 年 or 月 after it: 27 / 11月.
func (sc *scanner) hasUnit(i int) bool {
	for n := 0; n < 4 && i < len(sc.s) && isDigit(sc.s[i]); n++ {
		i++
	}
	rest := sc.s[sc.spaces(i):]
	return strings.HasPrefix(rest, "年") || strings.HasPrefix(rest, "月")
}

// spaces returns the end of the whitespace at i, three characters at most.
func (sc *scanner) spaces(i int) int {
	for n := 0; n < 3 && i < len(sc.s) && (sc.s[i] == ' ' || sc.s[i] == Border); n++ {
		i++
	}
	return i
}

// chain reads the numbers that separators join to the first one.
func (sc *scanner) chain(first part) {
	parts := []part{first}
	for parts[len(parts)-1].sep != 0 && len(parts) < 8 {
		last := parts[len(parts)-1]
		i := sc.spaces(last.end)
		parts = append(parts, sc.digits(sc.spaces(i+1)))
	}
	parts = cutChain(parts)
	end := parts[len(parts)-1].end
	if len(parts) > 3 && parts[0].digits() == 4 && end < len(sc.s) && sc.s[end] == ':' && len(parts) == 4 {
		parts = parts[:3] // 2018-12-06-09:30:00, as on gov.cn
		end = parts[2].end
	}
	if t, ok := readChain(parts); ok && sc.endsWell(t, end) && (t.kind != year || !strings.HasSuffix(sc.s[:parts[0].start], "〔")) {
		t.start, t.end = parts[0].start, end
		sc.push(t)
		return
	}
	sc.at = end
	sc.skipChain()
}

// cutChain truncates a chain where another date or a number begins: at another separator
// after a complete date (2026.11.27-2026.12.27) or at one with spaces.
func cutChain(parts []part) []part {
	if len(parts) == 3 && parts[0].digits() == 4 && parts[0].sep == '.' && parts[1].sep == '.' {
		return parts // 2026. 11. 27., as on Korean sites
	}
	for i := 0; i+1 < len(parts); i++ {
		p := parts[i]
		whole := i == 2 && parts[0].digits() == 4 && parts[1].digits() <= 2 && p.digits() <= 2
		if whole && (p.sep != parts[0].sep || parts[i+1].digits() == 4) || p.spaced && (len(parts) > 3 || p.sep == '.' || len(parts) == 3 && parts[0].sep != parts[1].sep) {
			return parts[:i+1]
		}
	}
	return parts
}

// endsWell reports whether the text after a chain that ends at i does not continue it.
func (sc *scanner) endsWell(t token, i int) bool {
	if i >= len(sc.s) {
		return true
	}
	switch c := sc.s[i]; {
	case c == '%' || c == '_':
		return false
	case isLetter(c):
		if t.kind == bare && isOrdinal(sc.s[i:]) {
			return true
		}
		return t.kind == fullDate && (c == 'T' || c == 'Z')
	case c == '-' || c == '/': // an index number continues with letters, except 27-Nov-2026
		return i+1 >= len(sc.s) || !isLetter(sc.s[i+1]) || t.kind == fullDate || c == '-' && (t.kind == bare || t.kind == year) && beginsWithMonth(sc.s[i+1:])
	case c < utf8.RuneSelf:
		return true
	}
	if t.kind == fullDate || t.kind == yearMonth {
		return !strings.HasPrefix(sc.s[i:], "号")
	}
	r, _ := utf8.DecodeRuneInString(sc.s[i:])
	return !isWordRune(r)
}

// readChain returns the token of a chain of numbers.
func readChain(p []part) (token, bool) {
	n := make([]int, len(p))
	d := make([]int, len(p))
	for i := range p {
		n[i], d[i] = p[i].value, p[i].digits()
	}
	short := func(i int) bool { return d[i] <= 2 }
	switch {
	case len(p) == 1:
		return readSingle(p[0])
	case len(p) == 2 && d[0] == 4 && short(1) && isYear(n[0]) && isMonth(n[1]):
		return token{kind: yearMonth, y: n[0], m: n[1]}, true
	case len(p) == 2 && short(0) && d[1] == 4 && isYear(n[1]) && isMonth(n[0]):
		return token{kind: yearMonth, y: n[1], m: n[0]}, true
	case len(p) == 2 && short(0) && short(1):
		return readPair(n[0], n[1], p[0].sep)
	case len(p) == 3 && d[0] == 4 && short(1) && short(2):
		return token{kind: fullDate, y: n[0], m: n[1], d: n[2]}, !MakeDate(n[0], n[1], n[2]).IsZero()
	case len(p) == 3 && d[0] == 3 && d[1] == 2 && d[2] == 2 && p[0].sep == p[1].sep && n[0] >= firstOfRepublic && n[0] <= lastOfRepublic:
		y := Republic + n[0] // 115.03.19, as on sites of Taiwan; amounts look the same
		return token{kind: fullDate, y: y, m: n[1], d: n[2], weak: true}, !MakeDate(y, n[1], n[2]).IsZero()
	case len(p) == 3 && short(0) && short(1) && d[2] == 4 && p[0].sep == p[1].sep:
		return readYearLast(n[0], n[1], n[2], p[0].sep)
	case len(p) == 3 && (d[0] == 2 || d[0] == 1 && d[2] == 2 && p[0].sep == '/') && short(1) && short(2) && p[0].sep == p[1].sep:
		return readShort(n, d, p[0].sep)
	}
	return token{}, false
}

// shortDate is a date with a two-digit year, as written; the zero value is none.
type shortDate struct {
	n         [3]int
	yearLater bool // the first number has one digit, so it is not the year
}

// inOrder reads a date with a two-digit year, given the positions of year, month and day.
func (x shortDate) inOrder(year, month, day int) Date {
	if x.yearLater && year == 0 {
		return Date{}
	}
	return MakeDate(2000+x.n[year], x.n[month], x.n[day])
}

// orders are the possible positions of year, month and day, most common first.
var orders = [][3]int{{0, 1, 2}, {2, 0, 1}, {2, 1, 0}}

// readShort reads 26-11-27, and 11/27/26 if no other reading is a valid date.
func readShort(n, digits []int, sep byte) (token, bool) {
	t := token{kind: fullDate, y: 2000 + n[0], m: n[1], d: n[2], weak: sep == '.'}
	if digits[2] == 2 && sep != '-' {
		t.short = shortDate{[3]int{n[0], n[1], n[2]}, digits[0] == 1}
		for _, o := range orders {
			if on := t.short.inOrder(o[0], o[1], o[2]); !on.IsZero() {
				t.y, t.m, t.d = on.Year, int(on.Month), on.Day
				return t, true
			}
		}
		return t, false
	}
	return t, !MakeDate(t.y, t.m, t.d).IsZero()
}

// readSingle returns the token of a number without separators.
func readSingle(p part) (token, bool) {
	switch n := p.value; p.digits() {
	case 1, 2:
		return token{kind: bare, d: n}, true
	case 4:
		return token{kind: year, y: n}, isYear(n)
	case 8:
		y, m, d := n/10000, n/100%100, n%100
		return token{kind: fullDate, y: y, m: m, d: d, compact: true}, isYear(y) && !MakeDate(y, m, d).IsZero()
	}
	return token{}, false
}

// readPair reads 11-27, 27/11 and, if it is on its own, 11.27.
func readPair(a, b int, sep byte) (token, bool) {
	if isMonth(a) && isDay(b) {
		return token{kind: monthDay, m: a, d: b, weak: sep == '.'}, true
	}
	return token{kind: monthDay, m: b, d: a, weak: sep == '.'}, sep != '-' && isMonth(b) && isDay(a)
}

// readYearLast reads 27.11.2026, and 11/27/2026 if the numbers show which one
// is the month.
func readYearLast(a, b, y int, sep byte) (token, bool) {
	dayFirst, monthFirst := MakeDate(y, b, a), MakeDate(y, a, b)
	switch {
	case sep == '.' || monthFirst.IsZero() || dayFirst == monthFirst:
		return token{kind: fullDate, y: y, m: b, d: a}, !dayFirst.IsZero()
	case dayFirst.IsZero():
		return token{kind: fullDate, y: y, m: a, d: b}, true
	}
	return token{kind: fullDate, y: y, m: b, d: a, swapped: true}, true
}

func isYear(n int) bool  { return n >= firstYear && n <= lastYear }
func isMonth(n int) bool { return n >= 1 && n <= 12 }
func isDay(n int) bool   { return n >= 1 && n <= 31 }
