package policy

import "testing"

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

// TestPublishedIsNotGenerated takes the day that readers see where the meta element for
// the publication gives the moment in which the site made the page anew.
func TestPublishedIsNotGenerated(t *testing.T) {
	e := Evidence{Title: "样例会议召开", Meta: []Pair{{"PubDate", "2023-11-10 15:33:34"}, {"others", "页面生成时间 2023-11-10 15:33:34"}},
		Labels: []Label{{"p", "日期", "2021/09/06"}}, Paragraphs: []string{"9月2日下午，会议召开。"}}
	if f := Understand(e); f.PublishedOn.String() != "2021-09-06" {
		t.Errorf("published on %s from %s", f.PublishedOn, f.PublishedFrom)
	}
	e.Meta[1].Content = "页面生成时间 2023-11-10 16:00:00"
	if f := Understand(e); f.PublishedOn.String() != "2023-11-10" {
		t.Errorf("published on %s from %s", f.PublishedOn, f.PublishedFrom)
	}
}
