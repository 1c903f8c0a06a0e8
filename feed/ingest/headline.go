package ingest

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"dibao/feed/ingest/textblock"
	"dibao/internal/lazyregexp"
	"dibao/internal/markup"
	"dibao/policy"
	"dibao/policy/label"
)

// headline is the headline of a page, and the lines that contain it.
type headline struct {
	text  string
	date  string // a date inside the headline, in an element of its own
	lines span   // empty if only the page's title contains it
	at    *html.Node
}

const (
	minTitle      = 4   // characters
	headlineLines = 8   // maximum number of lines of a headline
	headlineReach = 60  // lines before the text that are searched for it
	columnTitle   = 16  // characters; a link with fewer may be the name of a column
	maxJoined     = 300 // characters of a line that may be part of a headline
)

// references are the texts with which a headline is compared: the page's title,
// the title in its meta elements, and the title in the list.
type references struct {
	title  string   // title of the page, with the name of the site
	names  []string // titles of the article alone
	all    []string // without whitespace, title first
	starts []string // truncated titles, without the dots
}

func newReferences(title string, e policy.Evidence, it Item) references {
	r := references{title: clip(collapse(title), maxTitle)}
	for _, m := range e.Meta {
		switch strings.ToLower(m.Name) {
		case "articletitle", "og:title", "ld:headline", "twitter:title":
			r.names = append(r.names, m.Content)
		}
	}
	r.names = append(r.names, it.Title, e.ListTitle)
	for _, s := range append([]string{r.title}, r.names...) {
		if s = squeeze(clip(s, maxTitle)); s != "" && !slices.Contains(r.all, s) {
			r.all = append(r.all, s)
			cut, _, _ := strings.Cut(s, "...")
			cut, _, short := strings.Cut(cut, "…")
			if short || cut != s {
				if runes(cut) >= 8 {
					r.starts = append(r.starts, cut)
				}
			}
			r.starts = append(r.starts, longStart(s)...)
		}
	}
	return r
}

// longStart returns the beginning of a title that may have been truncated without dots.
func longStart(s string) []string {
	if part := titleCut.Split(s, 2)[0]; runes(part) >= 10 {
		return []string{part}
	}
	return nil
}

// agrees reports whether the page's title, its list or its meta elements contain a text. A
// single line also agrees if it is the complete form of a truncated title.
func (r references) agrees(plain string, single bool) bool {
	return slices.ContainsFunc(r.all, func(ref string) bool { return strings.Contains(ref, plain) }) ||
		single && !strings.HasSuffix(plain, "。") && slices.ContainsFunc(r.starts, func(start string) bool { return strings.HasPrefix(plain, start) && runes(plain) < 3*runes(start) })
}

// findHeadline returns the headline of the text that begins at a line: nearby lines that
// agree with a reference, or else lines that look like a headline, or else the page's title
// without the names of site and column. first is the first running text after it.
func (v *view) findHeadline(body, first int, refs references, site []string) headline {
	if h, ok := v.agreed(body, refs); ok {
		return h.withoutMark(refs, site, v.links)
	}
	if h, ok := v.looksLikeOne(body, first, refs.title, site); ok {
		return h.withoutMark(refs, site, v.links)
	}
	if h, ok := v.plainHeadline(body); ok && body < len(v.lines) && refs.title != "" && (namesSite(refs.title) || slices.Contains(site, squeeze(refs.title))) {
		return h
	}
	if h, ok := v.firstLine(body); ok && refs.title == "" {
		return h
	}
	for _, name := range refs.names {
		if runes(name) >= minTitle && (refs.title == "" || sharesText(name, refs.title)) {
			return headline{text: clip(collapse(name), maxTitle)}
		}
	}
	return headline{text: clip(withoutSite(refs.title, site, v.links), maxTitle)}
}

// titleLine returns the first line that is formatted as a headline and agrees
// with a reference, -1 if there is none.
func (v *view) titleLine(refs references) int {
	for i, l := range v.lines {
		if l.size >= 2*minTitle && l.size <= maxJoined && l.aside != elsewhere && (named(l.node) || emphatic(l.node)) {
			if plain := squeeze(l.text); refs.agrees(plain, true) && !v.namesPlace(plain) {
				return i
			}
		}
	}
	return -1
}

// welcome matches greetings of a site to its visitors.
var welcome = lazyregexp.New(`欢迎(?:您|你|访问|光临|来到|进入)`)

