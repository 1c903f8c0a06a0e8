package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dibao/policy/when"
)

// labeled is a sentence with the date that a person reads in it; "" means none.
type labeled struct {
	file, title, published, issued string
	effective, expires, deadline   string
	text                           []string
}

func labeledRows(t *testing.T, name string, read func(cells []string) labeled) (all []labeled) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		all = append(all, read(strings.Split(row, "\t")))
	}
	return all
}

func ourOwn(c []string) labeled {
	return labeled{"", c[0], c[1], c[2], c[3], c[4], c[5], []string{"各有关单位：", c[6]}}
}

// The cases are invented sentences and sentences from the test data, labeled before the
// first run: a wrong date is an error, a missing one only lowers recall.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]labeled{
		"Own":  labeledRows(t, "lifecycle.tsv", ourOwn),
		"Hard": labeledRows(t, "lifecycle-hard.tsv", ourOwn),
		"OfTheData": labeledRows(t, "lifecycle-data.tsv", func(c []string) labeled {
			text := []string{c[8]}
			if c[7] != "" {
				text = append(strings.Split(c[7], `\n`), c[8])
			}
			return labeled{c[0], c[1], c[2], c[3], c[4], c[5], c[6], text}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			found, missed, wrong := 0, 0, 0
			for _, c := range rows {
				f := Understand(evidenceOf(c))
				for i, got := range []Date{f.EffectiveOn, f.ExpiresOn, f.DeadlineOn} {
					what, want := []string{"effective", "expires", "deadline"}[i], []string{c.effective, c.expires, c.deadline}[i]
					switch {
					case got.String() == want && want != "":
						found++
					case got.String() == want:
					case got.IsZero():
						missed++
						t.Logf("missed %s %s: %s %s", what, want, c.file, c.text)
					default:
						wrong++
						t.Errorf("%s is %s, want %q: %s %s", what, got, want, c.file, c.text)
					}
				}
			}
			t.Logf("%d sentences: %d dates found, %d missed, %d wrong", len(rows), found, missed, wrong)
			if found*100 < (found+missed)*90 {
				t.Errorf("recall %d of %d over %d sentences", found, found+missed, len(rows))
			}
		})
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

func TestConsultationWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, title, published string
		labels                 []Label
		text                   string
		opens, ends            string
	}{
		{"Range", "关于公开征求意见的公告", "", nil, "征求意见时间：2024年5月1日至5月31日。", "2024-05-01", "2024-05-31"},
		{"DaysFromNow", "关于公开征求意见的通知", "2024-05-06", nil, "请自公告发布之日起30日内提出意见。", "2024-05-06", "2024-06-05"},
		{"Term", "关于样例名单的公示", "2024-05-06", nil, "公示期为5个工作日。", "2024-05-06", "2024-05-11"}, // a Saturday that is a working day,
		{"TermWithDates", "关于样例名单的公示", "2024-05-06", nil, "公示期5个工作日，公示时间为2024年5月7日至2024年5月13日。", "2024-05-07", "2024-05-13"},
		{"Labels", "样例办法（征求意见稿）", "", []Label{{"td", "开始时间", "2024-05-01"}, {"td", "截止时间", "2024-06-01"}}, "样例。", "2024-05-01", "2024-06-01"},
		{"WindowLabel", "样例办法（征求意见稿）", "", []Label{{"td", "征集时间", "2024-05-01 至 2024-06-01"}}, "样例。", "2024-05-01", "2024-06-01"},
		{"LabelDisagrees", "样例办法（征求意见稿）", "", []Label{{"td", "截止时间", "2024-06-01"}}, "意见反馈截止时间为2024年6月10日。", "", ""},
		{"HowThingsStood", "关于公开征求意见的公告", "", nil, "截至2023年12月31日，全市共有样例100个。意见反馈截止日期为2024年6月10日。", "", "2024-06-10"},
		{"OfAThing", "关于申报补贴的通知", "", nil, "可以申报2023年1月1日至2023年12月31日期间发生的费用。", "", ""},
		{"OnlyAType", "样例省人民政府关于养老服务的意见", "", nil, "公告牌应当在2024年5月1日至2024年6月1日设置。", "", ""},
	} {
		e := Evidence{Title: c.title, ListDate: c.published, Labels: c.labels, Paragraphs: []string{"各有关单位：", c.text}}
		if f := Understand(e); f.OpensOn.String() != c.opens || f.DeadlineOn.String() != c.ends {
			t.Errorf("%s: %q to %q, want %q to %q (%q)", c.name, f.OpensOn, f.DeadlineOn, c.opens, c.ends, f.Warnings)
		}
	}
}

