package hub_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dibao/feed/hub"
	"dibao/feed/site/sitetest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/fetch"
	"dibao/internal/trust"
)

// callbacks is a server that confirms everything that the hub asks, on every address of
// loopback, and counts.
type callbacks struct {
	port            string
	verified, pushd atomic.Int64 // number of requests
	bytes           atomic.Int64 // pushed bytes
}

func newCallbacks(t *testing.T) *callbacks {
	t.Helper()
	c := &callbacks{}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	_, c.port, _ = net.SplitHostPort(l.Addr().String())
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			c.verified.Add(1)
			_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		c.pushd.Add(1)
		c.bytes.Add(n)
	})}}
	s.Start()
	t.Cleanup(s.Close)
	return c
}

// askFor subscribes callback number n at a host of the server.
func (s *pushSite) askFor(c *callbacks, host, path string, n int) int {
	return s.ask(url.Values{"hub.mode": {"subscribe"}, "hub.topic": {sitetest.BaseURL + path}, "hub.callback": {fmt.Sprintf("http://%s:%s/?n=%d", host, c.port, n)}})
}

func (s *pushSite) settled() {
	s.Helper()
	s.until("the answers of the callbacks", func() bool { return s.hub.Waiting() == 0 })
}

// TestHubLimitsOneHost requests 640 subscriptions for one host: 40 are accepted, the others
// are refused without a request to the host. A host with several feeds gets all of them.
func TestHubLimitsOneHost(t *testing.T) {
	var kept, asked atomic.Int64
	t.Cleanup(func() {
		trust.Report(t, "subscriptions of one callback host", "%d of %d on each of 2 databases", kept.Load()/2, asked.Load()/2)
	})
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, c := newPushSite(t, db), newCallbacks(t)
		s.Add(1, 3, func(int) (int, string) { return 1, "国防" })
		for i, path := range []string{"/feed.xml", "/feed.atom", "/feed.json", "/sources/1/feed.xml", "/sources/1/feed.atom", "/themes/国防/feed.xml"} {
			if status := s.askFor(c, "127.0.0.2", path, i); status != http.StatusAccepted {
				t.Errorf("feed %s of a host with several: %d", path, status)
			}
		}
		s.settled()
		if n := s.count("push_subscriptions"); n != 6 {
			t.Fatalf("%d subscriptions of a host with several feeds, want 6", n)
		}
		statuses := map[int]int{}
		for n := range 640 {
			statuses[s.askFor(c, "127.0.0.1", "/feed.xml", n)]++
			if n%20 == 0 {
				s.settled()
			}
		}
		s.settled()
		n := s.count("push_subscriptions WHERE host = '127.0.0.1'")
		if n != 40 {
			t.Errorf("%d subscriptions of one host, want 40", n)
		}
		kept.Add(int64(n))
		asked.Add(640)
		if n := c.verified.Load(); n > 6+60 || statuses[http.StatusTooManyRequests] < 640-60 {
			t.Errorf("%d verifications, answers %v; want at most 66, and the rest 429", n, statuses)
		}
	})
}

// TestHubLimitsOneNetwork uses many names, here addresses, of one network.
func TestHubLimitsOneNetwork(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, c := newPushSite(t, db), newCallbacks(t)
		s.Add(1, 1, func(int) (int, string) { return 1, "国防" })
		for n := range 200 {
			s.askFor(c, fmt.Sprintf("127.0.0.%d", 1+n%20), "/feed.xml", n)
			if n%20 == 0 {
				s.until("an answer", func() bool { return s.hub.Waiting() < 20 || c.verified.Load() >= 150 })
			}
		}
		s.until("the answers", func() bool { return c.verified.Load() >= 150 })
		s.until("the subscriptions", func() bool { return s.count("push_subscriptions") >= 100 })
		if n := s.count("push_subscriptions"); n != 100 {
			t.Errorf("%d subscriptions of one network, want 100", n)
		}
		if n := c.verified.Load(); n > 160 { // some become available in the meantime
			t.Errorf("%d verifications went to one network, want about 150", n)
		}
		if n := s.count("push_subscriptions WHERE network = '127.0.0.0/24'"); n != 100 {
			t.Errorf("%d of them note their network", n)
		}
	})
}

