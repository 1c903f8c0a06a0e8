package feed_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
	"dibao/policy/division"
)

// world is a small set of related texts, each with its source: n national, s 四川, r another
// site that reposts.
var world = []struct {
	source string
	text
}{
	{"n", text{"plan", "国务院关于加快发展养老服务业的若干意见", "2013-09-06", "2013-09-13", "国发〔2013〕35号", []string{
		"各省、自治区、直辖市人民政府：", "为积极应对人口老龄化，现就加快发展养老服务业提出以下意见。本意见自印发之日起施行，有效期十五年。",
		times("养老服务业是保障和改善民生的重要内容，各地要高度重视，统筹规划，落实责任，加强督促检查，确保各项任务落到实处。", 4), "国务院", "2013年9月6日"}}},
	{"r", text{"plan-repost", "国务院关于加快发展养老服务业的若干意见", "", "2013-09-20", "", []string{
		"各省自治区直辖市人民政府", "为积极应对人口老龄化，现就加快发展养老服务业提出以下意见；本意见自印发之日起施行，有效期十五年。",
		times("养老服务业是保障和改善民生的重要内容，各地要高度重视，统筹规划，落实责任，加强督促检查，确保各项任务落到实处。", 4), "来源：国务院办公厅"}}},
	{"s", text{"follow", "四川省人民政府关于加快发展养老服务业的实施意见", "2014-02-14", "2014-02-20", "川府发〔2014〕8号", []string{
		"各市（州）人民政府：", "为贯彻落实《国务院关于加快发展养老服务业的若干意见》（国发〔2013〕35号）精神，结合我省实际，提出如下实施意见。"}}},
	{"s", text{"title-only", "四川省人民政府办公厅关于加快发展养老服务业若干问题的通知", "2015-03-01", "2015-03-05", "川办发〔2015〕9号", []string{"各市（州）人民政府：", "现就有关问题通知如下。"}}},
	{"s", text{"repealer", "四川省人民政府关于废止部分文件的决定", "2020-01-10", "2020-01-12", "川府发〔2020〕1号", []string{
		"各市（州）人民政府：", "经研究，决定对《四川省人民政府关于加快发展养老服务业的实施意见》（川府发〔2014〕8号）予以废止。本决定自2020年2月1日起施行。"}}},
	{"n", text{"explained", "《国务院关于加快发展养老服务业的若干意见》解读", "", "2013-09-15", "", []string{"《国务院关于加快发展养老服务业的若干意见》（国发〔2013〕35号）日前印发。现就有关问题解读如下。"}}},
	{"n", text{"promise", "国务院办公厅关于做好2016年民政重点工作的通知", "2016-01-05", "2016-01-08", "国办发〔2016〕2号", []string{
		"各省、自治区、直辖市人民政府：", "现就做好民政重点工作通知如下。", "三、民政部要抓紧制定《农村留守儿童关爱保护工作实施办法》。"}}},
	{"n", text{"kept", "农村留守儿童关爱保护工作实施办法", "2016-08-01", "2016-08-03", "", []string{"第一条 为了关爱保护农村留守儿童，制定本办法。", "第二条 本办法自2016年9月1日起施行。"}}},
	{"n", text{"law-1", "样例养老机构管理条例", "2010-01-01", "2010-01-05", "", []string{"第一条 为了规范养老机构，制定本条例。", times("第二条 养老机构应当依法登记，接受监督，保障老年人合法权益，不得侵害入住老年人的人身和财产权益。", 5), "第三条 本条例自2010年3月1日起施行。"}}},
	{"n", text{"law-2", "样例养老机构管理条例", "2020-05-01", "2020-05-06", "", []string{"第一条 为了规范养老机构，制定本条例。", times("第二条 养老机构应当依法登记，接受监督检查，保障老年人的合法权益，不得侵害入住老年人的人身权益和财产权益。", 5), "第三条 本条例自2020年7月1日起施行。"}}},
}

func times(s string, n int) string { return strings.Repeat(s, n) }

