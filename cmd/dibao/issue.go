package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/mailer"
	"dibao/cmd/dibao/status"
	"dibao/cmd/dibao/view"
	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/internal/nodes"
)

func newIssue(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "issue", SuggestFor: []string{"send", "compose", "preview", "report"}, Short: "Compose, send and show issues"}
	cmd.AddCommand(newIssueList(g), newIssueCompose(g), newIssuePreview(g), newIssueSend(g), newIssueReport(g))
	cmd.AddCommand(newIssueShow(g), newIssueNote(g), newIssueDrop(g), newIssueTest(g), newIssueResend(g))
	cmd.AddCommand(newIssueStates(g)...)
	return cmd
}

func newIssueList(g *globals) *cobra.Command {
	var list string
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List issues, newest first",
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			lists, err := a.subscribers.Lists(cmd.Context())
			if err != nil {
				return err
			}
			names := make(map[int64]string, len(lists))
			only := int64(0)
			for _, l := range lists {
				names[l.ID] = l.Slug
				if l.Slug == list {
					only = l.ID
				}
			}
			if list != "" && only == 0 {
				_, err := a.subscribers.ListBySlug(cmd.Context(), list)
				return err
			}
			issues, err := a.digest.Issues(cmd.Context(), only, limit)
			if err != nil {
				return err
			}
			held, err := a.digest.HeldIssues(cmd.Context())
			if err != nil {
				return err
			}
			for _, x := range held {
				if only == 0 || x.List.ID == only {
					issues = append([]digest.Issue{x}, issues...)
				}
			}
			views, mailings := make([]view.Issue, len(issues)), make([]int64, 0, len(issues))
			for i, x := range issues {
				views[i] = view.Issue{List: names[x.List.ID], Number: x.Number, DueAt: x.DueAt, Mailing: null(x.Mailing), Count: x.Count, Held: x.Held}
				mailings = append(mailings, x.Mailing)
			}
			reports, err := a.digest.ReportsOf(cmd.Context(), mailings)
			if err != nil {
				return err
			}
			for i, x := range issues {
				if r, ok := reports[x.Mailing]; ok {
					n := r.Emails()
					views[i].Emails, views[i].Skipped = &n, r.Skipped
				}
			}
			return printRows(g, cmd, []any{"List", "No.", "Due", "Articles", "Mailing", "Emails"}, views, func(v view.Issue) []any {
				mailing, emails := "", ""
				switch {
				case v.Held:
					mailing = "held"
				case v.Mailing != nil:
					mailing = fmt.Sprint(*v.Mailing)
					r := reports[*v.Mailing]
					emails = fmt.Sprint(r.Emails())
					if why := status.NoEmails(r); why != "" {
						emails = "0" + g.either(": ", "：") + g.message("%s", why)
					}
				}
				return []any{v.List, v.Number, shortTime(v.DueAt, a.config.Schedule.Zone), v.Count, mailing, emails}
			})
		}),
	}
	cmd.Flags().StringVar(&list, "list", "", "only this list")
	flags.Bounded(cmd.Flags(), &limit, "limit", 50, 1, maxListed, "maximum number of results")
	return cmd
}

