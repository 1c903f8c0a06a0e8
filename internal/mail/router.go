package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Router finds the servers of a domain and connects to one (RFC 5321 §5).
type Router struct {
	Resolver *net.Resolver // nil means that of the system
	Port     int           // 25
	// Check returns why connecting to an address is not allowed, "" if it is: anybody can
	// own the domain and point it into our own network. nil means that all are allowed.
	Check func(netip.Addr) string
}

// maxHosts is the maximum number of a domain's servers, and of their addresses, that are
// tried.
const maxHosts = 5

// Hosts returns the names of a domain's servers in the order of preference;
// those of the same preference are in the order of the resolver. Errors: a
// *ReplyError, as a server would send it, if the domain accepts no mail or does
// not exist.
func (r *Router) Hosts(ctx context.Context, domain string) ([]string, error) {
	records, err := r.resolver().LookupMX(ctx, domain)
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound && len(records) == 0:
		// Without MX records, the domain's own address is its server, if it has one.
		if _, err := r.resolver().LookupNetIP(ctx, "ip", domain); errors.As(err, &dns) && dns.IsNotFound {
			return nil, &ReplyError{Code: 550, Enhanced: "5.1.2", Phase: "lookup", Text: "no such domain " + domain}
		}
		return []string{domain}, nil
	case err != nil && len(records) == 0:
		return nil, fmt.Errorf("look up the servers of %s: %w", domain, err)
	case len(records) == 1 && (records[0].Host == "." || records[0].Host == ""): // RFC 7505
		return nil, &ReplyError{Code: 556, Enhanced: "5.1.10", Phase: "lookup", Text: domain + " accepts no mail (null MX)"}
	}
	slices.SortStableFunc(records, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	var hosts []string
	for _, mx := range records[:min(len(records), maxHosts)] {
		hosts = append(hosts, strings.TrimSuffix(mx.Host, "."))
	}
	return hosts, nil
}

func (r *Router) resolver() *net.Resolver {
	if r.Resolver == nil {
		return net.DefaultResolver
	}
	return r.Resolver
}

// Dial connects to the first reachable server of a domain, with the options of opts except
// the address. If the TLS handshake fails, it continues without TLS: a valid certificate
// proves nothing if the name came from an unsigned DNS response.
func (r *Router) Dial(ctx context.Context, domain string, opts Options) (*Conn, error) {
	hosts, err := r.Hosts(ctx, domain)
	if err != nil {
		return nil, err
	}
	opts.TLS, opts.Username, opts.Password = TLSOpportunistic, "", ""
	var errs []error
	for _, host := range hosts {
		addrs, err := r.addresses(ctx, host)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, addr := range addrs {
			one := opts
			port := r.Port
			if port == 0 {
				port = 25
			}
			one.Addr = net.JoinHostPort(host, strconv.Itoa(port))
			one.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(addr.String(), strconv.Itoa(port)))
			}
			conn, err := Dial(ctx, one)
			if err == nil || ctx.Err() != nil {
				return conn, err
			}
			errs = append(errs, fmt.Errorf("%s (%s): %w", host, addr, err))
		}
	}
	return nil, errors.Join(errs...)
}

// addresses returns the addresses of a server that may be connected to, IPv6
// and IPv4 in the system's order.
func (r *Router) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	all, err := r.resolver().LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	var out []netip.Addr
	for _, a := range all {
		a = a.Unmap()
		if why := r.why(a); why != "" {
			err = fmt.Errorf("%s is at %s: %s", host, a, why)
			continue
		}
		if out = append(out, a); len(out) == maxHosts {
			break
		}
	}
	if len(out) == 0 {
		return nil, errors.Join(err, fmt.Errorf("%s has no address that mail may be sent to", host))
	}
	return out, nil
}

func (r *Router) why(a netip.Addr) string {
	if r.Check == nil {
		return ""
	}
	return r.Check(a)
}
