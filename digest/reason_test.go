package digest_test

import (
	"strings"
	"testing"

	"dibao/digest"
	"dibao/policy"
)

// A reader sees the word for a kind and the name of a region, not their codes.
func TestReasonsHaveWords(t *testing.T) {
	for _, kind := range policy.Kinds {
		if got := digest.ReasonText("zh", "kind", string(kind)); strings.ContainsFunc(got, func(r rune) bool { return r >= 'a' && r <= 'z' }) {
			t.Errorf("%s: %q", kind, got)
		}
	}
	for _, x := range []struct{ language, field, value, want string }{
		{"zh", "kind", "interpretation", "类别 解读"}, {"en", "kind", "signed-article", "kind signed article"},
		{"en", "theme", "民政", "theme Civil affairs, poverty and disaster relief"}, {"en", "region", "510000", "region Sichuan"}, {"zh", "region", "510000", "地区 四川省"},
		{"zh", "region", "440300", "地区 广东省深圳市"}, {"zh", "region", "999999", "地区 999999"}, {"zh", "word", "养老", "关键词 养老"},
	} {
		if got := digest.ReasonText(x.language, x.field, x.value); got != x.want {
			t.Errorf("%s %s %s: %q, want %q", x.language, x.field, x.value, got, x.want)
		}
	}
}
