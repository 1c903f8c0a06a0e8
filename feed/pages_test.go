package feed_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/mmcdole/gofeed"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/feed/publish/feedtest"
	"dibao/feed/site"
	"dibao/feed/site/sitetest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/web"
	"dibao/policy"
)

// pagesOf serves the pages of a store.
func pagesOf(t *testing.T, store *feed.Store) func(path string) (*http.Response, *goquery.Document) {
	mux := http.NewServeMux()
	(&site.Web{Store: store, Cache: &web.Cache{}, SiteName: "邸报", BaseURL: "https://dibao.example", Zone: time.UTC, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}).Register(mux)
	return func(path string) (*http.Response, *goquery.Document) {
		t.Helper()
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		res := w.Result()
		doc, err := goquery.NewDocumentFromReader(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, doc
	}
}

// officialPage is a page of an organization: title, number, paragraphs.
func officialPage(title, number string, paragraphs ...string) string {
	return fmt.Sprintf(`<html><head><title>%[1]s</title></head><body><h1>%[1]s</h1><div class="info">时间:2026-11-20 来源:本站</div><div id="zoom"><p>%[2]s</p><p>%[3]s</p></div></body></html>`,
		title, number, strings.Join(paragraphs, "</p><p>"))
}

// TestPagesOfDocuments collects a small family of documents and reads its pages.
func TestPagesOfDocuments(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		s.set("/list", list("/1.html 四川省人民政府关于推进基本养老服务体系建设的意见", "/2.html 成都市人民政府关于推进基本养老服务体系建设的实施意见", "/3.html 《成都市人民政府关于推进基本养老服务体系建设的实施意见》政策解读"), 0)
		s.set("/1.html", officialPage("四川省人民政府关于推进基本养老服务体系建设的意见", "川府发〔2026〕3号", "各市（州）人民政府：现就推进基本养老服务体系建设提出以下意见，请认真贯彻执行。", "四川省人民政府", "2026年9月1日"), 0)
		s.set("/2.html", officialPage("成都市人民政府关于推进基本养老服务体系建设的实施意见", "成府发〔2026〕12号",
			"为贯彻落实《四川省人民政府关于推进基本养老服务体系建设的意见》（川府发〔2026〕3号），现提出以下实施意见。",
			"本意见自2026年12月20日起施行，有效期5年。《成都市人民政府关于日间照料中心建设的通知》（成府发〔2019〕41号）同时废止。", "成都市人民政府", "2026年11月20日"), 0)
		s.set("/3.html", officialPage("《成都市人民政府关于推进基本养老服务体系建设的实施意见》政策解读", "", "近日，成都市人民政府印发《成都市人民政府关于推进基本养老服务体系建设的实施意见》（成府发〔2026〕12号），现就有关内容解读如下。"), 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page", Name: "样例站", Licence: feed.LicenceOfficial})
		if done, err := r.collect(src.ID); err != nil || done.New != 3 {
			t.Fatalf("%+v, %v", done, err)
		}
		get := pagesOf(t, r.Store)
		number := "/documents/" + url.PathEscape("成府发〔2026〕12号")
		upper := "/documents/" + url.PathEscape("川府发〔2026〕3号")

		for _, form := range []string{"成府发[2026]12号", "成府发（2026）12号", "成府发【２０２６】第12号", "成府发〔2026〕 12 号"} {
			res, _ := get("/documents/" + url.PathEscape(form) + "?lang=en")
			if to := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || to != number+"?lang=en" {
				t.Errorf("%s: %d to %s", form, res.StatusCode, to)
			}
		}
		res, doc := get(number + "?lang=zh")
		text := strings.Join(strings.Fields(doc.Find("main").Text()), " ")
		if res.StatusCode != http.StatusOK {
			t.Fatalf("status %d", res.StatusCode)
		}
		for _, want := range []string{"尚未施行", "据正文“自2026年12月20日起施行”", "废止了", "成都市人民政府关于日间照料中心建设的通知", "贯彻落实", "川府发〔2026〕3号", "政策解读", "有效期满"} {
			if !strings.Contains(text, want) {
				t.Errorf("the page of the document lacks %q:\n%s", want, text)
			}
		}
		if got := doc.Find(`dl.rels a[href^="` + upper + `"]`).Length(); got == 0 {
			t.Error("no link to the document that it implements")
		}
		for _, query := range []string{`link[rel=canonical][href="https://dibao.example` + number + `"]`, `link[rel=alternate][hreflang=en]`, `script[type="application/ld+json"]`, `link[type^="application/atom+xml"]`, `meta[property="og:type"][content=article]`} {
			if doc.Find(query).Length() != 1 {
				t.Errorf("%s: %d", query, doc.Find(query).Length())
			}
		}
		res, doc = get(upper + "/chain?lang=zh")
		if text = doc.Find("table.chain").Text(); res.StatusCode != http.StatusOK || !strings.Contains(text, "成府发〔2026〕12号") || !strings.Contains(text, "80 天") || !strings.Contains(text, "四川省成都市") {
			t.Errorf("chain: %d\n%s", res.StatusCode, text)
		}
		// The interpretation and the document that it explains link to each other.
		res, doc = get("/search?q=" + url.QueryEscape("政策解读") + "&lang=zh")
		if res.StatusCode != http.StatusOK || doc.Find(".item h3 mark").Length() == 0 {
			t.Errorf("search: %d, %d marked titles", res.StatusCode, doc.Find("h3 mark").Length())
		}
		href, _ := doc.Find(".item h3 a").First().Attr("href")
		_, doc = get(strings.TrimPrefix(href, "https://dibao.example"))
		if !strings.Contains(doc.Find("#pairs").Parent().Text(), "关于推进基本养老服务体系建设的实施意见") {
			t.Errorf("the interpretation does not show the document that it explains: %s", href)
		}
		_, doc = get("/search?q=" + url.QueryEscape("成府发[2026]12号") + "&lang=zh")
		if doc.Find(`.note a[href^="`+number+`"]`).Length() != 1 {
			t.Error("the search for a number does not name its document")
		}
		stored, err := r.Store.Articles(t.Context(), feed.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		byKind := make(map[policy.Kind]int64)
		for _, a := range stored {
			byKind[a.Facts.Kind] = a.ID
		}
		original, reading := byKind[policy.KindDocument], byKind[policy.KindInterpretation]
		for path, want := range map[string]int{
			fmt.Sprintf("/articles/%d/changes?against=%d", original, original): 200, fmt.Sprintf("/articles/%d/changes?against=%d", original, reading): 404,
			"/documents/" + url.PathEscape("成府发〔2026〕99号"): 404, "/documents/0": 404, "/documents/99999": 404, "/articles/0": 404, "/articles/1%27": 404,
			"/articles/1/changes": 200, "/articles/2/changes?against=x": 404, "/articles/2/changes?against=77": 404,
			"/issuers/" + url.PathEscape("成都市人民政府") + "/": 200, "/issuers/" + url.PathEscape("无此机关") + "/": 404, "/regions/51/": 200, "/regions/5101/": 200, "/regions/99/": 404,
			"/themes/": 200, "/themes/" + url.PathEscape("国防") + "/": 200, "/themes/" + url.PathEscape("无此主题") + "/": 404, "/regions/": 200, "/issuers/": 200, "/sources/": 200, "/sources/1/": 200, "/sources/9/": 404, "/sources/1/?before=x": 404, "/search?q=%FF%27%22": 200, "/search?page=99&q=a": 200,
		} {
			if res, _ := get(path); res.StatusCode != want {
				t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
			}
		}
	})
}

// TestCollectionsArePaged reads all pages of a source: each article once, newest first,
// with links that keep the chosen language.
func TestCollectionsArePaged(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		all := paths(s, "b", 75, articlePage)
		s.set("/list", list(all...), 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page", Name: "样例站"})
		done, err := r.collect(src.ID)
		if err != nil {
			t.Fatal(err)
		}
		get := pagesOf(t, r.Store)
		var seen []string
		pages := 0
		for next := "/sources/1/?lang=en"; next != ""; pages++ {
			res, doc := get(next)
			if res.StatusCode != http.StatusOK || pages > 9 {
				t.Fatalf("%s: %d", next, res.StatusCode)
			}
			doc.Find(".item h3 a").Each(func(_ int, a *goquery.Selection) {
				href, _ := a.Attr("href")
				seen = append(seen, href)
			})
			next, _ = doc.Find("a[rel=next]").Attr("href")
		}
		if len(seen) != done.New || pages != (done.New+29)/30 {
			t.Errorf("%d articles on %d pages, want %d", len(seen), pages, done.New)
		}
		if sorted := slices.Compact(slices.Sorted(slices.Values(seen))); len(sorted) != len(seen) {
			t.Error("an article is on two pages")
		}
		if len(seen) > 0 && !strings.HasSuffix(seen[0], "?lang=en") {
			t.Errorf("the link %s forgets the chosen language", seen[0])
		}
	})
}

