package publish

import (
	"fmt"
	"mime"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Formats are the formats of feeds. To add a format, add a file and a line here.
var Formats = []Format{
	{Name: "rss", Suffix: ".xml", MediaType: "application/rss+xml; charset=utf-8", Write: writeRSS},
	{Name: "atom", Suffix: ".atom", MediaType: "application/atom+xml; charset=utf-8", Write: writeAtom},
	{Name: "json", Suffix: ".json", MediaType: "application/feed+json; charset=utf-8", Write: writeJSON},
}

// TagURI returns an id that never changes (RFC 4151): domain and date identify who assigned
// it, and specific identifies the thing within that authority.
func TagURI(domain string, date time.Time, specific string) string {
	return "tag:" + domain + "," + date.UTC().Format(time.DateOnly) + ":" + specific
}

// clean returns a copy of f that can be written in every format: text without characters
// that XML forbids, items with ids and titles, valid links, no update before publication,
// and no two items with the same update time: for the validator, equal times show that a
// program sets the dates.
func clean(f Feed) Feed {
	f.Title, f.Description, f.Language = text(f.Title), text(f.Description), text(f.Language)
	if f.Description == "" {
		f.Description = f.Title
	}
	f.Link, f.Self = firstOf(address(f.Link), f.Link), firstOf(address(f.Self), f.Self)
	f.Older, f.Current, f.Hub = address(f.Older), address(f.Current), address(f.Hub)
	items := make([]Item, 0, len(f.Items))
	seen, updated := make(map[string]bool, len(f.Items)), make(map[int64]bool, len(f.Items))
	for _, it := range f.Items {
		it.ID = text(it.ID)
		if it.ID == "" || seen[it.ID] {
			continue // without an id, a reader can't recognize it
		}
		seen[it.ID] = true
		it = cleanItem(it, f)
		for updated[it.Updated.UnixMilli()] {
			it.Updated = it.Updated.Add(time.Millisecond)
		}
		updated[it.Updated.UnixMilli()] = true
		if it.Updated.After(f.Updated) {
			f.Updated = it.Updated
		}
		items = append(items, it)
	}
	f.Items = items
	return f
}

func cleanItem(it Item, f Feed) Item {
	it.Title, it.Summary, it.HTML = text(it.Title), text(it.Summary), text(it.HTML)
	it.Author, it.Credit = text(it.Author), text(it.Credit)
	// An item without its own page links to that of the feed.
	it.Link, it.CreditURL = firstOf(address(it.Link), f.Link), address(it.CreditURL)
	if it.Title == "" {
		it.Title = firstOf(it.Summary, it.Link, it.ID)
	}
	if it.Updated.Before(it.Published) || !plausible(it.Updated, f.Now) {
		it.Updated = it.Published
	}
	if !plausible(it.Updated, f.Now) {
		it.Updated = f.Updated
	}
	it.Enclosures = cleanEnclosures(it.Enclosures)
	it.Categories = cleanCategories(it.Categories)
	return it
}

// plausible reports whether a time in a feed is plausible: the validator warns
// about times in the future or before feeds existed.
func plausible(t, now time.Time) bool {
	return t.Year() >= 1990 && (now.IsZero() || !t.After(now))
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
			c.Term, c.Label, c.Scheme = plain(c.Term), plain(text(c.Label)), address(c.Scheme)
			out = append(out, c)
		}
	}
	return out
}

// address returns an http(s) address in ASCII (RSS does not support IRIs) and in canonical
// form (RFC 3986 §6.2), or "" if it is not one.
func address(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	if strings.ContainsFunc(u.Host, notASCII) {
		host, err := idna.Lookup.ToASCII(u.Hostname())
		if err != nil {
			return ""
		}
		if u.Host = host; u.Port() != "" {
			u.Host = net.JoinHostPort(host, u.Port())
		}
	}
	if strings.ContainsAny(u.Host, "%<>\"{}|\\^` ") {
		return ""
	}
	u.Host = strings.TrimSuffix(strings.ToLower(u.Host), map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	rest := firstOf(escapeRest(u.EscapedPath()), "/")
	if u.RawQuery != "" {
		rest += "?" + escapeRest(u.RawQuery)
	}
	if u.Fragment != "" {
		rest += "#" + escapeRest(u.EscapedFragment())
	}
	return u.Scheme + "://" + u.Host + rest
}

func notASCII(r rune) bool { return r >= utf8.RuneSelf }

// escapeRest escapes what an address may not hold (RFC 3986 appendix A).
func escapeRest(s string) string {
	const allowed = "!$&'()*+,-./:;=?@_~"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case i > 0 && s[i-1] == '%' && isEscape(s[i-1:]), i > 1 && s[i-2] == '%' && isEscape(s[i-2:]):
			b.WriteString(strings.ToUpper(s[i : i+1]))
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', strings.IndexByte(allowed, c) >= 0, isEscape(s[i:]):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// isEscape reports whether s begins with a percent sign and two digits.
func isEscape(s string) bool { return len(s) > 2 && s[0] == '%' && isHex(s[1]) && isHex(s[2]) }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' || c >= 'a' && c <= 'f'
}

// text removes what XML 1.0 §2.2 forbids or discourages, undecodable
// characters, and whitespace at the ends.
func text(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return r
		case r < ' ', r >= 0x7F && r <= 0x9F, r == utf8.RuneError, r >= 0xFDD0 && r <= 0xFDEF, r&0xFFFE == 0xFFFE:
			return -1
		}
		return r
	}, s))
}

// looksLikeHTML are the beginnings of tags, and references to characters.
var looksLikeHTML = regexp.MustCompile(`<[A-Za-z/!?]|&#?\w+;`)

// plain returns text for places where some feed readers, and the validator,
// would interpret what looks like HTML: it uses full-width signs instead.
func plain(s string) string {
	return looksLikeHTML.ReplaceAllStringFunc(s, func(m string) string {
		return map[byte]string{'<': "＜", '&': "＆"}[m[0]] + m[1:]
	})
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
