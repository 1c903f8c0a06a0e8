package web

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestClientAddr(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.7:1", "", "192.0.2.7"},
		{"192.0.2.7:1", "198.51.100.1", "192.0.2.7"}, // not a proxy of ours
		{"10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "203.0.113.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"10.0.0.1:1", "nonsense", "10.0.0.1"},
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

func FuzzClientAddr(f *testing.F) {
	f.Add("192.0.2.7:1", "198.51.100.1, 10.0.0.2")
	f.Add("[fe80::1%eth0]:1", ",,")
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		// A peer that is not trusted is always itself, whatever it sends.
		if a, b := clientAddr(r, nil), clientAddr(&http.Request{RemoteAddr: remote, Header: http.Header{}}, nil); a != b {
			t.Fatalf("%q with %q is %s, without %s", remote, forwarded, a, b)
		}
		if p := network(clientAddr(r, []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")})); p.IsValid() && p.Addr().Zone() != "" {
			t.Fatalf("network %s has a zone", p)
		}
	})
}
