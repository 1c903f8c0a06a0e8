package fetch

import (
	"context"
	"sync"
	"time"
)

// hosts allows a few concurrent requests to each host, with a pause between them.
type hosts struct {
	perHost int
	pause   time.Duration
	now     func() time.Time
	turn    func(ctx context.Context, host string) (giveBack func(pause time.Duration), err error) // shared by all processes; nil means that this is the only one

	mu sync.Mutex
	by map[string]*host
}

type host struct {
	turns chan struct{} // a token for every running request
	last  time.Time     // end of the last request; guarded by hosts.mu
	delay time.Duration // requested by the host; guarded by hosts.mu
	uses  int           // requests that run or wait; guarded by hosts.mu
}

// maxIdleHosts is the maximum number of hosts that are remembered only for their pause.
const maxIdleHosts = 1000

// enter waits for the host's turn, and for the pause since its last request or, if longer,
// delay.
func (h *hosts) enter(ctx context.Context, name string, delay time.Duration) (release func(), err error) {
	x := h.take(name)
	select {
	case x.turns <- struct{}{}:
	case <-ctx.Done():
		h.leave(name, x, false)
		return nil, ctx.Err()
	}
	h.mu.Lock()
	x.delay = max(x.delay, delay)
	pause := max(h.pause, x.delay)
	wait := pause - h.now().Sub(x.last)
	h.mu.Unlock()
	if pause > 0 && wait > 0 {
		timer := time.NewTimer(min(wait, pause)) // a clock may have been set back
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			<-x.turns
			h.leave(name, x, false)
			return nil, ctx.Err()
		}
	}
	giveBack := func(time.Duration) {}
	if h.turn != nil {
		if giveBack, err = h.turn(ctx, name); err != nil {
			<-x.turns
			h.leave(name, x, false)
			return nil, err
		}
	}
	return func() {
		giveBack(pause)
		h.leave(name, x, true)
		<-x.turns
	}, nil
}

func (h *hosts) take(name string) *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.by == nil || len(h.by) > maxIdleHosts {
		h.forget()
	}
	x := h.by[name]
	if x == nil {
		x = &host{turns: make(chan struct{}, h.perHost)}
		h.by[name] = x
	}
	x.uses++
	return x
}

func (h *hosts) leave(name string, x *host, asked bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if asked {
		x.last = h.now()
	}
	if x.uses--; x.uses == 0 && h.pause == 0 && x.delay == 0 {
		delete(h.by, name) // there is no pause to remember
	}
}

// forget removes the hosts that are not in use.
func (h *hosts) forget() {
	kept := make(map[string]*host)
	for name, x := range h.by {
		if x.uses > 0 {
			kept[name] = x
		}
	}
	h.by = kept
}
