// Package fetch is the one HTTP client that asks other people's sites: guarded
// against addresses inside our own network, polite to each host, bounded in
// size and time.
//
// Bodies come back decompressed and not decoded: what character set they are
// in is for who reads them. No proxy is taken from the environment. Sources:
// RFC 9110 (conditional requests), RFC 9309 (robots.txt), RFC 6890 (special
// addresses).
package fetch

import (
	"compress/flate"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	neturl "net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Options say how to fetch. The zero value of a field is the default named
// beside it.
type Options struct {
	UserAgent    string           // dibao
	Timeout      time.Duration    // 30 s, of one request with its redirects and body
	MaxBytes     int64            // 5 MiB, of a body, compressed and decompressed
	MaxRedirects int              // 5
	AllowPrivate bool             // the guard lets loopback and private addresses through
	MinDelay     time.Duration    // 0; between two requests to one host
	Now          func() time.Time // time.Now
}

// Client fetches. It is safe for concurrent use; requests to one host wait for
// each other.
type Client struct {
	opts   Options
	http   *http.Client
	hosts  hosts
	robots robots
}

// Request is one GET.
type Request struct {
	URL          string
	ETag         string // of what is known, "" if nothing
	LastModified string
	Page         bool // a page, not a feed: robots.txt is asked (RFC 9309)
}

// Response is what a source answered: 2xx, or 304 with NotModified.
type Response struct {
	URL          string // after redirects
	Status       int
	Header       http.Header
	Body         []byte
	NotModified  bool
	ETag         string
	LastModified string
	Hash         [sha256.Size]byte // of Body
	Permanent    bool              // every redirect on the way was 301 or 308
}

// StatusError is an answer that is neither 2xx nor 304.
type StatusError struct {
	URL        string
	Status     int
	RetryAfter time.Duration // 0: not said
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d %s", e.URL, e.Status, http.StatusText(e.Status))
}

// New returns a client. It opens no connection.
func New(opts Options) *Client {
	if opts.UserAgent == "" {
		opts.UserAgent = "dibao"
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 30 * time.Second
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 5 << 20
	}
	if opts.MaxRedirects <= 0 {
		opts.MaxRedirects = 5
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	c := &Client{opts: opts}
	dialer := &net.Dialer{Timeout: opts.Timeout}
	if !opts.AllowPrivate {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return checkDial(address) }
	}
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			MaxConnsPerHost:        1,
			MaxIdleConns:           100,
			IdleConnTimeout:        time.Minute,
			TLSHandshakeTimeout:    opts.Timeout,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true, // decoded here, with a limit
		},
		CheckRedirect: c.checkRedirect,
	}
	return c
}

func (c *Client) check(raw string) (*neturl.URL, error) {
	u, reason := CheckURL(raw)
	if u != nil && c.opts.AllowPrivate {
		return u, nil
	}
	if c.opts.AllowPrivate && reason != "" {
		// Ports are free on one's own machine; the rest of the rules stay.
		if p, err := neturl.Parse(raw); err == nil && (p.Scheme == "http" || p.Scheme == "https") && p.User == nil && p.Hostname() != "" {
			return p, nil
		}
	}
	if reason != "" {
		return nil, &BlockedError{raw, reason}
	}
	return u, nil
}

type redirectsKey struct{}

func (c *Client) checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > c.opts.MaxRedirects {
		return fmt.Errorf("more than %d redirects", c.opts.MaxRedirects)
	}
	if _, err := c.check(r.URL.String()); err != nil {
		return err
	}
	if permanent, ok := r.Context().Value(redirectsKey{}).(*bool); ok {
		if s := r.Response.StatusCode; s != http.StatusMovedPermanently && s != http.StatusPermanentRedirect {
			*permanent = false
		}
	}
	return nil
}

