package label

import (
	"strings"
	"testing"
)

// show writes fields as name=value.
func show(line string) string {
	fields, _ := Split(strings.ReplaceAll(line, "¦", string(Boundary)))
	var all []string
	for _, f := range fields {
		all = append(all, f.Name+"="+f.Value)
	}
	return strings.Join(all, "; ")
}

// One header line in the forms that sites print it; ¦ stands for the edge of an
// element.
func TestHeaderLineInEverySeparation(t *testing.T) {
	t.Parallel()
	const want = "来源=某省发展改革委; 作者=张明; 发布时间=2026-11-27 09:30"
	for name, line := range map[string]string{
		"elements":   "来源：某省发展改革委¦作者：张明¦发布时间：2026-11-27 09:30¦浏览次数：33¦字体：大 中 小",
		"bars":       "来源：某省发展改革委 | 作者：张明 | 发布时间：2026-11-27 09:30 | 浏览次数：33",
		"narrow":     "来源：某省发展改革委丨作者：张明丨发布时间：2026-11-27 09:30丨浏览次数：33丨字体：大 中 小",
		"commas":     "来源：某省发展改革委，作者：张明，发布时间：2026-11-27 09:30，浏览次数：33，字体：大 中 小",
		"spaces":     "来源：某省发展改革委　　作者：张明　　发布时间：2026-11-27 09:30　【字体：大 中 小】",
		"brackets":   "【来源：某省发展改革委】【作者：张明】【发布时间：2026-11-27 09:30】【打印】",
		"glued":      "来源：某省发展改革委作者：张明发布时间：2026-11-27 09:30浏览次数：33字体：大 中 小",
		"split":      "来源：¦某省发展改革委¦作者：¦张明¦发布时间：¦2026-11-27¦09:30",
		"no colons":  "¦来源¦某省发展改革委¦作者¦张明¦发布时间¦2026-11-27 09:30",
		"half width": "来源:某省发展改革委 作者:张明 发布时间:2026-11-27 09:30 点击数:12",
		"spaced out": "来　源：某省发展改革委 作 者：张明 发布时间：2026-11-27 09:30",
	} {
		if got := show(line); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		// An empty label stays empty.
		"来源：¦作者：张明":                                 "来源=; 作者=张明",
		"来源： 作者： 发布时间：2026-11-27":                   "来源=; 作者=; 发布时间=2026-11-27",
		"文章来源：¦2026-11-27 17:00:03":                 "文章来源=",
		"作者：来源：某委":                                  "作者=; 来源=某委",
		"发布时间：来源：新华社":                               "发布时间=; 来源=新华社",
		"来源：字号：大 中 小":                               "来源=",
		"来源：2026-11-27 新华社":                         "来源=",
		"来源：人民日报 2026-11-27":                        "来源=人民日报",
		"来源: 央视新闻客户端¦举报":                            "来源=央视新闻客户端",
		"2026-11-27 12:11来源：某报网作者：李四":               "来源=某报网; 作者=李四",
		"图片来源：某图库":                                  "",
		"来源：新华社 图片来源：某图库":                           "来源=新华社",
		"来源：人民网-文化频道":                               "来源=人民网-文化频道",
		"来源于：某办事处":                                  "来源于=某办事处",
		"作者：王　晔":                                    "作者=王 晔",
		"作者 | 李四":                                   "作者=李四",
		"字号：大 中 小":                                  "",
		"字号：国发〔2026〕1号":                             "字号=国发〔2026〕1号",
		"索 引 号： 000014349/2026-02-00018 主题分类： 综合政务": "索引号=000014349/2026-02-00018; 主题分类=综合政务",
		"发布机构：某局 生成口径：主动公开 成文日期：2026年1月2日": "发布机构=某局; 成文日期=2026年1月2日",
		"有效期至：长期有效":                                         "有效期至=长期有效",
		"征集时间：2026-01-01 至 2026-02-01":                      "征集时间=2026-01-01 至 2026-02-01",
		"Updated: November 27, 2026 16:33 | Source: Xinhua": "Updated=November 27, 2026 16:33; Source=Xinhua",
		"责任编辑：张三 来源：某委":                                     "责任编辑=张三; 来源=某委",
		"来源：新华社 11-27":                                      "来源=新华社",
		"有关情况如下：":                                           "",
	} {
		if got := show(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestRestOfALine(t *testing.T) {
	t.Parallel()
	_, rest := Split("来源：\x1f2026-11-27 17:00:03")
	if !strings.Contains(rest, "2026-11-27 17:00:03") {
		t.Errorf("%q", rest)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("来源：某委作者：张明发布时间：2026-11-27")
	f.Add("Source: \x1fXinhua | By: ")
	f.Fuzz(func(t *testing.T, line string) {
		fields, _ := Split(line)
		for _, x := range fields {
			if x.Name == "" || strings.ContainsRune(x.Value, Boundary) || len([]rune(x.Value)) > maxValue {
				t.Errorf("%+v", x)
			}
			if x.Kind == Source && FindDate(x.Value) != nil {
				t.Errorf("a date as a source: %+v", x)
			}
		}
	})
}
