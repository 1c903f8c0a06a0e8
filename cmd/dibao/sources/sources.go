package sources

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/inspect"
	"dibao/cmd/dibao/trial"
	"dibao/cmd/dibao/view"
	"dibao/feed"
	"dibao/feed/collect"
	"dibao/feed/ingest"
	"dibao/feed/ingest/list"
	"dibao/feed/visit"
)

// New returns the group of commands.
func New(p Program) *cobra.Command {
	cmd := &cobra.Command{Use: "source", SuggestFor: []string{"feed", "add"}, Short: "Manage sources of articles"}
	cmd.AddCommand(newSourceAdd(p), newSourceList(p), newSourceShow(p), newSourceTest(p), newSourceRemove(p),
		newSourceEdit(p), newSourceImport(p), newSourceExport(p), newSourceCatalog(p))
	cmd.AddCommand(newSourceActions(p)...)
	return cmd
}

func showItems(p Program, cmd *cobra.Command, items []ingest.Item) {
	p.Say(cmd, "%d items:", len(items))
	for _, it := range items[:min(trial.ShownRows, len(items))] {
		p.Say(cmd, "  %-10s  %s\n              %s", inspect.DateOfItem(it), it.Title, it.URL)
	}
	if more := len(items) - trial.ShownRows; more > 0 {
		p.Say(cmd, "and %d more", more)
	}
}

// showMaildir prints how many messages the next collection reads.
func showMaildir(p Program, cmd *cobra.Command, dir string) {
	messages, err := collect.Messages(dir)
	if err != nil {
		p.Say(cmd, "warning: %s", err)
		return
	}
	p.Say(cmd, "%d messages are in the folder; the next collection reads them", len(messages))
}

// showLeftOut prints what was left out of a list, which other lists the page has, what is
// unusual about the list, and, if more pages were requested than can be read, why.
func showLeftOut(p Program, cmd *cobra.Command, l ingest.List, offers []ingest.Offer, pages int) {
	var parts []string
	for _, d := range l.Dropped {
		if d.Code != list.Another {
			parts = append(parts, fmt.Sprintf("%d × %s (%s)", d.Count, d.Say(p.Output().Chinese), d.Example))
		}
	}
	if len(parts) > 0 {
		p.Say(cmd, "left out: %s", strings.Join(parts, p.Either("; ", "；")))
	}
	for _, o := range offers[:min(len(offers), shownOffers)] {
		text := inspect.SayOffer(o)
		p.Say(cmd, "another list of the page: %s", p.Either(text, cli.Chinese(text)))
	}
	if more := len(offers) - shownOffers; more > 0 {
		p.Say(cmd, "and %d more lists; dibao source test shows them all", more)
	}
	for _, w := range inspect.Sentences(l.Warnings(), p.Either("en", "zh")) {
		p.Say(cmd, "warning: %s", w)
	}
	if pages > 1 && l.Next == "" {
		p.Say(cmd, "%d pages were requested, but only this one can be read: %s", pages, l.Pager.Say(p.Output().Chinese))
	}
}

// shownOffers is how many other lists of a page are named when a source is added.
const shownOffers = 5

// offersOf returns the other lists of the page of a source.
func offersOf(s feed.Source, v visit.Visit) []ingest.Offer {
	if s.Kind != "page" {
		return []ingest.Offer{}
	}
	return ingest.Offers(v.Page, s.Ingest())
}

// viewsOf returns the views of sources with the figures of their articles. Warnings are in
// the user's language, in English for JSON.
func viewsOf(ctx context.Context, p Program, n *Node, all ...feed.Source) ([]view.Source, error) {
	rates, err := n.Articles.ItemsPerWeek(ctx)
	if err != nil {
		return nil, err
	}
	unread, err := n.Articles.UnreadPages(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]view.Source, len(all))
	for i, s := range all {
		views[i] = view.OfSource(s)
		views[i].ItemsPerWeek, views[i].UnreadPages = rates[s.ID], unread[s.ID]
		if !p.Output().JSON {
			views[i].Warnings = inspect.Sentences(s.Warnings, p.Either("en", "zh"))
		}
	}
	return views, nil
}

func newSourceList(p Program) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List sources and their status",
		RunE: verb(p, func(cmd *cobra.Command, _ []string, n *Node) error {
			all, err := n.Articles.Sources(cmd.Context())
			if err != nil {
				return err
			}
			views, err := viewsOf(cmd.Context(), p, n, all...)
			if err != nil {
				return err
			}
			return cli.PrintRows(p.Output(), cmd, []any{"ID", "State", "Kind", "Name", "Last success", "Per week", "Problem", "What to do"}, views, func(s view.Source) []any {
				last, problem := "never", ""
				if s.SucceededAt != nil {
					last = s.SucceededAt.In(n.Config.Schedule.Zone).Format("2006-01-02 15:04")
				}
				switch {
				case s.LastError != nil:
					problem = *s.LastError
				case len(s.Warnings) > 0:
					problem = strings.Join(s.Warnings, p.Either("; ", "；"))
				case s.UnreadPages > 0:
					problem = p.Message("%d pages of its articles could not be read completely", s.UnreadPages)
				}
				return []any{s.ID, s.State, s.Kind, s.Name, last, strconv.FormatFloat(s.ItemsPerWeek, 'f', -1, 64), problem, cli.Value(s.Advice)}
			})
		}),
	}
}

func newSourceShow(p Program) *cobra.Command {
	return &cobra.Command{
		Use:   "show SOURCE",
		Short: "Show a source by number, address or name",
		Args:  cobra.ExactArgs(1),
		RunE: withSource(p, func(cmd *cobra.Command, n *Node, s feed.Source) error {
			views, err := viewsOf(cmd.Context(), p, n, s)
			if err != nil {
				return err
			}
			view := views[0]
			if p.Output().JSON {
				return cli.WriteJSON(cmd.OutOrStdout(), view)
			}
			if err := cli.WriteFields(cmd.OutOrStdout(), view, p.Output().Chinese, n.Config.Schedule.Zone); err != nil {
				return err
			}
			if view.UnreadPages > 0 {
				p.Print(cmd, "%d pages of its articles could not be read completely", view.UnreadPages)
			}
			return nil
		}),
	}
}

func newSourceRemove(p Program) *cobra.Command {
	return &cobra.Command{
		Use:   "remove SOURCE",
		Short: "Remove a source; its articles stay",
		Args:  cobra.ExactArgs(1),
		RunE: withSource(p, func(cmd *cobra.Command, n *Node, s feed.Source) error {
			if err := p.Confirm(cmd, "Remove source %d (%s)? It is no longer collected; its articles stay.", s.ID, s.Name); err != nil {
				return err
			}
			if err := n.Articles.RemoveSource(cmd.Context(), s.ID); err != nil {
				return err
			}
			p.Say(cmd, "source %d (%s) removed; its articles stay", s.ID, s.Name)
			return nil
		}),
	}
}