func newIssueCompose(g *globals) *cobra.Command {
	var hold bool
	var note string
	var over time.Duration
	cmd := &cobra.Command{
		Use:   "compose [LIST…]",
		Short: "Compose an issue of the given lists (default: all) now, outside the schedule",
		Long: "Composes an issue with the articles that are new since each list's last issue, and its mailing. A list without new\n" +
			"articles gets no issue.",
		Args: cobra.ArbitraryArgs,
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			lists, err := a.lists(cmd, args)
			if err != nil {
				return err
			}
			a.warnOfAddress(g, cmd)
			for i := range lists {
				lists[i].Hold = lists[i].Hold || hold
			}
			made, err := a.digest.ComposeOver(cmd.Context(), lists, over)
			if err == nil && made.Mailing != 0 {
				err = a.wakeSenders(cmd.Context())
			}
			if err != nil {
				return err
			}
			if note != "" {
				for _, i := range slices.Concat(made.Held, made.Issues) {
					if err := a.digest.SetNote(cmd.Context(), i.ID, note); err != nil {
						return err
					}
				}
			}
			if g.json {
				issues := []view.Issue{}
				for _, i := range made.Issues {
					issues = append(issues, view.Issue{List: i.List.Slug, Number: i.Number, DueAt: i.DueAt, Mailing: &made.Mailing, Count: len(i.Articles)})
				}
				for _, i := range made.Held {
					issues = append(issues, view.Issue{List: i.List.Slug, Number: i.Number, DueAt: i.DueAt, Held: true, Count: len(i.Articles)})
				}
				return writeJSON(cmd.OutOrStdout(), map[string]any{"mailing": null(made.Mailing), "issues": issues, "deliveries": made.Deliveries})
			}
			for _, i := range made.Held {
				g.print(cmd, "%s No. %d: %d articles, held", i.List.Slug, i.Number, len(i.Articles))
				g.say(cmd, "look at it with: dibao issue show %s %d; send it with: dibao issue send %s", i.List.Slug, i.Number, i.List.Slug)
			}
			if len(lists) == 0 {
				g.say(cmd, "no list exists yet; create one with: dibao list create weekly")
			}
			composed := slices.Concat(made.Issues, made.Held)
			for _, l := range lists {
				if !slices.ContainsFunc(composed, func(i digest.Issue) bool { return i.List.ID == l.ID }) {
					g.say(cmd, "nothing is new for %s: no issue was made; for the reasons, run: dibao list preview %s --left-out 20", l.Slug, l.Slug)
				}
			}
			if made.Mailing == 0 {
				return nil
			}
			for _, i := range made.Issues {
				g.print(cmd, "%s No. %d: %d articles", i.List.Slug, i.Number, len(i.Articles))
			}
			if err := a.sayChannels(g, cmd, made); err != nil {
				return err
			}
			if made.Deliveries == 0 {
				report, err := a.digest.ReportOf(cmd.Context(), made.Mailing)
				if err != nil {
					return err
				}
				g.say(cmd, "mailing %d has no emails: %s; the issue is in the archive", made.Mailing, status.NoEmails(report))
				return nil
			}
			g.say(cmd, "mailing %d has %d deliveries; dibao serve sends them at once; without it, run: dibao issue send", made.Mailing, made.Deliveries)
			return nil
		}),
	}
	cmd.Flags().BoolVar(&hold, "hold", false, "hold the issues until you run: dibao issue send LIST")
	cmd.Flags().DurationVar(&over, "over", 0, "spread the messages over this time, such as 2h")
	cmd.Flags().StringVar(&note, "note", "", "the editor's note, above the articles")
	return cmd
}

