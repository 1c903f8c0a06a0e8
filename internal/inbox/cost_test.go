package inbox

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"

	"dibao/internal/costtest"
)

// TestCostOfSessions listens to senders who repeat one command.
func TestCostOfSessions(t *testing.T) {
	const mail = "EHLO a.test\r\nMAIL FROM:<>\r\n"
	costtest.Linear(t, []costtest.Seed{
		{Name: "Hellos", Units: []string{"EHLO a.test\r\n"}},
		{Name: "Senders", Head: "EHLO a.test\r\n", Units: []string{"MAIL FROM:<a%d@b.test>\r\nRSET\r\n"}},
		{Name: "Recipients", Head: mail, Units: []string{"RCPT TO:<a%d@b.test>\r\n"}},
		{Name: "Messages", Head: "EHLO a.test\r\n", Units: []string{"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n.\r\n"}},
		{Name: "Parameters", Head: "EHLO a.test\r\nMAIL FROM:<>", Units: []string{" A=%d"}, Tail: "\r\n"},
		{Name: "Unknown", Units: []string{"X%d\r\n"}},
		{Name: "Empty", Units: []string{"\r\n"}},
		{Name: "Spaces", Units: []string{" "}},
		{Name: "OneLine", Head: mail + "RCPT TO:<a@b.test>\r\nDATA\r\n", Units: []string{"a"}},
		{Name: "Lines", Head: mail + "RCPT TO:<a@b.test>\r\nDATA\r\n", Units: []string{"a\r\n"}, Tail: ".\r\n"},
		{Name: "Dots", Head: mail + "RCPT TO:<a@b.test>\r\nDATA\r\n", Units: []string{"..\r\n"}, Tail: ".\r\n"},
		{Name: "Angles", Head: mail + "RCPT TO:", Units: []string{"<"}},
		{Name: "Quotes", Head: mail + "RCPT TO:<", Units: []string{`"\"`}},
	}, func(b []byte) {
		box := &Inbox{Domain: "d.test", Limits: Limits{Commands: 1 << 30, Messages: 1 << 30}, Logger: slog.New(slog.DiscardHandler)}
		box.Accept = func(context.Context, string) bool { return true }
		box.Receive = func(context.Context, []string, []byte) error { return nil }
		box.Limits.fill()
		s := &server{Inbox: box, open: make(map[*session]bool), memory: &budget{left: box.Limits.Memory}}
		conn := &typed{Reader: &untilDATA{rest: b}}
		s.serve(t.Context(), conn)
	})
	costtest.Report(t, "internal/inbox")
}

// untilDATA is a sender that waits for the reply to DATA before it continues.
type untilDATA struct{ rest []byte }

func (u *untilDATA) Read(p []byte) (int, error) {
	if len(u.rest) == 0 {
		return 0, io.EOF
	}
	n := len(u.rest)
	if at := bytes.Index(u.rest[:min(len(u.rest), len(p))], []byte("DATA\r\n")); at >= 0 {
		n = at + len("DATA\r\n")
	}
	n = copy(p, u.rest[:n])
	u.rest = u.rest[n:]
	return n, nil
}
