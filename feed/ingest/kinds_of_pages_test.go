package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dibao/policy"
)

// The text, headline and header line of the pages below.
const (
	pageTitle = "关于做好冬季清洁取暖工作的通知"
	pageHead  = `<div class="info"><span>发布时间：2026-11-27 09:30</span><span>来源：省能源局</span></div>`
	pageFoot  = `<div class="footer">版权所有 某省人民政府 网站标识码：3300000001</div>`
	pageText  = `<p>各市人民政府，省政府直属各单位：</p><p>现将有关事项通知如下，请结合实际认真贯彻执行。</p><p>一、总体要求。统筹发展和安全，推动各项任务落地见效。</p><p>二、主要任务。完善政策体系，加大资金投入，确保取得实效。</p><p>某省人民政府办公厅</p><p>2026年11月20日</p>`
	pageLines = 6
)

// kindOfPage is one kind of article page with its facts: title, time and source are as
// above unless stated; "-" is none.
type kindOfPage struct {
	name, head, html  string // head is the page's title; "" means the headline with the site's name
	title, at, source string
	author            string
	lines, files      int
	warns, fails      bool
	now               time.Time
}

func (k kindOfPage) check(t *testing.T) {
	t.Helper()
	head := k.head
	if head == "" {
		head = pageTitle + "_某省能源局"
	}
	page := fmt.Sprintf(`<!DOCTYPE html><html><head><meta charset="utf-8"><title>%s</title></head><body>%s%s</body></html>`, head, k.html, pageFoot)
	it, err := ReadArticle(Page{URL: "https://www.example.gov.cn/a/1.html", Body: []byte(page), FetchedAt: k.now}, Source{}, Item{})
	if err != nil || k.fails {
		if (err != nil) != k.fails {
			t.Errorf("error %v, want one: %t; text %q", err, k.fails, it.Evidence.Paragraphs)
		}
		return
	}
	f := policy.Understand(it.Evidence)
	at := f.PublishedOn.String()
	if !f.PublishedAt.IsZero() {
		at = f.PublishedAt.Format(time.RFC3339)
	}
	for _, x := range [][3]string{{"title", f.Title, either(k.title, pageTitle)}, {"source", f.Credit, either(k.source, "省能源局")}, {"author", f.Author, either(k.author, "-")}} {
		if want := strings.TrimPrefix(x[2], "-"); x[1] != want {
			t.Errorf("%s %q, want %q", x[0], x[1], want)
		}
	}
	if want := strings.TrimPrefix(either(k.at, "2026-11-27T09:30"), "-"); !strings.HasPrefix(at, want) || want == "" && at != "" {
		t.Errorf("published %q, want %q", at, want)
	}
	if len(f.Paragraphs) != k.lines || len(it.Attachments) != k.files {
		t.Errorf("%d lines %q and %d files %v, want %d and %d", len(f.Paragraphs), f.Paragraphs, len(it.Attachments), it.Attachments, k.lines, k.files)
	}
	if k.warns && len(it.Warnings) == 0 {
		t.Error("no warning")
	}
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// repeat returns rows with their number.
func repeat(n int, format string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(format, "%d", fmt.Sprint(i+1)))
	}
	return b.String()
}

