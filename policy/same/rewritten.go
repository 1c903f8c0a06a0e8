package same

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxSteps limits the comparison of two texts: about 100 ms. Comparing the longest
// interpretation of a court with a repost of it takes a third of that.
const MaxSteps = 16 << 20

// steps is what is left of a budget.
type steps int

// perGram is the cost, in steps, of adding a 5-gram to a map.
const perGram = 12

func (s *steps) spend(n int) { *s -= steps(n) }
func (s *steps) over() bool  { return *s < 0 }

// contains is strings.Contains, which reads about 32 bytes in the time of a step.
func (s *steps) contains(whole, part string) bool {
	s.spend(1 + len(whole)/32)
	return !s.over() && strings.Contains(whole, part)
}

// rewritten returns a paragraph of one text that the other text has in different words; ""
// if there is none. A paragraph that is part of a paragraph of the other text, or is split
// in two there, does not count. Paragraphs are matched by their 5-grams, so that the cost
// grows with what they share, not with the number of pairs.
func rewritten(a, b fingerprint, left *steps) string {
	onlyA, onlyB := missing(a, b, left), missing(b, a, left)
	if len(onlyA) > maxRewritings || len(onlyB) > maxRewritings {
		return "" // they have little in common
	}
	if len(onlyA) == 0 || len(onlyB) == 0 {
		return ""
	}
	found, pieced := newGramIndex(onlyB, left), 0
	for _, p := range onlyA {
		size, alike := found.sharing(p, left)
		for _, i := range alike {
			q, shared := onlyB[i], found.take(i)
			if left.over() || 2*float64(shared) <= rewrittenFrom*float64(size+found.sizes[i]) || isFringe(a, b, p, q) {
				continue
			}
			if pieced++; pieced > maxPieced || !a.pieces(q, left) && !b.pieces(p, left) {
				return p
			}
		}
		if left.over() {
			return ""
		}
	}
	return ""
}

// gramIndex finds the paragraphs of a text that share 5-grams with another paragraph.
type gramIndex struct {
	holders map[uint64][]int // the paragraphs that contain a 5-gram
	sizes   []int            // number of 5-grams in each
	shared  []int            // number of 5-grams that each shares with the paragraph of the last query
}

func newGramIndex(paragraphs []string, left *steps) *gramIndex {
	x := &gramIndex{holders: make(map[uint64][]int), sizes: make([]int, len(paragraphs)), shared: make([]int, len(paragraphs))}
	for i, p := range paragraphs {
		set := grams(p)
		x.sizes[i] = len(set)
		if left.spend(2 * perGram * len(set)); left.over() {
			return x
		}
		for g := range set {
			x.holders[g] = append(x.holders[g], i)
		}
	}
	return x
}

// sharing returns how many 5-grams a paragraph has, and the sorted indexes of
// the paragraphs that share any with it.
func (x *gramIndex) sharing(p string, left *steps) (size int, alike []int) {
	set := grams(p)
	left.spend(perGram * len(set))
	for g := range set {
		holders := x.holders[g]
		if left.spend(len(holders)); left.over() {
			break
		}
		for _, i := range holders {
			if x.shared[i] == 0 {
				alike = append(alike, i)
			}
			x.shared[i]++
		}
	}
	slices.Sort(alike)
	return len(set), alike
}

// take returns how many 5-grams a paragraph shares, and resets the number.
func (x *gramIndex) take(i int) int {
	n := x.shared[i]
	x.shared[i] = 0
	return n
}

// maxPieced limits the paragraphs that are split into pieces.
const maxPieced = 300

// pieces reports whether a paragraph of another text consists only of pieces of
// this one: paragraphs that were joined or shortened. A piece that does not
// begin at the start of a paragraph follows words that were removed from its
// middle.
func (f fingerprint) pieces(q string, left *steps) bool {
	for first := true; q != ""; first = false {
		n := f.longestPiece(q, left)
		if left.over() || n < minPiece*3 && n < len(q) {
			return false
		}
		if !first && !f.begins(q[:n], left) {
			return false
		}
		q = q[n:]
	}
	return true
}

// minPiece is the minimum length of a piece, in characters.
const minPiece = 5

// longestPiece returns the length, in bytes, of the longest beginning of q that is in the text.
func (f fingerprint) longestPiece(q string, left *steps) int {
	low, high := 0, len(q)
	if left.contains(f.whole, q) {
		return len(q)
	}
	for low+1 < high && !left.over() {
		mid := (low + high) / 2
		for mid > low && !utf8.RuneStart(q[mid]) {
			mid--
		}
		if mid == low {
			break
		}
		if left.contains(f.whole, q[:mid]) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// begins reports whether a paragraph of the text begins with a piece, or the
// piece with a paragraph.
func (f fingerprint) begins(piece string, left *steps) bool {
	left.spend(len(f.paragraphs))
	return slices.ContainsFunc(f.paragraphs, func(p string) bool {
		return strings.HasPrefix(p, piece) || strings.HasPrefix(piece, p)
	})
}

// missing returns the paragraphs of a that b does not have.
func missing(a, b fingerprint, left *steps) []string {
	have := make(map[string]bool, len(b.paragraphs))
	for _, p := range b.paragraphs {
		have[p] = true
	}
	var out []string
	for _, p := range a.paragraphs {
		if !have[p] && len(p) >= minParagraph*3 && !b.holds(p, left) {
			out = append(out, p)
		}
	}
	return out
}

// holds reports whether a paragraph occurs in the text, possibly as part of another. If one
// of its 5-grams does not occur in the text, as is usual, no search is needed.
func (f fingerprint) holds(p string, left *steps) bool {
	set := grams(p)
	left.spend(perGram * len(set))
	for g := range set {
		if _, ok := f.grams[g]; !ok {
			return false
		}
	}
	return left.contains(f.whole, p)
}

// isFringe reports whether two paragraphs differ only in words that a site added before the
// first or after the last paragraph.
func isFringe(a, b fingerprint, p, q string) bool {
	if len(p) < len(q) {
		a, b, p, q = b, a, q, p
	}
	return p == a.paragraphs[0] && strings.HasSuffix(p, q) || p == a.paragraphs[len(a.paragraphs)-1] && strings.HasPrefix(p, q)
}
