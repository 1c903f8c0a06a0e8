package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/status"
	"dibao/internal/config"
	"dibao/internal/database"
	"dibao/internal/mail"
)

// finding is one line of the doctor.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warning, failed
	Text   string `json:"text"`
}

func newDoctor(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check configuration, clock, database, disk, sources and mail, and suggest fixes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := g.examine(cmd)
			if err := printRows(g, cmd, []any{"Check", "Status", "What"}, findings, func(f finding) []any { return []any{f.Check, f.Status, f.Text} }); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Status == "failed" {
					return fmt.Errorf("%s: %s", f.Check, f.Text)
				}
			}
			return nil
		},
	}
}

// examine looks at one thing after another; it makes and changes nothing.
func (g *globals) examine(cmd *cobra.Command) []finding {
	c, err := g.loadConfig()
	if err != nil {
		return []finding{{"configuration", "failed", oneLine(err)}}
	}
	if _, err := sender(c); err != nil {
		return []finding{{"configuration", "failed", oneLine(err)}}
	}
	all := []finding{{"configuration", "ok", "read"}, examineAddress(c.Server.BaseURL), examineClock(time.Now(), cli.BuiltAt(), c.Schedule.Zone)}
	disk, hasFile := examineDisk(c.Database.URL.Reveal())
	if hasFile {
		all = append(all, disk)
	}
	all = append(all, examineFiles(c)...)
	a, state := g.openAsIs(cmd, c)
	all = append(all, state)
	if a == nil {
		return all
	}
	defer a.close()
	all = append(all, a.examineStamp(cmd.Context(), time.Now())...)
	all = append(all, a.examineSources(cmd.Context(), time.Now())...)
	lists, err := a.subscribers.Lists(cmd.Context())
	switch {
	case err != nil:
		all = append(all, finding{"lists", "failed", oneLine(err)})
	case len(lists) == 0:
		all = append(all, finding{"lists", "warning", "none yet; make one with: dibao list create weekly"})
	default:
		all = append(all, finding{"lists", "ok", fmt.Sprintf("%d", len(lists))})
	}
	return append(all, a.examineMail(cmd.Context()))
}

// openAsIs opens a database that is there and of this program's schema; else the
// finding says what to do.
func (g *globals) openAsIs(cmd *cobra.Command, c config.Config) (*app, finding) {
	if file := database.File(c.Database.URL.Reveal()); file != "" {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			return nil, finding{"database", "failed", file + " is not there; make it with: dibao init, or dibao migrate where there is a config.toml"}
		}
	}
	db, err := database.Open(cmd.Context(), c.Database.URL.Reveal(), database.Options{ReadURL: c.Database.ReadURL.Reveal()})
	if err != nil {
		return nil, finding{"database", "failed", oneLine(err)}
	}
	have, latest, err := db.Version(cmd.Context())
	switch {
	case err != nil:
	case have < latest:
		err = fmt.Errorf("%s has schema %d and this program wants %d; back it up, then run: dibao migrate", db, have, latest)
	case have > latest:
		err = fmt.Errorf("%s has schema %d and this program knows %d; run the newer dibao", db, have, latest)
	}
	var a *app
	if err == nil {
		err = db.Check(cmd.Context())
	}
	if err == nil {
		a, err = newApp(cmd.Context(), c, db, newLogger(c, cmd.ErrOrStderr()), time.Now)
	}
	if err != nil {
		db.Close()
		return nil, finding{"database", "failed", oneLine(err)}
	}
	return a, finding{"database", "ok", fmt.Sprintf("%s, schema %d", db, have)}
}

