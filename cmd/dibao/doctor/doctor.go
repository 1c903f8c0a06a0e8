// Package doctor examines a node: its configuration, clock, disk, database,
// sources and mail, and the DNS records that receivers of its mail look up. It
// changes nothing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/mailer"
	"dibao/cmd/dibao/status"
	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/feed"
	"dibao/internal/config"
	"dibao/internal/database"
	"dibao/internal/mail"
	"dibao/internal/redact"
	"dibao/subscribers"
)

// Finding is one line of the doctor's output.
type Finding struct {
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warning, failed
	Text   string `json:"text"`
}

// Node is the node to be examined. All fields are required.
type Node struct {
	Config      config.Config
	DB          *database.DB
	Articles    *feed.Store
	Subscribers *subscribers.Store
	Digest      *digest.Service
	Deliverer   func() (*delivery.Deliverer, error) // for the configured server
}

// Surroundings examines everything outside of the database: the address of the
// pages, the clock, the disk and the modes of files.
func Surroundings(c config.Config, now time.Time) []Finding {
	all := []Finding{examineAddress(c.Server.BaseURL), examineClock(now, cli.BuiltAt(), c.Schedule.Zone)}
	if disk, hasFile := examineDisk(c.Database.URL.Reveal()); hasFile {
		all = append(all, disk)
	}
	return append(all, examineFiles(c)...)
}

// Examine examines the database, and whether the mail server accepts our mail.
func (n *Node) Examine(ctx context.Context, now time.Time) []Finding {
	all := append(n.examineStoredTimes(ctx, now), n.examineNodes(ctx)...)
	all = append(all, n.examineSources(ctx, now)...)
	lists, err := n.Subscribers.Lists(ctx)
	switch {
	case err != nil:
		all = append(all, Finding{"lists", "failed", redact.Line(err)})
	case len(lists) == 0:
		all = append(all, Finding{"lists", "warning", "none yet; create one with: dibao list create weekly"})
	default:
		all = append(all, Finding{"lists", "ok", fmt.Sprintf("%d", len(lists))})
	}
	all = append(append(all, n.examineChannels(ctx)...), n.examineMail(ctx))
	return append(all, n.examineMailings(ctx)...)
}

// LocalAddress says that readers elsewhere can't open the address of the pages, and what
// to do; "" if they may be able to.
func LocalAddress(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() == "localhost" || err == nil && (addr.IsLoopback() || addr.IsPrivate() || addr.IsUnspecified() || addr.IsLinkLocalUnicast()) {
		return "readers cannot open " + base + ", but it is in every email and feed; set base_url in [server] to the address that they use"
	}
	return ""
}

// examineAddress examines how readers reach this server.
func examineAddress(base string) Finding {
	u, err := url.Parse(base)
	if err != nil {
		return Finding{"base_url", "failed", redact.Line(err)}
	}
	if text := LocalAddress(base); text != "" {
		return Finding{"base_url", "warning", text}
	}
	if u.Scheme != "https" {
		return Finding{"base_url", "warning", base + " is not https, which one-click unsubscribing requires (RFC 8058); see tls_cert and acme_hosts in [server]"}
	}
	return Finding{"base_url", "ok", base}
}

// examineClock reports a clock that is before the build of this program.
func examineClock(now, built time.Time, zone *time.Location) Finding {
	shown := now.In(zone).Format("2006-01-02 15:04 -07:00")
	if now.Before(built) {
		return Finding{"clock", "failed", fmt.Sprintf("it says %s, and this program was built on %s; set the clock", shown, built.In(zone).Format(time.DateOnly))}
	}
	return Finding{"clock", "ok", shown}
}

// examineStoredTimes reports a database with times in the future.
func (n *Node) examineStoredTimes(ctx context.Context, now time.Time) []Finding {
	_, modified, err := n.Articles.Version(ctx)
	if err == nil && modified.After(now.Add(5*time.Minute)) {
		return []Finding{{"clock", "warning", "an article was stored on " + cli.ShortTime(modified, n.Config.Schedule.Zone) + ", which is in the future: is the clock right?"}}
	}
	return nil
}

