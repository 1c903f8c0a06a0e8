package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"dibao/cmd/dibao/inspect"
	"dibao/cmd/dibao/trial"
)

// served is a site of fixed pages; each can have a status.
func served(t *testing.T, pages map[string]string, statuses map[string]int) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if strings.HasPrefix(strings.TrimSpace(body), "[") {
			w.Header().Set("Content-Type", "application/json")
		}
		if status := statuses[r.URL.Path]; status != 0 {
			w.WriteHeader(status)
		}
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s
}

// TestSourceAddNamesWalls adds each wall of the shared cases: it is reported, with advice
// that can help, and not added.
func TestSourceAddNamesWalls(t *testing.T) {
	t.Parallel()
	walls, _ := filepath.Glob("../../../shared/data/cases/walls/*-wall-*.html")
	if len(walls) == 0 {
		t.Skip("the shared test data are not beside the checkout")
	}
	pages, statuses := map[string]string{}, map[string]int{}
	inName := regexp.MustCompile(`-wall-(\d+)-`)
	for _, name := range walls {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		path := "/" + filepath.Base(name)
		pages[path] = string(b)
		statuses[path], _ = strconv.Atoi(inName.FindStringSubmatch(name)[1])
	}
	s, d := served(t, pages, statuses), inFolder(t)
	for path := range pages {
		want := "status 4"
		for part, words := range map[string]string{"ruishu": "the script challenge of 瑞数", "acw": "the script challenge of 阿里云", "aliyun": "the block page of 阿里云", "enable-js": "the script challenge of 宝塔", "slider": "the puzzle of 阿里云"} {
			if strings.Contains(path, part) {
				want = words
			}
		}
		for _, kind := range []string{"", "--kind=page", "--kind=feed"} {
			args := []string{"source", "add", "--yes", "--private", s.URL + path}
			if kind != "" {
				args = append(args, kind)
			}
			status, _, talk := d.run(args...)
			if status != 1 || !strings.Contains(talk, want) || !strings.Contains(talk, "instead of its pages") || !strings.Contains(talk, "ask the site's administrators to allow access") || strings.Contains(talk, "--item") {
				t.Errorf("%s %s: status %d, said %q", path, kind, status, talk)
			}
		}
	}
	if out := d.must("--json", "source", "list"); out != "" {
		t.Errorf("added %s", out)
	}
}

const trialList = `<html><head><title>政策文件</title></head><body><ul class="list">
<li><a href="/a/1.html">关于印发某市养老服务实施方案的通知</a><span>2026-11-20</span></li>
<li><a href="/a/2.html">关于促进数字经济高质量发展的若干意见</a><span>2026-11-19</span></li>
<li><a href="/a/3.html">关于公布2026年度市级企业技术中心名单的公告</a><span>2026-11-18</span></li>
<li><a href="/a/3.html">关于公布2026年度市级企业技术中心名单的公告（重复）</a><span>2026-11-18</span></li></ul><div class="page"><a href="/list_2.html">下一页</a></div></body></html>`

const trialArticlePage = `<html><head><title>关于印发某市养老服务实施方案的通知_某市</title></head><body><h1>关于印发某市养老服务实施方案的通知</h1><div class="info">发布时间：2026-11-20 来源：某市民政局</div>
<div id="zoom"><p>各县人民政府：现将养老服务实施方案印发给你们，请认真贯彻执行，并将执行情况于年底前报市政府。</p><p><a href="/files/1.pdf">附件：实施方案.pdf</a></p></div></body></html>`

