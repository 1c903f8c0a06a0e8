package digest_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dibao/digest/pages"
	"dibao/feed/site"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/web"
	"dibao/subscribers"
)

// TestPagesGoOn follows the home page, a list and its archive to their ends: each article
// and issue occurs once, newest first.
func TestPagesGoOn(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.reader("a", l)
		const issues, each = 15, 3
		for i := range issues {
			for k := range each {
				w.article(fmt.Sprintf("第%d期第%d件通知", i+1, k+1))
			}
			w.week()
			w.composeDue()
		}
		cache := &web.Cache{}
		mux := http.NewServeMux()
		feeds := &site.Web{Store: w.articles, Cache: cache, SiteName: "邸报", BaseURL: "http://127.0.0.1:8080", Zone: time.UTC, Logger: quiet}
		(&pages.Web{Service: w.service, Lists: w.readers, Feeds: feeds, Cache: cache}).Register(mux)
		get := func(path string) *goquery.Document {
			t.Helper()
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
			if rec.Code != http.StatusOK {
				t.Fatalf("%s: %d", path, rec.Code)
			}
			return must[*goquery.Document](t)(goquery.NewDocumentFromReader(rec.Body))
		}
		follow := func(path, what, next string) (seen []string) {
			t.Helper()
			for pages := 0; path != ""; pages++ {
				if pages > 20 {
					t.Fatalf("%s does not end", path)
				}
				doc := get(path)
				doc.Find(what).Each(func(_ int, s *goquery.Selection) { seen = append(seen, strings.TrimSpace(s.Text())) })
				path, _ = doc.Find(next).Attr("href")
			}
			return seen
		}
		for path, what := range map[string]string{"/?lang=zh": "main .items .item h3 a", "/lists/weekly/?lang=zh": "main .main .item h3 a"} {
			seen := follow(path, what, ".pager a[rel=next]")
			if len(seen) != issues*each || seen[0] != "第15期第3件通知" || seen[len(seen)-1] != "第1期第1件通知" {
				t.Errorf("%s shows %d articles: %q", path, len(seen), seen)
			}
		}
		if seen := follow("/lists/weekly/issues/?lang=zh", ".issues .no", ".pager a[rel=next]"); len(seen) != issues || seen[0] != "第 15 期" {
			t.Errorf("the archive shows %q", seen)
		}
		doc := get("/lists/weekly/?lang=zh")
		more, _ := doc.Find(".side a[rel=next]").Attr("href")
		if n := doc.Find(".issues .no").Length(); n != 12 || more != "/lists/weekly/issues/?before=4&lang=zh" {
			t.Errorf("the list shows %d issues and then %q", n, more)
		}
		if seen := follow(more, ".issues .no", ".pager a[rel=next]"); len(seen) != 3 || seen[0] != "第 3 期" {
			t.Errorf("then come %q", seen)
		}
		// An issue has links to both neighbors, and its first titles are in the archive.
		doc = get("/lists/weekly/issues/7?lang=zh")
		older, _ := doc.Find("a[rel=next]").Attr("href")
		newer, _ := doc.Find("a[rel=prev]").Attr("href")
		if !strings.HasSuffix(older, "/issues/6?lang=zh") || !strings.HasSuffix(newer, "/issues/8?lang=zh") {
			t.Errorf("issue 7 stands between %q and %q", older, newer)
		}
		if lead := get("/lists/weekly/issues/?before=8&lang=zh").Find(".issues .lead").First().Text(); strings.Count(lead, " · ") != 2 || !strings.Contains(lead, "第7期第1件通知") {
			t.Errorf("the lead of issue 7 is %q", lead)
		}
		// An issue that waits for an admin is not shown anywhere.
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE issues SET held = 1 WHERE number = 15`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.advance(time.Minute) // so that the cache checks again
		if seen := follow("/lists/weekly/issues/?lang=zh", ".issues .no", ".pager a[rel=next]"); len(seen) != issues-1 || seen[0] != "第 14 期" {
			t.Errorf("with issue 15 held the archive shows %q", seen)
		}
		if newer, found := get("/lists/weekly/issues/14?lang=zh").Find("a[rel=prev]").Attr("href"); found {
			t.Errorf("issue 14 is followed by %q, which is held", newer)
		}
		for _, path := range []string{"/?before=x", "/lists/weekly/?before=-1", "/lists/weekly/issues/99", "/lists/weekly/issues/15", "/lists/none/", "/lists/weekly/issues/x"} {
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
			if rec.Code != http.StatusNotFound {
				t.Errorf("%s: %d", path, rec.Code)
			}
		}
	})
}
