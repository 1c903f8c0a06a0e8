package ingest

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dibao/feed/ingest/sanitize"
	"dibao/feed/ingest/textblock"
	"dibao/policy/warn"

	"dibao/internal/costtest"
	"dibao/internal/trust"
)

// allocated returns how many MB f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) >> 20
}

// openFormatting is markup whose tree has 500 additional nodes in each block.
func openFormatting(blocks int) string {
	var b strings.Builder
	b.WriteString("<p>")
	for i := range 500 {
		fmt.Fprintf(&b, "<font a=%d>", i)
	}
	b.WriteString(strings.Repeat("<p>款", blocks))
	return b.String()
}

// TestFormattingElementsOfAPage reads an article of 46 kB that took 1.9 GB: it has its text
// and the warning.
func TestFormattingElementsOfAPage(t *testing.T) {
	page := Page{URL: "http://site.test/a.html", Body: read(t, shared(t, "cases/hostile"), "formatting-elements.html")}
	var it Item
	var err error
	used := allocated(func() { it, err = ReadArticle(page, Source{}, Item{GUID: "g", URL: page.URL}) })
	trust.Report(t, "memory of the reported page of 46 kB", "%d MB allocated", used)
	if err != nil || used > 100 {
		t.Fatalf("%v, %d MB", err, used)
	}
	if it.Title != "关于做好工作的通知" || len(it.Evidence.Paragraphs) != 10000 || !slices.ContainsFunc(it.Warnings, sanitize.TextOnly.Equal) {
		t.Errorf("title %q, %d paragraphs, warnings %q", it.Title, len(it.Evidence.Paragraphs), it.Warnings)
	}
	if _, err := (pageReader{}).Read(page, Source{}); err != errCostly {
		t.Errorf("as a list: %v", err)
	}
}

// TestFormattingElementsOfAFeed reads a feed of 166 kB that took all memory: the items are
// read as text, with a warning.
func TestFormattingElementsOfAFeed(t *testing.T) {
	type item map[string]string
	var items []item
	for i := range 12 {
		items = append(items, item{"id": fmt.Sprint(i), "url": fmt.Sprintf("http://site.test/%d", i), "title": "关于某事的通知", "content_html": openFormatting(1200)})
	}
	body, err := json.Marshal(map[string]any{"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": items})
	if err != nil {
		t.Fatal(err)
	}
	var got []Item
	used := allocated(func() {
		got, err = feedReader{}.Read(Page{URL: "http://site.test/feed.json", ContentType: "application/feed+json", Body: body}, Source{})
	})
	if err != nil || len(got) != 12 || used > 200 {
		t.Fatalf("%d bytes: %d items, %v, %d MB", len(body), len(got), err, used)
	}
	for _, it := range got {
		if len(it.Evidence.Paragraphs) != 1200 || !slices.ContainsFunc(it.Warnings, sanitize.TextOnly.Equal) {
			t.Errorf("%s: %d paragraphs, warnings %q", it.GUID, len(it.Evidence.Paragraphs), it.Warnings)
		}
	}
}

// TestRowOfManyCells checks that the time for reading a row of a table grows with its
// cells, not with their square: the row is examined once.
func TestRowOfManyCells(t *testing.T) {
	text := "<table><tr>" + strings.Repeat("<td>格", 100_000)
	if got := textblock.OfMarkup(text); len(got) != 1 || strings.Count(got[0], "格") != 100_000 {
		t.Errorf("%d blocks", len(got))
	}
}

// TestItemsBeyondTheLimitAreSaid reads the first items of a long feed and reports that
// there are more.
func TestItemsBeyondTheLimitAreSaid(t *testing.T) {
	t.Parallel()
	const item = "<item><title>通知</title><link>http://site.test/%d</link></item>"
	for _, feed := range []costtest.Seed{
		{Head: "<rss><channel><title>t</title>", Units: []string{item}, Tail: "</channel></rss>"},
		{Head: `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel><title>t</title></channel>`, Units: []string{item}, Tail: "</rdf:RDF>"},
		{Head: `<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>`, Units: []string{"<entry><title>通知</title><id>%d</id></entry>"}, Tail: "</feed>"},
	} {
		doc, err := readFeed(Page{URL: "http://site.test/", Body: feed.Input(2 * maxFeedItems * len(item))}, "", nil)
		if err != nil || len(doc.Items) != maxFeedItems || len(doc.Items[0].Warnings) == 0 || !doc.Items[0].Warnings[0].Equal(warn.New("feed-too-long", maxFeedItems)) {
			t.Errorf("%s: %d items, %v", feed.Head, len(doc.Items), err)
		}
	}
}

// TestRowsBeyondTheLimitAreReported checks that rows of a long list are not left out without a
// warning.
func TestRowsBeyondTheLimitAreReported(t *testing.T) {
	t.Parallel()
	const row = `<li><a href="/%d.html">关于印发第%d号文件的通知</a><span>2026-11-20</span>`
	page := costtest.Seed{Head: "<ul>", Units: []string{row}}.Input(12_000 * len(row))
	l, err := ReadList(Page{URL: "http://site.test/", ContentType: "text/html", Body: page}, Source{})
	said := 0
	for _, d := range l.Dropped {
		if strings.Contains(d.Reason, "more than 10,000 rows") || strings.Contains(d.Reason, "more than 2,000 rows") {
			said += d.Count
		}
	}
	if err != nil || len(l.Items) != maxFeedItems || said+len(l.Items) < 11_000 {
		t.Errorf("%d rows, %d left out: %v", len(l.Items), said, err)
	}
}
