package subscribers

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"dibao/internal/database"
)

// keySign separates the name of a list from its key. Names do not contain it.
const keySign = "~"

// newPageKey returns a key of 130 random bits.
func newPageKey() string { return strings.ToLower(rand.Text()) }

// Path returns the beginning of the paths of a list's pages, feeds and calendar:
// /lists/NAME/ for a public one, /lists/NAME~KEY/ for others, which nobody can guess.
func (l List) Path() string {
	if l.Visibility == Public {
		return "/lists/" + l.Slug + "/"
	}
	return "/lists/" + l.Slug + keySign + l.PageKey + "/"
}

// ListAt returns the list with this name in its Path, including its key if it needs one.
// For a list that is not public and whose key is missing or wrong, it returns ErrNotFound,
// as for one that does not exist. A list that became public keeps its secret address, too.
func (s *Store) ListAt(ctx context.Context, name string) (List, error) {
	slug, key, hasKey := strings.Cut(name, keySign)
	l, err := s.ListBySlug(ctx, slug)
	if err != nil {
		return List{}, err
	}
	if l.Visibility == Public && !hasKey {
		return l, nil
	}
	if l.PageKey == "" || subtle.ConstantTimeCompare([]byte(key), []byte(l.PageKey)) != 1 {
		return List{}, ErrNotFound
	}
	return l, nil
}

// RenewPageKey gives a list a new secret address; the old one stops working.
func (s *Store) RenewPageKey(ctx context.Context, id int64) (List, error) {
	var l List
	err := s.db.Write(ctx, func(tx *sql.Tx) (err error) {
		l, err = scanList(tx.QueryRowContext(ctx, `UPDATE lists SET page_key = $2, updated_at = $3 WHERE id = $1 AND removed_at IS NULL RETURNING `+listColumns,
			id, newPageKey(), s.now()))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return l, err
}

// FillPageKeys gives a secret address to lists without one, such as those in a backup of an
// earlier version.
func (s *Store) FillPageKeys(ctx context.Context) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		ids, err := database.Collect(ctx, tx, database.ScanOne[int64], `SELECT id FROM lists WHERE page_key = ''`)
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `UPDATE lists SET page_key = $2 WHERE id = $1`, id, newPageKey()); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("create the secret addresses of lists: %w", err)
	}
	return nil
}
