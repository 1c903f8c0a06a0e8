package ingest

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"dibao/policy"
)

// pageReader reads list pages of sites that have no feed.
type pageReader struct{}

var _ Reader = pageReader{}

// maxDepth bounds how deep markup may be nested: code that walks it recurses.
const maxDepth = 512

func parsePage(p Page, override string) (*goquery.Document, error) {
	text, _ := Decode(p.Body, p.ContentType, override)
	root, err := html.ParseWithOptions(strings.NewReader(text), html.ParseOptionEnableScripting(false))
	if err != nil {
		return nil, fmt.Errorf("the page is no HTML: %w", err)
	}
	if depth(root, 0) >= maxDepth {
		return nil, fmt.Errorf("the page is nested deeper than %d elements", maxDepth)
	}
	return goquery.NewDocumentFromNode(root), nil
}

func depth(n *html.Node, at int) int {
	if at >= maxDepth {
		return at
	}
	deepest := at
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		deepest = max(deepest, depth(c, at+1))
	}
	return deepest
}

// dateInRow finds a date in the text of a list's row.
var dateInRow = regexp.MustCompile(`(?:19|20)\d{2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}|\b\d{1,2}[-/]\d{1,2}\b`)

// Read returns the rows of a list page, in the page's order. Each needs its own
// page to be read.
func (pageReader) Read(p Page, src Source) ([]Item, error) {
	doc, err := parsePage(p, src.Settings.Charset)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(p.URL)
	if err != nil {
		return nil, fmt.Errorf("address %q of the list page: %w", p.URL, err)
	}
	if href, ok := doc.Find("base[href]").First().Attr("href"); ok {
		if b, err := base.Parse(href); err == nil {
			base = b
		}
	}
	var rows []*goquery.Selection
	if src.Settings.Item != "" {
		if _, err := cascadia.ParseGroup(src.Settings.Item); err != nil {
			return nil, fmt.Errorf("selector %q of the source: %w", src.Settings.Item, err)
		}
		doc.Find(src.Settings.Item).Each(func(_ int, s *goquery.Selection) { rows = append(rows, s) })
	} else {
		rows = findRows(doc)
	}
	var items []Item
	seen := make(map[string]bool)
	for _, row := range rows {
		it, ok := rowItem(row, base, src)
		if ok && !seen[it.URL] {
			seen[it.URL] = true
			items = append(items, it)
		}
	}
	return items, nil
}

// rowItem reads one row of a list.
func rowItem(row *goquery.Selection, base *url.URL, src Source) (Item, bool) {
	link := mainLink(row)
	if src.Settings.Link != "" {
		link = row.Find(src.Settings.Link).First()
	}
	href, _ := link.Attr("href")
	address := absolute(base, href)
	if address == "" || strings.HasPrefix(address, "mailto:") {
		return Item{}, false
	}
	title := collapse(link.Text())
	if src.Settings.Title != "" {
		title = collapse(row.Find(src.Settings.Title).First().Text())
	} else if full := collapse(link.AttrOr("title", "")); len(full) > len(title) && strings.HasPrefix(full, strings.TrimRight(title, ".… ")) {
		title = full // the text of the link was cut, its title was not
	}
	if title == "" {
		return Item{}, false
	}
	date := dateInRow.FindString(strings.ReplaceAll(collapse(row.Text()), collapse(link.Text()), " "))
	if src.Settings.Date != "" {
		date = collapse(row.Find(src.Settings.Date).First().Text())
	}
	if src.Settings.DatePattern != "" {
		re, err := regexp.Compile(src.Settings.DatePattern)
		if m := []string(nil); err == nil {
			if m = re.FindStringSubmatch(date); len(m) > 1 {
				date = m[1]
			}
		}
	}
	it := Item{GUID: identity(address), URL: address, Title: title, NeedsPage: true}
	it.Evidence = policy.Evidence{
		URL: address, Title: title, SiteName: src.Name, Zone: src.Zone, Issuer: src.Issuer, Region: src.Region,
		ListTitle: title, ListDate: date,
	}
	return it, true
}

// mainLink returns the link of a row with the longest text.
func mainLink(row *goquery.Selection) *goquery.Selection {
	links := row.Find("a[href]")
	if row.Is("a[href]") {
		links = row
	}
	best := links.First()
	links.Each(func(_ int, a *goquery.Selection) {
		if utf8.RuneCountInString(collapse(a.Text())) > utf8.RuneCountInString(collapse(best.Text())) {
			best = a
		}
	})
	return best
}

// block is a run of rows of the same shape.
type block struct {
	rows  []*goquery.Selection
	dated int
	chars int // of the titles
}

// The least that a list of articles has.
const (
	minRows       = 2
	minTitleRunes = 5
	maxRowRunes   = 400
)

// findRows finds the list of a page by structure: the largest set of elements of
// one shape under parents of one shape, each with one link whose text is as
// long as a title, and most of them with a date beside it.
func findRows(doc *goquery.Document) []*goquery.Selection {
	blocks := make(map[string]*block)
	var order []string
	doc.Find("li, tr, dd, dt, p, div, article, a").Each(func(_ int, row *goquery.Selection) {
		if row.Find("li, tr, dd, article").Length() > 0 || row.Closest("nav, footer, .nav, .footer, .header, .pagelist, .page").Length() > 0 {
			return
		}
		text := collapse(row.Text())
		n := utf8.RuneCountInString(text)
		if n < minTitleRunes || n > maxRowRunes {
			return
		}
		link := mainLink(row)
		title := utf8.RuneCountInString(collapse(link.Text()))
		if link.Length() == 0 || title < minTitleRunes {
			return
		}
		dated := dateInRow.MatchString(strings.ReplaceAll(text, collapse(link.Text()), " "))
		if goquery.NodeName(row) == "a" && !dated {
			return // else every row would be found twice, as itself and as its link
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
		if dated {
			b.dated++
		}
	})
	var best *block
	for _, key := range order {
		b := blocks[key]
		if len(b.rows) < minRows || b.dated*2 < len(b.rows) {
			continue
		}
		if best == nil || b.dated*b.chars > best.dated*best.chars {
			best = b
		}
	}
	if best == nil {
		return nil
	}
	return best.rows
}

// shape names an element by tag and class.
func shape(s *goquery.Selection) string {
	if s.Length() == 0 {
		return ""
	}
	return goquery.NodeName(s) + "." + strings.Join(strings.Fields(s.AttrOr("class", "")), ".")
}

var errNoText = errors.New("no text was found on the article's page")
