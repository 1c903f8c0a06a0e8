package feed_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/feed/search"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy"
)

// text is an article of a test.
type text struct {
	guid, title, issued, published, number string
	paragraphs                             []string
}

func (x text) item() ingest.Item {
	e := policy.Evidence{URL: "http://example.org/" + x.guid, Title: x.title, Paragraphs: x.paragraphs}
	for _, l := range [][2]string{{"成文日期", x.issued}, {"发布日期", x.published}, {"发文字号", x.number}} {
		if l[1] != "" {
			e.Labels = append(e.Labels, policy.Label{Element: "td", Name: l[0], Value: l[1]})
		}
	}
	return ingest.Item{GUID: x.guid, URL: e.URL, Title: x.title, Evidence: e}
}

// put stores texts of a source, first one first.
func (r *room) put(source int64, texts ...text) {
	r.t.Helper()
	items := make([]ingest.Item, len(texts))
	for i, x := range texts {
		items[len(texts)-1-i] = x.item() // lists show the newest first
	}
	r.at = r.at.Add(1e9)
	if _, err := r.Add(r.t.Context(), source, items); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) search(query string, limit int) feed.Results {
	r.t.Helper()
	found, err := r.Store.Search(r.t.Context(), search.Query{Text: query, Limit: limit, Facets: true})
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

func guids(found feed.Results) string {
	var all []string
	for _, h := range found.Hits {
		all = append(all, h.Article.GUID)
	}
	return strings.Join(all, " ")
}

func gazette(r *room, url, name, issuer, region string) int64 {
	return r.add(feed.Source{URL: url, Kind: "page", Name: name, Issuer: issuer, Region: region, Licence: feed.LicenceOfficial}).ID
}

var library = []text{
	{"a", "国务院关于加快发展养老服务业的若干意见", "2013-09-06", "2013-09-13", "国发〔2013〕35号", []string{"各省、自治区、直辖市人民政府：", "为积极应对人口老龄化，现就加快发展养老服务业提出以下意见。", "一、总体要求", "鼓励社会力量兴办养老机构，支持 AI 辅助诊断。"}},
	{"b", "民政部关于印发《养老机构等级划分与评定》的通知", "2019-12-27", "2019-12-31", "民发〔2019〕130号", []string{"各省民政厅：", "现将《养老机构等级划分与评定》印发给你们，请遵照执行。", "按照国发〔2013〕35号文件要求办理。"}},
	{"c", "四川省人民政府关于药品集中采购的通知", "2022-03-01", "2022-03-04", "川府发〔2022〕3号", []string{"各市州人民政府：", "现就药品集中采购有关事项通知如下。", "各级医疗机构要服务老年人，养老问题另行规定。"}},
	{"d", "關於農村養老的調查報告", "", "2024-05-02", "", []string{"本報訊：農村養老機構的發展，離不開政府的支持與社會各界的關心幫助。"}},
	{"e", "样例市关于ＡＩ产业的公告2018年第14号", "2018-02-01", "2018-02-02", "", []string{"公告如下：国发 [2013] 35 号 文件继续有效。老、服务。"}},
}

func TestSearch(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := gazette(r, "http://example.org/list", "样例公报", "", "")
		r.put(src, library...)
		for _, c := range []struct{ name, query, want string }{
			{"TitleBeforeTextNewestFirst", "养老", "d b a c"},
			{"OneCharacter", "药", "c"},
			{"OneCharacterInTheMiddleOfAText", "鼓", "a"},
			{"Traditional", "農村", "d"},
			{"TraditionalInTheText", "机构的发展", "d"},
			{"PhraseOfPairsThatStandApart", "老服务", "a"},
			{"Long", "加快发展养老服务业的若干意见", "a"},
			{"Number", "国发〔2013〕35号", "a b e"},
			{"NumberInOtherBrackets", "国发[2013]35号", "a b e"},
			{"NumberSpaced", "国发 〔2013〕 35 号", "a b e"},
			{"NumberFullWidth", "国发（２０１３）３５号", "a b e"},
			{"TwoWords", "养老 药品", "c"},
			{"Or", "药品 OR 農村", "d c"},
			{"Excluded", "养老 -药品", "d b a"},
			{"ExcludedPhrase", "养老 -养老服务业", "d b c"},
			{"QuotedOverPunctuation", `"老 服务"`, "a e"},
			{"Word", "AI", "e a"},
			{"WordInFullWidth", "ａｉ", "e a"},
			{"PartOfAWordIsNoWord", "A", ""},
			{"Prefix", "a*", "e a"},
			{"Issuer", "issuer:民政部", "b"},
			{"PartOfIssuer", "issuer:四川", "c"},
			{"Region", "region:四川", "c"},
			{"RegionByCode", "region:51 药品", "c"},
			{"Kind", "kind:document 养老", "b a c"},
			{"KindInChinese", "类别：公文 养老", "b a c"},
			{"Type", "type:意见", "a"},
			{"Years", "养老 after:2019-12-31 before:2022", "b c"},
			{"Year", "year:2022", "c"},
			{"After", "after:2024-05-02", "d"},
			{"AfterTheDay", "after:2024-05-03", ""},
			{"FieldNumber", "number:国发[2013]35号", "a"},
			{"Source", "source:样例 药品", "c"},
			{"SourceUnknown", "source:别处 药品", ""},
			{"OnlyExcluded", "-养老", "e"},
			{"Nothing", "", ""},
			{"Punctuation", `"" - ": ) OR OR`, ""},
			{"UnknownRegion", "region:乌有 养老", ""},
			{"Absent", "气象", ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				found := r.search(c.query, 50)
				if got := guids(found); got != c.want {
					t.Errorf("%s: %q, want %q", c.query, got, c.want)
				}
				if found.Total != len(found.Hits) {
					t.Errorf("%s: total %d of %d hits", c.query, found.Total, len(found.Hits))
				}
			})
		}
		for query, want := range map[string]string{
			"region:乌有 养老": "region:乌有 false", "kind:notice": "kind:notice false", "year:今年": "year:今年 false", "after:明天": "after:明天 false", "-kind:x 养老": "kind:x false",
			"theme:finance": "theme:finance true", "issuer:某局 养老": "issuer:某局 true", "type:x": "type:x true", "source:别处": "source:别处 true", "kind:consultation": "kind:consultation true",
			"issuer:民政部 药品": "", "养老 气象": "", "养老 OR type:x": "OR false", "养老 OR 气象": "",
		} {
			got := ""
			for _, p := range r.search(query, 10).Problems {
				got += fmt.Sprint(p, " ", p.Absent)
			}
			if got != want {
				t.Errorf("%s: problems %q, want %q", query, got, want)
			}
		}
		t.Run("Marks", func(t *testing.T) {
			found := r.search("農村 机构", 10)
			if len(found.Hits) != 1 {
				t.Fatalf("%d hits", len(found.Hits))
			}
			got := fmt.Sprint(found.Hits[0].Title, found.Hits[0].Snippet)
			want := "[{關於 false} {農村 true} {養老的調查報告 false}] [{本報訊： false} {農村 true} {養老 false} {機構 true} {的發展，離不開政府的支持與社會各界的關心幫助。 false}]"
			if strings.ReplaceAll(got, "][", "] [") != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
		t.Run("Facets", func(t *testing.T) {
			f := r.search("养老", 1).Facets
			if !slices.Contains(f.Years, search.FacetCount{Value: "2013", Count: 1}) || !slices.Contains(f.Regions, search.FacetCount{Value: "51", Count: 1}) ||
				!slices.Contains(f.Kinds, search.FacetCount{Value: "document", Count: 3}) || !slices.Contains(f.Issuers, search.FacetCount{Value: "国务院", Count: 1}) {
				t.Errorf("%+v", f)
			}
		})
		t.Run("Pages", func(t *testing.T) {
			var all []string
			for offset := range 5 {
				found, err := r.Store.Search(t.Context(), search.Query{Text: "养老", Limit: 1, Offset: offset})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, guids(found))
			}
			if got := strings.Join(all, " "); got != "d b a c " {
				t.Errorf("page by page %q", got)
			}
		})
	})
}

