package samplesite

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"dibao/feed/ingest"
	"dibao/feed/ingest/decode"
)

func get(t *testing.T, site *Site, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://site.test"+path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	site.Handler.ServeHTTP(w, r)
	return w
}

// TestEmbedded follows every source of the sample site as a collector would.
func TestEmbedded(t *testing.T) {
	now := time.Date(2024, 3, 1, 8, 0, 0, 0, time.UTC)
	site, err := Embedded(now)
	if err != nil {
		t.Fatal(err)
	}
	articles, gb := 0, 0
	for _, src := range site.Sources {
		w := get(t, site, src.URLPath)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d", src.URLPath, w.Code)
		}
		in := ingest.Source{Name: src.Name, Settings: src.Settings}
		p := ingest.Page{URL: "http://site.test" + src.URLPath, ContentType: w.Header().Get("Content-Type"), Body: w.Body.Bytes()}
		items, err := ingest.Kinds[src.Kind].Read(p, in)
		if err != nil || len(items) == 0 {
			t.Fatalf("%s: %d items, %v", src.URLPath, len(items), err)
		}
		if again := get(t, site, src.URLPath, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s: status %d for an unchanged page", src.URLPath, again.Code)
		}
		for _, it := range items {
			articles++
			u, err := url.Parse(it.URL)
			if err != nil {
				t.Fatal(err)
			}
			w := get(t, site, u.Path)
			if w.Code != http.StatusOK {
				t.Errorf("%s: status %d", u.Path, w.Code)
				continue
			}
			page := ingest.Page{URL: it.URL, ContentType: w.Header().Get("Content-Type"), Body: w.Body.Bytes()}
			text, charset := decode.Text(page.Body, page.ContentType, "")
			if !strings.HasPrefix(charset, "utf-8") {
				gb++
			}
			if !strings.Contains(text, "样例") {
				t.Errorf("%s doesn't say that it is a sample", u.Path)
			}
			read, err := ingest.ReadArticle(page, in, it)
			if err != nil || read.Title == "" || len(read.Evidence.Paragraphs) == 0 {
				t.Errorf("%s: %+v, %v", u.Path, read.Evidence, err)
			}
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(text))
			if err != nil || doc.Find("body").Length() != 1 {
				t.Errorf("%s: %v", u.Path, err)
			}
		}
	}
	if articles != 31 || gb == 0 {
		t.Errorf("%d articles, %d of them in GB2312", articles, gb)
	}
}

func TestBreak(t *testing.T) {
	site, err := Embedded(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	site.Break(site.Sources[0].URLPath, http.StatusForbidden)
	if got := get(t, site, site.Sources[0].URLPath).Code; got != http.StatusForbidden {
		t.Errorf("broken path: %d", got)
	}
	if got := get(t, site, site.Sources[1].URLPath).Code; got != http.StatusOK {
		t.Errorf("another path: %d", got)
	}
	site.Break("", http.StatusInternalServerError)
	if got := get(t, site, site.Sources[1].URLPath).Code; got != http.StatusInternalServerError {
		t.Errorf("every path: %d", got)
	}
	if got := get(t, site, "/nothing").Code; got != http.StatusInternalServerError {
		t.Errorf("no path: %d", got)
	}
}

func TestOpen(t *testing.T) {
	const good = `{"now":"2011-06-24T09:00:00+08:00","list":"/l","pages":{"/l":"list.html"}}`
	tests := []struct{ name, conf, want string }{
		{"Good", good, ""},
		{"NoFile", "", "needs a site.json"},
		{"NoJSON", "{", "unexpected end"},
		{"NoClock", `{"list":"/l","pages":{"/l":"list.html"}}`, `"now" is missing`},
		{"NoList", `{"now":"2011-06-24T09:00:00+08:00","list":"/x","pages":{"/l":"list.html"}}`, "maps to no file"},
		{"Lists", `{"now":"2011-06-24T09:00:00+08:00","list":"/l","lists":["/x"],"pages":{"/l":"list.html"}}`, `all paths in "lists"`},
		{"Outside", `{"now":"2011-06-24T09:00:00+08:00","list":"/l","pages":{"/l":"../list.html"}}`, "is not allowed"},
		{"Relative", `{"now":"2011-06-24T09:00:00+08:00","list":"l","pages":{"l":"list.html"}}`, "is not allowed"},
		{"Missing", `{"now":"2011-06-24T09:00:00+08:00","list":"/l","pages":{"/l":"other.html"}}`, "page /l"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			files := map[string]string{"list.html": "<p>页", "site.json": tt.conf}
			for name, text := range files {
				if text == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			site, err := Open(dir)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want …%s…", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if w := get(t, site, "/l"); w.Body.String() != "<p>页" || w.Header().Get("Content-Type") != "text/html" {
				t.Errorf("got %q as %q", w.Body, w.Header())
			}
			if w := get(t, site, "/dead"); w.Code != http.StatusNotFound {
				t.Errorf("dead link: %d", w.Code)
			}
		})
	}
}
