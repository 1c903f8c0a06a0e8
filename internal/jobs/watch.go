package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river/riverdriver"
)

// watchInterval is how often a node looks for jobs that other processes added,
// such as a command next to the daemon.
const watchInterval = time.Second

// lookWithin limits one look: a network that drops everything reports no error.
const lookWithin = 10 * time.Second

// watchedDriver is River's driver with the watch as its listener. Without it, River polls each
// queue every second; its listener for SQLite reads a table 20 times a second, each time with
// a newly prepared statement; and its notifications leave out jobs that follow another within
// 100 ms and those that a retry made due.
type watchedDriver struct {
	riverdriver.Driver[*sql.Tx]
	watch *watch
}

func (watchedDriver) SupportsListener() bool     { return true }
func (watchedDriver) SupportsListenNotify() bool { return false }

func (d watchedDriver) GetListener(*riverdriver.GetListenenerParams) riverdriver.Listener {
	return listener{d.watch}
}

// watch looks for jobs and signals: at once if this process adds some, within a second for
// all others. It reports whether this node has jobs to run, notifies River of every queue
// in which jobs wait, as long as they wait, and starts the work that all nodes do together
// when its signal changes. One prepared query serves all.
type watch struct {
	db      *sql.DB
	logger  *slog.Logger
	own     map[string]bool                // the queues of this node
	wake    chan struct{}                  // this process added a job
	found   chan bool                      // the newest result: whether jobs of this node wait or must be retried
	waiting chan *riverdriver.Notification // for River
	silent  atomic.Bool                    // River is about to stop and is not notified of jobs
	signals map[string]*together
}

func newWatch(db *sql.DB, logger *slog.Logger, all []*together) *watch {
	w := &watch{db: db, logger: logger, own: make(map[string]bool), wake: make(chan struct{}, 1), found: make(chan bool, 1),
		waiting: make(chan *riverdriver.Notification, 64), signals: make(map[string]*together)}
	for _, t := range all {
		w.signals[t.kind.Name] = t
	}
	return w
}

// look makes the watch look now.
func (w *watch) look() {
	select {
	case w.wake <- struct{}{}:
	default: // it is about to look
	}
}

// run looks for jobs until ctx ends.
func (w *watch) run(ctx context.Context) {
	var query *sql.Stmt
	defer func() {
		if query != nil {
			query.Close()
		}
	}()
	failing := false
	for {
		any, err := w.lookNow(ctx, &query)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			w.logger.Warn("the node cannot look for jobs; it tries again every second", "err", err)
		}
		if failing = err != nil; !failing {
			w.report(any)
		}
		timer := time.NewTimer(watchInterval)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// lookNow looks once, with a query that it prepares the first time.
func (w *watch) lookNow(ctx context.Context, query **sql.Stmt) (any bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	if *query == nil {
		*query, err = w.db.PrepareContext(ctx, `
			SELECT queue, CAST(state AS TEXT), 0 FROM river_job WHERE state IN ('available', 'pending', 'retryable', 'scheduled') GROUP BY queue, state
			UNION ALL SELECT name, '', count FROM node_signals`)
		if err != nil {
			return false, err
		}
	}
	return w.queues(ctx, *query)
}

// report replaces the result of an older look that nobody has read. It never
// waits: River may take long to start or stop, and signals must not.
func (w *watch) report(any bool) {
	select {
	case <-w.found:
	default:
	}
	w.found <- any // there is room, because no other goroutine sends
}

// queues passes on the results, and reports whether jobs of this node wait.
func (w *watch) queues(ctx context.Context, query *sql.Stmt) (any bool, err error) {
	rows, err := query.QueryContext(ctx)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var payload struct {
			Queue string `json:"queue"`
		}
		var state string
		var signal int64
		if err := rows.Scan(&payload.Queue, &state, &signal); err != nil {
			return false, err
		}
		if signal > 0 {
			if t, ok := w.signals[payload.Queue]; ok {
				t.signalled(signal)
			}
			continue
		}
		if !w.own[payload.Queue] {
			continue
		}
		any = true
		if state != "available" || w.silent.Load() {
			continue
		}
		text, err := json.Marshal(payload)
		if err != nil {
			return false, err
		}
		select {
		case w.waiting <- &riverdriver.Notification{Topic: "river_insert", Payload: string(text)}:
		default: // River is busy, or rests and looks at all queues when it starts
		}
	}
	return any, rows.Err()
}

// listener makes the watch River's listener. Listen does nothing, because the watch notifies River of
// all insertions anyway.
type listener struct{ watch *watch }

func (l listener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case n := <-l.watch.waiting:
		return n, nil
	case <-ctx.Done(): // River ends each wait after 5 s
		return nil, ctx.Err()
	}
}

func (listener) Connect(context.Context) error          { return nil }
func (listener) Close(context.Context) error            { return nil }
func (listener) Listen(context.Context, string) error   { return nil }
func (listener) Unlisten(context.Context, string) error { return nil }
func (l listener) Ping(ctx context.Context) error       { return l.watch.db.PingContext(ctx) }
func (listener) Schema() string                         { return "" }
func (listener) SetAfterConnectExec(string)             {} // for River's tests
