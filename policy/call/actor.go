package call

import (
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/deadline"
	"dibao/policy/words"
)

// actor says whom a day is for.
type actor int

const (
	// unknown means that nobody is named, or that the issuer acts.
	unknown actor = iota
	// unclear means that the text does not say whether readers or bodies have to act.
	unclear
	readers
	others
	// either means that the text names only 单位 or 学校, which may apply or pass applications on.
	either
)

var (
	// between matches bodies between the applicants and the issuer.
	between = words.New(strings.Join([]string{
		`(?:各级?|有关|相关|所在|当地|上级|行业|归口|科研|属地|市|县|区|省|人社|教育|业务|科技|财政|工信|商务)*(?:管理|主管|归口管理|推荐|初审|审核)(?:部门|单位|机构)`,
		`(?:组织|依托|保护|所在|责任|提名|承办|主办|协办)(?:部门|单位)|提名者`,
		`(?:各|有关|相关)(?:设区的?|地级以上|省辖|直属)?(?:省|市|县|区|地|州|盟|旗|镇|乡|街道|级)[^,。;:]{0,30}?(?:局|委|厅|部门|团委|办|协会|政府|管委会|机构)`,
		`[各一二三四五六七八九十]大?(?:片区|赛区)|分赛区`,
		`各(?:(?:省|市|县|区|州|盟|地|设区|园|镇|街道?|乡)、?){1,3}(?:\([^()]{1,10}\))*(?:街道)?(?:于|应|须|要|将|负责|请|对|组织|重点)`,
		`(?:市|县|区|旗|镇|街道|属地|所在地)[^,。;:的向报送至]{0,12}?(?:局|委|厅|办|部门)(?:于|应|须|要|负责|会同|在|对|统一)`,
		`各地(?:区)?(?:[^,。;:]{0,24}?(?:局|委|厅|部门|办))?`,
		`(?:人社|财政|科技|教育|工信|商务)部门|各(?:地级以上)?市科技局|团委`,
		`(?:院校|单位|学校|学院|院系|[省市县区校院]级?|县\(市\))(?:初审|审核|推荐|复审|遴选)`,
		`各省(?:级)?[^,。;:]{0,24}?(?:局|委|厅|部门|办)`,
		// Departments of universities and schools.
		`(?:各|有关|相关|所在)+(?:二级)?(?:学院|院系|教学单位|高校|院校)|各(?:校|部门)(?:于|应|须|要|将|请|需)|二级(?:单位|学院|部门)|(?:学院|院系|系部)(?:于|应|须|要|将|负责|统一)`,
		`辅导员|班主任|(?:科研|教学)(?:秘书|干事)`,
		// Bodies of the lowest level, and associations.
		`(?:街道办(?:事处)?|社区|居委会|村委会)(?:于|应|须|要|将|负责)|请社区`,
		// A body with any name after "every", with its duty: 各教研室应.
		`各[^,。;:的企人者项类]{1,10}(?:总支|支部|[部室处科所站系]|中心)(?:于|应|须|要|将|请|需|负责|对|组织|统一|初审|审核|推荐|汇总)`,
		`(?:推荐|申报|报送)渠道|各[^,。;:]{0,6}(?:作协|文联|社科联|商会|协会|学会)`,
	}, "|"))
	// itself matches bodies that decide: the issuer and its experts.
	itself = words.New(`(?:我[厅局委部办会所处院校]|本[局厅委会校院]|省(?:科技厅|工信厅|教育厅|经信委|农业农村厅)|学校|校团委|(?:科研|科技|社科|教务|人事)处|组委会|评委会|评审委员会|专家组|(?:^|[^及和与、])专家)(?:将|会|拟|于|组织)|拨付|公布结果|复审`)
	// recipient matches the words before a body to which, or through which, something is
	// sent.
	recipient = words.New(`(?:[向送至交经到给]|联系|(?:^|[^申填])报)[^,。;:请于应须需]{0,12}$`)
	// applicants matches words for applicants.
	applicants = words.New(`(?:申报|申请|牵头|项目|承担|应征|参赛|投标|参评|参展|参选|报名|应聘|拟申报)(?:项目)?(?:单位|人员|人|者|企业|机构|团队|选手|作者|组织|集体)|(?:申报|申请|参评)主体|(?:申请|申报|报奖|报送|参赛|参评|应征)者|(?:项目|课题)负责人|(?:项目|课题)的?主持人|用人单位|供应商|投标人|个人申请|申请人|投稿[者人]?|有意[^,。]{0,12}|经营者|作者|参加者|(?:老师|教师|同学|考生|毕业生|学生|研究生|作家|市民|居民|社会组织)(?:$|[应须需可请要于在将按]|本人|提出申请|自行|自愿|登录|填|提交|报名)|(?:各|有关|相关|条件的)(?:类)?企业|企业(?:$|[应须需可请要于在将]|通过|登录|填|提交|报名|自愿)`)
	// ofOffice matches what makes a word for applicants part of the name of an office: 学生处.
	ofOffice = words.New(`^(?:工作)?[处部办]`)
	// led matches the words before applicants whom others organize: 组织辖区内企业申报.
	// Those who passed a review act themselves: 通过初审的企业.
	led = words.New(`(?:组织|收集|督促|(?:^|[^其或])指导|动员|引导|发动|辖区|会同|协助|帮助|通知)[^,。;]{0,16}$|初审(?:[^,。;通合的][^,。;]{0,15})?$`)
	// addressed matches the words before people or companies whom the issuer asks. They are not the
	// subject of the clause: 向相关企业征求意见.
	addressed = words.New(`(?:^|[^意方面导走定转倾])向[^,。;:的]{0,20}$`)
	// hands matches documents that only intermediate bodies submit.
	hands = words.New(`(?:^|[^凭据按照])(?:评选|评审|遴选|初审|审核)结果(?:\([^()]{1,30}\))?(?:$|[于在报上])|推荐(?:[^,。;]{0,4}汇总表|表|文件|公?函|名单|材料|意见|表及|企业汇总表|项目清单)|(?:审核|初审)意见|以(?:各|二级)*(?:学院|院系|部门|学校|系部?)为单位|汇总(?:审核|整理)?后|汇总表|正式(?:文件|行文|公文)|收集(?:筛选|汇总|整理)|统一(?:汇总|行文)|联合上报|推荐项目清单|推荐工作|完成[^,。;]{0,6}(?:审[查核]|初审|推荐|汇总)|网上审[查核]|审核推荐|汇总整理|上报推荐|项目汇总表|项目审核表`)
	// ownLabel matches labels of what applicants do themselves.
	ownLabel = words.New(`(?:报名|申报)[及和与][^,。;]{2,8}(?:时间|日期)|(?:征文|征稿|交稿|提交|递交|送达|申报材料)(?:活动)?的?(?:截止)?(?:时间|日期|期限|阶段)|(?:报名|申报|填报|投稿|征稿|征集)\(?$|(?:网上|在线|集中|网络|单位|企业|个人|项目|现场)*(?:申报|填报|报名|申请|投稿|应征|投标|征集|截稿)(?:的)?(?:截止|起止|受理|最后){0,2}(?:时间|日期|期限|阶段|截止|截至)|受理(?:截止|起止)?(?:时间|日期|期限)|(?:接收|收取)[^,。;:]{0,8}(?:截止|截至)(?:时间|日期)|(?:申报|报名|征集|投稿|申请)(?:工作|活动)?(?:自|从|于)|征求意见|公示(?:$|[^后无结])|意见征集|个人申请|项目申报[(]|意见(?:反馈|征集)|反馈截止|截稿`)
	// closesCall matches the words before the last day of something that everybody is asked for in the
	// clause before: 向各有关单位公开征文,时间截至.
	closesCall = words.New(`(?:征文|征稿|征集|报名|申报),\s*(?:截[止至])?时间(?:为|是|到|至|截[止至]到?)*\s*$`)
	// anybody matches the words after the last day on which everybody can object.
	anybody = words.New(`^[^,。;]{0,6},?\s*(?:任何|社会各界)`)
	// decides matches what the issuer does by a day: 学校将组织评审并公布结果.
	decides = words.New(`^(?:学校|校团委|组委会|主办方|评委会|我[厅局委部办会处院校]|本[局会])将(?:组织|公布|统一|进行)`)
	// personal matches the words after a period in which applicants act first: 6月1日至9日:个人申报及学院推荐.
	personal = words.New(`^(?:个人|学生|教师|作者|申[报请][人者])(?:本人|自主|自愿)?(?:网上|提交|提出)?(?:申报|申请|报名)`)
	// freely matches the words after a day by which applicants decide to apply.
	freely = words.New(`(?:自主|自愿|自行)(?:网上|在线|登[录陆][^,。;]{0,16})?(?:申报|申请|报名|填报)`)
	// requested matches a request after a label.
	requested = words.New(`请|须|应当?|需|务必|各|将`)
	// ownClosing matches a label that is unambiguous, whatever follows its day.
	ownClosing = words.New(`(?:申报|报名|投稿)\($|(?:申报|填报|报名|提交|投稿)(?:受理)?截止(?:时间|日期)(?:为|:|是)?\s*$`)
	// passing matches words about documents that applicants give to a body that submits
	// them.
	passing = words.New(`由(?:各)?[^,。;]{0,12}(?:主管部门|推荐单位|归口[^,。;]{0,6}|管理部门|科技局)[^,。;]{0,8}(?:汇总|审核)[^,。;]{0,10}(?:交|报|送)`)
	// gathers matches words about bodies that collect, select or review applications.
	gathers = words.New(`(?:^|[^格])初审|推荐(?:上报|单位|部门|函|名额|指标|限额|汇总)|(?:审核|择优|遴选)推荐|把关|汇总|统一(?:报送|上报|行文|组织)|限额|限报|名额分配|归口|(?:各|你|请)(?:有关)?(?:单位|部门|校|地|市|县|区|学院)[^,。;]{0,14}(?:组织|发动|动员|指导|推荐|审核|遴选|宣传)`)
	// issuerGathers matches words about the issuer that does so itself.
	issuerGathers = words.New(`(?:秘书处|组委会|我[厅局委部办会处]|本[局会])[^,。;]{0,6}将(?:对[^,。;]{0,12})?(?:统一|集中)?(?:汇总|初审)`)
	// recommends matches titles of notices to bodies that recommend others.
	recommends = words.New(`推荐|提名|推选`)
	// passed matches the end of a clause that says that bodies review the documents first:
	// 市级初审后.
	passed = words.New(`(?:初审|初评|审核|复审|审查|评审)[^,。;通过]{0,6}后$`)
	// forwards matches a clause that asks all addressees to select or review for the issuer:
	// 各单位组织推荐.
	forwards = words.New(`各[^,。;]{0,24}(?:推荐|推选|审核|遴选|把关|选拔|汇总)`)
	// reviewed matches words about intermediate bodies, in the preceding sentences.
	reviewed = words.New(`(?:学院|各单位|部门|学校|院系|归口单位|科研处|推荐单位|中心校)(?:应|须|要|负责)?(?:对|组织)[^。]{0,60}(?:审核|评审|初审|推荐|汇总|遴选)`)
)

