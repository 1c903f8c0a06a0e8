package mailbox

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"
)

const message = "From: a@site.test\r\nTo: b@site.test\r\nSubject: =?utf-8?B?6YK45oql?=\r\nMessage-ID: <1@site.test>\r\n" +
	"List-Unsubscribe: <mailto:u@site.test>, <https://site.test/u>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n" +
	"--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5q2j5paH\r\n" +
	"--x\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=E6=AD=A3<script>f()</script>\r\n--x--\r\n"

// start runs a mailbox on a free port.
func start(t *testing.T, opts Options) (*Mailbox, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := New(opts)
	done := make(chan error, 1)
	go func() { done <- box.Run(t.Context(), l) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Errorf("stopped with %v", err)
		}
	})
	return box, l.Addr().String()
}

func TestReceive(t *testing.T) {
	dir := t.TempDir()
	box, addr := start(t, Options{Dir: dir})
	if err := smtp.SendMail(addr, nil, "a@site.test", []string{"b@site.test", "c@site.test"}, []byte(message)); err != nil {
		t.Fatal(err)
	}
	if err := box.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	got := box.Messages()
	if len(got) != 2 || got[0].To != "b@site.test" || got[1].To != "c@site.test" {
		t.Fatalf("got %+v", got)
	}
	m := got[0]
	if m.Subject != "邸报" || m.MessageID != "1@site.test" || m.Unsubscribe != "https://site.test/u" || m.Text != "正文" || !strings.Contains(m.HTML, "<p>正") {
		t.Errorf("read %+v", m)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "00000001.eml"))
	if err != nil || string(kept) != string(m.Raw) {
		t.Errorf("kept %q, %v", kept, err)
	}
}

func TestReject(t *testing.T) {
	box, addr := start(t, Options{Reject: func(_, to string) *gosmtp.SMTPError {
		if strings.HasPrefix(to, "no") {
			return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
		}
		return nil
	}, MaxBytes: 1 << 10})
	if err := smtp.SendMail(addr, nil, "a@site.test", []string{"no@site.test"}, []byte(message)); err == nil || !strings.Contains(err.Error(), "550") {
		t.Errorf("refused recipient: %v", err)
	}
	if err := smtp.SendMail(addr, nil, "a@site.test", []string{"b@site.test"}, []byte(message+strings.Repeat("x\r\n", 1000))); err == nil {
		t.Error("a message that is too large was accepted")
	}
	if box.Count() != 0 {
		t.Errorf("%d messages were kept", box.Count())
	}
}

// TestPages checks the page of received mail: a stranger's HTML must not run.
func TestPages(t *testing.T) {
	box, addr := start(t, Options{})
	for _, raw := range []string{message, "no header at all"} {
		if err := smtp.SendMail(addr, nil, "a@site.test", []string{"b@site.test"}, []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	h := box.Handler("/mail/")
	for path, want := range map[string]int{"/mail/": 200, "/mail/1": 200, "/mail/1/html": 200, "/mail/1/raw": 200, "/mail/9/raw": 404, "/mail/x/raw": 404} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
		if policy := w.Header().Get("Content-Security-Policy"); w.Code == 200 && strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

func TestWaitEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := New(Options{}).Wait(ctx, 1); err == nil || !strings.Contains(err.Error(), "only 0 arrived") {
		t.Errorf("got %v", err)
	}
}
