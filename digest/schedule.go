package digest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"dibao/internal/database"
	"dibao/internal/jobs"
	"dibao/policy"
	"dibao/policy/workday"
	"dibao/subscribers"
)

// NextDue returns when the next issue of l is due; zero for an as-it-happens
// list.
func (s *Service) NextDue(l subscribers.List) (time.Time, error) {
	if l.AsItHappens {
		return time.Time{}, nil
	}
	schedule, err := listSchedule(l)
	if err != nil {
		return time.Time{}, err
	}
	return schedule.Next(s.now()).UTC(), nil
}

func listSchedule(l subscribers.List) (cron.Schedule, error) {
	zone, err := time.LoadLocation(l.Zone)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone %q; use a name such as Asia/Shanghai", l.Zone)
	}
	schedule, err := jobs.ParseSchedule(l.Cron, zone)
	if err != nil || !l.WorkingDays {
		return schedule, err
	}
	return workingDays{schedule, zone}, nil
}

// workingDays moves due times on days off to the same time of day on the next working day.
type workingDays struct {
	cron.Schedule
	zone *time.Location
}

// longestHoliday is more than any number of consecutive days off.
const longestHoliday = 15

// Next returns the first due time after t. A moved due time may come after a
// later one, so all that may be moved past t are examined.
func (w workingDays) Next(t time.Time) time.Time {
	var first time.Time
	for at := w.Schedule.Next(t.AddDate(0, 0, -longestHoliday)); !at.IsZero(); at = w.Schedule.Next(at) {
		if !first.IsZero() && at.After(first) {
			break
		}
		if moved := w.moved(at); moved.After(t) && (first.IsZero() || moved.Before(first)) {
			first = moved
		}
	}
	return first
}

func (w workingDays) moved(t time.Time) time.Time {
	t = t.In(w.zone)
	for range longestHoliday {
		if works, _ := workday.Is(policy.DateOf(t)); works {
			break
		}
		t = t.AddDate(0, 0, 1) // the same time of day, even when the clocks change
	}
	return t
}

// dueAt returns the latest due time of l that has passed since its last issue, so that a
// node that was suspended during several finds only one. Due times come from the schedule and the
// last one stored, so that none is examined twice if a clock is set back and forth.
func (s *Service) dueAt(ctx context.Context, l subscribers.List) (time.Time, bool, error) {
	last, err := s.lastDue(ctx, l)
	if err != nil {
		return time.Time{}, false, err
	}
	now := s.now()
	if l.AsItHappens {
		if last.After(now.Add(-l.MinGap)) {
			return time.Time{}, false, nil
		}
		zone, err := time.LoadLocation(l.Zone)
		if err != nil {
			return time.Time{}, false, err
		}
		if works, _ := workday.Is(policy.DateOf(now.In(zone))); l.WorkingDays && !works {
			return time.Time{}, false, nil
		}
		waiting, err := s.anyWaiting(ctx, l.ID)
		return now, waiting, err
	}
	schedule, err := listSchedule(l)
	if err != nil {
		return time.Time{}, false, err
	}
	after := l.CreatedAt
	if last.After(after) {
		after = last
	}
	at, ok := jobs.LastDue(schedule, after, now)
	return at.UTC(), ok, nil
}

// lastDue returns the due time of the last issue of a list, or the last time at
// which nothing was new; zero if there was none. An as-it-happens list has no
// due times except those of its issues.
func (s *Service) lastDue(ctx context.Context, l subscribers.List) (time.Time, error) {
	var last time.Time
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT due_at FROM issues WHERE list = $1 AND number >= $2 ORDER BY due_at DESC LIMIT 1`, l.ID, database.Bit(l.AsItHappens)).Scan(&last)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return last, err
}

// anyWaiting reports whether a list has matches that no issue has processed.
func (s *Service) anyWaiting(ctx context.Context, list int64) (waiting bool, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM matches WHERE list = $1 AND seq > COALESCE((
			SELECT MAX(last_seq) FROM issues WHERE list = $1), 0))`, list).Scan(&waiting)
	})
	return waiting, err
}
