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
	maxOthers   = 8
	minOther    = 0.2  // minimum share of the weight of the chosen list
	minNamed    = 0.02 // minimum share for a list with a heading in the main part: 4 rows next to 20
	minEqual    = 0.7  // minimum share for a list that could have been chosen as well
	maxHeadings = 20   // maximum length of the heading of a list, in characters
	maxCompared = 200  // lists that are examined
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

// others returns the other lists of a page that have at least this share of the weight of
// the best, heaviest first.
func others(best *candidate, all []*candidate, least float64) []*candidate {
	var near []*candidate
	for _, c := range all {
		if c != best && c.bare == best.bare && c.score > least*best.score {
			near = append(near, c)
		}
	}
	slices.SortStableFunc(near, func(a, b *candidate) int { return cmp.Compare(b.score, a.score) })
	taken := []*candidate{best}
	for _, c := range near[:min(len(near), maxCompared)] {
		if len(taken) > maxOthers {
			break
		}
		if !slices.ContainsFunc(taken, c.overlaps) {
			taken = append(taken, c)
		}
	}
	return taken[1:]
}

// overlaps reports whether one of two candidates contains a container of the other.
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

// offer reports the other lists of the page whose weight is similar to that of the chosen
// one, or that have a heading in its main part.
func (f *finder) offer(all []*candidate, weight float64, found *Found) {
	known := make(map[string]bool)
	for _, r := range found.Rows {
		known[r.Href] = true
	}
	for _, c := range all {
		if c.score <= minOther*weight && (!f.isMain(c) || f.headingOf(c.containers[0]) == "") {
			continue
		}
		var examples []string
		for _, s := range c.rows {
			if !known[s.href] {
				examples = append(examples, textOrTitle(s.link))
			}
		}
		if len(examples) < minRows {
			continue
		}
		name := elementName(c.containers[0])
		if heading := f.headingOf(c.containers[0]); heading != "" {
			name = heading + " (" + name + ")"
		}
		for range examples {
			found.Dropped.Add(Another, name, examples[0])
		}
	}
}

// toMore matches the link to the rest of a list, which is next to its heading.
var toMore = lazyregexp.New(`(?i)^\W*more\W+|[\s\[【(（]*(?:查看|了解)?(?:更多|more)[^\p{Han}]*$|[\s>»+]+$`)

// headingOf returns the heading directly before a container, or before an ancestor; "" if
// there is none.
func (f *finder) headingOf(n *html.Node) string {
	for up := 0; n != nil && n.Type == html.ElementNode && up < maxUp; n, up = n.Parent, up+1 {
		before := n.PrevSibling
		for before != nil && (before.Type != html.ElementNode || isUnseen(before)) {
			before = before.PrevSibling
		}
		if before == nil {
			continue
		}
		text := strings.TrimSpace(toMore.ReplaceAllString(textOf(before, 200, ' '), ""))
		if in := f.seen[before]; in == nil || in.runes > maxNear || isNested(before) || letters(text) < minShort || len([]rune(text)) > maxHeadings || len(when.Find(text, f.clock)) > 0 {
			return ""
		}
		return text
	}
	return ""
}
