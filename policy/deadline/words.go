package deadline

import (
	"strings"

	"dibao/policy/cut"
	"dibao/policy/words"
)

var (
	// asksTitle matches titles that ask for something. 意见 alone is only a type of document.
	asksTitle = words.New(`征求|征集|申报|报名|报送|公示|反馈|遴选|招募|推荐|征询|招聘|招考|征文|征稿|评选|评优|选拔|填报|投稿|选聘|选调|招标|采购|磋商|询价|比选|大赛|竞赛|比赛|邀请赛|挑战赛|招租|配租|挂牌出让|竞租|拍租|竞买|竞价|咨询|申请|受理|招生|征选|征件|申领|征订|听证`)
	heading   = words.New(`^[^。，；]{0,14}(?:报名|申报|征集|公示|受理|征求意见|提出意见|反馈|填报|提交|推荐|投稿|征稿|报送)[^。，；\d]{0,8}$|^[^。，；]{0,8}征文(?:起止|截止)?(?:时间|日期)$|^(?:[（(]?[一二三四五六七八九十\d]{1,3}[)）、.．]\s*)?截[止稿](?:时间|日期)[:：]?$`)

	// timed matches words in headings of schedules, untimed those in headings of
	// conditions.
	timed   = words.New(`时间|日期|期限|截止|节点|安排`)
	untimed = words.New(`条件|对象|资格|范围|标准|内容|政策|依据`)

	untilWord = words.New(`^(?:[上中下]午)?(?:下班)?(?:之?前|以前|或之前|或以前|止|截止|结束|为止|截稿)`)
	// endsIt matches an untilWord that needs no verb after it, and what follows it:
	// 报名6月5日截止, 报名于6月5日前结束.
	endsIt = words.New(`^(?:之?前)?(?:截止|结束)`)
	// held matches the words after the days of an event.
	held = words.New(`^[^，,。；]{0,6}(?:举行|召开)`)
	// onThatDay matches words about a team or a meeting, which act on a day, not by it.
	onThatDay = words.New(`(?:检查|评审|督查|专家)组|参加|会议`)
	// handsIn matches the words before a period of somebody who is not an office: 企业于.
	handsIn = words.New(`(?:^|[^局厅委组心门])于$`)
	// joint matches what joins two days that are governed by the same words: 3月2日、7月6日前.
	joint = words.New(`^\s*(?:[、和及或]|以及)\s*$`)
	// asksAnew matches the words between a day that describes the subject and the day of
	// its duty: 12月31日前登记的企业，应当于6月30日前报送. It also matches those between the days of two
	// bodies: 各校6月5日前交市局，市局于6月8日前.
	asksAnew = words.New(`[，,)）][^，,]*(?:请|应|须|需|务必)[^，,]*$|[，,][^，,并再且或]{0,12}(?:于|在)$`)
	// recurring matches the words before a day that recurs every year.
	recurring = words.New(`(?:每年|每月|每季度|每学期|每学年|次年|翌年|当年|上年|[前上]一年|次月|此后|同年)[^，。；]{0,8}$`)
	// everyYear matches words about yearly reports.
	everyYear = words.New(`上年度|上一年度|上一年|上季度|上月|每年|^[^，]*应当(?:于|在)`)
	// stood matches the words after a day on which something was counted:
	// 截至2023年12月31日，全市共有….
	stood = words.New(`^[^，,。]{0,4}[，,][^。；]{0,80}已经全部|^[^，,。]{0,4}[，,]\s*(?:共|累计|已|全|我|各|收到|本|[^，,。]{0,6}(?:共|已|累计)(?:有|收|接|推荐|申报|报名|完成|受理))`)
	// thoseWho and ofThose match the words after a day that only says whom or what a rule
	// applies to.
	thoseWho = words.New(`^[^，。；]{1,40}的[，,]|^的(?:[，,]|可|均|都|不)|^[^，。；于将向请]{1,20}的[^，。；]{1,12}(?:均可|均不|都可|可|不再)|^[^，。；于将向请]{1,20}的[^，。；]{1,12}[，,]\s*(?:应|须|需|均|不)|^(?:前|之前|以前)?(?:仍|还)?(?:未|尚未|没有)[^，。；]{1,24}的`)
	ofThose  = words.New(`^(?:已|已经)?[^，。；]{0,4}(?:申报|提出|报送|报名|反馈|办理|受理)[^，。；将向至]{0,6}的`)
	// ofAThing matches the words after a period in which something happened, not one for
	// readers to act.
	ofAThing = words.New(`^\s*(?:期间|之间|的|发生|内发|内完|内取|新|已|购|完成|取得)`)
	// spanFor matches the words after a period in which readers can act.
	spanFor = words.New(`^[（(]?截止(?:日期|时间)以|^(?:期间|止|截止|内)?[，,]?\s*(?:面向社会|(?:向社会|公开|集中|统一|接受|网上|在线|全市|开始)*(?:征集|征求|接受|受理))`)
	overdue = words.New(`^[）)]?(?:止)?[，,]?\s*(?:逾期|过期)`)
	// spanOf matches the words before a period without a label: 公开征求意见，自…; 项目申报（….
	spanOf = words.New(`(?:征求意见|意见征集|征集|公示|反馈|申报|填报|提交|递交|报送|报名|受理|投稿|征稿|征文)[^。；，,]{0,6}(?:[，,]?\s*(?:时间|期限|日期)?(?:为|自|从|于|定)+\s*|[（(])$|(?:申报|报名|投稿|征稿)(?:[^。；，,]{0,10}[，,]\s*(?:时间|日期|期限))?[:：]\s*$|公示$`)
	// checks matches the words before a period in which a body examines what was sent:
	// 初验报名信息（….
	checks = words.New(`(?:初验|复验|核验|查验|验证|审核|初审|复审|复核|审查|核对|确认)[^，。；、和及与]{0,4}$`)
	// ofSystem and opens match the words around the period in which a system for readers is
	// open.
	ofSystem = words.New(`(?:系统|平台|网站|端口|通道)[^，。；]{0,6}$`)
	opens    = words.New(`^(?:期间|止)?(?:开放|开通|接受|受理)`)
	// lapses matches the words after a day on which something must still be valid: 不过期, 仍有效.
	lapses = words.New(`^\s*(?:[不未]|尚未)(?:过期|到期|失效)|^\s*仍有效`)
	// forPersons matches titles of calls that persons answer; eachBody and bodyMust match the
	// words after and before a day by which bodies pass on what they got: 各市将…, 公安局应于.
	forPersons = words.New(`招生|招考|招聘|招录|(?:幼儿园|小学|初中|中考|高考|新生)[^，。]{0,6}(?:报名|入学)`)
	eachBody   = words.New(`^[，,]?\s*由?(?:各(?:省|市|县|区|州|地|镇|乡|街道|院校|学校|高校|幼儿园|小学|中学|教育)|招生(?:院校|学校|高校|单位))(?:[^，,。；考生点接]{0,12}(?:将|上报|报送|汇总)|[^，,。；]{0,12}方案报|[^，,。；]{0,8}负责)`)
	// visits matches the words before a day of applicants who use a body or its website:
	// 登录样例网站于.
	visits   = words.New(`(?:登[录陆]|通过|到|在)[^，,。；]{1,16}(?:于|在)\s*$`)
	bodyMust = words.New(`^[^请]*(?:[局厅委”]|部门|机构|网站|院校|高校|学校|幼儿园|盟市|数据|名单|(?:各|有关|相关)[^，,。；]{0,8}(?:公司|银行))(?:务必|必须|须|应当?|要)?(?:于|在)\s*$`)
	// holiday matches the words after days on which offices or systems are closed.
	holiday = words.New(`^[^，。；逾届]{0,8}(?:放假|调休|休假|休市|闭馆|停止办公|节假|假期|停机|暂停|关闭|维护)`)
	// exceptHolidays matches the remark that a period does not include holidays.
	exceptHolidays = words.New(`[（(]?(?:周末|双休日)?[及和、]?(?:法定)?节?假日除外[）)]?`)

	// later matches the words after a day from which something is possible.
	later = words.New(`^\s*(?:之?后|以后|起|开始|以来)`)
	// afterwards matches people who have a duty only after a call is over.
	afterwards = words.New(`资格复审材料|[复决]赛(?:选手|团队|队伍|项目|作品)|晋级|拟[录聘][用取]?|递补|录[用取](?:人员|考生|者)|资格复审的|(?:面试|复试|体检)(?:人员|考生|对象)|得奖|乙方|受让[方人]|竞得人|中标|成交|承包|承担单位|受托|获奖(?:$|[^证情材凭])|入围|入选|立项(?:$|[^申建])|获批|受助|[获受][^理，。；][^，。；]{0,3}(?:单位|企业|机构|学校|团体|者|人)|被[^，。；]{1,4}(?:者|人|考生|单位|企业)|(?:完成|结束|结题|验收|到期|签订)后[^，。；]{0,6}$`)
	// speakers matches people who speak at a meeting, judge, or organize the call.
	speakers = words.New(`(发言人|演讲[人者]|报告人|讲者|主讲人?|授课|讲师|陈述人|嘉宾|评委|评审专家|专家组|考官|裁判|组委会|评委会|评审委员会|招标人|采购人|代理机构|主办方|承办方|主办单位|承办单位)[^，。；]{0,12}$|^[^，。；]{0,4}(发言人|演讲[人者]|报告人|讲者|主讲人|陈述人|嘉宾|评委|评审专家|考官|裁判)[^。；]{0,30}$`)
	// itsDuty matches the words after a day by which a named body has a duty:
	// 9月30日前，市数据局会同….
	itsDuty = words.New(`^[，,]?\s*(?:各|市|省|县|区|全)[^，。；请将向报]{0,10}(?:会同|牵头|负责|应|要|须|完成|组织|制定|建立|开展)`)
	// ledBy matches the words before a day of a named body: 由市财政局牵头，于.
	ledBy = words.New(`(?:牵头|会同|负责(?:[^人。；请]|$))[^。；请]{0,9}$`)
	// inDraft matches the language of rules, as opposed to that of requests for comments on
	// them.
	inDraft = words.New(`应当[^，。；]{0,4}$`)
	// objects matches questions and objections that readers may raise about results or
	// tender documents.
	objects = words.New(`异议|质疑|疑问|疑义|澄清`)
	// dissent matches the words before the day until which anybody can object to published
	// results.
	dissent = words.New(`(?:异议|不同意见)[^。；]{0,12}$`)
	// onDisplay matches the words before the period in which readers can see a plan and
	// comment on it.
	onDisplay = words.New(`(?:公开展览|公展|公开阅览|展示)(?:期间|时间|期|日期)[^，。；]{0,6}$`)
	// announces matches an action of the issuer or a named body: 我厅将择优推荐，于;
	// 各地法制办将负责收集意见，并于.
	announces = words.New(`(?:我[厅局委部办院校会司]|本[局厅院会])(?:将|拟|会|计划)[^。；请]{0,24}$|(?:^|[，,、.．\s])\p{Han}{2,8}(?:处|科|办|中心|办公室)(?:将|统一|集中)?组织(?:专家|评审|论证)[^。；请]{0,40}$|(?:^|[，,])[^，,。；请]{2,24}将负责[^人带][^。；请]{0,80}$`)
	// results and returns match the words around the day by which the issuer returns its own
	// results: 审查结果于…反馈完毕.
	results = words.New(`(?:^|[，,（(])[^，,。；请将把]{0,20}(?:审查|审核|评审|考试|面试)结果(?:于|在)\s*$`)
	returns = words.New(`^\s*(?:反馈|通知|告知|答复|回复)`)
	// answersAll matches the words after a day by which the issuer itself answers:
	// 将电话对所有报名人员进行反馈.
	answersAll = words.New(`^[，,]?\s*(?:我[厅局委部办院校会司]|本[局厅院会校])?将[^，。；]{0,8}(?:对|向)[^，。；]{0,12}(?:人员|者|人|单位|考生|企业)[^，。；]{0,4}(?:反馈|通知|答复|告知|回复)|^[，,]?\s*(?:报到|入职|到岗|上岗|入学)`)
	// onTheDay matches the words after a day on which, not by which, something must be
	// sent.
	onTheDay = words.New(`^\s*(?:报送|提交|上交|递交|上报)[^，。；]{0,12}[，,]\s*(?:逾期|过期)`)
	// fromShown matches the words before a range that states a period of days:
	// 自公示之日起10日内（11月19～28日）.
	fromShown = words.New(`(?:公示|公告|公布|发布|通知)之日起\s*(?:[0-9一二三四五六七八九十]{1,3}\s*(?:个工作日|个自然日|日|天))\s*(?:之|以)?内\s*[（(，,](?:即)?$`)
	// handsOut matches the words after a day by which the public gets something, not the issuer:
	// 交给购房人钥匙.
	handsOut = words.New(`^[^，,。；;]{0,16}交给[^，,。；;、]{0,8}(?:(?:购房|购买|买受|承租|申请|投保|受益|获奖)[人者户]|农户|业主|群众|市民|居民|职工|学生|家长|用户)`)
	// shownAt matches the words before the period of a list that is shown at a place:
	// 公示在样例网站，时间为.
	shownAt = words.New(`公示[^。；，,]{0,16}[，,]\s*时间(?:为|是|自|从|[:：])?\s*$`)
	// namesEnd matches a label after its day: 为网上报名结束时间; ，论文摘要接收截止.
	namesEnd = words.New(`^(?:为[^，,。；]{0,10}(?:报名|报考|申报|投稿|征稿|报送|提交|接收)[^，,。；]{0,4}(?:截止|结束)(?:时间|日期|$)|[，,][^，,。；]{0,10}(?:报名|报考|申报|投稿|征稿|报送|提交|接收)(?:截止|结束)$)`)
	// namesPeriod matches a label after its period: 期间，为网上报名时间.
	namesPeriod = words.New(`^(?:期间)?[，,]?\s*为[^，,。；]{0,14}(?:报名|报考|申报|投稿|征稿|报送|提交|受理)时间`)
	// onlyEnd matches a numbered label that is all that precedes its day in its paragraph.
	onlyEnd = words.New(`^\s*[（(]?[一二三四五六七八九十\d]{1,3}[)）、.．]\s*截止(?:时间|日期)\s*[:：]\s*$`)
	// issues matches titles of texts that give bodies days for their tasks, or of works and events
	// with a beginning and an end.
	issues = words.New(`印发|方案|计划|规划|分工|施工|工程|封闭|停[水电机气工]|维护|放假|讲座|展览|展出|开放`)
	// ofApplicants and onSite match the words around a period in which applicants use a website:
	// 符合条件的企业自…登录系统提交申请.
	ofApplicants = words.New(`(?:^|[，,：:])[^，,：:请各]{0,12}(?:企业|个人|申请人|申报人|申报主体|考生)(?:须|应|可)?(?:自|于|从)\s*$`)
	onSite       = words.New(`^[，,]?\s*(?:登[录陆]|通过)[^。；了]{0,60}?(?:提交|填报|申报|申请|报名)(?:$|[^了过])`)
	// toFinish and isFinished match the words around a day by which something that precedes the
	// day must be done: 网上申报请于…前完成.
	toFinish   = words.New(`(?:申报|申请|报名|填报|填写|报送|提交|(?:网上|在线|系统|平台|账号|用户)注册|投稿|推荐|上传)(?:需求|工作|手续|程序|事宜|操作)?[，,]?\s*(?:请|应|须)?(?:务必)?(?:于|在)\s*$`)
	isFinished = words.New(`^完成(?:[，,。；]|$)`)
	// ofEvent matches the words before the day of an event.
	ofEvent = words.New(`赛|会议|考试|典礼|答题`)
	// namesTerm matches a label after its day that needs no call: 为异议期; fromPosting matches
	// the words before a period that begins when this text is published.
	namesTerm   = words.New(`^为(?:公示|异议|征求意见)期`)
	fromPosting = words.New(`本公[告示]|(?:公布|公告|公示|发布)之日`)
	// shownHere matches the words before the period in which this text is published: 本公示自.
	shownHere = words.New(`(?:本公示(?:期|时间)?|^公示[^，。；]{0,6}天)[，,]?\s*自\s*$`)
	// ofOffice matches an office that passes on applications, before its own day.
	ofOffice = words.New(`(?:(?:^|[，,])\p{Han}{0,6}(?:主管|管理|归口)部门请|由[^，。；请]{0,20}(?:主管|管理|归口)部门)(?:于|在)\s*$`)
	// undoes matches requests that end or question an application.
	undoes = words.New(`^[^，,。；;]{0,6}(?:退费|退款|复核|复查|查分|放弃|补办|更名|注销)[^，,。；;]{0,16}$`)
	// refunds matches requests for money that was paid.
	refunds = words.New(`^[，,]?[^，,。；;不]{0,10}退(?:款|费|票|还)`)
	// fetches matches what bidders do before they bid.
	fetches = words.New(`(?:获取|下载|领取|购买)[^，。；]{0,8}文件`)
	// samples and past match the words before days in sample forms and of earlier calls.
	samples  = words.New(`(?:填写样例|示例|范例|例如|举例|样表)[^。；]{0,40}$`)
	past     = words.New(`(?:上一轮|上一批|(?:^|[^限])上批|上一届|上届[^时]|往届|往年|上次)[^。；]{0,30}$|(?:已|曾)(?:经)?(?:于|在)\s*$|裁定[^。；]{0,30}$|有效期[^，。；]{0,12}$`)
	promoted = words.New(`^[^，。；]{0,10}(?:晋级|入围)`)
	pleads   = words.New(`(?:请|建议|应|须|务必|需|要)[^，。；]{0,24}$`)
	// announced matches an action of the issuer itself: 我厅将于….
	announced = words.New(`(?:(?:^|[^即])将|拟|计划|预计|预定)(?:会)?(?:于|在)[^，。；]{0,6}$`)
	asksNow   = words.New(`(?:请|应|须|可|务必|需|要|于|在)[^，。；]{0,24}$`)
	requests  = words.New(`请|可[将把]|务必|务于|须|需|要|(?:^|[，、）)．.])各|(?:上报|报送|报|送)(?:至|到|给)?(?:省|市|部|我)`)
	// mayOn matches the words before the period in which somebody must or can do something.
	mayOn = words.New(`(?:应当?|须|需|可以?|建议)[^，。；]{0,30}(?:于|在)\s*$`)
	// byApplicant matches the words after a period in which applicants do something.
	byApplicant = words.New(`^[，,]?\s*[^，。；]{0,10}(?:申请人|申报人|考生|学生|家长|监护人|参赛者|申请单位|申报单位|申报企业)`)
	pleaseOn    = words.New(`请[^，。；]{0,24}[，,]?(?:于|在)\s*$`)
	// toUs matches how the issuer refers to itself: 报送我厅.
	toUs = words.New(`(?:报|送|寄|交|发)(?:送|至|到|给)?我(?:厅|局|委|部|办|司|处|会|省|市|县|区|院|中心)`)
	// others matches bodies other than the reader that have a duty.
	others = words.New(`(?:各|有关|相关)(?:省|市|县|区|地|州|盟|级|镇|乡|街道)[^，。；]{0,24}(?:应当?|要|须|需)(?:于|在|[^。；]{0,24}[，,])?\s*$`)
	// reviewed matches what intermediate bodies do: 审核后于….
	reviewed = words.New(`(?:审核|初审|审查|复核|汇总|评审)[^，。；]{0,6}后[^，。；]{0,6}$`)
	// reviewers matches bodies that pass on what they reviewed, or whose permits expire.
	reviewers = words.New(`(?:审核|初审|评审)(?:部门|单位|机构)[^，。；]{0,12}$|(?:有效期|到期|届满)[^。；]{0,30}$`)
	provinces = words.New(`各省(?:份|要|应|可|须|需)`)
	// ofComments matches the words of calls for comments; the draft itself may state
	// deadlines for other things.
	ofComments = words.New(`意见|反馈|建议|来函|来信|函告|寄送|寄至|送至|线索`)

	// fromPublication and lasts match terms that are counted from the publication.
	fromPublication = words.New(`(?:自|在|于)?\s*本?(?:公告|公示|通知|通告|征求意见稿)?\s*(?:发布|公布|刊登|印发|公示|公告)之日起\s*` + amount + `\s*(个工作日|个自然日|日|天)(?:之|以)?内`)
	lasts           = words.New(`(公示|征求意见|意见征集|公告)(?:期限|期|时间)\s*(?:为|是|:|：)?\s*(?:自[^。，]{0,12}起|[^。，]{0,8}后)?\s*` + amount + `\s*(个工作日|个自然日|日|天)`)
	shownFor        = words.New(`(?:予以?|进行|向社会)(公示)\s*` + amount + `\s*(个工作日|个自然日|日|天)`)
)

