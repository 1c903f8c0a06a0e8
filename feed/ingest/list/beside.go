package list

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"dibao/internal/markup"
	"dibao/policy/when"
)

// maxNear is the maximum length, in characters, of an element that consists of a date and
// its label.
const maxNear = 30

// note is a short text without a link that is between rows.
type note struct {
	gap   int // rows before it
	text  string
	dates []when.When
}

// neighbors assigns the short texts between the rows of a container to the rows: the date
// of each row (dt and dd, or date and link side by side), or a heading (2026年11月) that
// applies to all rows below it.
func (f *finder) neighbors(n *html.Node, c *candidate) {
	notes := f.notes(n, c)
	f.above(n, c)
	f.spanned(c)
	filled := make([]*note, len(c.rows)+1)
	for i := range notes {
		if x := &notes[i]; hasDate(x.dates) && filled[x.gap] == nil {
			filled[x.gap] = x
		}
	}
	inside, rows := 0, len(c.rows)
	for _, x := range filled[1:rows] {
		if x != nil {
			inside++
		}
	}
	switch {
	case rows == 1 && filled[1] != nil, rows > 1 && filled[rows] != nil && inside*5 >= (rows-1)*4:
		for i := range c.rows {
			c.rows[i].take(filled[i+1])
		}
		return
	case rows > 1 && filled[0] != nil && inside*5 >= (rows-1)*4:
		for i := range c.rows {
			c.rows[i].take(filled[i])
		}
		return
	}
	if n.Data == "tr" || n.Data == "li" {
		return // text in a row is not a heading of rows
	}
	for _, x := range notes { // it is a heading
		for i := x.gap; i < rows; i++ {
			c.rows[i].under(x)
		}
	}
}

// spanned assigns the date in a cell that spans several rows to these rows.
func (f *finder) spanned(c *candidate) {
	var dates []when.When
	left := 0
	for i := range c.rows {
		s := &c.rows[i]
		if s.node.Data != "tr" {
			return
		}
		if left > 0 && !hasDate(s.dates) {
			s.near = dates
		}
		left--
		for cell := s.node.FirstChild; cell != nil; cell = cell.NextSibling {
			n, err := strconv.Atoi(markup.Attr(cell, "rowspan"))
			if in := f.seen[cell]; err != nil || n < 2 || in == nil || in.any || in.runes > maxNear {
				continue
			}
			if all := when.Find(textOf(cell, 400, ' '), f.clock); hasDate(all) {
				dates, left = all, n-1
			}
		}
	}
}

func (s *segment) take(x *note) {
	if x != nil {
		s.near = x.dates
	}
}

// maxBesideDay is the maximum number of bytes of Chinese characters next to the day in a
// heading: 星期五.
const maxBesideDay = 4 * 3

func onlyHan(r rune) rune {
	if r >= 0x4E00 && r < 0xA000 {
		return r
	}
	return -1
}

// under assigns a heading to a row.
func (s *segment) under(x note) {
	for _, w := range x.dates {
		if w.Day > 0 && len(strings.Map(onlyHan, strings.Replace(x.text, w.Text, "", 1))) > maxBesideDay {
			continue // a line with a date: 某局主办 2024-01-01
		}
		if w.Year > 0 || w.Month > 0 && strings.Contains(w.Text, "月") {
			s.above, s.head = s.above.With(w), x.text
			return
		}
	}
}

// notes returns the short texts between the rows of a container.
func (f *finder) notes(n *html.Node, c *candidate) []note {
	var all []note
	gap := 0
	for x := n.FirstChild; x != nil; x = x.NextSibling {
		if gap < len(c.rows) && x == c.rows[gap].node {
			gap++
			continue
		}
		if text, ok := f.short(x); ok {
			if dates := when.Find(text, f.clock); len(dates) > 0 {
				all = append(all, note{gap, text, dates})
			}
		}
	}
	return all
}

// short returns the text of a node if it is short and contains no link.
func (f *finder) short(n *html.Node) (string, bool) {
	switch n.Type {
	case html.TextNode:
		if len(n.Data) > 400 {
			return "", false
		}
	case html.ElementNode:
		if in := f.seen[n]; in == nil || in.runes > maxNear || in.any {
			return "", false
		}
	default:
		return "", false
	}
	text := textOf(n, 400, ' ')
	return text, text != "" && utf8.RuneCountInString(text) <= maxNear
}

// maxUp is the maximum number of levels between a container and its heading.
const maxUp = 3

// above returns a heading with a date directly before a container, or before an element
// that contains only it.
func (f *finder) above(n *html.Node, c *candidate) {
	for up := 0; n != nil && up < maxUp; n, up = n.Parent, up+1 {
		before := n.PrevSibling
		for before != nil && (before.Type != html.ElementNode || isUnseen(before)) {
			before = before.PrevSibling
		}
		if before == nil {
			continue
		}
		if text, ok := f.short(before); ok {
			x := note{text: text, dates: when.Find(text, f.clock)}
			for i := range c.rows {
				c.rows[i].under(x)
			}
		}
		return
	}
}
