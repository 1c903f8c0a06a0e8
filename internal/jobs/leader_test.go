package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/jobs"
)

// River rests while there is nothing to do, and a new job then runs at once, even one of
// another process and one whose first attempt failed.
func TestRunnerRests(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ran := make(chan int64, 10)
		tried := false
		kinds := []jobs.Kind{
			{Name: "collect", Run: func(_ context.Context, subject int64) error { ran <- subject; return nil }},
			{Name: "flaky", Run: func(_ context.Context, subject int64) error {
				if !tried {
					tried = true
					return errors.New("not yet")
				}
				ran <- subject
				return nil
			}},
		}
		r, err := jobs.New(db, kinds, nil, quiet)
		if err != nil {
			t.Fatal(err)
		}
		other, err := jobs.New(db, kinds, nil, quiet) // adds jobs and runs none
		if err != nil {
			t.Fatal(err)
		}
		start(t, r)
		for i, from := range []*jobs.Runner{r, other, r} {
			for begun := time.Now(); !r.Resting(); time.Sleep(10 * time.Millisecond) {
				if time.Since(begun) > patience {
					t.Fatal("the runner never rests")
				}
			}
			kind := "collect"
			if i == 2 {
				kind = "flaky"
			}
			if err := from.Enqueue(t.Context(), kind, int64(i)); err != nil {
				t.Fatal(err)
			}
			if got := await(t, ran, "the job"); got != int64(i) {
				t.Fatalf("job %d ran, want %d", got, i)
			}
		}
	})
}

// While River's client can't stop, because the table of its leader is locked, a signal starts
// the work of all nodes at once, and a job that was added in the meantime runs as soon as the
// client has stopped.
func TestSignalWhileRiverStops(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("needs a machine that does nothing else; TestReportNeverWaits tests the same in small; set DIBAO_LONG=1")
	}
	url := databasetest.Postgres(t)
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ran, delivered := make(chan int64, 10), make(chan int64, 10)
	r, err := jobs.New(db, []jobs.Kind{
		{Name: "collect", Run: func(_ context.Context, subject int64) error { ran <- subject; return nil }},
		{Name: "deliver", EveryNode: true, Run: func(context.Context, int64) error { delivered <- 0; return nil }},
	}, nil, quiet)
	if err != nil {
		t.Fatal(err)
	}
	start(t, r)
	await(t, delivered, "the work at the start")
	if err := r.Enqueue(t.Context(), "collect", 1); err != nil {
		t.Fatal(err)
	}
	await(t, ran, "the first job")
	tx, err := db.JobsDB().BeginTx(t.Context(), nil)
	if err == nil {
		defer tx.Rollback()
		_, err = tx.ExecContext(t.Context(), `LOCK TABLE river_leader IN ACCESS EXCLUSIVE MODE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); !r.Stopping(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatal("River's client never stops")
		}
	}
	time.Sleep(3 * time.Second) // several looks: a single one may start before River stops
	if err := r.Enqueue(t.Context(), "collect", 2); err != nil {
		t.Fatal(err)
	}
	if err := jobs.Signal(t.Context(), db, "deliver"); err != nil {
		t.Fatal(err)
	}
	await(t, delivered, "the work after the signal")
	if !r.Stopping() {
		t.Error("the work after the signal waited until River's client had stopped")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := await(t, ran, "the job that came while River stopped"); got != 2 {
		t.Errorf("job %d ran, want 2", got)
	}
}

// One node leads, and adds each due job once; another takes over when it has stopped or is
// gone, and adds what became due in between.
func TestLeader(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var mu sync.Mutex
		living := []string{"FIRST", "SECOND", "THIRD"}
		ran := make(chan int64, 10)
		node := func(name string, n int64) (stop func()) {
			t.Helper()
			r, err := jobs.New(db, []jobs.Kind{
				{Name: "hello", Run: func(context.Context, int64) error { ran <- n; return nil }},
				{Name: "yearly", Run: func(context.Context, int64) error { ran <- 10 * n; return nil }},
			}, []jobs.Schedule{{Cron: "0 0 1 1 *", Zone: time.UTC, Kind: "hello", AtStart: true}, {Cron: "0 0 1 1 *", Zone: time.UTC, Kind: "yearly"}},
				jobs.Options{Logger: quiet.Logger, Node: name, Living: func(context.Context, *database.DB) ([]string, error) {
					mu.Lock()
					defer mu.Unlock()
					return living, nil
				}})
			if err != nil {
				t.Fatal(err)
			}
			return start(t, r)
		}
		leads := func(want string) {
			t.Helper()
			if got, err := jobs.Leader(t.Context(), db); err != nil || got != want {
				t.Fatalf("%q leads, %v; want %s", got, err, want)
			}
		}
		stop := node("FIRST", 1)
		if got := await(t, ran, "what runs when a node begins to lead"); got != 1 {
			t.Fatalf("%d ran", got)
		}
		leads("FIRST")
		stop()
		leads("")
		stop = node("SECOND", 2)
		if got := await(t, ran, "the same on the next node"); got != 2 {
			t.Fatalf("%d ran", got)
		}
		leads("SECOND")
		stop()
		// The third was killed two years ago and is not among the living.
		if err := db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE node_leader SET node = 'FOURTH', minute = $1`, time.Now().AddDate(-2, 0, 0).Unix()/60)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		node("THIRD", 3)
		if sum := await(t, ran, "what was due meanwhile") + await(t, ran, "what runs at the start"); sum != 33 {
			t.Fatalf("the jobs that ran are %d in sum, want one of each kind", sum)
		}
		leads("THIRD")
		// A node that starts later does not take the lead.
		node("FIRST", 1)
		time.Sleep(2 * time.Second)
		leads("THIRD")
		select {
		case got := <-ran:
			t.Fatalf("%d ran twice", got)
		default:
		}
	})
}
