package main

import (
	"context"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
)

// TestSuspendedDeliveryIsFinishedByAnother stops a delivering process with SIGSTOP, as when
// a virtual machine is suspended, lets a second process deliver in the meantime, and
// continues the first: the emails that it had claimed are sent once.
func TestSuspendedDeliveryIsFinishedByAnother(t *testing.T) {
	t.Parallel()
	times, readers := 2, 600
	if os.Getenv("DIBAO_LONG") != "" {
		times, readers = 20, 5000
	}
	for name, url := range map[string]func(testing.TB) string{"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			r := newKillRun(t, url(t), readers)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			suspended := 0
			for range times {
				first := r.send(t)
				if err := r.box.Wait(ctx, min(readers, r.box.Count()+readers/times/4+rand.IntN(20))); err != nil {
					t.Fatal(err)
				}
				if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				before := r.box.Count()
				second := r.send(t)
				// On SQLite the first may have been stopped in a transaction: then the
				// second waits, and continues with it.
				waitCtx, stop := context.WithTimeout(ctx, 3*time.Second)
				_ = r.box.Wait(waitCtx, min(readers, before+readers/times/4)) // an error means that the time is up
				stop()
				if r.box.Count() < readers {
					suspended++
				}
				if err := first.Process.Signal(syscall.SIGCONT); err != nil {
					t.Fatal(err)
				}
				_, _ = first.Wait(), second.Wait() // a refusal because of a busy database is left to the next run
			}
			if err := r.send(t).Wait(); err != nil {
				t.Fatal(err)
			}
			lost, twice := r.copies(t)
			trust.Report(t, "SIGSTOP during delivery, "+name, "stops: %d, %d lost, %d twice", suspended, lost, twice)
			if lost+twice > 0 || suspended == 0 {
				t.Errorf("%d lost, %d twice after %d suspensions", lost, twice, suspended)
			}
		})
	}
}
