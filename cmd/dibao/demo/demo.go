// Package demo shows everything on one machine: a small sample site, a database
// in a temporary folder, a mail server that stores what it receives, and the
// daemon, all on loopback.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/demo/mailbox"
	"dibao/cmd/dibao/demo/samplesite"
	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/feed"
	"dibao/feed/collect"
	"dibao/internal/config"
	"dibao/internal/database"
	"dibao/internal/redact"
	"dibao/internal/web"
	"dibao/subscribers"
)

// Options are the options of the demo.
type Options struct {
	Site        string // folder of saved pages; "" means the sample site
	Addr        string // address of the pages
	Once        bool   // print a summary and return
	Subscribers int    // number of readers who subscribe
	Database    string // its URL; "" means one in the temporary folder
	ReadURL     string // database URL of a read-only user; "" means the usual one
	MailServer  string // address of another receiver; "" means our own
	JSON, Quiet bool   // as the global flags
	Chinese     bool   // the user reads Chinese

	Out, Talk io.Writer // for results, and for messages in the meantime
	Open      Open
	// BreakSite and AfterSteps are for tests: the first breaks the site, the second
	// examines the result before the demo ends.
	BreakSite  func(*samplesite.Site)
	AfterSteps func(*Demo)
}

// Open opens the database of a configuration with the features that use it.
type Open func(ctx context.Context, c config.Config, log *slog.Logger, now func() time.Time) (*Node, error)

// Node is an open database with the features that use it, and its daemon.
type Node struct {
	Config           config.Config
	DB               *database.DB
	Articles         *feed.Store
	Collector        *collect.Collector
	Subscribers      *subscribers.Store
	Digest           *digest.Service
	Deliverer        func() (*delivery.Deliverer, error)
	SendConfirmation func(context.Context, subscribers.Confirmation) error
	Run              func(ctx context.Context, public, admin net.Listener) error // runs the daemon
}

// Summary is the result of the demo; with Once and JSON it is printed.
type Summary struct {
	Sources          int      `json:"sources"`
	Articles         int      `json:"articles"`
	Feeds            []Feed   `json:"feeds"`
	Subscribers      int      `json:"subscribers"`
	Issues           int      `json:"issues"`
	MessagesSent     int      `json:"messages_sent"`
	MessagesReceived int      `json:"messages_received"`
	Unsubscribed     int      `json:"unsubscribed"`
	Warnings         []string `json:"warnings"`
	Errors           []string `json:"errors"`
}

// Feed is a feed that the demo fetched as a feed reader would.
type Feed struct {
	URL    string `json:"url"`
	Format string `json:"format"`
	Items  int    `json:"items"`
}

// Demo is a running demo.
type Demo struct {
	*Node
	options Options
	site    *samplesite.Site
	siteURL string
	Box     *mailbox.Mailbox
	BoxURL  string // address of the mailbox pages, with a trailing slash
	smtp    string // address of the mail server
	admin   string // address of the admin pages
	client  *http.Client
	Summary Summary
}

