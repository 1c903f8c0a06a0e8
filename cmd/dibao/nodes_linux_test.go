package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"dibao/internal/database/databasetest"
)

// container starts a node as containers do: it is process 1, and has its own temporary
// files.
func (r *killRun) container(t *testing.T) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "serve", "--role", "deliver")
	cmd.Dir, cmd.Stderr = t.TempDir(), r.stderr
	cmd.Env = append(slices.Clone(r.env), "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0", "TMPDIR="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if os.Getuid() != 0 { // an ordinary user needs a user namespace
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
	}
	err = cmd.Start()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("this system permits no PID namespaces: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() }) // it has ended unless the test failed
	return cmd
}

// Two containers have the same host name and are both process 1. Neither considers the
// other ended: every reader gets one email, although the second starts while the first is
// sending.
func TestContainersShareTheMailing(t *testing.T) {
	if testing.Short() {
		t.Skip("sends 600 messages")
	}
	t.Parallel()
	r := newSlowRun(t, databasetest.Postgres(t), 600, 20*time.Millisecond)
	both := []*exec.Cmd{r.container(t)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.box.Wait(ctx, 50); err != nil {
		t.Fatal(err)
	}
	both = append(both, r.container(t))
	r.finish(t, time.Minute)
	for _, cmd := range both {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("a node that was stopped: %v", err)
		}
	}
	if lost, duplicates := r.copies(t); lost+duplicates > 0 {
		t.Errorf("%d lost and %d twice", lost, duplicates)
	}
}
