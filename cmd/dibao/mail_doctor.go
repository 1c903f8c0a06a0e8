package main

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
	"github.com/spf13/cobra"
	"golang.org/x/net/publicsuffix"

	"dibao/internal/mail"
)

// mailFinding is one line of the mail doctor.
type mailFinding struct {
	Domain string  `json:"domain"`
	Check  string  `json:"check"`
	Status string  `json:"status"` // ok, warning, failed
	Text   string  `json:"text"`
	Record *string `json:"record"` // to publish, as a zone file has it
}

func newMailDoctor(g *globals) *cobra.Command {
	var nameServer string
	var addresses []string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the DNS records of the sender domains, and print the records to publish",
		Long: "Checks, for each domain that mail is sent from: the servers of the envelope's domain (MX), who may send for it (SPF),\n" +
			"the DKIM keys, DMARC and what aligns with it, the names of the sending addresses (PTR), the name in EHLO, whether the\n" +
			"relay accepts our login and the sender of mailings, whether mail that comes back is read, and that readers can reach the\n" +
			"unsubscribe pages.",
		Args: cobra.NoArgs,
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			d := &mailDoctor{app: a, resolver: resolverAt(nameServer)}
			for _, s := range addresses {
				addr, err := netip.ParseAddr(s)
				if err != nil {
					return usagef("--from-ip %q is no IP address", s)
				}
				d.from = append(d.from, addr)
			}
			if err := d.examine(cmd.Context()); err != nil {
				return err
			}
			if err := printRows(g, cmd, []any{"Domain", "Check", "Status", "What"}, d.found, func(f mailFinding) []any {
				return []any{f.Domain, f.Check, f.Status, f.Text}
			}); err != nil {
				return err
			}
			return d.conclude(g, cmd)
		}),
	}
	cmd.Flags().StringVar(&nameServer, "resolver", "", "ask this name server HOST:PORT instead of the system's")
	cmd.Flags().StringSliceVar(&addresses, "from-ip", nil, "addresses that receivers see mail come from (default: those of the relay)")
	return cmd
}

// conclude prints the records to publish, and fails where something has to be done.
func (d *mailDoctor) conclude(g *globals, cmd *cobra.Command) error {
	failed := 0
	for _, f := range d.found {
		if f.Status == "failed" {
			failed++
		}
		if f.Record != nil && !g.json {
			fmt.Fprintln(cmd.OutOrStdout(), *f.Record)
		}
	}
	if failed > 0 {
		return &partialError{Err: fmt.Errorf("%d checks failed; publish the records that were printed, wait for DNS, and run it again", failed)}
	}
	return nil
}

// resolverAt asks one name server, or the system's.
func resolverAt(nameServer string) *net.Resolver {
	if nameServer == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, nameServer)
	}}
}

// mailDoctor looks at what receivers look at.
type mailDoctor struct {
	app      *app
	resolver *net.Resolver
	from     []netip.Addr // that mail comes from
	found    []mailFinding
}

func (d *mailDoctor) add(domain, check, status, text string) {
	d.found = append(d.found, mailFinding{Domain: domain, Check: check, Status: status, Text: text})
}

// publish adds a finding with the record that mends it.
func (d *mailDoctor) publish(domain, check, status, text, record string) {
	d.found = append(d.found, mailFinding{domain, check, status, text, &record})
}

