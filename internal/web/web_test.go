package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"dibao/internal/redact"
	"dibao/internal/web"
)

// serve runs a real server with a handler and returns its address and its log.
func serve(t *testing.T, opts web.Options) (base string, log *bytes.Buffer, stop func() error) {
	t.Helper()
	log = &bytes.Buffer{}
	opts.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l, err := web.Listen(t.Context(), "127.0.0.1:0", "addr")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, l, opts) }()
	var result error
	stopped := false
	stop = func() error {
		if !stopped {
			cancel()
			result, stopped = <-ended, true
		}
		return result
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return "http://" + l.Addr().String(), log, stop
}

// fetch sends a request without following redirects or decoding.
func fetch(t *testing.T, method, address string, header map[string]string, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func TestCache(t *testing.T) {
	t.Parallel()
	cache := &web.Cache{}
	built := 0
	body := strings.Repeat("邸报 ", 500)
	base, _, _ := serve(t, web.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := cache.Serve(w, r, "feed", r.URL.Query().Get("v"), func() (web.Document, error) {
			built++
			if r.URL.Query().Get("v") == "broken" {
				return web.Document{}, errors.New("broken")
			}
			return web.Document{Body: []byte(body), MediaType: "application/rss+xml; charset=utf-8", Modified: time.Unix(1.7e9, 0)}, nil
		})
		if err != nil {
			web.ServerError(w, r)
		}
	})})
	res, plain := fetch(t, "GET", base+"/?v=1", nil, "")
	etag := res.Header.Get("ETag")
	if res.StatusCode != 200 || plain != body || etag == "" || strings.HasPrefix(etag, "W/") || res.Header.Get("Last-Modified") == "" {
		t.Fatalf("got %d, ETag %q, %d bytes", res.StatusCode, etag, len(plain))
	}
	if res, b := fetch(t, "GET", base+"/?v=1", map[string]string{"If-None-Match": etag}, ""); res.StatusCode != 304 || b != "" {
		t.Errorf("with its ETag: %d", res.StatusCode)
	}
	res, zipped := fetch(t, "GET", base+"/?v=1", map[string]string{"Accept-Encoding": "gzip", "Range": "bytes=0-9"}, "")
	z, err := gzip.NewReader(strings.NewReader(zipped))
	if err != nil || res.Header.Get("Content-Encoding") != "gzip" || res.Header.Get("ETag") == etag {
		t.Fatalf("compressed: %v, %v", res.Header, err)
	}
	if unzipped, err := io.ReadAll(z); err != nil || string(unzipped) != body {
		t.Errorf("the compressed body is another one: %v", err)
	}
	if res, _ := fetch(t, "GET", base+"/?v=1", map[string]string{"Accept-Encoding": "gzip;q=0"}, ""); res.Header.Get("Content-Encoding") != "" {
		t.Error("gzip was sent to a client that refuses it")
	}
	if res, b := fetch(t, "HEAD", base+"/?v=1", nil, ""); res.StatusCode != 200 || b != "" || res.ContentLength != int64(len(body)) {
		t.Errorf("HEAD: %d, length %d", res.StatusCode, res.ContentLength)
	}
	if built != 1 {
		t.Errorf("built %d times for one version", built)
	}
	fetch(t, "GET", base+"/?v=2", nil, "")
	if built != 2 {
		t.Errorf("a new version was not built")
	}
	if res, _ := fetch(t, "GET", base+"/?v=broken", nil, ""); res.StatusCode != 500 {
		t.Errorf("an error is %d", res.StatusCode)
	}
}

