package jobs

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestParseScheduleSaysWhatToDo(t *testing.T) {
	for _, expr := range []string{"", "x", "0 8 * *", "0 25 * * 1", "61 8 * * 1"} {
		if _, err := ParseSchedule(expr, time.UTC); err == nil || !strings.Contains(err.Error(), "0 8 * * 1") {
			t.Errorf("%q: got %v; want an error with an example", expr, err)
		}
	}
}

func TestLastDue(t *testing.T) {
	shanghai, newYork := zone(t, "Asia/Shanghai"), zone(t, "America/New_York")
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for name, c := range map[string]struct {
		expr             string
		zone             *time.Location
		after, now, want string
	}{
		"MondayMorning":           {"0 8 * * 1", shanghai, "2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z"},
		"AMomentBefore":           {"0 8 * * 1", shanghai, "2026-11-20T00:00:00Z", "2026-11-22T23:59:59Z", ""},
		"NotTwice":                {"0 8 * * 1", shanghai, "2026-11-23T00:00:00Z", "2026-11-23T09:00:00Z", ""},
		"ThreeWeeksAsleepIsOne":   {"0 8 * * 1", shanghai, "2026-11-02T00:00:00Z", "2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z"},
		"ClockSetBack":            {"0 8 * * 1", shanghai, "2026-11-23T00:00:00Z", "2026-11-22T00:00:00Z", ""},
		"DaylightSavingSkipsHour": {"30 2 * * *", newYork, "2026-03-07T12:00:00Z", "2026-03-08T12:00:00Z", "2026-03-08T07:30:00Z"},
		"HourThatComesTwice":      {"30 1 * * *", newYork, "2026-11-01T05:30:00Z", "2026-11-01T12:00:00Z", ""},
		"DescriptorKeepsTheZone":  {"@weekly", shanghai, "2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-21T16:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseSchedule(c.expr, c.zone)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := LastDue(s, at(c.after), at(c.now))
			if c.want == "" {
				if ok {
					t.Fatalf("got %s, want none", got)
				}
				return
			}
			if !ok || !got.Equal(at(c.want)) {
				t.Fatalf("got %s (%v), want %s", got, ok, c.want)
			}
		})
	}
}

// The latest due time is the last one that stepping through all of them finds.
func TestLastDueAgreesWithStepping(t *testing.T) {
	zones := []*time.Location{time.UTC, zone(t, "Asia/Shanghai"), zone(t, "America/New_York"), zone(t, "Australia/Lord_Howe")}
	rapid.Check(t, func(t *rapid.T) {
		expr := rapid.SampledFrom([]string{"0 8 * * 1", "*/15 * * * *", "30 2 * * *", "0 0 1 * *", "5 4 29 2 *", "@daily", "@every 7m"}).Draw(t, "expr")
		s, err := ParseSchedule(expr, rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		after := time.Unix(rapid.Int64Range(1.7e9, 1.9e9).Draw(t, "after"), 0)
		if expr == "@every 7m" {
			return // such a schedule has no fixed times: each depends on where it began
		}
		now := after.Add(time.Duration(rapid.Int64Range(0, int64(40*24*time.Hour)).Draw(t, "gap")))
		var want time.Time
		for next := s.Next(after); !next.IsZero() && !next.After(now); next = s.Next(next) {
			want = next
		}
		got, ok := LastDue(s, after, now)
		if ok != !want.IsZero() || !got.Equal(want) {
			t.Fatalf("%s in (%s, %s]: got %s (%v), want %s", expr, after, now, got, ok, want)
		}
	})
}

// Each day of a schedule has one due time, even if the clock changes on that day.
func TestOneDueTimeADay(t *testing.T) {
	for _, name := range []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Asia/Shanghai", "Asia/Tehran"} {
		loc := zone(t, name)
		for _, expr := range []string{"0 0 * * *", "30 0 * * *", "30 1 * * *", "45 1 * * *", "0 2 * * *", "15 2 * * *", "30 2 * * *", "0 3 * * *", "0 8 * * *"} {
			s, err := ParseSchedule(expr, loc)
			if err != nil {
				t.Fatal(err)
			}
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, loc).Add(-time.Nanosecond)
			for day := range 365 {
				next := s.Next(at)
				if want := time.Date(2026, 1, 1+day, 12, 0, 0, 0, loc).Format(time.DateOnly); next.Format(time.DateOnly) != want {
					t.Fatalf("%s, %s: after %s comes %s, want one on %s", name, expr, at, next, want)
				}
				if gap := next.Sub(at); day > 0 && (gap < 22*time.Hour || gap > 26*time.Hour) {
					t.Errorf("%s, %s: %s after %s", name, expr, next, at)
				}
				at = next
			}
		}
	}
}

// A schedule for every half hour stays so when the clock changes.
func TestEveryHalfHourGoesByTheTimeThatPasses(t *testing.T) {
	s, err := ParseSchedule("*/30 * * * *", zone(t, "Europe/Berlin"))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC)} { // the clock changes on the next day
		for range 60 {
			next := s.Next(at)
			if next.Sub(at) != 30*time.Minute {
				t.Fatalf("%s comes after %s", next, at)
			}
			at = next
		}
	}
}
