package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/bars"
	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/status"
	"dibao/cmd/dibao/view"
	"dibao/digest"
	"dibao/digest/delivery"
)

// newIssueStates returns the commands that pause, resume and cancel mailings.
func newIssueStates(g *globals) []*cobra.Command {
	verbs := []struct {
		use, short, long, done string
		change                 func(s *digest.Service, ctx context.Context, mailing int64) error
	}{
		{"pause", "Pause a mailing on all nodes within seconds", "", "paused; to resume it: dibao issue resume %d", (*digest.Service).Pause},
		{"resume", "Resume a paused mailing", "", "", (*digest.Service).Resume},
		{"cancel", "Cancel a mailing; unsent messages are dropped",
			"Cancels unsent messages permanently. Sent messages and the issue in the archive stay.\n",
			"canceled mailing %d", (*digest.Service).Cancel},
	}
	cmds := make([]*cobra.Command, 0, len(verbs))
	for _, v := range verbs {
		cmds = append(cmds, &cobra.Command{
			Use: v.use + " [MAILING]", Short: v.short, Args: cobra.MaximumNArgs(1),
			Long: v.long + "MAILING is the number that \"dibao issue report\" shows; the default is the newest that is not done.",
			RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
				mailing, err := a.mailing(cmd.Context(), args, v.use)
				if err != nil {
					return err
				}
				before, err := a.digest.ReportOf(cmd.Context(), mailing)
				if err != nil {
					return err
				}
				if v.use == "cancel" {
					if err := g.confirm(cmd, "Cancel mailing %d? %d unsent messages are dropped; %d were sent.", mailing, before.Waiting+before.Uncertain+before.Claimed, before.Sent); err != nil {
						return err
					}
				}
				err = v.change(a.digest, cmd.Context(), mailing)
				if err == nil && v.use == "resume" {
					err = a.wakeSenders(cmd.Context())
				}
				if err != nil {
					return err
				}
				if g.json {
					report, err := a.digest.ReportOf(cmd.Context(), mailing)
					if err != nil {
						return err
					}
					return writeJSON(cmd.OutOrStdout(), report)
				}
				if v.use == "resume" {
					return a.sayResumed(g, cmd, mailing, before.State)
				}
				g.say(cmd, v.done, mailing)
				return nil
			}),
		})
	}
	return cmds
}

// sayResumed says what a mailing does now: its emails may wait for a later try.
func (a *app) sayResumed(g *globals, cmd *cobra.Command, mailing int64, before string) error {
	domains, err := a.digest.Domains(cmd.Context(), mailing)
	if err != nil {
		return err
	}
	parts := []string{fmt.Sprintf("mailing %d continues", mailing)}
	if g.change.none = before != "paused"; g.change.none {
		parts[0] = fmt.Sprintf("mailing %d is not paused", mailing)
	}
	due, stopped, shown := 0, 0, 0
	for _, d := range domains {
		waiting := d.Waiting + d.Uncertain
		switch {
		case waiting == 0 || d.NextAt == nil:
		case !d.NextAt.After(a.articles.Now()):
			due += waiting
		default:
			stopped += d.Stopped
			if shown++; shown <= 3 {
				parts = append(parts, fmt.Sprintf("%d emails to %s will wait until %s", waiting, d.Domain, shortTime(*d.NextAt, a.config.Schedule.Zone)))
			}
		}
	}
	if due > 0 {
		parts = append(parts, fmt.Sprintf("%d emails are due", due), "dibao serve sends them at once; without it, run: dibao issue send")
	}
	if stopped > 0 {
		parts = append(parts, "to try now: dibao issue send")
	}
	g.say(cmd, "%s", strings.Join(parts, "; "))
	return nil
}

// mailing reads the number of a mailing, or finds the newest to which a command applies.
func (a *app) mailing(ctx context.Context, args []string, verb string) (int64, error) {
	if len(args) > 0 {
		n, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return 0, usagef("%q is not a mailing number; see: dibao issue report", args[0])
		}
		return n, nil
	}
	all, err := a.digest.Report(ctx, 100)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		if m.State == "paused" && verb != "pause" || m.State == "sending" && verb != "resume" || m.State == "composed" && verb == "cancel" || verb == "variants" {
			return m.Mailing, nil
		}
	}
	return 0, fmt.Errorf("there is no mailing to %s; see: dibao issue report", verb)
}