// actor decides whom a day is for. It is the reader's only if its clause, its label or its
// heading says so, or if the notice involves nobody else.
func (r *reading) actor(l line, d deadline.Day) (actor, string) {
	clause, sentence := clauseBefore(l.text, d.At)
	after := dutyAfter(l.text[d.At:])
	if r.call.Kind == KindObjection && d.Ours && anybody.MatchString(l.text[min(d.End, len(l.text)):]) {
		return readers, ""
	}
	if freely.MatchString(after) {
		return readers, ""
	}
	given := hands.MatchString(clause) || hands.MatchString(remarks.ReplaceAllString(after, ""))
	if who, by := actorOf(clause); who != unknown {
		return r.settled(who, by, clause, sentence, given)
	}
	switch {
	case passed.MatchString(strings.TrimRight(clause, "于在 ")):
		return others, ""
	case itself.MatchString(clause):
		return unknown, ""
	case (labels(clause) || closesCall.MatchString(sentence)) && !hands.MatchString(clause):
		if r.addressed == others && recommends.MatchString(r.title) {
			return unclear, "" // those who recommend may apply, too: for a number, an account
		}
		return readers, ""
	}
	next := nextClause(l.text[min(d.End, len(l.text)):])
	if personal.MatchString(next) {
		return readers, ""
	}
	if decides.MatchString(next) {
		return unknown, ""
	}
	if who, by := subjectOf(cut.First(next, 24)); by != "" && !startsWithVerb.MatchString(next) && strings.Index(next, by) <= nearby && (who == others || !hands.MatchString(next)) {
		return who, by
	}
	if given {
		return others, ""
	}
	for rest := strings.TrimSuffix(sentence, clause); rest != ""; {
		rest = strings.TrimRight(rest, ",")
		c := cut.AfterLast(rest, ",")
		if who, by := actorOf(c); who != unknown {
			return r.settled(who, by, c, sentence, given)
		}
		if passed.MatchString(c) || forwards.MatchString(c) {
			return others, ""
		}
		if itself.MatchString(c) {
			return unknown, ""
		}
		rest = strings.TrimSuffix(rest, c)
	}
	return r.unnamed(l, d, clause, sentence)
}

