// Package jobs runs background work from a job queue in the database (River), so that any node
// can run it. It runs functions that other packages register.
//
// Both drivers used here work on *sql.Tx, so that there is one client type for SQLite and
// PostgreSQL. Jobs are coarse: collect this source, compose, deliver the mail that is due; never one
// per recipient. A schedule only starts a function, which computes from the database which work is
// due.
package jobs

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"dibao/internal/database"
)

// Kind is a kind of job.
type Kind struct {
	Name     string
	Run      func(ctx context.Context, subject int64) error
	Timeout  time.Duration // 10 m; for one run
	Attempts int           // 3; after an error the job is retried, with growing pauses
	Parallel int           // 1; concurrent runs on this node
	// EveryNode marks work that all nodes do together. It is not a job: each node runs it
	// at its start, every minute, and when a node requests it. On a node it runs once at a
	// time, without a timeout; Attempts and Parallel do not apply.
	EveryNode bool
	// Elsewhere marks work that other nodes do: this one only requests it.
	Elsewhere bool
}

// Schedule enqueues a job repeatedly.
type Schedule struct {
	Cron    string // see ParseSchedule
	Zone    *time.Location
	Kind    string
	AtStart bool // also when this node becomes the leader
}

// Options are the options for running jobs. The zero value of a field means the default
// next to it.
type Options struct {
	Logger *slog.Logger // default: slog.Default
	Node   string       // its name among the nodes, which Leader returns; default: a random one
	// Living returns the names of the running nodes: jobs of others are made available again
	// within a minute. nil means after an hour.
	Living func(ctx context.Context, db *database.DB) ([]string, error)
}

const (
	defaultTimeout  = 10 * time.Minute
	defaultAttempts = 3
	// rescueAfter is when a job that was running on a dead node is started again, unless
	// Living reports that earlier. It is longer than the timeout of any kind.
	rescueAfter = time.Hour
	// fetchInterval is the interval in which each queue polls for jobs by itself. Polling
	// is not needed: every second, the watch notifies each queue of all jobs that it has
	// not fetched yet.
	fetchInterval = 24 * time.Hour
)

// Runner runs jobs on this node.
type Runner struct {
	client *river.Client[*sql.Tx]
	// inserter adds jobs. It is a separate client, because the working one starts its
	// producers while others may be adding jobs (a race in River 0.51).
	inserter *river.Client[*sql.Tx]
	kinds    map[string]Kind
	hasWork  bool
	worker   *worker
	stage    atomic.Int32 // the stage of River's client
	watch    *watch       // wakes the queues, and runs the work that all nodes do
	together []*together  // the kinds that all nodes run
	plans    []planned
	db       *database.DB
	opts     Options
}

// call is a job as the queue stores it.
type call struct {
	Task    string `json:"task" river:"unique"`
	Subject int64  `json:"subject" river:"unique"`
}

// Kind returns the same kind for all jobs in River; the task determines what a job does.
func (call) Kind() string { return "dibao" }

// New returns a runner; it starts no jobs before Run. Names of kinds are also names of
// queues, so that a slow kind never delays another.
func New(db *database.DB, kinds []Kind, schedules []Schedule, opts Options) (*Runner, error) {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Node == "" {
		opts.Node = rand.Text()
	}
	r := &Runner{kinds: make(map[string]Kind, len(kinds)), db: db, opts: opts}
	r.worker = &worker{kinds: r.kinds, logger: opts.Logger}
	config := &river.Config{
		ID:                          opts.Node,
		Logger:                      slog.New(quieter{opts.Logger.Handler()}),
		FetchPollInterval:           fetchInterval,
		RescueStuckJobsAfter:        rescueAfter,
		CompletedJobRetentionPeriod: time.Hour,
		Queues:                      make(map[string]river.QueueConfig, len(kinds)),
		Workers:                     river.NewWorkers(),
	}
	for _, k := range kinds {
		if k.Timeout <= 0 {
			k.Timeout = defaultTimeout
		}
		if k.Timeout >= rescueAfter {
			return nil, fmt.Errorf("jobs of kind %q have a time limit of %s; use less than %s", k.Name, k.Timeout, rescueAfter)
		}
		if k.Attempts <= 0 {
			k.Attempts = defaultAttempts
		}
		r.kinds[k.Name] = k
		switch {
		case k.Elsewhere:
			continue
		case k.EveryNode:
			r.together = append(r.together, newTogether(k, opts.Logger))
			continue
		}
		config.Queues[k.Name] = river.QueueConfig{MaxWorkers: max(k.Parallel, 1)}
	}
	if err := river.AddWorkerSafely(config.Workers, r.worker); err != nil {
		return nil, err
	}
	for _, s := range schedules {
		p, err := r.plan(s)
		if err != nil {
			return nil, err
		}
		r.plans = append(r.plans, p)
	}
	r.hasWork = len(config.Queues) > 0 || len(r.together) > 0
	r.watch = newWatch(db.JobsDB(), opts.Logger, r.together)
	for queue := range config.Queues {
		r.watch.own[queue] = true
	}
	client, err := river.NewClient(watchedDriver{driver(db), r.watch}, config)
	if err == nil {
		r.client = client
		r.inserter, err = newInserter(db, config.Logger)
	}
	if err != nil {
		return nil, fmt.Errorf("set up the job queue: %w", err)
	}
	return r, nil
}

