// Package diff finds the differences between two versions of a text: by paragraph, and
// within a rewritten paragraph by word.
package diff

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"dibao/policy/fold"
	"dibao/policy/words"
)

// The operations of a [Change] and of a [Span].
const (
	Kept      = ' '
	Removed   = '-'
	Added     = '+'
	Rewritten = '~'
)

// Change is the change of a paragraph between two versions of a text.
type Change struct {
	Op         byte
	Article    string // 第六条, the article that now contains the paragraph; "" above the first
	OldArticle string // the article that contained it before, if its number was different or it no longer exists
	Old, New   string // the paragraph; Old is "" if it was added, New if it was removed
	Spans      []Span // for a rewritten paragraph: its words, in order
}

// Span is a piece of a rewritten paragraph: Kept, Removed or Added.
type Span struct {
	Op   byte
	Text string
}

const (
	// maxCells limits the table of one comparison; longer texts are first split at
	// paragraphs that occur exactly once in each version, and count as wholly replaced if
	// that does not help.
	maxCells = 1 << 20
	// rewritingFrom is the share of common bigrams from which a paragraph is shown as
	// rewritten, and not as one removed and one added.
	rewritingFrom = 0.4
	// maxBigrams limits the bigrams of one paragraph that are compared.
	maxBigrams = 4000
	// perParagraph and perCharacter are the costs of comparing a paragraph and a character,
	// in steps; they cover time and memory.
	perParagraph = 60
	perCharacter = 8
	// shortKept is the length in characters of an unchanged piece between two
	// changes that is too short to be shown separately.
	shortKept = 2
)

// Between compares two versions of a text by paragraph, and within a rewritten
// paragraph by character, number and Latin word. A paragraph that only moved
// under another article number (第五条 is now 第六条) is matched with its
// counterpart. The Old parts of all changes make the old text, the New parts
// the new one.
func Between(before, after []string) []Change {
	changes, _ := Within(before, after, math.MaxInt)
	return changes
}

// Within is Between within a budget of steps, of which one takes about 10 ns.
// It returns false for texts that need more, or are too different to be worth
// it.
func Within(before, after []string, most int) ([]Change, bool) {
	d := differ{before: before, after: after, left: budget(most)}
	d.left.spend(bytesOf(before) + bytesOf(after) + perParagraph*(len(before)+len(after)))
	if d.left.over() {
		return nil, false
	}
	d.oldArticles, d.newArticles = articlesOf(before), articlesOf(after)
	pairs := d.left.align(keysOf(before), keysOf(after))
	i, j := 0, 0
	for _, p := range append(pairs, [2]int{len(before), len(after)}) {
		d.hunk(i, p[0], j, p[1])
		if p[0] < len(before) {
			d.pair(p[0], p[1])
		}
		if d.left.over() {
			return nil, false
		}
		i, j = p[0]+1, p[1]+1
	}
	return d.changes, true
}

// budget is the number of remaining steps.
type budget int

func (left *budget) spend(n int) { *left -= budget(n) }
func (left *budget) over() bool  { return *left < 0 }

func bytesOf(paragraphs []string) (n int) {
	for _, p := range paragraphs {
		n += len(p)
	}
	return n
}

// differ is the state of one comparison.
type differ struct {
	before, after            []string
	oldArticles, newArticles []string
	changes                  []Change
	left                     budget
}

var leadingArticle = words.New(`^[\s\x{3000}]*(第[一二三四五六七八九十百千零〇\d]{1,9}条(?:之[一二三四五六七八九十]{1,3})?)`)

// articlesOf returns the article that each paragraph belongs to.
func articlesOf(paragraphs []string) []string {
	out := make([]string, len(paragraphs))
	current := ""
	for i, p := range paragraphs {
		if m := leadingArticle.FindStringSubmatch(p); m != nil {
			current = m[1]
		}
		out[i] = current
	}
	return out
}

// keysOf returns the keys by which paragraphs are equal: their text without whitespace and
// without the number of their article.
func keysOf(paragraphs []string) []string {
	out := make([]string, len(paragraphs))
	for i, p := range paragraphs {
		out[i] = squeeze(leadingArticle.ReplaceAllString(p, ""))
	}
	return out
}

