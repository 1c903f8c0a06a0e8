package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/trust"
)

// findStrace returns the path of strace. It makes system calls of a process fail, as the
// kernel does when a disk fails.
func findStrace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("strace is not installed")
		}
		t.Skip("strace is not installed; install the package strace to let a disk fail")
	}
	return path
}

// startFailing starts dibao so that the system calls that when selects in each of its
// threads (strace(1), "inject") return EIO. The returned process is dibao.
func (r *killRun) startFailing(t *testing.T, strace, calls, when string, args ...string) (*exec.Cmd, *words) {
	t.Helper()
	said := &words{}
	cmd := exec.Command(strace, append([]string{"-D", "-f", "--seccomp-bpf", "-o", "/dev/null",
		"-e", "trace=" + calls, "-e", "inject=" + calls + ":error=EIO:when=" + when, os.Args[0]}, args...)...)
	cmd.Env, cmd.Dir, cmd.Stderr = r.env, t.TempDir(), said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() }) // it has ended unless the test failed
	return cmd, said
}

// diskCalls are the system calls that fail when a disk fails. The first ones of a thread do
// not fail, because the program loader also reads.
var diskCalls = []struct {
	names string
	spare int
}{{"pread64", 10}, {"pwrite64", 0}, {"fsync,fdatasync,ftruncate", 0}}

// TestFailingDiskLosesNobody makes the disk fail permanently at some call, many times, in
// the middle of a delivery: the error says so, the file is not damaged, and with a working
// disk every reader gets the email, and only those whose emails were being sent get it
// twice.
func TestFailingDiskLosesNobody(t *testing.T) {
	strace := findStrace(t)
	times, readers := 2, 400
	if os.Getenv("DIBAO_LONG") != "" {
		times, readers = 15, 3000
	}
	failed, during, lost, twice := 0, 0, 0, 0
	for _, calls := range diskCalls {
		t.Run(calls.names, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "failing.db")
			r := newKillRun(t, "sqlite:"+path, readers)
			for range times {
				if r.box.Count() >= readers {
					break // the run needed no failing call
				}
				before := r.box.Count()
				if !r.sendFailing(t, strace, calls.names, fmt.Sprintf("%d+", calls.spare+1+rand.IntN(readers/8))) {
					continue
				}
				failed++
				if sent := r.box.Count(); sent > before {
					during++
				}
			}
			checkWhole(t, path)
			// Work that was begun when the disk failed waits for a minute.
			l, d := readers, 0
			for deadline := time.Now().Add(5 * time.Minute); l > 0 && time.Now().Before(deadline); l, d = r.copies(t) {
				if err := r.send(t).Wait(); err != nil {
					t.Fatalf("with a disk that works: %v", err)
				}
				time.Sleep(time.Second)
			}
			lost, twice = lost+l, twice+d
		})
	}
	trust.Report(t, "disk that fails (EIO) during delivery", "%d times, %d of them with emails under way: %d lost, %d twice", failed, during, lost, twice)
	if lost > 0 || twice > failed*killConnections || failed == 0 || during == 0 && os.Getenv("DIBAO_LONG") != "" { // in the short run, none of the four may hit a delivery
		t.Errorf("%d times, %d of them with emails under way: %d lost, %d twice", failed, during, lost, twice)
	}
}

// sendFailing sends on a disk that fails, and reports whether that stopped it.
func (r *killRun) sendFailing(t *testing.T, strace, calls, when string) bool {
	t.Helper()
	before := r.box.Count()
	cmd, said := r.startFailing(t, strace, calls, when, "issue", "send")
	stuck := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !stuck.Stop() {
		t.Fatalf("the command does not end:\n%s", said)
	}
	if err == nil {
		return false
	}
	text := said.String()
	t.Logf("call %s of a thread, after %d emails: %s", when, r.box.Count()-before, text)
	if !saysDiskFailed(text) || strings.Contains(text, "panic:") || strings.Contains(text, "goroutine ") {
		t.Errorf("the command says:\n%s", text)
	}
	return true
}

// saysDiskFailed reports whether an error names the disk and what to do.
func saysDiskFailed(text string) bool {
	return strings.Contains(text, "disk") && strings.Contains(text, "system log")
}

// checkWhole reads all pages of a database.
func checkWhole(t *testing.T, path string) {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+path, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestServeOutlivesFailingDisk makes calls of the daemon fail for a while, at the start and
// during a delivery: it continues by itself, or ends with the reason and is restarted as
// the unit in deploy/ does, and every reader gets the email.
func TestServeOutlivesFailingDisk(t *testing.T) {
	strace := findStrace(t)
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("waits for the daemon's heartbeat, minutes in all; set DIBAO_LONG=1")
	}
	const readers = 2000
	failures, ended, lost, twice := 0, 0, 0, 0
	for _, calls := range diskCalls {
		t.Run(calls.names, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "failing.db")
			r := newKillRun(t, "sqlite:"+path, readers)
			address := freeAddress(t)
			r.env = append(r.env, "DIBAO_SERVER_ADDR="+address, "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0", "DIBAO_SERVER_BASE_URL=http://"+address)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			all := make(chan error, 1)
			go func() { all <- r.box.Wait(ctx, readers) }()
			for sent, first := false, calls.spare+1; !sent; first *= 3 { // each start gets further
				serve, said := r.startFailing(t, strace, calls.names, fmt.Sprintf("%d..%d", first, first+4), "serve")
				gone := make(chan error, 1)
				go func() { gone <- serve.Wait() }()
				select {
				case err := <-gone:
					if ended++; err == nil || !saysDiskFailed(said.String()) {
						t.Fatalf("the daemon ended with %v:\n%s", err, said)
					}
				case err := <-all:
					if sent = true; err != nil {
						t.Errorf("%v:\n%s", err, said)
					}
					awaitAnswer(t, "http://"+address+"/readyz")
					awaitAnswer(t, "http://"+address+"/")
					if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
						t.Fatal(err)
					}
					if err := <-gone; err != nil {
						t.Errorf("the daemon ended with %v:\n%s", err, said)
					}
				}
				failures += strings.Count(said.String(), "disk I/O error") + strings.Count(said.String(), "input/output error") + strings.Count(said.String(), "disk image")
				t.Logf("calls from %d on: %s", first, said)
			}
			checkWhole(t, path)
			l, d := r.copies(t)
			lost, twice = lost+l, twice+d
		})
	}
	trust.Report(t, "disk that fails (EIO) for a while under the daemon", "%d errors, %d of them ended it: %d lost, %d twice", failures, ended, lost, twice)
	if lost > 0 || twice > failures*killConnections || failures == 0 {
		t.Errorf("%d lost, %d twice; the daemon reported %d errors", lost, twice, failures)
	}
}
