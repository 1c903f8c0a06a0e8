// Package mailaddr reads the addresses of readers: their form, identity, role, and
// typos, and which of them belong to one mailbox.
package mailaddr

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// The maximum length of an address and of its local part in octets (RFC 5321 §4.5.3.1, for
// an address without its angle brackets).
const (
	maxAddress = 254
	maxLocal   = 64
	maxTyped   = 1024 // including a display name
)

// ErrInvalid says that a text is not an address to which mail can be sent.
var ErrInvalid = errors.New("invalid address")

// Parse reads an address as a person typed it and returns it in the form to which mail is
// sent: the domain in lower case and as punycode, the local part as typed. It removes a
// display name, and converts full-width letters from a Chinese keyboard. It refuses quoted
// local parts and address literals: readers' mailboxes do not have them.
func Parse(typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	switch {
	case typed == "":
		return "", fmt.Errorf("%w: write it like name@example.org", ErrInvalid)
	case len(typed) > maxTyped:
		return "", fmt.Errorf("%w: it is longer than %d characters", ErrInvalid, maxAddress)
	case !utf8.ValidString(typed) || strings.ContainsFunc(typed, forbidden):
		return "", fmt.Errorf("%w: it contains characters that an address can't have", ErrInvalid)
	}
	if strings.HasSuffix(typed, ";") { // net/mail accepts a group of one address
		return "", fmt.Errorf("%w: %q does not look like name@example.org", ErrInvalid, typed)
	}
	a, err := mail.ParseAddress(norm.NFC.String(width.Fold.String(typed)))
	if err != nil {
		return "", fmt.Errorf("%w: %q does not look like name@example.org", ErrInvalid, typed)
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	domain, err = idna.Lookup.ToASCII(strings.ToLower(domain))
	if err != nil || !isDomain(domain) {
		return "", fmt.Errorf("%w: %q has no domain such as example.org", ErrInvalid, typed)
	}
	address := local + "@" + domain
	if len(address) > maxAddress || len(local) > maxLocal {
		return "", fmt.Errorf("%w: it is longer than %d characters, or %d before the @", ErrInvalid, maxAddress, maxLocal)
	}
	// An address that needs quotes would be another address without them.
	if b, err := mail.ParseAddress(address); err != nil || b.Address != address || b.Name != "" || strings.ContainsAny(local, `"()<>`) || strings.ContainsFunc(local, unicode.IsSpace) {
		return "", fmt.Errorf("%w: %q does not look like name@example.org", ErrInvalid, typed)
	}
	return address, nil
}

// Readable returns a parsed address for display: a domain in punycode in its original
// letters. Send mail to the address itself.
func Readable(address string) string {
	at := strings.LastIndexByte(address, '@')
	domain, err := idna.Display.ToUnicode(address[at+1:])
	if err != nil {
		return address
	}
	return address[:at+1] + domain
}

// forbidden matches control characters, and invisible ones that make two addresses look
// alike.
func forbidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == utf8.RuneError
}

// isDomain reports whether an ASCII name has at least two labels and does not end in a
// number, as an IP address does (RFC 3696 §2).
func isDomain(name string) bool {
	dot := strings.LastIndexByte(name, '.')
	return dot > 0 && dot < len(name)-1 && strings.Trim(name[dot+1:], "0123456789") != ""
}

// Key returns the identity of a parsed address: addresses that differ only in case belong
// to one reader, those that differ in a +tag do not.
func Key(address string) string { return strings.ToLower(address) }

// InField reads the address in a field of a file, in the forms that people
// write: with a name, mailto: or angle brackets; invisible characters are
// removed. cleaned is set if there were any; why says why it is not an address.
func InField(field string) (address string, cleaned bool, why string) {
	seen := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, field))
	cleaned = seen != strings.Trim(field, " \t\r\n")
	if seen == "" {
		return "", cleaned, "the row has no address"
	}
	if len(seen) > 7 && strings.EqualFold(seen[:7], "mailto:") {
		seen = seen[7:]
	}
	address, err := Parse(seen)
	switch {
	case err == nil:
		return address, cleaned, ""
	case isSeveral(width.Fold.String(seen)):
		return "", cleaned, "holds several addresses; put each into its own row"
	}
	return "", cleaned, err.Error()
}

// isSeveral reports whether a text contains several addresses, not one with a mistake such as
// name@@example.org.
func isSeveral(text string) bool {
	n := 0
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;|/、<>()", r) }) {
		if strings.ContainsFunc(strings.Trim(part, "@"), func(r rune) bool { return r == '@' }) {
			n++
		}
	}
	return n > 1
}
