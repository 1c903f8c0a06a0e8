package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

type clientKey struct{}

// ClientNetwork returns the network of a request: /24 of IPv4, /64 of IPv6. The single
// address of a person is never stored.
func ClientNetwork(r *http.Request) netip.Prefix {
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

// clientAddr returns the sender of the request: the peer, or behind trusted proxies the
// last address that is not one of them.
func clientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer := peerAddr(r)
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

// peerAddr returns the address at the other end of the connection; the zero Addr if it has
// none.
func peerAddr(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	peer, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Unmap().WithZone("")
}

// IgnoresProxy reports whether a request says that it came through a proxy that
// is not trusted, so that the proxy's address counts as the client's.
func IgnoresProxy(r *http.Request, trusted []netip.Prefix) bool {
	return r.Header.Get("X-Forwarded-For")+r.Header.Get("Forwarded") != "" && !isTrusted(peerAddr(r), trusted)
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

// WithClient returns the request as if it had come from addr.
func WithClient(r *http.Request, addr netip.Addr) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), clientKey{}, addr))
}

// Limiter allows each network Burst requests at once and one more in each Every, the
// networks of an IPv6 /48 together siteTimes as many, and all networks together Global
// times as many. With Global 0, requests from one network never count against another.
type Limiter struct {
	Burst  int
	Every  time.Duration
	Global int // 0 means no common limit
	Now    func() time.Time

	mu      sync.Mutex
	buckets map[netip.Prefix]bucket
	all     bucket
}

type bucket struct {
	spent float64 // spent part of the burst
	at    time.Time
}

const (
	// maxBuckets limits the memory of a limiter to a few megabytes; beyond it idle buckets
	// are removed.
	maxBuckets = 50_000
	// siteTimes is the limit of an IPv6 /48 as a multiple of that of one network: a
	// customer with a /48 has 65,536 networks.
	siteTimes = 4
)

// wider returns the networks for which a request counts, with the factor of the burst for
// each of them.
func wider(p netip.Prefix) map[netip.Prefix]int {
	all := map[netip.Prefix]int{p: 1}
	if p.Addr().Is6() && p.Bits() > 48 {
		if site, err := p.Addr().Prefix(48); err == nil {
			all[site] = siteTimes
		}
	}
	return all
}

// Allow spends one request of the network and reports whether it may be served.
func (l *Limiter) Allow(p netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	if l.buckets == nil || len(l.buckets) >= maxBuckets {
		l.sweep(now)
	}
	all := l.refill(l.all, now, max(l.Global, 1))
	if l.Global > 0 && all.spent+1 > float64(l.Burst*l.Global) {
		return false
	}
	networks := wider(p)
	for p, times := range networks {
		if l.refill(l.buckets[p], now, times).spent+1 > float64(l.Burst*times) {
			return false
		}
	}
	for p, times := range networks {
		b := l.refill(l.buckets[p], now, times)
		b.spent++
		l.buckets[p] = b
	}
	all.spent++
	l.all = all
	return true
}

func (l *Limiter) refill(b bucket, now time.Time, times int) bucket {
	if earned := now.Sub(b.at).Seconds() / l.Every.Seconds() * float64(times); earned > 0 {
		b.spent = max(0, b.spent-earned)
	}
	b.at = now
	return b
}

// sweep removes idle networks; if all are busy it removes half of them at
// random.
func (l *Limiter) sweep(now time.Time) {
	kept := make(map[netip.Prefix]bucket)
	for p, b := range l.buckets {
		if b = l.refill(b, now, 1); b.spent > 0 {
			kept[p] = b
		}
	}
	for p := range kept {
		if full := len(l.buckets) >= maxBuckets; !full || len(kept) <= maxBuckets/2 {
			break
		}
		delete(kept, p)
	}
	l.buckets = kept
}
