package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dibao/feed"
	"dibao/internal/redact"
)

// overdueAfter is how late the collection of a source may be before the doctor reports
// it.
const overdueAfter = 6 * time.Hour

// examineSources summarizes the states of the sources, then reports each one that needs an
// admin.
func (n *Node) examineSources(ctx context.Context, now time.Time) []Finding {
	sources, err := n.Articles.Sources(ctx)
	if err != nil {
		return []Finding{{"sources", "failed", redact.Line(err)}}
	}
	if len(sources) == 0 {
		return []Finding{{"sources", "warning", "none yet; add one with: dibao source add URL"}}
	}
	rates, err := n.Articles.ItemsPerWeek(ctx)
	if err != nil {
		return []Finding{{"sources", "failed", redact.Line(err)}}
	}
	states := make(map[feed.State]int)
	perWeek, overdue := 0.0, 0
	var troubled []Finding
	for _, s := range sources {
		states[s.State]++
		perWeek += rates[s.ID]
		isAsked := s.State != feed.StatePaused && s.State != feed.StateGone
		if isAsked && now.Sub(s.NextAt) > overdueAfter {
			overdue++
		}
		if s.State == feed.StatePaused || s.State.Severity() == 0 && len(s.Warnings) == 0 {
			continue
		}
		parts := []string{"state: " + string(s.State)}
		if s.LastError != "" {
			parts = append(parts, s.LastError)
		}
		if s.SucceededAt.IsZero() {
			parts = append(parts, "it never succeeded")
		} else {
			parts = append(parts, "it last succeeded on "+s.SucceededAt.In(n.Config.Schedule.Zone).Format("2006-01-02 15:04"))
		}
		if len(s.Warnings) > 0 {
			parts = append(parts, fmt.Sprintf("there are warnings about its list; see: dibao source show %d", s.ID))
		}
		if advice := s.Advice(); advice != "" {
			parts = append(parts, advice)
		}
		troubled = append(troubled, Finding{"source " + s.Name, "warning", strings.Join(parts, "; ")})
	}
	var names []string
	for _, state := range slices.Sorted(maps.Keys(states)) {
		names = append(names, fmt.Sprintf("%d %s", states[state], state))
	}
	sum := Finding{"sources", "ok", fmt.Sprintf("%d: %s; %.0f articles a week", len(sources), strings.Join(names, ", "), perWeek)}
	if len(troubled) > 0 {
		sum.Status = "warning"
	}
	if overdue > 0 {
		sum.Status = "warning"
		sum.Text += fmt.Sprintf("; %d should have been collected hours ago: is dibao serve running?", overdue)
	}
	return append([]Finding{sum}, troubled...)
}