func newIssueReport(g *globals) *cobra.Command {
	var limit int
	var watch, variants bool
	var page string
	cmd := &cobra.Command{
		Use:   "report [MAILING]",
		Short: "Show the delivery status of mailings, or of one mailing by domain",
		Long: "Shows the newest mailings: what was sent, how fast, and how long the rest takes at that rate. With MAILING it also shows\n" +
			"the domains; with --variants, the different emails of the mailing and how many readers each has (to look at one: dibao\n" +
			"issue preview --variant NUMBER). --watch follows a mailing until it is done. --html writes the admin page of a mailing\n" +
			"to one file that you can share; it contains no addresses of readers.",
		Args: cobra.MaximumNArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			if watch {
				mailing, err := a.mailing(cmd.Context(), args, "watch")
				if err != nil {
					return err
				}
				return a.watchMailing(g, cmd, mailing)
			}
			if variants {
				mailing, err := a.mailing(cmd.Context(), args, "variants")
				if err != nil {
					return err
				}
				return a.printVariants(g, cmd, mailing, limit)
			}
			if len(args) == 0 && page != "" {
				return usagef("specify the mailing to write to %s; see: dibao issue report", page)
			}
			if len(args) == 0 {
				rows, err := a.digest.Report(cmd.Context(), limit)
				if err != nil {
					return err
				}
				if err := a.printReports(g, cmd, rows); err != nil {
					return err
				}
				return a.sayTroubles(g, cmd)
			}
			mailing, err := a.mailing(cmd.Context(), args, "report")
			if err != nil {
				return err
			}
			if page != "" {
				return a.writeMailingPage(g, cmd, mailing, page)
			}
			return a.printMailing(g, cmd, mailing)
		}),
	}
	flags.Bounded(cmd.Flags(), &limit, "limit", 20, 1, maxListed, "maximum number of mailings or variants")
	cmd.Flags().BoolVar(&variants, "variants", false, "show the variants of a mailing, those with the most readers first")
	cmd.Flags().BoolVar(&watch, "watch", false, "follow a mailing until it is done")
	cmd.Flags().StringVar(&page, "html", "", "file to write the page of a mailing to; - for standard output")
	cmd.MarkFlagsMutuallyExclusive("html", "watch", "variants")
	return cmd
}

// toStdout is the file name that means standard output.
const toStdout = "-"

// writeMailingPage writes the page of a mailing to a new file, or to standard output.
func (a *app) writeMailingPage(g *globals, cmd *cobra.Command, mailing int64, file string) error {
	write := func(w io.Writer) error {
		return a.adminSite().WriteMailing(cmd.Context(), w, mailing, g.language())
	}
	switch {
	case file == toStdout && g.json:
		var page strings.Builder
		if err := write(&page); err != nil {
			return err
		}
		return writeJSON(cmd.OutOrStdout(), map[string]string{"html": page.String()})
	case file == toStdout:
		return write(cmd.OutOrStdout())
	case g.inServer:
		return usagef("the API writes no files; use --html -, which returns the page")
	}
	if err := writeNew(file, write); err != nil {
		return err
	}
	g.say(cmd, "the page of mailing %d is in %s", mailing, file)
	return nil
}

func (a *app) printReports(g *globals, cmd *cobra.Command, rows []delivery.MailingReport) error {
	headings := []any{"Mailing", "Due", "State", "Waiting", "Sending", "Sent", "Failed", "Uncertain", "Not tried", "Per second", "Time left"}
	err := printRows(g, cmd, headings, rows, func(r delivery.MailingReport) []any {
		return []any{r.Mailing, shortTime(r.DueAt, a.config.Schedule.Zone), r.State, r.Waiting, r.Claimed, r.Sent, r.Failed, r.Uncertain, r.Suppressed,
			bars.Rate(r), bars.Left(r)}
	})
	for _, r := range rows {
		sayNoEmails(g, cmd, r)
		if r.SuppressedReaders > 0 {
			g.say(cmd, "mailing %d: %d readers get no more mail, because servers refused them; see: dibao bounce list", r.Mailing, r.SuppressedReaders)
		}
	}
	return err
}

// sayTroubles prints what is wrong with mailings.
func (a *app) sayTroubles(g *globals, cmd *cobra.Command) error {
	troubles, err := a.digest.Troubles(cmd.Context())
	for _, t := range troubles {
		sentence, commands := status.Trouble(t, a.config.Schedule.Zone)
		g.say(cmd, "%s", sentence)
		g.say(cmd, "%s", status.Advice(commands))
	}
	return err
}

func (a *app) printVariants(g *globals, cmd *cobra.Command, mailing int64, limit int) error {
	if _, err := a.digest.ReportOf(cmd.Context(), mailing); err != nil {
		return err
	}
	all, err := a.digest.Variants(cmd.Context(), mailing)
	if err != nil {
		return err
	}
	return printRows(g, cmd, []any{"Variant", "Readers", "Language", "Format", "Articles", "Lists"}, all[:min(len(all), limit)], func(v digest.Variant) []any {
		return []any{v.ID, v.Readers, v.Language, v.Format, v.Articles, strings.Join(v.Lists, ", ")}
	})
}

func (a *app) printMailing(g *globals, cmd *cobra.Command, mailing int64) error {
	report, err := a.digest.ReportOf(cmd.Context(), mailing)
	if err != nil {
		return err
	}
	domains, err := a.digest.Domains(cmd.Context(), mailing)
	if err != nil {
		return err
	}
	channels, err := a.digest.Channels.Report(cmd.Context(), mailing)
	if err != nil {
		return err
	}
	if g.json {
		return writeJSON(cmd.OutOrStdout(), view.Mailing{MailingReport: report, Domains: domains, Channels: channels})
	}
	if err := a.printReports(g, cmd, []delivery.MailingReport{report}); err != nil {
		return err
	}
	if err := a.printChannels(g, cmd, channels); err != nil {
		return err
	}
	return printRows(g, cmd, []any{"Domain", "Sent", "Waiting", "Failed", "Uncertain", "Next try", "Last reply"}, domains[:min(len(domains), 50)],
		func(d delivery.DomainReport) []any {
			next, reply := "", ""
			if d.NextAt != nil && d.Waiting+d.Uncertain > 0 {
				next = shortTime(*d.NextAt, a.config.Schedule.Zone)
			}
			if d.Reply != nil {
				reply = cli.Clip(*d.Reply, 60)
			}
			return []any{d.Domain, d.Sent, d.Waiting, d.Failed, d.Uncertain, next, reply}
		})
}
