package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"dibao/cmd/dibao/mailbox"
	"dibao/cmd/dibao/samplesite"
	"dibao/feed"
	"dibao/feed/publish"
	"dibao/internal/config"
	"dibao/internal/web"
	"dibao/subscribers"
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
	log := slog.New(slog.NewTextHandler(d.cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
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
		"DIBAO_FETCH_ALLOW_PRIVATE": "true", "DIBAO_MAIL_HOST": host, "DIBAO_MAIL_PORT": port, "DIBAO_MAIL_TLS": "none",
		"DIBAO_MAIL_FROM": "邸报样例 <dibao@demo.example>", "DIBAO_MAIL_BOUNCE_DOMAIN": "bounces.demo.example",
	}
	if d.g.database != "" {
		env["DIBAO_DATABASE_URL"] = d.g.database
	}
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

// walk goes the whole road; what goes wrong is noted, and what does not depend
// on it goes on.
func (d *demo) walk(ctx context.Context, o demoOptions) {
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"collect", d.collectAll},
		{"make the list", d.makeList},
		{"publish", d.readFeeds},
		{"subscribe", func(ctx context.Context) error { return d.subscribe(ctx, o.subscribers) }},
		{"compose and deliver", d.deliver},
		{"unsubscribe", d.unsubscribe},
	} {
		if err := step.run(ctx); err != nil {
			d.fail("%s: %s", step.name, oneLine(err))
		}
	}
}

// collectAll adds the site's sources and collects them over HTTP.
func (d *demo) collectAll(ctx context.Context) error {
	var errs []error
	for _, s := range d.site.Sources {
		added, err := d.articles.AddSource(ctx, feed.Source{
			URL: d.siteURL + s.URLPath, Kind: s.Kind, Name: s.Name, Issuer: s.Issuer, Region: s.Region, Licence: feed.Licence(s.Licence), Settings: s.Settings,
		})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d.summary.Sources++
		done, err := d.collector.Collect(ctx, added.ID)
		errs = append(errs, err)
		d.summary.Warnings = append(d.summary.Warnings, done.Warnings...)
		d.summary.Articles += done.New
		d.say("collected %-24s %d articles", added.Name, done.New)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if d.summary.Articles == 0 {
		return errors.New("no article was found")
	}
	return nil
}

func (d *demo) makeList(ctx context.Context) error {
	_, err := d.subscribers.CreateList(ctx, subscribers.List{
		Slug: "weekly", Title: "邸报周刊", Description: "每周一早上八点：新发文件、征求意见、政策解读与署名文章。",
	})
	if err != nil {
		return err
	}
	return d.digest.Match(ctx)
}

// readFeeds asks for the feeds as a reader does.
func (d *demo) readFeeds(ctx context.Context) error {
	var errs []error
	for _, path := range []string{"/", "/lists/weekly/"} {
		for _, f := range publish.Formats {
			address := d.config.Server.BaseURL + path + "feed" + f.Suffix
			body, err := d.get(ctx, address)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			items, err := countItems(body)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", address, err))
				continue
			}
			d.summary.Feeds = append(d.summary.Feeds, demoFeed{address, f.Name, items})
			if items == 0 {
				errs = append(errs, fmt.Errorf("%s is empty", address))
			}
		}
	}
	if len(errs) == 0 {
		d.say("published %d feeds", len(d.summary.Feeds))
	}
	return errors.Join(errs...)
}

func (d *demo) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return d.do(req)
}

func (d *demo) post(ctx context.Context, address string, form url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return d.do(req)
}

func (d *demo) do(req *http.Request) ([]byte, error) {
	res, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 10<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s answered %d", req.Method, req.URL.Path, res.StatusCode)
	}
	return body, err
}

var stampField = regexp.MustCompile(`name="started" value="([^"]+)"`)

