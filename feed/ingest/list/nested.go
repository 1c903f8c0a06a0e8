package list

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// unfold replaces a row that has no title of its own with the rows of the list or table
// inside it: pinned items in their own table, or a table that was closed too early.
func (f *finder) unfold(c *candidate) {
	if c.bare || c.fixed {
		return
	}
	var rows []segment
	for _, s := range c.rows {
		if f.seen[s.node].links < 2 || !isWithinNested(s.node, s.link) {
			rows = append(rows, s)
			continue
		}
		var inner []segment
		for _, n := range f.innerRows(s.node) {
			if x := f.segment(n); x.isDated() {
				inner = append(inner, x)
			}
		}
		if len(inner) < minRows || len(inner) < f.seen[s.node].links {
			inner = []segment{s}
		}
		rows = append(rows, inner...)
	}
	c.rows = rows
}

// innerRows returns the largest elements in n that contain one title each.
func (f *finder) innerRows(n *html.Node) []*html.Node {
	switch in := f.seen[n]; {
	case in == nil || in.links == 0:
		return nil
	case in.links == 1:
		return []*html.Node{n}
	}
	var all []*html.Node
	for x := n.FirstChild; x != nil; x = x.NextSibling {
		all = append(all, f.innerRows(x)...)
	}
	return all
}

// isWithinNested reports whether a link is in a list or table inside its row.
func isWithinNested(row, link *html.Node) bool {
	if link == nil || link == row {
		return false
	}
	for n := link.Parent; n != nil && n != row; n = n.Parent {
		if isNested(n) {
			return true
		}
	}
	return false
}

// dropMenus removes undated rows of a dated list if all of their links are in a list inside
// them: filters in the head of a table.
func (found *Found) dropMenus() {
	found.dropUndated(Menu, func(r Row) bool { return isWithinNested(r.Node, r.Link) })
}

// dropHeadings removes rows that are only a short link without a date, if all such rows
// have one shape that no row with a date has, and each directly precedes one with a date:
// the headings of the columns whose articles are listed.
func (f *finder) dropHeadings(found *Found) {
	heads := make(map[string]bool)
	for i, r := range found.Rows {
		name := shape(r.Node)
		isHead := r.From == "" && letters(r.Title) <= maxHead && f.seen[r.Node].runes <= visible(r.Title) &&
			i+1 < len(found.Rows) && (found.Rows[i+1].From != "" || shape(found.Rows[i+1].Node) == name)
		if known, ok := heads[name]; !ok || known {
			heads[name] = isHead
		}
	}
	found.dropUndated(Heading, func(r Row) bool { return heads[shape(r.Node)] })
}

// dropUndated removes the rows without a date for which isMeant is true, if others have a
// date.
func (found *Found) dropUndated(why Reason, isMeant func(r Row) bool) {
	dated := 0
	for _, r := range found.Rows {
		if r.From != "" {
			dated++
		}
	}
	var rest []Row
	for _, r := range found.Rows {
		if r.From == "" && isMeant(r) && dated > 0 {
			found.Dropped.Add(why, "", r.Title)
			continue
		}
		rest = append(rest, r)
	}
	found.Rows = rest
}

// maxOutline is the maximum number of elements of a row in its outline.
const maxOutline = 40

// adopt adds the rows of tables that were closed too early: rows with the same structure as
// those of the list, directly before its first row or after its last one. A row that
// contains such rows does not count.
func (f *finder) adopt(c *candidate) {
	if c.bare || c.fixed || len(c.rows) < minRows || c.rows[0].node.Data != "tr" {
		return
	}
	known := make(map[*html.Node]bool, len(c.rows))
	for _, r := range c.rows {
		known[r.node] = true
	}
	root := c.rows[0].node
	for root.Parent != nil {
		root = root.Parent
	}
	like := outline(c.rows[len(c.rows)/2].node)
	from := slices.IndexFunc(c.rows, func(r segment) bool { return outline(r.node) == like })
	first, last := c.rows[from].node, c.rows[len(c.rows)-1].node
	var before, after []segment
	passed := false
	for n := range root.Descendants() {
		switch in := f.seen[n]; {
		case known[n]:
			passed = passed || n == first
		case in == nil || n.Data != "tr" || in.links != 1 || !f.isRow(n) || outline(n) != like:
		case !passed:
			before = append(before, f.segment(n))
		case !f.parts(last, n):
			last = n
			after = append(after, f.segment(n))
		}
	}
	for i := len(before) - 1; i >= 0; i-- {
		if f.parts(before[i].node, first) {
			before = before[i+1:]
			break
		}
		first = before[i].node
	}
	head := slices.DeleteFunc(c.rows[:from:from], func(r segment) bool {
		return slices.ContainsFunc(before, func(x segment) bool { return holds(r.node, x.node) })
	})
	c.rows = slices.Concat(head, before, c.rows[from:], after)
}

// outline returns the names of the elements in a row.
func outline(row *html.Node) string {
	var b strings.Builder
	n := 0
	for d := range row.Descendants() {
		if d.Type == html.ElementNode {
			b.WriteString(shape(d))
			b.WriteByte('>')
			if n++; n > maxOutline {
				break
			}
		}
	}
	return b.String()
}
