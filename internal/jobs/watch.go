package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/riverqueue/river/riverdriver"
)

// watchInterval is how often a node looks for jobs that other processes added,
// such as a command next to the daemon.
const watchInterval = time.Second

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
	return d.watch
}

// watch notifies River of every queue in which jobs wait, as long as they wait:
// at once of jobs that this process adds, within a second of all others. It
// starts the work that all nodes do together when its signal changes. One
// prepared query serves all.
type watch struct {
	db      *sql.DB
	query   *sql.Stmt
	wake    chan struct{} // this process asked for a job
	waiting []*riverdriver.Notification
	signals map[string]*together
}

func newWatch(db *sql.DB, all []*together) *watch {
	w := &watch{db: db, wake: make(chan struct{}, 1), signals: make(map[string]*together)}
	for _, t := range all {
		w.signals[t.kind.Name] = t
	}
	return w
}

// look has the watch look now.
func (w *watch) look() {
	select {
	case w.wake <- struct{}{}:
	default: // it is about to
	}
}

func (w *watch) Connect(ctx context.Context) (err error) {
	w.query, err = w.db.PrepareContext(ctx, `
		SELECT DISTINCT queue, 0 FROM river_job WHERE state = 'available' UNION ALL SELECT name, count FROM node_signals`)
	return err
}

func (w *watch) Close(context.Context) error { return w.query.Close() }

func (w *watch) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	for len(w.waiting) == 0 {
		timer := time.NewTimer(watchInterval)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		}
		timer.Stop()
		err := ctx.Err() // River ends each wait after 5 s
		if err == nil {
			w.waiting, err = w.queues(ctx)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, err
		}
	}
	next := w.waiting[0]
	w.waiting = w.waiting[1:]
	return next, nil
}

// queues returns a notification for each queue in which jobs wait.
func (w *watch) queues(ctx context.Context) (out []*riverdriver.Notification, err error) {
	rows, err := w.query.QueryContext(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var payload struct {
			Queue string `json:"queue"`
		}
		var signal int64
		if err := rows.Scan(&payload.Queue, &signal); err != nil {
			return nil, err
		}
		if signal > 0 {
			if t, ok := w.signals[payload.Queue]; ok {
				t.signalled(signal)
			}
			continue
		}
		text, err := json.Marshal(payload)
		if err != nil {
			return nil, err
		}
		out = append(out, &riverdriver.Notification{Topic: "river_insert", Payload: string(text)})
	}
	return out, rows.Err()
}

// It notifies of insertions whether River listens or not, which is always.
func (*watch) Listen(context.Context, string) error   { return nil }
func (*watch) Unlisten(context.Context, string) error { return nil }
func (w *watch) Ping(ctx context.Context) error       { return w.db.PingContext(ctx) }
func (*watch) Schema() string                         { return "" }
func (*watch) SetAfterConnectExec(string)             {} // for River's tests
