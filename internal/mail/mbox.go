package mail

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"

	"dibao/internal/lazyregexp"
)

// maxFile is the number of bytes that are read of a file of messages, after decompression.
const maxFile = 4 << 30

// fromLine matches the beginning of a message of an mbox (RFC 4155): From, the sender, the
// time.
var fromLine = lazyregexp.New(`^From \S*.*\d\d:\d\d`)

// Messages returns the messages of a file: one, or those of an mbox, each truncated at 10
// MB. It decompresses a gzip file. It ends at an error.
func Messages(file io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		in, err := unpacked(file)
		if err != nil {
			yield(nil, err)
			return
		}
		if head, _ := in.Peek(512); !fromLine.Match(firstOf(head)) {
			raw, err := io.ReadAll(io.LimitReader(in, maxReport))
			yield(raw, err)
			return
		}
		messagesOf(in, yield)
	}
}

func firstOf(text []byte) []byte {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return line
}

func unpacked(file io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(file, 64<<10)
	if head, _ := in.Peek(2); !bytes.Equal(head, []byte("\x1f\x8b")) {
		return in, nil
	}
	packed, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("is compressed and can't be decompressed: %w", err)
	}
	return bufio.NewReaderSize(io.LimitReader(packed, maxFile), 64<<10), nil
}

// messagesOf splits an mbox. In it, a line of a message that begins with From is quoted as
// >From, with one more > than it had.
func messagesOf(in *bufio.Reader, yield func([]byte, error) bool) {
	var message []byte
	blank, started, whole := true, false, true
	for {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			yield(nil, fmt.Errorf("can't be read completely: %w", err))
			return
		}
		if whole && blank && fromLine.Match(line) {
			if started && !yield(message, nil) {
				return
			}
			message, started = nil, true
		} else if len(line) > 0 {
			if whole && line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
				line = line[1:]
			}
			if room := maxReport - len(message); room > 0 {
				message = append(message, line[:min(len(line), room)]...)
			}
		}
		blank = whole && len(bytes.TrimSpace(line)) == 0
		whole = !errors.Is(err, bufio.ErrBufferFull)
		if errors.Is(err, io.EOF) {
			if started {
				yield(message, nil)
			}
			return
		}
	}
}
