package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/filereader"
)

var inlineCode = regexp.MustCompile("`(dibao [^`]+)`")

// TestCommandsInDocsExist parses each command that README and the docs show, in
// blocks and in the text: commands, flags and the number of arguments are checked,
// nothing is run.
func TestCommandsInDocsExist(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	handbooks, err := filepath.Glob("../../docs/*/*.md")
	if err != nil || len(handbooks) < 2 {
		t.Fatalf("%d handbooks, %v", len(handbooks), err)
	}
	commands := 0
	for _, file := range append(append(files, handbooks...), "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		inBlock := false
		for n, line := range strings.Split(string(text), "\n") {
			trimmed := strings.TrimSpace(line)
			if strings.HasPrefix(trimmed, "```") {
				inBlock = !inBlock
				continue
			}
			var shown []string
			if inBlock {
				trimmed = strings.TrimPrefix(trimmed, "bin/")
				trimmed = strings.TrimPrefix(trimmed, "sudo -u dibao ")
				if strings.HasPrefix(trimmed, "dibao ") {
					shown = append(shown, trimmed)
				}
			} else {
				for _, m := range inlineCode.FindAllStringSubmatch(line, -1) {
					shown = append(shown, m[1])
				}
			}
			for _, s := range shown {
				commands++
				if problem := parseCommand(s, inBlock); problem != "" {
					t.Errorf("%s:%d: %s: %s", file, n+1, s, problem)
				}
			}
		}
	}
	if commands < 60 {
		t.Errorf("only %d commands found", commands)
	}
}

// parseCommand returns what is wrong with a command; in running text arguments may
// be left out.
func parseCommand(shown string, whole bool) string {
	shown, _, _ = strings.Cut(shown, "  #")
	shown, _, _ = strings.Cut(shown, " > ")
	args := shellWords(shown)[1:]
	root := newRoot()
	cmd, rest, err := root.Find(args)
	switch {
	case err != nil:
		return err.Error()
	case cmd == root && len(args) > 0 && !strings.HasPrefix(args[0], "-"):
		return "no such command"
	}
	if err := cmd.ParseFlags(rest); errors.Is(err, pflag.ErrHelp) {
		return ""
	} else if err != nil {
		return err.Error()
	}
	if left := cmd.Flags().Args(); whole && cmd.Args != nil {
		if err := cmd.Args(cmd, left); err != nil {
			return err.Error()
		}
	} else if cmd.HasSubCommands() && len(left) > 0 && cobra.NoArgs(cmd, left) != nil {
		return "no such command: " + left[0]
	}
	return ""
}

var shellWord = regexp.MustCompile(`"[^"]*"|'[^']*'|[^\s"']+`)

func shellWords(line string) (words []string) {
	for _, w := range shellWord.FindAllString(line, -1) {
		words = append(words, strings.Trim(w, `"'`))
	}
	return words
}

// A command that is built without the others says the same as with them.
func TestCommandGroupsStandAlone(t *testing.T) {
	t.Parallel()
	whole := newRoot()
	all := groups()
	for _, cmd := range whole.Commands() {
		switch name := cmd.Name(); {
		case all[name] == nil && slices.Contains([]string{"man", "help", "completion", filereader.Command().Name()}, name):
		case all[name] == nil:
			t.Errorf("groups has no %q: the command always builds all others", name)
		default:
			alone, _, err := newRootFor(&globals{}, []string{name}).Find([]string{name})
			if err != nil || alone.Name() != name {
				t.Errorf("%s alone: %v, %v", name, alone.Name(), err)
				continue
			}
			if got, want := cli.Describe(alone)+alone.UsageString(), cli.Describe(cmd)+cmd.UsageString(); got != want {
				t.Errorf("help of %s alone:\n%s\nwith all others:\n%s", name, got, want)
			}
		}
		delete(all, cmd.Name())
	}
	for name := range all {
		t.Errorf("the command of the group %q has another name", name)
	}
}
