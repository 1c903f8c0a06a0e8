package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/bench"
	"dibao/internal/config"
	"dibao/internal/web"
	"dibao/subscribers"
)

func newBench(g *globals) *cobra.Command { return bench.New(g.openBench, &g.database, g.output) }

// openBench opens a database for one run: the given one, or a temporary file.
func (g *globals) openBench(ctx context.Context, settings map[string]string) (*bench.Node, func(), error) {
	dir, err := os.MkdirTemp("", "dibao-bench-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { os.RemoveAll(dir) }
	settings["DIBAO_DATABASE_URL"] = "sqlite:" + filepath.Join(dir, "bench.db")
	if g.database != "" {
		settings["DIBAO_DATABASE_URL"] = g.database
	}
	c, err := config.Load(os.DevNull, func(k string) string { return settings[k] })
	if err != nil {
		remove()
		return nil, nil, err
	}
	a, err := openApp(ctx, c, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		remove()
		return nil, nil, err
	}
	node := &bench.Node{
		DB: a.db, Articles: a.articles, Collector: a.collector, Subscribers: a.subscribers, Digest: a.digest, Log: a.log,
		Register: func(mux *http.ServeMux) { a.register(mux, &web.Cache{}, func(subscribers.Confirmation) {}) },
	}
	return node, func() { a.close(); remove() }, nil
}
