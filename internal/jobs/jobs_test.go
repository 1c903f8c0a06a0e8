package jobs_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/jobs"
)

// patience limits the waits of a test; if all is well, no wait takes that long.
const patience = 30 * time.Second

var quiet = jobs.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}

// start runs a runner until the test ends and fails the test if it stops with an error.
func start(t *testing.T, r *jobs.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("run: %v", err)
			}
			ended <- nil
		case <-time.After(patience):
			t.Error("the runner did not stop")
		}
	}
	t.Cleanup(stop)
	return stop
}

func await(t *testing.T, c <-chan int64, what string) int64 {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not happen", what)
		return 0
	}
}

func TestRunner(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ran := make(chan int64, 10)
		failed := make(chan int64, 10)
		release := make(chan struct{})
		var tries atomic.Int64
		r, err := jobs.New(db, []jobs.Kind{
			{Name: "collect", Run: func(_ context.Context, subject int64) error { ran <- subject; return nil }},
			{Name: "flaky", Run: func(context.Context, int64) error {
				if n := tries.Add(1); n < 2 {
					failed <- n
					return errors.New("not yet")
				}
				ran <- -1
				return nil
			}},
			{Name: "slow", Run: func(ctx context.Context, subject int64) error {
				ran <- subject
				<-release
				return nil
			}},
			{Name: "panics", Attempts: 1, Run: func(context.Context, int64) error { failed <- -2; panic("boom") }},
		}, nil, quiet)
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		enqueue := func(kind string, subject int64) {
			t.Helper()
			if err := r.Enqueue(ctx, kind, subject); err != nil {
				t.Fatal(err)
			}
		}
		enqueue("collect", 7)
		enqueue("collect", 7) // the first one waits: nothing is added
		stop := start(t, r)
		if got := await(t, ran, "the job"); got != 7 {
			t.Fatalf("subject %d, want 7", got)
		}
		enqueue("panics", 1)
		await(t, failed, "the panic")
		enqueue("flaky", 1)
		await(t, failed, "the first try")
		if got := await(t, ran, "the second try"); got != -1 {
			t.Fatalf("got subject %d, want the flaky job: a job ran twice", got)
		}
		enqueue("slow", 5)
		await(t, ran, "the slow job")
		close(release)
		stop()
		select {
		case got := <-ran:
			t.Fatalf("job %d ran, but nobody added it", got)
		default:
		}
	})
}

// Many jobs that are added at once, or again while they wait, each run once.
func TestEnqueueMany(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		const many = 450 // more than two statements add
		ran := make(chan int64, 3*many)
		r, err := jobs.New(db, []jobs.Kind{{Name: "collect", Parallel: 50, Run: func(_ context.Context, subject int64) error { ran <- subject; return nil }}}, nil, quiet)
		if err != nil {
			t.Fatal(err)
		}
		var subjects []int64
		for i := range int64(many) {
			subjects = append(subjects, i)
		}
		for range 2 { // no job runs yet
			if err := r.Enqueue(t.Context(), "collect", append(subjects, 7)...); err != nil {
				t.Fatal(err)
			}
		}
		start(t, r)
		seen := make(map[int64]int)
		for range many {
			seen[await(t, ran, "a job")]++
		}
		for subject, n := range seen {
			if n != 1 {
				t.Errorf("the job of %d ran %d times", subject, n)
			}
		}
	})
}

func TestTwoRunnersShareTheWork(t *testing.T) {
	t.Parallel()
	url := databasetest.Postgres(t)
	ran := make(chan int64, 100)
	var first *jobs.Runner
	for range 2 {
		db, err := database.Open(t.Context(), url, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		r, err := jobs.New(db, []jobs.Kind{{Name: "count", Parallel: 2, Run: func(_ context.Context, subject int64) error {
			ran <- subject
			return nil
		}}}, nil, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = r
		}
		start(t, r)
	}
	seen := make(map[int64]int)
	for i := range int64(20) {
		if err := first.Enqueue(t.Context(), "count", i); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		seen[await(t, ran, "a job")]++
	}
	for subject, n := range seen {
		if n != 1 {
			t.Errorf("job %d ran %d times", subject, n)
		}
	}
}

func TestNewRefusesABadSchedule(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		kinds := []jobs.Kind{{Name: "x", Run: func(context.Context, int64) error { return nil }}}
		for _, s := range []jobs.Schedule{{Cron: "bad", Zone: time.UTC, Kind: "x"}, {Cron: "* * * * *", Zone: time.UTC, Kind: "y"}} {
			if _, err := jobs.New(db, kinds, []jobs.Schedule{s}, quiet); err == nil {
				t.Errorf("%+v was accepted", s)
			}
		}
	})
}

