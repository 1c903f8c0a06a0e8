package digest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dibao/digest/pages"
	"dibao/feed/site"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/web"
	"dibao/subscribers"
)

// The feeds and the calendar of a list are in the language of the list.
func TestFeedsFollowTheLanguageOfTheList(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		for slug, language := range map[string]string{"weekly": "zh", "english": "en"} {
			must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: slug, Title: slug, Language: language, Sender: "dibao@test.example"}))
		}
		cache, mux := &web.Cache{}, http.NewServeMux()
		feeds := &site.Web{Store: w.articles, Cache: cache, SiteName: "邸报", BaseURL: "http://127.0.0.1:8080", Zone: time.UTC, Logger: quiet}
		(&pages.Web{Service: w.service, Lists: w.readers, Feeds: feeds, Cache: cache}).Register(mux)
		for path, want := range map[string]string{
			"/lists/weekly/feed.xml": "<language>zh-CN</language>", "/lists/english/feed.xml": "<language>en</language>",
			"/lists/english/feed.atom": `xml:lang="en"`, "/lists/english/feed.json": `"language": "en"`, "/lists/english/calendar.ics": "PRODID:-//dibao//policy calendar//EN",
		} {
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
			if body := rec.Body.String(); rec.Code != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: %d, no %s in\n%s", path, rec.Code, want, body)
			}
		}
	})
}
