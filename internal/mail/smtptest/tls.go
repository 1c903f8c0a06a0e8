package smtptest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// Security says how a server offers TLS and logins.
type Security struct {
	Certificate tls.Certificate
	Strip       bool   // the server offers no STARTTLS, as if somebody had removed it
	Refuse      bool   // the server offers STARTTLS and answers 454
	Inject      string // sent in plain text directly after the reply to STARTTLS
	AuthBefore  bool   // AUTH is offered before TLS
	AuthAfter   bool   // AUTH is offered after TLS
}

// Login is an attempt to log in.
type Login struct {
	Encrypted bool
	Line      string // the AUTH command, with its credentials
}

// StartSecure serves on l with TLS until the test ends.
func StartSecure(t testing.TB, l net.Listener, security Security) *Server {
	s := &Server{Addr: l.Addr().String(), received: make(map[string]int), security: &security}
	s.start(t, l)
	return s
}

// Logins returns the attempts to log in, in order.
func (s *Server) Logins() []Login {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logins)
}

func (d *dialogue) noteLogin(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logins = append(d.logins, Login{d.encrypted, strings.TrimSpace(line)})
}

// extensions returns the lines of the reply to EHLO that depend on the security.
func (d *dialogue) extensions() string {
	s := d.security
	if s == nil {
		s = &Security{Strip: !d.failsIn("starttls") && !d.failsIn("handshake"), AuthBefore: true}
	}
	lines := ""
	if !s.Strip && !d.encrypted {
		lines = "250-STARTTLS\r\n"
	}
	if d.encrypted && s.AuthAfter || !d.encrypted && s.AuthBefore {
		lines += "250-AUTH PLAIN\r\n"
	}
	return lines
}

// encrypt answers STARTTLS; ok is false if the connection ends.
func (d *dialogue) encrypt() (ok bool) {
	if d.security.Refuse {
		return d.answer("", "454 4.7.0 TLS not available\r\n")
	}
	if _, err := io.WriteString(d.c, "220 go\r\n"+d.security.Inject); err != nil {
		return false
	}
	c := tls.Server(d.c, &tls.Config{Certificates: []tls.Certificate{d.security.Certificate}})
	if err := c.Handshake(); err != nil {
		return false
	}
	d.c, d.r, d.encrypted = c, bufio.NewReader(c), true
	return true
}

// Authority issues certificates for tests.
type Authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	root *x509.Certificate
	Pool *x509.CertPool // contains only the authority
}

// NewAuthority returns a new authority.
func NewAuthority(t testing.TB) *Authority {
	a := &Authority{t: t, Pool: x509.NewCertPool()}
	root := a.template("authority", time.Now().Add(time.Hour))
	root.IsCA, root.KeyUsage = true, x509.KeyUsageCertSign
	var der []byte
	der, a.key = a.sign(root, root, nil)
	a.root = a.parse(der)
	a.Pool.AddCert(a.root)
	return a
}

// Issue returns a certificate for a host name or an IP address, valid until expires.
func (a *Authority) Issue(host string, expires time.Time) tls.Certificate {
	der, key := a.sign(a.template(host, expires), a.root, a.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// SelfSigned returns a certificate that no authority signed.
func (a *Authority) SelfSigned(host string) tls.Certificate {
	template := a.template(host, time.Now().Add(time.Hour))
	der, key := a.sign(template, template, nil)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *Authority) template(host string, expires time.Time) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: host}, BasicConstraintsValid: true,
		NotBefore: expires.Add(-24 * time.Hour), NotAfter: expires,
	}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{host}
	}
	return c
}

// sign signs with the parent's key, or with the new key if there is no parent.
func (a *Authority) sign(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if parentKey == nil {
		parentKey = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		a.t.Fatal(fmt.Errorf("certificate of %s: %w", template.Subject.CommonName, err))
	}
	return der, key
}

func (a *Authority) parse(der []byte) *x509.Certificate {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}
