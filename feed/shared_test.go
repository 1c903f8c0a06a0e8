package feed_test

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy/division"
)

// TestRepostsAreFolded stores laws with their amended versions, and a repost of each:
// header and footer added, punctuation changed, paragraphs removed. Reposts join the
// clusters of their originals; versions stay separate.
func TestRepostsAreFolded(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("../../shared/data/laws/versions/*.md")
	if len(files) == 0 {
		t.Skip("the shared test data are not beside the checkout")
	}
	db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := newRoom(t, db)
	src := r.sources()
	random := rand.New(rand.NewSource(5))
	change := strings.NewReplacer("，", ",", "；", ";", "“", "\"", "”", "\"", "（", "(", "）", ")")
	reposts := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		law := text{guid: filepath.Base(name)}
		for line := range strings.Lines(string(b)) {
			line = strings.TrimSpace(line)
			switch {
			case line == "" || strings.HasPrefix(line, "<!--"):
			case law.title == "":
				law.title = strings.TrimLeft(line, "# ")
			default:
				law.paragraphs = append(law.paragraphs, strings.TrimLeft(line, "# "))
			}
		}
		r.put(src["n"], law)
		if len(strings.Join(law.paragraphs, "")) < 3000 {
			continue // the text is too short
		}
		again := text{guid: "repost " + law.guid, title: law.title, published: "2026-11-01", paragraphs: []string{"您当前的位置：首页 > 政策法规 > 正文", "来源：样例新闻网 浏览次数：1024 次"}}
		for i, p := range law.paragraphs {
			if i < 4 || random.Intn(50) > 0 {
				again.paragraphs = append(again.paragraphs, change.Replace(p))
			}
		}
		again.paragraphs = append(again.paragraphs, "版权声明：本网转载稿件仅为传播信息，如涉及版权问题请与样例新闻网联系。")
		r.put(src["r"], again)
		if reposts++; reposts == 25 && !long() {
			break
		}
	}
	all, err := r.Store.Articles(t.Context(), feed.Selection{Limit: 2000})
	r.check(err)
	guid := map[int64]string{}
	var ids []int64
	for _, a := range all {
		guid[a.ID] = a.GUID
		ids = append(ids, a.ID)
	}
	clusters, err := r.Store.Clusters(t.Context(), ids)
	r.check(err)
	grouped, wrong := 0, 0
	for id, c := range clusters {
		for _, other := range c.Articles {
			if strings.TrimPrefix(guid[id], "repost ") != strings.TrimPrefix(guid[other], "repost ") {
				wrong++
				t.Logf("%s with %s", guid[id], guid[other])
			}
		}
		if strings.HasPrefix(guid[id], "repost ") {
			grouped++
			if guid[c.First] != strings.TrimPrefix(guid[id], "repost ") {
				t.Logf("the original of %s is %s", guid[id], guid[c.First])
			}
		}
	}
	t.Logf("%d of %d reposts grouped, %d wrong pairs", grouped, reposts, wrong/2)
	if grouped < reposts*95/100 {
		t.Errorf("%d of %d reposts were grouped, fewer than 0.95", grouped, reposts)
	}
	if wrong/2 > 4 { // one judicial interpretation was published twice: two articles and their reposts
		t.Errorf("%d pairs of different texts are one cluster", wrong/2)
	}
}

// TestChainsOfRealTitles applies the rule of implementation to the titles of four
// governments.
func TestChainsOfRealTitles(t *testing.T) {
	t.Parallel()
	listRows(t)
	db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := newRoom(t, db)
	titles := 0
	for _, gov := range []struct{ file, issuer, region string }{
		{"Sichuan", "四川省人民政府", "51"}, {"State_Council", "国务院", ""}, {"Guangdong", "广东省人民政府", "44"}, {"Yunnan", "云南省人民政府", "53"},
	} {
		id := gazette(r, "http://"+gov.file+".example.org/", gov.issuer, gov.issuer, gov.region)
		rows := listRowsOf(t, gov.file)
		if !long() {
			rows = slices.DeleteFunc(rows, func(x text) bool { return !strings.Contains(x.title, "养老") && !strings.Contains(x.title, "就业") })
		}
		if gov.region != "" {
			titles += len(rows)
		}
		for page := range slices.Chunk(rows, 1000) {
			r.put(id, page...)
		}
	}
	docs, err := r.Store.FindDocuments(t.Context(), "国务院关于加快发展养老服务业的若干意见")
	r.check(err)
	if len(docs) != 1 {
		t.Fatalf("%d documents of that title", len(docs))
	}
	chain, err := r.Store.Chain(t.Context(), docs[0].ID)
	r.check(err)
	var steps []string
	for _, s := range chain.Steps {
		steps = append(steps, fmt.Sprintf("%s %s %d", division.Name(s.Document.Region), s.Document.Title, s.Days))
	}
	if !slices.Contains(steps, "四川省 四川省人民政府关于加快发展养老服务业的实施意见 161") {
		t.Errorf("chain: %q", steps)
	}
	hits, followed := map[int64]bool{}, 0
	for before := int64(0); ; {
		page, err := r.Store.Documents(t.Context(), feed.DocumentSelection{Level: division.Central, Before: before, Limit: 2000})
		r.check(err)
		if len(page) == 0 {
			break
		}
		for _, d := range page {
			chain, err := r.Store.Chain(t.Context(), d.ID)
			r.check(err)
			if len(chain.Steps) > 0 {
				followed++
			}
			for _, s := range chain.Steps {
				hits[s.Document.ID] = true
				if s.Document.ID%29 == 0 {
					t.Logf("%s → %s", s.Document.Title, d.Title)
				}
			}
		}
		before = page[len(page)-1].ID
	}
	t.Logf("%d of %d provincial titles implement one of %d national documents", len(hits), titles, followed)
	if long() && (len(hits) < 300 || len(hits) > 1200) {
		t.Errorf("%d provincial titles implement a national document; a scan of the titles found 560", len(hits))
	}
}

// A short notice whose address changed, or that is in two feeds, is one text.
func TestShortRepostsAreFolded(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r, ctx := newRoom(t, db), t.Context()
		src := r.sources()
		body := []string{"为规范停车秩序，样例市起草了办法草案，现公开征求意见，请将意见发至邮箱。", "联系电话：00000000"}
		first := text{"old", "样例市关于公开征求停车管理办法意见的公告", "", "2026-05-06", "", body}
		moved, next := first, first
		moved.guid = "moved"
		next.guid, next.published = "next", "2026-05-07"
		r.put(src["n"], first)
		r.put(src["n"], moved, next)
		ids := []int64{r.articleID(ctx, "old"), r.articleID(ctx, "moved"), r.articleID(ctx, "next")}
		got, err := r.Store.Clusters(ctx, ids)
		r.check(err)
		if c := got[ids[0]]; len(got) != 2 || c.First != ids[0] || len(c.Articles) != 2 || c.Articles[1] != ids[1] {
			t.Errorf("%+v", got)
		}
	})
}
