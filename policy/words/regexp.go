package words

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"dibao/policy/cut"
)

// Regexp is a regular expression for words that most texts do not contain. It finds what a
// regexp.Regexp finds, but searches for the words first: a text without them is not
// searched further; if each match begins with a word, the search starts at the words; and
// if matches reach the end of the text, only the end is searched. All this is derived from
// the pattern. It is compiled on its first use, and safe for concurrent use.
type Regexp struct {
	pattern string
	build   func() string // returns the pattern, where it is not known yet
	once    sync.Once
	again   sync.Once
	re      *regexp.Regexp // compiled when it is first needed: at is enough for most searches
	starts  *set           // the words with which a match begins; nil means unknown
	holds   *set           // other words, one of which is in every match; nil means unknown
	at      *regexp.Regexp // the same expression, anchored at the beginning of a text; nil if it can't be
	reach   int            // maximum length of a match in characters, if what follows does not matter; 0 means unknown
	first   bool           // a match begins at the start of the text
	tail    int            // maximum length in characters of a match, which ends at the end of the text; 0 means unknown
}

// New returns the regular expression of a valid pattern. Under go test it is compiled at
// once, so that any test finds an error in it.
func New(pattern string) *Regexp {
	r := &Regexp{pattern: pattern}
	if testing.Testing() {
		r.compile()
	}
	return r
}

// NewFunc is New for a pattern that is put together when it is first used.
func NewFunc(build func() string) *Regexp {
	r := &Regexp{build: build}
	if testing.Testing() {
		r.compile()
	}
	return r
}

func (r *Regexp) compile() {
	r.once.Do(func() {
		if r.build != nil {
			r.pattern = r.build()
		}
		tree, err := syntax.Parse(r.pattern, syntax.Perl)
		if err != nil {
			panic("words: " + r.pattern + ": " + err.Error())
		}
		tree = tree.Simplify()
		p := make(pattern)
		starts, holds := p.startsOf(tree), p.holdsOf(tree)
		if r.starts = newSet(starts); r.starts == nil || frequency(holds) < frequency(starts)/2 {
			r.holds = newSet(holds)
		}
		if !looksAhead(tree) {
			r.reach = longest(tree)
		}
		switch r.first = startsWithText(tree); {
		case r.first:
		case looksBack(tree):
			if r.holds == nil {
				r.holds = r.starts
			}
		case r.starts != nil:
			r.at = regexp.MustCompile(`^(?:` + r.pattern + `)`)
		case endsWithText(tree):
			r.tail = longest(tree)
		}
	})
}

// whole is the regular expression for searches that do not begin at a word.
func (r *Regexp) whole() *regexp.Regexp {
	r.again.Do(func() { r.re = regexp.MustCompile(r.pattern) })
	return r.re
}

// MatchString is Regexp.MatchString of the standard library.
func (r *Regexp) MatchString(s string) bool {
	r.compile()
	from := r.from(s)
	if from < 0 {
		return false
	}
	if r.at == nil {
		return r.whole().MatchString(s[from:])
	}
	for tries := 0; from >= 0; from = r.starts.next(s, nextRune(s, from)) {
		if tries++; r.isCostly(tries) {
			return r.whole().MatchString(s[from:])
		}
		if r.at.MatchString(r.within(s[from:])) {
			return true
		}
	}
	return false
}

// maxTries is the maximum number of words at which a search starts if each start may read
// the whole text; then one search reads the rest, so that the cost stays linear in the
// text.
const maxTries, maxReach = 8, 500

func (r *Regexp) isCostly(tries int) bool {
	return tries > maxTries && (r.reach == 0 || r.reach > maxReach)
}

// from returns a position before which no match begins, such as that of the first
// word with which matches begin; -1 if there is no match.
func (r *Regexp) from(s string) int {
	switch {
	case r.first:
		if r.starts != nil && !r.starts.begins(s) {
			return -1
		}
		if r.holds != nil && r.holds.next(r.within(s), 0) < 0 {
			return -1
		}
		return 0
	case r.at != nil:
		from := r.starts.next(s, 0)
		if from >= 0 && r.holds != nil && r.holds.next(s, from) < 0 {
			return -1
		}
		return from
	}
	from := 0
	if r.tail > 0 {
		from = len(s) - len(cut.Last(s, r.tail))
	}
	if r.holds != nil && r.holds.next(s, from) < 0 {
		return -1
	}
	return from
}

// within truncates a text to what a match at its beginning can contain.
func (r *Regexp) within(s string) string {
	if r.reach == 0 || len(s) <= utf8.UTFMax*r.reach {
		return s
	}
	return s[:utf8.UTFMax*r.reach]
}

// FindString is Regexp.FindString of the standard library.
func (r *Regexp) FindString(s string) string {
	if at := r.FindStringIndex(s); at != nil {
		return s[at[0]:at[1]]
	}
	return ""
}

// FindStringIndex is Regexp.FindStringIndex of the standard library.
func (r *Regexp) FindStringIndex(s string) []int {
	if all := r.FindAllStringIndex(s, 1); all != nil {
		return all[0]
	}
	return nil
}

// FindStringSubmatch is Regexp.FindStringSubmatch of the standard library.
func (r *Regexp) FindStringSubmatch(s string) []string {
	if all := r.FindAllStringSubmatch(s, 1); all != nil {
		return all[0]
	}
	return nil
}

// FindStringSubmatchIndex is Regexp.FindStringSubmatchIndex of the standard library.
func (r *Regexp) FindStringSubmatchIndex(s string) []int {
	if all := r.FindAllStringSubmatchIndex(s, 1); all != nil {
		return all[0]
	}
	return nil
}

