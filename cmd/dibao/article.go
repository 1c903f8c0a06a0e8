package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dibao/feed"
	"dibao/policy"
)

func newArticle(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "article", Short: "Look at what was collected"}
	cmd.AddCommand(newArticleList(g), newArticleShow(g), newArticleDiff(g))
	return cmd
}

func newArticleList(g *globals) *cobra.Command {
	var limit int
	var source string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the newest articles",
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			sel := feed.Selection{Limit: limit}
			if source != "" {
				s, err := a.articles.SourceByRef(cmd.Context(), source)
				if err != nil {
					return err
				}
				sel.Source = s.ID
			}
			all, err := a.articles.Articles(cmd.Context(), sel)
			if err != nil {
				return err
			}
			views := make([]articleView, len(all))
			for i, x := range all {
				views[i] = viewArticle(x)
			}
			return printRows(g, cmd, []any{"ID", "Published", "Kind", "Number", "Title"}, views, func(v articleView) []any {
				return []any{v.ID, deref(v.Published), deref(v.Kind), deref(v.DocumentNumber), v.Title}
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "how many")
	cmd.Flags().StringVar(&source, "source", "", "of this source only")
	return cmd
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// articleView is an article in JSON; unknown is null.
type articleView struct {
	ID     int64  `json:"id"`
	Source string `json:"collected_from"`
	GUID   string `json:"guid"`
	factsView
	PageState  feed.PageState `json:"page_state"`
	Collected  string         `json:"collected_at"`
	Updated    string         `json:"updated_at"`
	Withdrawn  *string        `json:"withdrawn_at"`
	Held       bool           `json:"held"`
	Attachment []string       `json:"attachments"`
}

func viewArticle(a feed.Article) articleView {
	v := articleView{
		ID: a.ID, Source: a.SourceName, GUID: a.GUID, factsView: viewFacts(a.Facts), PageState: a.PageState,
		Collected: a.CollectedAt.Format("2006-01-02T15:04:05Z07:00"), Updated: a.UpdatedAt.Format("2006-01-02T15:04:05Z07:00"),
		Attachment: []string{}, Held: a.Held,
	}
	if !a.WithdrawnAt.IsZero() {
		v.Withdrawn = null(a.WithdrawnAt.Format("2006-01-02T15:04:05Z07:00"))
	}
	v.URL = &a.URL
	v.Title = a.Title()
	v.Warnings = append([]string{}, a.Warnings...)
	for _, x := range a.Attachments {
		v.Attachment = append(v.Attachment, x.URL)
	}
	return v
}

func newArticleShow(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show one article with its text and what dibao understood of it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usagef("%q is no article number; see them with: dibao article list", args[0])
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			x, err := a.articles.Article(cmd.Context(), id)
			if err != nil {
				return err
			}
			v := viewArticle(x)
			if g.json {
				return writeJSON(cmd.OutOrStdout(), v)
			}
			text := v.Paragraphs
			v.Paragraphs = nil
			b, err := json.MarshalIndent(v, "", "  ")
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n%s\n", b, strings.Join(text, "\n\n"))
			return nil
		},
	}
}

func newArticleDiff(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "diff ID",
		Short: "Show by paragraph how the text of an article changed since it was collected",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usagef("%q is no article number; see them with: dibao article list", args[0])
			}
			a, err := g.open(cmd)
			if err != nil {
				return err
			}
			defer a.close()
			x, err := a.articles.Article(cmd.Context(), id)
			if err != nil {
				return err
			}
			versions, err := a.articles.Revisions(cmd.Context(), id)
			if err != nil {
				return err
			}
			if len(versions) == 0 {
				g.say(cmd, "article %d has not changed since it was collected", id)
				return nil
			}
			versions = append(versions, feed.Revision{Title: x.Title(), Paragraphs: x.Facts.Paragraphs})
			for i, v := range versions[:len(versions)-1] {
				next := versions[i+1]
				fmt.Fprintf(cmd.OutOrStdout(), "@@ %s\n", v.ReplacedAt.In(a.config.Schedule.Zone).Format("2006-01-02 15:04"))
				changes := policy.Diff(append([]string{v.Title}, v.Paragraphs...), append([]string{next.Title}, next.Paragraphs...))
				fmt.Fprint(cmd.OutOrStdout(), policy.FormatDiff(changes))
			}
			return nil
		},
	}
}
