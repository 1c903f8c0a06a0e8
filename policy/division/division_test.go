package division

import "testing"

func TestExpandIssuer(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{"市科委": "上海市科委", "市场监管局": "市场监管局", "市人民政府": "上海市人民政府", "省政府": "省政府", "民政部": "民政部"} {
		if got := ExpandIssuer(issuer, "310101"); got != want {
			t.Errorf("%s is %s, want %s", issuer, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"51": "51", "510000": "51", "四川": "51", "四川省": "51", "杭州市": "3301", "浙江省杭州市": "3301", "浙江杭州": "3301",
		"浙江省杭州市滨江区": "330108", "浙江省 杭州市 滨江区": "330108", "杭州市滨江区": "330108", "杭州滨江": "330108", "福州市鼓楼区": "350102", "南京市鼓楼区": "320106",
		"北京市东城区": "110101", "内蒙古自治区呼和浩特市": "1501", "广西壮族自治区南宁市青秀区": "450103",
		"Sichuan": "51", "inner mongolia": "15", "Beijing": "11", "Chengdu": "",
		"鼓楼区": "", "杭州市鼓楼区": "", "火星": "", "": "", "浙江省成都市": "",
	} {
		if got := Code(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// Every province has an English name, which finds it.
func TestEnglish(t *testing.T) {
	t.Parallel()
	provinces := 0
	for code := range regions().names {
		if len(code) != 2 {
			continue
		}
		provinces++
		if e := NameIn(code, "en"); Code(e) != code || NameIn(code, "zh") != Name(code) {
			t.Errorf("%s is %q in English, which finds %q", Name(code), e, Code(e))
		}
	}
	if provinces != 34 || len(english) != 34 {
		t.Errorf("%d provinces, %d names", provinces, len(english))
	}
	for code, want := range map[string]string{"510000": "Sichuan", "5101": "成都市, Sichuan", "110101": "东城区, Beijing", "100000": "", "99": ""} {
		if got := NameIn(code, "en"); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}
