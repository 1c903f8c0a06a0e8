package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"dibao/digest/delivery"
	"dibao/internal/budget"
	"dibao/internal/config"
	"dibao/internal/fetch"
	"dibao/internal/mail"
)

// server says how the first configured mail server is reached.
func (a *app) server() mail.Options { return a.servers()[0] }

// servers says how the configured mail servers are reached: HOST or HOST:PORT,
// separated by commas.
func (a *app) servers() []mail.Options {
	m := a.config.Mail
	local := ehloName(a.config)
	var all []mail.Options
	for name := range strings.SplitSeq(m.Host, ",") {
		host, port, err := net.SplitHostPort(strings.TrimSpace(name))
		if err != nil {
			host, port = strings.Trim(strings.TrimSpace(name), "[]"), strconv.Itoa(m.Port)
		}
		all = append(all, mail.Options{
			Addr: net.JoinHostPort(host, port), LocalName: local, TLS: mail.TLSMode(m.TLS), Username: m.Username, Password: m.Password.Reveal(),
		})
	}
	return all
}

// ehloName is what we call ourselves to mail servers (RFC 5321 §4.1.1.1): as
// configured, or the host of our pages, or where that is no full name, the
// machine's.
func ehloName(c config.Config) string {
	if c.Mail.Ehlo != "" {
		return c.Mail.Ehlo
	}
	if u, err := url.Parse(c.Server.BaseURL); err == nil && isFullName(u.Hostname()) {
		return strings.ToLower(u.Hostname())
	}
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// isFullName reports whether a host's name can be looked up by others: it has a dot
// and is no address.
func isFullName(host string) bool {
	_, err := netip.ParseAddr(host)
	dot := strings.IndexByte(strings.TrimSuffix(host, "."), '.')
	return err != nil && dot > 0 && !strings.HasSuffix(strings.ToLower(host), ".local") && !strings.HasSuffix(strings.ToLower(host), ".localdomain")
}

// envelopeFrom is the sender that a mailing's mail has on its envelope, for a mail
// that is of no mailing.
func (a *app) envelopeFrom(from string) string {
	return a.digest.EnvelopeFrom(from, a.subscribers.Keys().BounceToken(0))
}

// direct reports whether mail goes to the readers' own servers.
func (a *app) direct() bool { return a.config.Mail.Host == "" && a.config.Mail.Direct }

// router finds the servers of domains.
func (a *app) router() *mail.Router {
	return &mail.Router{Check: fetch.CheckAddr}
}

// dial connects to where a message to an address is sent.
func (a *app) dial(ctx context.Context, address string) (*mail.Conn, error) {
	return a.dialWith(ctx, a.server(), address)
}

func (a *app) dialWith(ctx context.Context, server mail.Options, address string) (*mail.Conn, error) {
	if !a.direct() {
		return mail.Dial(ctx, server)
	}
	return a.router().Dial(ctx, address[strings.LastIndexByte(address, '@')+1:], server)
}

// newDeliverer returns a deliverer that sends by the configured servers.
func (a *app) newDeliverer() (*delivery.Deliverer, error) {
	m := a.config.Mail
	if m.Host == "" && !m.Direct {
		return nil, fmt.Errorf("no mail server is set; set host in [mail] of the configuration")
	}
	if m.From == "" {
		return nil, fmt.Errorf("no sender is set; set from in [mail], such as 邸报 <dibao@example.org>")
	}
	signer, err := a.signer()
	if err != nil {
		return nil, err
	}
	budget.CollectLess()
	keys := a.subscribers.Keys()
	servers := a.servers()
	opts := delivery.Options{
		Server: servers[0], Fallbacks: servers[1:], Connections: m.Connections, PerMinute: m.Rate, DKIM: signer, Probe: a.probe,
		BounceToken: keys.BounceToken, MessageKey: keys.MessageIDKey(), Limits: make(map[string]delivery.Limit),
	}
	if a.direct() {
		opts.Direct = a.router()
		for domain, l := range delivery.StandardLimits {
			opts.Limits[domain] = l
		}
	}
	for domain, l := range m.Limits {
		opts.Limits[domain] = delivery.Limit(l)
	}
	return a.digest.NewDeliverer(opts)
}

// signer returns the DKIM signer, nil where none is configured.
func (a *app) signer() (*mail.Signer, error) {
	d := a.config.DKIM
	if d.Domain == "" {
		return nil, nil
	}
	first, err := mail.NewSigner(d.Domain, d.Selector, []byte(d.Key.Reveal()))
	if err != nil || d.EdSelector == "" {
		return first, err
	}
	second, err := mail.NewSigner(d.Domain, d.EdSelector, []byte(d.EdKey.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("ed25519_key: %w", err)
	}
	return first.And(second), nil
}
