package list

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy/when"
	"dibao/policy/words"
)

// maxRows is the maximum number of rows of a list that are read.
const maxRows = 10_000

// read reads the rows of the list that was found.
func (f *finder) read(c *candidate) Found {
	found := Found{Containers: c.containers, Bare: c.bare}
	drops := &found.Dropped
	f.addShort(c)
	f.unfold(c)
	f.adopt(c)
	if beyond := c.rows[min(len(c.rows), maxRows):]; len(beyond) > 0 {
		c.rows = c.rows[:maxRows]
		for _, s := range beyond {
			drops.Add(BeyondLimit, "10,000", textOf(s.node, 120, ' '))
		}
	}
	links := chooseLinks(c.rows)
	parts := partsOf(links)
	column := titleColumn(parts)
	f.keepsDates = f.fewEndInDates(parts, column)
	heads := make(map[*html.Node][]string)
	for _, x := range c.containers {
		heads[x] = f.heads(x, c.rows)
	}
	seen := make(map[string]bool)
	for i, s := range c.rows {
		if links[i] == nil {
			drops.Add(NoLink, "", textOf(s.node, 120, ' '))
			continue
		}
		row := Row{Node: s.node, Link: links[i], Href: Address(links[i])}
		row.Title = f.title(s.node, links[i], parts[i], column)
		switch {
		case isPlaceholder(row.Title) || isPlaceholder(row.Href):
			drops.Add(Placeholder, "", row.Title)
			continue
		case row.Title == "":
			drops.Add(NoText, "", row.Href)
			continue
		case seen[row.Href+"\x00"+row.Title]:
			drops.Add(Twice, "", row.Title)
			continue
		}
		seen[row.Href+"\x00"+row.Title] = true
		f.date(&row, s, heads[s.node.Parent])
		if row.Date.On.IsZero() && crumbs.MatchString(textOf(s.node, 120, ' ')) {
			drops.Add(Crumbs, "", row.Title)
			continue
		}
		found.Rows = append(found.Rows, row)
	}
	if !c.bare && !c.fixed {
		found.dropMenus()
		found.dropUndated(ToMore, func(r Row) bool { return toAll.MatchString(r.Title) })
		f.dropHeadings(&found)
	}
	unnumber(found.Rows)
	f.complete(found.Rows)
	f.settle(&found)
	f.sayUnread(&found)
	return found
}

// rowNumber matches the number of a row before its title: 1. or 01、. A year, a sum (1.5万亿元)
// and a counted thing (3 月份) belong to the title.
var rowNumber = lazyregexp.New(`^(\d{1,3})(?:[.、．,，)）]\s*|\s+)([^\d年月日号期项条个批季届周级\s])`)

// unnumber removes row numbers from titles if each number is that of the previous row plus
// one, and the first is 1 or follows a round number of rows.
func unnumber(rows []Row) {
	if len(rows) < minNumbered {
		return
	}
	rest := make([]string, len(rows))
	for i, r := range rows {
		m := rowNumber.FindStringSubmatch(r.Title)
		if m == nil || i > 0 && number(m[1]) != number(rowNumber.FindStringSubmatch(rows[i-1].Title)[1])+1 {
			return
		}
		if i == 0 && number(m[1])%5 != 1 {
			return
		}
		rest[i] = r.Title[len(m[0])-len(m[2]):]
	}
	for i := range rows {
		rows[i].Title = rest[i]
	}
}

// minNumbered is the minimum number of rows for which numbers before titles count as row
// numbers.
const minNumbered = 3

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// minShort is the minimum number of letters of a short title in a list with
// dates: 农业法.
const minShort = 2

// minShortRows is the minimum number of rows with a date in a list of short titles.
const minShortRows = 5

// crumbs matches the beginning of breadcrumbs.
var crumbs = lazyregexp.New(`(?i)^[\s>»·|\[【]{0,4}(?:首\s*页|主页|home)\s*[>＞»›→/]|(?:^|[\s>»·|\[【])您?(?:的|当前|现在|目前|所在|所处){1,4}位置`)

// maxPagerWord is the maximum length, in bytes, of a link that its words make part of a
// pager: 最后一页.
const maxPagerWord = 15

// pagerWord matches the text of a link of a pager.
var pagerWord = words.New(`(?i)[首上下前后尾末]\s*一?\s*[页頁]|更多|next|prev|last|first|more`)