func (d *mailDoctor) examine(ctx context.Context) error {
	c := d.app.config
	from, err := sender(c)
	if err != nil {
		return err
	}
	if c.Mail.From == "" {
		return errors.New("no sender is set; set from in [mail], such as 邸报 <dibao@example.org>")
	}
	senders := []string{hostOf(from.Address)}
	lists, err := d.app.subscribers.Lists(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if a, err := netmail.ParseAddress(l.Sender); err == nil && !slices.Contains(senders, hostOf(a.Address)) {
			senders = append(senders, hostOf(a.Address))
		}
	}
	if len(d.from) == 0 && c.Mail.Host != "" {
		d.from = d.addressesOf(ctx, d.app.server().Addr)
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

func (d *mailDoctor) addressesOf(ctx context.Context, hostPort string) (out []netip.Addr) {
	host, _, _ := net.SplitHostPort(hostPort)
	all, err := d.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		d.add(host, "relay", "failed", "the name of the relay is not found: "+oneLine(err))
	}
	for _, a := range all {
		out = append(out, a.Unmap())
	}
	return out
}

func (d *mailDoctor) examineMX(ctx context.Context, domain string) {
	records, err := d.resolver.LookupMX(ctx, domain)
	if len(records) > 0 {
		hosts := make([]string, len(records))
		for i, r := range records {
			hosts[i] = strings.TrimSuffix(r.Host, ".")
		}
		d.add(domain, "mx", "ok", "bounces come to "+strings.Join(hosts, ", "))
		return
	}
	if addrs, errA := d.resolver.LookupNetIP(ctx, "ip", domain); errA == nil && len(addrs) > 0 {
		d.add(domain, "mx", "ok", fmt.Sprintf("no MX; bounces come to the domain's own address %s", addrs[0]))
		return
	}
	why := ""
	if err != nil && !isNotFound(err) {
		why = ": " + oneLine(err)
	}
	d.publish(domain, "mx", "failed", "no server takes the mail of the envelope's domain, so that bounces are lost and some receivers refuse"+why,
		domain+". IN MX 10 "+mailHost(d.app.config.Server.BaseURL, domain)+".")
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
func (d *mailDoctor) examineSPF(ctx context.Context, domain string) {
	record, err := d.txt(ctx, domain, "v=spf1")
	wanted := domain + `. IN TXT "v=spf1` + d.mechanisms() + ` -all"`
	if err != nil {
		d.add(domain, "spf", "warning", "no answer from DNS, so that it is not known who may send; run it again: "+oneLine(err))
		return
	}
	if len(record) == 0 {
		d.publish(domain, "spf", "failed", "no SPF record says who may send for the envelope's domain", wanted)
		return
	}
	if len(record) > 1 {
		d.add(domain, "spf", "failed", "there are several SPF records, which counts as an error; keep one")
		return
	}
	if len(d.from) == 0 {
		d.add(domain, "spf", "warning", "it is not known which addresses mail comes from; name them with --from-ip. The record: "+record[0])
		return
	}
	for _, addr := range d.from {
		result, err := spf.CheckHostWithSender(addr.AsSlice(), domain, "b@"+domain, spf.WithContext(ctx), spf.WithResolver(d.resolver))
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
func (d *mailDoctor) mechanisms() string {
	if len(d.from) == 0 {
		return " mx"
	}
	var b strings.Builder
	for _, a := range d.from {
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
func (d *mailDoctor) txt(ctx context.Context, name, tag string) (out []string, err error) {
	all, err := d.resolver.LookupTXT(ctx, name)
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

func (d *mailDoctor) examineDKIM(ctx context.Context) error {
	signer, err := d.app.signer()
	if err != nil {
		return err
	}
	if signer == nil {
		d.add(d.app.config.DKIM.Domain, "dkim", "warning", "mail is not signed here; let the relay sign, or: dibao mail keygen dkim.pem --domain "+"your.domain")
		return nil
	}
	for _, one := range signer.Keys() {
		name, record, err := one.Record()
		if err != nil {
			return err
		}
		var published []string
		all, err := d.resolver.LookupTXT(ctx, name)
		if err != nil && !isNotFound(err) {
			d.add(name, "dkim", "failed", "look-up failed: "+oneLine(err))
			continue
		}
		for _, r := range all {
			if tags(r)["p"] != "" {
				published = append(published, r)
			}
		}
		switch {
		case len(published) == 0:
			d.publish(name, "dkim", "failed", "the key is not published", zoneLine(name, record))
		case !slices.ContainsFunc(published, func(r string) bool { return tags(r)["p"] == tags(record)["p"] }):
			d.publish(name, "dkim", "failed", "another key is published than the one we sign with", zoneLine(name, record))
		default:
			d.add(name, "dkim", "ok", "our key is published")
		}
	}
	return nil
}

// examineDMARC looks for the policy of the From domain, and whether the envelope
// or the signature aligns with it (RFC 7489 §3.1).
func (d *mailDoctor) examineDMARC(ctx context.Context, domain, envelope string) {
	records, err := d.txt(ctx, "_dmarc."+domain, "v=dmarc1")
	if len(records) == 0 && err == nil && organization(domain) != domain {
		records, err = d.txt(ctx, "_dmarc."+organization(domain), "v=dmarc1")
	}
	var policy map[string]string
	switch {
	case err != nil:
		d.add(domain, "dmarc", "warning", "no answer from DNS, so that the policy is not known; run it again: "+oneLine(err))
	case len(records) == 0:
		d.publish(domain, "dmarc", "failed", "no DMARC record; large providers ask for one of who sends in bulk",
			"_dmarc."+domain+`. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@`+domain+`"`)
	case len(records) == 1:
		policy = tags(records[0])
		d.add(domain, "dmarc", "ok", records[0])
	default:
		d.add(domain, "dmarc", "failed", "there are several DMARC records, which counts as none; keep one")
	}
	signed := d.app.config.DKIM.Domain
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

func (d *mailDoctor) examinePTR(ctx context.Context) {
	for _, addr := range d.from {
		if addr.IsPrivate() || addr.IsLoopback() {
			d.add(addr.String(), "ptr", "warning", "a private address; receivers see another: name it with --from-ip")
			continue
		}
		names, err := d.resolver.LookupAddr(ctx, addr.String())
		if err != nil || len(names) == 0 {
			d.add(addr.String(), "ptr", "failed", "the address has no name; whoever gave it to you sets the PTR record")
			continue
		}
		back, err := d.resolver.LookupNetIP(ctx, "ip", strings.TrimSuffix(names[0], "."))
		if err != nil || !slices.ContainsFunc(back, func(b netip.Addr) bool { return b.Unmap() == addr }) {
			d.add(addr.String(), "ptr", "failed", fmt.Sprintf("its name %s does not lead back to it", names[0]))
			continue
		}
		d.add(addr.String(), "ptr", "ok", names[0])
	}
}

func (d *mailDoctor) examineRelay(ctx context.Context) {
	if d.app.config.Mail.Host == "" {
		if !d.app.direct() {
			d.add("", "relay", "failed", "no mail server is set; set host in [mail]")
		}
		return
	}
	for _, server := range d.app.servers() {
		server.Timeouts = mail.Timeouts{Connect: 10 * time.Second, Greeting: 20 * time.Second}
		text, err := d.app.trySender(ctx, server)
		switch {
		case err != nil:
			d.add(server.Addr, "relay", "failed", oneLine(err))
		case strings.HasSuffix(text, "without TLS"):
			d.add(server.Addr, "relay", "warning", text+"; set tls = \"required\" in [mail] unless the way is safe")
		default:
			d.add(server.Addr, "relay", "ok", text+", encrypted")
		}
	}
}

// examineEHLO looks at what we call ourselves to mail servers.
func (d *mailDoctor) examineEHLO() {
	name := ehloName(d.app.config)
	if !isFullName(name) {
		d.add(name, "ehlo", "warning", "mail servers are given this name, which is no full name of a host; many refuse that: set ehlo in [mail], such as mail.example.org")
		return
	}
	d.add(name, "ehlo", "ok", "the name that mail servers are given")
}

// examineBounces looks whether mail that comes back reaches us.
func (d *mailDoctor) examineBounces(ctx context.Context) {
	m := d.app.config.Mail
	scheme, where, _ := strings.Cut(m.Inbound, ":")
	switch {
	case m.BounceDomain == "" && m.Inbound == "":
		d.add("", "bounces", "warning", "mail that comes back goes to the address in from, and nobody reads it here: set bounce_domain and inbound in [mail], or read files with: dibao bounce read")
	case m.BounceDomain == "":
		d.add("", "bounces", "warning", "bounce_domain in [mail] is not set: reports come to the address in from and do not say of which mail they are")
	case m.Inbound == "":
		d.add(m.BounceDomain, "bounces", "warning", "inbound in [mail] is not set: nobody reads what comes to this domain, unless you do with: dibao bounce read")
	case scheme == "maildir":
		d.examineMaildir(where)
	default:
		conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", where)
		if err != nil {
			d.add(m.BounceDomain, "bounces", "failed", "nobody listens at "+where+" for mail that comes back; run dibao serve: "+oneLine(err))
			return
		}
		conn.Close()
		d.add(m.BounceDomain, "bounces", "ok", "taken at "+where)
	}
}

// unreadFor is how long a mail may lie in a Maildir that is read.
const unreadFor = time.Hour

func (d *mailDoctor) examineMaildir(dir string) {
	domain := d.app.config.Mail.BounceDomain
	entries, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil {
		d.add(domain, "bounces", "failed", "the Maildir of mail that comes back is not read: "+oneLine(err))
		return
	}
	unread := 0
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > unreadFor {
			unread++
		}
	}
	if unread > 0 {
		d.add(domain, "bounces", "failed", fmt.Sprintf("%d mails that came back lie unread in %s; run dibao serve", unread, dir))
		return
	}
	d.add(domain, "bounces", "ok", "read from "+dir)
}

func (d *mailDoctor) examineUnsubscribe(ctx context.Context) {
	base := d.app.config.Server.BaseURL
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", nil)
	if err != nil {
		d.add(base, "unsubscribe", "failed", oneLine(err))
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.add(base, "unsubscribe", "failed", "readers can't reach the pages to unsubscribe: "+oneLine(err))
		return
	}
	resp.Body.Close()
	if resp.Header.Get(forwardedHeader) == "ignored" {
		d.add(base, "proxy", "failed", "requests come from a proxy that is not in trusted_proxies of [server], so that all readers have its address and share its limits: set the proxy's network there")
	}
	switch {
	case resp.StatusCode != http.StatusOK:
		d.add(base, "unsubscribe", "failed", fmt.Sprintf("%s/healthz answers %s; does base_url lead to dibao serve?", base, resp.Status))
	case !strings.HasPrefix(base, "https://"):
		d.add(base, "unsubscribe", "warning", "one-click unsubscribing asks for https (RFC 8058); put a certificate before it and set base_url")
	default:
		d.add(base, "unsubscribe", "ok", "reachable")
	}
}