// The free space on the disk of the database below which the doctor warns, and below
// which there may not be enough room for a mailing.
const (
	littleDisk = 1 << 30
	noDisk     = 64 << 20
)

// examineDisk examines the free space for a database in a file; that of PostgreSQL may
// be on another machine.
func examineDisk(databaseURL string) (f Finding, ok bool) {
	file := database.File(databaseURL)
	if file == "" {
		return Finding{}, false
	}
	free, err := status.FreeSpace(filepath.Dir(file))
	if err != nil {
		return Finding{"disk", "warning", "the free space is not known: " + redact.Line(err)}, true
	}
	f = Finding{"disk", "ok", humanize.Bytes(free) + " free for " + file}
	switch {
	case free < noDisk:
		f.Status = "failed"
	case free < littleDisk:
		f.Status = "warning"
	default:
		return f, true
	}
	f.Text += "; free some space: otherwise nothing is collected and sent mail can't be recorded"
	return f, true
}

// temporary explains an error if it is a temporary refusal of a server (RFC 5321 §4.2.1:
// codes from 400 to 499), which needs no change of settings.
func temporary(server string, err error) error {
	if refused := new(mail.ReplyError); errors.As(err, &refused) && refused.Code/100 == 4 {
		return temporaryError{fmt.Errorf("%s accepts no mail for now: %w; this is temporary, dibao tries again by itself", server, err)}
	}
	return nil
}

type temporaryError struct{ error }

// statusOf returns the status of a check of a mail server that failed.
func statusOf(err error) string {
	if errors.As(err, new(temporaryError)) {
		return "warning"
	}
	return "failed"
}

// trySender logs in to a relay and asks whether it accepts the envelope sender
// of mailings. Nothing is sent.
func (n *Node) trySender(ctx context.Context, server mail.Options) (text string, err error) {
	conn, err := mail.Dial(ctx, server)
	if later := temporary(server.Addr, err); later != nil {
		return "", later
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", server.Addr, err)
	}
	defer conn.Close()
	from, err := mailer.Sender(n.Config)
	if err != nil {
		return "", err
	}
	envelope := n.Digest.EnvelopeFrom(from.Address, n.Subscribers.Keys().BounceToken(0))
	if err := conn.TrySender(envelope); err != nil {
		if later := temporary(server.Addr, err); later != nil {
			return "", later
		}
		if n.Config.Mail.BounceDomain == "" {
			return "", fmt.Errorf("%s does not accept mail from %s, the envelope sender of mailings: %w; permit it there", server.Addr, envelope, err)
		}
		return "", fmt.Errorf("%s does not accept mail from %s, the envelope sender of mailings: %w; permit it there, or set bounce_domain = \"\" in [mail]", server.Addr, envelope, err)
	}
	text = server.Addr + " accepts our sender"
	if server.Username != "" {
		text = server.Addr + " accepts our login and sender"
	}
	if !conn.Encrypted() {
		text += ", without TLS"
	}
	return text, nil
}

func (n *Node) examineMail(ctx context.Context) Finding {
	if n.Config.Mail.Host == "" && mailer.Direct(n.Config) {
		return Finding{"mail", "ok", "mail goes directly to the servers of the readers' domains; for details, run: dibao mail doctor"}
	}
	if n.Config.Mail.Host == "" {
		return Finding{"mail", "warning", "no server is set: nothing is delivered; set host in [mail]"}
	}
	if _, err := n.Deliverer(); err != nil {
		return Finding{"mail", "failed", redact.Line(err)}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	text, err := n.trySender(ctx, mailer.Servers(n.Config)[0])
	if err != nil {
		return Finding{"mail", statusOf(err), redact.Line(err)}
	}
	return Finding{"mail", "ok", text}
}

// examineMailings reports what keeps emails from readers.
func (n *Node) examineMailings(ctx context.Context) (all []Finding) {
	troubles, err := n.Digest.Troubles(ctx)
	if err != nil {
		return []Finding{{"mailings", "failed", redact.Line(err)}}
	}
	for _, t := range troubles {
		sentence, commands := status.Trouble(t, n.Config.Schedule.Zone)
		all = append(all, Finding{"mailings", "warning", sentence}, Finding{"mailings", "warning", status.Advice(commands)})
	}
	return all
}
