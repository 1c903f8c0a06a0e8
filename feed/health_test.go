package feed_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dibao/policy/warn"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// TestWalls checks that a wall with status 200 never counts as an unchanged list.
func TestWalls(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"Cookie": `<html><head><script>document.cookie="__jsl_clearance=1";location.reload()</script></head></html>`,
		"Script": `<script>var a=1;location.href="/x?"+a</script>`,
		"Text":   `<html><body><p>您的访问被拦截，请联系管理员</p></body></html>`,
		"Login":  `<html><head><title>统一身份认证</title></head><body><form><input type=password></form></body></html>`,
	} {
		databasetest.Each(t, func(t *testing.T, db *database.DB) {
			s, r := newSite(t), newRoom(t, db)
			s.set("/list", list("/a/1.html", "/a/2.html"), 0)
			s.set("/a/1.html", fmt.Sprintf(articlePage, "养老", 1), 0)
			s.set("/f.xml", body, 0)
			page, rss := r.add(feed.Source{URL: s.URL + "/list", Kind: "page"}), r.add(feed.Source{URL: s.URL + "/f.xml", Kind: "feed"})
			if _, err := r.collect(page.ID); err != nil {
				t.Fatal(err)
			}
			s.set("/list", body, 0)
			for _, id := range []int64{page.ID, rss.ID} {
				done, err := r.collect(id)
				if err == nil || done.Source.State != feed.StateBlocked || done.Source.Advice() == "" {
					t.Errorf("%s: source %d: state %s, %v", name, id, done.Source.State, err)
				}
			}
			s.set("/list", body, http.StatusServiceUnavailable)
			if done, err := r.collect(page.ID); err == nil || done.Source.State != feed.StateBlocked {
				t.Errorf("%s with 503: state %s, %v", name, done.Source.State, err)
			}
			// When the wall is gone, the source recovers by itself.
			s.set("/list", list("/a/1.html", "/a/1.html?2"), 0)
			if done, err := r.collect(page.ID); err != nil || done.Source.State != feed.StateOK {
				t.Errorf("after the wall: %s, %v", done.Source.State, err)
			}
		})
	}
}

// paths returns the paths of n articles and sets their pages.
func paths(s *stubSite, prefix string, n int, page string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("/%s/%d.html", prefix, i)
		s.set(all[i], fmt.Sprintf(page, fmt.Sprintf("%s事项%d", prefix, i), i+1), 0)
	}
	return all
}

func TestSuspect(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		all := paths(s, "a", 12, articlePage)
		s.set("/list", list(all...), 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page"})
		if done, err := r.collect(src.ID); err != nil || done.New != 12 || done.Source.UsualItems != 12 {
			t.Fatalf("first: %+v, %v", done, err)
		}
		s.set("/list", list(append(paths(s, "b", 1, articlePage), all[0])...), 0)
		done, err := r.collect(src.ID)
		if err == nil || done.Source.State != feed.StateChanged || done.New != 1 {
			t.Errorf("far fewer items: %d new, state %s, %v", done.New, done.Source.State, err)
		}
		s.set("/list", list(all[:8]...), 0)
		if done, err := r.collect(src.ID); err != nil || done.Source.State != feed.StateOK {
			t.Errorf("a few fewer: %s, %v", done.Source.State, err)
		}
	})
}

// TestFlood puts an archive online again.
func TestFlood(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		old := strings.ReplaceAll(articlePage, "</div></body>", "<p>样例市人民政府</p><p>2016年3月1日</p></div></body>")
		s.set("/list", list(append(paths(s, "old", 6, old), paths(s, "new", 2, articlePage)...)...), 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page"})
		done, err := r.collect(src.ID)
		if err != nil || done.New != 8 || done.Source.State != feed.StateFlood {
			t.Fatalf("%d new, state %s, %v", done.New, done.Source.State, err)
		}
		if held := countHeld(t, r); held != 6 {
			t.Errorf("%d articles are held, want 6", held)
		}
		if done, err := r.collect(src.ID); err != nil || done.Source.State != feed.StateFlood {
			t.Errorf("again: %s, %v; only an admin releases it", done.Source.State, err)
		}
		s.set("/list", "", http.StatusInternalServerError)
		if done, err := r.collect(src.ID); err == nil || done.Source.State != feed.StateFailing {
			t.Errorf("a site that fails: %s, %v", done.Source.State, err)
		}
		s.set("/list", list(append(paths(s, "old", 6, old), paths(s, "new", 2, articlePage)...)...), 0)
		if done, err := r.collect(src.ID); err != nil || done.Source.State != feed.StateFlood {
			t.Errorf("the site is back: %s, %v; its flood is still held", done.Source.State, err)
		}
		if n, err := r.Store.ReleaseSource(t.Context(), src.ID); err != nil || n != 6 || countHeld(t, r) != 0 {
			t.Errorf("released %d, %v, %d still held", n, err, countHeld(t, r))
		}
		if done, err := r.collect(src.ID); err != nil || done.Source.State != feed.StateOK {
			t.Errorf("after release: %s, %v", done.Source.State, err)
		}
	})
}

