package rows

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"dibao/internal/lazyregexp"
)

// sniffed is the number of bytes of a file that are examined to find its encoding and line
// ends.
const sniffed = 64 << 10

var (
	zipMagic = []byte("PK\x03\x04")
	oleMagic = []byte("\xd0\xcf\x11\xe0")
)

// markup matches the beginning of an HTML page that a program calls a spreadsheet.
var markup = lazyregexp.New(`(?i)^\s*<(?:\?xml|!doctype|html|head|meta|body|table|tr)\b`)

// text returns a file as lines that end in a line feed, without a byte order
// mark. UTF-16 becomes UTF-8; other encodings stay unchanged.
func text(file io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(file, sniffed)
	head, err := in.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if bytes.HasPrefix(head, zipMagic) || bytes.HasPrefix(head, oleMagic) {
		return nil, errors.New("this is not a text file; save a spreadsheet as CSV first")
	}
	var out io.Reader = in
	if endian, mark := utf16Of(head); mark {
		out = transform.NewReader(in, unicode.UTF16(endian, unicode.UseBOM).NewDecoder())
	}
	lines := bufio.NewReaderSize(out, MaxRow)
	head, _ = lines.Peek(sniffed) // a read error is returned by a later read
	if bytes.IndexByte(head, 0) >= 0 {
		return nil, errors.New("this is not a text file; save a spreadsheet as CSV first")
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = lines.Discard(3) // it was peeked before
		head = head[3:]
	}
	if markup.Match(head) {
		return nil, errors.New("this is a table in HTML or XML, whatever its name ends in; open it in a spreadsheet and save it as CSV first")
	}
	if bytes.IndexByte(head, '\r') >= 0 && bytes.IndexByte(head, '\n') < 0 { // older Macs end lines in this way
		return bufio.NewReaderSize(carriageReturns{lines}, MaxRow), nil
	}
	return lines, nil
}

// utf16Of recognizes UTF-16 by its byte order mark or, without one, by zeros in only every
// second byte: punctuation, digits and Latin letters.
func utf16Of(head []byte) (unicode.Endianness, bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return unicode.LittleEndian, true
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return unicode.BigEndian, true
	}
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch enough := len(head) / 8; {
	case zeros[0] == 0 && zeros[1] > enough:
		return unicode.LittleEndian, true
	case zeros[1] == 0 && zeros[0] > enough:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// carriageReturns replaces carriage returns at the ends of lines with line feeds.
type carriageReturns struct{ in io.Reader }

func (c carriageReturns) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}
