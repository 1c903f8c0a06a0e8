// Package bench measures how fast this machine runs dibao. Each benchmark
// counts the CPU time of its own process and measures a baseline in the same
// run, so that ratios hold on a machine that other programs share.
package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"dibao/digest"
	"dibao/feed"
	"dibao/feed/collect"
	"dibao/internal/database"
	"dibao/internal/web"
	"dibao/subscribers"

	"github.com/emersion/go-smtp"
)

// Node is an open database with the features that use it.
type Node struct {
	DB          *database.DB
	Articles    *feed.Store
	Collector   *collect.Collector
	Subscribers *subscribers.Store
	Digest      *digest.Service
	Log         *slog.Logger
	Register    func(*http.ServeMux) // registers the public pages on a mux
}

// Open opens a database for one run, with settings in place of environment variables.
type Open func(ctx context.Context, settings map[string]string) (*Node, func(), error)

// measure runs f and returns the CPU and wall time that it took, in seconds.
func measure(f func() error) (cpu, wall float64, err error) {
	runtime.GC() // earlier garbage must not count
	c, w := cpuTime(), time.Now()
	err = f()
	return (cpuTime() - c).Seconds(), time.Since(w).Seconds(), err
}

// startHelper starts this program as another process that serves one side of a
// benchmark, and returns its address.
func startHelper(ctx context.Context, args ...string) (addr string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, self, append([]string{"bench", "helper"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return "", nil, fmt.Errorf("start the other side of the benchmark: %w", err)
	}
	stop = func() { cancel(); cmd.Wait() } // its exit status after being stopped does not matter
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the other side of the benchmark did not start: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}

// RunHelper runs the helper process, which the benchmarks start as "bench helper KIND": it
// listens on loopback, writes its address to out and serves until ctx ends. It returns
// false for an unknown kind.
func RunHelper(ctx context.Context, kind string, feeds, items int, out io.Writer) (known bool, err error) {
	var serve func(net.Listener) error
	switch kind {
	case "feeds":
		serve = func(l net.Listener) error { return web.ServePlain(ctx, l, newSite(feeds, items)) }
	case "load":
		serve = func(l net.Listener) error { return web.ServePlain(ctx, l, loadClient()) }
	case "empty":
		serve = func(l net.Listener) error { return web.ServePlain(ctx, l, http.NotFoundHandler()) }
	case "smtp":
		serve = func(l net.Listener) error { return runSink(ctx, l, time.Duration(items)*time.Millisecond) }
	default:
		return false, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return true, err
	}
	fmt.Fprintln(out, l.Addr())
	return true, serve(l)
}

// runSink is a mail server that accepts and discards everything, after a delay
// for each message.
func runSink(ctx context.Context, l net.Listener, latency time.Duration) error {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkSession{latency}, nil }))
	s.Domain, s.MaxRecipients, s.EnableSMTPUTF8 = "sink.invalid", 100, true
	context.AfterFunc(ctx, func() { s.Close() })
	err := s.Serve(l)
	if ctx.Err() != nil || errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

type sinkSession struct{ latency time.Duration }

func (*sinkSession) Mail(string, *smtp.MailOptions) error { return nil }
func (*sinkSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *sinkSession) Data(r io.Reader) error {
	time.Sleep(s.latency)
	_, err := io.Copy(io.Discard, r)
	return err
}
func (*sinkSession) Reset()        {}
func (*sinkSession) Logout() error { return nil }