// TestHeadlines finds the headline wherever a page has it, and removes the names of site
// and column from the page's title if there is no headline.
func TestHeadlines(t *testing.T) {
	t.Parallel()
	body := pageHead + `<div class="con">` + pageText + `</div>`
	h1 := `<h1>` + pageTitle + `</h1>`
	for _, k := range []kindOfPage{
		{name: "LogoIsH1", head: pageTitle + "-某省能源局", html: `<h1><a href="/">某省能源局</a></h1><h2 class="lm">通知公告</h2><div class="article_title">` + pageTitle + `</div>` + body},
		{name: "SiteBeforeTitle", head: "某省能源局 - " + pageTitle, html: `<div class=bt>` + pageTitle + `</div>` + body},
		{name: "TitleIsTheColumn", head: "通知公告_某省能源局", html: `<h3>` + pageTitle + `</h3>` + body},
		{name: "TitleIsTheSite", head: "某省能源局", html: `<div class="title">` + pageTitle + `</div>` + body},
		{name: "LargeText", head: "某省能源局", html: `<div style="text-align:center;font-size:24px">` + pageTitle + `</div>` + body},
		{name: "LargeFont", head: pageTitle + ">>通知公告>>某省能源局", html: `<p align=center><font size=5><b>` + pageTitle + `</b></font></p>` + body},
		{name: "SeveralLines", head: "某省人民政府办公厅" + pageTitle + "_某省政府", html: `<h1>某省人民政府办公厅<br>关于做好冬季<br>清洁取暖工作的通知</h1>` + body, title: "某省人民政府办公厅" + pageTitle},
		{name: "CutInTheTitle", head: "关于做好冬季清洁取暖...-某省能源局", html: h1 + body},
		{name: "OnlyTitleDash", head: pageTitle + "-某省能源局", html: body},
		{name: "OnlyTitleLongDash", head: pageTitle + "—某省能源局", html: body},
		{name: "OnlyTitleShortDash", head: pageTitle + "–某省人民政府门户网站", html: body},
		{name: "OnlyTitleDot", head: pageTitle + "·某省能源局", html: body},
		{name: "OnlyTitleBar", head: pageTitle + "|某省能源局", html: body},
		{name: "HeadlineInTheContainer", html: `<div class="con"><div class=path>首页 > 通知</div>` + h1 + pageHead + pageText + `</div>`},
	} {
		k.lines = pageLines
		t.Run(k.name, k.check)
	}
}

