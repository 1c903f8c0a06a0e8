package web

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"dibao/internal/lazyregexp"
)

// BasePath returns the path of a base address, "/dibao" of
// https://example.org/dibao; "" if it has none.
func BasePath(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.EscapedPath(), "/")
}

// underPath serves a handler, whose addresses begin at the root, under a path:
// it removes the path from requests, unless a proxy has done so, and adds it to
// addresses in headers and pages. With "" it returns the handler itself.
func underPath(path string, inner http.Handler) http.Handler {
	if path == "" {
		return inner
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, path); ok && (rest == "" || rest[0] == '/') {
			whole := *r.URL
			whole.Path, whole.RawPath = "/"+strings.TrimPrefix(rest, "/"), ""
			if raw, ok := strings.CutPrefix(r.URL.RawPath, path); ok {
				whole.RawPath = "/" + strings.TrimPrefix(raw, "/")
			}
			r = r.Clone(r.Context())
			r.URL = &whole
		}
		// Pages are changed while they are sent, so they can't be compressed before that; a
		// proxy can compress them.
		r.Header.Del("Accept-Encoding")
		pw := &pathWriter{ResponseWriter: w, path: path, head: r.Method == http.MethodHead, asset: strings.HasPrefix(r.URL.Path, "/static/")}
		inner.ServeHTTP(pw, r)
		pw.finish()
	})
}

// pathWriter adds a path to the addresses in a response.
type pathWriter struct {
	http.ResponseWriter
	path   string
	head   bool // the request is HEAD: there is no body
	asset  bool // a static file of ours
	wrote  bool
	change *lazyregexp.Regexp // matches what precedes addresses in the body; nil means that the body is not changed
	status int
	body   bytes.Buffer
}

// Unwrap is for [http.ResponseController].
func (w *pathWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

var (
	// Our templates quote attributes, and escape texts.
	addressAttribute = lazyregexp.New(`\b((?:href|src|srcset|action|formaction|poster)=")/([^/])`)
	addressOfStyle   = lazyregexp.New(`(<\?xml-stylesheet\b[^>]{0,200}\bhref=")/([^/])`)
	addressOfLink    = lazyregexp.New(`(<)/([^/])`)
)

// WriteHeader changes the header, and delays a response with addresses in its body.
func (w *pathWriter) WriteHeader(status int) {
	if w.wrote {
		return
	}
	if status < 200 {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.wrote, w.status = true, status
	h := w.Header()
	for _, name := range []string{"Location", "Content-Location"} {
		if v := h.Get(name); strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "//") {
			h.Set(name, w.path+v)
		}
	}
	for i, v := range h["Link"] {
		if i == 0 {
			h["Link"] = append([]string(nil), h["Link"]...) // a cache shares it
		}
		h["Link"][i] = addressOfLink.ReplaceAllString(v, "${1}"+w.path+"/${2}")
	}
	mediaType, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	switch {
	case mediaType == "text/html", w.asset && mediaType == "text/xml":
		w.change = addressAttribute
	case strings.HasSuffix(mediaType, "xml"):
		w.change = addressOfStyle
	default:
		w.ResponseWriter.WriteHeader(status)
		return
	}
	h.Del("Content-Length")
	if w.head {
		w.change = nil
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *pathWriter) Write(b []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	if w.change != nil {
		return w.body.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

// finish sends the delayed response.
func (w *pathWriter) finish() {
	if w.change == nil {
		return
	}
	body := w.change.ReplaceAll(w.body.Bytes(), []byte("${1}"+strings.ReplaceAll(w.path, "$", "$$")+"/${2}"))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.ResponseWriter.WriteHeader(w.status)
	_, _ = w.ResponseWriter.Write(body) // the client may have disconnected
}
