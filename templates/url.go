package templates

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// asciiURL returns an address in a form that programs recognize completely in plain text:
// without spaces and non-ASCII letters (RFC 3986 §2.1, RFC 3987 §3.1).
func asciiURL(address any) string {
	text := fmt.Sprint(address)
	if u, err := url.Parse(text); err == nil && strings.IndexFunc(u.Host, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		if host, err := idna.Lookup.ToASCII(u.Host); err == nil {
			text = strings.Replace(text, u.Host, host, 1)
		}
	}
	var out strings.Builder
	for _, c := range []byte(text) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&out, "%%%02X", c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}
