package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"time"

	"dibao/feed"
	"dibao/internal/jobs"
	"dibao/internal/nodes"
	"dibao/subscribers"
)

// ClusterFigures are the results for a number of nodes that deliver together.
type ClusterFigures struct {
	Nodes     int     `json:"nodes"`
	Messages  int     `json:"messages"`
	Wall      float64 `json:"wall_s"`
	PerSecond float64 `json:"messages_per_s"`
	Speedup   float64 `json:"speedup"` // relative to the smallest number of nodes
	First     float64 `json:"first_s"` // time until the first message was sent
}

// Cluster delivers one mailing after another with different numbers of nodes,
// processes of this program on one PostgreSQL database, to a mail server with a
// delay.
type Cluster struct {
	Database   string
	Nodes      []int
	Recipients int
	Latency    time.Duration // time that the mail server takes to reply to a message
}

// Run measures from composing to the last message sent.
func (b *Cluster) Run(ctx context.Context, open Open) (all []ClusterFigures, err error) {
	addr, stop, err := startHelper(ctx, "smtp", "--items", fmt.Sprint(b.Latency.Milliseconds()))
	if err != nil {
		return nil, err
	}
	defer stop()
	a, closeApp, err := open(ctx, map[string]string{"DIBAO_MAIL_FROM": "邸报 <dibao@bench.example>"})
	if err != nil {
		return nil, err
	}
	defer closeApp()
	source, err := a.Articles.AddSource(ctx, feed.Source{URL: "http://bench.example/", Kind: "feed", Name: "样例源"})
	if err != nil {
		return nil, err
	}
	list, err := a.Subscribers.CreateList(ctx, subscribers.List{Slug: "bench", Title: "样例周报"})
	if err != nil {
		return nil, err
	}
	if err := storeReaders(ctx, a, list, b.Recipients); err != nil {
		return nil, err
	}
	for i, n := range b.Nodes {
		if err := storeArticle(ctx, a, source.ID, int64(i)); err != nil {
			return nil, err
		}
		figures, err := b.run(ctx, a, list, addr, n)
		if err != nil {
			return nil, fmt.Errorf("%d nodes: %w", n, err)
		}
		all = append(all, figures)
		all[i].Speedup = all[i].PerSecond / all[0].PerSecond
	}
	return all, nil
}

// run delivers one mailing with n nodes.
func (b *Cluster) run(ctx context.Context, a *Node, list subscribers.List, server string, n int) (out ClusterFigures, err error) {
	stop, err := startNodes(ctx, a, b.Database, server, n)
	if err != nil {
		return out, err
	}
	defer stop()
	begun := time.Now()
	made, err := a.Digest.ComposeNow(ctx, []subscribers.List{list})
	if err != nil {
		return out, err
	}
	out = ClusterFigures{Nodes: n, Messages: made.Deliveries}
	composed := time.Now()
	if err := jobs.Signal(ctx, a.DB, "deliver"); err != nil {
		return out, err
	}
	for left := made.Deliveries; left > 0; {
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return out, err
		}
		if left, err = a.Digest.Waiting(ctx); err != nil {
			return out, err
		}
		if left < made.Deliveries && out.First == 0 {
			out.First = time.Since(composed).Seconds()
		}
		if time.Since(begun) > time.Hour {
			return out, fmt.Errorf("%d of %d messages still wait after an hour", left, made.Deliveries)
		}
	}
	out.Wall = time.Since(composed).Seconds()
	out.PerSecond = float64(out.Messages) / out.Wall
	return out, nil
}

// startNodes starts n nodes that deliver, and returns when all have joined.
func startNodes(ctx context.Context, a *Node, database, server string, n int) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "dibao-cluster-")
	if err != nil {
		return nil, err
	}
	var running []*exec.Cmd
	stop = func() {
		for _, cmd := range running {
			cmd.Process.Signal(os.Interrupt)
		}
		for _, cmd := range running {
			cmd.Wait() // its exit status after being stopped does not matter
		}
		os.RemoveAll(dir)
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		return nil, err
	}
	for range n {
		cmd := exec.CommandContext(ctx, self, "serve", "--role", "deliver", "--database", database)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		cmd.Env = append(os.Environ(), "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0", "DIBAO_MAIL_HOST="+host, "DIBAO_MAIL_PORT="+port, "DIBAO_MAIL_TLS=none",
			"DIBAO_MAIL_FROM=邸报 <dibao@bench.example>", "DIBAO_LOG_LEVEL=error")
		if err := cmd.Start(); err != nil {
			stop()
			return nil, fmt.Errorf("start a node: %w", err)
		}
		running = append(running, cmd)
	}
	for begun := time.Now(); ; {
		all, err := nodes.List(ctx, a.DB)
		if err == nil && countLiving(all) == n {
			return stop, sleep(ctx, 2*time.Second) // time for them to look for work for the first time
		}
		if err == nil && time.Since(begun) > time.Minute {
			err = fmt.Errorf("%d nodes run a minute after %d were started", countLiving(all), n)
		}
		if err == nil {
			err = sleep(ctx, 100*time.Millisecond)
		}
		if err != nil {
			stop()
			return nil, err
		}
	}
}

func countLiving(all []nodes.Node) int {
	return len(slices.DeleteFunc(all, func(n nodes.Node) bool { return n.Gone }))
}
