package inbox_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dibao/internal/inbox"
	"dibao/internal/mail"
	"dibao/internal/mail/smtptest"
	"dibao/internal/trust"
)

// start runs an inbox until the test ends and returns its address.
func start(t *testing.T, box *inbox.Inbox) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- box.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

// sender is a client that sends what the test wants.
type sender struct {
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, addr string) *sender {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return &sender{c, bufio.NewReader(c)}
}

// say sends a text.
func (s *sender) say(text string) { io.WriteString(s, text) }

// reply returns the last line of the next reply; "" if the connection ends.
func (s *sender) reply() string {
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return ""
		}
		if len(line) < 4 || line[3] != '-' {
			return strings.TrimSpace(line)
		}
	}
}

// rest returns everything that arrives until the connection ends, on one line.
func (s *sender) rest() string {
	b, _ := io.ReadAll(s.r)
	return strings.ReplaceAll(strings.TrimSpace(string(b)), "\r\n", " | ")
}

// greet sends everything up to the stage: ehlo, rcpt or data.
func (s *sender) greet(stage string) {
	s.reply()
	s.say("EHLO x\r\n")
	s.reply()
	if stage == "ehlo" {
		return
	}
	s.say("MAIL FROM:<>\r\nRCPT TO:<b+token@bounces.test>\r\n")
	s.reply()
	s.reply()
	if stage == "data" {
		s.say("DATA\r\n")
		s.reply()
	}
}

