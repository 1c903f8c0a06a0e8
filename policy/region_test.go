package policy

import "testing"

func TestRegion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		e      Evidence
		region string
		level  Level
	}{
		{"SiteCode", Evidence{Meta: []Pair{{"SiteIDCode", "4403000001"}}}, "4403", LevelCity},
		{"Dongguan", Evidence{Meta: []Pair{{"siteidcode", "4419000044"}}}, "4419", LevelCity},
		{"Ministry", Evidence{Meta: []Pair{{"SiteIDCode", "bm08000001"}}, Region: "440000"}, "", ""},
		{"CountyThatIsGone", Evidence{Meta: []Pair{{"SiteIDCode", "4403990001"}}}, "4403", LevelCity},
		{"DistrictNumber", Evidence{Title: "关于做好防汛工作的通知", Meta: []Pair{{"SiteIDCode", "3101180001"}}, Labels: []Label{{Name: "文号", Value: "青府办发〔2022〕59号"}}}, "310118", LevelCounty},
		{"OtherProvinceNumber", Evidence{Title: "关于做好防汛工作的通知", Region: "500000", Labels: []Label{{Name: "文号", Value: "川办发〔2022〕7号"}}}, "51", LevelProvince},
		{"Issuer", Evidence{Title: "北京市密云区人民政府关于印发暂行规定的通知"}, "110118", LevelCounty},
		{"City", Evidence{Title: "成都市人民政府关于养老服务的通知"}, "5101", LevelCity},
		{"CityOfProvince", Evidence{Title: "广东省深圳市人民政府关于养老服务的通知"}, "4403", LevelCity},
		{"Autonomous", Evidence{Title: "内蒙古自治区人民政府办公厅关于养老服务的通知"}, "15", LevelProvince},
		{"AmbiguousAlone", Evidence{Title: "鼓楼区人民政府关于养老服务的通知"}, "", ""},
		{"AmbiguousAtHome", Evidence{Title: "鼓楼区人民政府关于养老服务的通知", Region: "350100"}, "350102", LevelCounty},
		{"Central", Evidence{Title: "国务院关于养老服务的通知", Region: "440000"}, "", LevelCentral},
		{"MinistryIssuer", Evidence{Title: "民政部关于养老服务的通知", Region: "440000"}, "", LevelMinistry},
		{"Source", Evidence{Title: "关于养老服务的通知", Region: "440000"}, "44", LevelProvince},
		{"AtHome", Evidence{Title: "市政府关于养老服务的通知", Region: "310000"}, "31", LevelProvince},
		{"Nothing", Evidence{Title: "高扬创先争优旗帜"}, "", ""},
	} {
		f := Understand(c.e)
		if f.Region != c.region || f.Level != c.level {
			t.Errorf("%s: %q %q, want %q %q (issuers %v)", c.name, f.Region, f.Level, c.region, c.level, f.Issuers)
		}
	}
	if got := expandOrgan("市政府办公厅", "31"); got != "上海市人民政府办公厅" {
		t.Error(got)
	}
	for code, want := range map[string]string{"440300": "广东省深圳市", "110118": "北京市密云区", "44": "广东省", "999999": ""} {
		if got := RegionName(code); got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
}

func TestExpandOrgan(t *testing.T) {
	t.Parallel()
	for organ, want := range map[string]string{"市科委": "上海市科委", "市场监管局": "市场监管局", "市人民政府": "上海市人民政府", "省政府": "省政府", "民政部": "民政部"} {
		if got := expandOrgan(organ, "310101"); got != want {
			t.Errorf("%s is %s, want %s", organ, got, want)
		}
	}
}

func TestRegionCode(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"51": "51", "510000": "51", "四川": "51", "四川省": "51", "杭州市": "3301", "浙江省杭州市": "3301", "浙江杭州": "3301",
		"浙江省杭州市滨江区": "330108", "浙江省 杭州市 滨江区": "330108", "杭州市滨江区": "330108", "杭州滨江": "330108", "福州市鼓楼区": "350102", "南京市鼓楼区": "320106",
		"北京市东城区": "110101", "内蒙古自治区呼和浩特市": "1501", "广西壮族自治区南宁市青秀区": "450103",
		"鼓楼区": "", "杭州市鼓楼区": "", "火星": "", "": "", "浙江省成都市": "",
	} {
		if got := RegionCode(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
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
