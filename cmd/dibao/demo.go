package main

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/demo"
	"dibao/internal/config"
	"dibao/internal/nodes"
)

func newDemo(g *globals) *cobra.Command {
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a demo of everything on this machine; no setup needed",
		Long: "Starts a small sample site, a database in a temporary folder, a mail server that stores all mail, and the daemon, all on\n" +
			"loopback. Collects, publishes, subscribes readers with confirmed opt-in, composes and delivers an issue, unsubscribes\n" +
			"one reader with one click, and prints the addresses to look at. Press Ctrl-C to end it; it leaves no files behind.",
		Example: "  dibao demo\n  dibao demo --once --json --site saved-pages/",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(g, cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Site, "site", "", "folder of saved pages to serve instead of the sample site; described by its site.json")
	f.StringVar(&o.Addr, "addr", "127.0.0.1:0", "address to serve the pages at")
	f.BoolVar(&o.Once, "once", false, "print a summary and exit with 0 only if every step succeeded")
	f.IntVar(&o.Subscribers, "subscribers", 3, "number of subscribed readers")
	return cmd
}

func runDemo(g *globals, cmd *cobra.Command, o demo.Options) error {
	if o.Subscribers < 1 || o.Subscribers > 1000 {
		return usagef("--subscribers must be from 1 to 1000")
	}
	o.Database, o.JSON, o.Quiet, o.Chinese, o.Out, o.Talk, o.Open = g.database, g.json, g.quiet, g.chinese, cmd.OutOrStdout(), cmd.ErrOrStderr(), openDemo
	return demo.Run(cmd.Context(), o)
}

// openDemo opens the node that the demo runs on.
func openDemo(ctx context.Context, c config.Config, log *slog.Logger, now func() time.Time) (*demo.Node, error) {
	a, err := openApp(ctx, c, log, now)
	if err != nil {
		return nil, err
	}
	return &demo.Node{
		Config: a.config, DB: a.db, Articles: a.articles, Collector: a.collector, Subscribers: a.subscribers, Digest: a.digest,
		Deliverer: a.deliverer, SendConfirmation: a.mailer().Confirm,
		Run: func(ctx context.Context, public, admin net.Listener) error {
			return a.run(ctx, public, admin, nodes.Roles)
		},
	}, nil
}
