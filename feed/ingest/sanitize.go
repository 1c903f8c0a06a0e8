package ingest

import (
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
)

// policyHTML is what markup of other people may hold: text, links and pictures.
// No style, no script, no frame, no event, no form.
var policyHTML = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "ul", "ol", "li", "dl", "dt", "dd",
		"strong", "b", "em", "i", "u", "s", "sub", "sup", "small", "figure", "figcaption", "table", "caption", "thead", "tbody", "tfoot", "tr")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowElements("td", "th")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(false)
	return p
}()

// Sanitize makes markup safe to show: what is not allowed is dropped, links and
// pictures become absolute by base, and a mail or page that shows the result
// runs nothing and asks nothing but pictures. Sanitizing again changes nothing.
func Sanitize(markup, base string) string {
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(markup))
	if err != nil {
		return ""
	}
	return sanitizeSelection(doc.Find("body").First(), base)
}

// sanitizeSelection is Sanitize of the inside of one element. It changes the element.
func sanitizeSelection(s *goquery.Selection, base string) string {
	s.Find("script, style, iframe, object, embed, noscript, template, svg, math, form, input, button, select, textarea").Remove()
	u, err := url.Parse(base)
	if err != nil {
		u = &url.URL{}
	}
	for _, x := range []struct{ tag, attr string }{{"a", "href"}, {"img", "src"}} {
		s.Find(x.tag + "[" + x.attr + "]").Each(func(_ int, e *goquery.Selection) {
			value, _ := e.Attr(x.attr)
			e.SetAttr(x.attr, absolute(u, value))
		})
	}
	inner, err := s.Html()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(policyHTML.Sanitize(inner))
}

// absolute resolves a reference; what is no http(s) or mailto address becomes "".
func absolute(base *url.URL, ref string) string {
	u, err := base.Parse(strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, ref)))
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "http", "https":
		if u.Host != "" && u.User == nil {
			return u.String()
		}
	case "mailto":
		return u.String()
	}
	return ""
}

// plainText returns the text of markup, white space collapsed.
func plainText(markup string) string {
	if !strings.ContainsAny(markup, "<&") {
		return collapse(markup)
	}
	nodes, err := html.Parse(strings.NewReader(markup))
	if err != nil {
		return collapse(markup)
	}
	var b strings.Builder
	writeText(&b, nodes)
	return collapse(b.String())
}

func writeText(b *strings.Builder, n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		b.WriteString(n.Data)
	case n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style" || n.Data == "noscript"):
		return
	case n.Type == html.ElementNode && (n.Data == "br" || n.Data == "p" || n.Data == "div" || n.Data == "li" || n.Data == "td"):
		b.WriteByte(' ')
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		writeText(b, c)
	}
}

// collapse makes every run of white space, U+3000 and U+00A0 included, one
// space, drops characters without width, and trims the ends.
func collapse(s string) string {
	return strings.Join(strings.FieldsFunc(strings.Map(func(r rune) rune {
		switch r {
		case '\u200B', '\u200C', '\u200D', '\u2060', '\uFEFF', '\u00AD':
			return -1
		}
		return r
	}, s), isSpace), " ")
}

func isSpace(r rune) bool {
	return r == ' ' || r >= '\t' && r <= '\r' || r == '\u00A0' || r == '\u3000' || r == '\u0085' || r >= '\u2000' && r <= '\u200A' ||
		r == '\u2028' || r == '\u2029' || r == '\u202F' || r == '\u205F' || r == '\u1680'
}
