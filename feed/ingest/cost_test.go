package ingest

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/html"

	"dibao/feed/ingest/list"
	"dibao/policy/when"
)

// bigList is a list page of about 300 kB: menus, 900 rows and footers.
func bigList() []byte {
	var b strings.Builder
	b.WriteString("<html><body><div class=nav><ul>")
	for i := range 300 {
		fmt.Fprintf(&b, `<li><a href="/c%d/">政务公开第%d栏目</a></li>`, i, i)
	}
	b.WriteString("</ul></div><div class=main><ul class=list>")
	for i := range 1500 {
		fmt.Fprintf(&b, `<li class="r%d"><a href="./202411/t20241120_%d.html" title="样例市人民政府关于印发第%d号样例工作方案的通知" target="_blank">样例市人民政府关于印发第%d号样例…</a><span class="date">2024-11-%02d</span></li>`, i%3, i, i, i, 1+i%28)
	}
	b.WriteString("</ul></div></body></html>")
	return []byte(b.String())
}

// cpuTime returns the CPU time of this process.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkFindList finds the list in the tree of a page of 300 kB: ms-cpu/op is its CPU
// time, parses/op the ratio to the time for parsing the page.
func BenchmarkFindList(b *testing.B) {
	body := bigList()
	body = body[:bytes.LastIndex(body[:300<<10], []byte("<li"))]
	text := string(body)
	start := cpuTime()
	const times = 20
	var root *html.Node
	for range times {
		root, _ = html.Parse(strings.NewReader(text))
	}
	parse := (cpuTime() - start) / times
	b.SetBytes(int64(len(text)))
	start, n := cpuTime(), 0
	for b.Loop() {
		if found := list.Find(root, nil, when.Clock{Now: casesAt}); len(found.Rows) < 1000 {
			b.Fatal(len(found.Rows))
		}
		n++
	}
	find := (cpuTime() - start) / time.Duration(n)
	b.ReportMetric(float64(find.Microseconds())/1000, "ms-cpu/op")
	b.ReportMetric(float64(find)/float64(parse), "parses/op")
}

// The list of a page of 380 kB with 1,500 rows takes about 25 ms, its tree the same again.
func BenchmarkReadList(b *testing.B) {
	page := Page{URL: "http://www.sample.example/zwgk/", Body: bigList(), FetchedAt: casesAt}
	b.SetBytes(int64(len(page.Body)))
	for b.Loop() {
		if l, err := ReadList(page, Source{}); err != nil || len(l.Items) != maxFeedItems && len(l.Items) != 1500 {
			b.Fatal(len(l.Items), err)
		}
	}
}

// hostileLists are pages that are built to be expensive for their length, each with n
// parts.
var hostileLists = map[string]func(n int) string{
	"nested divs with a link each": func(n int) string {
		return strings.Repeat(`<div><a href=/1.html>关于印发样例办法的通知</a>`, min(n, 400)) + strings.Repeat("<p><a href=/2.html>关于样例的公告通知</a></p>", n)
	},
	"deep chains": func(n int) string {
		return strings.Repeat(strings.Repeat("<div>", 300)+`<a href=/1.html>关于印发样例办法的通知</a>2024-01-01`+strings.Repeat("</div>", 300), n/60+1)
	},
	"lists in lists": func(n int) string {
		return strings.Repeat(strings.Repeat("<ul><li><a href=/1.html>关于印发样例办法的通知</a><span>2024-01-01</span>", 60)+strings.Repeat("</ul>", 60), n/50+1)
	},
	"a class each": func(n int) string {
		var b strings.Builder
		for range 2 {
			for i := range n {
				fmt.Fprintf(&b, `<div class="k%dx"><p><a href=/%d.html>关于印发样例办法的通知</a> 2024-01-01</p><p><a href=/a%d.html>关于印发样例规定的通知</a> 2024-01-01</p></div>`, i, i, i)
			}
		}
		return b.String()
	},
	"many small lists": func(n int) string {
		return strings.Repeat(`<h3>栏目名称</h3><ul><li><a href=/1.html>关于印发样例办法的通知</a> 01-01</li><li><a href=/2.html>关于样例的公告</a> 01-02</li></ul>`, n)
	},
	"digits": func(n int) string {
		return "<ul>" + strings.Repeat("<li><a href=/1.html>关于印发样例办法的通知</a>"+strings.Repeat("1-2-", 90)+"</li>", n/3+1) + "</ul>"
	},
	"scripts": func(n int) string {
		return "<script>var a='" + strings.Repeat("x", 3000) + "';" + strings.Repeat("a=a+a+a+a;document.write(a+a+a+a+a);b=[{x:[{", n) + "</script>"
	},
	"numbers of pages": func(n int) string {
		return strings.Repeat("<a href=?p=1>1</a>", n) + strings.Repeat("<span><a href=?p=1>1</a></span>", n)
	},
}

// TestListCosts reads hostile pages of half a megabyte: each must be done within a multiple
// of its usual time.
func TestListCosts(t *testing.T) {
	t.Parallel()
	for name, page := range hostileLists {
		t.Run(name, func(t *testing.T) {
			body := []byte("<html><body>" + page(2000))
			start := time.Now()
			_, err := ReadList(Page{URL: "http://www.sample.example/", Body: body, FetchedAt: casesAt}, Source{})
			if took := time.Since(start); took > patience {
				t.Errorf("%d kB took %v", len(body)>>10, took)
			}
			if err != nil && err != errCostly {
				t.Error(err)
			}
		})
	}
}

func FuzzReadList(f *testing.F) {
	for _, page := range hostileLists {
		f.Add(page(3))
	}
	f.Add(`<table><tr><th>标题</th><th>日期</th></tr><tr><td><a href=1>关于样例的通知</a></td><td>11-27</td></tr></table><script>createPageHTML(3,0,"index","html")</script>`)
	f.Add(`cb({"a":[{title:'关于样例的通知',url:"/1.html",d:1714492800}]})`)
	f.Fuzz(func(t *testing.T, body string) {
		p := Page{URL: "http://site.test/a/", Body: []byte(body), FetchedAt: casesAt}
		l, err := ReadList(p, Source{})
		if err != nil {
			return
		}
		for _, it := range l.Items {
			checkItem(t, it)
		}
		for _, d := range l.Dropped {
			if d == (list.Drop{}) {
				t.Error("something was dropped without a reason")
			}
		}
	})
}
