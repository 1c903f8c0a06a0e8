package delivery

import (
	"context"
	"errors"
	"time"

	"dibao/digest/verdict"
	"dibao/internal/mail"
)

// connection sends one message at a time and keeps its SMTP connection open
// between them.
type connection struct {
	run      *deliveryRun
	conn     *mail.Conn
	route    string // the domain whose server conn leads to; "" means a relay
	relay    string // name of the relay
	probes   bool   // conn tests whether the relay accepts our mail again
	sent     int    // number of messages sent through conn
	assembly mail.Assembly
	ids      *mail.MessageIDs
	done     chan error // result of a hand-over

	// replaceStalled starts another connection while this one is stalled.
	replaceStalled func()
	// The following fields belong to the run, under its lock.
	current *lane
	began   time.Time // when its message was begun, by the machine's clock
	stalled bool
	watch   *time.Timer
	idleFor *time.Timer
	waiting bool
}

// work sends the messages that the run hands out, until none is left.
func (c *connection) work(ctx context.Context) {
	defer c.close()
	for {
		j, ok := c.run.next(c)
		if !ok {
			return
		}
		c.deliver(ctx, j)
		if c.run.release(c, j.lane) {
			return
		}
	}
}

// begin starts to watch how long a message takes; the run's lock is held.
func (c *connection) begin(j job) {
	c.current, c.began = j.lane, time.Now()
	if c.watch == nil {
		c.watch = time.AfterFunc(c.run.opts.StallAfter, c.stall)
	} else {
		c.watch.Reset(c.run.opts.StallAfter)
	}
}

// stall records that a message takes long: another connection takes the place
// of this one, and its lane yields to others.
func (c *connection) stall() {
	r := c.run
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.current == nil || c.stalled || time.Since(c.began) < r.opts.StallAfter { // the timer of the previous message was late
		return
	}
	c.stalled = true
	r.inFlight.Add(-1)
	c.current.stalled++
	c.current.slow = true
	if !r.ended && r.extra < 4*r.opts.Connections {
		r.extra++
		c.replaceStalled()
	}
	r.changed.Broadcast()
}

// finishWatch ends begin; it reports whether the message was stalled. The run's
// lock is held.
func (c *connection) finishWatch(x *lane) bool {
	c.watch.Stop()
	stalled := c.stalled
	if stalled {
		x.stalled--
	} else if x.stalled == 0 {
		x.slow = false
	}
	c.current, c.stalled = nil, false
	return stalled
}

// idleAfter is how long an unused connection is kept open.
const idleAfter = 15 * time.Second

// waitIdle waits for the run to change, and closes the connection if that takes
// long. The run's lock is held.
func (c *connection) waitIdle() {
	c.waiting = true
	if c.conn != nil {
		if c.idleFor == nil {
			c.idleFor = time.AfterFunc(idleAfter, c.closeIdle)
		} else {
			c.idleFor.Reset(idleAfter)
		}
	}
	c.run.changed.Wait()
	c.waiting = false
	if c.idleFor != nil {
		c.idleFor.Stop()
	}
}

func (c *connection) closeIdle() {
	c.run.mu.Lock()
	conn := c.conn
	if !c.waiting || conn == nil {
		c.run.mu.Unlock()
		return
	}
	c.conn = nil
	c.run.mu.Unlock()
	conn.Close() // QUIT; the reply does not matter
}

func (c *connection) close() {
	if c.conn != nil {
		c.conn.Close() // QUIT; the reply does not matter
		c.conn = nil
	}
	c.endProbe()
}

func (c *connection) endProbe() {
	if c.probes {
		c.run.servers.probed(c.relay)
		c.probes = false
	}
}

func (c *connection) finish(j job, o outcome) { c.run.ledger.finish(j.Delivery, o) }

