package mail

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Envelope is one message to one reader.
type Envelope struct {
	From string // envelope sender
	To   string
	Body []byte // as written by Append; or:
	// Pieces are the message in pieces, from Prepared.Pieces: whole lines, none
	// of which begins with a dot.
	Pieces [][]byte
	DSN    bool // request reports of failures only, without the message (RFC 3461), if the server supports it
}

func (e *Envelope) size() int {
	n := len(e.Body)
	for _, p := range e.Pieces {
		n += len(p)
	}
	return n
}

// Send sends one message to the server. MAIL, RCPT and DATA are sent together
// if the server supports it (RFC 2920). After the body is written, Send calls
// handOver, and sends the final dot only if that returns nil: before the call
// the message can't have been delivered; after it only the reply shows whether
// it was.
//
// Errors: *ReplyError for a refusal; ErrUncertain if no reply came after the
// dot; ErrStale if a reused connection was found closed; any other error means
// that the message was not delivered. When ctx ends, Send closes the connection
// off, but not between the dot and its reply.
func (c *Conn) Send(ctx context.Context, e Envelope, handOver func() error) (Reply, error) {
	if !c.usable {
		return Reply{}, errors.New("the connection is closed")
	}
	broken := make(chan struct{}) // closed when ending ctx has broken the connection
	stop := context.AfterFunc(ctx, func() {
		defer close(broken)
		c.conn.SetDeadline(time.Unix(1, 0))
	})
	defer stop()
	if err := c.begin(&e); err != nil {
		if ctx.Err() != nil {
			c.usable = false
			return Reply{}, ctx.Err()
		}
		return Reply{}, err
	}
	if err := c.writeBody(ctx, &e); err != nil {
		c.usable = false
		return Reply{}, fmt.Errorf("body: %w", err)
	}
	if c.opts.Trace != nil {
		c.opts.Trace(fmt.Sprintf("   (the message, %d bytes)", e.size()))
	}
	if err := handOver(); err != nil {
		c.usable = false // without its dot the message is not accepted; only closing the connection discards it
		return Reply{}, err
	}
	if !stop() {
		<-broken // wait for its deadline to be set, which must not replace that of the final dot
	}
	c.deadline(c.opts.Timeouts.Dot)
	if err := c.send(finalDot); err != nil {
		return Reply{}, fmt.Errorf("final dot: %w", err) // it was not sent completely: the server has no message
	}
	r, err := c.readReply()
	if err != nil {
		return Reply{}, fmt.Errorf("%w: %v", ErrUncertain, err)
	}
	c.served++
	if r.code >= 400 {
		return Reply{}, r.err("dot")
	}
	code, text := r.enhanced()
	return Reply{Code: r.code, Enhanced: code, Text: text}, nil
}

var finalDot = []byte(".\r\n")

// blockSize is the number of bytes of a body with one deadline (RFC 5321 §4.5.3.2.5 limits
// the wait for each block, not for the whole).
const blockSize = 256 << 10

// writeBody writes the message without its final dot. The pieces go to the
// kernel unchanged, all in one call if the connection is not encrypted.
func (c *Conn) writeBody(ctx context.Context, e *Envelope) error {
	c.deadline(c.opts.Timeouts.Block)
	if err := ctx.Err(); err != nil { // it may have ended before the new deadline was set
		return err
	}
	if e.Pieces == nil {
		out := &blockWriter{c: c, ctx: ctx}
		c.w.Reset(out)
		defer c.w.Reset(c.conn)
		if err := writeStuffed(c.w, e.Body); err != nil {
			return err
		}
		return c.w.Flush()
	}
	if _, plain := c.conn.(*net.TCPConn); !plain || e.size() > blockSize {
		out := &blockWriter{c: c, ctx: ctx}
		c.w.Reset(out)
		defer c.w.Reset(c.conn)
		for _, p := range e.Pieces {
			if _, err := c.w.Write(p); err != nil {
				return err
			}
		}
		return c.w.Flush()
	}
	c.pieces = append(c.pieces[:0], e.Pieces...)
	rest := net.Buffers(c.pieces)
	_, err := rest.WriteTo(c.conn)
	return err
}

