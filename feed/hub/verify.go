package hub

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"dibao/internal/fetch"
)

// pushRequest is a request to the hub.
type pushRequest struct {
	mode, topic, callback, secret string
	lease                         time.Duration
	from                          netip.Prefix // network of the client
	tries                         int
	next                          time.Time // when to ask the callback
	running                       bool
}

// host returns the host of the callback, without its port.
func (r pushRequest) host() string { return callbackHost(r.callback) }

func callbackHost(callback string) string {
	u, err := url.Parse(callback)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

const (
	verifyTries        = 3
	verifyTimeout      = 5 * time.Second
	verifyLane         = 16
	maxUnverified      = 1000 // maximum number of unverified requests
	maxUnverifiedOfOne = 60   // per callback host or client network
	maxVerifyAnswer    = 1000 // maximum size of the response, in bytes, that is compared with the challenge
	unverifiedBefore   = time.Minute
)

// requests are requests to the hub that the callback has not confirmed yet. They are kept
// in memory, because anybody can send them. A restart loses them, as if the callback had
// not been reached; a real subscriber asks again.
type requests struct {
	mu  sync.Mutex
	all map[[2]string]*pushRequest // by topic and callback
}

// add stores a request in place of an earlier one for the same callback and topic, unless
// there are too many requests.
func (q *requests) add(r pushRequest) (kept bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := [2]string{r.topic, r.callback}
	if old := q.all[key]; old != nil {
		old.mode, old.secret, old.lease, old.tries, old.next = r.mode, r.secret, r.lease, 0, r.next
		return true
	}
	ofHost, fromThere := 0, 0
	for _, x := range q.all {
		if x.host() == r.host() {
			ofHost++
		}
		if x.from == r.from {
			fromThere++
		}
	}
	if len(q.all) >= maxUnverified || ofHost >= maxUnverifiedOfOne || fromThere >= maxUnverifiedOfOne {
		return false
	}
	if q.all == nil {
		q.all = make(map[[2]string]*pushRequest)
	}
	q.all[key] = &r
	return true
}

// due returns the requests to verify now, and counts the attempt.
func (q *requests) due(now time.Time, limit int) (taken []pushRequest) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.all {
		if len(taken) == limit {
			break
		}
		if !r.running && !r.next.After(now) {
			r.running = true
			r.tries++
			taken = append(taken, *r)
		}
	}
	return taken
}

// done removes a request, or keeps it for another attempt. A request that was replaced in
// the meantime stays.
func (q *requests) done(r pushRequest, again time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := [2]string{r.topic, r.callback}
	x := q.all[key]
	switch {
	case x == nil:
	case x.tries < r.tries: // requested again in the meantime
		x.running = false
	case again.IsZero():
		delete(q.all, key)
	default:
		x.running, x.next = false, again
	}
}

func (q *requests) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.all) == 0
}

// hubRefusal is the reason why a request is refused.
type hubRefusal struct {
	status int
	text   string
	retry  time.Duration
}

