// Command dibao (邸报) collects policy articles, publishes feeds and emails
// every subscriber a weekly digest of what is new to that reader.
//
// Exit status: 0 done; 1 failed (one line on stderr: what, why, what to do); 2
// wrong usage; 3 partially done (what was refused is listed).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // the program must also start on machines without time zone files

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/filereader"
	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/inspect"
	"dibao/internal/fault"
	"dibao/internal/redact"
	"dibao/subscribers/mailaddr"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is main with its environment as parameters; it returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	keepFilesPrivate()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	g := &globals{chinese: cli.WantsChinese(os.Getenv)}
	root := newRootFor(g, args)
	if g.chinese {
		cli.SpeakChinese(root)
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	text, status := exit(err)
	fmt.Fprintf(stderr, "dibao: %s\n", g.message("%s", text))
	return status
}

// exit returns the text and the exit status of an error.
func exit(err error) (text string, status int) {
	var part *partialError
	var elsewhere *remoteError
	switch {
	case errors.As(err, &elsewhere):
		return elsewhere.Error(), elsewhere.status
	case errors.As(err, &part):
		return redact.Text(err.Error()), 3
	case isUsage(err):
		return oneLine(err), 2
	}
	return oneLine(err), 1
}

// oneLine returns an error as one line, for the terminal or the API.
func oneLine(err error) string { return redact.Line(err) }

func usagef(format string, args ...any) error { return cli.Usagef(format, args...) }

// isUsage reports whether an error is about the command line itself, independent of
// what is stored.
func isUsage(err error) bool {
	var usage *cli.UsageError
	var invalid fault.InvalidError
	return errors.As(err, &usage) || errors.As(err, &invalid) || errors.Is(err, mailaddr.ErrInvalid)
}

// partialError says that part of the work was refused: exit status 3.
type partialError = cli.PartialError

// newRoot builds the command tree.
func newRoot() *cobra.Command {
	return newRootWith(&globals{chinese: cli.WantsChinese(os.Getenv)})
}

// newRootWith is newRoot with defaults of the global flags.
func newRootWith(g *globals) *cobra.Command { return newRootFor(g, nil) }

// newRootFor is newRootWith, but only with the command group that the first argument names, if
// it names one: building all two hundred commands takes as long as running a short one.
func newRootFor(g *globals, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:           "dibao",
		Short:         "Collect policy articles, publish feeds, and mail a weekly digest (邸报)",
		Version:       cli.VersionLine(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	cli.DescribeInHelp(root)
	root.Flags().Bool("version", false, "print the version") // as the library would define it, but without a one-letter form
	persistent := root.PersistentFlags()
	persistent.StringVar(&g.configFile, "config", g.configFile, "configuration file (default: config.toml, then the user's config folder, then /etc/dibao)")
	persistent.StringVar(&g.database, "database", g.database, "database URL, sqlite:PATH or postgres://… (overrides the configuration)")
	persistent.BoolVar(&g.json, "json", false, "print JSON with stable keys")
	persistent.BoolVar(&g.quiet, "quiet", false, "print only results and errors")
	persistent.BoolVar(&g.yes, "yes", false, "answer yes to every question")
	persistent.StringVar(&g.server, "server", os.Getenv("DIBAO_SERVER"), "run the command on the daemon at this admin address")
	persistent.StringVar(&g.tokenFile, "token-file", os.Getenv("DIBAO_TOKEN_FILE"), "file with the token for --server")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%s; see: %s --help", flags.Problem(err), cmd.CommandPath())
	})
	all := groups()
	if len(args) > 0 && all[args[0]] != nil {
		root.AddCommand(all[args[0]](g))
	} else {
		for _, build := range all {
			root.AddCommand(build(g))
		}
		root.AddCommand(newMan(), filereader.Command())
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	g.checkArguments(root)
	forEachCommand(root, "", func(cmd *cobra.Command, name string) {
		g.checkArguments(cmd)
		flags.Complete(cmd)
		g.auditVerb(cmd, name)
		if !g.inServer {
			g.remoteVerb(cmd, name)
		}
	})
	return root
}

// groups are the commands below dibao that work without the others, by name.
func groups() map[string]func(*globals) *cobra.Command {
	return map[string]func(*globals) *cobra.Command{
		"demo": newDemo, "serve": newServe, "status": newStatus, "node": newNode, "healthcheck": newHealthCheck, "init": newInit,
		"source": newSource, "collect": newCollect, "article": newArticle, "document": newDocument, "list": newList,
		"subscriber": newSubscriber, "issue": newIssue, "mail": newMail, "bench": newBench, "doctor": newDoctor, "migrate": newMigrate,
		"version": newVersion, "backup": newBackup, "audit": newAudit, "bounce": newBounce, "token": newToken, "restore": newRestore,
		"config": newConfig, "handbook": newHandbook,
		"inspect": func(*globals) *cobra.Command { return inspect.New(filereader.Read) },
	}
}

// forEachCommand calls do for the commands below cmd, each with its name, such as "source add".
func forEachCommand(cmd *cobra.Command, group string, do func(cmd *cobra.Command, name string)) {
	for _, sub := range cmd.Commands() {
		name := strings.TrimSpace(group + " " + sub.Name())
		do(sub, name)
		forEachCommand(sub, name, do)
	}
}

// unknownVerb returns the error for a command that a group does not have.
type unknownVerb string

func (e unknownVerb) Error() string { return string(e) }

// noVerb refuses arguments of a group that do not name a command.
func noVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	path := cmd.CommandPath()
	cmd.SuggestionsMinimumDistance = 2
	near := cmd.SuggestionsFor(args[0])
	switch {
	case path == "dibao issue" && args[0] == "hold":
		return unknownVerb(fmt.Sprintf("unknown command %q for %q; to hold issues: dibao issue compose LIST --hold, or dibao list edit LIST --hold", args[0], path))
	case len(near) > 0:
		return unknownVerb(fmt.Sprintf("unknown command %q for %q; did you mean %s? See: %s --help", args[0], path, strings.Join(near, ", "), path))
	}
	return unknownVerb(fmt.Sprintf("unknown command %q for %q; see: %s --help", args[0], path, path))
}

// checkArguments reports wrong arguments of a command as wrong usage, and makes
// a group without a command show its help.
func (g *globals) checkArguments(cmd *cobra.Command) {
	check := cmd.Args
	switch {
	case cmd.HasSubCommands():
		check = noVerb
	case cmd.Name() == "help":
		check = func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err == nil {
				err = noVerb(found, rest)
			}
			return err
		}
	case check == nil:
		check = cobra.NoArgs
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			if _, unknown := err.(unknownVerb); unknown {
				return usagef("%v", err)
			}
			use := cmd.UseLine()
			if g.chinese {
				use = cli.UseLine(cmd)
			}
			return usagef("wrong number of arguments; write it as: %s", use)
		}
		return nil
	}
	if cmd.Run == nil && cmd.RunE == nil {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}