// blockWriter renews the deadline for each block.
type blockWriter struct {
	c    *Conn
	ctx  context.Context // context of one Send
	done int
}

func (w *blockWriter) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		if w.done >= blockSize {
			w.done = 0
			w.c.deadline(w.c.opts.Timeouts.Block)
			if err := w.ctx.Err(); err != nil {
				return written, err
			}
		}
		n, err := w.c.conn.Write(p[written:min(len(p), written+blockSize-w.done)])
		written, w.done = written+n, w.done+n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// begin runs a transaction up to the body.
func (c *Conn) begin(e *Envelope) error {
	commands, err := c.commands(e)
	if err != nil {
		return err
	}
	c.deadline(c.opts.Timeouts.Command)
	if c.pipelining {
		if err := c.send(c.out); err != nil {
			return c.stale(err)
		}
	}
	var refused *ReplyError
	for i, command := range commands {
		if command.phase == "data" {
			c.deadline(c.opts.Timeouts.Data)
		}
		if !c.pipelining {
			if refused != nil {
				break
			}
			if err := c.send(c.out[command.from:command.to]); err != nil {
				return c.stale(err)
			}
		}
		r, err := c.readReply()
		if err != nil {
			if i == 0 {
				return c.stale(err)
			}
			return fmt.Errorf("%s: %w", command.phase, err)
		}
		switch {
		case command.phase == "rset" && r.code != 421:
			c.reset = false
		case r.code == 421 && i == 0 && c.served > 0:
			return fmt.Errorf("%w: %w", ErrStale, r.err(command.phase))
		case r.code == 421:
			return r.err(command.phase) // the server closes; it answers nothing else
		case r.code >= 400:
			if refused == nil {
				refused = r.err(command.phase)
			}
		case command.phase == "data" && refused != nil:
			// The server accepts DATA although there is no recipient. Anything that is sent
			// now would be a message, so the connection is closed.
			c.usable = false
		case command.phase == "data" && r.code != 354, command.phase != "data" && r.code/100 != 2:
			c.usable = false
			return fmt.Errorf("%s: the server answered %d", command.phase, r.code)
		}
	}
	if refused != nil {
		c.reset = true
		return refused
	}
	return nil
}

// TrySender asks the server whether it accepts a sender, and then resets
// (RSET): nothing is sent. A refusal is a *ReplyError of phase "mail".
func (c *Conn) TrySender(from string) error {
	if strings.ContainsAny(from, "\r\n\x00<> ") || from == "" {
		return fmt.Errorf("address %q is not allowed in an envelope", from)
	}
	c.deadline(c.opts.Timeouts.Command)
	if err := c.send([]byte("MAIL FROM:<" + from + ">\r\n")); err != nil {
		return err
	}
	_, refused := c.expect("mail", 250)
	if !c.usable {
		return refused
	}
	if err := c.send([]byte("RSET\r\n")); err != nil {
		return errors.Join(refused, err)
	}
	if _, err := c.readReply(); err != nil { // any reply will do
		return errors.Join(refused, err)
	}
	return refused
}

// stale distinguishes a connection that was closed after its last message from one that
// never worked.
func (c *Conn) stale(err error) error {
	c.usable = false
	if c.served > 0 {
		return fmt.Errorf("%w: %v", ErrStale, err)
	}
	return fmt.Errorf("mail: %w", err)
}

// command is a piece of c.out.
type command struct {
	phase    string
	from, to int
}

