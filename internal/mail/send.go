package mail

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Envelope is one message to one reader.
type Envelope struct {
	From string // envelope sender
	To   string
	Body []byte // as Append wrote it
}

// Send brings one message to the server. MAIL, RCPT and DATA go out together
// where the server takes that (RFC 2920). When the body is written, handOver is
// called, and only if it returns nil the final dot is sent: before that call
// the message can't have been delivered, after it only the reply can tell.
//
// Errors: *ReplyError for a refusal; ErrUncertain where no reply came after the
// dot; ErrStale where a connection that had served was found closed; anything
// else means that the message was not delivered. When ctx ends the connection
// is broken off, but not between the dot and its reply.
func (c *Conn) Send(ctx context.Context, e Envelope, handOver func() error) (Reply, error) {
	if !c.usable {
		return Reply{}, errors.New("the connection is closed")
	}
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := c.begin(e); err != nil {
		if ctx.Err() != nil {
			return Reply{}, ctx.Err()
		}
		return Reply{}, err
	}
	c.deadline(c.opts.Timeouts.Block)
	if ctx.Err() != nil { // it may have ended before the deadline was set anew
		c.usable = false
		return Reply{}, ctx.Err()
	}
	if err := writeStuffed(c.w, e.Body); err == nil {
		err = c.w.Flush()
		if err != nil {
			c.usable = false
			return Reply{}, fmt.Errorf("body: %w", err)
		}
	} else {
		c.usable = false
		return Reply{}, fmt.Errorf("body: %w", err)
	}
	if err := handOver(); err != nil {
		c.usable = false // without its dot the message is nothing; only closing takes it back
		return Reply{}, err
	}
	stop()
	c.deadline(c.opts.Timeouts.Dot)
	if err := c.send(".\r\n"); err != nil {
		return Reply{}, fmt.Errorf("%w: %v", ErrUncertain, err)
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

// begin brings a transaction to where the body may be written.
func (c *Conn) begin(e Envelope) error {
	commands, err := c.commands(e)
	if err != nil {
		return err
	}
	_, pipelining := c.extensions["PIPELINING"]
	c.deadline(c.opts.Timeouts.Command)
	if pipelining {
		if err := c.send(strings.Join(commands, "")); err != nil {
			return c.stale(err)
		}
	}
	var refused *ReplyError
	for i, command := range commands {
		phase := strings.ToLower(command[:4])
		if phase == "data" {
			c.deadline(c.opts.Timeouts.Data)
		}
		if !pipelining {
			if refused != nil {
				break
			}
			if err := c.send(command); err != nil {
				return c.stale(err)
			}
		}
		r, err := c.readReply()
		if err != nil {
			if i == 0 {
				return c.stale(err)
			}
			return fmt.Errorf("%s: %w", phase, err)
		}
		switch {
		case phase == "rset":
			c.reset = false
		case r.code == 421 && i == 0 && c.served > 0:
			return fmt.Errorf("%w: %w", ErrStale, r.err(phase))
		case r.code >= 400:
			if refused == nil {
				refused = r.err(phase)
			}
		case phase == "data" && refused != nil:
			// It wants a message that has no recipient. Whatever is sent now would
			// be one, so the connection goes.
			c.usable = false
		case phase == "data" && r.code != 354:
			c.usable = false
			return fmt.Errorf("data: the server answered %d where 354 is expected", r.code)
		}
	}
	if refused != nil {
		c.reset = true
		return refused
	}
	return nil
}

// stale tells a connection that was closed since its last message from one that
// never worked.
func (c *Conn) stale(err error) error {
	c.usable = false
	if c.served > 0 {
		return fmt.Errorf("%w: %v", ErrStale, err)
	}
	return fmt.Errorf("mail: %w", err)
}

// commands returns what begins a transaction.
func (c *Conn) commands(e Envelope) ([]string, error) {
	for _, address := range []string{e.From, e.To} {
		if strings.ContainsAny(address, "\r\n\x00<> ") || address == "" {
			return nil, fmt.Errorf("address %q is not allowed in an envelope", address)
		}
	}
	mail := "MAIL FROM:<" + e.From + ">"
	if _, ok := c.extensions["SIZE"]; ok {
		mail += fmt.Sprintf(" SIZE=%d", len(e.Body))
	}
	if _, ok := c.extensions["8BITMIME"]; ok {
		mail += " BODY=8BITMIME"
	}
	if !isASCII(e.From) || !isASCII(e.To) {
		if _, ok := c.extensions["SMTPUTF8"]; !ok {
			return nil, &ReplyError{Code: 553, Enhanced: "5.6.7", Phase: "mail", Text: "the server takes no addresses outside ASCII (SMTPUTF8)"}
		}
		mail += " SMTPUTF8"
	}
	commands := []string{mail + "\r\n", "RCPT TO:<" + e.To + ">\r\n", "DATA\r\n"}
	if c.reset {
		commands = append([]string{"RSET\r\n"}, commands...)
	}
	return commands, nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' })
}

// writeStuffed writes a body with every leading dot doubled (RFC 5321 §4.5.2)
// and every line ended by CRLF, so that no line of it can be taken for the end
// of the message.
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
			w.WriteString(".") // errors stay with the buffered writer
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
		if err := c.send(command + "\r\n"); err != nil {
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
			return errors.New("auth: the server's challenge is no base64")
		}
		answer, err := next(challenge)
		if err != nil {
			return fmt.Errorf("auth: %w", err)
		}
		command = base64.StdEncoding.EncodeToString(answer)
	}
	return errors.New("auth: the server keeps asking")
}
