package site_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/feed/publish/feedtest"
	"dibao/feed/site/sitetest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// Every article is in the feed or its archive, however rare its theme; archive documents do
// not change when new articles arrive.
func TestArchive(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		place := func(id int) (int, string) {
			if id%41 == 0 {
				return 2, "国防"
			}
			return 1, "民政、扶贫、救灾"
		}
		s.Add(1, 3600, place)
		rare := "/themes/" + url.PathEscape("国防") + "/feed.xml"
		before := make(map[string]string)
		for path, want := range map[string]int{"/feed.xml": 3600, rare: 87, "/sources/2/feed.xml": 87, "/sources/1/feed.xml": 3513} {
			items, documents := s.Walk(path)
			if len(items) != want {
				t.Errorf("%s: %d articles, want %d", path, len(items), want)
			}
			if most := want/50 + 66; len(documents) > most {
				t.Errorf("%s: %d documents for %d articles", path, len(documents), want)
			}
			for p, body := range documents {
				if strings.Contains(p, "page=") {
					before[p] = body
				}
			}
		}
		s.Add(3601, 3900, place)
		for path, body := range before {
			if s.Read(path) != body {
				t.Errorf("%s changed when articles came", path)
			}
		}
		items, _ := s.Walk(rare)
		if len(items) != 95 {
			t.Errorf("then %d articles", len(items))
		}
		for _, path := range []string{"/feed.xml?page=0", "/feed.xml?page=-1", "/feed.xml?page=x", "/feed.xml?page=3901", "/feed.xml?page=99999999999999999999", "/themes/x/feed.xml",
			"/issuers/x/feed.xml", "/regions/99/feed.xml", "/sources/9/feed.xml", "/sources/x/feed.xml", "/documents/x/feed.xml"} {
			if res := s.Get(path); res.StatusCode != 404 {
				t.Errorf("%s: %d", path, res.StatusCode)
			}
		}
		if n := len(s.Read("/themes/%E6%B0%91%E6%94%BF/feed.xml")); n < 1000 {
			t.Errorf("民政 is not taken for its theme: %d bytes", n)
		}
	})
}

func TestFeedNegotiation(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 3, func(int) (int, string) { return 1, "国防" })
		for _, c := range []struct{ accept, mediaType string }{
			{"", "application/rss+xml; charset=utf-8"}, {"*/*", "application/rss+xml; charset=utf-8"}, {"text/html,application/xhtml+xml,*/*;q=0.8", "application/rss+xml; charset=utf-8"},
			{"application/atom+xml", "application/atom+xml; charset=utf-8"}, {"application/json", "application/feed+json; charset=utf-8"},
			{"application/rss+xml;q=0.2, application/feed+json;q=0.9", "application/feed+json; charset=utf-8"}, {"image/png", "application/rss+xml; charset=utf-8"},
		} {
			res := s.Get("/feed", "Accept", c.accept)
			if got := res.Header.Get("Content-Type"); got != c.mediaType || !strings.Contains(res.Header.Get("Vary"), "Accept,") || res.Header.Get("Content-Location") == "" {
				t.Errorf("Accept: %q gets %s, %v", c.accept, got, res.Header)
			}
		}
		res := s.Get("/feed.json")
		if res.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(res.Header.Get("Link"), `rel="hub"`) {
			t.Errorf("header %v", res.Header)
		}
		// Only a request from a browser window gets a page, and no shared cache stores it.
		const window = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
		for _, c := range []struct{ dest, accept, path, mediaType string }{
			{"document", window, "/feed.xml", "text/html; charset=utf-8"}, {"document", window, "/feed.atom", "text/html; charset=utf-8"},
			{"document", window, "/search/feed.xml?q=" + url.QueryEscape("国防"), "text/html; charset=utf-8"},
			{"document", window, "/feed.json", "application/feed+json; charset=utf-8"}, {"", window, "/feed.xml", "application/rss+xml; charset=utf-8"},
			{"empty", window, "/feed.xml", "application/rss+xml; charset=utf-8"}, {"iframe", window, "/feed.xml", "application/rss+xml; charset=utf-8"},
			{"document", "*/*", "/feed.xml", "application/rss+xml; charset=utf-8"}, {"document", "", "/feed.atom", "application/atom+xml; charset=utf-8"},
		} {
			res := s.Get(c.path, "Sec-Fetch-Dest", c.dest, "Accept", c.accept)
			got := res.Header.Get("Content-Type")
			if got != c.mediaType || !strings.Contains(res.Header.Get("Vary"), "Sec-Fetch-Dest") {
				t.Errorf("%+v gets %s, %v", c, got, res.Header)
			}
			if isPage := strings.HasPrefix(got, "text/html"); isPage != strings.HasPrefix(res.Header.Get("Cache-Control"), "private") {
				t.Errorf("%+v: Cache-Control %q", c, res.Header.Get("Cache-Control"))
			}
		}
		page, _ := io.ReadAll(s.Get("/feed.xml", "Sec-Fetch-Dest", "document", "Accept", window, "Accept-Language", "en").Body)
		for _, want := range []string{"This is a feed", `<code class="address">` + sitetest.BaseURL + "/feed.xml</code>", `type="application/rss&#43;xml"`, `href="/subscribe"`, "noindex"} {
			if !strings.Contains(string(page), want) {
				t.Errorf("the page of a feed has no %s:\n%s", want, page)
			}
		}
		if s.Read("/feed.xml") != s.Read("/feed.xml?utm_source=x") {
			t.Error("an unknown parameter changes the feed")
		}
	})
}

