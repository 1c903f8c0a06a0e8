package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Inbox takes mail that comes to us, by SMTP or LMTP or from a Maildir folder.
type Inbox struct {
	// Accept reports whether mail to an address is taken at all.
	Accept func(to string) bool
	// Receive takes a whole message of at most 10 MB; an error makes the sender try
	// again.
	Receive func(ctx context.Context, to []string, raw []byte) error
	Domain  string // how we greet
	LMTP    bool   // RFC 2033, for a mail server on this machine
	Logger  *slog.Logger
}

const (
	inboxTimeout     = 2 * time.Minute
	inboxRecipients  = 20
	inboxConnections = 50
	inboxLine        = 4096
)

// Serve takes mail on l until ctx ends.
func (b *Inbox) Serve(ctx context.Context, l net.Listener) error {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &inboxSession{inbox: b, ctx: ctx}, nil }))
	s.Domain, s.LMTP = cmp.Or(b.Domain, "localhost"), b.LMTP
	s.ReadTimeout, s.WriteTimeout = inboxTimeout, inboxTimeout
	s.MaxMessageBytes, s.MaxRecipients, s.MaxLineLength = maxReport, inboxRecipients, inboxLine
	s.EnableSMTPUTF8 = true
	s.ErrorLog = inboxLog{b.Logger}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(limitListener{l, make(chan struct{}, inboxConnections)}) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := s.Shutdown(within)
	if serveErr := <-ended; err == nil && !errors.Is(serveErr, smtp.ErrServerClosed) {
		err = serveErr
	}
	return err
}

// inboxLog hands what go-smtp logs to ours.
type inboxLog struct{ log *slog.Logger }

func (l inboxLog) Printf(format string, v ...any) {
	l.log.Debug("mail session ended", "err", fmt.Sprintf(format, v...))
}

func (l inboxLog) Println(v ...any) { l.log.Debug("mail session ended", "err", fmt.Sprintln(v...)) }

// limitListener keeps connections waiting beyond a number.
type limitListener struct {
	net.Listener
	slots chan struct{}
}

func (l limitListener) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, slots: l.slots}, nil
}

type limitedConn struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

func (c *limitedConn) Close() error {
	c.once.Do(func() { <-c.slots })
	return c.Conn.Close()
}

type inboxSession struct {
	inbox *Inbox
	ctx   context.Context // of Serve: go-smtp gives none
	to    []string
}

func (s *inboxSession) Mail(string, *smtp.MailOptions) error { return nil }

func (s *inboxSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !s.inbox.Accept(to) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such address here"}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *inboxSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.inbox.Receive(s.ctx, s.to, raw); err != nil {
		s.inbox.Logger.Error("mail that came back was not taken", "err", err)
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
	}
	return nil
}

// LMTPData answers for all recipients at once.
func (s *inboxSession) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	err := s.Data(r)
	for _, to := range s.to {
		status.SetStatus(to, err)
	}
	return nil
}

func (s *inboxSession) Reset()        { s.to = nil }
func (s *inboxSession) Logout() error { return nil }

// maildirEvery is how often a folder is looked at.
const maildirEvery = 15 * time.Second

// Watch takes the new mail of a Maildir folder until ctx ends. What was taken
// moves to cur, marked as seen; what could not be taken stays new.
func (b *Inbox) Watch(ctx context.Context, dir string) error {
	tick := time.NewTicker(maildirEvery)
	defer tick.Stop()
	for {
		if _, err := b.TakeMaildir(ctx, dir); err != nil && ctx.Err() == nil {
			b.Logger.Error("mail folder not read", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// TakeMaildir takes what is new in a Maildir folder now and returns how many
// messages that were.
func (b *Inbox) TakeMaildir(ctx context.Context, dir string) (taken int, err error) {
	entries, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil {
		return 0, fmt.Errorf("%s is no Maildir folder that dibao may read: %w", dir, err)
	}
	var problems []error
	for _, e := range entries {
		if !e.Type().IsRegular() || ctx.Err() != nil {
			continue
		}
		path := filepath.Join(dir, "new", e.Name())
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) { // another program was quicker
			continue
		}
		if err != nil {
			return taken, err
		}
		raw, err := io.ReadAll(io.LimitReader(f, maxReport))
		f.Close()
		if err != nil {
			return taken, err
		}
		if err := b.Receive(ctx, nil, raw); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", e.Name(), err)) // it stays there, and holds up no other
			continue
		}
		taken++
		if err := os.Rename(path, filepath.Join(dir, "cur", e.Name()+":2,S")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return taken, err
		}
	}
	return taken, errors.Join(problems...)
}
