package ingest

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"dibao/feed/ingest/list"
	"dibao/feed/ingest/literal"
	"dibao/feed/ingest/pager"
	"dibao/feed/ingest/weburl"
	"dibao/policy"
	"dibao/policy/warn"
	"dibao/policy/when"
)

// List is the content of a list page, or of a list in JSON.
type List struct {
	Items   []Item
	Dropped list.Drops  // what was left out, and other lists of the page
	Next    string      // address of the next page, "" if there is none or it was not recognized
	Pager   pager.Pager // how the page links to its next one
}

// IsTruncated reports whether the items are those of a truncated feed.
func (l List) IsTruncated() bool {
	return len(l.Items) > 0 && slices.ContainsFunc(l.Items[0].Warnings, feedTruncated.Equal)
}

// Warnings returns what is unusual about the list as a whole: the warnings about its feed,
// each code once, and rows whose date was not read.
func (l List) Warnings() []warn.Warning {
	var all []warn.Warning
	seen := make(map[string]bool)
	for _, it := range l.Items {
		for _, w := range it.Warnings {
			if strings.HasPrefix(w.Code, "feed-") && !seen[w.Code] {
				seen[w.Code] = true
				all = append(all, w)
			}
		}
	}
	for _, d := range l.Dropped {
		if d.Code == list.UnreadDate {
			all = append(all, warn.New("list-dates-unknown", d.Count, d.Example))
		}
	}
	return all
}

// ReadKind reads the content at the address of a source of this kind. Dropped content and
// the next page are known only for list pages and JSON lists.
func ReadKind(kind string, p Page, src Source) (List, error) {
	switch {
	case kind == "page", kind == "json" && src.Settings.Item != "":
		return ReadList(p, src)
	}
	items, err := Kinds[kind].Read(p, src)
	return List{Items: items}, err
}

// ReadList reads a list page, or a list in JSON or JSONP, by the settings of the source or,
// if there are none, by its structure.
func ReadList(p Page, src Source) (List, error) {
	if literal.IsJSON(p.Body) {
		return readJSONList(p, src)
	}
	doc, err := parseList(p, src.Settings.Charset)
	if err != nil {
		return List{}, err
	}
	l, err := readRows(doc, p, src)
	if err != nil {
		return l.List, err
	}
	if src.Settings.Item == "" && (len(l.Items) < fewRows || l.bare) {
		if inScript, ok := scriptList(doc, p, src); ok && (l.bare || len(inScript.Items) > len(l.Items) && (inScript.hasDate() || !l.hasDate())) {
			l.List = inScript
		}
	}
	l.Pager = pagerOf(doc, p)
	l.Next = l.Pager.Next
	return l.List, nil
}

// hasDate reports whether the list states the date of an article: a menu in a script does
// not.
func (l List) hasDate() bool {
	return slices.ContainsFunc(l.Items, func(it Item) bool { return it.Evidence.ListDate != "" })
}

// fewRows is the length of a list that may be a box of popular items; the
// scripts of the page may contain a longer list.
const fewRows = 5

// rowsList is a List that was read from rows.
type rowsList struct {
	List
	bare bool // no row has a date
}

// readRows reads the rows that the source's selector selects or, without one, that are
// found.
func readRows(doc *goquery.Document, p Page, src Source) (rowsList, error) {
	reader, err := rowReaderOf(doc, p, src)
	if err != nil {
		return rowsList{}, err
	}
	if reader.item != nil {
		return reader.readFound(list.ReadRows(doc.Nodes[0], doc.FindMatcher(reader.item).Nodes, reader.clock)), nil
	}
	return reader.readFound(list.Find(doc.Nodes[0], reader.at, reader.clock)), nil
}

// readFound returns the items of the rows that were found.
func (r *rowReader) readFound(found list.Found) rowsList {
	out := rowsList{List{Dropped: found.Dropped}, found.Bare}
	seen := make(map[string]bool)
	dated := false
	for _, row := range found.Rows {
		it, why := r.read(row)
		switch {
		case why == "" && seen[it.GUID]:
			why = list.SameAddress
		case why == "" && len(out.Items) >= maxFeedItems:
			why = list.BeyondLimit
		}
		if why != "" {
			out.Dropped.Add(why, "2,000", row.Title)
			continue
		}
		seen[it.GUID] = true
		dated = dated || it.Evidence.ListDate != ""
		out.Items = append(out.Items, it)
	}
	if dated && r.src.Settings.Date != "" {
		// A broad selector for rows ("ul li") includes the menu; the intended
		// rows have a date.
		out.Items = slices.DeleteFunc(out.Items, func(it Item) bool {
			if it.Evidence.ListDate == "" {
				out.Dropped.Add(list.NoDateThere, "", it.Title)
			}
			return it.Evidence.ListDate == ""
		})
	}
	if !dated {
		dateByAddress(out.Items)
	}
	return out
}

