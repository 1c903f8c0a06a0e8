package channel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dibao/internal/fault"
	"dibao/internal/fetch"
)

// Sender sends the issues that are due to the channels. All fields but Notify and Sleep are required.
type Sender struct {
	Store  *Store
	Node   string // the ID of this process among the nodes; "" if it only tests a channel
	Client *fetch.Client
	// Card returns an issue as a channel shows it; if it has no items, nothing of the issue
	// is left to send.
	Card   func(ctx context.Context, issue int64) (Card, error)
	Log    *slog.Logger
	Notify func(context.Context, Trouble)                   // notifies the admin; nil means no notification
	Sleep  func(ctx context.Context, d time.Duration) error // nil means a sleep by the machine's clock
}

// Sent counts the results of the deliveries that a run has tried.
type Sent struct {
	Sent, Deferred, Failed, Uncertain int
	Recovered                         int // deliveries that processes which ended had claimed
}

// Trouble describes an issue that a channel did not get, or may not have got.
type Trouble struct {
	Channel, Mailing int64
	Kind, Host       string
	State            string // failed, uncertain, or waiting: it is tried again
	Reply            string // the reply of the service, with advice
}

// notifyAfter is the number of attempts after which the admin is notified of a channel that
// still fails: about an hour and a half.
const notifyAfter = 5

// parallel is the number of hosts that get a message at the same time: one that does not
// answer delays only its own channels.
const parallel = 32

// lookEvery is how often a run that waits for a host looks for deliveries that became due
// on other hosts; restAfter is how long it skips a channel that it has just served.
const (
	lookEvery = time.Second
	restAfter = 10 * time.Second
)

// longestWait is how long a run waits for the turn of a group; beyond that, a later run
// sends the message.
const longestWait = time.Minute

// attemptTimeout limits one request, including all waiting.
const attemptTimeout = 2 * time.Minute

// Run sends the issues that are due. It can run in any number of processes at the same time.
func (s *Sender) Run(ctx context.Context) (Sent, error) {
	if err := s.Store.catchUp(ctx); err != nil {
		return Sent{}, fmt.Errorf("find issues that channels have not received yet: %w", err)
	}
	recovered, err := s.Store.recover(ctx, s.Node)
	if err != nil {
		return Sent{}, fmt.Errorf("release claims on deliveries to channels: %w", err)
	}
	r := &run{Sender: s, sent: Sent{Recovered: int(recovered)}, served: make(map[int64]time.Time)}
	active := make(map[string]bool) // hosts that are being served
	ended := make(chan string)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		hosts, err := r.due(ctx, active)
		if err != nil && ctx.Err() == nil {
			r.fail(err)
		}
		for _, host := range slices.Sorted(maps.Keys(hosts)) {
			if len(active) == parallel {
				break // the others get their turn when one of these ends
			}
			active[host] = true
			for _, o := range hosts[host] {
				r.served[o.ID] = time.Now()
			}
			go func() {
				if err := r.serve(ctx, hosts[host]); err != nil && ctx.Err() == nil {
					r.fail(fmt.Errorf("channels at %s: %w", host, err)) // the others continue
				}
				ended <- host
			}()
		}
		if len(active) == 0 {
			return r.sent, errors.Join(r.failure(), ctx.Err())
		}
		select {
		case host := <-ended:
			delete(active, host)
		case <-look.C: // even when ctx has ended: then all hosts end soon
		}
	}
}

// due returns the channels with something due, by host, without those of active hosts and
// those that were served a moment ago. After the context has ended or a query has failed,
// it returns nothing.
func (r *run) due(ctx context.Context, active map[string]bool) (map[string][]*outlet, error) {
	if r.failure() != nil || ctx.Err() != nil {
		return nil, nil
	}
	due, err := r.Store.due(ctx)
	if err != nil {
		return nil, err
	}
	hosts := make(map[string][]*outlet)
	for _, id := range due {
		if at, ok := r.served[id]; ok && time.Since(at) < restAfter {
			continue
		}
		o, err := r.open(ctx, id)
		if errors.Is(err, fault.ErrNotFound) {
			continue // it was removed in the meantime
		}
		if err != nil {
			return nil, fmt.Errorf("channel %d: %w", id, err)
		}
		if host := o.host(); !active[host] {
			hosts[host] = append(hosts[host], o)
		}
	}
	return hosts, nil
}

// run is the state of one call of Run.
type run struct {
	*Sender
	served map[int64]time.Time // when a channel's turn began

	mu     sync.Mutex
	sent   Sent
	failed error
}

func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = errors.Join(r.failed, err)
}

func (r *run) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// outlet is a channel with something due.
type outlet struct {
	target
	problem error // why its file can't be used
}

func (r *run) open(ctx context.Context, id int64) (*outlet, error) {
	c, err := r.Store.Channel(ctx, id)
	if err != nil {
		return nil, err
	}
	t, problem := c.open()
	return &outlet{t, problem}, nil
}

// serve sends the issues that are due in the channels of one host, one message at a time and each
// channel in turn.
func (r *run) serve(ctx context.Context, outlets []*outlet) error {
	for len(outlets) > 0 {
		soonest := longestWait
		var left []*outlet
		hasSent := false
		for _, o := range outlets {
			sent, wait, err := r.next(ctx, o)
			if err != nil {
				return err
			}
			if sent || wait > 0 && wait <= longestWait {
				left = append(left, o)
			}
			hasSent = hasSent || sent
			if wait > 0 {
				soonest = min(soonest, wait)
			}
		}
		if outlets = left; len(left) > 0 && !hasSent {
			if err := r.sleep(ctx, soonest); err != nil {
				return err
			}
		}
	}
	return nil
}

