package mail

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Timeouts limit every wait (RFC 5321 §4.5.3.2). The zero value of a field means the
// default next to it.
type Timeouts struct {
	Connect  time.Duration // 30 s, including the DNS lookup
	Greeting time.Duration // 5 m, also for EHLO, STARTTLS and AUTH
	Command  time.Duration // 5 m, for MAIL and RCPT
	Data     time.Duration // 2 m, for the 354
	Block    time.Duration // 3 m, for a block of the body
	Dot      time.Duration // 10 m, for the reply after the final dot
	Quit     time.Duration // 5 s
}

func (t *Timeouts) fill() {
	for _, f := range []struct {
		d        *time.Duration
		standard time.Duration
	}{
		{&t.Connect, 30 * time.Second}, {&t.Greeting, 5 * time.Minute}, {&t.Command, 5 * time.Minute},
		{&t.Data, 2 * time.Minute}, {&t.Block, 3 * time.Minute}, {&t.Dot, 10 * time.Minute}, {&t.Quit, 5 * time.Second},
	} {
		if *f.d <= 0 {
			*f.d = f.standard
		}
	}
}

// Options are options for connecting to a server.
type Options struct {
	Addr      string // HOST:PORT
	LocalName string // in EHLO; "localhost" if empty
	TLS       TLSMode
	TLSConfig *tls.Config // nil means the system's certificates, the host's name
	Username  string      // "" means no AUTH
	Password  string
	Timeouts  Timeouts
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error) // nil means that of net.Dialer
	// Trace, if set, gets each line of the dialogue, "C: …" and "S: …"; for passwords and
	// the message, only that they were sent.
	Trace func(line string)
}

// ReplyError is a negative reply of the server. The message was not delivered.
type ReplyError struct {
	Code     int    // 400 to 599
	Enhanced string // RFC 3463, "" if none: "5.1.1"
	Text     string // without the codes, UTF-8, on one line
	Phase    string // greeting, ehlo, starttls, auth, mail, rcpt, data, dot
}

func (e *ReplyError) Error() string {
	return fmt.Sprintf("server answered %d %s (%s)", e.Code, e.Words(), e.Phase)
}

// Words returns the reply without its code: the enhanced code, if there is one, and the text.
func (e *ReplyError) Words() string { return strings.TrimSpace(e.Enhanced + " " + e.Text) }

var (
	// ErrUncertain says that the final dot was sent and no reply came: the
	// message may have been delivered.
	ErrUncertain = errors.New("no reply after the message was handed over")
	// ErrStale says that a connection that was used before was found closed at the next
	// message; the message can be sent at once on another.
	ErrStale = errors.New("the server had closed the connection")
)

// Reply is a positive reply.
type Reply struct {
	Code     int
	Enhanced string
	Text     string
}

// Conn is an open SMTP connection for one message at a time.
type Conn struct {
	conn       net.Conn
	r          *bufio.Reader
	w          *bufio.Writer
	opts       Options
	extensions map[string]string
	pipelining bool
	maxSize    int // bytes that the server accepts, 0 if unknown
	usable     bool
	reset      bool // a transaction was not finished
	served     int  // messages sent
	secret     bool // a password is being sent

	out    []byte // the commands of a transaction
	list   []command
	pieces [][]byte
}

// The maximum size of one reply.
const (
	maxReplyLine  = 8 << 10
	maxReplyLines = 100
)

