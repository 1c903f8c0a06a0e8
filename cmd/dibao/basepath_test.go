package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// letter is an email that a source collects.
const letter = "From: editor@example.org\nTo: dibao@example.org\nMessage-ID: <1@example.org>\n" +
	"Subject: =?utf-8?b?5Zub5bed55yB5Lq65rCR5pS/5bqc5YWz5LqO5Yqg5b+r5Y+R5bGV5YW76ICB5pyN5Yqh55qE6YCa55+l?=\n" +
	"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n川府发〔2026〕3号\n\n各市（州）人民政府：\n\n现就加快发展养老服务有关事项通知如下。\n"

// TestSiteUnderAPath serves a site whose base_url has a path, behind a proxy that removes
// the path and behind one that does not: every address in pages, forms, feeds and headers
// is under the path and leads somewhere.
func TestSiteUnderAPath(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	backend := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: address}); r.SetXForwarded() }}
	whole := httptest.NewServer(backend)
	defer whole.Close()
	stripped := httptest.NewServer(http.StripPrefix("/dibao", backend))
	defer stripped.Close()

	config := filepath.Join(dir, "config.toml")
	text := fmt.Sprintf("[server]\naddr = %q\nadmin_addr = %q\nbase_url = \"%s/dibao\"\napi = true\n[database]\nurl = \"sqlite:%s\"\n[mail]\nhost = \"127.0.0.1:1\"\nfrom = \"dibao@test.example\"\n", address, freeAddress(t), whole.URL, filepath.Join(dir, "a.db"))
	for path, body := range map[string]string{config: text, filepath.Join(dir, "box/new/1"): letter, filepath.Join(dir, "box/cur/.keep"): ""} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"migrate"}, {"source", "add", "maildir://" + filepath.Join(dir, "box"), "--name", "样例来信"}, {"list", "create", "weekly", "--title", "民政周报"},
		{"subscriber", "add", "a@test.example", "--list", "weekly", "--consent", "test"}, {"collect"}, {"issue", "compose", "weekly"},
	} {
		if _, err := dibao(t, append(args, "--config", config)...); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
	}
	daemon, log := startServe(t, config)
	defer func() {
		daemon.Process.Signal(syscall.SIGTERM)
		daemon.Wait()
		if t.Failed() {
			t.Log(log)
		}
	}()
	for wait := 0; ; wait++ {
		if res, err := http.Get(whole.URL + "/dibao/healthz"); err == nil && res.StatusCode == http.StatusOK {
			res.Body.Close()
			break
		}
		if wait > 300 {
			t.Fatal("the daemon does not answer")
		}
		time.Sleep(100 * time.Millisecond)
	}
	for name, proxy := range map[string]*httptest.Server{"unstripped": whole, "stripped": stripped} {
		t.Run(name, func(t *testing.T) { crawlPath(t, proxy.URL, whole.URL) })
	}
}

// named returns the addresses in a response.
var named = regexp.MustCompile(`(?:href|src|action)="([^"#]*)|<link>([^<]*)|"(?:url|home_page_url|feed_url)": ?"([^"]*)`)

// crawlPath follows all links from the home page through a proxy; base is the site's own
// address.
func crawlPath(t *testing.T, proxy, base string) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	queue, seen := []string{"/dibao", "/dibao/", "/dibao/feed.xml", "/dibao/feed.atom", "/dibao/feed.json", "/dibao/nothing"}, map[string]bool{}
	forms := 0
	for len(queue) > 0 && len(seen) < 150 {
		path := queue[0]
		queue = queue[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		res, err := client.Get(proxy + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode >= 400 != strings.HasSuffix(path, "/nothing") {
			t.Errorf("%s: %s", path, res.Status)
		}
		names := []string{res.Header.Get("Location"), res.Header.Get("Content-Location")}
		for _, m := range named.FindAllStringSubmatch(string(body), -1) {
			names = append(names, m[1]+m[2]+m[3])
			if strings.HasPrefix(m[0], "action") {
				forms++
			}
		}
		for _, link := range res.Header["Link"] {
			link, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
			names = append(names, link)
		}
		here := &url.URL{Path: path}
		for _, name := range names {
			name = strings.ReplaceAll(name, "&amp;", "&")
			to, err := here.Parse(strings.TrimPrefix(name, base))
			if name == "" || strings.Contains(name, "{") || err != nil || to.Host != "" || to.Scheme != "" {
				continue // another site's
			}
			if !strings.HasPrefix(to.Path, "/dibao/") && to.Path != "/dibao" {
				t.Errorf("%s names %q, which is not under the path", path, name)
				continue
			}
			to.Fragment = ""
			queue = append(queue, to.String())
		}
	}
	res, err := client.PostForm(proxy+"/dibao/subscribe", url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if s := res.StatusCode; s == http.StatusNotFound || s == http.StatusMethodNotAllowed || s == http.StatusForbidden {
		t.Errorf("a form is answered with %s", res.Status)
	}
	if len(seen) < 40 || forms == 0 {
		t.Errorf("only %d addresses and %d forms", len(seen), forms)
	}
}
