package when

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"dibao/policy/hans"
)

// units reads a number followed by 年, 月 or 日, and the units after it: 2026年11月27日, 11月27日,
// 27日, 15时30分. It reports whether it found one.
func (sc *scanner) units(p part) bool {
	n, after := p.value, sc.spaces(p.end)
	switch {
	case strings.HasPrefix(sc.s[after:], "年"):
		switch before := eraBefore(sc.s[:p.start], n); {
		case before > 0 && p.digits() <= 3:
			n += before
		case p.digits() == 3 && n >= firstOfRepublic && n <= lastOfRepublic && sc.hasMonth(after+len("年")):
			n += Republic
		case p.digits() == 2:
			n += 2000
		case p.digits() != 4:
			return false
		}
		if !isYear(n) {
			return false
		}
		sc.fromYear(p.start, n, p.digits() == 2, after+len("年"))
	case p.digits() <= 2 && strings.HasPrefix(sc.s[after:], "月"):
		sc.fromMonth(token{kind: month, start: p.start, m: n, end: after + len("月")})
	case p.digits() <= 2 && strings.HasPrefix(sc.s[after:], "日") && isDay(n) && !strings.HasPrefix(sc.s[after:], "日前"):
		sc.push(token{kind: day, start: p.start, end: after + len("日"), d: n})
	case p.digits() <= 2 && (strings.HasPrefix(sc.s[after:], "时") || strings.HasPrefix(sc.s[after:], "点")):
		t, ok := sc.clockAt(p.start)
		if ok {
			sc.push(t)
		}
		return ok
	default:
		return false
	}
	return true
}

// eras are the calendars that count years from an event, with the year before their first
// year.
var eras = []struct {
	name   string
	before int
	last   int // its last year
}{{"民国", Republic, 999}, {"令和", 2018, 99}, {"平成", 1988, 31}, {"昭和", 1925, 64}}

// eraBefore returns the year before the first year of the era at the end of s, if n is a year
// of that era; 0 for none.
func eraBefore(s string, n int) int {
	for _, e := range eras {
		if strings.HasSuffix(s, e.name) && n <= e.last {
			return e.before
		}
	}
	return 0
}

// Republic is the year before the first year of the calendar of Taiwan.
const Republic = 1911

// firstOfRepublic and lastOfRepublic are the years of that calendar that a date of three
// numbers can have: 2001 and 2061.
const firstOfRepublic, lastOfRepublic = 90, 150

// hasMonth reports whether a month with its unit is at a position.
func (sc *scanner) hasMonth(at int) bool {
	m, end, ok := sc.value(at)
	return ok && isMonth(m) && strings.HasPrefix(sc.s[sc.spaces(end):], "月")
}

// fromYear reads what follows 年.
func (sc *scanner) fromYear(start, y int, short bool, at int) {
	if sc.hasMonth(at) {
		m, end, _ := sc.value(at)
		sc.fromMonth(token{kind: yearMonth, start: start, y: y, m: m, end: sc.spaces(end) + len("月")})
		return
	}
	if short { // 26年 alone is a period
		sc.at = at
		return
	}
	sc.push(token{kind: year, start: start, end: at, y: y})
}

// fromMonth reads what follows 月.
func (sc *scanner) fromMonth(t token) {
	if !isMonth(t.m) {
		sc.at = t.end
		return
	}
	d, end, ok := sc.value(t.end)
	if ok && isDay(d) {
		rest := sc.s[sc.spaces(end):]
		for _, unit := range []string{"日", "号", "號"} {
			if strings.HasPrefix(rest, unit) {
				t.d, t.end = d, sc.spaces(end)+len(unit)
				break
			}
		}
		// 2026年11月27 (without the unit)
		if r, _ := utf8.DecodeRuneInString(rest); t.d == 0 && t.y > 0 && isDigit(sc.s[end-1]) && (rest == "" || !isWordRune(r) && strings.IndexByte("-/.:", rest[0]) < 0) {
			t.d, t.end = d, end
		}
	}
	switch {
	case t.y > 0 && t.d > 0:
		t.kind = fullDate
	case t.d > 0:
		t.kind = monthDay
	}
	sc.push(t)
}

// value reads a number at i, in digits or in Chinese numerals.
func (sc *scanner) value(i int) (n, end int, ok bool) {
	i = sc.spaces(i)
	end = i
	for end < len(sc.s) && end-i < 3 && isDigit(sc.s[end]) {
		n = n*10 + int(sc.s[end]-'0')
		end++
	}
	if end > i {
		return n, end, end-i <= 2
	}
	end = sc.numerals(i)
	n, ok = hanNumber(sc.s[i:end])
	return n, end, ok
}

