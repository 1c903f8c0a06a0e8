package feed_test

import (
	"context"
	"errors"
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
	"dibao/feed/hub"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/fetch"
	"dibao/internal/trust"
)

// TestPrivateSourceOpensNothingElse collects a private source whose feed, pages and
// redirects lead to another service of the network: that service gets no request, and
// without the permission the source gets none, either.
func TestPrivateSourceOpensNothingElse(t *testing.T) {
	var requests int32
	articles := 0
	t.Cleanup(func() {
		trust.Report(t, "private services that a private source opens", "%d requests; %d articles of the sources were read", requests, articles)
	})
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var reached atomic.Int32
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			reached.Add(1)
			io.WriteString(w, fmt.Sprintf(articlePage, "机密", 9))
		}))
		t.Cleanup(other.Close)
		s, r := newSite(t), newRoom(t, db)
		r.Client = fetch.New(fetch.Options{Timeout: 5 * time.Second})
		r.FileText = func(context.Context, []byte) ([]string, error) { return nil, errors.New("a PDF was read") }
		s.set("/list", list("/a/1.html", other.URL+"/a/2.html", "/a/3.html"), 0)
		s.set("/a/1.html", fmt.Sprintf(articlePage, "养老", 1), 0)
		pdf := `<a href="` + other.URL + `/x.pdf">附件.pdf</a></body></html>`
		s.set("/a/3.html", strings.Replace(fmt.Sprintf(articlePage, "附件", 3), "</body></html>", pdf, 1), 0)
		closed := r.add(feed.Source{URL: s.URL + "/list", Kind: "page", Name: "样例"})
		if _, err := r.collect(closed.ID); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("dibao source edit %d --private", closed.ID)) {
			t.Fatalf("without the permission: %v", err)
		}
		closed.PermitPrivate()
		if err := r.Store.UpdateSource(t.Context(), closed); err != nil {
			t.Fatal(err)
		}
		done, err := r.collect(closed.ID)
		if err != nil || done.New != 3 {
			t.Fatalf("with it: %+v, %v", done, err)
		}
		states := map[string]feed.PageState{}
		all, err := r.Store.ArticlesWithText(t.Context(), feed.Selection{})
		for _, a := range all {
			states[a.Title()] = a.PageState
		}
		if err != nil || s.asked("/a/1.html") != 1 || s.asked("/a/3.html") != 1 || len(states) != 3 {
			t.Fatalf("stored %v, %v", states, err)
		}
		if n := reached.Load(); n != 0 {
			t.Errorf("%d requests reached the other service, want none", n)
		}
		requests += reached.Load()
		articles += done.New
	})
}

// TestPrivateSourceLosesItsPermissionWhenAnotherHostAnswers lets a private source redirect
// to a list on another host, and move there permanently.
func TestPrivateSourceLosesItsPermissionWhenAnotherHostAnswers(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		moved := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/", http.StatusMovedPermanently))
		t.Cleanup(moved.Close)
		r := newRoom(t, db)
		r.Client = fetch.New(fetch.Options{Timeout: 5 * time.Second})
		src := feed.Source{URL: moved.URL + "/feed.xml", Kind: "feed", Name: "样例"}
		src.PermitPrivate()
		src = r.add(src)
		for range 4 {
			if _, err := r.collect(src.ID); err == nil || !strings.Contains(err.Error(), "is not fetched") {
				t.Fatalf("collected: %v", err)
			}
		}
		src, err := r.Store.SourceByRef(t.Context(), "样例")
		if err != nil || src.Private != fetch.Origin(moved.URL) {
			t.Fatalf("%+v, %v", src, err)
		}
		// The stored address after a move is not the one that was permitted.
		src.URL = "http://127.0.0.1:65000/feed.xml"
		if req := src.Request(src.URL, false); req.Private != "" {
			t.Errorf("the new address has the permission of the old one: %q", req.Private)
		}
		if err := r.Store.UpdateSource(t.Context(), src); err == nil || !strings.Contains(err.Error(), "specify --private again") {
			t.Errorf("a new address was stored under the old permission: %v", err)
		}
	})
}

// TestPrivateSourceIsNoWayToAHub lets the feed of a private source name a hub in the
// network: neither this hub nor one on the source's own host gets a request.
func TestPrivateSourceIsNoWayToAHub(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		r.Client = fetch.New(fetch.Options{Timeout: 5 * time.Second})
		s.set("/feed.xml", `<rss version="2.0" xmlns:a="http://www.w3.org/2005/Atom"><channel><a:link rel="hub" href="`+s.URL+`/hub"/><title>样例</title>
<item><guid>1</guid><title>样例市关于事项的通知</title><link>`+s.URL+`/a/1</link></item></channel></rss>`, 0)
		src := feed.Source{URL: s.URL + "/feed.xml", Kind: "feed"}
		src.PermitPrivate()
		src = r.add(src)
		if _, err := r.collect(src.ID); err != nil {
			t.Fatal(err)
		}
		hubs := &hub.Subscriber{Collector: r.Collector, BaseURL: "https://dibao.example", Logger: slog.New(slog.DiscardHandler)}
		if err := hubs.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.asked("/hub"); n != 0 {
			t.Errorf("the hub was asked %d times, want none", n)
		}
	})
}
