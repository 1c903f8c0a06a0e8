package templates

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
)

// TestChineseOnEnglishPages checks that Chinese text on an English page is marked as such
// (WCAG 2.2 §3.1.2), except for the name of the site, and words of forms that readers see
// in their own language.
func TestChineseOnEnglishPages(t *testing.T) {
	for name, v := range pages("en", 3, "关于样例的通知") {
		if !slices.Contains([]string{"home", "list", "archive", "issue", "article", "summary", "changes", "document", "chain", "search", "search more", "collection theme", "index region"}, name) {
			continue
		}
		var b bytes.Buffer
		if err := v.Render(&b); err != nil {
			t.Fatal(err)
		}
		root, err := html.Parse(&b)
		if err != nil {
			t.Fatal(err)
		}
		var walk func(n *html.Node, lang string)
		walk = func(n *html.Node, lang string) {
			if n.Type == html.ElementNode && slices.Contains([]string{"head", "script", "svg"}, n.Data) {
				return
			}
			for _, a := range n.Attr {
				if a.Key == "lang" {
					lang = a.Val
				}
				if a.Key == "class" && (a.Val == "brand" || a.Val == "about" || a.Val == "feeds" || a.Val == "printonly") {
					return
				}
			}
			if strings.Contains(n.Data, "每周一") { // the schedule of the test, which is otherwise in the page's language
				return
			}
			if n.Type == html.TextNode && lang == "en" && strings.ContainsFunc(n.Data, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
				t.Errorf("%s: %q in <%s> does not say that it is Chinese", name, strings.TrimSpace(n.Data), n.Parent.Data)
			}
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c, lang)
			}
		}
		walk(root, "")
	}
}
