package ingest

import (
	"slices"
	"strings"

	"golang.org/x/net/html"

	"dibao/feed/ingest/textblock"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy"
	"dibao/policy/label"
	"dibao/policy/when"
)

// Limits on labels.
const (
	maxLabels     = 60
	maxLabelText  = 300 // maximum number of characters of a line that is examined
	maxLabelValue = 200 // characters
	labelsAfter   = 8   // lines after the text that are searched for labels
)

// labelReader collects the labeled values of a page.
type labelReader struct {
	view   *view
	site   []string // the names of the page's site
	clock  when.Clock
	labels []policy.Label
	beside policy.Label // a medium next to the time, used if no label names a source
}

// Limits on the lines that are searched for labels: the search takes much longer than
// reading the lines.
const (
	maxLabelLines = 2000
	maxHeaders    = 100 // at the top of a text, and at its end
)

// readLabels returns the labeled values around the text, as they are displayed:
// "时间:2011-06-21 来源:未知", or a label in one table cell and its value in the next cell or the
// one below. A date on its own between headline and text is a label without a name. The
// text begins at body.from and ends before body.to; both are 0 if unknown.
func (v *view) readLabels(h headline, body span, site []string, clock when.Clock) []policy.Label {
	r := &labelReader{view: v, site: site, clock: clock}
	end := body.from
	if body.to == 0 {
		end = len(v.lines)
	}
	for i, n := 0, 0; i < end && n < maxLabelLines; n++ {
		bare := h.lines.to > 0 && body.to > 0 && (i >= h.lines.from || v.isAbove(i, h))
		i = r.read(i, bare, h, body)
	}
	if h.date != "" && !r.hasDate(label.Date) && !r.has(label.Date) {
		r.put(policy.Label{Element: elementName(h.at), Value: h.date})
	}
	if body.to > 0 {
		r.readAfter(body.to)
		r.readSplitDate(h, body)
	}
	if r.beside.Value != "" && !r.has(label.Source) {
		r.put(r.beside)
	}
	return r.labels
}

// linesAbove is the maximum number of lines above a headline at which its head can begin.
const linesAbove = 4

// isAbove reports whether a line above a headline belongs to its head: it has a
// time, or is in the same small element.
func (v *view) isAbove(i int, h headline) bool {
	if i < h.lines.from-linesAbove || v.lines[i].part != v.lines[h.lines.from].part {
		return false
	}
	if v.hasTime(i) {
		return true
	}
	n := h.at.Parent
	for up := 0; up < 2 && n != nil && n.Data != "body"; n, up = n.Parent, up+1 {
		if contains(n, v.lines[i].node) {
			return (v.under(n).from >= h.lines.from-linesAbove || i == h.lines.from-1) && !today.MatchString(v.lines[i].text)
		}
	}
	return false
}

// today matches the beginning of a page's display of the current time.
var today = lazyregexp.New(`今[天日]|现在|欢迎`)

// hasTime reports whether a line begins with a date and a time of day: above a headline, a
// date alone may be today's.
func (v *view) hasTime(i int) bool {
	l := v.lines[i]
	if l.size > 80 || l.link*2 > l.size {
		return false
	}
	w, ok := when.First(strings.ReplaceAll(l.raw, string(label.Boundary), " "), when.Clock{Zone: when.Shanghai})
	return ok && !w.At.IsZero() && strings.HasPrefix(l.text, w.Text[:min(4, len(w.Text))])
}

