// Package fetch is the only HTTP client for other people's sites: it refuses addresses
// inside our own network, is polite to each host, and limits size and time.
//
// Bodies are decompressed but not decoded: callers detect the character set.
// Proxies in the environment are ignored. Sources: RFC 9110 (conditional
// requests), RFC 9309 (robots.txt), RFC 6890 (special addresses).
package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	neturl "net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"dibao/internal/redact"
	"dibao/internal/trace"
)

// Options are options for fetching. The zero value of a field means the default next to it.
type Options struct {
	UserAgent    string         // default: dibao
	Timeout      time.Duration  // 30 s, for one request with its redirects and body; the wait for a turn is not counted
	MaxBytes     int64          // 5 MiB, for a body, both compressed and decompressed
	MaxRedirects int            // 5
	Private      []netip.Prefix // networks that Request.Private can allow; none: loopback, RFC 1918 and RFC 4193
	AllowPrivate bool           // for tests and benchmarks: every request may reach our own network
	// Admit is called before each connection, after the guard has allowed its address; its
	// error ends the request. If it is set, connections are not reused. nil allows all.
	Admit    func(netip.Addr) error
	PerHost  int              // 1; concurrent requests to one host
	MinDelay time.Duration    // 0; time from the end of one request to the start of the next, to one host
	Now      func() time.Time // default: time.Now
	// Turn waits for a turn at a host that other processes also request; the
	// returned function ends the turn with the pause before the next one. nil
	// means that there are no other processes.
	Turn func(ctx context.Context, host string) (giveBack func(pause time.Duration), err error)
}

// Client fetches pages and feeds. It is safe for concurrent use; requests to one host wait
// for each other.
type Client struct {
	opts     Options
	http     *http.Client  // reaches public addresses
	private  *http.Client  // reaches our own network; separate, so that no other request reuses its connections
	resolver *net.Resolver // nil means the resolver of the system
	proxied  sync.Map      // the *http.Client of each proxy, by address
	hosts    hosts
	robots   robots
}

// Request is one GET, or one POST of a form or a body.
type Request struct {
	URL          string
	Method       string        // "" means POST if something is posted, otherwise GET
	ETag         string        // ETag of the known version; "" if there is none
	LastModified string        // Last-Modified of the known version; "" if there is none
	Accept       string        // media types; "" means feeds, then pages, then anything
	Page         bool          // a page, not a feed: robots.txt applies (RFC 9309)
	Private      string        // host and port (Origin) that may be in our own network; "" for none. Redirects to other hosts may not be, and end the permission
	Proxy        string        // http, https or socks5 address of a proxy; "" for none
	UserAgent    string        // "" means that of the client
	Form         neturl.Values // posted, if not empty; a POST never follows redirects
	Body         []byte        // posted as ContentType, if Form is not
	ContentType  string
	// BeforeBody is called when all of the request except its body has been sent; the host
	// can't act on it yet. Its error ends the request without the body. nil does nothing.
	BeforeBody func() error
	Header     http.Header // additional header fields
	NoRedirect bool        // treat a redirect as a StatusError
}

// Response is a successful response of a source: 2xx, or 304 with NotModified.
type Response struct {
	URL          string // after redirects
	Status       int
	Header       http.Header
	Body         []byte
	NotModified  bool
	ETag         string
	LastModified string
	Hash         [sha256.Size]byte // hash of Body; zero if NotModified
	Permanent    bool              // there were redirects, all of them with 301 or 308
	RetryAfter   time.Duration     // 0 means not stated
	Remote       netip.Addr        // address that answered: that of the proxy, if there is one
}

// StatusError is a response that is neither 2xx nor 304.
type StatusError struct {
	URL        string // the address that answered, after redirects
	Status     int
	RetryAfter time.Duration // 0 means not stated; at most a week
	Body       []byte        // nil if it is long or can't be decoded
}

// maxErrorBody is the number of bytes that are read of an error's body: enough to
// distinguish a wall from an error page.
const maxErrorBody = 64 << 10

