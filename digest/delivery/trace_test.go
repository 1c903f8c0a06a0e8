package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail"
	"dibao/internal/trace"
	"dibao/internal/trace/tracetest"
)

// The first messages of a mailing have spans and then one in a hundred; no span contains a
// server's reply, which may name the reader.
func TestMessagesAreSampled(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	collector := tracetest.New(t)
	log := slog.New(slog.DiscardHandler)
	tracer := trace.New(trace.Options{Endpoint: collector.URL, Version: "1", Host: "h", Now: time.Now, Logger: log})
	ctx := trace.With(t.Context(), tracer)
	s := New(db, nil, ServiceOptions{Now: time.Now, Logger: log})
	var run runTraces
	var traced []int64
	for id := range int64(250) {
		span := run.message(ctx, s, job{Delivery: Delivery{ID: id + 1, Mailing: 3, Attempt: 1}, lane: newLane("reader.example", Limit{}, 1)})
		if span == nil {
			continue
		}
		traced = append(traced, id+1)
		var failed error
		switch id + 1 {
		case 100:
			failed = fmt.Errorf("send: %w", &mail.ReplyError{Code: 550, Text: "<a@reader.example> is unknown"})
		case 200:
			failed = errors.New("a@reader.example: the connection was lost")
		}
		endMessage(span, mail.Reply{Code: 250, Text: "2.0.0 a@reader.example"}, failed)
	}
	run.end(nil)
	if got := fmt.Sprint(traced); got != "[1 2 3 4 5 6 7 8 9 10 100 200]" {
		t.Errorf("messages %s have spans", got)
	}
	running, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { tracer.Run(running) })
	stop()
	sending.Wait()
	all := collector.Spans()
	if mailing := all["deliver mailing"]; mailing.Attributes["messages"] != "250" || all["send message"].ParentSpanID != mailing.SpanID || all["send message"].Failed != "no reply" {
		t.Errorf("spans %+v", all)
	}
	if text := collector.Text(); strings.Contains(text, "a@reader") || !strings.Contains(text, "the server replied 550") {
		t.Errorf("spans have the reply of a server, or not its code:\n%s", text)
	}
}
