package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	netmail "net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dibao/cmd/dibao/mailer"
	"dibao/internal/mail"
	"dibao/internal/redact"
)

// ForwardedHeader is the header of /healthz that says "ignored" if the request came
// through a proxy that is not trusted.
const ForwardedHeader = "Dibao-Forwarded"

// MailFinding is one line of the mail doctor's output.
type MailFinding struct {
	Domain string  `json:"domain"`
	Check  string  `json:"check"`
	Status string  `json:"status"` // ok, warning, failed
	Text   string  `json:"text"`
	Record *string `json:"record"` // the record to publish, as in a zone file
}

// ResolverAt returns a resolver that asks one name server, or the servers of the
// system.
func ResolverAt(nameServer string) *net.Resolver {
	if nameServer == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, nameServer)
	}}
}

// Mail examines everything that receivers of mail check.
type Mail struct {
	Node     *Node
	Resolver *net.Resolver
	From     []netip.Addr // addresses from which mail is sent; none: the addresses of the relay
	Found    []MailFinding
}

func (d *Mail) add(domain, check, status, text string) {
	d.Found = append(d.Found, MailFinding{Domain: domain, Check: check, Status: status, Text: text})
}

// publish adds a finding with the DNS record that fixes it.
func (d *Mail) publish(domain, check, status, text, record string) {
	d.Found = append(d.Found, MailFinding{domain, check, status, text, &record})
}

// Examine examines everything and adds its findings to Found.
func (d *Mail) Examine(ctx context.Context) error {
	c := d.Node.Config
	from, err := mailer.Sender(c)
	if err != nil {
		return err
	}
	if c.Mail.From == "" {
		if c.Mail.Host == "" && !mailer.Direct(c) {
			return errors.New("no sender and no mail server are set; set from, such as 邸报 <dibao@example.org>, and host in [mail]")
		}
		return errors.New("no sender is set; set from in [mail], such as 邸报 <dibao@example.org>")
	}
	senders := []string{hostOf(from.Address)}
	lists, err := d.Node.Subscribers.Lists(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if a, err := netmail.ParseAddress(l.Sender); err == nil && !slices.Contains(senders, hostOf(a.Address)) {
			senders = append(senders, hostOf(a.Address))
		}
	}
	if len(d.From) == 0 && c.Mail.Host != "" {
		d.From = d.addressesOf(ctx, mailer.Servers(d.Node.Config)[0].Addr)
	}
	if err := d.askDNS(ctx, senders[0]); err != nil {
		d.add("", "dns", "failed", "DNS does not answer, so no record was checked; check the name server of this machine, or specify one with --resolver: "+redact.Line(err))
		senders = nil
	}
	for _, domain := range senders {
		envelope := c.Mail.BounceDomain
		if envelope == "" {
			envelope = domain
		}
		d.examineMX(ctx, envelope)
		d.examineSPF(ctx, envelope)
		d.examineDMARC(ctx, domain, envelope)
	}
	if len(senders) > 0 {
		if err := d.examineDKIM(ctx); err != nil {
			return err
		}
		d.examinePTR(ctx)
	}
	d.examineEHLO()
	d.examineRelay(ctx)
	d.examineBounces(ctx)
	d.examineUnsubscribe(ctx)
	return nil
}

func hostOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

func (d *Mail) addressesOf(ctx context.Context, hostPort string) (out []netip.Addr) {
	host, _, _ := net.SplitHostPort(hostPort)
	all, err := d.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		d.add(host, "relay", "failed", "the name of the relay is not found: "+redact.Line(err))
	}
	for _, a := range all {
		if a = a.Unmap(); a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
			d.add(a.String(), "relay", "warning", "the relay is on this machine or in this network; receivers see another address: specify it with --from-ip")
			continue
		}
		out = append(out, a)
	}
	return out
}

