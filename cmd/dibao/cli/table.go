package cli

import (
	_ "embed" // for the headings in Chinese
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"dibao/internal/plural"
)

// chineseHeadings maps English table headings to Chinese.
//
//go:embed headings.zh.json
var chineseHeadings []byte

// ChineseHeadings returns the headings of tables in Chinese by their English text.
var ChineseHeadings = sync.OnceValue(func() map[string]string { return words(chineseHeadings) })

// Table is a table that a command prints.
type Table struct {
	Headings []any // in English
	Rows     [][]any
	Chinese  bool // headings, codes and sentences in Chinese
}

// sentences are the headings of columns that contain sentences rather than values.
var sentences = map[string]bool{
	"Check": true, "Detail": true, "Needs trust": true, "Problem": true, "Refused": true, "What": true, "What to do": true, "Why": true,
}

// smallest is the minimum width of a column, in characters of a terminal.
const smallest = 8

// gap separates two columns.
const gap = 2

// Print writes the table. On a terminal it fits the width: texts in the last column are
// wrapped, those in other columns are truncated with "…". Otherwise nothing is truncated.
func (t Table) Print(out io.Writer) {
	w := table.NewWriter()
	w.SetStyle(table.StyleLight)
	w.Style().Options = table.OptionsNoBordersAndSeparators
	headings := make(table.Row, len(t.Headings))
	for i, h := range t.Headings {
		headings[i] = h
		if chinese, ok := ChineseHeadings()[fmt.Sprint(h)]; ok && t.Chinese {
			headings[i] = chinese
		}
	}
	w.AppendHeader(headings)
	for _, r := range t.Rows {
		for i, cell := range r {
			r[i] = t.say(t.Headings[i].(string), cell)
		}
		w.AppendRow(r)
	}
	if width := TerminalWidth(out); width > 0 {
		w.SetColumnConfigs(fit(headings, t.Rows, width))
	}
	for line := range strings.Lines(w.Render() + "\n") { // the writer also pads the last column
		fmt.Fprintln(out, strings.TrimRight(line, " \n"))
	}
}

// say returns the text of a cell, translated if it is a code, a list of codes or a sentence.
func (t Table) say(heading string, cell any) any {
	if codes, ok := cell.([]string); ok {
		words := make([]string, len(codes))
		for i, code := range codes {
			words[i] = fmt.Sprint(t.say(heading, code))
		}
		if t.Chinese {
			return strings.Join(words, "、")
		}
		return strings.Join(words, ", ")
	}
	english := fmt.Sprint(cell)
	if t.Chinese {
		if chinese := Code(heading, english); chinese != english {
			return chinese
		}
	}
	switch {
	case !sentences[heading]:
		return cell
	case t.Chinese:
		return Chinese(english)
	}
	return plural.English(english)
}

// fit narrows the widest columns until a row fits the width.
func fit(headings table.Row, rows [][]any, width int) []table.ColumnConfig {
	widths := make([]int, len(headings))
	for _, row := range append([][]any{headings}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], text.LongestLineLen(fmt.Sprint(cell)))
		}
	}
	sum := 0
	for _, w := range widths {
		sum += w + gap
	}
	var configs []table.ColumnConfig
	for ; sum > width; sum-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= smallest {
			break // there are too many columns
		}
		widths[widest]--
	}
	for i, w := range widths {
		enforcer := text.WrapSoft
		if i < len(widths)-1 {
			enforcer = func(s string, most int) string { return runewidth.Truncate(s, most, "…") }
		}
		configs = append(configs, table.ColumnConfig{Number: i + 1, WidthMax: w, WidthMaxEnforcer: enforcer})
	}
	return configs
}

// Screen is a terminal on another machine, with its width in characters.
type Screen struct {
	io.Writer
	Columns int // 0 means no terminal
}

// TerminalWidth returns the width of the terminal behind out, in characters; 0 if out
// is not a terminal. COLUMNS overrides it, as in other programs.
func TerminalWidth(out io.Writer) int {
	if s, ok := out.(Screen); ok {
		return s.Columns
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	f, ok := out.(*os.File)
	if !ok {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return n
}

// Output says how results are written.
type Output struct {
	JSON    bool
	Chinese bool // headings in Chinese, and cells as far as they are translated
}

// PrintRows writes rows as JSON lines, or as a table with these headings.
func PrintRows[T any](o Output, cmd *cobra.Command, headings []any, rows []T, cells func(T) []any) error {
	out := cmd.OutOrStdout()
	if o.JSON {
		for _, r := range rows {
			if err := WriteJSON(out, r); err != nil {
				return err
			}
		}
		return nil
	}
	t := Table{Headings: headings, Chinese: o.Chinese}
	for _, r := range rows {
		t.Rows = append(t.Rows, cells(r))
	}
	t.Print(out)
	return nil
}

// Clip truncates a text to n characters.
func Clip(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}
