package adminsite

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// The handbook and the reference pages are served, their links lead to existing pages or
// headings, and a page in the same style says that an address does not exist.
func TestHelp(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w := newWorld(t, db)
	base := w.serve()
	for language, words := range map[string][2]string{"zh": {"手册", "按现象排查"}, "en": {"handbook", "Troubleshoot by symptom"}} {
		seen, todo := map[string]bool{"/help/": true}, []string{"/help/"}
		for len(todo) > 0 {
			address := todo[0]
			todo = todo[1:]
			status, body := w.get(base + address + "?lang=" + language)
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
			w.must(err)
			if status != 200 || doc.Find("h1").Length() != 1 || doc.Find(".doc h2").Length() == 0 && address != "/help/metrics" && address != "/help/configuration" {
				t.Errorf("%s: status %d, %d headings", address, status, doc.Find("h1").Length())
			}
			if text := doc.Text(); address == "/help/" && (!strings.Contains(text, words[0]) || !strings.Contains(text, words[1])) {
				t.Errorf("the handbook in %s does not say %q", language, words)
			}
			if strings.Contains(body, "raw HTML omitted") {
				t.Errorf("%s: HTML in the text is left out", address)
			}
			other := strings.TrimSuffix(address, "/")
			if other == address {
				other += "/"
			}
			if status, _ := w.get(base + other + "?lang=" + language); status != 200 {
				t.Errorf("%s: status %d", other, status)
			}
			doc.Find(".doc a, .toc a").Each(func(_ int, a *goquery.Selection) {
				href := a.AttrOr("href", "")
				if id, ok := strings.CutPrefix(href, "#"); ok {
					if id, err = url.PathUnescape(id); err != nil || doc.Find("[id]").FilterFunction(func(_ int, s *goquery.Selection) bool { return s.AttrOr("id", "") == id }).Length() != 1 {
						t.Errorf("%s: no heading %s", address, href)
					}
					return
				}
				if path, _, _ := strings.Cut(href, "?"); strings.HasPrefix(path, "/") && !seen[path] {
					seen[path], todo = true, append(todo, path)
				}
			})
		}
		if len(seen) < 4 {
			t.Errorf("the handbook in %s leads to %v only", language, seen)
		}
	}
	for _, address := range []string{"/nothing", "/help/nothing", "/sources/99", "/api/status"} {
		status, body := w.get(base + address + "?lang=zh")
		if status != 404 || !strings.Contains(body, "没有这个页面") || !strings.Contains(body, `href="/help/`) {
			t.Errorf("%s: status %d\n%.300s", address, status, body)
		}
	}
	for address, want := range map[string]int{"/": 405, "/sources": 405, "/help/": 405, "/mailings/1": 405, "/nothing": 404} {
		res, err := http.Post(base+address, "text/plain", nil)
		w.must(err)
		res.Body.Close()
		if allow := res.Header.Get("Allow"); res.StatusCode != want || want == 405 && allow != "GET, HEAD" {
			t.Errorf("POST %s: status %d, Allow %q", address, res.StatusCode, allow)
		}
	}
}