// agreed finds the headline by the references.
func (v *view) agreed(body int, refs references) (headline, bool) {
	best, most := headline{}, 0
	for i := max(0, body-5*headlineReach); i < min(len(v.lines), body+headlineLines+4); i++ {
		if found := squeeze(best.text); i >= body && most > 0 && slices.ContainsFunc(refs.all, func(ref string) bool {
			return strings.HasPrefix(ref, found) && 2*runes(found) > runes(titleCut.Split(ref, 2)[0]) // not a column whose name begins like the title
		}) {
			break // the text repeats the title
		}
		joined := ""
		for j := i; j < min(len(v.lines), i+headlineLines); j++ {
			l := v.lines[j]
			if l.size > maxJoined || welcome.MatchString(l.text) || j > i && (l.aside == elsewhere) != (v.lines[i].aside == elsewhere) {
				break
			}
			joined = strings.TrimSpace(joined + " " + l.text)
			plain := squeeze(joined)
			if runes(plain) > maxTitle || !refs.agrees(plain, j == i) {
				break
			}
			if score := v.scoreHeadline(span{i, j + 1}, plain, body, refs); runes(plain) >= minTitle && score >= most && score > 0 {
				best, most = headline{text: joinTitle(v.lines[i : j+1]), lines: span{i, j + 1}, at: l.node}, score
			}
		}
	}
	return best, most > 0
}

// scoreHeadline rates lines as a headline: longer lines and those nearer to the text score
// higher; names of sites and columns score low.
func (v *view) scoreHeadline(at span, plain string, body int, refs references) int {
	score := 2 * runes(plain)
	l := v.lines[at.from]
	if named(l.node) {
		score += 12
	}
	if body-at.to <= headlineReach/4 {
		score += 12
	}
	if l.aside == elsewhere {
		score -= 20
	}
	if at.to-at.from == 1 && slices.ContainsFunc(sitesOf(refs.title), func(s string) bool { return squeeze(s) == plain }) {
		score -= 30
	}
	if at.from >= body && siteName.MatchString(plain) && plain != squeeze(refs.title) && strings.HasPrefix(squeeze(refs.title), plain) { // the signature of the text
		score -= 60
	}
	if at.to-at.from == 1 && v.namesPlace(plain) {
		switch {
		case plain == squeeze(refs.title) && siteName.MatchString(plain): // may be only the name of the site
			score -= 60
		case !slices.Contains(refs.all, plain):
			score -= 30
		}
	}
	return score
}

// namesPlace reports whether a short text is the name of the site or of a column.
func (v *view) namesPlace(plain string) bool {
	return runes(plain) < columnTitle && (v.links[plain] || siteName.MatchString(plain) || columnName.MatchString(plain))
}

// joinTitle joins the lines of a headline; Chinese needs no space between them.
func joinTitle(lines []line) string {
	title := lines[0].text
	for _, l := range lines[1:] {
		if isASCIILetter(title[len(title)-1]) || isASCIILetter(l.text[0]) {
			title += " "
		}
		title += l.text
	}
	return clip(title, maxTitle)
}

// looksLikeOne finds the last line before the text, or the first in it, that is formatted
// as a headline and is not a link, a label or the site's name. If a heading above it shares
// words with the page's title, that heading is the headline.
func (v *view) looksLikeOne(body, first int, title string, site []string) (headline, bool) {
	opening, ofPart := headline{}, headline{} // candidates inside the text, used if none precedes it
	for i := min(len(v.lines), max(body+3, first+1)) - 1; i >= max(0, body-headlineReach/2); i-- {
		l := v.lines[i]
		if l.aside == elsewhere || l.size < minTitle || l.size > maxTitle/2 || l.link*2 > l.size && !isHeading(l.node) {
			continue
		}
		if !named(l.node) && !emphatic(l.node) || i >= body && !isHeading(l.node) && !v.opens(i) {
			continue
		}
		fields, _ := label.Split(l.raw)
		if _, isNumber := numberLine(l); isNumber {
			continue
		}
		if plain := squeeze(l.text); len(fields) > 0 && !v.opens(i) || l.size <= columnTitle && headsOthers(l.text) || policy.IsBoilerplate(l.text) || slices.Contains(site, plain) || v.namesPlace(plain) && (!isHeading(l.node) || !columnName.MatchString(plain) || v.links[plain]) || strings.ContainsAny(l.text, ">") || textblock.Numbered.MatchString(l.text) || clockLine.MatchString(l.text) {
			continue
		}
		h := headline{text: l.text, lines: span{i, i + 1}, at: l.node}
		switch shares := title == "" || sharesText(h.text, title); {
		case shares && (i < body || isHeading(l.node)), !isHeading(l.node) && i < body && ofPart.text == "":
			return h, true
		case i < body || isHeading(l.node):
			ofPart = cmp.Or(ofPart, h)
		default:
			opening = h
		}
	}
	h := cmp.Or(ofPart, opening)
	return h, h.text != ""
}

