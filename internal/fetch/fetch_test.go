package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// serve starts a site on loopback.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// client returns a client that may reach loopback.
func client(opts Options) *Client {
	opts.AllowPrivate = true
	return New(opts)
}

func TestGet(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("User-Agent"); got != "dibao/test" {
			t.Errorf("User-Agent: got %q, want dibao/test", got)
		}
		w.Header().Set("ETag", `"a"`)
		w.Header().Set("Last-Modified", "Tue, 21 Jun 2011 00:00:00 GMT")
		io.WriteString(w, "公报")
	})
	res, err := client(Options{UserAgent: "dibao/test"}).Get(t.Context(), Request{URL: s.URL + "/x"})
	if err != nil {
		t.Fatal(err)
	}
	if string(res.Body) != "公报" || res.Hash != sha256.Sum256(res.Body) || res.Status != 200 || res.URL != s.URL+"/x" ||
		res.ETag != `"a"` || res.LastModified != "Tue, 21 Jun 2011 00:00:00 GMT" || res.Permanent || res.NotModified {
		t.Errorf("got %+v", res)
	}
}

func TestConditionalRequest(t *testing.T) {
	t.Parallel()
	const modified = "Tue, 21 Jun 2011 00:00:00 GMT"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"a"` && r.Header.Get("If-Modified-Since") == modified {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		t.Errorf("request without its validators: %v", r.Header)
	})
	res, err := client(Options{}).Get(t.Context(), Request{URL: s.URL, ETag: `"a"`, LastModified: modified})
	if err != nil {
		t.Fatal(err)
	}
	if !res.NotModified || len(res.Body) != 0 || res.Status != 304 {
		t.Errorf("got %+v, want not modified and no body", res)
	}
}

func TestStatusError(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	tests := []struct {
		status     int
		retryAfter string
		want       time.Duration
	}{
		{403, "", 0},
		{404, "x", 0},
		{410, "-5", 0},
		{412, "", 0},
		{429, "120", 2 * time.Minute},
		{503, "Mon, 01 Jun 2026 09:00:00 GMT", time.Hour},
		{503, "Mon, 01 Jun 2020 09:00:00 GMT", 0},
		{503, "4000000000", maxRetryAfter},
		{503, "99999999999999999999", 0},
		{521, "", 0},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d/%s", tt.status, tt.retryAfter), func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tt.retryAfter)
				w.WriteHeader(tt.status)
			})
			_, err := client(Options{Now: func() time.Time { return now }}).Get(t.Context(), Request{URL: s.URL})
			var status *StatusError
			if !errors.As(err, &status) || status.Status != tt.status || status.RetryAfter != tt.want {
				t.Errorf("got %#v, want status %d, retry after %v", err, tt.status, tt.want)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/end":
			io.WriteString(w, "end")
		case "/moved":
			http.Redirect(w, r, "/moved2", http.StatusMovedPermanently)
		case "/moved2":
			http.Redirect(w, r, "/end", http.StatusPermanentRedirect)
		case "/mixed":
			http.Redirect(w, r, "/found", http.StatusMovedPermanently)
		case "/found":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusTemporaryRedirect)
		case "/metadata":
			http.Redirect(w, r, "http://169.254.169.254/latest/", http.StatusFound)
		case "/smtp":
			http.Redirect(w, r, "http://127.0.0.1:25/", http.StatusFound)
		case "/nowhere":
			w.WriteHeader(http.StatusFound)
		}
	})
	c := client(Options{})
	for path, permanent := range map[string]bool{"/moved": true, "/mixed": false, "/found": false, "/end": false} {
		res, err := c.Get(t.Context(), Request{URL: s.URL + path})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if string(res.Body) != "end" || res.URL != s.URL+"/end" || res.Permanent != permanent {
			t.Errorf("%s: got %q at %s, permanent %v; want permanent %v", path, res.Body, res.URL, res.Permanent, permanent)
		}
	}
	for _, path := range []string{"/file", "/metadata", "/smtp"} {
		_, err := c.Get(t.Context(), Request{URL: s.URL + path})
		var blocked *BlockedError
		if !errors.As(err, &blocked) {
			t.Errorf("%s: got %v, want a BlockedError", path, err)
		}
	}
	for path, want := range map[string]string{"/loop": "more than 5 redirects", "/nowhere": "without the address"} {
		if _, err := c.Get(t.Context(), Request{URL: s.URL + path}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

func TestLoopbackIsRefusedWithoutARequest(t *testing.T) {
	t.Parallel()
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the request was sent") })
	_, err := New(Options{}).Get(t.Context(), Request{URL: s.URL})
	var blocked *BlockedError
	if !errors.As(err, &blocked) {
		t.Errorf("got %v, want a BlockedError", err)
	}
}

// encode compresses text as a server would.
func encode(t *testing.T, coding string, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	default:
		return text
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestContentEncoding(t *testing.T) {
	t.Parallel()
	text := bytes.Repeat([]byte("国务院办公厅关于印发某某方案的通知\n"), 100)
	huge := make([]byte, 3<<20)
	for _, coding := range []string{"identity", "gzip", "br", "zstd"} {
		t.Run(coding, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body := text
				if r.URL.Path == "/huge" {
					body = huge
				}
				body = encode(t, coding, body)
				if r.URL.Path == "/cut" {
					body = body[:len(body)/2]
				}
				w.Header().Set("Content-Encoding", coding)
				w.Write(body)
			})
			c := client(Options{MaxBytes: 1 << 20})
			res, err := c.Get(t.Context(), Request{URL: s.URL})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(res.Body, text) {
				t.Errorf("got %d bytes, want %d", len(res.Body), len(text))
			}
			if _, err := c.Get(t.Context(), Request{URL: s.URL + "/huge"}); !errors.Is(err, errTooLarge) {
				t.Errorf("3 MiB with a limit of 1: got %v, want %v", err, errTooLarge)
			}
			if _, err := c.Get(t.Context(), Request{URL: s.URL + "/cut"}); err == nil && coding != "identity" {
				t.Error("half a body passed for the whole")
			}
		})
	}
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "compress")
		io.WriteString(w, "x")
	})
	if _, err := client(Options{}).Get(t.Context(), Request{URL: s.URL}); err == nil || !strings.Contains(err.Error(), "compress") {
		t.Errorf("unknown coding: got %v", err)
	}
}

func TestBodyAtTheLimitIsRead(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush() // no Content-Length
		n, _ := strconv.Atoi(r.URL.RawQuery)
		w.Write(make([]byte, n))
	})
	c := client(Options{MaxBytes: 1004})
	if _, err := c.Get(t.Context(), Request{URL: s.URL + "?1004"}); err != nil {
		t.Errorf("1,004 bytes: %v", err)
	}
	if _, err := c.Get(t.Context(), Request{URL: s.URL + "?1005"}); !errors.Is(err, errTooLarge) {
		t.Errorf("1,005 bytes: got %v, want %v", err, errTooLarge)
	}
}

func TestLargeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
	})
	if _, err := client(Options{}).Get(t.Context(), Request{URL: s.URL}); err == nil {
		t.Error("a header of 1 MiB was read")
	}
}

func TestSlowBodyTimesOut(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				w.Write([]byte("x"))
				w.(http.Flusher).Flush()
			}
		}
	})
	_, err := client(Options{Timeout: 200 * time.Millisecond}).Get(t.Context(), Request{URL: s.URL})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestRequestsToOneHostWaitForEachOther(t *testing.T) {
	t.Parallel()
	for _, perHost := range []int{1, 2} {
		var now, most atomic.Int32
		full := make(chan struct{}, 100)
		s := serve(t, func(http.ResponseWriter, *http.Request) {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			if perHost > 1 && n == int32(perHost) {
				full <- struct{}{}
			}
			if perHost > 1 && n < int32(perHost) {
				select { // until as many requests run as may run at once
				case <-full:
				case <-time.After(5 * time.Second):
				}
			}
			now.Add(-1)
		})
		c := client(Options{PerHost: perHost})
		done := make(chan error)
		for range 8 {
			go func() {
				_, err := c.Get(t.Context(), Request{URL: s.URL})
				done <- err
			}()
		}
		for range 8 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if got := most.Load(); got != int32(perHost) {
			t.Errorf("requests at once: got %d, want %d", got, perHost)
		}
		if n := len(c.hosts.by); n != 0 {
			t.Errorf("%d hosts are remembered without need", n)
		}
	}
}

func TestPauseBetweenRequests(t *testing.T) {
	t.Parallel()
	const pause = 100 * time.Millisecond
	var last atomic.Int64
	s := serve(t, func(http.ResponseWriter, *http.Request) {
		now := time.Now().UnixNano()
		if before := last.Swap(now); before != 0 && time.Duration(now-before) < pause {
			t.Errorf("a request came %v after the one before, want %v", time.Duration(now-before), pause)
		}
	})
	c := client(Options{MinDelay: pause})
	for range 3 {
		if _, err := c.Get(t.Context(), Request{URL: s.URL}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWaitingForOnesTurnEndsWithTheContext(t *testing.T) {
	t.Parallel()
	hold, held := make(chan struct{}), make(chan struct{})
	s := serve(t, func(http.ResponseWriter, *http.Request) {
		close(held)
		<-hold
	})
	c := client(Options{})
	first := make(chan error)
	go func() {
		_, err := c.Get(t.Context(), Request{URL: s.URL})
		first <- err
	}()
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Get(ctx, Request{URL: s.URL}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	close(hold)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the request went to the proxy") })
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	if c := client(Options{}); c.http.Transport.(*http.Transport).Proxy != nil {
		t.Error("the transport has a proxy")
	}
}
