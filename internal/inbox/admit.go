package inbox

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// isExhausted reports whether there are temporarily too many open files for
// another connection.
func isExhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ECONNABORTED)
}

// peer is the sender of a session.
type peer struct {
	addr    netip.Addr
	network netip.Prefix // /24 or /64
	local   bool         // it is this machine
}

func peerOf(a net.Addr) peer {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return peer{local: true} // a Unix socket
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := 24
	if addr.Is6() {
		bits = 64
	}
	network, _ := addr.Prefix(bits) // it can't fail for an address
	return peer{addr, network, addr.IsLoopback()}
}

// admit adds a session to the open ones. If there are too many, from its address, from its
// network or in total, the one that has been idle longest is ended; ok is false if none can
// be.
func (s *server) admit(c *session) (ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if group := s.evictable(c.peer); group != nil {
		victim := longestWaiting(group)
		if victim == nil {
			return false
		}
		delete(s.open, victim)
		victim.end("421 4.7.0 too many connections; try again later")
	}
	s.open[c] = true
	return true
}

// evictable returns the sessions of which one must be ended to admit another one from p;
// nil if none has to be.
func (s *server) evictable(p peer) []*session {
	networks := make(map[netip.Prefix][]*session)
	var same []*session
	for c := range s.open {
		networks[c.peer.network] = append(networks[c.peer.network], c)
		if c.peer.addr == p.addr {
			same = append(same, c)
		}
	}
	switch {
	case !p.local && len(same) >= s.Limits.PerAddress:
		return same
	case !p.local && len(networks[p.network]) >= s.Limits.PerNetwork:
		return networks[p.network]
	case len(s.open) < s.Limits.Connections:
		return nil
	}
	most := 0
	for _, group := range networks {
		most = max(most, len(group))
	}
	var largest []*session
	for _, group := range networks {
		if len(group) == most {
			largest = append(largest, group...)
		}
	}
	return largest
}

// longestWaiting returns the session that has been idle longest; nil if all of
// them are sending a message.
func longestWaiting(group []*session) (victim *session) {
	var oldest time.Time
	for _, c := range group {
		if since, busy := c.progress(); !busy && (victim == nil || since.Before(oldest)) {
			victim, oldest = c, since
		}
	}
	return victim
}

func (s *server) leave(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}