// commands writes the commands that begin a transaction to c.out.
func (c *Conn) commands(e *Envelope) ([]command, error) {
	for _, address := range []string{e.From, e.To} {
		if strings.ContainsAny(address, "\r\n\x00<> ") || address == "" {
			return nil, fmt.Errorf("address %q is not allowed in an envelope", address)
		}
	}
	size := e.size()
	if c.maxSize > 0 && size > c.maxSize {
		return nil, &ReplyError{Code: 552, Enhanced: "5.3.4", Phase: "mail", Text: fmt.Sprintf("the server accepts at most %d bytes; the message has %d", c.maxSize, size)}
	}
	out, all := c.out[:0], c.list[:0]
	end := func(phase string) {
		out = append(out, "\r\n"...)
		from := 0
		if len(all) > 0 {
			from = all[len(all)-1].to
		}
		all = append(all, command{phase, from, len(out)})
	}
	if c.reset {
		out = append(out, "RSET"...)
		end("rset")
	}
	out = append(append(append(out, "MAIL FROM:<"...), e.From...), '>')
	if c.has("SIZE") {
		out = strconv.AppendInt(append(out, " SIZE="...), int64(size), 10)
	}
	if c.has("8BITMIME") {
		out = append(out, " BODY=8BITMIME"...)
	}
	if !isASCII(e.From) || !isASCII(e.To) {
		if !c.has("SMTPUTF8") {
			return nil, &ReplyError{Code: 553, Enhanced: "5.6.7", Phase: "mail", Text: "the server accepts no addresses outside ASCII (SMTPUTF8)"}
		}
		out = append(out, " SMTPUTF8"...)
	}
	dsn := e.DSN && c.has("DSN")
	if dsn {
		out = append(out, " RET=HDRS"...)
	}
	end("mail")
	out = append(append(append(out, "RCPT TO:<"...), e.To...), '>')
	if dsn {
		out = append(out, " NOTIFY=FAILURE"...)
	}
	end("rcpt")
	out = append(out, "DATA"...)
	end("data")
	c.out, c.list = out, all
	return all, nil
}

func (c *Conn) has(extension string) bool {
	_, ok := c.extensions[extension]
	return ok
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' })
}

// writeStuffed writes a body with every leading dot doubled (RFC 5321 §4.5.2) and every
// line ended by CRLF, so that no line of it can be taken for the end of the message.
func writeStuffed(w interface {
	Write([]byte) (int, error)
	WriteString(string) (int, error)
}, body []byte) error {
	for len(body) > 0 {
		line := body
		if i := bytes.IndexByte(body, '\n'); i >= 0 {
			line, body = body[:i], body[i+1:]
		} else {
			body = nil
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if bytes.IndexByte(line, '\r') >= 0 {
			line = bytes.ReplaceAll(line, []byte("\r"), []byte(" "))
		}
		if len(line) > 0 && line[0] == '.' {
			w.WriteString(".") // the buffered writer remembers errors
		}
		w.Write(line)
		if _, err := w.WriteString("\r\n"); err != nil {
			return err
		}
	}
	return nil
}

// converse runs a SASL exchange (RFC 4954).
func (c *Conn) converse(mechanism string, initial []byte, next func([]byte) ([]byte, error)) error {
	command := "AUTH " + mechanism
	if initial != nil {
		command += " " + base64.StdEncoding.EncodeToString(initial)
	}
	for range 10 {
		if err := c.send([]byte(command + "\r\n")); err != nil {
			return fmt.Errorf("auth: %w", err)
		}
		r, err := c.readReply()
		if err != nil {
			return fmt.Errorf("auth: %w", err)
		}
		if r.code >= 400 {
			return r.err("auth")
		}
		if r.code == 235 {
			return nil
		}
		challenge, err := base64.StdEncoding.DecodeString(r.lines[0])
		if err != nil {
			return errors.New("auth: the server's challenge is not base64")
		}
		answer, err := next(challenge)
		if err != nil {
			return fmt.Errorf("auth: %w", err)
		}
		command = base64.StdEncoding.EncodeToString(answer)
	}
	return errors.New("auth: the server sends too many challenges")
}