// numerals returns the end of the Chinese numerals at i, at most four.
func (sc *scanner) numerals(i int) int {
	for n := 0; n < 4 && i < len(sc.s); n++ {
		r, size := utf8.DecodeRuneInString(sc.s[i:])
		if !isNumeral(r) {
			break
		}
		i += size
	}
	return i
}

// isNumeral reports whether r belongs to a number in Chinese numerals. 两 does
// not: 近两月 is a period.
func isNumeral(r rune) bool {
	_, ok := hans.Digit(r)
	return r == '十' || ok && r != '两' && !(r >= '0' && r <= '9')
}

// hanNumber reads one to ninety-nine, and years digit by digit: 六, 十, 二十一,
// 二〇二六. Other sequences of digits are not numbers: 一二月 is January and
// February.
func hanNumber(s string) (int, bool) {
	n, ok := hans.Number(s)
	digits := utf8.RuneCountInString(s)
	return n, ok && (digits == 1 || digits == 4 || strings.Contains(s, "十"))
}

// han reads text that begins with a non-ASCII character: Chinese numerals and words such as
// 昨天.
func (sc *scanner) han() {
	r, size := utf8.DecodeRuneInString(sc.s[sc.at:])
	switch r {
	case '今', '昨', '前', '刚', '剛':
		for _, w := range hanWords {
			if strings.HasPrefix(sc.s[sc.at:], w.word) {
				sc.relativeWord(w.word, w.days)
				return
			}
		}
	}
	if !isNumeral(r) {
		sc.at += size
		return
	}
	start, end := sc.at, sc.numerals(sc.at)
	n, ok := hanNumber(sc.s[start:end])
	switch rest := sc.s[end:]; {
	case ok && isYear(n) && strings.HasPrefix(rest, "年"):
		sc.fromYear(start, n, false, end+len("年"))
	case ok && isMonth(n) && strings.HasPrefix(rest, "月"):
		sc.fromMonth(token{kind: month, start: start, m: n, end: end + len("月")})
	case ok && (strings.HasPrefix(rest, "天前") || strings.HasPrefix(rest, "日前")):
		sc.push(token{kind: relative, start: start, end: end + len("天前"), ago: n, seconds: -1})
	default:
		sc.at = end
	}
}

// hanWords are days relative to the time of fetching.
var hanWords = []struct {
	word string
	days int
}{{"今天", 0}, {"今日", 0}, {"昨天", 1}, {"昨日", 1}, {"前天", 2}, {"前日", 2}, {"刚刚", 0}, {"剛剛", 0}}

// relativeWord reads a day on its own: "今天是…" is a page's display of the current date.
func (sc *scanner) relativeWord(word string, days int) {
	start, end := sc.at, sc.at+len(word)
	sc.at = end
	if sc.standsAlone(start, end) {
		sc.push(token{kind: relative, start: start, end: end, ago: days, seconds: -1})
	}
}

// standsAlone reports whether a word is on its own: it does not continue another word, nor
// does one continue it.
func (sc *scanner) standsAlone(start, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(sc.s[:start])
	after, _ := utf8.DecodeRuneInString(sc.s[end:])
	return (start == 0 || !isWordRune(before)) && (end == len(sc.s) || !isWordRune(after) || after >= '0' && after <= '9')
}

// spans are the units of 3天前 and of "3 days ago", with their length in seconds.
var spans = []struct {
	word    string
	seconds int
}{
	{"秒钟前", 1}, {"秒前", 1}, {"分钟前", 60}, {"分前", 60}, {"个小时前", 3600}, {"小时前", 3600}, {"天前", 86400}, {"日前", 86400},
	{"周前", 7 * 86400}, {"星期前", 7 * 86400}, {"个星期前", 7 * 86400},
	{"seconds ago", 1}, {"second ago", 1}, {"minutes ago", 60}, {"minute ago", 60}, {"mins ago", 60}, {"min ago", 60},
	{"hours ago", 3600}, {"hour ago", 3600}, {"days ago", 86400}, {"day ago", 86400}, {"weeks ago", 7 * 86400}, {"week ago", 7 * 86400},
}