// dateByAddress sets the dates in the addresses of a list that prints none.
func dateByAddress(items []Item) {
	for i := range items {
		if on, ok := when.InAddress(items[i].URL); ok {
			items[i].AddressDate, items[i].DateFrom = on, "address"
		}
	}
}

// rowReader turns rows into items.
type rowReader struct {
	src                     Source
	base, at                *url.URL // addresses: of the base for links, and of the page
	clock                   when.Clock
	item, link, title, date goquery.Matcher // nil if the source has no selector
	pattern                 *regexp.Regexp
}

// rowReaderOf returns the reader of the rows of a page.
func rowReaderOf(doc *goquery.Document, p Page, src Source) (*rowReader, error) {
	base, err := url.Parse(p.URL)
	if err != nil {
		return nil, fmt.Errorf("address %q of the list page: %w", p.URL, err)
	}
	reader, err := newRowReader(src, pageBase(doc, base))
	if err != nil {
		return nil, err
	}
	reader.at, reader.clock = base, clockOf(p, src)
	return reader, nil
}

// newRowReader compiles the selectors of the source.
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
			return nil, fmt.Errorf("%s selector %q of the source is not a CSS selector; write one such as ul.news li", x.name, x.selector)
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

// MatchAll returns the matches at n and below, as goquery does; cascadia leaves out n
// itself.
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

// read returns the item of a row; if the row is not an item, why says why.
func (r *rowReader) read(row list.Row) (it Item, why list.Reason) {
	s := goquery.NewDocumentFromNode(row.Node).Selection
	title, href := row.Title, row.Href
	if r.link != nil {
		link := s.FindMatcher(r.link).First()
		if link.Length() == 0 {
			link = s.FilterMatcher(r.link)
		}
		if link.Length() == 0 {
			return Item{}, list.NoLinkThere
		}
		one := list.ReadLink(row.Node, link.Nodes[0], r.clock)
		title, href = one.Title, one.Href
	}
	address := weburl.Absolute(r.base, href)
	if address == "" || strings.HasPrefix(address, "mailto:") {
		return Item{}, list.NoPage
	}
	if r.title != nil {
		if t := collapse(s.FindMatcher(r.title).First().Text()); t != "" {
			title = t
		}
	}
	if title == "" {
		return Item{}, list.NoText
	}
	title = clip(title, maxTitle)
	it = Item{GUID: weburl.Identity(address), URL: address, Title: title, NeedsPage: true}
	date, from := r.readDate(s, row)
	it.DateFrom = from
	it.Evidence = policy.Evidence{
		URL: address, Title: title, SiteName: r.src.Name, Zone: r.src.Zone, Issuer: r.src.Issuer, Region: r.src.Region,
		ListTitle: title, ListDate: date,
	}
	return it, ""
}

// readDate returns the row's date as YYYY-MM-DD, "" if there is none, and the evidence for
// it.
func (r *rowReader) readDate(s *goquery.Selection, row list.Row) (date, from string) {
	if r.date == nil && r.pattern == nil {
		return row.Date.On.String(), row.From
	}
	text, from := collapse(s.Text()), "the pattern for dates"
	if r.date != nil {
		text, from = collapse(s.FindMatcher(r.date).First().Text()), "the selector for dates"
	}
	if r.pattern != nil {
		m := r.pattern.FindStringSubmatch(text)
		if m == nil {
			return "", ""
		}
		text = m[min(1, len(m)-1)]
	}
	if date = listDate(text, r.clock); date == "" {
		return "", ""
	}
	return date, from
}

// listDate finds the date in a text that a selector selects.
func listDate(text string, clock when.Clock) string {
	w, ok := when.Read(text, clock)
	if !ok {
		w, ok = when.Published(when.Find(text, clock), clock)
	}
	if !ok {
		return ""
	}
	return w.Complete(when.Context{}, clock).On.String()
}
