package feed_test

import (
	"strings"
	"testing"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/feed/ingest/sanitize"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
)

// TestPicturesLeakReaders tests a former bug: our pages made browsers load pictures from
// sources, which revealed the reader's address. A page now links to the pictures; feeds
// keep them.
func TestPicturesLeakReaders(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := r.add(feed.Source{URL: "http://example.org/list", Kind: "feed", Name: "样例", Issuer: "样例", Licence: feed.LicenceOwn})
		html := sanitize.Clean(`<p>图如下。<img src="http://b.example/1.png" alt="流程图 &quot;一&quot;"><a href="http://b.example/x"><img src="/2.png"></a><img src='http://b.example/3.png?a=1&b=2'></p>`, "http://example.org/")
		_, err := r.Add(t.Context(), src.ID, []ingest.Item{{GUID: "a", URL: "http://example.org/a", Title: "关于养老的通知", HTML: html,
			Evidence: policy.Evidence{Title: "关于养老的通知", Paragraphs: []string{"图如下。"}, ListDate: "2026-11-20"}}})
		r.check(err)
		_, doc := pagesOf(t, r.Store)("/articles/1")
		body, err := doc.Find(".content").Html()
		r.check(err)
		if doc.Find("img").Length() > 0 || !strings.Contains(body, `<a href="http://b.example/1.png" rel="noopener noreferrer nofollow">[流程图 &#34;一&#34;]</a>`) ||
			!strings.Contains(body, `<a href="http://b.example/3.png?a=1&amp;b=2" rel="noopener noreferrer nofollow">[图片]</a>`) || strings.Count(body, "[图片]") != 2 {
			t.Errorf("the page has\n%s", body)
		}
		all, err := r.Store.ArticlesWithText(t.Context(), feed.Selection{})
		r.check(err)
		if !strings.Contains(all[0].Content, `<img src="http://b.example/1.png"`) {
			t.Errorf("the content for feeds has no picture: %s", all[0].Content)
		}
	})
}
