package ingest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mmcdole/gofeed"

	"dibao/policy"
)

// Limits on a feed. Without them 133 KB of nested xmlns attributes make the
// parser use 976 MB.
const (
	maxFeedBytes = 5 << 20
	maxFeedDepth = 64
	maxFeedNames = 64 // xmlns attributes in force
	maxFeedItems = 2000
)

// feedReader reads RSS 0.9 to 2.0, RDF, Atom and JSON Feed.
type feedReader struct{}

var _ Reader = feedReader{}

// Read returns the items of a feed in its order.
func (feedReader) Read(p Page, src Source) ([]Item, error) {
	feed, err := parseFeed(p, src.Settings.Charset)
	if err != nil {
		return nil, err
	}
	base := p.URL
	if feed.Link != "" {
		base = resolve(p.URL, feed.Link)
	}
	zone := zoneOf(src.Zone)
	items := make([]Item, 0, len(feed.Items))
	seen := make(map[string]bool, len(feed.Items))
	for _, f := range feed.Items {
		it := feedItem(f, base, src, zone)
		if it.GUID == "" || seen[it.GUID] {
			continue
		}
		seen[it.GUID] = true
		it.Evidence.Language = feed.Language
		items = append(items, it)
	}
	return items, nil
}

// shortText is the length in characters up to which a feed's text is taken for
// a summary whose whole stands on the article's page.
const shortText = 400

func feedItem(f *gofeed.Item, base string, src Source, zone *time.Location) Item {
	link := resolve(base, firstOf(append([]string{f.Link}, f.Links...)...))
	if link == "" {
		link = resolve("", f.GUID) // a permalink GUID is an address
	}
	body := firstOf(f.Content, f.Description)
	it := Item{
		GUID: firstOf(f.GUID, link), URL: link, Title: plainText(f.Title),
		HTML: Sanitize(body, firstOf(link, base)),
	}
	if it.GUID == "" {
		it.GUID = it.Title
	}
	if it.URL == "" {
		it.URL = base
		it.Warnings = append(it.Warnings, "the feed gives no address for this item")
	}
	e := &it.Evidence
	e.URL, e.Title, e.SiteName, e.Zone, e.Issuer, e.Region = it.URL, it.Title, src.Name, src.Zone, src.Issuer, src.Region
	e.FeedPublished = feedTime(f.Published, f.PublishedParsed, zone)
	e.FeedUpdated = feedTime(f.Updated, f.UpdatedParsed, zone)
	e.Categories = f.Categories
	if len(f.Authors) > 0 && f.Authors[0] != nil {
		e.FeedAuthor = collapse(firstOf(f.Authors[0].Name, f.Authors[0].Email))
	}
	if f.Description != "" {
		e.FeedSummary = plainText(f.Description)
	}
	e.Paragraphs = textBlocks(it.HTML)
	// A summary with a link: the text is on the page.
	it.NeedsPage = link != "" && f.Content == "" && utf8.RuneCountInString(strings.Join(e.Paragraphs, "")) < shortText
	for _, enc := range f.Enclosures {
		if u := resolve(base, enc.URL); u != "" {
			length, err := strconv.ParseInt(strings.TrimSpace(enc.Length), 10, 64)
			if err != nil || length < 0 {
				length = 0
			}
			it.Attachments = append(it.Attachments, Attachment{URL: u, Type: enc.Type, Bytes: length})
		}
	}
	return it
}

// zoneless finds a time of day with a zone behind it.
var zoned = regexp.MustCompile(`(?i)(?:[+-]\d{2}:?\d{2}|\bz|\d{2}z|gmt|utc?|[a-z]{1,2}[ds]t|cst)\s*(?:\(.*\))?\s*$`)

// feedTime takes a date that names no zone as of the source's zone; CST on a
// Chinese site is China's, not Chicago's.
func feedTime(raw string, parsed *time.Time, zone *time.Location) *time.Time {
	if parsed == nil {
		d, err := policy.ParseDate(strings.TrimSpace(raw))
		if err != nil {
			return nil
		}
		t := d.In(zone)
		return &t
	}
	t := *parsed
	raw = strings.TrimSpace(raw)
	if !zoned.MatchString(raw) || strings.HasSuffix(strings.ToUpper(raw), "CST") {
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
	}
	if t.Year() < 1990 || t.Year() > 2200 {
		return nil // 1970 and the like: the feed knows no date
	}
	t = t.In(zone)
	return &t
}

func zoneOf(name string) *time.Location {
	if name == "" {
		name = "Asia/Shanghai"
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.FixedZone("CST", 8*60*60)
	}
	return loc
}

func firstOf(values ...string) string {
	for _, v := range values {
		if strings.TrimSpace(v) != "" {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func resolve(base, ref string) string {
	if strings.TrimSpace(ref) == "" {
		return ""
	}
	u, err := url.Parse(base)
	if err != nil {
		u = &url.URL{}
	}
	if a := absolute(u, ref); !strings.HasPrefix(a, "mailto:") {
		return a
	}
	return ""
}

// parseFeed decodes, checks the limits and parses.
func parseFeed(p Page, override string) (feed *gofeed.Feed, err error) {
	if len(p.Body) > maxFeedBytes {
		return nil, fmt.Errorf("the feed is larger than %d MB", maxFeedBytes>>20)
	}
	text, _ := Decode(p.Body, p.ContentType, override)
	trimmed := strings.TrimLeft(text, " \t\r\n\uFEFF")
	if trimmed == "" {
		return nil, errors.New("the feed is empty")
	}
	if trimmed[0] != '{' {
		trimmed = xmlDeclaration.ReplaceAllString(trimmed, "") // it is UTF-8 now, whatever it says
		trimmed = dropControls(trimmed)
		if err := checkXML(trimmed); err != nil {
			return nil, err
		}
	}
	defer func() {
		// The parser is fed by strangers; a panic of it is a feed we can't read.
		if p := recover(); p != nil {
			feed, err = nil, fmt.Errorf("the feed breaks its parser: %v", p)
		}
	}()
	feed, err = gofeed.NewParser().ParseString(trimmed)
	if err != nil {
		return nil, fmt.Errorf("this is no feed that can be read: %w", err)
	}
	if len(feed.Items) > maxFeedItems {
		feed.Items = feed.Items[:maxFeedItems]
	}
	return feed, nil
}

var xmlDeclaration = regexp.MustCompile(`^<\?xml[^>]*\?>`)

// dropControls removes characters that XML 1.0 forbids and that broken CMSs emit.
func dropControls(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}

// checkXML refuses documents that are built to exhaust a parser. Broken markup
// it leaves to the parser, which is more patient.
func checkXML(text string) error {
	if i := strings.Index(text, "<!ENTITY"); i >= 0 && i < 64<<10 {
		return errors.New("the feed declares entities, which are not read")
	}
	d := xml.NewDecoder(bytes.NewReader([]byte(text)))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	depth, names := 0, []int{0}
	for {
		token, err := d.RawToken()
		if err != nil {
			return nil //nolint:nilerr // not ours to judge
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			declared := names[len(names)-1]
			for _, a := range t.Attr {
				if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
					declared++
				}
			}
			names = append(names, declared)
			if depth > maxFeedDepth || declared > maxFeedNames {
				return fmt.Errorf("the feed is nested deeper than %d elements or %d name spaces", maxFeedDepth, maxFeedNames)
			}
		case xml.EndElement:
			if depth > 0 {
				depth--
				names = names[:len(names)-1]
			}
		}
	}
}
