package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dibao/feed/ingest/list"
)

// Lists in the markup of the systems that official sites and think-tanks use: each is found
// by structure, and again by the proposed selector.
func TestListFamilies(t *testing.T) {
	t.Parallel()
	titles := []string{"国务院办公厅关于印发样例工作方案的通知", "关于公开征求《样例办法（征求意见稿）》意见的公告", "《样例条例》政策解读",
		"样例省人民政府关于加快发展养老服务的实施意见", "关于做好高校毕业生就业工作的通知", "样例市人民政府关于人事任免的通知"}
	var menu, links strings.Builder
	for i := range 9 {
		fmt.Fprintf(&menu, `<li><a href="/c%d/">政务公开第%d栏目</a></li>`, i, i)
		fmt.Fprintf(&links, `<li><a href="http://x%d.example/">友情链接样例网站%d</a></li>`, i, i)
	}
	for _, c := range []struct{ name, before, row, after string }{ // arguments of row: 1 number, 2 title, 3 day, 4 truncated title
		{"gov.cn", `<div class="list list_1"><ul>`, `<li><h4><a href="./202411/content_%[1]d.htm">%[2]s</a><span class="date">2024-11-%[3]d</span></h4></li>`, `</ul></div>`},
		{"TRS", `<ul class="gl">`, `<li class="odd"><a href="./202411/t202411%[3]d_%[1]d.html" title="%[2]s">%[4]s…</a><em>2024-11-%[3]d</em></li>`, `</ul><script>createPageHTML(12,0,"index","html")</script>`},
		{"jcms", `<div id="5"><script type="text/xml"><datastore><nextgroup><![CDATA[<a href="/x.jsp"></a>]]></nextgroup><recordset>`,
			`<record><![CDATA[<li><a href="/art/2024/11/%[3]d/art_1_%[1]d.html">%[2]s</a><b>2024-11-%[3]d</b></li>]]></record>`, `</recordset></datastore></script></div>`},
		{"NFCMS", `<div class="gk"><ul><li class="th">标题</li>`, `<li class="mc"><a href="/gkmlpt/content/2/post_%[1]d.html">%[2]s</a></li><li class="rq">2024-11-%[3]d</li>`, `</ul></div>`},
		{"table", `<table><tr><th>标题</th><th>文号</th><th>日期</th></tr>`, `<tr><td>%[1]d</td><td><a href="/d/%[1]d.html">%[2]s</a></td><td>样政发〔2024〕%[1]d号</td><td>2024-11-%[3]d</td></tr>`, `</table>`},
		{"a table a row", `<div>`, `<table><tr><td>&nbsp;<img src=dot.gif><a href="n/%[1]d.htm">%[2]s</a></td><td>(2024/11/%[3]d)</td></tr></table>`, `</div>`},
		{"day above month", `<div class="lst">`, `<div class="it"><div class="d"><b>%[3]d</b><i>2024-11</i></div><h3><a href="/n/%[1]d.shtml">%[2]s</a></h3><p>摘要。</p></div>`, `</div>`},
		{"DedeCMS", `<ul class="d1">`, `<li>[<b><a href="/a/zc/">政策解读</a></b>] <a href="/a/zc/202411/%[1]d.html">%[2]s</a><span>日期：2024-11-%[3]d 点击：7</span></li>`, `</ul>`},
		{"WordPress", `<main>`, `<article class="post-1%[1]d post"><h2><a href="/2024/11/p%[1]d/">%[2]s</a></h2><time>2024年11月%[3]d日</time><p>摘要。</p></article>`, `</main>`},
		{"dt and dd", `<dl class="x">`, `<dt><a href="/n/%[1]d.shtml">%[2]s</a></dt><dd>2024-11-%[3]d</dd>`, `</dl>`},
		{"a heading a day", ``, `<div class="day"><h4>2024-11-%[3]d</h4><ul><li><a href="/n/%[1]d.html">%[2]s</a></li></ul></div>`, ``},
		{"cards", `<div class="cards">`, `<a class="card" href="/n/%[1]d.shtml"><h3>%[2]s</h3><p>摘要文字，摘要文字，摘要文字。</p><em>2024-11-%[3]d</em></a>`, `</div>`},
		{"the date in the link", `<ul>`, `<li><a href=/n/%[1]d.html target=_blank>%[2]s<font color=red>2024.11.%[3]d</font></a>`, `</ul>`},
		{"a script follows the link", `<ul>`, `<li><span>2024-11-%[3]d</span><a href="javascript:void(0)" onclick="window.open('/n/%[1]d.html')">%[2]s</a></li>`, `</ul>`},
		{"the date in the address", `<div class="main"><ul>`, `<li><a href="/art/2024/11/%[3]d/art_9_%[1]d.html">%[2]s</a></li>`, `</ul></div>`},
		{"an icon with a title", `<table>`, `<tr><td><a href="/n/%[1]d.html" title="有新回复 - 新窗口打开"><img src="i.gif"></a></td><td><a href="/n/%[1]d.html">%[2]s</a></td><td>2024-11-%[3]d</td></tr>`, `</table>`},
		{"no date at all", `<div class="main"><ul class="news">`, `<li><a href="/show.asp?id=%[1]d">%[2]s</a></li>`, `</ul></div>`},
	} {
		var b strings.Builder
		fmt.Fprintf(&b, `<html><body><div class="nav"><ul>%s</ul></div>%s`, menu.String(), c.before)
		for i, title := range titles {
			fmt.Fprintf(&b, c.row, i+1, title, 20-i, string([]rune(title)[:8]))
		}
		fmt.Fprintf(&b, `%s<div class="footer"><ul>%s</ul>京ICP备05070218号 2024-01-01</div></body></html>`, c.after, links.String())
		page := Page{URL: "http://www.sample.example/zwgk/", Body: []byte(b.String())}
		items, err := pageReader{}.Read(page, Source{})
		if err != nil || len(items) != len(titles) {
			t.Errorf("%s: %d rows of %d, %v", c.name, len(items), len(titles), err)
			continue
		}
		for i, it := range items {
			date := fmt.Sprintf("2024-11-%d", 20-i)
			if strings.Contains(c.name, "address") || strings.HasPrefix(c.name, "no date") {
				date = "" // policy evaluates the date of an address
			}
			if it.Title != titles[i] || it.Evidence.ListDate != date {
				t.Errorf("%s: row %d is %q of %q", c.name, i, it.Title, it.Evidence.ListDate)
			}
		}
		if c.name == "a heading a day" {
			continue
		}
		selector := ProposeList(page, Source{})
		again, err := pageReader{}.Read(page, Source{Settings: Settings{Item: selector}})
		if selector == "" || err != nil || !sameItems(items, again) {
			t.Errorf("%s: the selector %q finds %d rows, %v", c.name, selector, len(again), err)
		}
	}
}

