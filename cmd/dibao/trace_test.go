package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dibao/internal/trace/tracetest"
)

// One trace covers the collection of a source up to the messages of the issue, through
// three processes; it contains no reader's address and no text.
func TestOneTraceFromCollectToSent(t *testing.T) {
	collector := tracetest.New(t)
	site := oneArticle(t, "样例")
	path, box := mailConfig(t, "[trace]\nendpoint = \""+collector.URL+"\"\n")
	for _, line := range []string{
		"migrate", "source add " + site + " --private", "list create weekly --title 周刊", "subscriber add a@reader.example --list weekly --consent test",
		"collect", "issue compose weekly", "issue send",
	} {
		if _, err := dibao(t, append(strings.Fields(line), "--config", path)...); err != nil {
			t.Fatalf("dibao %s: %v", line, err)
		}
	}
	if box.Count() != 1 {
		t.Fatalf("%d emails", box.Count())
	}
	all := collector.Spans()
	collect := all["collect source"]
	for name, parent := range map[string]string{
		"collect source": "", "fetch": "collect source", "parse": "collect source", "store": "collect source",
		"compose issues": "collect source", "deliver mailing": "compose issues", "send message": "deliver mailing",
	} {
		s, ok := all[name]
		if !ok || s.TraceID != collect.TraceID || s.ParentSpanID != all[parent].SpanID || s.Failed != "" {
			t.Errorf("span %q is %+v; it should be a part of %q in trace %s", name, s, parent, collect.TraceID)
		}
	}
	if code := all["send message"].Attributes["smtp.reply_code"]; code != "250" {
		t.Errorf("the reply code is %q", code)
	}
	for _, private := range []string{"a@reader", "正文", "周刊"} {
		if strings.Contains(collector.Text(), private) {
			t.Errorf("a span has %q", private)
		}
	}
}

// oneArticle serves a feed with one article of today about a subject.
func oneArticle(t *testing.T, about string) (address string) {
	t.Helper()
	site := httptest.NewUnstartedServer(nil)
	site.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/robots.txt":
			http.NotFound(w, r)
		case "/1":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, "<title>关于"+about+"的通知</title><h1>关于"+about+"的通知</h1><div><p>正文一，各单位：</p><p>"+strings.Repeat(about+"正文二，请认真执行。", 20)+"</p></div>")
		default:
			w.Header().Set("Content-Type", "application/rss+xml")
			fmt.Fprintf(w, `<rss version="2.0"><channel><title>%[3]s</title><item><guid>1</guid><title>关于%[3]s的通知</title><link>%[1]s/1</link><pubDate>%[2]s</pubDate></item></channel></rss>`,
				site.URL, time.Now().UTC().Format(time.RFC1123Z), about)
		}
	})
	site.Start()
	t.Cleanup(site.Close)
	return site.URL + "/feed.xml"
}

// An issue of several collections is part of the trace of the last one, and links to the
// others.
func TestIssueOfTwoCollectionsLinksToBoth(t *testing.T) {
	collector := tracetest.New(t)
	path, _ := mailConfig(t, "[trace]\nendpoint = \""+collector.URL+"\"\n")
	var collections []tracetest.Span
	for i, line := range []string{
		"source add " + oneArticle(t, "养老服务") + " --private", "source add " + oneArticle(t, "学前教育") + " --private", "list create weekly --title 周刊", "collect 1", "collect 2", "issue compose weekly",
	} {
		if _, err := dibao(t, append(strings.Fields(line), "--config", path)...); err != nil {
			t.Fatalf("dibao %s: %v", line, err)
		}
		if i == 3 || i == 4 {
			collections = append(collections, collector.Spans()["collect source"])
		}
	}
	compose := collector.Spans()["compose issues"]
	if compose.ParentSpanID != collections[1].SpanID || len(compose.Links) != 1 || compose.Links[0] != collections[0].SpanID || compose.Attributes["articles"] != "2" {
		t.Errorf("composing is %+v; the collections are %+v", compose, collections)
	}
}

// A trace collector that is down neither blocks a command nor makes it fail.
func TestCollectorOfTracesIsDown(t *testing.T) {
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer down.Close()
	path, _ := mailConfig(t, "[trace]\nendpoint = \""+down.URL+"\"\n")
	for _, line := range []string{"source add " + oneArticle(t, "样例") + " --private", "collect"} {
		begun := time.Now()
		if _, err := dibao(t, append(strings.Fields(line), "--config", path)...); err != nil || time.Since(begun) > time.Minute {
			t.Errorf("dibao %s: %v after %s", line, err, time.Since(begun))
		}
	}
}