// TestBodies reads the text of a page and nothing around it.
func TestBodies(t *testing.T) {
	t.Parallel()
	head := `<h1>` + pageTitle + `</h1>` + pageHead
	said := "<b>网友%d</b><p>支持这项政策，希望尽快落实到位，让老百姓得到实惠。</p><a href=#>回复</a>"
	for _, k := range []kindOfPage{
		{name: "CommentsByName", html: `<div class="content">` + pageText + `<div class="comment-list">` + repeat(60, `<div>`+said+`</div>`) + `</div></div>`, lines: pageLines},
		{name: "CommentsByHeading", html: `<div class="content">` + pageText + `<h3>网友评论</h3><ul>` + repeat(40, `<li>`+said+`</li>`) + `</ul></div>`, lines: pageLines},
		{name: "Related", html: `<div class="content">` + pageText + `<div>相关报道</div><ul>` + repeat(8, `<li><a href="/%d.html">国家能源局：清洁取暖工作有序推进第%d批</a> 2026-11-0%d</li>`) + `</ul><p>上一篇：<a href=/a>关于某某事项的公告</a></p><p>扫一扫在手机打开当前页</p><p>责任编辑：张三</p></div>`, lines: pageLines},
		{name: "Controls", html: `<div class="view">字体：【<a>大</a> <a>中</a> <a>小</a>】 <a>打印</a> <a>关闭</a><div class=bdsharebuttonbox>分享到：<a>微信</a><a>微博</a></div>` + pageText + `</div>`, lines: pageLines},
		{name: "PopUpInAScript", html: `<div class="xl">` + pageText + `</div><script>layer.open({content:"<div>您访问的链接即将离开本网站，是否继续访问该链接？如继续请点击确定，放弃请点击取消。请注意保护个人隐私。</div>"})</script>`, lines: pageLines},
		{name: "TextArea", html: `<textarea style="display:none">` + strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(pageText) + `</textarea>`, lines: pageLines},
		{name: "Script", html: `<div id="app"></div><script>var d={"id":1,"content":"` + pageText + `"};</script>`, lines: pageLines},
		{name: "Object", html: `<div class=TRS_Editor><object data="/a/b.pdf" type="application/pdf"></object></div>`, files: 1, warns: true},
		{name: "Viewer", html: `<div class=con><iframe src="/pdfjs/web/viewer.html?file=%2Fa%2Fb.pdf"></iframe></div>`, files: 1, warns: true},
		{name: "Pictures", html: `<div class=con><p><img src=/1.jpg></p><p><img src=/2.jpg></p></div>`, warns: true},
		{name: "Frame", html: `<div><iframe src="body_1.html"></iframe></div>`, warns: true},
		{name: "NoText", html: `<div class=TRS_Editor></div>`, warns: true},
		{name: "OneSentence", html: `<div class=neirong><p>详见附件。</p><p><a href=/a.pdf>附件.pdf</a></p></div>`, lines: 2, files: 1},
		{name: "Table", html: `<div class=TRS_Editor><p>现将有关事项通知如下，请结合实际认真贯彻执行。</p><p>各地要加强组织领导，明确责任分工，及时报告。</p><table><tr><th>序号</th><th>单位</th></tr><tr><td>1</td><td>甲市</td></tr></table></div>`, lines: 4},
		{name: "List", html: `<div class=TRS_Editor><p>现将有关事项通知如下，请结合实际认真贯彻执行。各地要加强组织领导，明确责任分工，及时报告。</p><ul><li>甲市能源局</li><li>乙市能源局</li></ul></div>`, lines: 3},
		{name: "LinkOfAScript", html: `<div class=TRS_Editor>` + pageText + `<p><a href="javascript:void(0)" onclick="download('/a/b.docx')">附件下载</a></p></div>`, lines: pageLines + 1, files: 1},
		{name: "NameInTheQuery", html: `<div class=TRS_Editor>` + pageText + `<p>附件：<a href="/downfile.jsp?id=0&filename=abc.doc">实施方案</a></p></div>`, lines: pageLines + 1, files: 1},
		{name: "FileList", html: `<div class=TRS_Editor>` + pageText + `</div><ul class="filelist"><li><a href="/a.xls">任务表</a></li><li><a href="/b.zip">材料</a></li></ul>`, lines: pageLines, files: 2},
		{name: "HeadedFiles", html: `<div class=TRS_Editor>` + pageText + `</div><div><span>附件：</span><a href="/a.pdf">1.任务表</a><br><a href="/b.pdf">2.指标</a></div><div class=side><h4>资料下载</h4><a href="/x.pdf">办事指南下载</a></div>`, lines: pageLines, files: 2},
	} {
		k.html = head + k.html
		t.Run(k.name, k.check)
	}
}