// admitRequest stores a request for verification, or returns why it is refused. Subscribers
// can always renew and unsubscribe, within the limits on requests to callbacks.
func (h *Hub) admitRequest(ctx context.Context, req pushRequest, from netip.Prefix) (*hubRefusal, error) {
	req.from, req.next = from, h.Store.Now()
	var c subscriptionCounts
	err := h.Store.DB().Read(ctx, func(tx *sql.Tx) (err error) {
		c, err = countSubscriptions(ctx, tx, req, "")
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !c.subscribed && req.mode == "unsubscribe":
		return nil, nil // there is no subscription to end, and no callback to ask
	case !c.subscribed && c.all >= cmp.Or(h.MaxSubscriptions, defaultSubscriptions):
		return &hubRefusal{http.StatusServiceUnavailable, "The hub has as many subscriptions as it can serve.", time.Hour}, nil
	case !c.subscribed && c.ofHost >= maxOfHost:
		return &hubRefusal{http.StatusTooManyRequests, "The host of hub.callback has as many subscriptions as one host may have.", time.Hour}, nil
	}
	if wait := h.asked.host.Take(req.host(), 1); wait > 0 {
		return &hubRefusal{http.StatusTooManyRequests, "The host of hub.callback was asked too often whether it subscribes.", max(wait, time.Minute)}, nil
	}
	if !h.waiting.add(req) {
		return &hubRefusal{http.StatusServiceUnavailable, "Too many requests are waiting for their callback's response.", time.Minute}, nil
	}
	return nil, nil
}

// admit limits the verifications that go to one network, whatever names resolve to it.
func (h *Hub) admit(to netip.Addr) error {
	if wait := h.asked.network.Take(networkOf(to), 1); wait > 0 {
		return &quotaError{"callbacks in its network were asked too often"}
	}
	return nil
}

type quotaError struct{ what string }

func (e *quotaError) Error() string { return e.what }

// subscriptionCounts are the numbers that the limits of the hub apply to.
type subscriptionCounts struct {
	all, ofHost, ofNetwork int
	subscribed             bool // a subscription with the same topic and callback exists
}

func countSubscriptions(ctx context.Context, tx *sql.Tx, req pushRequest, network string) (c subscriptionCounts, err error) {
	err = tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM push_subscriptions), (SELECT COUNT(*) FROM push_subscriptions WHERE host = $3),
		(SELECT COUNT(*) FROM push_subscriptions WHERE network = $4 AND network <> ''),
		EXISTS (SELECT 1 FROM push_subscriptions WHERE topic = $1 AND callback = $2)`,
		req.topic, req.callback, req.host(), network).Scan(&c.all, &c.ofHost, &c.ofNetwork, &c.subscribed)
	return c, err
}

// verify asks a callback whether it wants the request (W3C WebSub §5.3). A
// callback that did not ask for it does not confirm, and the request is
// dropped. A redirect does not count as a response: it would lead to a host that
// was not named.
func (h *Hub) verify(ctx context.Context, req pushRequest) error {
	u, err := url.Parse(req.callback)
	if err != nil {
		h.waiting.done(req, time.Time{})
		return nil
	}
	challenge := rand.Text()
	q := u.Query()
	q.Set("hub.mode", req.mode)
	q.Set("hub.topic", req.topic)
	q.Set("hub.challenge", challenge)
	if req.mode == "subscribe" {
		q.Set("hub.lease_seconds", strconv.FormatInt(int64(req.lease/time.Second), 10))
	}
	u.RawQuery = q.Encode()
	res, err := h.verifier.Get(ctx, fetch.Request{URL: u.String(), Accept: "*/*", NoRedirect: true})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && len(res.Body) <= maxVerifyAnswer && strings.TrimSpace(string(res.Body)) == challenge:
		err = h.grant(ctx, req, networkOf(res.Remote))
		h.waiting.done(req, time.Time{})
		h.wakeUp()
		return err
	case err != nil && req.tries < verifyTries && isTransient(err):
		h.Logger.Debug("callback not reached", "url", req.callback, "err", err)
		h.waiting.done(req, h.Store.Now().Add(unverifiedBefore))
		return nil
	}
	h.Logger.Info("subscription not confirmed by its callback", "mode", req.mode, "host", req.host(), "err", err)
	h.waiting.done(req, time.Time{})
	return nil
}

// grant carries out a confirmed request from a network. A new subscriber gets all content
// from now on.
func (h *Hub) grant(ctx context.Context, req pushRequest, network string) error {
	current, ok := h.content(ctx, req.topic)
	if !ok {
		return nil
	}
	now := h.Store.Now()
	h.granting.Lock()
	defer h.granting.Unlock()
	var full bool
	err := h.Store.DB().Write(ctx, func(tx *sql.Tx) error {
		if req.mode == "unsubscribe" {
			_, err := tx.ExecContext(ctx, `DELETE FROM push_subscriptions WHERE topic = $1 AND callback = $2`, req.topic, req.callback)
			return err
		}
		c, err := countSubscriptions(ctx, tx, req, network)
		full = !c.subscribed && (c.all >= cmp.Or(h.MaxSubscriptions, defaultSubscriptions) || c.ofHost >= maxOfHost || c.ofNetwork >= maxOfNetwork)
		if err != nil || full {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO push_subscriptions (topic, callback, secret, sent_hash, lease_until, next_at, created_at, host, network) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)
			ON CONFLICT (topic, callback) DO UPDATE SET secret = excluded.secret, lease_until = excluded.lease_until, failures = 0, next_at = excluded.next_at,
				host = excluded.host, network = excluded.network`,
			req.topic, req.callback, req.secret, current.digest, now.Add(req.lease), now, req.host(), network)
		return err
	})
	if err == nil && full {
		h.Logger.Info("subscription confirmed but refused: its host or network has reached its limit", "host", req.host(), "network", network)
	}
	return err
}
