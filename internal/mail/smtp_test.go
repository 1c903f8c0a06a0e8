package mail_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"dibao/cmd/dibao/mailbox"
	"dibao/internal/mail"
)

// short are deadlines for tests: a second where the standard says minutes.
var short = mail.Timeouts{Connect: time.Second, Greeting: time.Second, Command: time.Second, Data: time.Second, Block: time.Second, Dot: time.Second, Quit: 100 * time.Millisecond}

// fault is what a scripted server does at one phase.
type fault func(c net.Conn)

func say(s string) fault { return func(c net.Conn) { fmt.Fprint(c, s) } }

var faults = map[string]fault{
	"4xx":     say("451 4.3.0 try later\r\n"),
	"5xx":     say("550 5.1.1 no such user\r\n"),
	"421":     say("421 4.3.2 closing\r\n"),
	"reset":   func(c net.Conn) { c.(*net.TCPConn).SetLinger(0); c.Close() },
	"close":   func(c net.Conn) { c.Close() },
	"stall":   func(net.Conn) {},
	"garbage": say("\x00\xff\xfe hello\r\n"),
	"long line": func(c net.Conn) {
		fmt.Fprint(c, "250-"+strings.Repeat("x", 1<<20)+"\r\n")
	},
	"many lines": func(c net.Conn) { fmt.Fprint(c, strings.Repeat("250-x\r\n", 100_000)) },
	"drip": func(c net.Conn) {
		for range 100 {
			if _, err := fmt.Fprint(c, "2"); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	},
}

// script is a server that does as it should until the phase, and the fault there.
func script(t *testing.T, phase string, f fault) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		converse(c, phase, f)
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func converse(c net.Conn, phase string, f fault) {
	c.SetDeadline(time.Now().Add(8 * time.Second))
	r := bufio.NewReader(c)
	answer := func(name, reply string) bool {
		if name != phase {
			fmt.Fprint(c, reply)
			return true
		}
		f(c)
		return false
	}
	answer("greeting", "220 test\r\n")
	refused := false // the reader of this transaction
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(line[:min(4, len(line))]); verb {
		case "EHLO":
			starttls := ""
			if phase == "starttls" {
				starttls = "250-STARTTLS\r\n"
			}
			answer("ehlo", "250-test\r\n250-PIPELINING\r\n"+starttls+"250-AUTH PLAIN\r\n250 SIZE 10000000\r\n")
		case "STAR":
			answer("starttls", "220 go\r\n")
		case "AUTH":
			answer("auth", "235 2.7.0 ok\r\n")
		case "MAIL":
			answer("mail", "250 2.1.0 ok\r\n")
		case "RCPT":
			if refused = strings.Contains(line, "refused@"); refused {
				fmt.Fprint(c, "550 5.1.1 no such user\r\n")
			} else {
				answer("rcpt", "250 2.1.5 ok\r\n")
			}
		case "RSET":
			answer("rset", "250 ok\r\n")
		case "QUIT":
			answer("quit", "221 bye\r\n")
			return
		case "DATA":
			if refused {
				fmt.Fprint(c, "503 5.5.1 no recipient\r\n")
				continue
			}
			if !answer("data", "354 go\r\n") {
				continue
			}
			if phase == "body" {
				f(c)
			}
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
			}
			answer("dot", "250 2.0.0 queued\r\n")
		}
	}
}

// Whatever a server does in whatever phase, a send ends within its deadline and
// says rightly whether the message may have been delivered.
func TestFaultsOfServers(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "rset", "quit"} {
		for name, f := range faults {
			t.Run(phase+"/"+name, func(t *testing.T) {
				t.Parallel()
				started := time.Now()
				handedOver, err := sendPast(t, phase, script(t, phase, f))
				if took := time.Since(started); took > 6*time.Second {
					t.Errorf("it took %s", took)
				}
				var refused *mail.ReplyError
				isReply, uncertain := errors.As(err, &refused), errors.Is(err, mail.ErrUncertain)
				hasCode := name == "4xx" || name == "5xx" || name == "421"
				atDot := phase == "dot" || phase == "body"
				switch {
				case err == nil:
					// A server may refuse EHLO and take HELO (ours does not), refuse RSET
					// and take the message, be slow in the body, or forget its manners
					// when all is done.
					if phase != "ehlo" && phase != "rset" && phase != "quit" && !(phase == "body" && name == "stall") {
						t.Fatalf("no error")
					}
				case phase == "quit":
					t.Errorf("a message that was taken is an error: %v", err)
				case phase == "body" && !handedOver:
					if uncertain {
						t.Errorf("uncertain, but the dot was never sent: %v", err)
					}
				case handedOver != atDot && phase != "rset":
					t.Errorf("handed over: %v in phase %s", handedOver, phase)
				case atDot && !hasCode && !uncertain:
					t.Errorf("got %v, want uncertain", err)
				case !atDot && uncertain:
					t.Errorf("uncertain, but the dot was never sent: %v", err)
				case hasCode && phase != "ehlo" && !isReply:
					t.Errorf("got %v, want the reply", err)
				}
			})
		}
	}
}

// sendPast sends a message so that the server's fault is met in its phase.
func sendPast(t *testing.T, phase, addr string) (handedOver bool, err error) {
	opts := mail.Options{Addr: addr, TLS: mail.TLSNone, Timeouts: short}
	switch phase {
	case "starttls":
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

// What smuggles a second message past careless servers arrives as text of the
// first.
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
