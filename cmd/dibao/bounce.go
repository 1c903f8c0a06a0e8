package main

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"math"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/digest/delivery"
	"dibao/digest/inbound"
	"dibao/internal/inbox"
	"dibao/internal/mail"
)

func newBounce(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "bounce", Short: "Manage bounces and reports"}
	cmd.AddCommand(newBounceRead(g), newBounceList(g), newBounceApply(g))
	return cmd
}

// bounceView is the result for one message, in JSON.
type bounceView struct {
	File  string  `json:"file"`
	Error *string `json:"error"`
	inbound.Result
}

func newBounceRead(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "read FILE…",
		Short: "Read reports from files and process them as the daemon does with returned mail",
		Long: "A file is one email or an mbox of many, optionally compressed with gzip. A report is matched to an email by its envelope\n" +
			"token, its Message-ID, or the reader that it names. An unknown mailbox and a complaint suppress the address; a full\n" +
			"mailbox does so after 3 issues; a refusal by policy never does. \"Not spam\" withdraws a complaint. Reading a file again\n" +
			"changes nothing. At the end it prints how many reports were read, used and not used.",
		Args: cobra.MinimumNArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			t := bounceTotals{kinds: make(map[string]int)}
			var views []bounceView
			for _, name := range args {
				for v := range a.readBounces(cmd.Context(), name) {
					t.add(v)
					views = append(views, v)
				}
			}
			g.change = change{none: t.changed == 0, target: fmt.Sprintf("%d files", len(args)), detail: fmt.Sprintf("%d readers changed", t.changed)}
			err := printRows(g, cmd, []any{"File", "Kind", "Reader", "Class", "Effect", "Why"}, views, func(v bounceView) []any {
				if v.Error != nil {
					return []any{v.File, "", "", "", "", *v.Error}
				}
				return []any{v.File, v.Kind, v.Subscriber, v.Class, v.Effect, v.Why}
			})
			switch {
			case err != nil:
				return err
			case t.failed > 0 && t.failed == len(views):
				return fmt.Errorf("no file could be read: %s: %s", views[0].File, *views[0].Error)
			}
			g.say(cmd, "%s", t)
			if t.failed > 0 {
				return &partialError{Err: fmt.Errorf("%d of %d messages could not be read", t.failed, len(views))}
			}
			return nil
		}),
	}
}

// bounceTotals counts messages by their effect.
type bounceTotals struct {
	read, used, changed, failed int
	kinds                       map[string]int // messages without an effect, by the reason
}

func (t *bounceTotals) add(v bounceView) {
	switch {
	case v.Error != nil:
		t.failed++
		return
	case v.Effect == inbound.EffectNothing:
		why, _, _ := strings.Cut(v.Why, ":")
		t.kinds[why]++
	default:
		t.used++
	}
	if v.Effect == inbound.EffectSuppressed || v.Effect == inbound.EffectUnsubscribed || v.Effect == inbound.EffectRestored {
		t.changed++
	}
	t.read++
}

func (t bounceTotals) String() string {
	text := fmt.Sprintf("%d messages read, %d used (%d readers changed), %d not used", t.read, t.used, t.changed, t.read-t.used)
	for _, why := range slices.Sorted(maps.Keys(t.kinds)) {
		text += fmt.Sprintf("; %d: %s", t.kinds[why], cmp.Or(why, "has no effect"))
	}
	return text
}

// readBounces reads the messages of a file. If there are several, each is
// identified by its number.
func (a *app) readBounces(ctx context.Context, name string) iter.Seq[bounceView] {
	return func(yield func(bounceView) bool) {
		fail := func(name string, err error) bool {
			text := oneLine(err)
			return yield(bounceView{File: name, Error: &text})
		}
		f, err := os.Open(name)
		if err != nil {
			fail(name, err)
			return
		}
		defer f.Close()
		n := 0
		for raw, err := range mail.Messages(f) {
			v := bounceView{File: name}
			if n++; n > 1 {
				v.File = fmt.Sprintf("%s#%d", name, n)
			}
			if err == nil {
				v.Result, err = a.inbound.Receive(ctx, inbound.Incoming{Raw: raw, FromAdmin: true})
			}
			if err != nil && !fail(v.File, err) || err == nil && !yield(v) {
				return
			}
		}
	}
}

