// Package web is the generic part of the HTTP server: listening, time and size limits,
// security headers, the check of where a form came from, logging without addresses and tokens,
// cached bytes, and limits by network.
//
// Handlers must not change state on GET. Sources: RFC 9110, 9111, the Fetch standard
// (Sec-Fetch-Site), RFC 8058 (one-click posts).
package web

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"dibao/internal/redact"
)

// Options are options for serving. The zero value of a field means the default next to it.
type Options struct {
	Handler        http.Handler
	TrustedProxies []netip.Prefix // proxies whose X-Forwarded-For is trusted; default: none
	Logger         *slog.Logger   // default: slog.Default
	StopWithin     time.Duration  // 10 s; time for running requests to finish
	MaxBody        int64          // 64 KiB of a request
	HeaderTimeout  time.Duration  // 10 s; time for a request to send its header
	// LargeBody reports, by the beginning of a path, whether larger bodies are allowed: the
	// handler limits them.
	LargeBody []string
	TLS       *tls.Config // nil means plain HTTP
	HSTS      bool        // readers reach us by HTTPS, directly or not: tell browsers to require it
	Metrics   *Metrics    // nil means that requests are not counted
	Path      string      // before all our addresses, such as "/dibao"; see [BasePath]
	// ErrorPage returns the HTML page for an error; nil means that errors are a line of text.
	ErrorPage func(r *http.Request, status int) []byte
}

// Listen opens the address, HOST:PORT; key is the name of its configuration key, for the
// error.
func Listen(ctx context.Context, addr, key string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is in use by another program; stop it or change %s", addr, key)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("address %s cannot be opened by this user; use a port above 1023 in %s", addr, key)
	}
	return nil, fmt.Errorf("listen on %s: %v; check %s", addr, err, key)
}

// ServePlain serves a handler until ctx ends, without any of our limits: for a
// demo or a benchmark on loopback.
func ServePlain(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { s.Close() })
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Serve answers requests on l until ctx ends, then lets running ones finish.
func Serve(ctx context.Context, l net.Listener, opts Options) error {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.StopWithin <= 0 {
		opts.StopWithin = 10 * time.Second
	}
	if opts.MaxBody <= 0 {
		opts.MaxBody = 64 << 10
	}
	if opts.HeaderTimeout <= 0 {
		opts.HeaderTimeout = 10 * time.Second
	}
	server := &http.Server{
		Handler:           underPath(opts.Path, protect(opts)),
		ReadHeaderTimeout: opts.HeaderTimeout,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		HTTP2:             http2Limits,
		ErrorLog:          slog.NewLogLogger(opts.Logger.Handler(), slog.LevelDebug), // mostly errors of clients
	}
	ended := make(chan error, 1)
	go func() {
		if opts.TLS != nil {
			server.TLSConfig = opts.TLS
			ended <- server.ServeTLS(l, "", "")
			return
		}
		ended <- server.Serve(l)
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), opts.StopWithin)
	defer cancel()
	err := server.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close() // slow clients lose their connection
	}
	<-ended
	return err
}

// http2Limits limit what one connection can request at a time: a browser needs no more for
// one of our pages. A client that reads no bytes loses its connection.
var http2Limits = &http.HTTP2Config{
	MaxConcurrentStreams:          100,
	MaxReceiveBufferPerConnection: 256 << 10,
	MaxReceiveBufferPerStream:     64 << 10,
	SendPingTimeout:               time.Minute,
	PingTimeout:                   15 * time.Second,
	WriteByteTimeout:              30 * time.Second,
}

// isLast reports whether a request has to be the last of its connection: a proxy before us
// could read the end of its body in another way (RFC 9112 §6.1), and what follows is then
// not a request. Clients simply connect again.
func isLast(r *http.Request) bool {
	return r.ProtoMajor == 1 && (len(r.TransferEncoding) > 0 || r.ProtoMinor == 0)
}

// contentSecurityPolicy allows our own style sheet, and pictures from anywhere over TLS,
// which articles contain, but no scripts.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// PolicyWithScripts is the content security policy of a page with a script of ours: the
// usual policy, plus our own files.
const PolicyWithScripts = contentSecurityPolicy + "; script-src 'self'"

