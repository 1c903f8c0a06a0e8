package ingest

import (
	"slices"
	"strings"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/policy"
	"dibao/policy/hans"
	"dibao/policy/label"
	"dibao/policy/when"
	"dibao/policy/words"
)

const (
	headLines = 12 // maximum number of lines between a headline and its text
)

// textOf returns the lines of the text in its container: after the headline and
// the head, before what follows the text.
func (v *view) textOf(container *html.Node, h headline) span {
	s := v.under(container)
	start := s.from
	if h.lines.to > s.from && h.lines.from >= s.from && h.lines.to <= s.to {
		start = h.lines.to
		for i := start; i < min(s.to, start+headLines) && (v.lines[i].prose == 0 || isHeader(v.lines[i])); i++ {
			switch l := v.lines[i]; {
			case v.isEvent(span{i, s.to}):
				i = s.to
			case isHeader(l) || v.isValueCell(i): // with any short lines that precede it
				start = i + 1
			case i > start && isLinkLine(l) && isLinkLine(v.lines[i-1]): // other articles
				start = i + 1
			}
		}
	}
	repeats, hasText := v.repeats(s), v.weights[container].prose >= 2*minText
	for headers := 0; start < s.to && headers < maxHeaders; start++ {
		if l := v.lines[start]; l.aside == inArticle {
			links := isLinkLine(l) && (l.size < columnTitle || hasText && v.besideLink(span{start, s.to}))                          // links to the video or to other articles
			if v.isEvent(span{start, s.to}) || !isHeader(l) && !isAppeal(l) && !v.isValueCell(start) && !repeats(start) && !links { // a prompt next to each picture
				break
			}
			headers++
		}
	}
	end := v.beforeImprint(span{start, v.endOf(span{start, s.to})})
	for n := 0; end > start+1 && n < maxHeaders && (v.endsPage(v.lines[end-1]) || isAppeal(v.lines[end-1]) || repeats(end-1)); n++ {
		end--
	}
	return span{start, end}
}

// besideLink reports whether the first of lines follows or precedes another link to an
// article.
func (v *view) besideLink(s span) bool {
	return s.from > 0 && isLinkLine(v.lines[s.from-1]) && v.lines[s.from-1].size >= columnTitle || s.from+1 < s.to && isLinkLine(v.lines[s.from+1])
}

var (
	eventTime  = lazyregexp.New(`^(?:活动|会议|讲座|报告|培训|举办|考试)?时\s?间\s?[:：]`)
	eventPlace = lazyregexp.New(`^(?:活动|会议|讲座|报告|培训|举办|考试)?(?:地\s?点|主\s?题|题\s?目|主讲人?|报告人|主办单位)\s?[:：]`)
)

// isEvent reports whether the first line of a text gives the time of an event,
// not of the page's publication.
func (v *view) isEvent(s span) bool {
	return s.from+1 < s.to && eventTime.MatchString(v.lines[s.from].text) && eventPlace.MatchString(v.lines[s.from+1].text)
}

// endsPage reports whether the last line of a text is a control, a counter, or
// a label for the source of the text.
func (v *view) endsPage(l line) bool {
	if isCell(l.node) || l.size > 60 || inRow(l.node) {
		return false
	}
	if l.aside != inArticle || policy.IsBoilerplate(l.text) || countLine.MatchString(l.text) || l.link == 0 && noFiles.MatchString(l.text) {
		return true
	}
	return slices.ContainsFunc(headerLabels(l), func(f label.Field) bool {
		return f.Kind == label.Source && f.Value != "" || f.Kind == label.Editor || f.Kind == label.Date && when.RoleOf(f.Name) == when.RolePublished && runes(f.Name) > 2
	})
}

// inRow reports whether a paragraph fills a cell in a row of at least three cells.
func inRow(n *html.Node) bool {
	for up := 0; n != nil && up < 3; n, up = n.Parent, up+1 {
		if n.Data == "td" && n.Parent != nil {
			cells := 0
			for c := n.Parent.FirstChild; c != nil; c = c.NextSibling {
				if c.Type == html.ElementNode && c.Data == "td" {
					cells++
				}
			}
			return cells > 2
		}
	}
	return false
}

// endOf returns the end of a text: before a heading of unrelated content, or before the
// links that follow its last running text.
func (v *view) endOf(s span) int {
	last, begun, listed := s.from, false, false // there may be a count of comments above the text
	asked, headings := 0, make(map[heading]int)
	closes := func(i int) bool {
		asked++
		return asked <= maxEnds && !v.filesFollow(i, s.to) && v.closes(span{i, s.to})
	}
	for i := s.from; i < s.to; i++ {
		l := v.lines[i]
		if v.boxes[l.part] {
			continue
		}
		plain := ""
		if begun && l.size <= 90 {
			plain = hans.Simplify(l.text)
			if l.size <= columnTitle {
				plain = headingOf(l.text)
			}
		}
		if begun && l.aside == inArticle && v.beginsAnother(i, s.to) {
			s.to = i
			break
		}
		if begun && (commentHeading.MatchString(plain) || (moreHeading.MatchString(plain) || editorLine.MatchString(plain)) && closes(i)) {
			s.to = i
			break
		}
		own := false
		if h, ok := headingFormOf(l); ok {
			headings[h]++
			own = headings[h] >= minHeadings && ofGuide.MatchString(l.text)
		}
		listed = own || attachmentHeading.MatchString(l.text) || listed && l.link > 0 && !policy.IsBoilerplate(l.text)
		switch {
		case l.prose > 0 && l.aside == inArticle && !policy.IsBoilerplate(l.text) || isFileLine(l):
			last, begun = i, true
		case begun && l.aside == inArticle && (listed || i-last <= maxSigned && signedOn.MatchString(l.text)):
			last = i
		}
	}
	for i := last + 1; i < s.to; i++ {
		l := v.lines[i]
		if (l.link*2 > l.size && !isFileLine(l) || policy.IsBoilerplate(l.text)) && v.linksFrom(span{i, s.to}) {
			return i
		}
	}
	return s.to
}