// squeeze removes all whitespace.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// pair adds two paragraphs that correspond to each other.
func (d *differ) pair(i, j int) {
	c := Change{Op: Kept, Article: d.newArticles[j], Old: d.before[i], New: d.after[j]}
	if d.oldArticles[i] != c.Article {
		c.OldArticle = d.oldArticles[i]
	}
	if squeeze(c.Old) != squeeze(c.New) {
		c.Op, c.Spans = Rewritten, d.left.spans(c.Old, c.New)
	}
	d.changes = append(d.changes, c)
}

func (d *differ) remove(i int) {
	d.changes = append(d.changes, Change{Op: Removed, Article: d.oldArticles[i], OldArticle: d.oldArticles[i], Old: d.before[i]})
}

func (d *differ) add(j int) {
	d.changes = append(d.changes, Change{Op: Added, Article: d.newArticles[j], New: d.after[j]})
}

// hunk adds the paragraphs between two unchanged ones: similar ones in pairs, in order, so
// that as much as possible is the same; the rest was added or removed.
func (d *differ) hunk(i, iEnd, j, jEnd int) {
	n, m := iEnd-i, jEnd-j
	if n > 0 && m > 0 && n*m <= maxCells/64 { // each cell compares two paragraphs
		olds, news := bigramSets(d.before[i:iEnd]), bigramSets(d.after[j:jEnd])
		if d.left.spend(diceSteps(olds, news)); d.left.over() {
			return
		}
		alike := make([]float64, n*m)
		best := make([]float64, (n+1)*(m+1))
		for x := n - 1; x >= 0; x-- {
			for y := m - 1; y >= 0; y-- {
				s := dice(olds[x], news[y])
				if s < rewritingFrom {
					s = 0
				}
				alike[x*m+y] = s
				best[x*(m+1)+y] = max(best[(x+1)*(m+1)+y], best[x*(m+1)+y+1], s+best[(x+1)*(m+1)+y+1])
			}
		}
		x, y := 0, 0
		for x < n && y < m {
			here, s := best[x*(m+1)+y], alike[x*m+y]
			switch {
			case s > 0 && here == s+best[(x+1)*(m+1)+y+1]:
				d.pair(i+x, j+y)
				x, y = x+1, y+1
			case here == best[(x+1)*(m+1)+y]:
				d.remove(i + x)
				x++
			default:
				d.add(j + y)
				y++
			}
		}
		i, j = i+x, j+y
	}
	for ; i < iEnd; i++ {
		d.remove(i)
	}
	for ; j < jEnd; j++ {
		d.add(j)
	}
}

func bigramSets(paragraphs []string) []map[[2]rune]struct{} {
	out := make([]map[[2]rune]struct{}, len(paragraphs))
	for i, p := range paragraphs {
		p = p[:min(len(p), 16*maxBigrams)]
		runes := []rune(fold.Text(leadingArticle.ReplaceAllString(p, "")))
		runes = slices.DeleteFunc(runes, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '〇' })
		out[i] = make(map[[2]rune]struct{}, len(runes))
		for k := 1; k < min(len(runes), maxBigrams); k++ {
			out[i][[2]rune{runes[k-1], runes[k]}] = struct{}{}
		}
	}
	return out
}

// dice returns the share of elements that two sets have in common, 0 to 1.
func dice[K comparable](a, b map[K]struct{}) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	n := 0
	for x := range a {
		if _, ok := b[x]; ok {
			n++
		}
	}
	return 2 * float64(n) / float64(len(a)+len(b))
}

// diceSteps returns how many steps it takes to compare all sets with each other.
func diceSteps(olds, news []map[[2]rune]struct{}) (n int) {
	for _, a := range olds {
		for _, b := range news {
			n += 1 + 2*min(len(a), len(b))
		}
	}
	return n
}

// align returns which elements of a and b are unchanged, as pairs of indexes in
// order: a longest common subsequence if the table for it is small enough.
func (left *budget) align(a, b []string) [][2]int {
	var head, tail [][2]int
	offset := 0
	for offset < len(a) && offset < len(b) && a[offset] == b[offset] {
		head = append(head, [2]int{offset, offset})
		offset++
	}
	n, m := len(a), len(b)
	for n > offset && m > offset && a[n-1] == b[m-1] {
		n, m = n-1, m-1
		tail = append(tail, [2]int{n, m})
	}
	for _, p := range left.commonSubsequence(a[offset:n], b[offset:m]) {
		head = append(head, [2]int{p[0] + offset, p[1] + offset})
	}
	slices.Reverse(tail)
	return append(head, tail...)
}

