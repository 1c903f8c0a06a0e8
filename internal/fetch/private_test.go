package fetch

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"dibao/internal/trust"
)

// TestPrivateReachesOnlyWhatAnAdminTyped tries each way out of a private source with real
// servers on loopback: only the host and port of the source answer.
func TestPrivateReachesOnlyWhatAnAdminTyped(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		io.WriteString(w, "a page of another service")
	})
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch to := r.URL.Query().Get("to"); {
		case to != "":
			http.Redirect(w, r, to, http.StatusFound)
		case r.URL.Path == "/robots.txt":
			io.WriteString(w, "User-agent: *\nDisallow: /closed\n")
		default:
			io.WriteString(w, "own page")
		}
	}))
	t.Cleanup(own.Close)
	port := own.URL[strings.LastIndexByte(own.URL, ':'):]
	c, typed := New(Options{}), Origin(own.URL)
	ways := 0
	for _, tt := range []struct {
		name, url string
		page      bool
		allowed   bool
	}{
		{"the address itself", own.URL + "/feed.xml", false, true},
		{"another page there", own.URL + "/a/1.html", true, true},
		{"its own redirect", own.URL + "/?to=/b", false, true},
		{"what its robots.txt closes", own.URL + "/closed", true, false},
		{"a redirect to another port", own.URL + "/?to=" + url.QueryEscape(other.URL), false, false},
		{"a redirect to another name of the host", own.URL + "/?to=" + url.QueryEscape("http://localhost"+port+"/"), false, false},
		{"a redirect to another address of the host", own.URL + "/?to=" + url.QueryEscape("http://127.0.0.2"+port+"/"), false, false},
		{"an item's link to another port", other.URL + "/a/1.html", true, false},
		{"an attachment on another address", "http://127.0.0.2" + port + "/x.pdf", true, false},
		{"a mapped form of the address", "http://[::ffff:127.0.0.1]" + port + "/", false, false},
	} {
		_, err := c.Get(t.Context(), Request{URL: tt.url, Page: tt.page, Private: typed})
		if !tt.allowed {
			ways++
		}
		var blocked *BlockedError
		if tt.allowed != (err == nil) || !tt.allowed && !errors.As(err, &blocked) {
			t.Errorf("%s: got %v, want allowed %v", tt.name, err, tt.allowed)
		}
	}
	if _, err := c.Get(t.Context(), Request{URL: own.URL}); err == nil {
		t.Error("the address was fetched without the permission")
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests reached the other service, want none", n)
	}
	trust.Report(t, "requests of a private source to other hosts", "%d requests on %d ways", reached.Load(), ways)
}

// TestPrivateConnectionIsNotLent requests a name that resolves to a private address: with
// the permission it answers; without it, the open connection is not reused.
func TestPrivateConnectionIsNotLent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{}, map[string][]netip.Addr{"intra.test": addrs("10.1.2.3"), "www.test": addrs("93.184.215.14")})
	if _, err := w.Get(t.Context(), Request{URL: "http://intra.test/", Private: "intra.test:80"}); err != nil {
		t.Fatal(err)
	}
	for name, req := range map[string]Request{
		"no permission":         {URL: "http://intra.test/"},
		"a permission of other": {URL: "http://intra.test/", Private: "www.test:80"},
		"a public redirect":     {URL: "http://www.test/302?to=http://intra.test/"},
		// A chain of redirects that left the entered host must not return to it.
		"there and back": {URL: "http://intra.test/302?to=" + url.QueryEscape("http://www.test/302?to=http://intra.test/"), Private: "intra.test:80"},
	} {
		_, err := w.Get(t.Context(), req)
		var blocked *BlockedError
		if !errors.As(err, &blocked) || !blocked.Local {
			t.Errorf("%s: got %v, want blocked as local", name, err)
		}
	}
	if n := w.asked.Load(); n != 4 { // the first, and one hop of three of the chains
		t.Errorf("%d requests were sent, want 4", n)
	}
}

// TestPrivateNetworks compares the addresses that a permission allows with the list of
// networks, in whatever form they are written.
func TestPrivateNetworks(t *testing.T) {
	t.Parallel()
	listed := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fd00:1::/32")}
	for _, tt := range []struct {
		addr             string
		unlisted, listed bool
	}{
		{"127.0.0.1", true, false}, {"::1", true, false}, {"10.1.2.3", true, true}, {"10.2.0.1", true, false}, {"192.168.1.1", true, false},
		{"::ffff:10.1.2.3", true, true}, {"::ffff:192.168.1.1", true, false}, {"fd00:1::5", true, true}, {"fd00:2::5", true, false},
		{"100.64.0.9", false, true}, {"100.100.100.200", false, false}, {"169.254.169.254", false, false}, {"fd00:ec2::254", false, false},
		{"fe80::1", false, false}, {"::ffff:169.254.169.254", false, false}, {"0.0.0.0", false, false},
		{"64:ff9b::a01:203", false, false}, {"64:ff9b::7f00:1", false, false}, {"64:ff9b:1::a01:203", false, false},
		{"2002:a01:203::1", false, false}, {"2001:0:a01:203::1", false, false}, {"::10.1.2.3", false, false},
		{"93.184.215.14", true, true}, // public addresses are always allowed
	} {
		addr := netip.MustParseAddr(tt.addr)
		if got := (reach{private: true}).checkAddr(addr); (got == "") != tt.unlisted {
			t.Errorf("%s without a list: got %q, want allowed %v", addr, got, tt.unlisted)
		}
		if got := (reach{private: true, networks: listed}).checkAddr(addr); (got == "") != tt.listed {
			t.Errorf("%s with a list: got %q, want allowed %v", addr, got, tt.listed)
		}
	}
	for network, want := range map[string]bool{"10.0.0.0/8": true, "10.1.2.3/32": true, "0.0.0.0/0": false, "169.254.0.0/16": false, "8.0.0.0/6": false, "fc00::/7": true, "::/0": false} {
		if got := IsOwnNetwork(netip.MustParsePrefix(network)); got != want {
			t.Errorf("%s may be listed: got %v, want %v", network, got, want)
		}
	}
}

// TestPrivateNameIsCheckedWhenDialled lets the name of a private source resolve to an
// address outside of the list (DNS rebinding).
func TestPrivateNameIsCheckedWhenDialled(t *testing.T) {
	t.Parallel()
	var rebound atomic.Bool
	w := newWorld(t, Options{Private: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}, nil)
	w.resolver = dnsServer(t, func(string) []netip.Addr {
		if rebound.Load() {
			return addrs("10.1.2.3", "127.0.0.1")
		}
		return addrs("10.1.2.3")
	})
	for _, want := range []bool{true, false} {
		_, err := w.Get(t.Context(), Request{URL: "http://intra.test/", Private: "intra.test:80"})
		if (err == nil) != want {
			t.Errorf("rebound %v: got %v", !want, err)
		}
		w.private.CloseIdleConnections()
		rebound.Store(true)
	}
}