// heading is the form of a heading within a text: its block and the block's parent.
type heading struct {
	block  string
	parent *html.Node
}

// minHeadings is the number of headings of one form after which another one continues the
// text, though it may have only links below it: 办理依据.
const minHeadings = 4

// ofGuide matches headings of the text itself, as opposed to those of boxes with links to other
// pages: 政策解读.
var ofGuide = words.New(`依据|问题|附件|表格|材料`)

// headingFormOf returns the form of a line that is printed like a heading: it is a heading
// element, or all of it is bold.
func headingFormOf(l line) (heading, bool) {
	if l.link > 0 || l.size > columnTitle || l.aside != inArticle || policy.IsBoilerplate(l.text) {
		return heading{}, false
	}
	isBold := func(n *html.Node) bool {
		return strings.TrimSpace(n.Data) == "" || n.Parent != nil && (n.Parent.Data == "strong" || n.Parent.Data == "b")
	}
	isHeading := len(l.node.Data) == 2 && l.node.Data[0] == 'h' || !slices.ContainsFunc(l.nodes, func(n *html.Node) bool { return !isBold(n) })
	return heading{l.node.Data, l.node.Parent}, isHeading
}

// siteMark matches lines that sites print about themselves.
var siteMark = words.New(`版权所有|(?i:ICP备|copyright|All Rights Reserved)|公网安备|网站标识码`)

// beforeImprint returns the end of a text without its last lines, if they say who runs the
// site.
func (v *view) beforeImprint(s span) int {
	end := s.to
	for i := s.to - 1; i >= max(s.from, s.to-2*maxImprintLines); i-- {
		l := v.lines[i]
		if l.size > maxImprint || !imprint.MatchString(l.text) {
			break
		}
		if siteMark.MatchString(l.text) || end < s.to {
			end = i
		}
	}
	return end
}

// beginsAnother reports whether a line is the headline of another article with its own
// time, which some pages show below the requested article.
func (v *view) beginsAnother(i, end int) bool {
	l := v.lines[i]
	if l.node.Data != "h1" && l.node.Data != "h2" || l.size < 2*minTitle || l.prose > l.size/2 && strings.Contains(l.text, "。") {
		return false
	}
	for j := i + 1; j < min(end, i+headHeight); j++ {
		if b := v.lines[j]; b.size <= maxHeadLine && clockLine.MatchString(b.text) && strings.Contains(b.text, ":") || slices.ContainsFunc(headerLabels(b), func(f label.Field) bool { return f.Kind == label.Date && when.RoleOf(f.Name) == when.RolePublished }) {
			return true
		}
	}
	return false
}

// headHeight is the maximum number of lines between a headline and its time.
const headHeight = 5

// signedOn matches the date below a document, which ends its text; maxSigned is the maximum
// number of lines with addressees and issuers before it.
var signedOn = lazyregexp.New(`^(?:(?:19|20)\d{2}|[一二][〇○Oo零一二三四五六七八九]{3})\s?年.{1,4}月.{1,4}日$`)

const maxSigned = 12

// maxEnds is the number of lines of a text that are examined as its possible end: each is
// compared with all lines that follow.
const maxEnds = 20

// closes reports whether the text that follows a heading is not part of the
// article: it is mostly links, or shorter than half of the article.
func (v *view) closes(s span) bool {
	var after, total mass
	for _, l := range v.lines[s.from:s.to] {
		if l.aside == elsewhere {
			l.prose = 0
		}
		after = mass{after.size + l.size, after.link + l.link, after.prose + l.prose}
	}
	for _, l := range v.lines {
		if l.aside == inArticle {
			total.prose += l.prose
		}
	}
	return after.link*3 > after.size || after.prose*2 < total.prose || after.prose*3 < after.size
}

// linksFrom reports whether most of what follows consists of links and controls.
func (v *view) linksFrom(s span) bool {
	var size, link int
	for _, l := range v.lines[s.from:s.to] {
		size += l.size
		if link += l.link; policy.IsBoilerplate(l.text) {
			link += l.size - l.link
		}
	}
	return link*2 > size
}

// filesFollow reports whether the next line is a link to a file: 相关附件.
func (v *view) filesFollow(i, end int) bool {
	return i+1 < end && isFileLine(v.lines[i+1])
}
