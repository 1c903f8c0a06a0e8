package feed_test

import (
	"fmt"
	"strings"
	"testing"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/filetext"
)

// A page whose text is in a frame of the site or in a DOCX file is stored with that text; a
// system message with status 200 is not stored as an article's text, and the item keeps
// what its list gives.
func TestTextBesideThePage(t *testing.T) {
	t.Parallel()
	file := docx(t, "各市人民政府：现将任务分工印发给你们。")
	head := func(title string) string {
		return `<html><head><title>` + title + `_样例网</title></head><body><h1>` + title + `</h1><div class="info">时间:2026-11-20 来源:本站</div>`
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		r.FileText = filetext.Text
		s.set("/list", list("/a/1.html 样例市关于框架中正文的通知", "/a/2.html 样例市关于附件中正文的通知", "/a/3.html 样例市关于已删除页面的通知"), 0)
		s.set("/a/1.html", head("样例市关于框架中正文的通知")+`<iframe src="1_body.html"></iframe></body></html>`, 0)
		s.set("/a/1_body.html", `<html><body><div><p>各县人民政府：现就有关事项通知如下，请认真贯彻执行。</p><p>执行情况请于年底前报市政府，并抄送有关部门和单位。</p></div></body></html>`, 0)
		s.set("/a/2.html", head("样例市关于附件中正文的通知")+`<div id="zoom"><p><a href="fj.docx">附件.docx</a></p></div></body></html>`, 0)
		s.set("/a/fj.docx", file, 0)
		s.set("/a/3.html", `<html><head><title>提示信息</title></head><body><div>对不起，您访问的页面不存在或者已经被删除。</div></body></html>`, 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page", Name: "样例站", Licence: feed.LicenceOfficial})
		done, err := r.collect(src.ID)
		if err != nil || done.New != 3 {
			t.Fatalf("%+v, %v", done, err)
		}
		found, err := r.Store.Articles(t.Context(), feed.Selection{})
		if err != nil || len(found) != 3 {
			t.Fatalf("%d articles, %v", len(found), err)
		}
		for _, listed := range found {
			a, err := r.Store.Article(t.Context(), listed.ID)
			if err != nil {
				t.Fatal(err)
			}
			text, warned := strings.Join(a.Facts.Paragraphs, "\n"), fmt.Sprint(a.Warnings)
			switch {
			case strings.HasSuffix(a.URL, "/1.html"):
				if !strings.Contains(text, "抄送有关部门") || strings.Contains(warned, "frame") || a.PageState != feed.PageComplete {
					t.Errorf("frame: %s %q, %q", a.PageState, text, warned)
				}
			case strings.HasSuffix(a.URL, "/2.html"):
				if !strings.Contains(text, "任务分工印发") || len(a.Attachments) != 1 || a.Attachments[0].Bytes == 0 {
					t.Errorf("file: %q, %+v, %q", text, a.Attachments, warned)
				}
			default:
				if text != "" || a.Facts.Title != "样例市关于已删除页面的通知" || a.PageState == feed.PageComplete || !strings.Contains(warned, "is not an article") {
					t.Errorf("error page: %s %q %q, %q", a.PageState, a.Facts.Title, text, warned)
				}
			}
		}
	})
}