// nearby is the maximum number of bytes between a day and the subject after it.
const nearby = 12

// settled decides whom a day is for if its sentence names somebody. given says that it is
// for documents that only intermediate bodies submit.
func (r *reading) settled(who actor, by, clause, sentence string, given bool) (actor, string) {
	switch {
	case given && who != others && !(who == readers && r.addressed == readers), who == either && forwards.MatchString(sentence):
		return others, by
	case who == others && itself.MatchString(clause):
		return unknown, ""
	case who != either:
		return who, by
	case r.addressed == others:
		return others, by
	case r.gathered && !r.asksAll():
		return unclear, by
	}
	return readers, by
}

// unnamed decides whom a day is for if its sentence names nobody: by its heading, the
// preceding sentences, and the addressees of the notice.
func (r *reading) unnamed(l line, d deadline.Day, clause, sentence string) (actor, string) {
	after := clauseAfter(l.text, min(d.End, len(l.text)))
	own := accepts.MatchString(after) || ends.MatchString(after) && asksFor.MatchString(sentence) || ownLabel.MatchString(d.Left) || ownLabel.MatchString(sentence) || ownLabel.MatchString(l.above) || ownLabel.MatchString(l.heading)
	if own && !requested.MatchString(clause) && bare.MatchString(after) {
		return readers, ""
	}
	switch {
	case r.addressed == others && closes.MatchString(clause):
		return unclear, "" // 截止日期 alone may also be the last day of those whom the bodies inform
	case r.addressed == others:
		return others, ""
	}
	if r.asksAll() && d.Ours {
		return readers, ""
	}
	before := cut.Last(strings.TrimSuffix(l.text[:d.At], sentence), 240)
	if reviewed.MatchString(before) {
		return others, ""
	}
	for rest := strings.TrimRight(before, ",。;"); rest != ""; {
		c := cut.AfterLast(rest, ",。;")
		if who, by := subjectOf(c); who != unknown {
			return who, by
		}
		rest = strings.TrimRight(strings.TrimSuffix(rest, c), ",。;")
	}
	r.isWeak = bare.MatchString(after) && !own && !strings.Contains(clause, "截")
	switch {
	case !d.Ours && !r.dueOn(d):
		return unknown, ""
	case own, closes.MatchString(clause), r.addressed == readers, !r.gathered:
		return readers, ""
	}
	return unclear, ""
}

