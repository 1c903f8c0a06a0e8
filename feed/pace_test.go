package feed_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"context"

	"dibao/feed"
	"dibao/feed/collect"
	"dibao/feed/hub"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

func rss(head string, items ...string) string {
	return `<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>样例</title><link>https://www.example.org/</link><description>d</description>` +
		head + strings.Join(items, "") + `</channel></rss>`
}

func rssItem(n int) string {
	return fmt.Sprintf(`<item><title>样例市关于第%d件事的通知</title><guid>g%d</guid><description>%s</description></item>`, n, n, strings.Repeat("正文。", 200))
}

// A source that seldom has news is collected less often, within limits, and no more often
// than it asks for.
func TestPace(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		s.set("/feed", rss("", rssItem(0)), 0)
		src := r.add(feed.Source{URL: s.URL + "/feed", Kind: "feed", Name: "样例", Interval: time.Hour})
		step := func(after time.Duration, body string) feed.Source {
			t.Helper()
			r.at = r.at.Add(after)
			s.set("/feed", body, 0)
			done, err := r.collect(src.ID)
			if err != nil {
				t.Fatal(err)
			}
			return done.Source
		}
		if got := step(0, rss("", rssItem(0))); collect.Interval(got) != time.Hour {
			t.Errorf("pace of a new source: %s", collect.Interval(got))
		}
		if got := step(12*time.Hour, rss("", rssItem(1))); collect.Interval(got) < 2*time.Hour || collect.Interval(got) > 4*time.Hour {
			t.Errorf("pace with news after 12 hours: %s", collect.Interval(got))
		}
		if got := step(72*time.Hour, rss("", rssItem(1))); collect.Interval(got) != 6*time.Hour {
			t.Errorf("pace of a silent source: %s", collect.Interval(got))
		}
		for i := range 20 {
			if got := step(time.Hour, rss("", rssItem(i+2))); i == 19 && collect.Interval(got) != time.Hour {
				t.Errorf("pace of a busy source: %s", collect.Interval(got))
			}
		}
		got := step(time.Hour, rss("<ttl>720</ttl>", rssItem(50)))
		if wait := got.NextAt.Sub(r.at); wait < 12*time.Hour || wait > 14*time.Hour {
			t.Errorf("a ttl of 12 hours gives %s", wait)
		}
		var hours strings.Builder
		for h := range 23 {
			fmt.Fprintf(&hours, "<hour>%d</hour>", h)
		}
		if got := step(time.Hour, rss("<skipHours>"+hours.String()+"</skipHours>", rssItem(51))); got.NextAt.Hour() != 23 {
			t.Errorf("every hour but 23 is to be skipped, next at %s", got.NextAt)
		}
	})
}

func TestPaging(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		next := func(body, to string) string {
			return strings.Replace(body, "</ul>", `</ul><a href="`+to+`">下一页</a>`, 1)
		}
		for n := range 9 {
			s.set(fmt.Sprintf("/a/%d.html", n), fmt.Sprintf(articlePage, "养老", n), 0)
		}
		s.set("/list/", next(list("/a/0.html", "/a/1.html"), "index_1.html"), 0)
		s.set("/list/index_1.html", list("/a/2.html", "/a/3.html"), 0)
		src := r.add(feed.Source{URL: s.URL + "/list/", Kind: "page", Name: "样例"})
		if done, err := r.collect(src.ID); err != nil || done.New != 2 {
			t.Fatalf("a new source takes its first page: %+v, %v", done, err)
		}
		// There are more new items than a page contains: the next pages are read until an
		// item is known.
		s.set("/list/", next(list("/a/6.html", "/a/7.html"), "index_1.html"), 0)
		s.set("/list/index_1.html", next(list("/a/4.html", "/a/5.html"), "index_2.html"), 0)
		s.set("/list/index_2.html", next(list("/a/0.html", "/a/1.html"), "index_3.html"), 0)
		if done, err := r.collect(src.ID); err != nil || done.New != 4 || s.asked("/list/index_3.html") != 0 {
			t.Fatalf("new articles: %+v, %v; page 4 was requested %d times", done, err, s.asked("/list/index_3.html"))
		}
	})
}

func TestParts(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		s.set("/list", list("/a/t1.html", "/a/t2.html"), 0)
		more := `<div id="zoom"><p>第二部分的第一段：现就有关事项通知如下，请认真贯彻执行，并将执行情况于年底前报市政府。各地要抓好落实，定期调度。</p></div>`
		first := fmt.Sprintf(articlePage, "养老", 1)
		s.set("/a/t1.html", strings.Replace(first, "</body>", `<a href="t1_2.html">下一页</a></body>`, 1), 0)
		s.set("/a/t1_2.html", "<html><body><h1>样例</h1>"+more+"</body></html>", 0)
		s.set("/a/t2.html", strings.Replace(first, "</body>", `<a href="t2_2.html">下一页</a></body>`, 1), 0) // its second part is missing
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page", Name: "样例", Licence: feed.LicenceOfficial})
		if _, err := r.collect(src.ID); err != nil {
			t.Fatal(err)
		}
		all, err := r.Store.ArticlesWithText(t.Context(), feed.Selection{})
		if err != nil || len(all) != 2 {
			t.Fatal(len(all), err)
		}
		for _, a := range all {
			text := strings.Join(a.Facts.Paragraphs, "\n")
			if whole := strings.HasSuffix(a.URL, "t1.html"); whole != strings.Contains(text, "第二部分") || whole != (a.PageState == feed.PageComplete) {
				t.Errorf("%s: %s with %q", a.URL, a.PageState, text)
			}
		}
	})
}