func newIssuePreview(g *globals) *cobra.Command {
	var format, reader string
	var number, variant int64
	cmd := &cobra.Command{
		Use:   "preview [LIST]",
		Short: "Print the next issue of a list, or the next email of a reader",
		Long: "Without --number, prints the next issue of LIST as a reader without preferences would get it now. --reader prints the\n" +
			"next email of one reader: their lists and choices, without what they already got. --variant prints what the readers of\n" +
			"one variant of a mailing get; \"dibao issue report MAILING --variants\" lists the variants.",
		Example: "  dibao issue preview weekly --format html > weekly.html\n" +
			"  dibao issue preview weekly --number 12\n" +
			"  dibao issue preview --reader name@example.org\n" +
			"  dibao issue preview --variant 3",
		Args: cobra.MaximumNArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			named := 0
			for _, given := range []bool{len(args) > 0, reader != "", variant != 0} {
				named += map[bool]int{true: 1}[given]
			}
			if named > 1 {
				return usagef("specify only one of a list, --reader and --variant; --reader covers all lists of the reader")
			}
			if named != 1 {
				return usagef("specify a list, or a reader with --reader ADDRESS, or a variant with --variant NUMBER")
			}
			if number != 0 && len(args) == 0 {
				return usagef("--number needs a list; specify one")
			}
			var mail digest.Mail
			var err error
			switch {
			case variant != 0:
				if mail, err = a.digest.MailOfVariant(cmd.Context(), variant); errors.Is(err, digest.ErrNotFound) {
					err = fmt.Errorf("there is no variant %d; see: dibao issue report MAILING --variants", variant)
				}
			case reader != "":
				mail, err = a.previewReader(g, cmd, reader)
			default:
				if mail, err = a.previewList(cmd.Context(), args[0], number); err == nil {
					err = a.sayNothingNew(g, cmd, args[0], number)
				}
			}
			if err != nil {
				return err
			}
			for _, i := range mail.Held {
				g.say(cmd, "%s No. %d is held; release it with: dibao issue send %s", i.List.Slug, i.Number, i.List.Slug)
			}
			g.say(cmd, "links to unsubscribe and to preferences are placeholders in a preview; each reader gets their own")
			if reader == "" {
				g.say(cmd, "the sentence at the end is for readers who confirmed; for readers whom an admin added, it says who added them, and when")
			}
			switch {
			case g.json:
				return writeJSON(cmd.OutOrStdout(), map[string]string{"subject": mail.Subject, "html": mail.HTML, "text": mail.Text})
			case format == "browser" && g.inServer:
				return usagef("no browser can be opened on the machine of the service; use --format html")
			case format == "browser":
				return showInBrowser(g, cmd, mail.HTML)
			case format == "html":
				fmt.Fprint(cmd.OutOrStdout(), mail.HTML)
			default:
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n%s", mail.Subject, mail.Text)
			}
			return nil
		}),
	}
	flags.Choice(cmd.Flags(), &format, "format", "text", []string{"html", "text", "browser"}, "output")
	flags.Bounded(cmd.Flags(), &number, "number", 0, 0, math.MaxInt64, "number of an existing issue (default: the next issue)")
	cmd.Flags().StringVar(&reader, "reader", "", "print the next email of the reader with this address")
	flags.Bounded(cmd.Flags(), &variant, "variant", 0, 0, math.MaxInt64, "number of a variant of a mailing")
	return cmd
}

func newIssueSend(g *globals) *cobra.Command {
	var lists []string
	var over time.Duration
	cmd := &cobra.Command{
		Use:   "send [LIST…]",
		Short: "Deliver all mail that is due, in this process",
		Long: "Delivers the waiting emails of all mailings that are due. You can stop it and run it again, even while dibao serve runs: each\n" +
			"delivery is claimed by one process. Held issues of the lists that you specify, as arguments or with --list, are released\n" +
			"first; with --over 2h their emails are sent over two hours, the later ones by dibao serve or another issue send. A mail\n" +
			"server that refused our mail is tried immediately, with one message.",
		Args: cobra.ArbitraryArgs,
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			if over != 0 && len(args)+len(lists) == 0 {
				return usagef("--over applies to the held issues of a list; specify a list")
			}
			a.probe = !g.inServer
			if _, err := a.mailDeliverer(cmd.Context()); err != nil { // fail before an issue is released
				return err
			}
			a.warnOfAddress(g, cmd)
			if err := a.release(g, cmd, append(args, lists...), over); err != nil {
				return err
			}
			if g.inServer {
				g.say(cmd, "dibao serve sends the mail that is due")
				return a.wakeSenders(cmd.Context())
			}
			if len(args)+len(lists) == 0 {
				if err := a.sayHeld(g, cmd); err != nil {
					return err
				}
			}
			return a.sendNow(g, cmd)
		}),
	}
	cmd.Flags().DurationVar(&over, "over", 0, "spread the released issues over this time, such as 2h")
	cmd.Flags().StringArrayVar(&lists, "list", nil, "release the held issues of this list first (repeatable)")
	return cmd
}

