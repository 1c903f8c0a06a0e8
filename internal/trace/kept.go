package trace

import (
	"context"
	"database/sql"
	"time"

	"dibao/internal/database"
)

// Spans that are stored in the database, so that a mailing continues the trace of a
// collection whichever node composes and sends it.
const (
	Source  = "source"
	Mailing = "mailing"
)

// Kept is how long spans are stored: an article that is older when it is first seen does not
// enter an issue.
const Kept = 32 * 24 * time.Hour

// Keep stores the span of work on a source or a mailing, from begun to ended. It does
// nothing for the nil span.
func (s *Span) Keep(ctx context.Context, db *database.DB, about string, id int64, begun, ended time.Time) error {
	if s == nil {
		return nil
	}
	return db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM traces WHERE ended_at < $1`, begun.Add(-Kept)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO traces (about, id, begun_at, ended_at, parent) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			about, id, begun, ended, s.Parent())
		return err
	})
}

// Find returns the [Span.Parent] of the span that was stored for a source or mailing at
// some time; "" if there is none, or spans are not recorded.
func Find(ctx context.Context, db *database.DB, about string, id int64, at time.Time) (parent string, err error) {
	if !On(ctx) {
		return "", nil
	}
	err = db.Read(ctx, func(tx *sql.Tx) error {
		all, err := database.Collect(ctx, tx, database.ScanOne[string],
			`SELECT parent FROM traces WHERE about = $1 AND id = $2 AND begun_at <= $3 AND ended_at >= $3 ORDER BY begun_at DESC LIMIT 1`, about, id, at)
		if len(all) > 0 {
			parent = all[0]
		}
		return err
	})
	return parent, err
}
