package web_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dibao/internal/metrics"
	"dibao/internal/web"
)

// certificate writes a certificate for localhost and its key.
func certificate(t *testing.T, dir string, serial int64) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return cert, key, pool
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key, pool := certificate(t, t.TempDir(), 1)
	config, err := web.TLSFiles(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	base, _, _ := serve(t, web.Options{TLS: config, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	res, err := client.Get(strings.Replace(base, "http:", "https:", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); string(b) != "HTTP/2.0" || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s, %v", b, res.Header)
	}
	if _, err := web.TLSFiles(cert, cert); err == nil || !strings.Contains(err.Error(), cert) {
		t.Errorf("a wrong key: %v", err)
	}
}

// A client that sends a byte from time to time loses its connection.
func TestSlowClientsLoseTheirConnection(t *testing.T) {
	t.Parallel()
	base, _, _ := serve(t, web.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") }), HeaderTimeout: 200 * time.Millisecond})
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX: "); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n') // 408, or only the end
	if netErr, ok := err.(net.Error); ok && netErr.Timeout() {
		t.Errorf("the server waits on: %q, %v", line, err)
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	base, _, _ := serve(t, web.Options{Handler: http.NotFoundHandler()})
	res, _ := fetch(t, "OPTIONS", base+"/feed.json", map[string]string{"Origin": "https://a.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "if-none-match"}, "")
	if res.StatusCode != http.StatusNoContent || !strings.Contains(res.Header.Get("Access-Control-Allow-Headers"), "If-None-Match") {
		t.Errorf("reading: %d, %v", res.StatusCode, res.Header)
	}
	res, _ = fetch(t, "OPTIONS", base+"/preferences/x", map[string]string{"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}, "")
	if res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another site may post")
	}
}

func TestBodiesAreLimited(t *testing.T) {
	t.Parallel()
	base, _, _ := serve(t, web.Options{MaxBody: 10, LargeBody: []string{"/large/"}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	})})
	for path, want := range map[string]int{"/": 413, "/large/x": 200} {
		if res, _ := fetch(t, "POST", base+path, nil, strings.Repeat("x", 100)); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /articles/{id}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") })
	counts := web.NewMetrics(&web.Cache{})
	base, _, _ := serve(t, web.Options{Handler: mux, Metrics: counts})
	for i := range 5 {
		fetch(t, "GET", fmt.Sprintf("%s/articles/%d", base, i), nil, "")
	}
	fetch(t, "BREW", base+"/coffee", nil, "")
	var p metrics.Page
	counts.Collect(&p)
	text := string(p.Bytes())
	for _, line := range []string{
		`dibao_http_requests_total{route="/articles/{id}",method="GET",status="200"} 5`,
		`dibao_http_request_seconds_bucket{route="/articles/{id}",le="+Inf"} 5`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
	if strings.Contains(text, "/articles/1") || strings.Contains(text, "BREW") {
		t.Errorf("got\n%s", text)
	}
}
