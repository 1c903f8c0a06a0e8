package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/mailer"
	"dibao/digest"
	"dibao/internal/mail"
	"dibao/policy"
	"dibao/subscribers"
	"dibao/subscribers/mailaddr"
	"dibao/templates"
)

// previewList renders the mail of the next issue of a list, or of issue number.
func (a *app) previewList(ctx context.Context, list string, number int64) (digest.Mail, error) {
	if number > 0 {
		i, err := a.issueOf(ctx, list, strconv.FormatInt(number, 10))
		if err != nil {
			return digest.Mail{}, err
		}
		return a.digest.MailOfIssue(ctx, i, i.List.Language)
	}
	l, err := a.subscribers.ListBySlug(ctx, list)
	if err != nil {
		return digest.Mail{}, err
	}
	return a.digest.PreviewMail(ctx, l)
}

// sayNothingNew reports that the next issue of a list would be empty, and which issue is
// held; the preview is then the email for readers who want one even if nothing is new.
func (a *app) sayNothingNew(g *globals, cmd *cobra.Command, list string, number int64) error {
	if number > 0 {
		return nil
	}
	l, err := a.subscribers.ListBySlug(cmd.Context(), list)
	if err != nil {
		return err
	}
	items, err := a.digest.Preview(cmd.Context(), l)
	if err != nil || len(items) > 0 {
		return err
	}
	g.say(cmd, "nothing is new for %s: only readers who want an email even then get this one", list)
	held, err := a.digest.HeldIssues(cmd.Context())
	for _, i := range held {
		if i.List.ID == l.ID {
			g.say(cmd, "%s No. %d is held; see it with --number %d", list, i.Number, i.Number)
		}
	}
	return err
}

// previewReader renders the next mail of a reader. It says of which lists there is none yet.
func (a *app) previewReader(g *globals, cmd *cobra.Command, address string) (digest.Mail, error) {
	ctx := cmd.Context()
	known, err := a.reader(ctx, address)
	if err != nil {
		return digest.Mail{}, err
	}
	switch x, err := a.subscribers.Suppression(ctx, known.Address); {
	case err != nil:
		return digest.Mail{}, err
	case x != nil:
		return digest.Mail{}, fmt.Errorf("%s gets no mail: the address has been suppressed (%s) since %s; to lift that: dibao subscriber unsuppress %[1]s --note REASON",
			address, x.Reason, shortTime(x.At, a.config.Schedule.Zone))
	}
	readers, err := a.subscribers.Readers(ctx, []int64{known.ID})
	if err != nil {
		return digest.Mail{}, err
	}
	mail, err := a.digest.PreviewReader(ctx, readers[known.ID])
	if err != nil && !errors.Is(err, digest.ErrNothingNew) {
		return mail, err
	}
	lists, listErr := a.subscribers.Lists(ctx)
	if listErr != nil {
		return mail, listErr
	}
	said := false
	for _, l := range lists {
		for _, s := range known.Subscriptions {
			if s.List != l.ID {
				continue
			}
			if _, later := mail.Later[l.ID]; later || err != nil {
				g.say(cmd, "%v", a.whyNoMail(g, readers[known.ID], s, mail.Later[l.ID]))
				said = true
			}
		}
	}
	if err == nil {
		return mail, nil
	}
	if !said {
		g.say(cmd, "the reader has no subscription")
	}
	return mail, fmt.Errorf("there is no mail for %s now; the reasons are above", address)
}

// whyNoMail says why a reader gets no mail of a list, and what changes that; later is the day
// from which they want it.
func (a *app) whyNoMail(g *globals, r subscribers.Reader, s subscribers.Subscription, later policy.Date) error {
	choice := r.Choices[s.List]
	edit := fmt.Sprintf("dibao subscriber edit %s --list %s", r.Address, s.Slug)
	switch narrowed := g.narrowed(choice.Themes, choice.Regions); {
	case s.State == subscribers.StateUnsubscribed:
		return fmt.Errorf("list %s: the reader unsubscribed on %s, and only the reader can subscribe again, at /subscribe", s.Slug, s.EndedAt.In(a.config.Schedule.Zone).Format(time.DateOnly))
	case s.State == subscribers.StatePending:
		return fmt.Errorf("list %s: the reader has not confirmed the subscription yet", s.Slug)
	case !later.IsZero() && later == r.PausedUntil:
		return fmt.Errorf("list %s: the reader paused all mail until %s, on the preference page", s.Slug, later)
	case !later.IsZero():
		return fmt.Errorf("list %s: with the frequency %s of the reader, no mail before %s; to change it: %s --frequency issue", s.Slug, choice.Frequency, later, edit)
	case narrowed != "":
		return fmt.Errorf("list %s: nothing new is about %s, to which the reader limited it; to change that: %s --themes '' --regions ''", s.Slug, narrowed, edit)
	}
	return fmt.Errorf("list %s: nothing is new for the reader", s.Slug)
}

