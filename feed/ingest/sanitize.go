package ingest

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/microcosm-cc/bluemonday"

	"dibao/internal/markup"
)

// policyHTML is what markup of other people may hold: text, links and pictures.
// No style, no script, no frame, no event, no form.
var policyHTML = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "div", "section", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "ul", "ol", "li", "dl", "dt", "dd",
		"strong", "b", "em", "i", "u", "s", "sub", "sup", "small", "figure", "figcaption", "table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(false)
	return p
}()

// removed elements go with all that is in them.
const removed = "script, style, iframe, frame, frameset, embed, noscript, noframes, noembed, template, svg, math, form, input, button, " +
	"select, textarea, link, meta, base, title, xmp, plaintext, listing, audio, video, canvas, marquee"

// fallbacks are elements whose content is shown where they are not.
const fallbacks = "object, applet"

// selfClosed finds elements that XHTML may close at once and HTML may not: an
// HTML parser takes all that follows for their text.
var selfClosed = regexp.MustCompile(`(?i)<(iframe|script|style|textarea|title|xmp|noembed|noframes|object|applet)\b([^<>]{0,1000})/>`)

// Sanitize makes markup safe to show: what is not allowed is dropped, links and
// pictures become absolute by base, and a mail or page that shows the result
// runs nothing and asks nothing but pictures. Sanitizing again changes nothing.
func Sanitize(text, base string) string {
	clean, _ := sanitize(text, base)
	return clean
}

// textOnly is the warning about markup whose tree would cost too much.
const textOnly = "its markup is nested too deep or leaves too many elements open; its text was read without markup"

// sanitize is Sanitize; plain says that only paragraphs of text were kept.
func sanitize(text, base string) (clean string, plain bool) {
	if !strings.ContainsAny(text, "<&>\"'\r\x00") {
		return strings.TrimSpace(text), false
	}
	if strings.Contains(text, "/>") {
		text = selfClosed.ReplaceAllString(text, "<$1$2></$1>")
	}
	root, plain := markup.Parse(text)
	clean = sanitizeSelection(goquery.NewDocumentFromNode(root).Find("body").First(), base)
	if clean != "" && foreignMarkup.MatchString(text) {
		// Inside SVG and MathML a tree can hold what markup without them cannot
		// express, such as a heading in a heading: it is read once more.
		clean = Sanitize(clean, base)
	}
	return clean, plain
}

var foreignMarkup = regexp.MustCompile(`(?i)<(?:svg|math)\b`)

// sanitizeSelection is Sanitize of the inside of one element. It changes the element.
func sanitizeSelection(s *goquery.Selection, base string) string {
	s.Find(removed).Remove()
	s.Find(fallbacks).Each(func(_ int, x *goquery.Selection) { x.ReplaceWithSelection(x.Contents()) })
	u, err := url.Parse(base)
	if err != nil {
		u = &url.URL{}
	}
	s.Find("a[href]").Each(func(_ int, a *goquery.Selection) {
		a.SetAttr("href", absolute(u, a.AttrOr("href", "")))
	})
	s.Find("img").Each(func(_ int, img *goquery.Selection) {
		address := absolute(u, img.AttrOr("src", ""))
		if address == "" || strings.HasPrefix(address, "mailto:") {
			img.Remove()
			return
		}
		img.SetAttr("src", address)
	})
	inner, _ := s.Html() // writing to memory does not fail
	return strings.TrimSpace(policyHTML.Sanitize(inner))
}

// absolute resolves a reference; what is no http(s) or mailto address, or is
// longer than any real one, becomes "". User names and passwords are dropped.
func absolute(base *url.URL, ref string) string {
	ref = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1 // as browsers do (WHATWG URL)
		}
		return r
	}, ref))
	if len(ref) > maxAddress {
		return ""
	}
	u, err := base.Parse(ref)
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "http", "https":
		if u.Hostname() == "" || u.Opaque != "" {
			return ""
		}
		u.User, u.Host = nil, strings.ToLower(u.Host)
		return u.String()
	case "mailto":
		return u.String()
	}
	return ""
}

// identity names the article at an address: http and https, a default port, a
// fragment and the marks of campaigns make no difference. It is "" for no
// address.
func identity(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	u.Host = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(u.Host), ":80"), ":443")
	u.Scheme, u.Fragment, u.RawFragment, u.User = "http", "", "", nil
	u = u.JoinPath() // cleans /./ and /../
	if u.RawQuery != "" {
		var kept []string
		for part := range strings.SplitSeq(u.RawQuery, "&") {
			if !strings.HasPrefix(part, "utm_") && !strings.HasPrefix(part, "spm=") {
				kept = append(kept, part)
			}
		}
		u.RawQuery = strings.Join(kept, "&")
	}
	return u.String()
}