// commonSubsequence uses the algorithm of Wagner and Fischer (1974) for short texts; longer
// ones are split at elements that occur exactly once in both (patience diff).
func (left *budget) commonSubsequence(a, b []string) [][2]int {
	n, m := len(a), len(b)
	if n == 0 || m == 0 {
		return nil
	}
	if n*m > maxCells {
		anchors := uniqueAnchors(a, b)
		if len(anchors) == 0 {
			return nil
		}
		var out [][2]int
		i, j := 0, 0
		for _, p := range append(anchors, [2]int{n, m}) {
			for _, q := range left.align(a[i:p[0]], b[j:p[1]]) {
				out = append(out, [2]int{q[0] + i, q[1] + j})
			}
			if p[0] < n {
				out = append(out, p)
			}
			i, j = p[0]+1, p[1]+1
		}
		return out
	}
	if left.spend(n * m); left.over() {
		return nil
	}
	same := make([]int32, (n+1)*(m+1)) // length of the common subsequence from i and j on
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if a[i] == b[j] {
				same[i*(m+1)+j] = same[(i+1)*(m+1)+j+1] + 1
			} else {
				same[i*(m+1)+j] = max(same[(i+1)*(m+1)+j], same[i*(m+1)+j+1])
			}
		}
	}
	var out [][2]int
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case a[i] == b[j]:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case same[(i+1)*(m+1)+j] >= same[i*(m+1)+j+1]:
			i++
		default:
			j++
		}
	}
	return out
}

// uniqueAnchors returns elements that occur exactly once in a and in b, in the longest
// order that both share.
func uniqueAnchors(a, b []string) [][2]int {
	type seen struct{ inA, inB, a, b int }
	count := make(map[string]*seen, len(a))
	for i, s := range a {
		if count[s] == nil {
			count[s] = &seen{}
		}
		count[s].inA, count[s].a = count[s].inA+1, i
	}
	for j, s := range b {
		if c := count[s]; c != nil {
			c.inB, c.b = c.inB+1, j
		}
	}
	var pairs [][2]int
	for _, s := range a {
		if c := count[s]; c.inA == 1 && c.inB == 1 {
			pairs = append(pairs, [2]int{c.a, c.b})
		}
	}
	// The longest increasing run of b, by patience sorting.
	var tops []int // index in pairs of the smallest end of a run of each length
	back := make([]int, len(pairs))
	for k, p := range pairs {
		lo, _ := slices.BinarySearchFunc(tops, p[1], func(top, at int) int { return pairs[top][1] - at })
		back[k] = -1
		if lo > 0 {
			back[k] = tops[lo-1]
		}
		if lo == len(tops) {
			tops = append(tops, k)
		} else {
			tops[lo] = k
		}
	}
	out := make([][2]int, len(tops))
	if len(tops) == 0 {
		return nil
	}
	for k, at := tops[len(tops)-1], len(tops)-1; k >= 0; k, at = back[k], at-1 {
		out[at] = pairs[k]
	}
	return out
}

// Format writes changes for a terminal or an email, one line each: its article, "-"
// removed, "+" added, "~" rewritten with [-removed-] and {+added+} (as wdiff does).
// Unchanged text is only counted.
func Format(changes []Change) string {
	var b strings.Builder
	kept, article := 0, ""
	stayed := func() {
		if kept > 0 {
			fmt.Fprintf(&b, "  … %d\n", kept)
			kept = 0
		}
	}
	for _, c := range changes {
		if c.Op == Kept {
			kept++
			continue
		}
		stayed()
		if c.Article != article {
			if article = c.Article; c.OldArticle != "" && c.OldArticle != article {
				fmt.Fprintf(&b, "@@ %s → %s\n", c.OldArticle, article)
			} else if article != "" {
				fmt.Fprintf(&b, "@@ %s\n", article)
			}
		}
		fmt.Fprintf(&b, "%c %s\n", c.Op, c.text())
	}
	stayed()
	return b.String()
}

// text returns the paragraph in one line.
func (c Change) text() string {
	if c.Op != Rewritten {
		return c.Old + c.New
	}
	var b strings.Builder
	for _, s := range c.Spans {
		switch s.Op {
		case Removed:
			b.WriteString("[-" + s.Text + "-]")
		case Added:
			b.WriteString("{+" + s.Text + "+}")
		default:
			b.WriteString(s.Text)
		}
	}
	return b.String()
}
