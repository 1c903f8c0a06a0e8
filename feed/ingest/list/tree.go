package list

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"dibao/feed/ingest/plain"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy/when"
	"dibao/policy/words"
)

// Limits on rows. An element with more characters, links or nodes is a part of the page, not a row.
const (
	minTitle    = 4 // letters of a link's text that make it a title
	maxRowRunes = 2000
	maxRowLinks = 40
	maxRowNodes = 500

	maxColumn = 30 // bytes of the name of a column
)

// info describes an element, based on its children.
type info struct {
	first *html.Node // the first link in it that is long enough to be a title
	to    string     // its address
	links int        // such links, with different addresses
	total int        // letters of those whose address does not occur all over the page
	lead  int        // the first link's share of total
	most  int        // letters of the longest
	runes int        // characters of text, at most a little over maxRowRunes
	nodes int        // nodes, at most a little over maxRowNodes
	any   bool       // it has a link, however short
	last  string     // address of the last such link

	action  *html.Node // the first link that says what a click does
	actions int        // such links
	pages   int        // links that are a number of at most three digits
}

// finder contains what is known about each element of a page.
type finder struct {
	clock when.Clock
	least int // minimum number of letters of a title
	seen  map[*html.Node]*info
	dates map[*html.Node][]when.When
	often map[string]int // number of links that may be titles, by address
	steps int            // steps that remain for examining nodes between repeated containers
	links int            // links that may be titles
	paged bool           // the page has a link to a next page, or words of a pager

	own    own
	groups [][]*candidate              // containers that repeat, in the order of the page
	panels map[*html.Node][]*html.Node // panels of tabs, by each panel

	keepsDates bool // dates at the end of titles belong to the titles
}

// maxLinks is the maximum number of links of a page that are examined; the longest lists
// have several thousand rows.
const maxLinks = 30_000

// isRow reports whether an element may be a row.
func (f *finder) isRow(n *html.Node) bool {
	in := f.seen[n]
	return in != nil && in.first != nil && in.runes <= maxRowRunes && in.links <= maxRowLinks && in.nodes <= maxRowNodes && !in.isPager()
}

// isPager reports whether an element contains numbers of pages and no link that is longer
// than the words of a pager: Next, Final.
func (in *info) isPager() bool { return in.pages > 1 && in.most < minBareTitle }

// isLongRow reports whether an element contains too much text for a row and is similar to
// the row before it: the list contains the article in full.
func (f *finder) isLongRow(n, before *html.Node) bool {
	in := f.seen[n]
	return in != nil && in.first != nil && in.runes > maxRowRunes && in.links <= f.seen[before].links && in.nodes <= maxRowNodes && shape(n) == shape(before)
}

func newFinder(root *html.Node, c when.Clock, least int) *finder {
	f := &finder{clock: c, least: least, seen: make(map[*html.Node]*info), dates: make(map[*html.Node][]when.When), often: make(map[string]int), steps: maxSteps}
	for n := range root.Descendants() {
		if href := Address(n); href != "" {
			f.often[href]++
		}
	}
	f.examine(root)
	return f
}

