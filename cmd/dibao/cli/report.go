package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"

	"dibao/internal/lazyregexp"
	"dibao/internal/plural"
	"dibao/internal/redact"
)

// The widths of a report and of its labels, in columns.
const (
	reportWidth = 79
	labelWidth  = 10
)

// Report writes lines that fit a terminal.
type Report struct {
	Out     io.Writer
	Chinese bool
}

// Say writes a labeled line with a code or a sentence, translated.
func (r Report) Say(label, value string) {
	if code := Code(heading(label), value); r.Chinese && code != value {
		value = code
	}
	if r.Chinese {
		label = chineseLabel(label)
	}
	r.Line(label, r.Text(value), labelWidth)
}

// Text returns a text in the language of the report.
func (r Report) Text(english string) string {
	if r.Chinese {
		return Chinese(english)
	}
	return english
}

// Line writes a labeled line with a value as it is, in lines of at most reportWidth
// columns.
func (r Report) Line(label, value string, indent int) {
	label = text.Pad(label, indent, ' ')
	if !r.Chinese {
		value = plural.English(value)
	}
	rest := strings.Join(strings.Fields(redact.Text(value)), " ")
	for first := true; first || rest != ""; first = false {
		var part string
		part, rest = cutColumns(rest, reportWidth-indent-1)
		fmt.Fprintln(r.Out, strings.TrimRight(label+" "+part, " "))
		label = strings.Repeat(" ", indent)
	}
}

// chineseLabel returns the label of a line in Chinese: the Chinese heading, or else the
// Chinese message.
func chineseLabel(label string) string {
	if chinese := ChineseHeadings()[heading(label)]; chinese != "" {
		return chinese
	}
	return Chinese(label)
}

// cutColumns truncates a text to a number of columns: before an ASCII word, such as an
// address or a command, that fits into the next line, or else at a space if there is one in
// its second half.
func cutColumns(s string, columns int) (part, rest string) {
	used, space, word := 0, -1, 0
	for i, r := range s {
		if used += text.RuneWidth(r); used > columns {
			end := i + len(asciiWord.FindString(s[i:]))
			switch {
			case space > i/2:
				return s[:space], s[space+1:]
			case word > 0 && word < i && end > i && end-word <= columns:
				return strings.TrimRight(s[:word], " "), s[word:]
			}
			return s[:i], s[i:]
		}
		if r == ' ' {
			space = i
		}
		if r <= ' ' || r > '~' {
			word = i + utf8.RuneLen(r)
		}
	}
	return s, ""
}

var asciiWord = lazyregexp.New(`^[!-~]+`)
