package ingest

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dibao/feed/ingest/textblock"
	"dibao/policy"
)

// TestSeedList reads the list page of 2011 row by row.
func TestSeedList(t *testing.T) {
	dir := shared(t, "seed")
	var want struct {
		List struct {
			Rows []struct{ Published, Title, Href string }
		}
	}
	if err := json.Unmarshal(read(t, dir, "expected.json"), &want); err != nil {
		t.Fatal(err)
	}
	src := Source{URL: "http://site.test/a/dangjian/"}
	items, err := pageReader{}.Read(Page{URL: src.URL, ContentType: "text/html", Body: read(t, dir, "list.html")}, src)
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ date, title, url string }
	var got, rows []row
	for _, it := range items {
		got = append(got, row{it.Evidence.ListDate, it.Evidence.ListTitle, it.URL})
		if !it.NeedsPage || it.GUID == "" {
			t.Errorf("%s: needs page %v, guid %q", it.URL, it.NeedsPage, it.GUID)
		}
	}
	for _, r := range want.List.Rows {
		rows = append(rows, row{r.Published, r.Title, "http://site.test" + r.Href})
	}
	if diff := cmp.Diff(rows, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestSeedArticle reads the article of 2011: its headline, its two labels, its six
// paragraphs and the by-line, and nothing around them.
func TestSeedArticle(t *testing.T) {
	dir := shared(t, "seed")
	var want struct {
		Article struct {
			Title, Byline string
			Paragraphs    []string
		}
	}
	if err := json.Unmarshal(read(t, dir, "expected.json"), &want); err != nil {
		t.Fatal(err)
	}
	const address = "http://site.test/a/dangjian/201106/1142.html"
	it, err := ReadArticle(Page{URL: address, ContentType: "text/html", Body: read(t, dir, "article.html")}, Source{Name: "民生智库"}, Item{GUID: address, URL: address})
	if err != nil {
		t.Fatal(err)
	}
	e := it.Evidence
	if e.Title != want.Article.Title || it.NeedsPage || len(it.Warnings) > 0 {
		t.Errorf("got title %q, needs page %v, warnings %q", e.Title, it.NeedsPage, it.Warnings)
	}
	labels := []policy.Label{{Element: "div.info", Name: "时间", Value: "2011-06-21"}, {Element: "div.info", Name: "来源", Value: "未知"}}
	if diff := cmp.Diff(labels, e.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(append(want.Article.Paragraphs, want.Article.Byline), e.Paragraphs); diff != "" {
		t.Errorf("paragraphs (-want +got):\n%s", diff)
	}
	if got := textblock.OfMarkup(it.HTML); !slices.Equal(got, e.Paragraphs) {
		t.Errorf("the markup holds other text than the paragraphs: %q", got)
	}
}

// TestOfficialPages measures title, text and dates on the official pages of the shared
// data: the right first and last paragraph, and only real labels.
func TestOfficialPages(t *testing.T) {
	dir := shared(t, "articles/official")
	files, err := filepath.Glob(filepath.Join(dir, "*.expected.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages in %s: %v", dir, err)
	}
	titles, firsts, lasts, dates := 0, 0, 0, 0
	for _, file := range files {
		var want struct {
			URL, Title, Published, First, Last string
			FirstParagraph                     string `json:"first_paragraph"`
			LastParagraph                      string `json:"last_paragraph"`
		}
		if err := json.Unmarshal(read(t, file), &want); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".expected.json")
		address := firstOf(want.URL, "http://site.test/page.html")
		it, err := ReadArticle(Page{URL: address, Body: read(t, dir, name+".html")}, Source{}, Item{URL: address, GUID: address})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		e := it.Evidence
		count := func(n *int, ok bool, what, want string) {
			if ok {
				*n++
			} else {
				t.Logf("%s: no %s %q in %q, labels %v", name, what, want, e.Paragraphs, e.Labels)
			}
		}
		count(&titles, e.Title == want.Title, "title "+e.Title, want.Title)
		count(&firsts, slices.ContainsFunc(e.Paragraphs, func(p string) bool { return strings.HasPrefix(p, want.FirstParagraph) }), "first paragraph", want.FirstParagraph)
		count(&lasts, slices.ContainsFunc(e.Paragraphs, func(p string) bool { return strings.HasSuffix(p, want.LastParagraph) }), "last paragraph", want.LastParagraph)
		count(&dates, want.Published == "" || saysDate(e, want.Published), "date", want.Published)
		for _, l := range e.Labels {
			if len([]rune(l.Value)) > 120 {
				t.Errorf("%s: label %+v", name, l)
			}
		}
	}
	n := len(files)
	t.Logf("%d pages: %d titles, %d first and %d last paragraphs, %d dates", n, titles, firsts, lasts, dates)
	if titles < n || firsts < n || lasts < n || dates < n {
		t.Error("not all")
	}
}

// saysDate reports whether a label or meta element contains the date.
func saysDate(e policy.Evidence, date string) bool {
	d := strings.NewReplacer("年", "-", "月", "-", "日", "").Replace
	for _, l := range e.Labels {
		if strings.Contains(d(l.Value), date) {
			return true
		}
	}
	for _, m := range e.Meta {
		if strings.Contains(d(m.Content), date) {
			return true
		}
	}
	return false
}

// Links in the text that may be titles are kept, and those next to it that say that they
// lead to the original; links to files, in menus and in scripts are not.
func TestLinks(t *testing.T) {
	t.Parallel()
	page := `<html><head><title>样例政策解读</title></head><body><a href="/">网站首页与更多栏目导航</a><h1>样例政策解读</h1><div class="TRS_Editor"><p>` + strings.Repeat("现就有关问题解读如下，请认真学习领会。", 5) +
		`</p><p><a href="plan.html">国务院关于样例的意见</a> <a href="a.pdf">国务院关于样例的附件</a> <a href="x">下一页</a> <a href="javascript:go()">点这里查看政策原文</a></p></div>
		<div class="related"><a href="https://example.org/plan.html#a">政策原文</a><a href="/other">其他不相干的新闻报道</a></div></body></html>`
	it, err := ReadArticle(Page{URL: "https://example.org/jd/1.html", Body: []byte(page)}, Source{}, Item{URL: "https://example.org/jd/1.html"})
	if err != nil {
		t.Fatal(err)
	}
	want := []policy.Link{{URL: "https://example.org/jd/plan.html", Text: "国务院关于样例的意见"}, {URL: "https://example.org/plan.html#a", Text: "政策原文"}}
	if diff := cmp.Diff(want, it.Evidence.Links); diff != "" {
		t.Error(diff)
	}
}
