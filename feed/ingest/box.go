package ingest

import (
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy/hans"
)

// boxTags are elements that may contain unrelated content within a text.
var boxTags = set(`div section table ul ol dl pre fieldset center blockquote`)

const (
	minBoxLinks = 2  // minimum number of links in a box that contains only links
	maxInBox    = 50 // maximum percentage of a text that can be in a box
	minCopied   = 15 // minimum length of a line of a box that is repeated below it and is not a link
)

// markBoxes marks what is within a text but is not part of it: boxes of links to other
// pages, parts under 相关阅读, and lines that repeat these links.
func (v *view) markBoxes(container *html.Node) {
	all, whole := v.weights[container], v.under(container)
	boxed := make(map[string]bool) // the lines of boxes with a heading
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type != html.ElementNode {
				continue
			}
			w, s := v.weights[c], v.under(c)
			within := boxTags[c.Data] && s.to > s.from && w.size*100 < all.size*maxInBox
			switch {
			case within && v.isHeaded(s) && (all.prose-w.prose >= 2*minText || v.hasProse(whole.from, s.from) && v.hasProse(s.to, whole.to)):
				for _, l := range v.lines[s.from:s.to] {
					boxed[l.text] = true
				}
				v.setAside(c, elsewhere)
				v.boxes[c] = v.hasProse(s.to, whole.to)
			case within && all.prose-w.prose >= minText && v.isLinkBox(c, w, s):
				v.setAside(c, elsewhere)
			default:
				walk(c)
			}
		}
	}
	walk(container)
	if len(boxed) == 0 {
		return
	}
	for i := whole.from; i < whole.to; i++ {
		if l := &v.lines[i]; l.aside == inArticle && boxed[l.text] && (l.size >= minCopied || isLinkLine(*l)) {
			l.aside, l.part = elsewhere, l.node
		}
	}
}

// hasProse reports whether a span contains lines of the article, including sentences.
func (v *view) hasProse(from, to int) bool {
	return from < to && slices.ContainsFunc(v.lines[from:to], func(l line) bool { return l.prose > 0 && l.aside == inArticle })
}

// isHeaded reports whether lines begin with a heading of other articles, followed by more
// lines.
func (v *view) isHeaded(s span) bool {
	first := v.lines[s.from]
	return s.to-s.from > 1 && first.size <= columnTitle && moreHeading.MatchString(headingOf(first.text)) && !v.filesFollow(s.from, s.to)
}

// headsOthers reports whether a short line is the heading of other articles or of comments.
func headsOthers(text string) bool {
	text = headingOf(text)
	return moreHeading.MatchString(text) || commentHeading.MatchString(text)
}

// headingOf returns a heading without the marks between its words: 延伸 · 推荐.
func headingOf(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ·•・|｜/-", r) {
			return -1
		}
		return r
	}, hans.Simplify(text))
}

// isLinkBox reports whether an element consists of links to other pages, not to files or to
// parts of this page.
func (v *view) isLinkBox(n *html.Node, w mass, s span) bool {
	if w.link*10 < w.size*7 || slices.ContainsFunc(v.lines[s.from:s.to], isFileLine) {
		return false
	}
	links := 0
	goquery.NewDocumentFromNode(n).Find("a[href]").EachWithBreak(func(_ int, a *goquery.Selection) bool {
		if href := markup.Attr(a.Nodes[0], "href"); strings.HasPrefix(href, "#") {
			links = 0
			return false
		}
		links++
		return links < 20
	})
	return links >= minBoxLinks
}

// isStream reports whether an element is a part about other articles: its id or class says
// so, and it follows sentences. This is true even if it contains those articles in full. It
// must be called for elements in the order of the page: it reads each line once.
func (v *view) isStream(n *html.Node) bool {
	if !slices.ContainsFunc(markup.ClassWords(n), func(w string) bool { return streams[w] }) {
		return false
	}
	for from := v.under(n).from; v.before.lines < from; v.before.lines++ {
		if l := v.lines[v.before.lines]; l.aside == inArticle && strings.ContainsAny(l.text, "。！？") {
			v.before.prose += l.prose
		}
	}
	return v.before.prose >= 2*minText
}

