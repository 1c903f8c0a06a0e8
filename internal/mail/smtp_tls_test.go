package mail_test

import (
	"crypto/tls"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dibao/internal/mail"
	"dibao/internal/mail/smtptest"
	"dibao/internal/trust"
)

// With a user name, no TLS mode but "none" sends the password before the server's
// certificate is verified, whatever the server or an attacker in between does; the error
// says what to do.
func TestPasswordIsSentOnlyOverVerifiedTLS(t *testing.T) {
	var tried, sent, leaked atomic.Int64
	t.Cleanup(func() {
		trust.Report(t, "passwords sent without verified TLS", "%d of %d; %d passwords over verified TLS", leaked.Load(), tried.Load(), sent.Load())
	})
	t.Parallel()
	authority := smtptest.NewAuthority(t)
	later := time.Now().Add(time.Hour)
	good := authority.Issue("127.0.0.1", later)
	cases := map[string]struct {
		security smtptest.Security
		want     string // text in the error; "" means that the login succeeds
	}{
		"good":                     {smtptest.Security{Certificate: good, AuthAfter: true}, ""},
		"good, AUTH offered early": {smtptest.Security{Certificate: good, AuthBefore: true, AuthAfter: true}, ""},
		"self-signed":              {smtptest.Security{Certificate: authority.SelfSigned("127.0.0.1"), AuthBefore: true, AuthAfter: true}, "SSL_CERT_FILE"},
		"expired":                  {smtptest.Security{Certificate: authority.Issue("127.0.0.1", time.Now().Add(-time.Hour)), AuthBefore: true, AuthAfter: true}, "renew"},
		"wrong host":               {smtptest.Security{Certificate: authority.Issue("mail.example.org", later), AuthBefore: true, AuthAfter: true}, "host in [mail]"},
		"unknown authority":        {smtptest.Security{Certificate: smtptest.NewAuthority(t).Issue("127.0.0.1", later), AuthBefore: true, AuthAfter: true}, "SSL_CERT_FILE"},
		"stripped":                 {smtptest.Security{Certificate: good, Strip: true, AuthBefore: true}, "no STARTTLS"},
		"refused":                  {smtptest.Security{Certificate: good, Refuse: true, AuthBefore: true}, "454"},
		"injected EHLO reply":      {smtptest.Security{Certificate: good, Inject: "250-test\r\n250 AUTH PLAIN\r\n", AuthBefore: true, AuthAfter: true}, "plain text"},
		"AUTH only before TLS":     {smtptest.Security{Certificate: good, AuthBefore: true}, "offers none of"},
	}
	for _, mode := range []mail.TLSMode{mail.TLSOpportunistic, mail.TLSRequired} {
		for name, c := range cases {
			t.Run(string(mode)+"/"+name, func(t *testing.T) {
				t.Parallel()
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				server := smtptest.StartSecure(t, l, c.security)
				conn, err := mail.Dial(t.Context(), mail.Options{
					Addr: server.Addr, TLS: mode, TLSConfig: &tls.Config{RootCAs: authority.Pool}, Username: "u", Password: "p", Timeouts: short,
				})
				if err == nil {
					conn.Close()
				}
				switch {
				case c.want == "" && err != nil:
					t.Errorf("got %v, want a login", err)
				case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
					t.Errorf("got %v, want %q in it", err, c.want)
				}
				logins := server.Logins()
				if want := c.want == ""; (len(logins) == 1) != want || len(logins) > 1 {
					t.Errorf("logins: %v", logins)
				}
				tried.Add(1)
				for _, login := range logins {
					if login.Encrypted && c.want == "" {
						sent.Add(1)
						continue
					}
					leaked.Add(1)
					t.Errorf("the password was sent, encrypted: %v: %q", login.Encrypted, login.Line)
				}
			})
		}
	}
}

// Without a user name, opportunistic mode uses TLS only against passive listeners: the mail
// arrives with any certificate and with none.
func TestOpportunisticWithoutLoginTakesAnyCertificate(t *testing.T) {
	t.Parallel()
	authority := smtptest.NewAuthority(t)
	for name, c := range map[string]struct {
		security  smtptest.Security
		encrypted bool
	}{
		"self-signed": {smtptest.Security{Certificate: authority.SelfSigned("other.example")}, true},
		"stripped":    {smtptest.Security{Strip: true}, false},
		"refused":     {smtptest.Security{Refuse: true}, false},
		"injected":    {smtptest.Security{Certificate: authority.SelfSigned("127.0.0.1"), Inject: "250 AUTH PLAIN\r\n"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := smtptest.StartSecure(t, l, c.security)
			conn, err := mail.Dial(t.Context(), mail.Options{Addr: server.Addr, TLS: mail.TLSOpportunistic, Timeouts: short})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if conn.Encrypted() != c.encrypted {
				t.Errorf("encrypted: %v, want %v", conn.Encrypted(), c.encrypted)
			}
		})
	}
}
