package digest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	netmail "net/mail"
	"sync"
	"time"

	"dibao/internal/mail"
	"dibao/subscribers"
)

// DeliverOptions say how a node sends. The zero value of a field is the default
// named beside it.
type DeliverOptions struct {
	Server      mail.Options  // where to; required
	Connections int           // 4; each sends one message at a time
	Lease       time.Duration // 10 m; how long a claim holds if its node says nothing
	GiveUpAfter time.Duration // 48 h; since the first attempt
	RetryIn     time.Duration // 1 m; first pause after the server could not be reached, doubling to 15 m
	DKIM        *mail.Signer  // nil: unsigned
	BounceToken func(delivery int64) string
	MessageKey  []byte // makes Message-IDs; the same on every node
}

// Deliverer sends what the ledger says is due. One per process and server.
type Deliverer struct {
	service *Service
	ledger  *Ledger
	opts    DeliverOptions
	render  *renderer
	mu      sync.Mutex // one Deliver at a time: leases and connections are counted per process
}

// Delivered counts what one call of Deliver did.
type Delivered struct {
	Sent, Failed, Deferred, Uncertain, Suppressed int
	Recovered                                     int // claims of owners that died, taken back
}

// NewDeliverer returns a deliverer of s. It opens no connection.
func (s *Service) NewDeliverer(opts DeliverOptions) (*Deliverer, error) {
	if opts.Server.Addr == "" {
		return nil, errors.New("no mail server is set; set host and port in [mail]")
	}
	if opts.Connections <= 0 {
		opts.Connections = 4
	}
	if opts.Lease <= 0 {
		opts.Lease = 10 * time.Minute
	}
	if opts.GiveUpAfter <= 0 {
		opts.GiveUpAfter = 48 * time.Hour
	}
	if opts.RetryIn <= 0 {
		opts.RetryIn = time.Minute
	}
	name, err := owner()
	if err != nil {
		return nil, err
	}
	return &Deliverer{
		service: s,
		ledger:  &Ledger{db: s.db, now: s.now, owner: name, lease: opts.Lease},
		opts:    opts,
		render:  newRenderer(s, opts.DKIM),
	}, nil
}

// Deliver sends until nothing is due and returns what it did. When ctx ends it
// claims no more, lets the messages that were handed over have their answer,
// puts the rest back and returns ctx's error. It may be called again at any
// time; deliveries that wait for a later try are left for a later call.
func (d *Deliverer) Deliver(ctx context.Context) (Delivered, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	recovered, err := d.ledger.recover(ctx)
	if err != nil {
		return Delivered{}, fmt.Errorf("take back claims: %w", err)
	}
	if recovered > 0 {
		d.service.opts.Logger.Warn("claims of a process that ended were taken back", "deliveries", recovered)
	}
	run := &deliveryRun{Deliverer: d, total: Delivered{Recovered: recovered}}
	run.ledger.out = make(chan entry, maxEntries)
	var ledger sync.WaitGroup
	ledger.Go(run.ledger.run)
	err = run.dispatch(ctx)
	close(run.ledger.out)
	ledger.Wait()
	if err == nil {
		err = d.ledger.closeMailings(context.WithoutCancel(ctx))
	}
	return run.total, errors.Join(err, run.failure)
}

// deliveryRun is the state of one Deliver.
type deliveryRun struct {
	*Deliverer
	mu      sync.Mutex
	total   Delivered
	failure error // of the ledger or of rendering: the run stops
	down    error // the server could not be reached: the run stops and is tried later
}

// dispatch claims batches and hands them to the connections. A batch is a few
// messages a connection, so that a claim costs little beside them and a stop
// has little to put back.
func (r *deliveryRun) dispatch(ctx context.Context) error {
	conns := make([]*connection, r.opts.Connections)
	for i := range conns {
		conns[i] = &connection{run: r}
	}
	defer func() {
		for _, c := range conns {
			c.close()
		}
	}()
	for ctx.Err() == nil && r.err() == nil {
		batch, err := r.ledger.claim(ctx, len(conns)*8)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("claim deliveries: %w", err)
		}
		if len(batch) == 0 {
			return nil
		}
		jobs, err := r.prepare(ctx, batch)
		if err != nil {
			r.putBack(batch)
			return err
		}
		queue := make(chan job)
		var workers sync.WaitGroup
		for _, c := range conns {
			workers.Go(func() {
				for j := range queue {
					c.deliver(ctx, j)
				}
			})
		}
		for _, j := range jobs {
			queue <- j
		}
		close(queue)
		workers.Wait()
		for _, c := range conns {
			c.settle()
		}
	}
	if err := r.err(); err != nil {
		return err
	}
	return ctx.Err()
}

