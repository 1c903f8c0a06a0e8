package ingest

import (
	"slices"
	"strings"

	"golang.org/x/net/html"

	"dibao/feed/ingest/textblock"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
)

// These are the names of parts of a page that do not belong to its article. An
// element with such a name is left out unless it contains much of the page's
// running text: names can mislead, measurements do not.
var (
	// Readers' comments, of any length.
	remarks = set(`comment comments cmt cmts pinglun gentie tie sohucs changyan disqus livere uyan`)
	// Parts that never belong to the article, even if they contain much text.
	neverText = set(`footer copyright nav navbar navigation breadcrumb breadcrumbs crumb crumbs mbx overlay popup popmake modal dialog lightbox`)
	// Parts about other articles or about the site.
	others = set(`header reply replies foot bottom menu menus sidebar related relate relevant xgyd xgwz xgbd xgxw xglj recommend recommends recommended tuijian
		prenext prevnext pagination pager hot rank ranking paihang ad ads adv advert guanggao login search sousuo disclaimer shengming declare statement friendlink links yqlj
		dqwz place weizhi app-download feedback jiucuo`)
	// Parts that announce or show other articles, even with much text.
	streams = set(`related relate relevant xgyd xgwz xgbd xgxw recommend recommends recommended tuijian`)
	// Controls of the page.
	controls = set(`player playlist share shares sharing bdshare fenxiang jiathis social qrcode qr ewm erweima toolbar tools print dayin editor zrbj bianji fontsize zihao tags keywords download reward like collect favorite`)
)

// editors are the words before "editor" in the names of programs for writing.
var editors = set(`trs rich web kind html text ck ke ue`)

// aside says why a line is not part of the article's text.
type aside int

const (
	inArticle aside = iota
	control         // a control of the page; labels may be next to it
	elsewhere       // part of something else
)

func set(list string) map[string]bool {
	all := make(map[string]bool)
	for word := range strings.FieldsSeq(list) {
		all[word] = true
	}
	return all
}

// Shares of the page's running text, in percent, above which an element counts as part of
// the article despite its name.
const (
	maxRemarks    = 100
	maxStream     = 99 // for other articles below the first
	maxNeverText  = 90
	maxFurnishing = 30
)

// isAside classifies an element by its tag and name, and returns the share of
// the page's text above which it counts as part of the article anyway.
func isAside(n *html.Node) (kind aside, share int) {
	switch n.Data {
	case "nav":
		return elsewhere, maxNeverText
	case "footer":
		if n.Parent != nil && n.Parent.Data == "article" {
			return control, maxFurnishing // a footer in an article: its source and date
		}
		return elsewhere, maxNeverText
	case "aside", "header":
		return elsewhere, maxFurnishing
	case "body", "html", "head", "title", "a", "span", "p", "em", "i", "b", "strong", "font", "img", "br", "td", "tr", "table", "tbody", "h1", "h2", "h3", "h4", "h5":
		return inArticle, 0
	}
	all := markup.ClassWords(n)
	for i, word := range all {
		switch {
		case word == "editor" && i > 0 && editors[all[i-1]]:
			return inArticle, 0 // a field in which readers write
		case remarks[word], word == "thread" && i > 0 && all[i-1] == "ds":
			return elsewhere, maxRemarks
		case neverText[word]:
			return elsewhere, maxNeverText
		case others[word]:
			kind, share = elsewhere, maxFurnishing
		case word == "editor" && !namesEditor(n): // class of a program for writing articles: _135editor
		case controls[word] && kind == inArticle:
			kind, share = control, maxFurnishing
		}
	}
	return kind, share
}

// maxEditor is the maximum length of a line that says who edited a text, in characters.
const maxEditor = 60

// namesEditor reports whether an element says who edited the text, or is empty.
func namesEditor(n *html.Node) bool {
	text, short := textblock.UpTo(n, maxEditor)
	return short && (text == "" || strings.ContainsAny(text, "编編责責校审審") || strings.Contains(strings.ToLower(text), "edit"))
}

// markAsides marks the lines that do not belong to the article. Readers' comments are
// examined last, because they count as the text if the rest of the page has none.
func (v *view) markAsides(root *html.Node) {
	left := v.mark(root, v.weights[root].prose, false)
	v.bare = left < minText
	v.mark(root, left, true)
}

// mark marks the lines in elements whose names say that they are not part of the article;
// it returns the remaining prose of the article, without comments.
func (v *view) mark(root *html.Node, total int, remarks bool) (left int) {
	left = total
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type != html.ElementNode {
				continue
			}
			kind, share := isAside(c)
			switch {
			case kind == inArticle && c.Data == "div" && v.holdsRemarks(c):
				kind, share = elsewhere, maxRemarks
			case kind == elsewhere && share == maxFurnishing && !remarks && v.isStream(c):
				share = maxStream
			}
			switch prose := v.weights[c].prose; {
			case kind != inArticle && share == maxRemarks && !remarks:
				left -= prose
				continue
			case kind != inArticle && share == maxRemarks && v.bare && !v.isThread(c):
			case kind != inArticle && (share == maxRemarks || prose*100 <= total*share) && (share == maxRemarks) == remarks:
				if kind == elsewhere && !remarks {
					left -= prose
				}
				v.setAside(c, kind)
				if kind == elsewhere {
					continue
				}
			}
			walk(c)
		}
	}
	walk(root)
	return left
}

// remarksHeading matches headings of readers' comments that are not also names of columns.
var remarksHeading = lazyregexp.New(`^(?:网友|最新|热门|全部|精彩|用户|读者)(?:评论|跟帖|留言)`)

// holdsRemarks reports whether an element has a heading of readers' comments.
func (v *view) holdsRemarks(n *html.Node) bool {
	s := v.under(n)
	return s.to-s.from > 1 && v.lines[s.from].size <= 12 && remarksHeading.MatchString(v.lines[s.from].text)
}

func (v *view) setAside(n *html.Node, kind aside) {
	for i := v.under(n).from; i < v.under(n).to; i++ {
		if kind > v.lines[i].aside {
			v.lines[i].aside, v.lines[i].part = kind, n
		}
	}
}

// maxBox is the maximum running text, in characters, of a box next to an article.
const maxBox = 300

// isBox reports whether the supposed text is a box with its own heading, below files that
// are the only content under the headline.
func (v *view) isBox(n *html.Node, h headline) bool {
	s := v.under(n)
	if h.lines.to == 0 || s.from <= h.lines.to || v.weights[n].prose > maxBox || v.lines[s.from].size > columnTitle || v.lines[s.from].prose > 0 {
		return false
	}
	between := v.lines[h.lines.to:s.from]
	return slices.ContainsFunc(between, isFileLine) && !slices.ContainsFunc(between, func(l line) bool { return l.prose > 0 && !isHeader(l) && !isFileLine(l) })
}
