package ingest

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"dibao/feed/ingest/decode"
	"dibao/feed/ingest/literal"
	"dibao/feed/ingest/pager"
	"dibao/feed/ingest/plain"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
)

// parseList parses a list page and inserts rows that are stored elsewhere where a browser
// shows them: records of 大汉 jcms, rows that a script writes, rows in a textarea or template
// that another script reads.
func parseList(p Page, override string) (*goquery.Document, error) {
	text, _ := decode.Text(p.Body, p.ContentType, override)
	root, isPlain := markup.Parse(templateTag.ReplaceAllString(text, "<${1}div"))
	if isPlain {
		return nil, errCostly
	}
	doc := goquery.NewDocumentFromNode(root)
	u := &unfolder{left: maxUnfolded, vars: make(map[string]string)}
	u.unfold(doc.Nodes[0])
	if deeper(root, 0) {
		return nil, errCostly
	}
	followCalls(root)
	return doc, nil
}

// maxCalls is the maximum number of links of a page whose functions are followed.
const maxCalls = 1000

// followCalls sets the addresses of links that call a function.
func followCalls(root *html.Node) {
	var scripts *pager.Scripts
	left := maxCalls
	for n := range root.Descendants() {
		call := pager.CallOf(n)
		if call == "" || markup.Attr(n, "data-href") != "" {
			continue
		}
		if left--; left < 0 {
			return
		}
		if scripts == nil {
			scripts = pager.ReadScripts(root)
		}
		if to := scripts.Address(call); to != "" {
			n.Attr = append(n.Attr, html.Attribute{Key: "data-href", Val: to})
		}
	}
}

// maxUnfolded is the maximum size, in bytes, of the markup that is parsed from scripts and
// other elements of one page.
const maxUnfolded = 4 << 20

type unfolder struct {
	left int
	vars map[string]string // variables of the page's scripts
}

var (
	storedRow = lazyregexp.New(`(?s)<record>\s*<!\[CDATA\[(.*?)\]\]>\s*</record>`)
	// Rows in a template are read like others; placeholders are recognized by
	// their text.
	templateTag = lazyregexp.New(`(?i)<(/?)template\b`)
	hasLinkTag  = lazyregexp.New(`(?i)<a\s|<li[\s>]|<tr[\s>]`)
)

// unfold processes the children of n in document order, because a script may use variables
// of an earlier one.
func (u *unfolder) unfold(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		switch {
		case c.Type == html.CommentNode && n.Data == "record":
			// <![CDATA[…]]> in markup, which HTML treats as a comment.
			u.replace(c, strings.TrimSuffix(strings.TrimPrefix(c.Data, "[CDATA["), "]]"))
		case c.Type == html.TextNode && len(c.Data) < 64<<10 && c.PrevSibling == nil && c.NextSibling == nil && plain.IsBase64(strings.TrimSpace(c.Data)):
			if inner := decoded(strings.TrimSpace(c.Data)); inner != "" {
				u.replace(c, inner)
			}
		case c.Type != html.ElementNode:
		case c.Data == "script":
			u.script(c)
		case c.Data == "textarea":
			if text := childText(c); hasLinkTag.MatchString(text) {
				u.records(c, text)
			}
		default:
			u.unfold(c)
		}
		c = next
	}
}

// deeper reports whether markup is nested too deeply for recursive code.
func deeper(n *html.Node, at int) bool {
	if at >= markup.MaxDepth {
		return true
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if deeper(c, at+1) {
			return true
		}
	}
	return false
}

// script inserts the records that a script contains, or the markup that it writes, in its
// place.
func (u *unfolder) script(n *html.Node) {
	text := childText(n)
	switch kind := strings.ToLower(markup.Attr(n, "type")); {
	case strings.Contains(text, "<recordset") || strings.Contains(text, "<record>"):
		u.records(n, text)
	case kind == "text/html" || strings.Contains(kind, "template"):
		if hasLinkTag.MatchString(text) {
			u.replace(n, text) // rows with placeholders are recognized by their text
		}
	case strings.Contains(kind, "json"):
	case strings.Contains(text, "document.write"):
		u.replace(n, literal.Written(text, u.vars, &u.left))
	case len(text) < 20<<10 && strings.Contains(text, "="):
		literal.Written(text, u.vars, &u.left) // sets u.vars
	}
}

// records inserts rows in the place of n: those of a data store, or the markup unchanged.
func (u *unfolder) records(n *html.Node, text string) {
	rows := storedRow.FindAllStringSubmatch(text, maxFeedItems)
	if rows == nil {
		u.replace(n, text)
		return
	}
	var b strings.Builder
	for _, m := range rows {
		b.WriteString(m[1])
	}
	u.replace(n, b.String())
}

// replace parses markup in the place of n, and removes n; a script remains, because pagers
// are read from it.
func (u *unfolder) replace(n *html.Node, text string) {
	parent := n.Parent
	if u.left -= len(text); u.left < 0 || parent == nil || parent.Type != html.ElementNode || parent.Data == "head" || strings.TrimSpace(text) == "" {
		return
	}
	for _, x := range fragment(text, parent.Data) {
		x.Parent.RemoveChild(x)
		parent.InsertBefore(x, n)
	}
	if n.Data != "script" {
		parent.RemoveChild(n)
	}
}

// tableParts are the elements that must surround rows and cells of a table for the parser.
var tableParts = map[string]string{"table": "<table>", "tbody": "<table><tbody>", "tr": "<table><tbody><tr>"}

// fragment parses markup that is inside an element with this name.
func fragment(text, parent string) []*html.Node {
	root, plain := markup.Parse(tableParts[parent] + text)
	if plain {
		return nil
	}
	holder := "body"
	if tableParts[parent] != "" {
		holder = parent
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == holder {
			return slices.Collect(n.ChildNodes())
		}
	}
	return nil
}

func childText(n *html.Node) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// decoded returns the markup in a base64 text, possibly with URL escapes in it; "" if there
// is none.
func decoded(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	text := string(b)
	if strings.HasPrefix(text, "%") {
		if text, err = url.QueryUnescape(text); err != nil {
			return ""
		}
	}
	if !strings.HasPrefix(strings.TrimSpace(text), "<") || !strings.Contains(text, ">") {
		return ""
	}
	return text
}
