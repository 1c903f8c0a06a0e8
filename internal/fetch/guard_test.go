package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"dibao/internal/trust"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url     string
		blocked bool
	}{
		{"http://www.gov.cn/", false},
		{"https://www.gov.cn:443/a?b=c", false},
		{"http://www.gov.cn:8080/", false},
		{"http://www.gov.cn:8443/", false},
		{"http://www.gov.cn:85/", true},
		{"http://www.gov.cn:6379/", true},
		{"http://www.gov.cn:/", true},
		{"HTTP://WWW.GOV.CN/", false},
		{"http://政务.中国/", false},
		{"http://a_b.gov.cn/", false},
		{"http://1.1.1.1/", false},
		{"http://[2400:3200::1]/", false},
		{"http://[64:ff9b::808:808]/", true},
		{"http://[2002:808:808::1]/", true},
		{"http://127.0.0.1/", true},
		{"http://①②⑦.⓪.⓪.①/", true},
		{"http://10.0x1/", true},
		{"http://db/", true},
		{"http://db.corp./", true},
		{"http://a..gov.cn/", true},
		{"ftp://www.gov.cn/", true},
		{"http:www.gov.cn", true},
		{"http://a@www.gov.cn/", true},
		{"", true},
		{"\x00", true},
	}
	for _, tt := range tests {
		if _, reason := CheckURL(tt.url); (reason != "") != tt.blocked {
			t.Errorf("%q: got %q, want blocked %v", tt.url, reason, tt.blocked)
		}
	}
}

func TestAllowPrivate(t *testing.T) {
	t.Parallel()
	c := New(Options{AllowPrivate: true})
	for url, allowed := range map[string]bool{
		"http://127.0.0.1:45678/": true, "http://[::1]/": true, "http://localhost/": true, "http://site/": true, "http://10.1.2.3/": true,
		"http://[::ffff:192.168.1.1]/": true, "http://[fd00::1]/": true, "http://www.gov.cn/": true,
		"http://169.254.169.254/": false, "http://0.0.0.0/": false, "http://[fe80::1]/": false, "http://[::1%25lo]/": false,
		"http://127.1/": false, "http://127.0.0.1:25/": false, "file:///etc/passwd": false, "http://u@127.0.0.1/": false,
	} {
		if _, err := c.check(url, ""); (err == nil) != allowed {
			t.Errorf("%s: got %v, want allowed %v", url, err, allowed)
		}
	}
}

