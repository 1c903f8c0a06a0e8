package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dibao/feed/ingest/weburl"
	"dibao/internal/markup"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
)

// changedPage is a page with its expected rows.
type changedPage struct {
	doc  *goquery.Document
	rows []*html.Node // the row elements, in order
	box  *html.Node   // parent of the rows
}

// rowsOf returns the elements that contain the links of the expected rows: children of one
// element.
func rowsOf(doc *goquery.Document, page Page, want wantedList) (changedPage, bool) {
	c := changedPage{doc: doc}
	reader, err := rowReaderOf(doc, page, Source{})
	if err != nil {
		return c, false
	}
	first := make(map[string]*html.Node)
	doc.Find("a[href]").Each(func(_ int, s *goquery.Selection) {
		href, _ := s.Attr("href")
		if at := weburl.Absolute(reader.base, href); first[at] == nil || strings.TrimSpace(first[at].Data) == "" {
			first[at] = s.Nodes[0]
		}
	})
	var links []*html.Node
	for _, it := range want.Items {
		n := first[it.URL]
		if n == nil || slices.Contains(links, n) {
			return c, false
		}
		links = append(links, n)
	}
	if len(links) < 4 {
		return c, false
	}
	box := links[0].Parent
	for box != nil && !holdsNode(box, links[len(links)-1]) {
		box = box.Parent
	}
	for _, a := range links {
		row := a
		for row != nil && row.Parent != box {
			row = row.Parent
		}
		if row == nil || slices.Contains(c.rows, row) {
			return c, false
		}
		c.rows = append(c.rows, row)
	}
	c.box = box
	return c, true
}

func holdsNode(n, x *html.Node) bool {
	for ; x != nil; x = x.Parent {
		if x == n {
			return true
		}
	}
	return false
}

func el(name string, attrs ...string) *html.Node {
	n := &html.Node{Type: html.ElementNode, Data: name}
	for i := 0; i+1 < len(attrs); i += 2 {
		n.Attr = append(n.Attr, html.Attribute{Key: attrs[i], Val: attrs[i+1]})
	}
	return n
}

func text(s string) *html.Node { return &html.Node{Type: html.TextNode, Data: s} }

func with(n *html.Node, children ...*html.Node) *html.Node {
	for _, c := range children {
		n.AppendChild(c)
	}
	return n
}

// wrapContent moves the content of n into a new element.
func wrapContent(n, into *html.Node) {
	for n.FirstChild != nil {
		c := n.FirstChild
		n.RemoveChild(c)
		into.AppendChild(c)
	}
	n.AppendChild(into)
}

func bodyOf(doc *goquery.Document) *html.Node { return doc.Find("body").Nodes[0] }

