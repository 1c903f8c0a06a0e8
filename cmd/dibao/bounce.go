package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"dibao/digest"
	"dibao/internal/inbox"
)

func newBounce(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "bounce", Short: "Read mail that came back"}
	cmd.AddCommand(newBounceRead(g), newBounceList(g))
	return cmd
}

// bounceView is what one file was, in JSON.
type bounceView struct {
	File  string  `json:"file"`
	Error *string `json:"error"`
	digest.Inbound
}

// maxBounceFile is the largest report that is read; ParseReport looks no further.
const maxBounceFile = 10 << 20

func newBounceRead(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "read FILE…",
		Short: "Read reports from files, as the listener would, and do what they mean",
		Long: "Each file is one mail. A report is about a mail of ours by its envelope token, its Message-ID, or, since an admin hands\n" +
			"it over, by the reader whom it names. A mailbox that is not there and a complaint suppress the address; a full one\n" +
			"after 3 issues; a refusal by policy never. Reading a file again changes nothing.",
		Args: cobra.MinimumNArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			failed, changed := 0, 0
			var err error
			var views []bounceView
			for _, name := range args {
				v := bounceView{File: name}
				if v.Inbound, err = a.readBounce(cmd.Context(), name); err != nil {
					text := oneLine(err)
					v.Error = &text
					failed++
				}
				if v.Effect == digest.EffectSuppressed || v.Effect == digest.EffectUnsubscribed {
					changed++
				}
				views = append(views, v)
			}
			g.change = change{none: changed == 0, target: fmt.Sprintf("%d files", len(args)), detail: fmt.Sprintf("%d readers changed", changed)}
			err = printRows(g, cmd, []any{"File", "Kind", "Reader", "Class", "Effect", "Why"}, views, func(v bounceView) []any {
				if v.Error != nil {
					return []any{v.File, "", "", "", "", *v.Error}
				}
				return []any{v.File, v.Kind, v.Subscriber, v.Class, v.Effect, v.Why}
			})
			switch {
			case err != nil || failed == 0:
				return err
			case failed == len(args):
				return fmt.Errorf("no file could be read: %s: %s", args[0], *views[0].Error)
			default:
				return &partialError{fmt.Errorf("%d of %d files could not be read", failed, len(args))}
			}
		}),
	}
}

func (a *app) readBounce(ctx context.Context, name string) (digest.Inbound, error) {
	f, err := os.Open(name)
	if err != nil {
		return digest.Inbound{}, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxBounceFile))
	if err != nil {
		return digest.Inbound{}, err
	}
	return a.digest.Receive(ctx, digest.Incoming{Raw: raw, FromAdmin: true})
}

func newBounceList(g *globals) *cobra.Command {
	var before int64
	var kind string
	limit := 50
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what came back, the newest first",
		Args:  cobra.NoArgs,
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			all, err := a.digest.FeedbackLog(cmd.Context(), before, kind, limit)
			if err != nil {
				return err
			}
			return printRows(g, cmd, []any{"ID", "When", "Reader", "Kind", "Class", "Status", "Text", "Effect"}, all, func(f digest.Feedback) []any {
				return []any{f.ID, shortTime(f.At, a.config.Schedule.Zone), f.Subscriber, f.Kind, f.Class, f.Status, strings.Join(strings.Fields(f.Text), " "), f.Effect}
			})
		}),
	}
	f := cmd.Flags()
	boundedVar(f, &before, "before", 0, 0, math.MaxInt64, "with a number below this one")
	choiceVar(f, &kind, "kind", "", []string{"reply", "bounce", "complaint", "unsubscribe"}, "of this kind only")
	boundedVar(f, &limit, "limit", limit, 1, maxListed, "how many")
	return cmd
}

// inbox takes the mail that comes back.
func (a *app) inbox() *inbox.Inbox {
	return &inbox.Inbox{
		Accept: a.digest.Takes,
		Receive: func(ctx context.Context, to []string, raw []byte) error {
			in, err := a.digest.Receive(ctx, digest.Incoming{To: to, Raw: raw})
			if err == nil {
				a.log.Info("mail came back", "kind", string(in.Kind), "class", in.Class, "delivery_id", in.Delivery, "subscriber_id", in.Subscriber, "effect", in.Effect)
			}
			return err
		},
		Domain: a.config.Mail.BounceDomain, Logger: a.log,
	}
}

// receive takes mail that comes back, as configured, until ctx ends.
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
		return fmt.Errorf("listen on %s: %w; is another program there? change inbound in [mail]", where, err)
	}
	a.log.Info("taking mail that comes back", "addr", l.Addr().String(), "protocol", scheme)
	box.LMTP = scheme == "lmtp"
	return box.Serve(ctx, l)
}