// deliver delivers one claimed delivery and records the outcome.
func (c *connection) deliver(ctx context.Context, j job) {
	r := c.run
	now := r.service.now()
	back := outcome{state: "waiting", nextAt: now, untried: true}
	v, err := r.render.Render(ctx, j.Variant)
	if err != nil {
		if ctx.Err() == nil {
			r.note(err)
		}
		c.finish(j, back)
		return
	}
	if time.Since(j.lookedUp) > lookEvery {
		if j, err = r.lookUpAgain(ctx, j); err != nil {
			if ctx.Err() == nil {
				r.note(err)
			}
			c.finish(j, back)
			return
		}
	}
	if !j.wanted || !v.WantedBy(j.reader) {
		o := outcome{state: "suppressed"}
		if j.reader.Suppressed {
			o.reply = ReplySuppressed
		}
		c.finish(j, o)
		r.count(func(t *Delivered) { t.Suppressed++ })
		return
	}
	envelope, err := c.message(v, j)
	if err != nil {
		c.finish(j, outcome{state: "failed", reply: err.Error()})
		r.count(func(t *Delivered) { t.Failed++ })
		return
	}
	reply, err := c.transmit(ctx, envelope, j)
	refused, ruled := verdictOn(j, err)
	for tries := 1; ctx.Err() == nil && c.elsewhere(refused, ruled, tries); tries++ {
		reply, err = c.transmit(ctx, envelope, j)
		refused, ruled = verdictOn(j, err)
	}
	var unreached *unreachedError
	switch {
	case errors.As(err, &unreached) && r.opts.Direct == nil:
		back.reply = err.Error()
		if ctx.Err() == nil {
			back.nextAt = r.unreached(unreached.error, now)
		}
		c.finish(j, back)
		return
	case err != nil && ctx.Err() != nil && !errors.Is(err, mail.ErrUncertain) && !isReply(err):
		c.finish(j, back) // interrupted by a stop, before it was handed over
		return
	case errors.Is(err, errLost):
		return // another node sends it
	}
	var o outcome
	if refused != nil && refusesUs(refused, ruled) {
		o = c.refusedUs(j, refused, ruled)
	} else {
		c.noteAccepted(j, refused, err)
		o = r.judge(j, reply, refused, ruled, err)
	}
	c.finish(j, o)
	r.log(j, o)
}

// elsewhere reports whether a refused message may be sent at once in another
// way: by a new connection, if the server limits the messages of a connection,
// or by another relay.
func (c *connection) elsewhere(refused *mail.ReplyError, v verdict.Verdict, tries int) bool {
	r := c.run
	switch {
	case refused == nil:
		return false
	case v.Close && tries == 1:
		c.close()
		return true
	case r.opts.Direct != nil || !refusesUs(refused, v) || tries > len(r.servers.all):
		return false
	}
	r.pause(c.relay, refused, v)
	c.close()
	return r.servers.refusing(r.service.now()) == nil
}

// unreached records that no relay accepted a connection, and returns when the
// message may be tried again.
func (r *deliveryRun) unreached(err error, now time.Time) time.Time {
	var refused *refusedError
	switch {
	case errors.Is(err, errProbing):
		return now.Add(slowLanePause)
	case errors.As(err, &refused):
		r.serverDown(refused)
		return refused.pause.NextTryAt
	}
	r.serverDown(err)
	return now.Add(r.opts.RetryIn)
}

// refuser returns the name of what answered: the relay, or the reader's group of domains.
func (c *connection) refuser(j job) string {
	if c.run.opts.Direct != nil {
		return j.lane.name
	}
	return c.relay
}

// noteAccepted records that a relay or domain that refused our mail accepts it again: the
// dialogue reached the point at which a reader is named.
func (c *connection) noteAccepted(j job, refused *mail.ReplyError, err error) {
	heard := err == nil || errors.Is(err, mail.ErrUncertain) ||
		refused != nil && (refused.Phase == "rcpt" || refused.Phase == "data" || refused.Phase == "dot")
	name := c.refuser(j)
	if !heard || c.run.pauses.of(name).Tries == 0 {
		return
	}
	c.endProbe()
	c.run.note(c.run.pauses.accepted(context.Background(), name))
	c.run.service.opts.Logger.Info("our mail is accepted again", "name", name)
	c.run.wake()
}

// refusedUs pauses a relay or domain that refuses our mail before a recipient is
// named. The delivery waits, and the attempt does not count.
func (c *connection) refusedUs(j job, refused *mail.ReplyError, v verdict.Verdict) outcome {
	r, now := c.run, c.run.service.now()
	p := r.pause(c.refuser(j), refused, v)
	o := outcome{state: "waiting", nextAt: p.NextTryAt, code: refused.Code, reply: refused.Words(), untried: true}
	if r.opts.Direct != nil {
		if now.Sub(latest(j.FirstTried, p.resumedAt)) >= ownFaultGiveUp*r.opts.GiveUpAfter {
			r.count(func(t *Delivered) { t.Failed++ })
			return outcome{state: "failed", code: refused.Code, reply: refused.Words()}
		}
		r.mu.Lock()
		j.lane.hold(p.NextTryAt, causeOf(refused))
		r.heldQueued = r.heldQueued || len(j.lane.queue) > 0
		r.changed.Broadcast()
		r.mu.Unlock()
	} else {
		c.close()
		if all := r.servers.refusing(now); all != nil {
			r.serverDown(all)
		} else {
			o.nextAt = now // another relay can send it
		}
	}
	r.count(func(t *Delivered) { t.Deferred++ })
	return o
}

