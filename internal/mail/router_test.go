package mail_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"dibao/internal/mail"
	"dibao/internal/mail/dnstest"
	"dibao/internal/mail/smtptest"
)

// startHosts starts mail servers at one port of several loopback addresses; the fault in
// the greeting says which of them fail.
func startHosts(t *testing.T, faults map[string]smtptest.Fault) (port int, servers map[string]*smtptest.Server) {
	t.Helper()
	servers = make(map[string]*smtptest.Server)
	for _, addr := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(addr, fmt.Sprint(port)))
		if err != nil {
			t.Skipf("no server at %s: %v", addr, err)
		}
		port = l.Addr().(*net.TCPAddr).Port
		if f, fails := faults[addr]; fails {
			servers[addr] = smtptest.Start(t, l, "greeting", f)
		} else {
			servers[addr] = smtptest.Start(t, l, "", smtptest.Fault{})
		}
	}
	return port, servers
}

func faultNamed(name string) smtptest.Fault {
	return smtptest.Faults[slices.IndexFunc(smtptest.Faults, func(f smtptest.Fault) bool { return f.Name == name })]
}

// Mail without a relay goes to the first server of the domain that accepts it, by
// preference, over IPv6 or IPv4; to the domain's own address if it has no MX; nowhere if
// the domain says so, and never into our own network.
func TestRouterFindsTheServer(t *testing.T) {
	t.Parallel()
	port, servers := startHosts(t, map[string]smtptest.Fault{
		"127.0.0.1": faultNamed("reset"), "127.0.0.2": faultNamed("stall"), "127.0.0.3": faultNamed("5xx"),
	})
	dns := dnstest.Serve(t,
		"a1.example. IN A 127.0.0.1", "a2.example. IN A 127.0.0.2", "a3.example. IN A 127.0.0.3", "a4.example. IN A 127.0.0.4", "six.example. IN AAAA ::1",
		"nobody.example. IN A 127.0.0.99", "inside.example. IN A 10.0.0.1",
		"both.example. IN A 127.0.0.99", "both.example. IN AAAA ::1",
		"preference.example. IN MX 20 six.example.", "preference.example. IN MX 5 a4.example.", "preference.example. IN MX 10 a1.example.",
		"falls.example. IN MX 10 nobody.example.", "falls.example. IN MX 20 a1.example.", "falls.example. IN MX 30 a2.example.",
		"falls.example. IN MX 40 a3.example.", "falls.example. IN MX 50 six.example.",
		"dual.example. IN MX 10 both.example.",
		"unknown.example. IN MX 10 not-there.example.", "unknown.example. IN MX 20 a4.example.",
		"null.example. IN MX 0 .",
		"private.example. IN MX 10 inside.example.",
		"refuses.example. IN MX 10 a3.example.",
	)
	router := &mail.Router{Resolver: dnstest.Resolver(dns), Port: port, Check: func(a netip.Addr) string {
		if a.IsPrivate() {
			return "it is in a private network"
		}
		return ""
	}}
	for domain, want := range map[string]string{
		"preference.example": "127.0.0.4", // the lowest number
		"falls.example":      "::1",       // after one that does not exist, one that disconnects, one that says nothing, and one that refuses
		"dual.example":       "::1",       // one of its two addresses
		"unknown.example":    "127.0.0.4", // the second: the first has no address
		"a4.example":         "127.0.0.4", // no MX: its own address
		"six.example":        "::1",
	} {
		c, err := router.Dial(t.Context(), domain, mail.Options{Timeouts: short})
		if err != nil {
			t.Errorf("%s: %v", domain, err)
			continue
		}
		to := "r@" + domain
		_, err = c.Send(t.Context(), mail.Envelope{From: "a@b.example", To: to, Body: []byte("Subject: x\r\n\r\nx\r\n")}, func() error { return nil })
		if c.Close(); err != nil || servers[want].Received()[to] != 1 {
			t.Errorf("%s: %v; want the mail at %s", domain, err, want)
		}
	}
	for domain, want := range map[string]struct {
		code int
		text string
	}{
		"null.example":      {556, "accepts no mail"},
		"not-there.example": {550, "no such domain"},
		"refuses.example":   {550, "no such user"},
		"private.example":   {0, "private network"},
		"nobody.example":    {0, "connect"},
	} {
		c, err := router.Dial(t.Context(), domain, mail.Options{Timeouts: short})
		if err == nil {
			c.Close()
			t.Errorf("%s: connected", domain)
			continue
		}
		var reply *mail.ReplyError
		if errors.As(err, &reply) != (want.code != 0) || reply != nil && reply.Code != want.code || !strings.Contains(err.Error(), want.text) {
			t.Errorf("%s: %v; want code %d, %q", domain, err, want.code, want.text)
		}
	}
}
