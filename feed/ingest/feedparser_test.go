package ingest

import (
	"dibao/feed/ingest/decode"
	"dibao/feed/ingest/sanitize"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	feedparserExpects = regexp.MustCompile(`Expect:\s*(?:not bozo and )?(feed|entries\[0\])\['(\w+)'\](\[0\]\['value'\])? == u?'((?:[^'\\]|\\.)*)'\s*$`)
	feedparserType    = regexp.MustCompile(`(?i)Header:\s*Content-type:\s*(.+)`)
)

// TestFeedparserAssertions measures how many of the simple assertions of
// feedparser's own tests hold: titles as plain text, markup after our sanitizer.
func TestFeedparserAssertions(t *testing.T) {
	dir := shared(t, "feeds/feedparser")
	files, right, asserted, broken := 0, 0, 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".xml" {
			return err
		}
		files++
		body := read(t, path)
		text, _ := decode.Text(body, "", "")
		contentType := ""
		if m := feedparserType.FindStringSubmatch(text); m != nil {
			contentType = strings.TrimSpace(m[1])
		}
		start := time.Now()
		doc, err := ParseFeed(body, contentType, "http://127.0.0.1:8097/")
		if took := time.Since(start); took > patience {
			t.Errorf("%s: took %v", path, took)
		}
		checkItems(t, doc)
		if err != nil && !strings.Contains(path, "cdf") {
			broken++
			t.Logf("%s: %v", filepath.Base(path), err)
		}
		for line := range strings.SplitSeq(text[:min(len(text), 2000)], "\n") {
			m := feedparserExpects.FindStringSubmatch(strings.TrimRight(line, "\r"))
			if m == nil {
				continue
			}
			want, err := strconv.Unquote(`"` + strings.ReplaceAll(strings.ReplaceAll(m[4], `\'`, `'`), `"`, `\"`) + `"`)
			if err != nil {
				continue
			}
			want = latin(want)
			got, isKnown := fieldOf(doc, m[1], m[2])
			if !isKnown {
				continue
			}
			asserted++
			if got == want || got == plainText(want) || got == sanitize.Clean(want, "http://127.0.0.1:8097/") {
				right++
			} else {
				t.Logf("%s: %s %s: got %q, want %q", filepath.Base(path), m[1], m[2], got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d can't be read; %d of %d assertions hold", files, broken, right, asserted)
	if asserted == 0 || right*100 < asserted*95 {
		t.Errorf("%d of %d assertions hold, want 95 %%", right, asserted)
	}
}

// latin corrects Go's reading of \xe9 as a byte: in Python it is a character.
func latin(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r := []rune(s[i:])[0]
		if r == '\uFFFD' && s[i] != 0xEF {
			b.WriteRune(rune(s[i]))
			i++
			continue
		}
		b.WriteRune(r)
		i += len(string(r))
	}
	return b.String()
}

func fieldOf(doc FeedDoc, of, key string) (string, bool) {
	if of == "feed" {
		switch key {
		case "title":
			return string(doc.Title), true
		case "link":
			return string(doc.Link), true
		case "language":
			return string(doc.Language), true
		}
		return "", false
	}
	if len(doc.Items) == 0 {
		doc.Items = make([]FeedItem, 1)
	}
	it := doc.Items[0]
	switch key {
	case "title":
		return string(it.Title), true
	case "link":
		return string(it.Link), true
	case "id", "guid":
		return string(it.ID), true
	case "author":
		return string(it.Author), true
	case "content":
		return string(it.Content), true
	case "description", "summary":
		return firstOf(string(it.Summary), string(it.Content)), true
	}
	return "", false
}