// Without the watch it would take a minute, which is longer than the test waits.
func TestJobsRunAtOnce(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ran := make(chan int64, 10)
		r, err := jobs.New(db, []jobs.Kind{{Name: "collect", Run: func(_ context.Context, subject int64) error { ran <- subject; return nil }}}, nil, quiet)
		if err != nil {
			t.Fatal(err)
		}
		start(t, r)
		// Jobs that are added shortly after another one run, too.
		for i := range int64(6) {
			if err := r.Enqueue(t.Context(), "collect", i); err != nil {
				t.Fatal(err)
			}
		}
		for range 6 {
			await(t, ran, "each of six jobs")
		}
	})
}

// Work that all nodes do together runs on each at its start, when any process requests it,
// and once more if it is requested while it runs. A node that leaves the work to others
// signals them.
func TestEveryNode(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ran := make(chan int64, 10)
		release := make(chan struct{})
		node := func(n int64) *jobs.Runner {
			r, err := jobs.New(db, []jobs.Kind{{Name: "deliver", EveryNode: true, Run: func(ctx context.Context, _ int64) error {
				ran <- n
				select {
				case <-release:
				case <-ctx.Done():
				}
				return nil
			}}}, nil, quiet)
			if err != nil {
				t.Fatal(err)
			}
			start(t, r)
			return r
		}
		node(1)
		node(2)
		both := func(what string) {
			t.Helper()
			if a, b := await(t, ran, what), await(t, ran, what); a == b {
				t.Fatalf("%s: node %d ran twice", what, a)
			}
		}
		both("the run at the start")
		// The watch may still see a first signal: count only the runs after it.
		if err := jobs.Signal(t.Context(), db, "deliver"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second) // both run it, and see the signal
		select {
		case n := <-ran:
			t.Fatalf("node %d runs twice at a time", n)
		default:
		}
		close(release)
		both("the run after a signal that came meanwhile")
		other, err := jobs.New(db, []jobs.Kind{{Name: "deliver", EveryNode: true, Elsewhere: true}}, nil, quiet)
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t, other)
		if err := other.Enqueue(t.Context(), "deliver", 0); err != nil {
			t.Fatal(err)
		}
		both("the run that a node without it asked for")
		stop()
	})
}

// The jobs of a node that is gone run on another; those of a living node do not.
func TestJobsOfDeadNodes(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ran := make(chan int64, 10)
		node := func(name string, living ...string) *jobs.Runner {
			r, err := jobs.New(db, []jobs.Kind{{Name: "compose", Attempts: 1, Run: func(ctx context.Context, subject int64) error {
				ran <- subject
				<-ctx.Done()
				return ctx.Err()
			}}}, nil, jobs.Options{Logger: quiet.Logger, Node: name, Living: func(context.Context, *database.DB) ([]string, error) { return living, nil }})
			if err != nil {
				t.Fatal(err)
			}
			start(t, r)
			return r
		}
		first := node("FIRST")
		if err := first.Enqueue(t.Context(), "compose", 7); err != nil {
			t.Fatal(err)
		}
		await(t, ran, "the job")
		second := node("SECOND", "FIRST")
		if err := second.Enqueue(t.Context(), "compose", 7); err != nil { // it runs: nothing is added
			t.Fatal(err)
		}
		if err := second.Enqueue(t.Context(), "compose", 8); err != nil {
			t.Fatal(err)
		}
		if got := await(t, ran, "another job"); got != 8 {
			t.Fatalf("job %d of a running node was made available again", got)
		}
		node("THIRD", "SECOND")
		if got := await(t, ran, "the job of the node that is gone"); got != 7 {
			t.Fatalf("job %d runs again, want that of the node that is gone", got)
		}
	})
}
