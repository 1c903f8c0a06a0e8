package templates

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// textWidth is the maximum number of columns of a line in a text email; a Han character
// takes two.
const textWidth = 72

// wrap breaks text into lines of at most textWidth columns, each prefixed with
// indent. Chinese breaks between any two characters, but no line begins with
// closing punctuation or ends in an opening bracket; other scripts break at
// spaces.
func wrap(indent, s string) string { return hang(indent, indent, s) }

// hang is wrap with a first line that begins with something else, such as a
// label.
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
	for _, piece := range pieces(s) {
		if width+columns(strings.TrimRight(piece, " ")) > textWidth && line.Len() > 0 {
			newLine()
		}
		line.WriteString(piece)
		width += columns(piece)
	}
	if line.Len() > 0 {
		newLine()
	}
	return strings.Join(lines, "\n")
}

// paragraphs returns the lines of a text that a person wrote, grouped into paragraphs,
// which empty lines separate.
func paragraphs(s string) (all [][]string) {
	isOpen := false
	for line := range strings.Lines(s) {
		switch line = strings.TrimSpace(line); {
		case line == "":
			isOpen = false
		case isOpen:
			all[len(all)-1] = append(all[len(all)-1], line)
		default:
			all, isOpen = append(all, []string{line}), true
		}
	}
	return all
}

// maxBracket is the maximum number of characters in 〔…〕 that are kept on one line.
const maxBracket = 20

// pieces splits text where a line may break (UAX #14), but not within a
// sequence of ASCII characters, such as an address, nor within 〔…〕, the year
// of a document number.
func pieces(s string) []string {
	var out []string
	rest, state, begun := strings.Join(strings.Fields(s), " "), -1, 0
	text := rest
	for at := 0; rest != ""; {
		var segment string
		segment, rest, _, state = uniseg.FirstLineSegmentInString(rest, state)
		at += len(segment)
		if rest == "" || !isOpen(text[begun:at]) && !isASCIIRun(segment, rest) {
			out = append(out, text[begun:at])
			begun = at
		}
	}
	return out
}

// isOpen reports whether a piece ends within 〔…〕.
func isOpen(piece string) bool {
	at := strings.LastIndex(piece, "〔")
	return at >= 0 && !strings.Contains(piece[at:], "〕") && utf8.RuneCountInString(piece[at:]) <= maxBracket
}

func isASCIIRun(before, after string) bool {
	last := before[len(before)-1]
	return last > ' ' && last < utf8.RuneSelf && after[0] > ' ' && after[0] < utf8.RuneSelf
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
