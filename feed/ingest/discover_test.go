package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiscover(t *testing.T) {
	t.Parallel()
	const page = `<html><head><link rel="stylesheet" href="s.css" type="text/css">
<link rel="alternate" type="application/rss+xml" title="全部" href="/rss.xml"><link rel="alternate home" type="application/atom+xml; charset=utf-8" href="a.atom">
<link rel="alternate" hreflang="en" type="text/html" href="/en"><link rel="alternate" type="application/rss+xml" href="javascript:f()"></head>
<body><a href="/rss.xml">RSS</a><a href="/x/rss.xml">订阅</a><a href="/about">关于</a></body></html>`
	want := []Candidate{{"http://site.test/rss.xml", "全部"}, {"http://site.test/p/a.atom", ""}, {"http://site.test/x/rss.xml", "订阅"}}
	if diff := cmp.Diff(want, Discover(Page{URL: "http://site.test/p/", Body: []byte(page)})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPropose(t *testing.T) {
	t.Parallel()
	const rows = `<li><a href=/1.html>关于印发某某办法的通知</a><span>2023-05-16</span></li><li><a href=/2.html>关于某某工作的公告</a><span>2023-05-12</span></li>`
	const menu = `<ul class=menu><li><a href=/a>政务公开栏目</a></li><li><a href=/b>办事服务栏目</a></li></ul>`
	tests := []struct{ name, html, want string }{
		{"Class", menu + `<ul class="list first">` + rows + `</ul>`, "ul.list > li"},
		{"ID", menu + `<div id=news><ul>` + rows + `</ul></div>`, "div#news > ul > li"},
		{"Bare", menu + `<ul>` + rows + `</ul>`, ""},
		{"OddName", menu + `<ul class="1a">` + strings.ReplaceAll(rows, "<li>", "<li class=r>") + `</ul>`, "li.r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := Page{URL: "http://site.test/", Body: []byte(tt.html)}
			got := ProposeList(p, Source{})
			if tt.want != "" && got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got == "" {
				return
			}
			items, err := pageReader{}.Read(p, Source{Settings: Settings{Item: got}})
			if err != nil || len(items) != 2 {
				t.Errorf("%q finds %d items, %v", got, len(items), err)
			}
		})
	}
	article := `<div class=TRS_Editor><p>` + strings.Repeat("正文内容", 20) + `</div>`
	if got := ProposeContent(Page{URL: "http://site.test/", Body: []byte(article)}, Source{}); got != ".TRS_Editor" {
		t.Errorf("content %q", got)
	}
}
