package mail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Signer signs messages with DKIM (RFC 6376, RFC 8463), relaxed/relaxed. It
// does not use a library because the body of a variant is hashed once for all
// its readers; the tests verify its signatures with other implementations.
type Signer struct {
	domain, selector string
	key              crypto.Signer
	algorithm        string
	options          crypto.SignerOpts
	second           *Signer // nil means a single signature
}

// NewSigner reads a private key as PEM: PKCS #8, or PKCS #1 for RSA. An RSA key
// needs at least 2048 bits.
func NewSigner(domain, selector string, keyPEM []byte) (*Signer, error) {
	if domain == "" || selector == "" {
		return nil, errors.New("DKIM needs a domain and a selector; set both in [dkim]")
	}
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, errors.New("the DKIM key is not a PEM file")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return nil, errors.New("the DKIM key is neither PKCS #8 nor PKCS #1")
		}
	}
	s := &Signer{domain: domain, selector: selector}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < 2048 {
			return nil, fmt.Errorf("the DKIM key has %d bits; create one with 2048", key.N.BitLen())
		}
		s.key, s.algorithm, s.options = key, "rsa-sha256", crypto.SHA256
	case ed25519.PrivateKey:
		s.key, s.algorithm, s.options = key, "ed25519-sha256", crypto.Hash(0)
	default:
		return nil, fmt.Errorf("the DKIM key is a %T; use RSA or Ed25519", key)
	}
	return s, nil
}

// And returns a signer that signs with the keys of both: servers that don't
// support Ed25519 check the RSA signature (RFC 8463 §3).
func (s *Signer) And(second *Signer) *Signer {
	both := *s
	both.second = second
	return &both
}

// Keys returns a signer for each of the keys.
func (s *Signer) Keys() (all []*Signer) {
	for ; s != nil; s = s.second {
		one := *s
		one.second = nil
		all = append(all, &one)
	}
	return all
}

// Record returns the name and the text of the DNS record that publishes the key.
func (s *Signer) Record() (name, text string, err error) {
	public, kind := []byte(nil), "rsa"
	if key, ok := s.key.Public().(ed25519.PublicKey); ok {
		public, kind = key, "ed25519"
	} else if public, err = x509.MarshalPKIXPublicKey(s.key.Public()); err != nil {
		return "", "", fmt.Errorf("public half of the DKIM key: %w", err)
	}
	return s.selector + "._domainkey." + s.domain, "v=DKIM1; k=" + kind + "; p=" + base64.StdEncoding.EncodeToString(public), nil
}

// signedHeaders are the signed fields, as they are named in the signature. From
// is named twice: adding a second one breaks the signature (oversigning, RFC
// 6376 §8.15); so does adding any other field that the message does not have.
var signedHeaders = []string{
	"from", "from", "to", "subject", "date", "message-id", "mime-version", "content-type",
	"list-id", "list-unsubscribe", "list-unsubscribe-post", "feedback-id", "auto-submitted", "precedence",
}

// signedField is a signed field.
type signedField struct {
	name    string
	relaxed []byte // the field with its line end; nil means a reader's own field, or one that does not exist
}

// signedFields returns the parts of the signed fields that all readers share.
func signedFields(shared []byte) (fields []signedField) {
	for i, name := range signedHeaders {
		if i > 0 && name == signedHeaders[i-1] {
			continue // a field that does not exist
		}
		f := signedField{name: name}
		if raw := findField(shared, name); raw != nil {
			f.relaxed = append(relaxField(nil, raw), lineEnd...)
		}
		fields = append(fields, f)
	}
	return fields
}

// appendSignatures appends to dst the DKIM-Signature fields of a message with
// this body hash, these fields, and the reader's own fields in own. It uses
// scratch as a buffer and returns it for reuse.
func (s *Signer) appendSignatures(dst, scratch, bodyHash []byte, fields []signedField, own []byte) (_, _ []byte, err error) {
	signed := scratch[:0]
	for _, f := range fields {
		if f.relaxed != nil {
			signed = append(signed, f.relaxed...)
		} else if raw := findField(own, f.name); raw != nil {
			signed = append(relaxField(signed, raw), lineEnd...)
		}
	}
	end := len(signed)
	for ; s != nil; s = s.second {
		start := len(dst)
		for _, text := range []string{"DKIM-Signature: v=1; a=", s.algorithm, "; c=relaxed/relaxed; d=", s.domain, "; s=", s.selector, ";\r\n h=", foldedHeaders, ";\r\n bh="} {
			dst = append(dst, text...)
		}
		dst = append(base64.StdEncoding.AppendEncode(dst, bodyHash), ";\r\n b="...)
		signed = relaxField(signed[:end], dst[start:]) // its own field last, with an empty b= and no line end
		digest := sha256.Sum256(signed)
		signature, err := s.key.Sign(rand.Reader, digest[:], s.options)
		if err != nil {
			return dst[:start], signed, fmt.Errorf("sign message: %w", err)
		}
		text := base64.StdEncoding.EncodeToString(signature)
		for len(text) > signatureLine {
			dst = append(append(dst, text[:signatureLine]...), "\r\n "...)
			text = text[signatureLine:]
		}
		dst = append(append(dst, text...), lineEnd...)
	}
	return dst, signed, nil
}

// signatureLine is the number of characters of a signature on one line.
const signatureLine = 70

var foldedHeaders = strings.Join(signedHeaders[:8], ":") + ":\r\n  " + strings.Join(signedHeaders[8:], ":")

// findField returns the field with this lower-case name, with its continuation
// lines and without its last line end; nil if it does not exist.
func findField(fields []byte, name string) []byte {
	for len(fields) > 0 {
		end := fieldEnd(fields)
		field := fields[:end]
		if len(field) > len(name) && field[len(name)] == ':' && bytes.EqualFold(field[:len(name)], []byte(name)) {
			return bytes.TrimSuffix(field, lineEnd)
		}
		fields = fields[end:]
	}
	return nil
}

// fieldEnd returns where the first field ends: at a line end that is not followed by a
// space.
func fieldEnd(fields []byte) int {
	for i := 0; ; {
		j := bytes.IndexByte(fields[i:], '\n')
		if j < 0 {
			return len(fields)
		}
		i += j + 1
		if i == len(fields) || fields[i] != ' ' && fields[i] != '\t' {
			return i
		}
	}
}

// relaxField returns a field in DKIM's relaxed form, without a line end (RFC 6376 §3.4.2).
func relaxField(dst, field []byte) []byte {
	name, value, _ := bytes.Cut(field, []byte(":"))
	for _, b := range bytes.TrimRight(name, " \t") {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		dst = append(dst, b)
	}
	dst = append(dst, ':')
	start, space := len(dst), false
	for _, b := range value {
		switch b {
		case ' ', '\t':
			space = true
		case '\r', '\n':
		default:
			if space && len(dst) > start {
				dst = append(dst, ' ')
			}
			space = false
			dst = append(dst, b)
		}
	}
	return dst
}

// relaxBody returns whole lines in DKIM's relaxed form (RFC 6376 §3.4.4): the
// same bytes if nothing has to change.
func relaxBody(lines []byte) []byte {
	if !bytes.Contains(lines, []byte("  ")) && !bytes.Contains(lines, []byte(" \r\n")) && bytes.IndexByte(lines, '\t') < 0 {
		return lines
	}
	out := make([]byte, 0, len(lines))
	space := false
	for _, b := range lines {
		switch b {
		case ' ', '\t':
			space = true
			continue
		case '\r':
			space = false
		}
		if space {
			out = append(out, ' ')
			space = false
		}
		out = append(out, b)
	}
	return out
}
