package list

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"dibao/feed/ingest/plain"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy/when"
	"dibao/policy/words"
)

// chooseLinks chooses the link of each row: the first one that is long enough
// to be a title. It skips links that lead to the same address from many rows,
// which name a category or an agency, and links in a list inside the row.
func chooseLinks(rows []segment) []*html.Node {
	own := make([][]*html.Node, len(rows))
	often := make(map[string]int)
	for i, s := range rows {
		own[i] = ownLinks(s.node)
		counted := make(map[string]bool)
		for _, a := range own[i] {
			if href := Address(a); !counted[href] {
				counted[href] = true
				often[href]++
			}
		}
	}
	chosen := make([]*html.Node, len(rows))
	for i, links := range own {
		for _, strict := range []bool{true, false} {
			for _, a := range links {
				if chosen[i] != nil {
					break
				}
				if n := often[Address(a)]; strict && (n > 1 && n*5 >= len(rows) || isTag(a)) {
					continue
				}
				if text := textOrTitle(a); isTitle(text) && !isAction(text) {
					chosen[i] = a
				}
			}
		}
		if chosen[i] == nil {
			chosen[i] = rows[i].link
		}
		for _, a := range links { // a selector may select rows with short titles
			if chosen[i] == nil && textOrTitle(a) != "" {
				chosen[i] = a
			}
		}
		chosen[i] = withText(chosen[i], links)
	}
	return chosen
}

// withText returns the link with the text for an icon: a later link of the row to the same
// address. The title attribute of the icon may only say what a click does.
func withText(a *html.Node, links []*html.Node) *html.Node {
	if a == nil || textOf(a, 300, ' ') != "" {
		return a
	}
	attr := fullTitle(markup.Attr(a, "title"))
	for _, b := range links {
		text := clean(textOf(b, 300, ' '))
		if Address(b) == Address(a) && isTitle(text) && !isAction(text) && text != attr && !extends(attr, text) {
			return b
		}
	}
	return a
}

// isTag reports whether the attributes of a link say that it leads to a tag, a category or the
// author.
func isTag(a *html.Node) bool {
	for rel := range strings.FieldsSeq(markup.Attr(a, "rel")) {
		switch strings.ToLower(rel) {
		case "tag", "category", "author":
			return true
		}
	}
	return false
}

// ownLinks returns the links of a row that are not in a list or table inside
// it; all links if there are none.
func ownLinks(row *html.Node) []*html.Node {
	var own, all []*html.Node
	var walk func(n *html.Node, nested bool)
	walk = func(n *html.Node, nested bool) {
		if Address(n) != "" {
			if all = append(all, n); !nested {
				own = append(own, n)
			}
			if n.Data == "a" {
				return
			}
		}
		for c := n.FirstChild; c != nil && len(all) < maxRowLinks; c = c.NextSibling {
			if c.Type == html.ElementNode && !isUnseen(c) {
				walk(c, nested || isNested(c))
			}
		}
	}
	walk(row, false)
	for _, a := range own {
		if isTitle(textOrTitle(a)) {
			return own
		}
	}
	return all
}

func hasElement(n *html.Node) bool {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && !isUnseen(c) {
			return true
		}
	}
	return false
}

// hasBlock reports whether an element contains a block, or more than one span.
func hasBlock(n *html.Node) bool {
	spans := 0
	for d := range n.Descendants() {
		if d.Type != html.ElementNode {
			continue
		}
		switch d.Data {
		case "p", "div", "li", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "br", "section", "td", "ul":
			return true
		case "span", "em", "i", "b", "strong", "time":
			if spans++; spans > 1 {
				return true
			}
		}
	}
	return false
}

// named reports whether an element, or an ancestor inside the link, is a heading or has a
// name that means title.
func named(n, a *html.Node) bool {
	for ; n != nil && n != a; n = n.Parent {
		switch n.Data {
		case "h1", "h2", "h3", "h4", "h5", "h6":
			return true
		}
		if titleName.MatchString(markup.Attr(n, "class")) {
			return true
		}
	}
	return false
}

var titleName = lazyregexp.New(`(?i)(?:^|[\s_-])(?:title|tit|bt|biaoti|headline|subject)(?:$|[\s_-])`)

