package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"

	"dibao/internal/certificates"
	"dibao/internal/certificates/certtest"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail/dnstest"
)

// acmeName is the name for which certificates are ordered; the authority's name server
// resolves it to this machine.
const acmeName = "dibao.example.org"

// acmeAuthority is Let's Encrypt's test server. It verifies names by connecting to them.
type acmeAuthority struct {
	*httptest.Server
	roots  *x509.CertPool // for the certificates that it issues
	orders *atomic.Int64
}

func newACMEAuthority(t *testing.T, tlsPort int) acmeAuthority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1") // otherwise it waits up to fifteen seconds
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "the only one"}})
	prover := va.New(quiet, 0, tlsPort, true, dnstest.Serve(t, acmeName+". IN A 127.0.0.1"), store)
	front := wfe.New(quiet, store, prover, authority, []string{"pebble.test"}, true, false, 1, 1)
	handler, orders := front.Handler(), new(atomic.Int64)
	s := acmeAuthority{httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &statusWriter{ResponseWriter: w}
		handler.ServeHTTP(answer, r)
		if r.URL.Path == "/order-plz" && answer.status == http.StatusCreated { // it rejects some requests on purpose
			orders.Add(1)
		}
	})), x509.NewCertPool(), orders}
	t.Cleanup(s.Close)
	root := httptest.NewRecorder()
	front.ManagementHandler().ServeHTTP(root, httptest.NewRequest("GET", wfe.RootCertPath+"0", nil))
	if !s.roots.AppendCertsFromPEM(root.Body.Bytes()) {
		t.Fatalf("the authority's root can't be read: %d", root.Code)
	}
	return s
}

// statusWriter records the status of a response.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// entrance is the port at which others connect to the server, wherever it listens.
type entrance struct {
	net.Listener
	server atomic.Value // address of the server
}

func newEntrance(t *testing.T) *entrance {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &entrance{Listener: l}
	t.Cleanup(func() { l.Close() })
	go forward(l, func() (net.Conn, error) { return net.Dial("tcp", e.server.Load().(string)) })
	return e
}

// forward connects connections to l with what dial connects to, until l is closed.
func forward(l net.Listener, dial func() (net.Conn, error)) {
	for {
		outside, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer outside.Close()
			inside, err := dial()
			if err != nil {
				return
			}
			defer inside.Close()
			go func() { _, _ = io.Copy(inside, outside); inside.Close() }()
			_, _ = io.Copy(outside, inside)
		}()
	}
}

// get requests the server's health by a name, and returns the certificate.
func (e *entrance) get(t *testing.T, name string, roots *x509.CertPool) (*x509.Certificate, error) {
	t.Helper()
	client := http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, e.Addr().String())
		},
	}}
	defer client.CloseIdleConnections()
	res, err := client.Get("https://" + name + "/healthz")
	if err != nil {
		return nil, err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", name, res.Status)
	}
	return res.TLS.PeerCertificates[0], nil
}

var servingAt = regexp.MustCompile(`msg=serving addr=(\S+)`)

// serveACME runs dibao serve behind an entrance, and returns a function that stops it.
func serveACME(t *testing.T, e *entrance, url, dir string, authority acmeAuthority) (stop func()) {
	t.Helper()
	trusted := filepath.Join(dir, "authority.pem")
	if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "--database", url, "serve")
	cmd.Env = append(os.Environ(), asProgram+"=1", "SSL_CERT_FILE="+trusted, "DIBAO_SERVER_ADDR=127.0.0.1:0", "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0",
		"DIBAO_SERVER_ACME_HOSTS="+acmeName, "DIBAO_SERVER_ACME_DIR="+filepath.Join(dir, "acme"), "DIBAO_SERVER_ACME_DIRECTORY="+authority.URL+wfe.DirectoryPath)
	talk, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(talk)
	for lines.Scan() {
		if m := servingAt.FindStringSubmatch(lines.Text()); m != nil {
			e.server.Store(m[1])
			break
		}
	}
	if e.server.Load() == nil {
		_ = cmd.Wait()
		t.Fatal("the server did not begin")
	}
	go func() { _, _ = io.Copy(io.Discard, talk) }()
	return func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	}
}

