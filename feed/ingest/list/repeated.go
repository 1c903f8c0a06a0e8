package list

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"dibao/internal/markup"
	"dibao/policy/when"
)

// place is where containers of one kind repeat: below the same element, by the same path.
type place struct {
	under *html.Node
	path  string
}

// maxLevels is how many levels above a container the repeating element is
// searched for.
const maxLevels = 5

// maxSteps limits the nodes between repeated containers that are examined.
const maxSteps = 200000

// repeated joins containers that repeat: several ul in a row, one dl for each month.
// Containers that a heading other than a date separates are different lists.
func (f *finder) repeated(root *html.Node, single map[*html.Node]*candidate) []*candidate {
	groups := make(map[place][]*candidate)
	var order []place
	for n := range root.Descendants() {
		c := single[n]
		if c == nil || isHidden(n) {
			continue
		}
		path := shape(n)
		for up, level := n.Parent, 0; up != nil && up.Type == html.ElementNode && level < maxLevels; up, level = up.Parent, level+1 {
			at := place{up, path}
			if groups[at] == nil {
				order = append(order, at)
			}
			groups[at] = append(groups[at], c)
			path = shape(up) + ">" + path
			if isHidden(up) {
				break
			}
		}
	}
	var all []*candidate
	for _, at := range order {
		members := groups[at]
		if len(members) < 2 {
			continue
		}
		if f.tabs(at.under, members) {
			f.keepPanels(members)
			continue
		}
		f.groups = append(f.groups, members)
		all = append(all, f.join(members)...)
	}
	return all
}

// keepPanels records the panels of tabs.
func (f *finder) keepPanels(members []*candidate) {
	if f.panels == nil {
		f.panels = make(map[*html.Node][]*html.Node)
	}
	nodes := make([]*html.Node, len(members))
	for i, c := range members {
		nodes[i] = c.containers[0]
	}
	for _, n := range nodes {
		f.panels[n] = nodes
	}
}

// join returns candidates of containers that repeat: a run ends where something separates
// two of them.
func (f *finder) join(members []*candidate) []*candidate {
	var all []*candidate
	run := &candidate{}
	flush := func() {
		if len(run.containers) > 1 && len(run.rows) >= minRows {
			all = append(all, run)
		}
		run = &candidate{}
	}
	for i, c := range members {
		if i > 0 && (!inOneFolder(members[i-1], c) && f.parts(members[i-1].containers[0], c.containers[0]) || !alike(members[i-1], c) || f.areTabs(members[i-1], c)) {
			flush()
		}
		run.containers = append(run.containers, c.containers[0])
		run.rows = append(run.rows, c.rows...)
	}
	flush()
	return all
}

// inOneFolder reports whether all rows of two containers lead to numbered pages
// in the folder of the page and have no date: the sections of a gazette issue.
func inOneFolder(a, b *candidate) bool {
	name, rows := "", 0
	for _, c := range []*candidate{a, b} {
		for _, r := range c.rows {
			href := strings.TrimPrefix(r.href, "./")
			own := strings.Trim(strings.Map(withoutDigit, href), " ")
			if strings.ContainsAny(href, "/?#") || own == href || r.isDated() || name != "" && own != name {
				return false
			}
			name = own
			rows++
		}
	}
	return rows > 0
}

func withoutDigit(r rune) rune {
	if r >= '0' && r <= '9' {
		return -1
	}
	return r
}

// alike reports whether two containers contain rows of one list: both have dates or both
// have none, and their addresses are not in two different columns.
func alike(a, b *candidate) bool {
	x, nx := a.form()
	y, ny := b.form()
	if nx > 1 && ny > 1 && x != "" && y != "" && x != y {
		return false
	}
	return a.isDated() == b.isDated()
}

func (c *candidate) isDated() bool {
	n := 0
	for _, r := range c.rows {
		if r.isDated() {
			n++
		}
	}
	return n*2 >= len(c.rows)
}

// form returns the form that all addresses of a container have, "" if they differ.
func (c *candidate) form() (string, int) {
	for _, r := range c.rows {
		if r.form != c.rows[0].form {
			return "", len(c.rows)
		}
	}
	return c.rows[0].form, len(c.rows)
}

// parts reports whether a heading that is not a date is between two containers.
func (f *finder) parts(a, b *html.Node) bool {
	for n := nextOutside(a); n != nil && n != b; {
		if f.steps--; f.steps < 0 {
			return true
		}
		switch {
		case holdsNear(n, b):
			n = n.FirstChild
			continue
		case n.Type == html.TextNode && letters(n.Data) > 1 && !isDateText(n.Data, f.clock):
			return true
		case n.Type == html.ElementNode && !isUnseen(n):
			if f.seen[n].links > 0 {
				return true // another list
			}
			if text := textOf(n, 200, ' '); letters(text) > 1 && !isDateText(text, f.clock) {
				return true
			}
		}
		n = nextOutside(n)
	}
	return false
}

// holdsNear reports whether n contains x at most maxLevels deeper.
func holdsNear(n, x *html.Node) bool {
	for level := 0; x != nil && level <= maxLevels; x, level = x.Parent, level+1 {
		if x == n {
			return true
		}
	}
	return false
}

// isDateText reports whether a text is a date or a month: the heading of rows.
func isDateText(s string, c when.Clock) bool {
	if utf8.RuneCountInString(strings.TrimSpace(s)) > maxNear {
		return false
	}
	for _, w := range when.Find(s, c) {
		if w.Year > 0 || w.Month > 0 || w.Day > 0 && !w.Weak {
			return true
		}
	}
	return false
}

// nextOutside returns the next node in the order of the document that is not in n.
func nextOutside(n *html.Node) *html.Node {
	for ; n != nil; n = n.Parent {
		if n.NextSibling != nil {
			return n.NextSibling
		}
	}
	return nil
}

// shape identifies an element by its tag and classes; classes of single
// elements (first, odd, post-123) do not count.
func shape(n *html.Node) string {
	var b strings.Builder
	b.WriteString(n.Data)
	for class := range strings.FieldsSeq(markup.Attr(n, "class")) {
		switch strings.ToLower(class) {
		case "first", "last", "odd", "even", "on", "cur", "current", "active", "line", "top", "l", "r", "left", "right", "fl", "fr", "show", "open", "collapsed", "selected":
			continue
		}
		if !endsInNumber(class) {
			b.WriteByte('.')
			b.WriteString(class)
		}
	}
	return b.String()
}

func endsInNumber(class string) bool {
	return class[len(class)-1] >= '0' && class[len(class)-1] <= '9'
}
