package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dibao/feed/ingest/list"
)

// noticesIn returns rows of a list in a folder, with days if wanted.
func noticesIn(folder string, rows int, dated bool) string {
	var b strings.Builder
	for i := range rows {
		day := ""
		if dated {
			day = fmt.Sprintf("<span>2026-11-%02d</span>", 27-i)
		}
		fmt.Fprintf(&b, `<li><a href="/%s/%d.html">样例省%s第%d项工作安排的通知</a>%s</li>`, folder, i+1, folder, i+1, day)
	}
	return b.String()
}

// startPage is the home page of a government body: sections of different shape, a heading
// with a picture and a link to more, tabs with a line between their names, an undated
// section, and a menu of other sites.
var startPage = `<html><head><title>样例局</title></head><body><div class="nav"><a href="/a/">首页栏目</a><a href="/b/">公开栏目</a></div>
<div class="one"><h3><a href="/tzgg/">通知公告</a></h3><a href="/tzgg/">更多&gt;&gt;</a><img src="/l.png"><ul>` + noticesIn("tzgg", 8, true) + `</ul></div>
<div class="two"><div class="head"><ul><li>政策文件</li><p>|</p><li>政策解读</li></ul></div><div class="body"><div class="p"><ul>` + noticesIn("zcwj", 6, true) + `</ul></div><div class="p" style="display:none"><ul>` + noticesIn("zcjd", 5, true) + `</ul></div></div></div>
<table class="three"><tr><td><table><tr><td>工作动态</td><td><a href="/gzdt/">更多</a></td></tr></table><ul>` + noticesIn("gzdt", 5, false) + `</ul></td></tr></table>
<div class="links"><h3>友情链接</h3><ul><li><a href="http://www.one.example/">样例省人民政府网站</a></li><li><a href="http://www.two.example/">样例市人民政府网站</a></li><li><a href="http://www.three.example/">样例县人民政府网站</a></li></ul></div></body></html>`

// TestOffers reads one section of a start page and offers the others by name, each with a
// selector that reads it.
func TestOffers(t *testing.T) {
	t.Parallel()
	page := Page{URL: "http://www.sample.example/", Body: []byte(startPage), FetchedAt: casesAt}
	l, err := ReadList(page, Source{})
	if err != nil || len(l.Items) != 8 || !strings.Contains(l.Items[0].URL, "/tzgg/") {
		t.Fatalf("%d rows, %v", len(l.Items), err)
	}
	want := map[string]int{"政策文件": 6, "政策解读": 5, "工作动态": 5}
	for _, o := range Offers(page, Source{}) {
		rows, known := want[o.Name]
		delete(want, o.Name)
		if !known || o.Rows != rows || o.Item == "" {
			t.Errorf("offered: %+v", o)
			continue
		}
		again, err := ReadList(page, Source{Settings: Settings{Item: o.Item}})
		if err != nil || len(again.Items) != rows || again.Items[0].Title != o.Title {
			t.Errorf("%s: %q reads %d rows, %v", o.Name, o.Item, len(again.Items), err)
		}
	}
	if len(want) > 0 {
		t.Errorf("not offered: %v", want)
	}
	if offers := Offers(page, Source{Settings: Settings{Item: "li"}}); len(offers) > 0 {
		t.Errorf("offered beside a selector: %+v", offers)
	}
}

// TestUndatedLists reads a list of documents without dates and says so; a menu is not read, but named.
func TestUndatedLists(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, markup string
		rows         int
		code         list.Reason
	}{
		{"documents", `<ul>` + noticesIn("wj", 6, false) + `</ul>`, 6, list.Undated},
		{"files", `<ul>` + strings.NewReplacer("/wj/", "/f/wen", ".html", ".pdf").Replace(noticesIn("wj", 6, false)) + `</ul>`, 6, list.Undated},
		{"folders of articles", `<ul>` + strings.NewReplacer("/wj/", "/item/52267", ".html", "/index.do").Replace(noticesIn("wj", 6, false)) + `</ul>`, 6, list.Undated},
		{"links to sites", `<ul><li><a href="http://a.example/">样例省人民政府门户网站</a></li><li><a href="http://b.example/">样例省发展和改革委员会</a></li><li><a href="http://c.example/">样例省工业和信息化厅网站</a></li><li><a href="http://d.example/">样例省人力资源社会保障厅</a></li><li><a href="http://e.example/">样例省自然资源厅门户网站</a></li></ul>`, 0, list.MenuOnly},
		{"topics", `<ul><li><a href="/zt/yhyshj/">优化营商环境专题专栏</a></li><li><a href="/zt/xczx/index.html">乡村振兴战略专题专栏</a></li><li><a href="/zt/dj/">党史学习教育专题专栏</a></li><li><a href="/zt/fz/">法治政府建设专题专栏</a></li><li><a href="/zt/aq/">安全生产专项专题专栏</a></li></ul>`, 0, list.MenuOnly},
	} {
		l, err := ReadList(Page{URL: "http://www.sample.example/zwgk/", Body: []byte("<html><body>" + c.markup + "</body></html>"), FetchedAt: casesAt}, Source{})
		if err != nil || len(l.Items) != c.rows || !slices.ContainsFunc(l.Dropped, func(d list.Drop) bool { return d.Code == c.code }) || (l.Menu() != "") != (c.rows == 0) {
			t.Errorf("%s: %d rows, %v, %+v", c.name, len(l.Items), err, l.Dropped)
		}
	}
}
