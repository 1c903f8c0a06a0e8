package policy

import (
	"strings"
	"testing"
)

// TestReadCredit splits credit lines of public pages; ¦ stands for the edge of an element.
// A line of a text is not a credit.
func TestReadCredit(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"http://www.sample.example 2009年11月09日13:48 样浪娱乐": "2009年11月09日13:48|样浪娱乐||",
		"样样中文站¦2016年10月14日07:17":                          "2016年10月14日07:17|样样中文站||",
		"上報快訊／范姜佳樣¦2020年03月12日 20:19:00":                  "2020年03月12日 20:19:00|上報快訊|范姜佳樣|",
		"2020-10-04 15:05¦聯合報 記者林宸樣／即時報導":                 "2020-10-04 15:05|聯合報|林宸樣|",
		"2024-01-05 张样":            "2024-01-05||张样|",
		"文：朱样芳 图片：样例团总支":           "||朱样芳|",
		"赵样 文/李样 文":                "||赵样、李样|",
		"样月谈记者 史卫样":                "||史卫样|",
		"（评论员 罗样 萧海样）":             "||罗样、萧海样|",
		"□ 本报记者 王 样 通讯员 李样例":       "||王 样、李样例|",
		"《样例企业家》记者 林样":             "|样例企业家|林样|",
		"研究室 李样样":                  "||李样样，研究室|",
		"李样样，样例大学教授、博士生导师":         "||李样样，样例大学教授、博士生导师|",
		"●¦周样安¦(进入专栏)":             "||周样安|",
		"By Zhang Ming¦2026-11-27": "2026-11-27||Zhang Ming|", "2026-11-27 | By Li Lei": "2026-11-27||Li Lei|",
		"文｜样新周刊 程思样，张宇样": "|样新周刊|程思样、张宇样|",
		"现将有关事项通知如下":     "none", "一、主要任务": "none", "张样": "none", "省能源局 副局长": "none",
		"2024年1月5日，省能源局召开会议": "none", "样例省人民政府办公厅": "none",
	} {
		c := ReadCredit(strings.ReplaceAll(line, "¦", "\x1f"), "样浪网")
		got := strings.Join([]string{c.Date, c.Medium, c.Author(), ""}, "|")
		if !c.Whole || c.Date == "" && len(c.Persons) == 0 {
			got = "none"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