// honest sends a report as a mail server would and returns how long it took.
func honest(t *testing.T, addr string) time.Duration {
	t.Helper()
	began := time.Now()
	c, err := mail.Dial(t.Context(), mail.Options{Addr: addr, TLS: mail.TLSNone})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e := mail.Envelope{From: "mailer-daemon@example.org", To: "b+honest@bounces.test", Body: []byte("Subject: undelivered\r\n\r\n" + strings.Repeat("text\r\n", 10_000))}
	if _, err := c.Send(t.Context(), e, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

// Fifty idle connections once kept everybody out for 205 s. Whatever other clients keep
// open, the report of an honest server is received within a second, again and again.
func TestStrangersDoNotBlockTheInbox(t *testing.T) {
	const strangers = 50
	var slowest time.Duration
	ways, reports := 0, 0
	limit := 10 * time.Second // next to other tests and the race detector
	if os.Getenv("DIBAO_LONG") != "" {
		limit = time.Second
	}
	t.Parallel()
	big := []byte(strings.Repeat(strings.Repeat("x", 998)+"\r\n", 9400) + ".\r\n") // 9.4 MB
	drip := func(s *sender, text string) {
		for {
			if _, err := io.WriteString(s, text); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	for name, attack := range map[string]func(s *sender){
		"idle":                 func(s *sender) { s.reply() },
		"idle after RCPT":      func(s *sender) { s.greet("rcpt") },
		"commands that drip":   func(s *sender) { s.reply(); drip(s, "N") },
		"commands without end": func(s *sender) { s.greet("ehlo"); drip(s, "NOOP\r\n") },
		"messages that drip":   func(s *sender) { s.greet("data"); drip(s, "x\r\n") },
		"large messages":       func(s *sender) { s.greet("data"); s.Write(big); s.reply() },
		"large without a right": func(s *sender) {
			s.greet("ehlo")
			s.say("MAIL FROM:<>\r\nRCPT TO:<b@x>\r\nDATA\r\n")
			s.Write(big)
			s.rest()
		},
	} {
		t.Run(name, func(t *testing.T) {
			var k taken
			addr := start(t, newInbox(&k))
			for range strangers {
				s := dial(t, addr)
				go attack(s)
			}
			for range 5 {
				took := honest(t, addr)
				if took > limit {
					t.Errorf("an honest report took %s", took)
				}
				slowest = max(slowest, took)
			}
			n := k.of("b+honest")
			if n != 5 {
				t.Errorf("%d honest reports were accepted, want 5", n)
			}
			ways, reports = ways+1, reports+n
		})
	}
	trust.Report(t, "strangers at the inbox", "%d ms at most of %d reports, beside %d connections in %d ways", slowest.Milliseconds(), reports, strangers, ways)
}

// Fifty messages of 9.4 MB once took 2 GB of memory. Now memory is limited by the limit of
// one message and by that of all messages.
func TestLargeMessagesTakeLittleMemory(t *testing.T) {
	var k taken
	addr := start(t, newInbox(&k))
	line := strings.Repeat("x", 998) + "\r\n"
	chunk := []byte(strings.Repeat(line, 100))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	replies := make(chan string)
	for range 50 {
		s := dial(t, addr)
		go func() {
			s.greet("data")
			for range 94 {
				s.Write(chunk)
			}
			s.say(".\r\n")
			replies <- s.reply()
		}()
	}
	for range 50 {
		if r := <-replies; !strings.HasPrefix(r, "552 5.3.4") && !strings.HasPrefix(r, "452 4.3.1") && r != "" {
			t.Errorf("reply %q", r)
		}
	}
	runtime.ReadMemStats(&after)
	if allocated := (after.TotalAlloc - before.TotalAlloc) >> 20; allocated > 150 { // twice the limit of a message for each sender, and what else a session needs
		t.Errorf("%d MB were allocated", allocated)
	}
	trust.Report(t, "50 messages of 9.4 MB", "%d MB allocated", (after.TotalAlloc-before.TotalAlloc)>>20)
	if n := k.count(); n != 0 {
		t.Errorf("%d messages were accepted", n)
	}
}

// The memory of all messages is limited even if each is within its limit; a small report
// does not count.
func TestMemoryOfAllMessagesIsBounded(t *testing.T) {
	t.Parallel()
	var k taken
	box := newInbox(&k)
	box.Limits.Memory = 2 << 20
	addr := start(t, box)
	half := strings.Repeat(strings.Repeat("x", 998)+"\r\n", 700) // 700 kB: 768 kB of memory each
	var open []*sender
	refused := 0
	for range 10 {
		s := dial(t, addr)
		s.greet("data")
		s.say(half + "AND\r\n")
		open = append(open, s)
	}
	for _, s := range open {
		s.say(".\r\n")
		if r := s.reply(); strings.HasPrefix(r, "452 4.3.1") {
			refused++
		}
	}
	honest(t, addr)
	if refused < 5 || refused == 10 {
		t.Errorf("%d of 10 were refused", refused)
	}
}

// Two servers that disagree about where a message ends turn one email into two. Ambiguous
// input is refused, and nothing after it is read.
func TestSmugglingIsRefused(t *testing.T) {
	var forms, smuggled atomic.Int64
	t.Cleanup(func() { trust.Report(t, "smuggled mails", "%d of %d forms", smuggled.Load(), forms.Load()) })
	t.Parallel()
	second := "MAIL FROM:<>\r\nRCPT TO:<b+second@bounces.test>\r\nDATA\r\nsecond\r\n.\r\n"
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\r.\r\n", "\n.\r", "\r\r\n.\r\n", "\x00\r\n.\r\n", "\r\n\x00.\r\n", "\r\n.\x00\r\n"} {
		t.Run(fmt.Sprintf("%q", end), func(t *testing.T) {
			t.Parallel()
			var k taken
			addr := start(t, newInbox(&k))
			s := dial(t, addr)
			s.greet("data")
			s.say("Subject: first\r\n\r\nfirst" + end + second)
			if got := s.rest(); !strings.HasPrefix(got, "550 5.") || strings.Contains(got, " | ") {
				t.Errorf("replies %q, want one 550 and the end", got)
			}
			forms.Add(1)
			if n := k.count(); n != 0 {
				smuggled.Add(1)
				t.Errorf("%d messages were accepted", n)
			}
		})
	}
}

func TestCommandsAreChecked(t *testing.T) {
	t.Parallel()
	transaction := "MAIL FROM:<>\r\nRCPT TO:<b+x@bounces.test>\r\n"
	for name, c := range map[string]struct{ say, want string }{
		"bare LF":                 {"NOOP\nNOOP\r\n", "550 5.5.2"},
		"bare CR":                 {"NOOP\rNOOP\r\n", "550 5.5.2"},
		"NUL":                     {"NOOP \x00\r\n", "550 5.6.0"},
		"8 bits":                  {"NOOP \xff\r\n", "500 5.5.2"},
		"8 bits in an address":    {"MAIL FROM:<\xe9@x>\r\n", "501 5.1.7"},
		"UTF-8 without SMTPUTF8":  {"MAIL FROM:<é@x>\r\n", "553 5.6.7"},
		"UTF-8 with SMTPUTF8":     {"MAIL FROM:<é@x> SMTPUTF8\r\n", "250"},
		"a long command":          {"NOOP " + strings.Repeat("x", 1020) + "\r\n", "500 5.5.2"},
		"a command without end":   {strings.Repeat("x", 5000), "500 5.5.2"},
		"a size beyond the limit": {"MAIL FROM:<> SIZE=1048577\r\n", "552 5.3.4"},
		"a size beyond integers":  {"MAIL FROM:<> SIZE=99999999999999999999\r\n", "501 5.5.4"},
		"a size at the limit":     {"MAIL FROM:<> SIZE=1048576 BODY=8BITMIME\r\n", "250"},
		"an unknown parameter":    {"MAIL FROM:<> AUTH=<>\r\n", "555 5.5.4"},
		"no angle brackets":       {"MAIL FROM:a@x\r\n", "501 5.5.4"},
		"two messages at once":    {"MAIL FROM:<>\r\nMAIL FROM:<>\r\n", "250 | 503 5.5.1"},
		"RCPT first":              {"RCPT TO:<b+x@bounces.test>\r\n", "503 5.5.1"},
		"a forged token":          {"MAIL FROM:<>\r\nRCPT TO:<c+x@bounces.test>\r\nDATA\r\n", "250 | 550 5.1.1 | 503 5.5.1"},
		"a message before 354":    {transaction + "DATA\r\nSubject: x\r\n\r\n.\r\n", "250 | 250 | 503 5.5.1"},
		"STARTTLS without TLS":    {"STARTTLS\r\n", "502 5.5.1"},
		"AUTH":                    {"AUTH PLAIN AHUAcA==\r\n", "500 5.5.1"},
		"BDAT":                    {transaction + "BDAT 3 LAST\r\n", "250 | 250 | 500 5.5.1"},
		"HTTP":                    {"POST / HTTP/1.1\r\nHost: x\r\n\r\n", "421 5.5.1"},
		"VRFY":                    {"VRFY b+x@bounces.test\r\n", "252"},
		"LMTP":                    {"LHLO x\r\n", "500 5.5.1"},
		"11 errors":               {strings.Repeat("X\r\n", 12), strings.Repeat("500 5.5.1 | ", 10) + "421 4.7.0"},
		"101 commands":            {strings.Repeat("NOOP\r\n", 120), strings.Repeat("250 | ", 99) + "421 4.7.0"},
		"21 recipients":           {"MAIL FROM:<>\r\n" + strings.Repeat("RCPT TO:<b+x@bounces.test>\r\n", 21), "250" + strings.Repeat(" | 250", 20) + " | 452 4.5.3"},
		"RSET forgets":            {transaction + "RSET\r\nDATA\r\n", "250 | 250 | 250 | 503 5.5.1"},
		"a second EHLO forgets":   {transaction + "EHLO y\r\nDATA\r\n", "250 | 250 | 250-localhost | 250-PIPELINING | 250-8BITMIME | 250-SMTPUTF8 | 250-ENHANCEDSTATUSCODES | 250 SIZE 1048576 | 503 5.5.1"},
		"an address of 257 bytes": {"MAIL FROM:<" + strings.Repeat("a", 257) + ">\r\n", "501 5.5.4"},
		"a control in an address": {"MAIL FROM:<a\tb@x>\r\n", "501 5.1.7"},
		"a space after the colon": {"MAIL FROM: <a@x>\r\n", "250"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var k taken
			s := dial(t, start(t, newInbox(&k)))
			s.greet("ehlo")
			s.say(c.say)
			s.Conn.(*net.TCPConn).CloseWrite()
			var got []string
			for line := range strings.SplitSeq(s.rest(), " | ") {
				got = append(got, line)
			}
			want := strings.Split(c.want, " | ")
			if len(got) != len(want) {
				t.Fatalf("replies %q, want %q", got, want)
			}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("reply %d is %q, want %q", i, got[i], want[i])
				}
			}
			if n := k.count(); n != 0 {
				t.Errorf("%d messages were accepted", n)
			}
		})
	}
}