func TestPromulgated(t *testing.T) {
	t.Parallel()
	once := []string{"1999年10月7日 国务院令第273号发布", "第一条 样例。", "第二十七条 本条例自发布之日起施行。"}
	if f := Understand(Evidence{Title: "样例条例", Paragraphs: once}); f.EffectiveOn.String() != "1999-10-07" {
		t.Errorf("effective %s", f.EffectiveOn)
	}
	twice := append([]string{once[0], "2023年4月27日 《国务院关于修改样例条例的决定》修订"}, once[1:]...)
	if f := Understand(Evidence{Title: "样例条例", Paragraphs: twice}); !f.EffectiveOn.IsZero() || f.FirstEffectiveOn.String() != "1999-10-07" {
		t.Errorf("effective %s, first %s", f.EffectiveOn, f.FirstEffectiveOn)
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
	for text, want := range map[string]string{ // 2024-05-15 is a Wednesday
		"去年底": "2023-12-01 2023-12-31", "今年3月份": "2024-03-01 2024-03-31", "明年上半年": "2025-01-01 2025-06-30", "本月": "2024-05-01 2024-05-31", "上月": "2024-04-01 2024-04-30",
		"上周": "2024-05-06 2024-05-12", "下周一": "2024-05-20 ", "昨日": "2024-05-14 ", "近日": "", "日前": "", "今年以来": "",
	} {
		got := ""
		for _, d := range Understand(Evidence{Title: "样例", ListDate: "2024-05-15", Paragraphs: []string{"会议" + text + "召开。"}}).RelativeDates {
			got += d.On.String() + " " + d.To.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{ // issued on 6 May 2024, published on the 15th, in force from 1 June
		"自印发之日起30日内": "2024-05-06 2024-06-05", "自本通知印发之日起6个月内": "2024-05-06 2024-11-06", "自公布之日起10个工作日内": "2024-05-15 2024-05-29",
		"自施行之日起一年内": "2024-06-01 2025-06-01", "自收到之日起30日内": "", "自受理之日起5日内": "",
	} {
		got := ""
		e := Evidence{Title: "样例市人民政府关于样例的通知", Labels: []Label{{"td", "成文日期", "2024-05-06"}, {"td", "发布日期", "2024-05-15"}}, Paragraphs: []string{"各区：", "应当" + text + "提出申请。", "本通知自2024年6月1日起施行。"}}
		for _, d := range Understand(e).RelativeDates {
			got += d.On.String() + " " + d.To.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if d := firstOfMonth(when.MakeDate(2024, 1, 31), -1); d.String() != "2023-12-01" {
		t.Error(d)
	}
}

func TestLate(t *testing.T) {
	t.Parallel()
	e := Evidence{Title: "样例市人民政府关于养老服务的通知", Labels: []Label{{"td", "成文日期", "2024-01-02"}, {"td", "发布日期", "2024-03-01"}}, Paragraphs: []string{"样例"}}
	if f := Understand(e); f.LateDays != 40 { // 4 and 18 February were working days, 12 to 16 were not
		t.Errorf("%d working days", f.LateDays)
	}
	e.Labels[1].Value = "2024-01-20"
	if f := Understand(e); f.LateDays != 0 {
		t.Errorf("in time, and %d days", f.LateDays)
	}
}
