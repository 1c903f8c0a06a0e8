// Package list finds the list of articles on a page: the one element whose rows
// each contain a link that is long enough to be a title and, if the page prints
// them, a date.
//
// Every element is a candidate container. Only the content of its direct rows counts. Class
// names do not count, except that the usual names of menus and footers lower the score of a
// candidate. All rows of the container that is found belong to the list, whatever their
// class, with or without a date; nothing outside it does. Containers that repeat (one ul
// for each five rows, one dl for each month) count as one.
//
// The time grows linearly with the size of the page.
package list

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"dibao/policy/when"
)

// Row is one row of a list.
type Row struct {
	Node  *html.Node
	Link  *html.Node
	Href  string // as written, not resolved
	Title string
	Date  when.When // On is the zero Date if the row does not state a complete date
	From  string    // what stated the date: a label, a column head, a heading, an element; "" if nothing did
	alone when.When // the best of its dates that are the whole text of an element
}

// Found is the list of a page.
type Found struct {
	Rows       []Row
	Containers []*html.Node // the elements that contain the rows
	Dropped    Drops
	Bare       bool // no row has a date, neither printed nor in its address
	Others     []Other
}

// Other is another list of a page, which was not taken.
type Other struct {
	Name       string // its heading, else its element
	Title      string // title of its first row
	Rows       []*html.Node
	Containers []*html.Node
}

// Find returns the list of a page, or the zero Found if the page has none. The argument at is
// the address of the page, nil if it is unknown. The page must not be nested deeper than recursion can handle; see
// Unfold for the required preparation.
func Find(root *html.Node, at *url.URL, c when.Clock) Found {
	self := ownOf(root, at)
	f := newFinder(root, c, minTitle)
	f.own = self
	best, next := f.best(f.candidates(root))
	if best == nil || best.dated < 3*minShortRows {
		// Lists of laws have short titles, such as 预算法. Such a list has a date in each row,
		// and is longer than other dated lists of the page.
		g := newFinder(root, c, minShort)
		g.own = self
		if short, other := g.best(g.candidates(root)); short.isOfShort() && (best == nil || best.dated < minShortRows || short.dated*2 > best.dated*3 && !short.overlaps(best)) {
			f, best, next = g, short, other
		}
	}
	if best == nil {
		return Found{}
	}
	found := f.read(best)
	if f.links > maxLinks {
		found.Dropped.Add(ManyLinks, "30,000", "")
	}
	if len(best.parts) > 0 {
		found.Dropped.Add(Parts, strings.Join(best.parts, "、"), "")
	}
	if found.Rows = found.withoutMenu(); len(found.Rows) == 0 {
		return Found{Dropped: found.Dropped}
	}
	f.offer(next, best.score, &found)
	return found
}

// isOfShort reports whether a list has enough rows for short texts to count as titles.
func (c *candidate) isOfShort() bool {
	return c != nil && !c.bare && c.dated == len(c.rows) && c.dated >= minShortRows
}

// ReadRows reads elements of a page that are known to be rows.
func ReadRows(root *html.Node, nodes []*html.Node, c when.Clock) Found {
	f := newFinder(root, c, minTitle)
	cand := &candidate{fixed: true}
	byParent := make(map[*html.Node]*candidate)
	for _, n := range nodes {
		part := byParent[n.Parent]
		if part == nil {
			part = &candidate{}
			byParent[n.Parent] = part
			cand.containers = append(cand.containers, n.Parent)
		}
		part.rows = append(part.rows, f.segment(n))
	}
	for _, n := range cand.containers {
		f.neighbors(n, byParent[n])
	}
	taken := make(map[*html.Node]int)
	for _, n := range nodes { // in the order of the selector's results
		cand.rows = append(cand.rows, byParent[n.Parent].rows[taken[n.Parent]])
		taken[n.Parent]++
	}
	return f.read(cand)
}

// ReadLink reads a row whose link is known.
func ReadLink(row, link *html.Node, c when.Clock) Row {
	f := &finder{clock: c, seen: make(map[*html.Node]*info), least: minTitle}
	f.examine(row)
	return Row{Node: row, Link: link, Href: Address(link), Title: f.title(row, link, pieces(link), -1)}
}
