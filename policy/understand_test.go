package policy

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseTitle(t *testing.T) {
	for in, want := range map[string]Title{
		"国务院办公厅关于印发新能源汽车产业发展规划（2021—2035年）的通知": {Issuers: []string{"国务院办公厅"}, Relation: "印发", Type: "通知", Inner: []string{"新能源汽车产业发展规划（2021—2035年）"}},
		"国务院、中央军委关于民航使用空军浪头机场问题的批复":            {Issuers: []string{"国务院", "中央军委"}, Type: "批复", Subject: "民航使用空军浪头机场问题"},
		"[有效]浙江省人民政府关于印发浙江省盐业体制改革实施方案的通知":      {Issuers: []string{"浙江省人民政府"}, Relation: "印发", Type: "通知", Marker: "有效", Inner: []string{"浙江省盐业体制改革实施方案"}},
		"四川省水资源调度管理办法":                         {Type: "办法", Subject: "四川省水资源调度"},
		"国务院批转农业机械部关于全国农机工作会议的报告":              {Issuers: []string{"国务院"}, Relation: "批转"},
	} {
		got := ParseTitle(in)
		if !slices.Equal(got.Issuers, want.Issuers) || got.Type != want.Type || got.Relation != want.Relation || got.Marker != want.Marker ||
			want.Inner != nil && !slices.Equal(got.Inner, want.Inner) || want.Subject != "" && got.Subject != want.Subject {
			t.Errorf("ParseTitle(%q) = %+v, want %+v", in, got, want)
		}
	}
}

func TestUnderstand(t *testing.T) {
	doc := Evidence{
		Title:  "样例市人民政府关于加快发展社区养老服务的实施意见",
		Labels: []Label{{"div.info", "时间", "2026-11-20 09:30"}, {"div.info", "来源", "未知"}},
		Paragraphs: []string{"样政发〔2026〕12号", "各县人民政府：", "为贯彻落实《样例省人民政府关于推进基本养老服务体系建设的意见》（样省发〔2026〕3号），现就加快发展社区养老服务提出以下实施意见。",
			"一、总体要求。以社区为依托。", "二、主要任务。建成综合体。", "本意见自2026年12月20日起施行，有效期5年。", "样例市人民政府", "2026年11月18日", "打印 关闭"},
	}
	f := Understand(doc)
	for name, x := range map[string][2]string{
		"kind":           {string(f.Kind), "document"},
		"number":         {f.DocumentNumber, "样政发〔2026〕12号"},
		"type":           {f.Type, "意见"},
		"issuer":         {strings.Join(f.Issuers, ","), "样例市人民政府"},
		"published":      {f.PublishedAt.Format(time.RFC3339), "2026-11-20T09:30:00+08:00"},
		"published from": {f.PublishedFrom, "div.info 时间"},
		"issued":         {f.IssuedOn.String(), "2026-11-18"},
		"effective":      {f.EffectiveOn.String(), "2026-12-20"},
		"expires":        {f.ExpiresOn.String(), "2031-12-19"},
		"credit":         {f.Credit, ""},
		"language":       {f.Language, "zh"},
		"last paragraph": {f.Paragraphs[len(f.Paragraphs)-1], "2026年11月18日"},
	} {
		if x[0] != x[1] {
			t.Errorf("%s: got %q, want %q", name, x[0], x[1])
		}
	}
	if len(f.Citations) != 1 || f.Citations[0].Number != "样省发〔2026〕3号" {
		t.Errorf("citations %+v", f.Citations)
	}
	for _, c := range []struct {
		name string
		e    Evidence
		want func(Facts) bool
	}{
		{"OfficeIsNoName", Evidence{Title: "论社区", Paragraphs: []string{"正文一段。", "(作者为民政部部长、党组书记)"}}, func(f Facts) bool {
			return f.Author == "" && f.AuthorOffice == "民政部部长、党组书记" && f.AuthorBody == "民政部" && f.Kind == KindSignedArticle && len(f.Paragraphs) == 1
		}},
		{"PersonWithOffice", Evidence{Title: "论社区", Paragraphs: []string{"正文一段。", "（作者：样文，系样例研究中心研究员）"}}, func(f Facts) bool {
			return f.Author == "样文" && f.AuthorOffice == "样例研究中心研究员"
		}},
		{"Interpretation", Evidence{Title: "《样例办法》政策解读", Paragraphs: []string{"一、为什么要出台？"}}, func(f Facts) bool {
			return f.Kind == KindInterpretation && f.Issuers == nil
		}},
		{"TwoDeadlinesAreWithheld", Evidence{Title: "关于公开征求意见的通知", Paragraphs: []string{"请在2026年12月1日前反馈意见。", "截止时间为2026年12月5日。"}}, func(f Facts) bool {
			return f.Kind == KindConsultation && f.DeadlineOn.IsZero() && len(f.Warnings) == 1
		}},
		{"RedatedList", Evidence{Title: "x", ListDate: "2023-02-09", URL: "https://a.example/content/2015-08/10/content_1.htm"}, func(f Facts) bool {
			return f.PublishedOn.String() == "2015-08-10" && len(f.Warnings) == 1
		}},
		{"NumberOfALaterYear", Evidence{Title: "关于样例的通知", ListDate: "2020-05-01", Labels: []Label{{"td", "文号", "样政发〔2022〕1号"}}}, func(f Facts) bool { return len(f.Warnings) == 1 }},
		{"NothingIsKnownOfNothing", Evidence{}, func(f Facts) bool { return f.Title == "" && f.Kind == "" && f.PublishedOn.IsZero() }},
	} {
		if f := Understand(c.e); !c.want(f) {
			t.Errorf("%s: got %+v", c.name, f)
		}
	}
}

