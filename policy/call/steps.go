package call

import (
	"fmt"
	"strconv"
	"strings"

	"dibao/policy/deadline"
	"dibao/policy/when"
	"dibao/policy/words"
)

// Step is something to do within a period. First is the zero Date if the text gives only
// the last day.
type Step struct {
	What     string // 网上填报, 报送材料, 审核推荐 …, "" if the text does not name it
	By       string // the actor, as written; "" if the text does not say
	First    when.Date
	Last     when.Date
	Time     string `json:",omitempty"` // the time of day on Last in China, such as 17:00; "" if the text does not give it
	Moved    bool   // whether it replaces an earlier day
	Evidence string
	In       string `json:",omitempty"` // as in Said

	weak    bool // neither a label nor a verb explains the day
	labeled bool // a label explains the day, as in ownLabel
}

var (
	// ofThose matches the words after a day that only says whom a rule applies to:
	// 5月30日之前的可以申请, 5月30日前没有完成. It also matches those after a day until which something was counted:
	// 截至9月30日,共收到, and those after a period in which something was spent:
	// 5月1日至4月30日期间发生的利息, and those after a period in which something may be necessary.
	ofThose = words.New(`^(?:已|尚未|未|没有)(?:经)?(?:通过|完成)|^(?:经[^,。;]{0,12})?(?:列入|认定|取得|获得|注册|成立|登记|注册登记|投产|建成)[^,。;]*的|^的(?:$|[,)]|可|均|不|除外|[^,。;]{0,12}[,)])|^,?\s*(?:共|累计|已)(?:收|有|征|计|接)|^期间,?\s*如(?:需|有|果|申)|^期间(?:内)?(?:实际)?(?:发生|产生|支付|购置|购买|实现)`)

	// counted matches the words before a day until which something is counted, a project runs,
	// or the public votes.
	counted = words.New(`(?:统计|数据|时点|年龄|业绩|计算|营业|开业|建成|投产|竣工)[^,。;]{0,6}(?:截止|截至|时间|日期)[^,。;]{0,6}$|(?:申请书|研究|实施|执行|合同|任务书?|服务|建设)的?(?:起止|执行|实施|研究)?(?:时间|期限|期|周期|年限)(?:统一)?[^,。;]{0,6}$|项目起止[^,。;]{0,10}$|投票[^,。;]{0,4}(?:时间|日期|阶段|期)[^,。;]{0,4}$`)

	// itsDuty matches what bodies do by a day: they submit, review or finish something.
	itsDuty = words.New(`(?:^|[^申填])报[^名考告酬刊价表材]|提交|递交|送[至达交到]|交[至到我]|寄|上传|发送|发至|反馈|填报|审[核查]|初审|推荐|遴选|汇总|完成|组织|申报(?:$|[^材书表资])`)

	whats = []struct {
		what  string
		words *words.Regexp
	}{
		{"意见反馈", words.New(`征求[^,。]{0,8}意见|(?:提出|书面|修改)[^,。]{0,6}意见|意见(?:建议|反馈|征集)|反馈`)},
		{"公示", words.New(`公示`)},
		{"审核推荐", words.New(`审核|审查|初审|推荐`)},
		{"递交响应文件", words.New(`投标|响应文件|标书|报价`)},
		{"网上填报", words.New(`网上|网络|在线|系统|平台|填报|上传`)},
		{"报送材料", words.New(`纸质|书面|纸件|一式|报送|寄|送达|送交|报交`)},
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
		if r.call.Kind == KindIntention && !answersPlan.MatchString(d.Left+d.Right) {
			continue // a condition for what is bought
		}
		clause, _ := clauseBefore(l.text, d.At)
		if counted.MatchString(clause) || strings.TrimSpace(l.text[min(d.End, len(l.text)):]) == ":" {
			continue // the lines below say for whom the day is
		}
		r.isWeak = false
		who, by := r.actor(l, d)
		if who == unclear && (d.Ours || r.dueOn(d)) && !r.is("unclear", d.Last.String()) {
			r.call.Unclear = append(r.call.Unclear, Said{d.Last.String(), l.sentence(d.At, min(end, len(l.text))), l.in})
		}
		if who == unknown || who == unclear || who == readers && !d.Ours && !r.dueOn(d) && !r.isOwn(l, d, clause, by) {
			continue
		}
		if who == others && by == "" && !r.isDuty(l, d, clause) {
			continue // a condition, the time of an event, or a stage in which the issuer acts
		}
		what := whatOf(clause, clauseAfter(l.text, min(d.At+1, len(l.text))), l.above)
		if what == "" && r.call.Kind == KindConsultation {
			what = "意见反馈"
		}
		if who == readers && by == "" && r.passedOn && what == "报送材料" {
			who = others
		}
		s := Step{What: what, By: by, First: d.First, Last: d.Last, Time: clockOf(l.text[min(d.At, len(l.text)):min(d.End, len(l.text))], l.text[min(d.End, len(l.text)):]), Moved: d.Moved, Evidence: l.sentence(d.At, min(end, len(l.text))), In: l.in, weak: r.isWeak && who == readers, labeled: labels(clause) || ownLabel.MatchString(l.above)}
		list := &r.call.Steps
		if who == others {
			list = &r.call.ByOthers
		}
		if !r.is("step", s.Last.String(), s.What, s.By, strconv.FormatBool(s.weak)) {
			*list = append(*list, s)
		}
	}
}

