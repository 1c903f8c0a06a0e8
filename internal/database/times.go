package database

import (
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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
	Caller  string                     // the function whose duration was the longest
	counts  [len(timeBounds) + 1]int64 // by bucket; the last is of what is longer than every bound
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

// WriteTimes are how long write transactions waited for their turn and how long
// each then took, from its beginning to the end of its commit.
type WriteTimes struct{ Wait, Hold Times }

// writeTimes gathers the times of both classes.
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

// writeCaller names the function that called Write.
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
	waitMetric = prometheus.NewDesc("dibao_database_write_wait_seconds", "How long write transactions waited for their turn.", []string{"class"}, nil)
	holdMetric = prometheus.NewDesc("dibao_database_write_seconds", "How long write transactions took, from beginning to commit.", []string{"class"}, nil)
)

// Describe implements prometheus.Collector.
func (db *DB) Describe(ch chan<- *prometheus.Desc) {
	ch <- waitMetric
	ch <- holdMetric
}

// Collect implements prometheus.Collector: the histograms of write transactions.
func (db *DB) Collect(ch chan<- prometheus.Metric) {
	first, second := db.WriteTimes()
	for c, t := range []WriteTimes{first, second} {
		ch <- t.Wait.metric(waitMetric, class(c))
		ch <- t.Hold.metric(holdMetric, class(c))
	}
}

func (t Times) metric(desc *prometheus.Desc, c class) prometheus.Metric {
	buckets := make(map[float64]uint64, len(timeBounds))
	var n uint64
	for i, bound := range timeBounds {
		n += uint64(t.counts[i])
		buckets[bound.Seconds()] = n
	}
	return prometheus.MustNewConstHistogram(desc, uint64(t.Count), t.Sum.Seconds(), buckets, c.String())
}
