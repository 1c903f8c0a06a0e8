package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"dibao/internal/web"
)

// Clients that accept any type get the page, too; files and the API answer in text.
func TestErrorsAsPages(t *testing.T) {
	t.Parallel()
	base, _, _ := serve(t, web.Options{
		Handler:   http.HandlerFunc(web.NotFound),
		ErrorPage: func(_ *http.Request, status int) []byte { return fmt.Append(nil, "<h1>", status) },
	})
	for _, c := range []struct {
		accept, path string
		page         bool
	}{
		{"text/html,application/xhtml+xml,*/*;q=0.8", "/nothing", true},
		{"text/html", "/nothing.xml", true},
		{"*/*", "/nothing", true},
		{"*/*", "/nothing.xml", false},
		{"*/*", "/api/v1/nothing", false},
		{"application/json", "/nothing", false},
	} {
		res, body := fetch(t, "GET", base+c.path, map[string]string{"Accept": c.accept}, "")
		if got := strings.HasPrefix(body, "<h1>404"); res.StatusCode != 404 || got != c.page || strings.Contains(res.Header.Get("Content-Type"), "text/html") != c.page {
			t.Errorf("%s, Accept %s: %d %q", c.path, c.accept, res.StatusCode, body)
		}
	}
}