// TestHubBoundsItsBytes pushes an article to 40 subscriptions with a burst of ten bodies:
// the others get the newest content when there is budget again.
func TestHubBoundsItsBytes(t *testing.T) {
	var pushed, hourly atomic.Int64
	t.Cleanup(func() {
		trust.Report(t, "bytes that the hub pushes at once", "%.2f of the hourly limit", float64(pushed.Load())/float64(max(1, hourly.Load())))
	})
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var budget int64
		s := newPushSiteWith(t, db, func(h *hub.Hub) {
			h.HourlyBytes = 4 * 10 * 4000
			budget = h.HourlyBytes
		})
		c := newCallbacks(t)
		s.Add(1, 1, func(int) (int, string) { return 1, "国防" })
		for n := range 40 {
			if status := s.askFor(c, fmt.Sprintf("127.0.%d.1", n), "/feed.xml", n); status != http.StatusAccepted {
				t.Fatalf("subscription %d: %d", n, status)
			}
		}
		s.settled()
		s.Add(2, 12, func(int) (int, string) { return 1, "国防" })
		size := int64(len(s.Read("/feed.xml")))
		if size > budget/4 || size*40 < budget/4 {
			t.Fatalf("a body has %d bytes, which does not test a budget of %d", size, budget/4)
		}
		atOnce := budget / 4 / size
		s.until("the pushes", func() bool { return c.pushd.Load() >= atOnce })
		s.until("the rest to wait", func() bool { return s.count("push_subscriptions WHERE last_error = '' AND next_at > created_at") == 40 })
		pushed.Store(c.bytes.Load())
		hourly.Store(budget)
		if n := pushed.Load(); n > budget/4+size { // what became available in the meantime
			t.Errorf("%d bytes were pushed at once, want at most %d", n, budget/4)
		}
		for range 40 { // each step frees as much as the burst, and pushes at least one
			s.ahead.Add(int64(15 * time.Minute))
			before := c.pushd.Load()
			if before == 40 {
				break
			}
			s.until("more pushes", func() bool { return c.pushd.Load() > before })
		}
		if n := c.pushd.Load(); n != 40 {
			t.Errorf("%d pushes, want one for each of 40", n)
		}
	})
}

// TestHubStoresNothingUnconfirmed requests subscriptions for callbacks that do not confirm, or
// that redirect to a callback that would. The hub asks each callback once and follows no
// redirect.
func TestHubStoresNothingUnconfirmed(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, confirms := newPushSite(t, db), newCallbacks(t)
		s.Add(1, 1, func(int) (int, string) { return 1, "国防" })
		var asked atomic.Int32
		victim := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			switch r.URL.Path {
			case "/redirect":
				http.Redirect(w, r, "http://127.0.0.1:"+confirms.port+"/?"+r.URL.RawQuery, http.StatusFound)
			case "/long":
				_, _ = io.WriteString(w, strings.Repeat(" ", 10_000)+r.URL.Query().Get("hub.challenge"))
			}
		}))
		t.Cleanup(victim.Close)
		topic := sitetest.BaseURL + "/feed.xml"
		for _, path := range []string{"/", "/redirect", "/long"} {
			s.ask(url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {victim.URL + path}})
			s.settled()
		}
		// Ending a subscription that does not exist sends no request.
		s.ask(url.Values{"hub.mode": {"unsubscribe"}, "hub.topic": {topic}, "hub.callback": {victim.URL + "/unsubscribe"}})
		s.settled()
		if n, m := asked.Load(), confirms.verified.Load(); n != 3 || m != 0 || s.count("push_subscriptions") != 0 {
			t.Errorf("the victim was asked %d times, another %d times, %d subscriptions; want 3, 0, 0", n, m, s.count("push_subscriptions"))
		}
	})
}

// TestHubNeverAsksItsOwnNetwork runs the hub as the daemon does: it sends no requests to
// callbacks on loopback or in the local network.
func TestHubNeverAsksItsOwnNetwork(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newPushSiteWith(t, db, func(h *hub.Hub) { h.Fetch = fetch.Options{Private: nil, Timeout: 5 * time.Second} })
		c := newCallbacks(t)
		s.Add(1, 1, func(int) (int, string) { return 1, "国防" })
		for i, host := range []string{"127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]", "[::1]", "192.168.1.1", "10.0.0.1", "169.254.169.254", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "hub.internal"} {
			if status := s.askFor(c, host, "/feed.xml", i); status != http.StatusBadRequest {
				t.Errorf("%s: answered %d", host, status)
			}
		}
		if n := c.verified.Load() + c.pushd.Load(); n != 0 || s.hub.Waiting() != 0 {
			t.Errorf("%d requests, %d waiting", n, s.hub.Waiting())
		}
	})
}

// TestHubDropsWhatTakesNothing ends a subscription that failed for days, and one whose
// lease has expired.
func TestHubDropsWhatTakesNothing(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newPushSite(t, db)
		s.Add(1, 1, func(int) (int, string) { return 1, "国防" })
		broken := newSubscriber(t, true, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) })
		s.subscribe(broken, "/feed.xml", "")
		s.Exec(`UPDATE push_subscriptions SET failures = 18`)
		s.Add(2, 2, func(int) (int, string) { return 1, "国防" })
		await(t, broken.pushed, "the push")
		s.until("the failure", func() bool { return s.count("push_subscriptions WHERE failures = 19") == 1 })
		s.ahead.Add(int64(7 * time.Hour))
		await(t, broken.pushed, "the last push")
		s.until("the end", func() bool { return s.count("push_subscriptions") == 0 })
		good := newSubscriber(t, true, nil)
		s.subscribe(good, "/feed.xml", "")
		s.ahead.Add(int64(11 * 24 * time.Hour))
		s.until("the end of the lease", func() bool { return s.count("push_subscriptions") == 0 })
	})
}
