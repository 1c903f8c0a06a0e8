package templates

import (
	"html/template"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// Fact is a line of the box of facts. Key is its key below "fact." in the catalog; without
// values it is shown as not stated, never filled by a guess.
type Fact struct {
	Key        string
	Values     []FactValue
	Date       bool   // the values are dates
	Provenance string // element or sentence that states it
}

// FactValue is one value of a fact; URL is its page on our site, "" if there is none.
type FactValue struct{ Text, URL string }

// RelationGroup contains documents with the same relation to a document, in one direction.
type RelationGroup struct {
	Key      string // below "relations." in the catalog
	Mentions []Mention
}

// ChangesPage shows how the text of an article or document changed.
type ChangesPage struct {
	Page
	Name    string
	URL     string // the page of the article or document
	Against string // the text with which it is compared, such as a date; "" for a page over time
	Changes []TextChange
}

// LifeEvent is an event in the life of a document.
type LifeEvent struct {
	Date       string
	Key        string // below "life." in the catalog
	Text, URL  string // the cause, "" if there is none
	Provenance string
	Ahead      bool // it is in the future
}

// DocumentPage is one official text with its relations and its history.
type DocumentPage struct {
	Page
	Document        Mention // title, number, issuer, status
	Summary         string
	Facts           []Fact
	Life            []LifeEvent
	Groups          []RelationGroup
	Articles        []Item // articles that contain the text, the original first
	Interpretations []Item // its interpretations
	Versions        []Version
	ChainURL        string     // "" if no document implements it
	Chain           int        // number of documents that implement it
	Steps           []ChainRow // the first of these
}

// Version is a version of a document; ChangesURL compares it with the previous one.
type Version struct {
	Date, Title, Number, URL, ChangesURL string
}

// ChainRow is a document that implements another.
type ChainRow struct {
	Mention
	Region string
	Level  string // below "level." in the catalog, "" if unknown
	Lag    int    // days after the first document; negative: unknown
	Share  int    // share of the longest delay, in percent
}

// ChainPage shows which documents implement a document, and how soon they were issued.
type ChainPage struct {
	Page
	Document Mention
	Rows     []ChainRow
	Median   int // median of the delays in days; negative: unknown
	Ticks    []ChainTick
}

// ChainTick is a mark on the time line: At is from 0 to 1000.
type ChainTick struct {
	At    int
	Label string
	Rows  int // number of documents on that day; 0 is a mark of the scale
}

// Facet is a filter for narrowing a search or for browsing.
type Facet struct {
	Key    string // below "facet." in the catalog
	Values []FacetValue
	All    string // address without this facet, or of its index; "" if there is none
}

// FacetValue is one choice of a facet. Count is negative if it was not counted.
type FacetValue struct {
	Text, URL string
	Count     int
	Chosen    bool
}

// SearchPage is the search form with the results.
type SearchPage struct {
	Page
	Query  string
	Hidden []FacetValue // fields of the form next to the query: name and value
	Asked  bool         // there is a query
	Total  int          // negative: not counted
	More   bool         // Total is a lower bound
	Items  []Item
	Facets []Facet
	Number Mention // the document whose number is the query

	Problems []string // parts of the query that were not understood
}

// CollectionPage shows the articles of a theme, region, issuer or source.
type CollectionPage struct {
	Page
	Key      string // theme, region, issuer, source
	Name     string
	Note     string // a remark on them, "" if there is none
	Link     string // the site of a source, "" if there is none
	Narrower []FacetValue
	Items    []Item
	Lists    []ListCard
	Filter   *CallFilter // for calls; nil for others
}

// CallFilter is the form that narrows a list of calls.
type CallFilter struct {
	Action string
	Active bool // a filter is set
	Fields []CallFilterField
}

// CallFilterField is a field of a CallFilter; Name is below "calls.filter." in the catalog.
type CallFilterField struct {
	Name    string
	Chosen  string
	Choices []Choice
}

// IndexPage lists all lists, themes, regions, issuers or sources.
type IndexPage struct {
	Page
	Key    string
	Groups []IndexGroup
}

// IndexGroup is a group of entries of an index under a heading; Title is "" if
// there is only one group.
type IndexGroup struct {
	Title   string
	Entries []FacetValue
}

// FeedPage is the page for a person who opens the address of a feed in a browser.
type FeedPage struct {
	Page
	Name    string
	Address string // address of the feed, for a feed reader
	Home    string // the page with the same content
	Archive bool   // it shows an older part of the feed
	Items   []FeedItem
}

// FeedItem is an item of a feed.
type FeedItem struct{ Title, URL, Date, Author, Source, Summary string }

// Render writes the page.
func (v FeedPage) Render(w io.Writer) error { return render(w, v.Page, "feed.html", v) }

// Render writes the page.
func (v ChangesPage) Render(w io.Writer) error { return render(w, v.Page, "changes.html", v) }

// Render writes the page.
func (v DocumentPage) Render(w io.Writer) error { return render(w, v.Page, "document.html", v) }

// Render writes the page.
func (v ChainPage) Render(w io.Writer) error { return render(w, v.Page, "chain.html", v) }

// Render writes the page.
func (v SearchPage) Render(w io.Writer) error { return render(w, v.Page, "search.html", v) }

// Render writes the page.
func (v CollectionPage) Render(w io.Writer) error { return render(w, v.Page, "collection.html", v) }

// Render writes the page.
func (v IndexPage) Render(w io.Writer) error { return render(w, v.Page, "index.html", v) }

// SelfURL returns the address under which search engines should index this page.
func (p Page) SelfURL() string {
	if p.Language == "en" {
		return withParameter(p.Canonical, "lang=en")
	}
	return p.Canonical
}

// withParameter adds a parameter to an address, before its fragment.
func withParameter(address, parameter string) string {
	if parameter == "" || address == "" {
		return address
	}
	address, fragment, found := strings.Cut(address, "#")
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	address += mark + parameter
	if found {
		address += "#" + fragment
	}
	return address
}

// bracketed matches the year and serial of a document number, which must not be split
// between lines.
var bracketed = regexp.MustCompile(`〔\d{4}〕\d{1,5}号|第\s?\d{1,5}\s?号`)

// unbroken escapes a text and keeps document numbers on one line. On a page
// that is not in Chinese it marks the language of Chinese text (WCAG 2.2
// §3.1.2).
func unbroken(language string) func(string) template.HTML {
	return func(s string) template.HTML {
		text := bracketed.ReplaceAllString(template.HTMLEscapeString(s), `<span class="nb">$0</span>`)
		if language != "zh" && strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			text = `<span lang="zh-CN">` + text + `</span>`
		}
		return template.HTML(text)
	}
}

