package fetch

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

func TestRobots(t *testing.T) {
	t.Parallel()
	const rules = "\ufeffUser-agent: *\nDisallow: /private/\nCrawl-delay: soon\nAllow: /private/open\n\nUser-agent: Dibao\nDisallow: /for-others/\nSitemap: x"
	tests := []struct {
		name, agent, path string
		status            int
		body              string
		blocked           bool // forbidden by the rules
		fails             bool // error for the status
	}{
		{"OtherPath", "bot", "/a", 200, rules, false, false},
		{"Disallowed", "bot", "/private/a", 200, rules, true, false},
		{"LongerAllowWins", "bot", "/private/open", 200, rules, false, false},
		{"OwnGroupOnly", "dibao/1.0", "/private/a", 200, rules, false, false},
		{"OwnGroup", "dibao/1.0", "/for-others/", 200, rules, true, false},
		{"NoFile", "bot", "/private/a", 404, "", false, false},
		{"Refused", "bot", "/private/a", 403, "", false, false},
		{"Unavailable", "bot", "/a", 503, "", false, true},
		{"ErrorPage", "bot", "/a", 200, "<html>not found: sorry</html>", false, false},
		{"Query", "bot", "/list?print=1", 200, "User-agent: *\nDisallow: /*?print=", true, false},
		{"TooManyWildcardsForbidMore", "bot", "/aaaaaaaaaaaa", 200, "User-agent: *\nDisallow: /*a*a*a*a*a*a*a*a*a*a*a*b", true, false},
		{"TooManyWildcardsAllowNothing", "bot", "/aaaaaaaaaaaab", 200, "User-agent: *\nDisallow: /\nAllow: /*a*a*a*a*a*a*a*a*a*a*a*b", true, false},
		{"WildcardsInARow", "bot", "/b", 200, "User-agent: *\nDisallow: /************a", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/robots.txt" {
					w.WriteHeader(tt.status)
					io.WriteString(w, tt.body)
				}
			})
			c := client(Options{UserAgent: tt.agent})
			_, err := c.Get(t.Context(), Request{URL: s.URL + tt.path, Page: true})
			var blocked *BlockedError
			var status *StatusError
			if errors.As(err, &blocked) != tt.blocked || errors.As(err, &status) != tt.fails || err != nil && !tt.blocked && !tt.fails {
				t.Errorf("page: got %v, want blocked %v, failed %v", err, tt.blocked, tt.fails)
			}
			if _, err := c.Get(t.Context(), Request{URL: s.URL + tt.path}); err != nil {
				t.Errorf("feed: got %v, want no question to robots.txt", err)
			}
		})
	}
}

func TestRobotsAreAskedOnceADay(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			asked.Add(1)
		}
	})
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	c := client(Options{Now: func() time.Time { return now }})
	for i, want := range []int32{1, 1, 2} {
		if _, err := c.Get(t.Context(), Request{URL: s.URL + "/a", Page: true}); err != nil {
			t.Fatal(err)
		}
		if got := asked.Load(); got != want {
			t.Errorf("after page %d: asked %d times, want %d", i+1, got, want)
		}
		now = now.Add(13 * time.Hour)
	}
}

func TestRedirectOfAPageAsksRobotsAgain(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/robots.txt":
			io.WriteString(w, "User-agent: *\nDisallow: /closed\n")
		case "/open":
			http.Redirect(w, r, "/closed", http.StatusFound)
		case "/closed":
			t.Error("the closed page was asked for")
		}
	})
	_, err := client(Options{}).Get(t.Context(), Request{URL: s.URL + "/open", Page: true})
	var blocked *BlockedError
	if !errors.As(err, &blocked) {
		t.Errorf("got %v, want a BlockedError", err)
	}
}

// TestRobotsCases measures the parser on the cases of Google's suite. It deliberately
// differs in two ways: a rule without a colon is not a rule, and in which of two groups for
// one agent counts.
func TestRobotsCases(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../../shared/data/robots/cases.json")
	if err != nil {
		t.Skip("the shared test data are not beside the checkout: ", err)
	}
	var suite struct {
		Cases []struct {
			Test, Robots, Agent, URL string
			Allowed                  bool
		}
	}
	if err := json.Unmarshal(file, &suite); err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, x := range suite.Cases {
		u, err := url.Parse(x.URL)
		if err != nil {
			continue
		}
		path := u.EscapedPath()
		if path == "" {
			path = "/"
		}
		data := parseRobots([]byte(x.Robots))
		if allowed := data == nil || data.TestAgent(path, x.Agent); allowed == x.Allowed {
			right++
		} else {
			t.Logf("%s: %q %s %s: got %v, want %v", x.Test, x.Robots, x.Agent, x.URL, allowed, x.Allowed)
		}
	}
	t.Logf("%d of %d cases right", right, len(suite.Cases))
}

func FuzzRobots(f *testing.F) {
	f.Add([]byte("User-agent: *\nDisallow: /*?x=$\nAllow: /\n"), "/a?x=1")
	f.Fuzz(func(t *testing.T, text []byte, path string) {
		if data := parseRobots(text); data != nil {
			data.TestAgent(path, "dibao")
		}
	})
}

// Between two pages of a site we wait as long as its robots.txt requests, within limits.
func TestCrawlDelay(t *testing.T) {
	t.Parallel()
	var times []time.Time
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			io.WriteString(w, "User-agent: *\nCrawl-delay: 1\n")
			return
		}
		times = append(times, time.Now())
	}))
	defer s.Close()
	c := New(Options{AllowPrivate: true})
	for range 2 {
		if _, err := c.Get(t.Context(), Request{URL: s.URL + "/a", Page: true}); err != nil {
			t.Fatal(err)
		}
	}
	if gap := times[1].Sub(times[0]); gap < time.Second {
		t.Errorf("the pages were asked for %s apart", gap)
	}
}
