package subscribers

import (
	"bytes"
	"database/sql"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/subscribers/tokens"
	"strings"
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		clock := newClock()
		open := func() *Store {
			s, err := New(ctx, db, clock.Now)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		one, other := open(), open()
		old := one.Keys().UnsubscribeToken(7, 0)
		oldHash, oldMessageID := one.addressHash("a@example.org"), one.Keys().MessageIDKey()
		if _, err := other.Keys().Check(ctx, old, tokens.ActionUnsubscribe); err != nil {
			t.Fatalf("another node refuses a token: %v", err)
		}
		if err := one.Keys().Rotate(ctx); err != nil {
			t.Fatal(err)
		}
		fresh := one.Keys().UnsubscribeToken(7, 0)
		if fresh == old {
			t.Fatal("the key signs as before it was rotated")
		}
		for name, token := range map[string]string{"old": old, "new": fresh} {
			if _, err := one.Keys().Check(ctx, token, tokens.ActionUnsubscribe); err != nil {
				t.Errorf("token of the %s key, on the node that rotated: %v", name, err)
			}
			clock.Advance(time.Minute)
			if _, err := other.Keys().Check(ctx, token, tokens.ActionUnsubscribe); err != nil {
				t.Errorf("token of the %s key, on another node: %v", name, err)
			}
		}
		for name, s := range map[string]*Store{"the same": one, "another": other, "a new": open()} {
			if !bytes.Equal(s.Keys().MessageIDKey(), oldMessageID) || s.addressHash("A@example.org") != oldHash {
				t.Errorf("on %s node the rotation changed Message-IDs or suppressions", name)
			}
		}
		if bytes.Equal(oldMessageID, one.suppression) || bytes.Equal(oldMessageID, one.keys.Lasting("token")) {
			t.Error("two purposes share a key")
		}
	})
}

// Nodes that start at the same time on an empty database must agree on the keys.
func TestKeysOfNodesThatStartTogether(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		const nodes = 6
		stores := make(chan *Store, nodes)
		for range nodes {
			go func() {
				s, err := New(t.Context(), db, newClock().Now)
				if err != nil {
					t.Error(err)
				}
				stores <- s
			}()
		}
		var all []*Store
		for range nodes {
			if s := <-stores; s != nil {
				all = append(all, s)
			}
		}
		if t.Failed() {
			return
		}
		for _, s := range all {
			if _, err := all[0].Keys().Check(t.Context(), s.Keys().PreferencesToken(1, "a@example.org"), tokens.ActionPreferences); err != nil {
				t.Errorf("a node refuses another's token: %v", err)
			}
			if s.addressHash("a@example.org") != all[0].addressHash("a@example.org") {
				t.Error("nodes disagree about suppressions")
			}
		}
	})
}

func TestDamagedKeyIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`INSERT INTO secret_keys (id, secret, created_at) VALUES (1, 'c2hvcnQ', $1)`, testStart)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(t.Context(), db, newClock().Now); err == nil || !strings.Contains(err.Error(), "secret key 1") {
			t.Errorf("got %v, want an error that names the key", err)
		}
	})
}
