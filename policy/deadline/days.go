package deadline

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/hans"
	"dibao/policy/when"
	"dibao/policy/words"
)

const (
	hour = `(?:早上|上午|中午|下午|晚上|晚间|晚|夜间|凌晨)?\s*(?:\d{1,2}\s*(?:[:：∶]\d{2}(?:[:：∶]\d{2})?时?|(?:-\d{1,2})?[时点](?:\d{1,2}分|半|正|整|钟)?)|[一二三四五六七八九十]{1,3}[时点](?:半|正|整|钟)?)`
	// tail matches what can follow a day: （星期三）下午17:00（北京时间）.
	tail = `(?:\s*[（(](?:[^（）()]{1,12}|(?:每[天日]|工作日|上午)[^（）()]{1,40})[)）])?(?:\s*(?:` + hour + `|[上中下]午))?(?:\s*[（(][^（）()]{1,12}[)）])?\s*`
	to   = `\s*(?:起|开始)?[，,]?\s*(?:至|到|一|—+|–|－|-(?:\s*-)*|~|～)\s*`
	year = `((?:19|20)\d{2}|\d{2,3})\s*年`
)

// A day with or without a year, or two days of one month, at the beginning of a text; and
// what follows the first day of a range. They are two expressions because package regexp is
// slow with a long one.
var (
	day      = words.New(`^(?:` + year + `\s*)?(\d{1,2})\s*月\s*(?:(\d{1,2})\s*[日号]` + tail + `|(\d{1,2})\s*(?:至|到|—+|–|－|-|~|～)\s*(?:(\d{1,2})\s*月\s*)?(\d{1,2})\s*[日号]` + tail + `)`)
	untilDay = words.New(`^(?:` + to + `(?:(?:` + year + `\s*)?(\d{1,2})\s*月)?\s*(\d{1,2})\s*[日号]` + tail + `|(` + to + hour + `)\s*)`)
)

// The groups of a day: those of day, then those of untilDay.
const (
	firstYear = 1 + iota
	firstMonth
	firstDay
	shortFirst // the first day in 4月25-26日 or 4月25-5月6日
	shortMonth // the month of the last day in 4月25-5月6日
	shortLast
	lastYear
	lastMonth
	lastDay
	untilHour
)

// mention is a day or a range of days in a sentence.
type mention struct {
	groups   []string
	at, end  int    // where it begins and ends in the line, including 前
	left     string // the sentence before it, in Simplified characters
	right    string // the sentence after it
	until    string // 前, 止 … directly after it
	text     string // as written, with the words that give it its meaning
	yearless bool
	isSpan   bool
	quoted   bool // it is in a title: 《关于6月5日前报送材料的通知》
	joined   bool // the same words govern it and another day
	headed   bool // it is under a heading that asks readers for something
	closed   bool // it is under a heading that says that the day is the last one: 截稿日期
}

const (
	maxMentions = 200 // in one paragraph
	leftChars   = 150 // characters of a sentence that are examined before a day
	rightChars  = 150 // characters that are examined after a day
	longestLead = 16  // maximum number of characters that are quoted before it
	shortLeft   = 12  // maximum number of characters between a heading and its day
)

// isAsking reports whether a heading is about what readers do and when, and not only about
// conditions: 申报条件及时间 is.
func isAsking(line string) bool {
	return line != "" && (timed.MatchString(line) || IsHeading(line) && !untimed.MatchString(line)) && !foreignWords.MatchString(line)
}

// daysIn finds days by the 月 in each: a search for digits would stop at every number.
func daysIn(s string) (all [][]int) {
	for end := 0; len(all) < maxMentions; {
		i := strings.Index(s[end:], "月")
		if i < 0 {
			return all
		}
		month := end + i
		at := []int(nil)
		for _, from := range startsOfDay(s[end:month]) {
			if at = dayAt(s, end+from); at != nil {
				break
			}
		}
		if at == nil {
			end = month + len("月")
			continue
		}
		all, end = append(all, at), at[1]
	}
	return all
}

// dayAt reads the day or range that begins at a position: its position and that of its
// groups, nil if there is none.
func dayAt(s string, from int) []int {
	at := matchAt(day, s, from)
	if at == nil {
		return nil
	}
	until := []int(nil)
	if at[2*firstDay] >= 0 {
		until = matchAt(untilDay, s, at[1])
	}
	if until == nil {
		until = slices.Repeat([]int{-1}, 2*(untilHour-shortLast+1))
	} else {
		at[1] = until[1]
	}
	return append(at, until[2:]...)
}