// newInserter returns a client that adds jobs and runs none.
func newInserter(db *database.DB, logger *slog.Logger) (*river.Client[*sql.Tx], error) {
	return river.NewClient(watchedDriver{Driver: driver(db)}, &river.Config{Logger: logger})
}

// quieter logs River's information messages at level debug, because River counts its jobs
// every few seconds.
type quieter struct{ slog.Handler }

func quieterLevel(l slog.Level) slog.Level {
	if l == slog.LevelInfo {
		return slog.LevelDebug
	}
	return l
}

func (q quieter) Enabled(ctx context.Context, l slog.Level) bool {
	return q.Handler.Enabled(ctx, quieterLevel(l))
}

func (q quieter) Handle(ctx context.Context, r slog.Record) error {
	r.Level = quieterLevel(r.Level)
	return q.Handler.Handle(ctx, r)
}

func (q quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(attrs)}
}

func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }

func driver(db *database.DB) riverdriver.Driver[*sql.Tx] {
	if db.Dialect() == database.Postgres {
		return riverdatabasesql.New(db.JobsDB())
	}
	return riversqlite.New(db.JobsDB())
}

// insertMost is the number of jobs that one statement adds.
const insertMost = 200

// Enqueue adds a job for each subject, which runs as soon as a worker is free. While a job of
// the same kind and subject waits or runs, it adds nothing. For a kind that all nodes run, it
// signals all nodes; such a kind has no subject.
func (r *Runner) Enqueue(ctx context.Context, kind string, subjects ...int64) error {
	opts, err := r.insertOpts(kind)
	if err != nil {
		return err
	}
	defer r.watch.look()
	if r.kinds[kind].EveryNode {
		return Signal(ctx, r.db, kind)
	}
	for some := range slices.Chunk(subjects, insertMost) {
		params := make([]river.InsertManyParams, len(some))
		for i, subject := range some {
			params[i] = river.InsertManyParams{Args: call{kind, subject}, InsertOpts: opts}
		}
		if _, err := r.inserter.InsertManyFast(ctx, params); err != nil {
			return fmt.Errorf("add jobs: %w", err)
		}
		r.watch.look()
	}
	return nil
}

func (r *Runner) insertOpts(kind string) (*river.InsertOpts, error) {
	k, ok := r.kinds[kind]
	if !ok {
		return nil, fmt.Errorf("unknown kind of job %q", kind)
	}
	return insertOpts(k.Name, k.Attempts), nil
}

func insertOpts(kind string, attempts int) *river.InsertOpts {
	return &river.InsertOpts{
		Queue: kind, MaxAttempts: attempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
			rivertype.JobStateRunning, rivertype.JobStateScheduled,
		}},
	}
}

// Run runs jobs until ctx ends, which also ends the context of running jobs, and returns
// when these have ended. An interrupted job runs again later.
func (r *Runner) Run(ctx context.Context) error {
	if !r.hasWork {
		<-ctx.Done()
		return nil
	}
	var all sync.WaitGroup
	defer all.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := database.RetryUntilReachable(ctx, r.opts.Logger, func() error { return r.clear(ctx) }); err != nil {
		return fmt.Errorf("start the job queue: %w", database.Explain(err))
	}
	if r.opts.Living != nil {
		all.Go(func() { r.takeBackAgain(ctx) })
	}
	for _, t := range r.together {
		all.Go(func() { t.run(ctx) })
	}
	if len(r.plans) > 0 {
		all.Go(func() { r.lead(ctx) })
	}
	all.Go(func() { r.watch.run(ctx) })
	return r.work(ctx)
}

// clear removes the jobs of earlier releases that no node runs any more, and makes those of
// nodes that are gone available again.
func (r *Runner) clear(ctx context.Context) error {
	for _, t := range r.together { // it had a schedule in an earlier release, and is not a job now
		if _, err := r.db.JobsDB().ExecContext(ctx, `DELETE FROM river_job WHERE queue = $1 AND state <> 'running'`, t.kind.Name); err != nil {
			return err
		}
	}
	if r.opts.Living == nil {
		return nil
	}
	return r.takeBack(ctx)
}

// worker runs jobs of every kind.
type worker struct {
	river.WorkerDefaults[call]
	kinds   map[string]Kind
	logger  *slog.Logger
	running atomic.Int64
}

func (w *worker) Timeout(job *river.Job[call]) time.Duration {
	if k, ok := w.kinds[job.Args.Task]; ok {
		return k.Timeout
	}
	return defaultTimeout
}

// Work runs the job's function. It returns a panic as an error.
func (w *worker) Work(ctx context.Context, job *river.Job[call]) (err error) {
	w.running.Add(1)
	defer w.running.Add(-1)
	k, ok := w.kinds[job.Args.Task]
	if !ok {
		return river.JobCancel(fmt.Errorf("unknown job %q", job.Args.Task))
	}
	err = k.Run(ctx, job.Args.Subject)
	if err != nil && ctx.Err() == nil {
		w.logger.Warn("job failed", "job", job.Args.Task, "subject", job.Args.Subject, "attempt", job.Attempt, "err", err)
	}
	return err
}

// Counts returns the number of jobs in the queue, by River's state: available, running,
// retryable, scheduled, and for a while completed and discarded.
func Counts(ctx context.Context, db *database.DB) (counts map[string]int, err error) {
	err = db.Read(ctx, func(tx *sql.Tx) error {
		counts, err = database.CollectMap(ctx, tx, database.ScanPair[string, int], `SELECT state, COUNT(*) FROM river_job GROUP BY state`)
		return err
	})
	return counts, err
}
