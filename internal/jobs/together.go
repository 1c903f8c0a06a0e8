package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"dibao/internal/database"
)

// togetherEvery is how often a node runs by itself the work that all nodes do
// together: no signal announces work that becomes due by time.
const togetherEvery = time.Minute

// firstRetry is how soon work runs again after a failure, such as an
// unreachable database; the time doubles with each failure, up to
// togetherEvery.
const firstRetry = 5 * time.Second

// together runs a kind that all nodes do together.
type together struct {
	kind   Kind
	logger *slog.Logger
	wake   chan struct{} // it is to run, again if it is running
	count  int64         // of its signal as last seen; only the watch uses it
}

func newTogether(k Kind, logger *slog.Logger) *together {
	return &together{kind: k, logger: logger, wake: make(chan struct{}, 1)}
}

// signalled wakes it if the count of its signal is another than it was.
func (t *together) signalled(count int64) {
	if count == t.count {
		return
	}
	t.count = count
	select {
	case t.wake <- struct{}{}:
	default: // it is about to run
	}
}

func (t *together) run(ctx context.Context) {
	for retry := firstRetry; ctx.Err() == nil; {
		pause := togetherEvery
		if err := t.call(ctx); err == nil {
			retry = firstRetry
		} else if ctx.Err() == nil {
			t.logger.Warn("job failed", "job", t.kind.Name, "err", err)
			pause, retry = retry, min(2*retry, togetherEvery)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-t.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// call runs it once. A panic of it comes back as an error.
func (t *together) call(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return t.kind.Run(ctx, 0)
}

// Signal asks all nodes to run a kind of work that they do together. It also
// works in a process that runs no jobs, such as a command next to the daemon.
// Nodes see it within a second.
func Signal(ctx context.Context, db *database.DB, kind string) error {
	err := db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO node_signals (name, count) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET count = node_signals.count + 1`, kind)
		return err
	})
	if err != nil {
		return fmt.Errorf("ask the nodes to %s: %w", kind, err)
	}
	return nil
}
