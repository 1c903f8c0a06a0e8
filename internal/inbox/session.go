package inbox

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// session is one connection.
type session struct {
	*server
	ctx    context.Context // context of Serve; a message may still be passed on after it ends
	peer   peer
	raw    net.Conn // the accepted connection
	conn   net.Conn // raw, or with TLS
	r      *bufio.Reader
	w      *bufio.Writer
	closes time.Time // end of the session at the latest

	greeted  bool
	from     bool // MAIL was accepted
	utf8     bool // the message is in UTF-8
	to       []string
	errors   int
	commands int // commands since the last message
	messages int

	mu    sync.Mutex
	stage int       // the furthest stage toward a message
	since time.Time // when it was reached
	busy  bool      // it is passing on a message
	last  string    // the reply with which it has to end; "" if it does not have to
}

// The stages of a session. Repeating one is not progress.
const (
	stageConnected = iota
	stageGreeted
	stageFrom
	stageTo
	stageData
	stageTaken // resets the stage
)

// serve talks to a sender until either ends the session.
func (s *server) serve(ctx context.Context, conn net.Conn) {
	now := time.Now()
	c := &session{server: s, ctx: ctx, peer: peerOf(conn.RemoteAddr()), raw: conn, closes: now.Add(s.Limits.Session), since: now}
	c.use(conn)
	defer c.raw.Close()
	if !s.admit(c) {
		c.sendLastReply("421 4.7.0 too many connections; try again later")
		return
	}
	err := c.converse()
	s.leave(c)
	s.Logger.Debug("mail session ended", "err", err)
	var refused *refusal
	c.mu.Lock()
	last := c.last
	c.mu.Unlock()
	switch {
	case last != "":
		c.sendLastReply(last)
	case errors.As(err, &refused):
		c.sendLastReply(refused.reply)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.sendLastReply("421 4.4.2 " + s.Domain + " waited too long")
	case err == nil:
		c.sendLastReply("")
	}
}

func (c *session) use(conn net.Conn) {
	c.conn = conn
	c.w = bufio.NewWriterSize(conn, 1024)
	c.r = bufio.NewReaderSize(flushing{c}, maxLine)
}

// flushing sends the pending replies before it waits for input.
type flushing struct{ c *session }

func (f flushing) Read(p []byte) (int, error) {
	if err := f.c.w.Flush(); err != nil {
		return 0, err
	}
	return f.c.conn.Read(p)
}

// end makes the session end with a reply, as soon as possible.
func (c *session) end(reply string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = cmp.Or(c.last, reply)
	c.raw.SetDeadline(time.Unix(1, 0))
}

// deadline allows d for the next step, but not more than the maximum for the whole session.
// After end it does nothing.
func (c *session) deadline(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != "" {
		return
	}
	at := time.Now().Add(d)
	if at.After(c.closes) {
		at = c.closes
	}
	c.raw.SetDeadline(at)
}

// sendLastReply sends the last reply and reads on for a moment: if a connection
// is closed with unread bytes, its sender may lose the reply.
func (c *session) sendLastReply(reply string) {
	c.raw.SetDeadline(time.Now().Add(lastReplyWithin))
	err := c.w.Flush()
	if reply != "" { // directly, because the buffered writer writes nothing after an error
		_, err = io.WriteString(c.conn, reply+"\r\n")
	}
	if err != nil {
		return
	}
	if tcp, ok := c.raw.(*net.TCPConn); ok && tcp.CloseWrite() == nil {
		io.CopyN(io.Discard, tcp, 1<<20)
	}
}

// reached records progress toward a message.
func (c *session) reached(stage int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stage <= c.stage {
		return
	}
	c.stage, c.since = stage, time.Now()
	if stage == stageTaken {
		c.stage = stageConnected
	}
}

// progress returns since when the session has been idle, and whether it is passing on a
// message, during which it must not be interrupted.
func (c *session) progress() (since time.Time, busy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since, c.busy
}

func (c *session) setBusy(busy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = busy
}

