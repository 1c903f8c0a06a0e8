package collect

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"dibao/feed"

	"golang.org/x/sync/semaphore"
)

const (
	// crashesToSlow is the number of collections in a row that must end together with the
	// process before the source backs off like a failing one. The first pause is shorter
	// than a day, because somebody may have killed the process during the collection.
	crashesToSlow = 3
	// sideBySide is larger than the number of collections that can run at the same time.
	sideBySide = 1000
	// endTimeout limits the recording of the end of a collection while dibao stops.
	endTimeout = 10 * time.Second
)

// crashError says that dibao repeatedly ended while it collected a source.
type crashError struct{ times int }

func (e *crashError) Error() string {
	return fmt.Sprintf("dibao stopped unexpectedly %d times while it collected this source; it is collected less and less often until that succeeds; "+
		"check what the site returns, or pause the source with: dibao source pause", e.times)
}

// panicError is a bug of dibao that a source triggered.
type panicError struct{ value any }

func (e *panicError) Error() string {
	return fmt.Sprintf("an error in dibao stopped the collection of this source: %v; please report it with the log", e.value)
}

// turns lets collections run at the same time, except that of a source whose last two
// collections ended together with the process: it runs alone, because others running with it
// would be blamed, too. After the first time it does not: somebody may have killed the process.
type turns struct {
	begin sync.Once
	free  *semaphore.Weighted
}

func (t *turns) enter(ctx context.Context, alone bool) (leave func(), err error) {
	t.begin.Do(func() { t.free = semaphore.NewWeighted(sideBySide) })
	n := int64(1)
	if alone {
		n = sideBySide
	}
	if err := t.free.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { t.free.Release(n) }, nil
}

// begin records that a collection of s begins. If the previous one never ended,
// the process died: after the third time, the collection does not begin.
func (c *Collector) begin(ctx context.Context, s *feed.Source) error {
	if !s.BegunAt.IsZero() {
		s.Crashes++
	}
	if !s.BegunAt.IsZero() && s.Crashes >= crashesToSlow {
		return &crashError{s.Crashes}
	}
	return c.Store.BeginCollection(ctx, s)
}

// stopped records that a collection was stopped, even while dibao stops.
func (c *Collector) stopped(ctx context.Context, source int64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	return c.Store.StopCollection(ctx, source)
}

// guarded collects a source. A panic counts as a failure of that source and does not stop
// the daemon.
func (c *Collector) guarded(ctx context.Context, src *feed.Source, out *Collection) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.Logger.Error("collecting a source panicked", "source_id", src.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = &panicError{p}
		}
	}()
	return c.collect(ctx, src, out)
}
