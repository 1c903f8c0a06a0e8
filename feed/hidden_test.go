package feed_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
	"dibao/policy"
)

// articleID returns the id of an article by its GUID, hidden or not.
func (r *room) articleID(ctx context.Context, guid string) int64 {
	r.t.Helper()
	all, err := r.Store.Articles(ctx, feed.Selection{Hidden: true, Limit: 100})
	r.check(err)
	for _, a := range all {
		if a.GUID == guid {
			return a.ID
		}
	}
	r.t.Fatalf("no article %s", guid)
	return 0
}

// correct sets a field of an article; "undo" removes the correction.
func (r *room) correct(ctx context.Context, guid, field, value string) {
	r.t.Helper()
	r.at = r.at.Add(1e9)
	c := feed.Correction{Field: field, Value: &value}
	if value == "undo" {
		c.Value = nil
	}
	r.check(r.Store.Correct(ctx, r.articleID(ctx, guid), []feed.Correction{c}))
}

func (r *room) document(ctx context.Context, name string) feed.Document {
	r.t.Helper()
	docs, err := r.Store.FindDocuments(ctx, name)
	r.check(err)
	if len(docs) != 1 {
		r.t.Fatalf("%d documents go by %s", len(docs), name)
	}
	return docs[0]
}

// The facts of an article that an admin hid do not count for its document while another
// page contains it.
func TestHiddenPageSaysNothing(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		const number = "国发〔2021〕9号"
		r.put(src["n"], text{"wrong", "国务院关于加快发展样例养老服务业的意见（一稿）", "2021-03-01", "2021-03-05", number, []string{
			"各省、自治区、直辖市人民政府：", "为贯彻落实《样例养老服务促进法》，现提出以下意见。", "本意见自2021年4月1日起施行，有效期至2022年4月1日。"}})
		r.put(src["r"], text{"right", "国务院关于加快发展样例养老服务业的意见", "2021-03-01", "2021-03-09", number, []string{
			"各省、自治区、直辖市人民政府：", "为贯彻落实《样例老年人权益条例》，现提出以下意见。", "本意见自2021年5月1日起施行。"}})
		before := r.document(ctx, number)
		if !strings.Contains(before.Title, "一稿") || before.ExpiresOn.IsZero() {
			t.Fatalf("the page of the best standing does not count: %+v", before)
		}
		relations := func() string {
			all, err := r.Store.RelationsFrom(ctx, before.ID)
			r.check(err)
			var names []string
			for _, x := range all {
				names = append(names, x.TargetTitle)
			}
			slices.Sort(names)
			return strings.Join(names, " ")
		}
		both := relations()
		r.correct(ctx, "wrong", "theme", "国防")
		themes := func() string {
			_, doc := pagesOf(t, r.Store)("/themes/?lang=zh")
			return doc.Find("main").Text()
		}
		if !strings.Contains(themes(), "国防") {
			t.Errorf("a theme with an article is not listed: %s", themes())
		}

		r.correct(ctx, "wrong", "hidden", "1")
		d := r.document(ctx, number)
		if d.ID != before.ID || strings.Contains(d.Title, "一稿") || !d.ExpiresOn.IsZero() || d.EffectiveOn.String() != "2021-05-01" || d.Article != r.articleID(ctx, "right") {
			t.Errorf("the hidden page still decides: %+v", d)
		}
		if got := relations(); got != "样例老年人权益条例" {
			t.Errorf("relations %q, of both pages %q", got, both)
		}
		if docs, err := r.Store.FindDocuments(ctx, "国务院关于加快发展样例养老服务业的意见（一稿）"); err != nil || len(docs) != 0 {
			t.Errorf("it goes by the hidden title: %+v, %v", docs, err)
		}
		if strings.Contains(themes(), "国防") {
			t.Error("a theme that only a hidden article has is listed")
		}
		if _, err := r.Store.Reread(ctx, nil, nil); err != nil {
			t.Fatal(err)
		}
		if again := r.document(ctx, number); again.Title != d.Title || again.ExpiresOn != d.ExpiresOn {
			t.Errorf("judged again, the hidden page decides: %+v", again)
		}
		r.correct(ctx, "wrong", "hidden", "0")
		if d := r.document(ctx, number); d.Title != before.Title || d.ExpiresOn != before.ExpiresOn || relations() != both {
			t.Errorf("shown again it is %+v with relations %q", d, relations())
		}

		// A document with only hidden pages is shown by its name in the text.
		r.put(src["s"], text{"cites", "四川省人民政府关于养老服务的通知", "2022-01-01", "2022-01-02", "川府发〔2022〕7号", []string{
			"各市（州）人民政府：", "为贯彻落实《国务院关于加快发展样例养老服务业的意见》（国发〔2021〕9号）精神，现通知如下。"}})
		r.correct(ctx, "wrong", "hidden", "1")
		r.correct(ctx, "right", "hidden", "1")
		path := "/documents/" + url.PathEscape(number)
		if res, _ := pagesOf(t, r.Store)(path); res.StatusCode != 404 {
			t.Errorf("the page of a hidden document: %d", res.StatusCode)
		}
		res, doc := pagesOf(t, r.Store)(fmt.Sprintf("/articles/%d?lang=zh", r.articleID(ctx, "cites")))
		if res.StatusCode != 200 || !strings.Contains(doc.Text(), number) {
			t.Errorf("status %d; the text's own words are gone", res.StatusCode)
		}
		if doc.Find(`a[href^="`+path+`"]`).Length() != 0 {
			t.Error("there is a link to the page of a hidden document")
		}
	})
}

