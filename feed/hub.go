package feed

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"dibao/internal/database"
	"dibao/internal/fetch"
	"dibao/internal/web"
)

// Hub pushes our feeds to who asked for them (W3C WebSub, where we are publisher
// and hub in one), and tells other hubs what changed.
//
// What is due is in the database: a subscription that was not sent what its feed
// holds now. So a change is pushed once, by whichever node sees it first, and a
// restart forgets nothing. Content is asked of the site itself, which has it as
// bytes.
type Hub struct {
	Store   *Store
	Site    http.Handler // answers for the feeds
	BaseURL string       // without a slash at the end
	Client  *fetch.Client
	Others  []string // addresses of other hubs that are told
	// Topics returns the paths of the feeds that other hubs are told of.
	Topics  func(context.Context) ([]string, error)
	Limiter *web.Limiter // of requests to the hub; nil: none
	Most    int          // subscriptions that are taken; 0: 20,000
	Logger  *slog.Logger

	wake    chan struct{}
	started sync.Once
	slow    sync.Map // ids of subscriptions whose callback took long
}

const (
	standardLease     = 10 * 24 * time.Hour
	shortestLease     = 5 * time.Minute
	longestLease      = 30 * 24 * time.Hour
	mostSubscriptions = 20_000
	maxPushRequests   = 2_000
	maxCallback       = 2_000 // bytes of an address
	maxSecret         = 200   // bytes, by the standard
	verifyTries       = 3
)

func (h *Hub) init() { h.started.Do(func() { h.wake = make(chan struct{}, 1) }) }

// Register puts the hub's address on mux.
func (h *Hub) Register(mux *http.ServeMux) {
	h.init()
	mux.HandleFunc("POST /hub", h.accept)
	mux.HandleFunc("GET /hub", func(w http.ResponseWriter, _ *http.Request) {
		hubAnswer(w, http.StatusOK, "This is a WebSub hub for the feeds of this site. POST hub.mode, hub.topic and hub.callback here.\n这里是本站订阅源的 WebSub 推送服务。")
	})
}

func hubAnswer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // a client that went away
}

// pushRequest is what somebody asks of the hub.
type pushRequest struct {
	id                            int64
	mode, topic, callback, secret string
	lease                         time.Duration
	tries                         int
}

// accept takes a request (W3C WebSub §5.1). Whether it is meant is asked later, of
// the callback: until then nothing is promised.
func (h *Hub) accept(w http.ResponseWriter, r *http.Request) {
	if h.Limiter != nil && !h.Limiter.Allow(web.Client(r)) {
		w.Header().Set("Retry-After", "60")
		hubAnswer(w, http.StatusTooManyRequests, "Too many requests; try again in a minute.")
		return
	}
	if err := r.ParseForm(); err != nil {
		hubAnswer(w, http.StatusBadRequest, "The form can't be read.")
		return
	}
	if r.PostForm.Get("hub.mode") == "publish" { // what changes here is seen without being told
		w.WriteHeader(http.StatusNoContent)
		return
	}
	req, problem := h.readRequest(r.PostForm)
	if problem == "" {
		if _, ok := h.content(r.Context(), req.topic); !ok {
			problem = "hub.topic is no feed of this site; take the address in its link rel=self."
		}
	}
	if problem != "" {
		hubAnswer(w, http.StatusBadRequest, problem)
		return
	}
	kept, err := h.keepRequest(r.Context(), req)
	switch {
	case err != nil:
		h.Logger.Error("request to the hub not kept", "err", err)
		web.ServerError(w, r)
	case !kept:
		w.Header().Set("Retry-After", "3600")
		hubAnswer(w, http.StatusServiceUnavailable, "The hub has as many subscriptions as it can serve.")
	default:
		h.wakeUp()
		w.WriteHeader(http.StatusAccepted)
	}
}

func (h *Hub) wakeUp() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// readRequest checks a form; problem says what is wrong with it.
func (h *Hub) readRequest(form url.Values) (req pushRequest, problem string) {
	req = pushRequest{
		mode: form.Get("hub.mode"), topic: form.Get("hub.topic"), callback: form.Get("hub.callback"), secret: form.Get("hub.secret"), lease: standardLease,
	}
	if s := form.Get("hub.lease_seconds"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n <= 0 {
			return req, "hub.lease_seconds is no number of seconds."
		}
		req.lease = min(max(time.Duration(min(n, int64(longestLease/time.Second)))*time.Second, shortestLease), longestLease)
	}
	refused := h.Client.Check(req.callback)
	switch {
	case req.mode != "subscribe" && req.mode != "unsubscribe":
		return req, "hub.mode is neither subscribe nor unsubscribe."
	case len(req.secret) >= maxSecret:
		return req, "hub.secret is 200 bytes or longer."
	case len(req.callback) > maxCallback || refused != nil:
		return req, "hub.callback is no address that may be called: it must be http or https at a public host, on port 80, 443 or one above 1023."
	case strings.HasPrefix(req.callback, h.BaseURL+"/hub"):
		return req, "hub.callback is this hub."
	}
	return req, ""
}