// Run runs the demo. With Once it fails if any step failed; otherwise it waits for the end
// of ctx.
func Run(ctx context.Context, o Options) error {
	started := time.Now()
	site, err := openSite(o.Site, started)
	if err != nil {
		return err
	}
	if o.BreakSite != nil {
		o.BreakSite(site)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "dibao-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	d := &Demo{options: o, site: site, client: &http.Client{Timeout: 30 * time.Second}}
	d.Summary.Warnings, d.Summary.Errors, d.Summary.Feeds = []string{}, []string{}, []Feed{}
	group, ctx := errgroup.WithContext(ctx)
	if err := d.start(ctx, group, o, dir, started); err != nil {
		cancel()
		return errors.Join(err, group.Wait())
	}
	defer d.DB.Close()
	d.runSteps(ctx, o)
	if o.AfterSteps != nil {
		o.AfterSteps(d)
	}
	if o.Once {
		err = d.report()
	} else {
		d.invite(ctx)
	}
	cancel()
	return errors.Join(err, group.Wait())
}

func openSite(dir string, now time.Time) (*samplesite.Site, error) {
	if dir != "" {
		return samplesite.Open(dir)
	}
	return samplesite.Embedded(now)
}

// start starts site, receiver, database and daemon.
func (d *Demo) start(ctx context.Context, group *errgroup.Group, o Options, dir string, started time.Time) error {
	siteListener, err := web.Listen(ctx, "127.0.0.1:0", "nothing")
	if err != nil {
		return err
	}
	d.siteURL = "http://" + siteListener.Addr().String()
	group.Go(func() error { return web.ServePlain(ctx, siteListener, d.site.Handler) })

	d.Box = mailbox.New(mailbox.Options{})
	smtpListener, err := web.Listen(ctx, "127.0.0.1:0", "nothing")
	if err != nil {
		return err
	}
	group.Go(func() error { return d.Box.Run(ctx, smtpListener) })
	boxListener, err := web.Listen(ctx, "127.0.0.1:0", "nothing")
	if err != nil {
		return err
	}
	d.BoxURL, d.smtp = "http://"+boxListener.Addr().String()+"/", smtpListener.Addr().String()
	group.Go(func() error { return web.ServePlain(ctx, boxListener, d.Box.Handler("/")) })

	public, err := web.Listen(ctx, o.Addr, "--addr")
	if err != nil {
		return err
	}
	admin, err := web.Listen(ctx, "127.0.0.1:0", "nothing")
	if err != nil {
		public.Close()
		return err
	}
	d.admin = "http://" + admin.Addr().String() + "/"
	c, err := config.Load(os.DevNull, d.env(o, dir, public, smtpListener))
	if err != nil {
		public.Close()
		admin.Close()
		return err
	}
	// The demo's clock starts at the time when the site's pages are news.
	now := func() time.Time { return d.site.Now.Add(time.Since(started)) }
	level := slog.LevelWarn
	log := slog.New(redact.Handler(slog.NewTextHandler(d.options.Talk, &slog.HandlerOptions{Level: level})))
	if d.Node, err = o.Open(ctx, c, log, now); err != nil {
		public.Close()
		admin.Close()
		return err
	}
	group.Go(func() error { return d.Run(ctx, public, admin) })
	return nil
}

// env returns the configuration of the demo, as environment variables.
func (d *Demo) env(o Options, dir string, public, smtp net.Listener) func(string) string {
	host, port, err := net.SplitHostPort(smtp.Addr().String())
	if o.MailServer != "" {
		host, port, err = net.SplitHostPort(o.MailServer)
	}
	if err != nil {
		host, port = "127.0.0.1", "25"
	}
	settings := map[string]string{
		"DIBAO_DATABASE_URL": "sqlite:" + filepath.Join(dir, "dibao.db"), "DIBAO_SERVER_BASE_URL": "http://" + public.Addr().String(),
		"DIBAO_MAIL_HOST": host, "DIBAO_MAIL_PORT": port, "DIBAO_MAIL_TLS": "none",
		"DIBAO_MAIL_FROM": "邸报样例 <dibao@demo.example>", "DIBAO_MAIL_BOUNCE_DOMAIN": "bounces.demo.example",
	}
	if o.Database != "" {
		settings["DIBAO_DATABASE_URL"] = o.Database
	}
	settings["DIBAO_DATABASE_READ_URL"] = o.ReadURL
	return func(name string) string { return settings[name] }
}

func (d *Demo) say(format string, args ...any) {
	if !d.options.JSON && !d.options.Quiet {
		fmt.Fprintln(d.options.Talk, redact.Text(d.text(format, args...)))
	}
}

// text formats a text in the user's language.
func (d *Demo) text(format string, args ...any) string {
	if d.options.Chinese {
		return cli.Say(format, args...)
	}
	return fmt.Sprintf(format, args...)
}

func (d *Demo) fail(format string, args ...any) {
	d.Summary.Errors = append(d.Summary.Errors, fmt.Sprintf(format, args...))
}

// report prints the summary; any error is exit status 1.
func (d *Demo) report() error {
	s := d.Summary
	if d.options.JSON {
		enc := json.NewEncoder(d.options.Out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(d.options.Out, d.text("sources %d, articles %d, feeds %d, subscribers %d, issues %d, messages sent %d, received %d, unsubscribed %d, warnings %d",
			s.Sources, s.Articles, len(s.Feeds), s.Subscribers, s.Issues, s.MessagesSent, s.MessagesReceived, s.Unsubscribed, len(s.Warnings)))
	}
	if len(s.Errors) > 0 {
		return errors.New(strings.Join(s.Errors, "; "))
	}
	return nil
}

// invite prints the addresses to visit and waits for Ctrl-C.
func (d *Demo) invite(ctx context.Context) {
	base := d.Config.Server.BaseURL
	out := d.options.Out
	for _, e := range d.Summary.Errors {
		fmt.Fprintln(out, d.text("failed: %s", e))
	}
	fmt.Fprintln(out, d.text("\n  archive  %s/lists/weekly/issues/1\n  home     %s/\n  feeds    %s/feed.xml  /feed.atom  /feed.json\n  admin    %s\n  mail     %s\n  SMTP     %s\n\nThe sources on the sample site:",
		base, base, base, d.admin, d.BoxURL, d.smtp))
	for _, s := range d.site.Sources {
		fmt.Fprintf(out, "  %s%s  %s\n", d.siteURL, s.URLPath, s.Name)
	}
	fmt.Fprintln(out, d.text("\nPress Ctrl-C to end the demo."))
	<-ctx.Done()
}
