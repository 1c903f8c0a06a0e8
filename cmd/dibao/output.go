package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/feed"
	"dibao/internal/plural"
	"dibao/internal/redact"
	"dibao/policy/theme"
)

// globals are the flags that every command takes.
type globals struct {
	configFile, database string
	json, quiet, yes     bool
	change               change // what the running command changed
	actor                string // user of the command; "" means the user of the operating system
	inServer             bool   // it runs inside serve, which has set the limits of the process
	asks                 bool   // it runs inside serve for a person who can answer questions
	server, tokenFile    string // the server that runs the command, and the file with its token; "" means this machine
	chinese              bool   // the user reads Chinese
}

// say writes a message to stderr, without secrets, unless --quiet is set.
func (g *globals) say(cmd *cobra.Command, format string, args ...any) {
	if !g.quiet {
		fmt.Fprintln(cmd.ErrOrStderr(), redact.Text(g.message(format, args...)))
	}
}

// print writes a line for a person to stdout.
func (g *globals) print(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintln(cmd.OutOrStdout(), g.message(format, args...))
}

// message formats a text in the user's language.
func (g *globals) message(format string, args ...any) string {
	if g.chinese {
		return cli.Say(format, args...)
	}
	return plural.English(fmt.Sprintf(format, args...))
}

// either returns the English or the Chinese text, by the user's language.
func (g *globals) either(english, chinese string) string {
	if g.chinese {
		return chinese
	}
	return english
}

// language returns the user's language as a code: zh or en.
func (g *globals) language() string { return g.either("en", "zh") }

// code returns a code, such as a state, in the user's language.
func (g *globals) code(heading, code string) string {
	if g.chinese {
		return cli.Code(heading, code)
	}
	return code
}

func writeJSON(w io.Writer, v any) error { return cli.WriteJSON(w, v) }

// output returns how results are written.
func (g *globals) output() cli.Output { return cli.Output{JSON: g.json, Chinese: g.chinese} }

func printRows[T any](g *globals, cmd *cobra.Command, headings []any, rows []T, cells func(T) []any) error {
	return cli.PrintRows(g.output(), cmd, headings, rows, cells)
}

func null[T comparable](v T) *T { return cli.Null(v) }

// writeNew writes a new file that only its owner can read.
func writeNew(path string, write func(w io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s already exists and is not overwritten; specify another file", path)
	}
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(path))
	}
	return nil
}

// theme returns the full name of a theme. It warns about a theme that only a site itself can
// state: such a theme is usually a mistake, but is accepted, because sites have their own
// classifications.
func (g *globals) theme(cmd *cobra.Command, name string) string {
	if err := feed.CheckTheme(name); name != "" && err != nil {
		g.say(cmd, "only articles to which their own site gives this theme have it: %v", err)
	}
	return theme.Named(name)
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
	if err != nil || !flags.IsYes(answer) {
		g.change.none = true
		return errors.New("nothing was done")
	}
	return nil
}

// question is an error with the question that the user on another machine has to confirm
// first.
type question string

func (q question) Error() string { return string(q) }
