// Package inbox receives returned mail: by SMTP, by LMTP, or from a Maildir folder. Anybody
// can connect to the listener, so all resources are limited: connections, time, memory,
// recipients, errors.
//
// Sources: RFC 5321 (SMTP), 2033 (LMTP), 2920 (PIPELINING), 1870 (SIZE), 6152
// (8BITMIME), 3207 (STARTTLS), 6531 (SMTPUTF8), 2034 (enhanced codes).
package inbox

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Inbox receives mail.
type Inbox struct {
	// Accept reports whether mail to an address is accepted at all. It is
	// called before any of the message is read.
	Accept func(ctx context.Context, to string) bool
	// Receive processes a whole message; after an error the sender tries again. It may keep
	// the message.
	Receive func(ctx context.Context, to []string, raw []byte) error
	Domain  string      // the host name in our greeting; "localhost" if empty
	LMTP    bool        // RFC 2033, for a mail server on this machine
	TLS     *tls.Config // nil means without STARTTLS
	Limits  Limits
	Logger  *slog.Logger
}

// Limits limit what senders can use. The zero value of a field means the default next to
// it.
type Limits struct {
	Message     int           // 1 MiB; bytes of one message
	Memory      int           // 16 MiB; bytes of all messages that are being read, beyond the first 256 KiB of each
	Connections int           // 50 in total
	PerNetwork  int           // 20 from one /24 (IPv4) or /64 (IPv6)
	PerAddress  int           // 10 from one address; neither applies to this machine
	Recipients  int           // 20 per message
	Errors      int           // 10 per connection
	Commands    int           // 100 between two messages of one connection
	Messages    int           // 100 per connection
	Command     time.Duration // 1 m; the wait for a command, and for a reply to be read
	Data        time.Duration // 3 m; for a whole message
	Session     time.Duration // 15 m; for a whole connection
}

func (l *Limits) fill() {
	for _, f := range []struct {
		n        *int
		standard int
	}{
		{&l.Message, 1 << 20}, {&l.Memory, 16 << 20}, {&l.Connections, 50}, {&l.PerNetwork, 20}, {&l.PerAddress, 10},
		{&l.Recipients, 20}, {&l.Errors, 10}, {&l.Commands, 100}, {&l.Messages, 100},
	} {
		*f.n = cmp.Or(*f.n, f.standard)
	}
	l.Command = cmp.Or(l.Command, time.Minute)
	l.Data = cmp.Or(l.Data, 3*time.Minute)
	l.Session = cmp.Or(l.Session, 15*time.Minute)
}

const (
	stopWithin      = 10 * time.Second // time for messages that are being received when ctx ends
	receiveWithin   = time.Minute      // time for one message
	lastReplyWithin = time.Second      // time for the last reply of a connection that is being closed
)

// Serve receives mail on l until ctx ends.
func (b *Inbox) Serve(ctx context.Context, l net.Listener) error {
	box := *b
	box.Limits.fill()
	box.Domain = cmp.Or(box.Domain, "localhost")
	s := &server{Inbox: &box, open: make(map[*session]bool), memory: &budget{left: box.Limits.Memory}}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	err := s.accept(context.WithoutCancel(ctx), l)
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, s.close())
}

// server is a running inbox.
type server struct {
	*Inbox
	memory *budget
	all    sync.WaitGroup

	mu   sync.Mutex
	open map[*session]bool
}

// accept starts a session for each connection. Sessions that were ended for others have a
// moment for their last reply: there are at most as many of these as of others.
func (s *server) accept(ctx context.Context, l net.Listener) error {
	running := make(chan struct{}, 2*s.Limits.Connections)
	for {
		running <- struct{}{}
		conn, err := l.Accept()
		var temporary net.Error
		switch {
		case err == nil:
		case errors.As(err, &temporary) && temporary.Timeout(), isExhausted(err):
			<-running
			time.Sleep(50 * time.Millisecond) // other connections end in the meantime
			continue
		default:
			return fmt.Errorf("receive mail on %s: %w", l.Addr(), err)
		}
		s.all.Go(func() {
			defer func() { <-running }()
			s.serve(ctx, conn)
		})
	}
}

// close ends all sessions; those that are passing on a message can finish.
func (s *server) close() error {
	s.mu.Lock()
	for c := range s.open {
		c.end("421 4.3.2 this server is shutting down; try again later")
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.all.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-time.After(stopWithin):
		return fmt.Errorf("returned mail was still being received after %s; its senders will try again", stopWithin)
	}
}
