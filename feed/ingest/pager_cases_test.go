package ingest

import (
	"fmt"
	"strings"
	"testing"
)

// TestOwnPagers follows pagers of many systems, and reports those that only a browser can follow; "?"
// stands for these, "form" for POST forms. Links that are not pagers are not reported.
func TestOwnPagers(t *testing.T) {
	t.Parallel()
	var rows strings.Builder
	for i := range 9 {
		fmt.Fprintf(&rows, `<li><a href="./t2026112%d_%d.html">关于做好第%d批清洁取暖工作的通知</a><span>2026-11-2%d</span></li>`, 9-i, i, i, 9-i)
	}
	for _, c := range []struct{ name, markup, next string }{
		{"laypage", `<div id="page"></div><script>layui.use("laypage",function(){laypage.render({elem:"page",count:120,limit:20,curr:1,jump:function(obj,first){if(!first){location.href="?page="+obj.curr;}}})})</script>`, "https://www.pager.example/zwgk/wj/index.html?page=2"},
		{"laypage-noloc", `<div id="page"></div><script>laypage.render({elem:"page",count:120,limit:20,jump:function(obj){load(obj.curr)}})</script>`, "?"},
		{"wp-older", `<div class="nav-links"><div class="nav-previous"><a href="/page/2/">« 较早文章</a></div></div>`, "https://www.pager.example/page/2/"},
		{"discuz", `<div class="pg"><strong>1</strong><a href="forum-9-2.html">2</a><a href="forum-9-2.html" class="nxt">下一页</a></div>`, "https://www.pager.example/zwgk/wj/forum-9-2.html"},
		{"icon-next", `<div class="pages"><a class="page-next" href="index_1.html"><i class="icon-right"></i></a></div>`, "https://www.pager.example/zwgk/wj/index_1.html"},
		{"trs-extra", `<script>createPageHTML('page_div',10, 0,'index','shtml',200);</script>`, "https://www.pager.example/zwgk/wj/index_1.shtml"},
		{"trs-dq-str", `<script>createPage("10","0","index","html")</script>`, "https://www.pager.example/zwgk/wj/index_1.html"},
		{"template-url", `<div id="p"></div><script>new Pager({el:"#p",total:100,pageSize:20,current:1,url:"list_{page}.html"})</script>`, "https://www.pager.example/zwgk/wj/list_2.html"},
		{"input-button", `<input type="button" value="下一页" onclick="location.href='list_2.html'">`, "https://www.pager.example/zwgk/wj/list_2.html"},
		{"span-onclick", `<span class="pn" onclick="window.location.href='index_2.html'">下一页</span>`, "https://www.pager.example/zwgk/wj/index_2.html"},
		{"data-page", `<a data-page="2" href="javascript:;">下一页</a>`, "?"},
		{"postback", `<a href="javascript:__doPostBack('ctl00$P','2')">下一页</a>`, "form"},
		{"postback-numbers", `<table><tr><td><span>1</span></td><td><a href="javascript:__doPostBack('GridView1','Page$2')">2</a></td></tr></table>`, "form"},
		{"postback-options", `<a href='javascript:WebForm_DoPostBackWithOptions(new WebForm_PostBackOptions("lb", "", true, "", "", false, true))'>下一页</a>`, "form"},
		{"submit", `<form method="post"><input type="submit" name="btnNext" value="下一页"></form>`, "form"},
		{"submit-picture", `<form method="post"><input type="image" name="btnNext" alt="下一页" src="n.gif"></form>`, "form"},
		{"form-post", `<a href="#" onclick="turnPage(2);return false;">下一页</a><form method="post"></form>`, "?"},
		{"numbers-q", `<div class="pager"><b>1</b> <a href="?p=2">2</a> <a href="?p=3">3</a></div>`, "https://www.pager.example/zwgk/wj/index.html?p=2"},
		{"total-json", `<script>var pageInfo={"totalPage":10,"currentPage":1};drawPager(pageInfo)</script>`, "?"},
		{"gongN", `<div>共12页 第1页 <a href="javascript:void(0)">下一页</a></div>`, "?"},
		{"jpage", `<div class="default_pgPanel"><a class="default_pgBtn default_pgNext" href="javascript:void(0)" title="下页"></a>共<span class="default_pgTotalPage">33</span>页</div>`, "?"},
		{"zh-arrow", `<div class="page"><a href="index.html">1</a><a href="index_2.html">2</a><a href="index_2.html">＞</a></div>`, "https://www.pager.example/zwgk/wj/index_2.html"},
		{"li-next-span", `<ul class="pagination"><li class="active"><span>1</span></li><li><a href="list-2.html">2</a></li><li class="next"><a href="list-2.html"><span>&raquo;</span></a></li></ul>`, "https://www.pager.example/zwgk/wj/list-2.html"},
		{"last-page", `<div>共1页 首页 上一页 下一页 尾页</div>`, ""},
		{"no-pager", ``, ""},
		{"single-trs", `<script>createPageHTML(1, 0,"index","html");</script>`, ""},
		{"more-link", `<a href="/zwgk/">更多</a>`, ""},
		{"href-hash-next", `<div class="slide"><a href="#next" class="next">&nbsp;</a></div>`, ""},
		{"article-next", `<p>下一篇：<a href="/a/1.html">关于某事的公告</a></p>`, ""},
		{"jump-fn-base", `<script>function go(p){location.href="index_"+p+".html"}</script><a href="javascript:go(2)">下一页</a>`, "https://www.pager.example/zwgk/wj/index_2.html"},
		{"encoded-jhtml", `<a href="#" onclick="location.href=encodeURI('index_2.jhtml');">下一页</a>`, "https://www.pager.example/zwgk/wj/index_2.jhtml"},
		{"written-vars", `<div class="page"><script>function draw(){var currentPage=0;var nextPage=currentPage+1;var countPage=25//共多少页
			document.write("<a class=\"home\" href=\"#\">首页</a>");if(currentPage!=countPage-1)document.write("<a class=\"end\" href=\"index"+"_"+nextPage+"."+"html\">></a>")}draw()</script></div>`, "https://www.pager.example/zwgk/wj/index_1.html"},
		{"onclick-a-num", `<a href="javascript:gotopage('/zwgk/wj/index_2.html')">下一页</a>`, "https://www.pager.example/zwgk/wj/index_2.html"},
		{"vue-el", `<div class="el-pagination"><button class="btn-next"><i></i></button><ul class="el-pager"><li class="number active">1</li><li class="number">2</li></ul></div>`, "?"},
	} {
		page := `<html><body><ul><li><a href="/">首页</a></li></ul><ul class="l">` + rows.String() + `</ul>` + c.markup + `</body></html>`
		l, err := ReadList(Page{URL: "https://www.pager.example/zwgk/wj/index.html", ContentType: "text/html; charset=utf-8", Body: []byte(page), FetchedAt: casesAt}, Source{})
		if err != nil {
			t.Fatal(err)
		}
		if c.next == "form" && l.Next == "" && l.Pager.Form && strings.HasPrefix(l.Pager.String(), "dibao does not follow it") && strings.Contains(l.Pager.Say(true), "表单") {
			continue
		}
		if c.next == "?" && l.Next == "" && l.Pager.Seen != "" || c.next == l.Next && (c.next != "" || l.Pager.Seen == "") {
			continue
		}
		t.Errorf("%s: %q, %q; want %q", c.name, l.Next, l.Pager, c.next)
	}
}
