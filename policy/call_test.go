package policy

import (
	"slices"
	"strings"
	"testing"

	"dibao/policy/warn"
)

// If a text has several last days, the one for readers is the deadline, provided that each of
// the others applies to somebody else or is unclear. With two days for readers the deadline is
// unknown, and so it is with a day for bodies and an unclear one.
func TestDeadlineOfCall(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ title, text, deadline, warnings string }{
		{"关于举办样例征文活动的启事", "三、活动时间¶2026年6月5日起至2026年9月30日。截稿时间：2026年8月31日。", "2026-08-31", "days-unclear"},
		{"关于组织申报样例项目的通知", "各县样例局，各企业：¶申报单位请于2026年6月5日前将申报书报送至所在县样例局。¶各县样例局请于2026年6月20日前将申报书报送我局。", "2026-06-05", ""},
		{"关于组织申报样例项目的通知", "网上申报截止时间：2026年6月5日。¶纸质材料提交截止时间：2026年6月8日。", "", "deadlines-differ"},
		{"关于组织申报样例项目的通知", "各县样例局：¶请于2026年6月20日前将申报材料报送我局。", "", "deadline-of-others"},
		{"关于组织申报样例课题的通知", "各有关单位：¶一、各单位要严格把关，择优推荐。¶二、请于2026年6月4日前将申报材料报送样例科。", "", "days-unclear"},
		{"关于组织申报样例项目的通知", "申报截止时间：2026年6月5日。", "2026-06-05", ""},
	} {
		e := Evidence{Title: x.title, Paragraphs: strings.Split(x.text, "¶"), ListDate: "2026-05-20"}
		f := Understand(e)
		c := CallOf(&f, e)
		var codes []string
		for _, w := range f.Warnings {
			codes = append(codes, w.Code)
		}
		if c == nil || f.DeadlineOn.String() != x.deadline || strings.Join(codes, " ") != x.warnings || f.DeadlineOn.IsZero() != (f.DeadlineFrom == "") {
			t.Errorf("%s: %s from %q, warnings %v; want %s, %q", x.text, f.DeadlineOn, f.DeadlineFrom, codes, x.deadline, x.warnings)
		}
	}
}

// A text that names two last days says which.
func TestDifferingDays(t *testing.T) {
	t.Parallel()
	f := Understand(Evidence{Title: "关于组织申报样例项目的通知", Paragraphs: []string{"网上申报截止时间：2026年6月5日。", "纸质材料提交截止时间：2026年6月8日。"}})
	if i := slices.IndexFunc(f.Warnings, func(w warn.Warning) bool { return w.Code == "deadlines-differ" }); i < 0 || !slices.Equal(f.Warnings[i].Params, []string{"2026-06-05", "2026-06-08"}) {
		t.Errorf("%+v", f.Warnings)
	}
}

// A deadline from the attached file has the file as its place, whether it is the only one or the one
// of several that is for readers.
func TestDeadlineOfFile(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		notice, file []string
		want         string
	}{
		{[]string{"详见附件。"}, []string{"申报截止时间：2026年6月5日。"}, "附件“申报截止时间：2026年6月5日”"},
		{[]string{"申报截止时间：2026年6月5日。"}, []string{"样例说明。"}, "正文“申报截止时间：2026年6月5日”"},
		{[]string{"各县样例局请于2026年6月20日前将申报书报送我局。"}, []string{"申报单位请于2026年6月5日前将申报书报送至所在县样例局。"}, "附件“申报单位请于2026年6月5日前将申报书报送至所在县样例局。”"},
	} {
		e := Evidence{Title: "关于组织申报样例项目的通知", Paragraphs: slices.Concat(x.notice, x.file), File: "样例指南.docx", FileFrom: len(x.notice), ListDate: "2026-05-20"}
		f := Understand(e)
		if CallOf(&f, e); f.DeadlineFrom != x.want {
			t.Errorf("%v, %v: %q, want %q", x.notice, x.file, f.DeadlineFrom, x.want)
		}
	}
}
