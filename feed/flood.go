package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"dibao/internal/database"
)

const (
	floodItems = 5 // old texts that arrive in one day
	// FloodAge is the age from which a text counts as old.
	FloodAge = 365 * 24 * time.Hour
	freshAge = 45 * 24 * time.Hour // maximum age of an article that can enter an issue
)

// HoldFlood holds articles that look like an archive put online again: five or more texts
// that are over a year old, came from one source in a day, and would count as new, by their
// date or without one. They are stored, searchable and in the feeds, but not in lists until
// an admin releases them. It returns the number of held articles.
func (st *Store) HoldFlood(ctx context.Context, source int64) (held int64, err error) {
	now := st.Now()
	const flood = `source = $1 AND held = 0 AND collected_at >= $2 AND issued_on < $3 AND (published_on IS NULL OR published_on = '' OR published_on >= $4)`
	args := []any{source, now.Add(-24 * time.Hour), now.Add(-FloodAge).Format(time.DateOnly), now.Add(-freshAge).Format(time.DateOnly)}
	var ids []int64
	err = st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT id FROM articles WHERE `+flood+` ORDER BY id`, args...)
		return err
	})
	if err != nil || len(ids) < floodItems {
		return 0, err
	}
	return st.setHeld(ctx, ids, true)
}

// heldAtOnce is the number of articles that one transaction holds or releases: each is
// rewritten with its whole text.
const heldAtOnce = 20

// setHeld holds articles or releases them, and returns the number that it changed.
func (st *Store) setHeld(ctx context.Context, ids []int64, held bool) (total int64, err error) {
	for some := range slices.Chunk(ids, heldAtOnce) {
		list, err := json.Marshal(some)
		if err != nil {
			return total, err
		}
		var n int64
		err = st.db.Write(ctx, func(tx *sql.Tx) error {
			res, err := tx.ExecContext(ctx, `UPDATE articles SET held = $2 WHERE held <> $2 AND id IN (`+st.db.Dialect().IDs("$1")+`)`, string(list), oneIf(held))
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// CountHeld counts the held articles of a source.
func (st *Store) CountHeld(ctx context.Context, source int64) (n int64, err error) {
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM articles WHERE source = $1 AND held = 1`, source).Scan(&n)
	})
	return n, err
}

// ReleaseSource releases the held articles of a source to the lists, and returns their
// number.
func (st *Store) ReleaseSource(ctx context.Context, id int64) (released int64, err error) {
	var ids []int64
	err = st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT id FROM articles WHERE source = $1 AND held = 1 ORDER BY id`, id)
		return err
	})
	if err != nil {
		return 0, err
	}
	if released, err = st.setHeld(ctx, ids, false); err != nil {
		return released, err
	}
	err = st.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sources SET state = 'ok', last_error = '' WHERE id = $1 AND state = 'flood'`, id)
		return err
	})
	return released, err
}
