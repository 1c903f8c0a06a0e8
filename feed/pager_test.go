package feed_test

import (
	"fmt"
	"strings"
	"testing"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// TestPagerIsNamed requests three pages of a list whose second page has a pager that only a
// script understands: two are read, and the collection says why.
func TestPagerIsNamed(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		pager := func(page, add string) string { return strings.Replace(page, "</body>", add+"</body>", 1) }
		s.set("/zc/index.html", pager(list("/a/1.html", "/a/2.html"), `<script>createPageHTML('9','0','index','html')</script>`), 0)
		s.set("/zc/index_1.html", pager(list("/a/3.html", "/a/4.html"), `<a href="javascript:toPage(3)">下一页</a>`), 0)
		src := r.add(feed.Source{URL: s.URL + "/zc/index.html", Kind: "page", Name: "样例", Settings: ingest.Settings{Pages: 3}})
		done, err := r.collect(src.ID)
		if err != nil || done.New != 4 {
			t.Fatalf("%+v, %v", done, err)
		}
		const want = "{list-pages-fewer [2 3 not understood: 下一页 by toPage(3)"
		if said := fmt.Sprint(done.Warnings); !strings.Contains(said, want) {
			t.Errorf("warnings %q, want %q", said, want)
		}
	})
}
