package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"dibao/internal/web"
)

// ask serves one request from a cache.
func ask(t *testing.T, c *web.Cache, version, body string, header map[string]string) *http.Response {
	t.Helper()
	r := httptest.NewRequest("GET", "/feed.xml", nil)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	err := c.Serve(w, r, "/feed.xml", version, func() (web.Document, error) {
		return web.Document{Body: []byte(body), MediaType: "text/xml", Modified: time.Unix(1.7e9, 0)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w.Result()
}

func TestCacheServesWhatTheClientLikesBest(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("关于印发的通知 ", 400)
	readers := map[string]func(io.Reader) (io.Reader, error){
		"":     func(r io.Reader) (io.Reader, error) { return r, nil },
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"br":   func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	}
	c := &web.Cache{}
	tags := make(map[string]string)
	for _, x := range []struct{ accept, want string }{
		{"", ""}, {"identity", ""}, {"gzip", "gzip"}, {"x-gzip", "gzip"}, {"GZIP", "gzip"}, {"gzip, deflate, br, zstd", "br"},
		{"gzip, zstd", "zstd"}, {"br;q=0.5, gzip;q=0.8", "gzip"}, {"br;q=0, *", "zstd"}, {"*;q=0", ""}, {"gzip;q=0", ""},
		{"identity, gzip;q=0.5", ""}, {"identity;q=0, gzip;q=0.001", "gzip"}, {"gzip;q=2", ""}, {"gzip;q=x", ""}, {"deflate", ""}, {",,;q=1", ""},
	} {
		res := ask(t, c, "1", body, map[string]string{"Accept-Encoding": x.accept})
		coding := res.Header.Get("Content-Encoding")
		if coding != x.want {
			t.Errorf("Accept-Encoding: %q is answered with %q, want %q", x.accept, coding, x.want)
			continue
		}
		sent, _ := io.ReadAll(res.Body)
		if res.Header.Get("Content-Length") != strconv.Itoa(len(sent)) || !strings.Contains(res.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%q: %d bytes, header %v", x.accept, len(sent), res.Header)
		}
		plain, err := readers[coding](bytes.NewReader(sent))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(plain); err != nil || string(got) != body {
			t.Errorf("%q: another body comes out of %q: %v", x.accept, coding, err)
		}
		tags[coding] = res.Header.Get("ETag")
		// An ETag of any coding shows that the client has the bytes.
		for _, tag := range tags {
			known := ask(t, c, "1", body, map[string]string{"Accept-Encoding": x.accept, "If-None-Match": `"other", W/` + tag})
			if known.StatusCode != http.StatusNotModified || known.Header.Get("ETag") == "" || known.Header.Get("Content-Length") != "" {
				t.Errorf("%q with %s: %d, %v", x.accept, tag, known.StatusCode, known.Header)
			}
		}
	}
	if len(tags) != 4 || tags["gzip"] == tags["br"] || tags[""] == tags["gzip"] {
		t.Errorf("the codings share ETags: %v", tags)
	}
}

func TestCacheValidators(t *testing.T) {
	t.Parallel()
	c := &web.Cache{}
	first := ask(t, c, "1", "one", nil)
	day := first.Header.Get("Last-Modified")
	for _, x := range []struct {
		name   string
		header map[string]string
		want   int
	}{
		{"by time", map[string]string{"If-Modified-Since": day}, 304},
		{"by an older time", map[string]string{"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 200},
		{"by no time", map[string]string{"If-Modified-Since": "yesterday"}, 200},
		{"the ETag goes before the time", map[string]string{"If-Modified-Since": day, "If-None-Match": `"x"`}, 200},
		{"any", map[string]string{"If-None-Match": "*"}, 304},
		{"half an ETag", map[string]string{"If-None-Match": `"`}, 200},
	} {
		if res := ask(t, c, "1", "one", x.header); res.StatusCode != x.want {
			t.Errorf("%s: %d, want %d", x.name, res.StatusCode, x.want)
		}
	}
	// The same bytes in a new version are the same document.
	if res := ask(t, c, "2", "one", map[string]string{"If-None-Match": first.Header.Get("ETag")}); res.StatusCode != 304 {
		t.Errorf("the same bytes: %d", res.StatusCode)
	}
	// Other bytes get a later Last-Modified, even if the time of their content is the same.
	if res := ask(t, c, "3", "two", map[string]string{"If-Modified-Since": day}); res.StatusCode != 200 || res.Header.Get("Last-Modified") == day {
		t.Errorf("other bytes: %d, %v", res.StatusCode, res.Header)
	}
}

func TestCacheBuildsOnceForMany(t *testing.T) {
	t.Parallel()
	c := &web.Cache{}
	var built atomic.Int32
	begun, release := make(chan struct{}), make(chan struct{})
	build := func() (web.Document, error) {
		if built.Add(1) == 1 {
			close(begun)
		}
		<-release
		return web.Document{Body: []byte("x"), MediaType: "text/plain"}, nil
	}
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = c.Get(context.Background(), "k", "1", build) })
	<-begun
	// A client that disconnects stops waiting.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Get(gone, "k", "1", build); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that left got %v", err)
	}
	for range 20 {
		wg.Go(func() {
			if e, err := c.Get(context.Background(), "k", "1", build); err != nil || string(e.Document().Body) != "x" {
				t.Errorf("got %v", err)
			}
		})
	}
	close(release)
	wg.Wait()
	if built.Load() != 1 {
		t.Errorf("built %d times", built.Load())
	}
}

// After a build whose client disconnected, or that panicked, no request waits forever.
func TestCacheBrokenBuilds(t *testing.T) {
	t.Parallel()
	c := &web.Cache{}
	for _, broken := range []func() (web.Document, error){
		func() (web.Document, error) { return web.Document{}, context.Canceled },
		func() (web.Document, error) { panic("broken") },
	} {
		func() {
			defer func() { _ = recover() }()
			_, _ = c.Get(t.Context(), "k", "1", broken)
		}()
		e, err := c.Get(t.Context(), "k", "1", func() (web.Document, error) { return web.Document{Body: []byte("y")}, nil })
		if err != nil || string(e.Document().Body) != "y" {
			t.Fatalf("after a broken build: %v", err)
		}
		c = &web.Cache{}
	}
}

func TestCacheForgetsWhatIsAskedLeast(t *testing.T) {
	t.Parallel()
	c := &web.Cache{MaxBytes: 200_000}
	built := 0
	get := func(key string) {
		t.Helper()
		if _, err := c.Get(t.Context(), key, "1", func() (web.Document, error) {
			built++
			return web.Document{Body: make([]byte, 10_000)}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		get("wanted")
		get("key" + strconv.Itoa(i))
	}
	if n, bytes := c.Size(); bytes > 200_000 || n < 10 {
		t.Errorf("it keeps %d documents with %d bytes", n, bytes)
	}
	if get("wanted"); built != 101 {
		t.Errorf("built %d times, want 101", built)
	}
}

func TestPrefer(t *testing.T) {
	t.Parallel()
	types := []string{"application/rss+xml", "application/atom+xml", "application/feed+json"}
	for _, c := range []struct {
		accept string
		want   int
	}{
		{"", 0}, {"*/*", 0}, {"application/atom+xml", 1}, {"application/*;q=0.5, application/feed+json", 2},
		{"application/rss+xml;q=0.1, application/atom+xml;q=0.2", 1}, {"*/*, application/rss+xml;q=0", 1}, {"text/html", -1}, {"image/*;q=0.3", -1},
	} {
		if got := web.Prefer(c.accept, types...); got != c.want {
			t.Errorf("Accept: %q prefers %d, want %d", c.accept, got, c.want)
		}
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, s := range []string{"gzip, br;q=0.5", "*;q=0", "identity;q=1;q=0", ";;,,==", "br;q=NaN"} {
		f.Add(s)
	}
	c := &web.Cache{}
	body := strings.Repeat("x", 2000)
	f.Fuzz(func(t *testing.T, accept string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Accept-Encoding"] = []string{accept}
		w := httptest.NewRecorder()
		if err := c.Serve(w, r, "k", "1", func() (web.Document, error) { return web.Document{Body: []byte(body)}, nil }); err != nil {
			t.Fatal(err)
		}
		// No response uses a coding that the client did not name.
		if coding := w.Header().Get("Content-Encoding"); coding != "" && !strings.Contains(strings.ToLower(accept), coding) && !strings.Contains(accept, "*") {
			t.Fatalf("%q is answered with %s", accept, coding)
		}
	})
}