// dnsServer answers A and AAAA queries on loopback with a function.
func dnsServer(t *testing.T, answer func(name string) []netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() { // ends when the socket is closed
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
			found := answer(name)
			if len(found) == 0 {
				m.RCode = dnsmessage.RCodeNameError
			}
			for _, a := range found {
				h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
				switch {
				case q.Type == dnsmessage.TypeA && a.Is4():
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
				case q.Type == dnsmessage.TypeAAAA && !a.Is4():
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
				}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// world is the internet of the tests: names with the addresses in targets.tsv, and one
// server at every public address.
type world struct {
	*Client
	asked atomic.Int32 // requests that reached the server
}

var errPublic = errors.New("the guard lets this address be dialled")

func newWorld(t *testing.T, opts Options, answers map[string][]netip.Addr) *world {
	t.Helper()
	w := &world{}
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		if r.URL.Path == "/loop" {
			http.Redirect(rw, r, "/loop", http.StatusFound)
		} else if to := r.URL.Query().Get("to"); to != "" {
			code := map[string]int{"/301": 301, "/302": 302, "/307": 307}[r.URL.Path]
			http.Redirect(rw, r, to, code)
		}
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	opts.Timeout = 5 * time.Second
	opts.Admit = func(netip.Addr) error { return errPublic } // nothing leaves loopback
	w.Client = New(opts)
	w.resolver = dnsServer(t, func(name string) []netip.Addr { return answers[name] })
	for _, c := range []*http.Client{w.http, w.private} {
		transport := c.Transport.(*http.Transport)
		transport.DisableKeepAlives = false
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // the server does not have a certificate for every name
		dial := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if !errors.Is(err, errPublic) {
				return conn, err
			}
			to := plain.Listener.Addr().String()
			if strings.HasSuffix(address, ":443") {
				to = secure.Listener.Addr().String()
			}
			var d net.Dialer
			return d.DialContext(ctx, network, to)
		}
	}
	return w
}

func addrs(list ...string) []netip.Addr {
	var all []netip.Addr
	for _, s := range list {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

func TestNamesAreCheckedWhenDialled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{}, map[string][]netip.Addr{
		"public.test":  addrs("93.184.215.14"),
		"private.test": addrs("10.1.2.3"),
		"mixed.test":   addrs("93.184.215.14", "127.0.0.1"),
		"six.test":     addrs("::1"),
		"mapped.test":  addrs("::ffff:192.168.1.1"),
		"nat64.test":   addrs("64:ff9b::7f00:1"),
	})
	lies := int32(0)
	for name, allowed := range map[string]bool{
		"public.test": true, "private.test": false, "mixed.test": false, "six.test": false, "mapped.test": false, "nat64.test": false,
	} {
		if !allowed {
			lies++
		}
		_, err := w.Get(t.Context(), Request{URL: "http://" + name + "/"})
		var blocked *BlockedError
		if allowed != (err == nil) || !allowed && !errors.As(err, &blocked) {
			t.Errorf("%s: got %v, want allowed %v", name, err, allowed)
		}
	}
	if _, err := w.Get(t.Context(), Request{URL: "http://nowhere.test/"}); err == nil || !strings.Contains(err.Error(), "the host name does not exist") {
		t.Errorf("nowhere.test: got %v", err)
	}
	n := w.asked.Load()
	if n != 1 {
		t.Errorf("%d requests were sent, want 1", n)
	}
	trust.Report(t, "host names that resolve to private addresses", "%d requests to %d names with A, AAAA, mapped and NAT64 addresses", n-1, lies)
}

// TestTargets runs every row of the shared list of targets.
func TestTargets(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "shared", "data", "ssrf", "targets.tsv")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Skip("the shared test data are not beside the checkout: ", err)
	}
	var rebind atomic.Int32
	w := newWorld(t, Options{}, nil)
	w.resolver = dnsServer(t, func(name string) []netip.Addr {
		switch name {
		case "feed-private.test":
			return addrs("10.1.2.3")
		case "feed-mixed.test":
			return addrs("93.184.215.14", "127.0.0.1")
		case "feed-aaaa.test":
			return addrs("::1")
		case "feed-mapped.test":
			return addrs("::ffff:192.168.1.1")
		case "feed-cname.test":
			return addrs("127.0.0.1")
		case "feed-rebind.test": // an A and an AAAA query are one lookup
			if rebind.Add(1) > 2 {
				return addrs("127.0.0.1")
			}
			return addrs("93.184.215.14")
		}
		return addrs("93.184.215.14")
	})
	unescape := strings.NewReplacer(`\t`, "\t", `\\`, `\`)
	rows := 0
	for i, line := range strings.Split(strings.TrimSpace(string(file)), "\n") {
		row := strings.Split(line, "\t")
		if i == 0 || len(row) != 4 {
			continue
		}
		rows++
		target, verdict := unescape.Replace(row[0]), row[2]
		_, err := w.Get(t.Context(), Request{URL: target})
		if strings.Contains(target, "feed-rebind") {
			// The second response is given for the second lookup, never in between.
			w.http.CloseIdleConnections()
			_, err = w.Get(t.Context(), Request{URL: target})
		}
		var blocked *BlockedError
		refused := errors.As(err, &blocked) || err != nil && strings.Contains(err.Error(), "redirects")
		if err != nil && !refused {
			t.Errorf("%s: failed in another way: %v", row[0], err)
		} else if refused != (verdict == "block") {
			t.Errorf("%s: got %v, want %s (%s)", row[0], err, verdict, row[3])
		}
	}
	if rows < 100 {
		t.Errorf("%s: read %d rows", path, rows)
	}
	trust.Report(t, "forms of private addresses that are fetched", "0 of %d", rows)
}

func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{"http://www.gov.cn/a", "http://[::1%25lo]:80/", "https://①②⑦.0.0.1/", "http://%31.2/", "http://a:99999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, reason := CheckURL(raw)
		if reason != "" {
			return
		}
		if u == nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
			t.Fatalf("%q passes as %v", raw, u)
		}
		// An address that is allowed is still allowed after it was formatted and parsed
		// again.
		if _, again := CheckURL(u.String()); again != "" {
			t.Errorf("%q passes, %q does not: %s", raw, u, again)
		}
	})
}
