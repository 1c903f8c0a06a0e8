package list

import (
	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/policy/when"
	"dibao/policy/words"
)

// action matches a short link that only says what a click does; the title of its row is
// elsewhere in the row.
var action = words.New(`(?i)^[\[【(（]?(?:点击|在线)?(?:查看|下载|阅读|浏览|预览|pdf|docx?|word|ofd|view|download|open)(?:版|件|全文|原文|文件|附件)?[\]】)）]?$|^case details?$|^(?:view|download|open|read)(?: in full|(?: the| full)* (?:pdf|opinion|order|decision|judgment|document|file|text|report)s?)$`)

// isAction reports whether the text of a link says what a click does.
func isAction(text string) bool { return len(text) <= 30 && action.MatchString(text) }

// reference matches the number of a case or a document, which courts use as the text of links instead of its
// name: 14-90, 24-CF-0758, SC20733, 33ag/15. Years and numbers of pages do not match.
var reference = lazyregexp.New(`(?i)^(?:(?:no\.?|id)\s?)?(?:[a-z]{1,4}-?\d{3,}|\d{5,}|\d{1,4}[-/]?[a-z]{1,4}[-/]?\d{2,}|\d{1,4}[-/]\d{1,6}|[a-z]-\d{2,4}-\d{2,})(?:[-/.]?\w{1,4}){0,2}$`)

// isReference reports whether the text of a link is the number of a case or a document.
func isReference(text string) bool {
	if len(text) < 4 || len(text) > 24 || !reference.MatchString(text) {
		return false
	}
	all := when.Find(text, when.Clock{})
	return len(all) == 0 || all[0].Weak || all[0].IsPartial()
}

// opens matches the beginning of the texts of links that say what a click does.
var opens = lazyregexp.New(`(?i)^(?:view|read|download|open)\b|^(?:查看|阅读|下载|浏览)`)

// isActionRow reports whether an element has no link that is a title, but has one that says
// what a click does and enough other text for a title.
func (in *info) isActionRow() bool {
	return in.first == nil && in.action != nil && in.runes >= 2*minTitle
}

// actionSegment reads a row whose link is not a title; it reports whether there is a title
// elsewhere in the row.
func (f *finder) actionSegment(n *html.Node) (segment, bool) {
	link := f.seen[n].action
	s := segment{node: n, pure: 1}
	s.setLink(link)
	s.chars = min(letters(f.heading(n, link)), maxChars)
	s.dates = f.datesOf(n, link)
	return s, s.chars >= f.least && s.isDated()
}

// withHeadings removes rows that only lead to the article that the heading before them names:
// if headings are rows, each may be followed by a line with its date and a line with such a
// link.
func withHeadings(rows []segment) []segment {
	var rest []segment
	heading := false
	for _, s := range rows {
		switch {
		case isHeading(s.node):
			heading = true
		case heading && opens.MatchString(textOrTitle(s.link)):
			continue
		}
		rest = append(rest, s)
	}
	return rest
}

func isHeading(n *html.Node) bool {
	switch n.Data {
	case "h1", "h2", "h3", "h4", "h5", "h6":
		return true
	}
	return false
}
