//go:build nopdf

// Package pdf reads the text of PDF files; this build leaves it out.
package pdf

import (
	"context"
	"errors"
)

// MaxBytes is the maximum size of a file that is read, in bytes.
const MaxBytes = 20 << 20

// Text refuses every file: the program was built with the tag nopdf, which
// makes it smaller.
func Text(context.Context, []byte) ([]string, error) {
	return nil, errors.New("this build does not read PDF files; use one that was built without -tags nopdf")
}
