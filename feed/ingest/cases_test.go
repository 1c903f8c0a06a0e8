package ingest

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dibao/policy"
)

// articleCase is the expected result for a page of the cases. A missing field is not
// compared; null means that the page does not state it.
type articleCase struct {
	File       string
	Published  json.RawMessage
	Source     json.RawMessage
	Author     json.RawMessage
	Title      string
	First      *string `json:"first_paragraph"`
	Files      *int    `json:"attachments"`
	Paragraphs *int
	Warning    bool
	Error      bool
	BodyNot    string `json:"body_not"`
}

// TestArticleCases reads the pages of the cases that failed: headlines, heads, bodies and
// error pages of kinds that public sites have.
func TestArticleCases(t *testing.T) {
	dir := shared(t, "cases")
	var cases []articleCase
	if err := json.Unmarshal(read(t, dir, "articles", "expected.json"), &cases); err != nil {
		t.Fatal(err)
	}
	for i := range cases {
		cases[i].File = filepath.Join("articles", cases[i].File)
	}
	var labels struct{ All articleCase }
	if err := json.Unmarshal(read(t, dir, "labels", "expected.json"), &labels); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "labels", "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no header lines: %v", err)
	}
	for _, file := range files {
		c := labels.All
		c.File = filepath.Join("labels", filepath.Base(file))
		cases = append(cases, c)
	}
	for _, c := range cases {
		t.Run(c.File, func(t *testing.T) { c.check(t, read(t, dir, c.File)) })
	}
}

func (c articleCase) check(t *testing.T, page []byte) {
	t.Helper()
	it, err := ReadArticle(Page{URL: "https://www.example.gov.cn/a/1.html", Body: page}, Source{}, Item{})
	if err != nil || c.Error {
		if (err != nil) != c.Error {
			t.Errorf("error %v, want one: %t", err, c.Error)
		}
		return
	}
	f := policy.Understand(it.Evidence)
	if c.Title != "" && f.Title != c.Title {
		t.Errorf("title %q, want %q", f.Title, c.Title)
	}
	published := f.PublishedOn.String()
	if !f.PublishedAt.IsZero() {
		published = f.PublishedAt.Format(time.RFC3339)
	}
	for _, x := range []struct {
		what, got string
		want      json.RawMessage
		prefix    bool
	}{{"published", published, c.Published, true}, {"source", f.Credit, c.Source, false}, {"author", f.Author, c.Author, false}} {
		var want *string
		if x.want == nil || json.Unmarshal(x.want, &want) != nil {
			continue
		}
		if want == nil && x.got != "" || want != nil && x.got != *want && !(x.prefix && strings.HasPrefix(x.got, *want)) {
			t.Errorf("%s %q, want %s", x.what, x.got, x.want)
		}
	}
	if c.First != nil && (len(f.Paragraphs) == 0 || f.Paragraphs[0] != *c.First) {
		t.Errorf("paragraphs %q, the first should be %q", f.Paragraphs, *c.First)
	}
	if c.Files != nil && len(it.Attachments) != *c.Files {
		t.Errorf("attachments %+v, want %d", it.Attachments, *c.Files)
	}
	if c.Paragraphs != nil && len(f.Paragraphs) != *c.Paragraphs || c.Warning && len(it.Warnings) == 0 {
		t.Errorf("paragraphs %q, warnings %q", f.Paragraphs, it.Warnings)
	}
	if c.BodyNot != "" && slices.ContainsFunc(f.Paragraphs, func(p string) bool { return strings.Contains(p, c.BodyNot) }) {
		t.Errorf("paragraphs %q hold %q", f.Paragraphs, c.BodyNot)
	}
}
