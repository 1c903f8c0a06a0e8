package publish

import (
	"fmt"
	"mime"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Formats are the ways to write a feed. A new format is one file and one line here.
var Formats = []Format{
	{Name: "rss", Suffix: ".xml", MediaType: "application/rss+xml; charset=utf-8", Write: writeRSS},
	{Name: "atom", Suffix: ".atom", MediaType: "application/atom+xml; charset=utf-8", Write: writeAtom},
	{Name: "json", Suffix: ".json", MediaType: "application/feed+json; charset=utf-8", Write: writeJSON},
}

// TagURI makes an id that never changes (RFC 4151): domain and date say who
// gave it, and specific says what to.
func TagURI(domain string, date time.Time, specific string) string {
	return "tag:" + domain + "," + date.UTC().Format(time.DateOnly) + ":" + specific
}

// clean returns a copy of f that can be written in every format: text without
// characters that XML forbids, items with ids and titles, links that are
// addresses, updated never before published.
func clean(f Feed) Feed {
	f.Title, f.Description, f.Language = text(f.Title), text(f.Description), text(f.Language)
	if f.Description == "" {
		f.Description = f.Title
	}
	items := make([]Item, 0, len(f.Items))
	seen := make(map[string]bool, len(f.Items))
	for _, it := range f.Items {
		it.ID = text(it.ID)
		if it.ID == "" || seen[it.ID] {
			continue // without an identity of its own a reader can't keep it
		}
		seen[it.ID] = true
		it.Title, it.Summary, it.HTML = text(it.Title), text(it.Summary), text(it.HTML)
		it.Author, it.Credit = text(it.Author), text(it.Credit)
		// An item that has no page of its own is found on the feed's.
		it.Link, it.CreditURL = firstOf(address(it.Link), f.Link), address(it.CreditURL)
		if it.Title == "" {
			it.Title = firstOf(it.Summary, it.Link, it.ID)
		}
		if it.Updated.Before(it.Published) {
			it.Updated = it.Published
		}
		if it.Updated.After(f.Updated) {
			f.Updated = it.Updated
		}
		it.Enclosures = cleanEnclosures(it.Enclosures)
		it.Categories = cleanCategories(it.Categories)
		items = append(items, it)
	}
	f.Items = items
	return f
}

func cleanEnclosures(all []Enclosure) []Enclosure {
	var out []Enclosure
	for _, e := range all {
		mediaType, _, err := mime.ParseMediaType(e.Type)
		if e.URL = address(e.URL); e.URL != "" && err == nil && strings.Contains(mediaType, "/") {
			e.Length = max(e.Length, 0)
			out = append(out, e)
		}
	}
	return out
}

func cleanCategories(all []Category) []Category {
	var out []Category
	for _, c := range all {
		if c.Term = text(c.Term); c.Term != "" {
			c.Label, c.Scheme = text(c.Label), address(c.Scheme)
			out = append(out, c)
		}
	}
	return out
}

// address returns an http(s) address as it may stand in a feed, else "".
func address(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}

// text drops what XML 1.0 §2.2 forbids, and white space at the ends.
func text(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF || r >= 0xD800 && r < 0xE000 {
			return -1
		}
		return r
	}, s))
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// missing says why a feed can't be written.
func missing(f Feed) error {
	for _, x := range []struct{ name, value string }{{"an id", f.ID}, {"a title", f.Title}, {"a link", f.Link}, {"its own address", f.Self}} {
		if x.value == "" {
			return fmt.Errorf("a feed needs %s", x.name)
		}
	}
	return nil
}
