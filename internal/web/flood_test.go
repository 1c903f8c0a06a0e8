package web_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"dibao/internal/trust"
	"dibao/internal/web"
)

// busy is a handler that counts its calls.
type busy struct {
	calls, running, most atomic.Int64
	body                 []byte
}

func (b *busy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.calls.Add(1)
	n := b.running.Add(1)
	defer b.running.Add(-1)
	for most := b.most.Load(); n > most && !b.most.CompareAndSwap(most, n); most = b.most.Load() {
	}
	io.Copy(io.Discard, r.Body)
	w.Write(b.body)
}

// serveTLS runs a server with TLS.
func serveTLS(t *testing.T, h http.Handler) (addr string, pool *x509.CertPool) {
	t.Helper()
	cert, key, pool := certificate(t, t.TempDir(), 1)
	config, err := web.TLSFiles(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	base, _, _ := serve(t, web.Options{TLS: config, Handler: h, StopWithin: 100 * time.Millisecond})
	return strings.TrimPrefix(base, "http://"), pool
}

// h2 is an HTTP/2 client that sends any frames that the test wants.
type h2 struct {
	t *testing.T
	net.Conn
	*http2.Framer
	block bytes.Buffer
	hpack *hpack.Encoder
	next  uint32 // stream
	sent  int
}

func dialH2(t *testing.T, addr string, pool *x509.CertPool, settings ...http2.Setting) *h2 {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: pool, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	c := &h2{t: t, Conn: conn, next: 1}
	c.Framer = http2.NewFramer(c, conn)
	c.Framer.AllowIllegalWrites = true
	c.hpack = hpack.NewEncoder(&c.block)
	io.WriteString(conn, http2.ClientPreface)
	if err := c.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *h2) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.sent += n
	return n, err
}

// request returns the header block of a GET.
func (c *h2) request(more ...hpack.HeaderField) []byte {
	c.block.Reset()
	for _, f := range append([]hpack.HeaderField{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "localhost"}, {Name: ":path", Value: "/x"}}, more...) {
		c.hpack.WriteField(f)
	}
	return c.block.Bytes()
}

func (c *h2) open(block []byte, endHeaders bool) (stream uint32, err error) {
	stream = c.next
	c.next += 2
	return stream, c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block, EndStream: true, EndHeaders: endHeaders})
}

// othersAreServed checks that a well-behaved client is served, and returns how many of its
// requests were.
func othersAreServed(t *testing.T, addr string, pool *x509.CertPool) (served int64) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for range 20 {
		res, err := client.Get("https://" + addr + "/honest")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || res.ProtoMajor != 2 {
			t.Fatalf("an honest request: %s %s", res.Proto, res.Status)
		}
		served++
	}
	return served
}