// Dial connects, greets, encrypts and authenticates according to opts.
func Dial(ctx context.Context, opts Options) (*Conn, error) {
	opts.Timeouts.fill()
	if opts.LocalName == "" {
		opts.LocalName = "localhost"
	}
	if opts.TLS == "" || opts.TLS == TLSOpportunistic && opts.Username != "" {
		opts.TLS = TLSRequired // send a password only to a server that proved its name
	}
	host, _, err := net.SplitHostPort(opts.Addr)
	if err != nil {
		return nil, fmt.Errorf("mail server %q is not HOST:PORT", opts.Addr)
	}
	dial := opts.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	connectCtx, cancel := context.WithTimeout(ctx, opts.Timeouts.Connect)
	defer cancel()
	nc, err := dial(connectCtx, "tcp", opts.Addr)
	if err != nil {
		return nil, connectError(err, opts.Dial == nil)
	}
	// Ending ctx also ends the wait for the greeting.
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c := &Conn{opts: opts, usable: true}
	c.use(nc)
	if err := c.hello(host); err != nil {
		nc.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if opts.TLS == TLSOpportunistic && errors.Is(err, errHandshake) { // otherwise the mail would never be delivered
			opts.TLS = TLSNone
			return Dial(ctx, opts)
		}
		return nil, err
	}
	return c, nil
}

// connectError says why there is no connection, and what to do if an admin configured the
// server. Callers add the name of the server.
func connectError(err error, isSet bool) error {
	var dial *net.OpError
	if errors.As(err, &dial) {
		err = dial.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	var lookup *net.DNSError
	switch isUnknown := errors.As(err, &lookup) && lookup.IsNotFound; {
	case isSet && isUnknown:
		return errors.New("no such host; check host in [mail]")
	case isSet && errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w; check that the mail server is running, and host and port in [mail]", err)
	}
	return fmt.Errorf("connect: %w", err)
}

func (c *Conn) use(nc net.Conn) {
	c.conn, c.r, c.w = nc, bufio.NewReaderSize(nc, maxReplyLine), bufio.NewWriterSize(nc, 64<<10)
}

func (c *Conn) ehlo() error {
	if err := c.send([]byte("EHLO " + c.opts.LocalName + "\r\n")); err != nil {
		return err
	}
	reply, err := c.readReply()
	if err != nil {
		return fmt.Errorf("ehlo: %w", err)
	}
	c.extensions, c.pipelining, c.maxSize = make(map[string]string), false, 0
	if reply.code == 421 {
		return reply.err("ehlo")
	}
	if reply.code/100 != 2 {
		// The server does not support extensions (RFC 5321 §4.1.4).
		if err := c.send([]byte("HELO " + c.opts.LocalName + "\r\n")); err != nil {
			return err
		}
		_, err := c.expect("ehlo", 250)
		return err
	}
	for _, line := range reply.lines[1:] {
		name, params, _ := strings.Cut(line, " ")
		c.extensions[strings.ToUpper(name)] = params
	}
	c.pipelining = c.has("PIPELINING")
	c.maxSize, _ = strconv.Atoi(c.extensions["SIZE"]) // 0 and no value both mean unknown
	return nil
}

// Usable reports whether another message can be sent.
func (c *Conn) Usable() bool { return c.usable }

// Close sends QUIT and closes the connection.
func (c *Conn) Close() error {
	if c.usable {
		c.usable = false
		c.deadline(c.opts.Timeouts.Quit)
		if c.send([]byte("QUIT\r\n")) == nil {
			c.readReply() // any reply will do
		}
	}
	return c.conn.Close()
}

func (c *Conn) deadline(d time.Duration) { c.conn.SetDeadline(time.Now().Add(d)) }

// send writes commands; any error makes the connection unusable.
func (c *Conn) send(b []byte) error {
	if c.opts.Trace != nil {
		c.traceCommands(string(b))
	}
	if _, err := c.conn.Write(b); err != nil {
		c.usable = false
		return err
	}
	return nil
}

// traceCommands reports commands; for the lines of AUTH, only that something was sent.
func (c *Conn) traceCommands(commands string) {
	for line := range strings.Lines(commands) {
		line = strings.TrimRight(line, "\r\n")
		if verb, rest, _ := strings.Cut(line, " "); c.secret && verb == "AUTH" {
			mechanism, _, _ := strings.Cut(rest, " ")
			line = "AUTH " + mechanism + " (hidden)"
		} else if c.secret {
			line = "(hidden)"
		}
		c.opts.Trace("C: " + clean([]byte(line)))
	}
}

// reply is a whole reply as received.
type reply struct {
	code  int
	lines []string // without the code
}

// readReply reads one reply. A reply that is not SMTP, too long, or late makes the
// connection unusable.
func (c *Conn) readReply() (reply, error) {
	var r reply
	for range maxReplyLines {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			c.usable = false
			if errors.Is(err, bufio.ErrBufferFull) {
				err = fmt.Errorf("a line of the reply is longer than %d bytes", maxReplyLine)
			}
			return reply{}, err
		}
		line = bytes.TrimRight(line, "\r\n")
		code := replyCode(line)
		if code == 0 || len(line) > 3 && line[3] != ' ' && line[3] != '-' || r.code != 0 && code != r.code {
			c.usable = false
			return reply{}, fmt.Errorf("the server's reply is not SMTP: %q", clean(line))
		}
		if c.opts.Trace != nil {
			c.opts.Trace("S: " + clean(line))
		}
		r.code = code
		r.lines = append(r.lines, clean(line[min(4, len(line)):]))
		if len(line) == 3 || line[3] == ' ' {
			if code == 421 { // the server closes the connection (RFC 5321 §4.2.1)
				c.usable = false
			}
			return r, nil
		}
	}
	c.usable = false
	return reply{}, fmt.Errorf("a reply has more than %d lines", maxReplyLines)
}

