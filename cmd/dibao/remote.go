package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/doctor"
	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/remote"
)

// remoteError reports how a command ended on the server.
type remoteError struct {
	text   string
	status int
}

func (e *remoteError) Error() string { return e.text }

// hereVerbs are the commands and groups that always run on this machine.
var hereVerbs = []string{"version", "help", "completion", "man", "handbook", "inspect", "demo"}

// remoteVerb makes a command run on the server, if one is specified.
func (g *globals) remoteVerb(verb *cobra.Command, name string) {
	run := verb.RunE
	if run == nil || verb.HasSubCommands() {
		return
	}
	verb.RunE = func(cmd *cobra.Command, args []string) error {
		if group, _, _ := strings.Cut(name, " "); g.server == "" || slices.Contains(hereVerbs, group) {
			return run(cmd, args)
		}
		if !slices.Contains(apiVerbs, name) {
			return usagef("%q runs only on the machine of the service; leave out --server (and DIBAO_SERVER)", name)
		}
		return g.runRemotely(cmd, name, args)
	}
}

// runRemotely runs a command on the server and writes its output here.
func (g *globals) runRemotely(cmd *cobra.Command, name string, args []string) error {
	client, err := remote.New(g.server, g.tokenFile)
	if err != nil {
		return err
	}
	if info, err := os.Stat(g.tokenFile); err == nil && doctor.OthersMayRead(info) {
		g.say(cmd, "other users can read the token in %s; run: chmod 600 %s", g.tokenFile, g.tokenFile)
	}
	out := cmd.OutOrStdout()
	r := remote.Request{Args: args, Flags: make(map[string]any), Terminal: &remote.Terminal{
		Columns: cli.TerminalWidth(out), Chinese: g.chinese, JSON: g.json, Quiet: g.quiet,
	}}
	for _, f := range flags.Given(cmd) {
		r.Flags[f.Name] = f.Value.String()
		if many, ok := f.Value.(pflag.SliceValue); ok {
			r.Flags[f.Name] = many.GetSlice()
		}
	}
	inBrowser := name == "issue preview" && r.Flags["format"] == "browser"
	if inBrowser {
		r.Flags["format"] = "html"
	}
	page, _ := r.Flags["html"].(string) // a file on this machine
	if page != "" {
		r.Flags["html"] = toStdout
	}
	if g.yes {
		r.Flags["yes"] = true
	}
	answer, err := client.Run(cmd.Context(), name, r)
	if err == nil && answer.Question != "" {
		if err := g.confirm(cmd, "%s", answer.Question); err != nil {
			return err
		}
		r.Flags["yes"] = true
		answer, err = client.Run(cmd.Context(), name, r)
	}
	if err != nil {
		return err
	}
	fmt.Fprint(cmd.ErrOrStderr(), answer.Talk)
	switch {
	case answer.Status != 0:
		err = &remoteError{answer.Error, answer.Status}
	case inBrowser:
		return showInBrowser(g, cmd, answer.Out)
	case page != "" && page != toStdout:
		if err := writeNew(page, func(w io.Writer) error { _, err := io.WriteString(w, answer.Out); return err }); err != nil {
			return err
		}
		g.say(cmd, "the page of mailing %s is in %s", args[0], page)
		return nil
	}
	_, writeErr := fmt.Fprint(out, answer.Out)
	return errors.Join(err, writeErr)
}