const amount = `([0-9]{1,3}|[一二三四五六七八九十两]{1,3})`

// counted matches what is counted until a day: ages, works, figures.
var counted = words.New(`(?:数据|年龄|学历|学位|资历|资格|年限|工龄|退休|业绩|论文|获奖|计算|任职|聘期|户口|户籍|统计|注册|成立|登记|检验|在岗|毕业|出生|缴费|参保|取得)[^，。；》]{0,24}$`)

// label is the text before a day that says what the day is.
type label struct {
	text    string
	closes  bool // it says that the day is the last one
	fromNow bool // 即日起至
	isLabel bool // it has the form of a label: …时间, …日期
	isMoved bool // only a new day makes it the last one: 开学时间推迟至
}

var (
	connector = words.New(`(?:\s|[本下]?(?:周|星期|礼拜)[一二三四五六日天]|共?[0-9一二三四五六七八九十]{1,3}(?:个工作日|个自然日|天)|本(?:通知|公告|启事)(?:发布|发出|印发|下发|公布)?(?:起|开始)|[:：,，(（~～—–-]|为|即|是|于|自|从|在|到|至|定|应|须|约|暂|统一|安排|调整|延长|延期|延后|延迟|顺延|推迟|推后|提前|更正|变更|修改|改|现|截止|截至|截稿|不晚于|不迟于|不超过|最迟|最晚|即日起|(?:本)?(?:公告|公示|通知|通告|启事)?(?:发布|发表|公布|刊登|见报|发文|印发|下发|发出)之?日(?:起|开始)?)+$`)
	moved     = words.New(`(?:延长|延期|延后|延迟|顺延|推迟|推后|提前|调整|更正为?|变更为?|修改为|改为)(?:为|至|到)?[:：]?\s*$|(?:延长|推迟|顺延|提前)[^，,。；]{2,24}(?:时间|日期|期限)(?:为|至|到)\s*$`)
	// movedLabel matches what is moved, before the day that no longer applies.
	movedLabel = words.New(`[^，,。；：:、]{1,20}(?:时间|日期|期限)`)
	// postpones matches titles of texts that only move a day.
	postpones = words.New(`延长|延期|延后|延迟|顺延|推迟|更正|变更`)
	// begun matches the words before the last day of something whose first day precedes
	// them: 报名于3月12日开始，3月18日结束.
	begun = words.New(`(?:报名|申报|征集|受理|填报|投稿|申请|征求意见|公示)[^，,。；]{0,8}日[^，,。；]{0,14}(?:开始|起|始)[，,]\s*$`)
	// acts matches the words before a day on which that act ends: 报名10月30日截止.
	acts = words.New(`(?:报名|报考|申报|征集|投稿|征稿|填报|提交|报送)(?:工作)?(?:将)?(?:于|到|至)?$|(?:报名|申报|征集|投稿|征稿)(?:活动|工作)?自[^，,。；]{4,20}(?:开始|起)[，,]\s*(?:至|于|到)$`)
	// goesOn matches the words before the last day of an act: 报名将持续至.
	goesOn = words.New(`(?:报名|报考|申报|征集|征稿|投稿|招募)(?:工作|活动)?(?:将)?(?:一直)?(?:持续|延续)(?:至|到)\s*$`)
	// alongside matches what goes on while readers act, and ends on the same day:
	// 报名和资格初审时间.
	alongside = words.New(`(?:及|和|与)(?:网上|现场)?(?:缴费|交费|资格[初审][审查核]?)(?:时间|日期|期限)$`)
	closing   = words.New(`截止|关闭|截至|截稿|不晚于|不迟于|不超过|最迟|最晚|最后|截标`)
	nowOn     = words.New(`(?:即日|本(?:通知|公告|启事)(?:发布|发出|印发|下发|公布)?|(?:发布|发表|公布|刊登|见报|发文|印发|下发|发出)之?日)(?:起|开始)?\s*[，,]?\s*(?:至|到|[~～—–－-]+)`)
	labelHead = words.New(`(?:时间|日期|期限|期间|时限|时段|阶段|期内|期|日)$`)
	// andWhere matches the end of a label that includes more than the day:
	// 提交投标文件截止时间、开标时间和地点.
	andWhere = words.New(`((?:截止)?(?:时间|日期|期限))(?:[、和及与](?:开标|开启|评审)?(?:时间|日期|地点|地址|方式)){1,3}$`)
	// inBracket matches a remark between a label and its day: 递交截止时间（下同）为.
	inBracket = words.New(`[（(][^（）()]{1,20}[)）]$`)
	// anew matches the words between a label of another clause and a day:
	// 明确整改时限，于6月5日前报送.
	anew = words.New(`[，,]\s*(?:于|在)$`)
	// actLabel matches the end of a label that names an action of readers, whatever
	// precedes it: 本市户籍考生的报名时间.
	actLabel = words.New(`(?:报名|报考|申报(?:缴纳)?|申请|征集|投稿|摘要|填报|直报|报送|提交|递交|受理)(?:起止|截止|开始)?(?:时间|日期|期限|时段)$`)
	// ofLater matches labels of later stages.
	ofLater = words.New(`复核|复查|查分|复议|质疑|答疑|澄清|异议|退|补办|确认|保证金|押金|查询|整改|合同|开标|结果|决赛|^原`)
	// oldDay matches the day that is replaced, before the new one: 由8月20日延长至.
	oldDay    = words.New(`(?:由|从)(?:原[^，。；]{0,6})?(?:(?:(?:19|20)?\d{2}年)?\d{1,2}月)?\d{1,2}日[^，。；日]{0,10}$`)
	bareLabel = words.New(`^(?:截止|截至|最后|起止)?(?:时间|日期|期限|日)?$`)

	ourWords = words.New(`报名|征订|报考|申报|征集|征求|意见|反馈|受理|投稿|征稿|征件|收件|征文|摘要|填报|直报|填写|提交|递交|送达|报送|上报|推荐|申请|咨询|投标|标书|响应文件|应征|上传|遴选|招募|建议|申领|起止|截稿|邮寄|寄送|寄回|发送|递送|交稿|(?:系统|平台|通道|端口)(?:开[放通]|关闭)`)
	// calls matches titles of texts whose 公告期 is not the period for answering.
	calls = words.New(`招标|采购|磋商|谈判|询价|比选|成交|中标|招聘|招考|招生|申报|遴选|拍卖|出让|转让`)
	shows = words.New(`公示|公告`)
	// shownTitle matches titles of lists that are published for objections: 拟聘用人员名单.
	shownTitle   = words.New(`拟[^，。]{0,8}(?:人员|对象|项目|单位|企业)?名单`)
	foreignWords = words.New(`(?:兑[现付]|拨付|发放)(?:时间|日期|期限)|缴费|交费|缴款|打印|下载|查询|初审|审核|复审|复核|审查|笔试|面试|考试|测试|会议|开标|评标|评审|体检|公布|颁奖|年龄|学历|学位|业绩|资历|资格|年限|工龄|退休|论文|获奖|计算|任职|聘期|户籍|统计|数据|成立|注册|登记|取得|毕业|出生|缴纳|参保|检验|检测|执行|实施|施行|有效|生效|竣工|完工|试运行|维护|升级|停机|放假|宣讲|直播|^原|保证金|押金|完成(?:时间|时限|期限)|办[理结]时限|^结束时间|验收|培训|开班|开课|报到|合同|工期|交付|发售|出售|获取|购买|质疑|答疑|澄清|答辩|决赛|整改|检查|自查|认定|录取|确认|公证`)
)