// examineAddress looks at how readers reach this server.
func examineAddress(base string) finding {
	u, err := url.Parse(base)
	if err != nil {
		return finding{"base_url", "failed", oneLine(err)}
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() == "localhost" || err == nil && (addr.IsLoopback() || addr.IsPrivate() || addr.IsUnspecified() || addr.IsLinkLocalUnicast()) {
		return finding{"base_url", "warning", base + " leads nowhere for readers, and it is in every mail and feed; set base_url in [server] to the address that they use"}
	}
	if u.Scheme != "https" {
		return finding{"base_url", "warning", base + " is not https, which one-click unsubscribing asks for (RFC 8058); see tls_cert and acme_hosts in [server]"}
	}
	return finding{"base_url", "ok", base}
}

// examineClock finds a clock that stands before the program was built.
func examineClock(now, built time.Time, zone *time.Location) finding {
	shown := now.In(zone).Format("2006-01-02 15:04 -07:00")
	if now.Before(built) {
		return finding{"clock", "failed", fmt.Sprintf("it says %s, and this program was built on %s; set the clock", shown, built.In(zone).Format(time.DateOnly))}
	}
	return finding{"clock", "ok", shown}
}

// examineStamp finds a database that was written by a clock ahead of ours.
func (a *app) examineStamp(ctx context.Context, now time.Time) []finding {
	_, modified, err := a.articles.Stamp(ctx)
	if err == nil && modified.After(now.Add(5*time.Minute)) {
		return []finding{{"clock", "warning", "an article was stored on " + shortTime(modified, a.config.Schedule.Zone) + ", which is still to come: is the clock right?"}}
	}
	return nil
}

// The space on the disk of the database below which the doctor warns, and below
// which a mailing may not fit.
const (
	littleDisk = 1 << 30
	noDisk     = 64 << 20
)

// examineDisk looks at the space for a database in a file; PostgreSQL looks after
// its own.
func examineDisk(databaseURL string) (f finding, ok bool) {
	file := database.File(databaseURL)
	if file == "" {
		return finding{}, false
	}
	free, err := status.FreeSpace(filepath.Dir(file))
	if err != nil {
		return finding{"disk", "warning", "it is not known how much is free: " + oneLine(err)}, true
	}
	f = finding{"disk", "ok", fmt.Sprintf("%.1f GB free for %s", float64(free)/(1<<30), file)}
	switch {
	case free < noDisk:
		f.Status = "failed"
	case free < littleDisk:
		f.Status = "warning"
	default:
		return f, true
	}
	f.Text += "; make room: without it nothing is collected and no mail is noted as sent"
	return f, true
}

// trySender logs in to a relay and asks whether it accepts the sender that a
// mailing's mail has on its envelope. Nothing is sent.
func (a *app) trySender(ctx context.Context, server mail.Options) (text string, err error) {
	conn, err := mail.Dial(ctx, server)
	if err != nil {
		return "", fmt.Errorf("%s: %w", server.Addr, err)
	}
	defer conn.Close()
	from, err := sender(a.config)
	if err != nil {
		return "", err
	}
	envelope := a.envelopeFrom(from.Address)
	if err := conn.TrySender(envelope); err != nil {
		return "", fmt.Errorf("%s does not accept mail from %s, as mailings have it on the envelope: %w; permit it there, or set bounce_domain = \"\" in [mail]", server.Addr, envelope, err)
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

func (a *app) examineMail(ctx context.Context) finding {
	if a.config.Mail.Host == "" && a.direct() {
		return finding{"mail", "ok", "goes to the servers of the readers' domains; look further with: dibao mail doctor"}
	}
	if a.config.Mail.Host == "" {
		return finding{"mail", "warning", "no server is set: nothing is delivered; set host in [mail]"}
	}
	if _, err := a.deliverer(); err != nil {
		return finding{"mail", "failed", oneLine(err)}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	text, err := a.trySender(ctx, a.server())
	if err != nil {
		return finding{"mail", "failed", oneLine(err)}
	}
	if pauses, err := a.digest.Pauses(ctx); err == nil && len(pauses) > 0 {
		return finding{"mail", "warning", fmt.Sprintf("%s, but refused our mail last: %s; try now with: dibao issue send", text, pauses[0].Reply)}
	}
	return finding{"mail", "ok", text}
}
