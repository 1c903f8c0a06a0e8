package main

import (
	"crypto/tls"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"dibao/internal/mail/smtptest"
)

// startSite serves the folder site of a script at $SITE; the query of an address is part of
// the file's name, after a hyphen. The same pages are at $SELFSIGNED, whose certificate is
// in self.pem, and at $EXPIRED. $SITE/unchanged answers every request with 304.
func startSite(t *testing.T, ts *testscript.TestScript) {
	dir := ts.MkAbs("site")
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.Trim(r.URL.Path, "/")
		if name == "unchanged" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if r.URL.RawQuery != "" {
			name += "-" + r.URL.RawQuery
		}
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		if strings.HasPrefix(string(b), "{") {
			w.Header().Set("Content-Type", "application/json")
		}
		w.Write(b)
	})
	plain := httptest.NewServer(handler)
	ts.Defer(plain.Close)
	ts.Setenv("SITE", plain.URL)
	authority := smtptest.NewAuthority(t)
	self := authority.SelfSigned("127.0.0.1")
	for name, certificate := range map[string]tls.Certificate{"SELFSIGNED": self, "EXPIRED": authority.Issue("127.0.0.1", time.Now().Add(-time.Hour))} {
		s := httptest.NewUnstartedServer(handler)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
		s.StartTLS()
		ts.Defer(s.Close)
		ts.Setenv(name, s.URL)
	}
	ts.Check(os.WriteFile(ts.MkAbs("self.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: self.Certificate[0]}), 0o600))
}
