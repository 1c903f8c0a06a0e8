// Package filetext reads the text of files that official pages attach instead
// of showing a text: PDF, DOCX and OFD. One table maps formats to readers.
//
// Files are untrusted: each reader limits what it unpacks, reads and returns. The daemon
// runs the readers in a separate process, whose memory and time are limited, too.
package filetext

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"dibao/internal/pdf"
)

// Limits on one file.
const (
	MaxBytes = pdf.MaxBytes // size of the file
	maxText  = 4 << 20      // bytes of text
)

// Paragraph separates the paragraphs of a file that has paragraphs. In a file
// with only lines on pages, \n separates the lines.
const Paragraph = "\u2029"

// reader reads one format of files.
type reader struct {
	is   func(file []byte) bool
	text func(ctx context.Context, file []byte) (pages []string, err error)
}

// readers are tried in order.
var readers = []reader{
	{isPDF, pdf.Text},
	{isZipWith("word/document.xml"), readDOCX},
	{isZipWith("OFD.xml"), readOFD},
}

func isPDF(file []byte) bool {
	return bytes.Contains(file[:min(len(file), 1024)], []byte("%PDF-"))
}

// isZipWith recognizes a ZIP file by the name of a file in it, which is stored
// uncompressed.
func isZipWith(name string) func([]byte) bool {
	return func(file []byte) bool {
		return bytes.HasPrefix(file, []byte("PK\x03\x04")) && bytes.Contains(file, []byte(name))
	}
}

// Readable reports whether a reader can read the file.
func Readable(file []byte) bool {
	for _, r := range readers {
		if r.is(file) {
			return true
		}
	}
	return false
}

// Text returns the text of a file, page by page if it has pages. A page without
// a text layer is "".
func Text(ctx context.Context, file []byte) (pages []string, err error) {
	if len(file) > MaxBytes {
		return nil, fmt.Errorf("the file is larger than %d MB", MaxBytes>>20)
	}
	for _, r := range readers {
		if r.is(file) {
			return r.text(ctx, file)
		}
	}
	return nil, errors.New("the file is not a PDF, DOCX or OFD file")
}
