package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dibao/policy/theme"
)

// themeRows reads titles with the theme that a person assigned.
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

// Only titles, without a text or an issuer whose field is known: a single word does not
// decide, so many get no theme, and few a wrong one.
func TestThemesOfTitles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"themes.tsv", "themes-fresh.tsv", "themes-blind.tsv"} {
		all, right, wrong := 0, 0, 0
		themeRows(t, name, func(want, title string) {
			all++
			switch f := Understand(Evidence{Title: title}); f.Theme {
			case want:
				right++
			case "":
			default:
				wrong++
				t.Logf("%s: %q by %s, want %q", title, f.Theme, f.ThemeFrom, want)
			}
		})
		t.Logf("%s: %d of %d right, %d wrong", name, right, all, wrong)
		if right*100 < all*50 || wrong*100 > all*4 {
			t.Errorf("%s: %d of %d right, %d wrong", name, right, all, wrong)
		}
	}
}

// One word never decides; together with the text, the issuer or a second word it does.
func TestOneWordDoesNotDecide(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, title string
		text        []string
		want        string
	}{
		{"OneWord", "样例省人民政府关于旅游的通知", nil, ""},
		{"OneWordTwice", "样例省人民政府关于旅游的通知", []string{"旅游、旅游、旅游。"}, "商贸、海关、旅游"},
		{"SecondWord", "样例省人民政府关于旅游和消费的通知", nil, "商贸、海关、旅游"},
		{"Compound", "样例省人民政府关于养老服务的通知", nil, "民政、扶贫、救灾"},
		{"Issuer", "样例省商务厅关于消费的通知", nil, "商贸、海关、旅游"},
		{"OnlyTheIssuer", "样例省商务厅关于样例的通知", nil, ""},
		{"TwoThemes", "样例省人民政府关于旅游和卫生的通知", []string{"旅游、卫生。"}, ""},
		{"ACircumstance", "样例省商务厅关于疫情期间消费的通知", []string{"各地要促进消费、扩大进出口。"}, "商贸、海关、旅游"},
		{"AnotherWordsPart", "样例市召开基层治理现代化工作推进会", nil, ""},
	} {
		if f := Understand(Evidence{Title: c.title, Paragraphs: c.text}); f.Theme != c.want {
			t.Errorf("%s: %q by %s, want %q", c.name, f.Theme, f.ThemeFrom, c.want)
		}
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
		"样例省人民政府办公厅关于工业普查的通知", // two themes have the same score
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
		if got := theme.Matches(c.want, c.have); got != c.matches {
			t.Errorf("%q of %q: %v", c.want, c.have, got)
		}
	}
}
