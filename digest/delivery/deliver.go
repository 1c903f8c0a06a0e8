package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"dibao/internal/mail"
)

// Deliverer sends deliveries that are due according to the ledger. There is one per process
// and server.
type Deliverer struct {
	service *Service
	opts    Options
	render  Renderer
	lanes   *lanes
	all     *lane // limits the messages of all lanes together
	servers *servers
	pauses  *pauses
	// limitedUntil is when the last message that a limit per minute delayed may
	// be sent: Deliver stays until then.
	limitedUntil time.Time
	mu           sync.Mutex // one Deliver at a time: lanes and connections are counted per process
}

// NewDeliverer returns a deliverer of s whose messages are made by render. It opens no
// connection.
func (s *Service) NewDeliverer(opts Options, render Renderer) (*Deliverer, error) {
	if err := opts.fill(); err != nil {
		return nil, err
	}
	if opts.Notify == nil {
		opts.Notify = s.opts.Notify
	}
	p := &pauses{service: s}
	return &Deliverer{
		service: s, opts: opts, render: render, lanes: newLanes(opts.Limits), all: newLane("", Limit{PerMinute: opts.PerMinute}, 1),
		servers: newServers(append([]mail.Options{opts.Server}, opts.Fallbacks...), p), pauses: p,
	}, nil
}

// Deliver sends until nothing is due and nothing waits for a limit per minute,
// and returns what it did. When ctx ends it stops claiming, waits for the
// replies to messages that were handed over, puts the rest back and returns
// ctx's error. It may be called again at any time; it leaves deliveries that
// wait for a later try to a later call.
func (d *Deliverer) Deliver(ctx context.Context) (all Delivered, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for again := true; again && err == nil; {
		var done Delivered
		done, again, err = d.run(ctx)
		all.add(done)
	}
	return all, err
}

// longestLimited is how long a run may only wait for a limit: the work at the beginning and
// end of a run must not be delayed by a slow mailing.
const longestLimited = time.Minute

// run is one run of Deliver; isLimited reports whether messages wait for a limit.
func (d *Deliverer) run(ctx context.Context) (done Delivered, isLimited bool, err error) {
	ledger := newLedger(d.service.db, d.service.now, d.opts.Lease, d.opts.Node)
	run := &deliveryRun{Deliverer: d, ledger: ledger, mailings: make(map[int64]int), began: time.Now()}
	run.changed = sync.NewCond(&run.mu)
	ledger.fail, ledger.busy = run.note, run.countInFlight
	if run.total.Recovered, err = run.ledger.recover(ctx); err != nil {
		return run.total, false, fmt.Errorf("release claims: %w", err)
	}
	if n := run.total.Recovered; n > 0 {
		d.service.opts.Logger.Warn("claims of a process that ended were released", "deliveries", n)
	}
	if d.opts.Probe {
		if err := ledger.retryNow(ctx); err != nil {
			return run.total, false, fmt.Errorf("find emails that were refused for reasons on our side: %w", err)
		}
	}
	if err := run.keepPauses(ctx); err != nil {
		return run.total, false, err
	}
	if due, err := run.ledger.due(ctx, latest(d.service.now(), d.limitedUntil)); err != nil || len(due) == 0 || run.total.Refused != "" {
		return run.total, false, errors.Join(err, run.close(ctx))
	}
	if err := run.ledger.begin(ctx); err != nil {
		return run.total, false, fmt.Errorf("begin to deliver: %w", err)
	}
	defer d.render.Forget()
	var writing sync.WaitGroup
	stop := make(chan struct{})
	writing.Go(func() { ledger.run(stop) })
	err = run.dispatch(ctx)
	run.traces.end(err)
	var refused *refusedError
	if errors.As(err, &refused) {
		run.total.Refused, err = refused.Error(), nil
	}
	close(stop)
	writing.Wait()
	return run.total, run.isCut, errors.Join(err, run.failure, run.close(context.WithoutCancel(ctx)))
}

// deliveryRun is the state of one run of Deliver.
type deliveryRun struct {
	*Deliverer
	ledger *Ledger

	mu       sync.Mutex
	changed  *sync.Cond   // signals each change of the fields below
	ready    []*lane      // lanes with something to send, in order of their turns
	queued   int          // messages in the lanes' queues
	low      int          // more are claimed when fewer than this are queued
	active   int          // messages that are being sent
	inFlight atomic.Int64 // active without stalled ones
	idle     int          // connections that wait for a message
	workers  int
	extra    int           // connections that replace stalled ones
	mailings map[int64]int // number of queued messages of each mailing
	ended    bool          // nothing is left: the workers end
	stopped  func() error  // returns why the run has to end early
	total    Delivered
	failure  error // in the ledger or in rendering: the run stops
	down     error // no server can be reached or accepts our mail: the run stops and is tried later

	began  time.Time // by the machine's clock
	traces runTraces
	isCut  bool // it ended although messages wait for a limit

	aheadAt time.Time // when claimAhead last looked, by the machine's clock

	heldQueued bool      // a lane with queued messages was paused
	idleSince  time.Time // since when a full queue has had nothing for idle connections
}

const (
	// claimSize is the number of deliveries that are claimed together: few, because
	// those that are not sent before a stop must be requeued. Nodes divide it, down to minClaim,
	// so that no node is left alone with the end of a mailing.
	claimSize = 512
	minClaim  = 64
	lookEvery = time.Second
)

