package width

import (
	"testing"
	"unicode/utf8"
)

// The search by bytes finds every character that Half changes.
func TestMayChange(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if HalfRune(r) != r && !mayChange("文"+string(r)+"号") {
			t.Errorf("%U is not seen", r)
		}
	}
	for _, s := range []string{"各县（市、区）人民政府，市政府：", "2026年11月20日"} {
		if mayChange(s) {
			t.Errorf("%q is looked at twice", s)
		}
	}
}
