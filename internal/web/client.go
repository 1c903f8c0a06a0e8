package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

type clientKey struct{}

// Client returns the network that a request came from: /24 of IPv4, /64 of
// IPv6. One address of a person is never kept.
func Client(r *http.Request) netip.Prefix {
	addr, _ := r.Context().Value(clientKey{}).(netip.Addr)
	return network(addr)
}

func network(addr netip.Addr) netip.Prefix {
	bits := 24
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// clientAddr returns who sent the request: the peer, or behind trusted proxies
// the last address that no trusted proxy vouches for.
func clientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	peer, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	peer = peer.Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && isTrusted(peer, trusted); i-- {
		hop, ok := parseHop(strings.TrimSpace(hops[i]))
		if !ok {
			return peer
		}
		peer = hop.Unmap().WithZone("")
	}
	return peer
}

// parseHop reads an address, which some proxies write with a port or in brackets.
func parseHop(s string) (addr netip.Addr, ok bool) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr(), true
	}
	if inner, found := strings.CutPrefix(s, "["); found {
		s = strings.TrimSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(s)
	return addr, err == nil
}

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// Limiter allows each network Burst requests at once and one more each Every,
// and all networks together Global times that.
type Limiter struct {
	Burst  int
	Every  time.Duration
	Global int // 0: no common limit
	Now    func() time.Time

	mu      sync.Mutex
	buckets map[netip.Prefix]bucket
	all     bucket
}

type bucket struct {
	spent float64 // of the burst
	at    time.Time
}

// maxBuckets bounds the memory of a limiter; beyond it the idle ones go.
const maxBuckets = 10_000

// Allow spends one request of the network and reports whether it may be served.
func (l *Limiter) Allow(p netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	if l.buckets == nil || len(l.buckets) >= maxBuckets {
		l.sweep(now)
	}
	b := l.refill(l.buckets[p], now, 1)
	all := l.refill(l.all, now, max(l.Global, 1))
	if b.spent+1 > float64(l.Burst) || l.Global > 0 && all.spent+1 > float64(l.Burst*l.Global) {
		return false
	}
	b.spent++
	all.spent++
	l.buckets[p], l.all = b, all
	return true
}

func (l *Limiter) refill(b bucket, now time.Time, times int) bucket {
	if earned := now.Sub(b.at).Seconds() / l.Every.Seconds() * float64(times); earned > 0 {
		b.spent = max(0, b.spent-earned)
	}
	b.at = now
	return b
}

// sweep forgets networks that are at rest; if all are busy it forgets everything,
// since the common limit still holds.
func (l *Limiter) sweep(now time.Time) {
	kept := make(map[netip.Prefix]bucket)
	for p, b := range l.buckets {
		if b = l.refill(b, now, 1); b.spent > 0 {
			kept[p] = b
		}
	}
	if len(kept) >= maxBuckets {
		clear(kept)
	}
	l.buckets = kept
}
