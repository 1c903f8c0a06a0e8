// Package rows reads the rows of a delimited text file from any program, with commas,
// semicolons, tabs or bars, in UTF-8, UTF-16 or an older encoding, with any line ends. It
// follows RFC 4180 strictly: an ambiguous file is an error that names the line, because an
// unclosed quote would otherwise include the rows after it.
package rows

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"

	"dibao/internal/lazyregexp"
)

// MaxRow is the maximum length of a row in bytes.
const MaxRow = 1 << 20

// Error says why a file can't be read completely.
type Error struct {
	Line int // counted from 1
	Why  string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d %s", e.Line, e.Why) }

// Row is one row of a file.
type Row struct {
	Line   int // line on which it begins, from 1
	Fields []string
}

// Reader reads the rows of one file. All rows have as many fields as the first.
type Reader struct {
	in     *bufio.Reader
	comma  byte
	legacy encoding.Encoding // encoding of lines that are not UTF-8
	line   int               // lines read
	width  int               // number of fields in the first row
	first  *Row              // read but not returned yet
}

// legacies are the encodings of older programs. GB18030 includes GBK and GB2312.
var legacies = []encoding.Encoding{simplifiedchinese.GB18030, japanese.ShiftJIS, charmap.Windows1252}

// NewReader reads up to the first row. A file that is not UTF-8 is read as GB18030, or in
// the first encoding for which known accepts the first row.
func NewReader(file io.Reader, known func(first []string) bool) (*Reader, error) {
	text, err := text(file)
	if err != nil {
		return nil, err
	}
	r := &Reader{in: text, legacy: legacies[0]}
	if err := r.separator(); err != nil {
		return nil, err
	}
	raw, err := r.firstLine()
	if err != nil {
		return nil, err
	}
	fixed := r.comma
	for _, r.legacy = range append(legacies, legacies[0]) {
		if r.comma = fixed; fixed == 0 {
			r.comma = separatorOf(r.decode(raw))
		}
		if utf8.Valid(raw) || known(strings.Split(r.decode(raw), string(r.comma))) {
			break
		}
	}
	row, err := r.split(raw)
	r.first, r.width = &row, len(row.Fields)
	return r, err
}

// separator reads the line in which Excel states its separator, if there is one.
func (r *Reader) separator() error {
	head, _ := r.in.Peek(8) // fewer bytes at the end of the file
	said := strings.TrimPrefix(strings.ToLower(string(head)), `"`)
	rest, ok := strings.CutPrefix(said, "sep=")
	if !ok {
		return nil
	}
	if rest == "" || !strings.ContainsRune(separators, rune(rest[0])) {
		return &Error{1, "names a separator that is not a comma, semicolon, tab or bar"}
	}
	r.comma = rest[0]
	_, err := r.readLine()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

// firstLine returns the first line that is not blank.
func (r *Reader) firstLine() ([]byte, error) {
	for {
		raw, err := r.readLine()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(string(raw)) != "" {
			return append([]byte(nil), raw...), nil
		}
	}
}

// Read returns the next row that is not blank, or io.EOF.
func (r *Reader) Read() (Row, error) {
	if r.first != nil {
		row := *r.first
		r.first = nil
		return row, nil
	}
	for {
		raw, err := r.readLine()
		if err != nil {
			return Row{}, err
		}
		if len(raw) == 0 || strings.TrimSpace(string(raw)) == "" {
			continue
		}
		row, err := r.split(raw)
		if err == nil && len(row.Fields) != r.width {
			err = &Error{row.Line, fmt.Sprintf("has %d fields and the first row %d: a separator or a quote is missing, or there is one too many", len(row.Fields), r.width)}
		}
		return row, err
	}
}

// readLine returns a line without its end; io.EOF after the last. It is valid
// until the next call.
func (r *Reader) readLine() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, &Error{r.line + 1, fmt.Sprintf("is longer than %d bytes; is a quote not closed, or is this not a text file?", MaxRow)}
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, err
	}
	r.line++
	line = trimEnd(line, '\n')
	return trimEnd(line, '\r'), nil
}

func trimEnd(line []byte, end byte) []byte {
	if n := len(line); n > 0 && line[n-1] == end {
		return line[:n-1]
	}
	return line
}

