package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"dibao/cmd/dibao/demo"
	"dibao/feed/publish"
	"dibao/feed/publish/feedtest"
	"dibao/internal/database/databasetest"
)

// demoSite runs the demo and calls f while its site is running.
func demoSite(t *testing.T, f func(base string)) {
	t.Helper()
	demoSiteOn(t, "sqlite:"+filepath.Join(t.TempDir(), "demo.db"), f)
}

// demoSiteOn is demoSite on a given database.
func demoSiteOn(t *testing.T, database string, f func(base string)) {
	t.Helper()
	called := false
	if _, err := demoOnce(t, demo.Options{Subscribers: 1, AfterSteps: func(d *demo.Demo) {
		called = true
		f(d.Config.Server.BaseURL)
	}}, database); err != nil {
		t.Fatal(err)
	}
	if !called {
		t.Fatal("the demo did not get that far")
	}
}

func getFrom(t *testing.T, address string) (*http.Response, []byte) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, b
}

// Everything that the demo publishes is valid: every feed by the rules of the public
// validator, the API by its own description, the rest by its format.
func TestDemoPublishesWhatIsValid(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(testing.TB) string{"SQLite": databasetest.SQLite, "PostgreSQL": databasetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			demoSiteOn(t, database(t), func(base string) { checkPublished(t, base) })
		})
	}
}

