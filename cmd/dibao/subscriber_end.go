package main

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/flags"
	"dibao/policy"
	"dibao/subscribers"
	"dibao/subscribers/mailaddr"
)

// many contains the flags of a command that can apply to several readers at once.
type many struct{ count int }

func (m *many) flag(cmd *cobra.Command) {
	flags.Bounded(cmd.Flags(), &m.count, "confirm", 0, 0, math.MaxInt, "apply the changes if exactly this many readers match (a run without this flag prints the number)")
}

// each runs f for the reader with an address, or for all that match a pattern such as
// *@example.org, after the user confirmed their number.
func (m *many) each(g *globals, cmd *cobra.Command, a *app, pattern string, f func(ctx context.Context, address string) error) error {
	if !strings.Contains(pattern, "*") {
		if m.count > 1 {
			g.change.none = true
			return fmt.Errorf("%s is the address of one reader, not of %d; nothing was done", pattern, m.count)
		}
		return f(cmd.Context(), pattern)
	}
	var addresses []string
	err := a.eachReader(cmd.Context(), subscribers.Selection{Like: pattern}, func(x subscribers.Subscriber) error {
		addresses = append(addresses, x.Address)
		return nil
	})
	if err != nil {
		return err
	}
	if len(addresses) == 0 {
		return fmt.Errorf("no reader matches %s; to see all readers: dibao subscriber list", pattern)
	}
	if m.count != len(addresses) && !g.yes {
		g.change.none = true
		for _, address := range addresses[:min(len(addresses), 20)] {
			fmt.Fprintln(cmd.OutOrStdout(), address)
		}
		if m.count != 0 {
			return fmt.Errorf("%d readers match %s, not %d; nothing was done", len(addresses), pattern, m.count)
		}
		g.say(cmd, "%d readers match %s; nothing was done; to apply, add --confirm %d", len(addresses), pattern, len(addresses))
		return nil
	}
	g.change.target, g.change.detail = "", fmt.Sprintf("%d readers", len(addresses))
	for i, address := range addresses {
		if err := f(cmd.Context(), address); err != nil {
			return &partialError{Err: fmt.Errorf("%d of %d done: %w", i, len(addresses), err)}
		}
	}
	g.change.target = fmt.Sprintf("%d readers", len(addresses))
	return nil
}

func newSubscriberUnsubscribe(g *globals) *cobra.Command {
	var list string
	var m many
	cmd := &cobra.Command{
		Use:     "unsubscribe ADDRESS|PATTERN",
		Short:   "Unsubscribe readers from all lists or from one",
		Example: "  dibao subscriber unsubscribe reader@example.org\n  dibao subscriber unsubscribe '*@example.org' --list weekly --confirm 12",
		Args:    cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			id := int64(0)
			if list != "" {
				l, err := a.subscribers.ListBySlug(cmd.Context(), list)
				if err != nil {
					return err
				}
				id = l.ID
			}
			return m.each(g, cmd, a, args[0], func(ctx context.Context, address string) error {
				s, err := a.reader(ctx, address)
				if err != nil {
					return err
				}
				ended, err := a.subscribers.Unsubscribe(ctx, s.ID, id, "admin", netip.Prefix{})
				if err != nil {
					return err
				}
				g.change.target = fmt.Sprintf("subscriber %d", s.ID)
				g.say(cmd, "%d subscriptions of %s ended", len(ended), mailaddr.Readable(s.Address))
				return nil
			})
		}),
	}
	cmd.Flags().StringVar(&list, "list", "", "only this list")
	m.flag(cmd)
	return cmd
}