// TestAnythingComparedWithAnything tests a former bug: anybody could have any two
// articles compared, however long. A page compares only versions of one text, and says so
// if even these are too long or too different.
func TestAnythingComparedWithAnything(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRoom(t, db)
		src := r.sources()
		long := func(end string) (all []string) {
			for i := range 120 {
				var b strings.Builder
				for n := range 3000 {
					b.WriteRune(rune(0x4e00 + (n*n+i)%5000))
				}
				all = append(all, b.String()+end)
			}
			return all
		}
		r.put(src["n"],
			text{"a", "样例养老机构管理条例", "2010-01-01", "2010-01-05", "", []string{"第一条 为了规范养老机构，制定本条例。"}},
			text{"b", "样例养老机构管理条例", "2020-05-01", "2020-05-06", "", []string{"第一条 为了规范养老机构的管理，制定本条例。"}},
			text{"c", "国务院关于别的事项的通知", "2020-05-01", "2020-05-06", "国发〔2020〕5号", []string{"现就别的事项通知如下。"}},
			text{"d", "样例托育机构管理条例", "2010-01-01", "2010-01-05", "", long("甲")},
			text{"e", "样例托育机构管理条例", "2020-05-01", "2020-05-06", "", long("乙")})
		get := pagesOf(t, r.Store)
		ids := map[string]int64{}
		for _, g := range []string{"a", "b", "c", "d", "e"} {
			ids[g] = r.articleID(t.Context(), g)
		}
		for _, c := range []struct {
			a, b   string
			status int
			shows  string
		}{{"b", "a", 200, "的管理"}, {"b", "c", 404, ""}, {"e", "a", 404, ""}, {"e", "d", 200, "无法对照显示"}} {
			res, doc := get(fmt.Sprintf("/articles/%d/changes?against=%d", ids[c.a], ids[c.b]))
			if res.StatusCode != c.status || !strings.Contains(doc.Text(), c.shows) {
				t.Errorf("%s against %s: %d, %s", c.a, c.b, res.StatusCode, doc.Find("main").Text())
			}
		}
	})
}

