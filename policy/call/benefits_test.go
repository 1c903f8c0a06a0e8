package call

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// sums finds the same as the expression, which searches from character to character.
func TestSumsAreThoseOfTheExpression(t *testing.T) {
	t.Parallel()
	parts := []string{"5", "20", "1,000", "3.5", "万", "亿", "千万", "元", "元", "元", "至", "-", " ", "人民币", "￥", "/", "人", "项", "每家", "补助", ",", "。"}
	rapid.Check(t, func(t *rapid.T) {
		s := ""
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(parts), 1, 24).Draw(t, "parts") {
			s += p
		}
		got, want := sums(s), money.FindAllStringSubmatchIndex(s, maxEntries)
		if !slices.EqualFunc(got, want, slices.Equal[[]int]) {
			t.Fatalf("%q: %v, want %v", s, got, want)
		}
	})
}
