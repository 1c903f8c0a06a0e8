package trace_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trace"
	"dibao/internal/trace/tracetest"
)

// run runs a tracer until stop is called.
func run(tr *trace.Tracer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { tr.Run(ctx) })
	return func() { cancel(); running.Wait() }
}

func tracer(endpoint string, log io.Writer) *trace.Tracer {
	return trace.New(trace.Options{Endpoint: endpoint, Version: "1.2", Host: "h", Now: time.Now, Logger: slog.New(slog.NewTextHandler(log, nil))})
}

// Complete spans arrive when the program ends, in the form that OTLP/HTTP prescribes.
func TestSpansArrive(t *testing.T) {
	t.Parallel()
	collector := tracetest.New(t)
	tr := tracer(collector.URL, io.Discard)
	stop := run(tr)
	ctx, collect := trace.Start(trace.With(t.Context(), tr), "collect source", slog.Int64("source.id", 5))
	_, fetch := trace.Start(ctx, "fetch", slog.String("url.full", "https://a.example/"))
	fetch.Set(slog.Bool("ok", false))
	fetch.End(errors.New("no answer"))
	collect.End(nil)
	_, compose := trace.Start(trace.With(t.Context(), tr), "compose issues")
	compose.Move(collect.Parent())
	compose.Link(fetch.Parent())
	compose.End(nil)
	_, elsewhere := trace.Start(trace.Under(trace.With(t.Context(), tr), compose.Parent()), "deliver mailing")
	elsewhere.End(nil)
	stop()

	all := collector.Spans()
	c, f, m, d := all["collect source"], all["fetch"], all["compose issues"], all["deliver mailing"]
	if len(all) != 4 || c.ParentSpanID != "" || f.ParentSpanID != c.SpanID || m.ParentSpanID != c.SpanID || d.ParentSpanID != m.SpanID {
		t.Fatalf("spans %+v", all)
	}
	for name, s := range all {
		if s.TraceID != c.TraceID {
			t.Errorf("%s is in another trace", name)
		}
	}
	if c.Attributes["source.id"] != "5" || f.Attributes["url.full"] != "https://a.example/" || f.Attributes["ok"] != "false" {
		t.Errorf("attributes %v, %v", c.Attributes, f.Attributes)
	}
	if f.Failed != "no answer" || c.Failed != "" || len(m.Links) != 1 || m.Links[0] != f.SpanID {
		t.Errorf("failed %q and %q, links %v", f.Failed, c.Failed, m.Links)
	}
}

// Without a tracer nothing is recorded, and no call fails.
func TestWithoutTracer(t *testing.T) {
	t.Parallel()
	ctx, s := trace.Start(trace.Under(t.Context(), "nonsense"), "collect source")
	s.Set(slog.Int("n", 1))
	s.Move("00-1-2-01")
	s.Link("")
	s.End(errors.New("x"))
	if s != nil || s.Parent() != "" || trace.On(ctx) {
		t.Errorf("a span %+v without a tracer", s)
	}
}

// A collector that is busy gets the spans later; one that refuses them does not, and the
// log says so. The log never contains the password of the endpoint.
func TestCollectorsThatDoNotTakeSpans(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		status  int
		body    string
		arrives bool
		says    string
	}{
		"busy":    {503, "", true, "traces not sent"},
		"refuses": {400, "", false, "refuses traces"},
		"partly":  {200, `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}`, false, "1 spans were refused: too old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector := tracetest.New(t)
			var mu sync.Mutex
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if asked++; asked == 1 {
					w.WriteHeader(x.status)
					io.WriteString(w, x.body)
					return
				}
				collector.ServeHTTP(w, r)
			}))
			defer server.Close()
			var log syncBuffer
			tr := tracer(strings.Replace(server.URL, "http://", "http://user:geheim@", 1), &log)
			ctx := trace.With(t.Context(), tr)
			stop := run(tr)
			for range 512 { // a whole batch is sent at once
				_, s := trace.Start(ctx, "fetch")
				s.End(nil)
			}
			for range 100 {
				if strings.Contains(log.String(), x.says) {
					break
				}
				time.Sleep(50 * time.Millisecond)
			}
			stop()
			if text := log.String(); !strings.Contains(text, x.says) || strings.Contains(text, "geheim") {
				t.Errorf("log: %s", text)
			}
			if n := len(collector.Spans()); (n > 0) != x.arrives {
				t.Errorf("%d spans arrived", n)
			}
		})
	}
}

// The spans of a source are found by the time at which something was stored, for a month.
func TestKeptSpans(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx := trace.With(t.Context(), tracer("http://127.0.0.1:1", io.Discard))
		at := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
		keep := func(id int64, begun time.Time) string {
			_, s := trace.Start(ctx, "collect source")
			if err := s.Keep(ctx, db, trace.Source, id, begun, begun.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			return s.Parent()
		}
		first, second, other := keep(1, at), keep(1, at.Add(time.Hour)), keep(2, at)
		for _, x := range []struct {
			id   int64
			at   time.Time
			want string
		}{{1, at.Add(time.Second), first}, {1, at.Add(time.Hour), second}, {2, at.Add(time.Minute), other}, {1, at.Add(2 * time.Minute), ""}, {3, at, ""}} {
			if got, err := trace.Find(ctx, db, trace.Source, x.id, x.at); err != nil || got != x.want {
				t.Errorf("source %d at %s: %q, %v; want %q", x.id, x.at, got, err, x.want)
			}
		}
		keep(4, at.Add(trace.Kept+2*time.Minute))
		left := 0
		err := db.Read(ctx, func(tx *sql.Tx) error { return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM traces`).Scan(&left) })
		if err != nil || left != 2 {
			t.Errorf("%d rows are left, %v", left, err)
		}
	})
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
