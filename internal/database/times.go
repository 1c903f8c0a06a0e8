package database

import (
	"runtime"
	"sync"
	"time"

	"dibao/internal/metrics"
)

// timeBounds are the upper bounds of a histogram's buckets.
var timeBounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond,
	5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// Times is a histogram of durations.
type Times struct {
	Count   int64
	Sum     time.Duration
	Longest time.Duration
	Caller  string                     // the function with the longest duration
	counts  [len(timeBounds) + 1]int64 // by bucket; the last one is for durations above every bound
}

func (t *Times) add(d time.Duration, caller func() string) {
	t.Count++
	t.Sum += d
	if d > t.Longest {
		t.Longest, t.Caller = d, caller()
	}
	for i, bound := range timeBounds {
		if d <= bound {
			t.counts[i]++
			return
		}
	}
	t.counts[len(timeBounds)]++
}

// Quantile returns a duration that at least the share q (0 to 1) of all do not
// exceed: the upper bound of a bucket, or the longest one.
func (t Times) Quantile(q float64) time.Duration {
	var n int64
	for i, bound := range timeBounds {
		if n += t.counts[i]; float64(n) >= q*float64(t.Count) {
			return min(bound, t.Longest)
		}
	}
	return t.Longest
}

// WriteTimes contains how long write transactions waited and how long each then took, from
// its beginning to the end of its commit.
type WriteTimes struct{ Wait, Hold Times }

// writeTimes collects the times of both classes.
type writeTimes struct {
	mu  sync.Mutex
	all [2]WriteTimes
}

func (w *writeTimes) add(c class, wait, hold time.Duration) {
	caller := sync.OnceValue(writeCaller)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[c].Wait.add(wait, caller)
	w.all[c].Hold.add(hold, caller)
}

// writeCaller returns the name of the function that called Write.
func writeCaller() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	write := false
	for {
		f, more := frames.Next()
		if write {
			return f.Function
		}
		write = f.Function == "dibao/internal/database.(*DB).Write"
		if !more {
			return ""
		}
	}
}

// WriteTimes returns the times of this process's write transactions:
// interactive ones and those in the background.
func (db *DB) WriteTimes() (interactive, background WriteTimes) {
	db.times.mu.Lock()
	defer db.times.mu.Unlock()
	return db.times.all[0], db.times.all[1]
}

var (
	waitMetric = metrics.New(metrics.Histogram, "dibao_database_write_wait_seconds", "How long write transactions waited for their turn.", "class")
	holdMetric = metrics.New(metrics.Histogram, "dibao_database_write_seconds", "How long write transactions took, from beginning to commit.", "class")
)

// Families implements metrics.Collector.
func (db *DB) Families() []*metrics.Family { return []*metrics.Family{waitMetric, holdMetric} }

// Collect implements metrics.Collector: the histograms of write transactions.
func (db *DB) Collect(p *metrics.Page) {
	first, second := db.WriteTimes()
	for c, t := range []WriteTimes{first, second} {
		t.Wait.collect(p, waitMetric, class(c))
		t.Hold.collect(p, holdMetric, class(c))
	}
}

func (t Times) collect(p *metrics.Page, family *metrics.Family, c class) {
	bounds, upTo := make([]float64, len(timeBounds)), make([]uint64, len(timeBounds))
	var n uint64
	for i, bound := range timeBounds {
		n += uint64(t.counts[i])
		bounds[i], upTo[i] = bound.Seconds(), n
	}
	p.Distribution(family, uint64(t.Count), t.Sum.Seconds(), bounds, upTo, c.String())
}
