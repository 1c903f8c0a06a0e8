package ingest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"dibao/feed/ingest/textblock"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy"
	"dibao/policy/label"
	"dibao/policy/when"
)

// minText is the minimum length of the text in a container, in characters.
const minText = 50

// found says how the text was found.
type foundBy int

const (
	byShape    foundBy = iota // the element with most of the running text
	byName                    // by the selector of a known system
	bySelector                // by the selector of the source
	byHeadline                // it follows the headline
)

// findBody returns the element that contains the text: by the source's own selector, or
// else by the containers of known systems, or else the element with most of the running
// text. It returns nil if there is none.
func (v *view) findBody(doc *goquery.Document, selector string, title int) (*html.Node, foundBy, error) {
	if selector != "" {
		if _, err := cascadia.ParseGroup(selector); err != nil {
			return nil, 0, fmt.Errorf("content selector %q of the source is not a CSS selector; write one such as div.content", selector)
		}
		if s := doc.Find(selector).First(); s.Length() > 0 {
			return s.Nodes[0], bySelector, nil
		}
	}
	dense := v.densest(title)
	if dense != nil && v.weights[dense].prose < 3*minText && v.proseOfText(dense) < minText {
		dense = nil
	}
	if n, _ := v.known(doc, dense); n != nil {
		return n, byName, nil
	}
	if dense != nil {
		return v.widen(dense), byShape, nil
	}
	return nil, 0, nil
}

// textLevel are elements whose text belongs to the surrounding element.
var textLevel = set(`p span h1 h2 h3 h4 h5 h6 li ul ol dl dt dd blockquote pre tr tbody thead table strong b font em i u a center figure figcaption`)

// nearTitle is the factor for text that follows the headline: further down the page, other
// articles are announced, sometimes with more words than the article has.
const nearTitle = 3

// densest returns the element with most running text: its own paragraphs count fully, those
// of its descendants in part. title is the line of the headline, -1 if it is unknown.
func (v *view) densest(title int) *html.Node {
	scores := make(map[*html.Node]int)
	var order []*html.Node // in ties the first one wins
	for _, l := range v.lines {
		if l.prose == 0 || l.aside != inArticle {
			continue
		}
		share := l.prose * 8
		for n := l.node; n != nil && n.Type == html.ElementNode && share > 0; n = n.Parent {
			if textLevel[n.Data] && n.Parent != nil && n.Parent.Type == html.ElementNode {
				continue
			}
			if _, ok := scores[n]; !ok {
				order = append(order, n)
			}
			scores[n] += share
			share /= 2
			if share < l.prose {
				break
			}
		}
	}
	var best *html.Node
	most := 0
	for _, n := range order {
		w := v.weights[n]
		score := scores[n] * (w.size - w.link) / max(1, w.size)
		if s := v.under(n); title >= 0 && s.to > title && v.isBelow(title, s.from) {
			score *= nearTitle
		}
		if score > most {
			best, most = n, score
		}
	}
	if best == nil || v.weights[best].prose < minText {
		return nil
	}
	return best
}

// isBelow reports whether only lines of the head are between a headline and the first line
// of an element, or whether the element begins above the headline.
func (v *view) isBelow(title, from int) bool {
	return from <= title+headLines/2 || from <= title+headLines && !slices.ContainsFunc(v.lines[title+1:from], func(l line) bool { return l.prose > 0 && !isHeader(l) })
}

// firstProse returns the first line of the article's running text under an element, and
// where it begins, if there is any.
func (v *view) firstProse(n *html.Node) int {
	s := v.under(n)
	for i := s.from; i < s.to; i++ {
		if l := v.lines[i]; l.prose > 0 && l.aside == inArticle && !isHeader(l) {
			return i
		}
	}
	return s.from
}

// proseOfText returns the running text under an element without the lines of an
// article's head.
func (v *view) proseOfText(n *html.Node) (prose int) {
	s := v.under(n)
	for _, l := range v.lines[s.from:s.to] {
		if l.prose > 0 && !isHeader(l) {
			prose += l.prose
		}
	}
	return prose
}

// widen returns the highest ancestor that adds mostly running text: the text may be in
// several parts.
func (v *view) widen(n *html.Node) *html.Node {
	for up := n.Parent; up != nil && up.Type == html.ElementNode && up.Data != "html"; up = up.Parent {
		have, all := v.weights[n], v.weights[up]
		size, prose := all.size-have.size, all.prose-have.prose
		if size > 0 && v.isSections(up, n) {
			n = up
			continue
		}
		if prose*10 < have.prose || prose*10 < size*7 || v.hasAside(up) {
			if size > 0 {
				break
			}
			continue
		}
		n = up
	}
	return n
}

