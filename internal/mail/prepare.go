package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"hash"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/jordan-wright/email"
)

// Message contains what all readers of a variant share.
type Message struct {
	From    netmail.Address
	Subject string
	Date    time.Time
	Text    string // the text/plain part
	HTML    string // the text/html part
	// TextOnly leaves the HTML out: the message has only the text.
	TextOnly bool
	// TextPieces and HTMLPieces, if set, replace the parts: pieces that many
	// messages share and that were encoded once.
	TextPieces, HTMLPieces []Piece
	Headers                []Header
	DKIM                   *Signer // nil means unsigned
}

// Personal contains the parts for one reader.
type Personal struct {
	To        netmail.Address
	MessageID string // without angle brackets
	Headers   []Header
	Slots     []string // the text for each mark, by Mark.Slot
}

// Prepared is a message encoded once for all its readers. It is safe for
// concurrent use.
type Prepared struct {
	head     []byte // the shared header fields
	segments []*segment
	own      [][]slotted // the segments that contain slots, in their order
	dkim     *Signer
	start    hash.Hash     // state after hashing the body up to the first line with a reader's own text; nil means unsigned
	fields   []signedField // signed fields
	relaxed  [][]byte      // the encoded segments as DKIM hashes them: mostly the same bytes
}

// segment is a piece of the body: whole lines as they are sent, none of which
// begins with a dot, or a line with slots that is encoded for each reader.
type segment struct {
	encoded []byte
	own     []slotted
}

// Mark is a place in a text for a reader's own part: an offset in bytes that
// was recorded when the text was written. The text itself is never searched, so
// that no text of an article can create such a place.
type Mark struct {
	At   int
	Slot int // index of Personal.Slots
}

// slotted is literal text and, after it, a slot: its index, or -1.
type slotted struct {
	literal string
	slot    int
}

// The placeholders for text and HTML while the library builds the message
// around them. Quoted-printable leaves them unchanged.
const (
	textLeaf = "dibao-text-leaf"
	htmlLeaf = "dibao-html-leaf"
)

// Prepare checks and encodes a message. The library builds the header and the
// multipart skeleton; its parts are quoted-printable, which makes Chinese 2.5
// to 3.2 times its size, so they are replaced by ours in base64.
func Prepare(m Message) (*Prepared, error) {
	if err := checkAddress(m.From); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := checkValue("the subject", m.Subject); err != nil {
		return nil, err
	}
	// Set the fields that the library would otherwise generate; the fields for one reader
	// are inserted later.
	headers := textproto.MIMEHeader{
		"Message-Id": {"<nobody@reader.invalid>"},
		"Date":       {m.Date.Format(time.RFC1123Z)},
	}
	for _, h := range m.Headers {
		if err := h.check(); err != nil {
			return nil, err
		}
		headers[h.Name] = append(headers[h.Name], h.encoded())
	}
	text, html := m.pieces()
	e := email.Email{
		From: formatAddress(m.From), To: []string{"nobody@reader.invalid"},
		// Encoded here, as base64: the library would make it quoted-printable.
		Subject: encodeWords(m.Subject),
		Text:    []byte(textLeaf), Headers: headers,
	}
	if html != nil {
		e.HTML = []byte(htmlLeaf)
	}
	raw, err := e.Bytes()
	if err != nil {
		return nil, fmt.Errorf("build message: %w", err)
	}
	head, body, found := strings.Cut(string(raw), "\r\n\r\n")
	if !found {
		return nil, fmt.Errorf("build message: the library wrote no header")
	}
	p := &Prepared{dkim: m.DKIM, head: sharedHead(head, formatAddress(m.From), m.Headers)}
	if html == nil {
		p.join(text)
		return p, p.finish()
	}
	body = strings.ReplaceAll(body, "quoted-printable", "base64")
	before, rest, ok1 := strings.Cut(body, textLeaf)
	between, after, ok2 := strings.Cut(rest, htmlLeaf)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("build message: the library wrote no text or no HTML part")
	}
	p.raw(before)
	p.join(text)
	p.raw(between)
	p.join(html)
	p.raw(after)
	return p, p.finish()
}

// pieces returns the two parts; html is nil if there is none.
func (m Message) pieces() (text, html []Piece) {
	text, html = m.TextPieces, m.HTMLPieces
	if text == nil {
		text = []Piece{Encode(m.Text)}
	}
	switch {
	case m.TextOnly:
		html = nil
	case html == nil:
		html = []Piece{Encode(m.HTML)}
	}
	return text, html
}

// Piece is a piece of a part, encoded once for all messages that contain it. It
// is safe for concurrent use. The zero Piece is empty.
type Piece struct{ segments []*segment }

// Size returns how many bytes of a message the piece takes, without its slots.
func (p Piece) Size() (n int) {
	for _, s := range p.segments {
		n += len(s.encoded)
		for _, part := range s.own {
			n += len(part.literal)
		}
	}
	return n
}

// Encode encodes a piece of a part. Lines with marks become segments of their
// own; they, and the lines between them, are padded with spaces up to a base64
// boundary, so that another piece can follow. Marks are in the order of the
// text.
func Encode(text string, marks ...Mark) Piece {
	if text == "" && len(marks) == 0 {
		return Piece{}
	}
	var e encoder
	from := 0
	for _, m := range marks {
		e.write(text[from:m.At])
		e.mark(m.Slot)
		from = m.At
	}
	e.write(text[from:])
	return e.end()
}

