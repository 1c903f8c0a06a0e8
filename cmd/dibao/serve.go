package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"dibao/cmd/dibao/adminsite"
	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/doctor"
	"dibao/cmd/dibao/mailer"
	"dibao/digest/agenda"
	"dibao/digest/pages"
	"dibao/digest/stars"
	"dibao/feed/hub"
	"dibao/feed/site"
	"dibao/internal/database"
	"dibao/internal/fetch"
	"dibao/internal/jobs"
	"dibao/internal/nodes"
	"dibao/internal/web"
	"dibao/subscribers"
	"dibao/templates"
)

func newServe(g *globals) *cobra.Command {
	var role string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon: collect, publish, compose and deliver on schedule",
		Long: "Collects the sources when they are due, serves pages and feeds, composes each list's issues when they are due\n" +
			"(0 8 * * 1 in Asia/Shanghai unless the list says otherwise) and delivers them. SIGTERM stops it cleanly:\n" +
			"it records what the mail server has accepted, and sends the rest after the next start.\n" +
			"On PostgreSQL, any number of nodes share the work and the limits; --role says what this node does.",
		Example: "  dibao serve\n  dibao serve --role web\n  dibao serve --role collect,deliver",
		RunE: g.verb(func(cmd *cobra.Command, _ []string, a *app) error {
			roles, err := nodes.ParseRoles(role)
			if err != nil {
				return usagef("--role: %w", err)
			}
			if a.config.Server.API {
				a.api = newAPI(a, globals{configFile: g.configFile, database: g.database})
			}
			if doctor.LocalAddress(a.config.Server.BaseURL) != "" {
				a.log.Warn("readers cannot open base_url", "base_url", a.config.Server.BaseURL, "fix", "set base_url in [server] to the address that readers use")
			}
			return a.serve(cmd.Context(), roles)
		}),
	}
	cmd.Flags().StringVar(&role, "role", "", "roles of this node, separated by commas: web, collect, deliver (default: all)")
	return cmd
}

// serve listens and runs until ctx ends.
func (a *app) serve(ctx context.Context, roles []nodes.Role) error {
	release, err := a.db.Daemon()
	if err != nil {
		return err
	}
	defer release()
	log := a.log
	var public net.Listener
	if slices.Contains(roles, nodes.Web) {
		l, err := web.Listen(ctx, a.config.Server.Addr, "addr in [server]")
		if err != nil {
			return err
		}
		public, log = l, log.With("addr", l.Addr().String())
	}
	admin, err := web.Listen(ctx, a.config.Server.AdminAddr, "admin_addr in [server]")
	if err != nil {
		if public != nil {
			public.Close()
		}
		return err
	}
	log.Info("serving", "admin_addr", admin.Addr().String(), "database", a.db.String())
	return a.run(ctx, public, admin, roles)
}

// run is the daemon, wired in one place. Jobs end first, with the messages that they are
// sending, then the HTTP server. public is nil if the node does not have the role web.
func (a *app) run(ctx context.Context, public, admin net.Listener, roles []nodes.Role) error {
	version, _ := cli.BuiltFrom()
	var err error
	var runner *jobs.Runner
	var confirmations *mailer.Confirmer
	if a.member, err = nodes.Join(ctx, a.db, version, roles, a.log); err == nil {
		runner, confirmations, err = a.jobs(ctx, roles)
	}
	encryption, errTLS := a.tls()
	if err = errors.Join(err, errTLS); err != nil {
		for _, l := range []net.Listener{public, admin} {
			if l != nil {
				l.Close()
			}
		}
		return err
	}
	cache := &web.Cache{}
	a.counts = web.NewMetrics(cache)
	webCtx, stopWeb := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWeb()
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer stopWeb()
		return runner.Run(groupCtx)
	})
	group.Go(func() error { return confirmations.Run(groupCtx) })
	group.Go(func() error { return a.member.Run(webCtx) })
	if slices.Contains(roles, nodes.Deliver) {
		group.Go(func() error { return a.receive(groupCtx) })
	}
	group.Go(func() error { return a.notifySystemd(groupCtx) })
	group.Go(func() error { return a.settle(groupCtx) })
	if public != nil {
		mux := http.NewServeMux()
		readers := a.register(mux, cache, confirmations.Enqueue)
		group.Go(func() error { return readers.Run(webCtx) })
		hub := a.hub(mux)
		hub.Register(mux)
		group.Go(func() error { return hub.Run(webCtx) })
		group.Go(func() error {
			return web.Serve(webCtx, public, web.Options{
				Handler: mux, TrustedProxies: a.config.Server.TrustedProxies, Logger: a.log, ErrorPage: a.errorPage,
				LargeBody: []string{"/websub/"}, TLS: encryption, HSTS: a.isSecure(), Metrics: a.counts,
				Path: web.BasePath(a.config.Server.BaseURL),
			})
		})
	}
	if admin != nil {
		group.Go(func() error {
			return web.Serve(webCtx, admin, web.Options{Handler: a.adminHandler(), Logger: a.log})
		})
	}
	err = group.Wait()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		a.log.Info("stopped")
		return nil // stopped on request
	}
	return err
}