// A server with acme_hosts gets its certificate from a real authority at the first request,
// keeps it across a restart without ordering again, and shows none for another name.
func TestServerGetsItsCertificate(t *testing.T) {
	dir, e := t.TempDir(), newEntrance(t)
	authority := newACMEAuthority(t, e.Addr().(*net.TCPAddr).Port)
	url := "sqlite:" + filepath.Join(dir, "dibao.db")
	stop := serveACME(t, e, url, dir, authority)
	certificate, err := e.get(t, acmeName, authority.roots)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	if _, err := e.get(t, "other.example.org", authority.roots); err == nil {
		t.Error("another name has a certificate, too")
	}
	stop()
	authority.Close() // another order would now fail
	stop = serveACME(t, e, url, dir, authority)
	defer stop()
	again, err := e.get(t, acmeName, authority.roots)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Equal(certificate) {
		t.Error("after a restart the certificate is another")
	}
}

// Two nodes of one database order one certificate, whether both are asked for it at the same
// time or one after the other, and one node proves for the other that the name is ours.
func TestNodesShareTheirCertificate(t *testing.T) {
	for _, atOnce := range []bool{false, true} {
		t.Run(fmt.Sprintf("AtOnce=%v", atOnce), func(t *testing.T) {
			url := databasetest.Postgres(t)
			first, second := newEntrance(t), newEntrance(t)
			authority := newACMEAuthority(t, second.Addr().(*net.TCPAddr).Port) // it connects to the second node
			for _, e := range []*entrance{first, second} {
				defer serveACME(t, e, url, t.TempDir(), authority)()
			}
			var got [2]*x509.Certificate
			var all sync.WaitGroup
			for i, e := range []*entrance{first, second} {
				ask := func() {
					var err error
					if got[i], err = e.get(t, acmeName, authority.roots); err != nil {
						t.Error(err)
					}
				}
				if atOnce {
					all.Go(ask)
				} else {
					ask()
				}
			}
			all.Wait()
			if t.Failed() {
				return
			}
			if n := authority.orders.Load(); n != 1 || !got[0].Equal(got[1]) {
				t.Errorf("%d orders; the nodes have the same certificate: %v", n, got[0].Equal(got[1]))
			}
		})
	}
}

// Two nodes that find at their start that their certificate is due for renewal order one new certificate,
// and both serve it.
func TestNodesRenewTheirCertificateOnce(t *testing.T) {
	url := databasetest.Postgres(t)
	first, second := newEntrance(t), newEntrance(t)
	authority := newACMEAuthority(t, second.Addr().(*net.TCPAddr).Port)
	old := storeOldCertificate(t, url)
	before := x509.NewCertPool()
	before.AddCert(old)
	for _, e := range []*entrance{first, second} {
		defer serveACME(t, e, url, t.TempDir(), authority)()
	}
	var all sync.WaitGroup
	var got [2]*x509.Certificate
	for i, e := range []*entrance{first, second} {
		all.Go(func() {
			if served, err := e.get(t, acmeName, before); err != nil || !served.Equal(old) {
				t.Errorf("a node does not serve the certificate that it has: %v", err)
				return
			}
			for begun := time.Now(); got[i] == nil; time.Sleep(100 * time.Millisecond) {
				served, err := e.get(t, acmeName, authority.roots)
				if err == nil {
					got[i] = served
				} else if time.Since(begun) > time.Minute {
					t.Errorf("no new certificate: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	if n := authority.orders.Load(); n != 1 || !got[0].Equal(got[1]) {
		t.Errorf("%d orders; the nodes have the same certificate: %v", n, got[0].Equal(got[1]))
	}
}

// storeOldCertificate stores a certificate of 90 days that is valid for 20 more.
func storeOldCertificate(t *testing.T, url string) *x509.Certificate {
	t.Helper()
	old, content := certtest.Stored(t, acmeName, time.Now().AddDate(0, 0, 20))
	a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": url})
	if err := certificates.Cache(a.db, "before", "").Put(t.Context(), acmeName, content); err != nil {
		t.Fatal(err)
	}
	return old
}
