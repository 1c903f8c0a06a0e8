package policy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/hans"
	"dibao/policy/words"
)

// kindScore is the evidence for each kind of article. A feature of title or
// text adds to one or several kinds; none decides alone against contrary
// evidence.
type kindScore map[Kind]int

// The weights of evidence. A title that states the kind (解读, 征求意见) outweighs everything in
// a text that points to another kind, except a number together with the form of an official
// text.
const (
	certain = 10 // 《…》解读, 公开征求意见
	strong  = 5  // a number of its own, a reporter, an agency's dateline, a by-line
	formal  = 4  // issuer + 关于 + subject + 的 + type (条例第九条)
	fair    = 3  // addressees, chapters and articles, a verb of news
	slight  = 2  // a signature, formulas of announcements, 近日
	trace   = 1  // a dated text without other signs
)

// kindOrder breaks ties: more specific kinds come first.
var kindOrder = []Kind{KindInterpretation, KindConsultation, KindSignedArticle, KindDocument, KindNews, KindOther}

// kind weighs the evidence in title, text and page for each kind.
func (u *understanding) kind() {
	score := make(kindScore)
	u.titleEvidence(score)
	u.textEvidence(score)
	u.pageEvidence(score)
	u.english(score)
	best := Kind("")
	for _, k := range kindOrder {
		if score[k] > score[best] {
			best = k
		}
	}
	if best == "" && len(u.Paragraphs) > 0 {
		best = KindOther
	}
	u.Kind = best
	u.ownFacts()
}

// ownFacts removes facts that belong to the document that an article of another kind is
// about, and takes the issuers from the signature.
func (u *understanding) ownFacts() {
	switch u.Kind {
	case KindDocument, KindConsultation:
		if u.Issuers == nil {
			u.signed()
		}
		return
	case "":
	default:
		u.Issuers = nil
	}
	u.DocumentNumber, u.Type = "", ""
	if (u.Kind == KindNews || u.Kind == KindInterpretation) && governmentEnd.MatchString(u.Credit) {
		u.Issuers = []string{u.Credit} // the words of an organization, not of a medium
	}
}

