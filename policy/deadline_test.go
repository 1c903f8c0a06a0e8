package policy

import (
	"strings"
	"testing"
)

// Forms of deadlines that were once missed, or found where there is none.
func TestDeadlineForms(t *testing.T) {
	t.Parallel()
	apply, order, comment := "关于组织申报样例项目的通知", "样例省民政厅关于做好样例工作的通知", "关于公开征求《样例办法（征求意见稿）》意见的公告"
	for _, c := range []struct{ name, title, text, want string }{
		{"FinishApplying", apply, "请于2026年8月15日前完成网上申请。", "2026-08-15"},
		{"DayThenComma", apply, "请于6月20日前，将加盖公章的申报书、汇总表及相关佐证材料的纸质版（一式三份）和电子版报送我厅。", "2026-06-20"},
		{"Noon", order, "请各市于6月12日中午12:00前报送参会名单。", "2026-06-12"},
		{"WeekdayAndHour", apply, "截止时间：2026年6月17日（周三）17:00前。", "2026-06-17"},
		{"WeekdayWithoutYear", apply, "申报截止时间：6月17日（周三）17:00前，逾期不予受理。", "2026-06-17"},
		{"RegistrationEnds", "样例市事业单位公开招聘工作人员公告", "报名时间：2026年6月1日9:00至6月5日16:00截止。", "2026-06-05"},
		{"RangeOfHours", "样例市事业单位公开招聘工作人员公告", "报名时间：6月23日9时—6月25日16时。", "2026-06-25"},
		{"HeadingThenRange", "样例市事业单位公开招聘工作人员公告", "三、报名时间\n2026年6月23日9时—6月25日16时", "2026-06-25"},
		{"HeadingThenRangeWithoutYear", "关于举办样例大赛的通知", "（二）报名时间\n6月23日至6月25日", "2026-06-25"},
		{"FromNow", apply, "征稿日期：自即日起至7月10日结束。", "2026-07-10"},
		{"OnThatDay", apply, "请各市于2026年6月17日，将申报材料邮寄至我厅。", "2026-06-17"},
		{"EndOfWork", apply, "请于6月20日下班前将材料报送我厅。", "2026-06-20"},
		{"WhichOverAPeriod", apply, "6月28日9:00至7月2日18:00，逾期不予受理。", "2026-07-02"},
		{"DutyOfOtherBodies", order, "各市应于2026年6月30日前完成自查，并向社会反馈。", ""},
		{"OtherBodiesReport", order, "各市应于2026年6月30日前将自查情况报送省厅。", ""},
		{"OtherBodiesThen", order, "各县要于6月底前完成排查，7月15日前将报告报市局。", ""},
		{"AnotherLevel", apply, "各省要择优推荐5项，于6月30日前报组委会秘书处。", ""},
		{"EveryYear", order, "学校应于每年10月25日前将名单报送教育部门。", ""},
		{"RuleWithoutYear", "样例省奖学金管理办法", "请于10月25日前将名单报送教育部门。", ""},
		{"AgesCounted", apply, "申报人员的学历、资历、业绩等截止时间为2026年12月31日。", ""},
		{"WorkDone", apply, "项目须在2026年12月31日前竣工。", ""},
		{"TwoDays", apply, "请于6月10日前完成在线申报，并于6月14日前将材料报送我厅。", ""},
		{"OneIsOver", apply, "国家级选题于2026年5月15日前，省级选题于2026年6月28日前，报送我厅。", ""},
		{"DutyInADraft", comment, "企业应当于2026年8月31日前向样例部门提交报告。", ""},
		{"CommentsByDay", comment, "请将意见于6月26日前反馈至我局。", "2026-06-26"},
		{"SpanOfEvents", apply, "可以申报2026年1月1日至2026年12月31日期间发生的费用。", ""},
		{"Traditional", "關於推行樣例計劃的公告", "合資格機構可由即日起至2026年6月30日下午五時前遞交申請表。", "2026-06-30"},
		{"Lease", "房屋招租公告", "洽谈时请携带营业执照及单位简介，截止时间为2026年6月28日。", "2026-06-28"},
		{"PublishedHere", "样例协会第二批名单", "本公示自6月1日起至6月5日止，如有异议，请向样例协会反映。", "2026-06-05"},
		{"YouCanSend", "样例准则的意见稿", "如有意见，可将意见于2026年6月30日前发送至邮箱a@example.org。", "2026-06-30"},
		{"LongPast", apply, "请于5月1日前将材料报送我厅。", ""},
	} {
		e := Evidence{Title: c.title, ListDate: "2026-06-01", Paragraphs: append([]string{"各有关单位："}, strings.Split(c.text, "\n")...)}
		if f := Understand(e); f.DeadlineOn.String() != c.want {
			t.Errorf("%s: %q from %q, want %q", c.name, f.DeadlineOn, f.DeadlineFrom, c.want)
		}
	}
}

// The quote for a window includes the words that give it its meaning.
func TestDeadlineQuote(t *testing.T) {
	t.Parallel()
	f := Understand(Evidence{Title: "关于公开征求意见的公告", Paragraphs: []string{"意见反馈截止时间为2024年6月10日24时。"}})
	if f.DeadlineFrom != "正文“意见反馈截止时间为2024年6月10日24时”" {
		t.Error(f.DeadlineFrom)
	}
}
