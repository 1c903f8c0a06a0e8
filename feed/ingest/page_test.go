package ingest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dibao/feed/ingest/textblock"
	"dibao/policy"
)

type listRow struct{ Date, Title, URL string }

func listRows(items []Item) []listRow {
	var all []listRow
	for _, it := range items {
		all = append(all, listRow{it.Evidence.ListDate, it.Title, it.URL})
	}
	return all
}

func TestListOfPage(t *testing.T) {
	t.Parallel()
	items, err := pageReader{}.Read(Page{URL: "http://site.test/wj/", Body: read(t, "testdata", "list.gb2312.html")}, Source{Name: "青溪", Issuer: "青溪市人民政府"})
	if err != nil {
		t.Fatal(err)
	}
	want := []listRow{
		{"2023-05-16", "青溪市人民政府办公室关于印发养老服务设施建设补助办法的通知", "http://site.test/wj/202305/t20230516_101.html"},
		{"2023-05-12", "关于公开征求《青溪市湿地保护办法（征求意见稿）》意见的公告", "http://site.test/wj/202305/t20230512_100.html"},
		{"2023-04-28", "青溪市民政局解读养老服务设施建设补助政策 —— 朱镕镕", "http://site.test/wj/202304/t20230428_97.html"},
	}
	if diff := cmp.Diff(want, listRows(items)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	for _, it := range items {
		if e := it.Evidence; !it.NeedsPage || e.Issuer != "青溪市人民政府" || e.ListTitle != it.Title || e.URL != it.URL {
			t.Errorf("got %+v", it)
		}
	}
}

func TestListLayouts(t *testing.T) {
	t.Parallel()
	one, two := listRow{"2023-05-16", "关于印发某某办法的通知", "http://site.test/1.html"}, listRow{"2023-05-12", "关于某某工作的公告", "http://site.test/2.html"}
	tests := []struct {
		name, html string
		set        Settings
		want       []listRow
	}{
		{"Table", `<table><tr><th>标题信息名称</th><th>日期</th></tr><tr><td><a href=/1.html>关于印发某某办法的通知</a></td><td>2023-05-16</td></tr><tr><td><a href=/2.html>关于某某工作的公告</a></td><td>2023-05-12</td></tr></table>`, Settings{}, []listRow{one, two}},
		{"DayAboveMonth", `<div class=r><div class=d><b>16</b><i>2023-05</i></div><a href=/1.html>关于印发某某办法的通知</a></div><div class=r><div class=d><b>12</b><i>2023-05</i></div><a href=/2.html>关于某某工作的公告</a></div>`, Settings{}, []listRow{one, two}},
		{"DateInLink", `<p><a href=/1.html>关于印发某某办法的通知 2023-05-16</a></p><p><a href=/2.html>关于某某工作的公告 2023-05-12</a></p>`, Settings{}, []listRow{one, two}},
		{"Chinese", `<ul><li><a href=/1.html>关于印发某某办法的通知</a>（2023年5月16日）</li><li><a href=/2.html>关于某某工作的公告</a>（2023年5月12日）</li></ul>`, Settings{}, []listRow{one, two}},
		{"WithoutYear", `<ul><li><a href=/1.html>关于印发某某办法的通知</a>[05-16]</li><li><a href=/2.html>关于某某工作的公告</a>[05-12]</li></ul>`, Settings{}, []listRow{one, two}},
		{"SameArticleTwice", `<ul><li><a href=/1.html>关于印发某某办法的通知</a> 2023-05-16</li><li><a href=https://site.test/1.html#x>关于印发某某办法的通知</a> 2023-05-16</li><li><a href=/2.html>关于某某工作的公告</a> 2023-05-12</li></ul>`, Settings{}, []listRow{one, two}},
		{"Selectors", `<ul><li><a href=/>首页</a></li><li><a href=/c>栏目</a><a class=t href=/1.html>关于印发某某办法的通知</a><em>发布 2023/5/16</em></li></ul>`,
			Settings{Item: "ul li", Link: "a.t", Date: "em", DatePattern: `\d{4}/\d+/\d+`}, []listRow{one}},
		{"WideSelector", `<ul><li><a href=/x>首页频道</a></li></ul><ul><li><a href=/1.html>关于印发某某办法的通知</a><span>2023-05-16</span></li></ul>`,
			Settings{Item: "ul li", Date: "span"}, []listRow{one}},
		{"TitleSelector", `<div class=i><a href=/1.html><h3>关于印发某某办法的通知</h3><p>摘要文字摘要文字</p><time>2023.05.16</time></a></div>`,
			Settings{Item: ".i", Title: "h3", Date: "time"}, []listRow{one}},
		{"NoList", `<p>站点维护中</p>`, Settings{}, nil},
		{"ScriptLinks", `<ul><li><a href="javascript:f()">关于印发某某办法的通知</a> 2023-05-16</li><li><a href="#">关于某某工作的公告</a> 2023-05-12</li></ul>`, Settings{Item: "li", Link: "a[href^=javascript]"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			items, err := pageReader{}.Read(Page{URL: "http://site.test/", Body: []byte(tt.html), FetchedAt: time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC)}, Source{Settings: tt.set})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, listRows(items)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for _, set := range []Settings{{Item: "li["}, {Link: "a:("}, {Title: ">>"}, {Date: "["}, {DatePattern: "("}} {
		if _, err := (pageReader{}).Read(Page{URL: "http://site.test/", Body: []byte("<ul><li>")}, Source{Settings: set}); err == nil || !strings.Contains(err.Error(), "of the source") {
			t.Errorf("%+v: got %v", set, err)
		}
	}
	if _, err := ReadArticle(Page{URL: "http://site.test/", Body: []byte("<p>x")}, Source{Settings: Settings{Content: "["}}, Item{}); err == nil {
		t.Error("a bad content selector passed")
	}
}

func TestArticleOfPage(t *testing.T) {
	t.Parallel()
	const address = "http://site.test/wj/202305/t20230516_101.html"
	listed := Item{GUID: "g", URL: address, Title: "青溪市人民政府办公室关于印发养老服务设施…", NeedsPage: true, Evidence: policy.Evidence{ListDate: "2023-05-16"}}
	it, err := ReadArticle(Page{URL: address, Body: read(t, "testdata", "article.gb2312.html")}, Source{Name: "青溪"}, listed)
	if err != nil {
		t.Fatal(err)
	}
	const title = "青溪市人民政府办公室关于印发养老服务设施建设补助办法的通知"
	want := policy.Evidence{
		URL: address, Title: title, SiteName: "青溪", ListDate: "2023-05-16",
		Meta: []policy.Pair{{Name: "SiteName", Content: "青溪市人民政府"}, {Name: "PubDate", Content: "2023-05-16 09:30"}},
		Labels: []policy.Label{
			{Element: "table.info", Name: "索引号", Value: "QX/2023-0042"}, {Element: "table.info", Name: "发文字号", Value: "青政办发〔2023〕12号"},
			{Element: "div.mark", Name: "发布时间", Value: "2023-05-16"}, {Element: "div.mark", Name: "来源", Value: "市政府办公室"},
		},
		Paragraphs: []string{
			title, "各乡镇人民政府，市政府各部门：", "《青溪市养老服务设施建设补助办法》已经市政府同意，现印发给你们，请认真组织实施。",
			"联系人：朱镕镕 电话 000-0000", "类别 补助", "新建 每床一万元", "2023年5月12日", "附件：申请表.docx",
		},
	}
	if diff := cmp.Diff(want, it.Evidence); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	files := []Attachment{{
		URL: "http://site.test/wj/202305/P020230516.docx", Title: "申请表.docx",
		Type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	}}
	if diff := cmp.Diff(files, it.Attachments); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
	if it.NeedsPage || it.GUID != "g" || strings.Contains(it.HTML, "style") || !strings.Contains(it.HTML, `<a href="http://site.test/wj/202305/P020230516.docx">`) {
		t.Errorf("got %+v", it)
	}
}

func TestArticleLayouts(t *testing.T) {
	t.Parallel()
	first := "第一段说明本办法的目的和依据，以及适用的范围和对象，共计五十个字以上，这样才像一篇文章的正文，而不是别的什么东西。"
	second := "第二段规定各部门的职责和分工。"
	text := []string{first, second}
	tests := []struct {
		name, html, content string
		want                []string
	}{
		{"LineBreaks", `<div id=zoom>` + first + `<br><br>　　` + second + `</div>`, "", text},
		{"BareText", `<div id=zoom>` + first + `<div>` + second + `</div></div>`, "", text},
		{"Entities", `<div id=zoom><p>&emsp;&emsp;` + first + `</p><p>&nbsp;</p><p>&ensp;` + second + `</p></div>`, "", text},
		{"LayoutTable", `<div id=zoom><table><tr><td><p>` + first + `</p><p>` + second + `</p></td></tr></table></div>`, "", text},
		{"OwnSelector", `<div id=zoom>` + strings.Repeat("别的内容", 20) + `</div><div class=b><p>` + first + `<p>` + second + `</div>`, ".b", text},
		{"Wrapper", `<div class=content><div class=nav><a href=/>首页首页首页首页</a></div><div class=x><p>` + first + first + first + first + `</p><p>` + second + `</p></div><div class=f>版权所有</div></div>`, "", []string{first + first + first + first, second}},
		{"Unclosed", `<div id=zoom><p>` + first + `<p>` + second, "", text},
		{"NoFiles", `<div class=x><p>` + first + `</p><p>` + second + `</p><div class=files>附件：</div></div>`, "", text},
		{"List", `<div id=zoom><h2>标题</h2><p>` + first + `<ol><li>` + second + `</ol></div>`, "", []string{"标题", first, second}},
		{"Script", `<div id=zoom><script>var a="` + second + `"</script><style>p{}</style><p>` + first + `<!--` + second + `--></p></div>`, "", []string{first}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			page := `<html><head><title>某某办法_某某网</title></head><body><div class=menu><a href=/>首页</a></div>` + tt.html + `<div class=footer>主办单位</div></body></html>`
			it, err := ReadArticle(Page{URL: "http://site.test/a.html", Body: []byte(page)}, Source{Settings: Settings{Content: tt.content}}, Item{URL: "http://site.test/a.html"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, it.Evidence.Paragraphs); diff != "" {
				t.Errorf("paragraphs (-want +got):\n%s", diff)
			}
			if got := textblock.OfMarkup(it.HTML); tt.name != "LayoutTable" && !slices.Equal(got, tt.want) {
				t.Errorf("markup %q", it.HTML)
			}
			if it.Evidence.Title != "某某办法" && it.Evidence.Title != "标题" {
				t.Errorf("title %q", it.Evidence.Title)
			}
		})
	}
}

// TestFooterIsNoText checks that the imprint of a site does not count as the text if the
// article consists only of files.
func TestFooterIsNoText(t *testing.T) {
	t.Parallel()
	page := `<title>关于征求样例标准意见的函 - 样例信息网</title><div class=m><h1>关于征求样例标准意见的函</h1><p>附件：<a href=1.doc>样例标准.doc</a></p></div>
		<div class=b><p>版权所有：样例部样例检定所</p><p>网站管理：样例检定所信息处 备案序号：京ICP备05008494号</p><p>地址：样例市样例区样例店22号 邮编：100125 电话：010-59194018</p><p>网站保留所有权，未经许可不得复制，镜像</p></div>`
	it, err := ReadArticle(Page{URL: "http://site.test/a.html", Body: []byte(page)}, Source{}, Item{})
	if err != nil || len(it.Attachments) != 1 || strings.Contains(strings.Join(it.Evidence.Paragraphs, ""), "网站") {
		t.Errorf("%d files, %q, %v", len(it.Attachments), it.Evidence.Paragraphs, err)
	}
}

func TestHeadline(t *testing.T) {
	t.Parallel()
	body := `<div id=zoom>` + strings.Repeat("正文内容", 20) + `</div>`
	tests := []struct{ name, html, listed, want string }{
		{"AgreesWithTitle", `<title>关于某事的通知_某某网</title><h1>某某网</h1><div class=tit>关于某事的通知</div>`, "", "关于某事的通知"},
		{"TitleWasCut", `<title>某某市人民政府关于某某事项的…_某某网</title><h2>某某市人民政府关于某某事项的通知</h2>`, "", "某某市人民政府关于某某事项的通知"},
		{"TitleIsTheSite", `<title>某某网</title><h1>关于某事的通知</h1>`, "", "关于某事的通知"},
		{"ListKnows", `<title>某某网</title><h1>欢迎访问我们</h1><h2>关于某事的通知</h2>`, "关于某事的通知", "关于某事的通知"},
		{"MetaKnows", `<title>某某网</title><meta name=ArticleTitle content="关于某事的通知"><h1>欢迎访问我们</h1><h2>关于某事的通知</h2>`, "", "关于某事的通知"},
		{"NoElement", `<title>关于某事的通知 - 政策文件 - 某某网</title>`, "", "关于某事的通知"},
		{"ControlsBelow", `<title>某某交易信息网</title><h1>关于某某采购政策的通知</h1><p class="info"><b>【信息发布时间：2019-11-28 阅读次数：】【<a href="javascript:print()">我要打印</a>】</b></p>`, "", "关于某某采购政策的通知"},
		{"HeadingOfAPart", `<title>样例彩票“双球”第2020131期公告_往期_某某网</title><h2>样例彩票双球第2020131期全国公告</h2><table><tr><th>日期</th><td>2020-12-24</td></tr></table><h3>本期中奖情况</h3>`, "", "样例彩票双球第2020131期全国公告"},
		{"Welcome", `<title>样例市某某区胜利实验小学</title><p>样例市某某区胜利实验小学欢迎您！</p><div class=head>详情信息</div><div class=tit>我校学生参加省样例竞赛</div><div class=t>[发布时间2020年11月30日]</div>`, "", "我校学生参加省样例竞赛"},
		{"TwoLines", `<title>某市 关于某事的通知</title><h1>某市<br>关于某事的通知</h1>`, "", "某市关于某事的通知"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			it, err := ReadArticle(Page{URL: "http://site.test/a.html", Body: []byte(tt.html + body)}, Source{}, Item{Title: tt.listed})
			if err != nil || it.Evidence.Title != tt.want {
				t.Errorf("got %q, %v, want %q", it.Evidence.Title, err, tt.want)
			}
		})
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, html string
		want       []policy.Label
	}{
		{"OneLine", `<div class=info>时间:2023-05-16　来源:新华社 作者：张三</div>`, []policy.Label{{Element: "div.info", Name: "时间", Value: "2023-05-16"}, {Element: "div.info", Name: "来源", Value: "新华社"}, {Element: "div.info", Name: "作者", Value: "张三"}}},
		{"Spans", `<p id=m><span>来源：</span><span>民政局</span><span>日期：2023-05-16 08:30</span></p>`, []policy.Label{{Element: "p#m", Name: "来源", Value: "民政局"}, {Element: "p#m", Name: "日期", Value: "2023-05-16 08:30"}}},
		{"Sizes", `<div class=m>来源：民政局 字号：[大][中][小] 打印</div>`, []policy.Label{{Element: "div.m", Name: "来源", Value: "民政局"}}},
		{"BareDate", `<div class=m><i id=d>2023年05月16日 09:15</i> 民政局</div>`, []policy.Label{{Element: "i#d", Value: "2023年05月16日 09:15"}, {Element: "div.m", Name: "来源", Value: "民政局"}}},
		{"Rows", `<ul class=x><li>索引号：A-1</li><li>发布日期：2023-05-16</li><li><a href=/b.html>关于别的事项的通知发布时间：2020-01-01</a></li></ul>`, []policy.Label{{Element: "ul.x", Name: "索引号", Value: "A-1"}, {Element: "ul.x", Name: "发布日期", Value: "2023-05-16"}}},
		{"CellsWithoutColons", `<table class=t><tr><th>公文编号</th><td>样政发〔2024〕3号</td><th>索 引 号</th><td>A-1</td></tr><tr><th>日期</th><td>标题</td></tr></table>`, []policy.Label{{Element: "table.t", Name: "公文编号", Value: "样政发〔2024〕3号"}, {Element: "table.t", Name: "索引号", Value: "A-1"}}},
		{"AfterTheText", `<div id=zoom>` + strings.Repeat("正文内容", 20) + `</div><p>发布日期：2023-05-16 责任编辑：李四</p>`, []policy.Label{{Element: "body", Name: "发布日期", Value: "2023-05-16"}, {Element: "body", Name: "责任编辑", Value: "李四"}}},
		{"HeadsOverValues", `<table class=t><tr><td>来源</td><td>发布日期</td></tr><tr><td>民政局</td><td>2023-05-16</td></tr></table>`, []policy.Label{{Element: "table.t", Name: "来源", Value: "民政局"}, {Element: "table.t", Name: "发布日期", Value: "2023-05-16"}}},
		{"NumberWithoutColon", `<table class=t><tr><td>索引号</td><td>A-16</td><td>文 号</td><td>样政发〔2023〕30号</td></tr><tr><td>名称</td><td>样例</td></tr></table>`, []policy.Label{{Element: "table.t", Name: "索引号", Value: "A-16"}, {Element: "table.t", Name: "文号", Value: "样政发〔2023〕30号"}}},
		{"EmptyCell", `<table class=t><tr><td>来源：</td><td>2023-05-16</td></tr><tr><td>作者：</td><td>文号：</td></tr></table>`, []policy.Label{{Element: "table.t", Name: "来源"}, {Element: "table.t", Value: "2023-05-16"}, {Element: "table.t", Name: "作者"}, {Element: "table.t", Name: "文号"}}},
		{"Definitions", `<dl class=d><dt>来源</dt><dd>民政局</dd><dt>发布时间</dt><dd>2023-05-16</dd></dl>`, []policy.Label{{Element: "dl.d", Name: "来源", Value: "民政局"}, {Element: "dl.d", Name: "发布时间", Value: "2023-05-16"}}},
		{"NotSeen", `<script>发布时间：2020-01-01</script><!--发布时间：2020-01-01--><div style="display: none">发布时间：2020-01-01</div><div class=footer>时间：2020-01-01</div>`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			page := `<title>关于某事的通知</title><div>时钟 2024-01-01</div><h1>关于某事的通知</h1>` + tt.html + `<div id=zoom>` + strings.Repeat("正文内容", 20) + `</div><div class=foot><p>发布时间：2001-01-01</p></div>`
			it, err := ReadArticle(Page{URL: "http://site.test/a.html", Body: []byte(page)}, Source{}, Item{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, it.Evidence.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHugePages reads pages that are built to be slow: if one takes quadratic time, it does
// not end before the time limit of the test binary.
func TestHugePages(t *testing.T) {
	for name, page := range map[string]string{
		"Deep":       strings.Repeat(`<div class=content>`, 100000),
		"DeepWide":   strings.Repeat(`<div class=content>`, 400) + strings.Repeat(`<p>正文<a href=/x>链接链接链接</a> 2023-01-01</p>`, 5000),
		"Rows":       strings.Repeat(`<ul><li><a href=/x>链接链接链接</a> 2023-01-01</li></ul>`, 40000),
		"Empty":      strings.Repeat(`<div class=content>`, 400) + strings.Repeat(`<i></i>`, 200000),
		"Titles":     `<title>` + strings.Repeat("某", 100000) + `</title>` + strings.Repeat(`<h2>某某某某</h2>`, 20000),
		"Attributes": `<div ` + strings.Repeat(`a b=c `, 100000) + `>`,
		"Unclosed":   strings.Repeat(`<table><tr><td><a href=x><b>`, 50000),
	} {
		t.Run(name, func(t *testing.T) {
			p := Page{URL: "http://site.test/", Body: []byte(page)}
			items, listErr := pageReader{}.Read(p, Source{})
			_, articleErr := ReadArticle(p, Source{}, Item{})
			t.Logf("%d KB: list %d items, %v; article %v", len(page)>>10, len(items), listErr, articleErr)
		})
	}
}