// titleColumn returns the index of the piece of the links that is their title: the first
// that is long enough and not the same in every row.
func titleColumn(all [][]part) int {
	for at := range 6 {
		rows, long, texts := 0, 0, make(map[string]bool)
		for _, parts := range all {
			if at >= len(parts) {
				continue
			}
			rows++
			if isTitle(parts[at].text) {
				long++
				texts[parts[at].text] = true
			}
		}
		if rows*2 >= len(all) && long*5 >= rows*3 && len(texts)*5 >= rows*3 {
			return at
		}
	}
	return -1
}

// titleIn returns the piece of a link that is its title if there are no other rows to
// compare.
func titleIn(texts []string) string {
	for _, t := range texts {
		if isTitle(t) && !isAside(t) && !isLabeled(t) {
			return t
		}
	}
	for _, t := range texts { // 2026年10月18日学术报告通知
		if isTitle(t) && when.RoleOf(t) == when.RoleUnknown && !isLabeled(t) {
			return t
		}
	}
	for _, t := range texts {
		if letters(t) >= minShort {
			return t
		}
	}
	if len(texts) > 0 {
		return texts[0]
	}
	return ""
}

// isLabeled reports whether a text begins with a labeled date: 发布时间：2026-11-27 来源：某部.
func isLabeled(text string) bool {
	w := when.Find(text, when.Clock{})
	return len(w) > 0 && w[0].Label != "" && strings.HasPrefix(text, w[0].Label)
}

// title returns the title of a link, from an attribute if that contains the
// complete form of a truncated text.
func (f *finder) title(row, link *html.Node, parts []part, column int) string {
	text, from := choosePart(parts, column)
	text = clean(text)
	if toDetails.MatchString(text) || isAction(text) || isReference(text) {
		if heading := f.heading(row, link); heading != "" {
			return heading
		}
	}
	if rest, date := cutDate(text, f.clock); date != "" && !f.keepsDates && !hasDate(f.outside(row, link)) {
		text = rest
	}
	for n := from; n != nil; n = n.Parent {
		if full := fullTitle(markup.Attr(n, "title")); full != "" && (text == "" || extends(full, text)) {
			return full
		}
		if n == row || n == link.Parent {
			break
		}
	}
	if full := fullTitle(markup.Attr(link, "title")); full != "" && (text == "" || extends(full, text)) {
		return full
	}
	if text == "" {
		text = f.heading(row, link)
	}
	if text == "" {
		for d := range link.Descendants() {
			if d.Type == html.ElementNode && d.Data == "img" {
				return clean(markup.Attr(d, "alt"))
			}
		}
	}
	return text
}

// toDetails matches a link that only says that it leads to the article.
var toDetails = words.New(`(?i)^[\[【(（<《]?(?:点击|点此)?(?:查看|阅读|浏览|了解|进入)(?:更多|详情|详细|全文|原文|正文|内容|详细内容)?[\]】)）>》…. ]*$|^[\[【(（]?(?:详情|详细|全文|更多|详细内容)[\]】)）>》…. ]*$|^(?:read |view |learn |case )?(?:more|details?)\W*$`)

// heading returns the title that a row shows outside its link, "" if there is none.
func (f *finder) heading(row, link *html.Node) string {
	var rest []part
	for _, p := range pieces(row) {
		if !holds(link, p.node) && !isAside(p.text) && !toDetails.MatchString(p.text) && !isAction(p.text) && !isReference(p.text) {
			rest = append(rest, p)
		}
	}
	text, from := choosePart(rest, -1)
	if from != nil && f.seen[from] != nil && f.seen[from].actions > 0 {
		text = withoutActions(from)
	}
	if !isTitle(text) {
		return ""
	}
	return clean(text)
}

// withoutActions returns the text of an element without the links that say what a click does.
func withoutActions(n *html.Node) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if text := textOf(c, 400, ' '); c.Type == html.TextNode || c.Type == html.ElementNode && !isUnseen(c) && !isAction(text) {
			b.WriteString(text)
			b.WriteByte(' ')
		}
	}
	return plain.Collapse(b.String())
}

// choosePart returns the piece that is the title, and its element.
func choosePart(parts []part, column int) (string, *html.Node) {
	longest, most := -1, 1
	for i, p := range parts { // a mark such as 专题 or 图解 may be in the heading, too
		if n := letters(p.text); p.title && n > most {
			longest, most = i, n
		}
	}
	if longest >= 0 {
		return parts[longest].text, parts[longest].node
	}
	if column >= 0 && column < len(parts) && letters(parts[column].text) > 1 {
		return parts[column].text, parts[column].node
	}
	for _, p := range parts {
		if isTitle(p.text) && !isAside(p.text) {
			return p.text, p.node
		}
	}
	if len(parts) > 0 {
		return parts[0].text, parts[0].node
	}
	return "", nil
}

