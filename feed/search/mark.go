package search

import (
	"strings"
	"unicode/utf8"

	"dibao/policy/fold"
)

const (
	snippetBefore = 30  // characters of a snippet before the first hit
	snippetLength = 120 // characters of a snippet
)

// folded is a folded text with the original position of each of its bytes.
type folded struct {
	text string
	at   []int32 // original offset of each byte of text, and of its end
}

func foldWithPlaces(s string) folded {
	size := 0 // an invalid byte becomes three bytes
	for _, r := range s {
		size += max(0, utf8.RuneLen(fold.Rune(r)))
	}
	var b strings.Builder
	b.Grow(size)
	at := make([]int32, 0, size+1)
	for i, r := range s {
		if f := fold.Rune(r); f != -1 {
			b.WriteRune(f)
			for len(at) < b.Len() {
				at = append(at, int32(i))
			}
		}
	}
	return folded{b.String(), append(at, int32(len(s)))}
}

// places returns which bytes of a text match the query.
func (q parsedQuery) places(s string) [][2]int {
	f := foldWithPlaces(s)
	var all [][2]int
	for _, c := range q.clauses {
		if c.exclude {
			continue
		}
		for _, p := range c.any {
			for from := 0; from < len(f.text) && len(all) < 200; {
				i, end := p.find(f.text[from:])
				if i < 0 {
					break
				}
				all = append(all, [2]int{int(f.at[from+i]), int(f.at[from+end])})
				from += end
			}
		}
	}
	return all
}

// mark splits a text into spans.
func (q parsedQuery) mark(s string) []Span {
	hit := make([]bool, len(s))
	for _, p := range q.places(s) {
		for i := p[0]; i < p[1]; i++ {
			hit[i] = true
		}
	}
	var spans []Span
	for from := 0; from < len(s); {
		to := from + 1
		for to < len(s) && hit[to] == hit[from] {
			to++
		}
		spans = append(spans, Span{s[from:to], hit[from]})
		from = to
	}
	return spans
}

// snippet returns the part of an article that best shows why it matches: from the paragraph
// with the most different matches, if its text may be shown, or else from its summary.
func (q parsedQuery) snippet(t Texts) []Span {
	best, most := t.Summary, 0
	for i, p := range append([]string{t.Summary}, t.Paragraphs...) {
		n := 0
		text := fold.Text(p)
		for _, c := range q.clauses {
			if !c.exclude && c.holds(text) {
				n++
			}
		}
		if n > most {
			best, most = p, n
		}
		if most > 0 && most == len(q.clauses) || i > 2000 {
			break
		}
	}
	return q.mark(q.cut(best))
}

// cut shortens a paragraph to the part around its first match.
func (q parsedQuery) cut(s string) string {
	if utf8.RuneCountInString(s) <= snippetLength {
		return s
	}
	first := 0
	if places := q.places(s); len(places) > 0 {
		first = places[0][0]
		for _, p := range places {
			first = min(first, p[0])
		}
	}
	runes := []rune(s)
	at := utf8.RuneCountInString(s[:first])
	from := max(0, min(at-snippetBefore, len(runes)-snippetLength))
	to := min(len(runes), from+snippetLength)
	out := string(runes[from:to])
	if from > 0 {
		out = "…" + out
	}
	if to < len(runes) {
		out += "…"
	}
	return out
}