// FindSubmatchIndexIn searches a part of a text. The positions that it returns are those in
// the whole text.
func (r *Regexp) FindSubmatchIndexIn(s string, from, to int) []int {
	at := r.FindStringSubmatchIndex(s[from:to])
	for i := range at {
		if at[i] >= 0 {
			at[i] += from
		}
	}
	return at
}

// FindAllString is Regexp.FindAllString of the standard library.
func (r *Regexp) FindAllString(s string, n int) (all []string) {
	for _, at := range r.FindAllStringIndex(s, n) {
		all = append(all, s[at[0]:at[1]])
	}
	return all
}

// FindAllStringIndex is Regexp.FindAllStringIndex of the standard library.
func (r *Regexp) FindAllStringIndex(s string, n int) [][]int {
	return r.find(s, n, (*regexp.Regexp).FindStringIndex, (*regexp.Regexp).FindAllStringIndex)
}

// FindAllStringSubmatch is Regexp.FindAllStringSubmatch of the standard library.
func (r *Regexp) FindAllStringSubmatch(s string, n int) (all [][]string) {
	for _, at := range r.FindAllStringSubmatchIndex(s, n) {
		groups := make([]string, len(at)/2)
		for i := range groups {
			if at[2*i] >= 0 {
				groups[i] = s[at[2*i]:at[2*i+1]]
			}
		}
		all = append(all, groups)
	}
	return all
}

// FindAllStringSubmatchIndex is Regexp.FindAllStringSubmatchIndex of the standard library.
func (r *Regexp) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return r.find(s, n, (*regexp.Regexp).FindStringSubmatchIndex, (*regexp.Regexp).FindAllStringSubmatchIndex)
}

// ReplaceAllString is Regexp.ReplaceAllString of the standard library.
func (r *Regexp) ReplaceAllString(src, repl string) string {
	if !r.MatchString(src) {
		return src
	}
	return r.whole().ReplaceAllString(src, repl)
}

// ReplaceAllStringFunc is Regexp.ReplaceAllStringFunc of the standard library.
func (r *Regexp) ReplaceAllStringFunc(src string, repl func(string) string) string {
	if !r.MatchString(src) {
		return src
	}
	return r.whole().ReplaceAllStringFunc(src, repl)
}

// Split is Regexp.Split of the standard library.
func (r *Regexp) Split(s string, n int) []string {
	r.compile()
	return r.whole().Split(s, n)
}

func (r *Regexp) find(s string, n int, one func(*regexp.Regexp, string) []int, many func(*regexp.Regexp, string, int) [][]int) (all [][]int) {
	r.compile()
	from := r.from(s)
	if from < 0 {
		return nil
	}
	if r.at == nil {
		all = many(r.whole(), s[from:], n)
		for _, at := range all {
			shift(at, from)
		}
		return all
	}
	for tries := 0; from >= 0 && (n < 0 || len(all) < n); {
		if tries++; r.isCostly(tries) {
			rest := n
			if n >= 0 {
				rest = n - len(all)
			}
			for _, at := range many(r.whole(), s[from:], rest) {
				all = append(all, shift(at, from))
			}
			break
		}
		if found := one(r.at, r.within(s[from:])); found != nil {
			all = append(all, shift(found, from))
			from = r.starts.next(s, found[1]) // a match that begins with a word is not empty
		} else {
			from = r.starts.next(s, nextRune(s, from))
		}
	}
	return all
}

func shift(at []int, by int) []int {
	for i := range at {
		if at[i] >= 0 {
			at[i] += by
		}
	}
	return at
}

// nextRune returns the position of the next character.
func nextRune(s string, at int) int {
	_, size := utf8.DecodeRuneInString(s[at:])
	return at + size
}

// set is a set of words that are searched for in one pass.
type set struct {
	lists [1024]uint8 // by the lower bits of a word's first character: its list
	words [][]string
}

// newSet returns nil for no words, and for more words than a set can contain.
func newSet(all []string) *set {
	if len(all) == 0 {
		return nil
	}
	s := &set{words: make([][]string, 1, 2+len(all))}
	for _, w := range all {
		r, _ := utf8.DecodeRuneInString(w)
		list := &s.lists[r&1023]
		if *list == 0 {
			if len(s.words) > 255 {
				return nil
			}
			s.words = append(s.words, nil)
			*list = uint8(len(s.words) - 1)
		}
		s.words[*list] = append(s.words[*list], w)
	}
	return s
}

// begins reports whether a text begins with one of the words.
func (x *set) begins(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	for _, w := range x.words[x.lists[r&1023]] {
		if strings.HasPrefix(s, w) {
			return true
		}
	}
	return false
}

// next returns the position of the first word at or after from; -1 if there is none.
func (x *set) next(s string, from int) int {
	for i := from; i < len(s); {
		var list uint8
		at := i
		switch c := s[i]; {
		case c < 0x80:
			list = x.lists[c]
			i++
		case c >= 0xE0 && c <= 0xEF && i+2 < len(s) && s[i+1]&0xC0 == 0x80 && s[i+2]&0xC0 == 0x80:
			list = x.lists[(uint16(s[i+1])<<6|uint16(s[i+2]&0x3F))&1023]
			i += 3
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			list = x.lists[r&1023]
			i += size
		}
		if list == 0 {
			continue
		}
		for _, w := range x.words[list] {
			if strings.HasPrefix(s[at:], w) {
				return at
			}
		}
	}
	return -1
}