// read reads the labels of a line, including the cells that belong to it; it
// returns the number of the next line.
func (r *labelReader) read(i int, bare bool, h headline, body span) (next int) {
	l := r.view.lines[i]
	inHead := bare && body.from-h.lines.to <= headLines && l.part != nil && len(markup.ClassWords(l.part)) > 1 || contains(l.part, h.at)
	if l.aside == elsewhere && !inHead || l.size > maxLabelText || l.node.Data == "li" && l.link*2 > l.size {
		return i + 1
	}
	raw := l.raw
	next = i + 1
	if isCell(l.node) && !inHeadline(i, h) {
		if below := r.headRow(i); below > i {
			return below
		}
		raw, next = r.withValue(i)
	}
	fields, rest := label.Split(raw)
	if len(fields) > 0 && imprint.MatchString(l.text) && len(headerLabels(l)) == 0 { // 主办单位：… describes the site
		return next
	}
	r.add(l.node, fields)
	if number, ok := numberLine(l); ok && bare && !inHeadline(i, h) && i < body.from && body.from-i <= headLines && !isCell(l.node) && l.node.Data != "li" && (i == 0 || !headsOthers(r.view.lines[i-1].text)) {
		r.put(policy.Label{Element: elementName(l.node), Name: "发文字号", Value: number})
	} else if bare && !inHeadline(i, h) {
		r.readCredit(i, rest, len(fields) > 0, h, body)
	}
	if bare {
		r.readHint(l)
	}
	return next
}

// ofAnotherText matches the beginning of a line about the number of another text.
var ofAnotherText = lazyregexp.New(`^(?:根据|依据|按照|转发|废止|参见|详见|相关|原文)`)

// numberLine returns the document number that is all of a line: （国办发〔2023〕15号）. A
// number without a year (通告第12号) may be a title.
func numberLine(l line) (number string, ok bool) {
	if l.size <= 40 && l.link == 0 {
		number, ok = policy.ParseNumber(strings.Trim(l.text, "（）()【】 "))
	}
	return number, ok && strings.Contains(number, "〔") && !ofAnotherText.MatchString(number)
}

// readCredit reads the date, the medium and the author in a line of the head without
// labels. rest is the line without its labeled values.
func (r *labelReader) readCredit(i int, rest string, labeled bool, h headline, body span) {
	l := r.view.lines[i]
	c := policy.ReadCredit(rest, r.site...)
	dated := c.Date != "" && !monthAlone.MatchString(c.Date) && (labeled || c.Whole || isDated(rest, c.Date) || standsAlone(l.raw, c.Date))
	if dated {
		r.put(policy.Label{Element: elementName(innermost(l, c.Date)), Value: r.dated(c.Date)})
	}
	if !dated && !c.Whole && !(c.Role && labeled) {
		return
	}
	below := i >= h.lines.to && i < body.from && body.from-i <= headLines && l.link == 0
	if word := squeeze(c.Strange); c.Medium == "" && dated && below && l.part == nil && runes(word) >= minTitle && !r.view.namesPlace(word) && !labeled && len(c.Persons) == 0 {
		c.Medium = c.Strange // the name of a medium without a usual ending
	}
	if c.Medium != "" && c.Whole && !dated && below && (len(c.Persons) == 0 || strings.ContainsAny(l.text, "/／")) && !ownSite.MatchString(c.Medium) && r.view.besideClock(i) {
		r.beside = policy.Label{Element: elementName(innermost(l, c.Medium)), Name: "来源", Value: c.Medium}
	}
	if c.Medium != "" && (dated || c.Role) && !r.has(label.Source) {
		r.put(policy.Label{Element: elementName(innermost(l, c.Medium)), Name: "来源", Value: c.Medium})
	}
	if who := c.Author(); who != "" && !r.has(label.Author) && (c.Role || h.speaker(c.Persons[0]) || c.Whole && (dated || below) && !strings.Contains(squeeze(h.text), squeeze(c.Persons[0]))) {
		name := "作者"
		if c.Reports {
			name = "记者"
		}
		r.put(policy.Label{Element: elementName(innermost(l, c.Persons[0])), Name: name, Value: who})
	}
}

// ownSite matches the ends of names of sites that are not media.
var ownSite = lazyregexp.New(`(?:网站|门户|政府网|官网|首页)$`)

// besideClock reports whether the line above or below another contains only a date and a
// time: a medium may be next to these in the head of an article.
func (v *view) besideClock(i int) bool {
	isClock := func(j int) bool {
		return j >= 0 && j < len(v.lines) && v.lines[j].link == 0 && clockLine.MatchString(v.lines[j].text) && strings.Contains(v.lines[j].text, ":")
	}
	return isClock(i-1) || isClock(i+1)
}

