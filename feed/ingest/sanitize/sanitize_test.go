package sanitize_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"

	"dibao/feed/ingest/sanitize"
	"dibao/feed/ingest/textblock"
	"dibao/internal/trust"
	"dibao/policy/cut"
)

func TestSanitize(t *testing.T) {
	t.Parallel()
	const base = "http://site.test/a/b.html"
	tests := []struct{ name, in, want string }{
		{"Text", "  公报 ", "公报"},
		{"Paragraph", `<p style="color:red" class="x" onclick="f()">甲</p>`, `<p>甲</p>`},
		{"RelativeLink", `<a href="c.html" target="_blank">乙</a>`, `<a href="http://site.test/a/c.html">乙</a>`},
		{"RelativePicture", `<img src="/i/p.png" onerror="f()" alt="图">`, `<img src="http://site.test/i/p.png" alt="图"/>`},
		{"MailLink", `<a href="mailto:a@b.cn">信</a>`, `<a href="mailto:a@b.cn">信</a>`},
		{"ScriptLink", `<a href="java&#10;script:f()">丙</a>`, `丙`},
		{"DataPicture", `<img src="data:image/png;base64,AA" alt="x">`, ``},
		{"PictureWithoutAddress", `甲<img alt="x"><img src=" ">`, `甲`},
		{"Spans", `<table><tr><td colspan="2x" rowspan="3" width="9">一</table>`, `<table><tbody><tr><td rowspan="3">一</td></tr></tbody></table>`},
		{"Credentials", `<a href="http://u:p@site.test/">丁</a>`, `<a href="http://site.test/">丁</a>`},
		{"Script", `甲<script>f()</script>乙`, `甲乙`},
		{"Frame", `甲<iframe src="//evil.test"></iframe>`, `甲`},
		{"Comment", `甲<!-- 2020-02-02 -->`, `甲`},
		{"Table", `<table><tr><td colspan="2">一</td></tr></table>`, `<table><tbody><tr><td colspan="2">一</td></tr></tbody></table>`},
		{"Unclosed", `<p>甲<p>乙`, `<p>甲</p><p>乙</p>`},
		{"Deep", strings.Repeat("<blockquote>", 5000) + "甲<b onclick=f()>乙", `<p>甲乙</p>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := sanitize.Clean(tt.in, base); got != tt.want {
				t.Errorf("%q: got %q, want %q", cut.First(tt.in, 100), got, tt.want)
			}
		})
	}
}

// attributes are all permitted ones, by element.
var attributes = map[string][]string{"a": {"href"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}

var elements = strings.Fields("p div section br hr h1 h2 h3 h4 h5 h6 blockquote pre code ul ol li dl dt dd strong b em i u s sub sup small " +
	"figure figcaption table caption thead tbody tfoot tr td th a img html head body")

// judge is another sanitizer with the same permissions as ours.
var judge = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements(elements...)
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	return p
}()

// checkSafe parses sanitized markup as a browser would and checks all of it; the other sanitizer
// must not remove anything from it.
func checkSafe(t *testing.T, in, out string) {
	t.Helper()
	if judged := judge.Sanitize(out); judged != out {
		t.Errorf("%q gives %q, of which another sanitizer leaves %q", in, out, judged)
	}
	root, err := html.Parse(strings.NewReader(out))
	if err != nil {
		t.Fatalf("%q gives %q: %v", in, out, err)
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch n.Type {
		case html.CommentNode, html.DoctypeNode:
			t.Errorf("%q gives %q with a comment", in, out)
		case html.ElementNode:
			if n.Namespace != "" || !slices.Contains(elements, n.Data) {
				t.Errorf("%q gives %q with element %s", in, out, n.Data)
			}
			for _, a := range n.Attr {
				if !slices.Contains(attributes[n.Data], a.Key) {
					t.Errorf("%q gives %q with attribute %s", in, out, a.Key)
				}
				if a.Key == "href" || a.Key == "src" {
					u, err := url.Parse(a.Val)
					if err != nil || u.Scheme != "http" && u.Scheme != "https" && (u.Scheme != "mailto" || n.Data == "img") {
						t.Errorf("%q gives %q with address %q", in, out, a.Val)
					}
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
}

// Property: sanitizing sanitized markup changes nothing.
func checkIdempotent(t *testing.T, in, out string) {
	t.Helper()
	if again := sanitize.Clean(out, "http://other.test/"); again != out {
		t.Errorf("%q gives %q, and that gives %q", in, out, again)
	}
}

func TestSanitizeInjections(t *testing.T) {
	vectors, err := os.ReadFile("../../../../shared/data/xss/vectors.txt")
	if err != nil {
		t.Skipf("the shared test data are not beside the checkout: %v", err)
	}
	n := 0
	lines := bufio.NewScanner(bytes.NewReader(vectors))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var in string
		if err := json.Unmarshal(lines.Bytes(), &in); err != nil {
			t.Fatal(err)
		}
		n++
		out := sanitize.Clean(in, "http://site.test/")
		checkSafe(t, in, out)
		checkIdempotent(t, in, out)
	}
	if n < 500 {
		t.Errorf("%d injections were read", n)
	}
	trust.Report(t, "injections that pass the sanitizer", "0 of %d", n)
}

func FuzzSanitize(f *testing.F) {
	for _, s := range []string{
		`<p onclick=f()>甲<script>f()</script><a href="java&#10;script:f()">x</a>`, `<svg><p><style><!--</style><img src=x onerror=f()>`,
		`<table><a href=//x><tr><td>`, `<math><mi><b><title></title></b>`, `<p><marquee><p>x`, "<pre>\n\n x", `&lt;script&gt;`, `<a href="http:/x">`,
	} {
		f.Add(s, "http://site.test/a/")
	}
	f.Fuzz(func(t *testing.T, in, base string) {
		out := sanitize.Clean(in, base)
		checkSafe(t, in, out)
		checkIdempotent(t, in, out)
	})
}

// TestSignsThatGrowWhenEscapedAreCutWithAWarning truncates a text of characters that are
// each escaped as five, and adds a warning.
func TestSignsThatGrowWhenEscapedAreCutWithAWarning(t *testing.T) {
	t.Parallel()
	clean, warning := sanitize.Markup("<p>关于做好工作的通知<p>"+strings.Repeat("&", sanitize.MaxMarkup/4), "")
	if !warning.Equal(sanitize.TooLong) || len(clean) < sanitize.MaxMarkup/2 || len(clean) > sanitize.MaxMarkup || !strings.HasPrefix(clean, "<p>关于") {
		t.Errorf("%d bytes, %q", len(clean), warning)
	}
	if again := sanitize.Clean(clean, ""); again != clean {
		t.Errorf("sanitized again it has %d bytes, not %d", len(again), len(clean))
	}
}

// FuzzWithBlocks compares the blocks of text with those of the clean markup that is stored.
func FuzzWithBlocks(f *testing.F) {
	for _, s := range []string{"<h1><span><h2>甲</h2>乙", "<p><b>甲<p>乙</b>丙", "甲<p>乙<br>丙</p>丁<div>戊<p>己</div>", "<a href=//x>甲<p>乙<a href=//y>丙", "<p><object><p>甲</object>乙", "<font><div>甲<u><p>乙</div>丙"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		clean, blocks, _ := sanitize.WithBlocks(in, "http://site.test/")
		if want := textblock.OfMarkup(clean); !slices.Equal(blocks, want) {
			t.Errorf("%q: blocks %q, those of the clean markup %q are %q", in, blocks, clean, want)
		}
	})
}
