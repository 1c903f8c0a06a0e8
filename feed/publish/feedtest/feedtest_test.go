package feedtest_test

import (
	"strings"
	"testing"

	"dibao/feed/publish/feedtest"
)

const self = "https://a.example/feed.xml"

const goodRSS = `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>t</title><link>https://a.example/</link><description>d</description><language>zh-CN</language>
<lastBuildDate>Mon, 23 Nov 2026 08:00:00 +0800</lastBuildDate>
<atom:link href="https://a.example/feed.xml" rel="self" type="application/rss+xml"/>
<item><title>i</title><link>https://a.example/1</link><description>x</description><guid isPermaLink="false">tag:a.example,2026:1</guid>
<pubDate>Mon, 23 Nov 2026 08:00:00 +0800</pubDate><content:encoded><![CDATA[<p>x</p>]]></content:encoded></item>
</channel></rss>`

const goodAtom = `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN"><title>t</title><id>tag:a.example,2026:f</id><updated>2026-11-23T08:00:00+08:00</updated>
<author><name>a</name></author><link href="https://a.example/" rel="alternate"/><link href="https://a.example/feed.xml" rel="self"/>
<entry><title>i</title><id>tag:a.example,2026:1</id><updated>2026-11-23T08:00:00+08:00</updated><link href="https://a.example/1"/>
<content type="html">&lt;p&gt;x&lt;/p&gt;</content></entry></feed>`

const goodJSON = `{"version":"https://jsonfeed.org/version/1.1","title":"t","home_page_url":"https://a.example/","feed_url":"https://a.example/feed.xml",
"language":"zh-CN","items":[{"id":"1","url":"https://a.example/1","content_html":"<p>x</p>","date_published":"2026-11-23T08:00:00+08:00"}]}`

