package call

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"dibao/internal/costtest"
	"dibao/policy/when"
)

// TestCalls reads notices with the structures and phrases of real ones. A row has a title,
// the day of publication, the paragraphs (separated by
//
// ) and the complete expected result, so that additional values are errors, too.
func TestCalls(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/calls.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(b)), "\n")[1:]
	if len(rows) < 30 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, row := range rows {
		f := strings.Split(row, "\t")
		if len(f) != 4 {
			t.Fatalf("row %d has %d columns, want 4", i+2, len(f))
		}
		published, err := when.ParseDate(f[1])
		if err != nil {
			t.Fatalf("row %d: %v", i+2, err)
		}
		c, ok := Extract(f[0], strings.Split(f[2], "¶"), published)
		got := "none"
		if ok {
			got = brief(c)
		}
		if got != f[3] {
			t.Errorf("row %d: %s\n got %s\nwant %s", i+2, f[0], got, f[3])
		}
	}
}

// brief describes a call in one line: steps, steps of others, money, who, where.
func brief(c Call) string {
	var parts []string
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+"="+value)
		}
	}
	values := func(all []Said) string {
		var s []string
		for _, x := range all {
			s = append(s, x.Value)
		}
		return strings.Join(s, ",")
	}
	steps := func(all []Step) string {
		var s []string
		for _, x := range all {
			s = append(s, strings.TrimSpace(x.What+" "+x.Last.String()))
		}
		return strings.Join(s, ",")
	}
	add("subject", c.Subject.Value)
	add("steps", steps(c.Steps))
	add("others", steps(c.ByOthers))
	add("unclear", values(c.Unclear))
	var money, thresholds, contacts []string
	for _, b := range c.Benefits {
		switch {
		case b.Percent > 0:
			money = append(money, fmt.Sprintf("%g%%", b.Percent))
		case b.Cap > 0:
			money = append(money, fmt.Sprintf("<=%d", b.Cap)+b.Per)
		case b.UpTo > 0:
			money = append(money, fmt.Sprintf("%d-%d", b.Yuan, b.UpTo)+b.Per)
		default:
			money = append(money, fmt.Sprint(b.Yuan)+b.Per)
		}
	}
	add("brings", strings.Join(money, ","))
	add("who", values(c.Who.Entities))
	add("unknown", values(c.Who.Unknown))
	add("region", values(c.Who.Regions))
	add("industry", values(c.Who.Industries))
	add("size", values(c.Who.Sizes))
	add("qualified", values(c.Who.Qualifications))
	for _, x := range c.Who.Thresholds {
		thresholds = append(thresholds, fmt.Sprintf("%s %s %g %s", x.What, x.Bound, x.Value, x.Unit))
	}
	add("if", strings.Join(thresholds, ","))
	add("papers", values(c.Materials))
	add("web", values(c.Platforms))
	add("address", values(c.Addresses))
	for _, x := range c.Contacts {
		contacts = append(contacts, x.Telephone+x.Email)
	}
	add("contact", strings.Join(contacts, ","))
	add("buyer", c.Buyer.Value)
	for _, p := range c.Plans {
		add("plan", strings.TrimSpace(fmt.Sprintf("%s %d %s", p.What, p.Yuan, p.Month)))
	}
	add("unread", values(c.Unread))
	return strings.Join(parts, "; ")
}

// quotes collects every Evidence of a call.
func quotes(v reflect.Value) (all []string) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Said]() && v.IsZero() {
			return nil
		}
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Evidence" {
				all = append(all, v.Field(i).String())
				continue
			}
			all = append(all, quotes(v.Field(i))...)
		}
	case reflect.Slice:
		for i := range v.Len() {
			all = append(all, quotes(v.Index(i))...)
		}
	}
	return all
}