// converse answers commands. It returns nil after QUIT, a *refusal if the
// session has to end with that reply, or the error of the connection.
func (c *session) converse() error {
	c.deadline(c.Limits.Command)
	c.say("220 " + c.Domain + " ESMTP")
	for {
		c.deadline(c.Limits.Command)
		line, err := readCommand(c.r)
		if err != nil {
			return err
		}
		if c.commands++; c.commands > c.Limits.Commands {
			return &refusal{"421 4.7.0 too many commands", true}
		}
		err = c.command(line)
		if errors.Is(err, errQuit) {
			return nil
		}
		var refused *refusal
		switch {
		case err == nil:
		case !errors.As(err, &refused) || refused.ends:
			return err
		default:
			if c.errors++; c.errors > c.Limits.Errors {
				return &refusal{"421 4.7.0 too many errors", true}
			}
			c.say(refused.reply)
		}
	}
}

// say writes a reply; errors are returned when it is flushed.
func (c *session) say(reply string) {
	c.w.WriteString(reply)
	c.w.WriteString("\r\n")
}

// startTLS encrypts the connection. The earlier dialogue is discarded, and plain text that
// was sent after the command ends the session.
func (c *session) startTLS() error {
	_, encrypted := c.conn.(*tls.Conn)
	switch {
	case c.TLS == nil || encrypted:
		return &refusal{reply: "502 5.5.1 there is no STARTTLS here"}
	case c.r.Buffered() > 0:
		return &refusal{"503 5.5.1 commands after STARTTLS are not encrypted", true}
	}
	c.say("220 2.0.0 go ahead")
	if err := c.w.Flush(); err != nil {
		return err
	}
	conn := tls.Server(c.raw, c.TLS)
	if err := conn.HandshakeContext(c.ctx); err != nil {
		c.use(c.raw)
		return err
	}
	c.use(conn)
	c.greeted = false
	c.reset()
	return nil
}

// data receives a message.
func (c *session) data() error {
	switch {
	case len(c.to) == 0:
		return &refusal{reply: "503 5.5.1 no recipient was accepted"}
	case c.r.Buffered() > 0: // it was sent before our reply: where it begins is uncertain
		return &refusal{"503 5.5.1 the message was sent before 354", true}
	}
	c.say("354 go ahead; end with a dot on a line of its own")
	c.reached(stageData)
	c.deadline(c.Limits.Data)
	m := &message{limit: c.Limits.Message, memory: c.memory}
	defer m.free()
	err := m.read(c.r)
	var refused *refusal
	switch {
	case errors.As(err, &refused) && !refused.ends:
		c.Logger.Warn("returned mail refused", "to", c.to, "err", refused.reply)
	case err != nil:
		return err
	default:
		refused = c.handOver(m)
	}
	c.answer(refused)
	c.reset()
	c.commands = 0
	if c.messages++; c.messages >= c.Limits.Messages {
		return &refusal{"421 4.7.0 too many messages on this connection; use another", true}
	}
	return nil
}

// handOver passes the message to Receive.
func (c *session) handOver(m *message) *refusal {
	c.setBusy(true)
	defer c.setBusy(false)
	ctx, cancel := context.WithTimeout(c.ctx, receiveWithin)
	defer cancel()
	if err := c.Receive(ctx, c.to, m.raw); err != nil {
		c.Logger.Error("returned mail not processed", "err", err)
		return &refusal{reply: "451 4.3.0 try again later"}
	}
	c.reached(stageTaken)
	return nil
}

// answer replies to a message: once, or in LMTP once for each recipient (RFC 2033 §4.2).
func (c *session) answer(refused *refusal) {
	reply, times := "250 2.0.0 taken", 1
	if refused != nil {
		reply = refused.reply
	}
	if c.LMTP {
		times = len(c.to)
	}
	c.deadline(c.Limits.Command)
	for range times {
		c.say(reply)
	}
}

func (c *session) reset() { c.from, c.utf8, c.to = false, false, nil }