// examine collects the properties of n from its children.
func (f *finder) examine(n *html.Node) *info {
	in := &info{nodes: 1}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		in.nodes = min(in.nodes+1, maxRowNodes+1)
		switch c.Type {
		case html.TextNode:
			in.runes = min(in.runes+visible(c.Data), maxRowRunes+1)
			f.paged = f.paged || len(c.Data) < maxPagerText && nextPage.MatchString(c.Data)
		case html.ElementNode:
			if isUnseen(c) {
				continue
			}
			x := f.examine(c)
			in.runes = min(in.runes+x.runes, maxRowRunes+1)
			in.nodes = min(in.nodes+x.nodes, maxRowNodes+1)
			in.any = in.any || x.any
			if in.first == nil {
				in.first, in.to = x.first, x.to
			}
			if x.links > 0 {
				in.add(x)
			}
			if in.action == nil {
				in.action = x.action
			}
			in.actions += x.actions
			in.pages += x.pages
		}
	}
	href := Address(n)
	in.any = in.any || href != ""
	if href != "" {
		f.links++
	}
	text := ""
	if href != "" {
		text = textOrTitle(n)
	}
	if href != "" && f.links <= maxLinks && in.links == 0 && !isTag(n) && !isAction(text) && !strings.Contains(href, "//beian.") && letters(text) >= f.least && !isNumber(text) && !isColumn(text) && (f.least == minTitle && len(text) > maxPagerWord || !pagerWord.MatchString(text)) {
		in.first, in.to, in.links, in.last = n, href, 1, href
		if f.often[href] < minOften {
			in.most = min(letters(text), maxChars)
			in.total, in.lead = in.most, in.most
		}
	} else if href != "" && n.Data == "a" && in.links > 0 {
		in.links, in.last = 1, href
		in.total, in.lead = in.most, in.most
	} else if href != "" && n.Data == "a" && f.links <= maxLinks && (text == "" || isAction(text) || isReference(text)) {
		in.action, in.actions = n, 1
	} else if href != "" && len(text) > 0 && len(text) <= 3 && strings.Trim(text, "0123456789") == "" {
		in.pages = 1
	}
	f.seen[n] = in
	return in
}

// add counts the links of a child. If its first link has the same address as the link before
// it, both count as one: a picture and the title below it.
func (in *info) add(x *info) {
	links, total := x.links, x.total
	if in.links > 0 && x.to == in.last {
		links--
		total -= x.lead
	}
	if in.links == 0 {
		in.lead = x.lead
	}
	in.links += links
	in.total += total
	in.most = max(in.most, x.most)
	in.last = x.last
}

// nextPage matches the words of a pager.
var nextPage = words.New(`(?i)下一?\s*[页頁]|[尾末]\s*[页頁]|共\s*\d+\s*[页頁]|next page|^\s*next\s*[>»›]?\s*$`)

// maxPagerText is the maximum length of a text of a pager, in bytes.
const maxPagerText = 60

// minOften is the minimum number of links to one address for which it counts as a category,
// an author or an agency that rows name next to their title.
const minOften = 4

// visible counts the characters of a text that are not whitespace.
func visible(s string) int {
	n := 0
	for _, r := range s {
		if r > ' ' && r != '\u3000' && r != '\u00a0' {
			n++
		}
	}
	return n
}

// isUnseen reports whether the content of an element is not displayed.
func isUnseen(n *html.Node) bool {
	switch n.Data {
	case "script", "style", "head", "title", "select", "button", "iframe", "svg", "math", "object", "textarea", "template", "input", "option":
		return true
	}
	return false
}

// textOrTitle returns the text of a link, or its title attribute if it has no text.
func textOrTitle(n *html.Node) string {
	if t := textOf(n, 300, ' '); t != "" {
		return t
	}
	return markup.Attr(n, "title")
}

// textOf returns the text in n with a separator between elements, limited to about this
// many bytes.
func textOf(n *html.Node, limit int, border byte) string {
	var b strings.Builder
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil && b.Len() < limit; c = c.NextSibling {
			switch {
			case c.Type == html.TextNode:
				b.WriteString(strings.TrimLeftFunc(c.Data, unicode.IsSpace))
				if last, _ := utf8.DecodeLastRuneInString(c.Data); unicode.IsSpace(last) {
					b.WriteByte(' ')
				}
			case c.Type == html.ElementNode && !isUnseen(c):
				edge := border
				if border == ' ' && isInline(c) {
					edge = 0
				}
				writeByte(&b, edge)
				walk(c)
				writeByte(&b, edge)
			}
		}
	}
	if n.Type == html.TextNode {
		return plain.Collapse(n.Data)
	}
	walk(n)
	if border != ' ' {
		return b.String()
	}
	return plain.Collapse(b.String())
}

