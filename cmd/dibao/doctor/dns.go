package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"blitiri.com.ar/go/spf"
	"golang.org/x/net/publicsuffix"

	"dibao/cmd/dibao/mailer"
	"dibao/internal/redact"
)

// askDNS returns an error if no name server answers at all: a name without records, or
// one whose own servers fail, counts as a response.
func (d *Mail) askDNS(ctx context.Context, domain string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	_, err := d.Resolver.LookupNS(ctx, domain)
	var dns *net.DNSError
	if !errors.As(err, &dns) || dns.IsNotFound || !dns.IsTimeout && dns.Err == "server misbehaving" {
		return nil
	}
	return err
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
	if err != nil && !isNotFound(err) {
		d.add(domain, "mx", "warning", "DNS does not answer, so it is not known where bounces go; run the command again: "+redact.Line(err))
		return
	}
	d.publish(domain, "mx", "failed", "no server accepts mail for the envelope's domain, so bounces are lost and some receivers refuse our mail",
		domain+". IN MX 10 "+mailHost(d.Node.Config.Server.BaseURL, domain)+".")
}

// mailHost returns a possible mail server of a domain: the host of our pages, if it is a
// name.
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

// examineSPF evaluates the record for each address from which mail is sent.
func (d *Mail) examineSPF(ctx context.Context, domain string) {
	record, err := d.txt(ctx, domain, "v=spf1")
	wanted := domain + `. IN TXT "v=spf1` + d.mechanisms() + ` -all"`
	if err != nil {
		d.add(domain, "spf", "warning", "DNS does not answer, so it is not known who may send; run the command again: "+redact.Line(err))
		return
	}
	if len(record) == 0 {
		const none = "no SPF record says who may send for the envelope's domain"
		if len(d.From) == 0 {
			d.add(domain, "spf", "failed", none+"; to get the record, specify the addresses that mail comes from with --from-ip")
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
		d.add(domain, "spf", "warning", "the addresses that mail comes from are not known; specify them with --from-ip. The record: "+record[0])
		return
	}
	for _, addr := range d.From {
		result, err := spf.CheckHostWithSender(addr.AsSlice(), domain, "b@"+domain, spf.WithContext(ctx), spf.WithResolver(d.Resolver))
		switch result {
		case spf.Pass:
			d.add(domain, "spf", "ok", fmt.Sprintf("%s may send", addr))
		case spf.TempError:
			d.add(domain, "spf", "warning", fmt.Sprintf("DNS does not answer for the names in %q; run the command again: %v", record[0], err))
		case spf.Neutral, spf.SoftFail:
			d.publish(domain, "spf", "warning", fmt.Sprintf("the result for %s is %s, by %q", addr, result, record[0]), wanted)
		default:
			d.publish(domain, "spf", "failed", fmt.Sprintf("the result for %s is %s, by %q (%v)", addr, result, record[0], err), wanted)
		}
	}
}

// mechanisms returns the sending addresses as SPF mechanisms.
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

// txt returns the TXT records of a name that begin with a tag; an error says
// that DNS did not answer, which is different from having no record.
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

// tags parses "k=rsa; p=…".
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
			d.add(name, "dkim", "warning", "DNS does not answer, so it is not known whether the key is published; run the command again: "+redact.Line(err))
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
		d.add(domain, "dmarc", "warning", "DNS does not answer, so the policy is not known; run the command again: "+redact.Line(err))
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

// organization returns the registered domain of a name.
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
		if err != nil && !isNotFound(err) {
			d.add(addr.String(), "ptr", "warning", "DNS does not answer, so the name of the address is not known; run the command again: "+redact.Line(err))
			continue
		}
		if err != nil || len(names) == 0 {
			d.add(addr.String(), "ptr", "failed", "the address has no name; ask the provider of the address to set its PTR record")
			continue
		}
		back, err := d.Resolver.LookupNetIP(ctx, "ip", strings.TrimSuffix(names[0], "."))
		if err != nil || !slices.ContainsFunc(back, func(b netip.Addr) bool { return b.Unmap() == addr }) {
			d.add(addr.String(), "ptr", "failed", fmt.Sprintf("its name %s does not resolve back to it", names[0]))
			continue
		}
		d.add(addr.String(), "ptr", "ok", names[0])
	}
}
