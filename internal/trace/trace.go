// Package trace records what dibao does as spans (OpenTelemetry) and sends them to a
// collector. The tracer is in the context; without one, nothing is recorded and all
// functions do nothing. Spans contain neither addresses of readers nor texts.
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

// parent returns a place in the form of the header traceparent (W3C Trace Context §3.2); ""
// for none. The sampled flag is always set, because only sampled spans are recorded.
func (p place) parent() string {
	if p == (place{}) {
		return ""
	}
	return "00-" + hex.EncodeToString(p.trace[:]) + "-" + hex.EncodeToString(p.span[:]) + "-01"
}

// placeOf parses the result of parent; it returns the zero place if the text is invalid.
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

// Span is an operation with a duration. The nil span, of a context without a tracer,
// accepts all calls and does nothing. A span belongs to one goroutine.
type Span struct {
	place
	tracer *Tracer
	under  [8]byte // the parent span; zero means none
	name   string
	begun  time.Time
	ended  time.Time
	attrs  []slog.Attr
	links  []place
	failed string // the reason; "" if it did not fail
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

// Under returns a context whose spans are children of another, possibly in another process,
// given its [Span.Parent]; it returns ctx itself if parent is "".
func Under(ctx context.Context, parent string) context.Context {
	if p := placeOf(parent); p != (place{}) {
		return context.WithValue(ctx, placeKey{}, p)
	}
	return ctx
}

// Start begins a span as a child of the one in ctx, and returns a context for its own
// children.
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

// Link links the span to another one that caused it, given that one's [Span.Parent].
func (s *Span) Link(parent string) {
	if p := placeOf(parent); s != nil && p != (place{}) {
		s.links = append(s.links, p)
	}
}

// Move makes the span a child of another, given its [Span.Parent], before it has children
// itself.
func (s *Span) Move(parent string) {
	if p := placeOf(parent); s != nil && p != (place{}) {
		s.trace, s.under = p.trace, p.span
	}
}

// Parent identifies the span for [Under]; "" for the nil span.
func (s *Span) Parent() string {
	if s == nil {
		return ""
	}
	return s.place.parent()
}

// End ends the span; err is the reason of a failure, or nil.
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

// Tracer keeps ended spans and sends them to a collector. Create one with [New].
type Tracer struct {
	opts Options

	mu      sync.Mutex
	waiting []*Span
	dropped int // spans dropped for lack of room, since that was last logged
	full    chan struct{}
}

const (
	// maxWaiting limits the spans that wait for a collector that does not answer.
	maxWaiting = 8192
	// batchSize is the maximum number of spans in one request.
	batchSize = 512
)

func (t *Tracer) now() time.Time { return t.opts.Now() }

func (t *Tracer) add(s *Span) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) >= maxWaiting {
		t.dropped++
		return
	}
	t.waiting = append(t.waiting, s)
	if len(t.waiting) >= batchSize {
		select {
		case t.full <- struct{}{}:
		default: // Run is already notified
		}
	}
}
