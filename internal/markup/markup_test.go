package markup_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"dibao/internal/markup"
	"dibao/internal/trust"
)

// hostile returns texts whose trees are expensive for their length.
func hostile() map[string]string {
	repeat := strings.Repeat
	numbered := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	return map[string]string{
		"FormattingElements":    "<p>" + numbered("<font a=%d>", 500) + repeat("<p>x", 10000),
		"FormattingInShortText": "<p>" + numbered("<font a=%d>", 250) + repeat("<p>x", 1000),
		"FormattingInCell":      "<table><td>" + numbered("<b a=%d>", 500) + repeat("<div>x</div>", 10000),
		"FormattingInForeign":   numbered("<svg><b a=%d></svg>", 400) + repeat("<p>x</p>", 10000),
		"EndTagsInObject":       numbered("<b a=%d><object></b></object>", 400) + repeat("<p>x</p>", 10000),
		"EndTagsInSelect":       numbered("<i a=%d><select></i></select>", 400) + repeat("<p>x</p>", 10000),
		"EndTagsInCDATA":        numbered("<b a=%d>", 400) + "<svg><![CDATA[>" + repeat("</b>", 400) + "]]></svg>" + repeat("<p>x</p>", 10000),
		"EndTagsInSVGStyle":     numbered("<b a=%d>", 400) + "<svg><style></svg>" + repeat("</b>", 400) + "</style>" + repeat("<p>x</p>", 10000),
		"EndTagsInTemplate":     numbered("<b a=%d>", 400) + "<template>" + repeat("</b>", 400) + "</template>" + repeat("<p>x</p>", 10000),
		"EndTagsOverNineBlocks": numbered("<b a=%d>"+repeat("<div>", 9)+"</b>"+repeat("</div>", 9), 400) + repeat("<p>x</p>", 10000),
		"LinksOverNineBlocks":   numbered("<a b=%d>"+repeat("<div>", 9)+"<a>"+repeat("</div>", 9), 400) + repeat("<p>x</p>", 10000),
		"AdoptedChildren":       numbered("<b a=%d>", 400) + "<div>" + repeat("<hr>", 200000) + repeat("</b>", 400),
		"AttributesOfBody":      numbered("<body a%d>", 300000),
		"AttributesOfOneTag":    "<p" + numbered(" a%d", 400000) + ">x</p>" + repeat("<p a>x", 200000),
		"Deep":                  repeat("<div>", 100000) + "x",
		"DeepTables":            repeat("<table><tr><td>", 100000) + "x",
		"Nodes":                 repeat("<p>x", 1_200_000),
		"LongComment":           "<!--" + repeat("x", 3<<20) + "--><p>x",
	}
}

// TestHostileMarkup parses what once took gigabytes and minutes: each is read as text, in
// little memory.
func TestHostileMarkup(t *testing.T) {
	most := uint64(0)
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			root, plain := markup.Parse(text)
			runtime.ReadMemStats(&after)
			if !plain {
				t.Error("hostile markup was parsed instead of read as plain text")
			}
			used := after.TotalAlloc - before.TotalAlloc
			if most = max(most, used); used > 200<<20 {
				t.Errorf("%d bytes allocated %d MB", len(text), used>>20)
			}
			if !strings.Contains(textOf(root), "x") && strings.Contains(text, "x") {
				t.Error("the text is lost")
			}
		})
	}
	trust.Report(t, "memory of the most costly HTML", "%d MB allocated, %d kinds", most>>20, len(hostile()))
}

func textOf(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}