// A menu, links to other sites and an error page are not lists.
func TestNoList(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`<html><body><div class="nav"><ul><li><a href="/a/">政务公开栏目</a></li><li><a href="/b/">政民互动栏目</a></li></ul></div><p>页面不存在</p></body></html>`,
		`<html><body><h1>404</h1><p><a href="/">返回首页返回首页</a></p><p><a href="/map">网站地图网站地图</a></p></body></html>`,
	} {
		if items, err := (pageReader{}).Read(Page{URL: "http://www.sample.example/", Body: []byte(body)}, Source{}); err != nil || len(items) > 0 {
			t.Errorf("%d rows, %v", len(items), err)
		}
	}
}

// TestWhatIsNoRow reads lists next to other elements in the shape of rows: breadcrumbs, a
// pager in a row of the table, pictures whose addresses contain days. It checks that rows
// left out of a container are reported.
func TestWhatIsNoRow(t *testing.T) {
	t.Parallel()
	titles := []string{"样例省燃气管理条例", "关于修改《样例省物业管理条例》的决定", "样例省历史文化名城保护条例", "样例省民用建筑节能条例"}
	var sheets, table, pictures strings.Builder
	for i, title := range titles {
		fmt.Fprintf(&sheets, `<div class="item"><h4><a href="2%d.html">%s</a></h4><p>全文摘要，%s。<a href="2%d.html">[看全文]</a></p><p>发布时间：2026-11-2%d 09:48:12</p></div>`, i, title, title, i, 7-i)
		fmt.Fprintf(&table, `<tr><td>-</td><td><a href="2%d.html">%s</a></td><td>2026-11-2%d</td></tr>`, i, title, 7-i)
		for j := range 2 {
			fmt.Fprintf(&pictures, `<dl class="pic"><dd><a href="/2025/1%d1%d/9.html">样例冰雪节第%d幕雪雕亮相江畔</a></dd></dl>`, j, i, j)
		}
	}
	registered := `<tr><td>-</td><td><a href="http://beian.example/x">样公网安备 11010502042638号</a></td><td></td></tr><tr><td>-</td><td><a href="http://icp.example/">样ICP备05003321号-1</a></td></tr>`
	for _, c := range []struct{ name, markup, dropped string }{
		{"pictures beside the list", `<div class="l">` + sheets.String() + `</div><div class="r">` + pictures.String() + `</div>`, "another-list"},
		{"breadcrumbs and a pager in the table", `<table><tr><td colspan="3">您现在的位置：<a href="/">首页</a> >> <a href="../">政策法规库</a></td></tr>` + table.String() + `<tr><td colspan="3"><a href="">第一页</a><a href="index_2.html">2</a><a href="index_9.html">最后一页</a></td></tr>` + registered + `</table>`, "breadcrumbs"},
	} {
		l, err := ReadList(Page{URL: "http://www.sample.example/zwgk/", Body: []byte("<html><body>" + c.markup + "</body></html>"), FetchedAt: casesAt}, Source{})
		if err != nil || len(l.Items) != len(titles) {
			t.Errorf("%s: %d rows, %v", c.name, len(l.Items), err)
			continue
		}
		for i, it := range l.Items {
			if it.Title != titles[i] || it.Evidence.ListDate != fmt.Sprintf("2026-11-2%d", 7-i) {
				t.Errorf("%s: row %d is %q of %q", c.name, i, it.Title, it.Evidence.ListDate)
			}
		}
		if !slices.ContainsFunc(l.Dropped, func(d list.Drop) bool { return string(d.Code) == c.dropped }) {
			t.Errorf("%s: dropped %+v", c.name, l.Dropped)
		}
	}
}