func TestMaildir(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		dir := t.TempDir()
		for _, sub := range []string{"new", "cur", "tmp"} {
			if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		put := func(name, msg string) {
			if err := os.WriteFile(filepath.Join(dir, "new", name), []byte(strings.ReplaceAll(msg, "\n", "\r\n")), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		put("1", "From: =?utf-8?B?5qC35L6L6YOo?= <news@example.gov.cn>\nSubject: =?gb2312?B?1f6y37zysag=?=\nDate: Fri, 20 Nov 2026 09:00:00 +0800\nMessage-ID: <1@example.gov.cn>\n"+
			"MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n<p>样例部关于印发养老服务办法的通知 样发〔2026〕5号</p><script>x</script><a href='https://www.example.gov.cn/n/1'>在浏览器中查看</a>\n")
		put("2", "Subject: no id\n\nx\n")
		src := r.add(feed.Source{URL: "maildir://" + dir, Name: "样例部来信"})
		done, err := r.collect(src.ID)
		if err != nil || done.New != 1 || len(done.Warnings) != 1 {
			t.Fatalf("%+v, %v", done, err)
		}
		all, err := r.Store.ArticlesWithText(t.Context(), feed.Selection{})
		if err != nil || len(all) != 1 || all[0].Title() != "政策简报" || all[0].URL != "https://www.example.gov.cn/n/1" || strings.Contains(all[0].Content, "script") || all[0].Facts.PublishedOn.String() != "2026-11-20" {
			t.Fatalf("%+v, %v", all, err)
		}
		if done, err := r.collect(src.ID); err != nil || !done.NotModified {
			t.Fatalf("%+v, %v", done, err)
		}
	})
}

// A hub pushes a new item; only correctly signed pushes count.
func TestWebSub(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		var mu sync.Mutex
		var asked []url.Values
		theirs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			req.ParseForm()
			mu.Lock()
			asked = append(asked, req.PostForm)
			mu.Unlock()
			w.WriteHeader(http.StatusAccepted)
		}))
		defer theirs.Close()
		mux := http.NewServeMux()
		ours := httptest.NewServer(mux)
		defer ours.Close()
		stored := 0
		subscriber := &hub.Subscriber{Collector: r.Collector, BaseURL: ours.URL, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Stored: func(context.Context) error { stored++; return nil }}
		subscriber.Register(mux)
		head := `<atom:link rel="hub" href="` + theirs.URL + `"/><atom:link rel="self" href="` + s.URL + `/feed"/>`
		s.set("/feed", rss(head, rssItem(1)), 0)
		src := r.add(feed.Source{URL: s.URL + "/feed", Kind: "feed", Name: "样例"})
		if _, err := r.collect(src.ID); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is nothing to renew yet
			if err := subscriber.Renew(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(asked) != 1 || asked[0].Get("hub.mode") != "subscribe" || asked[0].Get("hub.topic") != s.URL+"/feed" {
			t.Fatalf("the hub was asked %v", asked)
		}
		callback, secret := asked[0].Get("hub.callback"), asked[0].Get("hub.secret")
		get := func(query string) (int, string) {
			res, err := http.Get(callback + "?" + query)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, _ := io.ReadAll(res.Body)
			return res.StatusCode, string(b)
		}
		if status, _ := get("hub.mode=subscribe&hub.topic=https://elsewhere.example.com/&hub.challenge=x"); status != 404 {
			t.Errorf("another topic was agreed to: %d", status)
		}
		if status, body := get("hub.mode=subscribe&hub.lease_seconds=172800&hub.challenge=abc&hub.topic=" + url.QueryEscape(s.URL+"/feed")); status != 200 || body != "abc" {
			t.Errorf("the challenge was answered with %d %q", status, body)
		}
		push := func(body, signature string) {
			req, _ := http.NewRequest("POST", callback, strings.NewReader(body))
			req.Header.Set("Content-Type", "application/rss+xml")
			req.Header.Set("X-Hub-Signature", signature)
			res, err := http.DefaultClient.Do(req)
			if err != nil || res.StatusCode != http.StatusAccepted {
				t.Fatal(res, err)
			}
			res.Body.Close()
		}
		count := func() int {
			all, err := r.Store.Articles(t.Context(), feed.Selection{})
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		body := rss("", rssItem(2))
		push(body, "sha256=00")
		push(body, "")
		push(body, "sha1="+strings.Repeat("0", 40))
		if count() != 1 || stored != 0 {
			t.Error("a push with a false signature was accepted")
		}
		mac := hmac.New(sha256.New, []byte(secret))
		io.WriteString(mac, body)
		push(body, "sha256="+hex.EncodeToString(mac.Sum(nil)))
		if count() != 2 || stored != 1 {
			t.Errorf("%d articles, told %d times", count(), stored)
		}
		r.at = r.at.Add(30 * time.Hour) // the lease of two days has less than one day left
		if err := subscriber.Renew(t.Context()); err != nil || len(asked) != 2 || asked[1].Get("hub.callback") != callback {
			t.Errorf("the lease was not renewed: %v, %v", asked, err)
		}
	})
}

func TestProxy(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		var agent string
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			agent = req.UserAgent()
			io.WriteString(w, rss("", rssItem(1), "<item><title>"+req.URL.Host+"</title></item>"))
		}))
		defer proxy.Close()
		src := r.add(feed.Source{URL: "http://feeds.example.org/feed", Kind: "feed", Name: "样例", Proxy: proxy.URL, UserAgent: "样例"})
		if done, err := r.collect(src.ID); err != nil || done.New != 2 || agent != "样例" {
			t.Errorf("%+v, %v by %q", done, err, agent)
		}
		if _, err := r.Store.AddSource(t.Context(), feed.Source{URL: "http://b.example.org/", Kind: "feed", Proxy: "ftp://x"}); err == nil {
			t.Error("an FTP proxy was accepted")
		}
	})
}
