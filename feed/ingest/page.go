package ingest

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"dibao/internal/markup"
	"dibao/policy"
	"dibao/policy/when"
)

// pageReader reads list pages of sites that have no feed.
type pageReader struct{}

var _ Reader = pageReader{}

// parsePage parses a page whose structure is to be read.
func parsePage(p Page, override string) (*goquery.Document, error) {
	doc, plain := parseText(p, override)
	if plain {
		return nil, errCostly
	}
	return doc, nil
}

// parseText parses a page. If it is plain, it has no markup left: see
// [markup.Parse].
func parseText(p Page, override string) (doc *goquery.Document, plain bool) {
	text, _ := Decode(p.Body, p.ContentType, override)
	root, plain := markup.Parse(text)
	return goquery.NewDocumentFromNode(root), plain
}

// pageBase returns what the page's relative addresses are relative to.
func pageBase(doc *goquery.Document, address *url.URL) *url.URL {
	if href, ok := doc.Find("base[href]").First().Attr("href"); ok {
		if b, err := address.Parse(strings.TrimSpace(href)); err == nil && (b.Scheme == "http" || b.Scheme == "https") {
			return b
		}
	}
	return address
}

// Read returns the rows of a list page, in the page's order. Each needs its own
// page to be read.
func (pageReader) Read(p Page, src Source) ([]Item, error) {
	doc, err := parseList(p, src.Settings.Charset)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(p.URL)
	if err != nil {
		return nil, fmt.Errorf("address %q of the list page: %w", p.URL, err)
	}
	base = pageBase(doc, base)
	reader, err := newRowReader(src, base)
	if err != nil {
		return nil, err
	}
	reader.clock = clockOf(p, src)
	var rows []*goquery.Selection
	if reader.item != nil {
		doc.FindMatcher(reader.item).Each(func(_ int, s *goquery.Selection) { rows = append(rows, s) })
	} else {
		rows = findRows(doc, reader.clock)
	}
	var items []Item
	seen := make(map[string]bool)
	dated := false
	for _, row := range rows {
		it, ok := reader.read(row)
		if ok && !seen[it.GUID] && len(items) < maxFeedItems {
			seen[it.GUID] = true
			dated = dated || it.Evidence.ListDate != ""
			items = append(items, it)
		}
	}
	if dated && src.Settings.Date != "" {
		// A wide selector for rows («ul li») takes the menu along; the rows that
		// are meant have a date.
		items = slices.DeleteFunc(items, func(it Item) bool { return it.Evidence.ListDate == "" })
	}
	return items, nil
}

// rowReader reads the rows of one list.
type rowReader struct {
	src                     Source
	base                    *url.URL
	clock                   when.Clock
	item, link, title, date goquery.Matcher // nil where the source has no selector
	pattern                 *regexp.Regexp
}

// newRowReader compiles what the source sets.
func newRowReader(src Source, base *url.URL) (*rowReader, error) {
	r := &rowReader{src: src, base: base}
	set := src.Settings
	for _, x := range []struct {
		name, selector string
		to             *goquery.Matcher
	}{{"item", set.Item, &r.item}, {"link", set.Link, &r.link}, {"title", set.Title, &r.title}, {"date", set.Date, &r.date}} {
		if x.selector == "" {
			continue
		}
		group, err := cascadia.ParseGroup(x.selector)
		if err != nil {
			return nil, fmt.Errorf("%s selector %q of the source: %w", x.name, x.selector, err)
		}
		*x.to = matcher{group}
	}
	if set.DatePattern != "" {
		var err error
		if r.pattern, err = regexp.Compile(set.DatePattern); err != nil {
			return nil, fmt.Errorf("date pattern of the source: %w", err)
		}
	}
	return r, nil
}

// matcher lets goquery search with selectors that were compiled once.
type matcher struct{ cascadia.SelectorGroup }

// MatchAll returns what matches at n and under it, as goquery means it; cascadia
// leaves n itself out.
func (m matcher) MatchAll(n *html.Node) []*html.Node {
	found := cascadia.QueryAll(n, m.SelectorGroup)
	if m.Match(n) {
		found = slices.Insert(found, 0, n)
	}
	return found
}

func (m matcher) Filter(nodes []*html.Node) []*html.Node {
	return cascadia.Filter(nodes, m.SelectorGroup)
}

