package ingest

import (
	"strings"
	"testing"
	"time"
)

// A news article: its text has three paragraphs.
const (
	newsTitle = "某省推进冬季清洁取暖取得新成效"
	newsText  = `<p>近日，某省召开会议，研究部署冬季清洁取暖工作，要求各地统筹推进。</p><p>会议强调，要完善政策体系，加大资金投入，确保群众温暖过冬。</p><p>会议要求，各地要加强组织领导，明确责任分工，及时报告进展情况。`
	newsHead  = `<div class=info>发布时间：2026-11-27 09:30 来源：省能源局</div>`
	picture   = `<p><img src=/1.jpg></p>`
)

// A line before or after a text that names the author, shows a picture, or asks readers to
// log in is not a paragraph of the text.
func TestAroundTheText(t *testing.T) {
	t.Parallel()
	fetched := time.Date(2026, 11, 29, 4, 0, 0, 0, time.UTC)
	for _, k := range []kindOfPage{
		{name: "NameOfTwoInABracket", html: newsHead + `<div class=con>` + newsText + `（吴样）</p></div>`, author: "吴样"},
		{name: "AWordInABracket", html: newsHead + `<div class=con>` + newsText + `（连载）</p></div>`},
		{name: "TextAndPictures", html: newsHead + `<div class=con>` + newsText + `</p><p>文：张样 图片：李例</p></div>`, author: "张样"},
		{name: "PenNameAfter", html: newsHead + `<div class=con>` + newsText + `</p><p>□ 国样平</p></div>`, author: "国样平"},
		{name: "PenNameAbove", html: newsHead + `<div class=con><p>□ 宣样</p>` + newsText + `</p></div>`, author: "宣样"},
		{name: "Writer", html: newsHead + `<div class=con>` + newsText + `</p><p>（执笔：胡样愚）</p></div>`, author: "胡样愚"},
		{name: "Reporter", html: `<div>2026-11-27 09:30 | 来源：省能源局 | 报道：杜样　摄影：吴样望</div><div class=con>` + newsText + `</p></div>`, author: "杜样"},
		{name: "LinkToTheVideo", html: newsHead + `<div class=con><p><a href=/v.html>点击观看访谈视频</a></p>` + newsText + `</p></div>`},
		{name: "CaptionWithAName", html: newsHead + `<div class=con>` + picture + `<p>工人在检修管道（张样 摄）</p>` + newsText + `</p></div>`},
		{name: "CaptionThatShows", html: newsHead + `<div class=con>` + picture + `<p>图为会议现场。</p>` + newsText + `</p></div>`},
		{name: "CaptionLent", html: newsHead + `<div class=con>` + picture + `<p>工人正在检修（某县能源局供图）</p>` + newsText + `</p></div>`},
		{name: "CaptionOfTaiwan", html: newsHead + `<div class=con>` + picture + `<p>圖為民眾在公園散步。某社記者張樣偉攝 115年2月16日</p>` + newsText + `</p></div>`},
		{name: "CaptionInEnglish", html: newsHead + `<div class=con>` + picture + `<p>Workers check pipes on Nov 26, 2026. [Photo/Sample]</p>` + newsText + `</p></div>`},
		{name: "CaptionByElement", html: newsHead + `<div class=con><figure><img src=/1.jpg><figcaption>检修现场</figcaption></figure>` + newsText + `</p></div>`},
		{name: "CaptionsByPlace", html: newsHead + `<div class=con><p></p>` + picture + `<p>检修现场</p>` + picture + `<p>供热管道</p>` + newsText + `</p></div>`},
		{name: "LogIn", html: newsHead + `<div class=con>` + newsText + `</p><div>登录后查看全文</div></div>`},
		{name: "MembersOnly", html: newsHead + `<div class=con>` + newsText + `</p><p>还剩65%未读，<a href=/vip>开通会员</a>继续阅读</p></div>`},
		{name: "MediumOfAnyName", html: `<div>2026-11-27 09:30 省能源之窗</div><div class=con>` + newsText + `</p></div>`, source: "省能源之窗"},
		{name: "ColumnBesideTheDate", html: `<div class=nav><a href=/c>能源之窗</a></div><div>2026-11-27 09:30 能源之窗</div><div class=con>` + newsText + `</p></div>`, source: "-"},
		{name: "DayWithoutYear", html: `<div>发布时间：09-30 来源：省能源局</div><div class=con>` + newsText + `</p></div>`, at: "2026-09-30", now: fetched},
		{name: "TimeWithoutYear", html: `<div>发布时间：12-30 10:20 来源：省能源局</div><div class=con>` + newsText + `</p></div>`, at: "2025-12-30T10:20", now: fetched},
		{name: "DayWithoutYearOrClock", html: `<div>发布时间：09-30 来源：省能源局</div><div class=con>` + newsText + `</p></div>`, at: "-"},
	} {
		k.title, k.lines = newsTitle, 3
		k.head, k.html = newsTitle+"_某省能源局", `<h1>`+newsTitle+`</h1>`+k.html
		t.Run(k.name, k.check)
	}
	for _, k := range []kindOfPage{
		{name: "StoryInPictures", html: `<div class=con>` + picture + `<p>11月26日，工人在某县检修管道。某社记者 张样 摄</p>` + picture + `<p>11月26日，技术人员在某市调试设备。某社记者 李样 摄</p>` + picture + `<p>11月26日，供热站的烟囱不再冒烟。某社记者 王样 摄</p></div>`, lines: 3},
		{name: "StepsInPictures", html: `<div class=con><p>用户可以按下列步骤在网上缴纳采暖费，无需到营业厅排队等候。</p><p>1.先扫二维码，关注某省供热公众号</p>` + picture + `<p>点击“我要缴费”</p>` + picture + `<p>2.填写户号并确认</p>` + picture + `<p>输入金额后提交</p></div>`, lines: 5},
		{name: "FormsAfterTheText", html: `<div class=con><div>` + pageText + `</div><p>公开方式：主动公开</p><div><p>附件1</p><p>某省清洁取暖补贴申请表</p><table><tr><td>姓名</td><td>住址</td><td>电话</td></tr></table></div><div><p>附件2</p><p>填表说明</p></div></div>`, lines: pageLines + 6},
		{name: "SignedBelowLinks", html: `<div class=con><p>各市能源局：</p><p>现将有关事项通知如下，请结合实际认真贯彻执行，并及时报告。</p><p>附件：1.<a href=/show?id=1>实施方案（征求意见稿）</a></p><p>2.<a href=/show?id=2>意见反馈表</a></p><p>某省能源局</p><p>2026年11月20日</p><div><a href=/a>打印</a></div></div>`, lines: 6},
		{name: "SiteSignsTheText", head: "某样省注册会计师协会网-执业质量检查通告", title: "某样省注册会计师协会网执业质量检查通告（第十二号）", html: `<div class=top><h1>某样省注册会计师协会网执业质量检查通告（第十二号）</h1></div><div class=con>` + pageText + `<p>某样省注册会计师协会网</p><p>2026年11月20日</p></div>`, lines: 8},
		{name: "HeadlineWithACommaInTheText", head: "某信息网-某组织信息网", title: "闲暇时约上好友，沏上一杯茶", html: `<div class=list1><p style="font-size:24px">闲暇时约上好友，沏上一杯茶</p><div>时间：2026-11-27 09:30&nbsp;&nbsp;来源：省能源局</div><div>` + pageText + `</div></div>`, lines: pageLines},
		{name: "LinksUnderTheLastHeadings", html: `<div class=con><p> <b>办理对象</b></p><p>本省居民</p><p> <b>办理条件</b></p><p>在本省居住满一年，并按时缴纳采暖费的居民，可以申请补贴，每年申请一次，补贴存入个人账户。</p><p> <b>办理流程</b></p><p>申请人登录平台，填写申请表，由窗口受理，能源局在十个工作日内审核，结果在平台公布。</p><p> <b>收费标准</b></p><p>免费</p><p> <b>办理依据</b></p><p><a href=/law/1>《某省采暖补贴办法》（链接）</a></p><p><a href=/law/2>《某省能源条例》（链接）</a></p><p> <b>备注</b></p><p>无</p></div>`, lines: 13},
		{name: "LinksOfABoxAfterTheHeadings", html: `<div class=con><p> <b>办理对象</b></p><p>本省居民</p><p> <b>办理条件</b></p><p>在本省居住满一年，并按时缴纳采暖费的居民，可以申请补贴，每年申请一次，补贴存入个人账户。</p><p> <b>办理流程</b></p><p>申请人登录平台，填写申请表，由窗口受理，能源局在十个工作日内审核，结果在平台公布。</p><p> <b>收费标准</b></p><p>免费</p><p> <b>图解政策</b></p><p><a href=/a/1>某省能源局关于采暖补贴有关事项的说明</a></p><p><a href=/a/2>某省能源局关于采暖费有关事项的说明</a></p><p><a href=/a/3>某省能源局关于供热管道有关事项的说明</a></p></div>`, lines: 9},
		{name: "LinksUnderAHeadingOfTheirOwn", html: `<div class=con><p> <b>办理条件</b></p><p>在本省居住满一年，并按时缴纳采暖费的居民，可以申请补贴，每年申请一次，补贴存入个人账户。</p><p>申请人登录平台，填写申请表，由窗口受理，能源局在十个工作日内审核，结果在平台公布。</p><p> <b>精品栏目</b></p><p><a href=/s/1>能源局赴某县调研取暖工作</a></p><p><a href=/s/2>全省取暖工作会议召开</a></p></div>`, lines: 4},
		{name: "FilesBesideABox", html: `<div class=con><p><a href=/a.pdf>` + pageTitle + `.pdf</a></p></div><div class=box><h3>办事指南</h3><p>群众办理缴费业务，可持有效证件到服务大厅办理，也可通过网上平台办理。</p><p>咨询电话：12345，工作时间为每日九时至十七时，节假日除外。</p></div>`, lines: 1, files: 1},
	} {
		switch {
		case k.title == "":
			k.html = `<h1>` + pageTitle + `</h1>` + pageHead + k.html
		case !strings.Contains(k.html, "时间："):
			k.html = strings.Replace(k.html, "</h1>", "</h1>"+pageHead, 1)
		}
		t.Run(k.name, k.check)
	}
}
