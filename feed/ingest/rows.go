package ingest

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"dibao/policy/when"
)

// parseList parses a list page and drops what no reader sees. Pages of 大汉 jcms
// keep the rows of their list in a script, as records of XML, for another script
// to draw: those are put where they would be drawn.
func parseList(p Page, override string) (*goquery.Document, error) {
	doc, err := parsePage(p, override)
	if err != nil {
		return nil, err
	}
	doc.Find(`script[type="text/xml"]`).Each(func(_ int, script *goquery.Selection) {
		var rows strings.Builder
		for _, m := range storedRow.FindAllStringSubmatch(script.Text(), maxFeedItems) {
			rows.WriteString(m[1])
		}
		if rows.Len() > 0 {
			script.ReplaceWithSelection(fromMarkup(`<div class="records">` + rows.String() + `</div>`).Children())
		}
	})
	doc.Find("script, style, noscript, template").Remove()
	return doc, nil
}

var storedRow = regexp.MustCompile(`(?s)<record>\s*<!\[CDATA\[(.*?)\]\]>\s*</record>`)

// linkAddress returns where a link leads; where a script is to follow it, the
// address that the script finds in the link.
func linkAddress(link *goquery.Selection) string {
	href := strings.TrimSpace(link.AttrOr("href", ""))
	if href != "" && href != "#" && !strings.HasPrefix(strings.ToLower(href), "javascript:") {
		return href
	}
	for _, name := range []string{"data-href", "data-url", "data-link"} {
		if to := strings.TrimSpace(link.AttrOr(name, "")); to != "" {
			return to
		}
	}
	if m := openedAddress.FindStringSubmatch(link.AttrOr("onclick", "") + href); m != nil {
		return m[1]
	}
	return href
}

var openedAddress = regexp.MustCompile(`(?:window\.open|location(?:\.href)?\s*=)\s*\(?\s*['"]([^'"]{1,1000})['"]`)

// maxNear is the most characters of an element that is nothing but a date and its label.
const maxNear = 24

// nearDate finds the date of a row that has none: in the element behind it (dt and
// dd), or above the rows of one day.
func nearDate(row *html.Node, clock when.Clock) string {
	read := func(n *html.Node) string {
		text, ok := textUpTo(n, maxNear)
		if !ok || hasLink(n) {
			return ""
		}
		return listDate(text, clock)
	}
	if next := sibling(row, false); next != nil {
		if date := read(next); date != "" {
			return date
		}
	}
	if row.Parent == nil {
		return ""
	}
	if above := sibling(row.Parent, true); above != nil {
		return read(above)
	}
	return ""
}

// sibling returns the next element behind n, or before it.
func sibling(n *html.Node, before bool) *html.Node {
	for {
		if before {
			n = n.PrevSibling
		} else {
			n = n.NextSibling
		}
		if n == nil || n.Type == html.ElementNode {
			return n
		}
	}
}

func hasLink(n *html.Node) bool {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == "a" {
			return true
		}
	}
	return n.Data == "a"
}

// block is a set of rows of the same shape.
type block struct {
	rows    []*goquery.Selection
	dated   int
	dateURL int // whose address has the date
	chars   int // of the titles
}

// The least that a list of articles has, and the most that a row has, in
// characters. Without any date more is asked for.
const (
	minRows      = 2
	minRowTitle  = 5
	maxRow       = 400
	minBareRows  = 5
	minBareTitle = 10 // on average
)

// findRows finds the list of a page by structure: the largest set of elements of
// one shape under parents of one shape, each with a link whose text is as long as
// a title, and most of them with a date: beside it, else in its address. A page
// without any date has its list where the longest titles are.
func findRows(doc *goquery.Document, clock when.Clock) []*goquery.Selection {
	blocks := make(map[string]*block)
	var order []string
	doc.Find("li, tr, dd, dt, p, div, article, a").Each(func(_ int, row *goquery.Selection) {
		text, ok := textUpTo(row.Nodes[0], maxRow)
		if !ok || utf8.RuneCountInString(text) < minRowTitle || row.Find("li, tr, dd, article").Length() > 0 {
			return
		}
		link := mainLink(row)
		title := utf8.RuneCountInString(collapse(link.Text()))
		if link.Length() == 0 || title < minRowTitle || row.Closest("nav, footer, .nav, .menu, .footer, .header, .pagelist").Length() > 0 {
			return
		}
		date := listDate(rowText(row, link), clock)
		if goquery.NodeName(row) == "a" && date == "" {
			return // else every row would be found twice, as itself and as its link
		}
		if date == "" {
			date = nearDate(row.Nodes[0], clock)
		}
		key := shape(row.Parent()) + ">" + shape(row)
		b := blocks[key]
		if b == nil {
			b = &block{}
			blocks[key] = b
			order = append(order, key)
		}
		b.rows = append(b.rows, row)
		b.chars += min(title, 40)
		if date != "" {
			b.dated++
		} else if addressDate.MatchString(linkAddress(link)) {
			b.dateURL++
		}
	})
	best, most := (*block)(nil), 0
	for _, weigh := range []func(*block) int{
		func(b *block) int { return weight(b, b.dated) },
		func(b *block) int { return weight(b, b.dated+b.dateURL) },
		func(b *block) int {
			if len(b.rows) < minBareRows || b.chars < minBareTitle*len(b.rows) {
				return 0
			}
			return b.chars
		},
	} {
		for _, key := range order {
			if w := weigh(blocks[key]); w > most {
				best, most = blocks[key], w
			}
		}
		if best != nil {
			return best.rows
		}
	}
	return nil
}

// weight is how much a block counts of whose rows so many have a date.
func weight(b *block, dated int) int {
	if len(b.rows) < minRows || dated*2 < len(b.rows) {
		return 0
	}
	return dated * b.chars
}

// addressDate finds a day or a month in an address: /2024/11/20/, /202411/t20241120_1.html.
var addressDate = regexp.MustCompile(`[/_t](?:19|20)\d{2}[-/]?(?:0[1-9]|1[0-2]|[1-9])(?:[-/]?(?:0[1-9]|[12]\d|3[01]))?[-/_]`)

// shape names an element by tag and classes; the classes of a first, last or odd
// row make no difference, nor those that name one row (post-123).
func shape(s *goquery.Selection) string {
	if s.Length() == 0 {
		return ""
	}
	name := goquery.NodeName(s)
	for _, class := range strings.Fields(s.AttrOr("class", "")) {
		switch strings.ToLower(class) {
		case "first", "last", "odd", "even", "on", "cur", "current", "active", "line", "top":
		default:
			if !ofOneRow.MatchString(class) {
				name += "." + class
			}
		}
	}
	return name
}

var ofOneRow = regexp.MustCompile(`\d{2}|[-_]\d+$`)
