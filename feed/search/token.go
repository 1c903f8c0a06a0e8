package search

import (
	"strings"
	"sync"
	"unicode"

	"dibao/policy/fold"
)

func isHan(r rune) bool {
	return r >= fold.FirstHan && r <= fold.LastHan || r == '〇' || r >= 0x3400 && r <= 0x4dbf || r == '々' || r >= 0x20000 && r <= 0x323af
}

func isWord(r rune) bool {
	if r < 0x80 {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9'
	}
	return r < 0xe000 && (unicode.IsLetter(r) || unicode.IsDigit(r)) && !isHan(r)
}

const (
	maxIndexed = 400_000 // characters of a text that are indexed
	maxWord    = 40      // bytes of a word that are indexed; longer words are truncated
)

// tokens collects the tokens of a column, each once, separated by spaces: pairs
// of Han characters, single ones, words and whole numbers.
type tokens struct {
	strings.Builder
	mark  string // precedes each token
	pairs pairSet
	words map[string]struct{}
}

func (t *tokens) pair(a, b rune) {
	if !t.pairs.add(uint64(a)<<32 | uint64(uint32(b))) {
		return
	}
	if t.Len() > 0 {
		t.WriteByte(' ')
	}
	t.WriteString(t.mark)
	t.WriteRune(a)
	if b != 0 {
		t.WriteRune(b)
	}
}

// pairSet is a set of nonzero pairs: a hash table with open addressing, at
// least half empty.
type pairSet struct {
	table []uint64
	n     int
}

// add reports whether the pair is new.
func (s *pairSet) add(pair uint64) bool {
	if 2*s.n >= len(s.table) {
		old := s.table
		s.table, s.n = make([]uint64, max(2*len(old), 32)), 0
		for _, p := range old {
			if p != 0 {
				s.add(p)
			}
		}
	}
	mask := uint64(len(s.table) - 1)
	for i := pair * 0x9e3779b97f4a7c15 >> 32; ; i++ { // Knuth's multiplier spreads neighbors
		switch s.table[i&mask] {
		case 0:
			s.table[i&mask] = pair
			s.n++
			return true
		case pair:
			return false
		}
	}
}

// tables are reused for the sets of texts, which are large.
var tables = sync.Pool{New: func() any { return new([2048]uint64) }}

// lend returns an empty set from the pool; the returned function returns it to the pool.
func (s *pairSet) lend() (back func()) {
	table := tables.Get().(*[2048]uint64)
	clear(table[:])
	s.table = table[:]
	return func() { tables.Put(table) }
}

func (t *tokens) word(w string) {
	if len(w) > maxWord {
		w = strings.ToValidUTF8(w[:maxWord], "")
	}
	if t.words == nil {
		t.words = make(map[string]struct{})
	} else if _, ok := t.words[w]; ok {
		return
	}
	t.words[w] = struct{}{}
	if t.Len() > 0 {
		t.WriteByte(' ')
	}
	t.WriteString(t.mark)
	t.WriteString(w)
}

// add adds the tokens of a text; single also adds each Han character alone, so that a query
// for one character need not read all pairs that begin with it.
func (t *tokens) add(text string, single bool) {
	var last rune // previous Han character; 0 means none
	var word strings.Builder
	n := 0
	flush := func() {
		if last != 0 {
			t.pair(last, 0)
			last = 0
		}
		if word.Len() > 0 {
			t.word(word.String())
			word.Reset()
		}
	}
	for _, r := range text {
		if n++; n > maxIndexed {
			break
		}
		r = fold.Rune(r)
		switch {
		case r == -1:
		case isHan(r):
			if word.Len() > 0 {
				flush()
			}
			if last != 0 {
				t.pair(last, r)
				if single {
					t.pair(last, 0)
				}
			}
			last = r
		case isWord(r):
			if last != 0 {
				flush()
			}
			word.WriteRune(r)
		default:
			flush()
		}
	}
	flush()
}

// Marks before the tokens of fields. They are in the private use area, of which tokens of
// texts contain no characters.
const (
	markKind   = '\uE001'
	markTheme  = '\uE002' // with pairs of characters, as for issuers
	markRegion = '\uE003'
	markIssuer = '\uE004'
	markType   = '\uE005'
	markSource = '\uE006'
	markNumber = '\uE007'
	markCited  = '\uE008'
	markYear   = '\uE009'
	markTitle  = '\uE00A' // with pairs of the cleaned title, for documents
	markBand   = '\uE00C' // days around the article's, for databases that can't start with the newest
	markHead   = '\uE00B' // title, number and issuers, for databases without columns
)

// field adds a value as one token after a mark.
func (t *tokens) field(mark rune, value string) {
	if value = plain(value); value != "" {
		t.word(string(mark) + value)
	}
}

// plain keeps folded letters, digits and Han characters: the characters of
// tokens. The parts of a number stay separate: 2023〕15号 becomes 2023x15号.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r = fold.Rune(r); isHan(r) || r != -1 && isWord(r) {
			b.WriteRune(r)
		} else if r == '〕' || r == ']' {
			b.WriteByte('x')
		}
	}
	return b.String()
}

// fieldPairs adds the tokens of a value, each after a mark, so that a part of
// the value finds it.
func (t *tokens) fieldPairs(mark rune, value string) {
	for _, w := range split(value) {
		t.word(string(mark) + w)
	}
}

// split returns the distinct tokens of a text.
func split(text string) []string {
	var t tokens
	t.add(text, false)
	return strings.Fields(t.String())
}
