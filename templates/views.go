// Package templates contains everything that readers see: web pages, emails (HTML and
// text), the style sheet and the message catalogs (zh, en), all embedded.
//
// It renders the view structs defined here, which other packages fill.
// html/template escapes text; only fields of type template.HTML are written as
// they are, and they come only from the sanitizer. Addresses are absolute or
// start with "/". Languages are "zh" and "en"; any other is "en".
package templates

import "html/template"

// Page contains the common parts of all web pages.
type Page struct {
	Language    string // zh or en
	SiteName    string
	Title       string // "" for the home page
	Description string
	Canonical   string // absolute address, without the parameter of the language
	Feeds       []FeedLink
	NoIndex     bool // token pages

	Chosen  bool    // the reader chose the language by ?lang=, and links keep it
	Current string  // the navigation entry of the page: home, search, browse, subscribe
	Crumbs  []Crumb // the path from the home page, without this page
	Article bool    // the page is about one text, for programs that show previews of links
	Data    any     // schema.org description, written as JSON; nil if there is none
	Older   string  // address of the next page, "" at the end
	Newer   string  // address of the previous page, "" at the beginning or if unknown
	Newest  string  // address of the first page, "" on the first page
}

// Crumb is a link in the breadcrumbs of a page.
type Crumb struct{ Title, URL string }

// FeedLink is a feed of this page; Type is its media type.
type FeedLink struct{ Title, URL, Type string }

// ListCard shows a list to subscribe to.
type ListCard struct {
	Slug, Title, Description, URL string
	Schedule                      string // in words of the page's language
	Subscribed                    bool   // for preference pages
}

// IssueCard shows one issue (第 N 期) in an archive.
type IssueCard struct {
	URL, ListTitle string
	Number         int
	Date           string // YYYY-MM-DD
	Count          int    // number of articles
	Lead           string // the first titles, joined
}

// DateFact is a date with its provenance.
type DateFact struct {
	Key        string // published, issued, effective, expires, deadline
	Date       string // YYYY-MM-DD
	Provenance string // element or sentence, "" if plain
}

// Item is one article in a page or mail.
type Item struct {
	Title       string
	URL         string // its page on our site
	SourceURL   string // where it was published
	Source      string // name of the source
	Kind        string // policy.Kind as text
	Issuers     string // joined, "" if unknown
	Number      string // 发文字号
	Author      string // person or office
	Summary     string
	Dates       []DateFact
	Why         []string // why the reader gets it
	Status      string   // current status of a document or consultation, below "status." in the catalog; "" if unknown
	Effects     []Mention
	Reposts     []FeedLink // some articles with the same text on other sites
	RepostCount int        // number of all of them
	Original    FeedLink   // for a repost: the article that it repeats
	Change      string     // what a later notice changes in the call, "" if nothing
	ChangeURL   string     // page of the notice
	Snippet     []Span     // part of the text with the matches of a search
	Marked      []Span     // the title with the matches of a search; nil elsewhere
}

// MoveDeadline shows a different last day than that of the text; for "" it changes nothing.
func (i *Item) MoveDeadline(day string) {
	for n := range i.Dates {
		if i.Dates[n].Key == "deadline" && day != "" && i.Dates[n].Date != day {
			i.Dates[n].Date, i.Dates[n].Provenance = day, ""
		}
	}
}

// Mention is a document that is related to an article or document.
type Mention struct {
	Relation string // below "relation." in the catalog
	Title    string
	Number   string
	Issuer   string
	URL      string // "" if we have no page for it
	Date     string
	Status   string
	Sentence string // the sentence that states it
}

// Amendment is the change of a call by a later notice, as the page of either shows it.
type Amendment struct {
	Text     string // 截止日期由…延至…
	Title    string // title of the other article
	URL      string
	Date     string // date of the notice's publication
	Sentence string // the sentence that states it
}

// Span is a piece of text; Hit says that it matches the search.
type Span struct {
	Text string
	Hit  bool
}

