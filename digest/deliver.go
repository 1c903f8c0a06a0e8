package digest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dibao/internal/mail"
	"dibao/subscribers"
)

// DeliverOptions say how a node sends. The zero value of a field is the default
// named beside it.
type DeliverOptions struct {
	Server      mail.Options     // where to; required, but for Direct
	Fallbacks   []mail.Options   // servers to use while the first is not reached, in this order
	Direct      *mail.Router     // not nil: to the servers of the readers' domains, as Server says but for its address
	Limits      map[string]Limit // by domain; it holds for all domains of its group together
	PerMinute   int              // messages to all domains together; 0: no limit
	Connections int              // 4; each sends one message at a time
	Lease       time.Duration    // 10 m; how long claims hold if their node says nothing
	GiveUpAfter time.Duration    // 48 h; since the first attempt
	RetryIn     time.Duration    // 1 m; pause after the server could not be reached
	StallAfter  time.Duration    // 2 s; a message that waits longer for its server no longer keeps a connection from others
	DKIM        *mail.Signer     // nil: unsigned
	BounceToken func(delivery int64) string
	MessageKey  []byte // makes Message-IDs; the same on every node
	// Notify is told what an admin should know; nil: only the log is.
	Notify func(ctx context.Context, n Notice)
}

func (o *DeliverOptions) fill() error {
	if o.Server.Addr == "" && o.Direct == nil {
		return errors.New("no mail server is set; set host and port in [mail], or direct = true")
	}
	if o.Connections <= 0 {
		o.Connections = 4
	}
	for _, f := range []struct {
		d        *time.Duration
		standard time.Duration
	}{
		{&o.Lease, 10 * time.Minute}, {&o.GiveUpAfter, 48 * time.Hour}, {&o.RetryIn, time.Minute}, {&o.StallAfter, 2 * time.Second},
	} {
		if *f.d <= 0 {
			*f.d = f.standard
		}
	}
	return nil
}

// Deliverer sends what the ledger says is due. One per process and server.
type Deliverer struct {
	service *Service
	opts    DeliverOptions
	render  *renderer
	lanes   *lanes
	all     *lane // bounds the messages of all lanes together
	servers *servers
	mu      sync.Mutex // one Deliver at a time: lanes and connections are counted per process
}

// Delivered counts what one call of Deliver did.
type Delivered struct {
	Sent, Failed, Deferred, Uncertain, Suppressed int
	Recovered                                     int // claims of owners that died, taken back
}

// NewDeliverer returns a deliverer of s. It opens no connection.
func (s *Service) NewDeliverer(opts DeliverOptions) (*Deliverer, error) {
	if err := opts.fill(); err != nil {
		return nil, err
	}
	return &Deliverer{
		service: s, opts: opts, render: newRenderer(s, opts.DKIM), lanes: newLanes(opts.Limits), all: newLane("", Limit{PerMinute: opts.PerMinute}, 1),
		servers: &servers{all: append([]mail.Options{opts.Server}, opts.Fallbacks...)},
	}, nil
}

// Deliver sends until nothing is due and returns what it did. When ctx ends it
// claims no more, lets the messages that were handed over have their answer,
// puts the rest back and returns ctx's error. It may be called again at any
// time; deliveries that wait for a later try are left for a later call.
func (d *Deliverer) Deliver(ctx context.Context) (Delivered, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ledger, err := newLedger(d.service.db, d.service.now, d.opts.Lease)
	if err != nil {
		return Delivered{}, err
	}
	defer living.Delete(ledger.owner)
	run := &deliveryRun{Deliverer: d, ledger: ledger, mailings: make(map[int64]int)}
	run.changed = sync.NewCond(&run.mu)
	ledger.fail, ledger.busy = run.note, run.onTheirWay
	if run.total.Recovered, err = run.ledger.recover(ctx); err != nil {
		return run.total, fmt.Errorf("take back claims: %w", err)
	}
	if n := run.total.Recovered; n > 0 {
		d.service.opts.Logger.Warn("claims of a process that ended were taken back", "deliveries", n)
	}
	if due, err := run.ledger.due(ctx, d.service.now()); err != nil || len(due) == 0 {
		return run.total, errors.Join(err, run.close(ctx))
	}
	if err := run.ledger.begin(ctx); err != nil {
		return run.total, fmt.Errorf("begin to deliver: %w", err)
	}
	var writing sync.WaitGroup
	stop := make(chan struct{})
	writing.Go(func() { ledger.run(stop) })
	err = run.dispatch(ctx)
	close(stop)
	writing.Wait()
	return run.total, errors.Join(err, run.failure, run.close(context.WithoutCancel(ctx)))
}