// sources stores the three sites of the world.
func (r *room) sources() map[string]int64 {
	return map[string]int64{
		"n": gazette(r, "http://n.example.org/", "国务院", "国务院", ""),
		"s": gazette(r, "http://s.example.org/", "四川省人民政府", "四川省人民政府", "51"),
		"r": r.add(feed.Source{URL: "http://r.example.org/", Kind: "page", Name: "转载网"}).ID,
	}
}

// describe lists all stored facts about the world, with names that do not depend on the
// order in which the texts arrived.
func (r *room) describe(ctx context.Context) string {
	r.t.Helper()
	var b strings.Builder
	articles, err := r.Store.Articles(ctx, feed.Selection{Limit: 100})
	r.check(err)
	guid := map[int64]string{}
	var ids []int64
	for _, a := range articles {
		guid[a.ID] = a.GUID
		ids = append(ids, a.ID)
	}
	documents, err := r.Store.DocumentsOf(ctx, ids)
	r.check(err)
	docs, err := r.Store.Documents(ctx, feed.DocumentSelection{Limit: 100})
	r.check(err)
	name := map[int64]string{0: "-"}
	for _, d := range docs {
		name[d.ID] = fmt.Sprint(d.Title, " ", d.IssuedOn)
	}
	var lines []string
	on := policy.Date{Year: 2026, Month: 11, Day: 23}
	for _, d := range docs {
		status := d.Status(on)
		lines = append(lines, fmt.Sprintf("document %s: number %q level %s region %q expires %s status %s since %s, shown by %s", name[d.ID], d.Number, d.Level, d.Region, d.ExpiresOn, status.State, status.Since, guid[d.Article]))
		from, err := r.Store.RelationsFrom(ctx, d.ID)
		r.check(err)
		for _, x := range from {
			lines = append(lines, fmt.Sprintf("  %s [%s] → %s (%s %s) %s", name[d.ID], x.Kind, name[x.Target], x.TargetTitle, x.TargetNumber, x.SaidIn))
		}
		to, err := r.Store.RelationsTo(ctx, d.ID)
		r.check(err)
		for _, x := range to {
			lines = append(lines, fmt.Sprintf("  %s ← [%s] %s %s", name[d.ID], x.Kind, guid[x.Article], x.SaidIn))
		}
		chain, err := r.Store.Chain(ctx, d.ID)
		r.check(err)
		for _, x := range chain.Steps {
			lines = append(lines, fmt.Sprintf("  chain %s: %s after %d days, %s", name[d.ID], x.Document.Title, x.Days, x.SaidIn))
		}
		explained, err := r.Store.Interpretations(ctx, d.ID)
		r.check(err)
		for _, x := range explained {
			lines = append(lines, fmt.Sprintf("  %s is explained by %s", name[d.ID], guid[x]))
		}
		versions, err := r.Store.Versions(ctx, d.ID)
		r.check(err)
		for i, v := range versions {
			lines = append(lines, fmt.Sprintf("  version %d of %s: %s", i, name[d.ID], name[v.ID]))
		}
	}
	for a, d := range documents {
		lines = append(lines, fmt.Sprintf("%s contains %s", guid[a], name[d]))
	}
	clusters, err := r.Store.Clusters(ctx, ids)
	r.check(err)
	for a, c := range clusters {
		lines = append(lines, fmt.Sprintf("%s is one of %d, the first is %s", guid[a], len(c.Articles), guid[c.First]))
	}
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, "\n"))
	return b.String()
}