func newSubscriberSuppress(g *globals) *cobra.Command {
	var note, file string
	var m many
	cmd := &cobra.Command{
		Use:   "suppress ADDRESS|PATTERN",
		Short: "Suppress an address: it gets no mail, whether subscribed or not",
		Long: "Stores only a hash of the address. --file suppresses all addresses in a file (one per line, or a CSV file of another\n" +
			"provider), and lists the lines that contain no address.",
		Example: "  dibao subscriber suppress reader@example.org --note \"asked by phone\"\n  dibao subscriber suppress --file bounced.csv --note \"from the old provider\"",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (file != "") {
				return usagef("specify an address, or a file with --file")
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			if file != "" {
				return a.suppressFile(g, cmd, file, note)
			}
			return m.each(g, cmd, a, args[0], func(ctx context.Context, address string) error {
				before, err := a.subscribers.Suppression(ctx, address)
				if err != nil {
					return err
				}
				if before != nil {
					g.say(cmd, "%s was already suppressed (%s)", address, before.Reason)
					return nil
				}
				if err := a.subscribers.Suppress(ctx, address, subscribers.ReasonAdmin, note); err != nil {
					return err
				}
				g.say(cmd, "%s no longer gets mail", address)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&note, "note", "", "reason; stored without addresses")
	cmd.Flags().StringVar(&file, "file", "", "file that lists addresses")
	m.flag(cmd)
	return cmd
}

// suppressFile suppresses the addresses of a file.
func (a *app) suppressFile(g *globals, cmd *cobra.Command, file, note string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	addresses, err := subscribers.ReadAddresses(bufio.NewReader(f))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	fresh, refused, err := a.subscribers.SuppressAll(cmd.Context(), addresses, note)
	if err != nil {
		return err
	}
	g.change = change{target: "file", detail: fmt.Sprintf("%d addresses", fresh)}
	g.say(cmd, "%d addresses suppressed, %d already before", fresh, len(addresses)-fresh-len(refused))
	for _, r := range refused {
		g.print(cmd, "no address in the line %.80q", r)
	}
	if len(refused) > 0 {
		return &partialError{Err: fmt.Errorf("%d lines contain no address", len(refused))}
	}
	return nil
}

func newSubscriberUnsuppress(g *globals) *cobra.Command {
	var note, since string
	var apply bool
	var sel subscribers.SuppressedSelection
	cmd := &cobra.Command{
		Use:   "unsuppress [ADDRESS]",
		Short: "Lift the suppression of an address, or of many with --since, --reason and --domain",
		Long: "With an address, lifts its suppression. Without one, lifts those that the flags select: bounces, or those of another\n" +
			"--reason; without --apply they are only listed, and --note is not needed. The next issue of their lists contains what they\n" +
			"missed in the last 31 days.",
		Example: "  dibao subscriber unsuppress reader@example.org --note \"wrote to us\"\n" +
			"  dibao subscriber unsuppress --since 2026-11-20 --domain example.org --note \"their server was broken\" --apply",
		Args: cobra.MaximumNArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			many, selected, apply := len(args) == 0, since != "" || sel.Domain != "" || cmd.Flags().Changed("reason"), apply || g.yes
			switch {
			case !many && selected, many && apply && !selected:
				return usagef("specify an address, or select readers with --since, --reason or --domain")
			case note == "" && (!many || apply):
				return usagef("state with --note why mail may be sent to this address again")
			case many:
				if since != "" {
					day, err := policy.ParseDate(since)
					if err != nil {
						return usagef("--since: %v", err)
					}
					sel.Since = time.Date(day.Year, time.Month(day.Month), day.Day, 0, 0, 0, 0, a.config.Schedule.Zone)
				}
				return a.unsuppressMany(g, cmd, sel, note, apply)
			}
			lifted, err := a.subscribers.Unsuppress(cmd.Context(), args[0], note)
			if err != nil {
				return err
			}
			if !lifted {
				g.change.none = true
				return fmt.Errorf("%s is not suppressed", args[0])
			}
			g.say(cmd, "suppression of %s lifted; its subscriptions are unchanged", args[0])
			return nil
		}),
	}
	f := cmd.Flags()
	f.StringVar(&note, "note", "", "reason; stored in the consent log")
	f.StringVar(&since, "since", "", "suppressed since YYYY-MM-DD")
	flags.Choice(f, &sel.Reason, "reason", subscribers.ReasonBounce, []string{
		subscribers.ReasonBounce, subscribers.ReasonComplaint, subscribers.ReasonAdmin, subscribers.ReasonImported}, "suppressed for this reason")
	f.StringVar(&sel.Domain, "domain", "", "only this domain")
	f.BoolVar(&apply, "apply", false, "apply the change to several readers")
	return cmd
}

// unsuppressMany lists the selected readers, and lets them get mail again.
func (a *app) unsuppressMany(g *globals, cmd *cobra.Command, sel subscribers.SuppressedSelection, note string, apply bool) error {
	all, err := a.subscribers.SuppressedReaders(cmd.Context(), sel)
	if err != nil {
		return err
	}
	err = printRows(g, cmd, []any{"Reader", "Address", "Reason", "Since", "Note"}, all, func(x subscribers.SuppressedReader) []any {
		return []any{x.Subscriber, x.Address, x.Reason, shortTime(x.At, a.config.Schedule.Zone), x.Note}
	})
	if err != nil {
		return err
	}
	if g.change.none = !apply || len(all) == 0; g.change.none {
		g.say(cmd, "%d suppressions would be lifted; nothing was done; to lift them, add --apply", len(all))
		return nil
	}
	g.change.target = ""
	for i, x := range all {
		if _, err := a.subscribers.Unsuppress(cmd.Context(), x.Address, note); err != nil {
			return &partialError{Err: fmt.Errorf("done: %d of %d; run the command again for the rest: %w", i, len(all), err)}
		}
	}
	g.change.target = fmt.Sprintf("%d readers", len(all))
	g.say(cmd, "%d suppressions lifted; the readers' subscriptions are unchanged", len(all))
	return nil
}

func newSubscriberForget(g *globals) *cobra.Command {
	var m many
	cmd := &cobra.Command{
		Use:        "forget ADDRESS|PATTERN",
		SuggestFor: []string{"remove", "delete"},
		Short:      "Delete a reader and all data about the reader",
		Long: "Deletes the reader, subscriptions, consent log, emails and bounces, and keeps only a hash of the address, so that no\n" +
			"import adds the reader again. This can't be undone; to keep a copy, first run: dibao subscriber export ADDRESS. Earlier\n" +
			"backups still contain the reader.",
		Args: cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			if !strings.Contains(args[0], "*") { // for several readers, the user confirms their number
				if _, err := a.reader(cmd.Context(), args[0]); err != nil {
					g.change.none = true
					return fmt.Errorf("%w; nothing was done; to stop mail to an address without a reader: dibao subscriber suppress ADDRESS", err)
				}
				if m.count == 0 {
					if err := g.confirm(cmd, "Delete all data of %s? This can't be undone.", args[0]); err != nil {
						return err
					}
				}
			}
			return m.each(g, cmd, a, args[0], func(ctx context.Context, address string) error {
				if err := a.subscribers.Forget(ctx, address); err != nil {
					return err
				}
				g.say(cmd, "all data of %s was deleted", address)
				return nil
			})
		}),
	}
	m.flag(cmd)
	return cmd
}

func newSubscriberPrune(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "prune",
		Short: "Delete unconfirmed requests and expired data now, as the daemon does every night",
		Args:  cobra.NoArgs,
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			out, err := a.prune(cmd.Context())
			if err != nil {
				return err
			}
			g.change = change{target: "readers", detail: fmt.Sprintf("%d never confirmed, %d unsubscribed", out.Unconfirmed, out.Left)}
			g.say(cmd, "deleted %d readers who never confirmed, %d who unsubscribed long ago, %d address blocks, %d lines of the audit log", out.Unconfirmed, out.Left, out.Networks, out.Audit)
			return nil
		}),
	}
}

// prune deletes expired data.
func (a *app) prune(ctx context.Context) (subscribers.Pruned, error) {
	if err := a.inbound.PruneFeedback(ctx, a.config.Privacy.Retention); err != nil {
		return subscribers.Pruned{}, err
	}
	if _, err := a.digest.Stars.Prune(ctx); err != nil {
		return subscribers.Pruned{}, err
	}
	return a.subscribers.Prune(ctx, a.config.Privacy.Retention)
}