var (
	// appeal matches lines with a link that advertise what a platform offers its readers.
	// Official notices may also ask readers to install an application, but do not
	// advertise.
	appeal = lazyregexp.New(`(?i)(?:下载|安装|打开|关注|扫码)[^。]{0,16}(?:客户端|app|公众号)[^。]{0,24}(?:福利|精彩|资讯|第一时间|抢先|专享|独家|惊喜)|(?:福利|精彩|抢先|免费试玩|达人)[^。]{0,60}(?:客户端|app|公众号|众测)|【点击(?:投票|报名|参与)】`)
	// ofPlatform matches an offer by text message, or a note that a user of the
	// platform wrote the text.
	ofPlatform = lazyregexp.New(`^(?:编辑短信)?发送\S{1,8}到\d{4,12}|^(?:[^。，]{0,6}声明[:：])?以上(?:内容|文章)[^。]{0,40}(?:用户|作者|号主|自媒体)[^。]{0,12}(?:上传|发布|提供)`)
)

// maxAppeal is the maximum length of an appeal, in characters.
const maxAppeal = 160

// isAppeal reports whether a line above or below a text is an advertisement of the
// platform.
func isAppeal(l line) bool {
	return l.size <= maxAppeal && (l.link > 0 && appeal.MatchString(l.text) || ofPlatform.MatchString(l.text))
}

// Limits on a stream, and on each of its cards.
const (
	minCards = 4
	maxCard  = 300 // characters
)

// cardTags are the elements that cards consist of.
var cardTags = set(`div li dl article section a`)

// markStreams marks rows of cards, each of which announces another article with a link.
// In the containers of known systems, such rows are part of the text.
func (v *view) markStreams(root *html.Node) {
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if isKnown(n) {
			return
		}
		groups := make(map[string][]*html.Node)
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type != html.ElementNode {
				continue
			}
			if !cardTags[c.Data] || !v.isCard(c) {
				walk(c)
				continue
			}
			key := c.Data + " " + markup.Attr(c, "class")
			groups[key] = append(groups[key], c)
		}
		for _, cards := range groups {
			if len(cards) < minCards {
				continue
			}
			for _, c := range cards {
				v.setAside(c, elsewhere)
				for i := v.under(c).from; i < v.under(c).to; i++ {
					v.lines[i].inCard = true
				}
			}
		}
	}
	walk(root)
}

// isThread reports whether an element contains several small parts of one kind, such as the
// comments of several readers.
func (v *view) isThread(n *html.Node) bool {
	for down := 0; n != nil && down < 3; down++ {
		times := make(map[string]int)
		var only *html.Node
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if w := v.weights[c]; c.Type != html.ElementNode || w.size == 0 || w.size > 2*maxCard {
				if c.Type == html.ElementNode && w.size > 0 {
					only = c
				}
				continue
			}
			key := c.Data + " " + markup.Attr(c, "class")
			if times[key]++; cardTags[c.Data] && times[key] >= minCards {
				return true
			}
			only = c
		}
		n = only
	}
	return false
}

// isCard reports whether an element is small and has a line that is a link to another
// article, with or without other text.
func (v *view) isCard(n *html.Node) bool {
	w, s := v.weights[n], v.under(n)
	if w.size == 0 || w.size > maxCard || s.to == s.from || w.link < 2*minTitle {
		return false
	}
	titled := false
	for _, l := range v.lines[s.from:s.to] {
		if isFileLine(l) || l.inRegister {
			return false
		}
		titled = titled || isLinkLine(l) && l.size >= 2*minTitle
	}
	return titled
}
