package mail_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/internal/mail"
	"dibao/internal/mail/smtptest"
)

// short are timeouts for tests: a second instead of the minutes in the standard.
var short = mail.Timeouts{Connect: time.Second, Greeting: time.Second, Command: time.Second, Data: time.Second, Block: time.Second, Dot: time.Second, Quit: 100 * time.Millisecond}

// script is a server that works properly until the phase, and has the fault there.
func script(t *testing.T, phase string, f smtptest.Fault) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return smtptest.Start(t, l, phase, f).Addr
}

// Whatever a server does in whatever phase, a send ends within its deadline and correctly
// reports whether the message may have been delivered.
func TestFaultsOfServers(t *testing.T) {
	t.Parallel()
	for _, phase := range smtptest.Phases {
		for _, f := range smtptest.Faults {
			t.Run(phase+"/"+f.Name, func(t *testing.T) {
				t.Parallel()
				started := time.Now()
				handedOver, err := sendPast(t, phase, script(t, phase, f))
				if took := time.Since(started); took > 30*time.Second {
					t.Errorf("it took %s", took)
				}
				var refused *mail.ReplyError
				isReply, uncertain := errors.As(err, &refused), errors.Is(err, mail.ErrUncertain)
				hasCode := f.Code != 0
				atDot := phase == "dot" || phase == "body"
				if phase == "auth" && isReply && refused.Code >= 500 != strings.Contains(err.Error(), "password_file") {
					t.Errorf("%v: advice is for a login that was refused permanently", err)
				}
				switch {
				case err == nil:
					// A server may refuse EHLO and accept HELO, refuse RSET and accept the
					// message, or disconnect rudely at the end.
					if phase != "quit" && !(hasCode && (phase == "ehlo" || phase == "rset")) {
						t.Fatalf("no error")
					}
				case phase == "quit":
					t.Errorf("a message that was accepted is an error: %v", err)
				case phase == "body" && !handedOver:
					if uncertain {
						t.Errorf("uncertain, but the dot was never sent: %v", err)
					}
				case phase == "body" && !isReply && (!uncertain || f.Code == 421):
					// It disconnected before the dot could be written, or before its reply
					// could be read.
				case handedOver != atDot && phase != "rset":
					t.Errorf("handed over: %v in phase %s", handedOver, phase)
				case atDot && !hasCode && !uncertain:
					t.Errorf("got %v, want uncertain", err)
				case !atDot && uncertain:
					t.Errorf("uncertain, but the dot was never sent: %v", err)
				case hasCode && phase != "ehlo" && phase != "handshake" && !isReply:
					t.Errorf("got %v, want the reply", err)
				}
			})
		}
	}
}

// sendPast sends a message so that the server's fault occurs in its phase.
func sendPast(t *testing.T, phase, addr string) (handedOver bool, err error) {
	opts := mail.Options{Addr: addr, TLS: mail.TLSNone, Timeouts: short}
	switch phase {
	case "starttls", "handshake":
		opts.TLS = mail.TLSRequired
	case "auth":
		opts.Username, opts.Password = "u", "p"
	}
	c, err := mail.Dial(t.Context(), opts)
	if err != nil {
		return false, err
	}
	defer c.Close()
	e := mail.Envelope{From: "a@b.example", To: "r@b.example", Body: []byte("Subject: x\r\n\r\nx\r\n")}
	if phase == "rset" {
		refused := e
		refused.To = "refused@b.example"
		var reply *mail.ReplyError
		if _, err := c.Send(t.Context(), refused, func() error { return nil }); !errors.As(err, &reply) || reply.Code != 550 {
			t.Errorf("got %v for a refused reader, want the reply", err)
		}
	}
	_, err = c.Send(t.Context(), e, func() error {
		handedOver = true
		return nil
	})
	return handedOver, err
}

func newMailbox(t *testing.T) (*mailbox.Mailbox, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := mailbox.New(mailbox.Options{})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- box.Run(ctx, l) }()
	t.Cleanup(func() { stop(); <-ended })
	return box, l.Addr().String()
}

// Content that smuggles a second message past careless servers arrives as text of the first
// one.
func TestNothingIsSmuggled(t *testing.T) {
	t.Parallel()
	box, addr := newMailbox(t)
	c, err := mail.Dial(t.Context(), mail.Options{Addr: addr, TLS: mail.TLSNone, Timeouts: short})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	evil := []string{"\r\n.\r\n", "\n.\n", "\n.\r\n", "\r.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r"}
	for i, e := range evil {
		body := "Subject: x\r\n\r\nfirst" + e + "MAIL FROM:<evil@a.example>\r\nRCPT TO:<r@b.example>\r\nDATA\r\nSubject: second\r\n\r\nx\r\n.\r\n"
		if _, err := c.Send(t.Context(), mail.Envelope{From: "a@b.example", To: "r@b.example", Body: []byte(body)}, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got := box.Count(); got != i+1 {
			t.Fatalf("%q: %d messages arrived, want %d", e, got, i+1)
		}
	}
	for _, m := range box.Messages() {
		if m.From != "a@b.example" || !strings.Contains(string(m.Raw), "second") {
			t.Errorf("message from %s: %q", m.From, m.Raw)
		}
	}
}

func TestHandOverThatFailsSendsNothing(t *testing.T) {
	t.Parallel()
	box, addr := newMailbox(t)
	c, err := mail.Dial(t.Context(), mail.Options{Addr: addr, TLS: mail.TLSNone, Timeouts: short})
	if err != nil {
		t.Fatal(err)
	}
	ledger := errors.New("disk full")
	e := mail.Envelope{From: "a@b.example", To: "r@b.example", Body: []byte("Subject: x\r\n\r\nx\r\n")}
	if _, err := c.Send(t.Context(), e, func() error { return ledger }); !errors.Is(err, ledger) || c.Usable() {
		t.Fatalf("got %v, usable %v", err, c.Usable())
	}
	c.Close()
	if n := box.Count(); n != 0 {
		t.Fatalf("%d messages arrived", n)
	}
}

func TestDialSaysWhatToDo(t *testing.T) {
	t.Parallel()
	_, addr := newMailbox(t)
	for name, c := range map[string]struct {
		options mail.Options
		want    string
	}{
		"NoTLS":    {mail.Options{Addr: addr}, "STARTTLS"},
		"NoServer": {mail.Options{Addr: "127.0.0.1:1"}, "connect"},
		"NoPort":   {mail.Options{Addr: "127.0.0.1"}, "HOST:PORT"},
	} {
		c.options.Timeouts = short
		if _, err := mail.Dial(t.Context(), c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
}
