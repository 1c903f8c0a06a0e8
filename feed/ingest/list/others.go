package list

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/policy/when"
)

// Limits on the other lists of a page that are reported.
const (
	maxOthers    = 16
	minOther     = 0.2  // minimum weight, as a share of the weight of the list that is read
	minNamed     = 0.02 // the same for a list with a heading in the main part: 4 rows next to 20
	minEqual     = 0.7  // the same for a list that dibao could read instead
	minNamedRows = 3    // minimum rows of an undated list with a heading, if the page has a dated list
	maxHeadings  = 20   // characters of the heading of a list
	maxCompared  = 200  // lists that are looked at
)

// firstOfEqual returns the first of several lists with the same weight: sections of the
// start page of an agency may have equally many rows. A page with a pager has one list.
func (f *finder) firstOfEqual(best *candidate, all []*candidate) *candidate {
	if f.paged || best.bare || len(best.containers) > 1 {
		return best
	}
	for _, c := range all {
		if c == best {
			break // in the order of the page
		}
		if !c.bare && len(c.containers) == 1 && c.score >= minEqual*best.score && len(c.rows) == len(best.rows) && c.dated == best.dated &&
			f.side(c.containers[0]) == 1 && !f.isBox(c.containers[0]) && !c.overlaps(best) {
			return c
		}
	}
	return best
}

// others returns the other lists of a page that have at least this part of the weight of
// the best, the heaviest first. Of a list that joins lists with different headings, it
// returns those lists instead.
func (f *finder) others(best *candidate, all []*candidate, least float64) []*candidate {
	var near []*candidate
	for _, c := range all {
		if c != best && (c.bare == best.bare && c.score > least*best.score || c.bare && f.isNamedPart(c)) {
			near = append(near, c)
		}
	}
	slices.SortStableFunc(near, func(a, b *candidate) int { return cmp.Compare(b.score, a.score) })
	taken := []*candidate{best}
	for _, c := range near[:min(len(near), maxCompared)] {
		if len(taken) > maxOthers {
			break
		}
		if !slices.ContainsFunc(taken, c.overlaps) && !f.hasManyHeadings(c) {
			taken = append(taken, c)
		}
	}
	return taken[1:]
}

// hasManyHeadings reports whether the containers of a list have different headings.
func (f *finder) hasManyHeadings(c *candidate) bool {
	first := ""
	for _, n := range c.containers[:min(len(c.containers), maxSections)] {
		heading := f.headingOf(n)
		if heading != "" && first != "" && heading != first {
			return true
		}
		first = cmp.Or(first, heading)
	}
	return false
}

// isNamedPart reports whether a list has a heading, is in the main part of the page and
// leads to articles, with or without dates.
func (f *finder) isNamedPart(c *candidate) bool {
	return len(c.rows) >= minNamedRows && f.isInMain(c) && !isMenu(c.hrefs()) && f.headingOf(c.containers[0]) != ""
}

func (c *candidate) hrefs() []string {
	all := make([]string, len(c.rows))
	for i, r := range c.rows {
		all[i] = r.href
	}
	return all
}

// overlaps reports whether one of two candidates holds a container of the other.
func (c *candidate) overlaps(x *candidate) bool {
	if x.own == nil {
		x.own, x.around = make(map[*html.Node]bool), make(map[*html.Node]bool)
		for _, n := range x.containers {
			x.own[n] = true
			for ; n != nil && !x.around[n]; n = n.Parent {
				x.around[n] = true
			}
		}
	}
	for _, n := range c.containers {
		if x.around[n] {
			return true
		}
		for ; n != nil; n = n.Parent {
			if x.own[n] {
				return true
			}
		}
	}
	return false
}

