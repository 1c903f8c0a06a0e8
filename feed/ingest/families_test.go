package ingest

import (
	"strings"
	"testing"
)

// families are the structures of real article pages of news, government and think-tank
// sites, in our own words: {T} is the headline, {B} the text. Each was read wrongly when it
// was first tried.
var families = []kindOfPage{
	{name: "Portal163", head: "{T}_某网财经", html: `<script>var o={"content":"//temp.example.com/special/00804KVA/instant_content_of_a_long_name_cb.js"};</script><div class="post_content_main"><h1>{T}</h1>
		<div class="post_time_source">2026-11-27 09:30:00 来源: <a id="ne_article_source" href=#>省能源局</a> <a class="jubao" href=#>举报</a></div><div class="post_topshare"><a>易信</a><a>微信</a></div>
		<div class="post_body"><div class="post_text" id="endText">{B}<div class="ep-source"><span class="left">本文来源：省能源局</span> <span class="ep-editor">责任编辑：李四_NF01</span></div></div></div></div>
		<div class="tie-area"><p>抽烟的人[某省某市网友]：这个政策好，希望早日落实到每个村庄，谢谢。</p><a>顶3</a></div>`, author: "-"},
	{name: "PortalIfeng", head: "{T}_某网资讯_某网", html: `<div class="theLogo" data-param="%7B%0D%0A%20%22content%22%3A%22%7D"></div><div id="artical"><h1 id="artical_topic">{T}</h1><div id="artical_sth"><p class="p_time"><span>2026年11月27日 09:30:00</span><br>来源：<span><a>省能源局</a></span></p><p>1032人参与</p></div>
		<div id="main_content">{B}</div><div class="zebian">[责任编辑：某某 PK152]</div></div><div>推荐99</div><div><h3>为您推荐</h3><ul><li><a href=/1>别处发生的一件很长的新闻标题</a></li></ul></div>`},
	{name: "OpinionWithComments", head: "{T}", html: `<div class="content"><div><ul><li class="left left-main"><h3>{T}</h3><div class="share">分享到：</div><div>9 23</div><div class="time fix"><span>2026-11-27 09:30:53</span> <span>字号：<a>A-</a> <a>A</a> <a>A+</a></span> <span>来源：省能源局</span></div>
		<div class="article-txt">{B}</div><div class="key-word"><span>标签</span> <a href=/k>能源</a></div><div>原标题：{T}（续）</div><div>责任编辑: 李四</div></li></ul></div>
		<div class="comment-list"><ul>` + strings.Repeat(`<li><div>某网友</div><div class="comment-txt">你的观点很极端，本身这块就做得不错，有什么不可以承认的。</div><div><a>查看回复 2</a> <a>举报</a></div></li>`, 40) + `</ul></div></div>`},
	{name: "SinaNews", head: "{T}|能源|取暖_某浪新闻", html: `<div class="top-bar-title">{T}</div><h1 class="main-title">{T}</h1><div class="top-bar-wrap"><div class="date-source"><span class="date">2026年11月27日 09:30</span> <a class="source" href=#>省能源局</a></div><div class="page-tools"><span>缩小字体</span><span>放大字体</span><span>收藏</span></div></div>
		<div class="article-content clearfix"><div class="article-content-left"><div class="article" id="article">{B}</div><p class="show_author">责任编辑：李四</p><div class="keywords">关键字 : <a href=/k>能源</a></div></div>
		<div class="article-content-right"><h2>热门排行</h2>` + repeat(10, `<div><span>0%d</span> <a href=/%d>某地居民：取暖费到底该怎么收，物业说法不一</a> 22,592</div>`) + `</div></div>`},
	{name: "PeopleDaily", head: "{T}--文化--某民网", html: `<div class="path"><a href=/>某民网</a>&gt;&gt;<a href=/c>文化</a></div><div class="text_title"><h1>{T}</h1><div class="box01"><div class="fl">2026年11月27日09:30&nbsp;&nbsp;来源：<a href=#>省能源局</a></div><div class="fr">分享到：</div></div></div>
		<div class="box_con" id="rwb_zw">{B}</div><div class="zdfy"><a>【1】</a><a>【2】</a></div><div class="edit">(责编：李四、王五)</div>`},
	{name: "GazetteOfSeveralLines", head: "某省人民政府{T}__2026年第3号公报_某政府网", html: `<div class="BreadcrumbNav"><a>首页</a> &gt; <a>公报</a> &gt; 2026年第3号</div><div>字号：<a>默认</a> <a>大</a> <a>超大</a> | <a>打印</a></div><div class="article"><p align=center><b>某省人民政府</b></p><p align=center><b>关于做好冬季清洁取暖</b></p><p align=center><b>工作的通知</b></p>` + pageHead +
		`<div class="pages_content">{B}</div></div><div class="ewm">扫一扫在手机打开当前页</div><div class="related"><h2>相关稿件</h2></div>`, title: "某省人民政府" + pageTitle},
	{name: "JcmsGovernment", head: "某省发展和改革委员会 工作动态 {T}", html: `<div class="hd"><a href=/>某省发展和改革委员会</a></div><table><tr><td class="title">{T}</td></tr><tr><td>发布日期：2026-11-27 09:30&nbsp;&nbsp;浏览次数：<script>doc()</script>&nbsp;&nbsp;信息来源：省能源局</td></tr><tr><td id="zoom">{B}</td></tr><tr><td><a>打印</a> <a>关闭</a></td></tr></table>`},
	{name: "TRSGovernment", head: "{T} - 某省人民政府门户网站", html: `<div class="dqwz"><a>要闻</a> &gt; <a>某省要闻</a></div><div class="article-body"><h1>{T}</h1><h2>副标题说的是另一件事情</h2><ul class="article-infos"><li>时间：2026-11-27 09:30</li><li>来源：<span>省能源局</span></li><li><a>打印</a></li><li>字体：<a>放大</a> <a>正常</a> <a>缩小</a></li></ul>
		<div class="TRS_Editor">{B}</div><div class="qrcode">扫一扫在手机打开当前页面</div></div>`},
	{name: "FontsInBrackets", head: "{T}_某工程官方网站", html: `<div class="wz"><a>首页</a> &gt; <a>新闻中心</a></div><div class="infotext"><h1>{T}</h1><div class="info"><span>发布日期: 2026-11-27 09:30</span><span>信息来源: 省能源局</span><span>字号: [大] [中] [小] [打印]</span></div><div id="con_con">{B}<p>（责任编辑：系统管理员）</p></div></div>`},
	{name: "PaperNews", head: "{T}_10%公司_某湃新闻-The Paper", html: `<div class="bread"><a>首页</a> &gt; <a>10%公司</a></div><div class="newscontent"><h1 class="news_title">{T}</h1><div class="news_about"><p>2026-11-27 09:30 <span>来源：省能源局</span></p><p>字号</p></div><div class="news_fontsize"><ul><li>超大</li><li>大</li><li>标准</li></ul></div><div class="news_txt">{B}</div>
		<div class="news_editor">责任编辑：李四</div><div class="news_copyright">某闻报料：4009-20-4009 某闻，未经授权不得转载</div></div><div id="mcomments"><div class="comment_que">` + strings.Repeat(`<p>说得有道理，希望能够坚持下去，支持。</p>`, 20) + `</div></div>`},
	{name: "XinhuaNews", head: "{T}-某华网", html: `<div class="header"><div class="h-title">{T}</div><div class="h-info"><span class="h-time">2026-11-27 09:30:40</span> 来源： <em id="source">省能源局</em></div></div><div class="share"><a>微信</a><a>评论</a><a>图集</a></div><div id="p-detail">{B}<div class="zan">+1</div><div class="tiyi">【纠错】</div><div class="p-jc">责任编辑： 李四</div></div>`},
	{name: "GluedFinance", head: "{T}_某券时报网", html: `<div class="website">您所在的位置： <a>首页</a> &gt; <a>快讯</a></div><div class="xiangxi"><div class="intal_tit"><h2>{T}</h2><div class="info">2026-11-27 09:30<span>来源：省能源局</span><span>作者：张明</span></div></div><div class="txt_con">{B}<div class="share">分享：</div><div class="om"><p>声明：某报力求信息真实、准确，文章提及内容仅供参考。</p></div></div></div>
		<div><h3>为你推荐</h3>` + repeat(8, `<dl><dt><a href=/%d>金融委定调鼓励境外资金进入境内金融市场</a></dt><dd>假期前，金融委召开会议，部署了一系列重点工作。</dd><dd>2026-09-0%d</dd></dl>`) + `</div>`, author: "张明"},
	{name: "FinanceWithDisclaimer", head: "{T}-股票频道-某讯网", html: `<div class="crumbs"><a>某讯网</a> &gt; <a>股票</a> &gt; 正文</div><div class="layout"><h1>{T}</h1><div class="tip"><span class="pr20">2026-11-27 09:30:28</span><a class="source" href=#>省能源局</a></div><div class="art_contextBox">{B}<p>（责任编辑： HN666）</p></div></div><div class="commentBox"><p>写评论，已有0条评论，请遵守跟帖用户自律公约，文明上网。</p></div><div class="showDebug"><p>【免责声明】本文仅代表作者本人观点，与本网站无关。</p></div>`},
	{name: "SpansOfNames", head: "{T}", html: `<div class="content-a" id="article"><h1 class="a-title"><strong>{T}</strong></h1><div class="a-info"><span class="time">2026-11-27 09:30</span><span class="source"><a>省能源局</a></span><span class="tag"></span></div><div class="a-con">{B}</div><div class="a-edit">责编：李四</div><div>阅读数(15878)</div></div>`},
	{name: "ChatArticle", head: "{T}", html: `<div id="js_article"><h2 class="rich_media_title" id="activity-name">{T}</h2><div class="rich_media_meta_list"><span class="meta_nickname"><a>省能源局</a></span><em id="publish_time">2026-11-27 09:30</em></div><div class="rich_media_content" id="js_content"><section><section>{B}</section></section></div><div class="rich_media_tool"><span>阅读</span><span>在看</span></div></div>`},
	{name: "NewsAgency", head: "{T} -某新网", html: `<div id="nav"><a>首页</a> → <a>理论新闻</a></div><div class="content"><h1>{T}</h1><div class="left-t">2026年11月27日 09:30　来源：省能源局<a class="video" href=#>参与互动</a></div><div class="left_zw">{B}</div><div class="left_name">【编辑:李四】</div><p class="add">更多内容请进入<a href=/l>理论频道</a></p></div>`},
	{name: "UniversityBars", head: "{T}-纪检", html: `<div class="ll"><h3>■ 纪检监察</h3></div><div class="news"><h2 align=center>{T}</h2><div>来源:省能源局 | 发布时间: 2026-11-27 09:30 | 浏览次数: 2168</div><div class="cont">{B}</div></div><div>主办单位：某大学监察室 版权所有</div>`},
	{name: "SocietyWithColumnTitle", head: "新闻动态--某学会官网", html: `<div class="wz"><a href=/>首页</a> - <a href=/n>新闻动态</a></div><div class="xx"><h3>{T}</h3><div class="rq">发布时间：2026-11-27 09:30 来源：省能源局</div><div class="nr">{B}</div><p>上一篇：<a href=/p>关于另一次会议的通知</a></p></div>`},
	{name: "DateBelow", head: "{T} 东区办事处_某山网", html: `<table><tr><td><strong>{T}</strong></td></tr><tr><td>来源于：省能源局</td></tr><tr><td class="zw">{B}</td></tr><tr><td>发布日期：2026-11-27 09:30 责任编辑：李四</td></tr><tr><td>【<a>打印本页</a>】【<a>关闭窗口</a>】</td></tr></table>`},
	{name: "BlogPost", head: "{T}-某某传媒", html: `<div class="here"><a>首页</a> &gt; <a>时政新闻</a> &gt; <a>{T}</a></div><div class="post single"><h2 class="post-title">{T}</h2><h6 class="post-footer"><a class="post-date">2026-11-27 09:30</a> <span class="source">省能源局</span> 1665</h6><div class="post-body"><p style="display:none">原标题：看不见的一行</p>{B}</div></div><div class="tags">标签列表 <a>巴中 (0)</a></div>`},
	{name: "MetaTime", head: "{T}_财经_某讯网", html: `<h1>{T}</h1><div class="year">2026</div><div class="md">11/27</div><div class="qq_conent"><div class="content-article">{B}<p>免责声明：本文来自自媒体，不代表本网的观点和立场。</p></div></div><div>评论37</div>`, source: "-", at: "-"},
	{name: "DeviceNews", head: "{T}-能源,取暖 ——某科技(旗下媒体)", html: `<div class="news_bt" id="thread_subject">{T}</div><div class="news_bt1"><span>2026-11-27 09:30:14</span> 出处：<a>省能源局</a> 作者：张明 编辑：李四 人气： 5380 次 <a>评论(18)</a></div><div class="share_box"><a>QQ好友</a><a>微博</a><a>微信好友</a><a>QQ空间</a><a>复制链接</a></div><div class="news_info">{B}<p>责任编辑：李四</p></div><div>文章价值打分</div>`, author: "张明"},
	{name: "FundNews", head: "{T}", html: `<div class="zxwz"><h1>{T}</h1><p class="t">2026年11月27日 09:30 来源：省能源局</p><div class="zw"><div>{B}</div><p>【上一篇】 <a href=/1>财政部又发消息</a> 【下一篇】 <a href=/2>假期攻略</a></p></div></div><div><h3>推荐阅读</h3>` + repeat(8, `<p>%d小时前 <a href=/%d>三大股指集体回调，看机构解读后市机会</a></p>`) + `</div>`},
	{name: "CityNews", head: "{T}_首页城事_新闻中心_某江网", html: `<div class="pos">您的当前位置：<a>新闻中心</a> &gt; <a>城事</a></div><div class="leftcon"><h1>{T}</h1><div class="info">2026-11-27 09:30 来源: 省能源局</div><div class="fs">调整字体</div><div class="contents">{B}<p>【编辑：李四】</p></div></div><div>扫二维码上移动网</div>`},
	{name: "RegisterTable", head: "政务公开信息内容页", html: `<table class="xxgk"><tr><td>索 引 号</td><td>A-16-02-010</td><td>信息分类</td><td></td></tr><tr><td>发布机构</td><td>某市能源局</td><td>公开日期</td><td>2026-11-27 09:30</td></tr><tr><td>信息名称</td><td>{T}</td><td>文号</td><td></td></tr></table><div class="view TRS_UEDITOR">{B}</div><div>[ <a>打印</a> | <a>关闭</a> ]</div>`, source: "-"},
	{name: "HospitalNews", head: "{T} 某研究院", html: `<div class="pos">位置：<a>首页</a> &gt; <a>新闻动态</a></div><h2 class="nt">{T}</h2><div class="nd">来源：省能源局 作者：张明</div><div class="nd">时间：2026年11月27日 09:30 浏览： 33</div><div class="nc">{B}</div>`, author: "张明"},
	{name: "PaperPage", head: "样例日报数字报", html: `<table><tr><td class="px12">2026年11月27日</td><td class="px12">第03版：要闻</td></tr><tr><td>标题导航</td></tr><tr><td><a href=/1>{T}</a></td></tr><tr><td class="px12">2026年11月27日 <a>放大</a> <a>缩小</a></td></tr><tr><td class="font01">{T}</td></tr><tr><td class="font02">全省打造新样板</td></tr><tr><td><div id="ozoom">{B}</div></td></tr></table>`, source: "-", at: "2026-11-27"},
	{name: "HeadAboveTheHeadline", head: "{T}-某明网", html: `<div class="text"><div class="lai"><span>某省日报</span> <b>2026年11月27日 星期五</b> <a>大</a><a>中</a><a>小</a></div><h3>另一行说的是别的事</h3><h1>{T}</h1><div id="articleContent">{B}</div></div>`, source: "某省日报", at: "2026-11-27"},
	{name: "CreditsAtTheEnd", head: "{T}_某易财经", html: `<h1>{T}</h1><div class="tm">2026-11-27 09:30:00</div><div class="end-text">{B}<div class="ep">本文来源：省能源局 作者：何样 张样样</div></div><div class="mod">关键词阅读：<a href=/k>能源</a></div>`, author: "何样、张样样"},
	{name: "LinksBeforeTheEditor", head: "{T}_某讯网", html: `<div id="ArticleTit">{T}</div><div id="ArtFrom">http://ent.sample.example 2026年11月27日 09:30 <a href=/y>某讯能源</a></div><div id="Cnt">{B}<table><tr><td><a href=/s>搜索取暖</a>-<a href=/i>首页</a></td></tr><tr><td><a href=/9>与取暖关系最密切的九个人(图解)</a></td></tr></table><p>[责任编辑：李四]</p></div>`, source: "某讯能源"},
	{name: "SpeakerInTheHeadline", head: "周样安：{T} - 爱样想", title: "周样安：" + pageTitle, html: `<h3>周样安：{T}</h3><div class="info">本文共阅读 <span>5211</span> 次 更新时间：2026-11-27 09:30</div><div class="about">● <strong><a href=/z>周样安</a></strong> (<a href=/z>进入专栏</a>)</div><div class="article">{B}</div>`, author: "周样安", source: "-"},
	{name: "Prompts", head: "{T} | 某央社", html: `<h1>{T}</h1><div class="updatetime">2026-11-27 09:30（11/27 22:08 更新）</div><div class="paragraph"><div>請同意我們的隱私權規範，才能啟用聽新聞的功能。</div>{B}<div>請同意我們的隱私權規範，才能啟用聽新聞的功能。</div><p>本網站之文字、圖片及影音，非經授權，不得轉載、公開播送或公開傳輸及利用。</p></div>`, source: "-"},
}

// TestFamilies reads one page of each family of systems.
func TestFamilies(t *testing.T) {
	t.Parallel()
	fill := strings.NewReplacer("{B}", pageText, "{T}", pageTitle)
	for _, k := range families {
		k.head, k.html, k.lines = fill.Replace(k.head), fill.Replace(k.html), pageLines
		t.Run(k.name, k.check)
	}
}
