package policy

import (
	"slices"
	"testing"

	"dibao/policy/division"
	"dibao/policy/warn"
)

func TestRegion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		e      Evidence
		region string
		level  division.Level
	}{
		{"SiteCode", Evidence{Meta: []Pair{{"SiteIDCode", "4403000001"}}}, "4403", division.City},
		{"Dongguan", Evidence{Meta: []Pair{{"siteidcode", "4419000044"}}}, "4419", division.City},
		{"Ministry", Evidence{Meta: []Pair{{"SiteIDCode", "bm08000001"}}, Region: "440000"}, "", ""},
		{"CountyThatIsGone", Evidence{Meta: []Pair{{"SiteIDCode", "4403990001"}}}, "4403", division.City},
		{"DistrictNumber", Evidence{Title: "关于做好防汛工作的通知", Meta: []Pair{{"SiteIDCode", "3101180001"}}, Labels: []Label{{Name: "文号", Value: "青府办发〔2022〕59号"}}}, "310118", division.County},
		{"OtherProvinceNumber", Evidence{Title: "关于做好防汛工作的通知", Region: "500000", Labels: []Label{{Name: "文号", Value: "川办发〔2022〕7号"}}}, "51", division.Province},
		{"CitySharesItsCharacter", Evidence{Title: "关于做好防汛工作的通知", Region: "370200", Labels: []Label{{Name: "文号", Value: "青政办发〔2022〕7号"}}}, "3702", division.City},
		{"CityWithTheCodeOfItsProvince", Evidence{Title: "养老服务工作会召开", Region: "510000", Issuer: "成都市人民政府", ListDate: "2026-11-27", Paragraphs: []string{"11月27日，会议召开。"}}, "5101", division.City},
		{"Issuer", Evidence{Title: "北京市密云区人民政府关于印发暂行规定的通知"}, "110118", division.County},
		{"City", Evidence{Title: "成都市人民政府关于养老服务的通知"}, "5101", division.City},
		{"CityOfProvince", Evidence{Title: "广东省深圳市人民政府关于养老服务的通知"}, "4403", division.City},
		{"Autonomous", Evidence{Title: "内蒙古自治区人民政府办公厅关于养老服务的通知"}, "15", division.Province},
		{"AmbiguousAlone", Evidence{Title: "鼓楼区人民政府关于养老服务的通知"}, "", ""},
		{"AmbiguousAtHome", Evidence{Title: "鼓楼区人民政府关于养老服务的通知", Region: "350100"}, "350102", division.County},
		{"Central", Evidence{Title: "国务院关于养老服务的通知", Region: "440000"}, "", division.Central},
		{"MinistryIssuer", Evidence{Title: "民政部关于养老服务的通知", Region: "440000"}, "", division.Ministry},
		{"Source", Evidence{Title: "关于养老服务的通知", Region: "440000"}, "44", division.Province},
		{"AtHome", Evidence{Title: "市政府关于养老服务的通知", Region: "310000"}, "31", division.Province},
		{"Nothing", Evidence{Title: "高扬创先争优旗帜"}, "", ""},
	} {
		f := Understand(c.e)
		if f.Region != c.region || f.Level != c.level {
			t.Errorf("%s: %q %q, want %q %q (issuers %v)", c.name, f.Region, f.Level, c.region, c.level, f.Issuers)
		}
	}
	if got := division.ExpandIssuer("市政府办公厅", "31"); got != "上海市人民政府办公厅" {
		t.Error(got)
	}
	for code, want := range map[string]string{"440300": "广东省深圳市", "110118": "北京市密云区", "44": "广东省", "999999": ""} {
		if got := division.Name(code); got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
}

// A rule without an issuer belongs to the region with which its title begins.
func TestRegionOfRules(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"上海市优化营商环境条例": "31 province", "深圳市样例条例": "4403 city", "四川省水资源调度管理办法": "51 province",
		"中华人民共和国样例法": " ", "城镇燃气管理条例": " ", "商用密码管理条例": " ",
	} {
		f := Understand(Evidence{Title: title, Paragraphs: []string{"第一条 为了样例，制定本条例。"}})
		if got := f.Region + " " + string(f.Level); got != want {
			t.Errorf("%s: %q, want %q", title, got, want)
		}
	}
}

