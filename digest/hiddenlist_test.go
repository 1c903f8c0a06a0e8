package digest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"dibao/digest/pages"
	"dibao/feed/hub"
	"dibao/feed/site"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/redact"
	"dibao/internal/trust"
	"dibao/internal/web"
	"dibao/subscribers"
)

// This was once a bug: anybody who guessed the name of a hidden list could read its page,
// issues, feeds and calendar. Now every address with the name of a list that is not public
// answers as for a list that does not exist, unless it contains the key of the list.
func TestListThatIsNotPublicNeedsItsSecretAddress(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		hidden := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "cadre", Title: "保密列表", Visibility: subscribers.Hidden}))
		club := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "club", Title: "会员列表", Visibility: subscribers.Invitation}))
		public := w.list("weekly", subscribers.Query{})
		w.reader("a", hidden, club, public)
		w.article("甲通知")
		w.week()
		w.composeDue()
		w.deliver()
		mux := http.NewServeMux()
		cache := &web.Cache{}
		feeds := &site.Web{Store: w.articles, Cache: cache, SiteName: "邸报", BaseURL: "http://127.0.0.1:8080", Zone: time.UTC, Logger: quiet}
		feeds.Register(mux)
		(&pages.Web{Service: w.service, Lists: w.readers, Feeds: feeds, Cache: cache}).Register(mux)
		(&hub.Hub{Store: w.articles, Site: mux, BaseURL: "http://127.0.0.1:8080", Logger: quiet}).Register(mux)
		get := func(path string) (int, string) {
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
			return rec.Code, rec.Body.String()
		}
		routes := []string{"", "issues/", "issues/1", "feed.xml", "feed.atom", "feed.json", "feed.xml?page=1", "calendar.ics", "?before=5", "issues/?before=5"}
		asked, shown := 0, 0
		for _, l := range []subscribers.List{hidden, club} {
			for _, route := range routes {
				if code, body := get(l.Path() + route); code != 200 && !strings.Contains(route, "page=") && !strings.Contains(route, "?before") {
					t.Errorf("%s%s: %d %s", l.Path(), route, code, body)
				}
				wantCode, wantBody := get("/lists/nothing/" + route)
				for _, name := range []string{l.Slug, l.Slug + "~", l.Slug + "~" + strings.Repeat("a", len(l.PageKey)), l.Slug + "~" + public.PageKey, l.Slug + "~" + strings.ToUpper(l.PageKey), l.Slug + "%7E"} {
					asked++
					if code, body := get("/lists/" + name + "/" + route); code != wantCode || body != wantBody || code != 404 {
						shown++
						t.Errorf("/lists/%s/%s: %d %q, want the answer of a list that does not exist: %d %q", name, route, code, body, wantCode, wantBody)
					}
				}
			}
			for _, path := range []string{"/api/v1/lists/" + l.Slug, "/api/v1/issues?list=" + l.Slug, "/api/v1/issues/" + l.Slug + "/1"} {
				wantCode, wantBody := get(strings.Replace(path, l.Slug, "nothing", 1))
				if code, body := get(path); code != wantCode || body != wantBody {
					t.Errorf("%s: %d %q, want %d %q", path, code, body, wantCode, wantBody)
				}
			}
			for _, path := range []string{"/", "/lists/", "/opml", "/sitemap.xml", "/sitemaps/site.xml", "/api/v1/lists", "/search?q=甲通知", "/feed.xml", "/calendar.ics", "/lists/weekly/", "/articles/1"} {
				if _, body := get(path); strings.Contains(body, l.Slug) || strings.Contains(body, l.Title) {
					t.Errorf("%s names the list %s", path, l.Slug)
				}
			}
			if _, body := get(l.Path()); !strings.Contains(body, "noindex") {
				t.Errorf("the page of %s may be indexed", l.Slug)
			}
			if m := strings.Join(w.to("a"), ""); strings.Contains(m, "/lists/"+l.Slug+"/") {
				t.Errorf("an email links to %s without its key", l.Slug)
			}
			if shown := redact.Path(l.Path() + "feed.xml"); strings.Contains(shown, l.PageKey) {
				t.Errorf("a log shows %s", shown)
			}
		}
		trust.Report(t, "answers that show a list that is not public", "%d of %d", shown, asked)
		// A hub accepts a topic only with the key, and after a new address not with the old
		// one.
		hub := func(path string) int {
			form := url.Values{"hub.mode": {"subscribe"}, "hub.topic": {"http://127.0.0.1:8080" + path}, "hub.callback": {"https://reader.example.org/hook"}}
			r := httptest.NewRequest(http.MethodPost, "/hub", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, web.WithClient(r, netip.MustParseAddr("127.0.0.1")))
			return rec.Code
		}
		if got := []int{hub("/lists/nothing/feed.xml"), hub("/lists/cadre/feed.xml"), hub(hidden.Path() + "feed.xml")}; got[0] == got[2] || got[0] != got[1] || got[2] != http.StatusAccepted {
			t.Errorf("the hub answers %v for a list that does not exist, a hidden one without its key, and with it", got)
		}
		renewed := must[subscribers.List](t)(w.readers.RenewPageKey(t.Context(), hidden.ID))
		for _, route := range routes[:6] {
			if code, _ := get(hidden.Path() + route); code != 404 {
				t.Errorf("the old address, %s: %d", route, code)
			}
			if code, _ := get(renewed.Path() + route); code != 200 {
				t.Errorf("the new address, %s: %d", route, code)
			}
		}
		// A list that was made public is found by its name; its secret address stays valid.
		renewed.Visibility = subscribers.Public
		open := must[subscribers.List](t)(w.readers.UpdateList(t.Context(), renewed))
		for _, path := range []string{open.Path(), fmt.Sprintf("/lists/%s~%s/", open.Slug, open.PageKey)} {
			if code, _ := get(path); code != 200 {
				t.Errorf("%s of a public list: %d", path, code)
			}
		}
	})
}
