package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"blitiri.com.ar/go/spf"
	"golang.org/x/net/publicsuffix"

	"dibao/cmd/dibao/mailer"
	"dibao/internal/mail"
	"dibao/internal/redact"
)

// ForwardedHeader of /healthz is "ignored" where the request came from a proxy that
// is not trusted.
const ForwardedHeader = "Dibao-Forwarded"

// MailFinding is one line of the mail doctor.
type MailFinding struct {
	Domain string  `json:"domain"`
	Check  string  `json:"check"`
	Status string  `json:"status"` // ok, warning, failed
	Text   string  `json:"text"`
	Record *string `json:"record"` // to publish, as a zone file has it
}

// ResolverAt returns a resolver that asks one name server, or the system's.
func ResolverAt(nameServer string) *net.Resolver {
	if nameServer == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, nameServer)
	}}
}

// Mail examines what receivers of mail look at.
type Mail struct {
	Node     *Node
	Resolver *net.Resolver
	From     []netip.Addr // that mail comes from; none: those of the relay
	Found    []MailFinding
}

func (d *Mail) add(domain, check, status, text string) {
	d.Found = append(d.Found, MailFinding{Domain: domain, Check: check, Status: status, Text: text})
}

// publish adds a finding with the DNS record that fixes it.
func (d *Mail) publish(domain, check, status, text, record string) {
	d.Found = append(d.Found, MailFinding{domain, check, status, text, &record})
}

// Examine looks up each thing and adds what it finds to Found.
func (d *Mail) Examine(ctx context.Context) error {
	c := d.Node.Config
	from, err := mailer.Sender(c)
	if err != nil {
		return err
	}
	if c.Mail.From == "" {
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
	for _, domain := range senders {
		envelope := c.Mail.BounceDomain
		if envelope == "" {
			envelope = domain
		}
		d.examineMX(ctx, envelope)
		d.examineSPF(ctx, envelope)
		d.examineDMARC(ctx, domain, envelope)
	}
	if err := d.examineDKIM(ctx); err != nil {
		return err
	}
	d.examinePTR(ctx)
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
			d.add(a.String(), "relay", "warning", "the relay is on this machine or in this network; receivers see another address: name it with --from-ip")
			continue
		}
		out = append(out, a)
	}
	return out
}

func (d *Mail) examineMX(ctx context.Context, domain string) {
	records, err := d.Resolver.LookupMX(ctx, domain)
	if len(records) > 0 {
		hosts := make([]string, len(records))
		for i, r := range records {
			hosts[i] = strings.TrimSuffix(r.Host, ".")
		}
		d.add(domain, "mx", "ok", "bounces come to "+strings.Join(hosts, ", "))
		return
	}
	if addrs, errA := d.Resolver.LookupNetIP(ctx, "ip", domain); errA == nil && len(addrs) > 0 {
		d.add(domain, "mx", "ok", fmt.Sprintf("no MX; bounces come to the domain's own address %s", addrs[0]))
		return
	}
	why := ""
	if err != nil && !isNotFound(err) {
		why = ": " + redact.Line(err)
	}
	d.publish(domain, "mx", "failed", "no server takes the mail of the envelope's domain, so that bounces are lost and some receivers refuse"+why,
		domain+". IN MX 10 "+mailHost(d.Node.Config.Server.BaseURL, domain)+".")
}

// mailHost is the name of the server that mail of a domain could go to: that of
// our pages, where it is a name.
func mailHost(base, domain string) string {
	u, err := url.Parse(base)
	if err != nil || !strings.Contains(u.Hostname(), ".") {
		return "mail." + domain
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return "mail." + domain
	}
	return u.Hostname()
}

func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// examineSPF evaluates the record for each address that mail comes from.
func (d *Mail) examineSPF(ctx context.Context, domain string) {
	record, err := d.txt(ctx, domain, "v=spf1")
	wanted := domain + `. IN TXT "v=spf1` + d.mechanisms() + ` -all"`
	if err != nil {
		d.add(domain, "spf", "warning", "no answer from DNS, so that it is not known who may send; run it again: "+redact.Line(err))
		return
	}
	if len(record) == 0 {
		const none = "no SPF record says who may send for the envelope's domain"
		if len(d.From) == 0 {
			d.add(domain, "spf", "failed", none+"; to get the record, name the addresses that mail comes from with --from-ip")
			return
		}
		d.publish(domain, "spf", "failed", none, wanted)
		return
	}
	if len(record) > 1 {
		d.add(domain, "spf", "failed", "there are several SPF records, which counts as an error; keep one")
		return
	}
	if len(d.From) == 0 {
		d.add(domain, "spf", "warning", "it is not known which addresses mail comes from; name them with --from-ip. The record: "+record[0])
		return
	}
	for _, addr := range d.From {
		result, err := spf.CheckHostWithSender(addr.AsSlice(), domain, "b@"+domain, spf.WithContext(ctx), spf.WithResolver(d.Resolver))
		switch result {
		case spf.Pass:
			d.add(domain, "spf", "ok", fmt.Sprintf("%s may send", addr))
		case spf.TempError:
			d.add(domain, "spf", "warning", fmt.Sprintf("no answer from DNS for what %q names; run it again: %v", record[0], err))
		case spf.Neutral, spf.SoftFail:
			d.publish(domain, "spf", "warning", fmt.Sprintf("%s is %s by %q", addr, result, record[0]), wanted)
		default:
			d.publish(domain, "spf", "failed", fmt.Sprintf("%s is %s by %q (%v)", addr, result, record[0], err), wanted)
		}
	}
}

