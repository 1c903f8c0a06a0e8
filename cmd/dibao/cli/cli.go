// Package cli contains what all commands share: how results and times are written, and the
// errors that determine the exit status.
package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"
)

// UsageError reports wrong usage: exit status 2.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Usagef returns a UsageError.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// PartialError says that part of the work was refused: exit status 3.
type PartialError struct{ Err error }

func (e *PartialError) Error() string { return e.Err.Error() }
func (e *PartialError) Unwrap() error { return e.Err }

// WriteJSON writes one JSON value and a newline; text stays readable.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Null returns nil for the zero value: unknown is null in JSON, never "".
func Null[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// Value returns the text of a view that may be null, "" for null: the reverse of Null.
func Value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// ShortTime formats a time to the minute in a zone, "" for the zero time.
func ShortTime(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02 15:04")
}

// ShortText prints a time in RFC 3339 as ShortTime does; another text, such as a date,
// stays as it is.
func ShortText(text string, zone *time.Location) string {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return ShortTime(at, zone)
	}
	return text
}

// BuiltFrom returns the version and the commit that the program was built from.
func BuiltFrom() (version, revision string) {
	version, revision = "devel", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = cmp.Or(info.Main.Version, version)
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return version, revision
}

// BuiltAt returns the time of the commit that the program was built from, or
// zero if it is unknown.
func BuiltAt() (at time.Time) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				at, _ = time.Parse(time.RFC3339, s.Value)
			}
		}
	}
	return at
}

// VersionLine returns the name of the program, its version and that of Go.
func VersionLine() string {
	version, revision := BuiltFrom()
	return fmt.Sprintf("dibao %s (%s, %s)", version, revision, runtime.Version())
}
