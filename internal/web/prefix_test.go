package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAddressesUnderAPath(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ mediaType, body, want string }{
		"Page":   {"text/html; charset=utf-8", `<a href="/a"><form action="/"><img src="//b.example/c"><a href="https://b.example/d">href="/`, `<a href="/p/a"><form action="/p/"><img src="//b.example/c"><a href="https://b.example/d">href="/`},
		"Feed":   {"application/atom+xml", `<?xml-stylesheet type="text/xsl" href="/static/feed.xsl"?><x href="/of/text"/>`, `<?xml-stylesheet type="text/xsl" href="/p/static/feed.xsl"?><x href="/of/text"/>`},
		"Binary": {"image/png", `href="/a"`, `href="/a"`},
	} {
		h := underPath("/p", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/x y" || r.Header.Get("Accept-Encoding") != "" {
				t.Errorf("%s: asked for %s, %v", name, r.URL.Path, r.Header)
			}
			w.Header().Set("Content-Type", x.mediaType)
			w.Header().Set("Link", `</feed.xml>; rel="self", <https://b.example/hub>; rel="hub"`)
			w.Header().Set("Content-Length", "7000")
			w.Header().Set("Location", "/there")
			w.Write([]byte(x.body))
		}))
		for _, target := range []string{"/p/x%20y", "/x%20y"} {
			for _, method := range []string{"GET", "HEAD"} {
				r := httptest.NewRequest(method, target, nil)
				r.Header.Set("Accept-Encoding", "gzip")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if got := w.Body.String(); method == "GET" && got != x.want {
					t.Errorf("%s %s: %s, want %s", name, target, got, x.want)
				}
				if got := w.Header().Get("Link") + w.Header().Get("Location"); got != `</p/feed.xml>; rel="self", <https://b.example/hub>; rel="hub"/p/there` {
					t.Errorf("%s: %s", name, got)
				}
				if length := w.Header().Get("Content-Length"); x.mediaType != "image/png" && length == "7000" {
					t.Errorf("%s %s: length %s", method, name, length)
				}
			}
		}
	}
	if BasePath("https://example.org/dibao/") != "/dibao" || BasePath("https://example.org/") != "" || BasePath("https://example.org") != "" {
		t.Error("another path of an address")
	}
}
