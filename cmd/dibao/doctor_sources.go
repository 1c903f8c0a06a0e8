package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dibao/feed"
)

// overdueAfter is how long after its time a source may wait for its collection
// until somebody should ask why.
const overdueAfter = 6 * time.Hour

// examineSources sums up how the sources do, then names each that needs somebody.
func (a *app) examineSources(ctx context.Context, now time.Time) []finding {
	sources, err := a.articles.Sources(ctx)
	if err != nil {
		return []finding{{"sources", "failed", oneLine(err)}}
	}
	if len(sources) == 0 {
		return []finding{{"sources", "warning", "none yet; add one with: dibao source add URL"}}
	}
	rates, err := a.articles.ItemsPerWeek(ctx)
	if err != nil {
		return []finding{{"sources", "failed", oneLine(err)}}
	}
	states := make(map[feed.State]int)
	perWeek, overdue := 0.0, 0
	var troubled []finding
	for _, s := range sources {
		states[s.State]++
		perWeek += rates[s.ID]
		isAsked := s.State != feed.StatePaused && s.State != feed.StateGone
		if isAsked && now.Sub(s.NextAt) > overdueAfter {
			overdue++
		}
		switch s.State {
		case feed.StateOK, feed.StateNew, feed.StatePaused:
			continue
		}
		parts := []string{string(s.State)}
		if s.LastError != "" {
			parts[0] += ": " + s.LastError
		}
		if s.SucceededAt.IsZero() {
			parts = append(parts, "it never succeeded")
		} else {
			parts = append(parts, "it last succeeded on "+s.SucceededAt.In(a.config.Schedule.Zone).Format("2006-01-02 15:04"))
		}
		if advice := s.Advice(); advice != "" {
			parts = append(parts, advice)
		}
		troubled = append(troubled, finding{"source " + s.Name, "warning", strings.Join(parts, "; ")})
	}
	var names []string
	for _, state := range slices.Sorted(maps.Keys(states)) {
		names = append(names, fmt.Sprintf("%d %s", states[state], state))
	}
	sum := finding{"sources", "ok", fmt.Sprintf("%d: %s; %.0f articles a week", len(sources), strings.Join(names, ", "), perWeek)}
	if len(troubled) > 0 {
		sum.Status = "warning"
	}
	if overdue > 0 {
		sum.Status = "warning"
		sum.Text += fmt.Sprintf("; %d should have been collected hours ago: is dibao serve running?", overdue)
	}
	return append([]finding{sum}, troubled...)
}
