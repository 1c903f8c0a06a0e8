package list

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"dibao/internal/markup"
)

// own is what a page says about itself, which distinguishes its own list from the lists of
// other columns on it.
type own struct {
	at     *url.URL        // the address of the page, nil if it is unknown
	folder string          // folder of the address, with a trailing slash; "/" says nothing
	names  map[string]bool // possible names of the column
}

// isRoot reports whether the page is the start page of a site, or its address is unknown.
func (o own) isRoot() bool { return o.at == nil || o.folder == "/" }

// ownOf reads the address, the title and the name of the page's column.
func ownOf(root *html.Node, at *url.URL) own {
	o := own{at: at, names: make(map[string]bool)}
	if at != nil {
		o.folder = path.Dir(at.Path)
		if strings.HasSuffix(at.Path, "/") || at.Path == "" {
			o.folder = at.Path
		}
		o.folder = strings.TrimSuffix(o.folder, "/") + "/"
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch {
		case n.Data == "title" && n.FirstChild != nil:
			name, _, _ := strings.Cut(strings.Map(partOfTitle, strings.TrimSpace(n.FirstChild.Data)), "|")
			o.call(name)
		case n.Data == "meta" && strings.EqualFold(markup.Attr(n, "name"), "ColumnName"):
			o.call(markup.Attr(n, "content"))
		case n.Data == "body":
			return o
		}
	}
	return o
}

// partOfTitle matches the separators between the parts of a title.
func partOfTitle(r rune) rune {
	if strings.ContainsRune("-_–—－>»·/", r) {
		return '|'
	}
	return r
}

func (o own) call(name string) {
	if name = squeeze(name); letters(name) >= minShort {
		o.names[name] = true
	}
}

// squeeze removes the whitespace from a name.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// has reports whether an address is in the folder of the page or below it.
func (o own) has(href string) bool {
	to, err := o.at.Parse(href)
	return err == nil && to.Host == o.at.Host && strings.HasPrefix(to.Path, o.folder)
}

// ofPage returns the list that is the page's own, among the candidate with the most weight
// and those with a similar weight: the one whose heading is the name of the page, or the
// only one whose articles are in the folder of the page.
func (f *finder) ofPage(best *candidate, all []*candidate) *candidate {
	if best.bare || f.own.at == nil || f.isNamed(best) {
		return best
	}
	near := slices.DeleteFunc(f.others(best, all, minOther), func(c *candidate) bool { return c.bare })
	for _, c := range near {
		if f.isMain(c) && f.isNamed(c) {
			return c
		}
	}
	if f.own.isRoot() || f.inFolder(best) > 0 {
		return best
	}
	for _, c := range all {
		if c.bare && c.score > 0 && len(c.rows) >= 2*len(best.rows) && f.inFolder(c)*5 >= len(c.rows)*4 {
			return c
		}
	}
	for _, c := range near {
		if f.isMain(c) && f.inFolder(c)*5 >= len(c.rows)*4 {
			return c
		}
	}
	return best
}

// isMain reports whether a list has dates and is neither in a box nor next to the text.
func (f *finder) isMain(c *candidate) bool {
	return c.dated*2 >= len(c.rows) && f.side(c.containers[0]) == 1 && !f.isBox(c.containers[0])
}

// isInMain reports whether a list is not in a box or next to the text. A panel counts as
// its tabs do, although it is hidden until its tab is chosen.
func (f *finder) isInMain(c *candidate) bool {
	n := c.containers[0]
	if name, tabs := f.tabOf(n); name != "" {
		n = tabs
	}
	return f.side(n) == 1 && !f.isBox(n)
}

// isNamed reports whether the heading of a list is the name of the page.
func (f *finder) isNamed(c *candidate) bool {
	return len(f.own.names) > 0 && f.own.names[squeeze(f.headingOf(c.containers[0]))]
}

// inFolder counts the rows whose addresses are in the folder of the page.
func (f *finder) inFolder(c *candidate) int {
	n := 0
	for _, r := range c.rows {
		if f.own.has(r.href) {
			n++
		}
	}
	return n
}
