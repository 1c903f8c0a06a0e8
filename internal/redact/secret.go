package redact

import (
	"log/slog"
)

// Secret is a value that is never shown: printing, logging or encoding it gives
// Mark. Reveal returns the value for its use.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns Mark, or "" if there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return Mark
}

// GoString is String for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText is String for encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String for logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Address is a URL that may contain a password: it is printed without it.
// Reveal returns the whole URL.
type Address string

// Reveal returns the address with its password.
func (a Address) Reveal() string { return string(a) }

// String returns the address without its password.
func (a Address) String() string { return Text(string(a)) }

// GoString is String for %#v.
func (a Address) GoString() string { return a.String() }

// MarshalText is String for encoders.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// LogValue is String for logs.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }
