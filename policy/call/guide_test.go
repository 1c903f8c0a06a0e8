package call

import (
	"testing"

	"dibao/policy/when"
)

func TestGuides(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]bool{
		"2026年样例项目申报指南.docx": true, "附件2：样例资金管理办法": true, "样例补贴实施细则（试行）.pdf": true, "样例奖评选方案": true,
		"关于组织申报样例项目的通知.ofd": true, "样例企业认定条件": true,
		"样例项目申报书.docx": false, "样例资金申请表": false, "推荐项目汇总表（指南方向）.docx": false, "申报通知承诺书": false, "样例项目实施方案（模板）": false,
		"拟支持项目名单": false, "申报系统操作指南": false, "附件1": false, "样例情况": false,
	} {
		if IsGuide(title) != want {
			t.Errorf("%s: %t", title, !want)
		}
	}
	day := when.MakeDate(2026, 5, 1)
	full := []string{"各企业：", "注册满一年的企业可以申报，每个项目补助20万元。", "请于2026年6月5日前报送。"}
	for _, c := range []struct {
		title string
		lines []string
		want  bool
	}{
		{"关于组织申报样例项目的通知", full, false},
		{"关于组织申报样例项目的通知", full[:2], true},
		{"关于组织申报样例项目的通知", []string{"请于2026年6月5日前报送，详见附件。"}, true},
		{"关于组织申报样例项目的通知", []string{"详见附件。"}, true},
		{"关于样例方案公开征求意见的通知", []string{"详见附件。"}, false},
		{"关于做好样例工作的通知", []string{"详见附件。"}, false},
	} {
		if LacksGuide(c.title, c.lines, day) != c.want {
			t.Errorf("%s %q: %t", c.title, c.lines, !c.want)
		}
	}
}

// The days of a guide count only if the notice has none of its own, the guide is not a
// rule, and they are not over.
func TestDaysOfGuides(t *testing.T) {
	t.Parallel()
	const title = "关于组织申报样例项目的通知"
	day := when.MakeDate(2026, 5, 1)
	for _, c := range []struct{ name, notice, guide, file, want string }{
		{"guide", "具体要求见附件1。", "请申报单位于2026年6月5日前报送。", "申报指南", "2026-06-05"},
		{"notice", "请申报单位于2026年5月20日前报送。", "请申报单位于2026年6月5日前报送。", "申报指南", "2026-05-20"},
		{"year before", "具体要求见附件1。", "请申报单位于2025年6月5日前报送。", "申报通知", ""},
		{"rule", "具体要求见附件1。", "请申报单位于2026年6月5日前报送。", "样例项目管理办法", ""},
	} {
		got, ok := ExtractGuided(title, []Part{{"", []string{c.notice}}}, []Part{{c.file, []string{"每个项目补助20万元。", c.guide}}}, day)
		last := ""
		if len(got.Steps) > 0 {
			last = got.Steps[0].Last.String()
		}
		if !ok || last != c.want || len(got.Steps) > 1 || len(got.Benefits) != 1 || got.Benefits[0].In != c.file {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if c, ok := ExtractGuided(title, []Part{{"", []string{"见附件。"}}}, []Part{{"样例项目管理办法", []string{"请申报单位于2026年6月5日前报送。"}}}, day); ok {
		t.Errorf("nothing is left, yet it is a call: %+v", c)
	}
	if c, ok := ExtractGuided("关于做好样例工作的通知", nil, []Part{{"申报指南", []string{"每个项目补助20万元。"}}}, day); ok {
		t.Errorf("no call by its title: %+v", c)
	}
}
