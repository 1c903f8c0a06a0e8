package fetch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// errTooLarge ends the reading of a body at the limit of its compressed or decompressed
// size.
var errTooLarge = errors.New("the body is larger than max_bytes in [fetch] allows")

// readBody reads and decompresses a body; neither size may exceed the limit. A truncated
// body or one with a wrong checksum is an error, because it must not be taken for the
// whole.
func readBody(res *http.Response, limit int64) ([]byte, error) {
	if res.ContentLength > limit {
		return nil, errTooLarge
	}
	in := &limitReader{r: res.Body, left: limit}
	switch coding := strings.ToLower(strings.TrimSpace(strings.Join(res.Header.Values("Content-Encoding"), ", "))); coding {
	case "", "identity":
		return io.ReadAll(in)
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("the gzip body is damaged: %w", err)
		}
		return readAll(coding, z, limit)
	case "br":
		return readAll(coding, brotli.NewReader(in), limit)
	case "zstd":
		// 8 MiB is the window that RFC 8878 §3.1.1.1.2 asks decoders to support.
		z, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("the zstd body is damaged: %w", err)
		}
		defer z.Close()
		return readAll(coding, z, limit)
	default:
		return nil, fmt.Errorf("the body is encoded as %q, which was not requested", coding[:min(len(coding), 100)])
	}
}

func readAll(coding string, r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(&limitReader{r: r, left: limit})
	if err != nil && !errors.Is(err, errTooLarge) {
		return nil, fmt.Errorf("the %s body is damaged: %w", coding, err)
	}
	return body, err
}

// limitReader returns an error at its limit, unlike io.LimitReader.
type limitReader struct {
	r    io.Reader
	left int64
}

func (l *limitReader) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return n, errTooLarge
	}
	return n, err
}

// announcedBody is the body of a request; before is called before its first byte is read.
type announcedBody struct {
	io.ReadCloser
	before func() error
}

func (b *announcedBody) Read(p []byte) (int, error) {
	if b.before != nil {
		if err := b.before(); err != nil {
			return 0, err
		}
		b.before = nil
	}
	return b.ReadCloser.Read(p)
}