var (
	// explains matches titles that explain a policy. Elsewhere 解读 is an ordinary word:
	// 科学解读出来的.
	explains = words.New(`^请问.{4,}[？?]$|^[【\[](?:政策|图文)?解读[】\]]|^\p{Han}{0,4}解读[:：《丨|｜“]|》(?:[（(][^（）()]{1,20}[)）])?[^《》，：:。！]{0,8}解读|[—\-]\s*解读|解读《|(?:负责人|司长|主任|局长|部长|厅长|省长|市长|专家|部门|[部委局厅署])解读|(?:政策|文件|专家|权威|图文|视频|系列|条文|法规)解读|解读(?:[（(][^（）()]{1,12}[)）]|之[一二三四五六七八九十])?$|答记者问|一[图文](?:读懂|看懂|了解|速览|解码|说清|弄懂|搞懂)|图解|(?:政策|热点|有关)问答|答问$|问答$|解答《|问题(?:的)?(?:解答|答疑)?$|问答课堂|(?:\d{1,3}|[一二三四五六七八九十百]{2,4})问(?:(?:\d{1,3}|[一二三四五六七八九十百]{2,4})答)?$|[^，。]{4,}详解$|负责人就《[^》]*$|详解《|(?:起草|编制|修订)说明$`)
	// tailBracket matches a remark after a title: （2025年11月版）.
	tailBracket = words.New(`[（(][^（）()]{1,20}[)）]$`)
	asksPublic  = words.New(`征求意见|意见征集|公开征求|征求.{0,40}意见|征集.{0,30}(?:意见|建议|提案线索|立法项目|金点子)|(?:意见|建议|提案线索)的?征集`)
	// afterAsking matches titles about the results of a consultation.
	afterAsking = words.New(`(?:意见|建议)(?:征集|征求)?(?:的)?(?:采纳|反馈|处理|汇总|结果|研究)[^，。]{0,8}(?:情况|公告|报告|公示|说明|结果)|征求意见(?:座谈会|会)|^(?:关于)?(?:撤销|撤回|取消).*征求意见|批复$`)
	// officialEnd matches other endings of titles of official texts: announcements that
	// are not types of the regulation.
	officialEnd = words.New(`(?:公示|公告|通告|公布|告知书|友情提示|温馨提示|提醒|须知|注意事项|启事|声明|邀请函|名单|时间安排|日程安排|倡议书|申报指南|服务指南|办事指南|工作指引|实施指南|指引|招聘启事|简章|招聘公告|若干政策|政策措施|会议纪要|部门预算|部门决算|预算公开|决算公开|年度报告|工作报告|举措|修正案)(?:[（(].{1,20}[)）])?$`)
	// ofNotice matches the end of titles of notices without an issuer.
	ofNotice = words.New(`[^《》]{4,}(?:通知|公告|通告|公示|通报)(?:[（(].{1,20}[)）])?$`)
	// speech matches the title of a speech: 在全市经济工作会议上的讲话.
	speech = words.New(`[上时中]的(?:主旨|重要)?(?:讲话|致辞|发言|演讲|总结)(?:稿|全文|摘要|提纲)?(?:[（(].{1,12}[)）])?$`)
	// issues matches verbs with which media report that something was issued; the official
	// title itself ends in 通知 or 批复.
	issues = words.New(`印发《[^》]+》$|^(?:国务院|\p{Han}{2,10}(?:部|委|局|厅|政府))(?:已|正式)?批复\p{Han}{2}|^(?:[^关《》]{2,14}[会局部委院厅署行组织协])(?:已|正式)?(?:发布|公布|出台|修订)[^《》]{2,32}[^告示知令]$`)
	// essay matches titles of opinions.
	essay = words.New(`(?:几点|若干|一些)(?:思考|建议|体会|启示)$|(?:探析|浅析|刍议|初探|之我见)$|^(?:浅析|浅谈|试论|略论|再论)`)
	// lectures matches titles of speeches, as opposed to reports about them.
	lectures  = words.New(`(?:[^工制]作|做)[^，。《》]{0,10}(?:报告|讲座|发言|宣讲)$`)
	recordEnd = words.New(`(?:职责|职能|机构设置|领导分工|(?:职责|机构)[^，。]{0,4}负责人|专业[（(](?:本科|专科)[）)]|情况|总结|汇报|统计表|报表|一览表|简介|概况|年报|大事记|联系方式|邮箱|电话)(?:[（(].{1,20}[)）])?$`)
	// reports matches verbs of events and other words of news.
	reports = words.New(`或将|有望|出台|叫停|获悉|召开|举行|会见|接见|会谈|出席|强调|荣获.*[^法示单知定报）)](?:[（(].{1,20}[)）])?$|喜获|调研|考察|视察|发布会|吹风会|记者会|闭幕|开幕|落幕|启动|揭牌|签约|亮相|回应|透露|致电|致信|致函|抵达|访问|通报会|推介会|座谈会|研讨会|推进会|上线|突破|同比|发布$|印发《[^》]+》$|公布《[^》]+》$|发布《[^》]+》$|(?:正式|全面)(?:施行|实施|发布|出台)|起(?:正式)?(?:施行|实施)$|自\d{1,2}月\d{1,2}日起|新规|有望|热议|专访|记者|特写|综述|侧记|纪实|见闻|快评|短评|快讯|盘点|增长|下降|创新高|(?:^|[^引])进入|推出|举办|深入学习|多措并举|扎实(?:推进|开展)|圆满(?:完成|结束|举办)|顺利(?:完成|结束|开工|投产|通过)|来了[！!]?$|不实$|[！!]|[？?]$`)
	// The person before a colon or bar is the author: 样文：论样例.
	authorFirst = words.New(`^(?:《[^《》]{2,12}》\s*[:：丨|｜]?\s*)?(?:([\p{Han}、]{4,40})\s)?(\p{Han}{2,3})\s*[:：丨|｜]\s*\S`)
	yearlyPlan  = words.New(`^\p{Han}{2,20}(?:19|20)\d{2}年度?\p{Han}{0,20}(?:计划|要点)$`)
)

