package catalog

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dibao/feed"
	"dibao/feed/ingest"
	"dibao/internal/fetch"
	"dibao/policy/division"
)

// least is the minimum number of entries of each level.
var least = map[Level]int{Central: 15, Ministry: 100, Regulator: 30, Province: 55, City: 75, ThinkTank: 2}

// TestCatalog checks that no entry occurs twice, that each may be fetched, and that all
// values that admins see are valid.
func TestCatalog(t *testing.T) {
	t.Parallel()
	all := All()
	if len(all) < 150 {
		t.Fatalf("%d sources", len(all))
	}
	seen, levels, provinces := make(map[string]bool), make(map[Level]int), make(map[string]bool)
	for _, e := range all {
		s := e.Source
		for _, key := range []string{s.Name, e.NameEN, strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(s.URL, "https://"), "http://"), "/")} {
			if key == "" || seen[key] {
				t.Errorf("%s: %q is empty or there twice", s.Name, key)
			}
			seen[key] = true
		}
		if _, reason := fetch.CheckURL(s.URL); reason != "" {
			t.Errorf("%s: %s", s.Name, reason)
		}
		if !slices.Contains(Levels, e.Level) || !slices.Contains(AllLists, e.Lists) || !slices.Contains(AllEvidence, e.Evidence) || e.SeenIn == "" || s.Issuer == "" {
			t.Errorf("%+v", e)
		}
		if s.Licence = feed.LicenceLinkOnly; len(s.NeedsTrust()) > 0 {
			t.Errorf("%s: %v", s.Name, s.NeedsTrust())
		}
		checkDay(t, e)
		checkRegion(t, e)
		levels[e.Level]++
		if e.Level == Province {
			provinces[s.Region] = true
		}
	}
	for _, level := range Levels {
		if levels[level] < least[level] {
			t.Errorf("%d entries of level %s, want at least %d", levels[level], level, least[level])
		}
	}
	if len(provinces) != 31 { // without Hong Kong, Macao and Taiwan
		t.Errorf("%d provinces", len(provinces))
	}
}

// TestDocsCountTheCatalog compares the figures in docs/sources.md with the table.
func TestDocsCountTheCatalog(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "sources.md"))
	if err != nil {
		t.Fatal(err)
	}
	docs := strings.Join(strings.Fields(string(b)), " ")
	levels, evidence, undated := make(map[Level]int), make(map[Evidence]int), 0
	for _, e := range All() {
		levels[e.Level]++
		evidence[e.Evidence]++
		if e.Evidence == Crawler && e.Checked == "" {
			undated++
		}
	}
	for _, want := range []string{
		fmt.Sprintf("lists %d official sources: %d central", len(All()), levels[Central]),
		fmt.Sprintf("%d of ministries and agencies, %d of regulators, %d of provinces and their departments, %d of cities and districts, %d of think tanks",
			levels[Ministry], levels[Regulator], levels[Province], levels[City], levels[ThinkTank]),
		fmt.Sprintf("| `saved page` | %d |", evidence[SavedPage]), fmt.Sprintf("| `crawler` | %d |", evidence[Crawler]), fmt.Sprintf("| `paper` | %d |", evidence[Paper]),
		fmt.Sprintf("%d of them without a day", undated),
	} {
		if !strings.Contains(docs, want) {
			t.Errorf("docs/sources.md does not say %q", want)
		}
	}
}

func checkDay(t *testing.T, e Entry) {
	t.Helper()
	day, err := time.Parse(time.DateOnly, e.Checked)
	if err != nil {
		day, err = time.Parse("2006-01", e.Checked)
	}
	if e.Checked != "" && (err != nil || day.After(time.Now())) {
		t.Errorf("%s: checked %q", e.Source.Name, e.Checked)
	}
}

// checkRegion expects the six digits of a province or city, and "" for national bodies.
func checkRegion(t *testing.T, e Entry) {
	t.Helper()
	code := e.Source.Region
	if code == "" && e.Level != Province && e.Level != City {
		return
	}
	digits := len(division.TrimCode(code))
	if region, _, ok := division.OfIssuer(e.Source.Issuer, ""); !ok || region != division.TrimCode(code) && region != code {
		t.Errorf("%s: issuer %s has region %q, the row %q", e.Source.Name, e.Source.Issuer, region, code)
	}
	if len(code) != 6 || division.Name(code) == "" || e.Level == Province && digits != 2 || e.Level == City && digits < 4 || e.Level != Province && e.Level != City {
		t.Errorf("%s: level %s, region %q (%s)", e.Source.Name, e.Level, code, division.Name(code))
	}
}