// In 25 real documents, only real numbers are found.
func TestFindNumbersInFullTexts(t *testing.T) {
	dir, err := os.ReadDir(shared(t, "fulltext"))
	if err != nil || len(dir) == 0 {
		t.Fatal(err)
	}
	found := 0
	for _, entry := range dir {
		b, err := os.ReadFile(shared(t, "fulltext", entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var docs []map[string]any
		if json.Unmarshal(b, &docs) != nil {
			continue
		}
		for _, doc := range docs {
			for _, v := range doc {
				s, _ := v.(string)
				for _, n := range FindNumbers(s) {
					found++
					if again, ok := ParseNumber(n.Number); !ok || again != n.Number {
						t.Errorf("%q is not canonical (%q)", n.Number, again)
					}
				}
			}
		}
	}
	t.Logf("%d numbers found", found)
}

func FuzzUnderstand(f *testing.F) {
	f.Add("国务院办公厅关于印发样例的通知", "国办发〔2023〕15号\n自2024年5月1日起施行，有效期5年。", "2023-02-09", "https://a.example/2015-08/10/x.htm")
	f.Add("", "(作者为民政部部长)", "二〇一一年六月", "t20221345_")
	f.Fuzz(func(t *testing.T, title, text, date, url string) {
		e := Evidence{Title: title, Paragraphs: strings.Split(text, "\n"), ListDate: date, URL: url, Labels: []Label{{"p", "时间", date}}}
		a, b := Understand(e), Understand(e)
		if a.PublishedOn != b.PublishedOn || a.Summary != b.Summary || len(a.Paragraphs) != len(b.Paragraphs) {
			t.Fatalf("the same evidence gives other facts")
		}
		for _, d := range []Date{a.PublishedOn, a.IssuedOn, a.EffectiveOn, a.ExpiresOn, a.DeadlineOn} {
			if !d.IsZero() {
				if _, err := ParseDate(d.String()); err != nil {
					t.Fatalf("%s is not a date", d)
				}
			}
		}
		if len(a.Paragraphs) > len(e.Paragraphs) {
			t.Fatal("paragraphs were made up")
		}
	})
}

func FuzzFindNumbers(f *testing.F) {
	f.Add("根据国家经贸委等部门下发的国经贸经〔1998〕154号文件精神")
	f.Add("中华人民共和国国务院令第703号〔2020〕第第第")
	f.Fuzz(func(t *testing.T, s string) {
		end := 0
		for _, n := range FindNumbers(s) {
			if n.Start < 0 || n.End > len(s) || n.Start >= n.End || n.Start < end-len(s) {
				t.Fatalf("%+v lies outside %q", n, s)
			}
			end = n.End
		}
	})
}

func FuzzParseTitle(f *testing.F) {
	f.Add("[有效]浙江省人民政府关于印发浙江省盐业体制改革实施方案的通知")
	f.Add("发改经体〔2016〕2120号《关于印发〈办法〉的通知》")
	f.Add("0000\u3000\x95\x80\x88\x9e\x80\x8a\x80\x9a\x80\x8b") // no text
	f.Fuzz(func(t *testing.T, s string) {
		if got := ParseTitle(s); len(got.Title) > len(s)+16 {
			t.Fatalf("title %q of %q", got.Title, s)
		}
	})
}

// TestIsBoilerplate distinguishes what a page says about itself, its channels and other pages
// from sentences of a text.
func TestIsBoilerplate(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"点击右上角": true, "选择在浏览器中打开": true, "努力加载中，请稍后...": true, "样浪新闻公众号": true, "图片均来自网络": true,
		"更多！欢迎扫描左方二维码关注样浪新闻官方微信（yang-xinwen）": true, "转载请注明出处：样科技": true, "点击进入“文艺样青年”>>": true, "返回样讯网首页>>": true,
		"（原题为《新年伊始，样例文章谈了啥？》）": true, "本文原标题：《定了！样例港即将开通！地铁直达，以及更多内容，都在这里，一起来看》": true,
		"安装样浪财经客户端第一时间接收最全面的市场资讯→【下载地址】": true,
		"打开工作局面，加强公众号建设":                 false, "图片来自网络安全宣传周的现场，由主办方提供给各家媒体使用": false, "他原题写于一九五二年": false, "点击进入报名系统，填写信息": false, "正在加快建设": false,
	} {
		if got := IsBoilerplate(line); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// 原创 means the site if the page gives the site's name, and nobody if it does not; the
// site's name before a title is not part of the title.
func TestNameOfTheSite(t *testing.T) {
	t.Parallel()
	for _, site := range []string{"", "样例市人民政府网"} {
		e := Evidence{Meta: []Pair{{"ArticleTitle", "样例市人民政府网——样例市统筹推进产业转型升级"}}, Labels: []Label{{Name: "来源", Value: "本站原创"}}}
		title := e.Meta[0].Content
		if site != "" {
			e.Meta = append(e.Meta, Pair{"SiteName", site})
			title = "样例市统筹推进产业转型升级"
		}
		if f := Understand(e); f.Title != title || f.Credit != site {
			t.Errorf("site %q: title %q, credit %q", site, f.Title, f.Credit)
		}
	}
}