func (d *Mail) examineRelay(ctx context.Context) {
	if d.Node.Config.Mail.Host == "" {
		if !mailer.Direct(d.Node.Config) {
			d.add("", "relay", "failed", "no mail server is set; set host in [mail]")
		}
		return
	}
	for _, server := range mailer.Servers(d.Node.Config) {
		server.Timeouts = mail.Timeouts{Connect: 10 * time.Second, Greeting: 20 * time.Second}
		text, err := d.Node.trySender(ctx, server)
		switch {
		case err != nil:
			d.add(server.Addr, "relay", statusOf(err), redact.Line(err))
		case strings.HasSuffix(text, "without TLS") && onThisMachine(server.Addr):
			d.add(server.Addr, "relay", "ok", text) // others can't see a connection within this machine
		case strings.HasSuffix(text, "without TLS"):
			d.add(server.Addr, "relay", "warning", text+"; set tls = \"required\" in [mail] unless the connection is safe")
		default:
			d.add(server.Addr, "relay", "ok", text+", encrypted")
		}
	}
}

// onThisMachine reports whether a server's address, host:port, is one of this machine.
func onThisMachine(server string) bool {
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// examineEHLO examines the name that we give to mail servers.
func (d *Mail) examineEHLO() {
	name := mailer.EHLOName(d.Node.Config)
	if !mailer.IsFullName(name) {
		d.add(name, "ehlo", "warning", "dibao greets mail servers with this name, which is not a full host name, and many refuse it: set ehlo in [mail], such as mail.example.org")
		return
	}
	d.add(name, "ehlo", "ok", "the name in EHLO")
}

// examineBounces examines whether returned mail reaches us.
func (d *Mail) examineBounces(ctx context.Context) {
	m := d.Node.Config.Mail
	scheme, where, _ := strings.Cut(m.Inbound, ":")
	switch {
	case m.BounceDomain == "" && m.Inbound == "":
		d.add("", "bounces", "warning", "returned mail goes to the address in from and is not read here; set bounce_domain and inbound in [mail], or read files with: dibao bounce read")
	case m.BounceDomain == "":
		d.add("", "bounces", "warning", "bounce_domain in [mail] is not set: reports go to the address in from and do not say which mail they are about")
	case m.Inbound == "":
		d.add(m.BounceDomain, "bounces", "warning", "inbound in [mail] is not set, so mail to this domain is not read; set it, or read files with: dibao bounce read")
	case scheme == "maildir":
		d.examineMaildir(where)
	default:
		conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", where)
		if err != nil {
			d.add(m.BounceDomain, "bounces", "failed", "nothing listens at "+where+" for returned mail; run dibao serve: "+redact.Line(err))
			return
		}
		conn.Close()
		d.add(m.BounceDomain, "bounces", "ok", "accepted by "+where)
	}
}

// unreadFor is how long an email may stay unread in a Maildir before the doctor warns.
const unreadFor = time.Hour

func (d *Mail) examineMaildir(dir string) {
	domain := d.Node.Config.Mail.BounceDomain
	entries, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil {
		d.add(domain, "bounces", "failed", "the Maildir of returned mail can't be read: "+redact.Line(err))
		return
	}
	unread := 0
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > unreadFor {
			unread++
		}
	}
	if unread > 0 {
		d.add(domain, "bounces", "failed", fmt.Sprintf("%d emails are unread among the returned mail in %s; run dibao serve", unread, dir))
		return
	}
	d.add(domain, "bounces", "ok", "read from "+dir)
}

func (d *Mail) examineUnsubscribe(ctx context.Context) {
	base := d.Node.Config.Server.BaseURL
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", nil)
	if err != nil {
		d.add(base, "unsubscribe", "failed", redact.Line(err))
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.add(base, "unsubscribe", "failed", "the pages to unsubscribe can't be reached: "+redact.Line(err)+"; check base_url in [server], its name in DNS, and that dibao serve runs")
		return
	}
	resp.Body.Close()
	if resp.Header.Get(ForwardedHeader) == "ignored" {
		d.add(base, "proxy", "failed", "requests come from a proxy that is not in trusted_proxies of [server], so all readers have its address and share its limits: set the proxy's network there")
	}
	switch {
	case resp.StatusCode != http.StatusOK:
		d.add(base, "unsubscribe", "failed", fmt.Sprintf("%s/healthz returns %s; does base_url lead to dibao serve?", base, resp.Status))
	case !strings.HasPrefix(base, "https://"):
		d.add(base, "unsubscribe", "warning", "one-click unsubscribing requires https (RFC 8058); set up a certificate and set base_url")
	default:
		d.add(base, "unsubscribe", "ok", "reachable")
	}
}
