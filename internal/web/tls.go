package web

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// certRecheck is how often the files of a certificate are looked at.
const certRecheck = time.Minute

// certFiles is a certificate that is read again when its files change, so that
// renewing it needs no restart.
type certFiles struct {
	cert, key string

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // of the certificate's file
	looked  time.Time
}

// TLSFiles serves the certificate chain in one file with the key in another.
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
		// While files are half written the certificate that we have still serves.
		if err := f.read(now); err != nil {
			f.looked = now
		}
	}
	return f.current, nil
}

// TLSByACME gets certificates for these names by itself when they are first
// asked for, proving by TLS-ALPN that the names are ours (RFC 8737), and keeps
// them in dir. authority is the address of an ACME directory (RFC 8555 §7.1.1);
// "": Let's Encrypt.
func TLSByACME(hosts []string, dir, authority string) *tls.Config {
	m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(hosts...), Cache: autocert.DirCache(dir)}
	if authority != "" {
		m.Client = &acme.Client{DirectoryURL: authority}
	}
	c := m.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	return c
}
