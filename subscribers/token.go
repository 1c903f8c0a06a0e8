package subscribers

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"dibao/internal/database"
)

// Action is what a token allows; each token allows one.
type Action byte

// The actions. Their numbers are in tokens that were mailed: never change them.
const (
	ActionConfirm     Action = 1
	ActionUnsubscribe Action = 2
	ActionPreferences Action = 3
	actionBounce      Action = 4
	actionForm        Action = 5
)

// ErrToken says that a token is not ours, is for something else, or is damaged.
var ErrToken = errors.New("bad token")

// ErrExpired says that a token was good and is too old.
var ErrExpired = errors.New("expired token")

// ConfirmDays is how long a confirmation link works. Links to unsubscribe and
// to preferences work for ever.
const ConfirmDays = 7

// macSize is 128 bits of HMAC-SHA-256.
const macSize = 16

// Token says what a link allows, and to whom. List 0 stands for all lists.
type Token struct {
	Action     Action
	Subscriber int64
	List       int64
	Expires    time.Time // zero: never
}

// Keys sign and check tokens with keys kept in the database, so that every node
// takes every node's tokens and a backup keeps links alive.
type Keys struct {
	current int64
	secrets map[int64][]byte // by id, retired ones too
	now     func() time.Time
}

// loadKeys reads the keys and makes the first one.
func loadKeys(ctx context.Context, db *database.DB, now func() time.Time) (*Keys, error) {
	k := &Keys{secrets: make(map[int64][]byte), now: now}
	read := func(tx *sql.Tx) error {
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
			k.secrets[id] = secret
			if active {
				k.current = id
			}
		}
		return rows.Err()
	}
	if err := db.Read(ctx, read); err != nil || k.current != 0 {
		return k, err
	}
	err := db.Write(ctx, func(tx *sql.Tx) error {
		// With its id given, two nodes that start at once make one key.
		secret := make([]byte, 32)
		rand.Read(secret) // never fails
		_, err := tx.ExecContext(ctx, `INSERT INTO secret_keys (id, secret, created_at)
			SELECT COALESCE(MAX(id), 0) + 1, $1, $2 FROM secret_keys ON CONFLICT (id) DO NOTHING`,
			base64.StdEncoding.EncodeToString(secret), now())
		if err != nil {
			return err
		}
		return read(tx)
	})
	return k, err
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
func (k *Keys) MessageIDKey() []byte { return derive(k.secrets[k.first()], "message id") }

// first is the oldest key: what must not change hangs on it.
func (k *Keys) first() int64 {
	least := k.current
	for id := range k.secrets {
		least = min(least, id)
	}
	return least
}

func (k *Keys) mac(key int64, payload []byte) []byte {
	m := hmac.New(sha256.New, derive(k.secrets[key], "token"))
	m.Write(payload)
	return m.Sum(nil)[:macSize]
}

// seal returns payload and MAC as bytes.
func (k *Keys) seal(t Token) []byte {
	payload := []byte{byte(t.Action)}
	payload = binary.AppendUvarint(payload, uint64(k.current))
	payload = binary.AppendUvarint(payload, uint64(t.Subscriber))
	payload = binary.AppendUvarint(payload, uint64(t.List))
	expires := int64(0)
	if !t.Expires.IsZero() {
		expires = t.Expires.Unix()
	}
	payload = binary.AppendUvarint(payload, uint64(expires))
	return append(payload, k.mac(k.current, payload)...)
}

// open checks what seal made.
func (k *Keys) open(b []byte) (Token, error) {
	if len(b) < macSize+5 {
		return Token{}, ErrToken
	}
	payload, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	var fields [4]uint64
	rest := payload[1:]
	for i := range fields {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			return Token{}, ErrToken
		}
		fields[i], rest = v, rest[n:]
	}
	key := int64(fields[0])
	if _, ok := k.secrets[key]; !ok || len(rest) > 0 || !hmac.Equal(mac, k.mac(key, payload)) {
		return Token{}, ErrToken
	}
	t := Token{Action: Action(payload[0]), Subscriber: int64(fields[1]), List: int64(fields[2])}
	if fields[3] != 0 {
		t.Expires = time.Unix(int64(fields[3]), 0).UTC()
	}
	return t, nil
}

// Sign returns the token as text that is safe in an address.
func (k *Keys) Sign(t Token) string { return base64.RawURLEncoding.EncodeToString(k.seal(t)) }

// Check returns what a token says, if it is ours, for this action, and not too old.
func (k *Keys) Check(text string, action Action) (Token, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return Token{}, ErrToken
	}
	t, err := k.open(b)
	switch {
	case err != nil:
		return Token{}, err
	case t.Action != action:
		return Token{}, ErrToken
	case !t.Expires.IsZero() && !k.now().Before(t.Expires):
		return Token{}, ErrExpired
	}
	return t, nil
}

// UnsubscribeToken ends a subscription, or with list 0 all of a reader's. It never expires.
func (k *Keys) UnsubscribeToken(subscriber, list int64) string {
	return k.Sign(Token{Action: ActionUnsubscribe, Subscriber: subscriber, List: list})
}

// PreferencesToken opens a reader's preferences. It never expires.
func (k *Keys) PreferencesToken(subscriber int64) string {
	return k.Sign(Token{Action: ActionPreferences, Subscriber: subscriber})
}

// lower is base32 in lower case: a local part may come back in any case.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// BounceToken names a delivery in an envelope sender (VERP).
func (k *Keys) BounceToken(delivery int64) string {
	return lower.EncodeToString(k.seal(Token{Action: actionBounce, Subscriber: delivery}))
}

// ParseBounceToken returns the delivery that BounceToken named, in any case of letters.
func (k *Keys) ParseBounceToken(text string) (delivery int64, err error) {
	b, err := lower.DecodeString(strings.ToLower(text))
	if err != nil {
		return 0, ErrToken
	}
	t, err := k.open(b)
	if err != nil || t.Action != actionBounce || lower.EncodeToString(b) != strings.ToLower(text) {
		return 0, ErrToken
	}
	return t.Subscriber, nil
}

// formStamp says when a form was shown, so that one sent back at once is known
// for a robot's.
func (k *Keys) formStamp() string {
	return k.Sign(Token{Action: actionForm, Subscriber: k.now().UnixMilli()})
}

func (k *Keys) formAge(stamp string) (time.Duration, error) {
	t, err := k.Check(stamp, actionForm)
	if err != nil {
		return 0, err
	}
	return k.now().Sub(time.UnixMilli(t.Subscriber)), nil
}

// addressHash names an address in the suppression list without keeping it.
func (s *Store) addressHash(address string) string {
	m := hmac.New(sha256.New, derive(s.keys.secrets[s.keys.first()], "suppression"))
	m.Write([]byte(addressKey(address)))
	return hex.EncodeToString(m.Sum(nil))
}