// asksAll reports whether the text asks everybody, so that no body passes anything on.
func (r *reading) asksAll() bool {
	return r.call.Kind == KindObjection || r.call.Kind == KindConsultation
}

// labels reports whether a clause has a label of what applicants do, and no request after it.
func labels(clause string) bool {
	at := ownLabel.FindStringIndex(clause)
	return at != nil && !requested.MatchString(clause[at[1]:])
}

// nextClause returns the clause after a day, without the words before its subject; "" if the
// clause has its own day.
func nextClause(s string) string {
	s = cut.BeforeFirst(strings.TrimLeft(s, ", "), ",。;!?")
	if strings.Contains(s, "月") && aDay.MatchString(s) {
		return ""
	}
	return strings.TrimLeft(s, " |\t:请由")
}

var aDay = words.New(`\d月\d{1,2}日`)

// subjectOf finds the subject of a clause by the words for applicants and bodies.
func subjectOf(clause string) (actor, string) {
	clause = titles.ReplaceAllString(clause, "")
	for _, at := range between.FindAllStringIndex(clause, 8) {
		if !recipient.MatchString(clause[:at[0]]) {
			return others, strings.TrimRight(clause[at[0]:at[1]], "于应须要将负责会同在")
		}
	}
	for _, at := range applicants.FindAllStringIndex(clause, 8) {
		if !led.MatchString(clause[:at[0]]) && !addressed.MatchString(clause[:at[0]]) && !ofOffice.MatchString(clause[at[1]:]) {
			return readers, afterName.ReplaceAllString(strings.TrimPrefix(clause[at[0]:at[1]], "条件的"), "")
		}
	}
	return unknown, ""
}