// listRows reads the titles of the shared lists; it skips the test if they are missing.
func listRows(t *testing.T) []text {
	t.Helper()
	return listRowsOf(t, "")
}

// listRowsOf reads the titles of one government.
func listRowsOf(t *testing.T, government string) []text {
	t.Helper()
	files, _ := filepath.Glob("../../shared/data/listrows/" + government + "*.tsv")
	if len(files) == 0 {
		t.Skip("the shared test data are not beside the checkout")
	}
	var all []text
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines, n := bufio.NewScanner(f), 0; lines.Scan(); n++ {
			if x := strings.Split(lines.Text(), "\t"); n > 0 {
				all = append(all, text{guid: x[0], title: x[1], issued: x[2], published: x[3]})
			}
		}
	}
	return all
}

// TestSearchAgainstScan compares 200 queries (100 over an eighth of the titles without DIBAO_LONG) over real titles and
// texts with a scan for the same characters: the first page must have exactly the same results.
func TestSearchAgainstScan(t *testing.T) {
	t.Parallel()
	rows, queries := listRows(t), 200
	if !long() {
		rows, queries = slices.DeleteFunc(rows, func(x text) bool { return len(x.guid)%8 != 0 && !strings.Contains(x.title, "养老") }), 100
	}
	var bodies []struct{ Title, Body, Date string }
	if b, err := os.ReadFile("../../shared/data/fulltext/open.json"); err != nil {
		t.Fatal(err)
	} else if err := json.Unmarshal(b, &bodies); err != nil {
		t.Fatal(err)
	}
	for i, b := range bodies {
		rows = append(rows, text{guid: fmt.Sprint("full", i), title: b.Title, published: b.Date, paragraphs: strings.Split(b.Body, "\n")})
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := gazette(r, "http://example.org/list", "样例公报", "", "")
		for page := range slices.Chunk(rows, 1000) {
			r.put(src, page...)
		}
		scan := make(map[string]string) // by GUID: the whole searched text
		for after := int64(0); ; {
			page, err := r.Store.ArticlesWithText(t.Context(), feed.Selection{Before: after, Limit: 2000})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, a := range page {
				scan[a.GUID] = strings.ToLower(strings.Join([]string{a.Title(), a.Facts.DocumentNumber, strings.Join(a.Facts.Issuers, "\n"), a.Facts.Summary, strings.Join(a.Facts.Paragraphs, "\n")}, "\n"))
			}
			after = page[len(page)-1].ID
		}
		recall, pages := 0.0, 0
		for _, q := range sampleQueries(rows, queries) {
			var want []string
			for guid, s := range scan {
				if strings.Contains(s, q) {
					want = append(want, guid)
				}
			}
			found := r.search(q, 20)
			if len(want) <= 60 && found.Total != len(want) {
				t.Errorf("%s: total %d, a scan finds %d", q, found.Total, len(want))
			}
			if len(found.Hits) != min(20, len(want)) {
				t.Errorf("%s: %d hits on the first page, a scan finds %d", q, len(found.Hits), len(want))
			}
			hits := 0
			for _, h := range found.Hits {
				if slices.Contains(want, h.Article.GUID) {
					hits++
				} else {
					t.Errorf("%s: %s does not hold it", q, h.Article.Title())
				}
			}
			if n := min(20, len(want)); n > 0 {
				recall += float64(hits) / float64(n)
				pages++
			}
		}
		t.Logf("first-page recall %.4f over %d queries", recall/float64(pages), pages)
		if recall/float64(pages) < 0.98 {
			t.Errorf("first-page recall %.4f, want at least 0.98", recall/float64(pages))
		}
		for q, n := range map[string]int{"养老": 62, "药": 145} {
			titles := 0
			for _, h := range r.search(q, 200).Hits {
				if strings.Contains(h.Article.Title(), q) {
					titles++
				}
			}
			if titles != n && (long() || q == "养老") { // 药 is counted in full runs, which have all titles
				t.Errorf("%s: %d titles, want %d", q, titles, n)
			}
		}
	})
}

// long reports whether to run tests in full, which can take hours of CPU time.
func long() bool { return os.Getenv("DIBAO_LONG") != "" }

// sampleQueries returns n pieces of one to eight characters from titles and texts, the same
// on every run.
func sampleQueries(rows []text, n int) []string {
	random := rand.New(rand.NewSource(7))
	var all []string
	for len(all) < n {
		x := rows[random.Intn(len(rows))]
		s := x.title
		if random.Intn(3) == 0 && len(x.paragraphs) > 0 {
			s = x.paragraphs[random.Intn(len(x.paragraphs))]
		} else if random.Intn(4) == 0 {
			long := rows[len(rows)-1-random.Intn(20)]
			if len(long.paragraphs) > 0 {
				s = long.paragraphs[random.Intn(len(long.paragraphs))]
			}
		}
		runes := []rune(s)
		size := 1 + random.Intn(8)
		if len(runes) <= size {
			continue
		}
		at := random.Intn(len(runes) - size)
		q := string(runes[at : at+size])
		if strings.IndexFunc(q, func(r rune) bool { return r < 0x4e00 || r > 0x9fff }) < 0 { // only Han characters, because a scan does not know words
			all = append(all, q)
		}
	}
	return all
}