func TestCatalogIsSorted(t *testing.T) {
	t.Parallel()
	all := All()
	if !slices.IsSortedFunc(all, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(slices.Index(Levels, a.Level), slices.Index(Levels, b.Level)), cmp.Compare(a.Source.Region, b.Source.Region), cmp.Compare(a.Source.Name, b.Source.Name))
	}) {
		t.Error("sort feed/catalog/catalog.tsv by level, region and name")
	}
}

// TestSelectorsAreNeeded reads the saved structure of each entry that has selectors: they
// must find all rows with dates, and the list finder without them must find something else.
func TestSelectorsAreNeeded(t *testing.T) {
	t.Parallel()
	tried := make(map[string]bool)
	for _, e := range All() {
		set := e.Source.Settings
		if set == (ingest.Settings{}) != (e.TriedOn == "") || set.Content != "" {
			t.Errorf("%s: selectors %+v were tried on %q", e.Source.Name, set, e.TriedOn)
		}
		if e.TriedOn == "" {
			continue
		}
		tried[e.TriedOn] = true
		body, err := os.ReadFile(filepath.Join("testdata", e.TriedOn))
		if err != nil {
			t.Fatal(err)
		}
		page := ingest.Page{URL: e.Source.URL, ContentType: "application/json", Body: body, FetchedAt: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)}
		by, err := ingest.ReadList(page, e.Source.Ingest())
		if err != nil || len(by.Items) < 3 || slices.ContainsFunc(by.Items, func(it ingest.Item) bool { return it.Evidence.ListDate == "" }) {
			t.Errorf("%s: %d items, %v", e.Source.Name, len(by.Items), err)
			continue
		}
		plain := e.Source
		plain.Settings = ingest.Settings{}
		if plain.Settings, err = ingest.ProposeJSON(page, plain.Ingest()); err != nil {
			continue
		}
		without, err := ingest.ReadList(page, plain.Ingest())
		if err == nil && len(without.Items) > 0 && without.Items[0].URL == by.Items[0].URL {
			t.Errorf("%s: the list finder reads the same without selectors: remove them", e.Source.Name)
		}
	}
	files, err := os.ReadDir("testdata")
	if err != nil || len(files) != len(tried) {
		t.Errorf("%d files in testdata (%v), %d are used", len(files), err, len(tried))
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		s    Selection
		want int // minimum; 0 means none
	}{
		{"all", Selection{}, 150},
		{"a word", Selection{Words: []string{"财政部"}}, 5},
		{"words of English", Selection{Words: []string{"natural", "NOTICES"}}, 1},
		{"a province holds its cities", Selection{Region: "44"}, 10},
		{"a region by name", Selection{Words: []string{"深圳"}}, 3},
		{"a level in a region", Selection{Region: "44", Level: Province}, 2},
		{"consultations", Selection{Lists: Consultations}, 5},
		{"nothing", Selection{Words: []string{"没有这个机关"}}, 0},
		{"the middle of an English word", Selection{Words: []string{"inance"}}, 0},
	} {
		got := Select(All(), c.s)
		if len(got) < c.want || c.want == 0 && len(got) > 0 {
			t.Errorf("%s: %d", c.name, len(got))
		}
		for _, e := range got {
			if !c.s.matches(e) {
				t.Errorf("%s: %s", c.name, e.Source.Name)
			}
		}
	}
}

