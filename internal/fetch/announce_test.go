package fetch

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BeforeBody runs before the body is sent; if it returns an error, the host does not get the
// whole request.
func TestBeforeBody(t *testing.T) {
	t.Parallel()
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			got = append(got, r.Method+" "+string(body))
		}
	}))
	c := New(Options{AllowPrivate: true})
	called := 0
	req := Request{URL: server.URL, Method: http.MethodPut, Body: []byte("card"), ContentType: "text/plain", BeforeBody: func() error { called++; return nil }}
	if _, err := c.Get(t.Context(), req); err != nil || called != 1 {
		t.Fatalf("called %d times: %v", called, err)
	}
	refusal := errors.New("not now")
	req.BeforeBody = func() error { return refusal }
	if _, err := c.Get(t.Context(), req); !errors.Is(err, refusal) {
		t.Fatalf("got %v, want %v", err, refusal)
	}
	server.Close() // waits for the handlers
	if len(got) != 1 || got[0] != "PUT card" {
		t.Fatalf("the host got %q", got)
	}
}