// next sends the next issue to a channel, or returns how long its group has to wait; it
// does neither if nothing is due.
func (r *run) next(ctx context.Context, o *outlet) (sent bool, wait time.Duration, err error) {
	if err := ctx.Err(); err != nil {
		return false, 0, err
	}
	d, wait, err := r.Store.claim(ctx, r.Node, o.ID, o.group(), services[o.Kind].pause)
	if err != nil || d == nil {
		return false, wait, err
	}
	v := verdict{state: stateWaiting}
	if o.problem != nil { // not final: the admin can correct the file
		v.text = o.problem.Error()
	} else {
		v, err = r.attempt(ctx, o.target, *d)
	}
	if err == nil {
		err = r.finish(ctx, o.target, *d, v)
	}
	if errors.Is(err, errLost) {
		err = nil
	}
	return true, 0, err
}

// attempt sends an issue to a channel.
func (r *run) attempt(ctx context.Context, t target, d claimed) (verdict, error) {
	card, err := r.Card(ctx, d.issue)
	if err != nil {
		return verdict{state: stateWaiting, text: err.Error()}, nil
	}
	if len(card.Items) == 0 {
		return verdict{state: stateCancelled, text: "nothing is left in the issue"}, nil
	}
	return r.post(ctx, t, message{card, fmt.Sprintf("dibao-%s-%d", t.Key, d.issue), r.Store.now()}, func() error {
		return r.Store.handOver(ctx, r.Node, d.id)
	})
}

// post sends a message. handOver is called directly before the service gets it.
func (s *Sender) post(ctx context.Context, t target, m message, handOver func() error) (verdict, error) {
	service := services[t.Kind]
	req, err := service.request(t, m)
	if err != nil {
		return verdict{state: stateFailed, text: err.Error()}, nil
	}
	req.Proxy = t.Proxy
	var handed, lost atomic.Bool
	req.BeforeBody = func() error {
		err := handOver()
		handed.Store(err == nil)
		lost.Store(errors.Is(err, errLost))
		return err
	}
	reqCtx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	res, err := s.Client.Get(reqCtx, req)
	if lost.Load() {
		return verdict{}, errLost
	}
	return service.verdictOf(res, err, handed.Load()), nil
}

// finish writes the result of an attempt, even if the process is about to end.
func (r *run) finish(ctx context.Context, t target, d claimed, v verdict) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	s := services[t.Kind]
	state, now := v.state, r.Store.now()
	var next time.Time
	switch {
	case state == stateUncertain && s.repeats:
		state = stateWaiting
	case state == stateUncertain:
		if d.uncertain++; d.uncertain < maxUncertain {
			state = stateWaiting
		}
	}
	if state == stateWaiting {
		if next = now.Add(s.retryIn(v, d.attempts)); next.Sub(d.firstAt) > giveUpAfter {
			state, next = stateFailed, time.Time{}
			if d.uncertain > 0 {
				state = stateUncertain
			}
		}
	}
	if v.limited && !next.IsZero() {
		if err := r.Store.hold(ctx, t.group(), next.Sub(now)); err != nil {
			return err
		}
	}
	state, err := r.Store.finish(ctx, r.Node, d, state, v.reply(), next)
	if err != nil {
		return err
	}
	r.notifyAdmin(ctx, t, d, state, v.reply())
	r.mu.Lock()
	defer r.mu.Unlock()
	log := r.Log.With("channel", t.ID, "kind", t.Kind, "host", t.host(), "issue", d.issue, "attempt", d.attempts)
	switch state {
	case stateSent:
		r.sent.Sent++
		log.Info("issue sent to channel")
	case stateWaiting:
		r.sent.Deferred++
		log.Info("channel failed; dibao tries again", "reply", v.reply(), "next_at", next)
	case statePaused, stateCancelled:
		log.Info("issue not sent to channel: its mailing was stopped", "reply", v.reply(), "state", state)
	case stateFailed:
		r.sent.Failed++
		log.Warn("channel refused the issue", "reply", v.reply())
	case stateUncertain:
		r.sent.Uncertain++
		log.Warn("channel may have the issue; dibao does not try again", "reply", v.reply())
	}
	return nil
}

// notifyAdmin notifies the admin of an issue that a channel did not get, and once of an issue
// that is still being tried.
func (r *run) notifyAdmin(ctx context.Context, t target, d claimed, state, reply string) {
	if r.Notify != nil && (state == stateFailed || state == stateUncertain || state == stateWaiting && d.attempts == notifyAfter) {
		r.Notify(ctx, Trouble{Channel: t.ID, Mailing: d.mailing, Kind: t.Kind, Host: t.host(), State: state, Reply: reply})
	}
}

func (s *Sender) sleep(ctx context.Context, d time.Duration) error {
	if s.Sleep != nil {
		return s.Sleep(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Test sends a card to a channel at once, outside the ledger. The error says in one
// sentence why the service refused it.
func (s *Sender) Test(ctx context.Context, c Channel, card Card) error {
	t, err := c.open()
	if err != nil {
		return err
	}
	now := s.Store.now()
	v, err := s.post(ctx, t, message{card, fmt.Sprintf("dibao-%s-test-%d", t.Key, now.UnixMicro()), now}, func() error { return nil })
	switch {
	case err != nil:
		return err
	case v.state != stateSent:
		return fmt.Errorf("%s did not accept the message: %s", c.Kind, v.reply())
	}
	return nil
}
