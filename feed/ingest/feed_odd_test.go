package ingest

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

// Deviations of feeds that their parser does not accept, or misinterprets.
func TestOddFeeds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       FeedItem
	}{
		{"an id is kept as it is written",
			`<feed xmlns="http://www.w3.org/2005/Atom"><entry><id> HTTP://Www.Example.org/%7Ea </id><title>甲</title></entry></feed>`,
			FeedItem{ID: "HTTP://Www.Example.org/%7Ea", Title: "甲"}},
		{"a relative id is resolved",
			`<feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://a.example/x/"><entry><id>y</id></entry></feed>`,
			FeedItem{ID: "http://a.example/x/y"}},
		{"text is text",
			`<feed xmlns="http://www.w3.org/2005/Atom"><entry><title type="text">关于 &lt;办法> 的说明</title><summary type="html">甲&lt;b>乙&lt;/b></summary></entry></feed>`,
			FeedItem{Title: "关于 <办法> 的说明", Summary: "甲<b>乙</b>"}},
		{"a reference to a forbidden character is dropped",
			`<rss version="2.0"><channel><item><title>甲&#x0C;乙&#0;丙&#20008;</title></item></channel></rss>`,
			FeedItem{Title: "甲乙丙丨"}},
		{"the content of an object is what is shown without it",
			`<rss version="2.0"><channel><item><description>甲&lt;object data="x">&lt;b>乙&lt;/b></description></item></channel></rss>`,
			FeedItem{Summary: "甲<b>乙</b>"}},
		{"an element that XHTML closes does not swallow the rest",
			`<rss version="2.0"><channel><item><description>甲&lt;iframe src="http://a.example/"/> 乙&lt;script src="x"/>丙</description></item></channel></rss>`,
			FeedItem{Summary: "甲 乙丙"}},
		{"a text that the site escaped twice is HTML",
			`<rss version="2.0"><channel><item><description>&amp;lt;p&amp;gt;甲&amp;lt;/p&amp;gt;&amp;lt;p&amp;gt;乙&amp;amp;nbsp;丙&amp;lt;/p&amp;gt;</description></item></channel></rss>`,
			FeedItem{Summary: "<p>甲</p><p>乙\u00a0丙</p>"}},
		{"a text about an element is text",
			`<rss version="2.0"><channel><item><description>&lt;p&gt;甲 &amp;lt;p&amp;gt; 乙&lt;/p&gt;</description></item></channel></rss>`,
			FeedItem{Summary: "<p>甲 &lt;p&gt; 乙</p>"}},
	} {
		doc, err := ParseFeed([]byte(c.body), "", "")
		if err != nil || len(doc.Items) != 1 {
			t.Errorf("%s: %d items, %v", c.name, len(doc.Items), err)
			continue
		}
		got := doc.Items[0]
		if got.ID != c.want.ID || got.Title != c.want.Title || got.Summary != c.want.Summary {
			t.Errorf("%s: got %q %q %q", c.name, got.ID, got.Title, got.Summary)
		}
	}
	doc, err := ParseFeed([]byte(`<rss version="2.0"><channel><item><pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate></item><item/></channel></rss>`), "", "")
	if err != nil || len(doc.Items) != 1 || doc.Items[0].Published == nil {
		t.Errorf("an item of nothing but a date: %+v, %v", doc.Items, err)
	}
	if _, err := ParseFeed([]byte(`<CHANNEL HREF="http://a.example/"><ITEM HREF="b"><TITLE>甲</TITLE></ITEM></CHANNEL>`), "", ""); err == nil || !strings.Contains(err.Error(), "CDF") {
		t.Errorf("a channel in CDF gives %v", err)
	}
}

// A gzip file with a feed is read; a damaged one is an error, not half a feed.
func TestPackedFeed(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(`<rss version="2.0"><channel><item><title>甲</title></item></channel></rss>`))
	z.Close()
	whole := b.Bytes()
	if doc, err := ParseFeed(whole, "application/gzip", ""); err != nil || len(doc.Items) != 1 {
		t.Errorf("%d items, %v", len(doc.Items), err)
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-6] ^= 1
	for name, body := range map[string][]byte{"cut short": whole[:len(whole)-10], "damaged": damaged} {
		if _, err := ParseFeed(body, "", ""); err == nil || !strings.Contains(err.Error(), "gzip") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var large bytes.Buffer
	z = gzip.NewWriter(&large)
	for range maxFeedBytes/(1<<20) + 1 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	if _, err := ParseFeed(large.Bytes(), "", ""); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%d bytes that inflate beyond the limit: %v", large.Len(), err)
	}
}

// TestFeedWithoutIDs reads a feed whose items have no ID: they do not share an empty ID.
func TestFeedWithoutIDs(t *testing.T) {
	t.Parallel()
	const feed = `<rss version="2.0"><channel><title>某部要闻</title><item><title>关于甲事项的通知</title><link>http://www.example.gov.cn/1.html</link></item>
<item><title>关于乙事项的通知</title><link>http://www.example.gov.cn/2.html</link></item></channel></rss>`
	l, err := ReadKind("feed", Page{URL: "http://www.example.gov.cn/rss.xml", Body: []byte(feed)}, Source{})
	if err != nil || len(l.Items) != 2 || l.Items[0].GUID == l.Items[1].GUID {
		t.Fatalf("%d items, %v", len(l.Items), err)
	}
	for _, it := range l.Items {
		if len(it.Warnings) > 0 {
			t.Errorf("%s: %v", it.Title, it.Warnings)
		}
	}
}

// A truncated feed keeps its complete items, wherever it ends, and has a warning.
func TestTruncatedFeed(t *testing.T) {
	t.Parallel()
	for name, feed := range map[string]string{
		"RSS":  `<rss version="2.0"><channel><title>要闻</title><item><title>甲</title><link>http://a.example/1</link></item><item><title>乙</title><description><![CDATA[<p>丙<br>丁</p>]]></description></item></channel></rss>`,
		"RDF":  `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel><title>要闻</title></channel><item><title>甲</title></item><item><title>乙</title></item></rdf:RDF>`,
		"Atom": `<feed xmlns="http://www.w3.org/2005/Atom"><title>要闻</title><entry><id>a</id><title>甲</title></entry><entry><id>b</id><title type="html">乙&lt;b></title></entry></feed>`,
	} {
		end := "</item>"
		if name == "Atom" {
			end = "</entry>"
		}
		first, last := strings.Index(feed, end)+len(end), strings.LastIndex(feed, end)+len(end)
		for n := first; n < len(feed)-3; n++ {
			want, warned := 1, true
			if n >= last { // only end tags are missing, which the parser may add
				want, warned = 2, false
			}
			doc, err := ParseFeed([]byte(feed[:n]), "application/xml; charset=utf-8", "")
			if err != nil || len(doc.Items) != want || doc.Items[0].Title != "甲" || warned && !(List{Items: []Item{{Warnings: doc.Items[0].Warnings}}}).IsTruncated() {
				t.Fatalf("%s cut after %q: %+v, %v", name, feed[:n], doc.Items, err)
			}
		}
		if _, err := ParseFeed([]byte(feed[:first-3]), "application/xml; charset=utf-8", ""); err == nil {
			t.Errorf("%s without a complete item is not an error", name)
		}
		if doc, err := ParseFeed([]byte(feed), "application/xml; charset=utf-8", ""); err != nil || len(doc.Items[0].Warnings) != 0 {
			t.Errorf("the whole %s: %+v, %v", name, doc.Items, err)
		}
	}
}