var changes = []struct {
	name string
	do   func(c changedPage)
}{
	{"classes renamed", func(c changedPage) {
		for _, n := range c.doc.Find("[class],[id]").Nodes {
			for i := range n.Attr {
				if n.Attr[i].Key == "class" || n.Attr[i].Key == "id" {
					n.Attr[i].Val = strings.Map(func(r rune) rune {
						if r >= 'a' && r <= 'z' {
							return 'a' + (r-'a'+11)%26
						}
						return r
					}, n.Attr[i].Val)
				}
			}
		}
	}},
	{"no classes", func(c changedPage) {
		for _, n := range c.doc.Find("[class],[id]").Nodes {
			n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "class" || a.Key == "id" })
		}
	}},
	{"rows wrapped inside", func(c changedPage) {
		for _, r := range c.rows {
			if r.Data == "li" || r.Data == "div" {
				wrapContent(r, el("div", "class", "in"))
			}
		}
	}},
	{"page wrapped", func(c changedPage) {
		for range 3 {
			wrapContent(bodyOf(c.doc), el("div"))
		}
	}},
	{"menu before", func(c changedPage) {
		ul := el("ul", "class", "x-top")
		for i, s := range strings.Fields("网站首页 机构概况 领导介绍 政务公开动态 政策法规文件 办事服务指南 互动交流平台 专题专栏集锦 统计数据发布 公共资源配置 行政审批事项目录 政府信息公开指南 政府信息公开年报 规章规范性文件 重大决策预公开") {
			ul.AppendChild(with(el("li"), with(el("a", "href", fmt.Sprintf("/col%d/", i)), text(s))))
		}
		bodyOf(c.doc).InsertBefore(ul, bodyOf(c.doc).FirstChild)
	}},
	{"links after the list", func(c changedPage) {
		div := el("div", "class", "x-links")
		for i := range 30 {
			div.AppendChild(with(el("a", "href", fmt.Sprintf("http://www.dept%d.example/", i)), text(fmt.Sprintf("样例省第%d样例管理委员会门户网站", i))))
			div.AppendChild(text(" | "))
		}
		bodyOf(c.doc).AppendChild(div)
	}},
	{"popular box without dates before", func(c changedPage) {
		div := el("div", "class", "x-left")
		div.AppendChild(with(el("h3"), text("热点文章")))
		ul := el("ul")
		for i := range 8 {
			ul.AppendChild(with(el("li"), with(el("a", "href", fmt.Sprintf("/hot/%d.html", i)), text(fmt.Sprintf("样例市召开第%d次样例工作推进会议并作出部署", i)))))
		}
		div.AppendChild(ul)
		bodyOf(c.doc).InsertBefore(div, bodyOf(c.doc).FirstChild)
	}},
	{"popular box with dates after the list", func(c changedPage) {
		div := el("div", "class", "x-right")
		div.AppendChild(with(el("h3"), text("最新动态")))
		ul := el("ul")
		for i := range min(5, len(c.rows)-1) {
			ul.AppendChild(with(el("li"), with(el("a", "href", fmt.Sprintf("/hot/2026/%d.html", i)), text(fmt.Sprintf("样例市召开第%d次样例会议", i))), with(el("span"), text("11-2"+fmt.Sprint(8-i)))))
		}
		div.AppendChild(ul)
		bodyOf(c.doc).AppendChild(div)
	}},
	{"photo news before", func(c changedPage) {
		ul := el("ul", "class", "x-pics")
		for i := range 5 {
			ul.AppendChild(with(el("li"), with(el("a", "href", fmt.Sprintf("/tp/202611/t2026112%d_1%d.html", i, i)), el("img", "src", "a.jpg"), with(el("p"), text(fmt.Sprintf("图片新闻第%d组：样例市样例区开展样例活动", i))))))
		}
		bodyOf(c.doc).InsertBefore(ul, bodyOf(c.doc).FirstChild)
	}},
	{"link in heading", func(c changedPage) {
		for _, r := range c.rows {
			a := firstLink(r)
			if a == r || a == nil || a.Parent.Data[0] == 'h' {
				continue
			}
			h := el("h4")
			a.Parent.InsertBefore(h, a)
			a.Parent.RemoveChild(a)
			h.AppendChild(a)
		}
	}},
	{"link in span", func(c changedPage) {
		for _, r := range c.rows {
			if a := firstLink(r); a != nil && a != r {
				h := el("span", "class", "tt")
				a.Parent.InsertBefore(h, a)
				a.Parent.RemoveChild(a)
				h.AppendChild(a)
			}
		}
	}},
	{"picture link before", func(c changedPage) {
		for _, r := range c.rows {
			if a := firstLink(r); a != nil && a != r && r.Data != "tr" {
				r.InsertBefore(with(el("a", "href", markup.Attr(a, "href")), el("img", "src", "x.jpg")), r.FirstChild)
			}
		}
	}},
	{"column link before", func(c changedPage) {
		for i, r := range c.rows {
			if a := firstLink(r); a != nil && a != r {
				k := i % 3
				a.Parent.InsertBefore(with(el("a", "href", fmt.Sprintf("/column%d/", k)), text([]string{"[通知公告]", "[政策文件]", "[工作动态]"}[k])), a)
			}
		}
	}},
	{"new mark", func(c changedPage) {
		for i, r := range c.rows {
			if a := firstLink(r); a != nil && a != r && i < 2 {
				r.Attr = append(r.Attr, html.Attribute{Key: "style", Val: "color:red"})
				a.Parent.InsertBefore(el("img", "src", "new.gif"), a.NextSibling)
			}
		}
	}},
	{"pinned mark", func(c changedPage) {
		for i, r := range c.rows {
			if a := firstLink(r); a != nil && a != r && i < 2 {
				a.Parent.InsertBefore(with(el("span", "class", "zd"), text("[置顶]")), a)
			}
		}
	}},
	{"bold and colored titles", func(c changedPage) {
		for i, r := range c.rows {
			if a := firstLink(r); a != nil && i%3 == 0 && !hasBlockIn(a) {
				wrapContent(a, el("font", "color", "red"))
				wrapContent(a, el("b"))
			}
		}
	}},
	{"views", func(c changedPage) {
		for i, r := range c.rows {
			if r.Data != "tr" && r.Data != "a" && r.Data != "dt" && r.Data != "h3" && r.Data != "h4" && r.Data != "p" {
				r.AppendChild(with(el("span"), text(fmt.Sprintf("浏览：%d次", 100+i))))
			}
		}
	}},
	{"separators", func(c changedPage) {
		for i, r := range c.rows {
			if i%5 == 4 && r.Data != "tr" && r.Data != "dt" {
				c.box.InsertBefore(el(r.Data, "class", "line"), r.NextSibling)
			}
		}
	}},
	{"pager inside", func(c changedPage) {
		last := c.rows[len(c.rows)-1]
		name := last.Data
		if name == "tr" || name == "a" || name == "dt" || strings.HasPrefix(name, "h") {
			return
		}
		p := el(name, "class", "page")
		for i, s := range []string{"首页", "上一页", "1", "2", "3", "下一页", "尾页"} {
			p.AppendChild(with(el("a", "href", fmt.Sprintf("index_%d.html", i)), text(s)))
		}
		c.box.AppendChild(p)
	}},
	{"crumbs before", func(c changedPage) {
		d := with(el("div", "class", "wz"), text("当前位置："), with(el("a", "href", "/"), text("首页")), text(" > "), with(el("a", "href", "/zwgk/"), text("政务公开")), text(" > "), with(el("a", "href", "./"), text("通知公告")))
		c.box.Parent.InsertBefore(d, c.box)
	}},
	{"more link after", func(c changedPage) {
		d := with(el("div", "class", "more"), with(el("a", "href", "/more/"), text("查看更多>>")))
		c.box.Parent.InsertBefore(d, c.box.NextSibling)
	}},
	{"ul of five", func(c changedPage) {
		if c.rows[0].Data != "li" || c.box.Data != "ul" || countElements(c.box) != len(c.rows) || len(c.rows) < 10 {
			return
		}
		for i := 5; i < len(c.rows); i += 5 {
			ul := el("ul")
			ul.Attr = slices.Clone(c.box.Attr)
			c.box.Parent.InsertBefore(ul, nil)
			for _, r := range c.rows[i:min(i+5, len(c.rows))] {
				c.box.RemoveChild(r)
				ul.AppendChild(r)
			}
			if i == 5 {
				c.box.Parent.RemoveChild(ul)
				c.box.Parent.InsertBefore(ul, c.box.NextSibling)
				continue
			}
			prev := c.box
			for k := 5; k < i; k += 5 {
				prev = prev.NextSibling
			}
			c.box.Parent.RemoveChild(ul)
			c.box.Parent.InsertBefore(ul, prev.NextSibling)
		}
	}},
	{"li to div", func(c changedPage) {
		if c.rows[0].Data == "li" {
			c.box.Data = "div"
			for x := c.box.FirstChild; x != nil; x = x.NextSibling {
				if x.Data == "li" {
					x.Data = "div"
				}
			}
		}
	}},
	{"div to li", func(c changedPage) {
		if c.rows[0].Data == "div" && countElements(c.box) == len(c.rows) {
			c.box.Data = "ul"
			for _, r := range c.rows {
				r.Data = "li"
			}
		}
	}},
	{"li to tr", func(c changedPage) {
		if c.rows[0].Data != "li" || countElements(c.box) != len(c.rows) {
			return
		}
		table, body := el("table"), el("tbody")
		table.AppendChild(body)
		c.box.Parent.InsertBefore(table, c.box)
		for _, r := range c.rows {
			tr := el("tr")
			for r.FirstChild != nil {
				x := r.FirstChild
				r.RemoveChild(x)
				if x.Type == html.TextNode && strings.TrimSpace(x.Data) == "" {
					continue
				}
				tr.AppendChild(with(el("td"), x))
			}
			body.AppendChild(tr)
		}
		c.box.Parent.RemoveChild(c.box)
	}},
	{"dates with slashes", func(c changedPage) { c.redate(`${1}/${2}/${3}`) }},
	{"dates with dots", func(c changedPage) { c.redate(`${1}.${2}.${3}`) }},
	{"dates in Chinese", func(c changedPage) { c.redate(`${1}年${2}月${3}日`) }},
	{"dates in brackets", func(c changedPage) { c.redate(`[$1-$2-$3]`) }},
	{"dates with a label", func(c changedPage) { c.redate(`发布时间：${1}-${2}-${3}`) }},
	{"dates with times", func(c changedPage) { c.redate(`$1-$2-$3 09:30:00`) }},
	{"two-digit years", func(c changedPage) { c.redate(`?$1-$2-$3`) }},
	{"similar list of another column after the list", func(c changedPage) {
		div := el("div", "class", "x-other")
		div.AppendChild(with(el("h3"), text("政策解读")))
		ul := el("ul")
		for i := range len(c.rows) / 2 {
			ul.AppendChild(with(el("li"), with(el("a", "href", fmt.Sprintf("/zcjd/202611/t2026112%d_1.html", i%8)), text(fmt.Sprintf("《样例办法》政策解读之第%d篇", i))), with(el("span"), text(fmt.Sprintf("2026-11-%02d", 28-i%20)))))
		}
		div.AppendChild(ul)
		bodyOf(c.doc).AppendChild(div)
	}},
	{"banner inside", func(c changedPage) {
		if c.rows[0].Data == "tr" || c.rows[0].Data == "dt" {
			return
		}
		r := c.rows[len(c.rows)/2]
		c.box.InsertBefore(with(el(r.Data, "class", "ad"), el("img", "src", "banner.jpg")), r)
	}},
}