// TestHeaderLines reads labels in the forms in which sites print them.
func TestHeaderLines(t *testing.T) {
	t.Parallel()
	for _, k := range []kindOfPage{
		{name: "Definitions", html: `<dl><dt>来源：</dt><dd>省能源局</dd><dt>发布时间：</dt><dd>2026-11-27 09:30</dd></dl>`},
		{name: "HeadCells", html: `<table><tr><th>来源</th><td>省能源局</td><th>发布时间</th><td>2026-11-27 09:30</td></tr></table>`},
		{name: "HeadRow", html: `<table><tr><td>索引号</td><td>来源</td><td>发布时间</td></tr><tr><td>2026-02-00018</td><td>省能源局</td><td>2026-11-27 09:30</td></tr></table>`},
		{name: "Reversed", html: `<div>浏览次数：33 发布时间：2026-11-27 09:30 作者： 来源：省能源局</div>`},
		{name: "Icons", html: `<div class=info><i class="icon-time"></i>2026-11-27 09:30<i class="icon-source"></i>省能源局<i class="icon-eye"></i>333</div>`},
		{name: "NamedElements", html: `<div class=info><span class="time">2026-11-27 09:30</span><span class="source">省能源局</span></div>`},
		{name: "English", html: `<div>Source: Xinhua | Published: 2026-11-27 09:30 | Author: Zhang Ming | Editor: Li</div>`, source: "Xinhua", author: "Zhang Ming"},
		{name: "EnglishByline", html: `<div>By LI LEI | Sample Daily | Updated: 2026-11-27 09:30</div>`, source: "-", author: "LI LEI"},
		{name: "AllEmptyButOne", html: `<div><span>来源：</span><span>作者：</span><span>发布时间：2026-11-27 09:30</span></div>`, source: "-"},
		{name: "EmptyBeforeADate", html: `<table><tr><td>文章来源：<span></span></td><td>2026-11-27 09:30:03</td></tr></table>`, source: "-"},
		{name: "EmptyBeforeALabel", html: `<table><tr><td>作者：</td><td>来源：省能源局</td><td>发布时间：2026-11-27 09:30</td></tr></table>`},
		{name: "DatesByLabel", html: `<div>索引号：2026-02-00018 成文日期：2026-11-01 有效期至：2028-01-01 征集时间：2026-10-01至2026-10-31 发布日期：2026-11-27 来源：省能源局</div>`, at: "2026-11-27"},
		{name: "Brackets", html: `<div>【来源：省能源局】【发布时间：2026-11-27 09:30】【字体：大 中 小】</div>`},
		{name: "WideSpaces", html: `<div>来源：省能源局　　发布时间：2026-11-27 09:30　　作者：王　晔</div>`, author: "王 晔"},
		{name: "Glued", html: `<div>发布时间：2026-11-27 09:30来源：省能源局作者：张明责任编辑：李四</div>`, author: "张明"},
		{name: "ADateIsNoSource", html: `<div>来源：2026-11-27 09:30</div>`, source: "-"},
		{name: "MediumAfterADate", html: `<div>2026-11-27 09:30 某省日报</div>`, source: "某省日报"},
	} {
		k.html, k.lines = `<h1>`+pageTitle+`</h1>`+k.html+`<div class=TRS_Editor>`+pageText+`</div>`, pageLines
		t.Run(k.name, k.check)
	}
	after := kindOfPage{html: `<h1>` + pageTitle + `</h1><div class=TRS_Editor>` + pageText + `</div><div>来源：省能源局 发布时间：2026-11-27 09:30</div>`, lines: pageLines}
	t.Run("AfterTheText", after.check)
}

// A line between the headline and the text that contains only a document number is its number,
// and not the headline.
func TestNumberLines(t *testing.T) {
	t.Parallel()
	for _, line := range []string{`<p class=wh>浙某发〔2026〕88号</p>`, `<p>（浙某发〔2026〕88号）</p><div>来源：省能源局 2026-11-27</div>`, `<h2>浙某发[2026]88号</h2>`} {
		page := `<title>某省能源局</title><div class=main><h1>` + pageTitle + `</h1>` + line + `<div id=zoom>` + pageText + `</div></div>`
		it, err := ReadArticle(Page{URL: "https://www.example.gov.cn/1.html", Body: []byte(page)}, Source{}, Item{})
		if err != nil {
			t.Fatal(err)
		}
		if f := policy.Understand(it.Evidence); f.DocumentNumber != "浙某发〔2026〕88号" || it.Evidence.Title != pageTitle {
			t.Errorf("%s: number %q, title %q", line, f.DocumentNumber, it.Evidence.Title)
		}
	}
}