// matchAt searches a text from a position on, as far as a day can extend.
func matchAt(re *words.Regexp, s string, from int) []int {
	return re.FindSubmatchIndexIn(s, from, from+len(cut.First(s[from:], longestDay)))
}

// longestDay is the maximum number of characters of a day with its hour.
const longestDay = 60

// startsOfDay returns where a day that continues with 月 after s can begin: at its year, and
// at its month.
func startsOfDay(s string) (all []int) {
	month := numberBefore(s, 2)
	if month < 0 {
		return nil
	}
	if rest, found := strings.CutSuffix(strings.TrimRight(s[:month], spaces), "年"); found {
		if y := numberBefore(rest, 4); y >= 0 {
			digits := strings.TrimRight(rest[y:], spaces)
			if len(digits) == 4 && !strings.HasPrefix(digits, "19") && !strings.HasPrefix(digits, "20") {
				y++
			}
			all = append(all, y)
		}
	}
	return append(all, month)
}

// spaces are what \s matches.
const spaces = "\t\n\f\r "

// numberBefore returns where the digits at the end of a text begin, at most as many as a
// number can have; -1 if there are none.
func numberBefore(s string, most int) int {
	end := len(strings.TrimRight(s, spaces))
	i := end
	for i > 0 && end-i < most && s[i-1] >= '0' && s[i-1] <= '9' {
		i--
	}
	if i == end {
		return -1
	}
	return i
}

// mentions finds the days of a line.
func mentions(line, heading string) (all []mention) {
	if !strings.Contains(line, "月") {
		return nil
	}
	plain, asking := hans.Simplify(line), isAsking(heading)
	closes := asking && closing.MatchString(hans.Simplify(heading))
	end := 0 // end of the previous mention, including 前
	for _, at := range daysIn(plain) {
		m := mention{groups: make([]string, len(at)/2), at: at[0]}
		for i := range m.groups {
			if at[2*i] >= 0 {
				m.groups[i] = plain[at[2*i]:at[2*i+1]]
			}
		}
		g := m.groups
		if g[shortLast] != "" {
			g[firstDay], g[lastMonth], g[lastDay] = g[shortFirst], g[shortMonth], g[shortLast]
		}
		m.yearless = g[firstYear] == ""
		m.isSpan = g[lastDay] != "" || g[untilHour] != ""
		m.left = cut.AfterLast(cut.Last(plain[:at[0]], leftChars), "。；;！!？?")
		if m.left == "" {
			m.left = strings.TrimRight(runIn.FindString(plain[:at[0]]), "。 ")
		}
		m.right = sentenceEnd(cut.First(plain[at[1]:], rightChars))
		m.until = untilWord.FindString(m.right)
		lead := m.lead()
		m.text = strings.TrimSpace(line[at[0]-len(lead) : at[1]+len(m.until)])
		m.right = withinBracket(m.right[len(m.until):])
		m.quoted = strings.LastIndex(m.left, "《") > strings.LastIndex(m.left, "》")
		m.headed = asking && utf8.RuneCountInString(m.left) <= shortLeft
		m.closed = m.headed && closes && m.left == "" && strings.Trim(m.right, "。 ") == ""
		if n := len(all); n > 0 {
			between := plain[min(end, at[0]):at[0]]
			if joint.MatchString(between) || all[n-1].until != "" && !all[n-1].isSpan && !strings.ContainsAny(between, "。；;！!？?") && verbOf(between) == nothing && !asksAnew.MatchString(between) && !past.MatchString(m.left) {
				m.joined, all[n-1].joined = true, true
			}
		}
		end = at[1] + len(m.until)
		m.end = end
		all = append(all, m)
	}
	return all
}

// runIn is a heading in the line of its day that a full stop ends: 一、申报时间。6月1日至6月30日.
var runIn = words.New(`^\s*(?:[（(]?[一二三四五六七八九十\d]{1,3}[)）、.．]\s*)?[^。，；：、]{2,12}(?:时间|日期|期限)。\s*$`)

var enumerated = words.New(`^\s*[（(]?[一二三四五六七八九十\d]{1,3}[)）、.．]\s*`)

// lead returns the beginning of the quote for a day: the words before it, back to the
// comma, if there are few.
func (m mention) lead() string {
	lead := enumerated.ReplaceAllString(cut.AfterLast(m.left, "，,"), "")
	if utf8.RuneCountInString(lead) > longestLead {
		return ""
	}
	return lead
}

