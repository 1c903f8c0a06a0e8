package attachment

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"dibao/internal/costtest"
	"dibao/internal/markup"
)

func filesOf(t *testing.T, page string) []string {
	t.Helper()
	root, _ := markup.Parse(page)
	Place(root)
	var all []string
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && n.Data == "a" && n.Parent != nil && markup.Attr(n.Parent, "class") == Class {
			all = append(all, markup.Attr(n, "href")+" "+textOf(n))
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return all
}

func TestPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		want   []string
	}{
		"Written":     {`document.write('<p>附件：<a href="./a.zip">清理<br>.zip</a></p>')`, []string{"./a.zip 清理.zip"}},
		"WrittenText": {`document.write('<a href="/index.html">首页</a>')`, nil},
		"Objects":     {`var attachList = [{"fileName":"甲.pdf","filePath":"/u/1.pdf"},{name:'乙.docx',url:'/u/2.docx'}];`, []string{"/u/1.pdf 甲.pdf", "/u/2.docx 乙.docx"}},
		"Member":      {`window.info={"title":"某通知","data":{"appendix":[{"appDesc":"甲","appFile":"P1.pdf"}]}}`, []string{"P1.pdf 甲"}},
		"OtherFiles":  {`var banner=[{"name":"专题","url":"/zt/x.pdf"}];`, nil},
		"Pages":       {`var fjList=[{"name":"甲","url":"/a/1.html"}];`, nil},
		"Cut":         {`var fjList=[{"name":"甲","url":"/a/1.pdf"`, []string{"/a/1.pdf 甲"}},
	} {
		if got := filesOf(t, `<html><body><p>正文。</p><script>`+c.script+`</script></body></html>`); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestLimits inserts no more files than the limit, however many a script contains.
func TestLimits(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 500 {
		b.WriteString(strings.Repeat("a", i%7+1) + `files=[{"name":"x","url":"/` + strings.Repeat("b", i+1) + `.pdf"}];`)
	}
	if n := len(filesOf(t, `<html><body><script>`+b.String()+`</script></body></html>`)); n > maxFiles {
		t.Errorf("%d files", n)
	}
}

func TestCost(t *testing.T) {
	seeds := []costtest.Seed{
		{Name: "Assignments", Head: "<html><body><script>", Units: []string{"files=[{", "fj:[", `attach={"a":`, "x=["}, Tail: "</script></body></html>"},
		{Name: "Writes", Head: "<html><body><script>", Units: []string{`document.write('<a href="a.pdf">');`, `document.write(`}, Tail: "</script></body></html>"},
	}
	costtest.Linear(t, seeds, func(b []byte) {
		root, _ := markup.Parse(string(b))
		Place(root)
	})
}
