package web

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/net/idna"
)

// certRecheck is the interval between checks of the files of a certificate.
const certRecheck = time.Minute

// certFiles is a certificate that is read again when its files change, so that a renewal
// needs no restart.
type certFiles struct {
	cert, key string

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // modification time of the certificate's file
	looked  time.Time
}

// TLSFiles returns a configuration with the certificate chain in one file and the key in
// another.
func TLSFiles(cert, key string) (*tls.Config, error) {
	f := &certFiles{cert: cert, key: key}
	if err := f.read(time.Now()); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: f.get}, nil
}

func (f *certFiles) read(now time.Time) error {
	info, err := os.Stat(f.cert)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	f.looked = now
	if f.current != nil && info.ModTime().Equal(f.changed) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", f.cert, f.key, err)
	}
	f.current, f.changed = &pair, info.ModTime()
	return nil
}

func (f *certFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) > certRecheck {
		// While files are half written, the previous certificate is still used.
		if err := f.read(now); err != nil {
			f.looked = now
		}
	}
	return f.current, nil
}

// ErrOrdering is the error of a certificate cache if another node is ordering the requested
// certificate, which will soon be available.
var ErrOrdering = errors.New("another node is ordering this certificate")

// orderingFor is how long a client waits for another node's order, and
// orderingEvery how often the cache is read in the meantime.
const orderingFor, orderingEvery = 30 * time.Second, 200 * time.Millisecond

// TLSByACME obtains certificates for these names when they are first requested,
// proves by TLS-ALPN that the names are ours (RFC 8737), and stores the
// certificates in cache. authority is the address of an ACME directory (RFC
// 8555 §7.1.1); "" means Let's Encrypt.
func TLSByACME(hosts []string, cache autocert.Cache, authority string) *tls.Config {
	m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(hosts...), Cache: cache}
	m.Client = &acme.Client{DirectoryURL: cmp.Or(authority, autocert.DefaultACMEDirectory), HTTPClient: &http.Client{
		Transport: boundedTransport{http.DefaultTransport}, Timeout: acmeTimeout,
	}}
	c := m.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		// The library searches the cache for a proof of any name before it asks the policy.
		name, err := idna.Lookup.ToASCII(hello.ServerName)
		if err == nil {
			err = m.HostPolicy(hello.Context(), name)
		}
		if err != nil {
			return nil, err
		}
		// The cache must not wait, because the library holds a lock that all names need.
		for begun := time.Now(); ; {
			cert, err := m.GetCertificate(hello)
			if !errors.Is(err, ErrOrdering) || time.Since(begun) > orderingFor {
				return cert, err
			}
			select {
			case <-hello.Context().Done():
				return nil, hello.Context().Err()
			case <-time.After(orderingEvery):
			}
		}
	}
	return c
}

// Limits on one response of an ACME authority.
const (
	acmeTimeout  = 30 * time.Second
	acmeMaxBytes = 1 << 20 // certificate chains have several kB
)

var errACMETooLarge = fmt.Errorf("the ACME authority's response is larger than %d bytes; check acme_directory in [server]", acmeMaxBytes)

// boundedTransport limits the size of responses, because the ACME library reads them
// completely.
type boundedTransport struct{ http.RoundTripper }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = &boundedBody{res.Body, acmeMaxBytes}
	}
	return res, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errACMETooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