// Section is a heading with its items. Key names the heading in the catalog:
// documents, consultations, interpretations, signed, news, other.
type Section struct {
	Key   string
	Items []Item
}

// HomePage shows the lists, the latest issues and the latest articles.
type HomePage struct {
	Page
	Lists    []ListCard
	Issues   []IssueCard
	Articles []Item
	Agenda   []AgendaItem // upcoming dates
	Browse   []Facet      // links for browsing by topic
}

// AgendaItem is a date in the future.
type AgendaItem struct{ Date, Key, Title, URL string }

// ListPage shows one list and its archive.
type ListPage struct {
	Page
	List       ListCard
	Issues     []IssueCard
	Articles   []Item // articles that match, issued or not
	MoreIssues string // address of earlier issues, "" if these are all
}

// IssuePage is one issue on the web: the content of its email.
type IssuePage struct {
	Page
	List     ListCard
	Number   int
	Date     string
	Note     string // the editor's note
	Sections []Section
}

// ArticlePage is one article.
type ArticlePage struct {
	Page
	Article     Item
	Facts       []Fact
	Content     template.HTML // full text, "" if only the summary may be shown
	Attachments []FeedLink
	Warnings    []string
	Withdrawn   string       // the day on which the page was found to be removed, "" if it was not
	Changes     []TextChange // changes of the text since it was collected, newest first
	ChangesURL  string       // page of all changes, "" if there are none
	Relations   []RelationGroup
	Machine     []MachineSummary
	Document    string // page of the document that it contains, "" if none
	Pairs       []Item // the original of an interpretation, or the interpretations of an original
	Call        []CallRow
	Amended     []Amendment // changes by later notices, oldest first
	Amends      *Amendment  // what it changes itself; nil means no known call
}

// CallRow is what a notice says about one subject.
type CallRow struct {
	Key   string // below "call." in the catalog
	Lines []CallLine
}

// CallLine is a value with the sentence of the text that states it.
type CallLine struct {
	Text  string
	Note  string // our own remark, "" if there is none
	URL   string // "" if it has none
	Quote string
	File  string // the attached file that contains Quote, "" means the text itself
}

// MachineSummary is what a language model, and not dibao, says about the text.
type MachineSummary struct{ Language, Text, Model string }

// TextChange is a change of a text.
type TextChange struct {
	Seen       string // the day on which it was seen
	Paragraphs []ChangedParagraph
	TooLong    bool // the texts are too long or too different to be compared
}

// ChangedParagraph is a paragraph that was removed, added or rewritten, in pieces.
type ChangedParagraph struct {
	Article string // 第六条, of a law; "" if there is none
	Pieces  []ChangedPiece
}

// ChangedPiece is a part of a paragraph: Op is "-" if it was removed, "+" if it
// was added, "" if it is unchanged.
type ChangedPiece struct{ Op, Text string }

// FormPage is a page of the subscribe and preference forms.
type FormPage struct {
	Page
	Action  string // address to which the form posts
	Address string // shown again, "" if none
	Lists   []ListCard
	Error   string // key in the catalog, "" if none
	Started string // opaque stamp for checking the minimum time

	Suggestion string // the address that was perhaps intended, "" if none
	Invite     string // token of an invitation, "" if none
	WorkBits   int    // difficulty of the proof that the browser computes before the form is sent (static/work.js); 0 means none
}

// ConfirmPage asks a reader to confirm by a button (GET changes nothing).
type ConfirmPage struct {
	Page
	Action string
	Lists  []ListCard
}

// UnsubscribePage asks a reader to unsubscribe by a button.
type UnsubscribePage struct {
	Page
	Action string
	Lists  []ListCard // what the button ends
}

// MessagePage shows one message: what happened and what to do next. Key is the key of its
// title and text in the catalog: checkmail, confirmed, unsubscribed, expired, badtoken,
// forgotten, notfound, toomany, preferences_saved, servererror.
type MessagePage struct {
	Page
	Key   string
	Text  string // instead of the text of Key
	Lists []ListCard
	Link  FeedLink // link to continue, zero if there is none
}
