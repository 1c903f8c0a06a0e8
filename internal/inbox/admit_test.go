package inbox

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

func newTable() *server {
	s := &server{Inbox: &Inbox{}, open: make(map[*session]bool)}
	s.Limits.fill()
	return s
}

// arrive returns a session from an address that connected this many seconds after the
// first.
func arrive(t *testing.T, s *server, addr string, second int) (c *session, ok bool) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	c = &session{server: s, raw: ours, since: time.Unix(int64(second), 0)}
	c.peer = peerOf(net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 25)))
	return c, s.admit(c)
}

// The session to end is one of the address with most connections, the one that has been
// idle longest.
func TestWhoGivesWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		addr  func(i int) string // address of the ith sender
		other string             // the next peer
		stays bool               // all of the senders stay
		kept  int                // remaining of 60 sessions
	}{
		"one address":          {func(int) string { return "192.0.2.1" }, "198.51.100.1", true, 10},
		"one IPv4 network":     {func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }, "198.51.100.1", true, 20},
		"one IPv6 network":     {func(i int) string { return fmt.Sprintf("2001:db8::%x", i) }, "198.51.100.1", true, 20},
		"IPv4 in IPv6":         {func(i int) string { return fmt.Sprintf("::ffff:192.0.2.%d", i) }, "198.51.100.1", true, 20},
		"sixty networks":       {func(i int) string { return fmt.Sprintf("192.0.%d.1", i) }, "198.51.100.1", false, 50},
		"this machine":         {func(int) string { return "127.0.0.1" }, "127.0.0.1", false, 50},
		"another of the crowd": {func(int) string { return "192.0.2.1" }, "192.0.2.1", false, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTable()
			var strangers []*session
			for i := range 60 {
				stranger, ok := arrive(t, s, c.addr(i), i)
				if !ok {
					t.Fatalf("stranger %d was refused", i)
				}
				strangers = append(strangers, stranger)
			}
			if len(s.open) != c.kept {
				t.Fatalf("%d connections are open, want %d", len(s.open), c.kept)
			}
			honest, ok := arrive(t, s, c.other, 100)
			if !ok || !s.open[honest] {
				t.Error("the next sender was refused")
			}
			first := 60 - c.kept // the others were ended
			if s.open[strangers[first]] != c.stays {
				t.Errorf("the one that has waited longest is open: %v, want %v", s.open[strangers[first]], c.stays)
			}
			if !s.open[strangers[59]] {
				t.Error("the newest stranger gave way")
			}
		})
	}
}

// A session that is passing on a message is not ended for another connection.
func TestBusySessionsDoNotGiveWay(t *testing.T) {
	t.Parallel()
	s := newTable()
	for i := range 50 {
		c, _ := arrive(t, s, fmt.Sprintf("192.0.%d.1", i), i)
		c.setBusy(true)
	}
	if _, ok := arrive(t, s, "198.51.100.1", 100); ok {
		t.Error("another was admitted")
	}
}
