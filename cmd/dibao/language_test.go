package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/cmd/dibao/cli"
)

// helpTexts returns what the help of all commands says, by where.
func helpTexts(cmd *cobra.Command, all map[string]string) {
	path := cmd.CommandPath()
	all[path] = cmd.Short
	if !strings.HasPrefix(path, "dibao completion") { // the library's, with lines to copy
		all[path+" (long)"] = cmd.Long
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			all[path+" --"+f.Name] = f.Usage
		}
	})
	for _, sub := range cmd.Commands() {
		if !sub.Hidden {
			helpTexts(sub, all)
		}
	}
}

// All of the help is there in Chinese, and nothing that is no longer said.
func TestHelpInChineseIsWhole(t *testing.T) {
	t.Parallel()
	words := make(map[string]string)
	if err := json.Unmarshal(cli.ChineseHelp, &words); err != nil {
		t.Fatal(err)
	}
	all, used := make(map[string]string), make(map[string]bool)
	helpTexts(newRoot(), all)
	for where, text := range all {
		chinese, ok := words[text]
		used[text] = true
		switch {
		case text == "" || text == "YYYY-MM-DD":
		case !ok:
			t.Errorf("%s: no Chinese in help.zh.json for %q", where, text)
		case !strings.ContainsFunc(chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }):
			t.Errorf("%s: %q is not Chinese", where, chinese)
		}
	}
	for text := range words {
		if !used[text] {
			t.Errorf("help.zh.json translates what is said nowhere: %q", text)
		}
	}
}

// DIBAO_LANG goes before the locale; both languages name the same verbs and flags.
func TestHelpSpeaksTheUsersLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false}, {map[string]string{"LANG": "zh_CN.UTF-8"}, true}, {map[string]string{"LANG": "en_GB.UTF-8"}, false}, {map[string]string{"LANG": "C"}, false},
		{map[string]string{"DIBAO_LANG": "zh", "LANG": "en_GB.UTF-8"}, true}, {map[string]string{"DIBAO_LANG": "en", "LANG": "zh_CN.UTF-8"}, false},
		{map[string]string{"LC_ALL": "zh_TW.UTF-8", "LANG": "en_GB.UTF-8"}, true},
	} {
		if got := cli.WantsChinese(func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%v: %t", c.env, got)
		}
	}
	root := newRoot()
	cli.SpeakChinese(root)
	var out strings.Builder
	root.SetOut(&out)
	root.SetArgs([]string{"source", "edit", "--help"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"修改一个来源", "用法：", "dibao source edit SOURCE", "--licence", "所在地区", "全局选项：", "显示帮助"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
