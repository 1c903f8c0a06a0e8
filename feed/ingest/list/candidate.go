package list

import (
	"strings"

	"golang.org/x/net/html"

	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy/when"
)

// segment is a possible row with its neighbors in the container.
type segment struct {
	node  *html.Node
	link  *html.Node
	chars int         // letters of the title, at most maxChars
	pure  float64     // 1 if the row has one title; less if it has more: the share of the longest
	dates []when.When // dates in the row itself
	near  []when.When // dates in its neighbors without a link
	above when.Context
	head  string // the heading in which above was found
	href  string // the address of link
	form  string // form of the address, without digits
}

// candidate is a container, or several that repeat, that may be the list.
type candidate struct {
	containers []*html.Node
	rows       []segment
	score      float64
	dated      int
	bare       bool                // it was scored without dates
	fixed      bool                // a selector selects the rows
	parts      []string            // the headings of its sections
	own        map[*html.Node]bool // containers; set when candidates are compared
	around     map[*html.Node]bool // containers and their ancestors
}

// enough is the number of letters of a title that counts fully; in a list that accepts
// short titles, all titles count equally.
func (f *finder) enough() int {
	if f.least < minTitle {
		return minTitle
	}
	return maxChars
}

// maxChars is the maximum number of letters of a title that count.
const maxChars = 40

// The minimum requirements for a list.
const (
	minRows      = 2
	minDated     = 0.9 // rows with a date; a date that is only in the address counts half
	minBareRows  = 5
	minBareTitle = 10 // average number of letters, for a list without dates
)

// onlyInAddress is the factor for a list whose dates are only in its addresses.
const onlyInAddress = 0.4

// candidates returns the containers of a page that may be its list.
func (f *finder) candidates(root *html.Node) []*candidate {
	var all []*candidate
	single := make(map[*html.Node]*candidate)
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || f.seen[n] == nil || f.seen[n].links == 0 && f.seen[n].actions < minRows {
			continue
		}
		if c := f.container(n); c != nil {
			single[n] = c
			if len(c.rows) >= minRows {
				all = append(all, c)
			}
		}
	}
	all = append(all, f.repeated(root, single)...)
	for _, c := range all {
		f.weigh(c)
	}
	return all
}

// container returns an element as a container: its children that contain a title are the
// rows. Children of a row (cells, or links in a line) are rows only if each has its own
// date: two columns of titles in one table.
func (f *finder) container(n *html.Node) *candidate {
	if n.Data == "a" || n.Data == "ul" && n.Parent != nil && n.Parent.Data == "a" {
		return nil
	}
	inline := isRowTag(n)
	if !isNested(n) && n.Data != "tbody" && onlyElement(n) || inline && f.seen[n].links < 2 {
		return nil // its only child is the container, or n is a row
	}
	c := &candidate{containers: []*html.Node{n}}
	breaks := 0
	for x := n.FirstChild; x != nil; x = x.NextSibling {
		if x.Type != html.ElementNode {
			continue
		}
		if x.Data == "br" {
			breaks++
		}
		if f.isRow(x) || len(c.rows) > 0 && f.isLongRow(x, c.rows[len(c.rows)-1].node) {
			c.rows = append(c.rows, f.segment(x))
		} else if in := f.seen[x]; in != nil && in.isActionRow() && in.runes <= maxRowRunes && in.nodes <= maxRowNodes {
			if s, ok := f.actionSegment(x); ok {
				c.rows = append(c.rows, s)
			}
		}
	}
	c.rows = withHeadings(c.rows)
	if len(c.rows) == 0 {
		return nil
	}
	f.neighbors(n, c)
	if inline && breaks+1 < len(c.rows) && len(c.rows) > 1 {
		for _, r := range c.rows {
			if !r.isDated() {
				return nil
			}
		}
	}
	return c
}

// onlyElement reports whether an element contains only one element.
func onlyElement(n *html.Node) bool {
	elements := 0
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch {
		case c.Type == html.ElementNode:
			elements++
		case c.Type == html.TextNode && visible(c.Data) > 0:
			return false
		}
		if elements > 1 {
			return false
		}
	}
	return elements == 1
}

// isRowTag reports whether an element with this tag is usually a row itself.
func isRowTag(n *html.Node) bool {
	switch n.Data {
	case "li", "tr", "dd", "dt", "p", "h1", "h2", "h3", "h4", "h5", "h6", "span", "font", "td":
		return true
	}
	return false
}

// segment reads what is needed to weigh a row.
func (f *finder) segment(n *html.Node) segment {
	in := f.seen[n]
	if in == nil { // a selector may match invisible elements
		return segment{node: n, pure: 1}
	}
	s := segment{node: n, link: in.first, pure: 1}
	if in.total > in.most {
		s.pure = float64(in.most) / float64(in.total)
	}
	if s.link == nil {
		return s
	}
	s.setLink(s.link)
	s.dates = f.datesOf(n, s.link)
	return s
}

