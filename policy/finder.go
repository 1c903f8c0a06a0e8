package policy

import (
	"strings"
	"unicode/utf8"
)

// finder finds many Chinese words in one pass over a text: strings.Contains for
// each takes as many passes, and each stops at every third byte, since most
// characters of a Chinese text begin with the same few.
type finder struct {
	pages [256]*[256]uint16 // by the two bytes of a word's first character: its list
	lists [][]finderWord    // the first is empty
}

type finderWord struct {
	rest string // of the word, behind its first character
	id   int
}

// add makes the finder find a word, whose first character has three bytes.
func (f *finder) add(word string, id int) {
	r, size := utf8.DecodeRuneInString(word)
	if size != 3 {
		panic("policy: the word " + word + " does not begin with a Chinese character")
	}
	if f.lists == nil {
		f.lists = make([][]finderWord, 1)
	}
	page := &f.pages[r>>8]
	if *page == nil {
		*page = new([256]uint16)
	}
	list := &(*page)[r&0xFF]
	if *list == 0 {
		f.lists = append(f.lists, nil)
		*list = uint16(len(f.lists) - 1)
	}
	f.lists[*list] = append(f.lists[*list], finderWord{word[size:], id})
}

// find sets the bits of the words that s holds.
func (f *finder) find(s string) (ids uint64) {
	for i := 0; i+2 < len(s); {
		c := s[i]
		if c < 0xE0 || c > 0xEF {
			i++
			continue
		}
		r := uint16(c&0xF)<<12 | uint16(s[i+1]&0x3F)<<6 | uint16(s[i+2]&0x3F)
		i += 3
		page := f.pages[r>>8]
		if page == nil || page[r&0xFF] == 0 {
			continue
		}
		for _, w := range f.lists[page[r&0xFF]] {
			if ids&(1<<w.id) == 0 && strings.HasPrefix(s[i:], w.rest) {
				ids |= 1 << w.id
			}
		}
	}
	return ids
}

// next returns where the first word of s at or behind from begins; -1 if none does.
func (f *finder) next(s string, from int) int {
	for i := from; i+2 < len(s); {
		c := s[i]
		if c < 0xE0 || c > 0xEF {
			i++
			continue
		}
		r := uint16(c&0xF)<<12 | uint16(s[i+1]&0x3F)<<6 | uint16(s[i+2]&0x3F)
		if page := f.pages[r>>8]; page != nil && page[r&0xFF] != 0 {
			for _, w := range f.lists[page[r&0xFF]] {
				if strings.HasPrefix(s[i+3:], w.rest) {
					return i
				}
			}
		}
		i += 3
	}
	return -1
}

// The hints of a paragraph: without their words an expression can't match, and is
// not tried.
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
	hintYear  // a year in digits, as every date has that is written out
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
	hintSpanLabel: {"施行至", "实施至", "执行至", "有效至", "施行到", "执行时间", "执行期", "有效时间", "有效期", "实施时间", "实施期", "施行期", "施行时间", "延长至"},
	hintFrom:      {"自", "从", "于"},
	hintOnwards:   {"起", "开始"},
	hintFromDay:   {"之日起"},
	hintTerm:      {"有效期", "试行期", "执行期"},
	hintDecides:   decisionWords,
}

var hintFinder = func() *finder {
	f := new(finder)
	for id, words := range hintWords {
		for _, w := range words {
			f.add(w, id)
		}
	}
	return f
}()

// findHints looks for the hints of every paragraph, once no more is taken out of
// the text.
func (u *understanding) findHints() {
	u.hints = make([]uint64, len(u.Paragraphs))
	for i, p := range u.Paragraphs {
		u.hints[i] = hintFinder.find(p)
		if u.hinted(i, hintDates) && hasYear(p) {
			u.hints[i] |= 1 << hintYear
		}
		if hasOtherDate(p) {
			u.hints[i] |= 1<<hintYear | 1<<hintPlain | 1<<hintDates
		}
	}
}

// hasYear reports whether a digit, of any width, stands before a 年.
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

// hinted reports whether paragraph i holds one of the words of a hint.
func (u *understanding) hinted(i, hint int) bool { return u.hints[i]&(1<<hint) != 0 }
