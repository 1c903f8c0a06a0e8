package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"dibao/internal/redact"
)

// BlockedError says that the guard refused an address before or while connecting; nothing
// was sent to it.
type BlockedError struct {
	URL    string
	Reason string
	Local  bool // it is in our own network, which Request.Private can allow
}

func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s is not fetched: %s", redact.Text(e.URL), e.Reason)
}

// specialRanges are the ranges of the IANA special-purpose registries (RFC 6890
// and its updates) and other addresses that are not public unicast.
var specialRanges = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network (RFC 791)"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private (RFC 1918)"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared by carriers (RFC 6598)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback (RFC 1122)"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local (RFC 3927)"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private (RFC 1918)"},
	{netip.MustParsePrefix("192.0.0.0/24"), "IETF protocols (RFC 6890)"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("192.31.196.0/24"), "AS112 (RFC 7535)"},
	{netip.MustParsePrefix("192.52.193.0/24"), "AMT (RFC 7450)"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay (RFC 7526)"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private (RFC 1918)"},
	{netip.MustParsePrefix("192.175.48.0/24"), "AS112 (RFC 7534)"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking (RFC 2544)"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation (RFC 5737)"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast (RFC 5771)"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved (RFC 1112) or broadcast"},
	{netip.MustParsePrefix("2001::/23"), "IETF protocols, Teredo and ORCHID (RFC 2928, 4380, 7343)"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation (RFC 3849)"},
	{netip.MustParsePrefix("2002::/16"), "6to4 (RFC 3056)"},
	{netip.MustParsePrefix("2620:4f:8000::/48"), "AS112 (RFC 7534)"},
	{netip.MustParsePrefix("3fff::/20"), "documentation (RFC 9637)"},
}

// globalUnicast is the range of public IPv6 addresses (RFC 4291 §2.4); NAT64, unique local,
// link-local, multicast and all other addresses are outside of it.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// CheckAddr returns why a connection to an address is not allowed, "" if it is.
func CheckAddr(addr netip.Addr) string {
	if addr.Zone() != "" {
		return "an address with a zone is local"
	}
	addr = addr.Unmap()
	if !addr.IsValid() {
		return "no address"
	}
	if addr.Is6() && !globalUnicast.Contains(addr) {
		return addr.String() + " is not a public address (RFC 4291, RFC 6890)"
	}
	for _, r := range specialRanges {
		if r.prefix.Contains(addr) {
			return addr.String() + " is not a public address: " + r.what
		}
	}
	return ""
}

// blockedPorts belong to other protocols, whose servers could be made to act on
// a request: mail, remote shells, databases, queues and orchestration (the
// Fetch standard's bad ports and the usual stores). All ports below 1024 except
// 80 and 443 are blocked, too.
var blockedPorts = []int{
	1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 2380, 3268, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5672, 5900, 5984,
	6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092, 9200, 9300, 10080, 10250, 11211, 15672, 27017, 27018,
}

func isBlockedPort(p int) bool {
	return p < 1024 && p != 80 && p != 443 || slices.Contains(blockedPorts, p)
}

// CheckURL parses an address and returns why fetching it is not allowed, "" if nothing
// forbids it so far: it does not resolve names, whose addresses are checked when
// connecting. The URL is nil if the address can't be parsed.
func CheckURL(raw string) (u *url.URL, reason string) {
	u, reason = parseURL(raw)
	if reason == "" {
		reason = checkHost(u.Hostname())
	}
	return u, reason
}

// parseURL checks everything except whether the host is public. The host that
// it returns is in ASCII and lower case.
func parseURL(raw string) (*url.URL, string) {
	if !utf8.ValidString(raw) || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return nil, "it contains spaces, control characters, backslashes or bytes that are not text"
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, "it is not a URL"
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return u, "only http and https are fetched; begin the address with https:// or http://"
	case u.User != nil:
		return u, "a user name or password in an address is not sent"
	case u.Opaque != "" || u.Hostname() == "":
		return u, "it contains no host"
	}
	if reason := checkPort(u); reason != "" {
		return u, reason
	}
	if strings.Contains(u.Host, "[") {
		return u, ""
	}
	// Map the name as browsers and resolvers do: full-width letters, ideographic
	// full stops and enclosed digits are mapped (UTS #46).
	host, err := lookup.ToASCII(u.Hostname())
	if err != nil || host == "" {
		return u, "its host is neither a name nor an address"
	}
	if port := u.Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	u.Host = host
	return u, ""
}

// lookup maps names as for a DNS query but keeps underscores, which some names have.
var lookup = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

func checkPort(u *url.URL) string {
	text := u.Port()
	if text == "" {
		if strings.HasSuffix(u.Host, ":") {
			return "its port is empty"
		}
		return ""
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return "its port is not between 1 and 65535"
	}
	if isBlockedPort(port) {
		return "port " + text + " belongs to another protocol"
	}
	return ""
}

// localSuffixes end names that have a meaning only in one network (RFC 6761,
// 6762, 7686, 8375; ICANN on .internal; and names that routers use).
var localSuffixes = []string{"localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain", "home.arpa", "onion", "invalid"}

// checkHost returns why a host is not public, as far as its name shows it.
func checkHost(host string) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		return CheckAddr(addr)
	}
	if reason := checkName(host); reason != "" {
		return reason
	}
	host = strings.TrimSuffix(host, ".")
	if !strings.Contains(host, ".") {
		return "a name without a dot is local"
	}
	for _, suffix := range localSuffixes {
		if strings.HasSuffix(host, "."+suffix) {
			return "names that end in ." + suffix + " are local"
		}
	}
	return ""
}

// checkName returns why a text that is not an address is not a valid name, either.
func checkName(host string) string {
	host = strings.TrimSuffix(host, ".")
	if strings.ContainsAny(host, ":%") || strings.Contains(host, "..") {
		return "its host is neither a name nor an address"
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	// Resolvers read "127.1", "0x7f000001" and "017700000001" as addresses; the
	// WHATWG rule is that a name whose last label is a number is one.
	if last == "" || last[0] >= '0' && last[0] <= '9' {
		return "an address is written as four numbers without leading zeros"
	}
	return ""
}

// dial returns a function that resolves a name once, checks every address that it has, and
// connects to these addresses, so that a second resolution can't lead elsewhere. If one
// address is refused, so is the name: a mix of addresses may be an attack that counts on a
// wrong choice. The addresses are checked once more directly before connect(2).
func (c *Client) dial(r reach) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: min(c.opts.Timeout, 10*time.Second), Control: r.checkDial}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, &BlockedError{URL: address, Reason: "it contains no host"}
		}
		addrs, err := c.lookUp(ctx, host)
		if err != nil {
			return nil, err
		}
		for _, addr := range addrs {
			if reason := r.checkAddr(addr); reason != "" {
				return nil, &BlockedError{address, reason, r.couldBeAllowed(addr)}
			}
		}
		var failed error
		for _, addr := range addrs[:min(len(addrs), 4)] {
			conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(addr.String(), port))
			if err == nil {
				return conn, nil
			}
			failed = errors.Join(failed, err)
		}
		return nil, failed
	}
}

func (c *Client) lookUp(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	resolver := c.resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	addrs, err := resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	// IPv4 first: a host with both may be unreachable over IPv6.
	slices.SortStableFunc(addrs, func(a, b netip.Addr) int {
		return cmp.Compare(a.Unmap().BitLen(), b.Unmap().BitLen())
	})
	return addrs, nil
}
