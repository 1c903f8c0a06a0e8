package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"dibao/feed/ingest/sanitize"
	"dibao/internal/trust"
)

// attacks are important forms of markup that runs a script in a browser; the shared data
// contains a thousand more.
var attacks = []string{
	`<img src=x onerror=alert(1)>`, `<svg onload=alert(1)>`, `<script>alert(1)</script>`, `<body onpageshow=alert(1)>`,
	`<details open ontoggle=alert(1)>x</details>`, `<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>`,
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<a href="java&#x09;script:alert(1)">x</a>`,
	`<link rel=stylesheet href=/style.css>`, `<input autofocus onfocus=alert(1)>`, `<video><source onerror=alert(1)></video>`,
}

// TestSanitizedInABrowser loads sanitized attacks in a real browser: no script runs, no
// dialog opens, and only pictures are requested. The same attacks without sanitizing prove
// that the test would notice it.
func TestSanitizedInABrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed; install the package chromium to run attacks in a browser")
	}
	markup := attacks
	if b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "xss", "vectors.txt")); err == nil {
		in := bufio.NewScanner(bytes.NewReader(b))
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			var s string
			if json.Unmarshal(in.Bytes(), &s) == nil {
				markup = append(markup, s)
			}
		}
	}
	var raw, clean strings.Builder
	for _, m := range attacks {
		raw.WriteString("<section>" + m + "</section>\n")
	}
	for _, m := range markup {
		clean.WriteString("<section>" + sanitize.Clean(m, "http://127.0.0.1/") + "</section>\n")
	}
	if runs, requests := runPage(t, chromium, raw.String()); runs == 0 || requests == 0 {
		t.Errorf("the attacks as they are run %d scripts and ask for %d files: the test sees nothing", runs, requests)
	}
	runs, requests := runPage(t, chromium, clean.String())
	if runs != 0 || requests != 0 {
		t.Errorf("of %d sanitized attacks %d scripts ran and %d files were asked for", len(markup), runs, requests)
	}
	trust.Report(t, "scripts executed in Chromium", "%d of %d vectors", runs, len(markup))
}

// runPage opens a page with this body and returns how many of its scripts ran or dialogs
// opened, and how many files other than pictures it requested.
func runPage(t *testing.T, chromium, body string) (runs, requests int) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html><head><title>t</title><script>window.runs=0;for(const f of ["alert","confirm","prompt","print","open"])window[f]=()=>{window.runs++}</script></head><body>%s</body></html>`, body)
	}))
	defer server.Close()
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, flags...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	var mu sync.Mutex
	err := chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *page.EventJavascriptDialogOpening:
			runs++
		case *network.EventRequestWillBeSent:
			if e.Type != network.ResourceTypeImage && e.Request.URL != server.URL+"/" && !strings.HasSuffix(e.Request.URL, "/favicon.ico") {
				requests++
				t.Logf("%s %s", e.Type, e.Request.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // scripts may run late
	counted, err := chromedp.Run(ctx, chromedp.Evaluate[int](`window.runs`))
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	return runs + counted, requests
}
