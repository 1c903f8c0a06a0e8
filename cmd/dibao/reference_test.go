package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/status"
	"dibao/internal/config"
)

// The reference pages are what the program says of itself. After a change run:
// DIBAO_UPDATE=1 go test ./cmd/dibao -run TestReferencePages
func TestReferencePages(t *testing.T) {
	english, chinese := newRootWith(&globals{}), newRootWith(&globals{chinese: true})
	cli.SpeakChinese(chinese)
	for name, text := range map[string]string{
		"cli.md":           "# Commands\n\n" + commandPage(english),
		"cli.zh.md":        "# 命令\n\n" + commandPage(chinese),
		"configuration.md": configurationPage(t),
		"metrics.md":       metricsPage(),
		"json.md":          jsonPage(t),
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

// commandPage describes all verbs below a command.
func commandPage(cmd *cobra.Command) string {
	var b strings.Builder
	for _, sub := range cmd.Commands() {
		if sub.Hidden || sub.Name() == "completion" || sub.Name() == "help" {
			continue
		}
		if !sub.HasSubCommands() {
			fmt.Fprintf(&b, "## %s\n\n%s\n\n", strings.TrimSuffix(sub.UseLine(), " [flags]"), cli.Describe(sub))
			var flags []string
			sub.LocalFlags().VisitAll(func(f *pflag.Flag) {
				if !f.Hidden && f.Name != "help" {
					flags = append(flags, fmt.Sprintf("- `--%s`: %s", f.Name, strings.ReplaceAll(f.Usage, "<", `\<`)))
				}
			})
			if len(flags) > 0 {
				fmt.Fprintf(&b, "%s\n\n", strings.Join(flags, "\n"))
			}
			if sub.Example != "" {
				fmt.Fprintf(&b, "```\n%s\n```\n\n", sub.Example)
			}
		}
		b.WriteString(commandPage(sub))
	}
	return b.String()
}

// configurationPage lists the keys as dibao init writes them.
func configurationPage(t *testing.T) string {
	var file bytes.Buffer
	if err := config.Write(&file); err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`^#? ?([a-z_]+|"[^"]+") = (.*)$`)
	var b strings.Builder
	b.WriteString("# Configuration\n\nEach key can also be set in the environment, as DIBAO_SECTION_KEY. `dibao config` prints what is in effect.\n")
	var comment []string
	for line := range strings.Lines(file.String()) {
		line = strings.TrimSpace(line)
		switch m := key.FindStringSubmatch(line); {
		case strings.HasPrefix(strings.TrimPrefix(line, "# "), "["):
			fmt.Fprintf(&b, "\n## %s\n\n", strings.TrimPrefix(line, "# "))
			comment = nil
		case m != nil:
			fmt.Fprintf(&b, "- `%s` (default `%s`): %s\n", m[1], m[2], strings.Join(comment, " "))
			comment = nil
		case strings.HasPrefix(line, "# "):
			comment = append(comment, strings.TrimPrefix(line, "# "))
		default:
			comment = nil
		}
	}
	return b.String()
}

// metricsPage lists dibao's own metrics; those of Go and of the process are beside them.
func metricsPage() string {
	described := regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "([^"]+)", .*variableLabels: \{([^}]*)\}`)
	all := make(chan *prometheus.Desc, 1000)
	status.DescribeMetrics(all)
	close(all)
	var lines []string
	for d := range all {
		m := described.FindStringSubmatch(d.String())
		labels := ""
		if m[3] != "" {
			labels = "{" + m[3] + "}"
		}
		lines = append(lines, fmt.Sprintf("| `%s%s` | %s |", m[1], labels, m[2]))
	}
	slices.Sort(lines)
	return "# Metrics\n\n`/metrics` on `admin_addr` exports them for Prometheus, beside those of the Go runtime and the process.\n\n| metric | what it is |\n|---|---|\n" +
		strings.Join(lines, "\n") + "\n"
}
