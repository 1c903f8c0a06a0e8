package ingest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mmcdole/gofeed"

	"dibao/feed/ingest/feedtext"
	"dibao/feed/ingest/sanitize"
	"dibao/feed/ingest/weburl"
	"dibao/internal/lazyregexp"
	"dibao/policy"
	"dibao/policy/warn"
	"dibao/policy/when"
)

// Limits on a feed. Without them, 133 KB of nested xmlns attributes make the parser use 976
// MB.
const (
	maxFeedBytes = 5 << 20
	maxFeedItems = feedtext.MaxItems
)

// feedTruncated is the warning on the first item of a truncated feed.
var feedTruncated = warn.New("feed-truncated")

// Text is a string that is null in JSON if it is empty: the feed does not state it.
type Text string

// MarshalJSON returns null for "".
func (t Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// FeedDoc is the content of a feed, in the same terms for RSS, Atom and JSON Feed.
type FeedDoc struct {
	Format   Text       `json:"format"` // "rss2.0", "rss1.0", "atom1.0", "json1.1"
	Title    Text       `json:"title"`
	Link     Text       `json:"link"`
	Language Text       `json:"language"` // BCP 47, as declared
	Items    []FeedItem `json:"items"`    // never nil
}

// FeedItem is one item of a feed. Addresses are absolute http or https addresses; title and
// author are plain text; summary and content are sanitized HTML.
type FeedItem struct {
	ID         Text           `json:"id"`
	Link       Text           `json:"link"`
	Title      Text           `json:"title"`
	Published  *time.Time     `json:"published"`
	Updated    *time.Time     `json:"updated"`
	Author     Text           `json:"author"`
	Summary    Text           `json:"summary"`
	Content    Text           `json:"content"`
	Enclosures []Attachment   `json:"enclosures"` // never nil
	Categories []string       `json:"-"`
	Warnings   []warn.Warning `json:"-"`

	blocks []string // blocks of text in Content, or in Summary if there is no Content
}

// Limits on one item; longer values are truncated or left out.
const (
	maxTitle    = 500 // characters
	maxName     = 200 // characters
	maxID       = 512 // bytes
	maxAttached = 50
)

// ParseFeed reads RSS 0.9 to 2.0, RDF, Atom and JSON Feed. Relative addresses are resolved
// against xml:base, or else baseURL, or else the feed's own link. Dates without a zone are
// in Asia/Shanghai.
func ParseFeed(body []byte, contentType, baseURL string) (FeedDoc, error) {
	return readFeed(Page{URL: baseURL, ContentType: contentType, Body: body}, "", when.Zone(""))
}

// FeedTitle returns the title of a feed on one line; "" if it has none.
func FeedTitle(p Page) string {
	doc, err := readFeed(p, "", when.Zone(""))
	if err != nil {
		return ""
	}
	return clip(plainText(string(doc.Title)), maxTitle)
}

type feedReader struct{}

var _ Reader = feedReader{}

// Read returns the items of a feed in its order, each item once.
func (feedReader) Read(p Page, src Source) ([]Item, error) {
	doc, err := readFeed(p, src.Settings.Charset, when.Zone(src.Zone))
	if err != nil {
		return nil, err
	}
	site := firstOf(string(doc.Link), p.URL)
	ambiguous := sharedIDs(doc.Items)
	items := make([]Item, 0, len(doc.Items))
	seen := make(map[string]bool, len(doc.Items))
	for _, f := range doc.Items {
		it := feedItem(f, site, src)
		if ambiguous[string(f.ID)] && f.Link != "" {
			it.GUID = weburl.Identity(it.URL)
			it.Warnings = append(it.Warnings, warn.New("feed-id-repeated"))
		}
		// An item with the same headline and address is the same item, whatever its id.
		same := "\x00" + it.Title + "\x00" + weburl.Identity(it.URL)
		if it.GUID == "" || seen[it.GUID] || f.Link != "" && seen[same] {
			continue
		}
		seen[it.GUID], seen[same] = true, true
		it.Evidence.Language = string(doc.Language)
		items = append(items, it)
	}
	return items, nil
}

// sharedIDs returns the ids that several items with different addresses use.
func sharedIDs(items []FeedItem) map[string]bool {
	link := make(map[string]string)
	shared := make(map[string]bool)
	for _, f := range items {
		id, at := string(f.ID), weburl.Identity(string(f.Link))
		if id == "" {
			continue // the item has no id
		}
		if before, ok := link[id]; ok && before != at {
			shared[id] = true
		}
		link[id] = at
	}
	return shared
}

// shortText is the maximum length, in characters, of a feed's text that counts as a summary
// of the text on the article's page.
const shortText = 400

func feedItem(f FeedItem, site string, src Source) Item {
	it := Item{
		GUID: string(f.ID), URL: string(f.Link), Title: string(f.Title), HTML: firstOf(string(f.Content), string(f.Summary)),
		Attachments: f.Enclosures, Warnings: f.Warnings,
	}
	if it.GUID == "" {
		it.GUID = firstOf(weburl.Identity(it.URL), it.Title)
	}
	if it.URL == "" {
		it.URL = site
		it.Warnings = append(it.Warnings, warn.New("feed-without-address"))
	}
	if it.Title == "" && len(f.blocks) > 0 {
		it.Title = clip(f.blocks[0], 60)
		it.Warnings = append(it.Warnings, warn.New("feed-without-title"))
	}
	it.Evidence = policy.Evidence{
		URL: it.URL, Title: it.Title, SiteName: src.Name, Zone: src.Zone, Issuer: src.Issuer, Region: src.Region,
		FeedPublished: f.Published, FeedUpdated: f.Updated, FeedAuthor: string(f.Author), FeedSummary: plainText(string(f.Summary)),
		Categories: f.Categories, Paragraphs: f.blocks,
	}
	// A summary with a link: the full text is on the page.
	it.NeedsPage = f.Link != "" && f.Content == "" && utf8.RuneCountInString(strings.Join(f.blocks, "")) < shortText
	return it
}

func readFeed(p Page, override string, zone *time.Location) (FeedDoc, error) {
	feed, truncated, err := parseFeed(p, override)
	if err != nil {
		return FeedDoc{}, err
	}
	link := resolve(p.URL, feed.Link)
	base := firstOf(p.URL, link)
	doc := FeedDoc{
		Format: formatOf(feed), Title: title(feed.Title), Link: Text(link), Language: Text(clip(collapse(feed.Language), 35)),
		Items: make([]FeedItem, 0, min(len(feed.Items), maxFeedItems)),
	}
	for _, f := range feed.Items[:min(len(feed.Items), maxFeedItems)] {
		if f == nil {
			continue
		}
		if it := readItem(f, base, zone); !it.isEmpty() {
			doc.Items = append(doc.Items, it)
		}
	}
	if len(doc.Items) > 0 {
		switch first := &doc.Items[0]; {
		case truncated:
			first.Warnings = append(first.Warnings, feedTruncated)
		case len(feed.Items) > maxFeedItems:
			first.Warnings = append(first.Warnings, warn.New("feed-too-long", maxFeedItems))
		}
	}
	return doc, nil
}

// isEmpty reports whether an item contains nothing that dibao reads.
func (it FeedItem) isEmpty() bool {
	return it.ID == "" && it.Link == "" && it.Title == "" && it.Author == "" && it.Content == "" && it.Summary == "" && it.Published == nil && it.Updated == nil && len(it.Enclosures) == 0
}

func readItem(f *gofeed.Item, base string, zone *time.Location) FeedItem {
	link := resolve(base, firstOf(append([]string{f.Link}, f.Links...)...))
	near := firstOf(link, base)
	it := FeedItem{
		ID: shortID(f.GUID), Link: Text(link), Title: title(f.Title), Author: authors(f),
		Enclosures: enclosures(f, base),
	}
	content, blocks, contentWarning := sanitize.WithBlocks(unescapeOnce(f.Content), near)
	var summary string
	var summaryWarning warn.Warning
	if content == "" {
		summary, blocks, summaryWarning = sanitize.WithBlocks(unescapeOnce(f.Description), near)
	} else {
		summary, summaryWarning = sanitize.Markup(unescapeOnce(f.Description), near)
	}
	it.Summary, it.Content, it.blocks = Text(summary), Text(content), blocks
	for _, w := range []warn.Warning{contentWarning, summaryWarning} {
		if w.Code != "" && len(it.Warnings) == 0 {
			it.Warnings = append(it.Warnings, w)
		}
	}
	for _, c := range f.Categories[:min(len(f.Categories), maxAttached)] {
		if c = clip(plainText(c), maxName); c != "" {
			it.Categories = append(it.Categories, c)
		}
	}
	published := firstOf(f.Published, f.Custom["pubTime"], f.Custom["pubtime"])
	for _, d := range []struct {
		raw string
		to  **time.Time
	}{{published, &it.Published}, {f.Updated, &it.Updated}} {
		*d.to = feedTime(d.raw, zone)
		if *d.to == nil && strings.TrimSpace(d.raw) != "" {
			it.Warnings = append(it.Warnings, warn.New("feed-date-not-understood", clip(collapse(d.raw), 60)))
		}
	}
	return it
}

// escapedTag matches an escaped tag at the beginning of a text: the text was escaped twice.
var escapedTag = lazyregexp.New(`^\s*&lt;(?:p|div|span|br|table|section|article|h[1-6]|ul|ol|strong|b|font|img|a)(?:\s|/?&gt;)`)

// unescapeOnce returns the HTML of a text that a site has escaped twice: all of
// its elements are escaped, and it begins with one.
func unescapeOnce(markup string) string {
	if strings.Contains(markup, "<") || !escapedTag.MatchString(markup) {
		return markup
	}
	return html.UnescapeString(markup)
}

func title(markup string) Text { return Text(clip(plainText(markup), maxTitle)) }

// shortID returns an id, or its hash if it is too long for a key.
func shortID(id string) Text {
	id = collapse(id)
	if len(id) <= maxID {
		return Text(id)
	}
	return Text(fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(id))))
}