func TestEveryAnswerIsSafe(t *testing.T) {
	t.Parallel()
	posts := 0
	mux := http.NewServeMux()
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	for _, path := range redact.TokenPaths {
		mux.HandleFunc("GET "+path+"{token}", func(http.ResponseWriter, *http.Request) { panic("boom") })
		mux.HandleFunc("GET "+path+"{token}/served", web.NotFound)
	}
	mux.HandleFunc("POST /", func(http.ResponseWriter, *http.Request) { posts++ })
	mux.HandleFunc("/", web.NotFound)
	base, log, stop := serve(t, web.Options{Handler: mux})
	cross := map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
	if res, _ := fetch(t, "POST", base+"/subscribe", cross, "a=b"); res.StatusCode != 403 || posts != 0 {
		t.Errorf("a form from another site: %d", res.StatusCode)
	}
	if res, _ := fetch(t, "POST", base+"/u/geheim", cross, "List-Unsubscribe=One-Click"); res.StatusCode != 200 || posts != 1 {
		t.Errorf("one click from a mail provider: %d", res.StatusCode)
	}
	if res, _ := fetch(t, "POST", base+"/subscribe", nil, "a=b"); res.StatusCode != 200 {
		t.Errorf("a program without Origin: %d", res.StatusCode)
	}
	for _, path := range redact.TokenPaths { // /change/ and /websub/ were once in the log
		fetch(t, "GET", base+path+"geheim", nil, "")
		fetch(t, "GET", base+path+"geheim/served", nil, "")
	}
	res, _ := fetch(t, "GET", base+"/panic", nil, "")
	if res.StatusCode != 500 {
		t.Errorf("a panic is %d", res.StatusCode)
	}
	for _, h := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
		if res.Header.Get(h) == "" {
			t.Errorf("no %s", h)
		}
	}
	// A picture of a source would show its server who reads what.
	if p := res.Header.Get("Content-Security-Policy"); strings.Contains(p, "unsafe-inline") || !strings.Contains(p, "img-src 'self' data:;") {
		t.Errorf("inline parts or images of other sites are allowed: %s", p)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if s := log.String(); strings.Contains(s, "geheim") || strings.Contains(s, "127.0.0.1") || !strings.Contains(s, "panicked") {
		t.Errorf("the log holds a token or an address, or misses the panic:\n%s", s)
	}
	for _, path := range redact.TokenPaths {
		if s := log.String(); strings.Count(s, path+redact.Mark) < 3 { // the panic and two responses
			t.Errorf("the log does not hold the panic and the answers of %s", path)
		}
	}
}

func TestListenSaysWhichKey(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = web.Listen(t.Context(), l.Addr().String(), "addr in [server]")
	if err == nil || !strings.Contains(err.Error(), "addr in [server]") {
		t.Fatalf("got %v", err)
	}
}

func TestStopFinishesARequest(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	base, _, stop := serve(t, web.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		fmt.Fprint(w, "done")
	})})
	got := make(chan string, 1)
	go func() {
		_, b := fetch(t, "GET", base+"/", nil, "")
		got <- b
	}()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	close(release)
	if b := <-got; b != "done" {
		t.Errorf("the running request got %q", b)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	now := time.Unix(1.7e9, 0)
	l := &web.Limiter{Burst: 3, Every: time.Minute, Global: 2, Now: func() time.Time { return now }}
	a, b, c := netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/64"), netip.MustParsePrefix("198.51.100.0/24")
	count := func(p netip.Prefix, n int) (allowed int) {
		for range n {
			if l.Allow(p) {
				allowed++
			}
		}
		return allowed
	}
	if got := count(a, 10); got != 3 {
		t.Errorf("one network got %d, want 3", got)
	}
	if got := count(b, 10); got != 3 {
		t.Errorf("another network got %d, want 3", got)
	}
	if got := count(c, 10); got != 0 {
		t.Errorf("a third got %d over the common limit", got)
	}
	now = now.Add(time.Minute)
	if got := count(a, 10); got != 1 {
		t.Errorf("after a minute %d, want 1", got)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, accept, want string }{
		{"", "", "zh"}, {"", "en-US,en;q=0.9", "en"}, {"", "de, zh-CN;q=0.9", "zh"}, {"lang=en", "zh", "en"}, {"lang=xx", "fr", "zh"},
	} {
		r := &http.Request{URL: &url.URL{RawQuery: c.query}, Header: http.Header{"Accept-Language": {c.accept}}}
		if got := web.Language(r); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

// Addresses without a page: those with another method, and those that differ only in the
// trailing slash, get a matching response.
func TestNoRoute(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	for _, pattern := range []string{"GET /lists/{slug}/{$}", "GET /articles/{id}", "POST /hub"} {
		mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { web.NoRoute(w, r, mux, web.NotFound) })
	for _, x := range []struct {
		method, target string
		status         int
		location       string
	}{
		{"GET", "/lists/weekly?page=2", 307, "/lists/weekly/?page=2"},
		{"HEAD", "/articles/5/", 301, "../5"},
		{"GET", "/articles/a%2Fb/?lang=zh", 301, "../a%2Fb?lang=zh"},
		{"GET", "/articles/javascript:x/", 301, "../javascript:x"},
		{"POST", "/articles/5/", 404, ""},
		{"POST", "/lists/weekly/", 405, ""},
		{"GET", "/hub", 405, ""},
		{"GET", "/hub/", 404, ""},
		{"GET", "/nothing/", 404, ""},
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(x.method, x.target, nil))
		if got := w.Header().Get("Location"); w.Code != x.status || got != x.location {
			t.Errorf("%s %s: status %d, Location %q; want %d, %q", x.method, x.target, w.Code, got, x.status, x.location)
		}
	}
}
