// Package flags contains the flags that commands share: choices of words, bounded numbers,
// regions and themes. It also provides plain error messages for flags.
package flags

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/cmd/dibao/cli"
	"dibao/feed"
	"dibao/internal/fault"
	"dibao/policy/division"
)

// choice is a flag whose value is one of several words, or "".
type choice[T ~string] struct {
	to   *T
	of   []T
	name string
}

// Choice defines a flag whose value is one of several words; its help ends with them.
func Choice[T ~string](f *pflag.FlagSet, to *T, name string, value T, of []T, help string) {
	*to = value
	f.Var(&choice[T]{to, of, name}, name, strings.TrimSpace(help+": "+fault.Choices(of)))
}

func (c *choice[T]) String() string { return string(*c.to) }
func (c *choice[T]) Type() string   { return "word" }

func (c *choice[T]) Set(s string) error {
	s = string(cli.CodeNamed(c.name, s, c.of))
	if s != "" && !slices.Contains(c.of, T(s)) {
		return fmt.Errorf("use one of %s", fault.Choices(c.of))
	}
	*c.to = T(s)
	return nil
}

// Words returns the words that shells complete and the API accepts.
func (c *choice[T]) Words() []string {
	all := make([]string, len(c.of))
	for i, w := range c.of {
		all[i] = string(w)
	}
	return all
}

// Complete makes shells complete the values of flags that Choice defined.
func Complete(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		c, ok := f.Value.(interface{ Words() []string })
		if !ok {
			return
		}
		if err := cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(c.Words(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic("completion of --" + f.Name + ": " + err.Error()) // the flag exists
		}
	})
}

// bounded is a flag for a whole number from least to most.
type bounded[T int | int64] struct {
	to          *T
	least, most T
}

// Bounded defines a flag for a whole number from least to most.
func Bounded[T int | int64](f *pflag.FlagSet, to *T, name string, value, least, most T, help string) {
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

// regionFlag is a flag for a region, given by code or name.
type regionFlag struct{ code *string }

// Region defines the flag --region, for a region given by code or name.
func Region(f *pflag.FlagSet, to *string, help string) {
	f.Var(regionFlag{to}, "region", help+": code of GB/T 2260, or name")
}

func (r regionFlag) String() string {
	if r.code == nil { // the zero value, of which pflag requests the text
		return ""
	}
	return *r.code
}
func (r regionFlag) Type() string { return "region" }

func (r regionFlag) Set(s string) error {
	code := division.Code(s)
	if s != "" && code == "" {
		return errors.New("unknown; specify its code or its name, such as 51 or 四川省")
	}
	*r.code = code
	return nil
}

// Problem describes what is wrong with a flag, without the wording of the flag library.
func Problem(err error) string {
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

// IsYes reports whether an answer begins with yes, in English or Chinese.
func IsYes(answer string) bool {
	answer = strings.ToLower(strings.TrimSpace(answer))
	return strings.HasPrefix(answer, "y") || strings.HasPrefix(answer, "是")
}

// themeFlag is a flag for a theme of the 主题分类 or a part of its name.
type themeFlag struct{ theme *string }

// Theme defines the flag --theme, for a theme or a part of its name.
func Theme(f *pflag.FlagSet, to *string, help string) { f.Var(themeFlag{to}, "theme", help) }

func (t themeFlag) String() string {
	if t.theme == nil { // the zero value, of which pflag requests the text
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

// WithoutDefaults removes the defaults from the help of flags for a command that leaves
// settings without a flag as they are.
func WithoutDefaults(f *pflag.FlagSet) {
	f.VisitAll(func(f *pflag.Flag) {
		if before, after, ok := strings.Cut(f.Usage, " (default: "); ok {
			_, rest, _ := strings.Cut(after, ")")
			f.Usage = before + rest
		}
		switch f.Value.Type() {
		case "bool", "stringArray": // the help never shows their default
		case "int", "duration":
			f.DefValue = "0"
		default:
			f.DefValue = ""
		}
	})
}

// Line returns the flags of the command itself that were set, as on a command line.
func Line(cmd *cobra.Command) (all []string) {
	for _, f := range Given(cmd) {
		switch v := f.Value.(type) {
		case pflag.SliceValue:
			for _, s := range v.GetSlice() {
				all = append(all, "--"+f.Name, quoted(s))
			}
		case interface{ IsBoolFlag() bool }:
			if all = append(all, "--"+f.Name); f.Value.String() == "false" {
				all[len(all)-1] += "=false"
			}
		default:
			all = append(all, "--"+f.Name, quoted(f.Value.String()))
		}
	}
	return all
}

// quoted returns a word as a shell reads it.
func quoted(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\r\n\"'`\\$&|;<>()*?[]{}~#!") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Given returns the flags of the command itself that were set on the command line.
func Given(cmd *cobra.Command) (all []*pflag.Flag) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if cmd.InheritedFlags().Lookup(f.Name) == nil {
			all = append(all, f)
		}
	})
	return all
}
