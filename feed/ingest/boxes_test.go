package ingest

import (
	"strings"
	"testing"
)

// longText are three paragraphs of a report.
const longText = `<p>近日，某省召开会议，研究部署冬季清洁取暖工作，要求各地统筹推进，确保群众温暖过冬。</p><p>会议强调，要完善政策体系，加大资金投入，把各项措施落到实处，不留空白。</p><p>会议要求，各地要加强组织领导，明确责任分工，及时报告进展情况。</p>`

// boxedPages have unrelated content within or below their text, or a register above it, in
// the structures of real sites: {T} is the headline, {B} the text.
var boxedPages = []kindOfPage{
	{name: "BoxOfHeadedLinks", head: "{T}_某易新闻", html: `<h1>{T}</h1><div class="post_time_source">2026-11-27 09:30:00 来源: <a href=#>省能源局</a></div><div class="post_text" id="endText">{B}<div class="special_tag_wrap"><div class="special_tag"><div class="special_tag_ttl">延伸 · 推荐</div><div><p><a href="/n/2.html">各地取暖费标准公布</a></p><p>近日，多地公布本季取暖费标准，较上年持平，居民可按面积缴纳。</p></div></div></div>` +
		`<pre title="推荐"><p><a href="/n/2.html">各地取暖费标准公布</a></p><p>近日，多地公布本季取暖费标准，较上年持平，居民可按面积缴纳。</p></pre></div>`},
	{name: "BoxWithinTheText", head: "{T}_某新闻", html: `<h1>{T}</h1>` + pageHead + `<div class="txt"><p>各市人民政府，省政府直属各单位：</p><p>现将有关事项通知如下，请结合实际认真贯彻执行。</p><div><h4>推荐阅读</h4><p><a href="/n/3.html">去年各地怎样过冬</a></p></div><p>一、总体要求。统筹发展和安全，推动各项任务落地见效。</p><p>二、主要任务。完善政策体系，加大资金投入，确保取得实效。</p><p>某省人民政府办公厅</p><p>2026年11月20日</p></div>`},
	{name: "TableOfLinksAbove", head: "{T}-某狐财经", html: `<table><tr><td class=title>{T}</td></tr><tr><td>2026-11-27 09:30 来源：省能源局</td></tr><tr><td id=fontzoom><table width=562><tr><td><b><a href="/l">理财</a>：</b><a href="/1">为什么有人富了而有人不行</a></td><td><a href="/2">银行还款是怎么算出来的</a></td></tr><tr><td><b><a href="/g">股票</a>：</b><a href="/3">某板块一周走势回顾与展望</a></td><td><a href="/4">托起的千点能走多远</a></td></tr></table>{B}</td></tr></table>`},
	{name: "LinksAbove", head: "{T}_某浪科技", html: `<h1 id="artibodyTitle">{T}</h1><div class="info">2026年11月27日 09:30 <a href=#>省能源局</a></div><div id="artibody"><div class="quote"><p>新酷产品第一时间免费试玩，还有众多优质达人分享独到经验，快来某浪众测，下载<a href="/app">客户端</a>还能获得专享福利哦！</p></div><div class="artical-player-wrap"><div>自动播放 <span>某发布会回放</span></div></div><p>相关新闻：</p><p><a href="/s/1">直播2026年取暖工作会议(原声)</a></p><p><a href="/s/2">取暖工作会议：谈进展 话民生</a></p>{B}</div>`},
	{name: "VideoAbove", head: "{T}_某浪新闻", html: `<h1 class="main-title">{T}</h1><div class="date-source"><span>2026年11月27日 09:30</span> <span class="source">省能源局</span></div><div class="article" id="article"><div class="video-2017"><div class="play-video-area"><a href="javascript:;"><img src="/v.jpg"></a></div><div class="video-player"><a href="/v">视频-局长谈清洁取暖 鞠躬致谢群众</a></div></div>{B}</div>`},
	{name: "WholeArticlesBelow", head: "{T}_某资讯", html: `<div class="main"><h1>{T}</h1>` + pageHead + `<div class="article-body">{B}<p>以上内容（包括图片及视频）为创作者平台用户上传并发布，本平台仅提供信息存储服务。</p></div></div><div class="detail-recommend-wrapper"><h1><span>某位歌手在春晚一炮而红，如今怎样了</span></h1><div><a href="/z">某某姨太</a><time>2026-06-01 00:48</time></div>` + repeat(12, `<p>如果说传唱度最高的歌曲，这第%d首绝对算得上是家喻户晓，那就是某某湾的外婆，很多人都会唱。</p>`) + `</div>`},
	{name: "SecondHeadline", head: "{T}_某资讯", html: `<div class="p"><h1>{T}</h1>` + pageHead + `{B}<h1>某位歌手在春晚一炮而红，如今怎样了</h1><div>2026-06-01 00:48</div><p>如果说传唱度最高的歌曲，这一首绝对算得上是家喻户晓。</p></div>`},
	{name: "StreamOfCards", head: "{T}_某网", html: `<div class="k1"><h1>{T}</h1>` + pageHead + `{B}</div><div class="k2">` + repeat(12, `<div class="k3"><a href="/n/%d"><img src="/%d.jpg"></a><div><a href="/n/%d">某地第%d次推进会透露出哪些新信号</a></div><div>记者从会上获悉，全年目标任务进展顺利，各项指标好于预期，下一步将继续加大力度。</div><span>某某晚报</span></div>`) + `</div>`},
	{name: "ProgramOfTheEditor", head: "{T} - 某日报客户端", html: `<div class="title">{T}</div><div class="source">省能源局 2026-11-27 09:30</div><div class="content">{B}<section data-role="title" class="_135editor"><section><strong><p><span>三个专场</span></p><p><span>万千群众同享温暖</span></p></strong></section></section><p>各地将继续完善措施，把好事办好、实事办实，让群众满意。</p></div>`, lines: pageLines + 3},
	{name: "RegisterWithHeadRow", head: "{T}__某市卫生健康委员会", html: `<h2 class="t">{T} (2026-11-27)</h2><div id="ivs_content"><table class="table1"><tbody><thead><tr><td>索取号</td><td>发布时间</td><td>发布机构</td><td>文件编号</td><td>备注</td></tr></thead><tr><td>076478684Q/2026-00112</td><td></td><td>某市卫生健康委员会</td><td>某卫基层〔2026〕5号</td><td></td></tr></tbody></table>{B}</div>`, at: "2026-11-27", source: "-"},
	{name: "RegisterWithUnknownLabels", head: "{T}", html: `<div id="zoom"><table><tr><td>索 &nbsp;引 号：</td><td>11220000013544357T/2026-00426</td></tr><tr><td>分&nbsp;&nbsp;类：</td><td>环境监测、保护与治理;通告</td></tr><tr><td>发文机关：</td><td>某省人民政府</td></tr><tr><td>成文日期：</td><td>2026年11月20日</td></tr><tr><td>标&nbsp;&nbsp;题：</td><td>{T}</td></tr><tr><td>发文字号：</td><td>某政明电〔2026〕1号</td></tr><tr><td>发布日期：</td><td>2026年11月27日</td></tr></table>{B}</div>`, at: "2026-11-27", source: "-"},
	{name: "NameAndMediumAboveTheTime", head: "{T}_某湃新闻", html: `<h1 class="news_title">{T}</h1><div class="news_about"><p>石样/某国青年报</p><p>2026-11-27 09:30</p></div><div class="news_txt">{B}</div>`, source: "某国青年报", author: "石样"},
	{name: "CreditBelowThePoints", head: "{T}_财经_某讯网", html: `<h1>{T}</h1><div class="a_Info"><span class="a_catalog">金融市场</span><span class="a_source">样镜</span><span>2026-11-27 09:30</span></div><div id="Cnt"><p>划重点：</p><ol><li>一位接近监管的人士表示，本轮整顿的力度将会超过以往，各家都在收缩。</li><li>某机构的专家提到，本质上它是一种获取信息的方式，并无好坏之分。</li></ol><p>《样镜》作者 周样</p>` + longText + `</div>`, lines: 6, author: "周样", source: "样镜"},
	{name: "ReporterOfAPaper", head: "{T}_某浪网", html: `<h1>{T}</h1><div>http://www.sample.example 2026年11月27日09:30 <a href=#>某闻晨报</a></div><div id="artibody"><p>晨报首席记者曾样报道 某省能源局日前印发通知，部署冬季清洁取暖。</p>` + longText + `</div>`, lines: 4, author: "曾样", source: "某闻晨报"},
	{name: "CellsForTheLayout", head: "{T}_商业频道", html: `<h1>{T}</h1><table><tr><td>2026-11-27 09:30 来源:<font>省能源局</font></td></tr></table><table><tr><td width=1></td><td width=15></td><td><span>{B}</span></td><td width=7></td></tr></table>`},
	{name: "PromotionAbove", head: "{T}_某浪财经", html: `<h1>{T}</h1><div class="d">2026年11月27日 09:30 <a class="source" href=#>省能源局</a></div><div id="artibody"><div class="box"><p>“只有潮水退了才知道谁在裸泳”，一张榜单尽显大事与大势！<a href="/v">【点击投票】</a>选出您心目中的人物</p></div>{B}</div>`},
	{name: "LinesLikePromotion", head: "{T}", html: `<h1>{T}</h1>` + pageHead + `<div class="TRS_Editor"><p>全省清洁取暖宣传月火热进行中，群众反映良好，各项活动精彩不断。</p>{B}<p>申报人可下载“样里办”客户端，第一时间查看办理进度。</p></div>`, lines: pageLines + 2},
	{name: "ReadingTime", head: "{T} - 某报纸摘要", html: `<h1>{T}</h1><p>发表时间：2026-11-27 09:30</p><div class="s">来源：省能源局</div><div>7 分钟</div><div class="t-content">{B}</div>`},
	{name: "LinksThatScriptsWrite", head: "{T}", html: `<h1>{T}</h1>` + pageHead + `<div class="TRS_Editor">{B}</div><script>var wzfj='<a href="./P0201.zip">清理.zip</a>'; if(wzfj.length > 0){ document.write('<p class="right_text">可下载附件：<a href="./P0201.zip">规范性文件清理.zip</a></p>'); }</script>`, files: 1},
	{name: "PicturesSetInTheMiddle", head: "{T}_某浪娱乐", html: `<h1>{T}</h1>` + pageHead + `<div id="artibody"><center><img src=/1.jpg><br>签约双方握手<br></center><center><img src=/2.jpg><br>会场</center><p align="center"><img src=/3.jpg><br>供暖工人<br></p>` + longText + `</div>`, lines: 3},
	{name: "SentenceBelowAPicture", head: "{T}", html: `<h1>{T}</h1>` + pageHead + `<div id="zoom"><p style="text-align:center"><img src=/1.jpg></p><p style="text-align:center"><span style="text-align:justify">1月1日起，取暖有不少新变化。</span></p>` + longText + `</div>`, lines: 4},
	{name: "LinkToTheExplanationAbove", head: "{T}", html: `<h1>{T}</h1>` + pageHead + `<div id="zoom"><p>点击查看政策解读：<a href="/j/2.html">【音频解读】关于《冬季清洁取暖工作通知》的解读</a></p>{B}</div>`},
	{name: "HeadlineWithColonInATable", head: "某州市中级人民法院", html: `<table><tr><td class="conBt" align="center"><b>某州中院：巡回审判进乡村 纠纷化解在田间</b></td></tr><tr><td>作者：陈样&nbsp;&nbsp;发布时间：2026-11-27&nbsp;&nbsp;浏览次数：128</td></tr><tr><td class="detail_con">` + longText + `</td></tr></table>`, title: "某州中院：巡回审判进乡村 纠纷化解在田间", at: "2026-11-27", source: "-", author: "陈样", lines: 3},
	{name: "MarkBeforeTheHeadline", head: "（转载）{T}", html: `<h1>（转载）{T}</h1>` + pageHead + `<div id="zoom"><p align=center>{T}</p>{B}</div>`, title: "（转载）" + pageTitle},
	{name: "NoticeThatIssuesTheText", head: "某省冬季清洁取暖实施办法", html: `<h1>某省冬季清洁取暖实施办法</h1>` + pageHead + `<div id="zoom"><p align=center>某能规字〔2026〕1号</p><p align=center>某省能源局 某省财政厅</p><p align=center>关于印发某省冬季清洁取暖实施办法的通知</p>{B}</div>`, title: "某省冬季清洁取暖实施办法"},
	{name: "CaptionThatOpensTheText", head: "{T}_某协网", html: `<div class="main"><h1>{T}</h1><div class="info">2026-11-27 09:30&nbsp;|&nbsp;来源：省能源局</div><div class="article_box"><div class="pic"><img src="1.jpg"><p>委员在社区调研</p></div>` + longText + `</div></div>`, lines: 3},
	{name: "PlayerOfAFile", head: "{T}", html: `<h1>{T}</h1>` + pageHead + `<div class="wp_articlecontent">{B}<div class="wp_pdf_player" pdfsrc="/_upload/article/files/a.pdf"></div></div>`, files: 1},
	{name: "DocumentDeleted", head: "某CMS提示信息", html: `<div><b>某CMS 提示信息！</b></div><div>文档id:123 已被删除，如果你的浏览器没反应，请点击这里...</div>`, fails: true},
	{name: "DeletedByItsAuthor", head: "-", html: `<div id="js_content"></div><div class="msg"><h2 class="msg__title">该内容已被发布者删除</h2></div>`, fails: true},
	{name: "WrongParameters", head: "参数错误", html: `参数错误`, fails: true},
	{name: "RequestStopped", head: "访问受限", html: `<h3>您的访问请求被拦截</h3><p>您的请求带有不合法参数，已被网站管理员设置拦截！</p>`, fails: true},
	{name: "NotFoundInEnglish", head: "Sorry", html: `<h2>Sorry, the page you are looking for could not be found.</h2>`, fails: true},
	{name: "FilesInAScript", head: "{T}", html: `<h1>{T}</h1>` + pageHead + `<div class="con">{B}</div><script>var attachList = [{"fileName":"清洁取暖实施方案.pdf","fileSize":12,"filePath":"/upload/2026/a1.pdf"},{"fileName":"申报表.docx","filePath":"/upload/2026/a2.docx"}]; render(attachList);</script><script>var banner=[{"name":"专题","url":"/zt/x.pdf"}];</script>`, files: 2},
}

// TestBoxes reads pages with unrelated content within their text.
func TestBoxes(t *testing.T) {
	t.Parallel()
	fill := strings.NewReplacer("{B}", pageText, "{T}", pageTitle)
	for _, k := range boxedPages {
		k.head, k.html = fill.Replace(k.head), fill.Replace(k.html)
		if k.lines == 0 {
			k.lines = pageLines
		}
		t.Run(k.name, k.check)
	}
}