func (r *room) check(err error) {
	if err != nil {
		r.t.Helper()
		r.t.Fatal(err)
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := r.sources()
		for _, x := range world {
			r.put(src[x.source], x.text)
		}
		got := r.describe(t.Context())
		for _, want := range []string{
			`document 国务院关于加快发展养老服务业的若干意见 2013-09-06: number "国发〔2013〕35号" level central region "" expires 2028-09-05 status in-force since 2013-09-06, shown by plan`,
			`document 四川省人民政府关于加快发展养老服务业的实施意见 2014-02-14: number "川府发〔2014〕8号" level province region "51" expires  status repealed since 2020-02-01, shown by follow`,
			`document 样例养老机构管理条例 2010-01-01: number "" level  region "" expires  status superseded since 2020-07-01, shown by law-1`,
			"plan contains 国务院关于加快发展养老服务业的若干意见 2013-09-06",
			"plan-repost contains 国务院关于加快发展养老服务业的若干意见 2013-09-06",
			"plan-repost is one of 2, the first is plan",
			"  chain 国务院关于加快发展养老服务业的若干意见 2013-09-06: 四川省人民政府关于加快发展养老服务业的实施意见 after 161 days, text",
			"  chain 国务院关于加快发展养老服务业的若干意见 2013-09-06: 四川省人民政府办公厅关于加快发展养老服务业若干问题的通知 after 541 days, subject",
			"  国务院关于加快发展养老服务业的若干意见 2013-09-06 is explained by explained",
			"  四川省人民政府关于加快发展养老服务业的实施意见 2014-02-14 ← [废止] repealer text",
			"  国务院办公厅关于做好2016年民政重点工作的通知 2016-01-05 [即将出台] → 农村留守儿童关爱保护工作实施办法 2016-08-01 (农村留守儿童关爱保护工作实施办法 ) text",
			"  version 1 of 样例养老机构管理条例 2010-01-01: 样例养老机构管理条例 2020-05-01",
		} {
			if !slices.Contains(strings.Split(got, "\n"), want) {
				t.Errorf("missing: %s", want)
			}
		}
		if t.Failed() {
			t.Log(got)
		}
		t.Run("StoredAgainIsTheSame", func(t *testing.T) {
			if n, err := r.Store.Reread(t.Context(), nil, nil); err != nil || n != len(world) {
				t.Fatalf("%d, %v", n, err)
			}
			if again := r.describe(t.Context()); again != got {
				t.Error(cmp.Diff(got, again))
			}
		})
	})
}

// TestRebuild deletes data that a backup does not contain, and data that an earlier version
// did not have.
func TestRebuild(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := r.sources()
		for _, x := range world {
			r.put(src[x.source], x.text)
		}
		want, found := r.describe(t.Context()), guids(r.search("养老", 50))
		if n, err := r.Store.Rebuild(t.Context()); err != nil || n != 0 {
			t.Errorf("%d lacked something, %v", n, err)
		}
		for _, tables := range [][]string{
			{"article_search", "search_keys"},
			{"article_search", "search_keys", "relations", "clusters", "carriers", "documents"},
		} {
			err := db.Write(t.Context(), func(tx *sql.Tx) error {
				for _, table := range tables {
					query := "DELETE FROM " + table
					if table == "article_search" && db.Dialect() == database.SQLite {
						query = "INSERT INTO article_search (article_search) VALUES ('delete-all')"
					}
					if _, err := tx.ExecContext(t.Context(), query); err != nil {
						return err
					}
				}
				return nil
			})
			r.check(err)
			complete := r.Store.Rebuild
			if len(tables) == 2 { // as after a backup was restored
				complete = r.Store.IndexAll
			}
			if n, err := complete(t.Context()); err != nil || n != len(world) {
				t.Errorf("without %v: %d lacked it, %v", tables, n, err)
			}
			if got := r.describe(t.Context()); got != want {
				t.Errorf("without %v\n%s", tables, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
			}
			if got := guids(r.search("养老", 50)); got != found {
				t.Errorf("without %v search finds %q, not %q", tables, got, found)
			}
		}
	})
}

// TestOrderDoesNotMatter stores the world in other orders: the final facts are the same.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		if db.Dialect() == database.Postgres {
			t.Skip("the order is the code's matter, not the database's; TestDocuments runs on both")
		}
		want := ""
		random := rand.New(rand.NewSource(3))
		for i := range 12 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				r := newRoom(t, db)
				src := r.sources()
				order := random.Perm(len(world))
				switch i {
				case 0:
					slices.Sort(order)
				case 1:
					slices.Sort(order)
					slices.Reverse(order)
				}
				for _, n := range order {
					r.put(src[world[n].source], world[n].text)
				}
				got := r.describe(t.Context())
				if want == "" {
					want = got
				} else if got != want {
					t.Errorf("in the order %v (-first, +this)\n%s", order, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
				}
			})
		}
	})
}

