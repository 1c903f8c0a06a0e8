package policy

import (
	"strings"
	"unicode/utf8"

	"dibao/policy/words"
)

// The hints of a paragraph say which words it contains. A regular expression that can't
// match without one of them is not tried.
const (
	hintQuote = iota
	hintNumber
	hintPromise
	hintRelative
	hintAsks
	hintDates
	hintSpanLabel
	hintFrom
	hintOnwards
	hintFromDay
	hintTerm
	hintDecides
	hintYear  // a year in digits with 年
	hintPlain // a date in Chinese digits, or with points and dashes
)

// hintWords are the words of each hint.
var hintWords = map[int][]string{
	hintQuote:     {"《"},
	hintNumber:    {"号"},
	hintPromise:   {"抓紧", "尽快", "即将", "年内", "今年将", "拟"},
	hintRelative:  relativeWords,
	hintAsks:      asksWords,
	hintDates:     {"年", "日", "天"},
	hintSpanLabel: {"施行至", "实施至", "执行至", "有效至", "施行到", "执行时间", "执行期", "有效时间", "有效期", "实施时间", "实施期", "施行期", "施行时间", "延长至", "，至"},
	hintFrom:      {"自", "从", "于"},
	hintOnwards:   {"起", "开始"},
	hintFromDay:   {"之日起"},
	hintTerm:      {"有效期", "试行期", "执行期"},
	hintDecides:   decisionWords,
}

var hintFinder = func() *words.Finder {
	f := new(words.Finder)
	for id, words := range hintWords {
		for _, w := range words {
			f.Add(w, id)
		}
	}
	return f
}()

// findHints finds the hints of every paragraph, after everything that does not
// belong to the text was removed.
func (u *understanding) findHints() {
	u.hints = make([]uint64, len(u.Paragraphs))
	for i, p := range u.Paragraphs {
		u.hints[i] = hintFinder.Find(p)
		if u.hinted(i, hintDates) && hasYear(p) {
			u.hints[i] |= 1 << hintYear
		}
		if hasOtherDate(p) {
			u.hints[i] |= 1<<hintYear | 1<<hintPlain | 1<<hintDates
		}
	}
}

// hasYear reports whether a digit, of any width, precedes a 年.
func hasYear(s string) bool {
	for end := 0; ; {
		i := strings.Index(s[end:], "年")
		if i < 0 {
			return false
		}
		before := strings.TrimRight(s[max(0, end+i-12):end+i], " \t\u3000\u00a0")
		r, _ := utf8.DecodeLastRuneInString(before)
		if r >= '0' && r <= '9' || r >= '０' && r <= '９' {
			return true
		}
		end += i + len("年")
	}
}

// hinted reports whether paragraph i contains one of the words of a hint.
func (u *understanding) hinted(i, hint int) bool { return u.hints[i]&(1<<hint) != 0 }
