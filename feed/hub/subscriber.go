package hub

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // old hubs sign with HMAC-SHA1 (RFC 2104)
	"crypto/sha256"
	"crypto/sha512"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/collect"
	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/internal/redact"
	"dibao/internal/web"
)

// Subscriber subscribes to the hubs of source feeds that name one (W3C WebSub). Pushes
// supplement regular collecting and do not replace it.
type Subscriber struct {
	Collector *collect.Collector
	BaseURL   string                      // address of our own site, at which hubs reach us
	Stored    func(context.Context) error // called after a push with something new
	Logger    *slog.Logger
}

const (
	askedLease  = 10 * 24 * time.Hour
	longLease   = 60 * 24 * time.Hour // maximum lease that we request
	renewBefore = 24 * time.Hour      // time before the end of a lease
	hubRetry    = time.Hour
	maxPush     = 5 << 20 // bytes
)

type hubSubscription struct {
	source                    int64
	hub, topic, token, secret string
}

// Register registers the callback address on mux.
func (h *Subscriber) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /websub/{token}", h.verify)
	mux.HandleFunc("POST /websub/{token}", h.push)
}

// Renew subscribes to the hubs of sources without a subscription, and renews leases that
// are about to end.
func (h *Subscriber) Renew(ctx context.Context) error {
	st := h.Collector.Store
	all, err := st.Sources(ctx)
	if err != nil {
		return err
	}
	for _, src := range all {
		if src.Hints.Hub == "" || src.State == feed.StatePaused || src.State == feed.StateGone {
			continue
		}
		sub, due, err := h.claim(ctx, src)
		if err != nil {
			return err
		}
		if !due {
			continue
		}
		req := src.Request(sub.hub, false)
		req.Private = "" // the feed names the hub, not an admin
		req.Form = url.Values{
			"hub.mode": {"subscribe"}, "hub.topic": {sub.topic}, "hub.callback": {h.BaseURL + "/websub/" + sub.token},
			"hub.secret": {sub.secret}, "hub.lease_seconds": {strconv.Itoa(int(askedLease / time.Second))},
		}
		_, err = h.Collector.Client.Get(ctx, req)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		problem := ""
		if err != nil {
			problem = redact.Text(err.Error())
			h.Logger.Info("hub did not accept the subscription request", "source_id", src.ID, "hub", sub.hub, "err", err)
		}
		err = st.DB().Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE hub_subscriptions SET last_error = $2 WHERE source = $1`, src.ID, problem)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// claim reports whether to send a request to a source's hub now, and records that it is
// sent.
func (h *Subscriber) claim(ctx context.Context, src feed.Source) (sub hubSubscription, due bool, err error) {
	st := h.Collector.Store
	now := st.Now()
	err = st.DB().Write(ctx, func(tx *sql.Tx) error {
		sub, due = hubSubscription{source: src.ID, hub: src.Hints.Hub, topic: src.Hints.Topic, token: rand.Text(), secret: rand.Text()}, false
		err := tx.QueryRowContext(ctx, `
			INSERT INTO hub_subscriptions (source, hub, topic, token, secret, tried_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (source) DO UPDATE SET hub = excluded.hub, topic = excluded.topic, tried_at = excluded.tried_at,
				verified_at = CASE WHEN hub_subscriptions.hub = excluded.hub AND hub_subscriptions.topic = excluded.topic THEN hub_subscriptions.verified_at END
			WHERE hub_subscriptions.tried_at < $7 AND (hub_subscriptions.hub <> excluded.hub OR hub_subscriptions.topic <> excluded.topic
				OR hub_subscriptions.verified_at IS NULL OR hub_subscriptions.lease_until < $8)
			RETURNING token, secret`,
			src.ID, sub.hub, sub.topic, sub.token, sub.secret, now, now.Add(-hubRetry), now.Add(renewBefore)).Scan(&sub.token, &sub.secret)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		due = err == nil
		return err
	})
	return sub, due, err
}

func (h *Subscriber) byToken(ctx context.Context, token string) (hubSubscription, error) {
	var s hubSubscription
	err := h.Collector.Store.DB().Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err := database.Collect(ctx, tx, func(r database.Row) (hubSubscription, error) {
			var x hubSubscription
			return x, r.Scan(&x.source, &x.hub, &x.topic, &x.token, &x.secret)
		}, `SELECT source, hub, topic, token, secret FROM hub_subscriptions WHERE token = $1`, token)
		if err == nil && len(all) == 0 {
			return feed.ErrNotFound
		}
		if err == nil {
			s = all[0]
		}
		return err
	})
	return s, err
}

// verify answers a hub that asks whether we requested this (W3C WebSub §5.3).
func (h *Subscriber) verify(w http.ResponseWriter, r *http.Request) {
	sub, err := h.byToken(r.Context(), r.PathValue("token"))
	q := r.URL.Query()
	if err != nil || q.Get("hub.topic") != sub.topic {
		web.NotFound(w, r)
		return
	}
	st := h.Collector.Store
	now := st.Now()
	switch q.Get("hub.mode") {
	case "subscribe":
		seconds, err := strconv.ParseInt(q.Get("hub.lease_seconds"), 10, 32)
		lease := askedLease
		if err == nil && seconds > 0 {
			lease = min(time.Duration(seconds)*time.Second, longLease)
		}
		err = st.DB().Write(r.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(r.Context(), `UPDATE hub_subscriptions SET verified_at = $2, lease_until = $3, last_error = '' WHERE source = $1`,
				sub.source, now, now.Add(lease))
			return err
		})
		if err != nil {
			h.Logger.Error("hub not verified", "err", err)
			web.ServerError(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		io.WriteString(w, q.Get("hub.challenge"))
	case "denied":
		h.Logger.Info("the hub denies the subscription", "source_id", sub.source, "hub", sub.hub, "reason", q.Get("hub.reason"))
	default: // we never unsubscribe: leases expire by themselves
		web.NotFound(w, r)
	}
}

var hubHashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

// signedBy checks X-Hub-Signature (W3C WebSub §8).
func signedBy(secret, signature string, body []byte) bool {
	method, sum, _ := strings.Cut(signature, "=")
	newHash, ok := hubHashes[strings.ToLower(method)]
	want, err := hex.DecodeString(sum)
	if !ok || err != nil {
		return false
	}
	mac := hmac.New(newHash, []byte(secret))
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), want)
}

// push receives content from a hub. Content that is not signed with our secret gets the same
// answer and is discarded, as the standard requires.
func (h *Subscriber) push(w http.ResponseWriter, r *http.Request) {
	sub, err := h.byToken(r.Context(), r.PathValue("token"))
	if err != nil {
		w.WriteHeader(http.StatusGone)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPush))
	if err != nil {
		http.Error(w, fmt.Sprintf("the body is longer than %d bytes; push fewer items at a time", maxPush), http.StatusRequestEntityTooLarge)
		return
	}
	if !signedBy(sub.secret, r.Header.Get("X-Hub-Signature"), body) {
		h.Logger.Warn("push discarded: its signature is not valid", "source_id", sub.source)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	contentType := r.Header.Get("Content-Type")
	if _, _, err := mime.ParseMediaType(contentType); err != nil {
		contentType = ""
	}
	out, err := h.Collector.Push(r.Context(), sub.source, ingest.Page{URL: sub.topic, ContentType: contentType, Body: body})
	if err == nil && out.New+out.Changed > 0 {
		err = h.Stored(r.Context())
	}
	if err != nil { // the source is collected at its next time anyway
		h.Logger.Warn("push not read", "source_id", sub.source, "err", err)
	}
	w.WriteHeader(http.StatusAccepted)
}