// errorPage says in the reader's language that the page does not exist or that the
// server has an error.
func (a *app) errorPage(r *http.Request, status int) []byte {
	key := "servererror"
	if status == http.StatusNotFound {
		key = "notfound"
	}
	p := templates.Page{Language: web.Language(r), Chosen: web.LanguageChosen(r), SiteName: a.config.Server.Name, NoIndex: true}
	p.Title = templates.Words(p.Language, "message."+key+".title")
	var buf bytes.Buffer
	if err := (templates.MessagePage{Page: p, Key: key}).Render(&buf); err != nil {
		return []byte(http.StatusText(status))
	}
	return buf.Bytes()
}

func (a *app) hubSubscriber() *hub.Subscriber {
	return &hub.Subscriber{Collector: a.collector, BaseURL: a.config.Server.BaseURL, Stored: a.digest.Match, Logger: a.log}
}

// reachable reports whether others can reach our site, as hubs have to.
func (a *app) reachable() bool {
	_, reason := fetch.CheckURL(a.config.Server.BaseURL)
	return reason == ""
}

// register registers all features on one mux. The returned function runs the background
// work of the readers' pages.
func (a *app) register(mux *http.ServeMux, cache *web.Cache, confirm func(subscribers.Confirmation)) *subscribers.Web {
	a.hubSubscriber().Register(mux)
	feeds := &site.Web{Store: a.articles, Cache: cache, SiteName: a.config.Server.Name, BaseURL: a.config.Server.BaseURL, Zone: a.config.Schedule.Zone, Logger: a.log}
	feeds.Register(mux)
	(&pages.Web{Service: a.digest, Lists: a.subscribers, Feeds: feeds, Cache: cache}).Register(mux)
	(&agenda.Web{DB: a.db, Readers: a.subscribers, Feeds: feeds, Logger: a.log}).Register(mux)
	(&stars.Web{Store: a.digest.Stars, DB: a.db, Readers: a.subscribers, Articles: a.articles, SiteName: a.config.Server.Name, BaseURL: a.config.Server.BaseURL, Logger: a.log}).Register(mux)
	readers := &subscribers.Web{
		Store: a.subscribers, SiteName: a.config.Server.Name, BaseURL: a.config.Server.BaseURL, Logger: a.log, Send: confirm, History: a.digest.History,
		Stars: a.digest.Stars.Listed, StarItems: a.digest.Stars.Items,
		Limiter: subscribers.NewLimiter(time.Now),
	}
	readers.Register(mux)
	mux.HandleFunc("GET /static/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		body, ok := templates.Static(name)
		if !ok {
			web.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Header().Set("Content-Type", cmp.Or(staticTypes[path.Ext(name)], "text/xml; charset=utf-8"))
		w.Write(body)
	})
	a.registerSite(mux)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if web.IgnoresProxy(r, a.config.Server.TrustedProxies) {
			w.Header().Set(doctor.ForwardedHeader, "ignored")
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", a.ready)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { web.NoRoute(w, r, mux, web.NotFound) })
	return readers
}

// staticTypes are the content types of files under /static/; other files are style
// sheets of feeds.
var staticTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// adminSite returns the pages for admins.
func (a *app) adminSite() *adminsite.Site {
	return &adminsite.Site{Node: a.node(), SiteName: a.config.Server.Name, BaseURL: a.config.Server.BaseURL}
}

// adminHandler serves the pages that only the node's admin may see.
func (a *app) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.node().Metrics(a.counts))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	registerPprof(mux)
	a.adminSite().Register(mux)
	if a.api != nil {
		a.api.Register(mux)
	}
	return mux
}

