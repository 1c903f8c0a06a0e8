package policy

import (
	"os"
	"strings"
	"testing"
)

// The number of a document is before its title or in a bracket after it, in brackets of all
// forms; the number of a document that the title only mentions does not count.
func TestNumberInTitle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ title, number, left string }{
		{"中国人民银行关于样例的通知（银发〔2023〕15号）", "银发〔2023〕15号", "中国人民银行关于样例的通知（银发〔2023〕15号）"},
		{"样例局关于样例的通知(样发[2012]059号)", "样发〔2012〕59号", "样例局关于样例的通知(样发[2012]059号)"},
		{"样例局关于样例的通知（样发（2012）59号）", "样发〔2012〕59号", "样例局关于样例的通知（样发（2012）59号）"},
		{"样例局关于样例的通知(样发（2012）59号)", "样发〔2012〕59号", "样例局关于样例的通知(样发（2012）59号)"},
		{"样例局关于样例的通知【样发〔2012〕59号】", "样发〔2012〕59号", "样例局关于样例的通知【样发〔2012〕59号】"},
		{"样例局关于样例的通知[样发〔2012〕59号]", "样发〔2012〕59号", "样例局关于样例的通知[样发〔2012〕59号]"},
		{"样例办法（试行）（样发〔2012〕第59号）", "样发〔2012〕59号", "样例办法（试行）（样发〔2012〕第59号）"},
		{"样例办法（样发〔2012〕59号）（失效）", "样发〔2012〕59号", "样例办法（样发〔2012〕59号）"},
		{"样例办法（中国人民银行令〔2019〕第1号）", "中国人民银行令〔2019〕1号", "样例办法（中国人民银行令〔2019〕第1号）"},
		{"样例办法（中国人民银行公告〔2016〕第20号）", "中国人民银行公告〔2016〕20号", "样例办法（中国人民银行公告〔2016〕第20号）"},
		{"样例办法（国务院令第703号）", "国务院令第703号", "样例办法（国务院令第703号）"},
		{"样财教【2017】6号 财政部 教育部关于样例的通知", "样财教〔2017〕6号", "财政部 教育部关于样例的通知"},
		{"样政发〔2014〕20号《样例省人民政府关于样例的实施意见》", "样政发〔2014〕20号", "样例省人民政府关于样例的实施意见"},
		{"样政发〔2014〕20号：样例省人民政府关于样例的实施意见", "样政发〔2014〕20号", "样例省人民政府关于样例的实施意见"},
		{"样政发〔2014〕20号关于印发样例方案的通知", "样政发〔2014〕20号", "关于印发样例方案的通知"},
		{"科学技术部令第3号 样例科学技术奖管理办法", "科学技术部令第3号", "样例科学技术奖管理办法"},
		{"中华人民共和国农业部令（2010年第4号） 样例报告管理办法", "农业部令2010年第4号", "样例报告管理办法"},
		{"中国人民银行令〔2021〕第1号（样例客户备付金存管办法）", "中国人民银行令〔2021〕1号", "样例客户备付金存管办法"},
		{"关于贯彻落实国发〔2020〕1号文件的通知", "", "关于贯彻落实国发〔2020〕1号文件的通知"},
		{"国发〔2020〕1号文件解读材料", "", "国发〔2020〕1号文件解读材料"},
		{"关于公布标题截断情况的通知（第12号）", "", "关于公布标题截断情况的通知（第12号）"},
		{"关于样例会议第4196号建议的答复", "", "关于样例会议第4196号建议的答复"},
		{"关于样例的通知（2023年修订）", "", "关于样例的通知（2023年修订）"},
		{"关于修改《样例办法》（样发〔2012〕59号）的通知", "", "关于修改《样例办法》（样发〔2012〕59号）的通知"},
	} {
		if got := ParseTitle(c.title); got.Number != c.number || got.Title != c.left {
			t.Errorf("%s: number %q of %q, want %q of %q", c.title, got.Number, got.Title, c.number, c.left)
		}
	}
	// The number does not change the rest of the result.
	got := ParseTitle("中国人民银行关于印发《样例办法》的通知（银发（2023）15号）")
	if got.Type != "通知" || len(got.Issuers) != 1 || got.Relation != "印发" {
		t.Errorf("%+v", got)
	}
}

// Numbers before, after and below titles, and the issuers above them; 15 of 28 were right
// in the first run, one of them with a title as its number.
func TestNumbersOfHeads(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/numbers-heads.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		c := strings.Split(row+"\t\t\t", "\t")
		f := Understand(Evidence{Title: c[0], Paragraphs: append(strings.Split(c[3], `\n`), "样例。"), ListDate: "2026-11-01"})
		if got := strings.Join(f.Issuers, "、"); f.DocumentNumber != c[1] || got != c[2] {
			t.Errorf("%s: %q of %q, want %q of %q", c[0], f.DocumentNumber, got, c[1], c[2])
		}
	}
}
