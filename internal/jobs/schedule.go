package jobs

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

// ParseSchedule reads a cron expression of five fields ("0 8 * * 1") or a descriptor
// ("@daily") whose times are times of day in zone. Where clocks are set forward, a time of day
// that does not exist is due an hour later: 2:30 at 3:30. Where they are set back, a time of
// day that occurs twice is due the first time. Hourly schedules run in every hour of elapsed
// time.
func ParseSchedule(expr string, zone *time.Location) (cron.Schedule, error) {
	schedule, err := cron.ParseStandard(expr)
	if err != nil {
		return nil, fmt.Errorf("cron expression %q is not valid; write minute (0-59), hour (0-23), day (1-31), month (1-12) and weekday (0-6, 0 is Sunday), such as 0 8 * * 1", expr)
	}
	spec, ok := schedule.(*cron.SpecSchedule)
	switch {
	case !ok: // "@every 5m"
		return schedule, nil
	case spec.Hour&everyHour != 0:
		spec.Location = zone
		return spec, nil
	}
	spec.Location = time.UTC
	return wallClock{spec, zone}, nil
}

// everyHour is the bit with which cron marks a field that is a star.
const everyHour = 1 << 63

// wallClock is a schedule of local times of day. The cron library omits a time that
// daylight saving time skips and runs twice at a time that occurs twice; an issue that is
// due then would be missing, or would be composed twice.
type wallClock struct {
	shown cron.Schedule // local times of day, as if they were UTC
	zone  *time.Location
}

// longestChange is more than any change of a clock, including a move across the date line.
const longestChange = 26 * time.Hour

// Next returns the first due time after t.
func (w wallClock) Next(t time.Time) (first time.Time) {
	l := t.In(w.zone)
	from := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC)
	if w.changes(t) { // after the change, the local time may be earlier than before
		from = from.Add(-longestChange)
	}
	for shown := w.shown.Next(from); !shown.IsZero(); shown = w.shown.Next(shown) {
		at := w.instant(shown)
		if at.After(t) && (first.IsZero() || at.Before(first)) {
			first = at
		}
		if !first.IsZero() && (!w.changes(first) || at.Sub(first) > longestChange) {
			break
		}
	}
	return first
}

func (w wallClock) changes(t time.Time) bool {
	return w.offset(t.Add(-longestChange)) != w.offset(t.Add(longestChange))
}

// offset returns how far local time is ahead of UTC at t.
func (w wallClock) offset(t time.Time) time.Duration {
	_, seconds := t.In(w.zone).Zone()
	return time.Duration(seconds) * time.Second
}

// instant returns when the clock first shows a time. If it never does, it returns when it
// would have done so if the clock had not been set forward.
func (w wallClock) instant(shown time.Time) time.Time {
	before, after := w.offset(shown.Add(-longestChange)), w.offset(shown.Add(longestChange))
	at := shown.Add(-before)
	if late := shown.Add(-after); w.offset(at) != before && w.offset(late) == after {
		at = late
	}
	return at.In(w.zone)
}

// longestGap is how far back LastDue searches. For schedules that are due less often, the
// due time before it is found first.
const longestGap = 5 * 366 * 24 * time.Hour

// LastDue returns the latest due time of s in (after, now], if there is one. It bisects the
// time between, so that a gap of years takes only a few steps.
func LastDue(s cron.Schedule, after, now time.Time) (time.Time, bool) {
	if now.Sub(after) > longestGap {
		after = now.Add(-longestGap)
	}
	first := s.Next(after)
	if first.IsZero() || first.After(now) {
		return time.Time{}, false
	}
	// Invariant: first is due and not after now; nothing is known after it.
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
