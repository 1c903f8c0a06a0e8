package feed_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/andybalholm/cascadia"
	"github.com/google/go-cmp/cmp"

	"dibao/feed"
	"dibao/internal/fetch"
)

// TestCatalog checks every built-in source: its address may be fetched, its
// selectors compile.
func TestCatalog(t *testing.T) {
	all := feed.Catalog()
	if len(all) < 40 {
		t.Fatalf("%d sources", len(all))
	}
	for _, s := range all {
		if _, reason := fetch.CheckURL(s.URL); reason != "" {
			t.Errorf("%s: %s", s.Name, reason)
		}
		selectors := []string{s.Settings.Content}
		if s.Kind == "page" {
			selectors = append(selectors, s.Settings.Item, s.Settings.Link, s.Settings.Title, s.Settings.Date)
		}
		for _, selector := range selectors {
			if selector == "" {
				continue
			}
			if _, err := cascadia.ParseGroup(selector); err != nil {
				t.Errorf("%s: selector %q: %v", s.Name, selector, err)
			}
		}
		if s.Licence != feed.LicenceOfficial || s.Issuer == "" || s.Region == "" {
			t.Errorf("%+v", s)
		}
	}
}

func TestTSV(t *testing.T) {
	want := feed.Catalog()
	var first, second bytes.Buffer
	if err := feed.WriteTSV(&first, want); err != nil {
		t.Fatal(err)
	}
	got, err := feed.ReadTSV(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read what was written (-want +got):\n%s", diff)
	}
	if err := feed.WriteTSV(&second, got); err != nil || first.String() != second.String() {
		t.Errorf("written again it is another table: %v", err)
	}
	for in, want := range map[string]string{
		"":                           "no column url",
		"name\turl\na\tftp://x/":     "line 2: source address",
		"url\tkind\nhttp://a.cn/\t?": "unknown kind",
		"name\n":                     "no column url",
	} {
		if _, err := feed.ReadTSV(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want …%s…", in, err, want)
		}
	}
}

func TestOPML(t *testing.T) {
	sources := []feed.Source{
		{URL: "https://a.test/rss.xml", Kind: "feed", Name: "甲 & 乙"}, {URL: "https://b.test/atom", Kind: "feed", Name: "<丙>", Theme: "民政"},
		{URL: "https://c.test/list", Kind: "page", Name: "丁"}, {URL: "https://d.test/rss", Kind: "feed", Name: "戊", Theme: "民政"},
	}
	var b bytes.Buffer
	left, err := feed.WriteOPML(&b, "邸报", sources)
	if err != nil || left != 1 {
		t.Fatalf("%d left out, %v", left, err)
	}
	got, err := feed.ReadOPML(&b)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d read, %v", len(got), err)
	}
	for i, j := range []int{0, 1, 3} {
		if got[i].URL != sources[j].URL || got[i].Name != sources[j].Name || got[i].Theme != sources[j].Theme {
			t.Errorf("got %+v, want %+v", got[i], sources[j])
		}
	}
	for in, want := range map[string]string{
		"":       "no OPML",
		"<html>": "no OPML",
		`<opml><body>` + strings.Repeat(`<outline text="x">`, 100):              "nested deeper",
		`<opml><body><outline text="x" xmlUrl="file:///etc"/></body></opml>`:    `outline "x"`,
		`<!DOCTYPE opml [<!ENTITY a "b">]><opml><body></body></opml>`:           "entities",
		`<opml><body><outline xmlUrl="https://a.test/" text="` + "\x00" + `"/>`: "no OPML",
	} {
		if _, err := feed.ReadOPML(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want …%s…", in[:min(len(in), 60)], err, want)
		}
	}
}

func FuzzReadSources(f *testing.F) {
	f.Add("url\tname\nhttps://a.test/\t甲\n")
	f.Add(`<opml version="2.0"><body><outline text="民政"><outline text="甲" xmlUrl="https://a.test/"/></outline></body></opml>`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func() ([]feed.Source, error){
			func() ([]feed.Source, error) { return feed.ReadTSV(strings.NewReader(text)) },
			func() ([]feed.Source, error) { return feed.ReadOPML(strings.NewReader(text)) },
		} {
			all, err := read()
			if err != nil {
				continue
			}
			for _, s := range all {
				if s.URL == "" || s.Kind == "" || s.Name == "" {
					t.Errorf("source %+v", s)
				}
			}
		}
	})
}
