package delivery

import (
	"context"
	"slices"
	"time"

	"dibao/internal/mail"
	"dibao/internal/nodes"
	"dibao/subscribers"
)

// job is a claimed delivery with its reader. Until it is started it is in the
// queue of its lane.
type job struct {
	Delivery
	reader subscribers.Reader
	wanted bool
	// lookedUp is when the reader was looked up, by the machine's clock: a
	// delivery that waits behind a slow domain is looked up again before it is
	// sent.
	lookedUp time.Time
	lane     *lane
}

// enqueue puts jobs into the queues of their lanes.
func (r *deliveryRun) enqueue(jobs []job) {
	now, share := r.service.now(), r.opts.Share()
	var back []deferral
	r.mu.Lock()
	inFlight := 0
	for i := range jobs {
		jobs[i].lane = r.lanes.of(mail.DomainOf(jobs[i].reader.Address))
		if !jobs[i].lane.yields() {
			inFlight++
		}
	}
	for _, j := range jobs {
		// Deliveries that can't be sent must not fill the queue and keep out those that
		// can.
		if j.lane.yields() && len(j.lane.queue) >= r.opts.Connections && inFlight > len(jobs)/4 {
			back = append(back, deferral{j.Delivery, now.Add(slowLanePause), cause{reply: waitsForDomain}})
			continue
		}
		if until, why, held := j.lane.held(now, share); held {
			back = append(back, deferral{j.Delivery, until, why})
			continue
		}
		if at, ok := j.lane.pass(now, share); !ok {
			back = append(back, r.limited(j, at, j.lane.limited()))
			continue
		}
		if at, ok := r.all.pass(now, share); !ok {
			back = append(back, r.limited(j, at, waitsForLimit))
			continue
		}
		j.lane.queue = append(j.lane.queue, j)
		r.queued++
		r.mailings[j.Mailing]++
		r.makeReady(j.lane)
	}
	r.changed.Broadcast()
	r.mu.Unlock()
	for _, d := range back {
		r.postpone(d)
	}
}

// deferral is a claim that is requeued for a later time.
type deferral struct {
	Delivery
	until time.Time
	why   cause
}

// The replies of deliveries that wait for our own limits, or begin with one: they are not
// replies of a server, and need no attention.
const (
	waitsForDomain = "the domain accepts mail slowly"
	waitsForNodes  = "other nodes have the connections to the domain"
	waitsForLimit  = "the limit of messages a minute"
)

// ownLimit is the condition that a delivery d waits for our own limits.
const ownLimit = `(d.reply IN ('` + waitsForDomain + `', '` + waitsForNodes + `') OR d.reply LIKE '` + waitsForLimit + `%')`

// limited postpones a message until the limit allows it; r.mu is held.
func (r *deliveryRun) limited(j job, at time.Time, why string) deferral {
	r.limitedUntil = latest(r.limitedUntil, at)
	return deferral{j.Delivery, at, cause{reply: why}}
}

// claimAhead claims messages that the limit of a domain postponed, if it now allows more than
// are due: they were postponed when the domain accepted fewer messages, or by more nodes.
func (r *deliveryRun) claimAhead(ctx context.Context) (batch []Delivery, err error) {
	if time.Since(r.aheadAt) < lookEvery || r.unproven() {
		return nil, nil
	}
	r.aheadAt = time.Now()
	now, share := r.service.now(), r.opts.Share()
	spare := make(map[*lane]int)
	r.mu.Lock()
	for _, x := range r.lanes.byName {
		if n := r.all.allowance(now, share, x.spare(now, share)); n > 0 {
			spare[x] = n
		}
	}
	r.mu.Unlock()
	for x, n := range spare {
		claimed, err := r.ledger.claimPostponed(ctx, x.limited(), n)
		if err != nil {
			r.putBack(batch, now, "")
			return nil, err
		}
		r.mu.Lock()
		if len(claimed) == 0 {
			x.noneUntil = now.Add(nodes.Beat)
		} else {
			r.limitedUntil = latest(r.limitedUntil, now.Add(longestLimited))
		}
		r.mu.Unlock()
		batch = append(batch, claimed...)
	}
	return batch, nil
}

