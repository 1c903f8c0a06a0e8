package inbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	maxCommand   = 1024      // bytes of a command; RFC 5321 §4.5.3.1.4 requires 512, and SMTPUTF8 more
	maxLine      = 4096      // bytes of a line of a message; RFC 5321 §4.5.3.1.6 requires 1,000
	firstMemory  = 256 << 10 // bytes of a message that are not counted: real reports are smaller
	maxDiscarded = 4         // multiple of the limit of a message up to which a message that is too large is read
)

// refusal is a negative reply. After one that ends the session, nothing more of what was
// sent is read, because its boundaries are uncertain.
type refusal struct {
	reply string
	ends  bool
}

func (r *refusal) Error() string { return r.reply }

// budget is memory that sessions share.
type budget struct {
	mu   sync.Mutex
	left int
}

func (b *budget) take(n int) (ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}

func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
}

// message is a message that is being read. free releases its memory.
type message struct {
	limit  int
	memory *budget
	raw    []byte
	taken  int // memory taken from the budget
}

func (m *message) free() {
	m.memory.give(m.taken)
	m.raw, m.taken = nil, 0
}

// append adds to the message; memory beyond firstMemory is first taken from the budget.
func (m *message) append(b []byte) error {
	need := len(m.raw) + len(b)
	if need > m.limit {
		return &refusal{reply: fmt.Sprintf("552 5.3.4 the message is larger than %d bytes", m.limit)}
	}
	if need > cap(m.raw) {
		size := min(max(2*cap(m.raw), need, 4<<10), m.limit)
		if more := max(size-firstMemory, 0) - m.taken; more > 0 {
			if !m.memory.take(more) {
				return &refusal{"452 4.3.1 too much mail at the same time; try again later", true}
			}
			m.taken += more
		}
		m.raw = append(make([]byte, 0, size), m.raw...)
	}
	m.raw = append(m.raw, b...)
	return nil
}

// read reads a message up to its final dot and removes doubled dots (RFC 5321 §4.5.2). Only
// CRLF ends a line: a bare CR or LF, which other servers might accept, ends the session,
// because it could hide a second message. The rest of a message that is too large is read
// and discarded, so that its sender receives the reply.
func (m *message) read(r *bufio.Reader) error {
	var tooLarge error
	total := 0
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return &refusal{fmt.Sprintf("500 5.5.2 a line is longer than %d bytes", maxLine), true}
		}
		if err != nil {
			return err
		}
		if err := checkLine(line); err != nil {
			return err
		}
		if string(line) == ".\r\n" {
			return tooLarge
		}
		line = bytes.TrimPrefix(line, []byte("."))
		if total += len(line); total > maxDiscarded*m.limit {
			return &refusal{tooLarge.Error(), true}
		}
		if tooLarge == nil {
			if err := m.append(line); err != nil {
				var refused *refusal
				if errors.As(err, &refused) && refused.ends {
					return err
				}
				tooLarge = err
				m.free()
			}
		}
	}
}

var (
	errBareLine = &refusal{"550 5.5.2 a line does not end with CR LF", true}
	errNUL      = &refusal{"550 5.6.0 there is a NUL byte", true}
)

// checkLine checks and records a line including its end.
func checkLine(line []byte) error {
	switch {
	case bytes.IndexByte(line, 0) >= 0:
		return errNUL
	case !bytes.HasSuffix(line, []byte("\r\n")), bytes.IndexByte(line[:len(line)-2], '\r') >= 0:
		return errBareLine
	}
	return nil
}

// readCommand reads one command, without its line end.
func readCommand(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || len(line) > maxCommand {
		return "", &refusal{fmt.Sprintf("500 5.5.2 the command is longer than %d bytes", maxCommand), true}
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		return "", io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", err
	}
	if err := checkLine(line); err != nil {
		return "", err
	}
	return string(line[:len(line)-2]), nil
}
