package digest

import (
	"fmt"
	"time"
)

const (
	// MaxSpread is the maximum time over which the emails of a mailing are spread.
	MaxSpread = 24 * time.Hour
	// spreadStep is the interval between the times at which emails are sent, as long as
	// there are at most maxSpreadSteps of them.
	spreadStep     = time.Minute
	maxSpreadSteps = 240
)

func checkSpread(over time.Duration) error {
	if over < 0 || over > MaxSpread || over%time.Second != 0 {
		return fmt.Errorf("a mailing can be spread over 0 to %g hours, in whole seconds, not %s", MaxSpread.Hours(), over)
	}
	return nil
}

// spread distributes deliveries, pairs of a reader and a variant, over the
// times at which they are sent. A reader has the same place in every mailing,
// so that weekly email arrives at about the same time.
func (m *mailingRun) spread(rows [][2]int64) map[time.Time][][2]int64 {
	if m.over == 0 {
		return map[time.Time][][2]int64{m.s.now(): rows}
	}
	steps := uint64(min(max(m.over/spreadStep, 1), maxSpreadSteps))
	all := make(map[time.Time][][2]int64, steps)
	for _, row := range rows {
		// Fibonacci hashing: the high bits of consecutive ids are spread evenly.
		place := (uint64(row[0]) * 0x9E3779B97F4A7C15 >> 32) * steps >> 32
		at := m.made.Add(m.over / time.Duration(steps) * time.Duration(place)).Truncate(time.Microsecond)
		all[at] = append(all[at], row)
	}
	return all
}
