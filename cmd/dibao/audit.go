package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os/user"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/internal/redact"
	"dibao/subscribers"
)

// audited are the commands that change what the service does; each writes a
// line to the audit log after it succeeds.
var audited = []string{
	"source add", "source edit", "source pause", "source resume", "source release", "source remove", "source import",
	"article edit",
	"list create", "list edit", "list remove", "list invite", "list channel add", "list channel test", "list channel remove",
	"subscriber add", "subscriber edit", "subscriber import", "subscriber unsubscribe", "subscriber suppress", "subscriber unsuppress", "subscriber forget", "subscriber prune",
	"issue compose", "issue edit", "issue send", "issue pause", "issue resume", "issue cancel", "issue note", "issue drop", "issue resend",
	"bounce read", "bounce apply", "token create", "token revoke", "token rotate-keys", "restore",
}

// change describes what a command changed, for the audit log.
type change struct {
	none   bool   // a dry run, or nothing to do
	target string // such as "list weekly" or "subscriber 17"; if "", it is taken from the arguments
	detail string
}

// auditVerb makes a command write to the audit log, if it is one of those that do.
func (g *globals) auditVerb(verb *cobra.Command, name string) {
	run := verb.RunE
	if run == nil || !slices.Contains(audited, name) {
		return
	}
	verb.RunE = func(cmd *cobra.Command, args []string) error {
		g.change = change{}
		err := run(cmd, args)
		var partial *partialError
		if err != nil && !errors.As(err, &partial) || g.change.none {
			return err
		}
		if auditErr := g.audit(cmd, name, args); auditErr != nil && err == nil {
			return fmt.Errorf("the command succeeded, but the audit log was not written: %w", auditErr)
		}
		return err
	}
}

// audit writes a line of the audit log; the actor is the user of the operating system.
func (g *globals) audit(cmd *cobra.Command, action string, args []string) error {
	a, err := g.open(cmd)
	if err != nil {
		return err
	}
	defer a.close()
	target := g.change.target
	if target == "" {
		target = strings.Join(args, " ")
	}
	detail := strings.TrimSpace(strings.Join(append([]string{g.change.detail}, flags.Line(cmd)...), " "))
	return a.subscribers.Audit(cmd.Context(), subscribers.AuditEvent{Actor: cmp.Or(g.actor, systemUser()), Action: action, Target: redact.Text(target), Detail: redact.Text(detail)})
}

// auditText returns a stored text in the user's language; the flags in it stay as they are.
func (g *globals) auditText(text string) string {
	summary, flags, ok := strings.Cut(text, "--")
	if !g.chinese || summary == "" {
		return text
	}
	if ok {
		flags = " --" + flags
	}
	return cli.Chinese(strings.TrimSpace(summary)) + flags
}

// systemUser returns the user who runs this program, or the user behind sudo.
func systemUser() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}

// maxListed is the maximum number of lines of a log that are listed at a time.
const maxListed = 10_000

func newAudit(g *globals) *cobra.Command {
	var before int64
	var action string
	limit := 50
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who changed what, and when",
		Args:  cobra.NoArgs,
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			all, err := a.subscribers.AuditLog(cmd.Context(), before, action, limit)
			if err != nil {
				return err
			}
			return printRows(g, cmd, []any{"ID", "When", "Who", "Command", "Target", "Arguments"}, all, func(e subscribers.AuditEvent) []any {
				return []any{e.ID, shortTime(e.At, a.config.Schedule.Zone), e.Actor, e.Action, g.auditText(e.Target), g.auditText(e.Detail)}
			})
		}),
	}
	f := cmd.Flags()
	flags.Bounded(f, &before, "before", 0, 0, math.MaxInt64, "only results with a lower number")
	f.StringVar(&action, "action", "", "only actions that begin with this, such as subscriber or list edit")
	flags.Bounded(f, &limit, "limit", limit, 1, maxListed, "maximum number of results")
	return cmd
}
