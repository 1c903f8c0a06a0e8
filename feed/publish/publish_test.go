package publish_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"
	"pgregory.net/rapid"

	"dibao/feed/publish"
	"dibao/feed/publish/feedtest"
)

// hostile is untrusted text.
func hostile(label string) *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"", " ", "]]>", "<script>alert(1)</script>", "</b>", "R&amp;D &#x3c;", "\x00\x01\x1f", "\u0080\u009f\uFFFD", "\uFFFE\uFFFF\uFDD0", "𠀀𝔸😀",
			"a&b<c>d\"e'", "<!--", "\xff\xfe", "\u2028\u202e"}),
	)
}

// hostileTitle is hostile text that may be long.
func hostileTitle(label string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 40).Draw(t, "long") == 40 {
			return strings.Repeat("长", 350_000) // 1 MB
		}
		return hostile(label).Draw(t, label)
	})
}

func randomFeed(t *rapid.T) publish.Feed {
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.FixedZone("", 8*3600))
	address := rapid.SampledFrom([]string{"", "https://a.example/1", "/relative", "javascript:alert(1)", "https://a.example/a b", "https://a.example/民政?q=养老&r=%zz#节",
		"https://例子.example/x", "http://[::1]:80/", "https://a.example/%e6%b0?[x]|^", "https://u:p@a.example/", "https://a.example:x/", "https:///x"})
	f := publish.Feed{
		ID: "tag:a.example,2026-01-01:feed", Title: "邸报" + hostileTitle("title").Draw(t, "title"), Description: hostile("d").Draw(t, "description"),
		Link: "https://a.example/", Language: "zh-CN", Updated: at, Now: at.Add(time.Hour), Self: "https://a.example/feed",
		Hub: address.Draw(t, "hub"), Older: address.Draw(t, "older"), Current: address.Draw(t, "current"), Stylesheet: "/static/feed.xsl",
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "items") {
		f.Items = append(f.Items, publish.Item{
			ID:    fmt.Sprintf("tag:a.example,2026-01-01:%d", i/rapid.IntRange(1, 2).Draw(t, "twins")),
			Link:  address.Draw(t, "link"),
			Title: hostileTitle("t").Draw(t, "item title"), Summary: hostile("s").Draw(t, "summary"), Author: hostile("a").Draw(t, "author"),
			HTML:       rapid.SampledFrom([]string{"", "<p>x</p>", "<p>]]&gt;</p>", "<p>\u0085]]></p>"}).Draw(t, "html"),
			Published:  at.Add(time.Duration(rapid.Int64Range(-3e9, 1e6).Draw(t, "published")) * time.Second),
			Updated:    at.Add(time.Duration(rapid.Int64Range(-3, 1e6).Draw(t, "updated")) * time.Second),
			Categories: []publish.Category{{Term: hostile("c").Draw(t, "term"), Scheme: address.Draw(t, "scheme"), Label: hostile("l").Draw(t, "label")}},
			Enclosures: []publish.Enclosure{{URL: address.Draw(t, "file"), Type: rapid.SampledFrom([]string{"", "application/pdf", "x"}).Draw(t, "type"), Length: 5}},
			Credit:     hostile("cr").Draw(t, "credit"), CreditURL: address.Draw(t, "credit address"),
		})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "removed") {
		f.Removed = append(f.Removed, publish.Removal{ID: fmt.Sprintf("tag:a.example,2026-01-01:gone%d", i), At: at, Comment: hostile("why").Draw(t, "comment")})
	}
	return f
}

// Whatever a feed contains, the output is valid and a reader finds the same items in the
// same order.
func TestEveryFeedIsValid(t *testing.T) {
	t.Parallel()
	for range 2 { // in a hundred feeds
		rapid.Check(t, everyFormatIsValid)
	}
}

func everyFormatIsValid(t *rapid.T) {
	f := randomFeed(t)
	var ids []string
	for _, it := range f.Items {
		if len(ids) == 0 || ids[len(ids)-1] != it.ID {
			ids = append(ids, it.ID)
		}
	}
	ids = unique(ids)
	for _, format := range publish.Formats {
		var buf bytes.Buffer
		if err := format.Write(&buf, f); err != nil {
			t.Fatalf("%s: %v", format.Name, err)
		}
		if p := feedtest.Validate(format.Name, f.Self, buf.Bytes()); len(p) > 0 {
			t.Fatalf("%s: %v\n%.2000s", format.Name, p, buf.String())
		}
		parsed, err := gofeed.NewParser().Parse(&buf)
		if err != nil {
			t.Fatalf("%s is not read back: %v", format.Name, err)
		}
		if len(parsed.Items) != len(ids) {
			t.Fatalf("%s: %d items, want %d", format.Name, len(parsed.Items), len(ids))
		}
		for i, it := range parsed.Items {
			if it.GUID != ids[i] {
				t.Fatalf("%s: item %d is %q, want %q", format.Name, i, it.GUID, ids[i])
			}
		}
	}
}

func unique(ids []string) []string {
	seen := make(map[string]bool)
	var out []string
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

func TestWriteIsStable(t *testing.T) {
	f := publish.Feed{ID: "tag:a.example,2026:f", Title: "邸报", Link: "https://a.example/", Self: "https://a.example/feed", Language: "zh-CN",
		Updated: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Items: []publish.Item{{ID: "tag:a.example,2026:1", Title: "一", Link: "https://a.example/1"}}}
	for _, format := range publish.Formats {
		var a, b bytes.Buffer
		if err := format.Write(&a, f); err != nil {
			t.Fatal(err)
		}
		if err := format.Write(&b, f); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: the same feed gives other bytes", format.Name)
		}
		if err := format.Write(&a, publish.Feed{Title: "x"}); err == nil {
			t.Errorf("%s: a feed without an address was written", format.Name)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	f := publish.Feed{ID: "tag:a.example,2026:f", Title: "邸报", Link: "https://a.example/", Self: "https://a.example/feed", Language: "zh-CN"}
	for i := range 200 {
		f.Items = append(f.Items, publish.Item{ID: fmt.Sprint("tag:a.example,2026:", i), Title: "关于样例的通知", Link: "https://a.example/1",
			Summary: strings.Repeat("摘要", 50), HTML: "<p>" + strings.Repeat("正文", 500) + "</p>", Published: time.Unix(1.7e9, 0), Updated: time.Unix(1.7e9, 0)})
	}
	for _, format := range publish.Formats {
		b.Run(format.Name, func(b *testing.B) {
			for b.Loop() {
				if err := format.Write(&bytes.Buffer{}, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