// deliveryRun is the state of one Deliver.
type deliveryRun struct {
	*Deliverer
	ledger *Ledger

	mu       sync.Mutex
	changed  *sync.Cond   // with every change of what follows
	ready    []*lane      // lanes with something to send, in turn
	queued   int          // messages in the lanes' queues
	active   int          // on their way
	lively   atomic.Int64 // active without those that are stalled
	idle     int          // connections that wait for a message
	workers  int
	extra    int           // of those, the ones that stand in for stalled ones
	mailings map[int64]int // how many messages of each are queued
	ended    bool          // nothing is left: the workers go
	stopped  func() error  // why the run is to end early
	total    Delivered
	failure  error // of the ledger or of rendering: the run stops
	down     error // the server could not be reached: the run stops and is tried later

	heldQueued bool      // a lane was paused that has messages queued
	idleSince  time.Time // since when there is nothing for idle connections in a full queue
}

const (
	claimSize = 512 // deliveries claimed together: little to put back at a stop
	lowWater  = 128 // queued messages below which more are claimed
	highWater = 512 // queued messages above which a lane that is in the way is put back
	lookEvery = time.Second
)

// dispatch claims deliveries and queues them by lane, for the connections to take.
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
			case <-ticker.C: // the clock has moved, and mailings may have been paused
				if err := r.dropPaused(ctx); err != nil && ctx.Err() == nil {
					r.note(err)
				}
				r.wake()
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
	for _, x := range r.ready { // lanes outlive the run, its list does not
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

func (r *deliveryRun) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed.Broadcast()
}

// startWorker starts a connection; r.mu is held.
func (r *deliveryRun) startWorker(ctx context.Context, all *sync.WaitGroup) {
	r.workers++
	c := &connection{run: r, done: make(chan error, 1), ids: mail.NewMessageIDs(r.opts.MessageKey)}
	c.standIn = func() { r.startWorker(ctx, all) }
	all.Go(func() { c.work(ctx) })
}

