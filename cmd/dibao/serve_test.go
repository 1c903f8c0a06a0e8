package main

import (
	"context"
	"database/sql"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// The daemon composes the issues that are due and delivers it, answers over HTTP, stops with status 0
// on SIGTERM, and sends nothing twice after a restart.
func TestServe(t *testing.T) {
	t.Parallel()
	databasetest.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		r := newKillRun(t, url, 3)
		// A list that became due while nothing ran: every Monday for a month.
		db, err := database.Open(t.Context(), url, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(tx *sql.Tx) error {
			month := time.Now().UTC().AddDate(0, -1, 0).Truncate(time.Microsecond)
			for _, q := range []string{`DELETE FROM deliveries`, `DELETE FROM mailing_items`, `DELETE FROM variants`, `DELETE FROM issue_items`, `DELETE FROM issues`, `DELETE FROM mailings`} {
				if _, err := tx.ExecContext(t.Context(), q); err != nil {
					return err
				}
			}
			_, err := tx.ExecContext(t.Context(), `UPDATE lists SET created_at = $1`, month)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		address := freeAddress(t)
		r.env = append(r.env, "DIBAO_SERVER_ADDR="+address, "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0", "DIBAO_SERVER_BASE_URL=http://"+address)
		for round := range 2 {
			serve := r.start(t, "serve")
			awaitAnswer(t, "http://"+address+"/readyz")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := r.box.Wait(ctx, 3); err != nil {
				t.Fatal(err)
			}
			cancel()
			if page := awaitAnswer(t, "http://"+address+"/lists/weekly/issues/1?lang=zh"); !strings.Contains(page, "第 1 期") {
				t.Errorf("the archive has no issue 1:\n%.500s", page)
			}
			if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := serve.Wait(); err != nil {
				t.Fatalf("round %d: serve ended with %v", round, err)
			}
		}
		if n := r.box.Count(); n != 3 {
			t.Fatalf("%d messages for 3 readers after a restart", n)
		}
	})
}

// start starts dibao with arguments in the run's environment.
func (r *killRun) start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env, cmd.Dir = r.env, t.TempDir()
	cmd.Stderr = r.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() }) // it has ended unless the test failed
	return cmd
}

// freeAddress returns an address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// awaitAnswer repeats a request until it is answered with 200.
func awaitAnswer(t *testing.T, address string) string {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		res, err := http.Get(address)
		if err == nil {
			body, readErr := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode == http.StatusOK && readErr == nil {
				return string(body)
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not answer: %v", address, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
