package feed_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/feed"
	"dibao/feed/collect"
	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/fetch"
	"dibao/policy"
	"dibao/policy/warn"
)

// stubSite is a website whose responses a test sets.
type stubSite struct {
	*httptest.Server
	mu       sync.Mutex
	bodies   map[string]string
	statuses map[string]int
	requests map[string]int
}

func newSite(t *testing.T) *stubSite {
	t.Helper()
	s := &stubSite{bodies: map[string]string{}, statuses: map[string]int{}, requests: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests[r.URL.Path]++
		body, ok := s.bodies[r.URL.Path]
		etag := fmt.Sprintf(`"%d"`, len(body))
		switch status := s.statuses[r.URL.Path]; {
		case status != 0:
			w.WriteHeader(status)
			io.WriteString(w, body)
		case !ok:
			http.NotFound(w, r)
		case strings.HasSuffix(r.URL.Path, ".xml") && r.Header.Get("If-None-Match") == etag:
			w.WriteHeader(http.StatusNotModified)
		default:
			if strings.HasSuffix(r.URL.Path, ".xml") {
				w.Header().Set("ETag", etag)
			}
			io.WriteString(w, body)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stubSite) set(path, body string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies[path], s.statuses[path] = body, status
}

func (s *stubSite) asked(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[path]
}

const articlePage = `<html><head><title>样例市关于%[1]s的通知_样例</title></head><body><h1>样例市关于%[1]s的通知</h1>
<div class="info">时间:2026-11-20 来源:本站</div><div id="zoom"><p>样政发〔2026〕%[2]d号</p><p>各县人民政府：现就有关事项通知如下，请认真贯彻执行，并将执行情况于年底前报市政府。</p></div></body></html>`

// list returns a list page. Each row is a path and, after a space, its title in the list.
func list(rows ...string) string {
	var b strings.Builder
	b.WriteString("<html><body><ul>")
	for i, row := range rows {
		path, title, found := strings.Cut(row, " ")
		if !found {
			title = fmt.Sprintf("样例市关于事项%d的通知全文", i)
		}
		fmt.Fprintf(&b, `<li><a href="%s">%s</a> <span>2026-11-2%d</span></li>`, path, title, i)
	}
	b.WriteString("</ul></body></html>")
	return b.String()
}

// room is a collector on a database, with a clock that tests set.
type room struct {
	t *testing.T
	*collect.Collector
	at time.Time
}

func newRoom(t *testing.T, db *database.DB) *room {
	r := &room{t: t, at: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)}
	r.Collector = &collect.Collector{
		Store:  feed.NewStore(db, func() time.Time { return r.at }),
		Client: fetch.New(fetch.Options{AllowPrivate: true, Timeout: 5 * time.Second}),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return r
}

func (r *room) add(s feed.Source) feed.Source {
	r.t.Helper()
	added, err := r.Store.AddSource(r.t.Context(), s)
	if err != nil {
		r.t.Fatal(err)
	}
	return added
}

func (r *room) collect(id int64) (collect.Collection, error) {
	r.at = r.at.Add(time.Second)
	return r.Collect(r.t.Context(), id)
}

// A page that asks readers to log in for the rest of its text is not complete: it is
// requested again, and at last counts as missing, with the beginning that it shows.
func TestTextBehindLogin(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		s.set("/list", list("/a/1.html", "/a/2.html", "/a/3.html"), 0)
		for i, prompt := range []string{"登录后阅读全文", "请先登录后发表评论", "展开全文"} {
			s.set(fmt.Sprintf("/a/%d.html", i+1), strings.Replace(fmt.Sprintf(articlePage, "养老", i+1), "</div></body>", "<p>"+strings.Repeat("要完善政策体系，加大资金投入，确保取得实效，及时报告进展情况。", 20)+"</p>"+"<p>"+prompt+"</p></div></body>", 1), 0)
		}
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page", Name: "样例", Licence: feed.LicenceOfficial})
		for range 6 {
			if _, err := r.collect(src.ID); err != nil {
				t.Fatal(err)
			}
			r.at = r.at.Add(73 * time.Hour)
		}
		all, err := r.Store.ArticlesWithText(t.Context(), feed.Selection{})
		if err != nil || len(all) != 3 {
			t.Fatalf("%d stored, %v", len(all), err)
		}
		for _, a := range all {
			cut := strings.HasSuffix(a.URL, "/1.html")
			warned := slices.ContainsFunc(a.Warnings, func(w warn.Warning) bool { return w.Code == ingest.BehindLogin })
			if want := map[bool]feed.PageState{true: feed.PageMissing, false: feed.PageComplete}[cut]; a.PageState != want || warned != cut || len(a.Facts.Paragraphs) == 0 {
				t.Errorf("%s: %s, warned %t, %d lines", a.URL, a.PageState, warned, len(a.Facts.Paragraphs))
			}
		}
	})
}