// monthInAddress matches a day or a month in an address: /202411/t20241120_1.html.
var monthInAddress = lazyregexp.New(`[/_t](?:19|20)\d{2}[-/]?(?:0[1-9]|1[0-2]|[1-9])(?:[-/]?(?:0[1-9]|[12]\d|3[01]))?[-/_]`)

// isDated reports whether a row, or its neighbors, contain something that may be a date.
func (s segment) isDated() bool {
	return hasDate(s.dates) || hasDate(s.near) || s.above.Day > 0
}

func hasDate(all []when.When) bool {
	for _, w := range all {
		if w.Role == when.RoleToday || w.Role == when.RoleNumber {
			continue
		}
		if !w.On.IsZero() || !w.Swapped.IsZero() || w.Day > 0 && (w.Month > 0 || !w.Weak) {
			return true
		}
	}
	return false
}

// hasMonth reports whether one of the dates is a month of a year, alone in its element.
func hasMonth(all []when.When) bool {
	for _, w := range all {
		if w.Year > 0 && w.Month > 0 && w.Day == 0 && w.Alone {
			return true
		}
	}
	return false
}

// formOf returns an address without its numbers and its last segment.
func formOf(href string) string {
	href, _, _ = strings.Cut(href, "?")
	if i := strings.LastIndexByte(strings.TrimSuffix(href, "/"), '/'); i >= 0 {
		href = href[:i]
	}
	return strings.Map(withoutDigit, href)
}

// weigh scores a candidate: more rows with a date, longer titles and more
// similar addresses score higher.
func (f *finder) weigh(c *candidate) {
	f.passOver(c)
	dated, titles, chars, months := 0.0, 0.0, 0, 0
	forms, hrefs := make(map[string]int), make(map[string]bool)
	for _, r := range c.rows {
		if hrefs[r.href] {
			continue
		}
		hrefs[r.href] = true
		titles += r.pure * float64(min(r.chars, f.enough()))
		chars += r.chars
		forms[r.form]++
		switch {
		case r.isDated():
			dated += r.pure
			c.dated++
		case hasMonth(r.dates):
			dated += r.pure / 2
			months++
		case r.hasDayInAddress():
			dated += r.pure / 2
		}
	}
	n := len(hrefs)
	if n < minRows {
		return
	}
	most := 0
	for _, k := range forms {
		most = max(most, k)
	}
	like := 0.5 + 0.5*float64(most)/float64(n)
	side := 1.0
	for _, x := range c.containers[:min(1, len(c.containers))] {
		if side = f.side(x); side == 1 && f.isBox(x) {
			side = 0.5
		}
	}
	if dated*2 >= float64(n)*0.5 && dated >= minDated {
		if c.dated+months == 0 { // boxes of pictures look like this; their titles are short
			like *= onlyInAddress * min(1, float64(chars)/float64(n*maxChars/2))
		}
		c.score = dated * titles * like * side
		return
	}
	if n >= minBareRows && chars >= minBareTitle*n && side == 1 {
		c.bare = true
		c.score = float64(n) * titles * like * side
	}
}

// passOver chooses other links for the rows of a candidate if many lead to one
// address: a category or an agency before the title.
func (f *finder) passOver(c *candidate) {
	distinct := make(map[string]bool, len(c.rows))
	for _, r := range c.rows {
		distinct[r.href] = true
	}
	if len(c.rows) < minRows || len(distinct)*5 > len(c.rows)*4 {
		return
	}
	for i, link := range chooseLinks(c.rows) {
		r := &c.rows[i]
		if link == nil || link == r.link || Address(link) == r.href {
			continue
		}
		r.setLink(link)
		delete(f.dates, r.node)
		r.dates = f.datesOf(r.node, link)
	}
}

// setLink sets the link that is a row's title.
func (s *segment) setLink(link *html.Node) {
	s.link = link
	s.chars = min(max(letters(textOf(link, 300, ' ')), letters(markup.Attr(link, "title"))), maxChars)
	s.href = Address(link)
	s.form = formOf(s.href)
}

// hasDayInAddress reports whether the address contains a day or a month.
func (s segment) hasDayInAddress() bool {
	_, ok := when.InAddress(s.href)
	return ok || monthInAddress.MatchString(s.href)
}

// side returns the factor for the position of a candidate: menus, footers and boxes of
// popular items count less.
func (f *finder) side(n *html.Node) float64 {
	weight := 1.0
	for steps := 0; n != nil && n.Type == html.ElementNode && steps < 12; n, steps = n.Parent, steps+1 {
		if n.Data == "body" {
			break
		}
		if n.Data == "nav" || n.Data == "footer" || n.Data == "aside" || isHidden(n) || aside.MatchString(markup.Attr(n, "class")+" "+markup.Attr(n, "id")) {
			weight = 0.25
		}
	}
	return weight
}

