package ingest

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"dibao/policy"
)

// pageChange is a change that another site could make to a page without changing what its
// article says.
type pageChange struct {
	name string
	do   func(doc *goquery.Document)
	// weaker says that the change removes names by which parts are recognized: values may
	// then be missing, and lines added, but none may be wrong.
	weaker bool
}

// Parts around the articles of pages.
const (
	shareBox = `<div class="bdshare"><span>分享到：</span><a href="#">微信</a><a href="#">新浪微博</a><a href="#">QQ空间</a></div>`
	stream   = `<div class="lst9"><h3>为您推荐</h3>%s</div>`
	card     = `<div class="crd"><a href="/n/%d.html"><img src="/i/%d.jpg"></a><h4><a href="/n/%d.html">某地第%d次推进会透露出哪些新信号</a></h4><p>记者从会上获悉，全年目标任务进展顺利，各项指标好于预期。</p><span>某某晚报</span> <span>2026-05-0%d 08:00</span></div>`
	hotList  = `<div class="rgt"><h3>热门排行</h3><ul>%s</ul></div>`
	hotRow   = `<li><a href="/h/%d.html">别处发生的第%d件很长的新闻标题</a> <span>2026-04-0%d</span></li>`
	menu     = `<div class="mn"><ul>%s</ul></div>`
	menuRow  = `<li><a href="/c%d/">栏目第%d</a></li>`
	remark   = `<div class="comment-list"><h3>网友评论</h3>%s</div>`
	said     = `<div class="cmt"><span>某市网友%d</span><p>说得有道理，希望这些办法能够早日落到实处，支持。</p><span>2026-11-28 10:0%d</span></div>`
	imprints = `<div class="ft"><p>主办单位：某省人民政府办公厅 承办单位：某省大数据中心</p><p>地址：某市某路1号 邮编：310000</p><p>版权所有 某省人民政府 ICP备00000001号</p></div>`
)

// pageChanges are made to each page in turn.
var pageChanges = []pageChange{
	{name: "Wrapped", do: func(doc *goquery.Document) {
		doc.Find("body div").Each(func(_ int, s *goquery.Selection) { s.WrapInnerHtml("<div></div>") })
	}},
	{name: "Menu", do: prepend(fmt.Sprintf(menu, repeat(8, menuRow)))},
	{name: "HotListAbove", do: prepend(fmt.Sprintf(hotList, repeat(8, hotRow)))},
	{name: "HotListBelow", do: put(fmt.Sprintf(hotList, repeat(8, hotRow)))},
	{name: "Stream", do: put(fmt.Sprintf(stream, repeat(9, card)))},
	{name: "StreamWithoutHeading", do: put(`<div class="lst9">` + repeat(9, card) + `</div>`)},
	{name: "Comments", do: put(fmt.Sprintf(remark, repeat(9, said)))},
	{name: "Imprint", do: put(imprints)},
	{name: "ShareAbove", do: prepend(shareBox)},
	{name: "ShareBelow", do: put(shareBox)},
	{name: "ColumnAround", do: func(doc *goquery.Document) {
		doc.Find("body").WrapInnerHtml(`<div class="w1200"><div class="lft"></div></div>`)
	}},
	{name: "Picture", do: besideText(`<p style="text-align:center"><img src="/p.jpg"></p>`)},
	{name: "PictureWithCaption", do: besideText(`<p style="text-align:center"><img src="/p.jpg"></p><p style="text-align:center">推进会现场</p>`)},
	{name: "LinkBox", do: besideText(`<div class="ad"><a href="/z/1.html">专题：冬季保供在行动</a> <a href="/z/2.html">直播：局长谈清洁取暖</a></div>`)},
	{name: "HeadedBox", do: besideText(`<div class="tj"><h4>延伸阅读</h4><p><a href="/n/5.html">去年各地怎样过冬</a></p><p>去年冬天，多地提前供暖，居民反映良好，物业收费平稳。</p></div>`)},
	{name: "Renamed", weaker: true, do: func(doc *goquery.Document) {
		names := make(map[string]string)
		doc.Find("body [class], body [id]").Each(func(_ int, s *goquery.Selection) {
			for _, key := range []string{"class", "id"} {
				if was, ok := s.Attr(key); ok {
					if names[was] == "" {
						names[was] = fmt.Sprintf("k%d", len(names))
					}
					s.SetAttr(key, names[was])
				}
			}
		})
	}},
}

// prepend puts markup at the top of a page, put at its end.
func prepend(markup string) func(*goquery.Document) {
	return func(doc *goquery.Document) { doc.Find("body").PrependHtml(markup) }
}