// The validator must report each rule for a feed that breaks it.
func TestValidate(t *testing.T) {
	for _, good := range []struct{ format, body string }{{"rss", goodRSS}, {"atom", goodAtom}, {"json", goodJSON}} {
		if p := feedtest.Validate(good.format, self, []byte(good.body)); len(p) > 0 {
			t.Errorf("a good %s feed: %v", good.format, p)
		}
	}
	for _, c := range []struct{ format, old, broken, rule string }{
		{"rss", `<?xml version="1.0" encoding="UTF-8"?>`, "", "xml.declaration"},
		{"rss", "</channel>", "", "xml.wellformed"},
		{"rss", `version="2.0"`, `version="0.91"`, "rss.root"},
		{"rss", "<title>t</title>", "", "rss.channel.title"},
		{"rss", "<description>d</description>", "", "rss.channel.description"},
		{"rss", "<link>https://a.example/</link>", "<link>/</link>", "rss.channel.link"},
		{"rss", "zh-CN", "中文", "rss.language"},
		{"rss", `rel="self"`, `rel="related"`, "self.missing"},
		{"rss", `href="https://a.example/feed.xml"`, `href="https://a.example/other"`, "self.mismatch"},
		{"rss", "Mon, 23 Nov 2026 08:00:00 +0800</pubDate>", "2026-11-23</pubDate>", "rss.pubDate"},
		{"rss", "Mon, 23 Nov 2026 08:00:00 +0800</lastBuildDate>", "Foo, 23 Nov 2026 08:00:00 +0800</lastBuildDate>", "rss.lastBuildDate"},
		{"rss", `<guid isPermaLink="false">tag:a.example,2026:1</guid>`, "", "rss.guid.missing"},
		{"rss", `isPermaLink="false"`, "", ""},
		{"rss", `<guid isPermaLink="false">tag:a.example,2026:1</guid>`, "<guid>1</guid>", "rss.guid.permalink"},
		{"rss", "</item>", "</item><item><title>j</title><guid isPermaLink=\"false\">tag:a.example,2026:1</guid></item>", "rss.guid.duplicate"},
		{"rss", "<description>x</description>", "<description>x</description><author>某人</author>", "rss.author"},
		{"rss", "<description>x</description>", `<description>x</description><enclosure url="https://a.example/f" type="application/pdf"/>`, "rss.enclosure"},
		{"rss", "<description>x</description>", "<description>x</description><summary>y</summary>", "element.unknown"},
		{"rss", "<description>x</description>", "<description>x</description><description>y</description>", "element.duplicate"},
		{"rss", "<p>x</p>", "<script>x</script>", "rss.content.tag"},
		{"rss", "<p>x</p>", `<p style="x">x</p>`, "rss.content.attribute"},
		{"rss", "<p>x</p>", `<a href="/x">x</a>`, "rss.content.relative"},
		{"rss", "<title>i</title>", "", ""},
		{"rss", "<title>i</title><link>https://a.example/1</link><description>x</description>", "", "rss.item.empty"},
		{"atom", "<id>tag:a.example,2026:f</id>", "", "atom.feed.atom:id"},
		{"atom", "tag:a.example,2026:1", "1", "atom.id"},
		{"atom", "2026-11-23T08:00:00+08:00</updated><link", "2026-11-23</updated><link", "atom.date"},
		{"atom", "<author><name>a</name></author>", "", "atom.author.missing"},
		{"atom", "<author><name>a</name></author>", "<author></author>", "atom.author"},
		{"atom", `rel="self"`, `rel="hub"`, "self.missing"},
		{"atom", `<link href="https://a.example/" rel="alternate"/>`, "", "atom.alternate"},
		{"atom", "</entry>", `</entry><entry><title>j</title><id>tag:a.example,2026:1</id><updated>2026-11-23T08:00:00Z</updated><link href="https://a.example/2"/></entry>`, "atom.id.duplicate"},
		{"atom", `<link href="https://a.example/1"/>`, `<link href="1"/>`, "atom.link"},
		{"atom", `type="html"`, `type="application/pdf"`, "atom.content.type"},
		{"atom", "</entry>", `<category scheme="https://a.example/x"/></entry>`, "atom.category"},
		{"atom", "&lt;p&gt;", "&lt;iframe&gt;", "atom.content.tag"},
		{"rss", "<title>i</title>", "<title>&lt;b&gt;i&lt;/b&gt;</title>", "rss.item.title.html"},
		{"rss", "<title>t</title>", "<title>R&amp;amp;D</title>", "rss.channel.title.html"},
		{"rss", "<title>i</title>", "<title>i\u0080</title>", "characters.bad"},
		{"rss", "<description>x</description>", "<description>x</description><category>&lt;/b&gt;</category>", "rss.category.html"},
		{"rss", "<link>https://a.example/1</link>", "<link>https://a.example/民政</link>", "rss.item.link"},
		{"rss", "<link>https://a.example/1</link>", "<link>https://a.example/100%</link>", "rss.item.link"},
		{"rss", "23 Nov 2026 08:00:00 +0800</pubDate>", "23 Nov 1987 08:00:00 +0800</pubDate>", "rss.pubDate.implausible"},
		{"rss", "Mon, 23 Nov 2026 08:00:00 +0800</pubDate>", "Mon, 23 Nov 2099 08:00:00 +0800</pubDate>", "rss.pubDate.implausible"},
		{"rss", "<description>x</description>", `<description>x</description><dc:date xmlns:dc="http://purl.org/dc/elements/1.1/">2026-11-23</dc:date>`, "rss.item.semantics"},
		{"rss", "<language>", `<fh:archive xmlns:fh="http://purl.org/syndication/history/1.0"/><language>`, "archive.current"},
		{"rss", "<language>", `<atom:link rel="current" href="https://a.example/feed.xml"/><fh:archive xmlns:fh="http://purl.org/syndication/history/1.0"/><language>`, "archive.alone"},
		{"atom", "<title>i</title>", "<title>&lt;/i&gt;</title>", "atom.title.html"},
		{"atom", "<title>i</title>", "<title> </title>", "atom.blank"},
		{"atom", `<content type="html">&lt;p&gt;x&lt;/p&gt;</content>`, "", "atom.text.missing"},
		{"atom", "tag:a.example,2026:1", "tag:a.example,2026:民政", "atom.id.tag"},
		{"atom", "tag:a.example,2026:1", "tag:a.example,2026:%e6", "atom.id.canonical"},
		{"atom", "</entry>", `</entry><entry><title>j</title><id>tag:a.example,2026:2</id><updated>2026-11-23T08:00:00+08:00</updated><link href="https://a.example/2"/><summary>j</summary></entry>`, "atom.updated.duplicate"},
		{"atom", "<entry>", `<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="tag:a.example,2026:1" when="2026-11-23T08:00:00+08:00"/><entry>`, "atom.deleted.present"},
		{"atom", "<entry>", `<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="tag:a.example,2026:2" when="gestern"/><entry>`, "atom.date"},
		{"atom", `rel="self"/>`, `rel="self" type="atom"/>`, "link.type"},
		{"json", `"version":"https://jsonfeed.org/version/1.1",`, "", "json.version"},
		{"json", `"title":"t",`, "", "json.title"},
		{"json", `"id":"1"`, `"id":1`, "json.id"},
		{"json", `"content_html":"<p>x</p>",`, "", "json.content"},
		{"json", `"date_published":"2026-11-23T08:00:00+08:00"`, `"date_published":"gestern"`, "json.date"},
		{"json", `"items":`, `"things":`, "json.items"},
		{"json", `"feed_url":"https://a.example/feed.xml",`, "", "self.missing"},
	} {
		body := map[string]string{"rss": goodRSS, "atom": goodAtom, "json": goodJSON}[c.format]
		broken := strings.Replace(body, c.old, c.broken, 1)
		if broken == body && c.old != c.broken {
			t.Fatalf("%s: %q is not in the good feed", c.rule, c.old)
		}
		if c.rule == "" {
			continue
		}
		found := false
		problems := feedtest.Validate(c.format, self, []byte(broken))
		for _, p := range problems {
			found = found || p.Rule == c.rule
		}
		if !found {
			t.Errorf("%s with %q → %q: got %v, want the rule %s", c.format, c.old, c.broken, problems, c.rule)
		}
	}
}
