package hub

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dibao/feed/publish"
	"dibao/internal/database"
	"dibao/internal/fetch"
	"dibao/internal/redact"
	"dibao/internal/web"
)

const (
	// hubBeat is the interval between checks for new content: together with versionAge it
	// keeps a push within two seconds of the article.
	hubBeat = 500 * time.Millisecond
	// idleBeat is the interval between checks for subscriptions that other nodes stored,
	// while there are none. Requests to this node end the wait.
	idleBeat    = 10 * time.Second
	claimFor    = time.Minute // longer than a delivery takes
	slowAnswer  = 2 * time.Second
	quickLane   = 16 // concurrent deliveries to callbacks that work well
	slowLane    = 4  // concurrent deliveries to callbacks that fail or are slow
	dueTogether = 200
)

// topicContent is the current content of a feed.
type topicContent struct {
	body              []byte
	mediaType, digest string
}

// Run verifies requests, pushes content and pings other hubs until ctx ends, and returns
// when all its goroutines have ended.
func (h *Hub) Run(ctx context.Context) error {
	h.init()
	p := &pusher{
		Hub: h, quick: make(chan struct{}, quickLane), slow: make(chan struct{}, slowLane), verifying: make(chan struct{}, verifyLane),
	}
	defer p.running.Wait()
	for {
		if err := p.round(ctx); err != nil && ctx.Err() == nil {
			h.Logger.Error("due pushes not read", "err", err)
		}
		beat := time.NewTimer(p.beat())
		select {
		case <-ctx.Done():
		case <-h.wake:
		case <-beat.C:
		}
		beat.Stop()
		if ctx.Err() != nil {
			return nil
		}
	}
}

// pusher is the state of a running hub.
type pusher struct {
	*Hub
	quick, slow, verifying chan struct{} // slots
	running                sync.WaitGroup
	subscribed             bool        // there were subscriptions at the last count
	counted                time.Time   // time of that check
	pushed                 string      // the version at which everything due was last pushed
	looked                 time.Time   // time of that check
	again                  atomic.Bool // something may be due although the version has not changed
	pinged                 string      // the version of the last round of pings
	swept                  time.Time
	pushing                sync.Map // ids of subscriptions that are being pushed to
}

func (p *pusher) round(ctx context.Context) error {
	// A request that is taken counts as tried, so take only as many as can start; no other
	// goroutine starts requests in this lane.
	for _, r := range p.waiting.due(p.Store.Now(), cap(p.verifying)-len(p.verifying)) {
		p.start(p.verifying, func() { p.log(p.verify(ctx, r)) })
	}
	err := p.count(ctx)
	if p.subscribed {
		err = errors.Join(err, p.push(ctx))
	}
	return errors.Join(err, p.ping(ctx), p.sweep(ctx))
}

// beat is the time that the hub waits for something to do. Without subscribers it does not
// query the database twice a second.
func (p *pusher) beat() time.Duration {
	if p.subscribed || len(p.Others) > 0 || !p.waiting.empty() {
		return hubBeat
	}
	return idleBeat
}