// jobs registers the background work. The schedules only start it: the database shows which
// work is due.
func (a *app) jobs(ctx context.Context, roles []nodes.Role) (*jobs.Runner, *mailer.Confirmer, error) {
	var runner *jobs.Runner
	deliver, err := a.deliverJob()
	if err != nil {
		return nil, nil, err
	}
	zone := a.config.Schedule.Zone
	summaries, err := a.summarizer()
	if err != nil {
		return nil, nil, err
	}
	var matching oneAhead
	kinds := []jobs.Kind{
		{Name: "collect", Parallel: a.config.Fetch.Concurrency, Timeout: 20 * time.Minute, Attempts: 1, Run: func(jobCtx context.Context, source int64) error {
			done, err := a.collector.Collect(jobCtx, source)
			if err == nil && done.New+done.Changed+done.Withdrawn > 0 {
				err = matching.run(func() error { return a.digest.Match(jobCtx) })
			}
			return err
		}},
		{Name: "collect-due", Run: func(jobCtx context.Context, _ int64) error {
			ids, err := a.articles.DueSources(jobCtx)
			if err == nil {
				err = runner.Enqueue(jobCtx, "collect", ids...)
			}
			return errors.Join(err, a.digest.Match(jobCtx)) // lists that are new or have another query
		}},
		{Name: "compose", Run: func(jobCtx context.Context, _ int64) error {
			made, err := a.digest.ComposeDue(jobCtx)
			err = errors.Join(err, a.remindHeld(jobCtx))
			for _, m := range made {
				if m.Mailing != 0 {
					return errors.Join(err, runner.Enqueue(jobCtx, "deliver"), runner.Enqueue(jobCtx, "channels"))
				}
			}
			return err
		}},
		{Name: "rebuild", Timeout: 50 * time.Minute, Run: func(jobCtx context.Context, _ int64) error {
			n, err := a.articles.Rebuild(jobCtx)
			if n > 0 {
				a.log.Info("unindexed articles indexed", "articles", n)
			}
			return errors.Join(err, a.articles.Index.Tidy(jobCtx, a.articles.Now().Weekday() == time.Sunday))
		}},
		{Name: "renew-hubs", Run: func(jobCtx context.Context, _ int64) error {
			if !a.reachable() {
				return nil
			}
			return a.hubSubscriber().Renew(jobCtx)
		}},
		{Name: "prune", Run: func(jobCtx context.Context, _ int64) error {
			out, err := a.prune(jobCtx)
			if err == nil && out != (subscribers.Pruned{}) {
				a.log.Info("readers pruned", "unconfirmed", out.Unconfirmed, "left", out.Left, "networks", out.Networks, "audit", out.Audit)
			}
			return err
		}},
		{Name: "summarize", Timeout: 20 * time.Minute, Attempts: 1, Run: func(jobCtx context.Context, _ int64) error { return summaries(jobCtx) }},
		{Name: "deliver", EveryNode: true, Run: deliver},
		{Name: "channels", EveryNode: true, Run: func(jobCtx context.Context, _ int64) error {
			_, err := a.channels().Run(jobCtx)
			return err
		}},
	}
	for i, k := range kinds {
		kinds[i].Elsewhere = !slices.Contains(roles, roleOf(k.Name))
		if k.Name != "deliver" { // readers and their emails come first
			kinds[i].Run = func(jobCtx context.Context, id int64) error { return k.Run(database.Background(jobCtx), id) }
		}
	}
	runner, err = jobs.New(a.db, kinds, []jobs.Schedule{
		{Cron: "* * * * *", Zone: zone, Kind: "collect-due", AtStart: true},
		{Cron: "* * * * *", Zone: zone, Kind: "compose", AtStart: true},
		{Cron: "*/10 * * * *", Zone: zone, Kind: "renew-hubs"},
		{Cron: "20 4 * * *", Zone: zone, Kind: "rebuild", AtStart: true},
		{Cron: "40 3 * * *", Zone: zone, Kind: "prune"},
		{Cron: "*/5 * * * *", Zone: zone, Kind: "summarize"},
	}, jobs.Options{Logger: a.log, Node: a.member.ID(), Living: nodes.Living})
	if err != nil {
		return nil, nil, err
	}
	return runner, mailer.NewConfirmer(a.confirm, a.log), nil
}

// oneAhead runs a function that does the work of all earlier calls, too: while it runs, one
// call waits for its turn, and others return at once, before their work is done. If the one
// that waits fails, their work is left for the next call.
type oneAhead struct{ next, running sync.Mutex }

func (o *oneAhead) run(f func() error) error {
	if !o.next.TryLock() {
		return nil // the call that waits has not begun
	}
	o.running.Lock()
	o.next.Unlock()
	defer o.running.Unlock()
	return f()
}

// deliverJob returns the job that delivers the mail that is due; without a mail server it does nothing.
func (a *app) deliverJob() (func(context.Context, int64) error, error) {
	if a.config.Mail.Host == "" && !a.config.Mail.Direct {
		a.log.Warn("no mail server is set: issues are composed and not delivered", "key", "host in [mail]")
		return func(context.Context, int64) error { return nil }, nil
	}
	d, err := a.deliverer()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, _ int64) error {
		done, err := d.Deliver(ctx)
		if done.Sent+done.Failed+done.Deferred+done.Uncertain > 0 {
			a.log.Info("deliveries done", "sent", done.Sent, "failed", done.Failed, "deferred", done.Deferred, "uncertain", done.Uncertain)
		}
		return err
	}, nil
}

// roleOf returns the role of nodes that run a kind of job.
func roleOf(kind string) nodes.Role {
	switch kind {
	case "compose", "deliver", "channels", "prune":
		return nodes.Deliver
	}
	return nodes.Collect
}

// confirm sends a confirmation if a mail server is configured.
func (a *app) confirm(ctx context.Context, m subscribers.Confirmation) error {
	if a.config.Mail.Host == "" && !a.config.Mail.Direct {
		return mailer.ErrNoServer
	}
	return a.mailer().Confirm(ctx, m)
}