// showInBrowser writes the email to a file and opens it.
func showInBrowser(g *globals, cmd *cobra.Command, html string) error {
	path := filepath.Join(os.TempDir(), "dibao-preview.html")
	if err := os.WriteFile(path, []byte(html), 0o600); err != nil {
		return err
	}
	open := "xdg-open"
	if runtime.GOOS == "darwin" {
		open = "open"
	}
	if err := exec.CommandContext(cmd.Context(), open, path).Run(); err != nil {
		g.say(cmd, "no browser could be opened; open this file yourself: %s", path)
	}
	return nil
}

// issueOf returns the issue that two arguments specify.
func (a *app) issueOf(ctx context.Context, list, number string) (digest.Issue, error) {
	l, err := a.subscribers.ListBySlug(ctx, list)
	if err != nil {
		return digest.Issue{}, err
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 {
		return digest.Issue{}, usagef("%q is not an issue number, such as 3", number)
	}
	i, err := a.digest.IssueOf(ctx, l.ID, n)
	if err != nil {
		return digest.Issue{}, fmt.Errorf("list %s has no issue %d; to see its issues: dibao issue list --list %s", list, n, list)
	}
	i.List = l
	return i, nil
}

func newIssueShow(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show LIST NUMBER",
		Short: "Show the articles of an issue, and why each is in it",
		Args:  cobra.ExactArgs(2),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			i, err := a.issueOf(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			items, err := a.digest.IssueItems(cmd.Context(), i.ID)
			if err != nil {
				return err
			}
			if i.Note != "" {
				g.say(cmd, "note: %s", i.Note)
			}
			return printItems(g, cmd, items)
		}),
	}
}

func newIssueNote(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "note LIST NUMBER TEXT",
		Short: "Set the editor's note of an issue; an empty text removes it",
		Long: "The note appears above the articles, in the mail and in the archive. It does not change emails that were already sent: to\n" +
			"add a note in time, let the list hold its issues (dibao list edit NAME --hold), or run: dibao issue compose --note TEXT",
		Args: cobra.ExactArgs(3),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			i, err := a.issueOf(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			if err := a.digest.SetNote(cmd.Context(), i.ID, args[2]); err != nil {
				return err
			}
			sent, err := a.digest.CountStarted(cmd.Context(), i.Mailing)
			if err != nil {
				return err
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"list": i.List.Slug, "number": i.Number, "note": templates.NoteText(args[2]), "held": i.Held, "sent_without": sent})
			}
			switch {
			case i.Held:
				g.say(cmd, "%s No. %d has the note; look at it with: dibao issue preview %s --number %d; send it with: dibao issue send %s", i.List.Slug, i.Number, i.List.Slug, i.Number, i.List.Slug)
			case i.Mailing == 0:
				g.say(cmd, "%s No. %d has the note in the archive; no mail contains it", i.List.Slug, i.Number)
			case sent > 0:
				g.say(cmd, "%s No. %d has the note in the archive, but %d emails went out without it; to reach those readers, write it for the next issue: dibao issue compose %s --hold --note TEXT", i.List.Slug, i.Number, sent, i.List.Slug)
			default:
				g.say(cmd, "%s No. %d has the note; none of its emails went out yet", i.List.Slug, i.Number)
			}
			return nil
		}),
	}
}

func newIssueDrop(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "drop LIST NUMBER",
		Short: "Drop a held issue: it is not mailed, stays in the archive, and its articles count as delivered",
		Long:  "Use it for an issue that was already sent before a database was restored, or that nobody should get by mail.",
		Args:  cobra.ExactArgs(2),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			i, err := a.issueOf(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			if !i.Held {
				return digest.NotHeld(i)
			}
			if err := g.confirm(cmd, "Drop %s No. %d? Its articles count as delivered.", i.List.Slug, i.Number); err != nil {
				return err
			}
			if err := a.digest.Drop(cmd.Context(), i); err != nil {
				return err
			}
			g.say(cmd, "%s No. %d is in the archive and is not mailed to anyone", i.List.Slug, i.Number)
			return nil
		}),
	}
}