// agoIn reads 3天前. Months and years ago do not determine the day, so they are not dates.
func (sc *scanner) agoIn(p part) bool {
	at := sc.spaces(p.end)
	if p.digits() > 4 || at >= len(sc.s) {
		return false
	}
	rest := sc.s[at:]
	if isLetter(rest[0]) {
		rest = strings.ToLower(rest[:min(len(rest), 12)])
	}
	for _, span := range spans {
		if !strings.HasPrefix(rest, span.word) {
			continue
		}
		t := token{kind: relative, start: p.start, end: at + len(span.word), seconds: -1}
		if span.seconds >= 86400 {
			t.ago = p.value * span.seconds / 86400
		} else {
			t.seconds = p.value * span.seconds
		}
		sc.push(t)
		return true
	}
	return false
}

// word reads a word in Latin letters: a month, a weekday, yesterday.
func (sc *scanner) word() {
	start := sc.at
	end := start
	for end < len(sc.s) {
		n := letterAt(sc.s[end:])
		if n == 0 {
			break
		}
		end += n
	}
	sc.at = end
	if start > 0 && isDigit(sc.s[start-1]) && !strings.HasPrefix(sc.s[start:], "T") || end-start > maxMonthName || end-start < 3 {
		return
	}
	switch name := strings.ToLower(sc.s[start:end]); name {
	case "yesterday":
		sc.push(token{kind: relative, start: start, end: end, ago: 1, seconds: -1})
	case "just":
		if rest := strings.ToLower(sc.s[end:min(len(sc.s), end+4)]); rest == " now" {
			sc.push(token{kind: relative, start: start, end: end + len(rest), seconds: -1})
		}
	case "today":
		sc.push(token{kind: relative, start: start, end: end, seconds: -1})
	default:
		if m := englishMonth(name); m != 0 {
			if end < len(sc.s) && sc.s[end] == '.' {
				end++
			}
			sc.push(token{kind: month, start: start, end: end, m: m})
			return
		}
		if m := foreignMonths[name]; m != 0 {
			sc.foreignMonth(m, start, end)
		}
	}
}

var monthNames = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}

// englishMonth returns the number of a month by its name or short name, 0 for other words.
func englishMonth(name string) int {
	for i, m := range monthNames {
		if name == m || len(name) == 3 && name == m[:3] || name == "sept" && i == 8 {
			return i + 1
		}
	}
	return 0
}

// beginsWithMonth reports whether s begins with the name of a month: Nov-2026.
func beginsWithMonth(s string) bool {
	end := 0
	for end < len(s) && end <= maxMonthName && isLetter(s[end]) {
		end++
	}
	return englishMonth(strings.ToLower(s[:end])) != 0
}

func isOrdinal(s string) bool {
	if len(s) < 2 || len(s) > 2 && isLetter(s[2]) {
		return false
	}
	switch strings.ToLower(s[:2]) {
	case "st", "nd", "rd", "th", "er":
		return true
	}
	return false
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isASCIIAlnum(r rune) bool {
	return r < utf8.RuneSelf && (isDigit(byte(r)) || isLetter(byte(r)))
}

// isWordRune reports whether a character is part of a word, in any script.
func isWordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// fold makes full-width digits, letters and signs half-width and turns every
// kind of whitespace into a space.
func fold(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return foldRune(r) != r }) < 0 {
		return s
	}
	return strings.Map(foldRune, s)
}

func foldRune(r rune) rune {
	switch {
	case r > ' ' && r < 0x7F, r >= 0x4E00 && r < 0xA000:
		return r
	case r >= '０' && r <= '９', r >= 'Ａ' && r <= 'Ｚ', r >= 'ａ' && r <= 'ｚ', r == '：', r == '／', r == '．', r == '－', r == '＋':
		return r - 0xFEE0
	case r == '‐', r == '‑':
		return '-'
	case r == '년':
		return '年'
	case r == '월':
		return '月'
	case r == '일':
		return '日'
	case r == '\u200B', r == '\u200C', r == '\u200D', r == '\uFEFF', r == '\u00AD', r == '\u2060':
		return -1
	case r != ' ' && unicode.IsSpace(r):
		return ' '
	}
	return r
}

// mayHold reports whether a text contains anything that dates consist of.
func mayHold(s string) bool {
	for i := range len(s) {
		if isDigit(s[i]) {
			return true
		}
	}
	for _, sign := range []string{"月", "昨", "今", "前天", "前日", "刚刚", "剛剛", "天前", "ust now"} {
		if strings.Contains(s, sign) {
			return true
		}
	}
	return strings.Contains(strings.ToLower(s), "day")
}
