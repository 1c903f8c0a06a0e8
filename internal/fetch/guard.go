package fetch

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// BlockedError says that the guard refused an address before or while it was
// dialled; nothing was sent there.
type BlockedError struct {
	URL    string
	Reason string
}

func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s is not fetched: %s", e.URL, e.Reason)
}

// specialRanges are the ranges of the IANA special-purpose registries (RFC 6890
// and its updates) and what else is no public unicast address.
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

// globalUnicast is where public IPv6 addresses are (RFC 4291 §2.4); NAT64,
// unique local, link-local, multicast and all else lies outside.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// CheckAddr returns why an address may not be dialled, "" if it may.
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
			return addr.String() + " is " + r.what
		}
	}
	return ""
}

// isBlockedPort knows ports that belong to other protocols, whose servers could be made to act on
// a request (the Fetch standard's bad ports, and databases).

func isBlockedPort(p int) bool {
	switch p {
	case 80, 443, 8000, 8008, 8080, 8081, 8088, 8443, 8888:
		return false
	}
	return p < 1024 || strings.Contains(
		" 1433 1521 1719 1720 1723 2049 2375 2376 2379 2380 3268 3306 3389 3659 4045 4190 5060 5061 5432 5672 5900 5984 6000 "+
			"6379 6443 6566 6665 6666 6667 6668 6669 6679 6697 7001 9042 9200 9300 10080 10250 11211 15672 27017 27018 ",
		" "+strconv.Itoa(p)+" ")
}

// CheckURL parses an address and returns why it may not be fetched, "" if
// nothing is against it so far: names are checked again when they are dialled.
func CheckURL(raw string) (*url.URL, string) {
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return nil, "it holds spaces, control characters or backslashes"
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, "it is no URL"
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "only http and https are fetched"
	case u.User != nil:
		return nil, "a user name or password in an address is not sent"
	case u.Opaque != "" || u.Hostname() == "":
		return nil, "it names no host"
	}
	if reason := checkPort(u); reason != "" {
		return nil, reason
	}
	return u, checkHost(u.Hostname())
}

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

func checkHost(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return CheckAddr(addr)
	}
	if strings.ContainsAny(host, ":%") {
		return "its host is no name and no address"
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	// Resolvers read «127.1», «0x7f000001» and «017700000001» as addresses; the
	// WHATWG rule is that a name whose last label is a number is one.
	if last == "" || last[0] >= '0' && last[0] <= '9' {
		return "an address is written as four numbers without leading zeros"
	}
	if len(labels) == 1 {
		return "a name without a dot is local"
	}
	for _, suffix := range []string{"localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain", "home.arpa", "onion", "invalid"} {
		if host == suffix || strings.HasSuffix(host, "."+suffix) {
			return "names that end in ." + suffix + " are local"
		}
	}
	return ""
}

// checkDial is called with the address that is really dialled, after every name
// look-up and redirect, so that a name can't change its address in between.
func checkDial(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return &BlockedError{address, "no address"}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return &BlockedError{address, "no address"}
	}
	if reason := CheckAddr(addr); reason != "" {
		return &BlockedError{address, reason}
	}
	return nil
}
