package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dibao/cmd/dibao/demo"
	"dibao/cmd/dibao/view"
)

// faultyPage is an error page that a site may send with status 200 instead of an article.
const faultyPage = `<html><head><title>页面不存在</title></head><body><div>抱歉，您访问的页面不存在或已删除</div><a href="/">返回首页</a></body></html>`

// savedSite writes a folder for demo --site: the list pages of the shared cases, and list pages
// that are walls and an error page. Of the articles, half can be read, and the others are walls,
// error pages or missing. It returns the titles of all rows, and how many lists are walls.
func savedSite(t *testing.T, dir string) (titles []string, walls int) {
	t.Helper()
	var cases []struct {
		File, URL string
		Items     []struct{ URL, Title string }
	}
	shared := filepath.Join("..", "..", "..", "shared", "data", "cases")
	b, err := os.ReadFile(filepath.Join(shared, "lists", "expected.json"))
	if os.IsNotExist(err) {
		t.Skip("the shared test data are not beside the checkout")
	}
	if err != nil || json.Unmarshal(b, &cases) != nil {
		t.Fatalf("expected.json: %v", err)
	}
	files, pages, lists := 0, map[string]string{}, []string{}
	serve := func(path, body string) {
		files++
		pages[path] = fmt.Sprintf("%d.html", files)
		if err := os.WriteFile(filepath.Join(dir, pages[path]), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var wallPages []string
	names, _ := filepath.Glob(filepath.Join(shared, "walls", "*-wall-*.html"))
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		wallPages = append(wallPages, string(b))
	}
	host := regexp.MustCompile(`(?:https?:)?//www\.list\d+\.example`)
	for n, c := range cases {
		if strings.Contains(c.File, "iframe") || strings.Contains(c.File, "refresh") {
			continue // the rows are in another file
		}
		b, err := os.ReadFile(filepath.Join(shared, "lists", c.File))
		if err != nil {
			t.Fatal(err)
		}
		top := fmt.Sprintf("/s%02d", n)
		lists = append(lists, top+host.ReplaceAllString(c.URL, ""))
		serve(lists[len(lists)-1], host.ReplaceAllString(string(b), ""))
		for i, it := range c.Items {
			titles = append(titles, it.Title)
			body := fmt.Sprintf(`<html><head><title>%[1]s</title></head><body><h1>%[1]s</h1><div id="zoom"><p>本页是样例第%[2]d号，用于检验列表中的文章能否读到，内容都是虚构的。</p></div></body></html>`, it.Title, i)
			switch i % 6 {
			case 3:
				body = wallPages[(n+i)%len(wallPages)]
			case 4:
				body = faultyPage
			case 5:
				continue
			}
			path := host.ReplaceAllString(it.URL, "")
			serve(path, body)
			serve(top+path, body)
		}
	}
	for i, body := range append(wallPages, faultyPage) {
		lists = append(lists, fmt.Sprintf("/wall%d/", i))
		serve(lists[len(lists)-1], body)
	}
	conf, err := json.Marshal(map[string]any{"now": "2026-11-29T09:00:00+08:00", "list": lists[0], "lists": lists[1:], "pages": pages})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "site.json"), conf, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return titles, len(wallPages) + 1
}

// TestDemoOfSavedLists collects the list pages of the shared cases, along with walls and error
// pages: the preview of a list contains only rows of the pages, and no menu entry or text of a
// wall or an error page.
func TestDemoOfSavedLists(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	titles, walls := savedSite(t, dir)
	d := inFolder(t)
	var preview view.Preview
	var texts string
	s, err := demoOnce(t, demo.Options{Site: dir, AfterSteps: func(*demo.Demo) {
		d.must("list", "create", "probe", "--max-items", "500")
		out := d.must("--json", "list", "preview", "probe", "--left-out", "1000")
		if err := json.Unmarshal([]byte(out), &preview); err != nil {
			t.Fatal(err)
		}
		texts = d.must("--json", "article", "list", "--limit", "1000")
	}}, d.url)
	if err == nil || strings.Count(strings.Join(s.Errors, "\n"), "/wall") < walls {
		t.Errorf("the summary should name %d walls and error pages: %v, %q", walls, err, s.Errors)
	}
	shown := map[string]bool{}
	for _, it := range preview.Items {
		shown[it.Title] = true
	}
	for _, it := range preview.LeftOut {
		shown[it.Title] = true
	}
	for title := range shown {
		if !slices.Contains(titles, title) {
			t.Errorf("%q is not a row of a list", title)
		}
	}
	for line := range strings.Lines(texts) {
		var a struct{ Title, Summary string }
		if err := json.Unmarshal([]byte(line), &a); err != nil || a.Summary != "" && !strings.HasPrefix(a.Summary, "本页是样例") {
			t.Errorf("%q has the text %q, %v", a.Title, a.Summary, err)
		}
	}
	slices.Sort(titles)
	titles = slices.Compact(titles)
	t.Logf("%d of %d titles were read, %d articles are in the preview", len(shown), len(titles), len(preview.Items))
	if len(shown)*10 < len(titles)*9 {
		t.Errorf("only %d of %d titles were read", len(shown), len(titles))
	}
}
