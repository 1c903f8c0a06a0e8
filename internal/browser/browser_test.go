package browser

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/internal/fetch"
)

func chromium(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed; install the package chromium to draw pages in a browser")
	}
	return path
}

// app is a page that scripts fill with data that they request with GET and POST. It tries
// all ways in which a page can reach other hosts.
const app = `<!DOCTYPE html><html><head><title>政策库</title></head><body><div id="app"></div>
<img src="http://OTHER/pixel.png"><link rel="stylesheet" href="/style.css">
<script>
alert("hello"); // must not stop it
document.cookie = "a=1";
new Image().src = "http://OTHER/image";
try { new WebSocket("ws://OTHER/socket") } catch (e) {}
fetch("http://OTHER/fetch").catch(() => {});
navigator.sendBeacon && navigator.sendBeacon("http://OTHER/beacon", "x");
try { new Worker(URL.createObjectURL(new Blob(["fetch('http://OTHER/worker')"]))) } catch (e) {}
window.open("http://OTHER/popup");
</script>
<script src="/app.js"></script></body></html>`

const script = `(async () => {
const list = await (await fetch("/api/list?page=1")).json();
const more = await (await fetch("/api/more", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({page: 2})})).json();
document.getElementById("app").innerHTML = "<ul>" + list.concat(more).map(x => '<li><a href="/a/' + x.id + '.html">' + x.title + "</a><span>2026-11-20</span></li>").join("") + "</ul>";
})()`

// TestRender renders an app through the guard: its list is there, and no other host was
// reached.
func TestRender(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	var mu sync.Mutex
	reached := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer other.Close()
	other.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			mu.Lock()
			reached++
			mu.Unlock()
		}
	}
	asked := map[string]string{}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		asked[r.URL.Path] += r.Method + " " + r.UserAgent() + " " + r.Header.Get("Cookie") + " " + string(body)
		mu.Unlock()
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Set-Cookie", "s=1")
			io.WriteString(w, strings.ReplaceAll(app, "OTHER", strings.TrimPrefix(other.URL, "http://")))
		case "/app.js":
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, script)
		case "/api/list":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `[{"id":1,"title":"关于印发养老服务实施方案的通知"}]`)
		case "/api/more":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `[{"id":2,"title":"关于促进数字经济发展的意见"}]`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer site.Close()
	client := fetch.New(fetch.Options{UserAgent: "dibao test", Timeout: 10 * time.Second, PerHost: 2})
	req := fetch.Request{URL: site.URL + "/", Page: true, Private: fetch.Origin(site.URL)}
	res, err := client.Get(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	b := &Browser{Path: path, Client: client, Deadline: time.Minute}
	drawn, err := b.Render(t.Context(), req, res)
	if err != nil {
		t.Fatal(err)
	}
	html := string(drawn.Body)
	if !strings.Contains(html, `<a href="/a/1.html">关于印发养老服务实施方案的通知</a>`) || !strings.Contains(html, `<a href="/a/2.html">关于促进数字经济发展的意见</a>`) || drawn.URL != site.URL+"/" {
		t.Errorf("drew %s: %s", drawn.URL, html)
	}
	mu.Lock()
	defer mu.Unlock()
	if reached != 0 {
		t.Errorf("%d connections reached another host", reached)
	}
	if got := asked["/"]; got != "GET dibao test  " {
		t.Errorf("the page was asked for as %q", got)
	}
	if got := asked["/api/more"]; got != `POST dibao test  {"page":2}` {
		t.Errorf("data were asked for as %q", got)
	}
	if asked["/style.css"] != "" || asked["/robots.txt"] == "" {
		t.Errorf("asked %v", asked)
	}
}

// TestRenderEnds renders a page that never stops requesting, and one that never stops
// computing.
func TestRenderEnds(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	var mu sync.Mutex
	polls := 0
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/poll":
			io.WriteString(w, `<p>there</p><script>(async()=>{for(;;){try{await fetch("/x?"+Math.random())}catch(e){}}})()</script>`)
		case "/busy":
			io.WriteString(w, `<p>there</p><script>for(;;){}</script>`)
		default:
			mu.Lock()
			polls++
			mu.Unlock()
		}
	}))
	defer site.Close()
	client := fetch.New(fetch.Options{AllowPrivate: true, Timeout: 10 * time.Second})
	for _, name := range []string{"/poll", "/busy"} {
		req := fetch.Request{URL: site.URL + name, Page: true}
		res, err := client.Get(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		b := &Browser{Path: path, Client: client, Deadline: 12 * time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		drawn, err := b.Render(ctx, req, res)
		if name == "/poll" && (err != nil || !strings.Contains(string(drawn.Body), "there")) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "/busy" && err == nil {
			t.Errorf("%s: a page that never stops was drawn: %s", name, drawn.Body)
		}
		if ctx.Err() != nil {
			t.Errorf("%s: it did not end at its deadline", name)
		}
		cancel()
	}
	mu.Lock()
	defer mu.Unlock()
	if polls > maxRequests+1 { // one more is for robots.txt
		t.Errorf("%d requests", polls)
	}
}
