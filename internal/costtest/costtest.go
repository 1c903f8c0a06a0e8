// Package costtest searches for inputs whose cost grows faster than their length. It
// doubles each input repeatedly, and measures the allocations of a parser and the CPU time
// of its thread. It is only for tests.
package costtest

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/internal/trust"
)

// The limits for any input of at most 5 MB.
const (
	MaxBytes  = 5 << 20         // size of the largest input
	MaxMemory = 200 << 20       // size of the objects that exist at the same time
	MaxTime   = 2 * time.Second // CPU time
)

const (
	quickBytes = 64 << 10 // size of the largest input in the quick part
	// maxGrowth is the maximum factor by which the cost may grow if the length of an input
	// grows by four. Quadratic growth would be a factor of 16.
	maxGrowth = 9
	// Lower costs are noise.
	noiseBytes = 8 << 20
	noiseTime  = 100 * time.Millisecond
	// maxRuns is the maximum number of measurements of a run that looks too slow.
	maxRuns = 4
)

// Seed is a kind of input: Head, then Units, each repeated as often as the length allows,
// then Tail. %d in a unit is the number of the repetition.
type Seed struct {
	Name  string
	Head  string
	Units []string
	Tail  string
}

// Input returns an input of about this many bytes.
func (s Seed) Input(bytes int) []byte {
	var b strings.Builder
	b.WriteString(s.Head)
	for _, unit := range s.Units {
		numbered := strings.Contains(unit, "%d")
		for i, end := 0, b.Len()+bytes/len(s.Units); b.Len() < end; i++ {
			if numbered {
				b.WriteString(strings.ReplaceAll(unit, "%d", fmt.Sprint(i)))
			} else {
				b.WriteString(unit)
			}
		}
	}
	b.WriteString(s.Tail)
	return []byte(b.String())
}

// Cost is the cost of one run.
type Cost struct {
	Allocated uint64        // total bytes
	Peak      uint64        // peak of the bytes of objects, in addition to those before; sampled
	Time      time.Duration // CPU time of the thread, without the garbage collector's own threads
}

// Measure runs f once.
func Measure(f func()) Cost {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	peak := watch(before.HeapAlloc)
	start := processorTime()
	f()
	took := processorTime() - start
	runtime.ReadMemStats(&after)
	return Cost{Allocated: after.TotalAlloc - before.TotalAlloc, Peak: peak(), Time: took}
}

// watch samples the size of the heap until the returned function is called.
func watch(from uint64) (stop func() uint64) {
	done, result := make(chan struct{}), make(chan uint64)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		most := from
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-done:
				result <- most - from
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 { close(done); return <-result }
}

// Linear fails if the cost of parse grows faster than the length of its input. The quick
// part grows each input to 64 kB; with DIBAO_LONG set, each input of 5 MB is parsed, too.
// The limits on memory and time apply to all of them.
func Linear(t *testing.T, seeds []Seed, parse func(input []byte)) {
	t.Helper()
	for _, seed := range seeds {
		t.Run(seed.Name, func(t *testing.T) {
			sizes := []int{quickBytes / 4, quickBytes}
			if os.Getenv("DIBAO_LONG") != "" {
				sizes = append(sizes, MaxBytes)
			}
			parse(seed.Input(1 << 10)) // exclude what is created once
			var last Cost
			for i, size := range sizes {
				input := seed.Input(min(size, MaxBytes-len(seed.Head)-len(seed.Tail)-1000))
				cost := Measure(func() { parse(input) })
				grows := i > 0 && size == 4*sizes[i-1]
				// Other load on the machine makes a run slower, never faster.
				for range maxRuns - 1 {
					if !(grows && tooSlow(last, cost)) && cost.Time <= MaxTime {
						break
					}
					cost.Time = min(cost.Time, Measure(func() { parse(input) }).Time)
				}
				if grows {
					check(t, len(input), last, cost)
				}
				Within(t, len(input), cost)
				if t.Failed() {
					return
				}
				last = cost
			}
			if os.Getenv("DIBAO_LONG") != "" {
				t.Logf("5 MB: %d MB, %s", last.Peak>>20, last.Time)
			}
		})
	}
}

// tooSlow reports whether time grew faster than length.
func tooSlow(before, after Cost) bool { return after.Time > maxGrowth*before.Time+noiseTime }

// worst is the run in this process that came closest to a limit.
var worst struct {
	sync.Mutex
	Cost
	name  string
	share float64 // share of the limit
}

// Within fails if the cost of an input of this length, in bytes, exceeds the limits.
func Within(t *testing.T, length int, c Cost) {
	t.Helper()
	if c.Peak > MaxMemory || c.Time > MaxTime {
		t.Errorf("%s: %d kB cost %d MB and %s; the limits are %d MB and %s", t.Name(), length>>10, c.Peak>>20, c.Time, MaxMemory>>20, MaxTime)
	}
	worst.Lock()
	defer worst.Unlock()
	if share := max(float64(c.Time)/float64(MaxTime), float64(c.Peak)/float64(MaxMemory)); share >= worst.share {
		worst.Cost, worst.name, worst.share = c, t.Name(), share
	}
}

// Report reports, of the runs since the last report, the one that came closest to a limit,
// in the row of docs/trust.md for these parsers.
func Report(t *testing.T, parsers string) {
	t.Helper()
	worst.Lock()
	defer worst.Unlock()
	_, name, _ := strings.Cut(worst.name, "/")
	trust.Report(t, "cost of the worst 5 MB input, "+parsers, "%.1f s, %d MB at %s", worst.Time.Seconds(), worst.Peak>>20, name)
	worst.name, worst.share = "", 0
}

func check(t *testing.T, length int, before, after Cost) {
	t.Helper()
	if after.Allocated > maxGrowth*before.Allocated+noiseBytes {
		t.Errorf("a quarter of %d kB allocates %d kB, all of it %d kB", length>>10, before.Allocated>>10, after.Allocated>>10)
	}
	if tooSlow(before, after) {
		t.Errorf("a quarter of %d kB takes %s, all of it %s", length>>10, before.Time, after.Time)
	}
}

// Fuzz fails if parse allocates more than perByte for each byte of its input, in addition
// to a constant. It is the body of a fuzz target.
func Fuzz(t *testing.T, input []byte, perByte int, parse func()) {
	t.Helper()
	const any = 4 << 20 // expressions and tables that are created once
	before := allocated()
	parse()
	if used := allocated() - before; used > uint64(any+perByte*len(input)) {
		t.Errorf("%d bytes allocate %d kB", len(input), used>>10)
	}
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