// TestWordsOfIssuers finds 民政 in 民政部 and not in the middle of 人民政府.
func TestWordsOfIssuers(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"民政", "民政府"} {
		for _, e := range Select(All(), Selection{Words: []string{word}}) {
			if !strings.Contains(e.Source.Issuer+e.Source.Name, "民政部") && !strings.Contains(e.Source.Issuer+e.Source.Name, "民政厅") && !strings.Contains(e.Source.Issuer+e.Source.Name, "民政局") {
				t.Errorf("%s: %s", word, e.Source.Name)
			}
		}
	}
	for _, word := range []string{"人民政府", "人民银行", "人民", "民政"} {
		if len(Select(All(), Selection{Words: []string{word}})) == 0 {
			t.Errorf("nothing for %s", word)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]func(Entry) bool{
		"国务院·政策解读":                       func(e Entry) bool { return e.Source.URL == "https://www.gov.cn/zhengce/jiedu/ZCJD_QZ.json" },
		"state council: interpretations": func(e Entry) bool { return e.Source.URL == "https://www.gov.cn/zhengce/jiedu/ZCJD_QZ.json" },
		"国务院":                            func(e Entry) bool { return e.Source.Issuer == "国务院" },
		"深圳":                             func(e Entry) bool { return strings.HasPrefix(e.Source.Region, "4403") },
	} {
		got := Named(All(), word)
		if len(got) == 0 || slices.ContainsFunc(got, func(e Entry) bool { return !want(e) }) {
			t.Errorf("%s: %+v", word, got)
		}
	}
}

// The error for a broken row contains its line number.
func TestReadNamesTheLine(t *testing.T) {
	t.Parallel()
	head, _, _ := strings.Cut(table, "\n")
	for _, row := range []string{"甲\tA", strings.Repeat("\t", strings.Count(head, "\t"))} {
		if _, err := read(head + "\n" + row + "x\n"); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", row, err)
		}
	}
}

func TestLastSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    Entry
		want string
	}{
		{Entry{Checked: "2026-08-22", Evidence: Crawler, SeenIn: "a route"}, "a public crawler read the address as of 2026-08-22: a route"},
		{Entry{Evidence: Crawler, SeenIn: "a route"}, "a public crawler read the address as of an unknown day: a route"},
		{Entry{Checked: "2026-07", Evidence: Paper, SeenIn: "a list"}, "the address is known only from documentation of 2026-07: a list"},
	} {
		if got := c.e.LastSeen(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// ndrcOrders is a list of orders in the markup of NDRC: each row contains a hidden list
// with the interpretations of its order.
const ndrcOrders = `<html><body><ul class="u-list">
<li><a href="./202607/t20260716_1.html" title="《招标投标领域信用管理办法》2026年第44号令">《招标投标领域信用管理办法》2026年第44号令</a>
<div class="popbox"><h3>相关解读</h3><ul><li><a href="../../jd/jd/202607/t20260716_2.html">有关负责同志就《招标投标领域信用管理办法》答记者问</a></li></ul></div><span>2026/07/17</span></li>
<li><a href="./202607/t20260714_3.html" title="《公共资源交易中心现场管理办法》2026年第43号令">《公共资源交易中心现场管理办法》2026年第43号令</a>
<div class="popbox"><h3>相关解读</h3><ul></ul></div><span>2026/07/15</span></li>
<li><a href="./202606/t20260612_4.html" title="《可再生能源消纳责任权重制度实施办法》2026年第42号令">《可再生能源消纳责任权重制度实施办法》2026年第42号令</a>
<div class="popbox"><h3>相关解读</h3><ul><li><a href="../../jd/jd/202606/t20260612_5.html">有关负责同志就《可再生能源消纳责任权重制度实施办法》答记者问</a></li></ul></div><span>2026/06/14</span></li>
</ul></body></html>`

// TestNDRCOrdersKeepTheirOwnAddress reads the orders of NDRC as the catalog does, without
// selectors. The selector of an earlier version, ul.u-list li, treated the interpretations
// as rows.
func TestNDRCOrdersKeepTheirOwnAddress(t *testing.T) {
	t.Parallel()
	const orders = "国家发展改革委·发展改革委令"
	found := Named(All(), orders)
	if len(found) != 1 {
		t.Fatalf("%d entries named %s", len(found), orders)
	}
	src := found[0].Source
	page := ingest.Page{URL: src.URL, ContentType: "text/html; charset=utf-8", Body: []byte(ndrcOrders), FetchedAt: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)}
	l, err := ingest.ReadKind(src.Kind, page, src.Ingest())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range l.Items {
		got = append(got, it.Evidence.ListDate+" "+strings.TrimPrefix(it.URL, src.URL))
	}
	want := []string{"2026-07-17 202607/t20260716_1.html", "2026-07-15 202607/t20260714_3.html", "2026-06-14 202606/t20260612_4.html"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