// titleEvidence adds the evidence in the form of the title.
func (u *understanding) titleEvidence(score kindScore) {
	title := hans.Simplify(u.Title)
	switch {
	case containsAny(title, "解", "答", "图", "说明", "负责人", "一文", "问") && (explains.MatchString(title) || explains.MatchString(tailBracket.ReplaceAllString(title, ""))):
		score[KindInterpretation] += certain
	case strings.Contains(title, "征") && asksPublic.MatchString(title) && !afterAsking.MatchString(title) && u.title.Type != "批复":
		score[KindConsultation] += certain
	case workReport.MatchString(title):
		score[KindDocument] += certain
	case speech.MatchString(title):
		score[KindOther] += formal
	case issues.MatchString(title) && !strings.HasSuffix(title, "批复") && !strings.Contains(title, "关于印发《"), lectures.MatchString(title):
		score[KindNews] += fair
	case u.official():
		score[KindDocument] += formal
	case reports.MatchString(title):
		score[KindNews] += fair
	case ofNotice.MatchString(title):
		score[KindDocument] += formal
	case u.about(), u.title.Type != "" && (isLegislation(u.title.Type) || yearlyPlan.MatchString(title)), officialEnd.MatchString(title):
		score[KindDocument] += fair
	case u.title.Type != "":
		score[KindDocument] += slight
	case recordEnd.MatchString(title):
		score[KindOther] += slight
	}
	if essay.MatchString(title) {
		score[KindSignedArticle] += fair
	}
	switch office, name := namedFirst(title); {
	case name == "":
	case u.quotes(name), office == "" && len(u.Paragraphs) >= 2 && u.speaksOf(name): // 王样文：扎根基层三十年 is about 王样文
		score[KindNews] += fair
	default:
		score[KindSignedArticle] += strong
	}
}

// official reports whether the title has the form of an official text, even if
// a list may have truncated it.
func (u *understanding) official() bool {
	t := u.title
	if t.Type != "" && (len(t.Issuers) > 0 || t.Relation != "") {
		return true
	}
	return u.about() && (t.Type != "" || t.Relation != "" || cutShort.MatchString(u.Title) || officialEnd.MatchString(u.Title))
}

// about reports whether the title begins like those of official texts: 关于,
// possibly after an issuer.
func (u *understanding) about() bool {
	return strings.HasPrefix(u.Title, "关于") || len(u.title.Issuers) > 0 && strings.Contains(u.Title, "关于")
}

var (
	dateline = words.New(`^[（(【]?(?:本报|本网|本台|新华社|新华网|人民网|央视网|中新社|中新网|人民日报|\p{Han}{2,6}(?:日报|晚报|时报|新闻网))[^，。]{0,20}(?:电|讯)|^[^，。]{0,20}(?:日电|报讯|网讯|社讯|台讯|[台网社报]消息)[\s（(：:]?|[（(]\p{Han}{2,8}\d{1,2}月\d{1,2}日电[)）]$`)
	newsDay  = words.New(`^(?:(?:19|20)\d{2}年)?\d{1,2}月\d{1,2}日(?:至\d{0,2}月?\d{1,2}日)?(?:上午|下午|晚|晚间)?[，,]|^(?:近日|日前|近期|连日来|当地时间|记者)|(?:今天|昨天|昨日|今日)[（(]\d{1,2}月|记者[^，。]{0,20}(?:获悉|了解到)|^[^，。：:]{2,24}[^，。：:月\d]\d{1,2}日(?:上午|下午|晚|晚间)?(?:宣布|表示|发布|公布|通报|举行|召开|说|称)`)
	chapters = words.New(`^第[一1](?:章|条|编)|^第[一1]条`)
	formulas = words.New(`(?:现予|现将|现)[^。]{0,60}?(?:公布|印发|公示|转发|公告)|(?:公告|通知|通告|公示|批复|函告|意见|措施|决定)(?:如下|如下：)|特此(?:公告|通知|通告|公示|批复|函复|函告)|此件(?:公开|主动)|信息公开(?:形式|选项)`)
	// ofPaper matches the beginning of lines in academic papers: 摘要, 关键词, the affiliation
	// of the authors.
	ofPaper      = words.New(`^[\[［【〔（(]?\s*(?:摘\s*要|内容提要|内容摘要|关\s*键\s*词|目的/意义|作者简介|中图分类号)|^[（(]?[^（）()，。]{0,6}\p{Han}{2,24}(?:大学|学院|研究院|研究所|科学院|研究中心|党校|智库)[^（）()。；：]{0,16}\s\d{6}[)）]?$`)
	question     = words.New(`^(?:[一二三四五六七八九十\d]{1,3}[、.．]\s*)?(?:问[:：]|记者[:：])`)
	photographer = words.New(`记者.{0,20}摄|摄影|新华社发`)
)

// addressee matches the end of the line of addressees of an official text (主送机关).
var addressee = words.New(`(?:政府|部门|机构|单位|企业|直属|委员会|委|局|厅|办|部|院|校|学校|管委会|公司|银行|协会|中心|会|组|处|署|行|团)(?:[）)])?[:：]$`)

// kindLines is the number of lines at the start of a text that are examined for its form,
// kindEnd that of lines at its end.
const (
	kindLines = 8
	kindEnd   = 4
)

