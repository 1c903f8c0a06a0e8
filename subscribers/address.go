package subscribers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// maxAddress is the longest address in octets (RFC 5321 §4.5.3.1.3, less the
// angle brackets).
const maxAddress = 254

// ErrAddress says that something is no address that mail can be sent to.
var ErrAddress = errors.New("bad address")

// ParseAddress reads what a person typed as an address and returns it as it is
// written to: the domain in lower case and as punycode, the local part as typed.
func ParseAddress(typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	if !utf8.ValidString(typed) || strings.ContainsFunc(typed, unicode.IsControl) {
		return "", fmt.Errorf("%w: it holds characters that an address can't have", ErrAddress)
	}
	a, err := mail.ParseAddress(typed)
	if err != nil {
		return "", fmt.Errorf("%w: %q is not like name@example.org", ErrAddress, typed)
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	domain, err = idna.Lookup.ToASCII(strings.ToLower(domain))
	if err != nil || !strings.Contains(domain, ".") || strings.HasSuffix(domain, ".") {
		return "", fmt.Errorf("%w: %q has no domain such as example.org", ErrAddress, typed)
	}
	if local == "" || strings.ContainsAny(local, " \"<>()[],;:\\") {
		return "", fmt.Errorf("%w: %q is not like name@example.org", ErrAddress, typed)
	}
	if len(local)+1+len(domain) > maxAddress {
		return "", fmt.Errorf("%w: it is longer than %d characters", ErrAddress, maxAddress)
	}
	return local + "@" + domain, nil
}

// addressKey is the identity of a parsed address: case does not tell two
// readers apart, a +tag does.
func addressKey(address string) string { return strings.ToLower(address) }

func jsonIDs(ids []int64) string {
	if ids == nil {
		return "[]"
	}
	return toJSON(ids)
}

func jsonTexts(texts []string) string {
	if texts == nil {
		return "[]"
	}
	return toJSON(texts)
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("subscribers: %T does not marshal: %v", v, err)) // only our own plain values come here
	}
	return string(b)
}
