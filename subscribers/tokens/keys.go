// Package tokens signs and checks the tokens in links of readers: what each one allows, for
// whom, and until when. Its keys are stored in the database.
package tokens

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"sync/atomic"
	"time"

	"dibao/internal/database"
)

// Keys signs and checks tokens with keys that are stored in the database, so
// that every node accepts every node's tokens and links survive a restore. It
// is safe for concurrent use.
type Keys struct {
	db  *database.DB
	now func() time.Time
	set atomic.Pointer[keySet]
}

// keySet contains the keys at the time they were read from the database; it is never
// changed.
type keySet struct {
	readAt  time.Time
	current int64             // the newest: it signs
	first   int64             // the oldest: values that must never change depend on it
	secrets map[int64][]byte  // by id, including retired ones
	tokens  map[int64]*macKey // derived from the secrets, to sign tokens
	address *macKey           // derived from the oldest, to bind tokens to an address
}

// Open reads the keys and makes the first one. Its id is fixed, so that
// nodes that start at the same time make one key and agree on it.
func Open(ctx context.Context, db *database.DB, now func() time.Time) (*Keys, error) {
	k := &Keys{db: db, now: now}
	if err := k.reload(ctx); err != nil || k.set.Load().current != 0 {
		return k, err
	}
	err := db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO secret_keys (id, secret, created_at) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING`,
			newSecret(), now())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create the first secret key: %w", err)
	}
	return k, k.reload(ctx)
}

func newSecret() string {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return base64.StdEncoding.EncodeToString(secret)
}

// Rotate creates a new key, which signs from now on; links that older keys signed stay
// valid. Another node continues to sign with the key that it knows until it encounters a
// token of the new one.
func (k *Keys) Rotate(ctx context.Context) error {
	err := k.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE secret_keys SET retired_at = $1 WHERE retired_at IS NULL`, k.now()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO secret_keys (id, secret, created_at) SELECT MAX(id) + 1, $1, $2 FROM secret_keys`,
			newSecret(), k.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("create a secret key: %w", err)
	}
	return k.reload(ctx)
}

// reload reads the keys that are in the database now.
func (k *Keys) reload(ctx context.Context) error {
	set := &keySet{readAt: k.now(), secrets: make(map[int64][]byte), tokens: make(map[int64]*macKey)}
	err := k.db.Read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, secret FROM secret_keys ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var text string
			if err := rows.Scan(&id, &text); err != nil {
				return err
			}
			secret, err := base64.StdEncoding.DecodeString(text)
			if err != nil || len(secret) < 32 {
				return fmt.Errorf("secret key %d in the database is damaged; restore it from a backup", id)
			}
			set.secrets[id], set.tokens[id] = secret, newMACKey(derive(secret, "token"))
			if set.first == 0 {
				set.first, set.address = id, newMACKey(derive(secret, "address of a token"))
			}
			set.current = id
		}
		return rows.Err()
	})
	if err == nil {
		k.set.Store(set)
	}
	return err
}

// reloadEvery limits how often tokens with unknown keys cause a query.
const reloadEvery = 10 * time.Second

// learn reads the keys again if a token names one that this node does not know: another
// node may have created it.
func (k *Keys) learn(ctx context.Context, key int64) {
	set := k.set.Load()
	if _, known := set.tokens[key]; known || k.now().Sub(set.readAt) < reloadEvery {
		return
	}
	// Without the key the token is refused, as it must be if the database can't be read.
	_ = k.reload(ctx)
}

// derive returns a key for one purpose from a secret.
func derive(secret []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, "dibao "+purpose, 32)
	if err != nil {
		panic("tokens: hkdf refused a fixed length: " + err.Error())
	}
	return key
}

// MessageIDKey returns the key for Message-IDs; it stays the same when token keys rotate,
// so that a message that is sent again has the same ID.
func (k *Keys) MessageIDKey() []byte { return k.Lasting("message id") }

// Lasting returns a key for one purpose that rotation does not change.
func (k *Keys) Lasting(purpose string) []byte {
	set := k.set.Load()
	return derive(set.secrets[set.first], purpose)
}
