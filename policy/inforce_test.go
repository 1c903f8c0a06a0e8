package policy

import "testing"

// Days of entry into force that were once taken from a meeting or from the page's own day,
// and last days that were missed.
func TestInForce(t *testing.T) {
	t.Parallel()
	number := func(s string) []Label { return []Label{{"td", "文号", s}} }
	dated := func(issued string) []Label {
		return append(number("样政发〔2023〕5号"), Label{"td", "成文日期", issued})
	}
	notice := "样例市人民政府关于样例的通知"
	for _, c := range []struct {
		name, title, published string
		labels                 []Label
		text                   []string
		effective, expires     string
	}{
		{"DayOfTheMeeting", "样例办法", "", nil, []string{"《样例办法》已经2023年12月1日市政府第5次常务会议审议通过，现予公布，自公布之日起施行。", "第一条 样例。"}, "", ""},
		{"PassedThenPublished", "样例办法", "", nil, []string{"2023年12月1日市政府常务会议通过 2023年12月20日样例市人民政府令第5号公布", "第九条 本办法自公布之日起施行。"}, "2023-12-20", ""},
		{"SignedOrder", "潍坊市人民政府令", "", nil, []string{"第12号", "《样例办法》已经2023年12月1日市政府常务会议通过，现予公布，自公布之日起施行。", "市长 王样例", "2023年12月20日"}, "2023-12-20", ""},
		{"NumberOfTheYearBefore", notice, "2024-01-08", number("样政发〔2023〕5号"), []string{"各区：", "本通知自公布之日起施行。"}, "", ""},
		{"TurnOfTheYear", notice, "2024-01-08", dated("2023-12-28"), []string{"各区：", "本通知自公布之日起施行。"}, "2024-01-08", ""},
		{"LongAfterItsIssue", notice, "2024-01-08", dated("2023-03-28"), []string{"各区：", "本通知自公布之日起施行。"}, "", ""},
		{"IssuedTheYearBefore", notice, "2024-01-08", dated("2023-03-28"), []string{"各区：", "本通知自印发之日起施行。"}, "2023-03-28", ""},
		{"NumberOfTheYear", notice, "2023-01-08", number("样政发〔2023〕5号"), []string{"各区：", "本通知自公布之日起施行。"}, "2023-01-08", ""},
		{"InForceUntil", notice, "", nil, []string{"各区：", "本办法施行至2028年12月31日。"}, "", "2028-12-31"},
		{"FromAndUntil", notice, "", nil, []string{"各区：", "本办法自2024年1月1日起施行，施行至2028年12月31日。"}, "2024-01-01", "2028-12-31"},
		{"ABenefitUntil", notice, "", nil, []string{"各区：", "上述优惠政策执行至2028年12月31日。"}, "", ""},
		{"TimeOfAProject", "关于组织申报样例项目的通知", "", nil, []string{"各区：", "项目执行期为2026年1月1日至2027年12月31日。"}, "", ""},
		{"TextBeforeThisOne", notice, "", nil, []string{"各区：", "原细则自2021年3月1日起施行，有效期至2026年2月28日，现予以修订。"}, "", ""},
	} {
		f := Understand(Evidence{Title: c.title, ListDate: c.published, Labels: c.labels, Paragraphs: c.text})
		if f.EffectiveOn.String() != c.effective || f.ExpiresOn.String() != c.expires {
			t.Errorf("%s: in force from %q to %q, want %q to %q", c.name, f.EffectiveOn, f.ExpiresOn, c.effective, c.expires)
		}
	}
}