// joinSenders makes this process one of the sending nodes until done is called. If
// other nodes also send, it waits for its share of the limits.
func (a *app) joinSenders(g *globals, cmd *cobra.Command) (leave func(), err error) {
	version, _ := cli.BuiltFrom()
	if a.member, err = nodes.Join(cmd.Context(), a.db, version, []nodes.Role{nodes.Deliver}, a.log); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(cmd.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.member.Run(ctx) }()
	leave = func() {
		cancel()
		if err := <-ended; err != nil {
			a.log.Error("this process is not allowed to send", "err", err)
		}
	}
	hasLimits := a.config.Mail.Rate > 0 || mailer.Direct(a.config) || len(a.config.Mail.Limits) > 0
	if hasLimits && a.member.Share(nodes.Deliver).Of == 0 {
		g.say(cmd, "other nodes send, too; this process waits until they share their limits with it, at most 20 seconds")
		if err := a.member.Settled(cmd.Context(), nodes.Deliver); err != nil {
			leave()
			return nil, err
		}
	}
	return leave, nil
}

func newIssueResend(g *globals) *cobra.Command {
	var failed bool
	var domains []string
	cmd := &cobra.Command{
		Use:   "resend MAILING --failed",
		Short: "Send a mailing again to readers and channels that did not get it",
		Long: "Sends the same emails, with the same Message-IDs, to the readers whose delivery failed permanently. Nobody gets anything\n" +
			"twice: it skips emails that may have arrived, and readers to whom a later mailing sends the same articles (the next issue\n" +
			"offers the articles of failed deliveries anyway). Without --domain, channels that refused an issue get it again, too. MAILING is the number\n" +
			"that \"dibao issue report\" shows.",
		Example: "  dibao issue resend 12 --failed --domain qq.com",
		Args:    cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			if !failed {
				return usagef("add --failed: a mailing is sent again only to readers whose delivery failed")
			}
			mailing, err := a.mailing(cmd.Context(), args, "resend")
			if err != nil {
				return err
			}
			if len(domains) == 0 {
				domains = []string{""}
			}
			var all digest.Resent
			for _, domain := range domains {
				out, err := a.digest.Resend(cmd.Context(), mailing, strings.ToLower(domain))
				if err != nil {
					return err
				}
				all = digest.Resent{Again: all.Again + out.Again, Later: all.Later + out.Later, Suppressed: all.Suppressed + out.Suppressed}
			}
			channels := int64(0)
			if domains[0] == "" {
				if channels, err = a.digest.Channels.Retry(cmd.Context(), mailing); err != nil {
					return err
				}
			}
			g.change = change{none: all.Again == 0 && channels == 0, target: fmt.Sprintf("mailing %d", mailing), detail: fmt.Sprintf("%d deliveries", all.Again)}
			g.say(cmd, "resending %d emails; skipped: %d readers with the articles in a later mailing, %d suppressed", all.Again, all.Later, all.Suppressed)
			if channels > 0 {
				g.say(cmd, "%d channels get the issue again", channels)
			}
			if all.Again == 0 && channels == 0 {
				if g.json {
					return writeJSON(cmd.OutOrStdout(), viewDelivered(delivery.Delivered{}))
				}
				return nil
			}
			return a.sendNow(g, cmd)
		}),
	}
	cmd.Flags().BoolVar(&failed, "failed", false, "send to readers whose delivery failed permanently")
	cmd.Flags().StringArrayVar(&domains, "domain", nil, "only this domain (repeatable)")
	return cmd
}

// showSending shows the progress of the mailings that are being sent, until
// done is called.
func (a *app) showSending(g *globals, cmd *cobra.Command) (done func()) {
	left := func() (n int) {
		rows, err := a.digest.Report(cmd.Context(), maxListed)
		for _, r := range rows {
			if r.State == "sending" {
				n += r.Waiting + r.Claimed
			}
		}
		if err != nil {
			return -1
		}
		return n
	}
	all := left()
	bar := g.progress(cmd, "send", "send: %d messages", int64(all))
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(lineEvery)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				if n := left(); n >= 0 {
					bar.count(max(all-n, 0))
				}
			}
		}
	}()
	return func() {
		close(stop)
		<-ended
		bar.done()
	}
}

func viewDelivered(d delivery.Delivered) map[string]int {
	return map[string]int{
		"sent": d.Sent, "failed": d.Failed, "deferred": d.Deferred, "uncertain": d.Uncertain, "suppressed": d.Suppressed, "recovered": d.Recovered,
	}
}
