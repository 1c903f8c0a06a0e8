package feed_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
)

// crash collects a source in a process that is killed in the middle: the collection that it
// began in the database never ends.
func crash(t *testing.T, db *database.DB, at time.Time, id int64) {
	t.Helper()
	r := newRoom(t, db)
	r.at = at
	r.FileText = func(context.Context, []byte) ([]string, error) { runtime.Goexit(); return nil, nil }
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Collect(t.Context(), id)
		t.Error("the collection came back")
	}()
	<-done
}

// hostileSource is a list with one PDF, whose reading the tests interrupt.
func hostileSource(t *testing.T, r *room) (*stubSite, feed.Source) {
	s := newSite(t)
	s.set("/list", list("/a.pdf", "/b.pdf"), 0)
	s.set("/a.pdf", "%PDF-1.4", 0)
	s.set("/b.pdf", "%PDF-1.4", 0)
	return s, r.add(feed.Source{URL: s.URL + "/list", Kind: "page"})
}

// TestThirdCrashSlowsSource checks that a source fails, with the reason, when the process
// ended three times while it was collected; it then backs off. Until then, and after a
// success, it is collected as usual.
func TestThirdCrashSlowsSource(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		s, src := hostileSource(t, r)
		r.FileText = func(context.Context, []byte) ([]string, error) {
			return []string{"一、各地要认真做好养老服务工作。"}, nil
		}
		for range 2 {
			crash(t, db, r.at, src.ID)
		}
		if done, err := r.collect(src.ID); err != nil || done.Source.State != feed.StateOK {
			t.Fatalf("after two crashes: %s, %v", done.Source.State, err)
		}
		s.set("/list", list("/c.pdf", "/d.pdf"), 0)
		s.set("/c.pdf", "%PDF-1.4", 0)
		s.set("/d.pdf", "%PDF-1.4", 0)
		crash(t, db, r.at, src.ID)
		if done, err := r.collect(src.ID); err != nil {
			t.Fatalf("a crash after a success: %s, %v", done.Source.State, err)
		}
		_, src = hostileSource(t, r)
		const crashes = 3
		for range crashes {
			crash(t, db, r.at, src.ID)
		}
		done, err := r.collect(src.ID)
		if err == nil || done.Source.State != feed.StateFailing || !strings.Contains(done.Source.LastError, "unexpectedly 3 times") {
			t.Errorf("after three crashes: %s, %v", done.Source.State, err)
		}
		pause := done.Source.NextAt.Sub(r.at)
		if pause < src.Interval || pause > src.Interval*11/10 {
			t.Errorf("the next collection is in %s, want the interval %s", pause, src.Interval)
		}
		trust.Report(t, "source that ends the process", "%s after %d ends in a row, the next try %s later", done.Source.State, crashes, pause.Round(time.Minute))
		stored, err := r.Store.SourceByRef(t.Context(), src.URL)
		if err != nil || stored.State != feed.StateFailing || stored.Advice() == "" {
			t.Errorf("stored: %s, %v", stored.State, err)
		}
		if due, err := r.Store.DueSources(t.Context()); err != nil || len(due) > 0 {
			t.Errorf("due: %v, %v", due, err)
		}
		// If it ends the process again, the pause is twice as long.
		r.at = done.Source.NextAt
		crash(t, db, r.at, src.ID)
		if done, err = r.collect(src.ID); err == nil || done.Source.NextAt.Sub(r.at) < 2*src.Interval {
			t.Errorf("after the fourth crash the next collection is in %s, %v", done.Source.NextAt.Sub(r.at), err)
		}
		// Later it is tried again, and succeeds.
		r.at = r.at.Add(48 * time.Hour)
		if done, err := r.collect(src.ID); err != nil || done.Source.State != feed.StateOK {
			t.Errorf("a day later: %s, %v", done.Source.State, err)
		}
	})
}

// TestStoppingIsNoCrash stops the daemon three times in the middle of a collection.
func TestStoppingIsNoCrash(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		_, src := hostileSource(t, r)
		for range 3 {
			ctx, stop := context.WithCancel(t.Context())
			r.FileText = func(context.Context, []byte) ([]string, error) { stop(); return nil, ctx.Err() }
			if _, err := r.Collect(ctx, src.ID); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		r.FileText = func(context.Context, []byte) ([]string, error) {
			return []string{"一、各地要认真做好养老服务工作。"}, nil
		}
		if done, err := r.collect(src.ID); err != nil || done.Source.State != feed.StateOK {
			t.Errorf("%s, %v", done.Source.State, err)
		}
	})
}

// TestPanicIsOfOneSource checks that a panic while a source is read does not stop the
// daemon.
func TestPanicIsOfOneSource(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		_, src := hostileSource(t, r)
		_, next := hostileSource(t, r)
		var panics atomic.Int64
		r.FileText = func(context.Context, []byte) ([]string, error) { panics.Add(1); panic("index out of range") }
		done, err := r.collect(src.ID)
		if err == nil || done.Source.State != feed.StateFailing || !strings.Contains(done.Source.LastError, "index out of range") {
			t.Errorf("%s, %v", done.Source.State, err)
		}
		r.FileText = func(context.Context, []byte) ([]string, error) {
			return []string{"一、各地要认真做好养老服务工作。"}, nil
		}
		other, err := r.collect(next.ID)
		if err != nil || other.Source.State != feed.StateOK {
			t.Errorf("the next source: %s, %v", other.Source.State, err)
		}
		trust.Report(t, "panic in what reads a source", "panics: %d; the source is %s with the reason, the next one %s", panics.Load(), done.Source.State, other.Source.State)
	})
}
