package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dibao/cmd/dibao/bench"
	"dibao/feed"
	"dibao/internal/config"
	"dibao/internal/fetch"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// soak is an installation with a simulated clock.
type soak struct {
	*app
	t       *testing.T
	file    string
	now     atomic.Int64 // in Unix seconds
	mails   atomic.Int64
	readers int
	joined  int // number of addresses so far
	list    subscribers.List
}

func (s *soak) clock() time.Time { return time.Unix(s.now.Load(), 0).UTC() }

// month contains the measurements at the end of a simulated month.
type month struct {
	heap, file        float64 // bytes
	resident          float64 // resident memory of the process, including SQLite's, in bytes; 0 if unknown
	goroutines, files int
	articles          int
}

// TestSoak runs two simulated years of an installation (500 sources, 5,000 readers; without
// DIBAO_LONG=1 half a year of 8 and 20) on one SQLite file: collecting when sources are
// due, a digest every Monday, readers who join and leave, pruning every day. Memory,
// goroutines and descriptors do not grow after the first months, and the database grows by
// what it stores.
func TestSoak(t *testing.T) {
	sources, readers, months := 8, 20, 6
	if os.Getenv("DIBAO_LONG") != "" {
		sources, readers, months = 500, 5000, 24
	}
	s := newSoak(t, sources, readers)
	var history []month
	for range months {
		for range 30 {
			s.day()
		}
		history = append(history, s.measure())
		t.Logf("month %d: %+v, %d emails", len(history), history[len(history)-1], s.mails.Load())
	}
	if s.mails.Load() == 0 || history[months-1].articles == 0 {
		t.Fatalf("%d emails and %d articles: nothing was simulated", s.mails.Load(), history[months-1].articles)
	}
	// The first third fills caches and the tables that are pruned after some time.
	settled := history[months/3:]
	first, last := settled[0], settled[len(settled)-1]
	slope := slopeOf(settled, func(m month) float64 { return m.heap }) * 100
	resident := slopeOf(settled, func(m month) float64 { return m.resident }) * 100
	perArticle := slopeOf(settled, func(m month) float64 { return m.file }) * first.file / max(1, float64(last.articles-first.articles)/float64(len(settled)-1))
	trust.Report(t, "soak, heap a simulated month", "%+.2f%% of %.0f MB; of the process %+.2f%% of %.0f MB", slope, last.heap/1e6, resident, last.resident/1e6)
	trust.Report(t, "soak, goroutines and descriptors", "%d to %d and %d to %d", first.goroutines, last.goroutines, first.files, last.files)
	trust.Report(t, "soak, database", "%.0f MB after %d articles and %d emails, %.1f kB an article", last.file/1e6, last.articles, s.mails.Load(), perArticle/1e3)
	if slope > 1 || slope < -1 {
		t.Errorf("the heap changes by %.2f %% a month", slope)
	}
	if resident > 1 && months == 24 { // what the system releases varies from month to month
		t.Errorf("the memory of the process grows by %.2f %% a month", resident)
	}
	if last.goroutines > first.goroutines+5 || last.files > first.files+5 {
		t.Errorf("goroutines %d to %d, descriptors %d to %d", first.goroutines, last.goroutines, first.files, last.files)
	}
	if perArticle > 40_000 {
		t.Errorf("the database grows by %.0f bytes an article", perArticle)
	}
}

func newSoak(t *testing.T, sources, readers int) *soak {
	t.Helper()
	s := &soak{t: t, file: filepath.Join(t.TempDir(), "soak.db"), readers: readers}
	s.now.Store(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).Unix())
	site := httptest.NewServer(http.HandlerFunc(s.serveFeed))
	t.Cleanup(site.Close)
	host, port, err := net.SplitHostPort(s.receiver())
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{
		"DIBAO_DATABASE_URL": "sqlite:" + s.file, "DIBAO_MAIL_HOST": host, "DIBAO_MAIL_PORT": port, "DIBAO_MAIL_TLS": "none",
		"DIBAO_MAIL_FROM": "dibao@soak.example",
	}
	c, err := config.Load("", func(name string) string { return settings[name] })
	if err != nil {
		t.Fatal(err)
	}
	if s.app, err = openApp(t.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)), s.clock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	s.collector.Client = fetch.New(fetch.Options{AllowPrivate: true, PerHost: bench.Collectors})
	for i := range sources {
		s.check(s.articles.AddSource(t.Context(), feed.Source{URL: fmt.Sprintf("%s/%d", site.URL, i), Kind: "feed"}))
	}
	s.list, err = s.subscribers.CreateList(t.Context(), subscribers.List{Slug: "weekly", Title: "周刊"})
	s.check(nil, err)
	s.join(readers)
	return s
}

// check fails the test on an error; the other value is not needed.
func (s *soak) check(_ any, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", s.clock().Format(time.DateOnly), err)
	}
}

func (s *soak) join(n int) {
	for range n {
		s.joined++
		s.check(s.subscribers.AddConfirmed(s.t.Context(), fmt.Sprintf("reader%d@example%d.example", s.joined, s.joined%40), "zh", []subscribers.List{s.list}, "test"))
	}
}