func TestCorrections(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := r.sources()
		for _, x := range world[:3] {
			r.put(src[x.source], x.text)
		}
		ctx := t.Context()
		id := func(guid string) int64 {
			all, err := r.Store.Articles(ctx, feed.Selection{Hidden: true})
			r.check(err)
			for _, a := range all {
				if a.GUID == guid {
					return a.ID
				}
			}
			t.Fatalf("no %s", guid)
			return 0
		}
		set := func(guid, field, value string) {
			t.Helper()
			r.at = r.at.Add(1e9)
			r.check(r.Store.Correct(ctx, id(guid), []feed.Correction{{Field: field, Value: &value, Note: "样例"}}))
		}
		before, _, err := r.Store.Version(ctx)
		r.check(err)
		set("follow", "title", "四川省人民政府关于发展养老的意见")
		set("follow", "expires", "2030-01-01")
		after, _, err := r.Store.Version(ctx)
		r.check(err)
		if before == after {
			t.Error("the stamp stands still")
		}
		again := world[2].text
		again.paragraphs = append(slices.Clone(again.paragraphs), "各地要抓好落实。")
		r.put(src["s"], again) // collected again, with a new text
		a, err := r.Store.Article(ctx, id("follow"))
		r.check(err)
		if a.Facts.Title != "四川省人民政府关于发展养老的意见" || a.Facts.ExpiresOn.String() != "2030-01-01" || len(a.Facts.Paragraphs) != 3 {
			t.Errorf("after collecting: %q, %s, %q", a.Facts.Title, a.Facts.ExpiresOn, a.Facts.Paragraphs)
		}
		if got := guids(r.search("发展养老的意见", 5)); got != "follow" {
			t.Errorf("search finds %q", got)
		}
		docs, err := r.Store.FindDocuments(ctx, "川府发[2014]8号")
		r.check(err)
		if len(docs) != 1 || docs[0].Title != "四川省人民政府关于发展养老的意见" || docs[0].ExpiresOn.String() != "2030-01-01" {
			t.Errorf("document %+v", docs)
		}
		r.check(r.Store.Correct(ctx, id("follow"), []feed.Correction{{Field: "title"}}))
		if a, err = r.Store.Article(ctx, id("follow")); err != nil || a.Facts.Title != world[2].title {
			t.Errorf("taken back: %q, %v", a.Facts.Title, err)
		}
		history, err := r.Store.History(ctx, id("follow"))
		r.check(err)
		var what []string
		for _, h := range history {
			what = append(what, h.What+" "+h.Field)
		}
		if got := strings.Join(what, ", "); got != "relation 落实, correction title, correction expires, text , undone title" {
			t.Errorf("history: %s", got)
		}
		t.Run("HiddenIsNowhere", func(t *testing.T) {
			set("plan", "hidden", "1")
			if got := guids(r.search("加快发展养老服务业", 5)); got != "follow plan-repost" {
				t.Errorf("search finds %q", got)
			}
			all, err := r.Store.Articles(ctx, feed.Selection{})
			r.check(err)
			if len(all) != 2 {
				t.Errorf("%d articles are listed", len(all))
			}
			plan, err := r.Store.FindDocuments(ctx, world[0].title)
			r.check(err)
			if len(plan) != 1 || plan[0].Article != id("plan-repost") || plan[0].Number != "" {
				t.Errorf("its document is %+v", plan)
			}
			r.put(src["n"], world[0].text)
			if got := guids(r.search("加快发展养老服务业", 5)); got != "follow plan-repost" {
				t.Errorf("collected again, search finds %q", got)
			}
			set("plan", "hidden", "0")
			if got := guids(r.search("加快发展养老服务业", 5)); got != "follow plan-repost plan" {
				t.Errorf("shown again, search finds %q", got)
			}
			again, err := r.Store.FindDocuments(ctx, "国发〔2013〕35号")
			r.check(err)
			if len(again) != 1 || again[0].ID != plan[0].ID || again[0].Article != id("plan") {
				t.Errorf("shown again, its document is %+v", again)
			}
		})
		t.Run("PinnedIsKept", func(t *testing.T) {
			set("plan", "pinned", "1")
			all, err := r.Store.Articles(ctx, feed.Selection{Pinned: true})
			r.check(err)
			if len(all) != 1 || all[0].GUID != "plan" || !all[0].Pinned {
				t.Errorf("pinned: %+v", all)
			}
		})
		t.Run("EveryField", func(t *testing.T) {
			for field, value := range map[string]string{"level": "city", "audience": "企业、老年人", "office": "民政部部长", "body": "民政部", "credit": "样例报", "index": "000014349/2018-00213", "opens": "2024-01-02"} {
				set("plan", field, value)
			}
			r.put(src["n"], world[0].text)
			a, err := r.Store.Article(ctx, id("plan"))
			r.check(err)
			f := a.Facts
			if f.Level != division.City || strings.Join(f.Audiences, " ") != "企业 老年人" || f.AuthorOffice != "民政部部长" || f.AuthorBody != "民政部" || f.Credit != "样例报" ||
				f.IndexNumber != "000014349/2018-00213" || f.OpensOn.String() != "2024-01-02" || f.OpensFrom != "人工更正" {
				t.Errorf("collected again: %+v", f)
			}
		})
		t.Run("NonsenseIsRefused", func(t *testing.T) {
			for field, value := range map[string]string{"number": "没有文号", "kind": "x", "expires": "2030-02-30", "region": "乌有", "colour": "red", "hidden": "yes", "level": "village", "audience": "火星人"} {
				if err := r.Store.Correct(ctx, id("plan"), []feed.Correction{{Field: field, Value: &value}}); err == nil {
					t.Errorf("%s = %s was accepted", field, value)
				}
			}
			v := "x"
			if err := r.Store.Correct(ctx, 999, []feed.Correction{{Field: "title", Value: &v}}); err == nil {
				t.Error("an article that does not exist was corrected")
			}
		})
	})
}

