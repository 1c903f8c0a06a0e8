package words

import (
	"math/bits"
	"sync"
	"unicode/utf8"
)

// Group contains expressions of which most texts match few. It searches for the words of
// all of them in one pass, and tries only those whose words the text contains.
type Group struct {
	all    []*Regexp
	once   sync.Once
	finder Finder
	always uint64 // bits of the expressions for which no words are known
}

// NewGroup returns a group of at most 64 expressions.
func NewGroup(all ...*Regexp) *Group {
	if len(all) > 64 {
		panic("words: more than 64 expressions in a group")
	}
	return &Group{all: all}
}

func (g *Group) compile() {
	g.once.Do(func() {
		for i, r := range g.all {
			r.compile()
			known := r.starts
			if known == nil {
				known = r.holds
			}
			if !known.isHan() {
				g.always |= 1 << i
				continue
			}
			for _, list := range known.words {
				for _, w := range list {
					g.finder.Add(w, i)
				}
			}
		}
	})
}

// May sets the bit of each expression that may match: s contains one of its words.
func (g *Group) May(s string) uint64 {
	g.compile()
	return g.finder.Find(s) | g.always
}

// Match sets the bit of each expression that matches s.
func (g *Group) Match(s string) (ids uint64) {
	for may := g.May(s); may != 0; may &= may - 1 {
		if i := bits.TrailingZeros64(may); g.all[i].MatchString(s) {
			ids |= 1 << i
		}
	}
	return ids
}

// isHan reports whether each word of a set begins with a character of three bytes.
func (x *set) isHan() bool {
	if x == nil {
		return false
	}
	for _, list := range x.words {
		for _, w := range list {
			if _, size := utf8.DecodeRuneInString(w); size != 3 {
				return false
			}
		}
	}
	return true
}