// postpone returns a claim that was not begun, and therefore not handed over.
func (r *deliveryRun) postpone(d deferral) {
	r.ledger.finish(d.Delivery, outcome{state: "waiting", nextAt: d.until, code: d.why.code, reply: d.why.reply, untried: true})
}

// makeReady adds a lane to the line if it may continue; r.mu is held.
func (r *deliveryRun) makeReady(x *lane) {
	if !x.ready && len(x.queue) > 0 && x.open(r.opts.Connections, r.service.now, r.opts.Share) {
		x.ready = true
		r.ready = append(r.ready, x)
	}
}

// requeueBlocked puts back what can't be sent now: messages of lanes that are held, and, if
// connections are idle next to a full queue, most of the messages that wait for a slow
// lane.
func (r *deliveryRun) requeueBlocked() {
	now, share := r.service.now(), r.opts.Share()
	r.mu.Lock()
	full := r.inTheWay()
	left := make(map[*lane]int)
	var back []deferral
	r.takeQueued(func(j job) bool {
		until, why, held := j.lane.held(now, share)
		if held {
			back = append(back, deferral{j.Delivery, until, why})
		}
		return held
	})
	slow := r.takeQueued(func(j job) bool {
		left[j.lane]++
		return full && left[j.lane] > 4*r.opts.Connections
	})
	r.heldQueued = false
	r.mu.Unlock()
	for _, d := range back {
		r.postpone(d)
	}
	r.putBack(slow, now.Add(slowLanePause), waitsForDomain)
}

// slowLanePause is the delay of mail to a domain that accepts it more slowly than others.
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

// dropPaused puts back the queued messages of mailings that were paused or canceled.
func (r *deliveryRun) dropPaused(ctx context.Context) error {
	halted, err := r.service.haltedMailings(ctx)
	if err != nil || len(halted) == 0 {
		return err
	}
	r.mu.Lock()
	taken := r.takeQueued(func(j job) bool { return slices.Contains(halted, j.Mailing) })
	r.mu.Unlock()
	r.putBack(taken, r.service.now(), "")
	r.render.Forget() // when the mailing continues, its emails get a new Date
	return nil
}

// putBack returns claims, to be tried at a given time.
func (r *deliveryRun) putBack(batch []Delivery, until time.Time, why string) {
	for _, d := range batch {
		r.postpone(deferral{d, until, cause{reply: why}})
	}
}

// inTheWay reports whether connections have been idle for a while although the queue is
// full: its deliveries can't be sent, and block others that could. r.mu is held.
func (r *deliveryRun) inTheWay() bool {
	if r.idle == 0 || len(r.ready) > 0 || r.queued < r.low {
		r.idleSince = time.Time{}
		return false
	}
	if r.idleSince.IsZero() {
		r.idleSince = time.Now()
	}
	return time.Since(r.idleSince) >= lookEvery
}

// blocked reports whether something is queued that can't be sent.
func (r *deliveryRun) blocked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heldQueued || r.inTheWay()
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
			r.inFlight.Add(1)
			r.makeReady(x)
			if r.queued == r.low-1 {
				r.changed.Broadcast()
			}
			c.begin(j)
			return j, true
		}
		if !idle { // signaled only once: idle connections that wake each other would never rest
			idle = true
			r.idle++
			r.changed.Broadcast()
		}
		c.waitIdle()
	}
}

// turn removes the lane whose turn it is from the line; slow lanes come after
// the others. r.mu is held.
func (r *deliveryRun) turn() *lane {
	r.ready = slices.DeleteFunc(r.ready, func(x *lane) bool {
		x.ready = len(x.queue) > 0 && x.open(r.opts.Connections, r.service.now, r.opts.Share)
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

// release ends the work of a connection on a message; it reports whether the connection
// should end, too.
func (r *deliveryRun) release(c *connection, x *lane) (leave bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stalled := c.finishWatch(x); !stalled {
		r.inFlight.Add(-1)
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
