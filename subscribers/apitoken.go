package subscribers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/internal/fault"
	"dibao/internal/lazyregexp"
	"dibao/subscribers/tokens"
)

// APIToken lets a program use the admin API. The token itself is shown once,
// when it is created; only its hash is stored.
type APIToken struct {
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"` // read, GROUP or GROUP:VERB
	CreatedAt time.Time  `json:"created_at"`
	UsedAt    *time.Time `json:"used_at"` // accurate to the minute
	RevokedAt *time.Time `json:"revoked_at"`
}

// Allows reports whether the token may use a command; changes says whether the command
// changes anything.
func (t APIToken) Allows(group, verb string, changes bool) bool {
	return slices.ContainsFunc(t.Scopes, func(s string) bool {
		return s == group || s == group+":"+verb || s == "read" && !changes
	})
}

var (
	apiName  = lazyregexp.New(`^[a-z0-9][a-z0-9_-]{0,40}$`)
	apiScope = lazyregexp.New(`^(?:read|[a-z]+(?::[a-z]+)?)$`)
)

const apiPrefix = "dibao_" // lets scanners for leaked secrets recognize it

// CreateAPIToken creates a token and returns it: it can't be read again.
func (s *Store) CreateAPIToken(ctx context.Context, name string, scopes []string) (string, error) {
	if !apiName.MatchString(name) {
		return "", fault.Invalid("token name %q is invalid: use lowercase letters, digits and hyphens, such as backoffice", name)
	}
	if len(scopes) == 0 {
		return "", fault.Invalid("specify a scope for the token: read, a group such as subscriber, or a command such as subscriber:add")
	}
	for _, scope := range scopes {
		if !apiScope.MatchString(scope) {
			return "", fault.Invalid("scope %q is invalid; specify read, a group such as subscriber, or a command such as subscriber:add", scope)
		}
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	token := apiPrefix + base64.RawURLEncoding.EncodeToString(secret)
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO api_tokens (name, hash, scopes, created_at) VALUES ($1, $2, $3, $4)`,
			name, hashAPIToken(token), jsonArray(scopes), s.now())
		return err
	})
	if database.IsUniqueViolation(err) {
		return "", fmt.Errorf("a token %q already exists; revoke it first, or choose another name", name)
	}
	return token, err
}

func hashAPIToken(token string) string {
	sum := sha256.Sum256([]byte(token)) // a hash of 256 random bits: a slow hash adds nothing
	return hex.EncodeToString(sum[:])
}

// RevokeAPIToken revokes a token at once.
func (s *Store) RevokeAPIToken(ctx context.Context, name string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE api_tokens SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL`, name, s.now())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return errors.Join(err, fault.Missing("no token %q; to see all tokens: dibao token list", name))
		}
		return nil
	})
}

const apiTokenColumns = `name, scopes, created_at, used_at, revoked_at`

func scanAPIToken(r database.Row) (APIToken, error) {
	var t APIToken
	var scopes string
	var used, revoked sql.Null[time.Time]
	if err := r.Scan(&t.Name, &scopes, &t.CreatedAt, &used, &revoked); err != nil {
		return t, err
	}
	t.UsedAt, t.RevokedAt = timeOrNull(used), timeOrNull(revoked)
	return t, json.Unmarshal([]byte(scopes), &t.Scopes)
}

// APITokens returns all tokens, newest first.
func (s *Store) APITokens(ctx context.Context) ([]APIToken, error) {
	var all []APIToken
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, scanAPIToken, `SELECT `+apiTokenColumns+` FROM api_tokens ORDER BY id DESC`)
		return err
	})
	return all, err
}

// CheckAPIToken returns the token that a program sent, or tokens.ErrInvalid.
func (s *Store) CheckAPIToken(ctx context.Context, text string) (APIToken, error) {
	if !strings.HasPrefix(text, apiPrefix) || len(text) > tokens.MaxLength {
		return APIToken{}, tokens.ErrInvalid
	}
	var t APIToken
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		t, err = scanAPIToken(tx.QueryRowContext(ctx, `SELECT `+apiTokenColumns+` FROM api_tokens WHERE hash = $1 AND revoked_at IS NULL`, hashAPIToken(text)))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return APIToken{}, tokens.ErrInvalid
	}
	if err != nil {
		return APIToken{}, err
	}
	if now := s.now(); t.UsedAt == nil || now.Sub(*t.UsedAt) > time.Minute {
		err = s.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE api_tokens SET used_at = $2 WHERE hash = $1`, hashAPIToken(text), now)
			return err
		})
	}
	return t, err
}