// examOffice matches bodies and sites that are named after examinations.
var examOffice = words.New(`考试(?:院|中心|局|信息网|网)`)

// longestTail is the maximum number of characters between a label and its day in most
// texts.
const longestTail = 20

// labelOf reads the text directly before a day.
func labelOf(left string) (l label) {
	tail := connector.FindString(cut.Last(left, longestTail))
	if tail != "" && len(tail) == len(cut.Last(left, longestTail)) {
		tail = connector.FindString(left)
	}
	l.fromNow = nowOn.MatchString(tail)
	text := strings.TrimSpace(left[:len(left)-len(tail)])
	text = inBracket.ReplaceAllString(text, "")
	if moved.MatchString(left) {
		text = oldDay.ReplaceAllString(text, "")
	}
	text = andWhere.ReplaceAllString(text, "$1")
	l.text = enumerated.ReplaceAllString(cut.AfterLast(text, "，,、：:（）()“”"), "")
	l.isLabel = !anew.MatchString(tail) && labelHead.MatchString(l.text) || strings.Contains(tail, "安排") && ourWords.MatchString(cut.Last(l.text, 2))
	l.closes = closing.MatchString(tail) || l.isLabel && closing.MatchString(l.text)
	l.isMoved = !l.closes && moved.MatchString(left)
	l.closes = l.closes || l.isMoved
	return l
}

