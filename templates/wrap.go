package templates

import (
	"strings"
	"unicode"
)

// textWidth is how many columns a line of a text mail has; a Han character takes two.
const textWidth = 72

// wrap breaks text into lines of at most textWidth columns, each begun with
// indent. Chinese breaks between any two characters, but no line begins with
// closing punctuation; other scripts break at spaces.
func wrap(indent, s string) string { return hang(indent, indent, s) }

// hang is wrap with a first line that begins with something else, such as what the
// text is.
func hang(first, indent, s string) string {
	var lines []string
	var line strings.Builder
	begin := first
	width := columns(begin)
	newLine := func() {
		lines = append(lines, begin+strings.TrimRight(line.String(), " "))
		line.Reset()
		begin = indent
		width = columns(begin)
	}
	for _, word := range words(s) {
		w := columns(word)
		if width+w > textWidth && line.Len() > 0 && !closing(word) {
			newLine()
			if word == " " {
				continue
			}
		}
		line.WriteString(word)
		width += w
	}
	if line.Len() > 0 {
		newLine()
	}
	return strings.Join(lines, "\n")
}

// words splits text where a line may break.
func words(s string) []string {
	var out []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	for _, r := range strings.Join(strings.Fields(s), " ") {
		if r == ' ' || wide(r) {
			flush()
			out = append(out, string(r))
			continue
		}
		word.WriteRune(r)
	}
	flush()
	return out
}

func closing(word string) bool {
	return strings.Contains("，。、；：？！）》〉〕】”’", word)
}

// wide reports whether a character takes two columns.
func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x303F || r >= 0xFF00 && r <= 0xFF60 || r == '“' || r == '”' || r == '‘' || r == '’' || r == '—' || r == '…'
}

func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if wide(r) {
			n++
		}
	}
	return n
}

// underline returns a line as long as s is wide.
func underline(mark, s string) string { return strings.Repeat(mark, min(columns(s), textWidth)) }
