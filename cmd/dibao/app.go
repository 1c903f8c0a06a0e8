package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/filereader"
	"dibao/cmd/dibao/mailer"
	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/digest/inbound"
	"dibao/feed"
	"dibao/feed/collect"
	"dibao/internal/browser"
	"dibao/internal/budget"
	"dibao/internal/config"
	"dibao/internal/database"
	"dibao/internal/fetch"
	"dibao/internal/nodes"
	"dibao/internal/redact"
	"dibao/internal/trace"
	"dibao/internal/web"
	"dibao/subscribers"
)

// app is an open database with the features that use it: what every command works with.
type app struct {
	config      config.Config
	db          *database.DB
	articles    *feed.Store
	collector   *collect.Collector
	subscribers *subscribers.Store
	digest      *digest.Service
	poster      *fetch.Client // for channels: unlike the collector's client, it does not wait for turns at a host
	inbound     *inbound.Service
	log         *slog.Logger
	counts      *web.Metrics  // counts of requests, while it serves
	member      *nodes.Member // this process as a node, while it serves or sends
	api         *api          // nil means disabled
	probe       bool          // the deliverer tests at once whether servers that refused our mail accept it now
	// deliverer returns the one deliverer of the process, which sends through the
	// configured server.
	deliverer   func() (*delivery.Deliverer, error)
	stopTracing func() // nil means that tracing is off
}

// loadConfig reads the configuration, overridden by flags.
func (g *globals) loadConfig() (config.Config, error) {
	c, err := config.Load(g.configFile, os.Getenv)
	if err != nil {
		return config.Config{}, err
	}
	if g.database != "" {
		c.Database.URL, c.Database.ReadURL = redact.Address(g.database), ""
		redact.RegisterURL(g.database)
	}
	return c, nil
}

// open opens the configured database, with an up-to-date schema.
func (g *globals) open(cmd *cobra.Command) (*app, error) {
	c, err := g.loadConfig()
	if err != nil {
		return nil, err
	}
	if !g.inServer {
		budget.Set(c.Server.Memory)
	}
	if !slices.Contains(beginners, cmd.Name()) {
		if err := missingDatabase(c); err != nil {
			return nil, err
		}
	}
	if cmd.Name() != "serve" && c.Log.Level == slog.LevelInfo { // commands report the result themselves
		c.Log.Level = slog.LevelWarn
	}
	log := newLogger(c, cmd.ErrOrStderr())
	var a *app
	open := func() (err error) {
		a, err = openApp(cmd.Context(), c, log, time.Now)
		return err
	}
	if cmd.Name() == "serve" { // otherwise the user sees the error and decides whether to wait
		err = database.RetryUntilReachable(cmd.Context(), log, open)
	} else {
		err = open()
	}
	if err == nil {
		a.startTracing(cmd)
	}
	return a, err
}

// missingDatabase returns an error if the database is a file that does not exist.
func missingDatabase(c config.Config) error {
	path := database.File(c.Database.URL.Reveal())
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database %s; run dibao in its folder, specify it with --database, or create it with: dibao init", path)
	}
	return nil
}

// beginners are the commands that create a missing database. All others would
// show an empty one to somebody in the wrong folder.
var beginners = []string{"init", "serve", "migrate", "restore", "add", "import", "create", "collect"}

// verb wraps run, which does the work of a command on the database: it opens the database
// before and closes it after.
func (g *globals) verb(run func(cmd *cobra.Command, args []string, a *app) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a, err := g.open(cmd)
		if err != nil {
			return err
		}
		defer a.close()
		return run(cmd, args, a)
	}
}

// openApp opens the database, migrates its schema and sets up the features. now
// is the clock of everything except the network.
func openApp(ctx context.Context, c config.Config, log *slog.Logger, now func() time.Time) (*app, error) {
	db, err := database.Open(ctx, c.Database.URL.Reveal(), database.Options{ReadURL: c.Database.ReadURL.Reveal()})
	if err != nil {
		return nil, err
	}
	a, err := newApp(ctx, c, db, log, now)
	if err != nil {
		db.Close()
		return nil, err
	}
	return a, nil
}

