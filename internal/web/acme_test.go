package web_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"dibao/internal/trust"
	"dibao/internal/web"
)

// shake does a TLS handshake with a server that gets its certificates by ACME and returns
// the server's error.
func shake(t *testing.T, config *tls.Config, name string, protocols ...string) error {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = config
	server.Config.ErrorLog = nil
	l := server.Listener
	defer l.Close()
	failed := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			failed <- err
			return
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		failed <- tls.Server(c, config).HandshakeContext(ctx)
	}()
	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: protocols})
	if err == nil {
		c.Close()
	}
	return <-failed
}

// An authority whose response never ends uses up nothing: a response is read up to a limit,
// and the error says so.
func TestACMEAuthorityThatNeverStops(t *testing.T) {
	var sent atomic.Int64
	kinds, mostTaken := 0, int64(0)
	flood := func(w http.ResponseWriter) {
		chunk := bytes.Repeat([]byte("x"), 64<<10)
		for range 1600 { // 100 MB
			n, err := w.Write(chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
	for name, answer := range map[string]func(base string, w http.ResponseWriter, r *http.Request){
		"directory": func(_ string, w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"newNonce": "`)
			flood(w)
		},
		"account": func(base string, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Replay-Nonce", "n")
			if r.URL.Path == "/" {
				fmt.Fprintf(w, `{"newNonce": %q, "newAccount": %q, "newOrder": %q}`, base+"/nonce", base+"/account", base+"/order")
				return
			}
			if r.Method == "POST" {
				w.WriteHeader(http.StatusForbidden)
				flood(w)
			}
		},
		"order": func(base string, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Replay-Nonce", "n")
			switch r.URL.Path {
			case "/":
				fmt.Fprintf(w, `{"newNonce": %q, "newAccount": %q, "newOrder": %q}`, base+"/nonce", base+"/account", base+"/order")
			case "/account":
				w.Header().Set("Location", base+"/account/1")
				w.WriteHeader(http.StatusCreated)
				fmt.Fprint(w, `{"status": "valid"}`)
			case "/order":
				w.WriteHeader(http.StatusCreated)
				fmt.Fprint(w, `{"status": "pending", "authorizations": ["`)
				flood(w)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var authority *httptest.Server
			authority = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(authority.URL, w, r) }))
			t.Cleanup(authority.Close)
			sent.Store(0)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := shake(t, web.TLSByACME([]string{"a.example.org"}, autocert.DirCache(t.TempDir()), authority.URL+"/"), "a.example.org", "h2")
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("there is a certificate")
			}
			taken := sent.Load()
			if taken > 20<<20 {
				t.Errorf("%d MB were read", taken>>20)
			}
			kinds, mostTaken = kinds+1, max(mostTaken, taken)
			if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 20 {
				t.Errorf("%d MB were allocated", n)
			}
			if name != "account" && !strings.Contains(err.Error(), "acme_directory") { // in an error, the library includes what it received
				t.Errorf("got %v, want what to do", err)
			}
		})
	}
	trust.Report(t, "ACME authority that answers without end", "%d kB at most were taken of %d answers of 100 MB", mostTaken>>10, kinds)
}

// For names that are not ours no authority is asked and no challenge is answered, whatever
// is in the folder of certificates.
func TestACMENamesOfOthers(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	authority := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(authority.Close)
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(filepath.Dir(dir), "outside.example.org")
	if err := os.WriteFile(secret, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	config := web.TLSByACME([]string{"a.example.org"}, autocert.DirCache(dir), authority.URL)
	for _, name := range []string{"b.example.org", "a.example.org.evil.example", "evil.a.example.org", "xa.example.org", "outside.example.org", ""} {
		for _, protocol := range []string{"h2", "acme-tls/1"} {
			if err := shake(t, config, name, protocol); err == nil {
				t.Errorf("%q by %s got a certificate", name, protocol)
			}
		}
	}
	if err := shake(t, config, "a.example.org", "acme-tls/1"); err == nil {
		t.Error("an unknown challenge was answered")
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the authority was asked %d times", n)
	}
}
