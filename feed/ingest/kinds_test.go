package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	one := listRow{"2024-05-01", "关于某事的通知", "http://site.test/a/1.html"}
	tests := []struct {
		name, body string
		set        Settings
		want       []listRow
		err        string
	}{
		{"Array", `[{"TITLE":"关于某事的通知","URL":"/a/1.html","DOCRELPUBTIME":"2024-05-01"}]`, Settings{Item: "[]", Date: "DOCRELPUBTIME"}, []listRow{one}, ""},
		{"Milliseconds", `{"data":{"list":[{"title":"关于<em>某事</em>的通知","url":"http://site.test/a/1.html","at":1714492800000}]}}`, Settings{Item: "data.list[]", Date: "at"}, []listRow{one}, ""},
		{"Seconds", `{"l":[{"title":"关于某事的通知","url":"/a/1.html","at":"1714492800"}]}`, Settings{Item: "l[]", Date: "at"}, []listRow{one}, ""},
		{"Nested", `{"d":[{"g":[{"data":{"title":"关于某事的通知","url":"a/1.html","t":"2024.05.01 09:00"}}]}]}`, Settings{Item: "d[].g[0].data", Date: "t"}, []listRow{one}, ""},
		{"Markup", `{"data":{"html":"<ul><li><a href='/a/1.html'>关于某事的通知</a><span>2024-05-01</span></li></ul>"}}`, Settings{Item: "data.html | li", Link: "a", Date: "span"}, []listRow{one}, ""},
		{"WrongTypes", `{"l":[1,null,"x",{"title":{},"url":"/a"},{"title":"没有地址"}]}`, Settings{Item: "l[]"}, nil, ""},
		{"Template", `{"l":[{"title":"关于某事的通知","docId":7,"t":"2024-05-01"}]}`, Settings{Item: "l[]", Link: "/a/{docId}.html", Date: "t"}, []listRow{{"2024-05-01", "关于某事的通知", "http://site.test/a/7.html"}}, ""},
		{"Callback", "\uFEFFcb({l:[{title:'关于某事的通知',url:'/a/1.html',t:'2024-05-01'},]});", Settings{Item: "l[]", Date: "t"}, []listRow{one}, ""},
		{"NoPath", `[]`, Settings{}, nil, "item path"},
		{"BadPath", `[]`, Settings{Item: "[x]"}, nil, "neither [] nor [0]"},
		{"NoJSON", `<html>`, Settings{Item: "[]"}, nil, "not valid JSON"},
		{"Script", `[{"title":"关于某事的通知","url":"javascript:f()"}]`, Settings{Item: "[]"}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			items, err := jsonReader{}.Read(Page{URL: "http://site.test/", Body: []byte(tt.body)}, Source{Settings: tt.set})
			checkKind(t, items, err, tt.want, tt.err)
		})
	}
}

func TestSitemap(t *testing.T) {
	t.Parallel()
	const ns = `<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">`
	two := listRow{"2024-05-02", "关于另一事的公告", "http://site.test/2.html"}
	tests := []struct {
		name, body string
		want       []listRow
		err        string
	}{
		{"News", ns + `<url><loc>http://site.test/1.html</loc><lastmod>2024-05-01</lastmod></url><url><loc>/2.html</loc><news:news><news:publication_date>2024-05-02T08:00:00+08:00</news:publication_date><news:title>关于另一事的公告</news:title></news:news></url></urlset>`,
			[]listRow{two, {"", "", "http://site.test/1.html"}}, ""},
		{"CutShort", ns + `<url><loc>http://site.test/2.html</loc></url><url><lo`, []listRow{{"", "", two.URL}}, ""},
		{"Empty", ns + `</urlset>`, nil, ""},
		{"Index", `<sitemapindex><sitemap><loc>http://site.test/s1.xml</loc></sitemap></sitemapindex>`, nil, "such as http://site.test/s1.xml"},
		{"Page", `<html><body>`, nil, "not a sitemap"},
		{"Entities", `<!DOCTYPE urlset [<!ENTITY a "b">]>` + ns, nil, "entities"},
		{"Deep", strings.Repeat("<urlset>", 1000), nil, "more than 64 nested elements"},
		{"Nothing", "", nil, "no elements"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			items, err := sitemapReader{}.Read(Page{URL: "http://site.test/sitemap.xml", Body: []byte(tt.body)}, Source{})
			checkKind(t, items, err, tt.want, tt.err)
		})
	}
}

func checkKind(t *testing.T, items []Item, err error, want []listRow, wantErr string) {
	t.Helper()
	if wantErr != "" {
		if err == nil || !strings.Contains(err.Error(), wantErr) {
			t.Errorf("got %v, want …%s…", err, wantErr)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, listRows(items)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func FuzzReadKinds(f *testing.F) {
	seeds(f, "feed.*", `[{"title":"一","url":"/a","t":1714492800000}]`, `<urlset><url><loc>http://a.test/</loc></url></urlset>`,
		"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00", "Subject: =?gb2312?B?1qrNqA==?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		if set, err := ProposeJSON(Page{Body: body, ContentType: contentType}, Source{}); err == nil && set.Item == "" {
			t.Errorf("a list is proposed without a path: %+v", set)
		}
		ReadHints(Page{URL: "http://site.test/", Body: body}, nil)
		for _, kind := range []string{"json", "mail", "sitemap"} {
			items, err := Kinds[kind].Read(Page{URL: "http://site.test/", ContentType: contentType, Body: body}, Source{Settings: Settings{Item: "[]", Date: "t"}})
			if err != nil {
				continue
			}
			for _, it := range items {
				checkItem(t, it)
			}
		}
	})
}