func TestCollectPages(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		s.set("/list", list("/a/1.html", "/a/2.html", "/a/3.html"), 0)
		s.set("/a/1.html", fmt.Sprintf(articlePage, "养老", 1), 0)
		s.set("/a/2.html", "", http.StatusServiceUnavailable)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page", Name: "样例", Issuer: "样例市", Licence: feed.LicenceOfficial})
		done, err := r.collect(src.ID)
		if err != nil || done.Items != 3 || done.New != 3 || len(done.Warnings) != 2 {
			t.Fatalf("first: %+v, %v", done, err)
		}
		all, err := r.Store.ArticlesWithText(t.Context(), feed.Selection{})
		if err != nil || len(all) != 3 {
			t.Fatalf("%d stored, %v", len(all), err)
		}
		states := map[string]feed.PageState{}
		for _, a := range all {
			states[strings.TrimPrefix(a.URL, s.URL)] = a.PageState
			if a.PageState == feed.PageComplete && (a.Facts.DocumentNumber != "样政发〔2026〕1号" || a.Facts.Kind != policy.KindDocument || !a.MayShowText() || a.Facts.Credit != "样例") {
				t.Errorf("stored %+v", a.Facts)
			}
		}
		for path, want := range map[string]feed.PageState{"/a/1.html": feed.PageComplete, "/a/2.html": feed.PageWanted, "/a/3.html": feed.PageMissing} {
			if states[path] != want {
				t.Errorf("%s is %s, want %s", path, states[path], want)
			}
		}
		// Again: nothing is stored twice, and the page that is not due is not requested.
		if done, err := r.collect(src.ID); err != nil || !done.NotModified || done.New+done.Changed != 0 || s.asked("/a/2.html") != 1 || s.asked("/a/1.html") != 1 {
			t.Fatalf("again: %+v, %v", done, err)
		}
		// An hour later the pages exist, including the one that was missing.
		s.set("/a/2.html", fmt.Sprintf(articlePage, "就业", 2), 0)
		s.set("/a/3.html", fmt.Sprintf(articlePage, "医疗", 3), 0)
		r.at = r.at.Add(2 * time.Hour)
		if done, err := r.collect(src.ID); err != nil || done.Changed != 2 {
			t.Fatalf("later: %+v, %v", done, err)
		}
		if all, err = r.Store.Articles(t.Context(), feed.Selection{}); err != nil || len(all) != 3 {
			t.Fatalf("%d stored, %v", len(all), err)
		}
	})
}

