// Package trace records what dibao does as spans (OpenTelemetry) and sends them to a
// collector. The tracer is in the context; without one, nothing is recorded and all
// functions do nothing. Spans hold no addresses of readers and no texts.
package trace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// place is a span in its trace.
type place struct {
	trace [16]byte
	span  [8]byte
}

// parent writes a place as the header traceparent has it (W3C Trace Context §3.2); "" for
// none. It is sampled: what is not is not recorded.
func (p place) parent() string {
	if p == (place{}) {
		return ""
	}
	return "00-" + hex.EncodeToString(p.trace[:]) + "-" + hex.EncodeToString(p.span[:]) + "-01"
}

// placeOf reads what parent wrote; the zero place where it is something else.
func placeOf(parent string) (p place) {
	parts := strings.Split(parent, "-")
	if len(parts) != 4 || len(parts[1]) != 32 || len(parts[2]) != 16 {
		return place{}
	}
	_, errTrace := hex.Decode(p.trace[:], []byte(parts[1]))
	_, errSpan := hex.Decode(p.span[:], []byte(parts[2]))
	if errTrace != nil || errSpan != nil {
		return place{}
	}
	return p
}

// Span is something that takes time. The nil span, of a context without a tracer, takes
// all calls and does nothing. A span belongs to one goroutine.
type Span struct {
	place
	tracer *Tracer
	under  [8]byte // the span that it is part of; zero: none
	name   string
	begun  time.Time
	ended  time.Time
	attrs  []slog.Attr
	links  []place
	failed string // why; "" if it did not
}

type tracerKey struct{}

type placeKey struct{}

// With returns a context whose spans go to t.
func With(ctx context.Context, t *Tracer) context.Context {
	return context.WithValue(ctx, tracerKey{}, t)
}

// On reports whether spans are recorded.
func On(ctx context.Context) bool { return tracerOf(ctx) != nil }

func tracerOf(ctx context.Context) *Tracer {
	t, _ := ctx.Value(tracerKey{}).(*Tracer)
	return t
}

// Under returns a context whose spans are parts of another, which may be of another
// process, by its [Span.Parent]; ctx itself where parent is "".
func Under(ctx context.Context, parent string) context.Context {
	if p := placeOf(parent); p != (place{}) {
		return context.WithValue(ctx, placeKey{}, p)
	}
	return ctx
}

// Start begins a span within the one of ctx, and returns a context for its parts.
func Start(ctx context.Context, name string, attrs ...slog.Attr) (context.Context, *Span) {
	t := tracerOf(ctx)
	if t == nil {
		return ctx, nil
	}
	s := &Span{tracer: t, name: name, begun: t.now(), attrs: attrs}
	if above, ok := ctx.Value(placeKey{}).(place); ok {
		s.trace, s.under = above.trace, above.span
	} else {
		rand.Read(s.trace[:]) // never fails (crypto/rand)
	}
	rand.Read(s.span[:])
	return context.WithValue(ctx, placeKey{}, s.place), s
}

// Set adds attributes.
func (s *Span) Set(attrs ...slog.Attr) {
	if s != nil {
		s.attrs = append(s.attrs, attrs...)
	}
}

// Link names another span that this one goes back to, by its [Span.Parent].
func (s *Span) Link(parent string) {
	if p := placeOf(parent); s != nil && p != (place{}) {
		s.links = append(s.links, p)
	}
}

// Move makes the span part of another, by its [Span.Parent], before it has parts itself.
func (s *Span) Move(parent string) {
	if p := placeOf(parent); s != nil && p != (place{}) {
		s.trace, s.under = p.trace, p.span
	}
}

// Parent names the span for [Under]; "" for the nil span.
func (s *Span) Parent() string {
	if s == nil {
		return ""
	}
	return s.place.parent()
}

// End ends the span; err is why it failed, nil if it did not.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	s.ended = s.tracer.now()
	if err != nil {
		s.failed = err.Error()
	}
	s.tracer.add(s)
}

// Tracer keeps ended spans and sends them to a collector. Make one with [New].
type Tracer struct {
	opts Options

	mu      sync.Mutex
	waiting []*Span
	dropped int // for want of room, since the last time it was logged
	full    chan struct{}
}

const (
	// mostWaiting bounds the spans that wait for a collector that does not answer.
	mostWaiting = 8192
	// batchSize is how many spans one request has at most.
	batchSize = 512
)

func (t *Tracer) now() time.Time { return t.opts.Now() }

func (t *Tracer) add(s *Span) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) >= mostWaiting {
		t.dropped++
		return
	}
	t.waiting = append(t.waiting, s)
	if len(t.waiting) >= batchSize {
		select {
		case t.full <- struct{}{}:
		default: // it knows
		}
	}
}