func newIssueTest(g *globals) *cobra.Command {
	var list string
	var number int64
	cmd := &cobra.Command{
		Use:   "test ADDRESS",
		Short: "Send the next issue of a list, or an existing issue, to one address",
		Long: "Sends the email as a mailing would and prints the SMTP dialogue. The links to unsubscribe and to the preferences do not\n" +
			"work, because the email does not belong to a reader.",
		Args: cobra.ExactArgs(1),
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			if _, err := mailaddr.Parse(args[0]); err != nil {
				return err
			}
			if list == "" {
				only, err := a.onlyList(cmd.Context())
				if err != nil {
					return err
				}
				list = only
			}
			signer, err := mailer.Signer(a.config)
			if err != nil {
				return err
			}
			sample, err := a.testList(cmd.Context(), list, number, args[0], signer)
			if err != nil {
				return err
			}
			if _, err := a.deliverer(); err != nil { // reports missing configuration
				return err
			}
			if err := a.sayNothingNew(g, cmd, list, number); err != nil {
				return err
			}
			a.warnOfAddress(g, cmd)
			return a.sendTest(g, cmd, sample, args[0])
		}),
	}
	cmd.Flags().StringVar(&list, "list", "", "list to use (default: the only one)")
	flags.Bounded(cmd.Flags(), &number, "number", 0, 0, math.MaxInt64, "number of an existing issue (default: the next issue)")
	return cmd
}

// testList returns an issue of a list, or the next one if number is 0, as it would be
// sent to an address.
func (a *app) testList(ctx context.Context, list string, number int64, to string, signer *mail.Signer) (digest.Sample, error) {
	id := strings.ToLower(rand.Text())
	if number > 0 {
		i, err := a.issueOf(ctx, list, strconv.FormatInt(number, 10))
		if err != nil {
			return digest.Sample{}, err
		}
		return a.digest.TestIssue(ctx, i, to, id, signer)
	}
	l, err := a.subscribers.ListBySlug(ctx, list)
	if err != nil {
		return digest.Sample{}, err
	}
	return a.digest.TestNext(ctx, l, to, id, signer)
}

var errNoList = errors.New("no list exists yet; create one with: dibao list create weekly")

// onlyList returns the only list, if none is specified.
func (a *app) onlyList(ctx context.Context) (string, error) {
	lists, err := a.subscribers.Lists(ctx)
	switch {
	case err != nil:
		return "", err
	case len(lists) == 0:
		return "", errNoList
	case len(lists) > 1:
		return "", usagef("there are %d lists; specify one with --list", len(lists))
	}
	return lists[0].Slug, nil
}

// release releases the held issues of lists, oldest first.
func (a *app) release(g *globals, cmd *cobra.Command, lists []string, over time.Duration) error {
	if len(lists) == 0 {
		return nil
	}
	held, err := a.digest.HeldIssues(cmd.Context())
	if err != nil {
		return err
	}
	for _, name := range lists {
		l, err := a.subscribers.ListBySlug(cmd.Context(), name)
		if err != nil {
			return err
		}
		found := false
		for _, i := range held {
			if i.List.ID != l.ID {
				continue
			}
			found = true
			made, err := a.digest.ReleaseOver(cmd.Context(), i, over)
			if err != nil {
				return err
			}
			g.say(cmd, "%s No. %d goes out: %d deliveries", l.Slug, i.Number, made.Deliveries)
			if made.Deliveries == 0 {
				report, err := a.digest.ReportOf(cmd.Context(), made.Mailing)
				if err != nil {
					return err
				}
				sayNoEmails(g, cmd, report)
			}
		}
		if !found {
			return fmt.Errorf("list %s has no issue that is held; see: dibao issue list", l.Slug)
		}
	}
	return nil
}

// sayHeld prints the issues that wait for their release.
func (a *app) sayHeld(g *globals, cmd *cobra.Command) error {
	held, err := a.digest.HeldIssues(cmd.Context())
	for _, i := range held {
		g.say(cmd, "%s No. %d is held; release it with: dibao issue send %s", i.List.Slug, i.Number, i.List.Slug)
	}
	return err
}