// ownFaultGiveUp is how many times longer than other mail an email waits before it fails if
// its domain refuses us. With a relay, it waits until an admin cancels it.
const ownFaultGiveUp = 7

// pause records that our mail is refused and notifies the admin once.
func (r *deliveryRun) pause(name string, refused *mail.ReplyError, v verdict.Verdict) Pause {
	ctx := context.Background()
	p, notify, err := r.pauses.refused(ctx, name, refused, v)
	r.note(err)
	if !notify {
		return p
	}
	r.service.opts.Logger.Error("our mail is refused before we name a recipient; it waits", "name", name, "reply", p.Reply, "next_try_at", p.NextTryAt)
	if r.opts.Notify != nil {
		r.opts.Notify(ctx, Notice{Kind: NoticeRefused, Domain: name, Text: p.Reply})
	}
	return p
}

func isReply(err error) bool {
	var refused *mail.ReplyError
	return errors.As(err, &refused)
}

// unreachedError says that no server was reached, so that the message was not tried.
type unreachedError struct{ error }

func (e *unreachedError) Unwrap() error { return e.error }

// transmit connects if necessary and sends. A connection that turns out to have
// been closed since its last message is replaced once.
func (c *connection) transmit(ctx context.Context, e mail.Envelope, j job) (reply mail.Reply, err error) {
	if span := c.run.traces.message(ctx, c.run.service, j); span != nil {
		defer func() { endMessage(span, reply, err) }()
	}
	if err := c.connect(ctx, j.lane, mail.DomainOf(e.To)); err != nil {
		return mail.Reply{}, err
	}
	reply, err = c.send(ctx, e, j)
	if errors.Is(err, mail.ErrStale) && ctx.Err() == nil {
		if err := c.connect(ctx, j.lane, mail.DomainOf(e.To)); err != nil {
			return mail.Reply{}, err
		}
		return c.send(ctx, e, j)
	}
	return reply, err
}

// send sends one message; its hand-over is committed before its final dot.
func (c *connection) send(ctx context.Context, e mail.Envelope, j job) (mail.Reply, error) {
	reply, err := c.conn.Send(ctx, e, func() error { return c.run.ledger.handOver(j.ID, c.done) })
	c.sent++
	if most := j.lane.limit.PerConnection; !c.conn.Usable() || most > 0 && c.sent >= most {
		c.close()
	}
	return reply, err
}

// connect opens a connection that leads to the domain, if there is none.
func (c *connection) connect(ctx context.Context, x *lane, domain string) error {
	r := c.run
	if r.opts.Direct == nil {
		domain = ""
	}
	now := r.service.now()
	if c.conn != nil && c.conn.Usable() && c.route == domain && !(domain == "" && r.pauses.of(c.relay).open(now)) {
		return nil
	}
	c.close()
	var err error
	if r.opts.Direct != nil {
		c.conn, err = r.opts.Direct.Dial(ctx, domain, r.opts.Server)
	} else {
		c.conn, c.relay, c.probes, err = r.servers.dial(ctx, now, r.opts.RetryIn, func(name string, refused *mail.ReplyError) {
			_, v := verdictOn(job{}, refused)
			r.pause(name, refused, v)
		})
	}
	c.route, c.sent = domain, 0
	if err == nil {
		return nil
	}
	c.conn = nil
	if r.opts.Direct != nil && ctx.Err() == nil {
		if !isReply(err) {
			r.mu.Lock()
			x.unreachable(err, r.service.now())
			r.mu.Unlock()
		}
		return err // only this domain failed
	}
	return &unreachedError{err}
}

// message returns the message of a job.
func (c *connection) message(v Message, j job) (mail.Envelope, error) {
	r := c.run
	from := v.Sender()
	messageID := c.ids.Of(j.Mailing, j.Subscriber, mail.DomainOf(from))
	if r.opts.BounceToken != nil {
		from = r.service.EnvelopeFrom(from, r.opts.BounceToken(j.ID))
	}
	err := v.Assemble(&c.assembly, j.reader, messageID)
	return mail.Envelope{From: from, To: j.reader.Address, Pieces: c.assembly.Pieces}, err
}