// TestPlainTree keeps the title and the blocks of a text whose markup is removed.
func TestPlainTree(t *testing.T) {
	text := "<title>通知 &amp; 公告</title><script>var x</script><p>第一段<b>话</b></p>" + strings.Repeat("<div>", 600) +
		"<table><tr><td>甲<td>乙</tr><tr><td>丙</table><style>p{}</style>1 &lt; 2<br>末段"
	root, plain := markup.Parse(text)
	if !plain {
		t.Fatal("hostile markup was parsed instead of read as plain text")
	}
	var got []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			got = append(got, n.Parent.Data+": "+strings.TrimSpace(n.Data))
		}
	}
	want := []string{"title: 通知 & 公告", "p: 第一段话", "p: 甲 乙", "p: 丙", "p: 1 < 2", "p: 末段"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestForeignElements checks that these elements are removed, and that the text around them
// does not form a tag.
func TestForeignElements(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"<p>a<svg><path d=1 /><title>icon</title></svg>b</p>", "<p>a<!---->b</p>"},
		{"<math><mtext><h1>b</h1></mtext></math>c", "<!---->c"},
		{"<p>a<svg><p>b", "<p>a<!----></p><p>b</p>"},
		{"<p>1 <<svg></svg>b>2", "<p>1 &lt;<!---->b&gt;2</p>"},
		{"<template><p>a<template></template>b</template>c", "<!---->c"},
		{"<p>a<svg/>b</svg>c", "<p>a<!---->bc</p>"},
		{"<math><mi>x</mi></math>y", "<!---->y"},
	} {
		root, plain := markup.Parse("<body>" + tt.in)
		var got strings.Builder
		for c := range root.FirstChild.LastChild.ChildNodes() {
			if err := html.Render(&got, c); err != nil {
				t.Fatal(err)
			}
		}
		if plain || got.String() != tt.want {
			t.Errorf("%s: got %s, want %s", tt.in, got.String(), tt.want)
		}
	}
}

// TestLongScript reads a page with a script that exceeds the maximum length of a token.
func TestLongScript(t *testing.T) {
	for n := range 40 { // wherever the script is cut
		text := "<script>var a = '" + strings.Repeat("x", 1<<20-n) + "</p>'</script><p>text</p>"
		if root, plain := markup.Parse(text); plain || root.FirstChild.LastChild.FirstChild.Data != "p" {
			t.Fatalf("%d: plain %v", n, plain)
		}
	}
}

// TestRealPages builds the tree of every available page.
func TestRealPages(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("the shared test data are not beside the checkout: %v", err)
	}
	pages := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".html") || filepath.Base(filepath.Dir(path)) == "hostile" {
			return err
		}
		text, err := os.ReadFile(path)
		if _, plain := markup.Parse(string(text)); plain {
			t.Errorf("%s is read without markup", path)
		}
		pages++
		return err
	})
	if err != nil || pages == 0 {
		t.Errorf("%d pages: %v", pages, err)
	}
}

// FuzzParse compares every tree with the bound that was computed before it was built, which
// is what keeps trees small.
func FuzzParse(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text[:min(len(text), 20000)])
	}
	f.Add("<p>1 <<svg></svg>b>2")
	f.Fuzz(func(t *testing.T, text string) {
		markup.CheckCount(t, text)
		root, _ := markup.Parse(text)
		if root == nil {
			t.Fatal("no tree")
		}
	})
}

// TestCountIsAnUpperBound builds trees of random tags that open and close formatting
// elements in every kind of element: no tree has more nodes than the bound.
func TestCountIsAnUpperBound(t *testing.T) {
	n := 500
	if os.Getenv("DIBAO_LONG") != "" {
		n = 100000
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		markup.CheckCount(t, gadgets(r))
		if t.Failed() {
			return
		}
	}
}

var elements = strings.Fields("a b font i nobr u em strong code tt p div span li ul dd dt h1 h2 table tr td th tbody thead tfoot caption col " +
	"colgroup object applet marquee select option optgroup button form input br img hr pre section center body html head frameset noframes " +
	"ruby rt rp address noscript textarea title style script svg math template iframe plaintext desc mi x-y")

// gadgets repeats a few tags that may leave a formatting element open, followed by blocks.
func gadgets(r *rand.Rand) string {
	first, second, third := elements[r.IntN(10)], elements[10+r.IntN(len(elements)-10)], elements[r.IntN(len(elements))]
	pieces := []string{
		"<" + first + " a=%d>", "</" + first + ">", "</" + first + ">", "<" + second + ">", "</" + second + ">", "<" + second + ">", "</" + second + ">",
		"<" + third + ">", "</" + third + ">", "x", "<table><td>", "</td></table>", "<p>", "</p>", strings.Repeat("<div>", 9), strings.Repeat("</div>", 9),
	}
	unit := []string{pieces[0]}
	for range 2 + r.IntN(7) {
		unit = append(unit, pieces[r.IntN(len(pieces))])
	}
	var b strings.Builder
	for i := range 100 {
		b.WriteString(strings.ReplaceAll(strings.Join(unit, ""), "%d", fmt.Sprint(i)))
	}
	tails := []string{"<p>x", "</p><p>x</p>", "<div>x</div>", "<td><p>x</p>", "</table><p>x</p>"}
	b.WriteString(strings.Repeat(tails[r.IntN(len(tails))], 200))
	return b.String()
}
