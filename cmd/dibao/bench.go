package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/spf13/cobra"

	"dibao/internal/config"
)

// newBench returns the verbs that measure this machine. Each counts the CPU time
// of its own process and measures a baseline in the same run, so that ratios
// hold on a machine that other programs share.
func newBench(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure how fast this machine is, against a baseline of the same run"}
	cmd.AddCommand(newBenchCollect(g), newBenchCompose(g), newBenchDeliver(g), newBenchSearch(g), newBenchImport(g), newBenchPublish(g), newBenchHelper())
	var profile *os.File
	path := cmd.PersistentFlags().String("cpuprofile", "", "write a CPU profile for go tool pprof to this file")
	cmd.PersistentPreRunE = func(*cobra.Command, []string) (err error) {
		if *path == "" {
			return nil
		}
		if profile, err = os.Create(*path); err != nil {
			return err
		}
		return pprof.StartCPUProfile(profile)
	}
	cmd.PersistentPostRunE = func(*cobra.Command, []string) error {
		if profile == nil {
			return nil
		}
		pprof.StopCPUProfile()
		return profile.Close()
	}
	return cmd
}

// cpuTime is the CPU time that the process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakRSS is the most memory that the process had, in MB.
func peakRSS() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return float64(u.Maxrss) / (1 << 20) // bytes there, kilobytes elsewhere
	}
	return float64(u.Maxrss) / (1 << 10)
}

// measure runs f and returns the CPU and wall time that it took, in seconds.
func measure(f func() error) (cpu, wall float64, err error) {
	runtime.GC() // what came before is not its work
	c, w := cpuTime(), time.Now()
	err = f()
	return (cpuTime() - c).Seconds(), time.Since(w).Seconds(), err
}

// benchApp opens a database for one run: the given one, or a temporary file.
func benchApp(ctx context.Context, g *globals, settings map[string]string) (*app, func(), error) {
	dir, err := os.MkdirTemp("", "dibao-bench-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { os.RemoveAll(dir) }
	settings["DIBAO_DATABASE_URL"] = "sqlite:" + filepath.Join(dir, "bench.db")
	if g.database != "" {
		settings["DIBAO_DATABASE_URL"] = g.database
	}
	c, err := config.Load("", func(k string) string { return settings[k] })
	if err != nil {
		remove()
		return nil, nil, err
	}
	a, err := openApp(ctx, c, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		remove()
		return nil, nil, err
	}
	return a, func() { a.close(); remove() }, nil
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
	stop = func() { cancel(); cmd.Wait() } // its status after being stopped says nothing
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the other side of the benchmark did not start: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}

// newBenchHelper is the other side: hidden, started by the benchmarks themselves.
func newBenchHelper() *cobra.Command {
	var feeds, items int
	cmd := &cobra.Command{
		Use: "helper KIND", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), l.Addr())
			switch args[0] {
			case "feeds":
				return serveLoopback(cmd.Context(), l, newBenchSite(feeds, items))
			case "load":
				return serveLoopback(cmd.Context(), l, benchClient())
			case "smtp":
				return runSink(cmd.Context(), l)
			}
			return usagef("unknown kind %q", args[0])
		},
	}
	cmd.Flags().IntVar(&feeds, "feeds", 0, "")
	cmd.Flags().IntVar(&items, "items", 0, "")
	return cmd
}

// runSink is a mail server that takes everything and keeps nothing.
func runSink(ctx context.Context, l net.Listener) error {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkSession{}, nil }))
	s.Domain, s.MaxRecipients, s.EnableSMTPUTF8 = "sink.invalid", 100, true
	context.AfterFunc(ctx, func() { s.Close() })
	err := s.Serve(l)
	if ctx.Err() != nil || errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

type sinkSession struct{}

func (*sinkSession) Mail(string, *smtp.MailOptions) error { return nil }
func (*sinkSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (*sinkSession) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
func (*sinkSession) Reset()        {}
func (*sinkSession) Logout() error { return nil }
