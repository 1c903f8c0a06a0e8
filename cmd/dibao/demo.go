package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"dibao/cmd/dibao/mailbox"
	"dibao/cmd/dibao/samplesite"
	"dibao/internal/config"
	"dibao/internal/redact"
	"dibao/internal/web"
)

// demoOptions are the flags of the demo.
type demoOptions struct {
	site        string // folder of saved pages; "": the sample site
	addr        string
	once        bool
	subscribers int
	// For tests: a site that is broken, another receiver, a look at what stands.
	breakSite  func(*samplesite.Site)
	mailServer string      // another receiver's address; "": our own
	readURL    string      // database URL of a user who may only read; "": the usual one
	afterWalk  func(*demo) // before the demo ends
}

func newDemo(g *globals) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole road on this machine, with nothing set up",
		Long: "Starts a small sample site, a database in a temporary folder, a mail server that keeps what it gets, and the daemon,\n" +
			"all on loopback. Collects, publishes, subscribes readers by the confirmed opt-in, composes and delivers an issue,\n" +
			"unsubscribes one reader with one click, and prints the addresses to look at. Ends with Ctrl-C; nothing stays behind.",
		Example: "  dibao demo\n  dibao demo --once --json --site saved-pages/",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(g, cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.site, "site", "", "folder of saved pages to serve instead of the sample site; its site.json says what is where")
	f.StringVar(&o.addr, "addr", "127.0.0.1:0", "address of the pages")
	f.BoolVar(&o.once, "once", false, "print a summary and exit: 0 only if every step did what it should")
	f.IntVar(&o.subscribers, "subscribers", 3, "how many readers subscribe")
	return cmd
}

// demoSummary is what --once --json prints.
type demoSummary struct {
	Sources          int        `json:"sources"`
	Articles         int        `json:"articles"`
	Feeds            []demoFeed `json:"feeds"`
	Subscribers      int        `json:"subscribers"`
	Issues           int        `json:"issues"`
	MessagesSent     int        `json:"messages_sent"`
	MessagesReceived int        `json:"messages_received"`
	Unsubscribed     int        `json:"unsubscribed"`
	Warnings         []string   `json:"warnings"`
	Errors           []string   `json:"errors"`
}

type demoFeed struct {
	URL    string `json:"url"`
	Format string `json:"format"`
	Items  int    `json:"items"`
}

// demo is a running demo.
type demo struct {
	*app
	g       *globals
	cmd     *cobra.Command
	site    *samplesite.Site
	siteURL string
	box     *mailbox.Mailbox
	boxURL  string
	client  *http.Client
	summary demoSummary
}

