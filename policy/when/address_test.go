package when

import "testing"

func TestInAddress(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/zhengce/content/2018-12/06/content_5346276.htm": "2018-12-06",
		"https://a.example/xwfb/20220528/bc805c.html":                      "2022-05-28",
		"https://a.example/zcwj/202611/t20261119_1100.html":                "2026-11-19",
		"https://a.example/art/2012/7/4/art_12_34.html":                    "2012-07-04",
		"https://a.example/a/dangjian/201106/1142.html":                    "",
		"https://a.example/epaper/202202/13/content_1130.html":             "2022-02-13",
		"https://a.example/jiedu/202611/1100.html":                         "",
		"https://a.example/content/post_2061234.html":                      "",
		"https://a.example/20221345/x.html":                                "",
	} {
		got, _ := InAddress(in)
		if got.String() != want {
			t.Errorf("InAddress(%q) = %q, want %q", in, got, want)
		}
	}
}
