package ingest

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dibao/policy"
	"dibao/policy/when"
)

// TestOwnArticleCases reads article pages of many systems (WeChat, SiteWeaver, DedeCMS,
// EmpireCMS, WordPress, Drupal, ASP.NET, Next, TRS), with many forms of heads, headlines,
// attachments and controls. Each was labeled before it was first read.
func TestOwnArticleCases(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("testdata", "articles")
	var all []struct {
		File, Title, At, Source, Author string
		Lines, Files                    int
		Fails, Warns                    bool
	}
	if err := json.Unmarshal(read(t, dir, "expected.json"), &all); err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		t.Run(want.File, func(t *testing.T) {
			it, err := ReadArticle(Page{URL: "https://www.own.example/a/1.html", Body: read(t, dir, want.File)}, Source{}, Item{})
			if (err != nil) != want.Fails {
				t.Fatalf("error %v, want one: %t", err, want.Fails)
			}
			if want.Fails {
				return
			}
			f := policy.Understand(it.Evidence)
			at := f.PublishedOn.String()
			if !f.PublishedAt.IsZero() {
				at = f.PublishedAt.In(when.Shanghai).Format(time.RFC3339)
			}
			for _, x := range [][3]string{{"title", f.Title, want.Title}, {"source", f.Credit, want.Source}, {"author", f.Author, want.Author}} {
				if x[1] != x[2] {
					t.Errorf("%s %q, want %q", x[0], x[1], x[2])
				}
			}
			if !strings.HasPrefix(at, want.At) {
				t.Errorf("published %q, want %q", at, want.At)
			}
			if len(f.Paragraphs) != want.Lines || len(it.Attachments) != want.Files || want.Warns && len(it.Warnings) == 0 {
				t.Errorf("%d lines %q, %d files %v, warnings %q", len(f.Paragraphs), f.Paragraphs, len(it.Attachments), it.Attachments, it.Warnings)
			}
		})
	}
}