func newApp(ctx context.Context, c config.Config, db *database.DB, log *slog.Logger, now func() time.Time) (*app, error) {
	if err := db.Migrate(ctx); err != nil {
		return nil, err
	}
	if err := db.Moved(ctx); err != nil {
		if moved := (*database.MovedError)(nil); errors.As(err, &moved) {
			moved.At = moved.At.In(c.Schedule.Zone)
		}
		return nil, err
	}
	readers, err := subscribers.New(ctx, db, now)
	if err != nil {
		return nil, err
	}
	a := &app{config: c, db: db, log: log, subscribers: readers, articles: feed.NewStore(db, now)}
	a.deliverer = sync.OnceValues(a.newDeliverer)
	a.collector = &collect.Collector{
		FileText: filereader.Read,
		Store:    a.articles, Logger: log,
		Client: fetch.New(fetch.Options{
			UserAgent: userAgent(c), PerHost: c.Fetch.PerHost, Timeout: c.Fetch.Timeout, MaxBytes: c.Fetch.MaxBytes,
			Private: c.Fetch.Private, Now: time.Now, Turn: nodes.TurnsOf(db, c.Fetch.PerHost, func() string { return a.member.ID() }),
		}),
	}
	a.poster = fetch.New(fetch.Options{UserAgent: userAgent(c), Timeout: c.Fetch.Timeout, MaxBytes: 1 << 20, Private: c.Fetch.Private})
	if c.Fetch.Browser != "" {
		a.collector.Browser = browser.New(c.Fetch.Browser, a.collector.Client)
	}
	from, err := mailer.Sender(c)
	if err != nil {
		return nil, err
	}
	opts := digest.Options{SiteName: c.Server.Name, BaseURL: c.Server.BaseURL, From: from, BounceDomain: c.Mail.BounceDomain, Now: now, Logger: log}
	if c.Mail.Admin != "" && (c.Mail.Host != "" || c.Mail.Direct) {
		opts.Notify = a.notifyAdmin
	}
	if a.digest, err = digest.New(db, a.articles, readers, opts); err != nil {
		return nil, err
	}
	a.inbound = inbound.New(db, readers, a.digest.Service, inbound.Options{Now: now, Notify: opts.Notify})
	return a, nil
}

// userAgent returns the User-Agent for requests to sites, with an address at which to ask
// who we are.
func userAgent(c config.Config) string {
	return cmp.Or(c.Fetch.UserAgent, "dibao (+"+c.Server.BaseURL+"/)")
}

func (a *app) close() {
	if a.stopTracing != nil {
		a.stopTracing()
	}
	a.db.Close()
}

// startTracing sends the spans of a command to the trace collector, if one is configured,
// until the app is closed.
func (a *app) startTracing(cmd *cobra.Command) {
	endpoint := a.config.Trace.Endpoint.Reveal()
	if endpoint == "" {
		return
	}
	version, _ := cli.BuiltFrom()
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	t := trace.New(trace.Options{Endpoint: endpoint, Version: version, Host: host, Now: time.Now, Logger: a.log})
	ctx, stop := context.WithCancel(context.WithoutCancel(cmd.Context()))
	var sending sync.WaitGroup
	sending.Go(func() { t.Run(ctx) })
	a.stopTracing = func() { stop(); sending.Wait() }
	cmd.SetContext(trace.With(cmd.Context(), t))
}

// mailer returns the Mailer for messages that do not belong to a mailing.
func (a *app) mailer() *mailer.Mailer {
	return &mailer.Mailer{Config: a.config, Keys: a.subscribers.Keys()}
}

// newLogger returns the configured logger, which removes passwords and tokens.
func newLogger(c config.Config, w interface{ Write([]byte) (int, error) }) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.Log.Level}
	if c.Log.Format == "json" {
		return slog.New(redact.Handler(slog.NewJSONHandler(w, opts)))
	}
	return slog.New(redact.Handler(slog.NewTextHandler(w, opts)))
}