// isDuty reports whether a day is one by which bodies that the text does not name must do something.
// Either its clause says what they do, or package deadline takes it for a term. A period under a
// heading such as 活动时间, without any other words, is the time of an event.
func (r *reading) isDuty(l line, d deadline.Day, clause string) bool {
	switch {
	case r.dueOn(d), itsDuty.MatchString(clause), itsDuty.MatchString(dutyAfter(l.text[d.At:])):
		return true
	case !d.Ours:
		return false
	}
	isAlone := points.MatchString(clause) && bare.MatchString(clauseAfter(l.text, min(d.End, len(l.text))))
	return d.First.IsZero() || !isAlone || itsDuty.MatchString(l.above)
}

// isOwn reports whether a day that package deadline does not take for a term is one: its
// label is unambiguous, its heading names what applicants do, or its clause says what an
// applicant has to submit.
func (r *reading) isOwn(l line, d deadline.Day, clause, by string) bool {
	switch {
	case former.MatchString(clause):
		return false
	case ownClosing.MatchString(clause):
		return true
	case r.asksAll():
		return false // a draft has days of its own
	case !d.First.IsZero() && personal.MatchString(nextClause(l.text[min(d.End, len(l.text)):])):
		return true
	case by != "":
		return d.Until && applicants.MatchString(by) && strings.Contains(d.Left, by) && act.MatchString(d.Right) && !afterwards.MatchString(d.Left) && !afterwards.MatchString(d.Right)
	}
	_, rest, _ := strings.Cut(l.text[min(d.At, len(l.text)):], d.Text)
	return !d.First.IsZero() && ownLabel.MatchString(l.heading) && points.MatchString(clause) && !stage.MatchString(clause) && (rest == "" || late.MatchString(rest))
}

var (
	// former matches the words before a day that another one replaces.
	former = words.New(`^\s*原|已于\s*$`)
	// act matches what applicants do by a day.
	act = words.New(`^(?:期间|之前|前|止)?,?[^,。;]{0,40}?(?:填报|提交|报送|申报|报名|上传|递交|寄送|发送|投稿|填写|录入)`)
	// afterwards matches words about selected applicants and about other days.
	afterwards = words.New(`[年月将拟、]\s*$|[将拟]于|每年|每半年|获取|领取|放弃|入围|获奖|立项|中标|入选|公示|答辩|晋级|拟[录聘资推立]|复审|取得|获批`)
	// points matches the number or the label of a point, late what can follow its day.
	points = words.New(`^\s*(?:[^,。;:]{0,24}:|[(]?[一二三四五六七八九十\d]{1,3}[)、.])?\s*$`)
	late   = words.New(`^[^,。;]{0,12}[,。;]?\s*(?:逾期|过期|$)`)
	// stage matches labels of days on which applicants do nothing.
	stage = words.New(`时间|日期|审|评|公示|考|培训|会|公布|结果|阶段`)
)

// boxes are the brackets around what a form fills in: 截止时间为:【 2026年9月11日 】.
var boxes = strings.NewReplacer("【", " ", "】", " ")

// clockOf returns the last time of day in a passage after its last day, such as 17:00; "" if
// there is none or it is unclear. A time before that day is the beginning of the period. A
// digit in the text after the passage belongs to the time: 17点|30前.
func clockOf(s, after string) string {
	if after != "" && after[0] >= '0' && after[0] <= '9' {
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
	handsIn   = words.New(`^\s*(?:[上下]午)?\s*(?:统一|集中)?(?:上交(?:$|《)|(?:上交|交|报)\p{Han}{2,8}(?:处|科|室)|报送|报交|报至|上报|提交|送交|送至|送到|送达|交至|交到|递交|寄至)`)
	dueBefore = words.New(`(?:于|在|[纸电][质子]版|材料)\s*$`)
	done      = words.New(`(?:已|曾|将|拟)[^,。;]{0,3}$`)
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