// subscribe fills in the form as readers do and opens the links they are mailed.
func (d *demo) subscribe(ctx context.Context, n int) error {
	base := d.config.Server.BaseURL
	page, err := d.get(ctx, base+"/subscribe?list=weekly")
	if err != nil {
		return err
	}
	m := stampField.FindSubmatch(page)
	if m == nil {
		return errors.New("the form has no time stamp")
	}
	// A person takes a moment to fill in a form; a program that does not is refused.
	select {
	case <-time.After(formPause):
	case <-ctx.Done():
		return ctx.Err()
	}
	for i := range n {
		// The form allows one network ten at once; the demo's readers beyond that
		// come by the admin's way.
		address := fmt.Sprintf("reader%d@demo.example", i+1)
		if i >= formReaders {
			if err := d.askByAdmin(ctx, address); err != nil {
				return err
			}
			continue
		}
		if _, err := d.post(ctx, base+"/subscribe", url.Values{"address": {address}, "list": {"weekly"}, "started": {string(m[1])}}); err != nil {
			return err
		}
	}
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := d.box.Wait(wait, n); err != nil {
		return fmt.Errorf("%d of %d confirmation mails came: %w", d.box.Count(), n, err)
	}
	link := regexp.MustCompile(regexp.QuoteMeta(base) + `/confirm/[A-Za-z0-9_-]+`)
	for _, mail := range d.box.Messages() {
		address := link.FindString(mail.Text)
		if address == "" {
			return fmt.Errorf("the mail to %s holds no link to confirm", mail.To)
		}
		if _, err := d.post(ctx, address, nil); err != nil {
			return err
		}
		d.summary.Subscribers++
	}
	d.say("subscribed %d readers by the confirmed opt-in", d.summary.Subscribers)
	return nil
}

const (
	formReaders = 8
	formPause   = 2100 * time.Millisecond
)

func (d *demo) askByAdmin(ctx context.Context, address string) error {
	lists, err := d.subscribers.Lists(ctx)
	if err != nil {
		return err
	}
	mail, err := d.app.subscribers.Subscribe(ctx, subscribers.Request{Address: address, Language: "zh", Lists: lists})
	if err != nil || mail == nil {
		return fmt.Errorf("%s could not be asked: %w", address, err)
	}
	return d.sendConfirmation(ctx, *mail)
}

// deliver composes an issue and lets the daemon's ledger send it.
func (d *demo) deliver(ctx context.Context) error {
	lists, err := d.subscribers.Lists(ctx)
	if err != nil {
		return err
	}
	before := d.box.Count()
	made, err := d.digest.ComposeNow(ctx, lists)
	if err != nil {
		return err
	}
	d.summary.Issues = len(made.Issues)
	if made.Mailing == 0 {
		return errors.New("no issue came out")
	}
	sender, err := d.deliverer()
	if err != nil {
		return err
	}
	if _, err := sender.Deliver(ctx); err != nil { // the daemon's heart may have sent some already
		return err
	}
	report, err := d.digest.Report(ctx, 1)
	if err != nil {
		return err
	}
	d.summary.MessagesSent = report[0].Sent
	d.summary.MessagesReceived = d.box.Count() - before
	if n := d.summary.Subscribers; report[0].Sent != n || d.summary.MessagesReceived != n {
		return fmt.Errorf("%d messages were sent and %d received, for %d readers", report[0].Sent, d.summary.MessagesReceived, n)
	}
	d.say("composed issue %d with %d articles and delivered it to %d readers", made.Issues[0].Number, len(made.Issues[0].Articles), report[0].Sent)
	return nil
}

// unsubscribe does what a mail program does when its button is pressed (RFC 8058).
func (d *demo) unsubscribe(ctx context.Context) error {
	for _, mail := range d.box.Messages() {
		if mail.Unsubscribe == "" {
			continue
		}
		if _, err := d.post(ctx, mail.Unsubscribe, url.Values{"List-Unsubscribe": {"One-Click"}}); err != nil {
			return err
		}
		left, err := d.subscribers.Subscribers(ctx, subscribers.Selection{State: subscribers.StateUnsubscribed})
		if err != nil {
			return err
		}
		if d.summary.Unsubscribed = len(left); len(left) != 1 {
			return fmt.Errorf("%d readers are unsubscribed after one click, want 1", len(left))
		}
		d.say("unsubscribed %s with one click", mail.To)
		return nil
	}
	return errors.New("no message has a link to unsubscribe")
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

// countItems counts the items of a feed in any of our formats.
func countItems(body []byte) (int, error) {
	if len(body) > 0 && body[0] == '{' {
		var doc struct {
			Items []json.RawMessage `json:"items"`
		}
		err := json.Unmarshal(body, &doc)
		return len(doc.Items), err
	}
	return strings.Count(string(body), "<item>") + strings.Count(string(body), "<entry>"), nil
}
