package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"dibao/internal/costtest"
)

// TestCostOfHeaders reads headers of every kind. The server accepts 32 kB of them; here
// they are as long as any input.
func TestCostOfHeaders(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	entry := newEntry(new(Cache), "k", "v", Document{Body: []byte("text"), MediaType: "text/plain"}, nil)
	costtest.Linear(t, []costtest.Seed{
		{Name: "Commas", Units: []string{","}},
		{Name: "Semicolons", Units: []string{";"}},
		{Name: "Codings", Units: []string{"gzip;q=0.5, "}},
		{Name: "Types", Units: []string{"text/html;q=0.9;a=b, "}},
		{Name: "Parameters", Head: "text/html", Units: []string{";q=0.9"}},
		{Name: "Stars", Units: []string{"*/*,"}},
		{Name: "Languages", Units: []string{"zh-CN,en;q=0.%d,"}},
		{Name: "Hops", Units: []string{"10.0.0.1, "}},
		{Name: "Ports", Units: []string{"[10.0.0.1]:80, "}},
		{Name: "IPv6", Units: []string{"::1%%a,"}},
		{Name: "Brackets", Units: []string{"["}},
		{Name: "Ranges", Head: "bytes=", Units: []string{"0-1,"}},
		{Name: "OpenRanges", Head: "bytes=", Units: []string{"%d-,"}},
		{Name: "Tags", Units: []string{`W/"a%d", `}},
		{Name: "Quotes", Units: []string{`"`}},
		{Name: "Spaces", Units: []string{" "}},
		{Name: "Letters", Units: []string{"a"}},
	}, func(b []byte) {
		header := string(b)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.1:1"
		for _, name := range []string{"Accept-Encoding", "X-Forwarded-For", "If-None-Match", "If-Modified-Since", "Range", "If-Range"} {
			r.Header.Set(name, header)
		}
		clientAddr(r, trusted)
		Prefer(header, "text/html", "application/atom+xml", "application/json")
		entry.Serve(httptest.NewRecorder(), r)
	})
	costtest.Report(t, "internal/web")
}
