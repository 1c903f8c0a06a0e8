package fetch

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
)

// reach says to which addresses a connection may lead. The zero value allows
// only public addresses.
type reach struct {
	private  bool           // our own machine and network, too
	networks []netip.Prefix // and of it these only; none: all of ownNetworks but the shared range
	admit    func(netip.Addr) error
}

// ownNetworks are the networks in which a private source can be: loopback (RFC
// 1122), private (RFC 1918), shared by carriers and used by overlay networks
// (RFC 6598), and unique local (RFC 4193), but not link-local.
var ownNetworks = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("fc00::/7"), sharedNetwork,
}

// sharedNetwork may belong to the carrier; it is reached only where it is listed.
var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")

// metadataAddrs are the metadata services of clouds, which have the keys of a
// machine, in networks that may be private. No permission allows them;
// 169.254.169.254 is link-local.
var metadataAddrs = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"),
}

// IsOwnNetwork reports whether all addresses of a network may belong to the
// admin's own network: only those may be in Options.Private.
func IsOwnNetwork(p netip.Prefix) bool {
	return slices.ContainsFunc(ownNetworks, func(own netip.Prefix) bool { return own.Bits() <= p.Bits() && own.Contains(p.Addr()) })
}

// checkAddr returns why an address may not be dialed, "" if it may.
func (r reach) checkAddr(addr netip.Addr) string {
	if !r.private || !isOwn(addr) {
		return CheckAddr(addr)
	}
	addr = addr.Unmap()
	switch {
	case len(r.networks) == 0 && !sharedNetwork.Contains(addr):
		return ""
	case slices.ContainsFunc(r.networks, func(p netip.Prefix) bool { return p.Contains(addr) }):
		return ""
	case len(r.networks) == 0:
		return CheckAddr(addr) + "; a private source is reached there if the network is listed as private in [fetch]"
	}
	return addr.String() + " is in none of the networks that are listed as private in [fetch]"
}

// checkHost returns why a host may not be asked, as far as its name shows.
func (r reach) checkHost(host string) string {
	if !r.private {
		return checkHost(host)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return r.checkAddr(addr)
	}
	return checkName(host)
}

// checkDial is a net.Dialer's Control.
func (r reach) checkDial(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return &BlockedError{URL: address, Reason: "no address"}
	}
	if reason := r.checkAddr(to.Addr()); reason != "" {
		return &BlockedError{address, reason, r.couldBeAllowed(to.Addr())}
	}
	if r.admit != nil {
		return r.admit(to.Addr().Unmap())
	}
	return nil
}

// couldBeAllowed reports whether a permission would open a refused address.
func (r reach) couldBeAllowed(addr netip.Addr) bool { return !r.private && isOwn(addr) }

// isOwn reports whether an address may be one of our own network.
func isOwn(addr netip.Addr) bool {
	if addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	return !slices.Contains(metadataAddrs, addr) && slices.ContainsFunc(ownNetworks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Origin returns the host and port of an http or https address in the form of
// Request.Private, "" if it can't be read.
func Origin(raw string) string {
	u, _ := parseURL(raw)
	if u == nil || u.Hostname() == "" {
		return ""
	}
	return origin(u)
}

func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// reachFor returns how far a request may reach for one address of its chain of
// redirects: into our own network only at the host and port of its permission.
func (c *Client) reachFor(u *url.URL, private string) reach {
	if private != "" && origin(u) == private {
		return reach{private: true, networks: c.opts.Private}
	}
	return reach{private: c.opts.AllowPrivate}
}

// Check returns the *BlockedError that Get would return for an address without
// connecting, nil if there is none.
func (c *Client) Check(raw string) error {
	_, err := c.check(raw, "")
	return err
}

// check parses an address and refuses what a request may not reach, as far as
// the address alone shows.
func (c *Client) check(raw, private string) (*url.URL, error) {
	u, reason := parseURL(raw)
	if reason != "" {
		return nil, &BlockedError{URL: raw, Reason: reason}
	}
	r := c.reachFor(u, private)
	if reason = r.checkHost(u.Hostname()); reason == "" {
		return u, nil
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return nil, &BlockedError{raw, reason, !r.private && (err != nil && checkName(u.Hostname()) == "" || err == nil && isOwn(addr))}
}
