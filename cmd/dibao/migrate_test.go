package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
	"dibao/internal/web"
	"dibao/subscribers"
)

// A mailing that is half sent when its database moves to PostgreSQL continues there, and nobody gets it
// twice. The old database refuses to send; exports and feeds are the same. With DIBAO_LONG=1 the
// database has 1,000,000 readers, 20,000 of whom get the mailing, and 300,000 articles.
func TestMovedMailingGoesOn(t *testing.T) {
	t.Parallel()
	mailed, readers, articles := 400, 1000, 300
	if os.Getenv("DIBAO_LONG") != "" {
		mailed, readers, articles = 20_000, 1_000_000, 300_000
	}
	old := "sqlite:" + filepath.Join(t.TempDir(), "old.db")
	r := newSlowRun(t, old, mailed, 10*time.Millisecond)
	addOthers(t, old, readers-mailed)
	r.says(t, "bench", "search", "--articles", fmt.Sprint(articles), "--queries", "10", "--database", old) // stores the articles
	r.interrupt(t, syscall.SIGTERM, mailed/4)
	target := databasetest.Postgres(t)
	feeds := feedsOf(t, old)
	readersBefore, _ := r.says(t, "subscriber", "export")
	sourcesBefore, _ := r.says(t, "source", "export")
	begun := time.Now()
	_, said := r.says(t, "migrate", "--to", target)
	if !strings.Contains(said, "both contain the same data") {
		t.Fatalf("migrate says %q", said)
	}
	took, memory := time.Since(begun), r.peak
	var refused bytes.Buffer
	r.stderr = &refused
	if err := r.send(t).Wait(); err == nil || !strings.Contains(refused.String(), "was moved to") {
		t.Fatalf("the old database sends (%v): %s", err, refused.String())
	}
	r.env = append(slices.Clone(r.env), "DIBAO_DATABASE_URL="+target)
	readersAfter, _ := r.says(t, "subscriber", "export")
	sourcesAfter, _ := r.says(t, "source", "export")
	if readersAfter != readersBefore || sourcesAfter != sourcesBefore {
		t.Error("the exports of the two databases differ")
	}
	if n := strings.Count(readersBefore, "\n"); n < readers {
		t.Errorf("%d lines were exported for %d readers", n, readers)
	}
	if got := feedsOf(t, target); got != feeds {
		t.Errorf("the feeds are others: %d and %d bytes", len(feeds), len(got))
	}
	r.says(t, "issue", "send")
	lost, duplicates := r.copies(t)
	trust.Report(t, "SQLite to PostgreSQL", "%d readers, %d articles: moved in %s with %d MB; equal exports and feeds; of %d emails, half sent before, %d lost, %d twice",
		readers, articles, took.Round(time.Second), memory>>20, mailed, lost, duplicates)
	if lost+duplicates > 0 {
		t.Errorf("%d lost and %d duplicates, want none", lost, duplicates)
	}
}

// says runs a command, records its memory, and returns its standard output and error.
func (r *killRun) says(t *testing.T, args ...string) (out, notes string) {
	t.Helper()
	var printed, said bytes.Buffer
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = r.env, t.TempDir(), &printed, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v: %s", args, err, said.String())
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = usage.Maxrss << 10 // in kilobytes on Linux
	}
	return printed.String(), said.String()
}

// addOthers stores readers of a list that is never due in a test.
func addOthers(t *testing.T, url string, n int) {
	t.Helper()
	a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": url})
	list, err := a.subscribers.CreateList(t.Context(), subscribers.List{Slug: "yearly", Cron: "0 0 29 2 *"})
	if err != nil {
		t.Fatal(err)
	}
	addresses := make([]string, n)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("other%d@others.example", i)
	}
	addReaders(t, a.db, list, addresses)
}

// feedsOf returns the feeds that a database publishes.
func feedsOf(t *testing.T, url string) string {
	t.Helper()
	a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": url})
	mux := http.NewServeMux()
	a.register(mux, &web.Cache{}, func(subscribers.Confirmation) {})
	var all strings.Builder
	for _, path := range []string{"/feed.atom", "/feed.xml", "/feed.json", "/lists/weekly/"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d", path, w.Code)
		}
		all.WriteString(w.Body.String())
	}
	return all.String()
}
