package list

import (
	"strings"
	"testing"
)

// TestReasons prints every reason in both languages, with its detail.
func TestReasons(t *testing.T) {
	if len(sentences) != 22 {
		t.Errorf("%d reasons", len(sentences))
	}
	for code, both := range sentences {
		var d Drops
		d.Add(code, "ul.hot", "一行")
		d.Add(code, "ul.hot", "另一行")
		if len(d) != 1 || d[0].Count != 2 || d[0].Example != "一行" {
			t.Errorf("%s: %+v", code, d)
			continue
		}
		for i, text := range []string{d[0].Say(false), d[0].Say(true)} {
			if text == "" || strings.Contains(text, "%s") || strings.Contains(both[i], "%s") != strings.Contains(text, "ul.hot") {
				t.Errorf("%s: %q", code, text)
			}
		}
	}
}