// anotherPage are pages that a change turns into a different page: the change affects how their
// dates, titles or columns are recognized, or adds a list that is a better candidate. The dates of
// sogou-timeconvert.html are in scripts, which are lost when a page is rendered again.
var anotherPage = map[string][]string{
	"dates with a label":  {"effective-col.html", "only-written.html"},
	"rows wrapped inside": {"title-on-li.html", "nested-reading.html"},
	"link in heading":     {"title-on-li.html", "case-numbers-of-eight-figures.html"},
	"link in span":        {"title-on-li.html"},
	"li to tr":            {"title-on-li.html"},
	"similar list of another column after the list": {"split-date-spans.html", "document-write-date.html", "gb-issue-links.html", "011-pbc-nested-tables-nodate.html"},
	"classes renamed":                       {"wp-entry.html", "short-titles-in-wrapping-links.html", "longer-list-at-the-side.html", "cards-with-tags-beside-newest.html"},
	"no classes":                            {"wp-entry.html", "column-headings-between.html", "equal-lists.html", "short-titles-in-wrapping-links.html", "longer-list-at-the-side.html", "cards-with-tags-beside-newest.html"},
	"popular box with dates after the list": {"gb-issue-links.html", "011-pbc-nested-tables-nodate.html"},
	"column link before":                    {"case-number-linked.html"},
	"views":                                 {"011-pbc-nested-tables-nodate.html"},
	"pager inside":                          {"equal-lists.html"},
	"crumbs before":                         {"title-ends-in-date-below-day.html", "section-named-as-page.html"},
	"ul of five":                            {"xinhua-dl.html", "tabs-latest-all.html"},
	"li to div":                             {"nested-reading.html"},
}