// Nobody keeps a connection open by sending something from time to time.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	var k taken
	box := newInbox(&k)
	box.Limits = inbox.Limits{Command: time.Second, Data: 2 * time.Second, Session: 3 * time.Second, Commands: 1 << 20}
	addr := start(t, box)
	for name, c := range map[string]struct{ stage, drip, want string }{
		"idle":               {"ehlo", "", "421 4.4.2"},
		"a command drips":    {"ehlo", "N", "421 4.4.2"},
		"a message drips":    {"data", "x\r\n", "421 4.4.2"},
		"commands for ever":  {"ehlo", "NOOP\r\n", "421 4.4.2"},
		"a message is begun": {"data", "", "421 4.4.2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dial(t, addr)
			s.greet(c.stage)
			go func() {
				for c.drip != "" {
					if _, err := io.WriteString(s, c.drip); err != nil {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}()
			got := s.rest()
			if last := got[strings.LastIndex(got, "| ")+1:]; !strings.HasPrefix(strings.TrimSpace(last), c.want) {
				t.Errorf("it ended with %q", last)
			}
		})
	}
}

func TestSTARTTLS(t *testing.T) {
	t.Parallel()
	authority := smtptest.NewAuthority(t)
	var k taken
	box := newInbox(&k)
	box.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Issue("127.0.0.1", time.Now().Add(time.Hour))}}
	addr := start(t, box)
	c, err := mail.Dial(t.Context(), mail.Options{Addr: addr, TLS: mail.TLSRequired, TLSConfig: &tls.Config{RootCAs: authority.Pool}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e := mail.Envelope{From: "a@b.example", To: "b+tls@bounces.test", Body: []byte("Subject: x\r\n\r\nx\r\n")}
	if _, err := c.Send(t.Context(), e, func() error { return nil }); err != nil || k.of("b+tls") != 1 {
		t.Errorf("got %v, taken %q", err, k.all)
	}

	injected := dial(t, addr)
	injected.greet("rcpt")
	injected.say("STARTTLS\r\nMAIL FROM:<>\r\n")
	if got := injected.rest(); !strings.HasPrefix(got, "503 5.5.1") {
		t.Errorf("commands after STARTTLS: %q", got)
	}

	// Commands sent in plain text do not count after TLS has started.
	s := dial(t, addr)
	s.greet("rcpt")
	s.say("STARTTLS\r\n")
	s.reply()
	secure := tls.Client(s.Conn, &tls.Config{RootCAs: authority.Pool, ServerName: "127.0.0.1"})
	under := &sender{secure, bufio.NewReader(secure)}
	under.say("DATA\r\n")
	if got := under.reply(); !strings.HasPrefix(got, "503 5.5.1") {
		t.Errorf("DATA after STARTTLS: %q", got)
	}
}