func runDemo(g *globals, cmd *cobra.Command, o demoOptions) error {
	if o.subscribers < 1 || o.subscribers > 1000 {
		return usagef("--subscribers is from 1 to 1000")
	}
	started := time.Now()
	site, err := openSite(o.site, started)
	if err != nil {
		return err
	}
	if o.breakSite != nil {
		o.breakSite(site)
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	dir, err := os.MkdirTemp("", "dibao-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	d := &demo{g: g, cmd: cmd, site: site, client: &http.Client{Timeout: 30 * time.Second}}
	d.summary.Warnings, d.summary.Errors, d.summary.Feeds = []string{}, []string{}, []demoFeed{}
	group, ctx := errgroup.WithContext(ctx)
	if err := d.start(ctx, group, o, dir, started); err != nil {
		cancel()
		return errors.Join(err, group.Wait())
	}
	defer d.app.close()
	d.walk(ctx, o)
	if o.afterWalk != nil {
		o.afterWalk(d)
	}
	if o.once {
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
func (d *demo) start(ctx context.Context, group *errgroup.Group, o demoOptions, dir string, started time.Time) error {
	siteListener, err := web.Listen(ctx, "127.0.0.1:0", "nothing")
	if err != nil {
		return err
	}
	d.siteURL = "http://" + siteListener.Addr().String()
	group.Go(func() error { return serveLoopback(ctx, siteListener, d.site.Handler) })

	d.box = mailbox.New(mailbox.Options{})
	smtpListener, err := web.Listen(ctx, "127.0.0.1:0", "nothing")
	if err != nil {
		return err
	}
	group.Go(func() error { return d.box.Run(ctx, smtpListener) })
	boxListener, err := web.Listen(ctx, "127.0.0.1:0", "nothing")
	if err != nil {
		return err
	}
	d.boxURL = "http://" + boxListener.Addr().String() + "/"
	group.Go(func() error { return serveLoopback(ctx, boxListener, d.box.Handler("/")) })

	public, err := web.Listen(ctx, o.addr, "--addr")
	if err != nil {
		return err
	}
	c, err := config.Load("", d.demoEnv(o, dir, public, smtpListener))
	if err != nil {
		public.Close()
		return err
	}
	// The demo's clock starts when the site's pages are news and runs from there.
	now := func() time.Time { return d.site.Now.Add(time.Since(started)) }
	level := slog.LevelWarn
	log := slog.New(redact.Handler(slog.NewTextHandler(d.cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level})))
	if d.app, err = openApp(ctx, c, log, now); err != nil {
		public.Close()
		return err
	}
	group.Go(func() error { return d.app.run(ctx, public, nil) })
	return nil
}

// demoEnv is the configuration of the demo, as an environment.
func (d *demo) demoEnv(o demoOptions, dir string, public, smtp net.Listener) func(string) string {
	host, port, err := net.SplitHostPort(smtp.Addr().String())
	if o.mailServer != "" {
		host, port, err = net.SplitHostPort(o.mailServer)
	}
	if err != nil {
		host, port = "127.0.0.1", "25"
	}
	env := map[string]string{
		"DIBAO_DATABASE_URL": "sqlite:" + filepath.Join(dir, "dibao.db"), "DIBAO_SERVER_BASE_URL": "http://" + public.Addr().String(),
		"DIBAO_MAIL_HOST": host, "DIBAO_MAIL_PORT": port, "DIBAO_MAIL_TLS": "none",
		"DIBAO_MAIL_FROM": "邸报样例 <dibao@demo.example>", "DIBAO_MAIL_BOUNCE_DOMAIN": "bounces.demo.example",
	}
	if d.g.database != "" {
		env["DIBAO_DATABASE_URL"] = d.g.database
	}
	env["DIBAO_DATABASE_READ_URL"] = o.readURL
	return func(name string) string { return env[name] }
}

func serveLoopback(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { s.Close() })
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (d *demo) say(format string, args ...any) {
	if !d.g.json {
		d.g.say(d.cmd, format, args...)
	}
}

func (d *demo) fail(format string, args ...any) {
	d.summary.Errors = append(d.summary.Errors, fmt.Sprintf(format, args...))
}

// report prints the summary; any error is exit status 1.
func (d *demo) report() error {
	s := d.summary
	if d.g.json {
		if err := writeJSON(d.cmd.OutOrStdout(), s); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(d.cmd.OutOrStdout(), "sources %d, articles %d, feeds %d, subscribers %d, issues %d, messages sent %d, received %d, unsubscribed %d, warnings %d\n",
			s.Sources, s.Articles, len(s.Feeds), s.Subscribers, s.Issues, s.MessagesSent, s.MessagesReceived, s.Unsubscribed, len(s.Warnings))
	}
	if len(s.Errors) > 0 {
		return errors.New(strings.Join(s.Errors, "; "))
	}
	return nil
}

// invite prints what there is to look at and waits for Ctrl-C.
func (d *demo) invite(ctx context.Context) {
	base := d.config.Server.BaseURL
	out := d.cmd.OutOrStdout()
	for _, e := range d.summary.Errors {
		fmt.Fprintf(out, "failed: %s\n", e)
	}
	fmt.Fprintf(out, "\n  archive     %s/lists/weekly/issues/1\n  home        %s/\n  feeds       %s/feed.xml  /feed.atom  /feed.json\n  mail        %s\n  sample site %s%s\n\nCtrl-C ends the demo.\n",
		base, base, base, d.boxURL, d.siteURL, d.site.Sources[0].URLPath)
	<-ctx.Done()
}