// encoder makes a piece of literal text and marks.
type encoder struct {
	piece  Piece
	shared strings.Builder // whole lines so far
	line   strings.Builder // the current line, after its last slot
	own    []slotted       // the part of that line before it
}

func (e *encoder) write(text string) {
	for line := range strings.SplitAfterSeq(unifyBreaks(text), "\r\n") {
		e.line.WriteString(line)
		if strings.HasSuffix(line, "\r\n") {
			e.endLine()
		}
	}
}

func (e *encoder) mark(slot int) {
	e.own = append(e.own, slotted{e.line.String(), slot})
	e.line.Reset()
}

// endLine adds a line to the segment to which it belongs.
func (e *encoder) endLine() {
	if len(e.own) == 0 {
		e.shared.WriteString(e.line.String())
	} else {
		e.flush()
		e.piece.segments = append(e.piece.segments, &segment{own: append(e.own, slotted{e.line.String(), -1})})
		e.own = nil
	}
	e.line.Reset()
}

func (e *encoder) flush() {
	if e.shared.Len() > 0 {
		e.piece.segments = append(e.piece.segments, &segment{encoded: appendBase64(nil, pad([]byte(e.shared.String())))})
		e.shared.Reset()
	}
}

func (e *encoder) end() Piece {
	if e.line.Len() > 0 || len(e.own) > 0 {
		e.line.WriteString("\r\n")
		e.endLine()
	}
	e.flush()
	return e.piece
}

// sharedHead extracts the shared fields from the library's header, in a fixed order (the
// library's is random), folded. It encodes the sender again: the library uses
// quoted-printable for the name, three times as long in Chinese.
func sharedHead(head, from string, extra []Header) []byte {
	fields := make(map[string][]string)
	for line := range strings.SplitSeq(strings.ReplaceAll(head, "\r\n ", " "), "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Mime-Version" { // spam filters penalize a different spelling than that of RFC 2045
			name = "MIME-Version"
		}
		fields[name] = append(fields[name], value)
	}
	fields["From"] = []string{from}
	order := []string{"From", "Subject", "Date", "MIME-Version"}
	for _, h := range extra {
		order = append(order, h.Name)
	}
	order = append(order, "Content-Type", "Content-Transfer-Encoding")
	if fields["Content-Transfer-Encoding"] != nil { // for a message with only the text
		fields["Content-Transfer-Encoding"] = []string{"base64"}
	}
	var out []byte
	for _, name := range order {
		for _, value := range fields[name] {
			out = appendHeader(out, name, value)
		}
		delete(fields, name)
	}
	return out
}

func (p *Prepared) raw(s string) { p.segments = append(p.segments, &segment{encoded: []byte(s)}) }

// lineBytes is the number of bytes in a base64 line of 76 characters; quantum bytes become
// four characters without padding, so that another piece can follow.
const (
	lineBytes = 57
	quantum   = 3
)

func (p *Prepared) join(pieces []Piece) {
	for _, piece := range pieces {
		p.segments = append(p.segments, piece.segments...)
	}
}

// pad ends text with a line break and adds up to two spaces, so that its length
// is a multiple of quantum. It adds them to an empty line, where they are
// invisible, or else to the end of the last line: within a line they would
// shift columns.
func pad(s []byte) []byte {
	if !bytes.HasSuffix(s, lineEnd) {
		s = append(s, lineEnd...)
	}
	missing := (quantum - len(s)%quantum) % quantum
	if missing == 0 {
		return s
	}
	at := len(s) - len(lineEnd)
	if bytes.HasPrefix(s, lineEnd) {
		at = 0
	} else if empty := bytes.LastIndex(s, []byte("\r\n\r\n")); empty >= 0 {
		at = empty + len(lineEnd)
	}
	return slices.Insert(s, at, []byte("  ")[:missing]...)
}

var lineEnd = []byte("\r\n")

// unifyBreaks converts every line break to CRLF; strict servers would refuse a bare CR or
// LF, and others would read it as the end of the message.
func unifyBreaks(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	return strings.ReplaceAll(s, "\n", "\r\n")
}

// appendBase64 writes b in lines of 76 characters, each ended by CRLF.
func appendBase64(dst, b []byte) []byte {
	for len(b) > 0 {
		n := min(lineBytes, len(b))
		dst = base64.StdEncoding.AppendEncode(dst, b[:n])
		dst = append(dst, "\r\n"...)
		b = b[n:]
	}
	return dst
}

// Decoded returns the text of a piece as a mail program would show it to a
// reader with these slots.
func (p Piece) Decoded(slots []string) string {
	var out strings.Builder
	for _, s := range p.segments {
		if s.encoded == nil {
			out.Write(appendOwn(nil, s.own, slots))
			continue
		}
		for line := range strings.SplitSeq(string(s.encoded), "\r\n") {
			b, err := base64.StdEncoding.DecodeString(line)
			if err != nil {
				panic("mail: a piece of ours does not decode: " + err.Error())
			}
			out.Write(b)
		}
	}
	return out.String()
}

// appendOwn writes a line with a reader's slots filled in. A slot without a value is empty.
func appendOwn(dst []byte, parts []slotted, slots []string) []byte {
	for _, part := range parts {
		dst = append(dst, part.literal...)
		if part.slot >= 0 && part.slot < len(slots) {
			dst = append(dst, slots[part.slot]...)
		}
	}
	return dst
}
