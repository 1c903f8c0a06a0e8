package policy

import (
	"dibao/policy/division"
	"testing"
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
	if got := division.ExpandOrgan("市政府办公厅", "31"); got != "上海市人民政府办公厅" {
		t.Error(got)
	}
	for code, want := range map[string]string{"440300": "广东省深圳市", "110118": "北京市密云区", "44": "广东省", "999999": ""} {
		if got := division.Name(code); got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
}

// A rule without an issuer is of the region that its title begins with.
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
