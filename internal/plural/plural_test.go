package plural

import "testing"

func TestEnglish(t *testing.T) {
	for text, want := range map[string]string{
		"mailing 7 has 1 deliveries":            "mailing 7 has 1 delivery",
		"1 deliveries were refused permanently": "1 delivery was refused permanently",
		"weekly No. 1 goes out: 1 deliveries":   "weekly No. 1 goes out: 1 delivery",
		"1 channels get it, 1 readers match":    "1 channel gets it, 1 reader matches",
		"1 new readers added":                   "1 new reader added",
		"1 documents implement it":              "1 document implements it",
		"11 items, 21 lines, 0.1 seconds":       "11 items, 21 lines, 0.1 seconds",
		"line 1 has 2 cells, not 1":             "line 1 has 2 cells, not 1",
		"2026-11-1 articles":                    "2026-11-1 articles",
		"issue 1 is there already":              "issue 1 is there already",
		"1 articlesque":                         "1 articlesque",
		"(1 days)":                              "(1 day)",
	} {
		if got := English(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
