package fetch

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
)

// reach says which addresses a connection may reach. The zero value allows only public
// addresses.
type reach struct {
	private  bool           // includes our own machine and network
	networks []netip.Prefix // only these of them; none: all of ownNetworks except the shared range
	admit    func(netip.Addr) error
}

// ownNetworks are the networks that can contain a private source: loopback (RFC 1122),
// private (RFC 1918), shared by carriers and used by overlay networks (RFC 6598), and
// unique local (RFC 4193), but not link-local.
var ownNetworks = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("fc00::/7"), sharedNetwork,
}

// sharedNetwork may belong to the carrier; it is reached only if it is listed.
var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")

// metadataAddrs are the metadata services of clouds, which know the keys of a machine, in
// networks that may be private. No permission allows them; 169.254.169.254 is link-local.
var metadataAddrs = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd20:ce::254"),
}

// IsOwnNetwork reports whether all addresses of a network may belong to the
// admin's own network: only those may be in Options.Private.
func IsOwnNetwork(p netip.Prefix) bool {
	return slices.ContainsFunc(ownNetworks, func(own netip.Prefix) bool { return own.Bits() <= p.Bits() && own.Contains(p.Addr()) })
}

// checkAddr returns why a connection to an address is not allowed, "" if it is.
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

// checkHost returns why requests to a host are not allowed, as far as its name shows it.
func (r reach) checkHost(host string) string {
	if !r.private {
		return checkHost(host)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return r.checkAddr(addr)
	}
	return checkName(host)
}

// checkDial is used as a net.Dialer's Control.
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

// couldBeAllowed reports whether a permission would allow a refused address.
func (r reach) couldBeAllowed(addr netip.Addr) bool { return !r.private && isOwn(addr) }

// isOwn reports whether an address can be one of our own network.
func isOwn(addr netip.Addr) bool {
	if addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	return !slices.Contains(metadataAddrs, addr) && slices.ContainsFunc(ownNetworks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Origin returns the host and port of an http or https address in the form of
// Request.Private, "" if it can't be parsed.
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

// reachFor returns the reach of a request for one address of its chain of redirects: it
// includes our own network only for the host and port of its permission.
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

// check parses an address and refuses one that a request must not reach, as far as the
// address itself shows it.
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