// outside returns the dates of a row outside its link.
func (f *finder) outside(row, link *html.Node) []when.When {
	if row == link {
		return nil
	}
	var own, nested strings.Builder
	f.rowText(row, link, &own, &nested)
	return when.Find(own.String(), f.clock)
}

var (
	mark = words.New(`(?i)^[\[【(（]?\s*(?:置顶|最新|顶|新|热|荐|推荐|hot|new|top|专题|图解|解读|政策解读|一图读懂|独家|原创|转载|视频|图文|直播|要闻|头条|重磅|聚焦|快讯)\s*[\]】)）]?$`)
	// lead matches what can precede a title: a bullet, a mark, the label 标题.
	lead  = lazyregexp.New(`(?i)^(?:[·•●■◆▪▶►»›○◇□★☆>]+\s*|[\[【(（]\s*(?:置顶|最新|顶|hot|new|top)\s*[\]】)）]\s*|置顶\s*[:：]\s*|(?:文章标题|标\s*题|题\s*名|名\s*称)\s*[:：]\s*)+`)
	label = lazyregexp.New(`\s*(?:发布|发文|成文|公布|更新)?(?:时间|日期)\s*[:：].*$|\s+(?:作者|来源)\s*[:：].*$`)
)

// clean removes bullets, marks and labels from a title.
func clean(s string) string {
	s = plain.Collapse(s)
	if rest := strings.TrimLeft(s, "—–-"); strings.HasPrefix(rest, " ") { // dashes between a date and its title
		s = rest[1:]
	}
	if r, _ := utf8.DecodeRuneInString(s); strings.ContainsRune("·•●■◆▪▶►»›○◇□★☆>[【(（标题名文置", r) {
		s = strings.TrimSpace(lead.ReplaceAllString(s, ""))
	}
	return s
}

// fullTitle reads a title attribute; if it contains several labeled lines, it
// returns the one with the title.
func fullTitle(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ReplaceAll(s, "\r", "\n")
	for line := range strings.Lines(s) {
		if strings.Contains(line, "标题") {
			s = line
			break
		}
	}
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if strings.ContainsAny(s, ":：") {
		s = label.ReplaceAllString(s, "")
	}
	return clean(s)
}

// extends reports whether full is the complete form of a truncated text, with
// or without an ellipsis.
func extends(full, text string) bool {
	a := strings.Join(strings.Fields(full), "")
	whole := strings.Join(strings.Fields(text), "")
	b := whole
	if strings.HasSuffix(whole, "..") || strings.HasSuffix(whole, "…") || strings.HasSuffix(whole, "。。") {
		b = strings.TrimRight(whole, ".…。")
	}
	return b != "" && strings.HasPrefix(a, b) && (len(a) > len(b) || len(b) < len(whole))
}

// complete replaces truncated titles by those of other links of the page to the same address:
// a page for phones often contains its list twice.
func (f *finder) complete(rows []Row) {
	short := make(map[string]*Row)
	var root *html.Node
	for i := range rows {
		if r := &rows[i]; f.often[r.Href] > 1 && isTruncated(r.Title) {
			short[r.Href], root = r, r.Node
		}
	}
	if root == nil {
		return
	}
	for root.Parent != nil {
		root = root.Parent
	}
	for n := range root.Descendants() {
		r := short[Address(n)]
		if r == nil || !isTruncated(r.Title) {
			continue
		}
		for _, p := range append(pieces(n), part{text: fullTitle(markup.Attr(n, "title"))}) {
			if text := clean(p.text); !isTruncated(text) && !strings.Contains(text, "。") && extends(text, r.Title) && letters(text) <= maxComplete {
				r.Title = text
				break
			}
		}
	}
}

// maxComplete is the maximum number of letters of a title that completes a truncated one; a
// longer text, or one with a full stop, is an abstract.
const maxComplete = 120

// isTruncated reports whether a title ends in an ellipsis.
func isTruncated(title string) bool {
	return strings.HasSuffix(title, "..") || strings.HasSuffix(title, "…")
}
