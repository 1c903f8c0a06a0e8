package feed_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"dibao/feed"
	"dibao/feed/collect"
	"dibao/feed/ingest"
	"dibao/feed/search"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
)

// The status of a document changes on the days that its text names.
func TestStatusFollowsDays(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := r.sources()
		r.put(src["s"], text{"rule", "四川省人民政府关于印发样例管理办法的通知", "2022-01-10", "2022-01-12", "川府发〔2022〕1号",
			[]string{"各市（州）人民政府：", "现将《样例管理办法》印发给你们，请认真执行。本办法自2022年3月1日起施行，有效期五年。"}})
		docs, err := r.Store.FindDocuments(t.Context(), "川府发〔2022〕1号")
		r.check(err)
		if len(docs) != 1 || docs[0].ExpiresOn.String() != "2027-02-28" {
			t.Fatalf("%+v", docs)
		}
		for _, c := range []struct{ day, state string }{
			{"2022-02-01", "not-yet"},
			{"2022-02-28", "not-yet"},
			{"2022-03-01", "in-force"},
			{"2026-11-29", "in-force"},
			{"2026-11-30", "expiring"},
			{"2027-02-28", "expiring"},
			{"2027-03-01", "expired"},
		} {
			on, err := policy.ParseDate(c.day)
			r.check(err)
			if got := docs[0].StatusWord(on); got != c.state {
				t.Errorf("on %s it is %s, want %s", c.day, got, c.state)
			}
		}
	})
}

// Anybody can enter any query: none is an error, and the results are consistent.
func FuzzSearch(f *testing.F) {
	ctx := context.Background()
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(f.TempDir(), "dibao.db"), database.Options{})
	if err == nil {
		err = db.Migrate(ctx)
	}
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	c := &collect.Collector{Store: feed.NewStore(db, time.Now), Logger: slog.New(slog.DiscardHandler)}
	src, err := c.Store.AddSource(ctx, feed.Source{URL: "http://example.org/", Kind: "page"})
	if err != nil {
		f.Fatal(err)
	}
	for _, x := range library {
		if _, err := c.Add(ctx, src.ID, []ingest.Item{x.item()}); err != nil {
			f.Fatal(err)
		}
	}
	for _, q := range []string{"养老", `"老 服务" -药`, "国办发[2023]15号", "issuer:民政部 OR theme:x", `a* OR "`, "after:2024 before:x region:四川", "-", "'; DROP TABLE x; --", "NEAR(a b)", "head : x", "\x00", "养\u200b老 AND NOT (", "🙂 \uE001document"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		found, err := c.Store.Search(t.Context(), search.Query{Text: q, Facets: true})
		if err != nil {
			t.Fatalf("%q: %v", q, err)
		}
		if len(found.Hits) > len(library) || found.Total < len(found.Hits) {
			t.Errorf("%q: %d hits of %d", q, len(found.Hits), found.Total)
		}
		for _, h := range found.Hits {
			title := ""
			for _, s := range h.Title {
				title += s.Text
			}
			if title != h.Article.Title() {
				t.Errorf("%q: the title %q is shown as %q", q, h.Article.Title(), title)
			}
		}
	})
}