// addShort adds the rows of a dated list whose titles are too short to be
// recognized otherwise.
func (f *finder) addShort(c *candidate) {
	if c.bare || c.fixed || len(c.rows) == 0 {
		return
	}
	known := make(map[*html.Node]segment, len(c.rows))
	for _, r := range c.rows {
		known[r.node] = r
	}
	var rows []segment
	for _, container := range c.containers {
		for n := container.FirstChild; n != nil; n = n.NextSibling {
			if r, ok := known[n]; ok {
				rows = append(rows, r)
				continue
			}
			in := f.seen[n]
			if in == nil || in.first != nil || !in.any || n.Data != c.rows[0].node.Data || in.runes > maxRowRunes || in.nodes > maxRowNodes {
				continue
			}
			for _, a := range ownLinks(n) {
				if title := textOrTitle(a); letters(title) >= minShort && !pagerWord.MatchString(title) {
					s := segment{node: n, pure: 1, dates: f.datesOf(n, a)}
					if s.setLink(a); s.isDated() {
						rows = append(rows, s)
					}
					break
				}
			}
		}
	}
	if len(rows) >= len(c.rows) {
		c.rows = rows
	}
}

// date sets the date of a row, from the dates in it, with the heads of its columns, its
// neighbors and the heading above it.
func (f *finder) date(row *Row, s segment, heads []string) {
	all := f.cellDates(s.node, row.Link, heads)
	if all == nil {
		if row.Link != s.link {
			delete(f.dates, s.node)
		}
		all = f.datesOf(s.node, row.Link)
	}
	if !hasDate(all) {
		all = append(all[:len(all):len(all)], s.near...)
	}
	if f.saysLongAgo(s.node) {
		all = slices.DeleteFunc(slices.Clone(all), func(w when.When) bool { return !w.Alone })
	}
	var whole []when.When
	for _, w := range all {
		if s.above.Year == 0 {
			w = w.InYearOf(row.Href, f.clock)
		}
		w = w.Complete(s.above, f.clock)
		if !w.On.IsZero() || !w.Swapped.IsZero() || w.Month > 0 && w.Day > 0 {
			whole = append(whole, w)
		}
	}
	if w, ok := when.Published(whole, f.clock); ok {
		row.Date, row.From = w, f.from(s.node, w)
		row.alone, _ = when.Published(slices.DeleteFunc(whole, func(w when.When) bool { return !w.Alone }), f.clock)
	} else if s.above.Day > 0 && len(all) == 0 {
		w := when.Find(s.head, f.clock)[0]
		row.Date, row.From = w.Complete(s.above, f.clock), s.head
	}
}

// longAgo matches the age of a row that does not state its publication date: 4年前.
var longAgo = words.New(`(?i)^(?:\d{1,2}|一|半)\s?(?:年|个?月)(?:多)?以?前$|^(?:\d{1,2}|an?)\s(?:year|month)s?\sago$`)

// saysLongAgo reports whether a row states its age in years or months; the dates in its
// abstract are then those of the events.
func (f *finder) saysLongAgo(row *html.Node) bool {
	for n := range row.Descendants() {
		if n.Type == html.TextNode && len(n.Data) < maxPagerText && longAgo.MatchString(strings.TrimSpace(n.Data)) {
			return true
		}
	}
	return false
}

// toAll matches a link to the rest of a list, or to the parent page.
var toAll = lazyregexp.New(`(?i)^(?:show|view|see|browse)\s+(?:all|more)\b|^(?:back|return)\s+to\b|^返回|^(?:查看|浏览|阅读)(?:全部|所有|更多)`)

// fewEndInDates reports whether fewer than half of the titles of a list end in a date. If
// so, such a date is part of its title.
func (f *finder) fewEndInDates(parts [][]part, column int) bool {
	titles, ends := 0, 0
	for _, x := range parts {
		if text, _ := choosePart(x, column); text != "" {
			titles++
			if _, date := cutDate(clean(text), f.clock); date != "" {
				ends++
			}
		}
	}
	return ends*2 < titles
}

// from returns what stated a date: its label, or else the element.
func (f *finder) from(row *html.Node, w when.When) string {
	if w.Label != "" {
		return w.Label
	}
	n := row
	for {
		var inner *html.Node
		for c := n.FirstChild; c != nil && inner == nil; c = c.NextSibling {
			if c.Type == html.ElementNode && !isUnseen(c) && strings.Contains(textOf(c, 4000, ' '), w.Text) {
				inner = c
			}
		}
		if inner == nil {
			return elementName(n)
		}
		n = inner
	}
}

// elementName returns the name of an element, such as "span.date".
func elementName(n *html.Node) string {
	if n.Type != html.ElementNode {
		return "text"
	}
	if class := strings.Fields(markup.Attr(n, "class")); len(class) > 0 {
		return n.Data + "." + class[0]
	}
	if id := strings.TrimSpace(markup.Attr(n, "id")); id != "" && !strings.ContainsRune(id, ' ') {
		return n.Data + "#" + id
	}
	return n.Data
}

