package policy

import (
	"strings"
	"testing"
)

// The signer of a text is its issuer if neither a label nor the title states it; the
// organization that runs the source counts only if nobody signed.
func TestSigners(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, title, source string
		text                []string
		issuers, issued     string
		warns               bool
	}{
		{"Signed", "关于加强样例工作的通知", "样例市人民政府", []string{"现通知如下。", "样例市民政局", "2024年3月1日"}, "样例市民政局", "2024-03-01", false},
		{"SignedByOtherCity", "关于加强样例工作的通知", "样例市人民政府", []string{"现通知如下。", "另例市民政局", "2024年3月1日"}, "另例市民政局", "2024-03-01", true},
		{"SignedByACounty", "关于加强样例工作的通知", "成都市人民政府", []string{"现通知如下。", "双流区民政局", "2024年3月1日"}, "双流区民政局", "2024-03-01", false},
		{"SignedBySource", "关于加强样例工作的通知", "四川省民政厅", []string{"现通知如下。", "四川省民政厅", "2024年3月1日"}, "四川省民政厅", "2024-03-01", false},
		{"ShortName", "关于加强样例工作的通知", "四川省民政厅", []string{"现通知如下。", "民政厅", "2024年3月1日"}, "四川省民政厅", "2024-03-01", false},
		{"Joint", "关于加强样例工作的通知", "四川省民政厅", []string{"现通知如下。", "四川省民政厅", "四川省财政厅", "二〇二四年三月一日"}, "四川省民政厅 四川省财政厅", "2024-03-01", false},
		{"JointInOneLine", "关于加强样例工作的通知", "", []string{"现通知如下。", "民政部 财政部", "2024年3月1日"}, "民政部 财政部", "2024-03-01", false},
		{"OneLine", "关于加强样例工作的通知", "", []string{"现通知如下。", "样例市民政局 2024年3月1日"}, "样例市民政局", "2024-03-01", false},
		{"Nobody", "关于加强样例工作的通知", "样例市人民政府", []string{"现通知如下。", "特此通知", "2024年3月1日"}, "样例市人民政府", "2024-03-01", false},
		{"NotSigned", "关于加强样例工作的通知", "样例市人民政府", []string{"现通知如下。"}, "样例市人民政府", "", false},
		{"TitleSays", "样例市民政局关于加强样例工作的通知", "样例市人民政府", []string{"现通知如下。", "样例市民政局", "2024年3月1日"}, "样例市民政局", "2024-03-01", false},
		{"Addressees", "关于加强样例工作的通知", "样例市人民政府", []string{"样例。", "各区人民政府", "2024年3月1日"}, "样例市人民政府", "2024-03-01", false},
		{"EnclosedPaper", "关于转发样例意见的通知", "", []string{"现转发给你们。", "样例市民政局", "2024年3月1日", "一、样例。", "样例省民政厅", "2024年2月1日"}, "样例市民政局", "2024-03-01", false},
	} {
		f := Understand(Evidence{Title: c.title, Issuer: c.source, Paragraphs: append([]string{"各有关单位："}, c.text...)})
		if got := strings.Join(f.Issuers, " "); got != c.issuers || f.IssuedOn.String() != c.issued || (len(f.Warnings) > 0) != c.warns {
			t.Errorf("%s: %q on %q with %q, want %q on %q", c.name, got, f.IssuedOn, f.Warnings, c.issuers, c.issued)
		}
	}
}
