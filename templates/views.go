// Package templates holds everything that readers see: web pages, emails (HTML
// and text), the style sheet and the message catalogs (zh, en), all embedded.
//
// It renders the view structs defined here, which other packages fill.
// html/template escapes text; only fields of type template.HTML are written as
// they are, and they come only from the sanitizer. Addresses are absolute or
// start with "/". Languages are "zh" and "en"; any other is "en".
package templates

import "html/template"

// Page is what every web page needs.
type Page struct {
	Language    string // zh or en
	SiteName    string
	Title       string // "" for the home page
	Description string
	Canonical   string // absolute address, without the parameter of the language
	Feeds       []FeedLink
	NoIndex     bool // token pages

	Chosen  bool    // the reader chose the language by ?lang=, and links keep it
	Current string  // the entry of the navigation that the page is under: home, search, browse, subscribe
	Crumbs  []Crumb // the way from the home page, without this page
	Article bool    // one text, for those that show previews of links
	Data    any     // schema.org description, written as JSON; nil if there is none
	Older   string  // address of the page that goes on, "" at the end
	Newer   string  // address of the page before, "" at the beginning or where it is not known
	Newest  string  // address of the first page, "" on it
}

// Crumb is a step on the way to a page.
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
	Count          int    // of articles
	Lead           string // the first titles, joined
}

// DateFact is one date with what said it.
type DateFact struct {
	Key        string // published, issued, effective, expires, deadline
	Date       string // YYYY-MM-DD
	Provenance string // element or sentence, "" if plain
}

// Item is one article in a page or mail.
type Item struct {
	Title       string
	URL         string // our page of it
	SourceURL   string // where it was published
	Source      string // name of the source
	Kind        string // policy.Kind as text
	Issuers     string // joined, "" if unknown
	Number      string // 发文字号
	Author      string // person or office
	Summary     string
	Dates       []DateFact
	Why         []string // why the reader gets it
	Status      string   // state of a document or consultation today, in the catalog below "status."; "" if unknown
	Effects     []Mention
	Reposts     []FeedLink // the same text on other sites, some of them
	RepostCount int        // of all of them
	Original    FeedLink   // where the text came first, for a repost
	Change      string     // what a later notice does to the call, "" for none
	ChangeURL   string     // of the notice
	Snippet     []Span     // of the text that a search found
	Marked      []Span     // the title, with what a search found; nil elsewhere
}

// MoveDeadline shows another last day than that of the text; "" leaves it.
func (i *Item) MoveDeadline(day string) {
	for n := range i.Dates {
		if i.Dates[n].Key == "deadline" && day != "" && i.Dates[n].Date != day {
			i.Dates[n].Date, i.Dates[n].Provenance = day, ""
		}
	}
}

// Mention is a document that an article or document has to do with.
type Mention struct {
	Relation string // in the catalog below "relation."
	Title    string
	Number   string
	Issuer   string
	URL      string // "" if we have no page of it
	Date     string
	Status   string
	Sentence string // that says so
}

// Amendment is what a later notice does to a call, as the page of either shows it.
type Amendment struct {
	Text     string // 截止日期由…延至…
	Title    string // of the other article
	URL      string
	Date     string // on which the notice was published
	Sentence string // that says so
}

// Span is a piece of text; Hit says that it was searched for.
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
	Agenda   []AgendaItem // what is due next
	Browse   []Facet      // ways to look further
}

// AgendaItem is a date that lies ahead.
type AgendaItem struct{ Date, Key, Title, URL string }

// ListPage shows one list and its archive.
type ListPage struct {
	Page
	List       ListCard
	Issues     []IssueCard
	Articles   []Item // matched, issued or not
	MoreIssues string // address of earlier issues, "" if these are all
}

// IssuePage is one issue on the web: the mail's content.
type IssuePage struct {
	Page
	List     ListCard
	Number   int
	Date     string
	Note     string // the editor's
	Sections []Section
}

// ArticlePage is one article.
type ArticlePage struct {
	Page
	Article     Item
	Facts       []Fact
	Content     template.HTML // full text, "" where only the summary may be shown
	Attachments []FeedLink
	Warnings    []string
	Withdrawn   string       // the day on which the page was found gone, "" if it is there
	Changes     []TextChange // of the text since it was collected, the newest first
	ChangesURL  string       // page of all changes, "" if there are none
	Relations   []RelationGroup
	Machine     []MachineSummary
	Document    string // page of the document that it carries, "" if none
	Pairs       []Item // the original of an interpretation, or the interpretations
	Call        []CallRow
	Amended     []Amendment // by later notices, the oldest first
	Amends      *Amendment  // what it changes itself; nil: no call that is known
}

// CallRow is what a notice says of one matter.
type CallRow struct {
	Key   string // in the catalog below "call."
	Lines []CallLine
}

// CallLine is a value with the sentence of the text that says so.
type CallLine struct {
	Text  string
	Note  string // of ours, "" if there is none
	URL   string // "" if it has none
	Quote string
	File  string // the attached file that Quote is from, "": the text itself
}

// MachineSummary is what a language model, and not dibao, says of the text.
type MachineSummary struct{ Language, Text, Model string }

// TextChange is how a text was edited.
type TextChange struct {
	Seen       string // the day
	Paragraphs []ChangedParagraph
	TooLong    bool // the texts are too long or too different to be compared
}

// ChangedParagraph is a paragraph that went, came or was rewritten, in pieces.
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
	Action  string // where the form posts to
	Address string // shown back, "" if none
	Lists   []ListCard
	Error   string // catalogue key, "" if none
	Started string // opaque stamp for the minimal fill time

	Suggestion string // the address that was perhaps meant, "" if none
	Invite     string // token of an invitation, "" if none
	WorkBits   int    // what the browser is to compute before the form is sent (static/work.js); 0: nothing
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

// MessagePage has one message: what happened and what to do next. Key names its
// title and text in the catalog: checkmail, confirmed, unsubscribed, expired,
// badtoken, notfound, toomany, preferences_saved, servererror.
type MessagePage struct {
	Page
	Key   string
	Lists []ListCard
	Link  FeedLink // where to go next, zero if nowhere
}