// keepRequest stores a request in place of an earlier one for the same. Where
// there are too many, who is subscribed may still renew or leave.
func (h *Hub) keepRequest(ctx context.Context, req pushRequest) (kept bool, err error) {
	now := h.Store.Now()
	err = h.Store.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM push_requests WHERE topic = $1 AND callback = $2`, req.topic, req.callback); err != nil {
			return err
		}
		var waiting, granted int
		var subscribed bool
		err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM push_requests), (SELECT COUNT(*) FROM push_subscriptions),
			EXISTS (SELECT 1 FROM push_subscriptions WHERE topic = $1 AND callback = $2)`, req.topic, req.callback).Scan(&waiting, &granted, &subscribed)
		if kept = subscribed || waiting < maxPushRequests && granted < cmp.Or(h.Most, mostSubscriptions); err != nil || !kept {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO push_requests (mode, topic, callback, secret, lease_seconds, next_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`,
			req.mode, req.topic, req.callback, req.secret, int64(req.lease/time.Second), now)
		return err
	})
	return kept, err
}

// claimRequests takes requests to verify; another node won't for a minute.
func (h *Hub) claimRequests(ctx context.Context, limit int) ([]pushRequest, error) {
	now := h.Store.Now()
	var all []pushRequest
	err := h.Store.db.Read(ctx, func(tx *sql.Tx) (err error) { // mostly there are none, and reading waits for nobody
		all, err = database.Collect(ctx, tx, scanPushRequest, `SELECT id, mode, topic, callback, secret, lease_seconds, tries FROM push_requests
			WHERE next_at <= $1 ORDER BY next_at LIMIT $2`, now, limit)
		return err
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var claimed []pushRequest
	err = h.Store.db.Write(ctx, func(tx *sql.Tx) error {
		claimed = nil
		for _, r := range all {
			res, err := tx.ExecContext(ctx, `UPDATE push_requests SET next_at = $2, tries = tries + 1 WHERE id = $1 AND next_at <= $3`, r.id, now.Add(time.Minute), now)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				continue
			}
			r.tries++
			claimed = append(claimed, r)
		}
		return nil
	})
	return claimed, err
}

func scanPushRequest(r database.Row) (req pushRequest, err error) {
	var seconds int64
	err = r.Scan(&req.id, &req.mode, &req.topic, &req.callback, &req.secret, &seconds, &req.tries)
	req.lease = time.Duration(seconds) * time.Second
	return req, err
}

// verify asks a callback whether a request was meant (W3C WebSub §5.3). Whoever
// did not ask for it answers otherwise, and the request is dropped.
func (h *Hub) verify(ctx context.Context, req pushRequest) error {
	u, err := url.Parse(req.callback)
	if err != nil {
		return h.dropRequest(ctx, req)
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
	res, err := h.Client.Get(ctx, fetch.Request{URL: u.String(), Accept: "*/*"})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && strings.TrimSpace(string(res.Body)) == challenge:
		return h.grant(ctx, req)
	case err != nil && req.tries < verifyTries && isTransient(err):
		h.Logger.Debug("callback not reached", "url", req.callback, "err", err)
		return nil // once more in a minute
	}
	h.Logger.Info("a subscription was not confirmed by its callback", "mode", req.mode, "err", err)
	return h.dropRequest(ctx, req)
}

func (h *Hub) dropRequest(ctx context.Context, req pushRequest) error {
	return h.Store.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM push_requests WHERE id = $1`, req.id)
		return err
	})
}

// grant does what was asked for. A new subscriber is sent what comes from now on.
func (h *Hub) grant(ctx context.Context, req pushRequest) error {
	current, ok := h.content(ctx, req.topic)
	if !ok {
		return h.dropRequest(ctx, req)
	}
	now := h.Store.Now()
	return h.Store.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM push_requests WHERE id = $1`, req.id); err != nil {
			return err
		}
		if req.mode == "unsubscribe" {
			_, err := tx.ExecContext(ctx, `DELETE FROM push_subscriptions WHERE topic = $1 AND callback = $2`, req.topic, req.callback)
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO push_subscriptions (topic, callback, secret, sent_hash, lease_until, next_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
			ON CONFLICT (topic, callback) DO UPDATE SET secret = excluded.secret, lease_until = excluded.lease_until, failures = 0, next_at = excluded.next_at`,
			req.topic, req.callback, req.secret, current.digest, now.Add(req.lease), now)
		return err
	})
}
