// Package budget keeps the memory of the process within what the admin gave it:
// the garbage collector works harder near the limit, and what strangers send is
// parsed only as fast as there is memory for it.
package budget

import (
	"context"
	"os"
	"runtime/debug"

	"golang.org/x/sync/semaphore"
)

const (
	// Standard is the limit where none is set, in bytes.
	Standard = 256_000_000
	// perByte is the memory that parsing takes for one byte of input at most:
	// the text, its tree, and what is read of that.
	perByte = 24
	// least is what the smallest input takes, in bytes.
	least = 1 << 20
)

// limit is the weight that all parsing shares, and the semaphore for it. Set
// replaces both before any work begins.
var limit, parsing = parsingShare(Standard), semaphore.NewWeighted(parsingShare(Standard))

// parsingShare is half of the memory: the rest is for the database, caches and
// readers.
func parsingShare(total int64) int64 { return total / 2 }

// goShare is what the Go runtime may use of the memory: SQLite's caches and the
// program itself are outside of it, and the runtime exceeds its limit for a moment.
func goShare(total int64) int64 { return total / 4 * 3 }

// Set limits the memory of the process to so many bytes, before anything is
// parsed. GOMEMLIMIT in the environment counts first.
func Set(total int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(goShare(total))
	}
	limit = parsingShare(total)
	parsing = semaphore.NewWeighted(limit)
}

// Reserve waits until there is memory to parse an input of so many bytes; done
// gives it back. An input that is larger than all there is gets all there is.
// Who holds a reservation must not ask for another.
func Reserve(ctx context.Context, bytes int) (done func(), err error) {
	n := min(max(int64(bytes)*perByte, least), limit)
	sem := parsing
	if err := sem.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { sem.Release(n) }, nil
}