func (e *StatusError) Error() string {
	if text := http.StatusText(e.Status); text != "" {
		return fmt.Sprintf("%s answered %d %s", redact.Text(e.URL), e.Status, text)
	}
	return fmt.Sprintf("%s answered %d", redact.Text(e.URL), e.Status)
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
	if opts.PerHost <= 0 {
		opts.PerHost = 1
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	c := &Client{
		opts:  opts,
		hosts: hosts{perHost: opts.PerHost, pause: opts.MinDelay, now: opts.Now, turn: opts.Turn},
	}
	c.http = c.connect(reach{private: opts.AllowPrivate, admit: opts.Admit})
	c.private = c.connect(reach{private: true, networks: opts.Private, admit: opts.Admit})
	return c
}

// connect returns an HTTP client with separate connections.
func (c *Client) connect(r reach) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            c.dial(r),
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           100,
			MaxIdleConnsPerHost:    c.opts.PerHost,
			IdleConnTimeout:        time.Minute,
			TLSHandshakeTimeout:    min(c.opts.Timeout, 10*time.Second),
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      r.admit != nil,
			DisableCompression:     true, // done here, with a limit
		},
		// Get follows redirects itself, because it must check and queue every hop.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Get fetches one address. Errors: *BlockedError, *StatusError, ctx's error, or
// one that names the address and the problem.
func (c *Client) Get(ctx context.Context, req Request) (*Response, error) {
	ctx, span := trace.Start(ctx, "fetch", slog.String("url.full", redact.URL(req.URL)))
	res, err := c.follow(ctx, req)
	if err == nil {
		span.Set(slog.Int("http.response.status_code", res.Status), slog.Int("http.response.body.size", len(res.Body)))
	}
	span.End(err)
	return res, err
}

// follow is Get; it follows redirects.
func (c *Client) follow(ctx context.Context, req Request) (*Response, error) {
	permanent, left := true, c.opts.Timeout
	var delay time.Duration
	for hop, url := 0, req.URL; ; hop++ {
		u, err := c.check(url, req.Private)
		if err != nil {
			return nil, err
		}
		if origin(u) != req.Private {
			req.Private = "" // an admin did not enter the address to which another host redirects
		}
		if req.Page {
			if delay, err = c.allowedByRobots(ctx, u, req); err != nil {
				return nil, err
			}
		}
		release, err := c.hosts.enter(ctx, u.Host, delay)
		if err != nil {
			return nil, fmt.Errorf("fetch %s: %w", redact.Text(url), err)
		}
		start := c.opts.Now()
		res, next, err := c.once(ctx, u, req, left)
		left -= c.opts.Now().Sub(start)
		release()
		if err != nil {
			return nil, explain(url, err)
		}
		if next == "" {
			res.Permanent = permanent && hop > 0
			return res, nil
		}
		if hop == c.opts.MaxRedirects {
			return nil, fmt.Errorf("fetch %s: more than %d redirects", redact.Text(req.URL), c.opts.MaxRedirects)
		}
		permanent = permanent && (res.Status == http.StatusMovedPermanently || res.Status == http.StatusPermanentRedirect)
		url = next
	}
}