// Every value quotes a sentence of the text as printed, and lists stay within their limits.
func FuzzExtract(f *testing.F) {
	f.Add("关于组织申报样例项目的通知", "一、申报条件\n（１）在样例省注册的企业，营业收入2000万元以上。\n请于2026年6月5日前登录http://a.example/b申报，电话：010-12345678，邮箱:a@b.cn")
	f.Add("样例局2026年7月政府采购意向", "序号 | 采购项目名称 | 预算金额（万元） | 预计采购时间\n1 | 样例设备 | 12.5 | 202607\n项目名称：样例服务\n预算金额：3万元\n预计采购时间：2026-08")
	f.Add("样例补贴申领公告", "补贴标准：按50%给予补助，最高不超过20万元。\xff\n地址：样例市样例路1号")
	f.Fuzz(func(t *testing.T, title, text string) {
		c, ok := Extract(title, strings.Split(text, "\n"), when.MakeDate(2026, 6, 1))
		if !ok {
			return
		}
		whole := strings.ToValidUTF8(title+"\n"+text, "")
		for _, q := range quotes(reflect.ValueOf(c)) {
			if q == "" || !strings.Contains(whole, q) {
				t.Errorf("%q is no quotation of the text", q)
			}
		}
		for _, n := range []int{len(c.Benefits), len(c.Steps), len(c.ByOthers), len(c.Materials), len(c.Platforms), len(c.Addresses), len(c.Contacts), len(c.Who.Entities), len(c.Who.Thresholds), len(c.Plans), len(c.Unread)} {
			if n > 2*maxEntries {
				t.Errorf("%d entries", n)
			}
		}
		for _, b := range c.Benefits {
			if b.Yuan < 0 || b.Cap < 0 || b.UpTo < 0 || b.Percent < 0 || b.Percent > 100 || b.UpTo > 0 && b.UpTo < b.Yuan {
				t.Errorf("%+v", b)
			}
		}
		for _, p := range c.Plans {
			if _, err := time.Parse("2006-01", p.Month); p.What == "" || p.Yuan < 0 || p.Month != "" && err != nil {
				t.Errorf("%+v", p)
			}
		}
	})
}

// The time for reading a text grows linearly with its length, up to the limits.
func TestCostOfCalls(t *testing.T) {
	costtest.Linear(t, []costtest.Seed{
		{Name: "Money", Units: []string{"对企业给予奖励%d万元，最高不超过50%%。\n"}},
		{Name: "MoneyInOneLine", Units: []string{"给予奖励%d万元，"}},
		{Name: "Days", Units: []string{"请各单位于2026年6月%d日前报送。\n"}},
		{Name: "DaysInOneLine", Units: []string{"于2026年6月5日前,"}},
		{Name: "Telephones", Units: []string{"电话：010-12345678、"}},
		{Name: "Mails", Units: []string{"a%d@b.cn "}},
		{Name: "Websites", Units: []string{"登录http://a.example/%d "}},
		{Name: "Addresses", Units: []string{"地址：样例市样例路%d号，"}},
		{Name: "Sections", Units: []string{"一、申报条件\n（一）在样例省注册的企业；\n"}},
		{Name: "Papers", Units: []string{"请提交营业执照、审计报告和"}},
		{Name: "Hires", Units: []string{"招用毕业生就业的企业，每人"}},
		{Name: "Prizes", Units: []string{"一等奖%d名，每人5000元，"}},
		{Name: "Signs", Units: []string{"，。；（"}},
		{Name: "Digits", Units: []string{"1234567"}},
		{Name: "Letters", Units: []string{"a"}},
		{Name: "Spaces", Units: []string{" \u3000"}},
		{Name: "Lines", Units: []string{"\n"}},
		{Name: "Invalid", Units: []string{"\xff\xe5"}},
	}, func(b []byte) {
		Extract("关于组织申报样例项目的通知", strings.Split(string(b), "\n"), when.DateOf(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)))
	})
	costtest.Report(t, "policy/call")
}

