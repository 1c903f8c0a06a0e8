package diff

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// versionsOf reconstructs both versions from a diff.
func versionsOf(changes []Change) (before, after []string) {
	for _, c := range changes {
		if c.Op != Added {
			before = append(before, c.Old)
		}
		if c.Op != Removed {
			after = append(after, c.New)
		}
	}
	return before, after
}

// checkDiff fails if both versions can't be reconstructed from a diff.
func checkDiff(t *testing.T, before, after []string) []Change {
	t.Helper()
	changes := Between(before, after)
	a, b := versionsOf(changes)
	if !slices.Equal(a, before) || !slices.Equal(b, after) {
		t.Fatalf("from %q to %q gives %q and %q", before, after, a, b)
	}
	for _, c := range changes {
		was, is := "", ""
		for _, s := range c.Spans {
			if s.Op != Added {
				was += s.Text
			}
			if s.Op != Removed {
				is += s.Text
			}
		}
		if c.Op == Rewritten && (was != c.Old || is != c.New) || c.Op != Rewritten && c.Spans != nil {
			t.Fatalf("the words of %+v are not its paragraphs", c)
		}
	}
	return changes
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, before, after, want string
	}{
		{"Same", "一\n二", "一\n二", "  … 2\n"},
		{"Added", "样例甲\n样例丙", "样例甲\n完全不同的\n样例丙", "  … 1\n+ 完全不同的\n  … 1\n"},
		{"Removed", "样例甲\n完全不同的\n样例丙", "样例甲\n样例丙", "  … 1\n- 完全不同的\n  … 1\n"},
		{"Words", "项目应当在2025年12月底前完成建设。", "项目应当在2026年6月底前完成建设。", "~ 项目应当在[-2025年12-]{+2026年6+}月底前完成建设。\n"},
		{"Renumbered", "第一条 甲乙丙丁。\n第二条 戊己庚辛。", "第一条 新的一条内容。\n第二条 甲乙丙丁。\n第三条 戊己庚辛。",
			"@@ 第一条\n+ 第一条 新的一条内容。\n@@ 第一条 → 第二条\n~ 第[-一-]{+二+}条 甲乙丙丁。\n@@ 第二条 → 第三条\n~ 第[-二-]{+三+}条 戊己庚辛。\n"},
		{"ShortKept", "甲乙丙丁戊己庚辛壬癸子丑寅卯", "甲乙丙丁天己地辛壬癸子丑寅卯", "~ 甲乙丙丁[-戊己庚-]{+天己地+}辛壬癸子丑寅卯\n"},
	} {
		changes := checkDiff(t, strings.Split(c.before, "\n"), strings.Split(c.after, "\n"))
		if got := Format(changes); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	checkDiff(t, nil, nil)
	checkDiff(t, []string{"", "第一条"}, []string{"第一条", "", ""})
}

// Random texts, and long ones, can be reconstructed; a long diff does not need a table of
// all its paragraphs.
func TestDiffComesBack(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"第一条 甲", "第二条 甲乙丙", "乙", "甲乙丙丁戊", "甲乙丙丁己", "2024 abc", ""}
	for range 3000 {
		texts := [2][]string{}
		for i := range texts {
			for range r.IntN(10) {
				texts[i] = append(texts[i], pieces[r.IntN(len(pieces))])
			}
		}
		checkDiff(t, texts[0], texts[1])
	}
	var long, other []string
	for i := range 5000 {
		long = append(long, fmt.Sprintf("这是第%d段，说的是样例%d", i, i*7))
		if i%3 > 0 {
			other = append(other, long[i])
		}
	}
	if changes := checkDiff(t, long, other); len(changes) != len(long) {
		t.Errorf("%d changes of %d paragraphs", len(changes), len(long))
	}
	checkDiff(t, long, slices.Repeat([]string{"x"}, 3000))
	checkDiff(t, slices.Repeat([]string{"y", "x"}, 3000), slices.Repeat([]string{"x", "z"}, 3000))
}

func FuzzDiff(f *testing.F) {
	f.Add("第一条 甲\n乙", "第二条 甲\n丙")
	f.Add("a\n\nb", "b\na")
	f.Fuzz(func(t *testing.T, before, after string) {
		checkDiff(t, strings.Split(before, "\n"), strings.Split(after, "\n"))
	})
}

// TestDiffIsBounded: texts whose comparison needs more than its budget are not
// compared, and one that fits is compared in full.
func TestDiffIsBounded(t *testing.T) {
	t.Parallel()
	paragraphs := func(n int, end string) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprintf("第%d项%s应当依照本办法的规定办理登记手续。%s", i, strings.Repeat("养老机构", i%7), end))
		}
		return out
	}
	const budget = 20 << 20
	if changes, ok := Within(paragraphs(50, "甲"), paragraphs(50, "乙"), budget); !ok || len(changes) != 50 {
		t.Errorf("a short text: %d changes, %v", len(changes), ok)
	}
	alike := func(end string) (out []string) {
		for i := range 120 {
			var b strings.Builder
			for n := range 4000 {
				b.WriteRune(rune(0x4e00 + (n*n+i)%5000))
			}
			out = append(out, b.String()+end)
		}
		return out
	}
	long := []string{strings.Repeat("甲乙丙丁", 100_000)}
	for name, pair := range map[string][2][]string{
		"long paragraphs that are all alike": {alike("甲"), alike("乙")},
		"20 MB":                              {paragraphs(200_000, ""), paragraphs(200_000, "")},
		"one endless paragraph":              {long, {long[0][3:] + "戊"}},
	} {
		if _, ok := Within(pair[0], pair[1], budget); ok && name != "one endless paragraph" {
			t.Errorf("%s was compared", name)
		}
	}
}