// afterName matches the verb after a name that applicants matches with it: 企业请.
var afterName = words.New(`(?:[应须需可请要于在将按填]|通过|登录|提交|自愿|自行)$`)

// actorOf finds the subject of a clause by known words, or by its position.
func actorOf(clause string) (actor, string) {
	if who, by := subjectOf(clause); who != unknown {
		return who, by
	}
	m := subjectAt.FindStringSubmatch(titles.ReplaceAllString(clause, ""))
	if m == nil {
		return unknown, ""
	}
	if selects.MatchString(m[1]) {
		return unknown, ""
	}
	name := andPeople.ReplaceAllString(brackets.ReplaceAllString(m[1], ""), "")
	switch {
	case unitNames.MatchString(name):
		return either, m[1]
	case strings.HasPrefix(name, "各") && !things.MatchString(name):
		return others, m[1]
	case bodies.MatchString(name) && !announced.MatchString(m[0]):
		return others, m[1]
	}
	return unknown, ""
}

var (
	// subjectAt matches the subject of a clause before its verb, or before a day.
	subjectAt = words.New(`^(?:[^,:]{0,12}:|\s*[(]?[一二三四五六七八九十\d]{1,3}[)、.]+)?(?:请|由|凡|并请|要求|希望)*([^,。;:\d请应于须需要将可在按把对如若拟]{1,24}?)(?:请|应|须|需|要|务必|务|必须|将|可|于|在|按|如|若|拟|\d|根据|对|把|组织|负责|认真|严格|积极|结合|统一|集中|做好|收集|汇总|审核|推荐|遴选|指导|$)`)
	// selects matches the verb of a clause without a subject, whose object is not a subject: 推荐符合条件的单位.
	selects = words.New(`^(?:推荐|推选|遴选|选拔)[^单]`)
	// startsWithVerb matches the beginning of a clause without a subject.
	startsWithVerb = words.New(`^(?:将|把|联系|向|报|送|寄|发|提交|经)`)
	// bare matches the rest of a clause that only a label or a heading explains.
	bare    = words.New(`^[ 止]*(?:接受|受理)?(?:申报|报名|申请|投稿|征稿|征集)?(?:截止|结束)?$`)
	accepts = words.New(`^[ 止]*(?:接受|受理)(?:申报|报名|申请|投稿|征集)`)
	ends    = words.New(`^ *(?:截止|结束)`)
	asksFor = words.New(`申报|报名|申请|投稿|征集`)
	// closes matches a label that only says that a day is the last.
	closes   = words.New(`^\s*截[止至](?:日期|时间)`)
	remarks  = words.New(`\([^()]*\)`)
	brackets = words.New(`\([^()]{0,12}\)`)
	// andPeople matches the people whom a text names together with units: 各单位及专家.
	andPeople = words.New(`(?:及|和|与|、)(?:有关|相关)?(?:专家|个人)$`)
	unitNames = words.New(`(?:单位|社团|部门|学校|高校|院校|机构|协会|学会|商会)$`)
	// announced matches the end of the words of an issuer about itself: 省厅将.
	announced = words.New(`[将拟]$`)
	bodies    = words.New(`(?:局|厅|委|办|处|科|室|院|系|部|中心|团委|总支|支部|街道|镇|乡|政府|管委会|政区|分会|工会|小组)$`)
	// things matches words after 各 that are not bodies.
	things = words.New(`材料|资料|表|书|文件|作品|论文|版|项|类|份|件|奖|时间|阶段|环节|企业|人|者|个`)
)