// boxHeading matches headings of boxes of other articles.
var boxHeading = lazyregexp.New(`^(?:[\p{Han}]{0,2}(?:推荐|热门|热点|最热|点击|阅读)(?:阅读|文章|新闻|排行|内容|信息|资讯|政策|专题|榜)?|(?:阅读|点击|热度)?排行榜?|相关(?:链接|文章|新闻|阅读|信息|政策)|猜你喜欢|大家都?在看|友情链接|热词)$`)

// isBox reports whether the heading directly before a container, or before its
// parent, says that it is a box of other articles.
func (f *finder) isBox(n *html.Node) bool {
	for up := 0; n != nil && n.Type == html.ElementNode && up < maxUp; n, up = n.Parent, up+1 {
		before := n.PrevSibling
		for before != nil && (before.Type != html.ElementNode || isUnseen(before)) {
			before = before.PrevSibling
		}
		if before != nil {
			in := f.seen[before]
			return in != nil && in.runes <= maxNear && boxHeading.MatchString(textOf(before, 200, ' '))
		}
	}
	return false
}

// aside matches the names of elements that are not the list: menus, footers, boxes of
// popular or related items. In has-aside and no-aside, aside says what is next to the element.
var aside = lazyregexp.New(`(?i)(?:^|[\s_-])(?:nav|menu|submenu|foot|footer|bottom|hot|hots|rank|ranking|recommend|tuijian|related|xgwj|side(?:bar|news|box|hot|nav)|friend|friendlinks?|yqlj|links|crumbs?|breadcrumbs?|position|pager|pagination|popbox|gov_dh)(?:$|[\s_-])|(?:^|\s)aside(?:$|[\s_-])`)

// best returns the candidate that is the list, and the others with a similar score. Lists
// without dates count only if there is none with dates.
func (f *finder) best(all []*candidate) (best *candidate, next []*candidate) {
	for _, bare := range []bool{false, true} {
		for _, c := range all {
			if c.bare == bare && c.score > 0 && (best == nil || c.score > best.score) {
				best = c
			}
		}
		if best != nil {
			break
		}
	}
	if best == nil {
		return nil, nil
	}
	best = f.firstPanel(f.ofPage(f.firstOfEqual(wholeRows(best, all), all), all), all)
	if whole := f.sections(best); whole != nil {
		best = whole
	}
	return best, f.others(best, all, minNamed)
}

// wholeRows returns the candidate whose rows each contain one container of another candidate, with as many
// dates outside running text: its rows contain both the title and the date.
func wholeRows(best *candidate, all []*candidate) *candidate {
	if len(best.containers) < minRows {
		return best
	}
	least := best.dated
	if n := best.printed(); n > 0 {
		least = n
	} else if best.isOfParts() {
		least = len(best.containers)
	}
	for _, c := range all {
		if c.bare || c.score == 0 || len(c.containers) != 1 || len(c.rows) < len(best.containers) || c.dated < least {
			continue
		}
		if rows := rowsAround(best.containers, c.rows); rows != nil {
			return &candidate{containers: c.containers, rows: rows, score: c.score, dated: c.dated}
		}
	}
	return best
}

// isFile matches the address of a file.
var isFile = lazyregexp.New(`(?i)\.(?:pdf|docx?|xlsx?|pptx?|wps|et|ofd|zip|rar|txt|csv)(?:$|[?#])`)

// isOfParts reports whether no container has two consecutive rows of one shape, and only the
// first has an address that is not that of a file: a title and its files below the day of both.
func (c *candidate) isOfParts() bool {
	for i, r := range c.rows[1:] {
		if r.node.Parent == c.rows[i].node.Parent && (shape(r.node) == shape(c.rows[i].node) || !isFile.MatchString(r.href)) {
			return false
		}
	}
	return true
}

// printed counts the rows with a date that is not in running text.
func (c *candidate) printed() int {
	n := 0
	for _, r := range c.rows {
		if r.isDated() && (hasAlone(r.dates) || len(r.near) > 0) {
			n++
		}
	}
	return n
}

// rowsAround returns the rows that contain nodes, in their order; nil unless each node is
// in a separate row.
func rowsAround(nodes []*html.Node, rows []segment) []segment {
	at := make(map[*html.Node]int, len(rows))
	for i, r := range rows {
		at[r.node] = i + 1
	}
	var around []segment
	last := 0
	for _, n := range nodes {
		for n != nil && at[n] == 0 {
			n = n.Parent
		}
		if n == nil || at[n] <= last {
			return nil
		}
		last = at[n]
		around = append(around, rows[last-1])
	}
	return around
}

func holds(n, x *html.Node) bool {
	for ; x != nil; x = x.Parent {
		if x == n {
			return true
		}
	}
	return false
}
