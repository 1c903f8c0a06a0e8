package feed_test

import (
	"database/sql"
	"testing"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// What a notice asks of its readers is stored with it; articles that an earlier
// version stored get it when they are read again; a text that asks no more has none.
func TestCallsAreStored(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		ask := text{"ask", "样例市工业和信息化局关于组织申报样例技改项目的通知", "2026-05-06", "2026-05-06", "", []string{"各有关企业：", "一、申报条件：在样例市注册的制造业企业，营业收入2000万元以上。", "二、支持标准：每个项目给予最高不超过20万元补助。", "请申报单位于2026年6月5日前登录http://a.example/b填报。"}}
		r.put(src["n"], ask, text{"plain", "样例市人民政府关于印发样例方案的通知", "2026-05-06", "2026-05-06", "", []string{"各县人民政府：", "现将方案印发给你们。"}})
		id := r.articleID(ctx, "ask")
		check := func(when string) {
			t.Helper()
			a, err := r.Store.Article(ctx, id)
			r.check(err)
			calls, err := r.Store.CallsOf(ctx, []int64{id, r.articleID(ctx, "plain")})
			r.check(err)
			if a.Call == nil || len(calls) != 1 {
				t.Fatalf("%s: %+v, %d calls", when, a.Call, len(calls))
			}
			c := calls[id]
			if len(c.Steps) != 1 || c.Steps[0].Last != a.Facts.DeadlineOn || len(c.Brings) != 1 || c.Brings[0].Cap != 200000 || c.Who.Entities[0].Value != "enterprise" || c.Who.Thresholds[0].Value != 2e7 || c.Steps[0].Evidence == "" {
				t.Errorf("%s: %+v", when, c)
			}
		}
		check("collected")
		err := db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE articles SET call = ''`)
			return err
		})
		r.check(err)
		_, err = r.Store.Reread(ctx, nil, nil)
		r.check(err)
		check("reread")
		over := text{"ask", "样例市工业和信息化局关于印发样例技改项目管理办法的通知", "2026-05-06", "2026-05-06", "", []string{"各县工业和信息化局：", "现将办法印发给你们。"}}
		_, err = r.Add(ctx, src["n"], []ingest.Item{over.item()})
		r.check(err)
		if a, err := r.Store.Article(ctx, id); err != nil || a.Call != nil {
			t.Errorf("the text asks no more: %+v, %v", a.Call, err)
		}
		if all, err := r.Store.Articles(ctx, feed.Selection{}); err != nil || len(all) != 2 {
			t.Errorf("%d articles, %v", len(all), err)
		}
	})
}