// offer records which other lists of the page came close to the weight of the one that was
// taken, or have a heading in its main part.
func (f *finder) offer(all []*candidate, weight float64, found *Found) {
	known := make(map[string]bool)
	for _, r := range found.Rows {
		known[r.Href] = true
	}
	for _, c := range all {
		if c.score <= minOther*weight && !f.isNamedPart(c) || c.bare && !found.Bare && !f.isNamedPart(c) {
			continue
		}
		heading := f.headingOf(c.containers[0])
		name := elementName(c.containers[0])
		if heading != "" {
			name = heading + " (" + name + ")"
		}
		other := Other{Name: cmp.Or(heading, name), Containers: c.containers}
		for _, s := range c.rows {
			if !known[s.href] {
				other.Rows = append(other.Rows, s.node)
				other.Title = cmp.Or(other.Title, textOrTitle(s.link))
			}
		}
		if len(other.Rows) < minRows {
			continue
		}
		found.Others = append(found.Others, other)
		for range other.Rows {
			found.Dropped.Add(Another, name, other.Title)
		}
	}
}

// toMore is the link to the rest of a list, which is next to its heading.
var toMore = lazyregexp.New(`(?i)^\W*more\W+|^[\s\[【(（]*(?:查看|了解)?更多[^\p{Han}]*|[\s\[【(（]*(?:查看|了解)?(?:更多|more)[^\p{Han}]*$|[\s>»+]+$`)

// maxBefore is how many elements without text are passed over before a heading: a picture, a link to more.
const maxBefore = 4

// headingOf returns the heading right before a container, or before what holds it, or the
// name of the tab that shows it; "" for none.
func (f *finder) headingOf(n *html.Node) string {
	if name, _ := f.tabOf(n); name != "" {
		return name
	}
	for up := 0; n != nil && n.Type == html.ElementNode && up < maxUp; n, up = n.Parent, up+1 {
		before, text := previousElement(n), ""
		for range maxBefore {
			if before == nil {
				break
			}
			if text = once(toMore.ReplaceAllString(textOf(before, 200, ' '), "")); letters(text) > 0 {
				break
			}
			before = previousElement(before)
		}
		if before == nil {
			continue
		}
		if in := f.seen[before]; in == nil || in.runes > maxNear || isNested(before) && before.Data != "table" || letters(text) < minShort || len([]rune(text)) > maxHeadings || len(when.Find(text, f.clock)) > 0 {
			return ""
		}
		return text
	}
	return ""
}

// once returns a heading that is printed twice, for narrow and wide screens, once.
func once(heading string) string {
	words := strings.Fields(heading)
	if half := len(words) / 2; half > 0 && slices.Equal(words[:half], words[half:]) {
		words = words[:half]
	}
	return strings.Join(words, " ")
}

// maxPanelSteps is how many nodes are searched for the panels of tabs.
const maxPanelSteps = 2 * maxSections

// tabOf returns the name of the tab that shows a container, and the element that holds the
// panels of the tabs; "" for none. Nothing precedes a container in its panel.
func (f *finder) tabOf(n *html.Node) (name string, tabs *html.Node) {
	for up := 0; n.Parent != nil && n.Parent.Type == html.ElementNode && up < maxUp; n, up = n.Parent, up+1 {
		var panels []*html.Node
		at := -1
		for x, steps := n.Parent.FirstChild, 0; x != nil && steps < maxPanelSteps; x, steps = x.NextSibling, steps+1 {
			if x == n {
				at = len(panels)
			}
			if x.Type == html.ElementNode && x.Data == n.Data {
				panels = append(panels, x)
			}
		}
		if at >= 0 && len(panels) > 1 {
			head := previousElement(panels[0])
			if head == nil && n.Parent.Data != "body" {
				head = previousElement(n.Parent)
			}
			if name := f.tabName(head, at, len(panels)); name != "" {
				return name, n.Parent
			}
			if name := f.tabName(panels[0], at-1, len(panels)-1); name != "" {
				return name, n.Parent
			}
		}
		if before := previousElement(n); before != nil && f.seen[before] != nil && f.seen[before].runes > 0 {
			break
		}
	}
	return "", nil
}

// tabName returns the name at a place in the head of tabs with this many panels; "" if the
// element is not such a head.
func (f *finder) tabName(head *html.Node, at, panels int) string {
	if head == nil || at < 0 || panels < 2 || f.side(head) < 1 {
		return ""
	}
	names := f.headNames(head, panels)
	if names == nil {
		return ""
	}
	return once(names[at])
}
