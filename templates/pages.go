package templates

import (
	"html/template"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// Fact is a line of the box of facts. Key names it in the catalog below
// "fact."; without values it is shown as not stated, never filled by a guess.
type Fact struct {
	Key        string
	Values     []FactValue
	Date       bool   // the values are dates
	Provenance string // element or sentence that says so
}

// FactValue is one value of a fact; URL is our page of it, "" if there is none.
type FactValue struct{ Text, URL string }

// RelationGroup are documents in one relation to a document, of one direction.
type RelationGroup struct {
	Key      string // in the catalog below "relations."
	Mentions []Mention
}

// ChangesPage shows how the text of an article or document was edited.
type ChangesPage struct {
	Page
	Name    string
	URL     string // the page of the article or document
	Against string // the text that it is compared with, such as a date; "" for a page over time
	Changes []TextChange
}

// LifeEvent is a day in the life of a document.
type LifeEvent struct {
	Date       string
	Key        string // in the catalog below "life."
	Text, URL  string // what did it, "" if nothing
	Provenance string
	Ahead      bool // it lies in the future
}

// DocumentPage is one official text with its relatives and its life.
type DocumentPage struct {
	Page
	Document Mention // title, number, issuer, state
	Summary  string
	Facts    []Fact
	Life     []LifeEvent
	Groups   []RelationGroup
	Carriers []Item // articles that carry the text, the original first
	Readings []Item // its interpretations
	Versions []Version
	ChainURL string     // "" if nobody implements it
	Chain    int        // how many implement it
	Steps    []ChainRow // the first of them
}

// Version is a version of a document; ChangesURL compares it with the one before.
type Version struct {
	Date, Title, Number, URL, ChangesURL string
}

// ChainRow is a document that implements another.
type ChainRow struct {
	Mention
	Region string
	Level  string // in the catalog below "level.", "" if unknown
	Lag    int    // days after the first; below 0: unknown
	Share  int    // of the longest delay, in percent
}

// ChainPage shows who implemented a document, and how soon.
type ChainPage struct {
	Page
	Document Mention
	Rows     []ChainRow
	Median   int // of the delays in days; below 0: unknown
	Ticks    []ChainTick
}

// ChainTick is a mark of the time line: At is from 0 to 1000.
type ChainTick struct {
	At    int
	Label string
	Rows  int // documents of that day; 0 is a mark of the scale
}

// Facet is a way to narrow a search or to browse.
type Facet struct {
	Key    string // in the catalog below "facet."
	Values []FacetValue
	All    string // address without this facet, or of its index; "" if there is none
}

// FacetValue is one choice of a facet. Count is below 0 where it was not counted.
type FacetValue struct {
	Text, URL string
	Count     int
	Chosen    bool
}

// SearchPage is the search form with what it found.
type SearchPage struct {
	Page
	Query  string
	Hidden []FacetValue // fields of the form next to the query: name and value
	Asked  bool         // something was asked for
	Total  int          // below 0: not counted
	More   bool         // Total is a lower bound
	Items  []Item
	Facets []Facet
	Number Mention // the document whose number was asked for

	Problems []string // parts of the query that were not understood
}

// CollectionPage shows the articles of a theme, region, issuer or source.
type CollectionPage struct {
	Page
	Key      string // theme, region, issuer, source
	Name     string
	Note     string // what is to know of it, "" if nothing
	Link     string // the site of a source, "" if there is none
	Narrower []FacetValue
	Items    []Item
	Lists    []ListCard
	Filter   *CallFilter // of calls; nil elsewhere
}

// CallFilter is the form that narrows a list of calls.
type CallFilter struct {
	Action string
	Active bool // something is chosen
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

// FeedPage is what a person sees who opens the address of a feed in a browser.
type FeedPage struct {
	Page
	Name    string
	Address string // of the feed, for a reader
	Home    string // the page that the feed mirrors
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

// SelfURL is the address that search programs should know this page by.
func (p Page) SelfURL() string {
	if p.Language == "en" {
		return withParameter(p.Canonical, "lang=en")
	}
	return p.Canonical
}

// withParameter adds a parameter to an address, in front of its fragment.
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

// bracketed is the year and serial of a document number, which no line may part.
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

// feedFormat is the short name of a feed's format.
func feedFormat(mediaType string) string {
	for _, f := range []struct{ part, name string }{{"rss", "RSS"}, {"atom", "Atom"}, {"json", "JSON Feed"}, {"calendar", "iCalendar"}, {"opml", "OPML"}} {
		if strings.Contains(mediaType, f.part) {
			return f.name
		}
	}
	return mediaType
}

// kindOfChange says whether a paragraph came, went or was rewritten.
func kindOfChange(p ChangedParagraph) string {
	switch {
	case len(p.Pieces) == 1 && p.Pieces[0].Op == "+":
		return "came"
	case len(p.Pieces) == 1 && p.Pieces[0].Op == "-":
		return "went"
	}
	return "rewritten"
}

// clauseOfChange is the article of a changed paragraph, unless the paragraph
// begins with its number.
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

// readable is an address with its Chinese characters as such.
func readable(address string) string {
	if plain, err := url.PathUnescape(address); err == nil {
		return plain
	}
	return address
}

// itemFacts are the dates of an item that a list shows: when it was issued if
// known, else when it was published, and future dates.
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