// TestSourceTestReports tries an address that redirects by a refresh: the report shows the
// redirect, rows, dates, next page and articles, within 80 columns.
func TestSourceTestReports(t *testing.T) {
	t.Parallel()
	s := served(t, map[string]string{
		"/":            `<meta http-equiv="refresh" content="0;url=/list.html">`,
		"/list.html":   trialList,
		"/list_2.html": strings.ReplaceAll(strings.ReplaceAll(trialList, "/a/", "/b/"), "list_2", "list_3"),
		"/a/1.html":    trialArticlePage,
		"/robots.txt":  "User-agent: *\nCrawl-delay: 0\n",
		"/app":         `<html><body><div id="app"></div><script src="/a.js"></script></body></html>`,
	}, nil)
	d := inFolder(t)
	d.must("migrate")
	out := d.must("source", "test", "--private", s.URL+"/")
	for _, want := range []string{"followed   a meta refresh → " + s.URL + "/list.html", "robots     allowed", "3 found, 3 with a date", "left out   1 × the row has the same address as another row",
		"next page  3 rows, 3 of them new", "+ 2026-11-20", "[", "某市民政局", "file       附件：实施方案.pdf", "problem    " + s.URL + "/a/2.html answered 404"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for line := range strings.Lines(out) {
		if text.StringWidthWithoutEscSequences(strings.TrimRight(line, "\n")) > 80 {
			t.Errorf("wider than 80 columns: %s", line)
		}
	}
	lines := strings.Split(strings.TrimSpace(d.must("--json", "source", "test", "--private", s.URL+"/")), "\n")
	var row inspect.ListedView
	var rest trial.Report
	if len(lines) != 4 || json.Unmarshal([]byte(lines[0]), &row) != nil || json.Unmarshal([]byte(lines[3]), &rest) != nil {
		t.Fatalf("in JSON: %s", lines)
	}
	if row.DateFrom == nil || row.New == nil || !*row.New || rest.Rows != 3 || len(rest.Hops) != 1 || len(rest.Articles) != 3 || rest.NextPage == nil || rest.NextPage.New != 3 || len(rest.Dropped) != 1 ||
		rest.Articles[0].Source == nil || len(rest.Articles[0].Attachments) != 1 || rest.Articles[1].Problem == nil || rest.Robots.Allowed == nil {
		t.Errorf("in JSON: %s", lines)
	}
	status, out, _ := d.run("--json", "source", "test", "--private", s.URL+"/app")
	if status != 1 || !strings.Contains(out, `"answer":"shell"`) || !strings.Contains(out, `--render"`) {
		t.Errorf("a shell: status %d, %s", status, out)
	}
	if articles := d.must("--json", "article", "list"); articles != "" {
		t.Errorf("stored %s", articles)
	}
	// A source with selectors that match one row of three.
	d.must("source", "add", s.URL+"/list.html", "--private", "--kind", "page", "--name", "某市", "--item", "li:first-child", "--yes")
	const said = "structure  3 found, 3 with a date, without the selectors of the source"
	if out := d.must("source", "test", "某市"); !strings.Contains(out, "1 found") || !strings.Contains(out, said) || !strings.Contains(out, "--date-pattern ''") {
		t.Errorf("no %q in\n%s", said, out)
	}
}

// TestListsObeyRobots tests and adds a list page that robots.txt forbids: what it is
// becomes known only after the first request, and it is not read anyway.
func TestListsObeyRobots(t *testing.T) {
	t.Parallel()
	s := served(t, map[string]string{"/denied": trialList, "/robots.txt": "User-agent: *\nDisallow: /denied\n"}, nil)
	d := inFolder(t)
	d.must("migrate")
	for _, args := range [][]string{{"source", "test"}, {"source", "add", "--yes"}} {
		status, out, talk := d.run(append(args, "--private", s.URL+"/denied")...)
		if status != 1 || !strings.Contains(out+talk, "robots.txt forbids it") || strings.Contains(out, "关于印发某市养老服务实施方案的通知") {
			t.Errorf("%s: status %d, %s%s", args, status, out, talk)
		}
	}
	if out := d.must("--json", "source", "list"); out != "" {
		t.Errorf("added %s", out)
	}
}

// TestRenderedSource adds, tries and collects a page that scripts render, in the browser
// that config.toml names.
func TestRenderedSource(t *testing.T) {
	t.Parallel()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed; install the package chromium to draw pages in a browser")
	}
	s := served(t, map[string]string{
		"/": `<!DOCTYPE html><html><head><meta charset="utf-8"><title>政策库</title></head><body><div id="app"></div><script src="/app.js"></script></body></html>`,
		"/app.js": `fetch("/x" + 1 + ".json").then(r => r.json()).then(all => { document.getElementById("app").innerHTML = "<ul>" + all.map(x =>
			"<li><a href='/a/" + x[0] + ".html'>" + x[1] + "</a><span>2026-11-2" + x[0] + "</span></li>").join("") + "</ul>" })`,
		"/x1.json":  `[[1,"关于印发某市养老服务实施方案的通知"],[2,"关于促进数字经济高质量发展的若干意见"],[3,"关于公布市级企业技术中心名单的公告"]]`,
		"/a/1.html": trialArticlePage,
	}, nil)
	d := inFolder(t)
	if status, _, talk := d.run("source", "add", "--yes", "--private", "--render", s.URL+"/"); status != 1 || !strings.Contains(talk, "set browser in [fetch]") {
		t.Errorf("without a browser: status %d, %s", status, talk)
	}
	config := d.write("config.toml", fmt.Sprintf("[fetch]\nbrowser = %q\n", chromium))
	if status, _, talk := d.run("--config", config, "source", "add", "--yes", "--private", s.URL+"/"); status != 1 || !strings.Contains(talk, "an empty shell") {
		t.Errorf("without --render: status %d, %s", status, talk)
	}
	d.must("--config", config, "source", "add", "--yes", "--private", "--render", s.URL+"/")
	d.must("--config", config, "collect")
	if out := d.must("--json", "article", "list"); strings.Count(out, "\n") != 3 || !strings.Contains(out, "关于促进数字经济高质量发展的若干意见") {
		t.Errorf("collected %s", out)
	}
	d.must("--config", config, "source", "edit", "1", "--render=false")
	if status, _, talk := d.run("--config", config, "source", "test", "1"); status != 1 {
		t.Errorf("without --render: status %d, %s", status, talk)
	}
}
