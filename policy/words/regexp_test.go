package words

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// parts are parts of the patterns of this program, with every kind of beginning, end and
// repetition.
var parts = []string{
	`申报`, `申请|报名`, `(?:申报|申请)(?:材料|资料)`, `(申报)?材料`, `\s*`, `[,。;]`, `[^,。;]{0,4}`, `[^,。;]*`, `\d{1,2}`, `(\d+)\s*年`, `\p{Han}{1,3}?`, `(?:各级?|有关)*部门`,
	`(?:^|[^即])将`, `[上中下]午`, `a|b`, `(?i)pdf`, `(?i)(?:photos? |k)by`, `.`, `(?:前|后|)`, `于{2,3}`, `\x{fffd}`, `\b1`,
}

// A Regexp finds what the standard library finds with the same pattern.
func TestRegexpFindsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 4).Draw(t, "parts"), rapid.SampledFrom([]string{"", "|"}).Draw(t, "joint"))
		switch rapid.IntRange(0, 4).Draw(t, "anchor") {
		case 0:
			pattern = `^` + pattern
		case 1:
			pattern += `$`
		case 2:
			pattern = `(?:` + pattern + `)$`
		case 3:
			pattern = `^(?:` + pattern + `)`
		}
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"申报", "申请", "材料", "资料", "报名", ",", "。", " ", "1", "20", "年", "各级", "有关", "部门", "即", "将", "上午", "a", "PDF", "Photoſ", " bY", "\u212a", "前", "于", "于于", "\xe7", "\xff", "é", "😀", "\u3000"}), 0, 12).Draw(t, "text"), "")
		want, got := regexp.MustCompile(pattern), New(pattern)
		if w, g := want.MatchString(text), got.MatchString(text); w != g {
			t.Fatalf("%q in %q: %v, want %v", pattern, text, g, w)
		}
		if w, g := want.FindStringIndex(text), got.FindStringIndex(text); !slices.Equal(w, g) {
			t.Fatalf("%q in %q: first at %v, want %v", pattern, text, g, w)
		}
		for _, n := range []int{-1, 1, 2} {
			w, g := want.FindAllStringSubmatchIndex(text, n), got.FindAllStringSubmatchIndex(text, n)
			if !slices.EqualFunc(w, g, slices.Equal) {
				t.Fatalf("%q in %q, at most %d: %v, want %v", pattern, text, n, g, w)
			}
			if w, g := want.FindAllStringSubmatch(text, n), got.FindAllStringSubmatch(text, n); !slices.EqualFunc(w, g, slices.Equal) {
				t.Fatalf("%q in %q: %q, want %q", pattern, text, g, w)
			}
		}
		if w, g := want.FindString(text), got.FindString(text); w != g {
			t.Fatalf("%q in %q: %q, want %q", pattern, text, g, w)
		}
		if w, g := want.ReplaceAllString(text, "<$0>"), got.ReplaceAllString(text, "<$0>"); w != g {
			t.Fatalf("%q in %q: %q, want %q", pattern, text, g, w)
		}
	})
}

// The words derived from a pattern decide how much of a text is searched.
func TestWordsOfPatterns(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]struct {
		starts, holds int // how many words
		tail, reach   int
	}{
		`(?:申报|申请)的?(?:材料|资料)`: {starts: 8, reach: 5},
		`由[^,]{0,12}(?:审核|汇总)`: {starts: 1, holds: 2, reach: 15},
		`[^,]{0,12}(?:审核|汇总)`:  {holds: 2, reach: 14},
		`[^,]{0,12}$`:          {tail: 12},
		`(?:应|须)[^,]{0,3}$`:    {starts: 2},
		`\p{Han}+`:             {},
		`(?:有关|各)*部门`:          {starts: 3, holds: 1},
		`(?:^|[^即])将`:          {holds: 1, reach: 2},
		`(?i)pdf`:              {starts: 8, reach: 3},
		`\s*第?[一二]`:            {starts: 9, holds: 4},
		`(?:专家|院士)(?:组)?(?:评审|审核)?会`: {starts: 12, reach: 6},
	} {
		r := New(pattern)
		count := func(s *set) (n int) {
			if s == nil {
				return 0
			}
			for _, list := range s.words {
				n += len(list)
			}
			return n
		}
		if count(r.starts) != want.starts || count(r.holds) != want.holds || r.tail != want.tail || r.reach != want.reach {
			t.Errorf("%s: starts %d, holds %d, tail %d, reach %d; want %+v", pattern, count(r.starts), count(r.holds), r.tail, r.reach, want)
		}
	}
}