// read reads one row; it reports whether the row is one.
func (r *rowReader) read(row *goquery.Selection) (Item, bool) {
	link := mainLink(row)
	if r.link != nil {
		link = row.FindMatcher(r.link).First()
		if link.Length() == 0 {
			link = row.FilterMatcher(r.link)
		}
	}
	address := absolute(r.base, linkAddress(link))
	if address == "" || strings.HasPrefix(address, "mailto:") {
		return Item{}, false
	}
	title := linkTitle(link)
	if r.title != nil {
		if t := collapse(row.FindMatcher(r.title).First().Text()); t != "" {
			title = t
		}
	}
	if title == "" {
		return Item{}, false
	}
	title = clip(title, maxTitle)
	it := Item{GUID: identity(address), URL: address, Title: title, NeedsPage: true}
	it.Evidence = policy.Evidence{
		URL: address, Title: title, SiteName: r.src.Name, Zone: r.src.Zone, Issuer: r.src.Issuer, Region: r.src.Region,
		ListTitle: title, ListDate: r.readDate(row, link),
	}
	return it, true
}

// readDate returns the row's date as YYYY-MM-DD, as MM-DD where it names no
// year, or "".
func (r *rowReader) readDate(row, link *goquery.Selection) string {
	text := rowText(row, link)
	if r.date != nil {
		text = collapse(row.FindMatcher(r.date).First().Text())
	}
	if r.date == nil && r.pattern == nil && row.Length() > 0 {
		if date := listDate(text, r.clock); date != "" {
			return date
		}
		return nearDate(row.Nodes[0], r.clock)
	}
	if r.pattern != nil {
		m := r.pattern.FindStringSubmatch(text)
		if m == nil {
			return ""
		}
		text = m[min(1, len(m)-1)]
	}
	return listDate(text, r.clock)
}

// linkTitle returns the text of a link, or its title attribute if the text was
// cut short. Of a link that is a card with a heading the heading counts.
func linkTitle(link *goquery.Selection) string {
	text := collapse(link.Text())
	if heading := collapse(link.Find("h1, h2, h3, h4, h5, h6").First().Text()); heading != "" {
		text = heading
	} else if link.Find("p, div, li").Length() > 0 && link.Length() > 0 {
		for _, line := range blocksOf(link.Nodes[0]) {
			if utf8.RuneCountInString(line) >= minRowTitle && !bareDate.MatchString(line) {
				text = line
				break
			}
		}
	}
	text = strings.TrimSpace(trimDate.ReplaceAllString(text, ""))
	if date := dateElement(link); date != "" {
		text = strings.TrimSpace(strings.TrimSuffix(text, date))
	}
	full := collapse(link.AttrOr("title", ""))
	if begin := strings.TrimRight(text, ".… "); full != "" && len(full) > len(begin) && strings.HasPrefix(squeeze(full), squeeze(begin)) {
		return full
	}
	return text
}

// dateElement returns the text of an element in a link that is nothing but a date.
func dateElement(link *goquery.Selection) string {
	var date string
	link.Find("span, font, em, i, b, time, small").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		if text := collapse(s.Text()); len(text) < 40 && listDate(text, when.Clock{}) != "" {
			date = text
		}
		return date == ""
	})
	return date
}

// mainLink returns the link of a row with the longest text.
func mainLink(row *goquery.Selection) *goquery.Selection {
	links := row.Find("a[href]")
	if row.Is("a[href]") {
		links = row
	}
	best, most := links.First(), -1
	links.Each(func(_ int, a *goquery.Selection) {
		if n := utf8.RuneCountInString(collapse(a.Text())); n > most {
			best, most = a, n
		}
	})
	return best
}

// rowText is the text of a row without that of its link; where the row is the
// link itself, all of it.
func rowText(row, link *goquery.Selection) string {
	if row.Length() == 0 {
		return ""
	}
	text := spacedText(row.Nodes[0], "")
	if link.Length() == 0 || row.Nodes[0] == link.Nodes[0] {
		return text
	}
	title := spacedText(link.Nodes[0], "")
	if rest := strings.Replace(text, title, " ", 1); bareDate.MatchString(rest) || !bareDate.MatchString(title) {
		return rest
	}
	return text // the date stands in the link
}

var (
	// trimDate cuts the date that stands in a link before or behind its title.
	trimDate = regexp.MustCompile(`^[\[(（【]?(?:19|20)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?[\])）】]?\s+|\s+[\[(（【]?(?:19|20)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?[\])）】]?$`)
)

// listDate finds the date in a row's text.
func listDate(text string, clock when.Clock) string {
	w, ok := when.Published(when.Find(text, clock), clock)
	if !ok {
		return ""
	}
	return w.Complete(when.Context{}, clock).On.String()
}

var (
	errNoText = errors.New("no text was found on the article's page")
	errCostly = errors.New("the page cannot be read: its elements are nested too deep, or so many are left open that reading them would take too much memory")
)