// A version that is hidden, corrected or gone does not supersede others.
func TestSupersededIsTakenBack(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		law := func(guid, year string) text {
			return text{guid, "样例养老机构条例", year + "-01-01", year + "-01-05", "", []string{"第一条 为了规范养老机构，制定本条例（" + year + "）。", "第二条 本条例自" + year + "年3月1日起施行。"}}
		}
		for _, year := range []string{"2010", "2015", "2020"} {
			r.put(src["n"], law(year, year))
		}
		state := func(guid string) string {
			ids, err := r.Store.DocumentsOf(ctx, []int64{r.articleID(ctx, guid)})
			r.check(err)
			d, err := r.Store.Document(ctx, ids[r.articleID(ctx, guid)])
			r.check(err)
			return fmt.Sprint(d.Status(policy.Date{Year: 2026, Month: 11, Day: 23}).State, " ", d.SupersededOn)
		}
		check := func(when, first, second string) {
			t.Helper()
			if got := state("2010"); got != first {
				t.Errorf("%s: the first is %q, want %q", when, got, first)
			}
			if got := state("2015"); got != second {
				t.Errorf("%s: the second is %q, want %q", when, got, second)
			}
		}
		check("stored", "superseded 2015-03-01", "superseded 2020-03-01")
		r.correct(ctx, "2020", "hidden", "1")
		check("the newest hidden", "superseded 2015-03-01", "in-force ")
		r.correct(ctx, "2015", "hidden", "1")
		check("two hidden", "in-force ", "in-force ")
		r.correct(ctx, "2020", "hidden", "0")
		check("the middle hidden", "superseded 2020-03-01", "superseded 2020-03-01")
		r.correct(ctx, "2015", "hidden", "0")
		check("all shown", "superseded 2015-03-01", "superseded 2020-03-01")
		r.correct(ctx, "2020", "title", "别例养老机构条例")
		check("the newest is another law", "superseded 2015-03-01", "in-force ")
		r.correct(ctx, "2020", "title", "undo")
		check("and is not", "superseded 2015-03-01", "superseded 2020-03-01")
		r.correct(ctx, "2020", "kind", "news")
		check("the newest is news", "superseded 2015-03-01", "in-force ")
		r.correct(ctx, "2020", "kind", "undo")
		r.correct(ctx, "2020", "issued", "2012-01-01")
		if first, second := state("2010"), state("2015"); first != "superseded 2020-03-01" || second != "in-force " {
			t.Errorf("the newest is not the newest: %q, %q", first, second)
		}
	})
}

// If one of two texts changes so that they have only a third in common, they are
// separated, and so are the facts that each took from the other.
func TestClusterFallsApart(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		part := func(word string) (all []string) {
			for i, what := range []string{"养老", "托育", "助残", "救助", "殡葬", "慈善", "社工", "地名"} {
				all = append(all, fmt.Sprintf("%s第%d项：各地要把%s工作摆在%s位置，健全%s的机制，落实%s的责任，不得推诿。", word, i, what, word+what, what+word, what))
			}
			return all
		}
		title := "国务院关于加强样例工作的意见"
		whole := text{"whole", title, "2024-03-01", "2024-03-05", "国发〔2024〕3号", append(part("首要"), part("其次")...)}
		r.put(src["n"], whole)
		r.put(src["r"], text{"first", title, "", "2024-03-06", "", part("首要")}, text{"second", title, "", "2024-03-07", "", part("其次")})
		clusters := func() (string, string) {
			var ids []int64
			guid := map[int64]string{}
			for _, g := range []string{"whole", "first", "second"} {
				id := r.articleID(ctx, g)
				ids, guid[id] = append(ids, id), g
			}
			found, err := r.Store.Clusters(ctx, ids)
			r.check(err)
			documents, err := r.Store.DocumentsOf(ctx, ids)
			r.check(err)
			var groups []string
			same := map[int64]string{}
			for _, id := range ids {
				groups = append(groups, fmt.Sprint(guid[id], len(found[id].Articles)))
				same[documents[id]] += guid[id] + " "
			}
			var docs []string
			for _, s := range same {
				docs = append(docs, s)
			}
			slices.Sort(docs)
			return strings.Join(groups, " "), strings.Join(docs, "| ")
		}
		if c, d := clusters(); c != "whole3 first3 second3" || d != "whole first second " {
			t.Fatalf("clusters %s, documents %s", c, d)
		}
		changed := whole
		changed.paragraphs = append(part("首要"), part("另外")...)
		r.put(src["n"], changed)
		if c, d := clusters(); c != "whole2 first2 second0" || d != "second | whole first " {
			t.Errorf("without the second part: clusters %s, documents %s", c, d)
		}
		changed.paragraphs = part("另外")
		r.put(src["n"], changed)
		if c, d := clusters(); c != "whole0 first0 second0" || d != "first | second | whole " {
			t.Errorf("without either: clusters %s, documents %s", c, d)
		}
		r.put(src["n"], whole)
		if c, d := clusters(); c != "whole3 first3 second3" || d != "whole first second " {
			t.Errorf("as before: clusters %s, documents %s", c, d)
		}
		if _, err := r.Store.Reread(ctx, nil, nil); err != nil {
			t.Fatal(err)
		}
		if c, d := clusters(); c != "whole3 first3 second3" || d != "whole first second " {
			t.Errorf("judged again: clusters %s, documents %s", c, d)
		}
	})
}