// isText reports whether an address, decoded, is UTF-8 without NUL: databases
// contain nothing else, and PostgreSQL fails on other queries.
func isText(u *url.URL) bool {
	query, err := url.QueryUnescape(u.RawQuery)
	text := u.Path + query
	return err != nil || utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}

// protect adds to a handler what every page needs.
func protect(opts Options) http.Handler {
	forms := http.NewCrossOriginProtection()
	// Mail providers send the one-click form from their own sites (RFC 8058); the token is
	// the permission.
	forms.AddInsecureBypassPattern("POST /u/{token}")
	forms.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		plain(w, http.StatusForbidden, "This form was sent from another site. Open the page here and send it again.\n这份表单是从其他网站提交的；请在本站打开这一页，重新提交。")
	}))
	inner := forms.Handler(opts.Handler)
	secure := opts.HSTS || opts.TLS != nil
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		h := w.Header()
		for name, value := range safeHeader {
			h[name] = value
		}
		if secure {
			h["Strict-Transport-Security"] = strictTransport
		}
		if isLast(r) {
			h.Set("Connection", "close")
		}
		if !isText(r.URL) {
			plain(w, http.StatusBadRequest, "The address contains bytes that are not text (UTF-8). Copy it again, or start at the home page.\n网址中有无法识别的字符；请重新复制网址，或从首页进入。")
			return
		}
		if r.Method == http.MethodOptions && isPreflight(w, r) {
			return
		}
		if r.Body != nil && r.Body != http.NoBody && !hasPrefix(r.URL.Path, opts.LargeBody) {
			r.Body = http.MaxBytesReader(w, r.Body, opts.MaxBody)
		}
		ctx := WithClient(r, clientAddr(r, opts.TrustedProxies)).Context()
		if opts.ErrorPage != nil {
			ctx = context.WithValue(ctx, errorPageKey{}, opts.ErrorPage)
		}
		r = r.WithContext(ctx)
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { // intended: it ends the response
					panic(p)
				}
				opts.Logger.Error("request panicked", "url", redact.Path(r.URL.Path), "err", fmt.Sprint(p))
				if !rec.wrote {
					ServerError(rec, r)
				}
			}
			opts.Metrics.count(r, rec.status, time.Since(start))
			if opts.Logger.Enabled(ctx, slog.LevelDebug) {
				opts.Logger.Debug("request served", "method", r.Method, "url", redact.Path(r.URL.Path), "status", rec.status, "duration", time.Since(start))
			}
		}()
		inner.ServeHTTP(rec, r)
	})
}

// safeHeader contains the headers of every response; its values are shared and not changed.
var safeHeader = map[string][]string{
	"Content-Security-Policy":      {contentSecurityPolicy},
	"X-Content-Type-Options":       {"nosniff"},
	"Referrer-Policy":              {"no-referrer"},
	"Permissions-Policy":           {"camera=(), geolocation=(), microphone=()"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"cross-origin"}, // all of our content is public
}

// strictTransport makes browsers insist on HTTPS for a year, but not for other
// names of the domain, which are not ours.
var strictTransport = []string{"max-age=31536000"}

// isPreflight answers the preflight request that a browser sends before a script of another
// site reads something (the Fetch standard). The actual response decides whether it is
// allowed: only feeds, calendars and the API allow it.
func isPreflight(w http.ResponseWriter, r *http.Request) bool {
	switch r.Header.Get("Access-Control-Request-Method") {
	case http.MethodGet, http.MethodHead:
	default:
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "Accept, If-None-Match, If-Modified-Since")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
	return true
}

