// Package words finds many Chinese words in one pass over a text.
package words

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// Finder finds many Chinese words in one pass over a text. strings.Contains for each word
// would take as many passes, and each would stop at every third byte, because most
// characters of a Chinese text begin with the same few bytes.
//
// Its table is built when it is first used.
type Finder struct {
	added []added
	once  sync.Once
	pages [256]*[256]uint16 // by the two bytes of a word's first character: its list
	lists [][]entry         // the first one is empty
}

// added is a word before the table is built.
type added struct {
	word string
	id   int
}

type entry struct {
	rest string // rest of the word, after its first character
	id   int
}

// Add adds a word, whose first character must have three bytes. It must precede the first use.
func (f *Finder) Add(word string, id int) {
	if _, size := utf8.DecodeRuneInString(word); size != 3 {
		panic("words: the word " + word + " does not begin with a Chinese character")
	}
	f.added = append(f.added, added{word, id})
}

func (f *Finder) build() {
	f.lists = make([][]entry, 1)
	for _, a := range f.added {
		r, size := utf8.DecodeRuneInString(a.word)
		page := &f.pages[r>>8]
		if *page == nil {
			*page = new([256]uint16)
		}
		list := &(*page)[r&0xFF]
		if *list == 0 {
			f.lists = append(f.lists, nil)
			*list = uint16(len(f.lists) - 1)
		}
		f.lists[*list] = append(f.lists[*list], entry{a.word[size:], a.id})
	}
	f.added = nil
}

// NewFinder returns a Finder for these words, to be used with Next.
func NewFinder(all ...string) *Finder {
	f := new(Finder)
	for _, w := range all {
		f.Add(w, 0)
	}
	return f
}

// In reports whether s contains one of the words.
func (f *Finder) In(s string) bool { return f.Next(s, 0) >= 0 }

// Find sets the bits of the words that s contains.
func (f *Finder) Find(s string) (ids uint64) {
	f.once.Do(f.build)
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

// Next returns the position of the first word of s at or after from; -1 if there is none.
func (f *Finder) Next(s string, from int) int {
	f.once.Do(f.build)
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