// Cities and districts share the characters of provinces in document numbers: if the name
// of another place occurs, the number does not determine the region.
func TestRegionOfSharedNumbers(t *testing.T) {
	t.Parallel()
	labels := func(number string) []Label { return []Label{{Name: "文号", Value: number}} }
	for _, c := range []struct {
		name   string
		e      Evidence
		region string
		warned bool
	}{
		{"nothing else", Evidence{Title: "关于样例工作的通知", Labels: labels("青政办发〔2022〕7号")}, "63", false},
		{"issuer in no table", Evidence{Title: "青山市人民政府办公室关于样例工作的通知", Labels: labels("青政办发〔2022〕7号")}, "", true},
		{"issuer in a label", Evidence{Title: "关于样例工作的通知", Labels: append(labels("青政办发〔2022〕7号"), Label{Name: "发文机关", Value: "青山市人民政府办公室"})}, "", true},
		{"office of a city in no table", Evidence{Title: "青山市民政局关于样例工作的通知", Labels: labels("青政发〔2022〕7号")}, "", true},
		{"signature", Evidence{Title: "关于样例工作的通知", Labels: labels("新政办〔2022〕7号"), Paragraphs: []string{"各部门：", "请照办。", "新样县人民政府办公室", "2022年3月4日"}}, "", true},
		{"source of another city", Evidence{Title: "关于样例工作的通知", Issuer: "青岛市人民政府", Labels: labels("青政办发〔2022〕7号")}, "3702", false},
		{"citizens", Evidence{Title: "便利市民样例方案", Labels: labels("川办发〔2022〕7号")}, "51", false},
		{"site of another city", Evidence{Title: "关于样例工作的通知", SiteName: "青岛政务网", Labels: labels("青政办发〔2022〕7号")}, "", true},
		{"site of a city in no table", Evidence{Title: "关于样例工作的通知", SiteName: "青山市人民政府门户网站", Labels: labels("青政办发〔2022〕7号")}, "", true},
		{"title", Evidence{Title: "青山市样例工作实施方案", Labels: labels("青政办发〔2022〕7号")}, "", true},
		{"province with such a city", Evidence{Title: "关于样例工作的通知", Region: "370000", Labels: labels("青政办发〔2022〕7号")}, "", true},
		{"issuer of the province", Evidence{Title: "青海省人民政府办公厅关于样例工作的通知", SiteName: "青山市样例网", Labels: labels("青政办发〔2022〕7号")}, "63", false},
		{"city of the province", Evidence{Title: "关于样例工作的通知", SiteName: "西宁市人民政府", Labels: labels("青政办发〔2022〕7号")}, "63", false},
		{"prefecture of the province", Evidence{Title: "关于样例工作的通知", SiteName: "海南藏族自治州人民政府网", Labels: labels("青政办发〔2022〕7号")}, "63", false},
		{"local name of the issuer", Evidence{Title: "省政府办公厅关于样例工作的通知", Labels: labels("苏政办发〔2022〕7号")}, "32", false},
		{"national site", Evidence{Title: "关于样例工作的通知", SiteName: "中国政府网", Labels: labels("川办发〔2022〕7号")}, "51", false},
		{"words that end like places", Evidence{Title: "推进城市社区养老样例方案", Labels: labels("川办发〔2022〕7号")}, "51", false},
		{"a market", Evidence{Title: "农贸市场样例方案", Labels: labels("川办发〔2022〕7号")}, "51", false},
		{"the whole province", Evidence{Title: "全省县域样例方案", Labels: labels("川办发〔2022〕7号")}, "51", false},
	} {
		f := Understand(c.e)
		warned := slices.ContainsFunc(f.Warnings, func(w warn.Warning) bool { return w.Code == "number-of-other-region" })
		if f.Region != c.region || f.Level != division.LevelOf(c.region) || warned != c.warned {
			t.Errorf("%s: %q %q, %v, want %q (issuers %v)", c.name, f.Region, f.Level, f.Warnings, c.region, f.Issuers)
		}
	}
	for issuer, want := range map[string]string{"海南藏族自治州人民政府": "6325", "吉林市人民政府": "2202", "吉林省人民政府": "22", "海南省人民政府": "46", "上海市人民政府": "31", "北京密云区人民政府": "110118"} {
		if got, _, _ := division.OfIssuer(issuer, ""); got != want {
			t.Errorf("%s: %q, want %q", issuer, got, want)
		}
	}
	for region, want := range map[string]int{"": 2, "63": 2, "3702": 1, "310118": 1} {
		if got := NumberNames("青府令〔2022〕3号", region); len(got) != want {
			t.Errorf("in %q: %v", region, got)
		}
	}
}