// speaker matches a speaker's name at the beginning of a headline: 周样：论样例.
func (h headline) speaker(name string) bool {
	return strings.HasPrefix(squeeze(h.text), squeeze(name)+"：")
}

// isDated reports whether the date in a line with other text is the page's, not
// one in a sentence or a subtitle: it is at the beginning or end of the line.
func isDated(text, date string) bool {
	text = collapse(strings.ReplaceAll(text, string(label.Boundary), " "))
	before, after, _ := strings.Cut(text, collapse(date))
	return (runes(before) <= 12 || after == "") && !strings.ContainsAny(text, "。，；")
}

// standsAlone reports whether an element of a line contains only a date: the
// time of a message next to the names of its author and account.
func standsAlone(raw, date string) bool {
	for part := range strings.SplitSeq(raw, string(label.Boundary)) {
		if collapse(part) == date {
			return true
		}
	}
	return false
}

func inHeadline(i int, h headline) bool { return i >= h.lines.from && i < h.lines.to }

func (r *labelReader) put(l policy.Label) {
	if len(r.labels) < maxLabels && !slices.Contains(r.labels, l) {
		r.labels = append(r.labels, l)
	}
}

func (r *labelReader) add(n *html.Node, fields []label.Field) {
	for _, f := range fields {
		if f.Kind == label.Date {
			f.Value = r.dated(f.Value)
		}
		r.put(policy.Label{Element: elementName(n), Name: f.Name, Value: clip(f.Value, maxLabelValue)})
	}
}

// withValue returns a cell that contains only a label together with the next cell, which
// contains the value, unless that is a label itself.
func (r *labelReader) withValue(i int) (raw string, next int) {
	l := r.view.lines[i]
	name := strings.TrimRight(squeeze(l.text), ":：")
	if label.KindOf(name) == label.Unknown {
		return l.raw, i + 1
	}
	after := markup.NextElement(l.node)
	if after == nil || after.Data != "td" && after.Data != "dd" {
		return l.raw, i + 1
	}
	s := r.view.under(after)
	var b strings.Builder
	for j := s.from; j < s.to && s.from == i+1; j++ {
		b.WriteString(r.view.lines[j].raw + string(label.Boundary))
	}
	value := b.String()
	if fields, _ := label.Split(value); len(fields) > 0 || runes(value) > maxLabelText {
		return l.raw, i + 1
	}
	if name == squeeze(l.text) && runes(name) < 3 && l.node.Data == "td" { // 文号 needs no colon before a number
		if _, ok := policy.ParseNumber(strings.Trim(value, string(label.Boundary))); !ok {
			return l.raw, i + 1
		}
	}
	joined := name + "：" + value
	if fields, _ := label.Split(joined); name == squeeze(l.text) && len(fields) > 0 && fields[0].Value == "" {
		return l.raw, i + 1 // the head of a column
	}
	return joined, max(i+1, s.to)
}

// headRow reads a row of labels whose values are in the next row; it returns the line after
// both rows, or i if there is none.
func (r *labelReader) headRow(i int) int {
	row := r.view.lines[i].node.Parent
	if row == nil || row.Data != "tr" || r.view.under(row).from != i {
		return i
	}
	below := rowBelow(row)
	heads, values := r.cells(row), r.cells(below)
	if len(heads) < 2 || len(heads) != len(values) {
		return i
	}
	for _, head := range heads {
		if label.KindOf(strings.TrimRight(head.text, ":：")) == label.Unknown {
			return i
		}
	}
	for k, head := range heads {
		fields, _ := label.Split(strings.TrimRight(head.text, ":：") + "：" + values[k].text)
		r.add(head.node, fields)
	}
	return r.view.under(below).to
}

// rowBelow returns the next row of a table, even if it is in the next section, such as
// after a thead.
func rowBelow(row *html.Node) *html.Node {
	if next := markup.NextElement(row); next != nil || row.Parent == nil || row.Parent.Data == "table" {
		return next
	}
	for section := markup.NextElement(row.Parent); section != nil; section = markup.NextElement(section) {
		for c := section.FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.ElementNode {
				return c
			}
		}
	}
	return nil
}

