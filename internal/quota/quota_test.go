package quota

import (
	"strconv"
	"testing"
	"time"
)

func TestQuota(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	q := &Quota{Burst: 10, Hourly: 60, Now: func() time.Time { return now }}
	steps := []struct {
		after  time.Duration
		key    string
		amount float64
		want   time.Duration
	}{
		{0, "a", 4, 0}, {0, "a", 6, 0}, {0, "a", 1, time.Minute}, {0, "b", 10, 0}, // each key has its own
		{time.Minute, "a", 1, 0}, {0, "a", 3, 3 * time.Minute}, {-time.Hour, "a", 3, 3 * time.Minute}, // a clock that is set back adds nothing
		{3 * time.Minute, "a", 3, 0}, {20 * time.Minute, "a", 50, 0}, {0, "a", 50, 50 * time.Minute}, // larger than the burst: possible from a full bucket
	}
	for i, s := range steps {
		now = now.Add(s.after)
		if got := q.Wait(s.key, s.amount); got != s.want {
			t.Errorf("step %d: wait %s, want %s", i, got, s.want)
		}
		if got := q.Take(s.key, s.amount); got != s.want {
			t.Errorf("step %d: took after %s, want %s", i, got, s.want)
		}
	}
}

func TestQuotaForgets(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	q := &Quota{Burst: 1, Hourly: 60, Now: func() time.Time { return now }}
	for i := range 3 * maxKeys {
		q.Spend(strconv.Itoa(i), 1)
		if i%maxKeys == 0 {
			now = now.Add(time.Hour)
		}
	}
	if len(q.spent) > maxKeys {
		t.Errorf("%d keys are kept, want at most %d", len(q.spent), maxKeys)
	}
}
