// Package same compares texts: whether two articles have the same text, whether
// one is another version of the other's document, and which texts may be the same.
package same

import (
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dibao/policy/when"
	"dibao/policy/width"
)

// Result says whether two articles have the same text.
type Result struct {
	Same        bool
	Version     bool    // they are versions of one document, which never count as the same text
	Containment float64 // share of the shorter text's 5-grams in the longer text, 0 to 1
	Steps       int     // cost of the comparison
	Unfinished  bool    // the comparison takes more steps than allowed: the result is unknown
	Why         string  // the reason, in one sentence
}

const (
	gramLength    = 5    // characters
	sameFrom      = 0.9  // minimum containment of the same text
	rewrittenFrom = 0.6  // containment from which a paragraph is a rewritten form of another
	MinText       = 200  // cleaned characters; below that, containment says nothing
	minShortText  = 30   // cleaned characters; shorter equal texts may only say "see the annex"
	minParagraph  = 20   // cleaned characters of a paragraph that is compared
	titlesShare   = 0.5  // share of bigrams; below that, one number belongs to two documents
	maxSameText   = 1e6  // cleaned characters that are compared
	maxRewritings = 2000 // paragraphs that are compared with each other
)

// fingerprint is the part of an article that is compared.
type fingerprint struct {
	number     string
	issuedOn   when.Date
	published  when.Date
	title      string
	paragraphs []string // cleaned
	whole      string   // all paragraphs together
	grams      map[uint64]struct{}
	heading    []when.Date // dates of adoption and amendment, sorted
	marks      []string
}

// Clean keeps Han characters, letters and digits, because reposts change punctuation.
func Clean(s string) string { return strings.Map(cleanRune, s) }

// cleanRune is Clean for one character; -1 removes it.
func cleanRune(r rune) rune {
	if '一' <= r && r <= '龥' { // most characters; searching the tables takes longer
		return r
	}
	r = width.HalfRune(r)
	if unicode.Is(unicode.Han, r) || r == '〇' || unicode.IsLetter(r) || unicode.IsDigit(r) {
		return unicode.ToLower(r)
	}
	return -1
}

// grams returns the hashes (FNV-1a) of the 5-grams of a cleaned text.
func grams(s string) map[uint64]struct{} {
	runes := []rune(s)
	set := make(map[uint64]struct{}, len(runes))
	for i := 0; i+gramLength <= len(runes); i++ {
		h := uint64(14695981039346656037)
		for _, r := range runes[i : i+gramLength] {
			h = (h ^ uint64(r)) * 1099511628211
		}
		set[h] = struct{}{}
	}
	return set
}

// Parts are the parts of an article that are compared.
type Parts struct {
	Number                string
	IssuedOn, PublishedOn when.Date
	Title                 string      // without the words that sites add after it
	Marks                 []string    // marks of a version in the title: 2021年修订
	Enacted               []when.Date // dates in the heading of the text: adopted, amended, published; sorted
	Paragraphs            []string
}

// Text is an article prepared for comparison with any number of others. It is about ten
// times as large as the article's text.
type Text struct{ fingerprint }

// New prepares an article for comparison.
func New(p Parts) *Text {
	c := fingerprint{number: p.Number, issuedOn: p.IssuedOn, published: p.PublishedOn, title: Clean(p.Title), heading: p.Enacted, marks: p.Marks}
	size := 0
	for _, p := range p.Paragraphs {
		if p = Clean(p); p != "" && size < maxSameText {
			c.paragraphs = append(c.paragraphs, p)
			size += len(p)
		}
	}
	c.whole = strings.Join(c.paragraphs, "")
	c.grams = grams(c.whole)
	return &Text{c}
}

// Compare reports whether two articles have the same text (同文): one number, or one title
// and date of issue, or nearly all 5-grams in common, and no sign that one is another
// version of the other. Amended versions share most of their text and never count as the
// same text. The number of steps is limited: a pair that needs more is Unfinished.
func (t *Text) Compare(other *Text) Result {
	left := steps(MaxSteps)
	out := compare(t.fingerprint, other.fingerprint, &left)
	out.Steps = MaxSteps - int(left) + len(t.grams) + len(other.grams)
	return out
}

