// Package budget keeps the memory of the process within the admin's limit: the
// garbage collector works harder near the limit, and untrusted input is parsed
// only as fast as there is memory for it.
package budget

import (
	"context"
	"os"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

const (
	// Standard is the default limit, in bytes.
	Standard = 256_000_000
	// perByte is the maximum memory for parsing one byte of input: for the text, its tree,
	// and what is read from it.
	perByte = 24
	// perHeld is the memory for one byte of parsed input until it is stored: as
	// items, as articles, and as SQL parameters.
	perHeld = 12
	// least is the memory reserved for the smallest input, in bytes.
	least = 1 << 20
)

// share is a part of the memory, in bytes.
type share struct {
	limit int64
	*semaphore.Weighted
}

func newShare(bytes int64) *share { return &share{bytes, semaphore.NewWeighted(bytes)} }

// take waits for a part of the share; a request for more than the whole share gets the
// whole share.
func (s *share) take(ctx context.Context, n int64) (done func(), err error) {
	n = min(max(n, least), s.limit)
	if err := s.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { s.Release(n) }, nil
}

// parsing is a fifth of the memory, for inputs that are being parsed or compared, and
// holding an eighth, for inputs that are read and not stored yet: the rest is for the
// database, caches and readers. Memory that was reserved before Set is returned to the
// share that it was taken from.
var parsing, holding atomic.Pointer[share]

func init() { divide(Standard) }

func divide(total int64) {
	parsing.Store(newShare(total / 5))
	holding.Store(newShare(total / 8))
}

// goShare returns the part of the memory for the Go runtime: it excludes SQLite's caches
// and the program itself, and the runtime may exceed its limit for a short time.
func goShare(total int64) int64 { return total / 16 * 9 }

// Set limits the memory of the process to this many bytes, before anything is
// parsed. GOMEMLIMIT in the environment takes precedence.
func Set(total int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(goShare(total))
	}
	divide(total)
}

// Reserve waits until there is memory to parse an input of this many bytes, or to compare
// texts of this many; done releases it. An input that is larger than the whole share gets
// the whole share. The holder of a reservation must not request another one.
func Reserve(ctx context.Context, bytes int) (done func(), err error) {
	return parsing.Load().take(ctx, int64(bytes)*perByte)
}

// Within runs f, which parses an input of this many bytes, as soon as there is memory for
// it. f must not reserve memory itself.
func Within[T any](ctx context.Context, bytes int, f func() (T, error)) (result T, err error) {
	done, err := Reserve(ctx, bytes)
	if err != nil {
		return result, err
	}
	defer done()
	return f()
}

// Keep waits until there is memory to keep parsed input of this many bytes until it is
// stored; done releases it. The holder may call Reserve, but not Keep; the holder of a
// reservation must not call Keep.
func Keep(ctx context.Context, bytes int) (done func(), err error) {
	return holding.Load().take(ctx, int64(bytes)*perHeld)
}

// CollectLess lets a delivering process keep more garbage: its live memory is a
// few dozen MB, and collecting whenever it doubles costs a tenth of a delivery.
func CollectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
}
