package hub_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dibao/feed/hub"
	"dibao/feed/site"
	"dibao/feed/site/sitetest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/fetch"
	"dibao/internal/web"
)

// pushSite is a site with a running hub, and its subscribers.
type pushSite struct {
	*sitetest.Site
	hub   *hub.Hub
	stop  func()
	ahead atomic.Int64 // how far its clock is ahead of the real one, in nanoseconds
}

func newPushSite(t *testing.T, db *database.DB, others ...string) *pushSite {
	return newPushSiteWith(t, db, func(*hub.Hub) {}, others...)
}

// newPushSiteWith lets set change the hub before it starts.
func newPushSiteWith(t *testing.T, db *database.DB, set func(*hub.Hub), others ...string) *pushSite {
	s := &pushSite{Site: sitetest.New(t, db)}
	s.Store.Now = func() time.Time { // leases and retries use the real clock here
		return time.Now().Add(time.Duration(s.ahead.Load())).UTC().Truncate(time.Microsecond)
	}
	s.hub = &hub.Hub{
		Store: s.Store, Site: s.Mux, BaseURL: sitetest.BaseURL, Logger: slog.New(slog.DiscardHandler), Others: others,
		Fetch:  fetch.Options{AllowPrivate: true, Timeout: 5 * time.Second, PerHost: 4},
		Topics: func(context.Context) ([]string, error) { return []string{"/feed.xml"}, nil },
	}
	set(s.hub)
	s.hub.Register(s.Mux)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.hub.Run(ctx) }()
	s.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(s.stop)
	return s
}

func (s *pushSite) ask(form url.Values) int {
	s.Helper()
	r := httptest.NewRequest("POST", "/hub", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.Mux.ServeHTTP(w, r)
	return w.Code
}

// subscriber is a program to which a feed is pushed.
type subscriber struct {
	*httptest.Server
	verified chan string // mode
	pushed   chan push
}

type push struct {
	body, signature, mediaType, link string
}

// newSubscriber answers pushes with handle; if it is nil, it accepts them.
func newSubscriber(t *testing.T, confirms bool, handle http.HandlerFunc) *subscriber {
	c := &subscriber{verified: make(chan string, 100), pushed: make(chan push, 1000)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			q := r.URL.Query()
			if confirms && q.Get("own") == "1" {
				_, _ = io.WriteString(w, q.Get("hub.challenge"))
			} else {
				http.NotFound(w, r)
			}
			c.verified <- q.Get("hub.mode")
			return
		}
		b, _ := io.ReadAll(r.Body)
		c.pushed <- push{string(b), r.Header.Get("X-Hub-Signature"), r.Header.Get("Content-Type"), r.Header.Get("Link")}
		if handle != nil {
			handle(w, r)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func await[T any](t *testing.T, c chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

// subscribe requests a feed and waits until the hub pushes to the callback.
func (s *pushSite) subscribe(c *subscriber, path, secret string) {
	s.Helper()
	if status := s.ask(url.Values{"hub.mode": {"subscribe"}, "hub.topic": {sitetest.BaseURL + path}, "hub.callback": {c.URL + "/?own=1"}, "hub.secret": {secret}}); status != http.StatusAccepted {
		s.Fatalf("the hub answered %d", status)
	}
	await(s.T, c.verified, "the verification")
	s.until("the subscription", func() bool { return s.hub.Waiting() == 0 })
}

func (s *pushSite) until(what string, done func() bool) {
	s.Helper()
	for begun := time.Now(); !done(); {
		if time.Since(begun) > 20*time.Second {
			s.Fatalf("%s did not come about", what)
		}
		select {
		case <-s.Context().Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *pushSite) count(table string) (n int) {
	s.Helper()
	places, err := site.Places(s.Context(), s.Store.DB(), `SELECT COUNT(*), 0 FROM `+table)
	if err != nil {
		s.Fatal(err)
	}
	return int(places[0].Number)
}

// A subscriber gets a new article at once, signed and once; dead, slow and lying callbacks
// do not delay others: the slow ones answer after the test.
func TestHubPushesWhatIsNew(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newPushSite(t, db)
		s.Add(1, 2, func(int) (int, string) { return 1, "国防" })
		release := make(chan struct{})
		slow := newSubscriber(t, true, func(http.ResponseWriter, *http.Request) { <-release })
		broken := newSubscriber(t, true, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) })
		gone := newSubscriber(t, true, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusGone) })
		good := newSubscriber(t, true, nil)
		t.Cleanup(func() { close(release) }) // before the servers are closed, because closing waits for these requests
		for range 3 {
			s.subscribe(slow, "/feed.xml", "")
		}
		s.subscribe(broken, "/feed.xml", "")
		s.subscribe(gone, "/feed.xml", "")
		s.subscribe(good, "/feed.xml", "geheim")
		for id := 3; id < 6; id++ {
			stored := time.Now()
			s.Add(id, id, func(int) (int, string) { return 1, "国防" })
			p := await(t, good.pushed, "a push")
			t.Logf("article %d was pushed after %s", id, time.Since(stored))
			mac := hmac.New(sha256.New, []byte("geheim"))
			mac.Write([]byte(p.body))
			if p.signature != "sha256="+hex.EncodeToString(mac.Sum(nil)) || p.mediaType != "application/rss+xml; charset=utf-8" || !strings.Contains(p.link, `rel="hub"`) {
				t.Errorf("signed %q, type %q, link %q", p.signature, p.mediaType, p.link)
			}
			if p.body != s.Read("/feed.xml") {
				t.Error("another body was pushed than the feed has")
			}
		}
		await(t, broken.pushed, "the push to the broken one")
		s.until("the end of who is gone", func() bool { return s.count("push_subscriptions") == 3 })
		// Something that does not change the feed is not pushed.
		s.Exec(`UPDATE sources SET name = '丙' WHERE id = 2`)
		s.Exec(`UPDATE sources SET name = '乙' WHERE id = 2`)
		select {
		case <-good.pushed:
			t.Error("pushed twice, or without a change")
		case <-time.After(1500 * time.Millisecond):
		}
		if n := len(broken.pushed); n > 0 {
			t.Errorf("the broken one was asked %d times more at once", n)
		}
	})
}

