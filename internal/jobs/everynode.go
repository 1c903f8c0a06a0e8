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
// together: no signal announces work that is due at a certain time.
const togetherEvery = time.Minute

// firstRetry is the delay after which work runs again after a failure, such as an
// unreachable database; it doubles with each failure, up to togetherEvery.
const firstRetry = 5 * time.Second

// together runs a kind of work that all nodes do together.
type together struct {
	kind   Kind
	logger *slog.Logger
	wake   chan struct{} // requests a run, even while one is running
	count  int64         // last seen value of its signal; only the watch uses it
}

func newTogether(k Kind, logger *slog.Logger) *together {
	return &together{kind: k, logger: logger, wake: make(chan struct{}, 1)}
}

// signalled starts a run if the value of its signal has changed.
func (t *together) signalled(count int64) {
	if count == t.count {
		return
	}
	t.count = count
	select {
	case t.wake <- struct{}{}:
	default: // a run is already requested
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

// call runs the work once. It returns a panic as an error.
func (t *together) call(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return t.kind.Run(ctx, 0)
}

// Signal requests that all nodes run a kind of work that they do together. It also works in
// a process that runs no jobs, such as a command next to the daemon. Nodes see it within a
// second.
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