func hasPrefix(path string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// recorder records the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the server's writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

type errorPageKey struct{}

// fail answers with an error as a page if the client accepts one, or else as a line of
// text.
func fail(w http.ResponseWriter, r *http.Request, status int, text string) {
	page, ok := r.Context().Value(errorPageKey{}).(func(*http.Request, int) []byte)
	if !ok {
		page = nil
	}
	failWith(w, r, status, text, page)
}

// Invalid answers 400: with a page if the client accepts one, or else with a line of text.
func Invalid(w http.ResponseWriter, r *http.Request, text string, page []byte) {
	failWith(w, r, http.StatusBadRequest, text, func(*http.Request, int) []byte { return page })
}

// failWith answers with an error as a page, or as a line of text if page is nil or the client
// does not accept pages.
func failWith(w http.ResponseWriter, r *http.Request, status int, text string, page func(*http.Request, int) []byte) {
	if page == nil || !wantsPage(r) {
		plain(w, status, text)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept, Accept-Language")
	w.WriteHeader(status)
	w.Write(page(r, status))
}

// wantsPage reports whether a client accepts an error as a page: if it accepts HTML, or
// anything, as downloaders and crawlers do, and did not request a file or the API.
func wantsPage(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	if strings.Contains(accept, "text/html") {
		return true
	}
	anything := accept == "" || strings.Contains(accept, "*/*")
	return anything && path.Ext(r.URL.Path) == "" && !strings.HasPrefix(r.URL.Path, "/api/")
}

// NotFound answers 404.
func NotFound(w http.ResponseWriter, r *http.Request) {
	fail(w, r, http.StatusNotFound, "Page not found. Check the address, or start at the home page, which links to all lists and feeds.\n没有找到这一页；请核对网址，或从首页进入，那里有全部列表和订阅源的链接。")
}

// NoRoute answers a request that matches no pattern of mux except "/": 405 with
// the allowed methods if others match (RFC 9110 §15.5.6), 301 to the address
// without a trailing slash if that one matches, else by notFound. The mux
// itself adds a missing slash.
func NoRoute(w http.ResponseWriter, r *http.Request, mux *http.ServeMux, notFound http.HandlerFunc) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if hasRoute(mux, r, method, r.URL) {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		to, at, ok := withoutSlash(r.URL)
		if isReading := r.Method == http.MethodGet || r.Method == http.MethodHead; !ok || !isReading || !hasRoute(mux, r, http.MethodGet, to) {
			notFound(w, r)
			return
		}
		w.Header().Set("Location", at)
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	if allowed[0] == http.MethodGet {
		allowed = append([]string{http.MethodGet, http.MethodHead}, allowed[1:]...)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	plain(w, http.StatusMethodNotAllowed, "This address accepts "+strings.Join(allowed, ", ")+" only; open it in a browser, or use the form on its page.\n这个地址不接受这种请求；请用浏览器打开，或使用该页面上的表单。")
}

// hasRoute reports whether a pattern of mux other than "/" matches a request to u.
func hasRoute(mux *http.ServeMux, r *http.Request, method string, u *url.URL) bool {
	other := r.Clone(r.Context())
	other.Method, other.URL = method, u
	_, pattern := mux.Handler(other)
	return pattern != "" && pattern != "/"
}

// withoutSlash returns a URL without the slash at the end of its path, and its address
// relative to the URL, because proxies may serve us below a path.
func withoutSlash(u *url.URL) (to *url.URL, relative string, ok bool) {
	bare, ok := strings.CutSuffix(u.EscapedPath(), "/")
	if !ok || bare == "" {
		return nil, "", false
	}
	without := *u
	without.Path, without.RawPath = strings.TrimSuffix(u.Path, "/"), bare
	relative = ".." + bare[strings.LastIndex(bare, "/"):]
	if u.RawQuery != "" {
		relative += "?" + u.RawQuery
	}
	return &without, relative, true
}

// ServerError answers 500; the cause is only for the log.
func ServerError(w http.ResponseWriter, r *http.Request) {
	fail(w, r, http.StatusInternalServerError, "Something went wrong. The error was logged; please try again in a few minutes.\n服务出了问题，已有记录；请过几分钟再试。")
}

// LanguageChosen reports whether the reader chose the language by ?lang=, so that
// links should keep it.
func LanguageChosen(r *http.Request) bool {
	switch r.URL.Query().Get("lang") {
	case "zh", "en":
		return true
	}
	return false
}

// Language returns the language of a page, zh or en: what the request states, or else zh.
func Language(r *http.Request) string { return cmp.Or(LanguageStated(r), "zh") }

// LanguageStated returns the language that a request states, zh or en: ?lang=, or else the
// first of the two in Accept-Language, or else "".
func LanguageStated(r *http.Request) string {
	switch r.URL.Query().Get("lang") {
	case "zh":
		return "zh"
	case "en":
		return "en"
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch primary, _, _ := strings.Cut(strings.ToLower(tag), "-"); primary {
		case "zh":
			return "zh"
		case "en":
			return "en"
		}
	}
	return ""
}
