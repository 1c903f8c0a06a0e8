package inbox

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"
)

// typed is a connection on which everything that a sender sends is available at once.
type typed struct {
	io.Reader
	said bytes.Buffer
}

func (c *typed) Write(b []byte) (int, error)      { return c.said.Write(b) }
func (c *typed) Close() error                     { return nil }
func (c *typed) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (c *typed) RemoteAddr() net.Addr             { return c.LocalAddr() }
func (c *typed) SetDeadline(time.Time) error      { return nil }
func (c *typed) SetReadDeadline(time.Time) error  { return nil }
func (c *typed) SetWriteDeadline(time.Time) error { return nil }

// Whatever a sender sends, each received message has an accepted recipient, is within its
// limit, and was ended by a dot between two CRLF.
func FuzzSession(f *testing.F) {
	f.Add("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<b+x@y>\r\nDATA\r\n", "Subject: x\r\n\r\n..x\r\n.\r\nQUIT\r\n")
	f.Add("EHLO x\r\nMAIL FROM:<> SIZE=10\r\nRCPT TO:<b+x@y>\r\nDATA\r\n", "x\n.\nMAIL FROM:<>\r\n.\r\n")
	f.Add("EHLO x\r\nMAIL FROM:<é@x> SMTPUTF8\r\nRCPT TO:<c@y>\r\nDATA\r\n", "\x00\r.\r\n")
	f.Fuzz(func(t *testing.T, commands, message string) {
		box := &Inbox{Domain: "d", Limits: Limits{Message: 1000, Memory: 1000}, Logger: slog.New(slog.DiscardHandler)}
		box.Accept = func(_ context.Context, to string) bool { return strings.HasPrefix(to, "b+") }
		ends := strings.Count(commands+message, "\r\n.\r\n")
		box.Receive = func(_ context.Context, to []string, raw []byte) error {
			if ends--; ends < 0 {
				t.Errorf("a message without an end was accepted")
			}
			for _, a := range to {
				if !strings.HasPrefix(a, "b+") {
					t.Errorf("a message to %q was accepted", a)
				}
			}
			rest := bytes.ReplaceAll(raw, []byte("\r\n"), nil)
			if len(to) == 0 || len(raw) > 1000 || bytes.ContainsAny(rest, "\r\n\x00") || !bytes.HasSuffix(raw, []byte("\r\n")) && len(raw) > 0 {
				t.Errorf("taken for %q: %q", to, raw)
			}
			return nil
		}
		box.Limits.fill()
		s := &server{Inbox: box, open: make(map[*session]bool), memory: &budget{left: 1000}}
		// The message arrives separately, as from a sender that waits for 354.
		conn := &typed{Reader: io.MultiReader(strings.NewReader(commands), strings.NewReader(message))}
		s.serve(t.Context(), conn)
		if s.memory.left != 1000 {
			t.Errorf("%d bytes of memory were not given back", 1000-s.memory.left)
		}
		if first, _, _ := strings.Cut(conn.said.String(), "\r\n"); first != "220 d ESMTP" {
			t.Errorf("greeting %q", first)
		}
	})
}

// The memory for reading a message is limited by the message limit.
func TestMessageMemory(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	text := strings.Repeat(strings.Repeat("x", 998)+"\r\n", 1048)
	b := &budget{left: limit}
	m := &message{limit: limit, memory: b}
	if err := m.read(bufio.NewReaderSize(strings.NewReader(text+".\r\n"), maxLine)); err != nil || string(m.raw) != text || cap(m.raw) > limit {
		t.Errorf("%d bytes in %d: %v", len(m.raw), cap(m.raw), err)
	}
	if b.left != firstMemory {
		t.Errorf("%d bytes of the budget are left, want %d", b.left, firstMemory)
	}
	m.free()
	if b.left != limit {
		t.Errorf("%d bytes were not given back", limit-b.left)
	}
}