func (r *Reader) decode(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	decoded, err := r.legacy.NewDecoder().Bytes(raw)
	if err != nil {
		return string(raw)
	}
	return string(decoded)
}

// split splits a row that begins with a line, and reads more lines if a
// quote spans them.
func (r *Reader) split(raw []byte) (Row, error) {
	row := Row{Line: r.line, Fields: make([]string, 0, max(r.width, 4))}
	rest := r.decode(raw)
	for {
		field := strings.TrimLeft(rest, " ")
		if !strings.HasPrefix(field, `"`) {
			end := strings.IndexByte(rest, r.comma)
			last := end < 0
			if last {
				end = len(rest)
			}
			if strings.IndexByte(rest[:end], '"') >= 0 {
				return row, &Error{r.line, fmt.Sprintf("has a quote inside a field that does not begin with one: %.40q", rest[:end])}
			}
			row.Fields = append(row.Fields, rest[:end])
			if last {
				return row, nil
			}
			rest = rest[end+1:]
			continue
		}
		value, after, err := r.quoted(field)
		if err != nil {
			return row, err
		}
		row.Fields = append(row.Fields, value)
		if after == "" {
			return row, nil
		}
		rest = after[1:]
	}
}

// namedAddress matches the rest of a field "Name" <name@example.org> after its quote.
var namedAddress = lazyregexp.New(`^\s*<[^<>"\s]+@[^<>"\s]+>\s*$`)

// quoted reads a field that begins with a quote; after is the text that follows it,
// beginning with a separator.
func (r *Reader) quoted(field string) (value, after string, err error) {
	opened, size := r.line, 0
	var b strings.Builder
	for rest := field[1:]; ; {
		at := strings.IndexByte(rest, '"')
		if at < 0 {
			line, err := r.readLine()
			if errors.Is(err, io.EOF) {
				return "", "", &Error{opened, "opens a quote that is not closed before the end of the file"}
			}
			if err != nil {
				return "", "", err
			}
			next := r.decode(line)
			if size += len(rest) + 1; size > MaxRow {
				return "", "", &Error{opened, fmt.Sprintf("opens a quote that is not closed within %d bytes", MaxRow)}
			}
			if before, _, _ := strings.Cut(next, `"`); r.looksLikeRow(before) {
				return "", "", &Error{opened, fmt.Sprintf("opens a quote that is not closed: line %d looks like a row by itself", r.line)}
			}
			b.WriteString(rest)
			b.WriteByte('\n')
			rest = next
			continue
		}
		b.WriteString(rest[:at])
		rest = rest[at+1:]
		if strings.HasPrefix(rest, `"`) {
			b.WriteByte('"')
			rest = rest[1:]
			continue
		}
		end := strings.IndexByte(rest, r.comma)
		if end < 0 {
			end = len(rest)
		}
		switch tail := rest[:end]; {
		case strings.Trim(tail, " ") == "":
			return b.String(), rest[end:], nil
		case namedAddress.MatchString(tail):
			return `"` + b.String() + `"` + tail, rest[end:], nil
		}
		if opened != r.line {
			return "", "", &Error{opened, fmt.Sprintf("opens a quote that is not closed, or has a quote of its own that is not doubled, before line %d", r.line)}
		}
		return "", "", &Error{opened, fmt.Sprintf("has text after a closing quote (%.40q): double the quotes inside a field", rest[:end])}
	}
}

// looksLikeRow reports whether a line inside a quote has as many fields as the
// first row and an address among them.
func (r *Reader) looksLikeRow(line string) bool {
	return r.width > 1 && strings.Count(line, string(r.comma)) >= r.width-1 && addressField(line, r.comma)
}

func addressField(line string, comma byte) bool {
	for field := range strings.SplitSeq(line, string(comma)) {
		field = strings.TrimSpace(field)
		if at := strings.IndexByte(field, '@'); at > 0 && !strings.ContainsAny(field, " \t\"") && strings.IndexByte(field[at:], '.') > 0 {
			return true
		}
	}
	return false
}

// separators are the characters that can separate fields.
const separators = ",;\t|"

// separatorOf returns the most frequent separator in the first line.
func separatorOf(head string) byte {
	var counts [128]int
	quoted := false
	for _, c := range []byte(head) {
		if c == '"' {
			quoted = !quoted
		}
		if !quoted && strings.IndexByte(separators, c) >= 0 {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte(separators) {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}