// isSections reports whether an element consists of parts with the same structure, one of
// which contains the text: the sections of a pasted document, such as forms after a notice.
func (v *view) isSections(up, n *html.Node) bool {
	for c := up.FirstChild; c != nil; c = c.NextSibling {
		w := v.weights[c]
		if c == n || w.size == 0 || c.Data == "p" && w.link == 0 {
			continue
		}
		if c.Data != n.Data || markup.Attr(c, "class") != markup.Attr(n, "class") || markup.Attr(c, "id") != markup.Attr(n, "id") || w.link*10 > w.size {
			return false
		}
		s := v.under(c)
		if s.from < v.under(n).from || slices.ContainsFunc(v.lines[s.from:s.to], func(l line) bool { return l.aside != inArticle || imprint.MatchString(l.text) }) {
			return false
		}
	}
	return n.Data == "div" || n.Data == "section"
}

// fromHeadline extends the container upward to include the lines between the
// headline and the text; its end stays.
func (v *view) fromHeadline(n *html.Node, h headline) *html.Node {
	for up := n.Parent; h.lines.to > 0 && up != nil && v.under(up).from >= h.lines.to && v.under(up).to == v.under(n).to; up = up.Parent {
		have, all := v.weights[n], v.weights[up]
		if (all.link-have.link)*2 > all.size-have.size || v.hasAside(up) || slices.ContainsFunc(v.lines[v.under(up).from:v.under(n).from], isHeader) {
			break
		}
		n = up
	}
	return n
}

// hasAside reports whether there is running text next to the article under n.
func (v *view) hasAside(n *html.Node) bool {
	s := v.under(n)
	return slices.ContainsFunc(v.lines[s.from:s.to], func(l line) bool { return l.aside == elsewhere && l.prose > 0 })
}

// afterHeadline returns the element that follows the headline and its head, for texts that
// are too short to be found by their weight.
func (v *view) afterHeadline(h headline) *html.Node {
	if h.at == nil {
		return nil
	}
	for n := h.at; n != nil && n.Type == html.ElementNode && n.Data != "body"; n = n.Parent {
		for next := n.NextSibling; next != nil; next = next.NextSibling {
			if next.Type != html.ElementNode {
				continue
			}
			if kind, _ := isAside(next); kind != inArticle {
				continue
			}
			s := v.under(next)
			for i, l := range v.lines[s.from:s.to] {
				if l.aside == inArticle && (i >= maxHeaders || !isHeader(l)) && !policy.IsBoilerplate(l.text) && (l.prose > 0 || isFileLine(l) || l.link == 0 && strings.HasSuffix(l.text, "。")) {
					if textLevel[next.Data] && markup.NextElement(next) != nil { // the first of several paragraphs
						return next.Parent
					}
					return next
				}
			}
			if v.isTable(next) {
				return next
			}
			if s.to == s.from && goquery.NewDocumentFromNode(next).Find("img[src]").Length() > 0 {
				return next
			}
		}
	}
	return nil
}

// isTable reports whether an element is a table of values with hardly any links.
func (v *view) isTable(n *html.Node) bool {
	w := v.weights[n]
	return w.size >= minText && w.link*10 < w.size && goquery.NewDocumentFromNode(n).Find("tr + tr + tr").Length() > 0
}

var (
	crumbLine = lazyregexp.New(`^(?:.{0,10}位置\s?[:：]?\s?|首\s?页\s?[>＞»›→/\-|·]).{0,60}$|^(?:\S{1,12}\s?[>＞»›→]\s?){2,6}\S{0,40}$`)
	clockLine = lazyregexp.New(`^(?:19|20)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:\s*\d{1,2}:\d{2}(?::\d{2})?)?$`)
	countLine = lazyregexp.New(`^(?:[\d,. ]{1,12}|约?\d{1,3}\s?分钟(?:阅读)?|/?\s?\d{1,2}:\d{2}(?::\d{2})?)$`)
	// moreHeading matches headings of what follows an article: other articles, comments,
	// notices.
	moreHeading = lazyregexp.New(`^[【\[]?(?:(?:相关|推荐|延伸|更多|热门|精彩|往期|编辑|热点|热门|最新|猜你|为[您你]|大家都?在?看)(?:内容|阅读|点阅|点击|浏览|排行|新闻|报道|文章|推荐|链接|信息|稿件|资讯|专题|主题|评论|解读|政策|喜欢|精彩|推荐阅读|视频|图集|图片|热点|回顾)*|[上下]一?[篇条][:：]?.{0,80}|作者最新文章|友情链接|版权声明|免责声明|特别声明|法律声明|标签|关键[字词]|分享到?|扫一扫.{0,20})[:：】\]]?$`)
)