// feedFormat returns the short name of a feed's format.
func feedFormat(mediaType string) string {
	for _, f := range []struct{ part, name string }{{"rss", "RSS"}, {"atom", "Atom"}, {"json", "JSON Feed"}, {"calendar", "iCalendar"}, {"opml", "OPML"}} {
		if strings.Contains(mediaType, f.part) {
			return f.name
		}
	}
	return mediaType
}

// kindOfChange returns whether a paragraph was added, removed or rewritten.
func kindOfChange(p ChangedParagraph) string {
	switch {
	case len(p.Pieces) == 1 && p.Pieces[0].Op == "+":
		return "came"
	case len(p.Pieces) == 1 && p.Pieces[0].Op == "-":
		return "went"
	}
	return "rewritten"
}

// clauseOfChange returns the article of a changed paragraph, unless the paragraph begins
// with its number.
func clauseOfChange(p ChangedParagraph) string {
	var text strings.Builder
	for _, piece := range p.Pieces {
		text.WriteString(piece.Text)
	}
	if strings.HasPrefix(text.String(), p.Article) {
		return ""
	}
	return p.Article
}

// readable returns an address with unescaped Chinese characters.
func readable(address string) string {
	if plain, err := url.PathUnescape(address); err == nil {
		return plain
	}
	return address
}

// itemFacts returns the dates of an item that a list shows: when it was issued if known, or
// else when it was published, and future dates.
func itemFacts(it Item) []DateFact {
	var shown []DateFact
	issued := false
	for _, d := range it.Dates {
		issued = issued || d.Key == "issued"
	}
	for _, d := range it.Dates {
		if d.Key != "published" || !issued {
			shown = append(shown, d)
		}
	}
	return shown
}

// ArchivePage lists the issues of a list.
type ArchivePage struct {
	Page
	List   ListCard
	Issues []IssueCard
}

// Render writes the page.
func (v ArchivePage) Render(w io.Writer) error { return render(w, v.Page, "archive.html", v) }
