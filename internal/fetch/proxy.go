package fetch

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	neturl "net/url"
	"time"
)

// CheckProxy returns an error unless a proxy's address can be used.
func CheckProxy(proxy string) error {
	u, err := neturl.Parse(proxy)
	if err != nil || u.Hostname() == "" {
		return errors.New("the proxy is not an address; write it like http://proxy.example.org:3128 or socks5://127.0.0.1:1080")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return nil
	}
	return fmt.Errorf("a proxy must use http, https or socks5, not %q", u.Scheme)
}

// through returns the HTTP client for a proxy, which an admin has set for a source and
// which may be in our own network. The guard then knows the requested names but not their
// addresses: the proxy is responsible for those.
func (c *Client) through(req Request) (*http.Client, error) {
	proxy := req.Proxy
	if proxy == "" && req.Private != "" {
		return c.private, nil
	}
	if proxy == "" {
		return c.http, nil
	}
	if known, ok := c.proxied.Load(proxy); ok {
		return known.(*http.Client), nil
	}
	if err := CheckProxy(proxy); err != nil {
		return nil, err
	}
	u, err := neturl.Parse(proxy)
	if err != nil {
		return nil, err
	}
	t := c.http.Transport.(*http.Transport).Clone()
	t.Proxy = http.ProxyURL(u)
	t.DialContext = (&net.Dialer{Timeout: min(c.opts.Timeout, 10*time.Second)}).DialContext
	client, _ := c.proxied.LoadOrStore(proxy, &http.Client{Transport: t, CheckRedirect: c.http.CheckRedirect})
	return client.(*http.Client), nil
}

// explainTLS says in words why a certificate was refused, and what admins can do; "" if it
// was not refused.
func explainTLS(err error) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &name):
		return "its certificate is for another name; check that the host in the address is right"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired, or this machine's clock is wrong; set the clock, or ask the site's administrators to renew the certificate"
	case errors.As(err, &invalid):
		return "its certificate is not valid; ask the site's administrators to replace it"
	case errors.As(err, &unknown) && unknown.Cert != nil && bytes.Equal(unknown.Cert.RawIssuer, unknown.Cert.RawSubject):
		return "its certificate is self-signed; if you trust it, install it on this machine, or specify its file in the environment variable SSL_CERT_FILE"
	case errors.As(err, &unknown):
		return "its certificate is from an authority that this machine does not know, or the site does not send the intermediate certificate; install the certificate of the authority on this machine, or specify its file in the environment variable SSL_CERT_FILE"
	case errors.As(err, &record):
		return "it does not use TLS on that port; try http://"
	}
	return ""
}
