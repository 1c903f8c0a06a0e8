package mail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/emersion/go-msgauth/dkim"
)

// Signer signs messages with DKIM (RFC 6376, RFC 8463).
type Signer struct {
	domain, selector string
	key              crypto.Signer
}

// NewSigner takes a private key as PEM: PKCS #8, or PKCS #1 for RSA. An RSA key
// has 2048 bits at least.
func NewSigner(domain, selector string, keyPEM []byte) (*Signer, error) {
	if domain == "" || selector == "" {
		return nil, errors.New("DKIM needs a domain and a selector; set both in [dkim]")
	}
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, errors.New("the DKIM key is no PEM file")
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
			return nil, fmt.Errorf("the DKIM key has %d bits; make one of 2048", key.N.BitLen())
		}
		s.key = key
	case ed25519.PrivateKey:
		s.key = key
	default:
		return nil, fmt.Errorf("the DKIM key is a %T; use RSA or Ed25519", key)
	}
	return s, nil
}

// signedHeaders are the fields under the signature. From stands twice: a second
// one that somebody adds breaks the signature (oversigning, RFC 6376 §8.15).
var signedHeaders = []string{
	"From", "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
	"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID", "Auto-Submitted", "Precedence",
}

// sign puts a signature before the message that begins at start.
func (s *Signer) sign(dst []byte, start int) ([]byte, error) {
	signer, err := dkim.NewSigner(&dkim.SignOptions{
		Domain: s.domain, Selector: s.selector, Signer: s.key, HeaderKeys: signedHeaders,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		return dst[:start], fmt.Errorf("sign message: %w", err)
	}
	_, writeErr := bytes.NewReader(dst[start:]).WriteTo(signer)
	if err := errors.Join(writeErr, signer.Close()); err != nil {
		return dst[:start], fmt.Errorf("sign message: %w", err)
	}
	return slices.Insert(dst, start, []byte(signer.Signature())...), nil
}
