package main

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
)

// The daemon survives a PostgreSQL that is restarted as if it had crashed, three times in
// the middle of a delivery: it continues by itself, and every reader gets the email, none
// more than twice.
func TestServeOutlivesPostgres(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("waits for the daemon's heartbeat, minutes in all; set DIBAO_LONG=1")
	}
	url, restart := databasetest.PostgresOfItsOwn(t)
	const readers, restarts = 2000, 3
	r := newKillRun(t, url, readers)
	address := freeAddress(t)
	r.env = append(r.env, "DIBAO_SERVER_ADDR="+address, "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0", "DIBAO_SERVER_BASE_URL=http://"+address)
	serve := r.start(t, "serve")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for n := range restarts {
		if err := r.box.Wait(ctx, (n+1)*readers/(restarts+1)); err != nil {
			t.Fatal(err)
		}
		restart()
	}
	if err := r.box.Wait(ctx, readers); err != nil {
		t.Error(err)
	}
	awaitAnswer(t, "http://"+address+"/readyz")
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	lost, duplicates := r.copies(t)
	trust.Report(t, "PostgreSQL restarted under the daemon", "%d restarts: %d lost, %d twice", restarts, lost, duplicates)
	if lost > 0 || duplicates > restarts*killConnections {
		t.Errorf("%d lost, %d duplicates", lost, duplicates)
	}
}
