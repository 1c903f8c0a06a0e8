package subscribers

import (
	"context"
	"database/sql"

	"dibao/internal/database"
)

// Welcome is a reader who confirmed a list that sends its last issue to new
// readers at once.
type Welcome struct{ Subscriber, List int64 }

// DueWelcomes returns readers who wait for their welcome issue, at most limit.
func (s *Store) DueWelcomes(ctx context.Context, limit int) ([]Welcome, error) {
	var due []Welcome
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		due, err = database.Collect(ctx, tx, func(r database.Row) (Welcome, error) {
			var w Welcome
			err := r.Scan(&w.Subscriber, &w.List)
			return w, err
		}, `SELECT subscriber, list FROM subscriptions WHERE welcome_due = 1 AND state = 'confirmed' ORDER BY list, subscriber LIMIT $1`, limit)
		return err
	})
	return due, err
}

// Welcomed records, in the transaction that composes the welcome issue, that a reader gets
// it. It reports whether it was still due.
func (s *Store) Welcomed(ctx context.Context, tx *sql.Tx, w Welcome) (bool, error) {
	res, err := tx.ExecContext(ctx, `UPDATE subscriptions SET welcome_due = 0 WHERE subscriber = $1 AND list = $2 AND welcome_due = 1`, w.Subscriber, w.List)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// requestWelcome marks those of the newly confirmed lists that have a welcome issue.
func (s *Store) requestWelcome(ctx context.Context, tx *sql.Tx, subscriber int64, lists []int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE subscriptions SET welcome_due = 1
		WHERE subscriber = $1 AND state = 'confirmed' AND list IN (
			SELECT id FROM lists WHERE welcome = 1 AND id IN (`+s.db.Dialect().IDs("$2")+`))`, subscriber, jsonArray(lists))
	return err
}