// Cheap attacks with HTTP/2 (CVE-2023-44487, CVE-2023-45288 and similar ones) cost the
// server no more than its limits, and other clients are served in the meantime.
func TestHTTP2Floods(t *testing.T) {
	var floods, served, most atomic.Int64
	t.Cleanup(func() {
		trust.Report(t, "floods of HTTP/2", "%d floods: %d honest requests were served, at most %d requests ran at a time", floods.Load(), served.Load(), most.Load())
	})
	t.Parallel()
	const streams = 100 // concurrent streams of one connection
	big := hpack.HeaderField{Name: "cookie", Value: strings.Repeat("x", 3000)}
	for name, attack := range map[string]func(c *h2) error{
		"rapid reset": func(c *h2) error {
			for range 20_000 {
				stream, err := c.open(c.request(), true)
				if err == nil {
					err = c.WriteRSTStream(stream, http2.ErrCodeCancel)
				}
				if err != nil {
					return nil // the server has closed the connection
				}
			}
			return nil
		},
		"streams beyond the limit": func(c *h2) error {
			for range 5_000 {
				if _, err := c.open(c.request(), true); err != nil {
					return nil
				}
			}
			return nil
		},
		"CONTINUATION without end": func(c *h2) error {
			stream, err := c.open(c.request(), false)
			for err == nil && c.sent < 8<<20 {
				c.block.Reset()
				c.hpack.WriteField(hpack.HeaderField{Name: fmt.Sprintf("x-%d", c.sent), Value: strings.Repeat("x", 1000)})
				err = c.WriteContinuation(stream, false, c.block.Bytes())
			}
			if err == nil {
				return fmt.Errorf("%d bytes of one header were accepted", c.sent)
			}
			return nil
		},
		"empty CONTINUATION": func(c *h2) error { // no memory; until the connection counts as idle
			stream, err := c.open(c.request(), false)
			for err == nil && c.sent < 1<<20 {
				err = c.WriteContinuation(stream, false, nil)
			}
			return nil
		},
		"header bomb": func(c *h2) error { // each reference is one byte, and 3 kB when it is read
			many := make([]hpack.HeaderField, 4000)
			for i := range many {
				many[i] = big
			}
			_, err := c.open(c.request(many...), true)
			return err
		},
		"PING without reading": func(c *h2) error {
			for range 200_000 {
				if c.WritePing(false, [8]byte{}) != nil {
					return nil
				}
			}
			return nil
		},
		"SETTINGS without reading": func(c *h2) error {
			for range 200_000 {
				if c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}) != nil {
					return nil
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &busy{body: bytes.Repeat([]byte("x"), 100<<10)}
			addr, pool := serveTLS(t, h)
			ended := make(chan error, 1)
			c := dialH2(t, addr, pool)
			go func() { ended <- attack(c) }()
			served.Add(othersAreServed(t, addr, pool))
			c.SetDeadline(time.Now().Add(10 * time.Second))
			if err := <-ended; err != nil {
				t.Error(err)
			}
			served.Add(othersAreServed(t, addr, pool))
			floods.Add(1)
			n := h.most.Load()
			if n > streams+1 {
				t.Errorf("%d requests ran at a time", n)
			}
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			if name == "header bomb" && h.calls.Load() != 40 {
				t.Errorf("%d calls, want the honest 40", h.calls.Load())
			}
		})
	}
}

// A client that never reads blocks only its own streams.
func TestHTTP2ClientThatReadsNothing(t *testing.T) {
	t.Parallel()
	h := &busy{body: bytes.Repeat([]byte("x"), 100<<10)}
	addr, pool := serveTLS(t, h)
	for range 10 {
		c := dialH2(t, addr, pool, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		for range 200 {
			if _, err := c.open(c.request(), true); err != nil {
				break
			}
		}
	}
	othersAreServed(t, addr, pool)
	if most := h.most.Load(); most > 10*100+1 {
		t.Errorf("%d requests ran at a time", most)
	}
}

// Slow, idle and many connections leave room for others.
func TestManySlowConnections(t *testing.T) {
	t.Parallel()
	h := &busy{body: []byte("x")}
	addr, pool := serveTLS(t, h)
	connections := 0
	for i := range 600 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		connections++
		switch i % 3 {
		case 1:
			io.WriteString(c, "\x16\x03\x01") // an unfinished handshake
		case 2:
			go func() {
				s := tls.Client(c, &tls.Config{RootCAs: pool, ServerName: "localhost"})
				io.WriteString(s, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
			}()
		}
	}
	served := othersAreServed(t, addr, pool)
	trust.Report(t, "slow and idle clients", "%d connections: %d honest requests were served", connections, served)
}

// Renegotiation lets a client make the server compute much more than itself, and allowed
// splicing sessions together (CVE-2009-3555).
func TestClientsDoNotRenegotiate(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	h := &busy{body: []byte("x")}
	addr, pool := serveTLS(t, h)
	cmd := exec.CommandContext(t.Context(), openssl, "s_client", "-connect", addr, "-tls1_2", "-legacy_renegotiation")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, out := make(chan string), io.Reader(nil)
	if out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(said)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			said <- lines.Text()
		}
	}()
	text := ""
	for line := range said {
		text += line + "\n"
		switch {
		case strings.Contains(line, "Extended master secret"): // connected; a single R is its command
			io.WriteString(in, "R\n")
		case strings.Contains(line, "RENEGOTIATING"):
			io.WriteString(in, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			in.Close()
		}
	}
	cmd.Wait() // it fails, as it should
	if !strings.Contains(text, "RENEGOTIATING") || h.calls.Load() != 0 {
		t.Errorf("%d requests were served; openssl says\n%s", h.calls.Load(), text)
	}
	othersAreServed(t, addr, pool)
}