// plainHeadline finds the first of the short lines directly above the text that
// are neither labels nor links nor credits: a headline that is formatted as
// text.
func (v *view) plainHeadline(body int) (h headline, ok bool) {
	if body+1 < len(v.lines) && isHeader(v.lines[body+1]) {
		body++ // the text begins with the headline
	}
	for i := min(len(v.lines), body) - 1; i >= max(0, body-headLines); i-- {
		l := v.lines[i]
		if l.aside != inArticle || l.link > 0 || l.size < minTitle || l.size > maxTitle/2 || l.prose > 0 || isHeader(l) || headsOthers(l.text) || siteName.MatchString(squeeze(l.text)) || columnName.MatchString(squeeze(l.text)) {
			if ok {
				break
			}
			continue
		}
		h, ok = headline{text: l.text, lines: span{i, i + 1}, at: l.node}, true
	}
	return h, ok
}

// firstLine returns the first line of a text as its headline on a page that has no title at
// all, if the line is short, is neither a sentence nor a label, and running text follows.
func (v *view) firstLine(body int) (h headline, ok bool) {
	for top := body + headlineLines; body < min(len(v.lines), top) && (isHeader(v.lines[body]) || v.lines[body].link > 0); {
		body++
	}
	if body+1 >= len(v.lines) {
		return h, false
	}
	l := v.lines[body]
	if l.link > 0 || l.size < minTitle || l.size > columnTitle*2 || l.prose > 0 || isHeader(l) || textblock.Numbered.MatchString(l.text) || v.lines[body+1].prose < minText {
		return h, false
	}
	return headline{text: l.text, lines: span{body, body + 1}, at: l.node}, true
}

// opens reports whether a line that is formatted as a headline, and is not a
// sentence, begins a text and has the article's head below it.
func (v *view) opens(i int) bool {
	l := v.lines[i]
	if i+1 >= len(v.lines) || strings.ContainsAny(l.text, "。；") {
		return false
	}
	below := v.lines[i+1]
	if strings.ContainsAny(l.text, "，：:") {
		return len(headerLabels(below)) > 0
	}
	return isHeader(below) || below.size <= 60 && below.prose == 0 && label.FindDate(below.text) != nil
}

// headMark matches a mark in a span after a headline.
var headMark = lazyregexp.New(`^[\[【(（]?(?:原创|转载|图|组图|视频|独家|置顶|推荐|精华|新|热|hot|new)[\]】)）]?$`)

// dateMark matches a date in brackets after a headline.
var dateMark = lazyregexp.New(`^[（(\[【](?:19|20)\d{2}[-./年]\d{1,2}[-./月]\d{1,2}日?[）)\]】]$`)

// isMark reports whether a span before a headline names a column or a form.
func isMark(s string) bool { return headMark.MatchString(s) || columnName.MatchString(s) }

// withoutMark removes a category in a span before or after a headline
// (通知公告, 图解) if the page's title is the rest.
func (h headline) withoutMark(refs references, site []string, links map[string]bool) headline {
	core, text := withoutSite(refs.title, site, links), squeeze(h.text)
	plain := squeeze(core)
	if after, ok := strings.CutPrefix(text, plain); ok && runes(plain) >= 2*minTitle && dateMark.MatchString(after) {
		h.text, h.date = clip(core, maxTitle), strings.Trim(after, "[]()（）【】")
		return h
	}
	if n := runes(plain); n >= 2*minTitle && n < runes(text) && runes(text)-n <= 10 && (strings.HasSuffix(text, plain) && isMark(strings.TrimSuffix(text, plain)) || strings.HasPrefix(text, plain) && headMark.MatchString(text[len(plain):])) {
		h.text = clip(core, maxTitle)
	}
	return h
}

func isHeading(n *html.Node) bool {
	return len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '5'
}

var titleWords = set(`title tit bt biaoti headline subject wzbt titles heading`)

// named reports whether the name of an element, or of its parent, means headline.
func named(n *html.Node) bool {
	for up := 0; n != nil && n.Type == html.ElementNode && up < 3; n, up = n.Parent, up+1 {
		if isHeading(n) || up < 2 && slices.ContainsFunc(markup.ClassWords(n), func(w string) bool { return titleWords[w] }) {
			return true
		}
	}
	return false
}