// commentHeading matches headings of readers' comments, which count as such however long
// they are.
var commentHeading = lazyregexp.New(`^[【\[]?(?:(?:网友|最新|热门|全部|精彩|我要|发表|用户|文章|读者)?(?:评论|跟帖|留言)(?:列表|区|专区|\(|（|\s|\d|条|）|\)){0,12})[:：】\]]?$`)

// editorLine matches a line below a text that names its editor.
var editorLine = lazyregexp.New(`^[（(【\[]?(?:责任编辑|责编|编辑)\s*[:：].{0,20}$`)

// isHeader reports whether a line belongs to the head of an article: labels, a date,
// breadcrumbs, a control.
func isHeader(l line) bool {
	if l.inRegister {
		return true
	}
	if l.size > 150 || strings.Contains(l.text, "。") {
		return false
	}
	if policy.IsBoilerplate(l.text) || clockLine.MatchString(l.text) && !strings.HasSuffix(l.text, "日") || countLine.MatchString(l.text) || crumbLine.MatchString(l.text) {
		return true
	}
	return len(headerLabels(l)) > 0 || isCell(l.node) && isLabelCell(l) || l.size <= maxHeadLine && mayCredit(l.text) && policy.ReadCredit(l.raw).IsCredit()
}

// maxHeadLine is the maximum length, in characters, of a line of credits in a head.
const maxHeadLine = 80

// mayCredit quickly excludes lines that are not credits.
func mayCredit(text string) bool {
	return strings.ContainsAny(text, "0123456789記记文编編")
}

// isLabelCell reports whether a cell of a register contains only a label.
func isLabelCell(l line) bool {
	return label.KindOf(strings.TrimRight(squeeze(l.text), ":：")) != label.Unknown
}

// isValueCell reports whether a line is the value next to a label in a register.
func (v *view) isValueCell(i int) bool {
	return i > 0 && isCell(v.lines[i].node) && isCell(v.lines[i-1].node) && v.lines[i].node != v.lines[i-1].node && isLabelCell(v.lines[i-1])
}

// headerLabels returns the labels of a line of the head; a sentence has none.
func headerLabels(l line) []label.Field {
	fields, rest := label.Split(l.raw)
	for _, f := range fields {
		if f.Kind == label.Date && (len(fields) > 1 || runes(f.Name) > 2 || when.RoleOf(f.Name) != when.RolePublished || label.FindDate(f.Value) != nil) || f.Kind == label.Source || f.Kind == label.Author || f.Kind == label.Editor {
			if runes(collapse(strings.ReplaceAll(rest, string(label.Boundary), " "))) <= 60 {
				return fields
			}
		}
	}
	return nil
}

// trim removes from the container everything except the text, whose lines are given: what
// precedes it, the head of the article, what follows it, and controls between.
func (v *view) trim(container *html.Node, text span) {
	s := v.under(container)
	start, end := text.from, text.to
	for i := s.from; i < s.to; i++ {
		if l := v.lines[i]; i < start || i >= end || l.aside != inArticle || policy.IsBoilerplate(l.text) {
			drop(l)
		}
	}
	if end < s.to && end > start {
		dropAfter(container, v.lines[end-1])
	}
	if start > s.from && start < s.to {
		dropBefore(container, v.lines[start])
	}
}

// isLinkLine reports whether a line is only a link to another page.
func isLinkLine(l line) bool { return l.link > 0 && l.link*10 >= l.size*9 && !isFileLine(l) }

// isFileLine reports whether a line contains a link to a file.
func isFileLine(l line) bool {
	if l.link == 0 {
		return false
	}
	for _, t := range l.nodes {
		for n := t.Parent; n != nil && n != l.node.Parent; n = n.Parent {
			if n.Data == "a" {
				if typeOfLink(n) != "" {
					return true
				}
				break
			}
		}
	}
	return false
}

// drop removes the text of a line from the page.
func drop(l line) {
	for _, n := range l.nodes {
		if n.Parent != nil {
			n.Parent.RemoveChild(n)
		}
	}
}

// dropAfter removes everything after a line in a container.
func dropAfter(container *html.Node, l line) {
	for n := l.nodes[len(l.nodes)-1]; n != nil && n != container; n = n.Parent {
		for next := n.NextSibling; next != nil; next = n.NextSibling {
			n.Parent.RemoveChild(next)
		}
	}
}

// dropBefore removes pictures and similar elements that precede a line in a container.
func dropBefore(container *html.Node, l line) {
	for n := l.nodes[0]; n != nil && n != container; n = n.Parent {
		for prev := n.PrevSibling; prev != nil; prev = n.PrevSibling {
			if (n.Parent == container || n == l.node) && prev.Type == html.ElementNode && textblock.HoldsPicture(prev) {
				break // a picture that begins the text, or contains the line below it
			}
			n.Parent.RemoveChild(prev)
		}
	}
}
