package list

import (
	"slices"

	"golang.org/x/net/html"
)

// Limits on the sections of a page that are read as one list.
const (
	maxSection  = 12 // rows of one section
	maxSections = 20
)

// sections returns the list that the sections of a page form together: short lists with the
// same structure in the same place, each with its own heading, as on the page of a column
// with subcolumns. Pages with a pager do not count, because they have one list; nor do
// start pages, because they repeat what other pages list in full.
func (f *finder) sections(best *candidate) *candidate {
	if f.paged || best.bare || len(best.containers) > 1 || f.own.isRoot() || f.isNamed(best) || !f.isSection(best) {
		return nil
	}
	var most []*candidate
	for _, group := range f.groups {
		if len(group) <= len(most) || len(group) > maxSections || !slices.ContainsFunc(group, func(c *candidate) bool { return c.containers[0] == best.containers[0] }) {
			continue
		}
		group = slices.DeleteFunc(slices.Clone(group), func(c *candidate) bool {
			return isHidden(c.containers[0]) || f.isBox(c.containers[0]) || len(c.rows) < minRows && !c.isDated()
		})
		if len(group) > len(most) && !slices.ContainsFunc(group, func(c *candidate) bool { return !f.isSection(c) }) {
			most = group
		}
	}
	if len(most) < 2 {
		return nil
	}
	whole := &candidate{score: best.score}
	headings := make(map[string]bool)
	mine := f.inFolder(best) > 0
	for _, c := range most {
		heading := f.headingOf(c.containers[0])
		if headings[heading] || mine != (f.inFolder(c) > 0) {
			return nil // not all sections belong to the page
		}
		headings[heading] = true
		whole.parts = append(whole.parts, heading)
		whole.containers = append(whole.containers, c.containers[0])
		whole.rows = append(whole.rows, c.rows...)
		whole.dated += c.dated
	}
	return whole
}

// isSection reports whether a list is short, dated, in the main part of the page, and has a heading.
func (f *finder) isSection(c *candidate) bool {
	if name, _ := f.tabOf(c.containers[0]); name != "" {
		return false // only one panel is shown
	}
	return len(c.rows) <= maxSection && c.isDated() && f.side(c.containers[0]) == 1 && f.headingOf(c.containers[0]) != ""
}

// firstPanel returns the first visible list of those that tabs switch between.
func (f *finder) firstPanel(best *candidate, all []*candidate) *candidate {
	if len(best.containers) > 1 || best.bare {
		return best
	}
	for _, n := range f.panels[best.containers[0]] {
		if up := n.Parent; isHidden(n) || up != nil && isHidden(up) {
			continue
		}
		for _, c := range all {
			if len(c.containers) == 1 && c.containers[0] == n && !c.bare && c.score > 0 {
				return c
			}
		}
	}
	return best
}

// tabs reports whether the containers of a group are the panels of tabs: each is in one of
// several consecutive elements, and as many short names precede these.
func (f *finder) tabs(under *html.Node, members []*candidate) bool {
	var first, last *html.Node
	for _, c := range members {
		panel := c.containers[0]
		for panel != nil && panel.Parent != under {
			panel = panel.Parent
		}
		if panel == nil || panel == last {
			return false
		}
		if first == nil {
			first = panel
		} else if nextElement(last) != panel {
			return false
		}
		last = panel
	}
	head := previousElement(first)
	if head == nil && under.Data != "body" {
		head = previousElement(under)
	}
	return head != nil && f.headNames(head, len(members)) != nil && f.side(head) == 1
}

// areTabs reports whether two containers are panels of the same tabs.
func (f *finder) areTabs(a, b *candidate) bool {
	x, y := f.panels[a.containers[0]], f.panels[b.containers[0]]
	return len(x) > 0 && len(y) > 0 && x[0] == y[0]
}

// headNames returns the names of which an element consists, if they are as many as given
// and short: they are its elements, or those of a list nested in it. nil for others.
func (f *finder) headNames(head *html.Node, count int) []string {
	for range maxUp {
		var inner []*html.Node
		var names []string
		long := false
		for c := head.FirstChild; c != nil; c = c.NextSibling {
			in := f.seen[c]
			if in == nil || c.Type != html.ElementNode || in.runes == 0 {
				continue
			}
			if name := textOf(c, 200, ' '); letters(name) > 0 { // else a line between names
				inner, names = append(inner, c), append(names, name)
				long = long || in.runes > maxHead
			}
			if len(inner) > maxSections {
				return nil
			}
		}
		if len(inner) == 0 {
			return nil
		}
		if len(inner) == count && !long && count > 1 {
			return names
		}
		if len(inner) > 1 && !isNested(inner[0]) {
			return nil
		}
		head = inner[0]
	}
	return nil
}

func nextElement(n *html.Node) *html.Node {
	for n = n.NextSibling; n != nil && (n.Type != html.ElementNode || isUnseen(n)); n = n.NextSibling {
	}
	return n
}

func previousElement(n *html.Node) *html.Node {
	for n = n.PrevSibling; n != nil && (n.Type != html.ElementNode || isUnseen(n)); n = n.PrevSibling {
	}
	return n
}
