package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/flags"
	"dibao/cmd/dibao/view"
	"dibao/feed"
	"dibao/policy"
	"dibao/policy/division"
)

func newDocument(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "document", Short: "Show official documents: history, related documents and implementation"}
	cmd.AddCommand(newDocumentList(g), newDocumentShow(g), newDocumentChain(g))
	return cmd
}

// today returns the date in the configured zone.
func (a *app) today() policy.Date { return policy.DateOf(time.Now().In(a.config.Schedule.Zone)) }

func newDocumentList(g *globals) *cobra.Command {
	var sel feed.DocumentSelection
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List official documents, most recently stored first",
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			sel.Theme = g.theme(cmd, sel.Theme)
			all, err := a.articles.Documents(cmd.Context(), sel)
			if err != nil {
				return err
			}
			views := make([]view.Document, len(all))
			for i, d := range all {
				views[i] = view.OfDocument(d, a.today())
			}
			return printRows(g, cmd, []any{"ID", "Issued", "Status", "Number", "Title"}, views, func(v view.Document) []any {
				return []any{v.ID, cli.Value(v.Issued), cli.Value(v.Status), cli.Value(v.Number), v.Title}
			})
		}),
	}
	f := cmd.Flags()
	flags.Bounded(f, &sel.Limit, "limit", 50, 1, feed.MaxSelection, "maximum number of results")
	flags.Bounded(f, &sel.Before, "before", 0, 0, math.MaxInt64, "only results with a lower id")
	flags.Region(f, &sel.Region, "only this region and those in it")
	flags.Choice(f, &sel.Level, "level", "", division.Levels, "only issuers of this level")
	f.StringVar(&sel.Theme, "theme", "", "only this theme")
	f.StringVar(&sel.Type, "type", "", "only this type of document (文种)")
	f.StringVar(&sel.Issuer, "issuer", "", "only this issuer")
	return cmd
}

// findDocument finds the one document that has a number, title or id.
func (a *app) findDocument(ctx context.Context, ref string) (feed.Document, error) {
	if id, err := strconv.ParseInt(ref, 10, 64); err == nil {
		return a.articles.Document(ctx, id)
	}
	all, err := a.articles.FindDocuments(ctx, ref)
	if err != nil {
		return feed.Document{}, err
	}
	switch len(all) {
	case 0:
		return feed.Document{}, fmt.Errorf("no document is called %q; look for it with: dibao article search %q", ref, ref)
	case 1:
		return all[0], nil
	}
	var lines []string
	for _, d := range all {
		lines = append(lines, fmt.Sprintf("%d %s", d.ID, d.Title))
	}
	return feed.Document{}, fmt.Errorf("%d documents are called %q; specify the id of one: %s", len(all), ref, strings.Join(lines, ", "))
}

// withDocument wraps a command that works on the document in its argument.
func withDocument(g *globals, f func(cmd *cobra.Command, a *app, d feed.Document) error) func(*cobra.Command, []string) error {
	return g.verb(func(cmd *cobra.Command, args []string, a *app) error {
		d, err := a.findDocument(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return f(cmd, a, d)
	})
}

func newDocumentShow(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:     "show NUMBER",
		Short:   "Show a document by number, title or id: history, versions and relations",
		Example: "  dibao document show '国办发[2023]15号'",
		Args:    cobra.ExactArgs(1),
		RunE: withDocument(g, func(cmd *cobra.Command, a *app, d feed.Document) error {
			page, err := view.OfDocumentPage(cmd.Context(), a.articles, d, a.today())
			if err != nil {
				return err
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), page)
			}
			return cli.WriteFields(cmd.OutOrStdout(), page, g.chinese, a.config.Schedule.Zone)
		}),
	}
}

func newDocumentChain(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "chain NUMBER",
		Short: "Show which documents implement a document, by whom, when and after how many days (落实)",
		Args:  cobra.ExactArgs(1),
		RunE: withDocument(g, func(cmd *cobra.Command, a *app, d feed.Document) error {
			chain, err := a.articles.Chain(cmd.Context(), d.ID)
			if err != nil {
				return err
			}
			views := make([]view.Step, len(chain.Steps))
			for i, s := range chain.Steps {
				views[i] = view.OfStep(s, a.today())
			}
			return printRows(g, cmd, []any{"Days", "Issued", "Region", "Said in", "Number", "Title"}, views, func(v view.Step) []any {
				days := "?"
				if v.Days != nil {
					days = strconv.Itoa(*v.Days)
				}
				return []any{days, cli.Value(v.Issued), cli.Value(v.RegionName), v.SaidIn, cli.Value(v.Number), v.Title}
			})
		}),
	}
}
