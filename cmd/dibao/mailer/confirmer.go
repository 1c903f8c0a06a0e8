package mailer

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"dibao/internal/mail"
	"dibao/subscribers"
)

// ErrNoServer says that the node has no mail server.
var ErrNoServer = errors.New("no mail server is set; set host in [mail]")

// IsOurs reports whether an email failed for a reason on our side: the server
// did not permanently refuse it after the address was named.
func IsOurs(err error) bool {
	var refused *mail.ReplyError
	return !errors.As(err, &refused) || refused.Code < 500 || !slices.Contains([]string{"rcpt", "data", "dot"}, refused.Phase)
}

// Confirmer sends confirmation emails outside of the request, so that the time
// of a response reveals nothing about an address. Waiting emails are lost when
// the node stops: readers can ask again the next day.
type Confirmer struct {
	send  func(context.Context, subscribers.Confirmation) error
	log   *slog.Logger
	queue chan waitingMail
}

type waitingMail struct {
	subscribers.Confirmation
	tries int
}

const (
	// maxWaiting limits the waiting confirmations. It exceeds what can be sent in an
	// hour (subscribers.ProofNeeded), so that an attack does not lock out others.
	maxWaiting = 10_000
	// confirmationSenders is how many are sent at a time.
	confirmationSenders = 4
	// confirmationTries are the pauses between attempts, about a day in total.
	confirmationTries = 8
)

// NewConfirmer returns a confirmer that sends each email with send. It sends nothing
// before Run.
func NewConfirmer(send func(context.Context, subscribers.Confirmation) error, log *slog.Logger) *Confirmer {
	return &Confirmer{send: send, log: log, queue: make(chan waitingMail, maxWaiting)}
}

// Enqueue queues an email; if too many wait, it drops the email and logs that.
func (c *Confirmer) Enqueue(m subscribers.Confirmation) { c.add(waitingMail{Confirmation: m}) }

func (c *Confirmer) add(m waitingMail) {
	select {
	case c.queue <- m:
	default:
		c.log.Error("confirmation dropped: too many are waiting")
	}
}

// Run sends what is enqueued until ctx ends.
func (c *Confirmer) Run(ctx context.Context) error {
	var senders sync.WaitGroup
	for range confirmationSenders {
		senders.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case m := <-c.queue:
					c.try(ctx, m)
				}
			}
		})
	}
	senders.Wait()
	return nil
}

// try sends one email, and tries again later unless the server permanently refused it.
func (c *Confirmer) try(ctx context.Context, m waitingMail) {
	err := c.send(ctx, m.Confirmation)
	if err == nil || ctx.Err() != nil {
		return
	}
	if errors.Is(err, ErrNoServer) {
		c.log.Error("confirmation not sent: no mail server is set", "key", "host in [mail]")
		return
	}
	m.tries++
	if !IsOurs(err) || m.tries >= confirmationTries {
		c.log.Error("confirmation not sent", "attempt", m.tries, "err", err)
		return
	}
	c.log.Warn("confirmation deferred", "attempt", m.tries, "err", err)
	time.AfterFunc(time.Minute<<(m.tries*3/2), func() {
		if ctx.Err() == nil {
			c.add(m)
		}
	})
}
