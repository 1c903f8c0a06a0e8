package ingest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"dibao/feed/ingest/list"
	"dibao/feed/ingest/literal"
)

// Candidate is an address that a page names as a feed.
type Candidate struct {
	URL, Title string
}

// feedTypes are the media types of feeds in link elements.
var feedTypes = []string{"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "text/xml", "application/xml"}

// maxCandidates limits the feeds that a page can name.
const maxCandidates = 10

// WellKnown are common paths of feeds, for sites whose pages do not link to their feed.
var WellKnown = []string{"/feed", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/rss", "/feed.json", "/sitemap.xml"}

// Discover returns the feeds to which a page links: link elements (WHATWG HTML,
// rel=alternate) first, then links whose address or text contains RSS or Atom.
func Discover(p Page) []Candidate {
	doc, err := parsePage(p, "")
	if err != nil {
		return nil
	}
	base, err := url.Parse(p.URL)
	if err != nil {
		return nil
	}
	base = pageBase(doc, base)
	var all []Candidate
	seen := make(map[string]bool)
	add := func(s *goquery.Selection, title string) {
		address := resolve(base.String(), s.AttrOr("href", ""))
		if address != "" && !seen[address] && len(all) < maxCandidates {
			seen[address] = true
			all = append(all, Candidate{address, clip(collapse(title), maxTitle)})
		}
	}
	doc.Find("link[rel][type][href]").Each(func(_ int, s *goquery.Selection) {
		rel, mediaType := strings.ToLower(s.AttrOr("rel", "")), strings.ToLower(s.AttrOr("type", ""))
		for _, want := range feedTypes {
			if strings.Contains(" "+rel+" ", " alternate ") && strings.HasPrefix(mediaType, want) {
				add(s, s.AttrOr("title", ""))
			}
		}
	})
	doc.Find("a[href]").Each(func(_ int, s *goquery.Selection) {
		href, text := strings.ToLower(s.AttrOr("href", "")), strings.ToLower(collapse(s.Text()))
		if text == "rss" || text == "atom" || strings.Contains(text, "rss订阅") || strings.HasSuffix(href, "rss.xml") || strings.HasSuffix(href, "atom.xml") {
			add(s, s.Text())
		}
	})
	return all
}

// ProposeList proposes a selector for the rows of a list page that was found by its
// structure. It returns "" if no short selector finds the same rows, or if there are more
// rows than dibao reads from one page.
func ProposeList(p Page, s Source) string {
	doc, reader, found := findAgain(p, s)
	if len(found.Rows) == 0 || len(found.Rows) > maxFeedItems || len(found.Containers) == 0 {
		return ""
	}
	l := reader.readFound(found)
	rows := make([]*html.Node, len(found.Rows))
	for i, r := range found.Rows {
		rows[i] = r.Node
	}
	for _, try := range append(selectorsOf(found.Containers[0], tagOf(rows)), selectorOf(rows[0])) {
		s.Settings.Item = try
		if again, err := readRows(doc, p, s); err == nil && sameItems(l.Items, again.Items) {
			return try
		}
	}
	return ""
}

// Offer is another list of a page, which can be read in place of the one that was found.
type Offer struct {
	Name  string `json:"name"` // its heading, else its element
	Rows  int    `json:"rows"`
	Title string `json:"title"` // title of its first row
	Item  string `json:"item"`  // the selector of its rows, "" if none finds them
}

// Offers returns the other lists of a page whose source has no selectors, the heaviest
// first; never nil.
func Offers(p Page, s Source) []Offer {
	offers := []Offer{}
	if s.Settings.Item != "" || literal.IsJSON(p.Body) {
		return offers
	}
	doc, _, found := findAgain(p, s)
	for _, o := range found.Others {
		offer := Offer{Name: clip(o.Name, maxTitle), Rows: len(o.Rows), Title: clip(o.Title, maxTitle)}
		for _, try := range append(selectorsOf(o.Containers[0], tagOf(o.Rows)), placeOf(o.Containers[0])+" > "+tagOf(o.Rows)) {
			if compiled, err := cascadia.ParseGroup(try); err == nil && finds(doc.FindMatcher(matcher{compiled}).Nodes, o) {
				offer.Item = try
				break
			}
		}
		offers = append(offers, offer)
	}
	return offers
}

// finds reports whether a selector matched all rows of a list, and nothing outside its containers.
func finds(matched []*html.Node, o list.Other) bool {
	is := make(map[*html.Node]bool, len(matched))
	for _, n := range matched {
		if !slices.Contains(o.Containers, n.Parent) {
			return false
		}
		is[n] = true
	}
	return !slices.ContainsFunc(o.Rows, func(n *html.Node) bool { return !is[n] })
}

// placeOf returns the selector that names each step to an element by its place: panels of
// tabs differ in nothing else.
func placeOf(n *html.Node) string {
	path := ""
	for ; n != nil && n.Type == html.ElementNode && n.Data != "html"; n = n.Parent {
		at := 1
		for x := n.PrevSibling; x != nil; x = x.PrevSibling {
			if x.Type == html.ElementNode {
				at++
			}
		}
		path = fmt.Sprintf(" > %s:nth-child(%d)", n.Data, at) + path
	}
	return strings.TrimPrefix(path, " > ")
}

// findAgain parses a page and finds its list by its structure.
func findAgain(p Page, s Source) (*goquery.Document, *rowReader, list.Found) {
	doc, err := parseList(p, s.Settings.Charset)
	if err != nil {
		return nil, nil, list.Found{}
	}
	reader, err := rowReaderOf(doc, p, s)
	if err != nil {
		return nil, nil, list.Found{}
	}
	return doc, reader, list.Find(doc.Nodes[0], reader.at, reader.clock)
}

// tagOf returns the tag of all rows, "*" if they differ.
func tagOf(rows []*html.Node) string {
	for _, n := range rows {
		if n.Data != rows[0].Data {
			return "*"
		}
	}
	return rows[0].Data
}

// selectorsOf returns selectors of the rows in a container, the shortest first.
func selectorsOf(container *html.Node, rows string) []string {
	own := selectorOf(container)
	all := []string{own + " > " + rows, own + " " + rows}
	for up, steps := container.Parent, 1; up != nil && up.Type == html.ElementNode && steps < 4; up, steps = up.Parent, steps+1 {
		if named := selectorOf(up); strings.ContainsAny(named, ".#") {
			all = append(all, named+strings.Repeat(" > *", steps-1)+" > "+own+" > "+rows)
			break
		}
	}
	path := own + " > " + rows
	for up := container.Parent; up != nil && up.Type == html.ElementNode && up.Data != "html"; up = up.Parent {
		path = selectorOf(up) + " > " + path
	}
	return append(all, path)
}

// ProposeContent proposes a selector for the text on an article's page: the container of a
// known system, "" if there is none.
func ProposeContent(p Page, s Source) string {
	doc, err := parsePage(p, s.Settings.Charset)
	if err != nil {
		return ""
	}
	doc.Find("script, style, noscript, template").Remove()
	v := lookAt(doc.Nodes[0])
	_, selector := v.known(doc, v.densest(-1))
	return selector
}

// selectorOf returns a selector for an element, of its tag and its id or first class.
func selectorOf(n *html.Node) string {
	s := goquery.NewDocumentFromNode(n).Selection
	if id := s.AttrOr("id", ""); isName(id) {
		return n.Data + "#" + id
	}
	for class := range strings.FieldsSeq(s.AttrOr("class", "")) {
		if isName(class) {
			return n.Data + "." + class
		}
	}
	return n.Data
}

// isName reports whether a name can be in a selector without escapes.
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) && (s[0] < '0' || s[0] > '9') && s[0] != '-'
}

func sameItems(a, b []Item) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].URL != b[i].URL || a[i].Title != b[i].Title || a[i].Evidence.ListDate != b[i].Evidence.ListDate {
			return false
		}
	}
	return true
}
