package mail

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// finish checks what sending relies on, and hashes as much as possible of what
// all readers share.
func (p *Prepared) finish() error {
	for _, s := range p.segments {
		if s.encoded == nil {
			p.own = append(p.own, s.own)
		} else if bytes.HasPrefix(s.encoded, []byte(".")) || bytes.Contains(s.encoded, []byte("\n.")) {
			return errors.New("build message: a line begins with a dot") // base64 has none
		}
	}
	if p.dkim == nil {
		return nil
	}
	p.relaxed = make([][]byte, len(p.segments))
	p.start = sha256.New()
	p.fields = signedFields(p.head)
	shared := true
	for i, s := range p.segments {
		if s.encoded == nil {
			shared = false
			continue
		}
		p.relaxed[i] = relaxBody(s.encoded)
		if i == len(p.segments)-1 { // empty lines at the end are not hashed (RFC 6376 §3.4.4)
			end := bytes.TrimRight(p.relaxed[i], "\r\n")
			p.relaxed[i] = append(end[:len(end):len(end)], lineEnd...)
		}
		if shared {
			p.start.Write(p.relaxed[i])
		}
	}
	return nil
}

// Assembly is one message in pieces, most of them shared with all other messages of its
// variant: only a reader's own parts are copied. It can be reused for any number of
// messages; the zero value is ready.
type Assembly struct {
	Pieces [][]byte // pieces of the message; valid until the next Assemble

	own    []byte // header and lines of the reader
	ends   []int  // ends of the header and of each piece of lines in own
	line   []byte
	signed []byte
}

// Append appends the message for one reader to dst: CRLF lines, none of which begins with a
// dot. It refuses values that would break the header.
func (p *Prepared) Append(dst []byte, r Personal) ([]byte, error) {
	var a Assembly
	if err := p.Assemble(&a, r); err != nil {
		return dst, err
	}
	for _, piece := range a.Pieces {
		dst = append(dst, piece...)
	}
	return dst, nil
}

// Assemble assembles the message for one reader as pieces. It refuses the same values as
// Append.
func (p *Prepared) Assemble(a *Assembly, r Personal) error {
	if err := checkAddress(r.To); err != nil {
		return err
	}
	if strings.ContainsAny(r.MessageID, "<> \r\n\x00") {
		return fmt.Errorf("message id %q is not allowed", r.MessageID)
	}
	// All of the reader's own parts are written first: the pieces point into them, so they
	// must not move afterwards.
	own := appendHeader(a.own[:0], "To", formatAddress(r.To))
	own = append(append(append(own, "Message-ID: <"...), r.MessageID...), ">\r\n"...)
	for _, h := range r.Headers {
		if err := h.check(); err != nil {
			return err
		}
		own = appendHeader(own, h.Name, h.encoded())
	}
	ends := append(a.ends[:0], len(own))
	for _, parts := range p.own {
		a.line = pad(appendOwn(a.line[:0], parts, r.Slots))
		own = appendBase64(own, a.line)
		ends = append(ends, len(own))
	}
	a.own, a.ends = own, ends
	a.Pieces = append(a.Pieces[:0], nil, own[:ends[0]], p.head, lineEnd)
	for _, s := range p.segments {
		if s.encoded == nil {
			a.Pieces = append(a.Pieces, own[ends[0]:ends[1]])
			ends = ends[1:]
		} else {
			a.Pieces = append(a.Pieces, s.encoded)
		}
	}
	if p.dkim == nil {
		a.Pieces = a.Pieces[1:]
		return nil
	}
	return p.sign(a)
}

// sign inserts the signatures before the rest of the message. The hash of the body
// continues from the end of the shared beginning.
func (p *Prepared) sign(a *Assembly) error {
	h, err := p.start.(hash.Cloner).Clone()
	if err != nil {
		return fmt.Errorf("sign message: %w", err)
	}
	shared := true
	for i, s := range p.segments {
		switch {
		case s.encoded == nil:
			shared = false
			h.Write(a.Pieces[i+4]) // base64 is relaxed
		case !shared:
			h.Write(p.relaxed[i])
		}
	}
	a.signed, a.line, err = p.dkim.appendSignatures(a.signed[:0], a.line, h.Sum(nil), p.fields, a.Pieces[1])
	a.Pieces[0] = a.signed
	return err
}