// mechanisms writes the sending addresses as SPF has them.
func (d *Mail) mechanisms() string {
	var b strings.Builder
	for _, a := range d.From {
		kind := " ip4:"
		if a.Is6() {
			kind = " ip6:"
		}
		b.WriteString(kind + a.String())
	}
	return b.String()
}

// txt returns the TXT records of a name that begin with a tag; an error says that
// DNS gave no answer, which is not the same as no record.
func (d *Mail) txt(ctx context.Context, name, tag string) (out []string, err error) {
	all, err := d.Resolver.LookupTXT(ctx, name)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	for _, r := range all {
		if strings.HasPrefix(strings.ToLower(r), tag) {
			out = append(out, r)
		}
	}
	return out, nil
}

// tags reads "k=rsa; p=…".
func tags(record string) map[string]string {
	out := make(map[string]string)
	for part := range strings.SplitSeq(record, ";") {
		name, value, _ := strings.Cut(part, "=")
		out[strings.TrimSpace(strings.ToLower(name))] = strings.Join(strings.Fields(value), "")
	}
	return out
}

func (d *Mail) examineDKIM(ctx context.Context) error {
	signer, err := mailer.Signer(d.Node.Config)
	if err != nil {
		return err
	}
	if signer == nil {
		d.add(d.Node.Config.DKIM.Domain, "dkim", "warning", "mail is not signed here; let the relay sign, or: dibao mail keygen dkim.pem --domain "+"your.domain")
		return nil
	}
	for _, one := range signer.Keys() {
		name, record, err := one.Record()
		if err != nil {
			return err
		}
		var published []string
		all, err := d.Resolver.LookupTXT(ctx, name)
		if err != nil && !isNotFound(err) {
			d.add(name, "dkim", "failed", "look-up failed: "+redact.Line(err))
			continue
		}
		for _, r := range all {
			if tags(r)["p"] != "" {
				published = append(published, r)
			}
		}
		switch {
		case len(published) == 0:
			d.publish(name, "dkim", "failed", "the key is not published", mailer.ZoneLine(name, record))
		case !slices.ContainsFunc(published, func(r string) bool { return tags(r)["p"] == tags(record)["p"] }):
			d.publish(name, "dkim", "failed", "the published key is not the one that we sign with", mailer.ZoneLine(name, record))
		default:
			d.add(name, "dkim", "ok", "our key is published")
		}
	}
	return nil
}

// examineDMARC looks for the policy of the From domain, and whether the envelope
// or the signature aligns with it (RFC 7489 §3.1).
func (d *Mail) examineDMARC(ctx context.Context, domain, envelope string) {
	records, err := d.txt(ctx, "_dmarc."+domain, "v=dmarc1")
	if len(records) == 0 && err == nil && organization(domain) != domain {
		records, err = d.txt(ctx, "_dmarc."+organization(domain), "v=dmarc1")
	}
	var policy map[string]string
	switch {
	case err != nil:
		d.add(domain, "dmarc", "warning", "no answer from DNS, so that the policy is not known; run it again: "+redact.Line(err))
	case len(records) == 0:
		d.publish(domain, "dmarc", "failed", "no DMARC record; large providers require one from bulk senders",
			"_dmarc."+domain+`. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@`+domain+`"`)
	case len(records) == 1:
		policy = tags(records[0])
		d.add(domain, "dmarc", "ok", records[0])
	default:
		d.add(domain, "dmarc", "failed", "there are several DMARC records, which counts as none; keep one")
	}
	signed := d.Node.Config.DKIM.Domain
	bySPF, byDKIM := aligned(domain, envelope, policy["aspf"]), signed != "" && aligned(domain, strings.ToLower(signed), policy["adkim"])
	switch {
	case byDKIM:
		d.add(domain, "alignment", "ok", "the DKIM domain "+signed+" aligns with From")
	case bySPF:
		d.add(domain, "alignment", "warning", "only the envelope's domain "+envelope+" aligns with From, which forwarding breaks; sign with DKIM, too")
	default:
		d.add(domain, "alignment", "failed", fmt.Sprintf("neither the envelope's domain %s nor the DKIM domain %q aligns with From; set domain in [dkim] to %s", envelope, signed, domain))
	}
}