func (r *deliveryRun) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure != nil {
		return r.failure
	}
	return r.down
}

// putBack returns claims that were not begun; none of them was handed over.
func (r *deliveryRun) putBack(batch []Delivery) {
	for _, d := range batch {
		r.note(<-r.ledger.finish(d, outcome{state: "waiting", nextAt: r.service.now(), untried: true}))
	}
}

// note keeps the first failure of the ledger. A lost claim is no failure: its
// delivery belongs to another node now.
func (r *deliveryRun) note(err error) {
	if err == nil || errors.Is(err, errLost) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure == nil {
		r.failure = fmt.Errorf("delivery ledger: %w", err)
	}
}

// job is a claimed delivery with its reader.
type job struct {
	Delivery
	reader subscribers.Reader
	wanted bool
}

// prepare looks up the readers of a batch, and who of them still wants it:
// readers who left or were suppressed since composing get nothing.
func (r *deliveryRun) prepare(ctx context.Context, batch []Delivery) ([]job, error) {
	ids := make([]int64, len(batch))
	for i, d := range batch {
		ids[i] = d.Subscriber
	}
	readers, err := r.service.subscribers.Readers(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look up readers: %w", err)
	}
	jobs := make([]job, len(batch))
	for i, d := range batch {
		reader, ok := readers[d.Subscriber]
		jobs[i] = job{Delivery: d, reader: reader, wanted: ok && !reader.Suppressed}
	}
	return jobs, nil
}

// connection sends one message at a time and keeps its SMTP connection open
// between them.
type connection struct {
	run     *deliveryRun
	conn    *mail.Conn
	buf     []byte
	pending []<-chan error // outcomes entered and not known to be committed
}

func (c *connection) close() {
	if c.conn != nil {
		c.conn.Close() // QUIT; what it answers changes nothing
		c.conn = nil
	}
}

// settle waits until the outcomes entered so far are committed.
func (c *connection) settle() {
	for _, p := range c.pending {
		c.run.note(<-p)
	}
	c.pending = c.pending[:0]
}

func (c *connection) finish(j job, o outcome) {
	c.pending = append(c.pending, c.run.ledger.finish(j.Delivery, o))
}

// deliver brings one claimed delivery to an outcome.
func (c *connection) deliver(ctx context.Context, j job) {
	r := c.run
	now := r.service.now()
	back := outcome{state: "waiting", nextAt: now, untried: true}
	if ctx.Err() != nil || r.err() != nil {
		c.finish(j, back)
		return
	}
	v, err := r.render.variant(ctx, j.Variant)
	if err != nil {
		r.note(fmt.Errorf("render variant %d: %w", j.Variant, err))
		c.finish(j, back)
		return
	}
	if !j.wanted || !v.wantedBy(j.reader) {
		c.finish(j, outcome{state: "suppressed"})
		r.count(func(t *Delivered) { t.Suppressed++ })
		return
	}
	envelope, err := c.message(v, j)
	if err != nil {
		c.finish(j, outcome{state: "failed", reply: err.Error()})
		r.count(func(t *Delivered) { t.Failed++ })
		return
	}
	if err := c.connect(ctx); err != nil {
		if ctx.Err() == nil {
			r.serverDown(err)
		}
		back.reply = err.Error()
		back.nextAt = now.Add(r.opts.RetryIn)
		if ctx.Err() != nil {
			back.nextAt = now
		}
		c.finish(j, back)
		return
	}
	reply, err := c.send(ctx, envelope, j)
	if errors.Is(err, mail.ErrStale) && c.connect(ctx) == nil {
		reply, err = c.send(ctx, envelope, j)
	}
	var refused *mail.ReplyError
	if err != nil && ctx.Err() != nil && !errors.Is(err, mail.ErrUncertain) && !errors.As(err, &refused) {
		c.finish(j, back) // broken off by our stop, before it was handed over
		return
	}
	o := r.judge(j, reply, err)
	c.finish(j, o)
	r.log(j, o)
}

// send sends one message; its hand-over is committed before its final dot.
func (c *connection) send(ctx context.Context, e mail.Envelope, j job) (mail.Reply, error) {
	reply, err := c.conn.Send(ctx, e, func() error { return c.run.ledger.handOver(j.Delivery) })
	if !c.conn.Usable() {
		c.close()
	}
	return reply, err
}

