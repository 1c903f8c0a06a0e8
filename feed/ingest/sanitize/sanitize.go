// Package sanitize makes HTML from other sites safe to show: text, links and pictures
// remain; whatever runs, makes other requests or changes the page is removed.
package sanitize

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"dibao/feed/ingest/textblock"
	"dibao/feed/ingest/weburl"
	"dibao/policy/warn"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy/cut"
)

// permitted are the elements that markup from other sites may contain, with their attributes: text,
// links and pictures, but no style, script, frame, event handler or form.
var permitted = func() map[string][]string {
	all := map[string][]string{"a": {"href"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
	for _, name := range strings.Fields("p div section br hr h1 h2 h3 h4 h5 h6 blockquote pre code ul ol li dl dt dd strong b em i u s " +
		"sub sup small figure figcaption table caption thead tbody tfoot tr") {
		all[name] = nil
	}
	return all
}()

// removed are elements that are removed together with their content.
const removed = "script, style, iframe, frame, frameset, embed, noscript, noframes, noembed, template, svg, math, form, input, button, " +
	"select, textarea, link, meta, base, title, xmp, plaintext, listing, audio, video, canvas, marquee"

// fallbacks are elements with content for browsers that can't show the element.
const fallbacks = "object, applet"

// Selectors are compiled once.
var (
	removedElements  = sync.OnceValue(func() goquery.Matcher { return cascadia.MustCompile(removed) })
	fallbackElements = sync.OnceValue(func() goquery.Matcher { return cascadia.MustCompile(fallbacks) })
	bodies           = sync.OnceValue(func() goquery.Matcher { return cascadia.MustCompile("body") })
)

// selfClosed matches elements that can be self-closing in XHTML but not in HTML: an HTML
// parser would treat everything that follows as their text.
var selfClosed = lazyregexp.New(`(?i)<(iframe|script|style|textarea|title|xmp|noembed|noframes|object|applet)\b([^<>]{0,1000})/>`)

// Clean makes markup safe to show: it removes what is not permitted, makes links and
// pictures absolute by base, and leaves nothing that runs or makes requests except
// pictures. Sanitizing again may change only the nesting of elements.
func Clean(text, base string) string {
	clean, _ := Markup(text, base)
	return clean
}

// TextOnly is the warning for markup whose tree would be too expensive.
var TextOnly = warn.New("markup-too-complex")

// TooLong is the warning for markup over MaxMarkup.
var TooLong = warn.New("markup-too-long", MaxMarkup>>20)

// MaxMarkup is the maximum length of markup that is kept, in bytes. Escaping can make the
// output longer than the input.
const MaxMarkup = 8 << 20

// Markup is Clean with a warning if only the text was kept; the warning is zero if the
// markup was kept.
func Markup(text, base string) (clean string, warning warn.Warning) {
	clean, _, warning = read(text, base)
	return clean, warning
}

// WithBlocks is Markup, also with the blocks of text in the clean markup.
func WithBlocks(text, base string) (clean string, blocks []string, warning warn.Warning) {
	clean, body, warning := read(text, base)
	if body != nil {
		return clean, textblock.Of(body), warning
	}
	return clean, textblock.OfMarkup(clean), warning
}

// read returns the clean markup, and the body that it was written from if that has the same
// blocks of text.
func read(text, base string) (clean string, body *html.Node, warning warn.Warning) {
	if !strings.ContainsAny(text, "<&>\"'\r\x00") {
		return strings.TrimSpace(text), nil, warn.Warning{}
	}
	if strings.Contains(text, "/>") {
		text = selfClosed.ReplaceAllString(text, "<$1$2></$1>")
	}
	root, plain := markup.Parse(text)
	s := goquery.NewDocumentFromNode(root).FindMatcher(bodies()).First()
	clean, warning = Selection(s, base)
	if plain {
		return clean, nil, TextOnly
	}
	if clean != "" && markup.HasForeign(text) {
		// Inside SVG and MathML a tree can contain what HTML markup cannot express, such as
		// a heading in a heading: parse it once more.
		return Clean(clean, base), nil, warning
	}
	if s.Length() == 1 && warning.Code == "" && !strings.Contains(text, "caption") && isSimple(s.Nodes[0], false) {
		body = s.Nodes[0]
	}
	return clean, body, warning
}

// isSimple reports whether a tree has the same blocks of text as the clean markup written from
// it: it contains no elements that change what surrounds them when they are removed, and no
// pictures, whose captions depend on attributes. inLine says that it is in a paragraph or heading.
func isSimple(n *html.Node, inLine bool) bool {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode {
			continue
		}
		switch c.Data {
		case "br", "span", "font", "strong", "b", "em", "i", "u", "a", "sub", "sup":
			if !isSimple(c, inLine) {
				return false
			}
		case "p", "h1", "h2", "h3", "h4", "h5", "h6", "div", "section":
			if inLine || !isSimple(c, c.Data != "div" && c.Data != "section") {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// Selection is Markup for the content of one element. It changes the element.
func Selection(s *goquery.Selection, base string) (clean string, warning warn.Warning) {
	s.FindMatcher(removedElements()).Remove()
	s.FindMatcher(fallbackElements()).Each(func(_ int, x *goquery.Selection) { x.ReplaceWithSelection(x.Contents()) })
	u, err := url.Parse(base)
	if err != nil {
		u = &url.URL{}
	}
	w := writer{base: u}
	for _, n := range s.Nodes {
		w.children(n)
	}
	if w.Len() > MaxMarkup {
		return textOf(s), TooLong
	}
	return strings.TrimSpace(w.String()), warn.Warning{}
}

// writer writes the permitted parts of a tree. It does not copy markup: every tag is written from the
// table.
type writer struct {
	strings.Builder
	base *url.URL // base of the addresses
}

func (w *writer) children(n *html.Node) {
	for c := n.FirstChild; c != nil && w.Len() <= MaxMarkup; c = c.NextSibling {
		switch c.Type {
		case html.TextNode:
			w.WriteString(html.EscapeString(c.Data))
		case html.ElementNode:
			w.element(c)
		}
	}
}

// element writes an element if it is permitted, or else only its content.
func (w *writer) element(n *html.Node) {
	names, ok := permitted[n.Data]
	attributes := w.attributes(n, names)
	switch n.Data {
	case "br", "hr":
		w.WriteString("<" + n.Data + "/>")
		return
	case "img":
		if strings.Contains(attributes, ` src="`) {
			w.WriteString("<img" + attributes + "/>")
		}
		return
	case "a":
		ok = attributes != ""
	}
	if !ok {
		w.children(n)
		return
	}
	w.WriteString("<" + n.Data + attributes + ">")
	if n.Data == "pre" && n.FirstChild != nil && n.FirstChild.Type == html.TextNode && strings.HasPrefix(n.FirstChild.Data, "\n") {
		w.WriteString("\n") // parsers drop the first newline
	}
	w.children(n)
	w.WriteString("</" + n.Data + ">")
}

// attributes writes the permitted attributes of an element that have permitted values.
func (w *writer) attributes(n *html.Node, names []string) string {
	var b strings.Builder
	for _, a := range n.Attr {
		if !slices.Contains(names, a.Key) {
			continue
		}
		value := a.Val
		switch a.Key {
		case "href", "src":
			absolute := weburl.Absolute(w.base, value)
			if absolute == "" || strings.Contains(absolute, " ") || a.Key == "src" && (strings.TrimSpace(value) == "" || strings.HasPrefix(absolute, "mailto:")) {
				continue
			}
			value = absolute
		case "colspan", "rowspan":
			if value == "" || strings.Trim(value, "0123456789") != "" {
				continue
			}
		}
		b.WriteString(" " + a.Key + `="` + html.EscapeString(value) + `"`)
	}
	return b.String()
}

// textOf writes the paragraphs of an element, up to the limit.
func textOf(s *goquery.Selection) string {
	var b strings.Builder
	left := MaxMarkup / len("&amp;") // characters
	for _, n := range s.Nodes {
		for _, block := range textblock.Of(n) {
			if block = cut.First(block, left); block == "" {
				break
			}
			left -= utf8.RuneCountInString(block)
			b.WriteString("<p>" + html.EscapeString(block) + "</p>\n")
		}
	}
	return strings.TrimSpace(b.String())
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