// A day that the text gives for a body between reader and issuer is never shown as the
// reader's, wherever the body is in the sentence.
func TestDutiesOfOthers(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"请各市科技局于2026年6月5日前将推荐文件报送我厅。",
		"主管部门网上审核推荐截止时间为2026年6月5日17:00。",
		"论文请于2026年6月5日前，各单位收集筛选后打包发送。",
		"2026年6月5日前各县（市、区）人社部门必须完成网上审查并提交。",
		"申报单位提交后，各推荐单位应于2026年6月5日前完成审核。",
		"各单位科研管理部门须于2026年6月5日前将汇总的电子数据发至邮箱。",
		"请各地抓紧组织，把握时间节点，于2026年6月5日前将推荐名单报我局。",
		"请各市主管部门广泛发动，组织有意愿的广大企业积极参与，并于2026年6月5日前完成首批工作。",
		"请各市商务局指导辖区企业做好申报，2026年6月5日前完成推荐工作。",
		"区县文旅局于2026年6月5日前完成推荐。",
		"各市（州）于2026年6月5日前将推荐汇总表（加盖公章）报送我厅样例处。",
		"各区商务局于2026年6月5日前将初审意见报市商务局。",
		"八大片区于2026年6月5日前将视频上传云盘。",
		"经院校初审后，2026年6月5日前由所在学校主管部门统一报送。",
	} {
		c, _ := Extract("关于组织申报样例项目的通知", []string{"各有关单位：", s}, when.MakeDate(2026, 5, 1))
		if len(c.Steps) > 0 {
			t.Errorf("%s: shown as the reader's: %+v", s, c.Steps)
		}
		if !slices.ContainsFunc(c.ByOthers, func(x Step) bool { return x.Last == when.MakeDate(2026, 6, 5) }) {
			t.Errorf("%s: %+v", s, c.ByOthers)
		}
	}
}

// A notice and the files attached to it are read together: each value has the name of the
// file that states it; values that both state belong to the notice.
func TestParts(t *testing.T) {
	t.Parallel()
	c, ok := ExtractParts("关于组织申报样例项目的通知", []Part{
		{"", []string{"各企业：", "一、申报条件", "详见附件1。请于2026年6月5日前报送。", "联系电话：010-55550001"}},
		{"附件1 申报指南", []string{"在样例省内注册的高校，营业收入2000万元以上。", "申报条件：在样例省内注册的高校，注册满一年。", "每个项目补助20万元。", "联系电话：010-55550001"}},
	}, when.MakeDate(2026, 5, 1))
	const file = "附件1 申报指南"
	if !ok || len(c.Steps) != 1 || c.Steps[0].In != "" || len(c.Benefits) != 1 || c.Benefits[0].In != file || len(c.Contacts) != 1 || c.Contacts[0].In != "" {
		t.Errorf("%+v", c)
	}
	// A file does not continue a section of the notice.
	if w := c.Who; len(w.Entities) != 1 || w.Entities[0].In != file || len(w.Thresholds) != 1 || w.Thresholds[0].What != "注册" {
		t.Errorf("%+v", w)
	}
	if v := c.View(); v.Benefits[0].File == nil || *v.Benefits[0].File != file || v.Steps[0].File != nil {
		t.Errorf("%+v", v)
	}
}