// message writes the message of a job into the connection's buffer.
func (c *connection) message(v *variant, j job) (mail.Envelope, error) {
	r := c.run
	to := netmail.Address{Address: j.reader.Address}
	from := v.from.Address
	if r.service.opts.BounceDomain != "" && r.opts.BounceToken != nil {
		from = "b+" + r.opts.BounceToken(j.ID) + "@" + r.service.opts.BounceDomain
	}
	personal, err := r.render.personal(v, j.reader, mail.MessageID(r.opts.MessageKey, j.Mailing, j.Subscriber, domainOf(v.from.Address)))
	if err != nil {
		return mail.Envelope{}, err
	}
	personal.To = to
	c.buf, err = v.message.Append(c.buf[:0], personal)
	return mail.Envelope{From: from, To: to.Address, Body: c.buf}, err
}

func (c *connection) connect(ctx context.Context) error {
	if c.conn != nil && c.conn.Usable() {
		return nil
	}
	c.close()
	conn, err := mail.Dial(ctx, c.run.opts.Server)
	if err != nil {
		return err
	}
	c.conn = conn
	return nil
}

// serverDown stops the run: every delivery would fail the same way, and none of
// them is to blame.
func (r *deliveryRun) serverDown(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down == nil {
		r.down = fmt.Errorf("mail server %s: %w", r.opts.Server.Addr, err)
		r.service.opts.Logger.Error("mail server not reached", "host", r.opts.Server.Addr, "err", err)
	}
}

func (r *deliveryRun) count(f func(*Delivered)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.total)
}

// judge turns how a Send ended into what the ledger keeps (MAIL.md's table).
func (r *deliveryRun) judge(j job, reply mail.Reply, err error) outcome {
	now := r.service.now()
	late := now.Sub(j.FirstTried) >= r.opts.GiveUpAfter
	var refused *mail.ReplyError
	switch {
	case err == nil:
		r.count(func(t *Delivered) { t.Sent++ })
		return outcome{state: "sent", code: reply.Code, reply: reply.Text}
	case errors.Is(err, mail.ErrUncertain):
		r.count(func(t *Delivered) { t.Uncertain++ })
		o := outcome{state: "uncertain", reply: err.Error()}
		if j.Uncertain == 0 { // else it has its second copy on the way: never a third
			o.nextAt = now.Add(Backoff(1, jitter(j.ID)))
		}
		return o
	case errors.As(err, &refused):
		v := Classify(refused.Code, refused.Enhanced, refused.Text, domainOf(j.reader.Address))
		if v.Retries() && !late {
			r.count(func(t *Delivered) { t.Deferred++ })
			return outcome{state: "waiting", nextAt: now.Add(retryAfter(v, j)), code: refused.Code, reply: refused.Text}
		}
		r.count(func(t *Delivered) { t.Failed++ })
		r.react(j, v, refused)
		return outcome{state: "failed", code: refused.Code, reply: refused.Text}
	case late:
		r.count(func(t *Delivered) { t.Failed++ })
		return outcome{state: "failed", reply: err.Error()}
	}
	r.count(func(t *Delivered) { t.Deferred++ })
	return outcome{state: "waiting", nextAt: now.Add(Backoff(int(j.Attempt), jitter(j.ID))), reply: err.Error()}
}

func retryAfter(v Verdict, j job) time.Duration {
	if v.Retry > 0 {
		return v.Retry
	}
	return Backoff(int(j.Attempt), jitter(j.ID))
}

// jitter spreads retries by delivery, between 0 and 1, the same on every node.
func jitter(id int64) float64 { return float64(uint64(id)*0x9E3779B97F4A7C15>>11) / (1 << 53) }

// react stores what a final refusal means for the reader.
func (r *deliveryRun) react(j job, v Verdict, refused *mail.ReplyError) {
	ctx, cancel := context.WithTimeout(context.Background(), commitWithin)
	defer cancel()
	err := r.service.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO feedback (delivery, subscriber, kind, class, code, text, at) VALUES ($1, $2, 'reply', $3, $4, $5, $6)`,
			j.ID, j.Subscriber, v.Class.String(), refused.Code, clip(refused.Text, 500), r.service.now())
		return err
	})
	if err == nil && v.Suppress {
		err = r.service.subscribers.Suppress(ctx, j.reader.Address, "bounce", fmt.Sprintf("%d %s", refused.Code, clip(refused.Text, 200)))
	}
	r.note(err)
}

func (r *deliveryRun) log(j job, o outcome) {
	l := r.service.opts.Logger
	switch o.state {
	case "sent":
		l.Debug("delivery sent", "delivery_id", j.ID, "mailing_id", j.Mailing, "attempt", j.Attempt)
	case "failed":
		l.Warn("delivery refused", "delivery_id", j.ID, "mailing_id", j.Mailing, "attempt", j.Attempt, "reply_code", o.code)
	default:
		l.Info("delivery deferred", "delivery_id", j.ID, "mailing_id", j.Mailing, "attempt", j.Attempt, "reply_code", o.code, "state", o.state)
	}
}
