package ingest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dibao/feed/ingest/sanitize"
	"dibao/feed/ingest/textblock"
	"dibao/internal/costtest"
)

func costPage(body []byte, contentType string) Page {
	return Page{URL: "http://site.test/a/index.html", ContentType: contentType, Body: body}
}

// TestCostOfMarkup reads markup in all the ways in which the package reads it.
func TestCostOfMarkup(t *testing.T) {
	for name, read := range map[string]func([]byte){
		"List": func(b []byte) { pageReader{}.Read(costPage(b, "text/html"), Source{}) },
		"Article": func(b []byte) {
			ReadArticle(costPage(b, "text/html"), Source{}, Item{GUID: "g", URL: "http://site.test/a/1.html", Title: "关于做好养老服务工作的通知"})
		},
		"Proposals": func(b []byte) {
			Discover(costPage(b, "text/html"))
			ProposeContent(costPage(b, "text/html"), Source{})
		},
		"ProposeList": func(b []byte) { ProposeList(costPage(b, "text/html"), Source{}) },
		"Pager":       func(b []byte) { NextPage(costPage(b, "text/html"), Source{}) },
		"Sanitize":    func(b []byte) { textblock.OfMarkup(sanitize.Clean(string(b), "http://site.test/")) },
		"Text":        func(b []byte) { plainText(string(b)) },
		"Plain":       func(b []byte) { FromText(costPage(b, "text/plain"), Source{}) },
	} {
		t.Run(name, func(t *testing.T) { costtest.Linear(t, costtest.HTML, read) })
	}
	costtest.Report(t, "feed/ingest, markup")
}

// TestCostOfFeeds reads feeds, sitemaps and JSON responses.
func TestCostOfFeeds(t *testing.T) {
	seeds := slices.Concat(costtest.XML, costtest.JSON)
	for name, read := range map[string]func([]byte){
		"Feed":    func(b []byte) { feedReader{}.Read(costPage(b, ""), Source{}) },
		"Sitemap": func(b []byte) { sitemapReader{}.Read(costPage(b, ""), Source{}) },
		"JSON":    func(b []byte) { jsonReader{}.Read(costPage(b, ""), Source{Settings: Settings{Item: "data.list[]"}}) },
		"JSONMarkup": func(b []byte) {
			jsonReader{}.Read(costPage(b, ""), Source{Settings: Settings{Item: "data | li"}})
		},
		"ProposeJSON": func(b []byte) { ProposeJSON(costPage(b, ""), Source{}) },
		"Hints":       func(b []byte) { ReadHints(costPage(b, ""), nil) },
	} {
		t.Run(name, func(t *testing.T) { costtest.Linear(t, seeds, read) })
	}
	costtest.Report(t, "feed/ingest, feeds")
}

// TestCostOfMails reads messages of a mailbox.
func TestCostOfMails(t *testing.T) {
	const head = "Message-ID: <a@site.test>\r\nSubject: t\r\n"
	var seeds []costtest.Seed
	for _, s := range costtest.HTML {
		s.Head = head + "Content-Type: text/html; charset=utf-8\r\n\r\n" + s.Head
		seeds = append(seeds, s)
	}
	seeds = append(seeds,
		costtest.Seed{Name: "Headers", Head: head, Units: []string{"X-%d: a\r\n"}, Tail: "\r\nx"},
		costtest.Seed{Name: "LongHeader", Head: head + "X: a", Units: []string{"\r\n a"}, Tail: "\r\n\r\nx"},
		costtest.Seed{Name: "Words", Head: "Message-ID: <a@site.test>\r\nSubject: ", Units: []string{"=?utf-8?b?5YWz?= "}, Tail: "\r\n\r\nx"},
		costtest.Seed{Name: "Addresses", Head: head + "From: a", Units: []string{" <a@b.test>, b"}, Tail: "\r\n\r\nx"},
		costtest.Seed{Name: "Parts", Head: head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n", Units: []string{"--b\r\n\r\nx\r\n"}, Tail: "--b--"},
		costtest.Seed{Name: "NestedParts", Head: head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n", Units: []string{"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"}},
		costtest.Seed{Name: "Dashes", Head: head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n", Units: []string{"--"}},
		costtest.Seed{Name: "Quoted", Head: head + "Content-Transfer-Encoding: quoted-printable\r\n\r\n", Units: []string{"=E5=85=B3=\r\n"}},
	)
	costtest.Linear(t, seeds, func(b []byte) { mailReader{}.Read(Page{URL: "http://site.test/", Body: b}, Source{}) })
	costtest.Report(t, "feed/ingest, emails")
}

// TestCostOfFiles checks that joining the lines of files into paragraphs takes linear time.
func TestCostOfFiles(t *testing.T) {
	seeds := []costtest.Seed{
		{Name: "Lines", Units: []string{strings.Repeat("通知", 20) + "\n"}},
		{Name: "ShortLines", Head: strings.Repeat("通", 60) + "\n", Units: []string{"通%d\n"}},
		{Name: "OneLine", Units: []string{"通知"}},
	}
	costtest.Linear(t, seeds, func(b []byte) { AddFile(Item{}, []string{string(b)}) })
	costtest.Report(t, "feed/ingest, files")
}

// costPerByte is the maximum allocation for reading one byte. A page of tags with one
// letter needs the most.
const costPerByte = 4000

// FuzzCostOfPages searches for pages that allocate more than their length justifies.
func FuzzCostOfPages(f *testing.F) {
	for _, s := range costtest.HTML {
		f.Add(s.Input(8 << 10))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		costtest.Fuzz(t, body, costPerByte, func() {
			pageReader{}.Read(costPage(body, "text/html"), Source{})
			ReadArticle(costPage(body, "text/html"), Source{}, Item{GUID: "g", URL: "http://site.test/a/1.html"})
		})
	})
}

// FuzzCostOfFeeds searches for feeds that allocate more than their length justifies.
func FuzzCostOfFeeds(f *testing.F) {
	for _, s := range slices.Concat(costtest.XML, costtest.JSON) {
		f.Add(s.Input(8 << 10))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		costtest.Fuzz(t, body, costPerByte, func() {
			feedReader{}.Read(costPage(body, ""), Source{})
			sitemapReader{}.Read(costPage(body, ""), Source{})
			jsonReader{}.Read(costPage(body, ""), Source{Settings: Settings{Item: "data.list[]"}})
		})
	})
}

// TestCostOfStreams reads pages with very many parts whose names mean recommendations: the
// text before each of them is read once. Pages of 64 kB are too short to show a difference.
func TestCostOfStreams(t *testing.T) {
	seed := costtest.Seed{
		Head: "<h1>关于做好养老服务工作的通知</h1>", Units: []string{"<div class=recommend>通。</div>"},
		Tail: strings.Repeat("<p>为做好养老服务工作，现将有关事项通知如下，请认真贯彻执行。", 9),
	}
	least := func(bytes int) time.Duration { // other load on the machine makes a run slower
		input, took := seed.Input(bytes), time.Hour
		for range 3 {
			took = min(took, costtest.Measure(func() {
				ReadArticle(costPage(input, "text/html"), Source{}, Item{GUID: "g", URL: "http://site.test/a/1.html", Title: "关于做好养老服务工作的通知"})
			}).Time)
		}
		return took
	}
	short, long := least(384<<10), least(3<<20)
	if long > 16*short {
		t.Errorf("a page takes %s, one of eight times its length %s", short, long)
	}
}
