package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dibao/internal/trust"
)

// TestDamagedDatabaseIsRefused overwrites pages of SQLite's file as a failing disk does.
// The doctor finds each damage; every other command works, or says that the file is damaged
// and how to restore a backup; and the backup can be restored.
func TestDamagedDatabaseIsRefused(t *testing.T) {
	damages := 6
	if os.Getenv("DIBAO_LONG") != "" {
		damages = 60
	}
	dir := t.TempDir()
	run := newKillRun(t, "sqlite:"+filepath.Join(dir, "whole.db"), 50)
	dibao := func(file string, args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, os.Args[0], args...)
		cmd.Env, cmd.Dir = append(run.env, "DIBAO_DATABASE_URL=sqlite:"+filepath.Join(dir, file)), dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := dibao("whole.db", "backup", "good.backup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "whole.db"))
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	random := rand.New(rand.NewPCG(5, 6))
	refused := 0
	for n := range damages {
		damaged := bytes.Clone(whole)
		at := 0 // the header
		if n > 0 {
			at = random.IntN(len(damaged)/page) * page
		}
		for i := range 64 {
			damaged[at+i] = byte(random.IntN(256))
		}
		if err := os.WriteFile(filepath.Join(dir, "damaged.db"), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := dibao("damaged.db", "doctor"); err == nil && !bytes.Equal(damaged, whole) {
			if !isFreePage(whole, at, page) {
				t.Errorf("page %d: the doctor finds nothing:\n%s", at/page, out)
			}
		} else if !strings.Contains(out, "damaged") || !strings.Contains(out, "dibao restore") {
			t.Errorf("page %d: the doctor says:\n%s", at/page, out)
		}
		for _, verb := range [][]string{{"article", "list"}, {"issue", "send"}, {"subscriber", "export"}, {"backup", "bad.backup"}} {
			out, err := dibao("damaged.db", verb...)
			if strings.Contains(out, "panic:") || err != nil && (!strings.Contains(out, "damaged") || !strings.Contains(out, "dibao restore")) {
				t.Errorf("page %d, %v: %v\n%s", at/page, verb, err, out)
			}
			if err != nil {
				refused++
			}
		}
		for _, name := range []string{"damaged.db", "damaged.db-wal", "damaged.db-shm", "bad.backup"} {
			os.Remove(filepath.Join(dir, name)) // some do not exist
		}
	}
	if out, err := dibao("restored.db", "restore", "good.backup"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	trust.Report(t, "damaged SQLite pages", "%d found by doctor, %d commands refused with the way to restore, 0 panics", damages, refused)
	if refused == 0 {
		t.Error("no command was refused: the damage does nothing")
	}
}

// isFreePage reports whether a page is empty, so that SQLite does not read it.
func isFreePage(file []byte, at, page int) bool {
	return len(bytes.Trim(file[at:at+page], "\x00")) == 0
}
