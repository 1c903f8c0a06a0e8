package feed_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// What a notice asks of readers is stored with it; articles that an earlier version stored
// get it when they are evaluated again; a text that no longer asks for anything has none.
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
			if len(c.Steps) != 1 || c.Steps[0].Last != a.Facts.DeadlineOn || len(c.Benefits) != 1 || c.Benefits[0].Cap != 200000 || c.Who.Entities[0].Value != "enterprise" || c.Who.Thresholds[0].Value != 2e7 || c.Steps[0].Evidence == "" {
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

// When a site changes the last day of a call in its text, the earlier text is kept with both
// days. A change of other words has none, even if an older version of dibao read another day.
func TestEditedDeadlines(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		ask := func(day, about string) ingest.Item {
			return text{"ask", "样例市工业和信息化局关于组织申报样例技改项目的通知", "2026-05-06", "2026-05-06", "", []string{"各有关企业：", "请申报单位于" + day + "前登录http://a.example/b填报。", about}}.item()
		}
		for _, it := range []ingest.Item{ask("2026年6月5日", "联系人：样某。"), ask("2026年6月15日", "联系人：样某。"), ask("2026年6月15日", "联系人：例某。"), ask("近期", "联系人：例某。"), ask("2026年6月20日", "联系人：例某。"), ask("2026年6月20日", "联系人：某样。")} {
			_, err := r.Add(ctx, src["n"], []ingest.Item{it})
			r.check(err)
			r.check(db.Write(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE articles SET deadline_on = '2026-06-01' WHERE deadline_on = '2026-06-20'`)
				return err
			}))
		}
		var got []string
		r.check(db.Read(ctx, func(tx *sql.Tx) (err error) {
			got, err = database.Collect(ctx, tx, func(row database.Row) (string, error) {
				var was, until sql.Null[string]
				err := row.Scan(&was, &until)
				return was.V + " " + until.V, err
			}, `SELECT was_on, until_on FROM revisions ORDER BY id`)
			return err
		}))
		if want := "2026-06-05 2026-06-15, ,2026-06-15 , 2026-06-20, "; strings.Join(got, ",") != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// A notice that leaves the conditions to an attached file is read together with that file:
// values from the file have its name, those from the notice have none.
func TestCallsInFiles(t *testing.T) {
	t.Parallel()
	guide := []string{"样例项目申报指南", "一、申报条件", "在样例市注册的企业，注册满一年。", "二、支持标准", "每个项目给予最高不超过20万元补助。", "咨询电话：010-55550001。"}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		r.FileText = func(context.Context, []byte) ([]string, error) { return []string{strings.Join(guide, "\n")}, nil }
		s.set("/list", list("/a/1.html 样例市关于组织申报样例项目的通知", "/a/2.html 样例市关于做好样例工作的通知", "/a/3.html 样例市关于开展样例检查的通知"), 0)
		s.set("/a/1.html", `<html><head><title>样例市关于组织申报样例项目的通知_样例网</title></head><body><h1>样例市关于组织申报样例项目的通知</h1><div class="info">时间:2026-11-20 来源:本站</div>
			<div id="zoom"><p>各企业：请于2026年12月15日前申报，详见附件。</p><p><a href="guide.docx">样例项目申报指南.docx</a></p></div></body></html>`, 0)
		s.set("/a/guide.docx", "PK", 0)
		for _, path := range []string{"/a/2.html", "/a/3.html"} {
			s.set(path, `<html><body><div id="zoom"><p>各县人民政府：现就有关事项通知如下，请认真贯彻执行。</p></div></body></html>`, 0)
		}
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page", Name: "样例站", Licence: feed.LicenceOfficial})
		if _, err := r.collect(src.ID); err != nil {
			t.Fatal(err)
		}
		check := func(when string) {
			t.Helper()
			id := r.articleID(t.Context(), s.URL+"/a/1.html")
			calls, err := r.Store.CallsOf(t.Context(), []int64{id})
			if err != nil {
				t.Fatal(err)
			}
			const file = "样例项目申报指南.docx"
			c := calls[id]
			if len(c.Steps) != 1 || c.Steps[0].In != "" || len(c.Benefits) != 1 || c.Benefits[0].In != file || len(c.Contacts) != 1 || c.Contacts[0].In != file {
				t.Errorf("%s: %+v", when, c)
			}
			if w := c.Who; len(w.Regions) != 1 || w.Regions[0].In != file || len(w.Thresholds) != 1 || w.Thresholds[0].In != file {
				t.Errorf("%s: %+v", when, w)
			}
		}
		check("collected")
		if _, err := r.Store.Reread(t.Context(), nil, nil); err != nil {
			t.Fatal(err)
		}
		check("reread")
	})
}
