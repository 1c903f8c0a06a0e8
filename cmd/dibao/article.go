package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/inspect"
	"dibao/cmd/dibao/view"
	"dibao/feed"
	"dibao/feed/amend"
	"dibao/policy"
	"dibao/policy/diff"
)

func newArticle(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "article", SuggestFor: []string{"search", "find"}, Short: "Show, search and correct articles"}
	cmd.AddCommand(newArticleList(g), newArticleShow(g), newArticleDiff(g), newArticleSearch(g), newArticleEdit(g), newArticleReread(g), newArticleHistory(g))
	return cmd
}

func newArticleList(g *globals) *cobra.Command {
	var sel feed.Selection
	var source, since string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List articles, most recently collected first",
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			if err := selectSince(&sel, since, a.config.Schedule.Zone); err != nil {
				return err
			}
			if source != "" {
				s, err := a.articles.SourceByRef(cmd.Context(), source)
				if err != nil {
					return err
				}
				sel.Source = s.ID
			}
			sel.Theme = g.theme(cmd, sel.Theme)
			all, err := a.articles.Articles(cmd.Context(), sel)
			if err != nil {
				return err
			}
			views := make([]view.Article, len(all))
			for i, x := range all {
				views[i] = view.OfArticle(x)
			}
			return printRows(g, cmd, []any{"ID", "Published", "Kind", "Number", "Title"}, views, func(v view.Article) []any {
				if v.Hidden {
					v.Title = g.either("[hidden] ", "〔已隐藏〕") + v.Title
				}
				return []any{v.ID, cli.ShortText(cli.Value(v.Published), a.config.Schedule.Zone), cli.Value(v.Kind), cli.Value(v.DocumentNumber), v.Title}
			})
		}),
	}
	f := cmd.Flags()
	flags.Bounded(f, &sel.Limit, "limit", 50, 1, feed.MaxSelection, "maximum number of results")
	f.StringVar(&source, "source", "", "only from this source")
	flags.Choice(f, &sel.Kind, "kind", "", policy.Kinds, "only of this kind")
	flags.Region(f, &sel.Region, "only this region and those in it")
	f.StringVar(&sel.Theme, "theme", "", "only this theme")
	f.StringVar(&sel.Issuer, "issuer", "", "only this issuer")
	f.StringVar(&since, "since", "", "collected since YYYY-MM-DD")
	flags.Bounded(f, &sel.Before, "before", 0, 0, math.MaxInt64, "only results with a lower id")
	f.BoolVar(&sel.Hidden, "hidden", false, "include hidden articles")
	f.BoolVar(&sel.Pinned, "pinned", false, "only pinned articles")
	f.BoolVar(&sel.Corrected, "corrected", false, "only articles that were corrected by hand")
	return cmd
}

// selectSince parses the time from which articles are listed.
func selectSince(sel *feed.Selection, since string, zone *time.Location) error {
	if since != "" {
		d, err := policy.ParseDate(since)
		if err != nil {
			return &cli.UsageError{Err: err}
		}
		sel.Since = d.In(zone)
	}
	return nil
}

func newArticleShow(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show an article: its text and its facts",
		Args:  cobra.ExactArgs(1),
		RunE:  withArticle(g, func(cmd *cobra.Command, a *app, x feed.Article) error { return showArticle(g, cmd, a, x) }),
	}
}

// showArticle prints an article with its text.
func showArticle(g *globals, cmd *cobra.Command, a *app, x feed.Article) error {
	v := view.OfArticle(x)
	machine, err := a.articles.MachineSummaries(cmd.Context(), x)
	if err != nil {
		return err
	}
	for _, m := range machine {
		v.MachineSummaries = append(v.MachineSummaries, view.MachineSummary{
			Language: m.Language, Text: m.Text, Model: m.Model, MadeAt: m.MadeAt.UTC().Format(time.RFC3339), MachineMade: true,
		})
	}
	changes, err := amend.Changes(cmd.Context(), a.articles.DB(), x.ID)
	if err != nil {
		return err
	}
	v.Changes = amend.Views(changes)
	if g.json {
		return writeJSON(cmd.OutOrStdout(), v)
	}
	text := v.Paragraphs
	v.Paragraphs, v.Codes = nil, nil
	v.Warnings = inspect.Sentences(x.Warnings, g.language())
	if err := cli.WriteFields(cmd.OutOrStdout(), v, g.chinese, a.config.Schedule.Zone); err != nil {
		return err
	}
	if err := sayStatus(g, cmd, a, x); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "\n%s\n", strings.Join(text, "\n\n"))
	return nil
}

// sayStatus prints that the document in an article is no longer in force.
func sayStatus(g *globals, cmd *cobra.Command, a *app, x feed.Article) error {
	documents, err := a.articles.DocumentsOfArticles(cmd.Context(), []int64{x.ID})
	if err != nil {
		return err
	}
	if d, ok := documents[x.ID]; ok {
		if status := cli.Value(view.OfDocument(d, a.today()).Status); slices.Contains([]string{"repealed", "expired"}, status) {
			g.print(cmd, "the document that it contains is no longer in force (%s); see: dibao document show %d", status, d.ID)
		}
	}
	return nil
}

func newArticleDiff(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "diff ID",
		Short: "Show, paragraph by paragraph, how an article's text changed since it was collected",
		Args:  cobra.ExactArgs(1),
		RunE: withArticle(g, func(cmd *cobra.Command, a *app, x feed.Article) error {
			versions, err := a.articles.Revisions(cmd.Context(), x.ID)
			if err != nil {
				return err
			}
			if len(versions) == 0 {
				g.say(cmd, "article %d has not changed since it was collected", x.ID)
				return nil
			}
			versions = append(versions, feed.Revision{Title: x.Title(), Paragraphs: x.Facts.Paragraphs})
			for i, v := range versions[:len(versions)-1] {
				next := versions[i+1]
				fmt.Fprintf(cmd.OutOrStdout(), "@@ %s\n", v.ReplacedAt.In(a.config.Schedule.Zone).Format("2006-01-02 15:04"))
				changes := diff.Between(append([]string{v.Title}, v.Paragraphs...), append([]string{next.Title}, next.Paragraphs...))
				fmt.Fprint(cmd.OutOrStdout(), diff.Format(changes))
			}
			return nil
		}),
	}
}