// day simulates a day: each source is collected once, and mail that is due is sent.
func (s *soak) day() {
	ctx := s.t.Context()
	s.now.Add(24 * 3600)
	ids, err := s.articles.DueSources(ctx)
	s.check(nil, err)
	_, err = bench.CollectAll(ctx, s.collector, ids)
	s.check(nil, err)
	s.check(nil, s.digest.Match(ctx))
	made, err := s.digest.ComposeDue(ctx)
	s.check(nil, err)
	if len(made) > 0 {
		s.deliver(ctx)
	}
	s.check(s.articles.Rebuild(ctx))
	s.check(nil, s.articles.Index.Tidy(ctx, s.clock().Weekday() == time.Sunday))
	s.check(s.prune(ctx))
	if s.clock().Weekday() == time.Wednesday {
		s.churn(ctx)
	}
}

func (s *soak) deliver(ctx context.Context) {
	d, err := s.deliverer()
	s.check(nil, err)
	done, err := d.Deliver(ctx)
	s.check(nil, err)
	if done.Failed+done.Deferred+done.Uncertain > 0 {
		s.t.Fatalf("%s: %+v", s.clock(), done)
	}
}

// churn lets one reader in a hundred leave, and as many join.
func (s *soak) churn(ctx context.Context) {
	some := max(1, s.readers/100)
	leaving := s.joined - s.readers // the first ones leave first
	for i := range some {
		sub, err := s.subscribers.SubscriberByAddress(ctx, fmt.Sprintf("reader%d@example%d.example", leaving+i+1, (leaving+i+1)%40))
		s.check(nil, err)
		s.check(s.subscribers.Unsubscribe(ctx, sub.ID, 0, "link", netip.Prefix{}))
	}
	s.join(some)
}

func (s *soak) measure() month {
	ctx := s.t.Context()
	var m month
	s.check(nil, s.db.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM articles`).Scan(&m.articles)
	}))
	http.DefaultClient.CloseIdleConnections()
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.heap, m.goroutines = float64(stats.HeapAlloc), runtime.NumGoroutine()
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		m.files = len(open)
	}
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		var pages float64
		_, err := fmt.Sscan(strings.Fields(string(statm))[1], &pages)
		s.check(nil, err)
		m.resident = pages * float64(os.Getpagesize())
	}
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(s.file + suffix); err == nil {
			m.file += float64(info.Size())
		}
	}
	return m
}

// slopeOf returns the change per month by least squares, as a share of the mean.
func slopeOf(history []month, value func(month) float64) float64 {
	n := float64(len(history))
	var sumX, sumY, sumXY, sumXX float64
	for i, m := range history {
		x, y := float64(i), value(m)
		sumX, sumY, sumXY, sumXX = sumX+x, sumY+y, sumXY+x*y, sumXX+x*x
	}
	return (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX) / (sumY / n)
}

// serveFeed serves the feed of a source at the simulated time: a notice every one to four
// weeks, the last ten of them.
func (s *soak) serveFeed(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil {
		http.NotFound(w, r) // robots.txt
		return
	}
	period := int64(7+n%21) * 24 * 3600
	newest := s.now.Load() / period
	etag := fmt.Sprintf(`"%d"`, newest)
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/rss+xml")
	fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>样例源</title><link>http://soak.example/</link><description>样例</description>`)
	for k := newest; k > newest-10; k-- {
		at := time.Unix(k*period, 0).UTC()
		fmt.Fprintf(w, `<item><title>样例%d市人民政府办公室关于第%d项工作的通知</title><link>http://soak.example/%d/%d.html</link><guid>http://soak.example/%d/%d.html</guid><pubDate>%s</pubDate><description>&lt;p&gt;样政办发〔%d〕%d号&lt;/p&gt;%s</description></item>`,
			n, k, n, k, n, k, at.Format(time.RFC1123Z), at.Year(), n*1000+int(k%1000), soakText(n, k))
	}
	fmt.Fprint(w, `</channel></rss>`)
}

// soakText returns a different text for each notice: about 1,500 characters. Texts that
// differ in a few words would be compared with one another, as real notices are not.
func soakText(n int, k int64) string {
	words := rand.New(rand.NewPCG(uint64(n), uint64(k)))
	var b strings.Builder
	for i := range 12 {
		fmt.Fprintf(&b, "&lt;p&gt;%d．", i+1)
		for range 15 {
			for range 2 + words.IntN(8) {
				b.WriteRune('一' + rune(words.IntN(3000)))
			}
			b.WriteString([]string{"，", "、", "；", "的"}[words.IntN(4)])
		}
		b.WriteString("。&lt;/p&gt;")
	}
	return b.String()
}

// receiver starts a mail server that counts emails and stores none. It is our own because
// the library's takes a millisecond per email, a third of the whole test.
func (s *soak) receiver() (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go s.receive(conn)
		}
	}()
	return l.Addr().String()
}

func (s *soak) receive(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	reply := "220 soak.example"
	for {
		if _, err := io.WriteString(conn, reply+"\r\n"); err != nil {
			return
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		reply = "250 ok"
		if strings.EqualFold(strings.TrimSpace(line), "DATA") {
			io.WriteString(conn, "354 go on\r\n")
			for line != ".\r\n" {
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
			}
			s.mails.Add(1)
		}
	}
}
