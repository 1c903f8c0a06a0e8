package ingest

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dibao/feed/ingest/literal"
	"dibao/policy/when"
)

// casesAt is the time of fetching of the shared cases.
var casesAt = time.Date(2026, 11, 29, 12, 0, 0, 0, when.Shanghai)

// wantedList is a page of cases/lists with its rows.
type wantedList struct {
	File, URL string
	Items     []struct {
		URL, Title string
		Date       *string
	}
}

// compareList describes how a list differs from the expected one, "" if it does not.
func compareList(l List, want wantedList) string {
	var b strings.Builder
	for i := range max(len(l.Items), len(want.Items)) {
		var got, expected string
		if i < len(l.Items) {
			it := l.Items[i]
			date := it.Evidence.ListDate
			if date == "" {
				date = it.AddressDate.String()
			}
			got = fmt.Sprint(date, " ", it.Title, " ", it.URL)
		}
		if i < len(want.Items) {
			it, date := want.Items[i], ""
			if it.Date != nil {
				date = *it.Date
			}
			expected = fmt.Sprint(date, " ", it.Title, " ", it.URL)
		}
		if got != expected {
			fmt.Fprintf(&b, "\n  %d got  %s\n    want %s", i, got, expected)
		}
		if b.Len() > 900 {
			break
		}
	}
	return b.String()
}

// otherFile are pages of cases/lists whose rows are in another file: a frame and a
// redirect. The code that reads them is internal to collecting.
var otherFile = map[string]bool{"042-iframe-list.html": true, "043-meta-refresh.html": true}

// TestListCases reads every list page and list response of the shared cases without
// selectors: it expects all rows, titles and dates.
func TestListCases(t *testing.T) { readListCases(t, shared(t, "cases/lists")) }

// TestOwnListCases reads lists of the kinds that official sites, their systems
// (TRS, jcms, webplus, VSB, easysite, NFCMS, jpaas, PHPCMS, WordPress, ASP) and
// think-tanks have, with dates in every form.
func TestOwnListCases(t *testing.T) {
	t.Parallel()
	readListCases(t, filepath.Join("testdata", "lists"))
}

func readListCases(t *testing.T, dir string) {
	t.Helper()
	var all []wantedList
	if err := json.Unmarshal(read(t, dir, "expected.json"), &all); err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		t.Run(want.File, func(t *testing.T) {
			if otherFile[want.File] {
				t.Skip("its rows stand in another file")
			}
			page := Page{URL: want.URL, Body: read(t, dir, want.File), FetchedAt: casesAt}
			l, err := ReadList(page, Source{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := compareList(l, want); diff != "" {
				t.Errorf("%d rows of %d:%s\ndropped: %+v", len(l.Items), len(want.Items), diff, l.Dropped)
			}
			selector := ProposeList(page, Source{})
			if selector == "" || literal.IsJSON(page.Body) {
				return
			}
			again, err := ReadList(page, Source{Settings: Settings{Item: selector}})
			if err != nil || !sameItems(l.Items, again.Items) {
				t.Errorf("the selector %q finds %d rows, %v", selector, len(again.Items), err)
			}
		})
	}
}

// TestPagerCases finds the next page of every pager of the shared cases, or reports that
// the pager was not understood.
func TestPagerCases(t *testing.T) {
	dir := shared(t, "cases/pagers")
	files, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	const at = "https://www.pager.example/zwgk/wj/index.html"
	for _, file := range files {
		l, err := ReadList(Page{URL: at, Body: read(t, file), FetchedAt: casesAt}, Source{})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.Contains(file, "base64"):
			if l.Pager.Seen == "" {
				t.Errorf("%s: %q by %q", filepath.Base(file), l.Next, l.Pager.String())
			}
		case !strings.HasSuffix(l.Next, "/index_1.html"):
			t.Errorf("%s: %q by %q", filepath.Base(file), l.Next, l.Pager.String())
		}
	}
}
