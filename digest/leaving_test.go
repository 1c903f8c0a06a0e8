package digest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dibao/feed"
	"dibao/feed/collect"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/fetch"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// hostileFeed answers each request with new texts: some of 2,000 paragraphs with the same
// title and number, and many short ones.
func hostileFeed(t *testing.T) string {
	var asked atomic.Int64
	words := []rune("的一是不了在有人这上大来和我个中地为他生要以到说国们年着就那会家可下而过天去能对小多然于心么之都好看起发当没成只如事把还用第样道想作种开施行通知工作养老社区政府")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		round := asked.Add(1)
		random := rand.New(rand.NewSource(round))
		var items []map[string]string
		for i := range 200 {
			n, length, number, title := 6, 60, 100+i, fmt.Sprintf("国务院关于事项%d的通知", i)
			if i%40 == 0 {
				n, length, number, title = 1990, 70, 78, "国务院关于印发托育服务发展规划的通知"
			}
			var text strings.Builder
			for range n {
				text.WriteString("<p>")
				for range length {
					text.WriteRune(words[random.Intn(len(words))])
				}
				text.WriteString("</p>")
			}
			items = append(items, map[string]string{"id": fmt.Sprint(round, "-", i), "url": fmt.Sprint("http://example.org/", round, "/", i), "title": title,
				"content_html": fmt.Sprintf("<p>国发〔2026〕%d号</p>", number) + text.String(), "date_published": "2026-11-20T00:00:00Z"})
		}
		json.NewEncoder(w).Encode(map[string]any{"version": "https://jsonfeed.org/version/1.1", "title": "国务院", "items": items})
	}))
	t.Cleanup(s.Close)
	return s.URL + "/feed.json"
}

// collectFor collects the hostile feed repeatedly until stop is called, which returns how
// often it was collected completely.
func (w *world) collectFor(db *database.DB) (stop func() int) {
	store := feed.NewStore(db, w.now)
	collector := &collect.Collector{Store: store, Client: fetch.New(fetch.Options{AllowPrivate: true}), Logger: quiet}
	source := must[feed.Source](w.t)(store.AddSource(w.t.Context(), feed.Source{URL: hostileFeed(w.t.(*testing.T)), Kind: "feed", Name: "国务院"}))
	ctx, cancel := context.WithCancel(w.t.Context())
	ended, started, n := make(chan bool), make(chan bool), 0
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if n++; n == 2 {
				close(started)
			}
			if _, err := collector.Collect(ctx, source.ID); err != nil && ctx.Err() == nil {
				w.t.Errorf("collect: %v", err)
				return
			}
		}
	}()
	select {
	case <-started: // some are stored, and new ones are compared with them
	case <-ended:
	}
	return func() int { cancel(); <-ended; return n }
}

// TestCollectingKeepsReadersIn tests a former bug: while a hostile feed was stored,
// one-click unsubscribe answered 500 six times of six. Unsubscribing takes precedence over
// collecting, in the same process and in another.
func TestCollectingKeepsReadersIn(t *testing.T) {
	var slowest time.Duration
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		t.Run("same process", func(t *testing.T) { slowest = max(slowest, leaveMeanwhile(t, db, db)) })
		if db.Dialect() == database.SQLite {
			t.Run("another process", func(t *testing.T) {
				other, err := database.Open(t.Context(), "sqlite:"+db.Path(), database.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer other.Close()
				slowest = max(slowest, leaveMeanwhile(t, db, other))
			})
		}
	})
	trust.Report(t, "unsubscribing while a hostile feed is stored", "%d ms at most", slowest.Milliseconds())
}

func leaveMeanwhile(t *testing.T, db, collecting *database.DB) (slowest time.Duration) {
	leaving := long(60, 200)
	w := newWorld(t, db)
	l := w.list(fmt.Sprintf("weekly-%d", time.Now().UnixNano()), subscribers.Query{})
	var ids []int64
	for i := range leaving {
		ids = append(ids, must[int64](t)(w.readers.AddConfirmed(t.Context(), fmt.Sprintf("%s-%d@test.example", l.Slug, i), "zh", []subscribers.List{l}, "test")))
	}
	mux := http.NewServeMux()
	(&subscribers.Web{Store: w.readers, SiteName: "邸报", BaseURL: "http://127.0.0.1", Logger: quiet, Send: func(subscribers.Confirmation) {}}).Register(mux)
	site := httptest.NewServer(mux)
	defer site.Close()
	stop := w.collectFor(collecting)
	began, used := time.Now(), cpuTime(t)
	var longest time.Duration
	for _, id := range ids {
		asked := time.Now()
		resp, err := http.Post(site.URL+"/u/"+w.readers.Keys().UnsubscribeToken(id, l.ID), "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		longest = max(longest, time.Since(asked))
		if resp.StatusCode != http.StatusOK {
			t.Errorf("status %d", resp.StatusCode)
		}
		time.Sleep(10 * time.Millisecond) // readers arrive one by one
	}
	took := time.Since(began)
	busy := max(1, took.Seconds()/(cpuTime(t)-used).Seconds()) // on a machine that is otherwise busy, too
	collections := stop()
	_, writes := collecting.WriteTimes()
	t.Logf("%d readers left in %v, the slowest in %v; %d collections, %d transactions, longest %v; %.1f times slower than alone", leaving, took, longest, collections, writes.Hold.Count, writes.Hold.Longest, busy)
	if limit := time.Duration(busy * float64(time.Second)); longest > limit {
		t.Errorf("leaving took %v, limit %v", longest, limit)
	}
	return time.Duration(float64(longest) / busy)
}

// cpuTime returns the CPU time of this process.
func cpuTime(t *testing.T) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
