package ingest

import (
	"strings"
	"testing"
)

// TestBlindPages reads structures, in our own words, of pages that were read wrongly when a
// new sample of pages was first tried: {T} is the headline, {B} the text.
func TestBlindPages(t *testing.T) {
	t.Parallel()
	fill := strings.NewReplacer("{B}", pageText, "{T}", pageTitle)
	for _, k := range []kindOfPage{
		{name: "AccountOfAPlatform", html: `<h1>{T}</h1><div class=media><a href=/u><p class="media-name">省能源局</p></a><p class="media-meta"><span>2026-11-27 09:30</span><span>发布于某市</span><span>省能源局官方账号</span></p></div><div class="follow">+关注</div><div class=con>{B}</div>`},
		{name: "NameOfAnAccount", html: `<h2>{T}</h2><div class="head"><div class="img"><img src=/a.png></div><div class="author-name"><a href=/u>能源必读</a></div><div class="article-source"><span>发布时间：2026-11-27 09:30</span></div></div><div class=con>{B}</div>`, source: "能源必读"},
		{name: "SeveralEnglishAuthors", html: `<h1>{T}</h1><p class="Byline">By <a href=/1>Ann Example</a>, <a href=/2>Bob Sample</a> and <a href=/3>Carl Probe</a></p><div>2026-11-27 09:30 来源：省能源局</div><div class=con>{B}</div>`, author: "Ann Example、Bob Sample、Carl Probe"},
		{name: "OverlayWithAText", html: `<h1>{T}</h1>` + pageHead + `<div class=con>{B}</div><div class="site-overlay"><div class="popmake-content">` + strings.Repeat(`<p>训练计划为有志青年提供系统的课程，请在报名之前仔细阅读，并准备好全部材料。</p>`, 12) + `</div></div>`},
		{name: "PlayerAboveTheText", html: `<h1>{T}</h1>` + pageHead + `<div class=con><div class="player"><span class="control-text">Play Video</span><p>0:00</p><p>/2:54</p></div>{B}</div>`},
		{name: "ChainOfEditors", html: `<h1>{T}</h1>` + pageHead + `<div class=con>{B}<p>总监制：邹 某</p><p>监 制：高某某</p><p>审 读：崔某某</p><p>责编：黄某某 PN000</p></div>`},
		{name: "ReporterAfterTheText", html: `<h1>{T}</h1><p>发稿时间：2026-11-27 09:30:00</p><div class="TRS_Editor">{B}<p>某青报·某青网记者 魏某某 来源：省能源局</p></div>`, author: "魏某某"},
		{name: "HeadlineRepeatedWithItsColumn", html: `<div class=xx>时间：2026-11-27 09:30 来源：省能源局</div><div class=con><p>{T}(侨界传真)</p><p>本报记者 程 某</p>{B}</div>`, author: "程 某", title: pageTitle + "(侨界传真)"},
		{name: "TitleNamesTheSiteTwice", head: "某省学习服务平台-服务平台", html: `<div class="now"><a>首页</a> &gt; <a>新闻中心</a></div><div class="m_hd">{T}</div><div class="hd"><span>发布时间：2026-11-27 09:30</span><span>文章来源：省能源局</span></div><div>{B}</div>`},
		{name: "FileInAViewer", html: `<table><tr><td>{T}</td></tr><tr><td>2026-11-27 09:30 来源：省能源局</td></tr></table><div id="vsb_content"><div class="v_news_content"><iframe src="javascript:;"></iframe><ul><li><p>如果您无法在线浏览此 PDF 文件，则可以</p></li><li><p>下载免费小巧的 <a href=#>福昕(Foxit) PDF 阅读器</a>,安装后即可在线浏览 或</p></li><li><p>下载免费的 <a href=#>Adobe Reader PDF 阅读器</a>,安装后即可在线浏览 或</p></li><li><p><a href=/files/a.pdf>下载此 PDF 文件</a></p></li></ul></div></div>
			<table><tr><td><p>Copyright © 2026 某远程教育中心版权所有<br>地址：某市某区一号 招生：68465940 学籍：68463020 教学：68637883 系统：68637884</p></td></tr></table>`, files: 1, warns: true},
		{name: "TableFromAnEditor", html: `<div class="t">{T}</div><div class="i">日期：2026-11-27 09:30 来源：省能源局</div><div class="c"><div id="eWebEditor_Excel_Sheet_Div1"><table>` + repeat(8, `<tr><td>%d</td><td>某某站</td><td>某市供热中心</td><td>2019.9</td></tr>`) + `</table></div></div><div class="son"><span>核发：0 </span><span>点击数：30</span> 【<a>收藏本页</a>】</div>`, lines: 8},
		// From the second sample of pages.
		{name: "ShortTextUnderItsHeadline", head: "服务指南-某州政务服务", html: `<div class="zn"><h2>食品经营许可办理指南</h2><p>一、受理范围：本市的企业。</p><p>二、办理依据：样例条例。</p><p>三、办理时限：5个工作日。</p></div>`, title: "食品经营许可办理指南", at: "-", source: "-", lines: 3},
		{name: "RarerFamilyName", html: `<h1>{T}</h1><p class="sou">2026-11-27 09:30 来源：省能源局</p><p class="author">饶某平</p><div class=con>{B}</div>`, author: "饶某平"},
		{name: "CaptionInTheBlockOfItsPicture", html: `<h1>{T}</h1>` + pageHead + `<div class=con><table><tr><td><img src=/a.jpg></td></tr><tr><td>郭某某指挥乐团练习</td></tr></table>{B}<div class="img_wrapper"><img src=/b.jpg><span>线路分布情况</span></div></div>`},
		{name: "ScenesUnderPictures", html: `<h1>{T}</h1>` + pageHead + `<div class=con><p>第一段话说的是签约的经过和意义。</p><p><img src=/a.jpg></p><p>签约仪式现场</p>{B}</div>`, lines: pageLines + 1},
		{name: "HeadingUnderAPicture", html: `<h1>{T}</h1>` + pageHead + `<div class=con><p>第一段话说的是签约的经过和意义。</p><p><img src=/a.jpg></p><p>打造更具吸引力的营商环境</p>{B}</div>`, lines: pageLines + 2},
		{name: "OnlyLineBesideAPicture", html: `<h1>{T}</h1>` + pageHead + `<div class=con id=zoom><img src=/a.jpg><p>某省冬季清洁取暖线路图</p></div>`, lines: 1},
		{name: "WriterAndLenderOfPictures", html: `<h1>{T}</h1>` + pageHead + `<div class=con><p>某端新闻·某南商报记者马俊某/文受访者供图</p>{B}</div>`, author: "马俊某"},
		{name: "DayAndMediumBelow", html: `<h1>{T}</h1><div class=con>{B}</div><div class="lsdjre">2026-11-27 09:30 新华网</div>`, source: "新华网"},
		{name: "SourceAndAuthorAtTheEnd", html: `<h1>{T}</h1><div class=info>2026-11-27 09:30</div><div class=con>{B}<p>（本文来源：省能源局 作者：某某中心世界经济研究部部长，“一带一路”研究部部长、研究员徐占某）返回某狐，查看更多</p></div>`, author: "徐占某"},
		// From the third sample of pages.
		{name: "ColumnThatBeginsTheTitle", head: "某地取暖可以用手机交费了 老人用不了-某网取暖", title: "某地取暖可以用手机交费了 老人用不了", html: `<div class="header"><div class=city><h1>某地取暖</h1><a>[切换城市]</a></div></div><div class="crumb"><a>某网</a>&gt;<a>取暖新闻</a></div><div class="info"><h1>某地取暖可以用手机交费了 老人用不了</h1><p class="from">2026-11-27 09:30 来源：省能源局</p>{B}</div>`},
		{name: "NoTitleAtAll", head: " ", title: "冬季取暖常识问题", html: `<table><tr><td>当前位置：首页-&gt;能源技术</td></tr><tr><td>冬季取暖常识问题<br>` + strings.Repeat("取暖归因于几种热的传递，第一种是传导，第二种是对流。", 4) + `<br>` + strings.Repeat("多种热可以同时到达，它们的总效果称为合热，要加以利用。", 4) + `</td></tr></table>`, source: "-", at: "-", lines: 2},
		{name: "LastCellOfATable", html: `<h1>{T}</h1>` + pageHead + `<div class=con>{B}<table><tr><td><p>序号</p></td><td><p>名称</p></td><td><p>分数</p></td></tr><tr><td><p>1</p></td><td><p>某供热站</p></td><td><p>75.96</p></td></tr></table></div>`, lines: pageLines + 2},
		{name: "CellsThatSayScan", html: `<h1>{T}</h1>` + pageHead + `<div class=con>{B}<p>扫描项</p><p>扫描件</p><p>扫一扫</p></div>`, lines: pageLines + 2},
		{name: "MediumBesideTheTime", html: `<h1>{T}</h1><div class=audio>播报文章</div><div class="info-name">某国新闻网</div><div class="info-date">2026-11-27 09:30</div><div class=con>{B}</div>`, source: "某国新闻网"},
		{name: "RestBehindALogin", html: `<h1>{T}</h1>` + pageHead + `<div class=con id=zoom>{B}<p>您已阅读 30%，登录后查看全文</p></div>`, warns: true},
	} {
		k.head, k.html = fill.Replace(k.head), fill.Replace(k.html)
		if k.lines == 0 && k.files == 0 {
			k.lines = pageLines
		}
		t.Run(k.name, k.check)
	}
}
