package mail

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"mime"
	netmail "net/mail"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Header is one header field; its value is the field's unencoded text, or
// encoded already and ASCII.
type Header struct{ Name, Value string }

// check refuses text that could end the field and begin another (header
// injection), and anything that is not text.
func (h Header) check() error {
	if h.Name == "" || strings.ContainsFunc(h.Name, func(r rune) bool { return r <= ' ' || r == ':' || r > '~' }) {
		return fmt.Errorf("header name %q is not allowed", h.Name)
	}
	return checkValue(h.Name, h.Value)
}

// encoded returns the value in the form for the message. ASCII stays unchanged,
// because it may be encoded already.
func (h Header) encoded() string {
	if isPlainText(h.Value) {
		return h.Value
	}
	return encodeWords(h.Value)
}

func isPlainText(s string) bool { return mime.BEncoding.Encode("utf-8", s) == s }

func checkValue(name, value string) error {
	if strings.ContainsAny(value, "\r\n\x00") || !utf8.ValidString(value) {
		return fmt.Errorf("%s contains a line break, a NUL or bytes that are not text", name)
	}
	return nil
}

// Phrase encodes free text for a header (RFC 2047): text that is not plain ASCII
// becomes base64 words, which never split a character.
func Phrase(s string) string {
	encoded := encodeWords(s)
	if encoded != s || !strings.ContainsAny(s, `()<>@,;:\".[]`) {
		return encoded
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// wordBytes is the number of bytes of text in one encoded word: it becomes 60 characters of
// header, so that the first one fits on the line of its field name.
const wordBytes = 36

// encodeWords is mime.BEncoding.Encode with shorter words. It also encodes text
// that looks like an encoded word: a mail program would decode it.
func encodeWords(s string) string {
	if isPlainText(s) && !strings.Contains(s, "=?") {
		return s
	}
	var words []string
	start := 0
	for i, r := range s {
		if i+utf8.RuneLen(r)-start > wordBytes {
			words = append(words, encodedWord(s[start:i]))
			start = i
		}
	}
	return strings.Join(append(words, encodedWord(s[start:])), " ")
}

// encodedWord encodes even plain ASCII: mail programs drop whitespace between
// two encoded words, but not between an encoded and a plain one.
func encodedWord(s string) string {
	return "=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte(s)) + "?="
}

// maxHeaderLine is the length at which header lines are folded (RFC 5322 §2.1.1, RFC 2047
// §2).
const maxHeaderLine = 76

// appendHeader writes a field, folded at its spaces.
func appendHeader(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':')
	column := len(name) + 1
	for word := range strings.SplitSeq(value, " ") {
		if column+1+len(word) > maxHeaderLine && column > len(name)+1 {
			dst = append(dst, "\r\n"...)
			column = 0
		}
		dst = append(dst, ' ')
		dst = append(dst, word...)
		column += 1 + len(word)
	}
	return append(dst, "\r\n"...)
}

// formatAddress formats an address for a header.
func formatAddress(a netmail.Address) string {
	if a.Name == "" {
		if isPlain(a.Address) {
			return "<" + a.Address + ">"
		}
		return (&netmail.Address{Address: a.Address}).String()
	}
	return Phrase(a.Name) + " " + (&netmail.Address{Address: a.Address}).String()
}

// isPlain reports whether an address has the simple form of nearly all addresses, which
// does not need net/mail.
func isPlain(address string) bool {
	local, host, found := strings.Cut(address, "@")
	if !found || local == "" || len(address) > 254 {
		return false
	}
	for _, dotted := range []string{local, host} {
		last := byte('.')
		for i := range len(dotted) {
			b := dotted[i]
			switch {
			case b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '+':
			case b == '.' && last != '.':
			default:
				return false
			}
			last = b
		}
		if last == '.' {
			return false
		}
	}
	return true
}

// checkAddress refuses addresses that net/mail would not parse back unchanged.
func checkAddress(a netmail.Address) error {
	if a.Name == "" && isPlain(a.Address) {
		return nil
	}
	if err := checkValue("the name of an address", a.Name); err != nil {
		return err
	}
	back, err := netmail.ParseAddress((&netmail.Address{Address: a.Address}).String())
	if err != nil || back.Address != a.Address || strings.ContainsAny(a.Address, "\r\n\x00 <>") {
		return fmt.Errorf("%q is not an address that mail can be sent to", a.Address)
	}
	return nil
}

// MessageIDs computes Message-IDs with one key, for one goroutine at a time.
type MessageIDs struct {
	mac  hash.Hash
	text []byte
}

// NewMessageIDs returns MessageIDs with this key.
func NewMessageIDs(key []byte) *MessageIDs { return &MessageIDs{mac: hmac.New(sha256.New, key)} }

// Of returns the Message-ID, without angle brackets, of one subscriber's message in one
// mailing: always the same, so that a message that is sent again after a crash can be
// recognized.
func (ids *MessageIDs) Of(mailing, subscriber int64, domain string) string {
	ids.mac.Reset()
	ids.text = strconv.AppendInt(append(strconv.AppendInt(ids.text[:0], mailing, 10), ' '), subscriber, 10)
	ids.mac.Write(ids.text)
	sum := ids.mac.Sum(ids.text[:0])
	ids.text = append(append(hex.AppendEncode(sum, sum[:16]), '@'), domain...)
	return string(ids.text[len(sum):])
}

// MessageID is NewMessageIDs(key).Of, for a single one.
func MessageID(key []byte, mailing, subscriber int64, domain string) string {
	return NewMessageIDs(key).Of(mailing, subscriber, domain)
}
