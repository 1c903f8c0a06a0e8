package diff

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// spans compares two paragraphs by character; numbers and Latin words are compared as a
// whole.
func (left *budget) spans(before, after string) []Span {
	if left.spend(perCharacter * (utf8.RuneCountInString(before) + utf8.RuneCountInString(after))); left.over() {
		return nil
	}
	a, b := tokens(before), tokens(after)
	var out []Span
	var run strings.Builder // text of one operation: appending to a string would copy the paragraph for each character
	op := byte(Kept)
	add := func(next byte, text string) {
		if text == "" {
			return
		}
		if next != op && run.Len() > 0 {
			out = append(out, Span{op, run.String()})
			run.Reset()
		}
		op = next
		run.WriteString(text)
	}
	i, j := 0, 0
	for _, p := range append(left.align(a, b), [2]int{len(a), len(b)}) {
		add(Removed, strings.Join(a[i:p[0]], ""))
		add(Added, strings.Join(b[j:p[1]], ""))
		if p[0] < len(a) {
			add(Kept, a[p[0]])
		}
		i, j = p[0]+1, p[1]+1
	}
	if run.Len() > 0 {
		out = append(out, Span{op, run.String()})
	}
	return readable(out)
}

// readable joins changes if the text between them is too short to be readable.
func readable(in []Span) []Span {
	var out []Span
	for i := 0; i < len(in); {
		if in[i].Op == Kept {
			out = append(out, in[i])
			i++
			continue
		}
		var gone, came strings.Builder
		for i < len(in) && (in[i].Op != Kept || i+1 < len(in) && len([]rune(in[i].Text)) <= shortKept && !strings.ContainsAny(in[i].Text, "，。；：、")) {
			if in[i].Op != Added {
				gone.WriteString(in[i].Text)
			}
			if in[i].Op != Removed {
				came.WriteString(in[i].Text)
			}
			i++
		}
		for _, s := range []Span{{Removed, gone.String()}, {Added, came.String()}} {
			if s.Text != "" {
				out = append(out, s)
			}
		}
	}
	return out
}

// tokens returns the characters of a text, with numbers and Latin words as a whole.
func tokens(s string) []string {
	out := make([]string, 0, len(s)/3)
	start, word := 0, false
	for i, r := range s {
		isWord := r < 0x250 && (unicode.IsLetter(r) || unicode.IsDigit(r))
		if i > start && !(word && isWord) {
			out = append(out, s[start:i])
			start = i
		}
		word = isWord
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}
