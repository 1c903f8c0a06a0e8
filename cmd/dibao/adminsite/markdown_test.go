package adminsite

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"dibao/docs"
)

// Our pages look as if a full implementation of Markdown had rendered them.
func TestMarkdownIsRendered(t *testing.T) {
	pages := map[string]string{
		"zh": docs.HandbookZH, "en": docs.HandbookEN,
		"sample": "# Title\n\nA * star, 1 < 2 & `a < b`,\n`code on\ntwo lines` and **bold `code`**.\n\n- one\n  more\n- two \\<x>\n\n" +
			"3. three\n\n   ```sh\n   dibao\n\n     status\n   ```\n4. four\n\n| a | b |\n|---|---|\n| `x\\|y` | [z](z.md) |\n\nlast\n- list\n",
	}
	for _, name := range []string{"cli", "configuration", "json", "metrics"} {
		for _, language := range []string{"zh", "en"} {
			text, ok := docs.Reference(name, language)
			if !ok {
				t.Fatalf("no page %s in %s", name, language)
			}
			pages[name+" "+language] = text
		}
	}
	full := goldmark.New(goldmark.WithExtensions(extension.Table))
	for name, source := range pages {
		var want bytes.Buffer
		if err := full.Convert([]byte(source), &want); err != nil {
			t.Fatal(err)
		}
		m := &markdown{heading: func(int, string) string { return "x" }, link: func(address string) string { return address }}
		m.blocks(strings.Split(source, "\n"), false)
		ids := regexp.MustCompile(`(<h\d) id="x"`)
		if diff := cmp.Diff(strings.Split(want.String(), "\n"), strings.Split(ids.ReplaceAllString(m.String(), "$1"), "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
