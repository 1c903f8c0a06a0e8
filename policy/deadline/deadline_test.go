package deadline

import (
	"strings"
	"testing"

	"dibao/policy/when"
)

// What governs a day, in the words of real notices: a label, or a verb with its
// subject. The title asks for applications.
func TestTerms(t *testing.T) {
	t.Parallel()
	from := when.MakeDate(2026, 6, 1)
	r := Reader{Title: "关于组织申报样例项目的通知", Asks: true, Notice: true, From: from}
	for line, want := range map[string]string{
		"提案线索征集时间截止至2026年6月20日。":                                 "2026-06-20",
		"截止遞交標書日期為2026年6月21日中午十二時正。":                             "2026-06-21",
		"投稿时间：2026年6月14号至6月18号":                                  "2026-06-14 2026-06-18",
		"统一报名时间为6月19日8时30分至16时，可到现场报名。":                          "2026-06-19 2026-06-19",
		"請於115年6月20日前將申請書送達本處。":                                  "2026-06-20",
		"原定于6月25-26日召开会议。":                                       "",
		"请于6月2日、7月6日前将申报材料报送我厅。":                                 "",
		"缴费时间：2026年6月9日11:00—6月14日16:00":                         "",
		"各级审核单位应于6月5日前完成申报材料的审核工作。":                              "",
		"请于6月5日前确定名单，报省厅办公室。":                                    "2026-06-05",
		"公示期5天（自2026年6月2日至6月7日）。":                                "",
		"论文、业绩等截止时间为2026年6月30日。":                                 "",
		"截至2026年6月2日，全市共推荐51名。":                                  "",
		"请于6月5日前完成网上填报。":                                         "2026-06-05",
		"请于6月5日后提交申请。":                                           "",
		"对在6月30日前提出申请的企业给予奖励。":                                   "",
		"请于6月5日前来我局领取证书，并提交回执。":                                  "",
		"按照《关于6月5日前报送材料的通知》要求执行，报送省厅。":                           "",
		"培训时间：6月10日至6月12日，报名截止6月5日。":                             "2026-06-05",
		"2026年6月30日前提交申请的，按原标准执行。":                               "",
		"定于6月10日召开会议，请将回执于6月8日前报送我厅。":                            "2026-06-08",
		"报名费须于6月5日前缴纳。":                                          "",
		"于6月15日前，将加盖公章的《审核汇总表》及佐证材料发送至邮箱。":                       "2026-06-15",
		"可以申报2026年6月1日至2026年12月31日期间发生的费用。":                      "",
		"省厅将于2026年6月15日前公布名单，并报送省政府备案。":                          "",
		"对6月15日前未完成整改的单位，将予以通报，并报送市委督查室。":                        "",
		"请参训人员于6月15日前到样例宾馆报到，并于6月10日前将回执发至邮箱。":                   "2026-06-10",
		"立项单位应于2026年9月30日前向我厅报送中期报告。":                            "",
		"獲補助單位應於115年11月30日前檢附成果報告函送本部核銷。":                        "",
		"提交投标文件截止时间、开标时间和地点：2026年6月22日09点30分。":                   "2026-06-22",
		"（一）报名阶段（2026年6月1日—6月30日）":                               "2026-06-01 2026-06-30",
		"徵件時間：即日起至115年6月15日（三）17時止，以電子郵件寄達時間為準。":                 "2026-06-15",
		"审核部门于6月20日前将推荐名单报送我局。":                                  "",
		"许可证有效期至本月的企业，应于6月30日前提出延续申请。":                           "",
		"请各单位在6月15日前通过平台报送数据。":                                   "2026-06-15",
		"决赛选手须于8月10日前报送材料。":                                      "",
		"初赛由各市组织，7月20日前推荐晋级项目报组委会。":                              "",
		"结束时间不晚于2026年12月31日。":                                    "",
		"标书须于2026年6月27日中午12时前投入样例处投标箱。":                          "2026-06-27",
		"被录取考生须于2026年6月30日前将档案寄至我校。":                             "",
		"请于2027年8月15日前将总结报送我部。":                                  "",
		"报满180人即截止，报名时间不超过6月9日17:00，截止后发送短信。":                    "2026-06-09",
		"申请人应于2026年6月10日前将《申请书》（下载地址：样例网；样例系统）电子文本送达本中心。":        "2026-06-10",
		"网上申报及提交截止时间为2026年6月16日17:00，各级主管部门审核推荐截止时间为6月23日17:00。": "2026-06-16",
		"邮寄截止时间：2026年6月7日（以收到为准）。":                               "2026-06-07",
		"请确定名单，并于6月17日11:00前报局机关党委邮箱。":                           "2026-06-17",
		"回执请务必于6月14日中午前发电子版到信箱。":                                 "2026-06-14",
		"申报表一式三份，于2026年6月30日报送，逾期不再受理。":                          "2026-06-30",
		"截止6月30日12:00前，各支部将名单报给组织员。":                             "2026-06-30",
		"6月19日前，将电话对所有报名人员进行反馈。":                                 "",
		"7月1日前报到时提供毕业证书，并提交回执。":                                  "",
		"2026年6月13日10:00--6月17日17:00（截止日期以邮件发送时间为准）。":            "2026-06-13 2026-06-17",
		"用人单位请在2026年6月7日—6月25日期间登录平台预订展位。":                       "2026-06-07 2026-06-25",
		"请于6月10日前将1）申报书、2）汇总表报送至邮箱。":                             "2026-06-10",
		"请各单位6月10日前将：1)申报书；2)汇总表报送至我局。":                          "2026-06-10",
		"请于6月30日前登录平台提交完整的申报材料不受地域限制。":                           "2026-06-30",
		"报名截止时间：2027年8月15日。":                                     "2027-08-15",
	} {
		var got []string
		for _, x := range r.Terms(line, "") {
			got = append(got, strings.TrimSpace(x.First.String()+" "+x.Last.String()))
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s: %q, want %q", line, s, want)
		}
	}
}