// A notice that extends the term of a document moves its last day, in whatever order they
// arrive, and does not implement what the document implements.
func TestTermIsExtended(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		title := "四川省人民政府关于加快发展养老服务业的实施意见"
		follow := text{"follow", title, "2024-02-14", "2024-02-20", "川府发〔2024〕8号", []string{"各市（州）人民政府：", "现提出如下实施意见。", "本意见自2024年2月1日起施行，有效期3年。"}}
		longer := text{"longer", "四川省人民政府关于延长《" + title + "》有效期的通知", "2026-11-20", "2026-11-21", "川府发〔2026〕9号", []string{
			"各市（州）人民政府：", "《" + title + "》（川府发〔2024〕8号）有效期延长至2029年12月31日。"}}
		r.put(src["n"], world[0].text)
		expires := func() string { return r.document(ctx, "川府发〔2024〕8号").ExpiresOn.String() }
		r.put(src["s"], longer)
		r.put(src["s"], follow)
		if got := expires(); got != "2029-12-31" {
			t.Errorf("the notice came first: %s", got)
		}
		r.correct(ctx, "longer", "hidden", "1")
		if got := expires(); got != "2027-01-31" {
			t.Errorf("the notice is hidden: %s", got)
		}
		r.correct(ctx, "longer", "hidden", "0")
		if got := expires(); got != "2029-12-31" {
			t.Errorf("and shown: %s", got)
		}
		r.correct(ctx, "follow", "expires", "2031-01-01")
		if got := expires(); got != "2031-01-01" {
			t.Errorf("set by hand: %s", got)
		}
		chain, err := r.Store.Chain(ctx, r.document(ctx, world[0].number).ID)
		r.check(err)
		for _, s := range chain.Steps {
			if s.Document.Title != title {
				t.Errorf("%s implements it", s.Document.Title)
			}
		}
		if len(chain.Steps) != 1 {
			t.Errorf("%d steps", len(chain.Steps))
		}
	})
}

// TestEnumeratingIDsFindsOnlyWhatIsPublic requests the page of every id: that of a hidden
// article answers as if it did not exist.
func TestEnumeratingIDsFindsOnlyWhatIsPublic(t *testing.T) {
	const articles, ids = 9, 40
	var shown, asked atomic.Int64
	t.Cleanup(func() {
		trust.Report(t, "hidden articles that counting through the ids finds", "%d of %d; %d ids asked", shown.Load()-2*articles/3*2, articles/3*2, asked.Load())
	})
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		for i := range articles {
			guid := fmt.Sprint("g", i)
			r.put(src["n"], text{guid, fmt.Sprintf("国务院关于事项%d的通知", i), "2026-11-01", "2026-11-05", "", []string{"各省、自治区、直辖市人民政府：", fmt.Sprintf("现就事项%d通知如下。", i)}})
			if i%3 == 0 {
				r.correct(ctx, guid, "hidden", "1")
			}
		}
		get := pagesOf(t, r.Store)
		missing, nothing := get(fmt.Sprint("/articles/", 1_000_000))
		pages := 0
		for id := range ids {
			asked.Add(1)
			res, doc := get(fmt.Sprint("/articles/", id+1))
			if res.StatusCode == http.StatusOK {
				pages++
			} else if res.StatusCode != missing.StatusCode || doc.Text() != nothing.Text() {
				t.Errorf("id %d answers %d %q, one that never was %d", id+1, res.StatusCode, doc.Text(), missing.StatusCode)
			}
		}
		shown.Add(int64(pages))
		if pages != articles/3*2 {
			t.Errorf("%d pages, want %d", pages, articles/3*2)
		}
	})
}
