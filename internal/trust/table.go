package trust

import (
	"fmt"
	"slices"
	"strings"
)

// Row is a row of the table in docs/trust.md.
type Row struct {
	Name    string // as tests report it
	Limit   string // the limit in words
	Figure  string // the last measurement
	Command string // reproduces the figure, without DIBAO_LONG=1
}

// Table reads the rows of a Markdown document whose cells are name, limit,
// figure and a command in backticks. Tables of another form are skipped.
func Table(document string) ([]Row, error) {
	var rows []Row
	for n, line := range strings.Split(document, "\n") {
		cells, ok := rowCells(line)
		if !ok {
			continue
		}
		row := Row{cells[0], cells[1], cells[2], strings.Trim(cells[3], "`")}
		if slices.ContainsFunc(rows, func(r Row) bool { return r.Name == row.Name }) {
			return nil, fmt.Errorf("line %d: a row named %q already exists", n+1, row.Name)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Update writes figures, by name, into the rows of a document.
func Update(document string, figures map[string]string) string {
	lines := strings.Split(document, "\n")
	for n, line := range lines {
		cells, ok := rowCells(line)
		if figure := figures[first(cells)]; ok && figure != "" {
			cells[2] = figure
			lines[n] = "| " + strings.Join(cells, " | ") + " |"
		}
	}
	return strings.Join(lines, "\n")
}

// rowCells splits a row of the table whose last cell is a command.
func rowCells(line string) (cells []string, ok bool) {
	inner, ok := strings.CutPrefix(strings.TrimSpace(line), "|")
	if !ok {
		return nil, false
	}
	cells = strings.Split(strings.TrimSuffix(inner, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells, len(cells) == 4 && strings.HasPrefix(cells[3], "`go ")
}

func first(cells []string) string {
	if len(cells) == 0 {
		return ""
	}
	return cells[0]
}