// organization is the domain that somebody registered.
func organization(domain string) string {
	if o, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return o
	}
	return domain
}

func aligned(from, other, mode string) bool {
	return from == other || mode != "s" && organization(from) == organization(other)
}

func (d *Mail) examinePTR(ctx context.Context) {
	for _, addr := range d.From {
		names, err := d.Resolver.LookupAddr(ctx, addr.String())
		if err != nil || len(names) == 0 {
			d.add(addr.String(), "ptr", "failed", "the address has no name; ask the provider of the address to set its PTR record")
			continue
		}
		back, err := d.Resolver.LookupNetIP(ctx, "ip", strings.TrimSuffix(names[0], "."))
		if err != nil || !slices.ContainsFunc(back, func(b netip.Addr) bool { return b.Unmap() == addr }) {
			d.add(addr.String(), "ptr", "failed", fmt.Sprintf("its name %s does not lead back to it", names[0]))
			continue
		}
		d.add(addr.String(), "ptr", "ok", names[0])
	}
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
			d.add(server.Addr, "relay", "failed", redact.Line(err))
		case strings.HasSuffix(text, "without TLS"):
			d.add(server.Addr, "relay", "warning", text+"; set tls = \"required\" in [mail] unless the connection is safe")
		default:
			d.add(server.Addr, "relay", "ok", text+", encrypted")
		}
	}
}

// examineEHLO looks at what we call ourselves to mail servers.
func (d *Mail) examineEHLO() {
	name := mailer.EHLOName(d.Node.Config)
	if !mailer.IsFullName(name) {
		d.add(name, "ehlo", "warning", "dibao greets mail servers with this name, which is not a full host name, and many refuse it: set ehlo in [mail], such as mail.example.org")
		return
	}
	d.add(name, "ehlo", "ok", "the name in EHLO")
}

// examineBounces looks whether mail that comes back reaches us.
func (d *Mail) examineBounces(ctx context.Context) {
	m := d.Node.Config.Mail
	scheme, where, _ := strings.Cut(m.Inbound, ":")
	switch {
	case m.BounceDomain == "" && m.Inbound == "":
		d.add("", "bounces", "warning", "mail that comes back goes to the address in from, and nobody reads it here: set bounce_domain and inbound in [mail], or read files with: dibao bounce read")
	case m.BounceDomain == "":
		d.add("", "bounces", "warning", "bounce_domain in [mail] is not set: reports go to the address in from and do not say which mail they are about")
	case m.Inbound == "":
		d.add(m.BounceDomain, "bounces", "warning", "inbound in [mail] is not set: nobody reads what comes to this domain, unless you do with: dibao bounce read")
	case scheme == "maildir":
		d.examineMaildir(where)
	default:
		conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", where)
		if err != nil {
			d.add(m.BounceDomain, "bounces", "failed", "nothing listens at "+where+" for returned mail; run dibao serve: "+redact.Line(err))
			return
		}
		conn.Close()
		d.add(m.BounceDomain, "bounces", "ok", "taken at "+where)
	}
}

// unreadFor is how long a mail may lie in a Maildir that is read.
const unreadFor = time.Hour

func (d *Mail) examineMaildir(dir string) {
	domain := d.Node.Config.Mail.BounceDomain
	entries, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil {
		d.add(domain, "bounces", "failed", "the Maildir of mail that comes back is not read: "+redact.Line(err))
		return
	}
	unread := 0
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > unreadFor {
			unread++
		}
	}
	if unread > 0 {
		d.add(domain, "bounces", "failed", fmt.Sprintf("%d returned mails in %s are unread; run dibao serve", unread, dir))
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
		d.add(base, "proxy", "failed", "requests come from a proxy that is not in trusted_proxies of [server], so that all readers have its address and share its limits: set the proxy's network there")
	}
	switch {
	case resp.StatusCode != http.StatusOK:
		d.add(base, "unsubscribe", "failed", fmt.Sprintf("%s/healthz answers %s; does base_url lead to dibao serve?", base, resp.Status))
	case !strings.HasPrefix(base, "https://"):
		d.add(base, "unsubscribe", "warning", "one-click unsubscribing requires https (RFC 8058); put a certificate before it and set base_url")
	default:
		d.add(base, "unsubscribe", "ok", "reachable")
	}
}
