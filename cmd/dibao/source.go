package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/inspect"
	"dibao/cmd/dibao/trial"
	"dibao/cmd/dibao/view"
	"dibao/feed"
	"dibao/feed/ingest"
)

func newSource(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "source", SuggestFor: []string{"feed", "add"}, Short: "Manage sources of articles"}
	cmd.AddCommand(newSourceAdd(g), newSourceList(g), newSourceShow(g), newSourceTest(g), newSourceRemove(g),
		newSourceEdit(g), newSourceImport(g), newSourceExport(g), newSourceCatalog(g))
	cmd.AddCommand(newSourceActions(g)...)
	return cmd
}

func showItems(g *globals, cmd *cobra.Command, items []ingest.Item) {
	g.say(cmd, "%d items:", len(items))
	for _, it := range items[:min(trial.ShownRows, len(items))] {
		g.say(cmd, "  %-10s  %s\n              %s", inspect.DateOfItem(it), it.Title, it.URL)
	}
	if more := len(items) - trial.ShownRows; more > 0 {
		g.say(cmd, "and %d more", more)
	}
}

// showLeftOut prints in one line what was left out of a list, and why only one
// page can be read if more were requested.
func showLeftOut(g *globals, cmd *cobra.Command, l ingest.List, pages int) {
	if len(l.Dropped) > 0 {
		parts := make([]string, len(l.Dropped))
		for i, d := range l.Dropped {
			parts[i] = fmt.Sprintf("%d × %s (%s)", d.Count, d.Say(g.chinese), d.Example)
		}
		g.say(cmd, "left out: %s", strings.Join(parts, g.either("; ", "；")))
	}
	if pages > 1 && l.Next == "" {
		g.say(cmd, "%d pages were requested, but only this one can be read: %s", pages, l.Pager.Say(g.chinese))
	}
}

func newSourceList(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List sources and their status",
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			all, err := a.articles.Sources(cmd.Context())
			if err != nil {
				return err
			}
			rates, err := a.articles.ItemsPerWeek(cmd.Context())
			if err != nil {
				return err
			}
			unread, err := a.articles.UnreadPages(cmd.Context())
			if err != nil {
				return err
			}
			views := make([]view.Source, len(all))
			for i, s := range all {
				views[i] = view.OfSource(s)
				views[i].ItemsPerWeek, views[i].UnreadPages = rates[s.ID], unread[s.ID]
			}
			return printRows(g, cmd, []any{"ID", "State", "Kind", "Name", "Last success", "Per week", "Problem", "What to do"}, views, func(s view.Source) []any {
				last, problem := "never", ""
				if s.SucceededAt != nil {
					last = s.SucceededAt.In(a.config.Schedule.Zone).Format("2006-01-02 15:04")
				}
				if s.UnreadPages > 0 {
					problem = g.message("%d pages of its articles could not be read as a whole", s.UnreadPages)
				}
				if s.LastError != nil {
					problem = *s.LastError
				}
				advice := ""
				if s.Advice != nil {
					advice = *s.Advice
				}
				return []any{s.ID, s.State, s.Kind, s.Name, last, strconv.FormatFloat(s.ItemsPerWeek, 'f', -1, 64), problem, advice}
			})
		}),
	}
}

func newSourceShow(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show SOURCE",
		Short: "Show a source by number, address or name",
		Args:  cobra.ExactArgs(1),
		RunE: withSource(g, func(cmd *cobra.Command, a *app, s feed.Source) error {
			rates, err := a.articles.ItemsPerWeek(cmd.Context())
			if err != nil {
				return err
			}
			unread, err := a.articles.UnreadPages(cmd.Context())
			if err != nil {
				return err
			}
			view := view.OfSource(s)
			view.ItemsPerWeek, view.UnreadPages = rates[s.ID], unread[s.ID]
			if g.json {
				return writeJSON(cmd.OutOrStdout(), view)
			}
			if err := cli.WriteFields(cmd.OutOrStdout(), view, g.chinese, a.config.Schedule.Zone); err != nil {
				return err
			}
			if view.UnreadPages > 0 {
				g.print(cmd, "%d pages of its articles could not be read as a whole", view.UnreadPages)
			}
			return nil
		}),
	}
}

func newSourceRemove(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "remove SOURCE",
		Short: "Remove a source; its articles stay",
		Args:  cobra.ExactArgs(1),
		RunE: withSource(g, func(cmd *cobra.Command, a *app, s feed.Source) error {
			if err := g.confirm(cmd, "Remove source %d (%s)? It is no longer collected; its articles stay.", s.ID, s.Name); err != nil {
				return err
			}
			if err := a.articles.RemoveSource(cmd.Context(), s.ID); err != nil {
				return err
			}
			g.say(cmd, "source %d (%s) removed; its articles stay", s.ID, s.Name)
			return nil
		}),
	}
}