// dispatch claims deliveries and queues them by lane for the connections.
func (r *deliveryRun) dispatch(ctx context.Context) error {
	r.stopped = func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.failure != nil {
			return r.failure
		}
		return r.down
	}
	defer context.AfterFunc(ctx, r.wake)()
	ticker := time.NewTicker(lookEvery)
	ticking := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for {
			select {
			case <-ticker.C: // time has passed, and mailings may have been paused
				if err := r.dropPaused(ctx); err != nil && ctx.Err() == nil {
					r.note(err)
				}
				r.noteHeld()
			case <-ticking:
				return
			}
		}
	})
	r.mu.Lock()
	for range r.opts.Connections {
		r.startWorker(ctx, &all)
	}
	r.mu.Unlock()
	err := r.feed(ctx)
	r.mu.Lock()
	left := r.takeQueued(func(job) bool { return true })
	for _, x := range r.ready { // lanes outlive the run, but its list does not
		x.ready = false
	}
	r.ready = nil
	r.ended = true
	r.changed.Broadcast()
	r.mu.Unlock()
	r.putBack(left, r.service.now(), "")
	ticker.Stop()
	close(ticking)
	all.Wait()
	return err
}

// noteHeld records lanes whose limit other nodes now use up, and wakes all waiting
// goroutines.
func (r *deliveryRun) noteHeld() {
	now, share := r.service.now(), r.opts.Share()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.lanes.byName {
		if len(x.queue) > 0 {
			_, _, held := x.held(now, share)
			r.heldQueued = r.heldQueued || held
		}
	}
	r.changed.Broadcast()
}

func (r *deliveryRun) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed.Broadcast()
}

// startWorker starts a connection; r.mu is held.
func (r *deliveryRun) startWorker(ctx context.Context, all *sync.WaitGroup) {
	r.workers++
	c := &connection{run: r, done: make(chan error, 1), ids: mail.NewMessageIDs(r.opts.MessageKey)}
	c.replaceStalled = func() { r.startWorker(ctx, all) }
	all.Go(func() { c.work(ctx) })
}

// feed claims deliveries until nothing is due and nothing is being sent.
func (r *deliveryRun) feed(ctx context.Context) error {
	for {
		size := minClaim
		if nodes := r.opts.Share().Of; nodes > 0 {
			size = max(size, claimSize/nodes)
		}
		if err := r.waitForRoom(size / 4); err != nil {
			return err
		}
		if r.blocked() {
			r.requeueBlocked()
		}
		if r.unproven() {
			size = 1
		}
		batch, err := r.claimAhead(ctx)
		if len(batch) == 0 && err == nil {
			batch, err = r.claim(ctx, size)
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("claim deliveries: %w", err)
		}
		if len(batch) == 0 {
			isLimited, err := r.isLimited(ctx)
			if err != nil {
				return err
			}
			if over, err := r.waitForChange(isLimited); over || err != nil {
				return err
			}
			continue
		}
		jobs, err := r.prepare(ctx, batch)
		if err != nil {
			r.putBack(batch, r.service.now(), "")
			return err
		}
		r.enqueue(jobs)
	}
}

// claim claims no more than the limit on all messages allows: the rest is for other
// nodes or a later time.
func (r *deliveryRun) claim(ctx context.Context, n int) ([]Delivery, error) {
	r.mu.Lock()
	n = r.all.allowance(r.service.now(), r.opts.Share(), n)
	r.mu.Unlock()
	if n == 0 {
		return nil, nil
	}
	return r.ledger.claim(ctx, n)
}

// waitForRoom returns when fewer than low are queued, or when blocked
// deliveries have to be removed from the queue.
func (r *deliveryRun) waitForRoom(low int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.low = low
	for r.stopped() == nil && (r.queued >= r.low || r.queued+r.active > 0 && r.unproven()) && !r.heldQueued && !r.inTheWay() {
		r.changed.Wait()
	}
	return r.stopped()
}

// isLimited reports whether messages wait for a limit, and their mailings go on.
func (r *deliveryRun) isLimited(ctx context.Context) (bool, error) {
	now := r.service.now()
	r.mu.Lock()
	until := r.limitedUntil
	isLimited := r.all.allowance(now, r.opts.Share(), 1) == 0
	r.mu.Unlock()
	if !isLimited && !now.Before(until) {
		return false, nil
	}
	until = latest(until, now)
	waiting, err := r.ledger.due(ctx, until)
	if err != nil && ctx.Err() == nil {
		return false, fmt.Errorf("find waiting messages: %w", err)
	}
	return len(waiting) > 0, nil
}

// waitForChange returns when something happened that may have made more
// deliveries due; over says that nothing more can happen.
func (r *deliveryRun) waitForChange(isLimited bool) (over bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped() == nil && r.queued == 0 && r.active == 0 && (!isLimited || time.Since(r.began) >= longestLimited) {
		r.isCut = isLimited
		return true, nil
	}
	if r.stopped() == nil {
		r.changed.Wait()
	}
	return false, r.stopped()
}

// note records the first failure of the ledger.
func (r *deliveryRun) note(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure == nil {
		r.failure = err
	}
	r.changed.Broadcast()
}

// countInFlight returns the number of messages that are being sent to a server that
// answers.
func (r *deliveryRun) countInFlight() int { return int(r.inFlight.Load()) }

func (r *deliveryRun) count(f func(*Delivered)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.total)
}