func compare(x, y fingerprint, left *steps) Result {
	out := Result{Containment: containment(x.grams, y.grams)}
	short := min(utf8.RuneCountInString(x.whole), utf8.RuneCountInString(y.whole))
	sameNumber := x.number != "" && x.number == y.number
	sameTitle := x.title != "" && x.title == y.title
	if x.number != "" && y.number != "" && !sameNumber {
		out.Version = sameTitle
		out.Why = fmt.Sprintf("the document numbers differ: %s and %s", x.number, y.number)
		return out
	}
	if sameNumber && BigramShare(x.title, y.title) < titlesShare {
		out.Why = "two titles that have little in common have one document number"
		return out
	}
	if out.Containment >= titlesShare || sameTitle || sameNumber { // otherwise the texts are neither the same nor versions
		sign := versionSign(x, y, left)
		if left.over() {
			out.Unfinished, out.Why = true, "the texts are too long, or their paragraphs too much alike, to be compared to the end"
			return out
		}
		if sign != "" {
			out.Version, out.Why = true, "versions of one document: "+sign
			return out
		}
	}
	switch {
	case sameNumber:
		out.Same, out.Why = true, "the document number is the same"
	case sameTitle && !x.issuedOn.IsZero() && x.issuedOn == y.issuedOn:
		out.Same, out.Why = true, "title and date of issue are the same"
	case sameTitle && x.whole == y.whole && short >= minShortText && !x.published.IsZero() && x.published == y.published:
		out.Same, out.Why = true, "title, text and day of publication are the same"
	case short < MinText:
		out.Why = fmt.Sprintf("the shorter text has %d characters, too few to compare", short)
	case out.Containment < sameFrom:
		out.Why = fmt.Sprintf("%.3f of the shorter text is in the longer one, less than %.1f", out.Containment, sameFrom)
	default:
		out.Same, out.Why = true, fmt.Sprintf("%.3f of the shorter text is in the longer one, and nothing was rewritten", out.Containment)
	}
	return out
}

// containment returns the share of the smaller set that is in the larger one.
func containment(a, b map[uint64]struct{}) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return 0
	}
	n := 0
	for g := range a {
		if _, ok := b[g]; ok {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// BigramShare returns the share of the shorter title's bigrams that occur in the other.
func BigramShare(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) < 2 {
		return 1 // too short to compare
	}
	set := make(map[[2]rune]bool, len(y))
	for i := 1; i < len(y); i++ {
		set[[2]rune{y[i-1], y[i]}] = true
	}
	n := 0
	for i := 1; i < len(x); i++ {
		if set[[2]rune{x[i-1], x[i]}] {
			n++
		}
	}
	return float64(n) / float64(len(x)-1)
}

// versionSign returns what shows that two texts are different versions; "" if nothing does.
func versionSign(a, b fingerprint, left *steps) string {
	if !slices.Equal(a.marks, b.marks) && !leftOut(a, b) {
		return fmt.Sprintf("the titles say %q and %q", strings.Join(a.marks, ", "), strings.Join(b.marks, ", "))
	}
	if len(a.heading) > 0 && len(b.heading) > 0 && a.heading[len(a.heading)-1] != b.heading[len(b.heading)-1] {
		return fmt.Sprintf("the dates in the heading differ (%s and %s)", a.heading[len(a.heading)-1], b.heading[len(b.heading)-1])
	}
	if p := rewritten(a, b, left); p != "" {
		return fmt.Sprintf("a paragraph was rewritten (%s…)", lastOf(p, 20))
	}
	return ""
}

// leftOut reports whether one title says （2021年修订） and the other does not, although both
// texts state in their heading when they were amended: a site left it out.
func leftOut(a, b fingerprint) bool {
	if len(a.marks) < len(b.marks) {
		a, b = b, a
	}
	return len(b.marks) == 0 && len(a.heading) > 0 && slices.Equal(a.heading, b.heading) &&
		!slices.ContainsFunc(a.marks, func(m string) bool { return !isRevision(m) })
}

// isRevision reports whether a mark in a title says that the text was amended.
func isRevision(mark string) bool {
	return slices.ContainsFunc([]string{"修订", "修正", "修改", "年本", "年版"}, func(word string) bool { return strings.Contains(mark, word) })
}

func lastOf(s string, n int) string {
	runes := []rune(s)
	return string(runes[:min(len(runes), n)])
}

// Sketch returns the smallest hashes of a text's 5-grams; texts that may be the same share
// some of them. It returns nil for a text that is too short.
func Sketch(paragraphs []string) []int64 {
	const size = 8
	var runes []rune // cleaned
	for _, p := range paragraphs {
		for _, r := range p {
			if r = cleanRune(r); r >= 0 {
				runes = append(runes, r)
			}
		}
	}
	switch {
	case len(runes) < minShortText:
		return nil
	case len(runes) < MinText:
		h := fnv.New64a()
		io.WriteString(h, string(runes))
		return []int64{int64(h.Sum64() >> 1)}
	}
	var least []uint64
	for i := 0; i+gramLength <= len(runes); i++ {
		h := uint64(14695981039346656037)
		for _, r := range runes[i : i+gramLength] {
			h = (h ^ uint64(r)) * 1099511628211
		}
		h ^= h >> 29 // the low bits of FNV depend too much on the last character
		h *= 0xbf58476d1ce4e5b9
		h ^= h >> 32
		if len(least) < size || h < least[len(least)-1] {
			if at, found := slices.BinarySearch(least, h); !found {
				least = slices.Insert(least, at, h)
				least = least[:min(len(least), size)]
			}
		}
	}
	out := make([]int64, len(least))
	for i, h := range least {
		out[i] = int64(h >> 1)
	}
	return out
}
