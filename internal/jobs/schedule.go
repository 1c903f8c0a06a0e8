package jobs

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

// ParseSchedule reads a cron expression of five fields («0 8 * * 1») or a
// descriptor («@daily») whose times are times of day in zone.
func ParseSchedule(expr string, zone *time.Location) (cron.Schedule, error) {
	schedule, err := cron.ParseStandard(expr)
	if err != nil {
		return nil, fmt.Errorf("cron expression %q: %v; write minute hour day month weekday, such as 0 8 * * 1", expr, err)
	}
	if spec, ok := schedule.(*cron.SpecSchedule); ok {
		spec.Location = zone
	}
	return schedule, nil
}

// longestGap is how far back LastDue looks. Schedules that fire less often than
// this are found by the due time before it.
const longestGap = 5 * 366 * 24 * time.Hour

// LastDue returns the latest due time of s in (after, now], if there is one.
// It halves the time between, so that a gap of years costs a few steps.
func LastDue(s cron.Schedule, after, now time.Time) (time.Time, bool) {
	if now.Sub(after) > longestGap {
		after = now.Add(-longestGap)
	}
	first := s.Next(after)
	if first.IsZero() || first.After(now) {
		return time.Time{}, false
	}
	// Invariant: first is due and not after now; nothing is known behind it.
	lo, hi := first, now
	for hi.Sub(lo) > time.Minute {
		mid := lo.Add(hi.Sub(lo) / 2)
		next := s.Next(mid)
		if next.IsZero() || next.After(now) {
			hi = mid
		} else {
			lo, first = next, next
		}
	}
	for next := s.Next(first); !next.IsZero() && !next.After(now); next = s.Next(first) {
		first = next
	}
	return first, true
}
