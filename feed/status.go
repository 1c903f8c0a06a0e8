package feed

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"dibao/internal/database"
)

// Status is a snapshot of the state of collecting.
type Status struct {
	Sources   map[State]int // without removed ones
	Articles  int64
	Unindexed int64     // articles that wait for the search index
	Held      int64     // articles held until an admin releases them
	NewestAt  time.Time // when the newest article was stored; zero means that there is none
}

// Status returns a snapshot of the state of collecting. It counts articles by an index, and
// otherwise reads small tables.
func (st *Store) Status(ctx context.Context) (Status, error) {
	var s Status
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		s.Sources, err = database.CollectMap(ctx, tx, database.ScanPair[State, int], `SELECT state, COUNT(*) FROM sources WHERE state <> 'removed' GROUP BY state`)
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `SELECT collected_at FROM articles ORDER BY id DESC LIMIT 1`).Scan(&s.NewestAt)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return errors.Join(
			tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM articles`).Scan(&s.Articles),
			tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM search_pending`).Scan(&s.Unindexed),
			tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM articles WHERE held = 1`).Scan(&s.Held))
	})
	return s, err
}