// verdict is what a label says about the day after it.
type verdict int

const (
	unknown verdict = iota
	ours            // readers can act until then, or in that period
	foreign         // something else happens then
)

// judge decides whether a label is that of a term for readers.
func (r Reader) judge(l label) verdict {
	if !l.isLabel && !l.closes {
		return unknown
	}
	if foreignWords.MatchString(examOffice.ReplaceAllString(alongside.ReplaceAllString(l.text, ""), "")) && (!actLabel.MatchString(l.text) || ofLater.MatchString(l.text)) || strings.Contains(l.text, "异议") && !r.isFor("公示") {
		return foreign
	}
	if !l.isLabel { // 截至6月5日
		if ourWords.MatchString(cut.Last(l.text, 6)) && (r.Asks || r.Comments) {
			return ours
		}
		return unknown
	}
	switch what := shows.FindString(l.text); {
	case strings.HasSuffix(l.text, "阶段") && !r.Asks:
		return unknown // the text is a plan
	case what == "公示" && strings.Contains(l.text, "意见"):
		return ours
	case what == "公示" && r.Asks && !r.isFor("公示"), what == "公告" && calls.MatchString(r.Title):
		return foreign
	case what != "":
		return ours
	case bareLabel.MatchString(l.text) && l.closes:
		if r.Asks || r.Comments {
			return ours
		}
	case ourWords.MatchString(l.text):
		if r.Comments && !ofComments.MatchString(l.text) && !strings.Contains(l.text, "征") && !strings.Contains(l.text, "咨询") {
			return unknown
		}
		return ours
	case l.closes && r.Asks && (!l.isMoved || postpones.MatchString(r.Title)):
		return ours
	}
	return unknown
}