// textEvidence adds the evidence in the text for an official text, a report or an article.
func (u *understanding) textEvidence(score kindScore) {
	if u.DocumentNumber != "" {
		score[KindDocument] += strong
	}
	head := simplified(u.Paragraphs[:min(len(u.Paragraphs), kindLines)])
	end := simplified(u.Paragraphs[max(len(head), len(u.Paragraphs)-kindEnd):])
	has := func(lines []string, is func(string) bool) bool { return slices.ContainsFunc(lines, is) }
	addressed := has(head, isAddressee) && !audience.MatchString(head[0])
	if addressed {
		score[KindDocument] += fair
	}
	if has(head, chapters.MatchString) {
		score[KindDocument] += fair
	}
	if has(head, hasFormula) || has(end, hasFormula) {
		score[KindDocument] += slight
	}
	if signers(u.Paragraphs) != nil {
		score[KindDocument] += slight
	}
	if !addressed {
		u.reportEvidence(score, head)
	}
	if has(head, question.MatchString) || asksItself(u.Paragraphs) {
		score[KindInterpretation] += fair
	}
	if has(head, isOfPaper) {
		score[KindSignedArticle] += strong
	}
	if len(head) > 0 && (comrades.MatchString(head[0]) || ofPerson.MatchString(head[0])) {
		score[KindOther] += fair
	}
	if answered(u.Paragraphs[:len(head)]) {
		score[KindOther] += strong
	}
	named := u.Byline != "" && (u.Author != "" || u.AuthorOffice != "")
	switch {
	case u.reported || u.Author != "" && (saysOften(u.Paragraphs) || !named && quotesOften(u.Paragraphs)): // as reliable as a dateline, and often next to one
		score[KindNews] = max(score[KindNews], strong)
	case named && u.after && !containsAny(hans.Simplify(u.Byline), "作者", "评论员") && (strings.Contains(u.Byline, "图") || describesEvent(head) || endsInAny(u.Byline, "）", ")") && !mediaCredit.MatchString(u.Credit)): // the by-line names the sender of the report
		score[KindNews] += strong
	case named:
		score[KindSignedArticle] += strong
	case u.Author != "" && score[KindNews] > 0 && (score[KindNews] >= slight || mediaCredit.MatchString(hans.Simplify(u.Credit))): // media name the reporter
		score[KindNews] += fair
	case u.Author != "" && (len(u.e.Paragraphs) > 2 || u.e.FeedAuthor != ""):
		score[KindSignedArticle] += fair
	}
}

var wordsOfPaper = words.NewFinder("摘", "提要", "键", "目的/", "作者简介", "分类号", "大学", "学院", "研究", "科学院", "党校", "智库")

// event matches the first sentences of reports about what happened on a day.
var event = words.New(`\d{1,2}月\d{1,2}日[^。]{0,80}(?:举行|举办|召开|开展|组织|参加|启动|来到|走进|赴|揭牌|开幕|开班)`)

// describesEvent reports whether the first sentences describe an event on a day.
func describesEvent(head []string) bool {
	n := 0
	for _, p := range head {
		if !strings.Contains(p, "。") {
			continue
		}
		if event.MatchString(cut.First(p, 2*bylineReach)) {
			return true
		}
		if n++; n == 2 {
			break
		}
	}
	return false
}

// isOfPaper reports whether a line is one that only academic papers have.
func isOfPaper(p string) bool {
	p = cut.First(p, bylineReach)
	return wordsOfPaper.In(p) && ofPaper.MatchString(p)
}

// saysOften reports whether a text in English quotes people, as reports do.
func saysOften(lines []string) bool {
	n := 0
	for _, p := range lines {
		if strings.Contains(p, " said") || strings.Contains(p, " told ") {
			n++
		}
	}
	return n >= 2
}

// says matches words that introduce or follow a quotation.
var says = words.New(`(?:说|表示|介绍|坦言|告诉[^，。]{1,12}|称|指出|认为|回忆|解释|感慨)(?:道)?[：:，,]\s*[“"「]|[。，！？]["”」][^“”。]{0,16}(?:说|表示|介绍|坦言|称|回忆|告诉|解释|感慨)`)

// minSays is the minimum number of paragraphs that quote people in a report.
const minSays = 3

// quotesOften reports whether a text in Chinese quotes people, as reports do.
func quotesOften(lines []string) bool {
	n := 0
	for _, p := range lines[:min(len(lines), textLines)] {
		if strings.ContainsAny(p, "“\"「") && says.MatchString(hans.Simplify(p)) {
			if n++; n >= minSays {
				return true
			}
		}
	}
	return false
}