// BenchmarkExtract reads 20 kB of typical sentences of notices, every fourth of them a
// condition, an amount or a day; and a text that asks for nothing.
func BenchmarkExtract(b *testing.B) {
	rows, err := os.ReadFile("testdata/calls.tsv")
	if err != nil {
		b.Fatal(err)
	}
	var dense, text []string
	for _, row := range strings.Split(strings.TrimSpace(string(rows)), "\n")[1:] {
		dense = append(dense, strings.Split(strings.Split(row, "\t")[2], "¶")...)
	}
	for size, i := 0, 0; size < 20_000; i++ {
		p := fmt.Sprintf("（%d）各地要坚持政府主导、社会参与、市场运作，以社区为依托，加强用地保障，将工作纳入年度考核，有关资金由市级财政统筹安排，努力形成可复制、可推广的经验做法。", i)
		if i%4 == 0 {
			p = dense[i/4%len(dense)]
		}
		text, size = append(text, p), size+len(p)
	}
	for name, title := range map[string]string{"Call": "关于组织申报样例项目的通知", "NoCall": "样例市人民政府关于印发样例市养老服务实施方案的通知"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Extract(title, text, when.MakeDate(2026, 6, 1))
			}
		})
	}
}

// TestActors reads sentences with days for readers, for bodies that forward applications,
// and for others. A day for somebody else must never be among the reader's steps. A day
// after a question mark is optional.
func TestActors(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/actors.tsv")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(b)), "\n")[1:]
	if len(rows) < 60 {
		t.Fatalf("%d rows", len(rows))
	}
	check := func(row, what, want string, got []Step) {
		var days, must []string
		for _, s := range got {
			days = append(days, s.Last.String()[len("2026-"):])
		}
		left := slices.Clone(days)
		for d := range strings.SplitSeq(want, ",") {
			day, optional := strings.CutPrefix(d, "?")
			if !optional && d != "-" {
				must = append(must, d)
			}
			left = slices.DeleteFunc(left, func(x string) bool { return x == day })
		}
		for _, d := range must {
			if !slices.Contains(days, d) {
				t.Errorf("%s\n%s: %v, want %s", row, what, days, want)
			}
		}
		if len(left) > 0 {
			t.Errorf("%s\n%s: %v is too much", row, what, left)
		}
	}
	for _, row := range rows {
		f := strings.Split(row, "\t")
		if len(f) != 3 {
			t.Fatalf("%q has %d columns, want 3", row, len(f))
		}
		c, _ := Extract("关于组织申报样例项目的通知", []string{"各有关单位：", f[0]}, when.MakeDate(2026, 5, 1))
		check(f[0], "steps", f[1], c.Steps)
		check(f[0], "others", f[2], c.ByOthers)
	}
}

// A step has the time on its last day, if the text gives one.
func TestHours(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026年6月5日17:00前": "17:00", "2026年6月5日下午5时前": "17:00", "2026年6月5日（周五）中午12:00前": "12:00", "6月5日上午9点半前": "09:30",
		"2026年5月10日8:00至6月5日18：30": "18:30", "2026年6月5日24时前": "24:00", "2026年6月5日前": "", "2026年6月5日下班前": "",
		"2026年5月10日8:00至6月5日": "", "2026年5月10日8:00至6月5日（周五）17:30前": "17:30", "2026年5月10日8:00至6月5日17点30": "", "2026年6月5日晚12点前": "24:00", "2026年6月5日凌晨12点前": "", "2026年6月5日23:59:59前": "23:59",
	} {
		c, _ := Extract("关于组织申报样例项目的通知", []string{"申报时间：" + text + "。"}, when.MakeDate(2026, 5, 1))
		if len(c.Steps) != 1 || c.Steps[0].Time != want {
			t.Errorf("%s: %+v, want %q", text, c.Steps, want)
		}
	}
}

// The one who acts is named without the verb, and without the words that only lead to the
// conditions.
func TestNameOfActor(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"企业请于2026年6月20日前将纸质材料报送样例局。":    "企业",
		"符合条件的企业请于2026年6月20日前登录样例平台填报。": "企业",
		"申报单位应于2026年6月20日前登录样例平台填报。":    "申报单位",
	} {
		c, _ := Extract("关于申报样例项目的通知", []string{text}, when.MakeDate(2026, 6, 1))
		if len(c.Steps) != 1 || c.Steps[0].By != want {
			t.Errorf("%s: %+v, want %q", text, c.Steps, want)
		}
	}
}