func writeByte(b *strings.Builder, c byte) {
	if c != 0 {
		b.WriteByte(c)
	}
}

// isInline reports whether an element is part of a line of text.
func isInline(n *html.Node) bool {
	switch n.Data {
	case "b", "i", "em", "strong", "font", "u", "sup", "sub", "mark", "wbr", "nobr", "big", "small":
		return true
	}
	return false
}

// isTitle reports whether a text is long enough to be a title and not just a
// number or a date.
func isTitle(s string) bool { return letters(s) >= minTitle && !isNumber(s) && !isColumn(s) }

// aColumn matches a name in brackets: the column of an article, which precedes its title.
var aColumn = lazyregexp.New(`^(?:\[[^\[\]]*\]|【[^【】]*】|（[^（）]*）|\([^()]*\))$`)

// isColumn reports whether a text is only a short name in brackets.
func isColumn(s string) bool {
	return len(s) <= maxColumn && strings.ContainsAny(s, "[【（(") && aColumn.MatchString(s)
}

// letters counts the letters of a text; digits and signs do not count.
func letters(s string) int {
	n := 0
	for _, r := range s {
		if r >= 0x4E00 && r < 0xA000 || r >= utf8.RuneSelf && unicode.IsLetter(r) || r < utf8.RuneSelf && (r|0x20 >= 'a' && r|0x20 <= 'z') {
			n++
		}
	}
	return n
}

// aNumber matches a text that is only a document number or a date; registration numbers of
// sites are recognized by their words.
var aNumber = lazyregexp.New(`^[\p{Han}\w]{1,14}[〔\[（(［【]?(?:19|20)\d{2}(?:[〕\]）)］】]|年)第?\d{1,5}号$|^(?:19|20)\d{2}年\d{1,2}月(?:\d{1,2}日)?$`)

func isNumber(s string) bool {
	return strings.Contains(s, "公网安备") || strings.Contains(s, "ICP备") || len(s) < 90 && (strings.HasSuffix(s, "号") || s[0] >= '0' && s[0] <= '9') && aNumber.MatchString(s)
}

// Address returns the address to which an element leads: the href of a link, or
// the address that a script follows; "" if there is none.
func Address(n *html.Node) string {
	if n.Type != html.ElementNode {
		return ""
	}
	href := strings.TrimSpace(markup.Attr(n, "href"))
	isLink := n.Data == "a" || n.Data == "area"
	if isLink && href != "" && !strings.HasPrefix(href, "#") && !strings.HasPrefix(strings.ToLower(href), "javascript:") {
		return href
	}
	for _, key := range []string{"data-href", "data-url", "data-link", "tagname"} {
		if to := strings.TrimSpace(markup.Attr(n, key)); to != "" && (isLink || looksLikeAddress(to)) {
			return to
		}
	}
	for _, script := range []string{markup.Attr(n, "onclick"), href} {
		if script == "" || !isLink && len(script) > 2000 {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(script, 8) {
			if looksLikeAddress(m[1]) {
				return m[1]
			}
		}
	}
	return ""
}

// quoted matches the string arguments of a call in a script.
var quoted = lazyregexp.New(`['"]([^'"\s]{2,1000})['"]`)

// looksLikeAddress reports whether a string in a script may be an address.
func looksLikeAddress(s string) bool {
	return strings.HasPrefix(s, "/") || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") ||
		pageName.MatchString(s)
}

var pageName = lazyregexp.New(`^[\w./%-]+\.(?:[jsx]?html?|jspx?|aspx?|php|do)(?:\?[^\s]*)?$`)

// isHidden reports whether a style or a class hides an element.
func isHidden(n *html.Node) bool {
	if style := markup.Attr(n, "style"); style != "" && strings.Contains(strings.ReplaceAll(strings.ToLower(style), " ", ""), "display:none") {
		return true
	}
	for class := range strings.FieldsSeq(markup.Attr(n, "class")) {
		switch class {
		case "hide", "hidden", "dn", "none":
			return true
		}
	}
	return false
}
