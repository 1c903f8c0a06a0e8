package ingest

import (
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"dibao/feed/ingest/list"
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
	doc, err := parseList(p, s.Settings.Charset)
	if err != nil {
		return ""
	}
	reader, err := rowReaderOf(doc, p, s)
	if err != nil {
		return ""
	}
	found := list.Find(doc.Nodes[0], reader.at, reader.clock)
	if len(found.Rows) == 0 || len(found.Rows) > maxFeedItems || len(found.Containers) == 0 {
		return ""
	}
	l := reader.readFound(found)
	rows := ""
	for _, r := range found.Rows { // rows with the same tag, whatever their class
		if name := r.Node.Data; rows == "" {
			rows = name
		} else if rows != name {
			rows = "*"
		}
	}
	for _, try := range append(selectorsOf(found.Containers[0], rows), selectorOf(found.Rows[0].Node)) {
		s.Settings.Item = try
		if again, err := readRows(doc, p, s); err == nil && sameItems(l.Items, again.Items) {
			return try
		}
	}
	return ""
}

// selectorsOf returns selectors for the rows in a container, shortest first.
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