func TestCollectFeed(t *testing.T) {
	t.Parallel()
	const rss = `<?xml version="1.0"?><rss version="2.0"><channel><title>x</title><link>/</link><description>x</description>%s</channel></rss>`
	item := func(n int, text string) string {
		return fmt.Sprintf(`<item><title>文章%d</title><guid isPermaLink="false">g%d</guid><link>/%d</link><pubDate>Fri, 20 Nov 2026 09:30:00 CST</pubDate><content:encoded xmlns:content="http://purl.org/rss/1.0/modules/content/"><![CDATA[<p>%s</p>]]></content:encoded></item>`, n, n, n, text)
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		s.set("/feed.xml", fmt.Sprintf(rss, item(1, "一")+item(2, "二")), 0)
		src := r.add(feed.Source{URL: s.URL + "/feed.xml", Kind: "feed"})
		if done, err := r.collect(src.ID); err != nil || done.New != 2 {
			t.Fatalf("first: %+v, %v", done, err)
		}
		if done, err := r.collect(src.ID); err != nil || !done.NotModified {
			t.Fatalf("304: %+v, %v", done, err)
		}
		before, err := r.Store.Articles(t.Context(), feed.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		s.set("/feed.xml", fmt.Sprintf(rss, item(1, "一，改过了")+item(2, "二")+item(3, "三")), 0)
		done, err := r.collect(src.ID)
		if err != nil || done.New != 1 || done.Changed != 1 {
			t.Fatalf("changed: %+v, %v", done, err)
		}
		changed, err := r.Store.Article(t.Context(), idOf(before, "g1"))
		if err != nil || !changed.UpdatedAt.After(changed.CollectedAt) || !strings.Contains(changed.Content, "改过了") {
			t.Fatalf("%+v, %v", changed, err)
		}
		if at := changed.Facts.PublishedAt; at.Format(time.RFC3339) != "2026-11-20T09:30:00+08:00" {
			t.Errorf("published %s; CST is China's", at)
		}
		// The site fails, refuses, disappears: each is reported, and the pause grows.
		for _, c := range []struct {
			status int
			state  feed.State
		}{{500, feed.StateFailing}, {403, feed.StateBlocked}, {410, feed.StateGone}} {
			s.set("/feed.xml", "", c.status)
			done, err := r.collect(src.ID)
			if err == nil || done.Source.State != c.state || done.Source.LastError == "" || !done.Source.NextAt.After(r.at) {
				t.Errorf("%d: %+v, %v", c.status, done.Source, err)
			}
		}
		if due, err := r.Store.DueSources(t.Context()); err != nil || len(due) != 0 {
			t.Errorf("due %v, %v", due, err)
		}
		s.set("/feed.xml", fmt.Sprintf(rss, item(4, "四")), 0)
		if done, err := r.collect(src.ID); err != nil || done.Source.State != feed.StateOK || done.Source.Failures != 0 {
			t.Errorf("mended: %+v, %v", done.Source, err)
		}
	})
}

func idOf(all []feed.Article, guid string) int64 {
	for _, a := range all {
		if a.GUID == guid {
			return a.ID
		}
	}
	return 0
}

func TestPageWithoutItemsIsNotNothingNew(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		s.set("/list", "<html><body><p>本站正在改版</p></body></html>", 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page"})
		if done, err := r.collect(src.ID); err == nil || done.Source.State != feed.StateChanged {
			t.Fatalf("%+v, %v", done.Source, err)
		}
	})
}

func TestSources(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		for _, bad := range []feed.Source{{URL: "ftp://a.example/", Kind: "feed"}, {URL: "https://a.example/", Kind: "gopher"}, {URL: "https://a.example/", Kind: "feed", Zone: "Mars"}, {URL: "https://a.example/", Kind: "feed", Interval: time.Second}} {
			if _, err := r.Store.AddSource(t.Context(), bad); err == nil {
				t.Errorf("%+v was accepted", bad)
			}
		}
		a := r.add(feed.Source{URL: "https://a.example/feed", Kind: "feed", Settings: ingest.Settings{Charset: "gbk"}})
		if _, err := r.Store.AddSource(t.Context(), feed.Source{URL: "https://a.example/feed", Kind: "feed"}); err == nil {
			t.Error("the same address was accepted twice")
		}
		for _, ref := range []string{fmt.Sprint(a.ID), a.URL, a.Name} {
			if got, err := r.Store.SourceByRef(t.Context(), ref); err != nil || got.ID != a.ID || got.Settings.Charset != "gbk" {
				t.Errorf("%s: %+v, %v", ref, got, err)
			}
		}
		if err := r.Store.RemoveSource(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		if all, err := r.Store.Sources(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
		if back := r.add(feed.Source{URL: "https://a.example/feed", Kind: "feed"}); back.ID != a.ID || back.State != feed.StateNew {
			t.Errorf("it came back as %+v", back)
		}
	})
}

func newServer(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