// dutyAfter returns what must be done by a day: the rest of its clause, or the next clause
// if the clause ends with the day (6月5日前,将…).
func dutyAfter(s string) string {
	s = cut.BeforeFirst(cut.First(s, 90), "。;!?")
	clause, rest, found := strings.Cut(s, ",")
	if found && endsWithDay.MatchString(clause) {
		next, _, _ := strings.Cut(rest, ",")
		return next
	}
	return clause
}

var endsWithDay = words.New(`[前止](?:\([^()]*\))?\s*$`)

var (
	// parts matches parts of the country, whose bodies pass on what they receive.
	parts    = words.New(`^各(?:省|市|设区|地|区|县|直辖市|盟|州)`)
	regional = words.New(`协会|学会|商会|规划办`)
	// addresses matches lines of addressees, heads other lines that end with a colon.
	addresses = words.New(`各|有关|相关|全[体省市区校院]|(?:局|委|厅|部门|办|处|院|系|企业|公司|单位|学校|高校|同学|老师|协会|学会|街道|镇|乡)$`)
	heads     = words.New(`时间|方式|材料|要求|条件|程序|内容|如下|事项|通知|安排|说明|地址|电话|邮箱|联系|流程|步骤|范围|标准|附件`)
	// applying matches addressees who apply themselves, unitNamed those who apply or pass
	// applications on.
	applying  = words.New(`企业(?:集团)?$|公司$|会员(?:单位|企业)?$|同学|学生|师生|教职工|老师$|教师$|个人|市民|居民|群众|公众|社会各界|社会组织$|合作社|农户|经营者|作家|用户|考生|家长|者$|(?:申报|申请|参赛|参展|参评|投标|用人)(?:单位|人)$|集团$|专家$`)
	collects  = words.New(`管理企业|(?:推荐|归口|主管|二级|提名|依托|管理|组织)单位|会员管理`)
	unitNamed = words.New(`单位$|机构$|高校$|院校$|学校$|大学$|中学$|院所$|研究院$|研究所$|协会$|学会$|商会$|研究会$|医院$|企事业|^(?:各|有关|各有关|相关|省直有关|市直有关)*部门$`)
)

// addresseesOf returns whom the line of addressees names, which ends with a colon: readers,
// others who pass applications on, or either.
func addresseesOf(lines []line) actor {
	for _, l := range lines[:min(len(lines), 4)] {
		names, found := strings.CutSuffix(strings.TrimRight(l.text, " "), ":")
		if n := utf8.RuneCountInString(names); !found || n > 200 || n < 2 || strings.ContainsAny(names, "。;") {
			continue
		}
		if heads.MatchString(names) {
			return unknown
		}
		if !addresses.MatchString(names) {
			continue
		}
		names = brackets.ReplaceAllString(names, "")
		local, whom := parts.MatchString(names), unknown
		for _, a := range strings.FieldsFunc(names, func(c rune) bool { return c == '、' || c == ',' || c == ' ' }) {
			who := others
			switch {
			case collects.MatchString(a), local && regional.MatchString(a) && !strings.Contains(a, "全国"):
			case applying.MatchString(a):
				who = readers
			case unitNamed.MatchString(a):
				who = either
			}
			if whom != unknown && whom != who {
				return either
			}
			whom = who
		}
		return whom
	}
	return unknown
}