func put(markup string) func(*goquery.Document) {
	return func(doc *goquery.Document) { doc.Find("body").AppendHtml(markup) }
}

// besideText inserts markup after a paragraph of the text.
func besideText(markup string) func(*goquery.Document) {
	return func(doc *goquery.Document) {
		doc.Find("body p").EachWithBreak(func(_ int, p *goquery.Selection) bool {
			if !strings.Contains(p.Text(), "一、总体要求") {
				return true
			}
			p.AfterHtml(markup)
			return false
		})
	}
}

// readAs is what was read from a page.
type readAs struct {
	title, at, source, author string
	lines                     []string
	fails                     bool
}

func readPage(page []byte) readAs {
	it, err := ReadArticle(Page{URL: "https://www.example.gov.cn/a/1.html", Body: page}, Source{}, Item{})
	if err != nil {
		return readAs{fails: true}
	}
	f := policy.Understand(it.Evidence)
	at := f.PublishedOn.String()
	if !f.PublishedAt.IsZero() {
		at = f.PublishedAt.Format(time.RFC3339)
	}
	return readAs{title: f.Title, at: at, source: f.Credit, author: f.Author, lines: f.Paragraphs}
}

// TestChangesOfPages makes every change to the pages of all families: the result for the
// article stays the same.
func TestChangesOfPages(t *testing.T) {
	t.Parallel()
	fill := strings.NewReplacer("{B}", pageText, "{T}", pageTitle)
	for _, k := range slices.Concat(families, boxedPages) {
		page := fill.Replace(fmt.Sprintf(`<!DOCTYPE html><html><head><meta charset="utf-8"><title>%s</title></head><body>%s%s</body></html>`, k.head, k.html, pageFoot))
		t.Run(k.name, func(t *testing.T) { checkChanges(t, []byte(page), nil) })
	}
}

// checkChanges makes every change to a page, except the given ones.
func checkChanges(t *testing.T, page []byte, without []string) {
	was := readPage(page)
	for _, c := range pageChanges {
		if slices.Contains(without, c.name) {
			continue
		}
		doc, err := goquery.NewDocumentFromReader(bytes.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		c.do(doc)
		var b bytes.Buffer
		if err := html.Render(&b, doc.Nodes[0]); err != nil {
			t.Fatal(err)
		}
		is := readPage(b.Bytes())
		if is.fails != was.fails {
			t.Errorf("%s: fails: %t, was %t", c.name, is.fails, was.fails)
			continue
		}
		for _, f := range [][3]string{{"title", is.title, was.title}, {"published", is.at, was.at}, {"source", is.source, was.source}, {"author", is.author, was.author}} {
			if f[1] != f[2] && !(c.weaker && f[1] == "") {
				t.Errorf("%s: %s %q, was %q", c.name, f[0], f[1], f[2])
			}
		}
		lost := slices.DeleteFunc(slices.Clone(was.lines), func(l string) bool { return slices.Contains(is.lines, l) })
		added := slices.DeleteFunc(slices.Clone(is.lines), func(l string) bool { return slices.Contains(was.lines, l) })
		if len(lost) > 0 || len(added) > 0 && !c.weaker {
			t.Errorf("%s: lost %q, added %q", c.name, lost, added)
		}
	}
}

// unchanged are the pages and the changes that must not be made to them: their text is in
// scripts, which count only if the page shows none, or names are needed to recognize a
// part.
var unchanged = map[string][]string{
	"json-article.html": {"all"}, "json-escaped.html": {"all"}, // no markup
	"initial-state.html": {"all"}, "next-data-body.html": {"all"},
	"date-blocks.html":   {"Wrapped"},
	"jpaas-article.html": {"Renamed"},
}

// TestChangesOfOwnPages makes a third of the changes to each of the pages of our own cases.
func TestChangesOfOwnPages(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "articles", "*.html"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for i, file := range files {
		name := filepath.Base(file)
		without := slices.Clone(unchanged[name])
		if slices.Contains(without, "all") {
			continue
		}
		for j, c := range pageChanges {
			if (i+j)%3 != 0 {
				without = append(without, c.name)
			}
		}
		t.Run(name, func(t *testing.T) { checkChanges(t, read(t, file), without) })
	}
}

// TestChangesOfCases makes every change to the pages of the cases.
func TestChangesOfCases(t *testing.T) {
	t.Parallel()
	dir := shared(t, "cases")
	for _, part := range []string{"articles", "labels"} {
		files, err := filepath.Glob(filepath.Join(dir, part, "*.html"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no pages: %v", err)
		}
		for _, file := range files {
			t.Run(part+"/"+filepath.Base(file), func(t *testing.T) { checkChanges(t, read(t, file), nil) })
		}
	}
}