// once sends one request and returns the response, or the address to which it redirects.
func (c *Client) once(ctx context.Context, u *neturl.URL, req Request, limit time.Duration) (res *Response, next string, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	method, body := http.MethodGet, io.Reader(nil)
	if req.Form != nil {
		method, body = http.MethodPost, strings.NewReader(req.Form.Encode())
	} else if req.Body != nil {
		method, body = http.MethodPost, bytes.NewReader(req.Body)
	}
	var remote netip.Addr
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if to, err := netip.ParseAddrPort(info.Conn.RemoteAddr().String()); err == nil {
			remote = to.Addr().Unmap()
		}
	}})
	if req.Method != "" {
		method = req.Method
	}
	hr, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, "", err
	}
	if req.BeforeBody != nil && hr.Body != nil {
		hr.Body = &announcedBody{ReadCloser: hr.Body, before: req.BeforeBody}
		whole := hr.GetBody
		hr.GetBody = func() (io.ReadCloser, error) { // for a connection that was closed before anything was written
			again, err := whole()
			return &announcedBody{ReadCloser: again, before: req.BeforeBody}, err
		}
	}
	c.setHeader(hr.Header, req)
	client, err := c.through(req)
	if err != nil {
		return nil, "", err
	}
	answer, err := client.Do(hr)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	out := &Response{
		URL: u.String(), Status: answer.StatusCode, Header: answer.Header, Remote: remote,
		ETag: answer.Header.Get("ETag"), LastModified: answer.Header.Get("Last-Modified"),
		RetryAfter: c.retryAfter(answer.Header.Get("Retry-After")),
	}
	switch s := answer.StatusCode; {
	case s == http.StatusNotModified && req.ETag == "" && req.LastModified == "":
		return nil, "", errors.New("it answered 304 (not modified), although dibao did not ask whether it changed; a cache in front of the site may be at fault: try again later, or add a query such as ?1 to the address")
	case s == http.StatusNotModified:
		out.NotModified = true
		return out, "", nil
	case !req.NoRedirect && req.Form == nil && req.Body == nil && (s == 301 || s == 302 || s == 303 || s == 307 || s == 308):
		to, err := u.Parse(answer.Header.Get("Location"))
		if err != nil || answer.Header.Get("Location") == "" {
			return nil, "", fmt.Errorf("it answered %d without the address of the redirect", s)
		}
		// Read a little, so that the connection can be reused.
		_, _ = io.CopyN(io.Discard, answer.Body, 4<<10)
		return out, to.String(), nil
	case s/100 != 2:
		said, err := readBody(answer, min(maxErrorBody, c.opts.MaxBytes))
		if err != nil {
			said = nil
		}
		return nil, "", &StatusError{URL: out.URL, Status: s, RetryAfter: out.RetryAfter, Body: said}
	}
	if out.Body, err = readBody(answer, c.opts.MaxBytes); err != nil {
		return nil, "", err
	}
	out.Hash = sha256.Sum256(out.Body)
	return out, "", nil
}

func (c *Client) setHeader(h http.Header, req Request) {
	accept := req.Accept
	if accept == "" {
		accept = "application/atom+xml, application/rss+xml, application/feed+json, text/html;q=0.9, */*;q=0.8"
	}
	agent := req.UserAgent
	if agent == "" {
		agent = c.opts.UserAgent
	}
	if req.Form != nil {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	} else if req.Body != nil {
		h.Set("Content-Type", req.ContentType)
	}
	for name, values := range req.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	h.Set("User-Agent", agent)
	h.Set("Accept", accept)
	h.Set("Accept-Language", "zh-CN, zh;q=0.9, en;q=0.5")
	h.Set("Accept-Encoding", "gzip, br, zstd")
	if req.ETag != "" {
		h.Set("If-None-Match", req.ETag)
	}
	if req.LastModified != "" {
		h.Set("If-Modified-Since", req.LastModified)
	}
}

// explain removes the HTTP client's wording and keeps the cause.
func explain(url string, err error) error {
	var blocked *BlockedError
	if errors.As(err, &blocked) {
		return &BlockedError{url, blocked.Reason, blocked.Local}
	}
	var status *StatusError
	if errors.As(err, &status) {
		return status
	}
	url = redact.Text(url)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("fetch %s: it took too long: %w", url, context.DeadlineExceeded)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return fmt.Errorf("fetch %s: the host name does not exist", url)
	}
	var outer *neturl.Error
	if errors.As(err, &outer) {
		err = outer.Err // it repeats the address
	}
	if why := explainTLS(err); why != "" {
		return fmt.Errorf("fetch %s: %s: %w", url, why, err)
	}
	return fmt.Errorf("fetch %s: %w", url, err)
}

// maxRetryAfter limits the pause that a site can request.
const maxRetryAfter = 7 * 24 * time.Hour

// retryAfter reads Retry-After: seconds or a date (RFC 9110 §10.2.3).
func (c *Client) retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(c.opts.Now()), 0), maxRetryAfter)
	}
	return 0
}