// feed claims until nothing is due and nothing on its way.
func (r *deliveryRun) feed(ctx context.Context) error {
	for {
		if err := r.waitForRoom(); err != nil {
			return err
		}
		if r.blocked() {
			r.clearWay()
		}
		batch, err := r.ledger.claim(ctx, claimSize)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("claim deliveries: %w", err)
		}
		if len(batch) == 0 {
			if over, err := r.waitForChange(); over || err != nil {
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

// waitForRoom returns when more can be queued, or when the queue has to be
// cleared of what is in the way.
func (r *deliveryRun) waitForRoom() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.stopped() == nil && r.queued >= lowWater && !r.heldQueued && !r.inTheWay() {
		r.changed.Wait()
	}
	return r.stopped()
}

// inTheWay reports whether, for a while already, connections have been idle
// though the queue is full: what is in it can't go, and keeps out what could.
// r.mu is held.
func (r *deliveryRun) inTheWay() bool {
	if r.idle == 0 || len(r.ready) > 0 || r.queued < lowWater {
		r.idleSince = time.Time{}
		return false
	}
	if r.idleSince.IsZero() {
		r.idleSince = time.Now()
	}
	return time.Since(r.idleSince) >= lookEvery
}

// blocked reports whether something is queued that can't go.
func (r *deliveryRun) blocked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heldQueued || r.inTheWay()
}

// waitForChange returns when something happened that may have made more due;
// over says that nothing is left to happen.
func (r *deliveryRun) waitForChange() (over bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped() == nil && r.queued == 0 && r.active == 0 {
		return true, nil
	}
	if r.stopped() == nil {
		r.changed.Wait()
	}
	return false, r.stopped()
}

// enqueue puts jobs into the queues of their lanes.
func (r *deliveryRun) enqueue(jobs []job) {
	now := r.service.now()
	var back []deferral
	r.mu.Lock()
	lively := 0
	for i := range jobs {
		jobs[i].lane = r.lanes.of(domainOf(jobs[i].reader.Address))
		if !jobs[i].lane.yields() {
			lively++
		}
	}
	for _, j := range jobs {
		// Beside much that can go, what can't must not fill the queue.
		if j.lane.yields() && len(j.lane.queue) >= r.opts.Connections && lively > len(jobs)/4 {
			back = append(back, deferral{j.Delivery, now.Add(slowLanePause), "the domain takes mail slowly"})
			continue
		}
		if until, held := j.lane.held(now); held {
			back = append(back, deferral{j.Delivery, until, "the domain refuses our mail for now"})
			continue
		}
		if at, ok := j.lane.pass(now); !ok {
			back = append(back, deferral{j.Delivery, at, "the domain's limit of messages a minute"})
			continue
		}
		if at, ok := r.all.pass(now); !ok {
			back = append(back, deferral{j.Delivery, at, "the limit of messages a minute"})
			continue
		}
		j.lane.queue = append(j.lane.queue, j)
		r.queued++
		r.mailings[j.Mailing]++
		r.makeReady(j.lane)
	}
	r.changed.Broadcast()
	r.mu.Unlock()
	r.deferAll(back)
}

// deferral is a claim that is put back until a time.
type deferral struct {
	Delivery
	until time.Time
	why   string
}

func (r *deliveryRun) deferAll(all []deferral) {
	for _, d := range all {
		r.ledger.finish(d.Delivery, outcome{state: "waiting", nextAt: d.until, reply: d.why, untried: true})
	}
}

// makeReady puts a lane in line if it may go on; r.mu is held.
func (r *deliveryRun) makeReady(x *lane) {
	if !x.ready && len(x.queue) > 0 && x.open(r.opts.Connections) {
		x.ready = true
		r.ready = append(r.ready, x)
	}
}

// clearWay puts back what can't go now: lanes that are held, and, where
// connections idle beside a full queue, most of what waits for a slow lane.
func (r *deliveryRun) clearWay() {
	now := r.service.now()
	r.mu.Lock()
	full := r.inTheWay()
	left := make(map[*lane]int)
	var until time.Time
	held := r.takeQueued(func(j job) bool {
		at, held := j.lane.held(now)
		if held {
			until = latest(until, at)
		}
		return held
	})
	slow := r.takeQueued(func(j job) bool {
		left[j.lane]++
		return full && left[j.lane] > 4*r.opts.Connections
	})
	r.heldQueued = false
	r.mu.Unlock()
	r.putBack(held, until, "the domain refuses our mail for now")
	r.putBack(slow, now.Add(slowLanePause), "the domain takes mail slowly")
}

// slowLanePause is how long mail to a domain waits that takes it slower than others.
const slowLanePause = 10 * time.Second

// takeQueued takes messages out of the queues; r.mu is held.
func (r *deliveryRun) takeQueued(which func(job) bool) (taken []Delivery) {
	for _, x := range r.lanes.byName {
		x.queue = slices.DeleteFunc(x.queue, func(j job) bool {
			if !which(j) {
				return false
			}
			taken = append(taken, j.Delivery)
			r.leaves(j)
			return true
		})
	}
	return taken
}

// leaves counts a message that leaves its queue; r.mu is held.
func (r *deliveryRun) leaves(j job) {
	r.queued--
	if r.mailings[j.Mailing]--; r.mailings[j.Mailing] == 0 {
		delete(r.mailings, j.Mailing)
	}
}

// dropPaused puts back what was queued of mailings that were paused or cancelled.
func (r *deliveryRun) dropPaused(ctx context.Context) error {
	halted, err := r.service.haltedMailings(ctx)
	if err != nil || len(halted) == 0 {
		return err
	}
	r.mu.Lock()
	taken := r.takeQueued(func(j job) bool { return slices.Contains(halted, j.Mailing) })
	r.mu.Unlock()
	r.putBack(taken, r.service.now(), "")
	return nil
}

// putBack returns claims that were not begun; none of them was handed over.
func (r *deliveryRun) putBack(batch []Delivery, until time.Time, why string) {
	for _, d := range batch {
		r.ledger.finish(d, outcome{state: "waiting", nextAt: until, reply: why, untried: true})
	}
}

// note keeps the first failure of the ledger.
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

// job is a claimed delivery with its reader.
type job struct {
	Delivery
	reader subscribers.Reader
	wanted bool
	// lookedUp is when by the machine's clock: what waits behind a slow domain is
	// looked up again before it is sent.
	lookedUp time.Time
	lane     *lane
}

// prepare looks up the readers of a batch, and who of them still wants it:
// readers who left or were suppressed since composing get nothing.
func (r *deliveryRun) prepare(ctx context.Context, batch []Delivery) ([]job, error) {
	ids := make([]int64, len(batch))
	for i, d := range batch {
		ids[i] = d.Subscriber
	}
	readers, err := r.service.subscribers.Recipients(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look up readers: %w", err)
	}
	jobs := make([]job, len(batch))
	for i, d := range batch {
		reader, ok := readers[d.Subscriber]
		jobs[i] = job{Delivery: d, reader: reader, wanted: ok && !reader.Suppressed, lookedUp: time.Now()}
	}
	return jobs, nil
}

// next returns the next message for a connection; ok is false when it should
// end. The lanes take turns.
func (r *deliveryRun) next(c *connection) (j job, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	idle := false
	defer func() {
		if idle {
			r.idle--
		}
	}()
	for {
		if r.stopped() != nil || r.ended {
			return job{}, false
		}
		if x := r.turn(); x != nil {
			j, x.queue = x.queue[0], x.queue[1:]
			r.leaves(j)
			x.active++
			r.active++
			r.lively.Add(1)
			r.makeReady(x)
			if r.queued == lowWater-1 {
				r.changed.Broadcast()
			}
			c.begin(j)
			return j, true
		}
		if !idle { // told once: idle connections that wake each other would never rest
			idle = true
			r.idle++
			r.changed.Broadcast()
		}
		c.waitIdle()
	}
}

// turn takes the lane whose turn it is out of line; slow lanes come after the
// others. r.mu is held.
func (r *deliveryRun) turn() *lane {
	r.ready = slices.DeleteFunc(r.ready, func(x *lane) bool {
		x.ready = len(x.queue) > 0 && x.open(r.opts.Connections)
		return !x.ready
	})
	if len(r.ready) == 0 {
		return nil
	}
	i := max(0, slices.IndexFunc(r.ready, func(x *lane) bool { return !x.yields() }))
	x := r.ready[i]
	r.ready = slices.Delete(r.ready, i, i+1)
	for _, other := range r.ready {
		other.rests = max(0, other.rests-1)
	}
	x.ready = false
	return x
}

// release ends a connection's message; it reports whether the connection should
// end, too.
func (r *deliveryRun) release(c *connection, x *lane) (leave bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stalled := c.finishWatch(x); !stalled {
		r.lively.Add(-1)
	} else if r.extra > 0 {
		r.extra--
		leave = true
	}
	x.active--
	r.active--
	r.makeReady(x)
	if r.idle > 0 || r.active == 0 {
		r.changed.Broadcast()
	}
	return leave
}

// onTheirWay is how many messages are on their way to a server that answers.
func (r *deliveryRun) onTheirWay() int { return int(r.lively.Load()) }

// serverDown stops the run: every delivery would fail the same way, and none of
// them is to blame.
func (r *deliveryRun) serverDown(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down == nil {
		r.down = fmt.Errorf("mail server %s: %w", r.servers.names(), err)
		r.service.opts.Logger.Error("mail server not reached", "host", r.servers.names(), "err", err)
	}
	r.changed.Broadcast()
}

func (r *deliveryRun) count(f func(*Delivered)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.total)
}

// servers are the configured relays.
type servers struct {
	mu   sync.Mutex
	all  []mail.Options
	down []time.Time // until when each is passed over
}

func (s *servers) names() string {
	names := make([]string, len(s.all))
	for i, o := range s.all {
		names[i] = o.Addr
	}
	return strings.Join(names, ", ")
}

// dial connects to the first server that can be reached. One that could not is
// passed over for a while, unless all are.
func (s *servers) dial(ctx context.Context, now time.Time, pause time.Duration) (*mail.Conn, error) {
	s.mu.Lock()
	if s.down == nil {
		s.down = make([]time.Time, len(s.all))
	}
	var order []int
	for i := range s.all {
		if !now.Before(s.down[i]) {
			order = append(order, i)
		}
	}
	for i := range s.all {
		if now.Before(s.down[i]) {
			order = append(order, i)
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, i := range order {
		conn, err := mail.Dial(ctx, s.all[i])
		s.mu.Lock()
		if err == nil {
			s.down[i] = time.Time{}
		} else {
			s.down[i] = now.Add(pause)
		}
		s.mu.Unlock()
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
