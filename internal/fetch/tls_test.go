package fetch

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dibao/internal/mail/smtptest"
	"dibao/internal/trust"
)

// TestCertificatesOfSourcesAreVerified requests sources with an invalid certificate,
// directly and after a redirect: nothing is read, and the error says why.
func TestCertificatesOfSourcesAreVerified(t *testing.T) {
	t.Parallel()
	authority := smtptest.NewAuthority(t)
	later := time.Now().Add(time.Hour)
	cases := map[string]struct {
		certificate tls.Certificate
		want        string
	}{
		"expired":           {authority.Issue("127.0.0.1", time.Now().Add(-time.Hour)), "has expired"},
		"self-signed":       {authority.SelfSigned("127.0.0.1"), "self-signed"},
		"unknown authority": {authority.Issue("127.0.0.1", later), "does not know"},
		"wrong host":        {authority.Issue("www.gov.example", later), "for another name"},
		"wrong address":     {authority.Issue("127.0.0.2", later), "for another name"},
	}
	client, asked := New(Options{AllowPrivate: true}), 0
	for name, c := range cases {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
		server.TLS = &tls.Config{Certificates: []tls.Certificate{c.certificate}}
		server.StartTLS()
		t.Cleanup(server.Close)
		redirect := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusFound))
		t.Cleanup(redirect.Close)
		for _, address := range []string{server.URL, redirect.URL} {
			_, err := client.Get(t.Context(), Request{URL: address})
			var certificate *tls.CertificateVerificationError
			if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &certificate) {
				t.Errorf("%s: got %v, want %q in it", name, err, c.want)
			}
		}
	}
	if asked > 0 {
		t.Errorf("%d requests were sent", asked)
	}
	trust.Report(t, "sources with a bad certificate that are read", "0 of %d, each named", len(cases))
}