// heads matches questions as headings of the parts of a text: 一、谁可以申请？
var heads = words.New(`^(?:[（(]?[一二三四五六七八九十\d]{1,3}[)）、.．]|问题?\s?\d{0,2}[:：、]|[Qq]\d{0,2}[:：.、])[^。]{4,80}[？?]$`)

// minQuestions is the minimum number of parts of an explanation that begin with a
// question.
const minQuestions = 3

// asksItself reports whether a text is a series of questions with their answers.
func asksItself(lines []string) bool {
	n := 0
	for _, p := range lines[:min(len(lines), textLines)] {
		if endsInAny(p, "？", "?") && heads.MatchString(p) {
			if n++; n >= minQuestions {
				return true
			}
		}
	}
	return false
}

// ofLetter matches the beginning of the lines of a reader's letter and of its answer.
var ofLetter = words.New(`^(?:留言|来信|咨询|信件|提问|写信|网友)\s?(?:标题|主题|内容|编号|人|时间|日期|问题|类型)\s?[:：]|^(?:答复|回复|办理)\s?(?:内容|单位|部门|时间|日期|结果|情况)?\s?[:：]|^回\s{0,4}复\s?[:：]`)

// answered reports whether a text is a letter and its answer.
func answered(lines []string) bool {
	n := 0
	for _, p := range lines {
		if ofLetter.MatchString(cut.First(p, 20)) {
			n++
		}
	}
	return n >= 2
}

// ofPerson matches the beginning of a page about a person.
var ofPerson = words.New(`^\p{Han}{2,4}[，,]\s*(?:男|女)[，,]`)

// comrades matches the beginning of a speech.
var comrades = words.New(`^(?:尊敬的[^。]{0,20}|各位[^。]{0,12}|同志们)[，,：:、！!]`)

// audience matches the words with which a speech opens. A document opens with the bodies that
// it is sent to.
var audience = words.New(`^(?:尊敬的|各位)[^。]{0,20}(?:同志们|女士们|先生们|朋友们)[：:，,！!]`)

// simplified returns the lines in Simplified characters.
func simplified(lines []string) []string {
	out := make([]string, len(lines))
	for i, p := range lines {
		out[i] = hans.Simplify(p)
	}
	return out
}

// reportEvidence adds the evidence at the beginning of reports, and in the lines under
// their pictures.
func (u *understanding) reportEvidence(score kindScore, head []string) {
	_, speaker := namedFirst(hans.Simplify(u.Title)) // the author, or a speaker in a report
	speaks := speaker != ""
	for _, p := range head[:min(len(head), 2)] {
		if dateline.MatchString(cut.First(p, bylineReach)) {
			score[KindNews] += strong
			return
		}
	}
	isNews := newsDay.MatchString(cut.First(firstSentence(head), contextChars))
	if isNews && speaks {
		score[KindNews] += strong
	} else if isNews || u.photographed() {
		score[KindNews] += slight
	}
}

// pageEvidence adds the evidence in page and feed. A dated text without other signs is most
// likely news; without a date there is no evidence.
func (u *understanding) pageEvidence(score kindScore) {
	if mediaCredit.MatchString(u.Credit) {
		score[KindNews]++
	}
	if !u.PublishedOn.IsZero() && slices.ContainsFunc(u.Paragraphs[:min(len(u.Paragraphs), kindLines)], func(p string) bool { return strings.Contains(p, "。") }) {
		score[KindNews] += trace
	}
}

// firstSentence returns the first line with a sentence: there may be headlines above it.
func firstSentence(head []string) string {
	for _, p := range head {
		if strings.Contains(p, "。") {
			return p
		}
	}
	return strings.Join(head[:min(len(head), 1)], "")
}

var mediaCredit = words.New(`(?:日报|晚报|时报|早报|周报|新闻网|新华网|人民网|央视网|新华社|中新社|中新网|电视台|电台|客户端|通讯社|传媒|报道|快讯|网易|新浪|搜狐)$`)

var wordsOfFormulas = words.NewFinder("现", "如下", "特此", "此件", "信息公开")

// hasFormula reports whether the beginning of a paragraph contains a formula of
// announcements.
func hasFormula(p string) bool {
	p = cut.First(p, 150)
	return wordsOfFormulas.In(p) && formulas.MatchString(p)
}

// isAddressee reports whether a line contains the addressees of a text.
func isAddressee(p string) bool {
	p = strings.TrimSpace(fold(p))
	return utf8.RuneCountInString(p) <= 300 && (addressee.MatchString(p) || strings.HasPrefix(p, "各") && endsInAny(p, "：", ":"))
}
