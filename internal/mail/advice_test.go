package mail_test

import (
	"net"
	"strings"
	"testing"

	"dibao/internal/mail"
)

// If a configured server can't be used, the error says what to change; it does not name the
// server, because its callers do.
func TestErrorsOfASetServerAdvise(t *testing.T) {
	t.Parallel()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	go func() {
		for {
			c, err := plain.Accept()
			if err != nil {
				return
			}
			c.Write([]byte("220 plain.example ESMTP\r\n"))
			c.Read(make([]byte, 1))
			c.Close()
		}
	}()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, x := range []struct {
		addr string
		tls  mail.TLSMode
		want string
	}{
		{plain.Addr().String(), mail.TLSImplicit, `set tls = "required"`},
		{closed.Addr().String(), mail.TLSNone, "connection refused; check that the mail server is running"},
		{"nowhere.invalid:25", mail.TLSNone, "host in [mail]"},
	} {
		_, err := mail.Dial(t.Context(), mail.Options{Addr: x.addr, TLS: x.tls})
		if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), x.addr) {
			t.Errorf("%s with TLS %s: %v", x.addr, x.tls, err)
		}
	}
}