// Get fetches one address. Errors: *BlockedError, *StatusError, ctx's error, or
// one that names the address and what went wrong.
func (c *Client) Get(ctx context.Context, req Request) (*Response, error) {
	u, err := c.check(req.URL)
	if err != nil {
		return nil, err
	}
	if req.Page {
		if err := c.allowedByRobots(ctx, u); err != nil {
			return nil, err
		}
	}
	release, err := c.hosts.enter(ctx, u.Host, c.opts.MinDelay)
	if err != nil {
		return nil, err
	}
	defer release()
	return c.get(ctx, u, req)
}

// get fetches without asking for politeness.
func (c *Client) get(ctx context.Context, u *neturl.URL, req Request) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	permanent := true
	ctx = context.WithValue(ctx, redirectsKey{}, &permanent)
	hr, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", req.URL, err)
	}
	hr.Header.Set("User-Agent", c.opts.UserAgent)
	hr.Header.Set("Accept", "application/atom+xml, application/rss+xml, application/feed+json, text/html;q=0.9, */*;q=0.8")
	hr.Header.Set("Accept-Language", "zh-CN, zh;q=0.9, en;q=0.5")
	hr.Header.Set("Accept-Encoding", "gzip, br, zstd")
	if req.ETag != "" {
		hr.Header.Set("If-None-Match", req.ETag)
	}
	if req.LastModified != "" {
		hr.Header.Set("If-Modified-Since", req.LastModified)
	}
	res, err := c.http.Do(hr)
	if err != nil {
		return nil, explain(req.URL, err)
	}
	defer res.Body.Close()
	out := &Response{
		URL: res.Request.URL.String(), Status: res.StatusCode, Header: res.Header,
		ETag: res.Header.Get("ETag"), LastModified: res.Header.Get("Last-Modified"),
		Permanent: permanent && res.Request.URL.String() != u.String(),
	}
	switch {
	case res.StatusCode == http.StatusNotModified:
		out.NotModified = true
		return out, nil
	case res.StatusCode/100 != 2:
		return nil, &StatusError{URL: req.URL, Status: res.StatusCode, RetryAfter: c.retryAfter(res.Header.Get("Retry-After"))}
	}
	out.Body, err = c.readBody(res)
	if err != nil {
		return nil, explain(req.URL, err)
	}
	out.Hash = sha256.Sum256(out.Body)
	return out, nil
}

// explain unwraps the client's own wording and keeps the cause.
func explain(url string, err error) error {
	var blocked *BlockedError
	if errors.As(err, &blocked) {
		return &BlockedError{url, blocked.Reason}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("fetch %s: it took too long: %w", url, context.DeadlineExceeded)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return fmt.Errorf("fetch %s: there is no host of that name: %w", url, err)
	}
	var outer *neturl.Error
	if errors.As(err, &outer) {
		err = outer.Err // it repeats the address
	}
	return fmt.Errorf("fetch %s: %w", url, err)
}

// retryAfter reads Retry-After: seconds or a date (RFC 9110 §10.2.3).
func (c *Client) retryAfter(value string) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, 7*24*time.Hour)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(c.opts.Now()), 0), 7*24*time.Hour)
	}
	return 0
}

// readBody reads and decompresses a body within the limit of both sizes.
func (c *Client) readBody(res *http.Response) ([]byte, error) {
	limited := &limitReader{r: res.Body, left: c.opts.MaxBytes}
	var r io.Reader = limited
	switch coding := strings.ToLower(strings.TrimSpace(res.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(limited)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		r = z
	case "deflate":
		r = flate.NewReader(limited)
	case "br":
		r = brotli.NewReader(limited)
	case "zstd":
		z, err := zstd.NewReader(limited, zstd.WithDecoderMaxMemory(64<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		defer z.Close()
		r = z
	default:
		return nil, fmt.Errorf("the body is encoded as %q, which was not asked for", coding)
	}
	return io.ReadAll(&limitReader{r: r, left: c.opts.MaxBytes})
}

// limitReader fails, rather than ends, behind its limit.
type limitReader struct {
	r    io.Reader
	left int64
}

var errTooLarge = errors.New("the body is larger than fetch.max_bytes allows")

func (l *limitReader) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return n, errTooLarge
	}
	return n, err
}