// TestUnreadDates reads rows with dates in an unknown form: the admin sees an example. Rows
// that state no year cause no report.
func TestUnreadDates(t *testing.T) {
	t.Parallel()
	for date, want := range map[string]string{"27 tháng 11 năm 2026": "27 tháng 11 năm 2026", "27 พ.ย. 2569": "27 พ.ย. 2569", "27 Kasım 2026": "", "Economy": ""} {
		var b strings.Builder
		for i := range 6 {
			fmt.Fprintf(&b, `<li><a href="/n/%d.html">Statement number %c on the state of trade</a> <span>%s</span></li>`, i, 'A'+i, date)
		}
		l, err := ReadList(Page{URL: "http://site.test/n/", Body: []byte("<ul>" + b.String() + "</ul>"), FetchedAt: casesAt}, Source{})
		if err != nil || len(l.Items) != 6 {
			t.Fatalf("%s: %d rows, %v", date, len(l.Items), err)
		}
		got := ""
		for _, d := range l.Dropped {
			if d.Code == list.UnreadDate && d.Count == 6 {
				got = d.Example
			}
		}
		if got != want {
			t.Errorf("%s: %+v", date, l.Dropped)
		}
	}
}

// A selector may match rows in invisible elements.
func TestUnseenRows(t *testing.T) {
	t.Parallel()
	page := `<ul><li><a href="/1.html">关于印发样例办法的通知</a></li></ul><button><ul><li><a href="/2.html">关于样例的公告通知</a></li></ul></button>`
	l, err := ReadList(Page{URL: "http://site.test/", Body: []byte(page), FetchedAt: casesAt}, Source{Settings: Settings{Item: "li"}})
	if err != nil || len(l.Items) == 0 || l.Items[0].URL != "http://site.test/1.html" {
		t.Errorf("%+v, %v", l, err)
	}
}
