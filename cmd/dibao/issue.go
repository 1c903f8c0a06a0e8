package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"dibao/digest"
)

func newIssue(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "issue", Short: "Compose and send issues, and look at them"}
	cmd.AddCommand(newIssueList(g), newIssueCompose(g), newIssuePreview(g), newIssueSend(g), newIssueReport(g))
	cmd.AddCommand(newIssueShow(g), newIssueNote(g), newIssueTest(g))
	cmd.AddCommand(newIssueStates(g)...)
	return cmd
}

// issueView is an issue in JSON.
type issueView struct {
	List    string    `json:"list"`
	Number  int64     `json:"number"`
	DueAt   time.Time `json:"due_at"`
	Mailing *int64    `json:"mailing"`
	Count   int       `json:"articles"`
	Held    bool      `json:"held"` // waits for: dibao issue send LIST
}

func newIssueList(g *globals) *cobra.Command {
	var list string
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the issues that came out, the newest first",
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
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
			views := make([]issueView, len(issues))
			for i, x := range issues {
				views[i] = issueView{names[x.List.ID], x.Number, x.DueAt, null(x.Mailing), x.Count, x.Held}
			}
			return printRows(g, cmd, []any{"List", "No.", "Due", "Articles", "Mailing"}, views, func(v issueView) []any {
				mailing := ""
				if v.Mailing != nil {
					mailing = fmt.Sprint(*v.Mailing)
				}
				if v.Held {
					mailing = "held"
				}
				return []any{v.List, v.Number, shortTime(v.DueAt, a.config.Schedule.Zone), v.Count, mailing}
			})
		},
	}
	cmd.Flags().StringVar(&list, "list", "", "of this list")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many")
	return cmd
}

func newIssueCompose(g *globals) *cobra.Command {
	var hold bool
	var note string
	cmd := &cobra.Command{
		Use:   "compose [LIST…]",
		Short: "Compose an issue now, outside the schedule, of these lists or all",
		Long:  "Composes what is new since each list's last issue, and the mailing that brings it. Nothing new: no issue.",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			lists, err := a.lists(cmd, args)
			if err != nil {
				return err
			}
			for i := range lists {
				lists[i].Hold = lists[i].Hold || hold
			}
			made, err := a.digest.ComposeNow(cmd.Context(), lists)
			if err != nil {
				return err
			}
			if note != "" {
				for _, i := range append(made.Held, made.Issues...) {
					if err := a.digest.SetNote(cmd.Context(), i.ID, note); err != nil {
						return err
					}
				}
			}
			if g.json {
				issues := []issueView{}
				for _, i := range made.Issues {
					issues = append(issues, issueView{List: i.List.Slug, Number: i.Number, DueAt: i.DueAt, Mailing: &made.Mailing, Count: len(i.Articles)})
				}
				for _, i := range made.Held {
					issues = append(issues, issueView{List: i.List.Slug, Number: i.Number, DueAt: i.DueAt, Held: true, Count: len(i.Articles)})
				}
				return writeJSON(cmd.OutOrStdout(), map[string]any{"mailing": null(made.Mailing), "issues": issues, "deliveries": made.Deliveries})
			}
			for _, i := range made.Held {
				fmt.Fprintf(cmd.OutOrStdout(), "%s No. %d: %d articles, held\n", i.List.Slug, i.Number, len(i.Articles))
				g.say(cmd, "look at it with: dibao issue show %s %d; send it with: dibao issue send %s", i.List.Slug, i.Number, i.List.Slug)
			}
			if made.Mailing == 0 {
				if len(made.Held) == 0 {
					g.say(cmd, "nothing is new: no issue was made")
				}
				return nil
			}
			for _, i := range made.Issues {
				fmt.Fprintf(cmd.OutOrStdout(), "%s No. %d: %d articles\n", i.List.Slug, i.Number, len(i.Articles))
			}
			g.say(cmd, "mailing %d has %d deliveries; dibao serve sends them, or now: dibao issue send", made.Mailing, made.Deliveries)
			return nil
		},
	}
	cmd.Flags().BoolVar(&hold, "hold", false, "wait for: dibao issue send LIST")
	cmd.Flags().StringVar(&note, "note", "", "the editor's note, above the articles")
	return cmd
}

func newIssuePreview(g *globals) *cobra.Command {
	var format, reader string
	cmd := &cobra.Command{
		Use:   "preview [LIST]",
		Short: "Print the mail that the next issue of a list, or the next mail of a reader, would be",
		Example: "  dibao issue preview weekly --format html > weekly.html\n" +
			"  dibao issue preview --reader name@example.org",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 0) == (reader == "") {
				return usagef("name a list, or a reader with --reader ADDRESS")
			}
			if format != "html" && format != "text" && format != "browser" {
				return usagef("unknown format %q; use html, text or browser", format)
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			mail, err := a.previewMail(cmd.Context(), args, reader)
			if err != nil {
				return err
			}
			switch {
			case g.json:
				return writeJSON(cmd.OutOrStdout(), map[string]string{"subject": mail.Subject, "html": mail.HTML, "text": mail.Text})
			case format == "browser":
				return showInBrowser(g, cmd, mail.HTML)
			case format == "html":
				fmt.Fprint(cmd.OutOrStdout(), mail.HTML)
			default:
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n%s", mail.Subject, mail.Text)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "html, text or browser")
	cmd.Flags().StringVar(&reader, "reader", "", "address of a reader: with their lists, choices and what they had before")
	return cmd
}

func newIssueSend(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "send [LIST…]",
		Short: "Deliver what is due now, in this process, until nothing is",
		Long: "Delivers every waiting delivery of every composed mailing whose time has come. It may be stopped and run again, and\n" +
			"beside dibao serve: each delivery is claimed by one process. Held issues of the lists that are named are released first.",
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			if err := a.release(g, cmd, args); err != nil {
				return err
			}
			d, err := a.deliverer()
			if err != nil {
				return err
			}
			done, err := d.Deliver(cmd.Context())
			if g.json {
				if err := writeJSON(cmd.OutOrStdout(), viewDelivered(done)); err != nil {
					return err
				}
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "sent %d, deferred %d, uncertain %d, failed %d, suppressed %d\n",
					done.Sent, done.Deferred, done.Uncertain, done.Failed, done.Suppressed)
			}
			if cmd.Context().Err() != nil {
				return &partialError{errors.New("stopped; what is left is sent by the next: dibao issue send")}
			}
			if err == nil && done.Failed > 0 {
				return &partialError{fmt.Errorf("%d deliveries were refused for good; see: dibao issue report", done.Failed)}
			}
			return err
		},
	}
}

func viewDelivered(d digest.Delivered) map[string]int {
	return map[string]int{
		"sent": d.Sent, "failed": d.Failed, "deferred": d.Deferred, "uncertain": d.Uncertain, "suppressed": d.Suppressed, "recovered": d.Recovered,
	}
}