// dates returns the first and the last day of a mention; both are the same for
// a single day. A date without a year is in the half year that begins with
// from.
func (m mention) dates(from when.Date) (first, last when.Date) {
	g := m.groups
	month := g[lastMonth]
	if month == "" {
		month = g[firstMonth]
	}
	if m.yearless {
		day := g[lastDay]
		if day == "" {
			month, day = g[firstMonth], g[firstDay]
		}
		if last = nextDay(from, month, day); last.IsZero() || g[lastDay] == "" {
			return last, last
		}
		for y := last.Year; y >= last.Year-1; y-- {
			if first = date(strconv.Itoa(y), g[firstMonth], g[firstDay]); !first.IsZero() && !last.Before(first) && (g[lastMonth] != "" || y == last.Year) {
				return first, last
			}
		}
		return when.Date{}, when.Date{}
	}
	y := fullYear(g[firstYear], from)
	first = date(y, g[firstMonth], g[firstDay])
	if g[lastDay] == "" || first.IsZero() {
		return first, first
	}
	if g[lastYear] != "" {
		y = fullYear(g[lastYear], from)
	}
	if last = date(y, month, g[lastDay]); g[lastYear] == "" && last.Before(first) && first.Month >= 11 { // 12月28日至1月3日
		if last = date(strconv.Itoa(first.Year+1), month, g[lastDay]); last.Month > 2 {
			return when.Date{}, when.Date{}
		}
	}
	if last.Before(first) {
		return when.Date{}, when.Date{}
	}
	return first, last
}

// longestTerm is the maximum number of days between from and a day without a year.
const longestTerm = 183

// nextDay returns the first day on or after from that has this month and day, if it
// is within longestTerm.
func nextDay(from when.Date, month, day string) when.Date {
	for y := from.Year; y <= from.Year+1 && !from.IsZero(); y++ {
		if d := date(strconv.Itoa(y), month, day); !d.IsZero() && !d.Before(from) && d.Before(from.AddDays(longestTerm)) {
			return d
		}
	}
	return when.Date{}
}

// fullYear returns a year with four digits: 25 is 2025, 114 is 2025 if the text
// is of about that time.
func fullYear(y string, from when.Date) string {
	n, _ := strconv.Atoi(y)
	switch len(y) {
	case 2:
		n += 2000
	case 3:
		n += when.Republic
	default:
		return y
	}
	if n < from.Year-1 || n > from.Year+1 {
		return ""
	}
	return strconv.Itoa(n)
}

func date(year, month, day string) when.Date {
	y, err1 := strconv.Atoi(year)
	m, err2 := strconv.Atoi(month)
	d, err3 := strconv.Atoi(day)
	if err1 != nil || err2 != nil || err3 != nil {
		return when.Date{}
	}
	return when.MakeDate(y, m, d)
}

// withinBracket truncates what follows a day at the end of its bracket, because only the
// bracket describes the day: (6月1日前成立的除外)请于6月5日. If the bracket ends directly after the
// day, the sentence describes it.
func withinBracket(right string) string {
	depth, before := 0, rune(0)
	for i, r := range right {
		switch {
		case r == '（', r == '(':
			depth++
		case r == '）' || r == ')':
			if depth == 0 && isNumeral(before) {
				break // 1）申报书；2）汇总表
			}
			if depth--; depth < 0 && i > 0 {
				return right[:i]
			} else if depth < 0 {
				return right
			}
		}
		before = r
	}
	return right
}

// isNumeral reports whether a character can belong to the number of a list item.
func isNumeral(r rune) bool {
	return '0' <= r && r <= '9' || strings.ContainsRune("一二三四五六七八九十", r)
}

// sentenceEnd returns the rest of a sentence. A semicolon in brackets does not end it, nor
// does a question mark in an address.
func sentenceEnd(s string) string {
	depth := 0
	for i, r := range s {
		switch r {
		case '（', '(':
			depth++
		case '）', ')':
			depth = max(0, depth-1)
		case '；', ';':
			if depth == 0 {
				return s[:i]
			}
		case '。', '！', '!', '？', '?':
			if inAddress := r < utf8.RuneSelf && i+1 < len(s) && s[i+1] < utf8.RuneSelf && s[i+1] != ' '; !inAddress && (depth == 0 || r == '。') {
				return s[:i]
			}
		}
	}
	return s
}
