package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"dibao/internal/mail"
	"dibao/subscribers"
)

// confirmer sends confirmation mails off the request path, so that an answer's
// time tells nothing about an address. What waits is lost when the node stops:
// who wants the list asks again the next day.
type confirmer struct {
	app   *app
	queue chan waitingMail
}

type waitingMail struct {
	subscribers.Confirmation
	tries int
}

const (
	// maxWaiting bounds the confirmations that wait: more than go out in an hour
	// whoever asks (subscribers.ProofNeeded), so that an attack crowds nobody out.
	maxWaiting = 10_000
	// confirmationSenders is how many are sent at a time.
	confirmationSenders = 4
	// confirmationTries are spread over about a day.
	confirmationTries = 8
)

func newConfirmer(a *app) *confirmer {
	return &confirmer{app: a, queue: make(chan waitingMail, maxWaiting)}
}

func (c *confirmer) enqueue(m subscribers.Confirmation) { c.add(waitingMail{Confirmation: m}) }

func (c *confirmer) add(m waitingMail) {
	select {
	case c.queue <- m:
	default:
		c.app.log.Error("confirmation dropped: too many wait")
	}
}

func (c *confirmer) run(ctx context.Context) error {
	var senders sync.WaitGroup
	for range confirmationSenders {
		senders.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case m := <-c.queue:
					c.send(ctx, m)
				}
			}
		})
	}
	senders.Wait()
	return nil
}

// send sends one mail, and tries again later unless the server refused it for good.
func (c *confirmer) send(ctx context.Context, m waitingMail) {
	if c.app.config.Mail.Host == "" {
		c.app.log.Error("confirmation not sent: no mail server is set", "key", "host in [mail]")
		return
	}
	err := c.app.sendConfirmation(ctx, m.Confirmation)
	if err == nil || ctx.Err() != nil {
		return
	}
	m.tries++
	var refused *mail.ReplyError
	if errors.As(err, &refused) && refused.Code >= 500 || m.tries >= confirmationTries {
		c.app.log.Error("confirmation not sent", "attempt", m.tries, "err", err)
		return
	}
	c.app.log.Warn("confirmation deferred", "attempt", m.tries, "err", err)
	time.AfterFunc(time.Minute<<(m.tries*3/2), func() {
		if ctx.Err() == nil {
			c.add(m)
		}
	})
}