// TestErrorPages checks that a system message with status 200 is not read as an article.
func TestErrorPages(t *testing.T) {
	t.Parallel()
	for _, k := range []kindOfPage{
		{name: "Shell", head: "某省能源局", html: `<div id=app></div><script src=/js/app.js></script>`},
		{name: "NotFound", head: "404 Not Found", html: `<center><h1>404 Not Found</h1></center><hr><center>nginx</center>`},
		{name: "Deleted", head: "某省能源局", html: `<div class=nav><a>首页</a><a>新闻</a></div><div class=err><h2>抱歉，您访问的页面已被删除或不存在</h2><p>3秒后自动返回首页</p></div>`},
		{name: "NotApproved", head: "提示信息", html: `<div>您要查看的信息不存在或者还未通过审批！</div><a href=/>返回</a>`},
		{name: "StackTrace", head: "HTTP Status 500", html: "<h1>HTTP Status 500 - Internal Server Error</h1><pre>java.lang.NullPointerException\n\tat com.cms.Show.doGet(Show.java:33)\n\tat javax.servlet.http.HttpServlet.service(HttpServlet.java:635)\n</pre>"},
		{name: "ServerError", head: "运行时错误", html: `<h1>“/”应用程序中的服务器错误。</h1><h2>运行时错误</h2><p>说明: 服务器上出现应用程序错误。此应用程序的当前自定义错误设置禁止远程查看错误的详细信息。</p>`},
		{name: "FatalError", head: "show", html: `<b>Fatal error</b>: Uncaught Error: Call to undefined function query() in /www/show.php:12 thrown in <b>/www/show.php</b> on line <b>12</b>`},
		{name: "Loading", head: "某省能源局", html: `<div id=app><div class=loading>正在加载，请稍候…</div></div><script src=/js/app.js></script>`},
		{name: "EmptyTemplate", head: "某县政府信息公开", html: `<div class=nav><a>首页</a><a>政务公开</a></div><div class=ar><h1></h1><div>发布时间： 来源： 作者：</div><div class=v_news_content></div></div>`},
		{name: "List", head: "财政新闻", html: `<div class=main><h2>财政新闻</h2><ul>` + repeat(8, `<li><a href="/%d.htm">财政部下达农业生产防灾救灾资金第%d批</a><span>2026-08-0%d</span></li>`) + `</ul><div>主办：某部 承办：某部信息中心 地址：长安路18号 邮编：100018</div></div>`},
	} {
		k.fails = true
		t.Run(k.name, k.check)
	}
	notice := kindOfPage{head: "关于部分网页失效情况的公告_某省能源局", title: "关于部分网页失效情况的公告", lines: 1,
		html: `<h1>关于部分网页失效情况的公告</h1>` + pageHead + `<div class=TRS_Editor><p>因系统升级，部分网页不存在或无法访问，预计于12月1日前恢复，敬请谅解。</p></div>`}
	t.Run("ANoticeOfIt", notice.check)
}

// A list's title stays if the page has a different heading, and the item has a warning.
func TestListTitleStays(t *testing.T) {
	t.Parallel()
	page := `<title>某省能源局</title><h1>本站升级公告</h1>` + pageHead + `<div class=TRS_Editor>` + pageText + `</div>`
	it, err := ReadArticle(Page{URL: "https://www.example.gov.cn/1.html", Body: []byte(page)}, Source{}, Item{Title: pageTitle, Evidence: policy.Evidence{ListTitle: pageTitle}})
	if err != nil || it.Evidence.Title != pageTitle || len(it.Warnings) != 1 || it.Warnings[0].Params[0] != "本站升级公告" {
		t.Errorf("%q, %q, %v", it.Evidence.Title, it.Warnings, err)
	}
}

// A JSON response is read as the page that a program would render from it.
func TestArticleInJSON(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"Markup": `{"code":0,"data":{"id":7,"title":"` + pageTitle + `","publishTime":"2026-11-27 09:30:00","source":"省能源局","content":"` + pageText + `"}}`,
		"Plain":  `{"result":[{"DOC_TITLE":"` + pageTitle + `","PUB_DATE":"2026-11-27 09:30","LY":"省能源局","txt":"各市人民政府：\n现将有关事项通知如下，请结合实际认真贯彻执行。\n一、总体要求。统筹发展和安全，推动各项任务落地见效。"}]}`,
	} {
		p := Page{URL: "https://www.example.gov.cn/api/7", Body: []byte(body)}
		it, err := ReadArticle(p, Source{}, Item{})
		f := policy.Understand(it.Evidence)
		if err != nil || f.Title != pageTitle || f.Credit != "省能源局" || f.PublishedOn.String() != "2026-11-27" || len(f.Paragraphs) < 3 || IsText(p) {
			t.Errorf("%s: %q %q %s %q, %v", name, f.Title, f.Credit, f.PublishedOn, f.Paragraphs, err)
		}
	}
}