// Articles whose corrections were all undone are not listed as corrected; days can be
// written in other ways.
func TestCorrectedArticles(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := r.sources()
		r.put(src[world[0].source], world[0].text)
		ctx := t.Context()
		all, err := r.Store.Articles(ctx, feed.Selection{})
		r.check(err)
		id, one, zero := all[0].ID, "1", "0"
		for _, step := range []struct {
			field string
			value *string
			want  int
		}{{"pinned", &one, 1}, {"pinned", &zero, 0}, {"title", &one, 1}, {"summary", &one, 1}, {"title", nil, 1}, {"summary", nil, 0}} {
			r.check(r.Store.Correct(ctx, id, []feed.Correction{{Field: step.field, Value: step.value}}))
			corrected, err := r.Store.Articles(ctx, feed.Selection{Corrected: true})
			r.check(err)
			if len(corrected) != step.want {
				t.Errorf("after %+v: %d corrected articles", step, len(corrected))
			}
		}
		for _, day := range []string{"2026年12月5日", "2026/12/05", " 2026.12.5 ", "2026-12-05"} {
			r.check(r.Store.Correct(ctx, id, []feed.Correction{{Field: "deadline", Value: &day}}))
			a, err := r.Store.Article(ctx, id)
			r.check(err)
			if a.Facts.DeadlineOn.String() != "2026-12-05" {
				t.Errorf("%q: %s", day, a.Facts.DeadlineOn)
			}
		}
		wrong := "2026年13月5日"
		if err := r.Store.Correct(ctx, id, []feed.Correction{{Field: "deadline", Value: &wrong}}); err == nil {
			t.Error("a month 13 was accepted")
		}
	})
}
