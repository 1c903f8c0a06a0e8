package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/inspect"
	"dibao/cmd/dibao/trial"
	"dibao/feed"
	"dibao/feed/collect"
	"dibao/feed/ingest"
	"dibao/internal/redact"
)

func newSource(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "source", SuggestFor: []string{"feed", "add"}, Short: "Manage sources of articles"}
	cmd.AddCommand(newSourceAdd(g), newSourceList(g), newSourceShow(g), newSourceTest(g), newSourceRemove(g),
		newSourceEdit(g), newSourceImport(g), newSourceExport(g), newSourceCatalog(g))
	cmd.AddCommand(newSourceActions(g)...)
	return cmd
}

// sourceView is a source in JSON.
type sourceView struct {
	ID              int64           `json:"id"`
	Name            string          `json:"name"`
	URL             string          `json:"url"`
	Kind            string          `json:"kind"`  // feed, json, mail, page or sitemap
	State           feed.State      `json:"state"` // ok, quiet, flood, failing, changed, blocked, gone, paused or new
	Zone            string          `json:"zone"`  // of dates without one
	Issuer          *string         `json:"issuer"`
	Region          *string         `json:"region"`
	Licence         feed.Licence    `json:"licence"`
	IntervalSeconds int64           `json:"interval_seconds"` // as set; see pace_seconds
	Settings        ingest.Settings `json:"settings"`         // selectors and other settings
	Failures        int             `json:"failures"`         // collections in a row that failed
	LastError       *string         `json:"last_error"`
	Advice          *string         `json:"advice"` // what to do
	Theme           *string         `json:"theme"`
	UsualItems      int             `json:"usual_items"`  // usual number of rows of its list
	NewsAt          *time.Time      `json:"news_at"`      // when something new came last
	CheckedAt       *time.Time      `json:"checked_at"`   // of the last collection
	SucceededAt     *time.Time      `json:"succeeded_at"` // of the last collection without a failure
	NextAt          time.Time       `json:"next_at"`
	PaceSeconds     int64           `json:"pace_seconds"`       // between collections now
	NewsEvery       *int64          `json:"news_every_seconds"` // mean time between collections with news
	Hints           ingest.Hints    `json:"hints"`              // what the feed says about itself: when to collect it again, its hub
	Proxy           *string         `json:"proxy"`
	UserAgent       *string         `json:"user_agent"`
	Private         *string         `json:"private"`        // host and port that may be in our own network
	ItemsPerWeek    float64         `json:"items_per_week"` // of the last four weeks
}

func viewSource(s feed.Source) sourceView {
	return sourceView{
		ID: s.ID, Name: s.Name, URL: redact.URL(s.URL), Kind: s.Kind, State: s.State, Zone: s.Zone, Issuer: null(s.Issuer), Region: null(s.Region),
		Licence: s.Licence, IntervalSeconds: int64(s.Interval / time.Second), Settings: s.Settings, Failures: s.Failures,
		LastError: null(redact.Text(s.LastError)), Advice: null(s.Advice()), Theme: null(s.Theme), UsualItems: s.UsualItems, NewsAt: null(s.NewsAt), CheckedAt: null(s.CheckedAt), SucceededAt: null(s.SucceededAt), NextAt: s.NextAt,
		PaceSeconds: int64(collect.Interval(s) / time.Second), NewsEvery: null(int64(s.ChangeEvery / time.Second)), Hints: s.Hints,
		Proxy: null(redact.URL(s.Proxy)), UserAgent: null(s.UserAgent), Private: null(s.Private),
	}
}

func showItems(g *globals, cmd *cobra.Command, items []ingest.Item) {
	g.say(cmd, "%d items:", len(items))
	for _, it := range items[:min(trial.ShownRows, len(items))] {
		g.say(cmd, "  %-10s  %s\n              %s", inspect.DateOfItem(it), it.Title, it.URL)
	}
}

// showLeftOut prints in one line what was left out of a list, and why only one page can be
// read if more were requested.
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
			views := make([]sourceView, len(all))
			for i, s := range all {
				views[i] = viewSource(s)
				views[i].ItemsPerWeek = rates[s.ID]
			}
			return printRows(g, cmd, []any{"ID", "State", "Kind", "Name", "Last success", "Per week", "Problem", "What to do"}, views, func(s sourceView) []any {
				last, problem := "never", ""
				if s.SucceededAt != nil {
					last = s.SucceededAt.In(a.config.Schedule.Zone).Format("2006-01-02 15:04")
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
			view := viewSource(s)
			view.ItemsPerWeek = rates[s.ID]
			if g.json {
				return writeJSON(cmd.OutOrStdout(), view)
			}
			return cli.WriteFields(cmd.OutOrStdout(), view, g.chinese)
		}),
	}
}

func newSourceRemove(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "remove SOURCE",
		Short: "Remove a source; its articles stay",
		Args:  cobra.ExactArgs(1),
		RunE: withSource(g, func(cmd *cobra.Command, a *app, s feed.Source) error {
			if err := g.confirm(cmd, "Remove source %d (%s)? It is not collected any more; its articles stay.", s.ID, s.Name); err != nil {
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