// Nobody is subscribed who did not request it, and nobody else can end a subscription.
func TestHubVerifiesIntent(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newPushSite(t, db)
		s.Add(1, 1, func(int) (int, string) { return 1, "国防" })
		victim, good := newSubscriber(t, false, nil), newSubscriber(t, true, nil)
		topic := sitetest.BaseURL + "/feed.atom"
		s.ask(url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {victim.URL + "/?own=1"}})
		await(t, victim.verified, "the verification")
		s.until("the refusal", func() bool { return s.hub.Waiting() == 0 })
		if n := s.count("push_subscriptions"); n != 0 {
			t.Fatalf("%d subscriptions without consent", n)
		}
		s.subscribe(good, "/feed.atom", "x")
		if n := s.count("push_subscriptions"); n != 1 {
			t.Fatalf("%d subscriptions, want 1", n)
		}
		s.ask(url.Values{"hub.mode": {"unsubscribe"}, "hub.topic": {topic}, "hub.callback": {good.URL + "/?own=1"}})
		if mode := await(t, good.verified, "the question"); mode != "unsubscribe" {
			t.Errorf("asked for %q", mode)
		}
		s.until("the end", func() bool { return s.count("push_subscriptions") == 0 })
		for name, form := range map[string]url.Values{
			"no mode":           {"hub.topic": {topic}, "hub.callback": {good.URL}},
			"another's topic":   {"hub.mode": {"subscribe"}, "hub.topic": {"https://b.example/feed.xml"}, "hub.callback": {good.URL}},
			"a page":            {"hub.mode": {"subscribe"}, "hub.topic": {sitetest.BaseURL + "/articles/1"}, "hub.callback": {good.URL}},
			"an archive":        {"hub.mode": {"subscribe"}, "hub.topic": {sitetest.BaseURL + "/feed.xml?page=1"}, "hub.callback": {good.URL}},
			"another host":      {"hub.mode": {"subscribe"}, "hub.topic": {sitetest.BaseURL + ".evil.example/feed.xml"}, "hub.callback": {good.URL}},
			"a search":          {"hub.mode": {"subscribe"}, "hub.topic": {sitetest.BaseURL + "/search/feed.xml?q=" + url.QueryEscape("国防")}, "hub.callback": {good.URL}},
			"a feed otherwise":  {"hub.mode": {"subscribe"}, "hub.topic": {topic + "?x=1"}, "hub.callback": {good.URL}},
			"a part of it":      {"hub.mode": {"subscribe"}, "hub.topic": {topic + "#x"}, "hub.callback": {good.URL}},
			"no callback":       {"hub.mode": {"subscribe"}, "hub.topic": {topic}},
			"a file":            {"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {"file:///etc/passwd"}},
			"ourselves":         {"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {sitetest.BaseURL + "/hub"}},
			"a long secret":     {"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {good.URL}, "hub.secret": {strings.Repeat("x", 200)}},
			"no time":           {"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {good.URL}, "hub.lease_seconds": {"soon"}},
			"a negative lease":  {"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {good.URL}, "hub.lease_seconds": {"-1"}},
			"an unknown number": {"hub.mode": {"subscribe"}, "hub.topic": {sitetest.BaseURL + "/documents/x/feed.xml"}, "hub.callback": {good.URL}},
		} {
			if status := s.ask(form); status != http.StatusBadRequest {
				t.Errorf("%s: %d", name, status)
			}
		}
		if status := s.ask(url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {"http://169.254.169.254/latest/"}}); status != http.StatusBadRequest {
			t.Errorf("a callback in our own network: %d", status)
		}
		s.hub.Limiter = &web.Limiter{Burst: 1, Every: time.Hour, Now: time.Now}
		s.ask(nil)
		if status := s.ask(nil); status != http.StatusTooManyRequests {
			t.Errorf("beyond the limit: %d", status)
		}
	})
}

// A full hub accepts no new subscribers; existing ones can renew and unsubscribe.
func TestFullHubServesWhoIsOnIt(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newPushSite(t, db)
		s.Add(1, 1, func(int) (int, string) { return 1, "国防" })
		s.hub.MaxSubscriptions = 1
		first, second := newSubscriber(t, true, nil), newSubscriber(t, true, nil)
		s.subscribe(first, "/feed.xml", "x")
		form := func(mode string, c *subscriber) url.Values {
			return url.Values{"hub.mode": {mode}, "hub.topic": {sitetest.BaseURL + "/feed.xml"}, "hub.callback": {c.URL + "/?own=1"}}
		}
		if status := s.ask(form("subscribe", second)); status != http.StatusServiceUnavailable {
			t.Errorf("one too many: %d", status)
		}
		for _, mode := range []string{"subscribe", "unsubscribe"} {
			if status := s.ask(form(mode, first)); status != http.StatusAccepted {
				t.Fatalf("%s of an existing subscriber: %d", mode, status)
			}
			if asked := await(t, first.verified, "the question"); asked != mode {
				t.Errorf("asked for %q, want %q", asked, mode)
			}
			s.until("the answer", func() bool { return s.hub.Waiting() == 0 })
		}
		if n := s.count("push_subscriptions"); n != 0 {
			t.Errorf("%d subscriptions, want none", n)
		}
		s.subscribe(second, "/feed.xml", "x")
	})
}

// Other hubs are notified of a change once.
func TestHubTellsOthers(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		told := make(chan url.Values, 100)
		other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			told <- r.PostForm
		}))
		t.Cleanup(other.Close)
		s := newPushSite(t, db, other.URL)
		for id := range 3 {
			s.Add(id+1, id+1, func(int) (int, string) { return 1, "国防" })
			s.until("the news", func() bool {
				select {
				case form := <-told:
					if form.Get("hub.mode") != "publish" || form.Get("hub.url") != sitetest.BaseURL+"/feed.xml" {
						t.Errorf("told %v", form)
					}
					return true
				default:
					return false
				}
			})
		}
	})
}
