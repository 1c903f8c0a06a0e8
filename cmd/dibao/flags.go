package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/cmd/dibao/cli"
	"dibao/feed"
	"dibao/policy/division"
)

// choice is a flag that takes one of some words, or none where it is "".
type choice[T ~string] struct {
	to   *T
	of   []T
	name string
}

// choiceVar defines a flag that takes one of some words; its help ends with them.
func choiceVar[T ~string](f *pflag.FlagSet, to *T, name string, value T, of []T, help string) {
	*to = value
	f.Var(&choice[T]{to, of, name}, name, strings.TrimSpace(help+": "+listOf(of)))
}

func (c *choice[T]) String() string { return string(*c.to) }
func (c *choice[T]) Type() string   { return "word" }

func (c *choice[T]) Set(s string) error {
	s = string(cli.CodeNamed(c.name, s, c.of))
	if s != "" && !slices.Contains(c.of, T(s)) {
		return fmt.Errorf("use one of %s", listOf(c.of))
	}
	*c.to = T(s)
	return nil
}

// Words are what a shell offers and the API takes.
func (c *choice[T]) Words() []string {
	all := make([]string, len(c.of))
	for i, w := range c.of {
		all[i] = string(w)
	}
	return all
}

// listOf writes words with commas between.
func listOf[T ~string](words []T) string {
	var all []string
	for _, w := range words {
		all = append(all, string(w))
	}
	return strings.Join(all, ", ")
}

// completeChoices lets a shell complete the words of flags that take one of some.
func completeChoices(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		c, ok := f.Value.(interface{ Words() []string })
		if !ok {
			return
		}
		if err := cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(c.Words(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic("completion of --" + f.Name + ": " + err.Error()) // it is defined above
		}
	})
}

// bounded is a flag that takes a whole number from least to most.
type bounded[T int | int64] struct {
	to          *T
	least, most T
}

func boundedVar[T int | int64](f *pflag.FlagSet, to *T, name string, value, least, most T, help string) {
	*to = value
	f.Var(&bounded[T]{to, least, most}, name, help)
}

func (b *bounded[T]) String() string { return strconv.FormatInt(int64(*b.to), 10) }
func (b *bounded[T]) Type() string   { return "number" }

func (b *bounded[T]) Set(s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < int64(b.least) || n > int64(b.most) {
		return fmt.Errorf("use a whole number from %d to %d", b.least, b.most)
	}
	*b.to = T(n)
	return nil
}

// regionFlag is a flag that takes the code or the name of a region.
type regionFlag struct{ code *string }

func regionVar(f *pflag.FlagSet, to *string, help string) {
	f.Var(regionFlag{to}, "region", help+": code of GB/T 2260, or name")
}

func (r regionFlag) String() string {
	if r.code == nil { // the zero value, which pflag asks for its default
		return ""
	}
	return *r.code
}
func (r regionFlag) Type() string { return "region" }

func (r regionFlag) Set(s string) error {
	code := division.Code(s)
	if s != "" && code == "" {
		return errors.New("unknown; give its code or its name, such as 51 or 四川省")
	}
	*r.code = code
	return nil
}

// hintTheme warns of a theme that only a site itself can state: it is not refused,
// since sites have classifications of their own, and is mostly a slip.
func (g *globals) hintTheme(cmd *cobra.Command, theme string) {
	if err := feed.CheckTheme(theme); theme != "" && err != nil {
		g.say(cmd, "only articles that their own site classifies so have this theme: %v", err)
	}
}

// flagProblem says what is wrong with a flag, without the wording of the flag
// library.
func flagProblem(err error) string {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err.Error()
	}
	f, why := invalid.GetFlag(), ""
	switch f.Value.Type() {
	case "int", "int64", "int64Slice":
		why = "use a whole number"
	case "duration":
		why = "use a duration such as 90s, 30m or 24h"
	case "bool":
		why = "use true or false"
	default:
		why = errors.Unwrap(err).Error()
	}
	return fmt.Sprintf("--%s %q: %s", f.Name, invalid.GetValue(), why)
}

// confirm asks on a terminal before doing something that can't be undone; --yes
// answers in advance, and is required if there is no terminal. Requests through
// the API need no confirmation.
func (g *globals) confirm(cmd *cobra.Command, format string, args ...any) error {
	in, ok := cmd.InOrStdin().(*os.File)
	switch {
	case g.yes || g.inServer && !g.asks:
		return nil
	case g.asks:
		g.change.none = true
		return question(g.message(format, args...))
	case !ok || !isatty.IsTerminal(in.Fd()):
		g.change.none = true
		return fmt.Errorf("nothing was done, because there is no terminal to ask on: %s Add --yes to agree", g.message(format, args...))
	}
	fmt.Fprint(cmd.ErrOrStderr(), g.message(format, args...), " [y/N] ")
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil || !isYes(answer) {
		g.change.none = true
		return errors.New("nothing was done")
	}
	return nil
}

// question is what the person at another machine has to answer first.
type question string

func (q question) Error() string { return string(q) }

// isYes reports whether an answer begins with a yes, in English or Chinese.
func isYes(answer string) bool {
	answer = strings.ToLower(strings.TrimSpace(answer))
	return strings.HasPrefix(answer, "y") || strings.HasPrefix(answer, "是")
}

// themeFlag is a flag that takes a theme of the 主题分类 or a part of its name.
type themeFlag struct{ theme *string }

func (t themeFlag) String() string {
	if t.theme == nil { // the zero value, which pflag asks for its default
		return ""
	}
	return *t.theme
}
func (t themeFlag) Type() string { return "theme" }

func (t themeFlag) Set(s string) error {
	if s != "" {
		if err := feed.CheckTheme(s); err != nil {
			return err
		}
	}
	*t.theme = s
	return nil
}
