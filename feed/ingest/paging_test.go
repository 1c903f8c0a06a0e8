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

// Pagers of the kinds that lists have, on a first page and on a later one.
func TestPagers(t *testing.T) {
	t.Parallel()
	const first, third = "https://www.example.gov.cn/zc/index.html", "https://www.example.gov.cn/zc/index_2.html"
	for _, c := range []struct{ name, at, body, next, pager string }{
		{"single quotes", first, `<script>createPageHTML('30','0','index','shtml')</script>`, "/zc/index_1.shtml", "createPageHTML"},
		{"an element first, counted from 1", first, `<script>createPageHTML("page_div",50,1,"index","htm",984);</script>`, "/zc/index_2.htm", "createPageHTML"},
		{"counted from 0, later", third, `<script>createPageHTML(30, 2, "index", "html");</script>`, "/zc/index_3.html", "createPageHTML"},
		{"createPage", first, `<script>createPage(31,0,"index","html")</script>`, "/zc/index_1.html", "createPageHTML"},
		{"the last page", third, `<script>createPageHTML(3, 2, "index", "html");</script>`, "", ""},
		{"countPage", first, "<script>var currentPage = 0;//从0开始\n var countPage = 31//共多少页\n</script>", "/zc/index_1.html", "countPage"},
		{"numbers", first, `<div><b>1</b> <a href="index_1.html">2</a> <a href="index_2.html">3</a></div>`, "/zc/index_1.html", "page numbers"},
		{"numbers, the first a link to the file of this folder", "https://www.example.gov.cn/zc/", `<div><a href="index.html">1</a><a href="index_1.html">2</a></div>`, "/zc/index_1.html", "page numbers"},
		{"numbers in li", third, `<ul><li><a href="index.html">1</a></li><li><a href="index_1.html">2</a></li><li class="active"><a href="index_2.html">3</a></li><li><a href="index_3.html">4</a></li></ul>`, "/zc/index_3.html", "page numbers"},
		{"a sign", first, `<a href="index_1.html">›</a><a href="index_9.html">»</a>`, "/zc/index_1.html", ">"},
		{"a menu", first, `<select onchange="go(this)"><option value="index.html" selected>1</option><option value="index_1.html">2</option></select>`, "/zc/index_1.html", "select"},
		{"an image", first, `<a href="index_1.html"><img src="n.gif" alt="下一页"></a>`, "/zc/index_1.html", "title 下一页"},
		{"a script with the address", first, `<a href="javascript:;" onclick="go('/zc/index_1.html')">下页</a>`, "/zc/index_1.html", "下一页"},
		{"encoded", first, `<div id="pages">JTNDYStocmVmJTNEJTIyaW5kZXhfMS5odG1sJTIyJTNFJUU0JUI4JThCJUU0JUI4JTgwJUU5JUExJUI1JTNDJTJGYSUzRQ==</div>`, "/zc/index_1.html", "下一页"},
		{"a script", first, `<a href="javascript:toPage(2)">下一页</a>`, "", "not understood: 下一页 by toPage(2)"},
		{"a function with an address", first, `<a onclick="jump('2')">下一页</a><script>function jump(no){if(no==1){location.href="index.html"}else{window.location.href = "index_" + (no - 1) + ".html";}}</script>`, "/zc/index_1.html", "下一页"},
		{"a function with a variable", first, `<a href="javascript:void(0)" onclick="turn(2)">下一页</a><script>var base='list.jsp?id=7&p='; var turn = function (p) { location.replace(base + p) }</script>`, "/zc/list.jsp?id=7&p=2", "下一页"},
		{"a form by GET", first, `<form name="f" action="list.do"><input type="hidden" name="col" value="9"><input name="pageNo" value="1"><input type="button" value="下一页" onclick="_gotoPage('2');"></form><script>function _gotoPage(n){var t=document.f; $("input[name=pageNo]").val(n); t.submit();}</script>`, "/zc/list.do?col=9&pageNo=2", "下一页"},
		{"a form by POST", first, `<table><form name="f" method="post" action=""><input type="hidden" name="cur"><input type="hidden" name="col" value="1"></form><tr><td><b>1</b><a href="Javascript:goTo(2)">2</a><a href="Javascript:goTo(3)">3</a></td></tr></table><script>function goTo(n){document.f.cur.value = n; document.f.submit();}</script>`, "", "dibao does not follow it, because it posts a form: 2 by goTo(2)"},
		{"a function that is not here", first, `<input type="button" value="下一页" onclick="_gotoPage('2');">`, "", "not understood: 下一页 by _gotoPage('2');"},
		{"Pager", first, `<script>Pager({size:3, current:0, prefix:'index',suffix:'html',visible:5});</script>`, "/zc/index_1.html", "Pager"},
		{"Pager on the last page", third, `<script>Pager({size:3, current:2, prefix:'index',suffix:'html'});</script>`, "", ""},
		{"countPage on the last page", third, `<script>var currentPage = 2; var countPage = 3;</script>`, "", ""},
		{"more", first, `<a href="javascript:;">加载更多</a>`, "", "not understood: 加载更多"},
		{"space before the arguments", first, "<script>createPageHTML (30, 0,\n'index', 'html')</script>", "/zc/index_1.html", "createPageHTML"},
		{"several variables at once", first, `<script>let countPage='7', currentPage='0';</script>`, "/zc/index_1.html", "countPage"},
		{"a link element", first, `<link rel="next" href="index_1.html">`, "/zc/index_1.html", "rel=next"},
		{"a plug-in that counts from 1", first, `<script>$("#p").createPage({pageCount:16,current:1,backFn:function(p){location.href='index_'+(p-1)+'.html'}})</script>`, "/zc/index_1.html", "script"},
		{"a plug-in that counts from 0", first, `<script>$("#page").pagination({pageIndex:pageIndex, pageSize: 15, total: 169}); $("#page").on("pageClicked", function (event, data) { if(data.pageIndex==0){ window.location.href="/zc/list.html"; }else{ window.location.href="/zc/"+(data.pageIndex+1)+".html"; } })</script>`, "/zc/2.html", "script"},
		{"a plug-in with one page", first, `<script>$("#page").pagination({pageIndex:pageIndex, pageSize: 15, total: 12}); $("#page").on("pageClicked", function (event, data) { window.location.href="/zc/"+(data.pageIndex+1)+".html"; })</script>`, "", ""},
		{"another language", first, `<a href="?page=1">Page suivante</a>`, "/zc/index.html?page=1", "下一页"},
		{"so many pages", first, `<span>共 31 页</span>`, "", "not understood: 共 31 页"},
		{"a date is not a pager", first, `<span>(2026/11/27)</span>`, "", ""},
	} {
		p := Page{URL: c.at, ContentType: "text/html; charset=utf-8", Body: []byte("<html><body>" + c.body)}
		doc, err := parseList(p, "")
		if err != nil {
			t.Fatal(err)
		}
		found := pagerOf(doc, p)
		next, pager := found.Next, found.String()
		if c.next != "" {
			c.next = "https://www.example.gov.cn" + c.next
		}
		if next != c.next || pager != c.pager {
			t.Errorf("%s: %q by %q, want %q by %q", c.name, next, pager, c.next, c.pager)
		}
	}
}
