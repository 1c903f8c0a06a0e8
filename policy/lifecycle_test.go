package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Sentences labelled by hand: a wrong date is an error, a withheld one only
// counts against recall.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("testdata", "lifecycle.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, found, missed, wrong := 0, 0, 0, 0
	for _, row := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		c := strings.Split(row, "\t")
		e := Evidence{Title: c[0], Paragraphs: []string{"各有关单位：", c[6]}}
		for i, name := range []string{"发布日期", "成文日期"} {
			if c[1+i] != "" {
				e.Labels = append(e.Labels, Label{Element: "td", Name: name, Value: c[1+i]})
			}
		}
		f := Understand(e)
		rows++
		for i, got := range []Date{f.EffectiveOn, f.ExpiresOn, f.DeadlineOn} {
			switch want := c[3+i]; {
			case got.String() == want && want != "":
				found++
			case got.String() == want:
			case got.IsZero():
				missed++
				t.Logf("missed %s %s: %s", []string{"effective", "expires", "deadline"}[i], want, c[6])
			default:
				wrong++
				t.Errorf("%s is %s, want %q: %s", []string{"effective", "expires", "deadline"}[i], got, want, c[6])
			}
		}
	}
	t.Logf("%d sentences: %d dates found, %d missed, %d wrong", rows, found, missed, wrong)
	if rows < 150 || found*100 < (found+missed)*90 {
		t.Errorf("recall %d of %d over %d sentences", found, found+missed, rows)
	}
}

func TestFirstEffective(t *testing.T) {
	t.Parallel()
	f := Understand(Evidence{Title: "样例法", Paragraphs: []string{
		"2000年3月15日第九届全国人民代表大会第三次会议通过", "根据2023年3月13日第十四届全国人民代表大会第一次会议《关于修改〈样例法〉的决定》第二次修正",
		"第一条 为了规范样例活动，制定本法。", "第二条 本法自2000年7月1日起施行。"}})
	if !f.EffectiveOn.IsZero() || f.FirstEffectiveOn.String() != "2000-07-01" {
		t.Errorf("effective %s, first %s", f.EffectiveOn, f.FirstEffectiveOn)
	}
	f = Understand(Evidence{Title: "(此文件已于2021年1月11日宣布失效)\">样例市人民政府关于印发样例办法的通知(此文件已于2021年1月11日宣布失效)"})
	if f.ExpiresOn.String() != "2021-01-11" || f.Title != "样例市人民政府关于印发样例办法的通知" {
		t.Errorf("%q expires %s", f.Title, f.ExpiresOn)
	}
}

func TestRelativeDates(t *testing.T) {
	t.Parallel()
	f := Understand(Evidence{Title: "样例", ListDate: "2011-06-21", Paragraphs: []string{"近日召开会议。", "今年2月19日，去年12月1日；上月5日，今年2月30日。"}})
	var got []string
	for _, d := range f.RelativeDates {
		got = append(got, d.Text+"="+d.On.String())
	}
	if s := strings.Join(got, " "); s != "今年2月19日=2011-02-19 去年12月1日=2010-12-01 上月5日=2011-05-05" {
		t.Error(s)
	}
}

func TestLate(t *testing.T) {
	t.Parallel()
	e := Evidence{Title: "样例市人民政府关于养老服务的通知", Labels: []Label{{"td", "成文日期", "2024-01-02"}, {"td", "发布日期", "2024-03-01"}}, Paragraphs: []string{"样例"}}
	if f := Understand(e); f.LateDays != 40 { // 4 and 18 February were worked, 12 to 16 were not
		t.Errorf("%d working days", f.LateDays)
	}
	e.Labels[1].Value = "2024-01-20"
	if f := Understand(e); f.LateDays != 0 {
		t.Errorf("in time, and %d days", f.LateDays)
	}
}
