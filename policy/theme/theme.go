// Package theme determines which theme of the State Council's 主题分类 a document or an article
// has, by the words of its title and text and by its issuer. docs/themes.md describes the
// method and the measurements.
package theme

import (
	_ "embed"
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/words"
)

//go:embed words.txt
var wordsText string

// Names are the themes of the 主题分类 (国务院公文主题分类, first level) in its
// order, without 其他, which no words lead to.
var Names = func() []string {
	var names []string
	for name := range table() {
		if name != noTheme {
			names = append(names, name)
		}
	}
	return names
}()

// noTheme begins the line of words that indicate no theme.
const noTheme = "-"

// table returns the lines of words.txt: a theme and its words.
func table() func(yield func(name, words string) bool) {
	return func(yield func(name, words string) bool) {
		for line := range strings.Lines(wordsText) {
			if name, list, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && !yield(name, list) {
				return
			}
		}
	}
}

// Matches reports whether an article's theme is the wanted one: the same, a
// part of it (卫生、体育\体育), or one with this part in its name (民政 of
// 民政、扶贫、救灾).
func Matches(want, have string) bool {
	if want == "" || have == "" {
		return false
	}
	if want == have || strings.HasPrefix(have, want+`\`) {
		return true
	}
	return slices.Contains(strings.FieldsFunc(have, func(r rune) bool { return r == '、' || r == '\\' }), want)
}

// Main returns the theme of the 主题分类 that a name means, or "": a name can be part of a
// theme's name, in Chinese or English, if no other theme has it, and have a second level after a backslash.
func Main(name string) string {
	main, _, _ := strings.Cut(name, `\`)
	var with []string
	for _, t := range Names {
		if t == main || Matches(main, t) {
			return t
		}
		if utf8.RuneCountInString(main) > 1 && strings.Contains(t, main) {
			with = append(with, t)
		}
	}
	if len(with) == 1 {
		return with[0]
	}
	if len(with) == 0 && main != "" && main[0] < utf8.RuneSelf {
		return fromEnglish(main)
	}
	return ""
}

// Named returns a theme with its full name (民政、扶贫、救灾 for 民政), and with its second
// level, if any. Names that are not in the 主题分类 stay as they are.
func Named(name string) string {
	_, second, ok := strings.Cut(name, `\`)
	main := Main(name)
	switch {
	case main == "":
		return name
	case ok:
		return main + `\` + second
	}
	return main
}

// decisive are the forms of titles that always have one theme, whatever else they mention,
// according to the State Council's own classification: the title of a group set up for a
// census of polluters is 国务院组织机构, that of a government's answer to a motion on hospitals
// 综合政务.
var decisive = []struct {
	theme   string
	answers bool // answers to motions: those of departments belong to their field, those of the State Council are 其他
	title   *words.Regexp
}{
	{"综合政务", true, words.New(`(?:提案|建议)(?:的)?答复|第\d+号.{0,20}(?:提案|建议)|所提问题和建议`)},
	{"综合政务", false, words.New(`立法(?:工作)?(?:计划|安排)`)},
	{"国务院组织机构", false, words.New(`(?:成立|调整|建立|设立|撤销|完善).{0,40}(?:领导小组|联席会议|指挥部|协调小组|组成人员|组织委员会|委员会.{0,6}成员)|内设机构|职能配置|主要职责.{0,12}编制|组成人员|驻京机构`)},
	{"民政、扶贫、救灾", false, words.New(`撤销.{2,16}设立.{2,20}(?:区|市|县)$|行政区划|驻地迁移|勘界|为烈士`)},
	{"劳动、人事、监察", false, words.New(`任免|任职$|免职$|(?:等|任|免)\p{Han}{0,6}职务`)},
}
