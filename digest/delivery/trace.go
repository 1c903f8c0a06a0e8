package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"dibao/internal/mail"
	"dibao/internal/trace"
)

// In each mailing of a run, the first firstTraced messages have spans, and after them one of every
// tracedEvery.
const (
	firstTraced = 10
	tracedEvery = 100
)

// runTraces are the spans of one run, one for each mailing. The zero value is ready.
type runTraces struct {
	mu       sync.Mutex
	mailings map[int64]*tracedMailing
}

type tracedMailing struct {
	ctx      context.Context // context of its span
	span     *trace.Span
	messages int
}

// message begins the span of a message; it returns nil if the message has none.
func (t *runTraces) message(ctx context.Context, s *Service, j job) *trace.Span {
	if !trace.On(ctx) {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.mailings[j.Mailing]
	if m == nil {
		parent, err := trace.Find(ctx, s.db, trace.Mailing, j.Mailing, s.now())
		if err != nil && ctx.Err() == nil {
			s.opts.Logger.Warn("trace of a mailing not found", "mailing_id", j.Mailing, "err", err)
		}
		m = &tracedMailing{}
		m.ctx, m.span = trace.Start(trace.Under(ctx, parent), "deliver mailing", slog.Int64("mailing.id", j.Mailing))
		if t.mailings == nil {
			t.mailings = make(map[int64]*tracedMailing)
		}
		t.mailings[j.Mailing] = m
	}
	m.messages++
	if m.messages > firstTraced && m.messages%tracedEvery != 0 {
		return nil
	}
	_, span := trace.Start(m.ctx, "send message", slog.Int64("delivery.id", j.ID), slog.Int64("delivery.attempt", j.Attempt), slog.String("mail.domain", j.lane.name))
	return span
}

// endMessage ends the span of a message. A server's reply may contain the address of the
// reader, so only its code is recorded.
func endMessage(span *trace.Span, reply mail.Reply, err error) {
	var refused *mail.ReplyError
	switch {
	case errors.As(err, &refused):
		span.Set(slog.Int("smtp.reply_code", refused.Code))
		err = fmt.Errorf("the server replied %d", refused.Code)
	case err != nil:
		err = errors.New("no reply")
	default:
		span.Set(slog.Int("smtp.reply_code", reply.Code))
	}
	span.End(err)
}

// end ends the spans of the mailings.
func (t *runTraces) end(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.mailings {
		m.span.Set(slog.Int("messages", m.messages))
		m.span.End(err)
	}
	t.mailings = nil
}