func checkPublished(t *testing.T, base string) {
	t.Helper()
	paths := []string{"/", "/lists/weekly/", "/sources/1/", "/sources/2/", "/themes/" + url.PathEscape("民政、扶贫、救灾") + "/", "/search/"}
	_, body := getFrom(t, base+"/api/v1/articles?limit=100")
	var articles struct {
		Data []struct {
			Number  *string `json:"document_number"`
			Region  *string `json:"region"`
			Issuers []string
		}
	}
	if err := json.Unmarshal(body, &articles); err != nil || len(articles.Data) < 5 {
		t.Fatalf("%d articles, %v", len(articles.Data), err)
	}
	for _, a := range articles.Data {
		for _, issuer := range a.Issuers {
			paths = append(paths, "/issuers/"+url.PathEscape(issuer)+"/")
		}
		if a.Number != nil {
			paths = append(paths, "/documents/"+url.PathEscape(*a.Number)+"/", "/documents/"+url.PathEscape(*a.Number)+"/chain/")
		}
		if a.Region != nil {
			paths = append(paths, "/regions/"+*a.Region+"/")
		}
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		var first []string
		for _, f := range publish.Formats {
			address := base + path + "feed" + f.Suffix
			if path == "/search/" {
				address += "?q=" + url.QueryEscape("养老")
			}
			res, body := getFrom(t, address)
			if res.StatusCode != 200 {
				t.Errorf("%s: %d", address, res.StatusCode)
				continue
			}
			if p := feedtest.Validate(f.Name, address, body); len(p) > 0 {
				t.Errorf("%s: %v", address, p)
			}
			parsed, err := gofeed.NewParser().Parse(bytes.NewReader(body))
			if err != nil {
				t.Errorf("%s: %v", address, err)
				continue
			}
			var ids []string
			for _, it := range parsed.Items {
				ids = append(ids, it.GUID+" "+it.Title+" "+it.Link)
			}
			if first == nil {
				first = ids
			}
			if !slices.Equal(ids, first) {
				t.Errorf("%s holds other items than its neighbors", address)
			}
		}
	}
	checkAPI(t, base)
	for path, want := range map[string]string{"/opml": "xmlUrl=", "/sitemap.xml": "/sitemaps/articles-1.xml", "/sitemaps/site.xml": "/lists/weekly/", "/sitemaps/articles-1.xml": "<lastmod>", "/sitemaps/documents-1.xml": "/documents/", "/robots.txt": "Sitemap: ", "/calendar.ics": "BEGIN:VCALENDAR", "/lists/weekly/calendar.ics": "BEGIN:VEVENT"} {
		res, body := getFrom(t, base+path)
		if res.StatusCode != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d\n%.500s", path, res.StatusCode, body)
		}
		if strings.Contains(res.Header.Get("Content-Type"), "xml") || path == "/opml" {
			var any struct{ XMLName xml.Name }
			if err := xml.Unmarshal(body, &any); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

// checkAPI requests everything that the API's description names and validates the responses.
func checkAPI(t *testing.T, base string) {
	t.Helper()
	_, raw := getFrom(t, base+"/api/openapi.json")
	described, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.json", described); err != nil {
		t.Fatal(err)
	}
	check := func(path string, status int, name string) {
		t.Helper()
		res, body := getFrom(t, base+path)
		if res.StatusCode != status {
			t.Errorf("%s: %d, want %d: %s", path, res.StatusCode, status, body)
			return
		}
		schema, err := c.Compile("openapi.json#/components/schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err == nil {
			err = schema.Validate(answer)
		}
		if err != nil {
			t.Errorf("%s is not as described: %v\n%.500s", path, err, body)
		}
		if res.Header.Get("Access-Control-Allow-Origin") != "*" || status == 200 && res.Header.Get("ETag") == "" {
			t.Errorf("%s: header %v", path, res.Header)
		}
	}
	check("/api/v1/articles", 200, "Articles")
	check("/api/v1/articles?theme="+url.QueryEscape("民政、扶贫、救灾"), 200, "Articles")
	check("/api/v1/articles/1", 200, "Article")
	check("/api/v1/documents", 200, "Documents")
	check("/api/v1/documents/1", 200, "Document")
	check("/api/v1/relations", 200, "Relations")
	check("/api/v1/lists", 200, "Lists")
	check("/api/v1/lists/weekly", 200, "List")
	check("/api/v1/issues?list=weekly", 200, "Issues")
	check("/api/v1/issues/weekly/1", 200, "Issue")
	check("/api/v1/articles?source=1", 200, "Articles")
	check("/api/v1/articles?region="+url.QueryEscape("四川省"), 200, "Articles")
	check("/api/v1/documents?level=province&region=51", 200, "Documents")
	check("/api/v1/relations?kind="+url.QueryEscape("提到"), 200, "Relations")
	for _, path := range []string{
		"/api/v1/articles?source=abc", "/api/v1/articles?source=0", "/api/v1/articles?region=zz", "/api/v1/articles?number=zz", "/api/v1/documents?level=foo",
		"/api/v1/documents?region=zz", "/api/v1/relations?kind=foo", "/api/v1/articles?limit=0", "/api/v1/articles?limit=1000", "/api/v1/articles?cursor=-", "/api/v1/articles?theme=x&region=44", "/api/v1/issues",
	} {
		check(path, 400, "Problem")
	}
	for _, path := range []string{"/api/v1/articles/0", "/api/v1/articles/x", "/api/v1/documents/x", "/api/v1/lists/x", "/api/v1/issues?list=x", "/api/v1/issues/weekly/9"} {
		check(path, 404, "Problem")
	}
	// Over all pages each article occurs once.
	seen := make(map[string]int)
	for next := "/api/v1/articles?limit=7"; next != ""; {
		res, body := getFrom(t, base+next)
		var page struct{ Data []struct{ URL string } }
		if err := json.Unmarshal(body, &page); err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Data {
			seen[a.URL]++
		}
		next = ""
		if m := regexp.MustCompile(`<` + regexp.QuoteMeta(base) + `([^>]+)>; rel="next"`).FindStringSubmatch(res.Header.Get("Link")); m != nil {
			next = m[1]
		}
	}
	for u, n := range seen {
		if n != 1 {
			t.Errorf("%s comes %d times", u, n)
		}
	}
	if len(seen) < 20 {
		t.Errorf("%d articles", len(seen))
	}
}

// Whatever strangers request, nothing breaks, none of their input is returned as markup,
// nothing of the database is revealed, and memory does not grow.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	const script = `<script>alert(1)</script>`
	demoSite(t, func(base string) {
		random := rand.New(rand.NewPCG(6, 2026))
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		pieces := []string{"", "/", "feed.xml", "feed.atom", "feed.json", "feed", "calendar.ics", "articles", "documents", "themes", "regions", "issuers", "sources", "lists", "weekly", "issues", "search", "api", "v1",
			"sitemaps", "sitemap.xml", "opml", "hub", "u", "confirm", "preferences", "subscribe", "static", "chain", "changes", "websub", "1", "2", "-1", "99999999999999999999", "0x1", "..", "%2e%2e", "%00", "%ff%fe", "%0d%0aX-Evil:1",
			url.PathEscape(script), url.PathEscape("' OR 1=1 --"), url.PathEscape("民政"), url.PathEscape("国发〔2026〕1号"), url.PathEscape(strings.Repeat("长", 300)), "%25", "%5c", ";", "*", "robots.txt", ".well-known", "security.txt", "healthz", "readyz"}
		values := []string{"", "1", "-1", "x", script, "' OR 1=1 --", "\"><img src=x onerror=alert(1)>", "养老", strings.Repeat("长", 500), "\x00", "\xff", "a\r\nb", "\"", "*", "NEAR(", "theme:", "-", "OR OR OR", "9223372036854775807", "year:9999999999", "after:2026-13-45"}
		keys := []string{"q", "page", "lang", "limit", "cursor", "theme", "region", "issuer", "number", "source", "list", "before", "after", "kind", "hub.mode", "hub.topic", "address", "started", script}
		headers := []string{"If-None-Match", "If-Modified-Since", "Accept", "Accept-Encoding", "Accept-Language", "Range", "X-Forwarded-For", "Origin", "Cookie", "Content-Type"}
		pick := func(from []string) string { return from[random.IntN(len(from))] }
		ask := func() {
			path := ""
			for range 1 + random.IntN(5) {
				path += "/" + pick(pieces)
			}
			q := make(url.Values)
			for range random.IntN(3) {
				q.Add(pick(keys), pick(values))
			}
			method, body := "GET", ""
			if random.IntN(5) == 0 {
				method, body = pick([]string{"POST", "HEAD", "PUT", "OPTIONS", "DELETE", "PATCH"}), q.Encode()
			}
			req, err := http.NewRequestWithContext(t.Context(), method, base+path+"?"+q.Encode(), strings.NewReader(body))
			if err != nil {
				return // not an address
			}
			for range random.IntN(3) {
				value := strings.Map(func(r rune) rune {
					if r < ' ' {
						return -1
					}
					return r
				}, pick(values))
				req.Header.Set(pick(headers), value)
			}
			if method == "POST" && random.IntN(2) == 0 {
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			res, err := client.Do(req)
			if err != nil {
				t.Errorf("%s %s: %v", method, req.URL, err)
				return
			}
			defer res.Body.Close()
			answer, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
			if err != nil {
				t.Errorf("%s %s: %v", method, req.URL, err)
			}
			if res.StatusCode >= 500 && res.StatusCode != http.StatusNotImplemented {
				t.Errorf("%s %s: %d\n%.300s", method, req.URL, res.StatusCode, answer)
			}
			text := string(answer)
			if strings.Contains(text, script) || strings.Contains(text, "<img src=x") && !strings.Contains(res.Header.Get("Content-Type"), "json") || res.Header.Get("X-Evil") != "" {
				t.Errorf("%s %s reflects what was sent:\n%.300s", method, req.URL, text)
			}
			for _, leak := range []string{"SQL", "syntax error", "sqlite", "pgx", "goroutine ", ".go:"} {
				if strings.Contains(text, leak) && !strings.Contains(res.Header.Get("Content-Type"), "xml") {
					t.Errorf("%s %s shows %q:\n%.300s", method, req.URL, leak, text)
				}
			}
		}
		for range 1000 { // until caches are warm
			ask()
		}
		before := heap()
		for range 4000 {
			ask()
		}
		if after := heap(); after > before+48<<20 { // the cache may still grow to its limit
			t.Errorf("the heap grew from %d to %d MB", before>>20, after>>20)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
