package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The words of the themes agree with what a reader says of 150 titles. How good
// they are on titles that nobody looked at before stands in docs/themes.md.
func TestClassify(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("testdata", "themes.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	all, right := 0, 0
	for _, row := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		want, title, _ := strings.Cut(row, "\t")
		f := Understand(Evidence{Title: title})
		all++
		if f.Theme == want {
			right++
		} else {
			t.Logf("%s: %q by %s, want %q", title, f.Theme, f.ThemeFrom, want)
		}
	}
	t.Logf("%d of %d right", right, all)
	if right*100 < all*93 {
		t.Errorf("%d of %d right", right, all)
	}
}

func TestThemeOfPage(t *testing.T) {
	t.Parallel()
	e := Evidence{Title: "国务院关于养老服务的通知", Labels: []Label{{Name: "主题分类", Value: "卫生、体育\\体育"}}}
	if f := Understand(e); f.Theme != "卫生、体育\\体育" || f.ThemeFrom != "主题分类" {
		t.Errorf("the page's own theme: %q from %q", f.Theme, f.ThemeFrom)
	}
	if f := Understand(Evidence{Title: "国务院办公厅紧急通知"}); f.Theme != "" {
		t.Errorf("nothing says what it is about: %q by %s", f.Theme, f.ThemeFrom)
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
