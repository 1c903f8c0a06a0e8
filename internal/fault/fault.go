// Package fault contains the errors that commands and the API treat specially: the
// requested thing does not exist, or the request is invalid regardless of the stored data.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Choices joins the values that are allowed, for the text of an error.
func Choices[T ~string](of []T) string {
	var all []string
	for _, v := range of {
		all = append(all, string(v))
	}
	return strings.Join(all, ", ")
}

// ErrNotFound says that the requested thing does not exist.
var ErrNotFound = errors.New("not found")

type missingError struct{ error }

func (missingError) Is(target error) bool { return target == ErrNotFound }

// Missing returns an error with this text that is ErrNotFound.
func Missing(format string, args ...any) error { return missingError{fmt.Errorf(format, args...)} }

// InvalidError says that a request is invalid regardless of the stored data. The command
// line reports wrong usage; the API answers 400.
type InvalidError struct{ Err error }

func (e InvalidError) Error() string { return e.Err.Error() }
func (e InvalidError) Unwrap() error { return e.Err }

// Invalid returns an InvalidError.
func Invalid(format string, args ...any) error { return InvalidError{fmt.Errorf(format, args...)} }