// raw sends bytes and returns the statuses of all responses until the connection ends.
func raw(t *testing.T, addr, text string) (statuses []int) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, text)
	c.(*net.TCPConn).CloseWrite()
	r := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			return statuses
		}
		io.Copy(io.Discard, res.Body)
		statuses = append(statuses, res.StatusCode)
	}
}

// A request whose length is ambiguous is refused, or is the last of its connection: what a
// proxy considers its body never becomes another request.
func TestRequestsAreNotSmuggled(t *testing.T) {
	var forms, passed atomic.Int64
	t.Cleanup(func() { trust.Report(t, "smuggled requests", "%d of %d forms", passed.Load(), forms.Load()) })
	t.Parallel()
	const second = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, request := range map[string]string{
		"length and chunked":     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + second,
		"chunked and length":     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\n" + second,
		"two lengths":            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 38\r\n\r\n" + second,
		"a list of lengths":      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 38\r\n\r\n" + second,
		"a signed length":        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n" + second,
		"a length in hex":        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x0\r\n\r\n" + second,
		"a negative length":      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n" + second,
		"chunked twice":          "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + second,
		"two codings":            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + second,
		"an unknown coding":      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" + second,
		"a space in the name":    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n" + second,
		"a tab before the value": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 38\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n" + second,
		"a folded value":         "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 38\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + second,
		"chunked in HTTP/1.0":    "POST / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + second,
		"bare LF in chunks":      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nx\r\n0\r\n\r\n" + second,
		"a long chunk extension": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0;" + strings.Repeat("x", 8000) + "\r\n\r\n" + second,
		"an overflowing chunk":   "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" + second,
		"an upgrade to h2c":      "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" + second,
		"NUL in a name":          "GET / HTTP/1.1\r\nHost: x\r\nX\x00: y\r\n\r\n" + second,
		"two hosts":              "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + second,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var smuggled atomic.Bool
			base, _, _ := serve(t, web.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/smuggled" {
					smuggled.Store(true)
				}
				io.Copy(io.Discard, r.Body)
			})})
			statuses := raw(t, strings.TrimPrefix(base, "http://"), request)
			forms.Add(1)
			if smuggled.Load() || len(statuses) != 1 {
				passed.Add(1)
				t.Errorf("answers %v; the second request was served: %v", statuses, smuggled.Load())
			}
		})
	}
}

// Large headers are refused before a page is built, and ranges beyond the whole document
// are ignored.
func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	cache := &web.Cache{}
	body := strings.Repeat("x", 10_000)
	base, _, _ := serve(t, web.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cache.Serve(w, r, "k", "1", func() (web.Document, error) {
			return web.Document{Body: []byte(body), MediaType: "text/plain", Modified: time.Now()}, nil
		})
	})})
	for name, c := range map[string]struct {
		header map[string]string
		status int
	}{
		"If-None-Match of 100 kB":     {map[string]string{"If-None-Match": strings.Repeat(`"x", `, 20_000)}, 431},
		"If-Modified-Since of 100 kB": {map[string]string{"If-Modified-Since": strings.Repeat("x", 100_000)}, 431},
		"Accept of 100 kB":            {map[string]string{"Accept": strings.Repeat("a/b;q=0.1,", 10_000)}, 431},
		"Cookie of 1 MB":              {map[string]string{"Cookie": strings.Repeat("a=b; ", 200_000)}, 431},
		"If-None-Match of 30 kB":      {map[string]string{"If-None-Match": strings.Repeat(`"x", `, 6_000)}, 200},
		"Range":                       {map[string]string{"Range": "bytes=0-10"}, 200},
		"1,000 ranges":                {map[string]string{"Range": "bytes=" + strings.Repeat("0-,", 1_000) + "0-"}, 200},
		"Range with If-Range":         {map[string]string{"Range": "bytes=-1", "If-Range": `W/"x"`}, 200},
		"Range beyond the end":        {map[string]string{"Range": "bytes=99999999999-"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			res, got := fetch(t, "GET", base+"/", c.header, "")
			if res.StatusCode != c.status || c.status == 200 && got != body {
				t.Errorf("%s with %d bytes, want %d", res.Status, len(got), c.status)
			}
		})
	}
}
