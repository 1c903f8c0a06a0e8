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
