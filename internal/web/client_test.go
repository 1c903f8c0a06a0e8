package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

func TestClientAddr(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.7:1", "", "192.0.2.7"},
		{"192.0.2.7:1", "198.51.100.1", "192.0.2.7"}, // not one of our proxies
		{"10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "203.0.113.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"10.0.0.1:1", "nonsense", "10.0.0.1"},
		{"10.0.0.1:1", "192.0.2.1, nonsense, 198.51.100.1", "198.51.100.1"}, // the client invented the rest
		{"10.0.0.1:1", "10.9.9.9, 198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "198.51.100.1:4711", "198.51.100.1"},
		{"10.0.0.1:1", "[2001:db8::1]:4711", "2001:db8::1"},
		{"10.0.0.1:1", "[2001:db8::1]", "2001:db8::1"},
		{"10.0.0.1:1", "192.0.2.1, ", "10.0.0.1"},
		{"10.0.0.1:1", "::ffff:198.51.100.1", "198.51.100.1"},
		{"[::1]:1", "198.51.100.1", "::1"},
		{"[::ffff:192.0.2.7]:1", "", "192.0.2.7"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := clientAddr(r, trusted); got.String() != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
	if got := network(netip.MustParseAddr("2001:db8:1:2:3::4")).String(); got != "2001:db8:1:2::/64" {
		t.Errorf("network %s", got)
	}
}

// Whatever a client writes into X-Forwarded-For, behind a trusted proxy or not, it stays in
// one bucket.
func TestSpoofedAddressesShareALimit(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, c := range map[string]struct{ remote, behind string }{
		"direct":       {"198.51.100.7:1", ""},
		"by one proxy": {"10.0.0.1:1", ", 198.51.100.7"},
		"by two":       {"10.0.0.1:1", ", 198.51.100.7, 10.0.0.2"},
	} {
		limiter := &Limiter{Burst: 5, Every: time.Minute, Now: func() time.Time { return time.Unix(0, 0) }}
		allowed := 0
		for i := range 100 {
			r := &http.Request{RemoteAddr: c.remote, Header: http.Header{
				"X-Forwarded-For": {fmt.Sprintf("203.0.%d.1%s", i, c.behind)},
				"Forwarded":       {fmt.Sprintf("for=203.0.%d.1", i)}, "X-Real-Ip": {fmt.Sprintf("203.0.%d.1", i)},
			}}
			if limiter.Allow(network(clientAddr(r, trusted))) {
				allowed++
			}
		}
		if allowed != 5 {
			t.Errorf("%s: %d of 100 requests were allowed, want 5", name, allowed)
		}
	}
}

func FuzzClientAddr(f *testing.F) {
	f.Add("192.0.2.7:1", "198.51.100.1, 10.0.0.2")
	f.Add("[fe80::1%eth0]:1", ",,")
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		// The address of a peer that is not trusted is always its own, whatever it sends.
		if a, b := clientAddr(r, nil), clientAddr(&http.Request{RemoteAddr: remote, Header: http.Header{}}, nil); a != b {
			t.Fatalf("%q with %q is %s, without %s", remote, forwarded, a, b)
		}
		if p := network(clientAddr(r, []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")})); p.IsValid() && p.Addr().Zone() != "" {
			t.Fatalf("network %s has a zone", p)
		}
	})
}
