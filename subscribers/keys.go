package subscribers

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"sync/atomic"
	"time"

	"dibao/internal/database"
)

// Keys sign and check tokens with keys kept in the database, so that every node
// takes every node's tokens and a backup keeps links alive. Safe for concurrent use.
type Keys struct {
	db  *database.DB
	now func() time.Time
	set atomic.Pointer[keySet]
}

// keySet is what was in the database when it was read; it is never changed.
type keySet struct {
	readAt  time.Time
	current int64            // signs
	first   int64            // the oldest: what must stay the same for ever hangs on it
	secrets map[int64][]byte // by id, retired ones too
	tokens  map[int64][]byte // derived from the secrets, to sign tokens
}

// openKeys reads the keys and makes the first one.
func openKeys(ctx context.Context, db *database.DB, now func() time.Time) (*Keys, error) {
	k := &Keys{db: db, now: now}
	if err := k.reload(ctx); err != nil || k.set.Load().current != 0 {
		return k, err
	}
	return k, k.add(ctx, false)
}

// Rotate makes a new key, which signs from now on; links that older keys signed
// stay good. Another node goes on signing with the key that it knows until it
// meets a token of the new one.
func (k *Keys) Rotate(ctx context.Context) error { return k.add(ctx, true) }

// add makes a key after the last one. Its id is given, so that two nodes that
// start at once make one key.
func (k *Keys) add(ctx context.Context, another bool) error {
	err := k.db.Write(ctx, func(tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM secret_keys WHERE retired_at IS NULL`).Scan(&last); err != nil {
			return err
		}
		if last != 0 && !another {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `UPDATE secret_keys SET retired_at = $1 WHERE retired_at IS NULL`, k.now()); err != nil {
			return err
		}
		secret := make([]byte, 32)
		rand.Read(secret) // never fails
		// WHERE keeps SQLite from reading ON as part of a join.
		_, err := tx.ExecContext(ctx, `INSERT INTO secret_keys (id, secret, created_at)
			SELECT COALESCE(MAX(id), 0) + 1, $1, $2 FROM secret_keys WHERE TRUE ON CONFLICT (id) DO NOTHING`,
			base64.StdEncoding.EncodeToString(secret), k.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("make a secret key: %w", err)
	}
	return k.reload(ctx)
}

// reload reads the keys that are in the database now.
func (k *Keys) reload(ctx context.Context) error {
	set := &keySet{readAt: k.now(), secrets: make(map[int64][]byte), tokens: make(map[int64][]byte)}
	err := k.db.Read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, secret, retired_at IS NULL FROM secret_keys ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var text string
			var active bool
			if err := rows.Scan(&id, &text, &active); err != nil {
				return err
			}
			secret, err := base64.StdEncoding.DecodeString(text)
			if err != nil || len(secret) < 32 {
				return fmt.Errorf("secret key %d in the database is damaged; restore it from a backup", id)
			}
			set.secrets[id], set.tokens[id] = secret, derive(secret, "token")
			if set.first == 0 {
				set.first = id
			}
			if active {
				set.current = id
			}
		}
		return rows.Err()
	})
	if err == nil {
		k.set.Store(set)
	}
	return err
}

// reloadEvery bounds how often tokens of keys that nobody has cost a query.
const reloadEvery = 10 * time.Second

// learn reads the keys again where a token names one that this node does not
// know: another node may have made it.
func (k *Keys) learn(ctx context.Context, key int64) {
	set := k.set.Load()
	if _, known := set.tokens[key]; known || k.now().Sub(set.readAt) < reloadEvery {
		return
	}
	// Without the key the token is refused, as it should be when the database
	// cannot be asked.
	_ = k.reload(ctx)
}

// derive makes a key for one purpose from a secret.
func derive(secret []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, "dibao "+purpose, 32)
	if err != nil {
		panic("subscribers: hkdf refused a fixed length: " + err.Error())
	}
	return key
}

// MessageIDKey returns the key that Message-IDs are made with; it stays the same
// when token keys rotate, so that a second copy carries the first one's ID.
func (k *Keys) MessageIDKey() []byte { return k.lasting("message id") }

// lasting derives a key that rotation does not change.
func (k *Keys) lasting(purpose string) []byte {
	set := k.set.Load()
	return derive(set.secrets[set.first], purpose)
}

// addressHash names an address in the suppression list without keeping it.
func (s *Store) addressHash(address string) string {
	m := hmac.New(sha256.New, s.suppression)
	m.Write([]byte(addressKey(address)))
	return hex.EncodeToString(m.Sum(nil))
}
