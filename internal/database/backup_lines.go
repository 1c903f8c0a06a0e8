package database

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ErrNoBackup says that a file does not begin like a backup.
var ErrNoBackup = errors.New("this is not a backup of dibao; specify a file that dibao backup wrote")

// openBackup reads the beginning of a backup.
func openBackup(r io.Reader) (head backupHead, lines *lineReader, err error) {
	zipped, err := gzip.NewReader(r)
	switch {
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return head, nil, ErrNoBackup
	case err != nil:
		return head, nil, err
	}
	lines = &lineReader{r: bufio.NewReaderSize(zipped, 64<<10)}
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &head) != nil || head.Format != backupFormat {
		return head, nil, errors.Join(ErrNoBackup, lines.Err())
	}
	return head, lines, nil
}

// CheckBackup returns [ErrNoBackup] if a file does not begin like a backup, and
// rewinds it.
func CheckBackup(f io.ReadSeeker) error {
	if _, _, err := openBackup(f); err != nil {
		return err
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// Limits on the lines of a backup, in bytes.
const (
	maxBackupLine = 256 << 20 // for a row, whose largest column is an article's text
	maxOtherLine  = 1 << 20   // for a line that is not a row
	maxNumber     = 400       // for a number: 1e308 written out has 309 digits
)

// lineReader reads the lines of a backup. A bufio.Scanner searches the whole
// line again with each new piece, which takes minutes for a long one.
type lineReader struct {
	r    *bufio.Reader
	line []byte
	err  error
}

// Scan reads the next line; it returns false at the end and after an error.
func (l *lineReader) Scan() bool {
	l.line = l.line[:0]
	for l.err == nil {
		piece, err := l.r.ReadSlice('\n')
		if len(l.line)+len(piece) == 0 { // the end, or an error
			if !errors.Is(err, io.EOF) {
				l.err = err
			}
			return false
		}
		l.line = append(l.line, piece...)
		limit := maxBackupLine
		if l.line[0] != '[' {
			limit = maxOtherLine
		}
		if len(l.line) > limit {
			l.err = fmt.Errorf("a line is longer than %d MB", limit>>20)
			return false
		}
		switch {
		case err == nil:
			l.line = l.line[:len(l.line)-1]
			return true
		case errors.Is(err, io.EOF):
			return len(l.line) > 0
		case !errors.Is(err, bufio.ErrBufferFull):
			l.err = err
		}
	}
	return false
}

// Bytes returns the line, until the next Scan.
func (l *lineReader) Bytes() []byte { return l.line }

// Err returns the error that ended the reading.
func (l *lineReader) Err() error { return l.err }

// decodeRow decodes a row of a backup for a statement.
func decodeRow(line []byte, width int) ([]any, error) {
	if elements(line) != width {
		return nil, errors.New("the backup is damaged; use another one: a row has more or fewer values than its table has columns")
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil || len(raw) != width {
		return nil, errors.Join(errors.New("the backup is damaged; use another one: a row has more or fewer values than its table has columns"), err)
	}
	values := make([]any, width)
	for i, r := range raw {
		var err error
		switch {
		case len(r) > 0 && r[0] == '{':
			var v backupValue
			if err = json.Unmarshal(r, &v); v.Time != nil {
				values[i] = v.Time.UTC()
			} else if v.Bytes != nil {
				values[i] = *v.Bytes
			}
		case len(r) > maxNumber && r[0] != '"':
			err = errors.New("a value that is not text is too long")
		case len(r) > 0 && (r[0] == '-' || r[0] >= '0' && r[0] <= '9'):
			var n json.Number
			if err = json.Unmarshal(r, &n); err == nil {
				if values[i], err = n.Int64(); err != nil {
					values[i], err = n.Float64()
				}
			}
		default: // text, true, false, null
			err = json.Unmarshal(r, &values[i])
		}
		if err != nil {
			return nil, fmt.Errorf("the backup is damaged; use another one: %w", err)
		}
	}
	return values, nil
}

// elements counts the elements of a JSON array without allocating them: a
// compressed line of a few kilobytes can contain millions.
func elements(line []byte) (n int) {
	depth, quoted := 0, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 1:
			n++
		}
	}
	return n + 1
}