type cell struct {
	node *html.Node
	text string
}

func (r *labelReader) cells(row *html.Node) []cell {
	if row == nil || row.Data != "tr" {
		return nil
	}
	var all []cell
	for c := row.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && isCell(c) {
			text, ok := textblock.UpTo(c, maxLabelText)
			if !ok {
				return nil
			}
			all = append(all, cell{c, text})
		}
	}
	return all
}

// has reports whether a label of this kind with a value was read.
func (r *labelReader) has(kind label.Kind) bool {
	return slices.ContainsFunc(r.labels, func(l policy.Label) bool {
		return l.Value != "" && label.KindOf(l.Name) == kind
	})
}

// readAfter adds the labels in the lines after the text, unless a label before the text
// states the same.
func (r *labelReader) readAfter(i int) {
	before := r.labels
	for end := min(len(r.view.lines), i+labelsAfter); i < end; i++ {
		l := r.view.lines[i]
		if l.aside == elsewhere || l.link*2 > l.size || l.size > maxLabelText {
			continue
		}
		fields, _ := label.Split(l.raw)
		old := labelReader{labels: before}
		if c := policy.ReadCredit(l.raw, r.site...); len(fields) == 0 && c.Whole && c.Date != "" && c.Medium != "" && !old.has(label.Date) && !old.hasDate(label.Date) && !monthAlone.MatchString(c.Date) {
			fields = append(fields, label.Field{Name: "发布时间", Value: c.Date, Kind: label.Date}, label.Field{Name: "来源", Value: c.Medium, Kind: label.Source})
		}
		if c := policy.ReadCredit(l.raw); c.Whole && c.Role && policy.IsAuthor(c.Author()) && !old.has(label.Author) { // 文：张三 图片：李四
			name := "作者"
			if c.Reports {
				name = "记者"
			}
			fields = append(fields, label.Field{Name: name, Value: c.Author(), Kind: label.Author})
		}
		for _, f := range fields {
			if (f.Kind == label.Date || f.Kind == label.Source || f.Kind == label.Author || f.Kind == label.Editor) && f.Value != "" && !old.has(f.Kind) && !old.hasDate(f.Kind) {
				r.add(l.node, []label.Field{f})
			}
		}
	}
}

// hasDate reports whether the kind is a date and a date without a label was read.
func (r *labelReader) hasDate(kind label.Kind) bool {
	return kind == label.Date && slices.ContainsFunc(r.labels, func(l policy.Label) bool { return l.Name == "" })
}

// innermost returns the smallest element of a line that contains the text.
func innermost(l line, text string) *html.Node {
	for _, t := range l.nodes {
		if strings.Contains(collapse(t.Data), text) && t.Parent != nil {
			return t.Parent
		}
	}
	return l.node
}

func isHidden(n *html.Node) bool {
	for _, a := range n.Attr {
		if a.Key == "style" && strings.Contains(strings.ReplaceAll(strings.ToLower(a.Val), " ", ""), "display:none") {
			return true
		}
	}
	return false
}

func contains(n, x *html.Node) bool {
	for ; x != nil; x = x.Parent {
		if x == n {
			return true
		}
	}
	return false
}

func isCell(n *html.Node) bool {
	return n.Data == "td" || n.Data == "th" || n.Data == "dt" || n.Data == "dd"
}

// elementName returns the name of an element for provenance, such as "div.info" or
// "td#date"; an element without id or class gets the name of the nearest ancestor that has
// one.
func elementName(n *html.Node) string {
	for ; n != nil && n.Type == html.ElementNode; n = n.Parent {
		for _, key := range []string{"id", "class"} {
			for _, a := range n.Attr {
				if words := strings.Fields(a.Val); a.Key == key && len(words) > 0 {
					return n.Data + map[string]string{"id": "#", "class": "."}[key] + clip(words[0], 60)
				}
			}
		}
		if n.Data == "body" {
			break
		}
	}
	return "body"
}
