package feed_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/summarize"
)

// TestSummarizer uses a server of our own that writes summaries: each text is requested
// once, unusable responses are not shown, the day's tokens can be used up, and requests to a
// server that fails are repeated.
func TestSummarizer(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		all := paths(s, "a", 4, articlePage)
		s.set("/list", list(all...), 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page"})
		if done, err := r.collect(src.ID); err != nil || done.New != 4 {
			t.Fatalf("%+v, %v", done, err)
		}
		var asked, broken atomic.Int64
		model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			if broken.Load() > 0 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			asked.Add(1)
			text := "The city acts."
			if strings.Contains(string(body), "a事项1") {
				text = "The city pays 123456789 yuan." // which is in no text
			}
			content, _ := json.Marshal(text)
			fmt.Fprintf(w, `{"model":"sample-1","choices":[{"message":{"content":%s},"finish_reason":"stop"}],"usage":{"total_tokens":100}}`, content)
		}))
		t.Cleanup(model.Close)
		client, err := summarize.New(summarize.Options{URL: model.URL, Model: "sample", Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		work := &feed.Summarizer{Store: r.Store, Ask: client.Summarize, Languages: []string{"en"}, DailyTokens: 300,
			Now: func() time.Time { return r.at }, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
		run := func(wantAsked int64) {
			t.Helper()
			if err := work.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := asked.Load(); n != wantAsked {
				t.Errorf("asked %d times, want %d", n, wantAsked)
			}
		}
		broken.Store(1)
		if err := work.Run(t.Context()); err == nil {
			t.Error("a broken server is not an error")
		}
		broken.Store(0)
		run(3) // then the day's tokens are used up
		run(3)
		r.at = r.at.Add(24 * time.Hour)
		run(4)
		run(4) // each text once
		articles, err := r.Store.Articles(t.Context(), feed.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for _, a := range articles {
			made, err := r.Store.MachineSummaries(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range made {
				shown++
				if m.Text != "The city acts." || m.Language != "en" || m.Model != "sample-1" || m.MadeAt.IsZero() || strings.Contains(a.Title(), "a事项1") {
					t.Errorf("%s: %+v", a.Title(), m)
				}
			}
		}
		if shown != 3 {
			t.Errorf("%d summaries are shown", shown)
		}
	})
}