// count checks whether there are subscriptions.
func (p *pusher) count(ctx context.Context) error {
	now := p.Store.Now()
	if p.subscribed && now.Sub(p.counted) < lookAfter {
		return nil
	}
	return p.Store.DB().Read(ctx, func(tx *sql.Tx) error {
		p.counted = now
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM push_subscriptions)`).Scan(&p.subscribed)
	})
}

// start runs f in a lane if it has a free slot.
func (p *pusher) start(lane chan struct{}, f func()) bool {
	select {
	case lane <- struct{}{}:
	default:
		return false
	}
	p.running.Go(func() {
		defer func() { <-lane }()
		f()
	})
	return true
}

func (p *pusher) log(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		p.Logger.Error("result of a push not stored", "err", err)
	}
}

// lookAfter is the interval between checks for retries while nothing changes.
const lookAfter = 5 * time.Second

// push starts the deliveries that are due.
func (p *pusher) push(ctx context.Context) error {
	now := p.Store.Now()
	version, _, err := p.Store.Version(ctx)
	if err != nil {
		return err
	}
	if again := p.again.Swap(false); !again && version == p.pushed && now.Sub(p.looked) < lookAfter {
		return nil
	}
	p.pushed, p.looked = version, now
	var topics []string
	err = p.Store.DB().Read(ctx, func(tx *sql.Tx) (err error) {
		topics, err = database.Collect(ctx, tx, database.ScanOne[string],
			`SELECT DISTINCT topic FROM push_subscriptions WHERE lease_until > $1 AND next_at <= $1`, now)
		return err
	})
	if err != nil {
		return err
	}
	for _, topic := range topics {
		current, ok := p.content(ctx, topic)
		if !ok {
			continue // the list was removed; its leases expire by themselves
		}
		due, err := p.due(ctx, topic, current.digest, now)
		if err != nil {
			return err
		}
		late := make(map[int64]time.Duration)
		for _, s := range due {
			if _, begun := p.pushing.Load(s.id); begun {
				continue
			}
			if wait := p.budget.wait(s, len(current.body)); wait > 0 {
				late[s.id] = wait
				continue
			}
			lane := p.quick
			if _, dawdles := p.Hub.slow.Load(s.id); dawdles || s.failures > 0 {
				lane = p.slow
			}
			p.pushing.Store(s.id, true)
			if p.start(lane, func() {
				defer p.pushing.Delete(s.id)
				p.log(p.deliver(ctx, s, current))
			}) {
				p.budget.spend(s, len(current.body))
			} else {
				p.pushing.Delete(s.id)
				p.again.Store(true) // when there is room again
			}
		}
		if err := p.postpone(ctx, late, now); err != nil {
			return err
		}
	}
	return nil
}

// pushSubscription is a callback that gets a feed.
type pushSubscription struct {
	id                      int64
	topic, callback, secret string
	network                 string // network from which it last answered; "" if unknown
	failures                int
}

func (p *pusher) due(ctx context.Context, topic, digest string, now time.Time) (all []pushSubscription, err error) {
	err = p.Store.DB().Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, func(r database.Row) (s pushSubscription, err error) {
			err = r.Scan(&s.id, &s.topic, &s.callback, &s.secret, &s.network, &s.failures)
			return s, err
		}, `SELECT id, topic, callback, secret, network, failures FROM push_subscriptions
			WHERE topic = $1 AND sent_hash <> $2 AND lease_until > $3 AND next_at <= $3 ORDER BY failures, next_at LIMIT $4`, topic, digest, now, dueTogether)
		return err
	})
	return all, err
}

// deliver pushes content to one callback (W3C WebSub §7), unless another node does so.
func (p *pusher) deliver(ctx context.Context, s pushSubscription, c topicContent) error {
	now := p.Store.Now()
	claimed, err := p.update(ctx, `UPDATE push_subscriptions SET next_at = $2 WHERE id = $1 AND next_at <= $3 AND sent_hash <> $4`, s.id, now.Add(claimFor), now, c.digest)
	if err != nil || !claimed {
		return err
	}
	header := http.Header{"Link": {"<" + p.BaseURL + `/hub>; rel="hub", <` + s.topic + `>; rel="self"`}}
	if s.secret != "" {
		mac := hmac.New(sha256.New, []byte(s.secret))
		mac.Write(c.body)
		header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	begun := time.Now()
	res, err := p.client.Get(ctx, fetch.Request{URL: s.callback, Accept: "*/*", Body: c.body, ContentType: c.mediaType, Header: header})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if time.Since(begun) > slowAnswer {
		p.Hub.slow.Store(s.id, true)
	} else {
		p.Hub.slow.Delete(s.id)
	}
	var status *fetch.StatusError
	switch {
	case err == nil:
		// Due at once: there may be newer content already.
		_, err = p.update(ctx, `UPDATE push_subscriptions SET sent_hash = $2, failures = 0, last_error = '', next_at = $3, network = $4 WHERE id = $1`,
			s.id, c.digest, now, networkOf(res.Remote))
		p.again.Store(true)
		p.wakeUp()
	case errors.As(err, &status) && status.Status == http.StatusGone:
		p.Logger.Info("subscription ended: its callback is gone", "subscription", s.id)
		_, err = p.update(ctx, `DELETE FROM push_subscriptions WHERE id = $1`, s.id)
	case s.failures+1 >= maxFailures:
		p.Logger.Info("subscription ended: pushes to it failed for days", "subscription", s.id, "host", callbackHost(s.callback), "err", err)
		_, err = p.update(ctx, `DELETE FROM push_subscriptions WHERE id = $1`, s.id)
	default:
		p.Logger.Debug("push failed", "subscription", s.id, "attempt", s.failures+1, "err", err)
		_, err = p.update(ctx, `UPDATE push_subscriptions SET failures = failures + 1, last_error = $2, next_at = $3 WHERE id = $1`,
			s.id, firstRunes(redact.Text(err.Error()), 200), now.Add(backOff(s.failures)))
	}
	return err
}

// maxFailures is the number of failures in a row that end a subscription: with the pauses
// between, three days.
const maxFailures = 20

// backOff returns the pause after the nth failure in a row, from half a minute to six
// hours.
func backOff(failures int) time.Duration {
	return min(30*time.Second<<min(failures, 10), 6*time.Hour)
}

func firstRunes(s string, n int) string {
	if r := []rune(strings.ToValidUTF8(s, "")); len(r) > n {
		return string(r[:n])
	}
	return s
}

func (p *pusher) update(ctx context.Context, query string, args ...any) (changed bool, err error) {
	err = p.Store.DB().Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		changed = n > 0
		return err
	})
	return changed, err
}

// ping notifies the other hubs of changed feeds, once per change.
func (p *pusher) ping(ctx context.Context) error {
	if len(p.Others) == 0 {
		return nil
	}
	version, _, err := p.Store.Version(ctx)
	if err != nil || version == p.pinged && p.Store.Now().Sub(p.swept) < 30*time.Second {
		return err
	}
	paths, err := p.Topics(ctx)
	if err != nil {
		return err
	}
	p.pinged = version
	for _, path := range paths {
		topic := p.BaseURL + path
		current, ok := p.content(ctx, topic)
		if !ok {
			continue
		}
		for _, hub := range p.Others {
			if len(p.slow) == cap(p.slow) {
				p.again.Store(true)
				return nil
			}
			now := p.Store.Now()
			claimed, err := p.update(ctx, `INSERT INTO hub_pings (hub, topic, hash, next_at) VALUES ($1, $2, '', $3)
				ON CONFLICT (hub, topic) DO UPDATE SET next_at = excluded.next_at WHERE hub_pings.hash <> $4 AND hub_pings.next_at <= $5`,
				hub, topic, now.Add(claimFor), current.digest, now)
			if err != nil {
				return err
			}
			if claimed {
				p.start(p.slow, func() { p.log(p.notifyHub(ctx, hub, topic, current.digest)) })
			}
		}
	}
	return nil
}

func (p *pusher) notifyHub(ctx context.Context, hub, topic, digest string) error {
	_, err := p.client.Get(ctx, fetch.Request{URL: hub, Accept: "*/*", Form: url.Values{"hub.mode": {"publish"}, "hub.url": {topic}, "hub.topic": {topic}}})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		p.Logger.Warn("other hub not notified; dibao tries again in a minute", "hub", hub, "err", err)
		return nil
	}
	_, err = p.update(ctx, `UPDATE hub_pings SET hash = $3, next_at = $4 WHERE hub = $1 AND topic = $2`, hub, topic, digest, p.Store.Now())
	return err
}

// sweep deletes subscriptions whose lease has expired.
func (p *pusher) sweep(ctx context.Context) error {
	now := p.Store.Now()
	if now.Sub(p.swept) < time.Minute {
		return nil
	}
	p.swept = now
	ended, err := p.update(ctx, `DELETE FROM push_subscriptions WHERE lease_until <= $1`, now)
	if ended {
		p.Hub.slow.Clear() // slow callbacks that remain are found again
	}
	return err
}

// content requests one of our feeds from the site; ok is false if the address is not a
// feed.
func (h *Hub) content(ctx context.Context, topic string) (c topicContent, ok bool) {
	path, ours := strings.CutPrefix(topic, h.BaseURL)
	if !ours || !strings.HasPrefix(path, "/") || len(topic) > maxCallback {
		return c, false
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	// The hub serves neither archive documents (they never change) nor searches (anybody could
	// make it repeat one at every change). Every other feed has one address.
	if err != nil || r.URL.Host != "" || strings.Contains(path, "?") || strings.Contains(path, "#") || strings.HasPrefix(path, "/search/") {
		return c, false
	}
	w := &memory{header: make(http.Header)}
	h.Site.ServeHTTP(w, r)
	c = topicContent{body: w.body.Bytes(), mediaType: w.header.Get("Content-Type"), digest: web.Tag(w.header.Get("ETag"))}
	for _, f := range publish.Formats {
		if w.status == http.StatusOK && c.mediaType == f.MediaType && c.digest != "" {
			return c, true
		}
	}
	return c, false
}

// memory is a response kept in memory.
type memory struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (m *memory) Header() http.Header { return m.header }

func (m *memory) WriteHeader(status int) {
	if m.status == 0 {
		m.status = status
	}
}

func (m *memory) Write(b []byte) (int, error) {
	m.WriteHeader(http.StatusOK)
	return m.body.Write(b)
}

// isTransient reports whether another attempt may succeed.
func isTransient(err error) bool {
	var status *fetch.StatusError
	if errors.As(err, &status) {
		return status.Status >= 500 || status.Status == http.StatusTooManyRequests
	}
	var blocked *fetch.BlockedError
	return !errors.As(err, &blocked)
}
