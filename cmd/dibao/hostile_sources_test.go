package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// maxBody is the maximum size of a response that is collected, in bytes, minus some for a
// frame.
const maxBody = 5<<20 - 1000

// hostileSource is a source that is built to be as expensive as possible.
type hostileSource struct {
	name, kind string // kind of the source
	serve      http.HandlerFunc
}

// hostileSources are examples of each reported kind of hostile input, and of similar kinds.
func hostileSources(t *testing.T) []hostileSource {
	t.Helper()
	all := hostileServers()
	for name, body := range hostileFeedBodies() {
		all = append(all, hostileSource{name, "feed", always("", body)})
	}
	for name, page := range hostilePages(t) {
		all = append(all, hostileSource{"list: " + name, "page", always("text/html", page)})
		all = append(all, hostileSource{"articles: " + name, "page", listing(3, ".html", page)})
		all = append(all, hostileSource{"items: " + name, "feed", always("application/feed+json", jsonFeed(max(1, min(4, maxBody/len(page))), func(int) (string, string) { return oneTitle, page }))})
	}
	for name, file := range hostilePDFs() {
		all = append(all, hostileSource{"PDF: " + name, "page", listing(2, ".pdf", string(file))})
	}
	bomb := bytes.Repeat([]byte("<item><title>x</title></item>"), 2<<20)
	for coding, packed := range packBomb(t, bomb) {
		all = append(all, hostileSource{coding + " bomb", "feed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", coding)
			_, _ = w.Write(packed) // the client may stop reading
		}})
	}
	return all
}

// always answers every request except that for robots.txt with one body.
func always(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		_, _ = w.Write([]byte(body))
	}
}

// listing answers with a list of n articles or files, and all of these with one body.
func listing(n int, extension, body string) http.HandlerFunc {
	var list strings.Builder
	list.WriteString("<html><head><title>样例市人民政府</title></head><body><ul>")
	for i := range n {
		fmt.Fprintf(&list, `<li><a href="/t20261120_%d%s">样例市人民政府关于印发第%d号样例工作方案的通知</a><span>2026-11-%02d</span></li>`, i, extension, i, i+1)
	}
	list.WriteString("</ul></body></html>")
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, extension) && extension == ".pdf" {
			always("application/pdf", body)(w, r)
			return
		}
		if strings.HasSuffix(r.URL.Path, extension) {
			always("text/html; charset=utf-8", body)(w, r)
			return
		}
		always("text/html; charset=utf-8", list.String())(w, r)
	}
}

// hostileServers misbehave in the way in which they answer.
func hostileServers() []hostileSource {
	forever := func(piece string, every time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(piece)); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush() // the next write returns the same error
				time.Sleep(every)
			}
		}
	}
	return []hostileSource{
		{"drips", "feed", forever("<rss>", 100*time.Millisecond)},
		{"drips pages", "page", forever("<li>", 100*time.Millisecond)},
		{"never ends", "feed", forever(strings.Repeat("<item>", 10_000), 0)},
		{"never answers", "feed", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"redirects without end", "feed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, fmt.Sprintf("/%d", time.Now().UnixNano()), http.StatusFound)
		}},
		{"redirects to itself", "feed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusMovedPermanently)
		}},
		{"large headers", "feed", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1000 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 4000))
			}
		}},
		{"says too little", "feed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000000")
			_, _ = w.Write([]byte("<rss>")) // the rest never arrives
		}},
		{"pages without end", "page", func(w http.ResponseWriter, r *http.Request) {
			listing(20, ".html", "<p>"+strings.Repeat("<a href=next.html>下一页</a>", 50_000))(w, r)
		}},
	}
}

const oneTitle = "国务院关于印发托育服务发展规划的通知"

