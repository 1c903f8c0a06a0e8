package ingest

import (
	"dibao/feed/ingest/sanitize"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// seeds adds the sample files with these names, and the given extras, to a fuzzer.
func seeds(f *testing.F, pattern string, extra ...string) {
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		f.Fatalf("no samples for %s: %v", pattern, err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "")
	}
	for _, s := range extra {
		f.Add([]byte(s), "text/html; charset=gb2312")
	}
}

// checkItem checks the properties that every item must have.
func checkItem(t *testing.T, it Item) {
	t.Helper()
	if it.GUID == "" || !utf8.ValidString(it.GUID+it.URL+it.Title+it.HTML) || utf8.RuneCountInString(it.Title) > maxTitle {
		t.Errorf("item %+v", it)
	}
	if again := sanitize.Clean(it.HTML, it.URL); again != it.HTML {
		t.Errorf("sanitizing again changes %q to %q", it.HTML, again)
	}
}

func FuzzReadFeed(f *testing.F) {
	seeds(f, "feed.*", "<rss><channel><item><title>一", `{"version":"https://jsonfeed.org/version/1","items":[{}]}`, "\xff\xfe<\x00", `<feed xml:base="http://[">`)
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		items, err := feedReader{}.Read(Page{URL: "http://site.test/f", ContentType: contentType, Body: body}, Source{})
		if err != nil {
			return
		}
		for _, it := range items {
			checkItem(t, it)
		}
	})
}

func FuzzReadPage(f *testing.F) {
	seeds(f, "*.html", "<ul><li><a href=x>关于某事的通知</a>2023-01-01", "<base href='//['><a href=?>", "<div id=zoom><table><tr><td>",
		`<script type="text/xml"><record><![CDATA[<li><a href=1>关于某事的通知</a>2024-01-01</li>]]></record></script>`, `<dl><dt><a href="#" onclick="location='x'">关于某事</a></dt><dd>[2024-1-1]`)
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		p := Page{URL: "http://site.test/a/", ContentType: contentType, Body: body}
		if items, err := (pageReader{}).Read(p, Source{}); err == nil {
			for _, it := range items {
				checkItem(t, it)
			}
		}
		if selector := ProposeList(p, Source{}); selector != "" {
			if _, err := (pageReader{}).Read(p, Source{Settings: Settings{Item: selector}}); err != nil {
				t.Errorf("the proposed selector %q: %v", selector, err)
			}
		}
		NextPage(p, Source{})
		Discover(p)
		if it, err := ReadArticle(p, Source{}, Item{GUID: "g", URL: p.URL}); err == nil {
			checkItem(t, it)
		}
	})
}