// Documents, their chains and searches have their own feeds.
func TestFeedsOfDocumentsAndSearches(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := sitetest.New(t, db), newRoom(t, db)
		r.put(1, text{guid: "1", title: "国务院关于加快发展养老服务业的若干意见", issued: "2026-09-06", published: "2026-09-13", number: "国发〔2026〕35号", paragraphs: []string{"各省人民政府：现提出以下意见。"}},
			text{guid: "2", title: "四川省人民政府关于加快发展养老服务业的实施意见", issued: "2026-10-06", published: "2026-10-13", number: "川府发〔2026〕8号",
				paragraphs: []string{"为贯彻落实《国务院关于加快发展养老服务业的若干意见》（国发〔2026〕35号）精神，现提出如下实施意见。"}},
			text{guid: "3", title: "四川省人民政府关于道路的通知", issued: "2026-10-07", published: "2026-10-14", number: "川府发〔2026〕9号", paragraphs: []string{"现将有关事项通知如下。"}})
		number := url.PathEscape("国发〔2026〕35号")
		for path, want := range map[string]int{
			"/documents/" + number + "/feed.xml": 2, "/documents/" + url.PathEscape("国发[2026]35号") + "/feed.xml": 2, "/documents/" + number + "/chain/feed.xml": 1,
			"/search/feed.xml?q=" + url.QueryEscape("养老服务"): 2, "/search/feed.xml?q=" + url.QueryEscape("道路"): 1, "/search/feed.xml?q=zzzz": 0,
			"/issuers/" + url.PathEscape("四川省人民政府") + "/feed.xml": 2, "/regions/51/feed.xml": 2,
		} {
			for _, f := range publish.Formats {
				path := strings.Replace(path, ".xml", f.Suffix, 1)
				body := s.Read(path)
				feed, err := gofeed.NewParser().ParseString(body)
				if err != nil || len(feed.Items) != want {
					t.Errorf("%s: %v, %v; want %d items", path, feed, err, want)
				}
				if p := feedtest.Validate(f.Name, sitetest.BaseURL+path, []byte(body)); len(p) > 0 {
					t.Errorf("%s: %v", path, p)
				}
			}
		}
		for _, path := range []string{"/search/feed.xml", "/search/feed.xml?q=", "/search/feed.xml?q=" + strings.Repeat("x", 400), "/documents/x/chain/feed.xml"} {
			if res := s.Get(path); res.StatusCode != 404 {
				t.Errorf("%s: %d", path, res.StatusCode)
			}
		}
	})
}
