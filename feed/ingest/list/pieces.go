package list

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"dibao/feed/ingest/plain"
	"dibao/policy/when"
)

// part is the text of one element of a link.
type part struct {
	text  string
	node  *html.Node // the element that holds it
	title bool       // a heading, or an element whose name means title
}

// partsOf returns the pieces of each link.
func partsOf(links []*html.Node) [][]part {
	all := make([][]part, len(links))
	for i, a := range links {
		if a != nil {
			all[i] = withoutMarks(pieces(a))
		}
	}
	return all
}

// withoutMarks returns the pieces that are more than a mark such as 专题; if there are none,
// it returns all.
func withoutMarks(parts []part) []part {
	rest := slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return mark.MatchString(p.text) })
	if len(rest) == 0 {
		return parts
	}
	return rest
}

// pieces splits the text of a link where a block or a span begins.
func pieces(a *html.Node) []part {
	var all []part
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n != a && (isInline(n) || !hasBlock(n)) || !hasElement(n) {
			if text := textOf(n, 1500, ' '); text != "" {
				all = append(all, part{text, n, named(n, a)})
			}
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			switch {
			case c.Type == html.TextNode:
				text := plain.Collapse(c.Data)
				if text == "" {
					continue
				}
				if last := len(all) - 1; last >= 0 && n != a && isBroken(all[last], text, n, c) {
					all[last].text = plain.Collapse(joined(all[last].text, text))
					continue
				}
				all = append(all, part{text, n, named(n, a)})
			case c.Type == html.ElementNode && !isUnseen(c):
				walk(c)
			}
		}
	}
	if !hasBlock(a) {
		return inlinePieces(a)
	}
	walk(a)
	return all
}

// maxLines is the maximum number of letters of a title that is broken into two lines.
const maxLines = 60

// isBroken reports whether a text in n continues the title that precedes it in n: only a
// line break is between them, and neither is a date.
func isBroken(before part, text string, n, c *html.Node) bool {
	return before.node == n && c.PrevSibling != nil && c.PrevSibling.Data == "br" && !isAside(before.text) && !isAside(text) && onlyBreaks(n) &&
		letters(before.text)+letters(text) <= maxLines && !label.MatchString(text)
}

// joined joins the lines of a title: with a space between words, without one between
// Chinese characters.
func joined(a, b string) string {
	if a[len(a)-1] < utf8.RuneSelf && b[0] < utf8.RuneSelf {
		return a + " " + b
	}
	return a + b
}

// onlyBreaks reports whether an element contains one line break and text, and perhaps
// pictures.
func onlyBreaks(n *html.Node) bool {
	breaks := 0
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && !isUnseen(c) {
			switch c.Data {
			case "br":
				breaks++
			case "img":
			default:
				return false
			}
		}
	}
	return breaks == 1
}

// inlinePieces reads a link without blocks in it as one text, without spans
// that contain only a date or a mark.
func inlinePieces(a *html.Node) []part {
	var rest strings.Builder
	var all []part
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			switch {
			case c.Type == html.TextNode:
				rest.WriteString(c.Data)
			case c.Type != html.ElementNode || isUnseen(c):
			default:
				if text := textOf(c, 400, ' '); text != "" && isAside(text) {
					all = append(all, part{text: text, node: c})
					rest.WriteByte(' ')
					continue
				}
				walk(c)
			}
		}
	}
	walk(a)
	return append([]part{{text: plain.Collapse(rest.String()), node: a}}, all...)
}

// isAside reports whether an element in a link contains only a date, a number
// or a mark.
func isAside(text string) bool {
	if len(text) > 60 {
		return false
	}
	if mark.MatchString(text) {
		return true
	}
	w := when.Find(text, when.Clock{})
	return len(w) > 0 && letters(strings.Replace(text, w[0].Text, "", 1)) <= 6 && (hasDate(w) || letters(text) == 0)
}
