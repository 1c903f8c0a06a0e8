package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/status"
	"dibao/internal/config"
	"dibao/internal/database"
	"dibao/internal/web"
)

// The reference pages are generated from the texts of the program. After a change
// run: DIBAO_UPDATE=1 go test ./cmd/dibao -run TestReferencePages
func TestReferencePages(t *testing.T) {
	english, chinese := newRootWith(&globals{}), newRootWith(&globals{chinese: true})
	cli.SpeakChinese(chinese)
	inEnglish, inChinese := wording{}, chineseWording(t)
	for name, text := range map[string]string{
		"cli.md":              "# Commands\n\n" + commandPage(english, (*cobra.Command).UseLine, ": "),
		"cli.zh.md":           "# 命令\n\n" + commandPage(chinese, cli.UseLine, "："),
		"configuration.md":    configurationPage(t, "en"),
		"configuration.zh.md": configurationPage(t, "zh"),
		"metrics.md":          metricsPage(inEnglish),
		"metrics.zh.md":       metricsPage(inChinese),
		"json.md":             jsonPage(t, inEnglish),
		"json.zh.md":          jsonPage(t, inChinese),
	} {
		text = "<!-- Generated; see cmd/dibao/reference_test.go. -->\n\n" + text
		path := filepath.Join("../../docs/reference", name)
		if os.Getenv("DIBAO_UPDATE") != "" {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(path); err != nil || string(have) != text {
			t.Errorf("%s is not what the program says (%v); run: DIBAO_UPDATE=1 go test ./cmd/dibao -run TestReferencePages", path, err)
		}
	}
}

// wording contains the Chinese texts of reference pages by the English text in the code;
// without it they are in English.
type wording struct {
	Notes   map[string]string `json:"notes"`   // the comments on fields
	Metrics map[string]string `json:"metrics"` // descriptions of metrics
	Names   map[string]string `json:"names"`   // names of keys for which the name in fields.zh.json does not fit, by VERBS.KEY or the last two parts
	Titles  map[string]string `json:"titles"`  // titles of commands
	fields  map[string]string // content of fields.zh.json
	test    *testing.T        // nil means English
	used    map[string]bool
}

// chineseWording reads the texts, and reports those that no page uses.
func chineseWording(t *testing.T) wording {
	t.Helper()
	w := wording{test: t, used: make(map[string]bool)}
	for path, to := range map[string]any{"testdata/reference.zh.json": &w, "cli/fields.zh.json": &w.fields} {
		file, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(file, to)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	t.Cleanup(func() {
		for _, all := range []map[string]string{w.Notes, w.Metrics, w.Names, w.Titles} {
			for english := range all {
				if !w.used[english] {
					t.Errorf("testdata/reference.zh.json has %q, which no page says", english)
				}
			}
		}
	})
	return w
}

// say returns a text in the language of the page, from one of the tables.
func (w wording) say(table map[string]string, english string) string {
	if w.test == nil || english == "" {
		return english
	}
	chinese, ok := table[english]
	if !ok {
		w.test.Errorf("testdata/reference.zh.json does not have %q", english)
		return english
	}
	w.used[english] = true
	return chinese
}

// either returns the text in the language of the page.
func (w wording) either(english, chinese string) string {
	if w.test == nil {
		return english
	}
	return chinese
}

// commandPage describes all subcommands of a command, with their usage and a colon in a language.
func commandPage(cmd *cobra.Command, usage func(*cobra.Command) string, colon string) string {
	var b strings.Builder
	for _, sub := range cmd.Commands() {
		if sub.Hidden || sub.Name() == "completion" || sub.Name() == "help" {
			continue
		}
		if !sub.HasSubCommands() {
			fmt.Fprintf(&b, "## %s\n\n%s\n\n", strings.TrimSuffix(strings.TrimSuffix(usage(sub), " [flags]"), " [选项]"), cli.Describe(sub))
			var flags []string
			sub.LocalFlags().VisitAll(func(f *pflag.Flag) {
				if !f.Hidden && f.Name != "help" {
					flags = append(flags, fmt.Sprintf("- `--%s`%s%s", f.Name, colon, strings.ReplaceAll(f.Usage, "<", `\<`)))
				}
			})
			if len(flags) > 0 {
				fmt.Fprintf(&b, "%s\n\n", strings.Join(flags, "\n"))
			}
			if sub.Example != "" {
				fmt.Fprintf(&b, "```\n%s\n```\n\n", sub.Example)
			}
		}
		b.WriteString(commandPage(sub, usage, colon))
	}
	return b.String()
}

// configurationPage lists the keys as dibao init writes them.
func configurationPage(t *testing.T, language string) string {
	var file bytes.Buffer
	if err := config.Write(&file, language); err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`^#? ?([a-z0-9_]+|"[^"]+") = (.*)$`)
	var b strings.Builder
	format := "- `%s` (default `%s`): %s\n"
	if language == "zh" {
		format = "- `%s`（默认 `%s`）：%s\n"
		b.WriteString("# 配置项\n\n每一项也可以用名为 DIBAO_节名_键名 的环境变量设置。`dibao config` 显示现行的值。\n")
	} else {
		b.WriteString("# Configuration\n\nEach key can also be set in the environment, as DIBAO_SECTION_KEY. `dibao config` prints what is in effect.\n")
	}
	var comment []string
	for line := range strings.Lines(file.String()) {
		line = strings.TrimSpace(line)
		switch m := key.FindStringSubmatch(line); {
		case strings.HasPrefix(strings.TrimPrefix(line, "# "), "["):
			fmt.Fprintf(&b, "\n## %s\n\n", strings.TrimPrefix(line, "# "))
			if len(comment) > 0 {
				fmt.Fprintf(&b, "%s\n\n", strings.Join(comment, " "))
			}
			comment = nil
		case m != nil:
			fmt.Fprintf(&b, format, m[1], m[2], strings.ReplaceAll(strings.Join(comment, " "), "<", `\<`))
			comment = nil
		case strings.HasPrefix(line, "# "):
			comment = append(comment, strings.TrimPrefix(line, "# "))
		default:
			comment = nil
		}
	}
	return b.String()
}

// metricsPage lists dibao's own metrics; those of Go and of the process are in addition.
func metricsPage(w wording) string {
	all := slices.Concat(web.NewMetrics(&web.Cache{}).Families(), new(database.DB).Families(), status.Families())
	var lines []string
	for _, f := range all {
		labels := ""
		if len(f.Labels) > 0 {
			labels = "{" + strings.Join(f.Labels, ",") + "}"
		}
		lines = append(lines, fmt.Sprintf("| `%s%s` | %s |", f.Name, labels, w.say(w.Metrics, f.Help)))
	}
	slices.Sort(lines)
	return w.either("# Metrics\n\n`/metrics` on `admin_addr` exports them for Prometheus, beside those of the Go runtime and the process.\n\n| metric | what it is |\n|---|---|\n",
		"# 指标\n\n`admin_addr` 的 `/metrics` 供 Prometheus 采集这些指标，以及 Go 运行时和进程的指标。`/metrics` 里的说明是英文。\n\n| 指标 | 含义 |\n|---|---|\n") +
		strings.Join(lines, "\n") + "\n"
}
