package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dibao/feed/ingest/list"
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

// The list of a page of 300 kB takes some milliseconds; the limit is many times
// that, for loaded machines.
func BenchmarkReadList(b *testing.B) {
	page := Page{URL: "http://www.sample.example/zwgk/", Body: bigList(), FetchedAt: casesAt}
	b.SetBytes(int64(len(page.Body)))
	for b.Loop() {
		if l, err := ReadList(page, Source{}); err != nil || len(l.Items) != maxFeedItems && len(l.Items) != 1500 {
			b.Fatal(len(l.Items), err)
		}
	}
}

// hostileLists are pages made to cost more than they are long, each of n parts.
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

// TestListCostsAreLinear reads hostile pages of one size and of four times that:
// the time must not grow more than the page does, but for a loaded machine.
func TestListCostsAreLinear(t *testing.T) {
	for name, make := range hostileLists {
		t.Run(name, func(t *testing.T) {
			took := func(n int) (time.Duration, int) {
				body := []byte("<html><body>" + make(n))
				best := time.Hour
				for range 3 {
					start := time.Now()
					ReadList(Page{URL: "http://www.sample.example/", Body: body, FetchedAt: casesAt}, Source{}) //nolint:errcheck // only the cost matters
					best = min(best, time.Since(start))
				}
				return best, len(body)
			}
			small, a := took(500)
			large, b := took(2000)
			t.Logf("%d kB %v, %d kB %v", a>>10, small, b>>10, large)
			if grown := float64(large) / float64(small); grown > 4*float64(b)/float64(a) && large > 500*time.Millisecond {
				t.Errorf("%d bytes took %v, %d bytes %v", a, small, b, large)
			}
		})
	}
}

func FuzzReadList(f *testing.F) {
	for _, make := range hostileLists {
		f.Add(make(3))
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