var bigText = lazyregexp.New(`(?i)font-size\s*:\s*(?:1[89]|2\d|3\d|4\d)\s*(?:px|pt)|font-size\s*:\s*(?:1\.[5-9]|2)|font-weight\s*:\s*(?:bold|[6-9]00)`)

// emphatic reports whether an element, or its only child element, is large or bold.
func emphatic(n *html.Node) bool {
	for down := 0; n != nil && n.Type == html.ElementNode && down < 4; down++ {
		for _, a := range n.Attr {
			if a.Key == "style" && bigText.MatchString(a.Val) || n.Data == "font" && a.Key == "size" && strings.Trim(a.Val, "+") >= "4" {
				return true
			}
		}
		if n.Data == "strong" || n.Data == "b" || n.Data == "big" {
			return true
		}
		var only *html.Node
		parts := 0 // a text of many lines is not a headline, and is not examined for each of its lines
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if parts++; parts > 2*headlineLines {
				return false
			}
			if c.Type == html.ElementNode && c.Data != "br" {
				if only != nil {
					return false
				}
				only = c
			}
		}
		n = only
	}
	return false
}

var (
	// titleCut matches what separates a page's title from the names of column and site.
	titleCut = lazyregexp.New(`\s*[_|｜丨]+\s*|\s*(?:--+|——+|>>+|»|::)\s*|\s+[-–—·>]\s+`)
	// weakCut matches separators that titles themselves may contain.
	weakCut = lazyregexp.New(`[-–—·>]`)
	// siteName matches the ends of site names, columnName those of column names.
	siteName   = lazyregexp.New(`^[^，。；？！：《》]{2,25}(?:政府|网|网站|门户|官网|首页|在线|平台|频道|厅|局|委|委员会|办公室|部|署|院|大学|学院|中心|报|社|协会|学会|研究会|研究所|研究院|智库|集团|公司|中国|online)$`)
	columnName = lazyregexp.New(`^[^，。；？！：《》]{0,12}(?:栏目|专栏|专题|新闻|资讯|动态|公开|要闻|公告|文件|法规|政策|解读|纪检)$`)
)

// withoutSite removes the names of site and column from a page's title.
func withoutSite(title string, site []string, links map[string]bool) string {
	parts := titleCut.Split(title, -1)
	first := ""
	for _, part := range parts {
		if part = strings.TrimSpace(part); runes(part) >= minTitle && !slices.Contains(site, squeeze(part)) {
			first = part
			break
		}
	}
	if first == "" {
		return title
	}
	isPlace := func(s string) bool {
		plain := squeeze(s)
		return plain == "首页" || plain == "主页" || siteName.MatchString(plain) || columnName.MatchString(plain) || slices.Contains(site, plain) || links[plain]
	}
	for _, sign := range []string{" ", ">"} { // 某省能源局 通知公告 关于…的通知, 首页>通知公告>关于…的通知
		for {
			head, rest, ok := strings.Cut(first, sign)
			if !ok || runes(rest) < 2*minTitle || !isPlace(head) {
				break
			}
			first = strings.TrimSpace(rest)
		}
	}
	for {
		at := weakCut.FindAllStringIndex(first, -1)
		if at == nil {
			return first
		}
		last := at[len(at)-1]
		tail, rest := strings.TrimSpace(first[last[1]:]), strings.TrimSpace(first[:last[0]])
		if runes(rest) < minTitle || !siteName.MatchString(tail) && !columnName.MatchString(tail) && !slices.Contains(site, squeeze(tail)) && !links[squeeze(tail)] {
			return first
		}
		first = rest
	}
}

// namesSite reports whether a page's title is only the name of its site, perhaps twice:
// 样例学分银行-学分银行.
func namesSite(title string) bool {
	if siteName.MatchString(squeeze(title)) {
		return true
	}
	parts := sitesOf(title)
	return len(parts) == 1 && runes(parts[0]) >= minTitle && strings.Count(squeeze(title), squeeze(parts[0])) == 2
}

// sitesOf returns the parts of a page's title that may be the site's name: all but the
// first.
func sitesOf(title string) []string {
	parts := titleCut.Split(title, -1)
	if last := parts[len(parts)-1]; len(parts) == 1 {
		parts = weakCut.Split(last, -1)
	}
	return parts[1:]
}

func squeeze(s string) string { return strings.ReplaceAll(s, " ", "") }
