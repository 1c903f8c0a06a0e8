package ingest

import "testing"

func TestNextPage(t *testing.T) {
	for _, c := range []struct{ at, body, next, part string }{
		{"https://www.example.gov.cn/zcfb/index.html", `<ul><li>x</ul><a href="index_1.html">下一页</a>`, "https://www.example.gov.cn/zcfb/index_1.html", "https://www.example.gov.cn/zcfb/index_1.html"},
		{"https://www.example.gov.cn/zcfb/", `<script>createPageHTML(25, 0, "index", "html");</script>`, "https://www.example.gov.cn/zcfb/index_1.html", ""},
		{"https://www.example.gov.cn/zcfb/index_24.html", `<script>createPageHTML(25,24,"index","html")</script>`, "", ""},
		{"https://www.example.org/a/t20240101_77.html", `<a href="t20240101_77_2.html">下一页</a>`, "https://www.example.org/a/t20240101_77_2.html", "https://www.example.org/a/t20240101_77_2.html"},
		{"https://www.example.org/a/t20240101_77_2.html", `<a href="t20240101_77_3.html">下一页 &gt;</a>`, "https://www.example.org/a/t20240101_77_3.html", "https://www.example.org/a/t20240101_77_3.html"},
		{"https://www.example.org/a/1001.html", `<a href="1002.html">下一页</a>`, "https://www.example.org/a/1002.html", ""}, // the next article
		{"https://www.example.org/a?id=5", `<a href="?id=5&page=2">Next</a>`, "https://www.example.org/a?id=5&page=2", "https://www.example.org/a?id=5&page=2"},
		{"https://www.example.org/a?id=5", `<a href="?id=6">Next</a>`, "https://www.example.org/a?id=6", ""},
		{"https://www.example.org/a.html", `<a href="https://elsewhere.example.com/a_2.html">下一页</a>`, "", ""},
		{"https://www.example.org/a.html", `<a href="javascript:next()">下一页</a>`, "", ""},
		{"https://www.example.org/a.html", `<a href="#">下一页</a><a href="b.html">下一篇</a>`, "", ""},
	} {
		p := Page{URL: c.at, ContentType: "text/html; charset=utf-8", Body: []byte("<html><body>" + c.body)}
		if got := NextPage(p, Source{}); got != c.next {
			t.Errorf("NextPage of %s %s: %q, want %q", c.at, c.body, got, c.next)
		}
		if got := NextPart(p, Source{}); got != c.part {
			t.Errorf("NextPart of %s %s: %q, want %q", c.at, c.body, got, c.part)
		}
	}
}
