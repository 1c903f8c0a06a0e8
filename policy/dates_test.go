package policy

import "testing"

func TestReadURLDate(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/zhengce/content/2018-12/06/content_5346276.htm": "2018-12-06",
		"https://a.example/xwfb/20220528/bc805c.html":                      "2022-05-28",
		"https://a.example/zcwj/202611/t20261119_1100.html":                "2026-11-19",
		"https://a.example/art/2012/7/4/art_12_34.html":                    "2012-07-04",
		"https://a.example/a/dangjian/201106/1142.html":                    "",
		"https://a.example/jiedu/202611/1100.html":                         "",
		"https://a.example/content/post_2061234.html":                      "",
		"https://a.example/20221345/x.html":                                "",
	} {
		got, _ := readURLDate(in)
		if got.String() != want {
			t.Errorf("readURLDate(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestReadSignature(t *testing.T) {
	for in, want := range map[string]string{
		"二ＯＯ七年二月六日":                  "2007-02-06",
		"2017   年   11   月   24   日": "2017-11-24",
		"一九九八年八月十一日":                 "1998-08-11",
		"二〇一一年十月三十一日":                "2011-10-31",
		"自2007年1月1日起施行":              "",
		"2007年13月1日":                 "",
	} {
		got, _ := readSignature(in)
		if got.String() != want {
			t.Errorf("readSignature(%q) = %q, want %q", in, got, want)
		}
	}
}