// maxHead is the maximum number of letters of the head of a column.
const maxHead = 12

// maxEnglishHead is the maximum number of letters of a head in English: Case Reference.
const maxEnglishHead = 30

// maxSpan is the maximum number of columns that a head can span.
const maxSpan = 8

// cells returns the cells of a row: those of a table, or the elements in its
// only child element.
func cells(row *html.Node) []*html.Node {
	for {
		var all []*html.Node
		for c := row.FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.ElementNode && !isUnseen(c) {
				all = append(all, c)
			}
		}
		if len(all) != 1 {
			return all
		}
		row = all[0]
	}
}

// cellDates returns the dates of a row whose columns have heads, each labeled
// with the head of its column; nil if there are no heads.
func (f *finder) cellDates(row, link *html.Node, heads []string) []when.When {
	if heads == nil {
		return nil
	}
	columns := cells(row)
	if len(columns) != len(heads) {
		return nil
	}
	all := []when.When{}
	for i, cell := range columns {
		var own, nested strings.Builder
		if holds(cell, link) {
			f.rowText(cell, link, &own, &nested)
			own.WriteByte(when.Border)
			own.WriteString(f.linkRest(link))
		} else {
			own.WriteString(textOf(cell, 1000, when.Border))
		}
		for _, w := range when.Find(own.String(), f.clock) {
			if w.Label == "" && !holds(cell, link) {
				w.Label, w.Role = heads[i], when.RoleOf(heads[i])
			}
			all = append(all, w)
		}
	}
	return all
}

// heads returns the heads of the columns of a container: from its first row
// without a title, or from the row above it.
func (f *finder) heads(n *html.Node, rows []segment) []string {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type != html.ElementNode || isUnseen(c) {
			continue
		}
		if len(rows) > 0 && c == rows[0].node {
			break
		}
		if h := f.headsOf(c); h != nil {
			return h
		}
	}
	for up := 0; n != nil && up < maxUp; n, up = n.Parent, up+1 {
		for before := n.PrevSibling; before != nil; before = before.PrevSibling {
			if before.Type != html.ElementNode || isUnseen(before) {
				continue
			}
			if h := f.headsOf(before); h != nil {
				return h
			}
			break
		}
	}
	return nil
}

// dateHead matches the end of the head of a column of dates: 会议时间, but not 会议通知, which is
// the heading of a list.
var dateHead = lazyregexp.New(`(?i)(?:时间|日期|[日期至于止]|发布|发表|公布|更新|截止|date|posted|published)$`)

// headsOf reads an element as column heads: short texts without a title,
// including one for a date.
func (f *finder) headsOf(n *html.Node) []string {
	if in := f.seen[n]; in == nil || in.runes > 120 || in.links > 0 && !allHeads(n) {
		return nil
	}
	var heads []string
	dated := false
	for _, c := range cells(n) {
		text := strings.Join(strings.Fields(textOf(c, 100, ' ')), "")
		if letters(text) > maxHead && (c.Data != "th" || letters(text) > maxEnglishHead || text[0] >= utf8.RuneSelf) {
			return nil
		}
		role := when.RoleOf(text)
		dated = dated || role != when.RoleUnknown && role != when.RoleNumber && dateHead.MatchString(text)
		heads = append(heads, text)
		if span, err := strconv.Atoi(markup.Attr(c, "colspan")); err == nil {
			for range min(span, maxSpan) - 1 {
				heads = append(heads, text)
			}
		}
	}
	if len(heads) < 2 || !dated {
		return nil
	}
	return heads
}

// allHeads reports whether all cells of a row are heads; links in them sort the table.
func allHeads(row *html.Node) bool {
	all := cells(row)
	for _, c := range all {
		if c.Data != "th" {
			return false
		}
	}
	return len(all) > 0
}

// cut truncates an example.
func cut(s string) string {
	n := 0
	for i := range s {
		if n++; n > 60 {
			return s[:i] + "…"
		}
	}
	return s
}

// aName matches a placeholder for a script: {title}, #url#.
var aName = lazyregexp.New(`\{[\w.$]{1,40}\}|^#\w{1,40}#$`)

// isPlaceholder reports whether a text is a placeholder that a script replaces.
func isPlaceholder(s string) bool {
	if s == "undefined" || s == "null" {
		return true
	}
	if !strings.ContainsAny(s, "{#$%") {
		return false
	}
	if aName.MatchString(s) {
		return true
	}
	for _, sign := range []string{"{{", "${", "<%", "{$", "#=", "[%", "{%"} {
		if strings.Contains(s, sign) {
			return true
		}
	}
	return false
}