// Withdrawn articles are removed from the feed and reported as gone (RFC 6721).
func TestFeedChanges(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 5, func(int) (int, string) { return 1, "国防" })
		s.Now = s.Now.Add(time.Hour)
		s.Add(6, 6, func(int) (int, string) { return 1, "国防" })
		s.Exec(`UPDATE articles SET withdrawn_at = $1, updated_at = $1 WHERE id = 2`, s.Now)
		s.Exec(`UPDATE articles SET text_hash = 'x', updated_at = $1 WHERE id = 3`, s.Now)
		body := s.Read("/feed.atom")
		if p := feedtest.Validate("atom", sitetest.BaseURL+"/feed.atom", []byte(body)); len(p) > 0 {
			t.Errorf("%v\n%s", p, body)
		}
		whole, err := gofeed.NewParser().ParseString(body)
		if err != nil || len(whole.Items) != 5 {
			t.Fatalf("the feed: %v, %v", whole, err)
		}
		gone := regexp.MustCompile(`<at:deleted-entry ref="[^"]*article/2" when="2026-11-23T17:00:00\+08:00">`)
		if !gone.MatchString(body) || strings.Contains(s.Read("/feed.xml"), "articles/2<") {
			t.Errorf("the withdrawn article is not said to be gone:\n%s", body)
		}
	})
}

// Last-Modified of a feed is the time of its last change, however late it is requested,
// from any node; hiding an article changes it.
func TestFeedIsDatedByItsLastChange(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 5, func(int) (int, string) { return 1, "国防" })
		collected := s.Now
		s.Now = s.Now.Add(48 * time.Hour)
		dated := func() time.Time {
			t.Helper()
			at, err := http.ParseTime(s.Get("/feed.xml").Header.Get("Last-Modified"))
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		if got := dated(); got.Sub(collected).Abs() > time.Minute {
			t.Errorf("dated %s, collected %s", got, collected)
		}
		hide := "1"
		if err := s.Store.Correct(t.Context(), 5, []feed.Correction{{Field: "hidden", Value: &hide}}); err != nil {
			t.Fatal(err)
		}
		s.Restart()
		if got := dated(); got.Sub(s.Now).Abs() > time.Minute {
			t.Errorf("dated %s after an article was hidden at %s", got, s.Now)
		}
	})
}

// The feed of a search describes itself in its language.
func TestSearchFeedLanguage(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 2, func(int) (int, string) { return 1, "国防" })
		for query, want := range map[string][]string{
			"":         {"<language>zh-CN</language>", "<title>检索：通知 · 邸报</title>"},
			"&lang=zh": {"<language>zh-CN</language>", "<title>检索：通知 · 邸报</title>"},
			"&lang=en": {"<language>en</language>", "<title>Search: 通知 · 邸报</title>", "&amp;lang=en"},
		} {
			got := s.Read("/search/feed.xml?q=" + url.QueryEscape("通知") + query)
			for _, w := range want {
				if !strings.Contains(got, w) {
					t.Errorf("%q: no %s in\n%s", query, w, got)
				}
			}
		}
		if page := s.Read("/search?lang=en&q=" + url.QueryEscape("通知")); !strings.Contains(page, "&amp;lang=en\"") {
			t.Error("the English page does not link to its feed in English")
		}
	})
}

// No feed contains the full text of a source that has not permitted it.
func TestFeedTextByLicence(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := sitetest.New(t, db)
		s.Add(1, 2, func(id int) (int, string) { return id, "国防" })
		for _, f := range publish.Formats {
			if n := strings.Count(s.Read("/feed"+f.Suffix), "正文"); n != 1 {
				t.Errorf("%s holds %d texts, want 1", f.Name, n)
			}
		}
	})
}