func authors(f *gofeed.Item) Text {
	var names []string
	for _, a := range f.Authors[:min(len(f.Authors), maxAttached)] {
		if a == nil {
			continue
		}
		if name := plainText(firstOf(a.Name, a.Email)); name != "" {
			names = append(names, name)
		}
	}
	return Text(clip(strings.Join(names, "、"), maxName))
}

func enclosures(f *gofeed.Item, base string) []Attachment {
	all := []Attachment{}
	for _, enc := range f.Enclosures[:min(len(f.Enclosures), maxAttached)] {
		if enc == nil {
			continue
		}
		address := resolve(base, enc.URL)
		if address == "" {
			continue
		}
		length, err := strconv.ParseInt(strings.TrimSpace(enc.Length), 10, 64)
		if err != nil || length < 0 {
			length = 0
		}
		all = append(all, Attachment{URL: address, Type: clip(collapse(enc.Type), 100), Bytes: length})
	}
	return all
}

// formatOf returns the name of a format with the version numbers that RSS and Atom use.
func formatOf(f *gofeed.Feed) Text {
	version := f.FeedVersion[strings.LastIndexByte(f.FeedVersion, '/')+1:]
	return Text(f.FeedType + clip(version, 10))
}

// resolve returns an absolute http or https address, "" if ref is not one.
func resolve(base, ref string) string {
	if strings.TrimSpace(ref) == "" {
		return ""
	}
	u, err := url.Parse(base)
	if err != nil {
		u = &url.URL{}
	}
	if a := weburl.Absolute(u, ref); !strings.HasPrefix(a, "mailto:") {
		return a
	}
	return ""
}