func firstLink(n *html.Node) *html.Node {
	if n.Data == "a" {
		return n
	}
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == "a" {
			return d
		}
	}
	return nil
}

func hasBlockIn(n *html.Node) bool {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode {
			return true
		}
	}
	return false
}

func countElements(n *html.Node) int {
	k := 0
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			k++
		}
	}
	return k
}

var printedDay = regexp.MustCompile(`\b(20\d\d)-(\d\d)-(\d\d)\b`)

// redate prints the dates of the rows in another form.
func (c changedPage) redate(as string) {
	short := strings.HasPrefix(as, "?")
	for _, r := range c.rows {
		a := firstLink(r)
		for d := range r.Descendants() {
			if d.Type == html.TextNode && a != nil && !holdsNode(a, d) && len(strings.TrimSpace(d.Data)) <= 14 {
				d.Data = printedDay.ReplaceAllStringFunc(d.Data, func(s string) string {
					if short {
						return s[2:]
					}
					return printedDay.ReplaceAllString(s, as)
				})
			}
		}
	}
}

// TestListsSurviveChanges makes changes that do not matter to the pages of TestOwnListCases
// and of the shared cases: names of classes, boxes around rows and next to the list, marks,
// forms of dates. Each page gets some of the changes, all pages together get all of them.
func TestListsSurviveChanges(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{filepath.Join("testdata", "lists"), shared(t, "cases/lists")} {
		var all []wantedList
		if err := json.Unmarshal(read(t, dir, "expected.json"), &all); err != nil {
			t.Fatal(err)
		}
		for i, want := range all {
			if !strings.HasSuffix(want.File, "html") || otherFile[want.File] {
				continue
			}
			page := Page{URL: want.URL, Body: read(t, dir, want.File), FetchedAt: casesAt}
			for k := i % changesApart; k < len(changes); k += changesApart {
				if change := changes[k]; !slices.Contains(anotherPage[change.name], want.File) && want.File != "sogou-timeconvert.html" {
					surviveChange(t, page, want, change.name, change.do)
				}
			}
		}
	}
}

// changesApart is the number of changes between two that are made to the same page.
const changesApart = 12

func surviveChange(t *testing.T, page Page, want wantedList, name string, do func(changedPage)) {
	t.Helper()
	doc, err := parseList(page, "")
	if err != nil {
		t.Fatal(err)
	}
	c, ok := rowsOf(doc, page, want)
	if !ok {
		return
	}
	do(c)
	var b bytes.Buffer
	if err := html.Render(&b, doc.Nodes[0]); err != nil {
		t.Fatal(err)
	}
	page.Body, page.ContentType = b.Bytes(), "text/html; charset=utf-8"
	l, err := ReadList(page, Source{})
	if diff := compareList(l, want); err != nil || diff != "" {
		t.Errorf("%s: %s: %d rows of %d, %v%s", name, want.File, len(l.Items), len(want.Items), err, diff)
	}
}