// A heading that names the time is that of a schedule, whatever else it names.
func TestHeadings(t *testing.T) {
	t.Parallel()
	r := Reader{Title: "关于组织申报样例项目的通知", Asks: true, From: when.MakeDate(2026, 5, 20)}
	for heading, want := range map[string]bool{"四、申报范围及时间": true, "三、报名条件及报名时间": true, "二、征集内容和时间": true, "二、申报条件": false} {
		if got := len(r.Terms("2026年6月1日至6月30日。", heading)) == 1; got != want {
			t.Errorf("%s: %v, want %v", heading, got, want)
		}
	}
}

// Duties of successful applicants are not terms of the call.
func TestAfterTheCall(t *testing.T) {
	t.Parallel()
	r := Reader{Title: "样例项目招标公告", Asks: true, From: when.MakeDate(2026, 6, 1)}
	for _, line := range []string{"乙方应于2026年9月30日前提交成果。", "中标人须在2026年8月1日前提交履约保证金。", "项目完成后于2026年12月31日前提交结题材料。"} {
		if got := r.Terms(line, ""); got != nil {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// Days of a 公示 in every form: readers can object until the last one.
func TestShown(t *testing.T) {
	t.Parallel()
	r := Reader{Title: "样例奖评审结果公示", Asks: true, From: when.MakeDate(2026, 6, 1)}
	for _, line := range []string{"公示自2026年6月3日至9日，为期七天。", "公示期为7天，即2026年6月3日至 6月9 日，如有异议请反映。", "自公示之日起7日内（2026年6月3～9日），任何人可以提出异议。", "公示时间：2026年6月3日至6月9日。"} {
		if got := r.Terms(line, ""); len(got) != 1 || got[0].Last.String() != "2026-06-09" {
			t.Errorf("%s: %v", line, got)
		}
	}
	if got := r.Terms("公示时间为2026年6月28日—6月9日。", ""); got != nil {
		t.Errorf("a span that ends before it begins: %v", got)
	}
}

// The 公告期 of an invitation to bid is not the period for bidding.
func TestWithin(t *testing.T) {
	t.Parallel()
	line := "公告期限：自本公告发布之日起5个工作日。"
	for title, want := range map[string]string{"样例设备采购项目公开招标公告": "", "关于征求《样例标准》意见的公告": "5"} {
		if got, _, _ := (Reader{Title: title, Asks: true}).Within(line); got != want {
			t.Errorf("%s: %q, want %q", title, got, want)
		}
	}
}

func FuzzTerms(f *testing.F) {
	f.Add("关于组织申报样例项目的通知", "请于2026年6月5日（周五）17:00前，将申报书报送我厅。", "三、报名时间")
	f.Add("", "即日起至6月5日\xff", "")
	f.Fuzz(func(t *testing.T, title, line, above string) {
		r := Reader{Title: title, Asks: Asks(title), From: when.MakeDate(2026, 6, 1)}
		IsHeading(line)
		r.Within(line)
		for _, x := range r.Terms(line, above) {
			if x.Last.IsZero() || x.Last.Before(x.First) || !strings.Contains(line, x.Text) {
				t.Errorf("%+v", x)
			}
		}
	})
}
