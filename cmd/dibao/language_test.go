package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/demo"
)

// helpTexts returns the help texts of all commands, by place.
func helpTexts(cmd *cobra.Command, all map[string]string) {
	path := cmd.CommandPath()
	all[path] = cmd.Short
	if !strings.HasPrefix(path, "dibao completion") { // from the library, with lines to copy
		all[path+" (long)"] = cmd.Long
	}
	for i, prose := range cli.ExampleProse(cmd.Example) {
		all[path+" example "+strconv.Itoa(i)] = prose
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

// All of the help has a Chinese translation, and every translation is used.
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

// TestFlagsNameCodesAsTablesDo compares the Chinese words for the codes in the help of a
// flag with those of tables, which the flag also accepts.
func TestFlagsNameCodesAsTablesDo(t *testing.T) {
	t.Parallel()
	words := make(map[string]string)
	if err := json.Unmarshal(cli.ChineseHelp, &words); err != nil {
		t.Fatal(err)
	}
	codes := 0
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			choice, ok := f.Value.(interface{ Words() []string })
			if !ok {
				return
			}
			for _, code := range choice.Words() {
				heading := strings.ToUpper(f.Name[:1]) + f.Name[1:]
				chinese := cli.Code(heading, code)
				if chinese == code {
					continue
				}
				codes++
				if want := code + "（" + chinese + "）"; !strings.Contains(words[f.Usage], want) {
					t.Errorf("%s --%s: the help does not say %s: %s", cmd.CommandPath(), f.Name, want, words[f.Usage])
				}
				if err := f.Value.Set(chinese); err != nil || f.Value.String() != code {
					t.Errorf("%s --%s %s: %v, %s", cmd.CommandPath(), f.Name, chinese, err, f.Value)
				}
			}
		})
		for _, sub := range cmd.Commands() {
			check(sub)
		}
	}
	check(newRoot())
	if codes < 30 {
		t.Errorf("%d codes", codes)
	}
}

// DIBAO_LANG takes precedence over the locale; both languages list the same commands and
// flags.
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
	for _, want := range []string{"修改一个来源", "用法：", "dibao source edit 来源 [选项]", "--licence", "所在地区", "全局选项：", "显示帮助"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// spokenVerbs are commands that together print most texts of the program.
var spokenVerbs = []string{
	"article list", "article search 通知", "article search 通知 --facets", "article show 1", "article edit 3 --title 改题", "article history 3", "article diff 3", "article reread 3",
	"audit", "node list", "bounce list", "bounce list --pending", "bounce apply", "bounce read BOUNCE", "collect", "doctor", "document list", "document show 1", "document chain 1",
	"issue list", "issue show weekly 1", "issue report", "issue report 1", "issue report 1 --variants", "issue compose weekly", "issue note weekly 1 文字", "issue drop weekly 1",
	"issue send", "issue pause", "issue resend 1 --failed", "list create daily --title 日报", "list show", "list preview weekly --left-out 20", "list edit weekly --hold", "list invite weekly",
	"list remove daily", "source list", "source show 1", "source test 1", "source test 3", "source edit 1 --item b", "source test 1", "source pause 1", "source list", "source resume 1", "source release 1",
	"source import SOURCES", "source catalog 民政部", "subscriber list", "subscriber show reader1@demo.example", "subscriber edit reader1@demo.example --entity 企业 --region 成都市 --size small", "subscriber show reader2@demo.example", "subscriber suppress reader3@demo.example", "subscriber show reader3@demo.example",
	"subscriber unsuppress --since 2020-01-01 --reason admin --note 试", "subscriber import READERS --list weekly --consent 表单", "subscriber prune", "subscriber forget nobody@example.net", "issue hold", "list list", "issue report 1 --html PAGE", "status", "token list", "source", "source edit --help", "nosuch",
	"article edit 3 --level 市级 --kind 署名文章 --office 局长 --body 样例局", "article history 3", "article edit 3 --deadline 12月28日", "article edit 3 --deadline 2026-12-28", "article show 3", "article show 2",
	"subscriber edit reader1@demo.example --size 小型 --topic 农业", "subscriber show reader1@demo.example", "subscriber edit reader1@demo.example --topic 星际", "subscriber edit reader1@demo.example --size 无",
	"list edit weekly --theme 星际", "list preview weekly", "issue show weekly 1", "source list", "issue note weekly 1 文字", "issue test reader1@demo.example",
}

// verbatim matches what stays unchanged in Chinese texts: commands with their flags, and what sites and servers
// say.
var verbatim = regexp.MustCompile(`dibao(?: [^，；。）\n]+)?|--[a-z-]+|404 Not|user unknown|article edit|Ministry of [\w ]+: \w+`)

// In Chinese, commands print no line in English.
func TestVerbsSpeakChineseAlone(t *testing.T) {
	t.Setenv("DIBAO_LANG", "zh")
	d := inFolder(t)
	files := strings.NewReplacer(
		"BOUNCE", d.write("bounce.eml", "From: MAILER-DAEMON@demo.example\nTo: dibao@demo.example\nSubject: failed\n\n<reader2@demo.example>: 550 5.1.1 user unknown\n"),
		"SOURCES", d.write("sources.tsv", "name\tkind\turl\tlicence\n样例一\tfeed\thttps://www.example.com/1.xml\tofficial\n样例二\tnosuch\thttps://www.example.com/2.xml\t\n样例三\tfeed\tftp://www.example.com/\t\n"),
		"PAGE", filepath.Join(d.dir, "page.html"),
		"READERS", d.write("readers.csv", "email,state\nx@demo.example,confirmed\nno address,confirmed\ny@demo.example,bounced\n"),
	)
	var codes map[string]map[string]string
	text, err := os.ReadFile("cli/codes.zh.json")
	if err == nil {
		err = json.Unmarshal(text, &codes)
	}
	if err != nil {
		t.Fatal(err)
	}
	// Two adjacent words are English; so is a single word in a table cell that is a code.
	sentence, cell := regexp.MustCompile(`\b[A-Za-z]?[a-z]+ [a-z]{2,}\b`), regexp.MustCompile(`\s{2,}`)
	isEnglish := func(line string) bool {
		for _, c := range cell.Split(strings.TrimSpace(line), -1) {
			for heading, all := range codes {
				if all[c] != "" && all[c] != c && heading != "Action" {
					return true
				}
			}
		}
		return sentence.MatchString(verbatim.ReplaceAllString(line, ""))
	}
	_, err = demoOnce(t, demo.Options{AfterSteps: func(*demo.Demo) {
		for _, line := range spokenVerbs {
			status, out, talk := d.run(append(strings.Fields(files.Replace(line)), "--yes")...)
			if out+talk == "" {
				t.Errorf("dibao %s prints nothing (status %d)", line, status)
			}
			for said := range strings.Lines(out + talk) {
				if isEnglish(said) {
					t.Errorf("dibao %s says %q", line, strings.TrimSpace(said))
				}
			}
		}
		report, err := os.ReadFile(files.Replace("READERS.report.csv"))
		if err != nil || isEnglish(strings.ReplaceAll(string(report), `“no address”不是 name@example.org 的形式,no address`, "")) {
			t.Errorf("the report of an import says (%v)\n%s", err, report)
		}
	}}, d.url)
	if err != nil {
		t.Fatal(err)
	}
}
