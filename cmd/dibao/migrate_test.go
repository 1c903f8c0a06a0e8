package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dibao/internal/database/databasetest"
	"dibao/internal/web"
	"dibao/subscribers"
)

// A mailing that is half sent when its database moves to PostgreSQL goes on there, and
// nobody gets it twice. The old database refuses to send.
func TestMovedMailingGoesOn(t *testing.T) {
	t.Parallel()
	const readers = 400
	old := "sqlite:" + filepath.Join(t.TempDir(), "old.db")
	r := newSlowRun(t, old, readers, 10*time.Millisecond)
	r.interrupt(t, syscall.SIGTERM, readers/4)
	target := databasetest.Postgres(t)
	feeds := feedsOf(t, old)
	move := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		r.stderr = &out
		cmd := r.start(t, append([]string{"migrate"}, args...)...)
		if err := cmd.Wait(); err != nil {
			t.Fatalf("migrate %v: %v: %s", args, err, out.String())
		}
		return out.String()
	}
	if said := move("--to", target); !strings.Contains(said, "both contain the same data") {
		t.Fatalf("migrate says %q", said)
	}
	var said bytes.Buffer
	r.stderr = &said
	if err := r.send(t).Wait(); err == nil || !strings.Contains(said.String(), "was moved to") {
		t.Fatalf("the old database sends (%v): %s", err, said.String())
	}
	r.env = append(slices.Clone(r.env), "DIBAO_DATABASE_URL="+target)
	said.Reset()
	if err := r.send(t).Wait(); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	if lost, duplicates := r.copies(t); lost+duplicates > 0 {
		t.Errorf("%d lost and %d duplicates, want none", lost, duplicates)
	}
	if got := feedsOf(t, target); got != feeds {
		t.Errorf("the feeds are others:\n%s\n%s", feeds, got)
	}
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