// TestArchiveIsNoFlood collects old texts with their dates: lists ignore these anyway, and
// an admin who adds a source has nothing to release.
func TestArchiveIsNoFlood(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		var items strings.Builder
		for i := range 7 {
			fmt.Fprintf(&items, `<item><title>样例市人民政府关于第%d件事项的通知</title><guid isPermaLink="false">%d</guid><pubDate>Tue, 08 Mar 2016 08:00:00 +0800</pubDate>
				<description>&lt;p>正文。&lt;/p>&lt;p>样例市人民政府&lt;/p>&lt;p>2016年3月1日&lt;/p></description></item>`, i, i)
		}
		s.set("/feed.xml", `<rss version="2.0"><channel><title>t</title>`+items.String()+`</channel></rss>`, 0)
		src := r.add(feed.Source{URL: s.URL + "/feed.xml", Kind: "feed"})
		if done, err := r.collect(src.ID); err != nil || done.New != 7 || done.Source.State != feed.StateOK || countHeld(t, r) != 0 {
			t.Errorf("%d new, state %s, %v, %d held", done.New, done.Source.State, err, countHeld(t, r))
		}
		rates, err := r.Store.ItemsPerWeek(t.Context())
		if err != nil || rates[src.ID] != 0 {
			t.Errorf("an archive counts as %v articles a week, %v", rates[src.ID], err)
		}
	})
}

func countHeld(t *testing.T, r *room) int {
	t.Helper()
	all, err := r.Store.Articles(t.Context(), feed.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, a := range all {
		if a.Held {
			held++
		}
	}
	return held
}

func TestMove(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		s.set("/new.xml", `<rss version="2.0"><channel><title>t</title><item><title>一</title><guid>1</guid><description>正文</description></item></channel></rss>`, 0)
		mux := http.NewServeMux()
		mux.Handle("/old.xml", http.RedirectHandler(s.URL+"/new.xml", http.StatusMovedPermanently))
		mux.Handle("/temporary.xml", http.RedirectHandler(s.URL+"/new.xml", http.StatusFound))
		old := newServer(t, mux)
		src, temporary := r.add(feed.Source{URL: old + "/old.xml", Kind: "feed"}), r.add(feed.Source{URL: old + "/temporary.xml", Kind: "feed"})
		for i := 1; i <= 3; i++ {
			s.set("/new.xml", fmt.Sprintf(`<rss version="2.0"><channel><title>t</title><item><title>一</title><guid>%d</guid><description>正文</description></item></channel></rss>`, i), 0)
			done, err := r.collect(src.ID)
			if err != nil {
				t.Fatal(err)
			}
			if moved := done.Source.URL == s.URL+"/new.xml"; moved != (i == 3) {
				t.Errorf("after %d redirects: %s", i, done.Source.URL)
			}
			if done, err := r.collect(temporary.ID); err != nil || done.Source.URL != temporary.URL {
				t.Errorf("temporary: %s, %v", done.Source.URL, err)
			}
		}
	})
}

func TestPause(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		src := r.add(feed.Source{URL: s.URL + "/f.xml", Kind: "feed"})
		due := func() int {
			ids, err := r.Store.DueSources(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return len(ids)
		}
		if err := r.Store.PauseSource(t.Context(), src.ID); err != nil || due() != 0 {
			t.Errorf("paused: %v, %d due", err, due())
		}
		if err := r.Store.ResumeSource(t.Context(), src.ID); err != nil || due() != 1 {
			t.Errorf("resumed: %v, %d due", err, due())
		}
		src.Name, src.Settings.Item = "新名", "li"
		if err := r.Store.UpdateSource(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Store.SourceByRef(t.Context(), "新名"); err != nil || got.Settings.Item != "li" {
			t.Errorf("edited: %+v, %v", got, err)
		}
		src.Kind = "?"
		if err := r.Store.UpdateSource(t.Context(), src); err == nil {
			t.Error("an unknown kind was accepted")
		}
	})
}

// TestNoticeOfAWall reads a short notice that contains the words of walls.
func TestNoticeOfAWall(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		s.set("/list", list("/a/0.html", "/a/1.html"), 0)
		const page = `<html><body><h1>%s</h1><div id="zoom"><p>网站升级，登录时请完成验证，给您带来不便敬请谅解。特此通知，请各单位相互转告并遵照执行。</p></div></body></html>`
		s.set("/a/0.html", fmt.Sprintf(page, "样例市关于事项0的通知全文"), 0)
		s.set("/a/1.html", fmt.Sprintf(page, "提示"), 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page"})
		done, err := r.collect(src.ID)
		if err != nil || len(done.Warnings) != 1 || !strings.HasSuffix(done.Warnings[0].Params[0], "/a/1.html") {
			t.Errorf("warnings %q, %v", done.Warnings, err)
		}
	})
}

// TestFuture collects items with dates in the future: the articles count from their
// collection.
func TestFuture(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		var items strings.Builder
		for i, date := range []string{"Fri, 01 Dec 2028 08:00:00 +0800", "Thu, 01 Jan 1970 00:00:00 GMT", r.at.Add(2 * time.Hour).Format(time.RFC1123Z)} {
			fmt.Fprintf(&items, `<item><title>样例市人民政府关于第%d件事项的通知</title><guid isPermaLink="false">%d</guid><pubDate>%s</pubDate><description>正文。</description></item>`, i, i, date)
		}
		s.set("/feed.xml", `<rss version="2.0"><channel><title>t</title>`+items.String()+`</channel></rss>`, 0)
		src := r.add(feed.Source{URL: s.URL + "/feed.xml", Kind: "feed"})
		if _, err := r.collect(src.ID); err != nil {
			t.Fatal(err)
		}
		all, err := r.Store.Articles(t.Context(), feed.Selection{})
		if err != nil || len(all) != 3 {
			t.Fatalf("%d articles, %v", len(all), err)
		}
		for _, a := range all {
			isReal := a.GUID == "2"
			isFlagged := slices.ContainsFunc(a.Warnings, func(w warn.Warning) bool {
				return w.Code == "published-in-future" || w.Code == "feed-date-not-understood"
			})
			if a.Facts.PublishedOn.IsZero() == isReal || isFlagged == isReal {
				t.Errorf("item %s is published on %s, warnings %q", a.GUID, a.Facts.PublishedOn, a.Warnings)
			}
		}
	})
}
