package feed_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/filetext"
)

// docx returns a DOCX file of paragraphs.
func docx(t *testing.T, paragraphs ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("word/document.xml")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(w, `<w:document xmlns:w="x"><w:body>`)
	for _, p := range paragraphs {
		fmt.Fprintf(w, `<w:p><w:r><w:t>%s</w:t></w:r></w:p>`, p)
	}
	fmt.Fprintf(w, `</w:body></w:document>`)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A long notice that leaves its conditions to a guide is read together with at most two
// files whose titles suggest such a guide. Their text is not part of the notice's; forms
// are not fetched, nor are files of a notice that leaves nothing open or does not call
// for anything.
func TestGuidesOfCalls(t *testing.T) {
	t.Parallel()
	filler := `<p>` + strings.Repeat("样例市持续完善工作机制，加强部门协同，推动各项任务落到实处。", 20) + `</p>`
	page := func(title, text string, files ...string) string {
		links := ""
		for _, f := range files {
			path, name, _ := strings.Cut(f, " ")
			links += `<p><a href="` + path + `">` + name + `</a></p>`
		}
		return `<html><head><title>` + title + `_样例网</title></head><body><h1>` + title + `</h1><div class="info">时间:2026-11-20 来源:本站</div><div id="zoom">` + filler + text + links + `</div></body></html>`
	}
	titles := []string{"样例市关于组织申报样例项目的通知", "样例市关于组织申报样例资金的通知", "样例市关于做好样例工作的通知", "样例市关于组织申报样例基地的通知"}
	guide := docx(t, "样例项目申报指南", "一、申报条件", "在样例市注册的企业，注册满一年。", "二、支持标准", "每个项目给予最高不超过20万元补助。", "三、申报时间", "请申报单位于2026年12月15日前报送。")
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s, r := newSite(t), newRoom(t, db)
		r.FileText = filetext.Text
		var rows []string
		for i, title := range titles {
			rows = append(rows, fmt.Sprintf("/a/%d.html %s", i+1, title))
		}
		s.set("/list", list(rows...), 0)
		s.set("/a/1.html", page(titles[0], `<p>具体要求见附件1。</p><p>附件：1.样例项目申报指南</p><p>2.样例项目申报书</p>`,
			"guide.docx 附件1", "form.docx 附件2", "sheet.docx 推荐项目汇总表.docx", "gone.docx 样例资金管理办法.docx", "third.docx 样例评审细则.docx"), 0)
		s.set("/a/2.html", page(titles[1], `<p>注册满一年的企业可以申报，每个项目补助20万元。</p><p>请申报单位于2026年12月20日前报送。</p>`, "full.docx 样例资金申报指南.docx"), 0)
		s.set("/a/3.html", page(titles[2], `<p>详见附件。</p>`, "plain.docx 样例工作方案.docx"), 0)
		s.set("/a/4.html", page(titles[3], `<p>请申报单位于2026年12月20日前报送，详见附件。</p>`, "broken.pdf 样例基地认定办法.pdf", "empty.docx 样例基地申报通知.docx"), 0)
		s.set("/a/guide.docx", guide, 0)
		s.set("/a/broken.pdf", "%PDF-1.4 cut off", 0)
		s.set("/a/empty.docx", docx(t), 0)
		src := r.add(feed.Source{URL: s.URL + "/list", Kind: "page", Name: "样例站", Licence: feed.LicenceOfficial})
		done, err := r.collect(src.ID)
		if err != nil || done.New != len(titles) {
			t.Fatalf("%+v, %v", done, err)
		}
		for path, want := range map[string]int{"guide.docx": 1, "gone.docx": 1, "third.docx": 0, "form.docx": 0, "sheet.docx": 0, "full.docx": 0, "plain.docx": 0, "broken.pdf": 1, "empty.docx": 1} {
			if got := s.asked("/a/" + path); got != want {
				t.Errorf("%s was asked for %d times, want %d", path, got, want)
			}
		}
		check := func(when string) {
			t.Helper()
			a, err := r.Store.Article(t.Context(), r.articleID(t.Context(), s.URL+"/a/1.html"))
			if err != nil || a.Call == nil {
				t.Fatalf("%s: %+v, %v", when, a.Call, err)
			}
			const file = "样例项目申报指南"
			c := a.Call
			if len(c.Benefits) != 1 || c.Benefits[0].In != file || c.Benefits[0].Cap != 200000 || len(c.Who.Thresholds) != 1 || c.Who.Thresholds[0].In != file ||
				len(c.Steps) != 1 || c.Steps[0].In != file || c.Steps[0].Last.String() != "2026-12-15" {
				t.Errorf("%s: %+v", when, c)
			}
			if text := strings.Join(a.Facts.Paragraphs, ""); strings.Contains(text, "20万元") || !a.Facts.DeadlineOn.IsZero() {
				t.Errorf("%s: the guide is part of the text: %s %v", when, text, a.Facts.DeadlineOn)
			}
			if warned := fmt.Sprint(a.Warnings); !strings.Contains(warned, "guide-unread [样例资金管理办法.docx") {
				t.Errorf("%s: %s", when, warned)
			}
			a, err = r.Store.Article(t.Context(), r.articleID(t.Context(), s.URL+"/a/4.html"))
			if warned := fmt.Sprint(a.Warnings); err != nil || !strings.Contains(warned, "guide-unread [样例基地认定办法.pdf") || !strings.Contains(warned, "guide-without-text [样例基地申报通知.docx") {
				t.Errorf("%s: %s, %v", when, warned, err)
			}
		}
		check("collected")
		if _, err := r.Store.Reread(t.Context(), nil, nil); err != nil {
			t.Fatal(err)
		}
		check("reread")
	})
}
