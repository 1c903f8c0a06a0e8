package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dibao/cmd/dibao/demo"
	"dibao/cmd/dibao/view"
	"dibao/feed"
	"dibao/internal/config"
	"dibao/internal/redact"
)

// expectedSeed is the right result for the real page of 2011.
type expectedSeed struct {
	Article struct {
		Title        string   `json:"title"`
		Published    string   `json:"published"`
		Source       *string  `json:"source"`
		AuthorName   *string  `json:"author_name"`
		AuthorOffice string   `json:"author_office"`
		IssuingBody  string   `json:"issuing_body"`
		Kind         string   `json:"kind"`
		Paragraphs   []string `json:"paragraphs"`
		Byline       string   `json:"byline"`
		Cited        []struct {
			Title   string   `json:"title"`
			Issuers []string `json:"issuers"`
			Status  string   `json:"status"`
		} `json:"cited_documents"`
	} `json:"article"`
	List struct {
		Rows []struct{ Published, Title, Href string } `json:"rows"`
	} `json:"list"`
}

// TestSeed collects the real page over HTTP and compares what was stored, field by field.
// Not compared yet: relative_dates (今年2月19日 → 2011-02-19).
func TestSeed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "shared", "data", "seed")
	raw, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Skipf("the shared test data is not beside this checkout: %v", err)
	}
	var want expectedSeed
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	url := "sqlite:" + filepath.Join(t.TempDir(), "seed.db")
	s, err := demoOnce(t, demo.Options{Site: dir}, url)
	if err != nil {
		t.Fatal(err)
	}
	if s.Articles != 12 || len(s.Warnings) != 11 || len(s.Errors) != 0 {
		t.Fatalf("%d articles, %d warnings, errors %q; want 12, 11 (dead links) and none", s.Articles, len(s.Warnings), s.Errors)
	}
	c, err := config.Load("", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	c.Database.URL = redact.Address(url)
	a, err := openApp(t.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	stored, err := a.articles.ArticlesWithText(t.Context(), feed.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(stored) // oldest first; the list begins with the newest
	for i, row := range slices.Backward(want.List.Rows) {
		got := stored[len(want.List.Rows)-1-i]
		if got.Title() != row.Title || got.Facts.PublishedOn.String() != row.Published {
			t.Errorf("row %d: got %s %s, want %s %s", i, got.Facts.PublishedOn, got.Title(), row.Published, row.Title)
		}
	}
	got := stored[len(stored)-1]
	f, w := got.Facts, want.Article
	for _, x := range []struct{ field, got, want string }{
		{"title", f.Title, w.Title},
		{"published", f.PublishedOn.String(), w.Published},
		{"published from", f.PublishedFrom, "div.info 时间"},
		{"author office", f.AuthorOffice, w.AuthorOffice},
		{"issuing body", f.AuthorBody, w.IssuingBody},
		{"kind", string(f.Kind), w.Kind},
		{"by-line", f.Byline, w.Byline},
		{"page", string(got.PageState), string(feed.PageComplete)},
	} {
		if x.got != x.want {
			t.Errorf("%s: got %q, want %q", x.field, x.got, x.want)
		}
	}
	// Unknown is null: neither "未知" nor an office counts as a name.
	if v := view.OfArticle(got); v.FactsView.Source != nil || v.Author != nil {
		t.Errorf("source %v and author %v, want null", v.FactsView.Source, v.Author)
	}
	if !slices.Equal(f.Paragraphs, w.Paragraphs) {
		t.Errorf("%d paragraphs, want %d, or they differ:\n%q", len(f.Paragraphs), len(w.Paragraphs), f.Paragraphs)
	}
	for i, c := range w.Cited {
		if i >= len(f.Citations) || f.Citations[i].Title != c.Title || f.Citations[i].Status != c.Status || !slices.Equal(f.Citations[i].Issuers, c.Issuers) && len(c.Issuers) > 0 {
			t.Errorf("citation %d: got %+v, want %+v", i, f.Citations, c)
			break
		}
	}
}
