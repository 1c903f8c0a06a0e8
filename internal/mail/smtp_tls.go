package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"strings"

	"github.com/emersion/go-sasl"
)

// TLSMode says whether a connection must be encrypted.
type TLSMode string

// The modes of TLS.
const (
	TLSRequired      TLSMode = "required"      // STARTTLS with a valid certificate, or no connection (the default)
	TLSImplicit      TLSMode = "implicit"      // TLS from the first byte (port 465)
	TLSOpportunistic TLSMode = "opportunistic" // with a user name: as required; without one: STARTTLS if offered, with any certificate
	TLSNone          TLSMode = "none"
)

var errHandshake = errors.New("starttls")

// hello runs a new connection up to the point at which MAIL can be sent.
func (c *Conn) hello(host string) error {
	encrypted := false
	if c.opts.TLS == TLSImplicit {
		client := tls.Client(c.conn, c.tlsConfig(host))
		c.deadline(c.opts.Timeouts.Greeting)
		err := client.Handshake()
		var plain tls.RecordHeaderError
		switch {
		case errors.As(err, &plain):
			return errors.New("the server does not begin with TLS on this port; use port 465, or set tls = \"required\" in [mail] for STARTTLS, or tls = \"none\" without a username if the connection to the server is safe")
		case err != nil:
			return fmt.Errorf("tls: %w%s", err, c.tlsAdvice(host, err))
		}
		c.use(client)
		encrypted = true
	}
	c.deadline(c.opts.Timeouts.Greeting)
	if _, err := c.expect("greeting", 220); err != nil {
		return err
	}
	if err := c.ehlo(); err != nil {
		return err
	}
	_, offered := c.extensions["STARTTLS"]
	switch {
	case encrypted || c.opts.TLS == TLSNone:
	case offered:
		err := c.startTLS(host)
		var refused *ReplyError
		if err != nil && !(c.opts.TLS == TLSOpportunistic && c.usable && errors.As(err, &refused)) { // it is offered but refused: treat it as not offered
			return err
		}
		encrypted = err == nil
	case c.opts.TLS == TLSRequired:
		return errors.New("the server offers no STARTTLS; use another port, or set tls = \"implicit\" in [mail] for port 465, or tls = \"none\" without a username if the connection to the server is safe")
	}
	if c.opts.Username == "" {
		return nil
	}
	if !encrypted && !isLoopback(c.conn.RemoteAddr()) {
		return fmt.Errorf("the password for %s is not sent without TLS; set tls = \"required\" in [mail]", c.opts.Addr)
	}
	return c.auth(host)
}

func (c *Conn) tlsConfig(host string) *tls.Config {
	config := &tls.Config{}
	if c.opts.TLSConfig != nil {
		config = c.opts.TLSConfig.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	if c.opts.TLS == TLSOpportunistic {
		config.InsecureSkipVerify = true // it protects only against passive listeners; nothing more was requested
	}
	return config
}

func (c *Conn) startTLS(host string) error {
	if err := c.send([]byte("STARTTLS\r\n")); err != nil {
		return err
	}
	if _, err := c.expect("starttls", 220); err != nil {
		return err
	}
	if c.r.Buffered() > 0 {
		return fmt.Errorf("%w: the server sent plain text that would be mistaken for encrypted text", errHandshake)
	}
	client := tls.Client(c.conn, c.tlsConfig(host))
	if err := client.Handshake(); err != nil {
		return fmt.Errorf("%w: %w%s", errHandshake, err, c.tlsAdvice(host, err))
	}
	if c.opts.Trace != nil {
		c.opts.Trace("   (" + tls.VersionName(client.ConnectionState().Version) + " with " + client.ConnectionState().PeerCertificates[0].Subject.String() + ")")
	}
	c.use(client)
	return c.ehlo()
}

// tlsAdvice says what to do about a server whose certificate is not accepted.
func (c *Conn) tlsAdvice(host string, err error) string {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	advice := ""
	switch {
	case errors.As(err, &name):
		advice = fmt.Sprintf("; %s is not a name on the server's certificate: set host in [mail] to one that is", host)
	case errors.As(err, &unknown):
		advice = "; install the certificate of the server's authority on this machine, or specify its file in the environment variable SSL_CERT_FILE"
	case errors.As(err, &invalid):
		advice = "; renew the server's certificate, and check the clock of this machine"
	}
	if c.opts.Username != "" {
		advice += "; the password was not sent"
	}
	return advice
}

// auth uses the first mechanism that both sides support.
func (c *Conn) auth(host string) error {
	offered := strings.Fields(strings.ToUpper(c.extensions["AUTH"]))
	has := func(mechanism string) bool {
		for _, m := range offered {
			if m == mechanism {
				return true
			}
		}
		return false
	}
	var start func() (string, []byte, error)
	var next func(challenge []byte) ([]byte, error)
	switch {
	case has("PLAIN"):
		client := sasl.NewPlainClient("", c.opts.Username, c.opts.Password)
		start, next = client.Start, client.Next
	case has("LOGIN"):
		client := sasl.NewLoginClient(c.opts.Username, c.opts.Password)
		start, next = client.Start, client.Next
	case has("CRAM-MD5"):
		client := smtp.CRAMMD5Auth(c.opts.Username, c.opts.Password)
		start = func() (string, []byte, error) { return client.Start(&smtp.ServerInfo{Name: host, TLS: true}) }
		next = func(challenge []byte) ([]byte, error) { return client.Next(challenge, true) }
	default:
		return errors.New("the server offers none of PLAIN, LOGIN and CRAM-MD5")
	}
	mechanism, initial, err := start()
	if err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	c.secret = true
	defer func() { c.secret = false }()
	err = c.converse(mechanism, initial, next)
	if reply := (*ReplyError)(nil); errors.As(err, &reply) && reply.Code >= 500 {
		return fmt.Errorf("%w; check username and password_file in [mail]: mailboxes of QQ and NetEase require an authorization code (授权码) instead of the password", err)
	}
	return err
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// Encrypted reports whether the connection is encrypted.
func (c *Conn) Encrypted() bool {
	_, ok := c.conn.(*tls.Conn)
	return ok
}