// replyCode returns the code of a reply, 0 if there is none.
func replyCode(line []byte) int {
	if len(line) < 3 {
		return 0
	}
	code := 0
	for _, d := range line[:3] {
		if d < '0' || d > '9' {
			return 0
		}
		code = code*10 + int(d-'0')
	}
	if code < 200 || code > 599 {
		return 0
	}
	return code
}

// keptReplyLine is the maximum number of bytes of a reply's line that are kept.
const keptReplyLine = 500

// clean converts the bytes of a server to text.
func clean(line []byte) string {
	plain := true
	for _, b := range line {
		plain = plain && b >= ' ' && b < 0x7f
	}
	if plain {
		return string(line[:min(len(line), keptReplyLine)])
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return '?'
		}
		return r
	}, DecodeText(line[:min(len(line), 4*keptReplyLine)]))
	if len(text) > keptReplyLine {
		text = strings.ToValidUTF8(text[:keptReplyLine], "")
	}
	return text
}

// DecodeText decodes the text of a server as UTF-8, or else as GB18030, which
// servers in China use although SMTP is ASCII (RFC 5321 §2.4).
func DecodeText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(decoded)
}

// enhanced splits the enhanced status code (RFC 3463) from a reply's text.
func (r reply) enhanced() (code, text string) {
	text = strings.Join(r.lines, " ")
	first, rest, _ := strings.Cut(r.lines[0], " ")
	parts := strings.Split(first, ".")
	if len(parts) != 3 || parts[0] != strconv.Itoa(r.code/100) {
		return "", text
	}
	for _, p := range parts[1:] {
		if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 999 {
			return "", text
		}
	}
	lines := append([]string{rest}, r.lines[1:]...)
	for i, l := range lines[1:] {
		lines[i+1] = strings.TrimPrefix(strings.TrimPrefix(l, first), " ")
	}
	return first, strings.Join(lines, " ")
}

func (r reply) err(phase string) *ReplyError {
	code, text := r.enhanced()
	return &ReplyError{Code: r.code, Enhanced: code, Text: text, Phase: phase}
}

// expect reads a reply and returns an error unless it has this code.
func (c *Conn) expect(phase string, code int) (reply, error) {
	r, err := c.readReply()
	switch {
	case err != nil:
		return reply{}, fmt.Errorf("%s: %w", phase, err)
	case r.code >= 400:
		return reply{}, r.err(phase)
	case r.code != code:
		c.usable = false
		return reply{}, fmt.Errorf("%s: the server answered %d where %d is expected", phase, r.code, code)
	}
	return r, nil
}
