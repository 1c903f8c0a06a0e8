package main

import (
	"fmt"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"dibao/cmd/dibao/inspect"
	"dibao/feed"
)

func newCollect(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "collect [SOURCE…]",
		Short: "Collect sources now (default: all)",
		RunE: g.verb(func(cmd *cobra.Command, args []string, a *app) error {
			var sources []feed.Source
			var err error
			if len(args) == 0 {
				if sources, err = a.articles.Sources(cmd.Context()); err != nil {
					return err
				}
			}
			if len(args)+len(sources) == 0 {
				g.say(cmd, "there are no sources yet; add one with: dibao source add URL")
				return nil
			}
			for _, ref := range args {
				s, err := a.articles.SourceByRef(cmd.Context(), ref)
				if err != nil {
					return err
				}
				sources = append(sources, s)
			}
			return a.collect(g, cmd, sources)
		}),
		Args: cobra.ArbitraryArgs,
	}
}

// collected is the outcome of one source in JSON.
type collected struct {
	Source      int64    `json:"source"`
	Name        string   `json:"name"`
	State       string   `json:"state"`
	NotModified bool     `json:"not_modified"`
	Items       int      `json:"items"`
	New         int      `json:"new"`
	Changed     int      `json:"changed"`
	Withdrawn   int      `json:"withdrawn"`
	Warnings    []string `json:"warnings"`
	Error       *string  `json:"error"`
}

// collect collects sources concurrently, prints the result of each when it is done, and
// matches the lists. If some sources fail, the exit status is that of partially done work; if
// all fail, it is 1.
func (a *app) collect(g *globals, cmd *cobra.Command, sources []feed.Source) error {
	var mu sync.Mutex
	failed, unread := 0, 0
	var group errgroup.Group
	group.SetLimit(max(a.config.Fetch.Concurrency, 1))
	for _, s := range sources {
		group.Go(func() error {
			done, err := a.collector.Collect(cmd.Context(), s.ID)
			if cmd.Context().Err() != nil {
				return cmd.Context().Err()
			}
			mu.Lock()
			defer mu.Unlock()
			row := collected{
				Source: s.ID, Name: s.Name, State: string(done.Source.State), NotModified: done.NotModified,
				Items: done.Items, New: done.New, Changed: done.Changed, Withdrawn: done.Withdrawn, Warnings: inspect.Sentences(done.Warnings, "en"),
			}
			if err != nil {
				failed++
				text := oneLine(err)
				row.Error = &text
			}
			if g.json {
				return writeJSON(cmd.OutOrStdout(), row)
			}
			switch {
			case err != nil:
				g.print(cmd, "%s failed: %s", s.Name, *row.Error)
			case row.NotModified:
				g.print(cmd, "%s: not modified", s.Name)
			default:
				g.print(cmd, "%s: %d items, %d new, %d changed", s.Name, row.Items, row.New, row.Changed)
			}
			for _, w := range done.Warnings {
				if w.Code == "article-unread" {
					unread++
				}
			}
			for _, w := range inspect.Sentences(done.Warnings, g.language()) {
				g.say(cmd, "  %s", w)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := a.digest.Match(cmd.Context()); err != nil {
		return err
	}
	if unread > 0 {
		g.say(cmd, "%d pages of articles could not be read; their articles contain only what the list says, and their warnings say why: dibao article show ID", unread)
	}
	switch {
	case failed == 0:
		return nil
	case failed == len(sources) && failed == 1:
		return fmt.Errorf("the source could not be collected; see: dibao source show %d", sources[0].ID)
	case failed == len(sources):
		return fmt.Errorf("no source could be collected; see: dibao source list")
	}
	return &partialError{Err: fmt.Errorf("%d of %d sources could not be collected; see: dibao source list", failed, len(sources))}
}
