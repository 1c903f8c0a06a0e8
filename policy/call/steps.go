package call

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"dibao/policy/cut"
	"dibao/policy/deadline"
	"dibao/policy/when"
	"dibao/policy/words"
)

// Step is something to do within a period. First is the zero Date if the text gives only
// the last day.
type Step struct {
	What     string // 网上填报, 纸质报送, 审核推荐 …, "" if the text does not name it
	By       string // who does it, as written, "" if the text does not say
	First    when.Date
	Last     when.Date
	Time     string `json:",omitempty"` // the time of day on Last in China, such as 17:00; "" if the text does not give it
	Moved    bool   // it replaces an earlier day
	Evidence string
	In       string `json:",omitempty"` // as in Said
}

var (
	// between matches bodies between the applicants and the issuer.
	between = words.New(strings.Join([]string{
		`(?:各级?|有关|相关|所在|当地|上级|行业|归口|科研|属地|市|县|区|省|人社|教育|业务|科技|财政|工信|商务)*(?:管理|主管|归口管理|推荐|初审|审核)(?:部门|单位|机构)`,
		`(?:组织|依托|保护|所在|责任|提名)(?:部门|单位)`,
		`(?:各|有关|相关)(?:设区的?|地级以上|省辖|直属)?(?:省|市|县|区|地|州|盟|旗|镇|乡|街道|级)[^,。;:]{0,30}?(?:局|委|厅|部门|团委|办|协会|政府|管委会|机构)`,
		`[各一二三四五六七八九十]大?(?:片区|赛区)`,
		`各(?:省|市|县|区|州|盟|地|设区|园|镇|街){1,3}(?:\([^()]{1,10}\))*(?:于|应|须|要|将|负责|请|对|组织|重点)`,
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
	itself = words.New(`(?:我[厅局委部办会所处院校]|本[局厅委会校院]|省(?:科技厅|工信厅|教育厅|经信委|农业农村厅)|学校|(?:科研|科技|社科|教务|人事)处|组委会|评委会|评审委员会|专家组?)(?:将|会|拟|于|组织)|拨付|公布结果|复审`)
	// recipient matches the words before a body to which, or through which, something is
	// sent.
	recipient = words.New(`(?:[向送至交经到给]|联系|(?:^|[^申填])报)[^,。;]{0,12}$`)
	// applicants matches words for applicants.
	applicants = words.New(`(?:申报|申请|牵头|项目|承担|应征|参赛|投标|参评)(?:单位|人|者|企业|机构)|(?:申报|申请|参评)主体|申请者|申报者|(?:项目|课题)负责人|用人单位|供应商|投标人|个人申请|申请人|老师|教师|同学|考生|投稿[者人]?|有意[^,。]{0,12}|毕业生|学生|经营者|(?:各|有关|相关|条件的)(?:类)?企业|企业(?:$|[应须需可请要于在将]|通过|登录|填|提交|报名|自愿)`)
	// ofOffice matches what makes a word for applicants part of the name of an office: 学生处.
	ofOffice = words.New(`^(?:工作)?[处部办]`)
	// led matches the words before applicants whom others organize: 组织辖区内企业申报.
	led = words.New(`(?:组织|督促|指导|动员|引导|发动|辖区|会同|协助|帮助|通知)[^,。;]{0,16}$`)
	// hands matches documents that only intermediate bodies submit.
	hands  = words.New(`推荐(?:[^,。;]{0,4}汇总表|表|文件|函|名单|材料|意见|表及|企业汇总表|项目清单)|(?:审核|初审)意见|汇总(?:审核|整理)?后|汇总表|正式(?:文件|行文|公文)|收集(?:筛选|汇总|整理)|统一(?:汇总|行文)|联合上报|推荐项目清单|推荐工作|完成[^,。;]{0,6}(?:审[查核]|初审|推荐|汇总)|网上审[查核]|审核推荐|汇总整理|上报推荐|项目汇总表|项目审核表`)
	duties = words.New(`审核|审查|推荐|汇总|报送|上报|提交|报|送|完成|反馈|初审|发送|集中`)
	// ownLabel matches labels of what applicants do themselves.
	ownLabel = words.New(`(?:网上|在线|集中|网络|单位|企业|个人|项目|现场)*(?:申报|填报|报名|申请|投稿|应征|投标|征集|截稿)(?:的)?(?:截止|起止|受理){0,2}(?:时间|日期|期限|阶段|截止|截至)|征求意见|公示|意见征集|个人申请|项目申报[(]|意见(?:反馈|征集)|反馈截止|截稿`)

	// ownClosing matches a label that is unambiguous, whatever follows its day.
	ownClosing = words.New(`(?:申报|填报|报名|提交|投稿)(?:受理)?截止(?:时间|日期)(?:为|:|是)?\s*$`)
	// passing matches words about documents that applicants give to a body that submits
	// them.
	passing = words.New(`由(?:各)?[^,。;]{0,12}(?:主管部门|推荐单位|归口[^,。;]{0,6}|管理部门|科技局)[^,。;]{0,8}(?:汇总|审核)[^,。;]{0,10}(?:交|报|送)`)

	// ofThose matches the words after a day that only says whom a rule applies to:
	// 5月30日之前的可以申请. It also matches those after a day until which something was counted:
	// 截至9月30日,共收到.
	ofThose = words.New(`^(?:列入|认定|取得|获得|注册|成立|登记|投产|建成)[^,。;]*的|^的(?:$|[,)]|可|均|不|除外|[^,。;]{0,12}[,)])|^,?\s*(?:共|累计|已)(?:收|有|征|计|接)`)

	// counted matches the words before a day until which something is counted, or a project
	// runs.
	counted = words.New(`(?:统计|数据|时点|年龄|业绩|计算)[^,。;]{0,6}(?:截止|截至|时间|日期)[^,。;]{0,6}$|(?:申请书|研究|实施|执行|合同|任务书?|服务|建设)的?(?:起止|执行|实施|研究)?(?:时间|期限|期|周期|年限)(?:统一)?[^,。;]{0,6}$|项目起止[^,。;]{0,10}$`)

	whats = []struct {
		what  string
		words *words.Regexp
	}{
		{"意见反馈", words.New(`征求[^,。]{0,8}意见|(?:提出|书面|修改)[^,。]{0,6}意见|意见(?:建议|反馈|征集)|反馈`)},
		{"公示", words.New(`公示`)},
		{"审核推荐", words.New(`审核|审查|初审|推荐`)},
		{"递交响应文件", words.New(`投标|响应文件|标书|报价`)},
		{"网上填报", words.New(`网上|网络|在线|系统|平台|填报|上传`)},
		{"纸质报送", words.New(`纸质|书面|纸件|一式|报送|寄|送达|送交|报交`)},
		{"电子邮件", words.New(`邮箱|电子版|发送至|发至|@`)},
		{"报名", words.New(`报名`)},
		{"投稿", words.New(`投稿|征稿|征文|截稿|论文`)},
		{"申报", words.New(`申报|申请|受理|征集`)},
	}
)

// steps reads the days of a line by which something must be done, and who must do it.
func (r *reading) steps(l line) {
	if !strings.Contains(l.text, "月") || len(r.call.Steps)+len(r.call.ByOthers) >= maxEntries {
		return
	}
	end := 0 // end of the previous day
	for _, d := range r.terms.Days(l.text, l.above) {
		from := end
		end = d.End
		if !d.Until && !d.Ours && !r.dueOn(d) || d.At < from || ofThose.MatchString(d.Right) {
			continue
		}
		clause, _ := clauseBefore(l.text, d.At)
		if counted.MatchString(clause) || strings.TrimSpace(l.text[min(d.End, len(l.text)):]) == ":" {
			continue // the lines below such a day say for whom it is
		}
		who, by := r.doer(l, d)
		if who == unknown || !d.Ours && who == readers && !ownClosing.MatchString(clause) && !r.dueOn(d) {
			continue
		}
		what := whatOf(clause, clauseBehind(l.text, min(d.At+1, len(l.text))), l.above)
		if what == "" && r.call.Kind == KindConsultation {
			what = "意见反馈"
		}
		if who == readers && by == "" && r.passedOn && what == "纸质报送" {
			who = others
		}
		s := Step{What: what, By: by, First: d.First, Last: d.Last, Time: clockOf(l.text[min(d.At, len(l.text)):min(d.End, len(l.text))], l.text[min(d.End, len(l.text)):]), Moved: d.Moved, Evidence: l.sentence(d.At, min(end, len(l.text))), In: l.in}
		list := &r.call.Steps
		if who == others {
			list = &r.call.ByOthers
		}
		if !r.is("step", s.Last.String(), s.What, s.By) {
			*list = append(*list, s)
		}
	}
}

// clockOf returns the last time of day in a passage after its last day, such as 17:00; "" if
// there is none or it is unclear. A time before that day is the beginning of the period. A
// digit in the text after the passage belongs to the time: 17点|30前.
func clockOf(s, behind string) string {
	if behind != "" && behind[0] >= '0' && behind[0] <= '9' {
		return ""
	}
	if i := strings.LastIndexAny(s, "日号"); i >= 0 {
		s = s[i:]
	}
	all := clock.FindAllStringSubmatch(s, 8)
	if len(all) == 0 || strings.Contains(s, "刻") {
		return ""
	}
	m := all[len(all)-1]
	hour, _ := strconv.Atoi(m[2])
	minute, _ := strconv.Atoi(m[3] + m[5])
	if m[4] == "半" {
		minute = 30
	}
	switch night := strings.ContainsAny(m[1], "晚夜"); {
	case night && hour == 12:
		hour = 24
	case night && hour < 6, m[1] == "凌晨" && hour == 12:
		return "" // this day or the next
	case hour < 12 && (night || m[1] == "下午" || m[1] == "中午" && hour < 6):
		hour += 12
	}
	if hour > 24 || minute > 59 || hour == 24 && minute > 0 {
		return ""
	}
	return fmt.Sprintf("%02d:%02d", hour, minute)
}

// clock matches a time of day: 下午5时半, 17:00.
var clock = words.New(`(上午|中午|下午|傍晚|晚上|晚间|晚|午夜|深夜|夜间|夜里|凌晨)?\s*(\d{1,2})\s*(?::(\d{2})|[时点](?:(半)|(\d{1,2})分?)?)`)

// dueOn reports whether something must be submitted on a day itself: 于12月31日报送.
func (r *reading) dueOn(d deadline.Day) bool {
	return !d.Until && handsIn.MatchString(d.Right) && dueBefore.MatchString(d.Left) && !done.MatchString(d.Left)
}

var (
	handsIn   = words.New(`^\s*(?:[上下]午)?\s*(?:报送|报交|报至|上报|提交|送交|送至|送到|送达|交至|交到|递交|寄至)`)
	dueBefore = words.New(`(?:于|在|[纸电][质子]版|材料)\s*$`)
	done      = words.New(`(?:已|曾|将|拟)[^,。;]{0,3}$`)
	// reviewed matches words about intermediate bodies, in the preceding sentences.
	reviewed = words.New(`(?:学院|各单位|部门|学校|院系|归口单位|科研处|推荐单位|中心校)(?:应|须|要|负责)?(?:对|组织)[^。]{0,60}(?:审核|评审|初审|推荐|汇总|遴选)`)
)

func whatOf(places ...string) string {
	for _, p := range places {
		for _, w := range whats {
			if p != "" && w.words.MatchString(p) {
				return w.what
			}
		}
	}
	return ""
}

// doer says whom a day is for.
type doer int

const (
	unknown doer = iota
	readers
	others
)

// doer decides whom a day is for by the nearest subject: in its clause, the following
// clause and the preceding clauses. A day without a named subject is the reader's only if
// the text addresses readers.
func (r *reading) doer(l line, d deadline.Day) (doer, string) {
	clause, sentence := clauseBefore(l.text, d.At)
	behind := dutyBehind(l.text[d.At:])
	if who, by := subjectOf(clause); who != unknown {
		return r.checked(who, by, d, clause, behind)
	}
	if passed.MatchString(strings.TrimRight(clause, "于在 ")) {
		return others, ""
	}
	if itself.MatchString(clause) {
		return unknown, ""
	}
	if ownLabel.MatchString(clause) && !hands.MatchString(clause) {
		return readers, ""
	}
	next := nextClause(l.text[min(d.End, len(l.text)):])
	switch who, by := subjectOf(cut.First(next, 24)); {
	case who == others && duties.MatchString(next):
		return others, by
	case who == readers && strings.HasPrefix(strings.TrimLeft(next, "请由各"), by) && duties.MatchString(next) && !hands.MatchString(next):
		return readers, by
	}
	if hands.MatchString(clause) || hands.MatchString(behind) {
		return others, ""
	}
	for rest := strings.TrimSuffix(sentence, clause); rest != ""; {
		rest = strings.TrimRight(rest, ",")
		c := cut.BehindLast(rest, ",")
		if who, by := subjectOf(c); who != unknown {
			return r.checked(who, by, d, c, behind)
		}
		if passed.MatchString(c) || forwards.MatchString(c) {
			return others, ""
		}
		if itself.MatchString(c) {
			return unknown, ""
		}
		rest = strings.TrimSuffix(rest, c)
	}
	if l.above != "" && ownLabel.MatchString(l.above) {
		return readers, ""
	}
	if r.authorities {
		return others, ""
	}
	before := cut.Last(strings.TrimSuffix(l.text[:d.At], sentence), 240)
	if reviewed.MatchString(before) {
		return others, ""
	}
	for rest := strings.TrimRight(before, ",。;"); rest != ""; {
		c := cut.BehindLast(rest, ",。;")
		if who, by := subjectOf(c); who != unknown {
			return r.checked(who, by, d, c, behind)
		}
		rest = strings.TrimRight(strings.TrimSuffix(rest, c), ",。;")
	}
	if d.Ours || r.dueOn(d) {
		return readers, ""
	}
	return unknown, ""
}

// passed matches the end of a clause that says that bodies review the documents first:
// 市级初审后.
var passed = words.New(`(?:初审|初评|审核|复审|审查|评审)[^,。;通过]{0,6}后$`)

// forwards matches a clause that asks all addressees to select or review for the issuer:
// 各单位组织推荐.
var forwards = words.New(`各[^,。;]{0,24}(?:推荐|推选|审核|遴选|把关|选拔)`)

// nextClause returns the clause after a day, "" if the clause has its own day.
func nextClause(s string) string {
	s = cut.BeforeFirst(strings.TrimLeft(s, ", "), ",。;!?")
	if strings.Contains(s, "月") && aDay.MatchString(s) {
		return ""
	}
	return s
}

var aDay = words.New(`\d月\d{1,2}日`)

// checked assigns a duty of readers to others if only intermediate bodies can have it.
func (r *reading) checked(who doer, by string, d deadline.Day, clause, behind string) (doer, string) {
	if who == readers && (hands.MatchString(clause) || hands.MatchString(behind)) {
		return others, by
	}
	if who == others && itself.MatchString(clause) {
		return unknown, ""
	}
	return who, by
}

// subjectOf finds the subject of a clause.
func subjectOf(clause string) (doer, string) {
	clause = titles.ReplaceAllString(clause, "")
	for _, at := range between.FindAllStringIndex(clause, 8) {
		if !recipient.MatchString(clause[:at[0]]) {
			return others, strings.TrimRight(clause[at[0]:at[1]], "于应须要将负责会同在")
		}
	}
	for _, at := range applicants.FindAllStringIndex(clause, 8) {
		if !led.MatchString(clause[:at[0]]) && !ofOffice.MatchString(clause[at[1]:]) {
			return readers, clause[at[0]:at[1]]
		}
	}
	return unknown, ""
}

// dutyBehind returns what must be done by a day: the rest of its clause, or the next clause
// if the clause ends with the day (6月5日前,将…).
func dutyBehind(s string) string {
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
	parts     = words.New(`^各(?:省|市|设区|地|区|县|直辖市|盟|州)`)
	regional  = words.New(`协会|学会|商会|规划办`)
	authority = words.New(`(?:局|委|厅|部门|政府|管委会|团委|办公室|办事处|街道办|镇|文化旅游委|\(委\)|宣传部)(?:\([^()]{1,6}\))?$`)
	reader    = words.New(`有关单位|各单位|校[属内]|企业|公司|高校|院校|学校|院所|协会|学会|个人|社会|单位$|老师|同学|集团|医院|学院|研究院|师生|部门和|经营者|合作社|农户|市民|用户`)
)

// speaksToAuthorities reports whether the line of addressees, which ends with a
// colon, names only authorities.
func speaksToAuthorities(lines []line) bool {
	for _, l := range lines[:min(len(lines), 4)] {
		names, found := strings.CutSuffix(l.text, ":")
		if !found || utf8.RuneCountInString(names) > 200 || strings.ContainsAny(names, "。;") || utf8.RuneCountInString(names) < 3 {
			continue
		}
		if strings.Contains(names, "如下") || strings.Contains(names, "通知") {
			return false
		}
		all := strings.FieldsFunc(names, func(c rune) bool { return c == '、' || c == ',' })
		n, local := 0, parts.MatchString(names)
		for _, a := range all {
			if local && !strings.Contains(a, "全国") && regional.MatchString(a) && !reader.MatchString(regional.ReplaceAllString(a, "")) {
				n++
				continue
			}
			if reader.MatchString(a) {
				if strings.Contains(a, "管理企业") {
					continue // 中央管理企业 passes on applications of its own companies
				}
				return false
			}
			if authority.MatchString(strings.TrimSpace(a)) {
				n++
			}
		}
		return n > 0
	}
	return false
}
