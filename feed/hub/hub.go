// Package hub implements W3C WebSub in both directions: it pushes our feeds to
// subscribers, and receives pushes from the hubs of sources.
package hub

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"dibao/feed"
	"dibao/internal/fetch"
	"dibao/internal/web"
)

// Hub pushes our feeds to subscribers (W3C WebSub; we are publisher and hub in
// one), and notifies other hubs of changes.
//
// The database determines what to push: a push is due for each subscription that did not
// get the current content of its feed. So a change is pushed once, by whichever node sees
// it first, and a restart loses nothing. The content comes from the site, which caches the
// bytes.
type Hub struct {
	Store   *feed.Store
	Site    http.Handler // serves the feeds
	BaseURL string       // without a trailing slash
	// Fetch contains the options for requests to callbacks and other hubs, which have
	// public addresses.
	Fetch  fetch.Options
	Others []string // addresses of other hubs that are notified
	// Topics returns the paths of the feeds whose changes are sent to other hubs.
	Topics           func(context.Context) ([]string, error)
	Limiter          *web.Limiter // for requests to the hub; nil means none
	MaxSubscriptions int          // maximum number of subscriptions; 0 means 20,000
	// HourlyBytes is the maximum number of bytes pushed per hour in total, a quarter of it
	// at once; pushes beyond it are delayed and send the newest content. 0 means 1 GB.
	HourlyBytes int64
	Logger      *slog.Logger

	wake     chan struct{}
	started  sync.Once
	slow     sync.Map // ids of subscriptions whose callback was slow
	client   *fetch.Client
	verifier *fetch.Client
	waiting  requests
	granting sync.Mutex // held from counting subscriptions to storing a new one
	asked    quotas     // limits verifications
	budget   quotas     // limits bytes
}

const (
	standardLease        = 10 * 24 * time.Hour
	shortestLease        = 5 * time.Minute
	longestLease         = 30 * 24 * time.Hour
	defaultSubscriptions = 20_000
	maxOfHost            = 40    // subscriptions per callback host
	maxOfNetwork         = 100   // subscriptions per network that contains callbacks
	maxCallback          = 2_000 // bytes of an address
	maxSecret            = 200   // bytes (W3C WebSub §5.1)
)

func (h *Hub) init() {
	h.started.Do(func() {
		h.wake = make(chan struct{}, 1)
		h.client = fetch.New(h.Fetch)
		h.asked, h.budget = newVerifyQuotas(h.Store.Now), newPushQuotas(h.Store.Now, h.HourlyBytes)
		opts := h.Fetch
		opts.Timeout, opts.Admit = verifyTimeout, h.admit
		h.verifier = fetch.New(opts)
	})
}

// Register registers the hub's address on mux.
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
	_, _ = w.Write([]byte(text + "\n")) // the client may have disconnected
}

// accept handles a request (W3C WebSub §5.1). The hub asks the callback later whether it
// wants this; until then nothing is stored in the database.
func (h *Hub) accept(w http.ResponseWriter, r *http.Request) {
	if h.Limiter != nil && !h.Limiter.Allow(web.ClientNetwork(r)) {
		w.Header().Set("Retry-After", "60")
		hubAnswer(w, http.StatusTooManyRequests, "Too many requests; try again in a minute.")
		return
	}
	if err := r.ParseForm(); err != nil {
		hubAnswer(w, http.StatusBadRequest, "The form can't be read.")
		return
	}
	if r.PostForm.Get("hub.mode") == "publish" { // we notice our own changes without a ping
		w.WriteHeader(http.StatusNoContent)
		return
	}
	req, problem := h.readRequest(r.PostForm)
	if problem == "" {
		if _, ok := h.content(r.Context(), req.topic); !ok {
			problem = "hub.topic is not a feed of this site; take the address in its link rel=self."
		}
	}
	if problem != "" {
		hubAnswer(w, http.StatusBadRequest, problem)
		return
	}
	refusal, err := h.admitRequest(r.Context(), req, web.ClientNetwork(r))
	switch {
	case err != nil:
		h.Logger.Error("form of a hub request not read", "err", err)
		web.ServerError(w, r)
	case refusal != nil:
		w.Header().Set("Retry-After", strconv.Itoa(int(refusal.retry/time.Second)))
		hubAnswer(w, refusal.status, refusal.text)
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

// readRequest checks a form; problem describes what is wrong with it.
func (h *Hub) readRequest(form url.Values) (req pushRequest, problem string) {
	req = pushRequest{
		mode: form.Get("hub.mode"), topic: form.Get("hub.topic"), callback: form.Get("hub.callback"), secret: form.Get("hub.secret"), lease: standardLease,
	}
	if s := form.Get("hub.lease_seconds"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n <= 0 {
			return req, "hub.lease_seconds is not a number of seconds."
		}
		req.lease = min(max(time.Duration(min(n, int64(longestLease/time.Second)))*time.Second, shortestLease), longestLease)
	}
	refused := h.client.Check(req.callback)
	switch {
	case req.mode != "subscribe" && req.mode != "unsubscribe":
		return req, "hub.mode is neither subscribe nor unsubscribe."
	case len(req.secret) >= maxSecret:
		return req, "hub.secret is 200 bytes or longer."
	case len(req.callback) > maxCallback || refused != nil:
		return req, "hub.callback is not an address that this hub can call: it must be http or https at a public host, on port 80, 443 or one above 1023."
	case strings.HasPrefix(req.callback, h.BaseURL+"/hub"):
		return req, "hub.callback is this hub."
	}
	return req, ""
}