// action is what a verb asks readers to do.
type action int

const (
	nothing action = iota
	sends          // send something to the issuer, apply, comment
	does           // do something else by that day
)

var (
	sendVerb = `报[^道名告酬刊表考销警社纸，。；、]{1,8}(?:处|科|办|室)|登录[^。；]{0,80}?(?:报名|预订|填报|填写|申报|提交)|预订|报[^，。；、]{2,16}(?:邮箱|信箱)|报(?:送|省|市|部|我|至|国|县|区|厅|局|给|到[我省市县]|名|备|组委会|学校)|上报|申报|呈报|填报|填写|提交|递交|递送|上传|反馈|寄(?:送|至|到|往|交|达|回)|邮寄|发(?:送|至|到|回|电子版|给(?:会务组|组委会|秘书处)(?:$|[^指]))|传真|传至|送(?:至|达|交|省|市|我|到)|交(?:至|到|给|回|我|市|省)|电邮|反映|推荐|提出|提供(?:书面)?(?:意见|建议)|发表|申请|函(?:告|送|复|报)|来(?:函|信|电)|[投放]入[^，。；]{0,16}投标箱|联系|回复|投(?:稿|递)|接受|受理`
	doVerb   = `上线|结束|运营|列入|纳入|完成|办结|建成|建立|实现|落实|到位|达到|整改|出台|制定|竣工|投入|启动|成立|取得|审核|审查|复核|初审|评审|公布|印发|召开|举行|举办|下发|拨付|缴纳|缴费|打印|参加|领取|购买|支付|付款|退还|归还|拆除|开工|投产|通车|报到|验收|结题|清理|核查|到达|抵达|到场|入场|发放|兑付|查看[^，。；]{0,8}是否|汇[至入]|出生|毕业|发布|颁发|公示`
	verbs    = words.New(`(` + sendVerb + `)|(` + doVerb + `)`)
	// nominal matches what makes a verb part of a noun: 申报材料.
	nominal = words.New(`^(?:缴费(?:网站|系统|平台)|材料|资料|书|表|单位|人(?:[^事社力才大]|$)|者|辅导|培训|宣传|动员|指导|宣讲|咨询|复核|复查|查分|复议|仲裁|领取|退还|条件|系统|平台|网站|指南|名单|文件|函|汇总|工作|流程|要求|对象|主体|企业|的|方式|渠道|截止|时间|期|日|程序|费|网址|邮箱|机构|类别|范围|数据|情况|信息|专业|通道|端口|入口|推荐|评审|认定|后|材|手册|所需|项目(?:的|清单|汇总|材料|名单|申报))`)
	// towards matches the end of a verb that is followed by a destination: 发至邮箱.
	towards = words.New(`[至到往]$`)
	// object matches a verb and its object: 报送数据 at the end of a clause, 上报推荐名单.
	object = words.New(`^(?:报送|提交|上报|递交|反馈|填报|填写|上传)(?:相关|有关|申请|书面)?(?:材料|资料|名单|文件|数据|情况|信息)(?:[，,。；（(]|$)|^(?:报送|提交|上报)推荐(?:企业|单位|项目|人选|名单|材料|表)`)
	// finishes matches what can be the object of 完成 for readers: 完成网上申请.
	finishes = words.New(`^[^，。；、]{0,24}?(?:申报|申请|报名|填报|填写|报送|提交|注册|投稿|推荐|上传|上报)(?:工作|手续|流程|程序|事宜|操作)?(?:[，,。；、（(并]|$)`)
	atOnce   = words.New(`^[，,]?\s*(?:统一|一并|书面|集中)?(?:报|寄|送|交)(?:[^道名告酬刊表考销价警废易流往付纳]|付[^税款]|纳[^税款])|^提供(?:有关|相关)[^，,。；、]{0,4}(?:材料|资料)`)
	// thenToUs matches the verb after something that must be done: 制定方案并报送省厅.
	thenToUs = words.New(`(?:报送|上报|呈报|报|函告)(?:至|到|给)?(?:省|市|县|区|部|我|国家|委|厅|局|财政|教育|人力|民政)`)
	reviews  = words.New(`审核|审查|复核|初审|评审|公示`)
	hands    = words.New(`^[，,]?\s*[^，。；]{0,20}?(?:将|把)`)
	handOver = words.New(`发给(?:我|会务组|组委会|秘书处)|报(?:送|省|市|部|我|至|国|县|区|厅|局|给|到|组委会)|上报|呈报|发送|发至|发到|寄|送(?:至|达|交|省|市|我|到)|提交|递交|上传|反馈|函(?:告|送|复|报)|传真|交(?:至|到|给|回|我|市|省)|电邮|(?:电子|纸质)[版档稿件](?:发|交)|交[^通流易叉往接，。；、]{1,8}(?:处|科|办|室)|(?:统一)?报[^道名告酬刊]`)
)

// verbOf returns the action of the first verb in the rest of a sentence.
func verbOf(s string) action {
	if atOnce.MatchString(s) {
		return sends
	}
	if hands.MatchString(s) { // 将…报送: names of things precede the verb
		if handOver.MatchString(s) {
			return sends
		}
		return nothing
	}
	for _, at := range verbs.FindAllStringSubmatchIndex(s, maxMentions) {
		after := s[at[1]:]
		switch {
		case at[2] >= 0 && (!nominal.MatchString(after) || object.MatchString(s[at[0]:]) || towards.MatchString(s[at[0]:at[1]])):
			return sends
		case at[2] >= 0, nominal.MatchString(after):
		case s[at[0]:at[1]] == "完成" && finishes.MatchString(after) && !reviews.MatchString(finishes.FindString(after)):
			return sends
		case thenToUs.MatchString(after):
			return sends
		default:
			return does
		}
	}
	return nothing
}
