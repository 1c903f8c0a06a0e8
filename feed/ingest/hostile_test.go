package ingest

import (
	"bytes"
	"compress/gzip"
	"dibao/feed/ingest/weburl"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"dibao/policy/when"
)

// TestHostileFeeds reads every hostile or broken feed of the shared data: it checks that
// the result is the noted one, within a second, and that no item can do harm.
func TestHostileFeeds(t *testing.T) {
	dir := shared(t, "feeds/hostile")
	for _, row := range rows(t, dir, "expected.tsv") {
		t.Run(row[0], func(t *testing.T) {
			body := read(t, dir, row[0])
			if filepath.Ext(row[0]) == ".gz" { // internal/fetch decompresses it and has the limit
				z, err := gzip.NewReader(bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				if body, err = io.ReadAll(io.LimitReader(z, maxFeedBytes+1)); err != nil {
					return
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			doc, err := ParseFeed(body, "", "http://feed.example/rss/feed.xml")
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; took > patience || used > 500 {
				t.Errorf("took %v and allocated %d MB", took, used)
			}
			if got := outcome(len(doc.Items), err); !allowed(row[1], got) {
				t.Errorf("got %s (%v), want %s: %s", got, err, row[1], row[2])
			}
			checkItems(t, doc)
		})
	}
}

// patience allows for a loaded machine with the race detector: alone, the slowest file
// takes a fifth of a second.
const patience = 10 * time.Second

func outcome(n int, err error) string {
	if err != nil {
		return "error"
	}
	return fmt.Sprint("parsed ", n)
}

// allowed parses the results in expected.tsv: parsed N, parsed N<5, parsed N<=limit,
// error:CLASS, joined by |.
func allowed(want, got string) bool {
	for w := range strings.SplitSeq(want, "|") {
		n, err := strconv.Atoi(strings.TrimPrefix(got, "parsed "))
		switch {
		case strings.HasPrefix(w, "error") && got == "error", w == got:
			return true
		case w == "parsed N<=limit" && err == nil && n <= maxFeedItems:
			return true
		case strings.HasPrefix(w, "parsed N<") && err == nil:
			if most, e := strconv.Atoi(strings.TrimPrefix(w, "parsed N<")); e == nil && n < most {
				return true
			}
		}
	}
	return false
}

var unsafe = regexp.MustCompile(`(?i)<script|<iframe|<style|\son\w+\s*=|javascript:`)

func checkItems(t *testing.T, doc FeedDoc) {
	t.Helper()
	for _, it := range doc.Items {
		if l := string(it.Link); l != "" && !strings.HasPrefix(l, "http://") && !strings.HasPrefix(l, "https://") || strings.Contains(l, "@") {
			t.Errorf("link %q", l)
		}
		if s := string(it.Content + it.Summary); unsafe.MatchString(s) {
			t.Errorf("content %q", s)
		}
		if collapse(string(it.Title)) != string(it.Title) {
			t.Errorf("title %q", it.Title)
		}
		if len(it.ID) > maxID+10 || len([]rune(it.Title)) > maxTitle || len(it.Link) > 3*weburl.Max {
			t.Errorf("an id of %d, a title of %d, a link of %d bytes", len(it.ID), len(it.Title), len(it.Link))
		}
	}
}

// TestOddDates compares the instants of dates.xml.
func TestOddDates(t *testing.T) {
	dir := shared(t, "feeds/hostile")
	doc, err := ParseFeed(read(t, dir, "dates.xml"), "", "http://feed.example/")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, it := range doc.Items {
		got[string(it.ID)] = "no date"
		if it.Published != nil {
			got[string(it.ID)] = it.Published.Format(time.RFC3339)
		}
	}
	for _, row := range rows(t, dir, "dates.expected.tsv") {
		guid, raw, want := row[0], row[1], row[2]
		if guid == "year9999" {
			want = "no date"
		}
		instant, _, _ := strings.Cut(want, " (")
		instant, _, _ = strings.Cut(instant, ":  ")
		if got[guid] != instant && !strings.Contains(want, got[guid]) {
			t.Errorf("%s %q: got %q, want %q", guid, raw, got[guid], want)
		}
	}
}

// TestFeedDates reads the table of dates that occurred in feeds.
func TestFeedDates(t *testing.T) {
	dir := shared(t, "cases/feeds")
	doc, err := ParseFeed(read(t, dir, "100-feed-dates.xml"), "", "http://feed.example/")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(read(t, dir, "100-feed-dates.expected.tsv"))) { // it has no header
		row := strings.Split(strings.TrimSpace(line), "\t")
		n, err := strconv.Atoi(row[0])
		if err != nil || n >= len(doc.Items) {
			t.Fatalf("row %q of %d items", row[0], len(doc.Items))
		}
		want, zone := row[2], when.Shanghai
		if strings.HasSuffix(want, "Z") {
			zone = time.UTC
		}
		want = strings.TrimSuffix(strings.TrimSuffix(want, "Z"), "+08")
		at := doc.Items[n].Published
		switch {
		case want == "ambiguous" || strings.HasPrefix(want, "null"):
			if at != nil {
				t.Errorf("%d %q is %v, want none", n, row[1], at)
			}
		case at == nil || !strings.HasPrefix(at.In(zone).Format("2006-01-02T15:04:05"), want):
			t.Errorf("%d %q is %v, want %s", n, row[1], at, want)
		}
	}
}
