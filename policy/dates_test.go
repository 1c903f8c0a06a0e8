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

// TestPublishedAfterAMove uses the day on the page if the metadata contain one that is more
// than a week later: a move of the site changes the dates in the metadata.
func TestPublishedAfterAMove(t *testing.T) {
	for _, c := range []struct{ meta, name, value, want, from string }{
		{"2023-05-12 23:20", "发布时间", "2009-09-30 10:53", "2009-09-30", "div.cinfo 发布时间"},
		{"2020-12-31 17:34", "发布时间", "2020-12-30 15:37", "2020-12-31", "meta[name=PubDate]"},
		{"2022-10-14 10:16", "", "2020年09月15日 09时32分", "2020-09-15", "div.cinfo"},
		{"2022-10-14 10:16", "", "2020年09月15日", "2022-10-14", "meta[name=PubDate]"},
		{"2018-11-27", "成文日期", "1998-03-02", "2018-11-27", "meta[name=PubDate]"},
		{"2009-09-30", "发布时间", "2023-05-12 23:20", "2009-09-30", "meta[name=PubDate]"},
	} {
		f := Understand(Evidence{Title: "样例会议召开", Meta: []Pair{{"PubDate", c.meta}}, Labels: []Label{{"div.cinfo", c.name, c.value}}, Paragraphs: []string{"会议召开。"}})
		isMoved := len(f.Warnings) > 0 && f.Warnings[0].Code == "meta-redated"
		if f.PublishedOn.String() != c.want || f.PublishedFrom != c.from || isMoved != (c.from != "meta[name=PubDate]") {
			t.Errorf("%+v: published on %s from %s, %v", c, f.PublishedOn, f.PublishedFrom, f.Warnings)
		}
	}
}

// The day on which a system generated the page again is not that of the article.
func TestDayOfThePage(t *testing.T) {
	t.Parallel()
	for made, want := range map[string]string{"页面生成时间 2026-12-07 09:25:28": "2026-12-04", "页面生成时间 2026-12-09 08:00:00": "2026-12-07"} {
		e := Evidence{Title: "样例会议召开", Meta: []Pair{{"PubDate", "2026-12-07 09:25:28"}, {"others", made}}, Labels: []Label{{"div.xx", "发布时间", "2026-12-04 09:24"}}, Paragraphs: []string{"会议召开。"}}
		if f := Understand(e); f.PublishedOn.String() != want {
			t.Errorf("%s: published on %s, want %s", made, f.PublishedOn, want)
		}
	}
}
