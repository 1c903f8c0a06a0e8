package deadline

import (
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// daysIn finds the same days as a single regular expression that searches at each character.
func TestDaysAreThoseOfOneExpression(t *testing.T) {
	t.Parallel()
	whole := regexp.MustCompile(`(?:` + year + `\s*)?(\d{1,2})\s*月\s*(?:(\d{1,2})\s*[日号]` + tail +
		`(?:` + to + `(?:(?:` + year + `\s*)?(\d{1,2})\s*月)?\s*(\d{1,2})\s*[日号]` + tail + `|(` + to + hour + `)\s*)?|(\d{1,2})\s*(?:至|到|—+|–|－|-|~|～)\s*(?:(\d{1,2})\s*月\s*)?(\d{1,2})\s*[日号]` + tail + `)`)
	order := []int{1, 2, 3, 8, 9, 10, 4, 5, 6, 7} // the order of the groups in the single expression
	parts := []string{"2026", "26", "114", "5", "12026", "年", "6", "12", "123", "月", "月", "日", "日", "号", " ", "至", "—", "-", "（周五）", "一", "17:00", "上午9时", "起", "，", "前", "底"}
	rapid.Check(t, func(t *rapid.T) {
		s := ""
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(parts), 1, 24).Draw(t, "parts") {
			s += p
		}
		got := daysIn(s)
		want := whole.FindAllStringSubmatchIndex(s, -1)
		if len(got) != len(want) {
			t.Fatalf("%q: %d days, want %d", s, len(got), len(want))
		}
		for i, w := range want {
			sorted := slices.Clone(w[:2])
			for _, g := range order {
				sorted = append(sorted, w[2*g], w[2*g+1])
			}
			if !slices.Equal(got[i], sorted) {
				t.Fatalf("%q: %v, want %v", s, got[i], sorted)
			}
		}
	})
}