// jsonFeed returns a JSON feed of n items.
func jsonFeed(n int, item func(i int) (title, html string)) string {
	items := make([]map[string]string, n)
	for i := range items {
		title, html := item(i)
		items[i] = map[string]string{"id": fmt.Sprint(i), "url": fmt.Sprint("http://site.example/", i), "title": title, "content_html": html, "date_published": "2026-11-20T08:00:00Z"}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // escaping would make one byte six
	if err := e.Encode(map[string]any{"version": "https://jsonfeed.org/version/1.1", "title": "国务院", "items": items}); err != nil {
		panic(err) // encoding strings never fails
	}
	return b.String()
}

// paragraphs returns n different texts of random characters.
func paragraphs(random *rand.Rand, n, length int) string {
	words := []rune("的一是不了在有人这上大来和我个中地为他生要以到说国们年着就那会家可下而过天去能对小多然于心么之都好看起发当没成只如事把还用第样道想作种开施行通知工作养老社区政府")
	var b strings.Builder
	for range n {
		b.WriteString("<p>")
		for range length {
			b.WriteRune(words[random.Intn(len(words))])
		}
	}
	return b.String()
}

func hostileFeedBodies() map[string]string {
	random, repeat := rand.New(rand.NewSource(3)), strings.Repeat
	entries := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	const atom, rss = `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>`, `<rss version="2.0"><channel><title>t</title>`
	var entities strings.Builder
	for i := range 12 {
		fmt.Fprintf(&entities, `<!ENTITY e%d "%s">`, i+1, repeat(fmt.Sprintf("&e%d;", i), 10))
	}
	return map[string]string{
		"one title, ten texts of 2,000 paragraphs": jsonFeed(10, func(int) (string, string) {
			return oneTitle, "<p>国发〔2026〕78号</p>" + paragraphs(random, 1990, 70)
		}),
		"one title on 2,000 items": jsonFeed(2000, func(int) (string, string) {
			return oneTitle, "<p>国发〔2026〕78号</p>" + paragraphs(random, 5, 60)
		}),
		"2,000 titles alike": jsonFeed(2000, func(i int) (string, string) { return fmt.Sprint(oneTitle, i), paragraphs(random, 5, 60) }),
		"relative ids":       atom + entries(`<entry xml:base="http://site.example/a/b/"><id>i%[1]d</id><title>t%[1]d</title></entry>`, 12_000) + "</feed>",
		"relative links in RDF": `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">` +
			entries(`<item rdf:about="i%[1]d"><title>t%[1]d</title><link>i%[1]d</link></item>`, 12_000) + "</rdf:RDF>",
		"nested elements":      rss + "<item><description>" + repeat("<div>", 400_000),
		"nested XHTML":         atom + `<entry><id>1</id><title>t</title><content type="xhtml">` + repeat(`<div xmlns="http://www.w3.org/1999/xhtml">`, 80_000),
		"nested namespaces":    atom + entries(`<x%[1]d:a xmlns:x%[1]d="urn:%[1]d">`, 100_000),
		"a large attribute":    rss + `<item a="` + repeat("x", 4<<20) + `"><title>t</title></item></channel></rss>`,
		"many attributes":      rss + "<item " + entries(`a%d="" `, 300_000) + "><title>t</title></item></channel></rss>",
		"5 MB of <":            repeat("<", maxBody),
		"5 MB of &":            rss + "<item><title>" + repeat("&", maxBody),
		"5 MB of ]]>":          rss + "<item><description><![CDATA[" + repeat("]]>", 1_700_000),
		"entities of entities": `<!DOCTYPE r [<!ENTITY e0 "x">` + entities.String() + `]>` + rss + "<item><title>&e12;</title></item></channel></rss>",
		"an entity of a file":  `<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]>` + rss + "<item><title>&f;</title></item></channel></rss>",
		"a long title":         rss + "<item><title>" + repeat("第", 1_600_000) + "</title></item></channel></rss>",
		"300 long titles":      jsonFeed(300, func(int) (string, string) { return "关于" + repeat("样例", 2000) + "的通知", "<p>x" }),
		"nested JSON":          `{"version":"https://jsonfeed.org/version/1.1","items":` + repeat("[", 4<<20),
		"one key of JSON":      `{"version":"https://jsonfeed.org/version/1.1",` + repeat(`"items":[{"id":"1"}],`, 200_000) + `"title":"t"}`,
		"numbers of documents": jsonFeed(300, func(i int) (string, string) {
			return fmt.Sprintf("关于事项%d的通知", i), "<p>废止" + entries("国办发〔2020〕%d号、", 300)
		}),
		"formatting in JSON": jsonFeed(12, func(int) (string, string) {
			return oneTitle, "<p>" + entries("<font a=%d>", 500) + repeat("<p>款", 1200)
		}),
		"invalid bytes":   rss + "<item><title>" + repeat("\xff\xfe\x80", 1_600_000),
		"an unknown tail": `<?xml version="1.0" encoding="utf-32"?>` + repeat("\x00", maxBody),
	}
}

// hostilePages are served as lists, as articles and as items of feeds.
func hostilePages(t *testing.T) map[string]string {
	t.Helper()
	repeat := strings.Repeat
	numbered := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	link := `<li><a href="/1.html">样例市人民政府关于印发样例工作方案的通知</a> 2026-11-20`
	pages := map[string]string{
		"formatting elements":       "<p>" + numbered("<font a=%d>", 500) + repeat("<p>款", 10_000),
		"formatting in cells":       "<table><td>" + numbered("<b a=%d>", 500) + repeat("<div>款</div>", 10_000),
		"links that are not closed": repeat(`<a href=1.html>样例市人民政府关于印发方案的通知<p>`, 40_000),
		"nested elements":           repeat("<div>", 200_000) + "款",
		"nested tables":             repeat("<table><tr><td>", 100_000) + "款",
		"nested lists":              repeat("<ul>"+link, 20_000),
		"one row of many cells":     "<table><tr>" + repeat("<td>格", 300_000),
		"many rows":                 "<ul>" + repeat(link+"</li>", 40_000),
		"many attributes":           "<p" + numbered(" a%d", 400_000) + ">款</p>" + repeat("<p a>款", 100_000),
		"a large attribute":         `<p style="` + repeat("x", 4<<20) + `">款</p>`,
		"5 MB of <":                 repeat("<", maxBody),
		"comments":                  repeat("<!--", 1<<20),
		"scripts":                   "<script>var a='" + repeat("x", 3000) + "';" + repeat("a=a+a+a+a;document.write(a+a+a);b=[{x:[{", 80_000) + "</script>",
		"pictures":                  repeat("<img src=a.png srcset='a.png 1x, b.png 2x'>", 100_000),
		"spaces":                    "<p>款" + repeat(" \u3000\u00a0\n", 700_000) + "<p>款",
		"labels":                    repeat("<p>发文机关：样例 文号：样政发〔2026〕1号 成文日期：2026年1月1日 发布日期：2026-01-01 ", 30_000),
		"dates":                     repeat("<p>自2026年1月1日起至2027年1月1日止施行，2026-1-", 60_000),
		"frames":                    repeat("<iframe src=/1.html></iframe><frame src=/2.html>", 50_000),
		"refreshes":                 repeat(`<meta http-equiv=refresh content="0;url=/1.html">`, 50_000),
	}
	if b, err := os.ReadFile("../../../shared/data/cases/hostile/formatting-elements.html"); err == nil {
		pages["the reported page"] = string(b)
	} else {
		t.Log("left out: the reported page, ../shared/data/cases/hostile/formatting-elements.html is not here")
	}
	return pages
}

// hostilePDFs are small files whose text takes much memory or time to read.
func hostilePDFs() map[string][]byte {
	repeat := strings.Repeat
	hello := "BT /F1 12 Tf 72 700 Td (Hello) Tj ET\n"
	return map[string][]byte{
		"a million texts":   pdfFile(hello, 1<<20, 1),
		"100 MB of states":  pdfFile(repeat("q ", 1<<16), 800, 1),
		"300 pages":         pdfFile(hello, 1<<17, 300),
		"1 GB of spaces":    pdfFile(repeat(" ", 1<<20), 1<<10, 1),
		"3,000 pages":       pdfFile(hello, 1000, 3000),
		"a deep array":      pdfFile(repeat("[", 1<<20), 20, 1),
		"a million strings": pdfFile("BT /F1 12 Tf ["+repeat("(x)-1 ", 4<<20)+"] TJ ET", 1, 1),
		"no file at all":    []byte("%PDF-1.4\n" + repeat("1 0 obj<</Length 99999999>>stream\n", 100_000)),
	}
}

// pdfFile returns a PDF whose pages all have the same content: a piece, repeated.
func pdfFile(piece string, times, pages int) []byte {
	var packed, out bytes.Buffer
	z, _ := zlib.NewWriterLevel(&packed, zlib.BestSpeed) // the level is valid
	for range times {
		_, _ = z.Write([]byte(piece)) // writing to a buffer can't fail
	}
	_ = z.Close()
	out.WriteString("%PDF-1.4\n")
	var offsets []int
	object := func(text string) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", len(offsets), text)
	}
	var kids strings.Builder
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 5+i)
	}
	object("<</Type/Catalog/Pages 2 0 R>>")
	object(fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", pages, kids.String()))
	object("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	object(fmt.Sprintf("<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream", packed.Len(), packed.String()))
	for range pages {
		object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents 4 0 R>>")
	}
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&out, "trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF", len(offsets)+1, table)
	return out.Bytes()
}

// packBomb compresses a text in each coding that we accept.
func packBomb(t *testing.T, text []byte) map[string][]byte {
	t.Helper()
	var zipped, brotlied bytes.Buffer
	g, b := gzip.NewWriter(&zipped), brotli.NewWriterLevel(&brotlied, 2)
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = g.Write(text) // writing to buffers can't fail
	_, _ = b.Write(text)
	_, _ = g.Close(), b.Close()
	return map[string][]byte{"gzip": zipped.Bytes(), "br": brotlied.Bytes(), "zstd": z.EncodeAll(text, nil)}
}
