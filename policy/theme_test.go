package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// themeRows reads titles with the theme that a reader gave them.
func themeRows(t *testing.T, name string, read func(want, title string)) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		want, title, _ := strings.Cut(row, "\t")
		read(want, title)
	}
}

// The words of the themes agree with what a reader says of the titles that they
// were made on.
func TestClassify(t *testing.T) {
	t.Parallel()
	all, right, withheld := 0, 0, 0
	themeRows(t, "themes.tsv", func(want, title string) {
		all++
		switch f := Understand(Evidence{Title: title}); f.Theme {
		case want:
			right++
		case "":
			withheld++
		default:
			t.Logf("%s: %q by %s, want %q", title, f.Theme, f.ThemeFrom, want)
		}
	})
	wrong := all - right - withheld
	t.Logf("%d of %d right, %d withheld, %d wrong", right, all, withheld, wrong)
	if right*100 < all*88 || wrong*100 > all*6 {
		t.Errorf("%d of %d right, %d wrong", right, all, wrong)
	}
}

// What the words are worth on titles that were labelled before the program was
// asked. On the first of the two sets it was seen since that themes which tie are
// better withheld; the second was drawn after the last word was written down.
func TestClassifyOthers(t *testing.T) {
	t.Parallel()
	for name, least := range map[string]float64{"themes-fresh.tsv": 0.88, "themes-blind.tsv": 0.85} {
		t.Run(name, func(t *testing.T) { classifyOthers(t, name, least) })
	}
}

func classifyOthers(t *testing.T, name string, least float64) {
	t.Helper()
	type count struct{ right, given, missed int }
	counts := make(map[string]*count)
	of := func(theme string) *count {
		if counts[theme] == nil {
			counts[theme] = new(count)
		}
		return counts[theme]
	}
	all, right, wrong := 0, 0, 0
	themeRows(t, name, func(want, title string) {
		all++
		switch got := Understand(Evidence{Title: title}).Theme; {
		case got == want:
			right++
			of(want).right++
		default:
			of(want).missed++
			if got != "" {
				of(got).given++
				wrong++
			}
			t.Logf("%s is %q, want %q", title, got, want)
		}
	})
	sum, themes := 0.0, 0
	for theme, c := range counts {
		if c.right+c.missed == 0 {
			continue // no title of it
		}
		themes++
		f1 := 2 * float64(c.right) / float64(2*c.right+c.given+c.missed)
		sum += f1
		t.Logf("%s: %d titles, F1 %.2f", theme, c.right+c.missed, f1)
	}
	f1 := sum / float64(themes)
	t.Logf("%d of %d right, %d wrong, macro-F1 %.3f over %d themes", right, all, wrong, f1, themes)
	if f1 < least || wrong*100 > all*6 {
		t.Errorf("macro-F1 %.3f", f1)
	}
}

func TestThemeOfPage(t *testing.T) {
	t.Parallel()
	e := Evidence{Title: "国务院关于养老服务的通知", Labels: []Label{{Name: "主题分类", Value: "卫生、体育\\体育"}}}
	if f := Understand(e); f.Theme != "卫生、体育\\体育" || f.ThemeFrom != "主题分类" {
		t.Errorf("the page's own theme: %q from %q", f.Theme, f.ThemeFrom)
	}
	for _, title := range []string{
		"国务院办公厅紧急通知",
		"样例市召开基层治理现代化工作推进会",   // 现代化工作 holds 化工
		"样例省人民政府办公厅关于工业普查的通知", // two themes come as one
		"样例省人民政府关于冠军的通知",
	} {
		if f := Understand(Evidence{Title: title}); f.Theme != "" {
			t.Errorf("%s says too little of its theme: %q by %s", title, f.Theme, f.ThemeFrom)
		}
	}
	for _, c := range []struct {
		want, have string
		matches    bool
	}{
		{"民政", "民政、扶贫、救灾", true}, {"体育", "卫生、体育\\体育", true}, {"卫生、体育", "卫生、体育\\体育", true}, {"卫生、体育", "卫生、体育", true},
		{"政", "民政、扶贫、救灾", false}, {"", "国防", false}, {"国防", "", false},
	} {
		if got := ThemeMatches(c.want, c.have); got != c.matches {
			t.Errorf("%q of %q: %v", c.want, c.have, got)
		}
	}
}
