// Package sanitize makes HTML from other sites safe to show: text, links and pictures
// stay; what runs, makes other requests or changes the page is removed.
package sanitize

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"dibao/feed/ingest/plain"
	"dibao/feed/ingest/textblock"
	"dibao/feed/ingest/weburl"
	"dibao/policy/warn"

	"github.com/PuerkitoBio/goquery"
	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
)

// policyHTML is what markup from other sites may contain: text, links and pictures. No
// style, script, frame, event handler or form.
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
// HTML parser would treat everything that follows as their text.
var selfClosed = lazyregexp.New(`(?i)<(iframe|script|style|textarea|title|xmp|noembed|noframes|object|applet)\b([^<>]{0,1000})/>`)

// Clean makes markup safe to show: it drops what is not allowed, makes links
// and pictures absolute by base, and leaves nothing that runs or makes requests
// except pictures. Sanitizing again changes nothing.
func Clean(text, base string) string {
	clean, _ := Markup(text, base)
	return clean
}

// TextOnly is the warning about markup whose tree would cost too much.
var TextOnly = warn.New("markup-too-complex")

// TooLong is the warning about markup that is longer than any that is kept.
var TooLong = warn.New("markup-too-long", MaxMarkup>>20)

// MaxMarkup is the length of the longest markup that is kept, in bytes.
// Escaping can make the output longer than the input.
const MaxMarkup = 8 << 20

// Markup is Clean. The warning says that only text was kept, and why; it
// is zero if the markup was kept.
func Markup(text, base string) (clean string, warning warn.Warning) {
	if !strings.ContainsAny(text, "<&>\"'\r\x00") {
		return strings.TrimSpace(text), warn.Warning{}
	}
	if strings.Contains(text, "/>") {
		text = selfClosed.ReplaceAllString(text, "<$1$2></$1>")
	}
	root, plain := markup.Parse(text)
	clean, warning = Selection(goquery.NewDocumentFromNode(root).Find("body").First(), base)
	if plain {
		warning = TextOnly
	}
	if clean != "" && markup.HasForeign(text) {
		// Inside SVG and MathML a tree can contain what HTML markup cannot
		// express, such as a heading in a heading: it is parsed once more.
		clean = Clean(clean, base)
	}
	return clean, warning
}

// Selection is Markup for the inside of one element. It changes the element.
func Selection(s *goquery.Selection, base string) (clean string, warning warn.Warning) {
	s.Find(removed).Remove()
	s.Find(fallbacks).Each(func(_ int, x *goquery.Selection) { x.ReplaceWithSelection(x.Contents()) })
	u, err := url.Parse(base)
	if err != nil {
		u = &url.URL{}
	}
	s.Find("a[href]").Each(func(_ int, a *goquery.Selection) {
		a.SetAttr("href", weburl.Absolute(u, a.AttrOr("href", "")))
	})
	s.Find("img").Each(func(_ int, img *goquery.Selection) {
		address := weburl.Absolute(u, img.AttrOr("src", ""))
		if address == "" || strings.HasPrefix(address, "mailto:") {
			img.Remove()
			return
		}
		img.SetAttr("src", address)
	})
	text := inner(s)
	if len(text) > MaxMarkup {
		return textOf(s), TooLong
	}
	return strings.TrimSpace(permitted(text)), warn.Warning{}
}

// textOf writes the paragraphs of an element, as many as are kept.
func textOf(s *goquery.Selection) string {
	var blocks []string
	left := MaxMarkup / len("&amp;") // characters
	for _, n := range s.Nodes {
		for _, block := range textblock.Of(n) {
			if block = plain.Clip(block, left); block == "" {
				break
			}
			left -= utf8.RuneCountInString(block)
			blocks = append(blocks, block)
		}
	}
	return strings.TrimSpace(permitted(Paragraphs(blocks)))
}

// inner writes what an element holds.
func inner(s *goquery.Selection) string {
	var b strings.Builder
	for _, n := range s.Nodes {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			splitTexts(c)
			_ = html.Render(&b, c) // writing to memory does not fail
		}
	}
	return b.String()
}

// permitted returns the part of markup that the policy allows.
func permitted(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	_ = policyHTML.SanitizeReaderToWriter(strings.NewReader(text), &b) // neither reading nor writing memory fails
	return b.String()
}

// maxPiece is the length of the longest text, in bytes, that the policy
// processes at once: it copies a text several times.
const maxPiece = 64 << 10

// splitTexts parts long texts by comments, which the policy leaves out.
func splitTexts(n *html.Node) {
	if n.Type != html.TextNode {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			splitTexts(c)
		}
		return
	}
	if len(n.Data) <= maxPiece || n.Parent == nil {
		return
	}
	at := maxPiece
	for at > maxPiece-utf8.UTFMax && !utf8.RuneStart(n.Data[at]) {
		at--
	}
	rest := &html.Node{Type: html.TextNode, Data: n.Data[at:]}
	n.Data = n.Data[:at]
	n.Parent.InsertBefore(rest, n.NextSibling)
	n.Parent.InsertBefore(&html.Node{Type: html.CommentNode}, rest)
}

// Paragraphs writes blocks of plain text as paragraphs in HTML.
func Paragraphs(blocks []string) string {
	var b strings.Builder
	for _, p := range blocks {
		if p != "" {
			b.WriteString("<p>" + htmlEscaper.Replace(p) + "</p>\n")
		}
	}
	return b.String()
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
