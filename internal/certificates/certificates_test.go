package certificates

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"dibao/internal/certificates/certtest"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/web"
)

// stored is a certificate as autocert stores it.
func stored(t *testing.T, until time.Time) []byte {
	t.Helper()
	_, content := certtest.Stored(t, "dibao.example.org", until)
	return content
}

// Only one node orders a missing certificate, or one that replaces an expired one.
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

// Of two nodes that are about to renew a certificate, one orders it, and the other gets the new one.
func TestOneNodeRenews(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), databasetest.Postgres(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	const name = "dibao.example.org"
	old, renewed := stored(t, time.Now().Add(time.Hour)), stored(t, time.Now().Add(1000*time.Hour))
	if err := Cache(db, "third", "").Put(t.Context(), name, old); err != nil {
		t.Fatal(err)
	}
	first, second := Cache(db, "first", ""), Cache(db, "second", "")
	get := func(c autocert.Cache, want []byte) {
		t.Helper()
		if got, err := c.Get(t.Context(), name); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, want %d; %v", len(got), len(want), err)
		}
	}
	get(first, old) // to use it
	get(second, old)
	get(first, old) // to renew it
	waited := make(chan []byte)
	go func() {
		got, err := second.Get(t.Context(), name)
		if err != nil {
			t.Error(err)
		}
		waited <- got
	}()
	select {
	case <-waited:
		t.Fatal("the second node may renew the certificate, too")
	case <-time.After(2 * renewedEvery):
	}
	if err := first.Put(t.Context(), name, renewed); err != nil {
		t.Fatal(err)
	}
	if got := <-waited; !bytes.Equal(got, renewed) {
		t.Errorf("the second node gets %d bytes, want %d", len(got), len(renewed))
	}
	get(second, renewed) // the second node does the next renewal
	ctx, cancel := context.WithTimeout(t.Context(), 2*renewedEvery)
	defer cancel()
	if _, err := first.Get(ctx, name); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the second node renews, the first gets %v", err)
	}
}
