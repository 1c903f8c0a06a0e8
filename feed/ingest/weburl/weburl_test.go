package weburl

import (
	"net/url"
	"testing"
)

// TestAbsolute resolves references as browsers do, except for addresses without their
// scheme.
func TestAbsolute(t *testing.T) {
	t.Parallel()
	base, err := url.Parse("https://query.own.example/api/list")
	if err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{
		"a/1.html":                      "https://query.own.example/api/a/1.html",
		"../1.html":                     "https://query.own.example/1.html",
		"//www.own.example/1.html":      "https://www.own.example/1.html",
		"www.own.example/l/1.shtml":     "https://www.own.example/l/1.shtml",
		"query.own.example/l/1.shtml":   "https://query.own.example/l/1.shtml",
		"www.own.example":               "https://query.own.example/api/www.own.example",
		"www/own.example":               "https://query.own.example/api/www/own.example",
		"/www.own.example/1.html":       "https://query.own.example/www.own.example/1.html",
		"http://u:p@WWW.own.example/a ": "http://www.own.example/a",
		`/l\2026\1.html?a=\b`:           `https://query.own.example/l/2026/1.html?a=\b`,
		"javascript:void(0)":            "",
		"http:///a":                     "",
	} {
		if got := Absolute(base, ref); got != want {
			t.Errorf("%q is %q, want %q", ref, got, want)
		}
	}
	if got := Absolute(&url.URL{}, "/a"); got != "" {
		t.Errorf("without a page: %q", got)
	}
}