func newBounceList(g *globals) *cobra.Command {
	var before int64
	var kind, domain string
	var pending bool
	limit := 50
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List bounces and other reports, newest first",
		Long: "With --pending, lists the readers whom a mailing would have suppressed together with many others of their domain (more\n" +
			"than three, and more than 2 in 100). To suppress them: dibao bounce apply",
		Args: cobra.NoArgs,
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			switch {
			case pending:
				_, err := a.printPending(g, cmd, domain)
				return err
			case domain != "":
				return usagef("--domain works only with --pending")
			}
			all, err := a.inbound.FeedbackLog(cmd.Context(), before, kind, limit)
			if err != nil {
				return err
			}
			return printRows(g, cmd, []any{"ID", "When", "Reader", "Address", "Kind", "Class", "Status code", "Text", "Effect"}, all, func(f inbound.Feedback) []any {
				return []any{f.ID, shortTime(f.At, a.config.Schedule.Zone), f.Subscriber, f.Address, f.Kind, f.Class, f.StatusCode(), strings.Join(strings.Fields(f.Text), " "), f.Effect}
			})
		}),
	}
	f := cmd.Flags()
	flags.Bounded(f, &before, "before", 0, 0, math.MaxInt64, "only results with a lower number")
	flags.Choice(f, &kind, "kind", "", []string{"reply", "bounce", "complaint", "unsubscribe", "not-spam"}, "only of this kind")
	flags.Bounded(f, &limit, "limit", limit, 1, maxListed, "maximum number of results")
	f.BoolVar(&pending, "pending", false, "list suppressions that wait for your decision")
	f.StringVar(&domain, "domain", "", "only this domain")
	return cmd
}

// printPending prints the suppressions that wait for an admin.
func (a *app) printPending(g *globals, cmd *cobra.Command, domain string) ([]delivery.Pending, error) {
	all, err := a.digest.Pending(cmd.Context(), strings.ToLower(domain))
	if err != nil {
		return nil, err
	}
	return all, printRows(g, cmd, []any{"Mailing", "Domain", "Reader", "Address", "When", "Text"}, all, func(p delivery.Pending) []any {
		return []any{p.Mailing, p.Domain, p.Subscriber, p.Address, shortTime(p.At, a.config.Schedule.Zone), cli.Clip(p.Text, 80)}
	})
}

func newBounceApply(g *globals) *cobra.Command {
	var domain string
	var apply bool
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Apply the suppressions that wait for your decision (dry run without --apply)",
		Long: "Without --apply, nothing changes. A reader whose server has accepted an email since is not suppressed. To lift\n" +
			"suppressions again: dibao subscriber unsuppress",
		Example: "  dibao bounce apply --domain example.org\n  dibao bounce apply --domain example.org --apply",
		Args:    cobra.NoArgs,
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			all, err := a.printPending(g, cmd, domain)
			if err != nil {
				return err
			}
			if g.change.none = !apply && !g.yes || len(all) == 0; g.change.none {
				g.say(cmd, "%d readers would be suppressed; nothing was done; to suppress them, add --apply", len(all))
				return nil
			}
			n, err := a.digest.ApplyPending(cmd.Context(), strings.ToLower(domain))
			g.change.target, g.change.detail = domain, fmt.Sprintf("%d readers", n)
			if err != nil {
				return err
			}
			g.say(cmd, "%d readers are suppressed", n)
			return nil
		}),
	}
	cmd.Flags().StringVar(&domain, "domain", "", "only this domain")
	cmd.Flags().BoolVar(&apply, "apply", false, "apply the changes")
	return cmd
}

// inbox returns the receiver of returned mail.
func (a *app) inbox() *inbox.Inbox {
	return &inbox.Inbox{
		Accept: a.inbound.Accepts,
		Receive: func(ctx context.Context, to []string, raw []byte) error {
			in, err := a.inbound.Receive(ctx, inbound.Incoming{To: to, Raw: raw})
			if err == nil {
				level := slog.LevelInfo
				if in.Kind == mail.ReportNotice {
					level = slog.LevelWarn
				}
				a.log.Log(ctx, level, "returned mail was read", "kind", string(in.Kind), "class", in.Class, "delivery_id", in.Delivery, "subscriber_id", in.Subscriber, "effect", in.Effect, "why", in.Why)
			}
			return err
		},
		Domain: a.config.Mail.BounceDomain, Logger: a.log,
	}
}

// receive receives returned mail, as configured, until ctx ends.
func (a *app) receive(ctx context.Context) error {
	scheme, where, _ := strings.Cut(a.config.Mail.Inbound, ":")
	box := a.inbox()
	switch scheme {
	case "":
		return nil
	case "maildir":
		return box.Watch(ctx, where)
	}
	if c := a.config.Mail; c.InboundCert != "" || c.InboundKey != "" {
		encryption, err := certificate(c.InboundCert, c.InboundKey, "inbound_tls_cert and inbound_tls_key in [mail]")
		if err != nil {
			return err
		}
		box.TLS = encryption
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", where)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; if another program uses it, change inbound in [mail]", where, err)
	}
	a.log.Info("receiving returned mail", "addr", l.Addr().String(), "protocol", scheme)
	box.LMTP = scheme == "lmtp"
	return box.Serve(ctx, l)
}
