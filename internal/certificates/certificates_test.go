package certificates

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/web"
)

// stored is what autocert stores of a certificate: its key and itself.
func stored(t *testing.T, until time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: until.AddDate(0, 0, -90), NotAfter: until, DNSNames: []string{"dibao.example.org"}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
}

// One node alone orders a certificate that is missing, and one in place of a
// certificate that has expired.
func TestOneNodeOrders(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), databasetest.Postgres(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	const name = "dibao.example.org"
	first, second := Cache(db, "first", ""), Cache(db, "second", "")
	for _, before := range [][]byte{nil, stored(t, time.Now().Add(-time.Minute)), []byte("nothing that can be read")} {
		if before != nil {
			if err := first.Put(t.Context(), name, before); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := first.Get(t.Context(), name); !errors.Is(err, autocert.ErrCacheMiss) {
			t.Fatalf("the first node gets %v", err)
		}
		if _, err := second.Get(t.Context(), name); !errors.Is(err, web.ErrOrdering) {
			t.Fatalf("the second node gets %v", err)
		}
		good := stored(t, time.Now().Add(time.Hour))
		if err := first.Put(t.Context(), name, good); err != nil {
			t.Fatal(err)
		}
		if got, err := second.Get(t.Context(), name); err != nil || !bytes.Equal(got, good) {
			t.Fatalf("the second node gets %d bytes, %v", len(got), err)
		}
		if err := first.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Put(t.Context(), "acme_account+key", []byte("a key")); err != nil {
		t.Fatal(err)
	}
	if got, err := second.Get(t.Context(), "acme_account+key"); err != nil || string(got) != "a key" {
		t.Errorf("the account: %q, %v", got, err)
	}
}
