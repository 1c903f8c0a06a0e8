// Package mailer reads from the configuration how to send mail: the sender, the
// servers, and the signing keys.
package mailer

import (
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"dibao/internal/config"
	"dibao/internal/mail"
)

// Sender returns the node's own address, or an invalid one if mail is not configured.
func Sender(c config.Config) (netmail.Address, error) {
	if c.Mail.From == "" {
		return netmail.Address{Name: c.Server.Name, Address: "dibao@localhost.invalid"}, nil
	}
	from, err := netmail.ParseAddress(c.Mail.From)
	if err != nil {
		return netmail.Address{}, fmt.Errorf("from = %q in [mail] is not an address; write it as 邸报 <dibao@example.org>", c.Mail.From)
	}
	return *from, nil
}

// Servers returns the configured mail servers: HOST or HOST:PORT, separated by commas.
func Servers(c config.Config) []mail.Options {
	m := c.Mail
	local := EHLOName(c)
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

// Direct reports whether mail goes to the readers' own servers.
func Direct(c config.Config) bool { return c.Mail.Host == "" && c.Mail.Direct }

// EHLOName returns our name in EHLO (RFC 5321 §4.1.1.1): the configured name, or the host
// of our pages, or, if that is not a full name, the name of the machine.
func EHLOName(c config.Config) string {
	if c.Mail.Ehlo != "" {
		return c.Mail.Ehlo
	}
	if u, err := url.Parse(c.Server.BaseURL); err == nil && IsFullName(u.Hostname()) {
		return strings.ToLower(u.Hostname())
	}
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// IsFullName reports whether others can look up a host name: it has a dot and
// is not an address.
func IsFullName(host string) bool {
	_, err := netip.ParseAddr(host)
	dot := strings.IndexByte(strings.TrimSuffix(host, "."), '.')
	return err != nil && dot > 0 && !strings.HasSuffix(strings.ToLower(host), ".local") && !strings.HasSuffix(strings.ToLower(host), ".localdomain")
}

// Signer returns the DKIM signer, nil if none is configured.
func Signer(c config.Config) (*mail.Signer, error) {
	d := c.DKIM
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

// ZoneLine returns a TXT record in the form of a zone file: in strings of at most 255 bytes
// (RFC 1035 §3.3.14).
func ZoneLine(name, record string) string {
	var parts []string
	for len(record) > 250 {
		parts, record = append(parts, `"`+record[:250]+`"`), record[250:]
	}
	return name + ". IN TXT ( " + strings.Join(append(parts, `"`+record+`"`), " ") + " )"
}
