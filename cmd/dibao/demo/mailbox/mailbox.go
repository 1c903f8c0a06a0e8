// Package mailbox is a mail server that stores what it receives, for the demo, the
// benchmarks and the tests: a real SMTP conversation, and a page that shows the emails.
// It forwards nothing and listens on the given loopback address.
package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"encoding/base64"
	"mime/quotedprintable"

	"github.com/emersion/go-smtp"
)

// Options are the options of a mailbox. The zero value keeps mail in memory and refuses
// nothing.
type Options struct {
	// Dir, if set, is the folder in which each message is stored before it is acknowledged:
	// an acknowledged message survives even if all processes are killed.
	Dir string
	// Reject, if set, is called for each recipient; its result is the reply.
	Reject func(from, to string) *smtp.SMTPError
	// EnvelopesOnly keeps only the envelope, the time and the Message-ID of each message: tests
	// receive hundreds of thousands.
	EnvelopesOnly bool
	// MaxBytes is the maximum size of a message; 0 is 10 MiB.
	MaxBytes int64
}

// Message is a received message.
type Message struct {
	From, To    string // addresses in the envelope
	ReceivedAt  time.Time
	Raw         []byte
	Header      netmail.Header
	Subject     string
	MessageID   string
	Text, HTML  string
	Unsubscribe string // the https or http address of List-Unsubscribe
}

// Mailbox receives mail. It is safe for concurrent use.
type Mailbox struct {
	opts Options

	mu       sync.Mutex
	messages []Message
	arrived  chan struct{} // closed and replaced with each message
}

// New returns a mailbox that does not listen yet.
func New(opts Options) *Mailbox {
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 10 << 20
	}
	return &Mailbox{opts: opts, arrived: make(chan struct{})}
}

// Run receives on l until ctx ends.
func (m *Mailbox) Run(ctx context.Context, l net.Listener) error {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: m}, nil }))
	s.Domain = "mailbox.invalid"
	s.ReadTimeout, s.WriteTimeout = time.Minute, time.Minute
	s.MaxMessageBytes = m.opts.MaxBytes
	s.MaxRecipients = 100
	s.EnableSMTPUTF8 = true
	s.ErrorLog = discard{}
	context.AfterFunc(ctx, func() { s.Close() })
	err := s.Serve(l)
	if ctx.Err() != nil || errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

// Messages returns the messages received so far, oldest first.
func (m *Mailbox) Messages() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Message(nil), m.messages...)
}

// Count returns the number of messages received so far.
func (m *Mailbox) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.messages)
}

// Wait returns when n messages have been received, or with ctx's error.
func (m *Mailbox) Wait(ctx context.Context, n int) error {
	for {
		m.mu.Lock()
		have, arrived := len(m.messages), m.arrived
		m.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return fmt.Errorf("waited for %d messages, only %d arrived: %w", n, have, ctx.Err())
		}
	}
}

func (m *Mailbox) keep(msg Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.opts.Dir != "" {
		name := filepath.Join(m.opts.Dir, fmt.Sprintf("%08d.eml", len(m.messages)+1))
		if err := os.WriteFile(name, msg.Raw, 0o600); err != nil {
			return err
		}
	}
	m.messages = append(m.messages, msg)
	close(m.arrived)
	m.arrived = make(chan struct{})
	return nil
}

// session is one SMTP connection.
type session struct {
	box  *Mailbox
	from string
	to   []string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.box.opts.Reject != nil {
		if err := s.box.opts.Reject(s.from, to); err != nil {
			return err
		}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, to := range s.to {
		m, body := parse(s.from, to, raw)
		switch {
		case s.box.opts.EnvelopesOnly:
			m = Message{From: m.From, To: m.To, ReceivedAt: m.ReceivedAt, MessageID: m.MessageID}
		case body != nil:
			m.readPart(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), body, 0)
		}
		if err := s.box.keep(m); err != nil {
			return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "not stored"}
		}
	}
	return nil
}

func (s *session) Reset()        { s.from, s.to = "", nil }
func (s *session) Logout() error { return nil }

// parse reads the header of a message and returns its body; the whole message stays in Raw.
func parse(from, to string, raw []byte) (m Message, body io.Reader) {
	m = Message{From: from, To: to, ReceivedAt: time.Now(), Raw: raw}
	msg, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return m, nil
	}
	m.Header = msg.Header
	m.MessageID = strings.Trim(msg.Header.Get("Message-Id"), "<> ")
	m.Subject = msg.Header.Get("Subject")
	if decoded, err := new(mime.WordDecoder).DecodeHeader(m.Subject); err == nil {
		m.Subject = decoded
	}
	for part := range strings.SplitSeq(msg.Header.Get("List-Unsubscribe"), ",") {
		if a := strings.Trim(part, " <>"); m.Unsubscribe == "" && strings.HasPrefix(a, "http") {
			m.Unsubscribe = a
		}
	}
	return m, msg.Body
}

// maxParts is the maximum depth of nested parts that are read.
const maxParts = 5

func (m *Message) readPart(contentType, encoding string, r io.Reader, depth int) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		mediaType = "text/plain"
	}
	if strings.HasPrefix(mediaType, "multipart/") && depth < maxParts {
		parts := multipart.NewReader(r, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return
			}
			m.readPart(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, depth+1)
		}
	}
	switch strings.ToLower(encoding) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return
	}
	switch {
	case mediaType == "text/plain" && m.Text == "":
		m.Text = string(body)
	case mediaType == "text/html" && m.HTML == "":
		m.HTML = string(body)
	}
}
