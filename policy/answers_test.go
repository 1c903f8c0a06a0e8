package policy

import (
	"dibao/policy/division"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The expected answers of the domain, row by row, with the numbers of their table. Search
// (38) is not part of this package.
func TestAnswers(t *testing.T) {
	t.Parallel()
	row := func(n string, e Evidence, got func(Facts) string, want string) {
		t.Helper()
		if s := got(Understand(e)); s != want {
			t.Errorf("row %s: %q, want %q", n, s, want)
		}
	}
	for _, c := range []struct{ n, raw, want string }{
		{"1", "发文字号：晋政发[2013]35号", "晋政发〔2013〕35号"}, {"2", "豫政办 〔 2021 〕68 号", "豫政办〔2021〕68号"}, {"3", "\u200B渝府办发〔2019〕103号", "渝府办发〔2019〕103号"},
		{"4", "沪科合〔2008〕第006号", "沪科合〔2008〕6号"}, {"5", "晋政发（２０１８）１２号", "晋政发〔2018〕12号"}, {"6", "省政府令 第219号", "省政府令第219号"}, {"6", "公告2018年第14号", "公告2018年第14号"},
		{"7", "发文字号：晋政办发〔2012〕18", ""}, {"7", "晋政发〔2014〕号16", ""},
	} {
		if got, _ := ParseNumber(c.raw); got != c.want {
			t.Errorf("row %s: %q, want %q", c.n, got, c.want)
		}
	}
	row("7", Evidence{Title: "样例", Labels: []Label{{"td", "发文字号", "晋政发〔2014〕号16"}}}, func(f Facts) string { return f.DocumentNumber + fmt.Sprint(f.Warnings) }, "[{number-not-understood [晋政发〔2014〕号16]}]")
	for n, c := range map[string][2]string{
		"8":  {"根据国家经贸委等部门下发的国经贸经〔1998〕154号文件精神", "国经贸经〔1998〕154号"},
		"10": {"十三届全国人大三次会议第4196号代表建议; 联系电话54038732", ""},
	} {
		var got []string
		for _, x := range FindNumbers(c[0]) {
			got = append(got, x.Number)
		}
		if s := strings.Join(got, " "); s != c[1] {
			t.Errorf("row %s: %q, want %q", n, s, c[1])
		}
	}
	cited := func(f Facts) string {
		var all []string
		for _, c := range f.Citations {
			all = append(all, strings.Trim(strings.Join([]string{c.Relation, c.Title, c.Number}, " "), " "))
		}
		return strings.Join(all, "; ")
	}
	row("9", Evidence{Title: "样例", Paragraphs: []string{"《国务院关于修改部分行政法规的决定》（中华人民共和国国务院令第703号）"}}, cited, "国务院关于修改部分行政法规的决定 国务院令第703号")
	title := func(s string) string {
		x := ParseTitle(s)
		return strings.Join([]string{strings.Join(x.Issuers, "、"), x.Relation, strings.Join(x.Inner, "+"), x.Type, x.Number, x.Marker}, "|")
	}
	for _, c := range []struct{ n, title, want string }{
		{"11", "国务院办公厅关于印发新能源汽车产业发展规划（2021—2035年）的通知", "国务院办公厅|印发|新能源汽车产业发展规划（2021—2035年）|通知||"},
		{"12", "转发国务院办公厅关于切实做好2007年普通高等学校毕业生就业工作的通知", "|转发|国务院办公厅关于切实做好2007年普通高等学校毕业生就业工作的通知|通知||"},
		{"13", "国务院、中央军委关于民航使用空军浪头机场问题的批复", "国务院、中央军委|||批复||"},
		{"14", "[有效]浙江省人民政府关于印发浙江省盐业体制改革实施方案的通知", "浙江省人民政府|印发|浙江省盐业体制改革实施方案|通知||有效"},
		{"15", "四川省水资源调度管理办法", "|||办法||"},
		{"16", "国务院批转农业机械部关于全国农机工作会议的报告", "国务院|批转|农业机械部关于全国农机工作会议的报告|||"},
		{"17", "发改经体〔2016〕2120号《国家发展改革委国家能源局关于印发〈售电公司准入与退出管理办法〉和〈有序放开配电网业务管理办法〉的通知》",
			"国家发展改革委、国家能源局|印发|售电公司准入与退出管理办法+有序放开配电网业务管理办法|通知|发改经体〔2016〕2120号|"},
	} {
		if got := title(c.title); got != c.want {
			t.Errorf("row %s: %s, want %s", c.n, got, c.want)
		}
	}
	if s := ParseTitle("国务院、中央军委关于民航使用空军浪头机场问题的批复").Subject + " " + ParseTitle("四川省水资源调度管理办法").Subject; s != "民航使用空军浪头机场问题 四川省水资源调度" {
		t.Errorf("rows 13 and 15: subjects %s", s)
	}
	row("18", Evidence{Title: `(此文件已于2021年1月11日宣布失效)">四川省人民政府办公厅关于印发四川省行政执法公示规定等三项办法的通知(此文件已于2021年1月11日宣布失效)`},
		func(f Facts) string { return f.Title + " " + f.ExpiresOn.String() }, "四川省人民政府办公厅关于印发四川省行政执法公示规定等三项办法的通知 2021-01-11")
	dates := func(f Facts) string {
		return strings.Join([]string{f.IssuedOn.String(), f.PublishedOn.String(), f.PublishedFrom, f.EffectiveOn.String(), f.ExpiresOn.String(), f.DeadlineOn.String()}, "|")
	}
	row("19", Evidence{Title: "浙江省人民政府关于表彰先进单位的通报", Paragraphs: []string{"索引号： 000014349/2004-711188 主题分类：", "发布机构： 省政府办公厅 成文日期： 2004-02-02", "日期：2012-07-14 23:08"}},
		func(f Facts) string { return dates(f) + f.PublishedAt.Format(" 15:04Z07:00") }, "2004-02-02|2012-07-14|正文 日期||| 23:08+08:00")
	row("20", Evidence{Title: "样例省人民政府批转省经贸委意见的通知", Paragraphs: []string{"各市人民政府：", "一九九八年八月十一日", "关于纺织行业的意见", "一九九八年七月二十七日"}}, func(f Facts) string { return f.IssuedOn.String() }, "1998-08-11")
	for in, want := range map[string]string{"二ＯＯ七年二月六日": "2007-02-06", "2017   年   11   月   24   日": "2017-11-24"} {
		if d, _ := readSignature(in); d.String() != want {
			t.Errorf("row 21: %s", d)
		}
	}
	label := func(issued string) []Label { return []Label{{"td", "成文日期", issued}} }
	redated := func(f Facts) string {
		s := f.PublishedOn.String()
		for _, w := range f.Warnings {
			s += " " + w.Code
		}
		if f.LateDays > 0 {
			s += " late"
		}
		return s
	}
	row("22", Evidence{Title: "国务院办公厅关于推进城市地下综合管廊建设的指导意见", Labels: label("2015-08-03"), URL: "https://a.example/content/2015-08/10/content_1.htm", ListDate: "2023-02-09"}, redated, "2015-08-10 redated")
	row("23", Evidence{Title: "国务院办公厅关于2023年部分节假日安排的通知", Labels: label("2022-12-08"), URL: "https://a.example/content/2022-12/08/content_1.htm", ListDate: "2023-02-02"}, redated, "2022-12-08 redated")
	row("24", Evidence{Title: "样例市财政局关于税收政策的通知", Paragraphs: []string{"各单位：", "本通知的执行时间为2007年1月1日至2009年12月31日。"}}, dates, "|||2007-01-01|2009-12-31|")
	order := Evidence{Title: "省政府令湖北省推广使用车用乙醇汽油试点办法", Paragraphs: []string{"湖北省人民政府令第282号", "《湖北省推广使用车用乙醇汽油试点办法》已经审议通过，现予公布，自公布之日起施行。", "省长 样例", "二○○五年十一月二十一日"}}
	row("25", order, func(f Facts) string {
		return f.EffectiveOn.String() + " " + f.EffectiveFrom + " " + strings.Join(f.Issuers, "")
	}, "2005-11-21 正文“自公布之日起施行” 湖北省人民政府")
	row("27", Evidence{Title: "规章制定程序条例", Paragraphs: []string{"第三十二条 规章应当自公布之日起30日后施行；但是，涉及国家安全的除外。", "第四十一条 本条例自2002年1月1日起施行。"}}, func(f Facts) string { return f.EffectiveOn.String() }, "2002-01-01")
	for sentence, want := range map[string]string{
		"有关单位和各界人士可以在2017年5月26日前，通过以下方式提出意见。": "2017-05-26", "公告时间：2020年6月10日至2020年6月23日。": "2020-06-23", "意见反馈截止时间为2019年11月13日。": "2019-11-13",
	} {
		row("28", Evidence{Title: "样例部关于公开征求意见的公告", Paragraphs: []string{"样例。", sentence}}, func(f Facts) string { return f.DeadlineOn.String() }, want)
	}
	row("29", Evidence{Title: "样例省人民政府关于印发盐业体制改革实施方案的通知", Paragraphs: []string{"2016年12月31日前，全省新的食盐专业化监管体制全面建立。"}}, func(f Facts) string { return f.DeadlineOn.String() }, "")
	row("30", Evidence{Title: "中华人民共和国专利法实施细则", Paragraphs: []string{"第一条 样例。", "第一百二十二条 本细则自2001年7月1日起施行。1992年12月12日国务院批准修订、1992年12月21日中国专利局发布的《中华人民共和国专利法实施细则》同时废止。"}}, cited, "废止 中华人民共和国专利法实施细则")
	row("31", Evidence{Title: "重庆市人民政府办公厅关于促进内外贸一体化发展的实施意见", Paragraphs: []string{"为贯彻落实《国务院办公厅关于促进内外贸一体化发展的意见》（国办发〔2021〕59号）精神，现提出如下实施意见。"}}, cited, "落实 国务院办公厅关于促进内外贸一体化发展的意见 国办发〔2021〕59号")
	row("32", Evidence{Title: "样例法", Paragraphs: []string{"复议期间具体行政行为不停止执行。"}}, cited, "")
	region := func(f Facts) string { return f.Region + " " + division.Name(f.Region) }
	site := func(id string) []Pair { return []Pair{{"SiteIDCode", id}} }
	row("34", Evidence{Title: "x", Meta: site("4403000001")}, region, "4403 广东省深圳市")
	row("34", Evidence{Title: "x", Meta: site("4419000001")}, region, "4419 广东省东莞市")
	row("34", Evidence{Title: "x", Meta: site("bm62000002")}, region, " ")
	row("36", Evidence{Title: "关于养老工作的通知", Labels: []Label{{"td", "文号", "青府办发〔2022〕59号"}}, Meta: site("3101180001")}, region, "310118 上海市青浦区")
	if s := Subject("国务院关于加快发展养老服务业的若干意见"); !Implements("四川省人民政府关于加快发展养老服务业的实施意见", s) {
		t.Errorf("row 37: %s", s)
	}
	summary := func(f Facts) string { return f.Summary }
	row("39", Evidence{Title: "市政府印发《关于创新驱动发展巩固提升实体经济能级的若干意见》的通知", Paragraphs: []string{"沪府发〔2017〕36号", "现将《关于创新驱动发展巩固提升实体经济能级的若干意见》印发给你们，请认真按照执行。",
		"一、明确指导思想和目标任务", "二、提升实体经济质量和核心竞争力", "三、创新引领实体经济发展"}}, summary,
		"印发《关于创新驱动发展巩固提升实体经济能级的若干意见》：明确指导思想和目标任务；提升实体经济质量和核心竞争力；创新引领实体经济发展。")
	row("40", Evidence{Title: "自然资源部矿产资源保护监督司关于延长公示信息填报期限等事项的函", Paragraphs: []string{
		"为深入贯彻习近平总书记关于坚决打赢新冠肺炎疫情防控的人民战争、总体战、阻击战的重要指示精神，全面落实党中央、国务院有关决策部署，全力配合做好疫情防控，现就2020年矿业权人勘查开采信息公示有关事项函告如下：",
		"一、矿业权人公示信息填报期限延长至疫情防控措施解除后一个月。对受疫情影响填报公示仍有困难的矿业权人，可向地方申请进一步延期。"}}, summary,
		"现就2020年矿业权人勘查开采信息公示有关事项函告如下：矿业权人公示信息填报期限延长至疫情防控措施解除后一个月。")
}

// Rows 26 and 33 need the laws of the shared test data; row 35 is tested by TestSeed in
// cmd/dibao/seed_test.go.
func TestAnswersOfLaws(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(sharedData(t, "laws"), "versions")
	f := lawFacts(t, dir, "立法法(2023-03-13).md")
	if f.FirstEffectiveOn.String() != "2000-07-01" || !f.EffectiveOn.IsZero() {
		t.Errorf("row 26: first %s, effective %s", f.FirstEffectiveOn, f.EffectiveOn)
	}
	s := Compare(lawFacts(t, dir, "生物安全法(2020-10-17).md"), lawFacts(t, dir, "生物安全法(2024-04-26).md"))
	if s.Same || !s.Version || s.Containment < 0.99 {
		t.Errorf("row 33: %+v", s)
	}
	if got := f.Issuers; slices.Contains(got, "") {
		t.Errorf("issuers %q", got)
	}
}
