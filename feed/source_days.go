package feed

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"dibao/internal/database"
)

// KeptDays is the number of days for which the results of collections are kept.
const KeptDays = 90

// SourceDay counts the results of a source's collections on a day in its zone.
type SourceDay struct {
	Source      int64
	Day         string // YYYY-MM-DD
	State       State  // the worst state of the day
	Collections int
	Failures    int
}

// noteDay counts a collection of s that has just ended. The first one of a day
// deletes the days that are no longer kept.
func noteDay(ctx context.Context, tx *sql.Tx, s Source) error {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return err
	}
	at := s.CheckedAt.In(zone)
	day, failed := at.Format(time.DateOnly), 0
	if s.Failures > 0 {
		failed = 1
	}
	var before State
	switch err := tx.QueryRowContext(ctx, `SELECT state FROM source_days WHERE day = $1 AND source = $2`, day, s.ID).Scan(&before); {
	case errors.Is(err, sql.ErrNoRows):
		if _, err := tx.ExecContext(ctx, `DELETE FROM source_days WHERE day <= $1`, at.AddDate(0, 0, -KeptDays).Format(time.DateOnly)); err != nil {
			return err
		}
		before = s.State
	case err != nil:
		return err
	}
	if before.Severity() < s.State.Severity() {
		before = s.State
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO source_days (day, source, state, collections, failures) VALUES ($1, $2, $3, 1, $4)
		ON CONFLICT (day, source) DO UPDATE SET state = excluded.state, collections = source_days.collections + 1, failures = source_days.failures + excluded.failures`,
		day, s.ID, before, failed)
	return err
}

// SourceDays returns the results of the collections of a source (0 means all sources) since a day, in
// the order of days. A day without a collection has no entry.
func (st *Store) SourceDays(ctx context.Context, source int64, since string) (all []SourceDay, err error) {
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, func(row database.Row) (d SourceDay, err error) {
			return d, row.Scan(&d.Source, &d.Day, &d.State, &d.Collections, &d.Failures)
		}, `SELECT source, day, state, collections, failures FROM source_days WHERE day >= $1 AND ($2 = 0 OR source = $2) ORDER BY day, source`, since, source)
		return err
	})
	return all, err
}

// DayCount is the number of articles that a source published on a day.
type DayCount struct {
	Source   int64
	Day      string // YYYY-MM-DD
	Articles int
}

// PublishedByDay counts the articles of a source (0 means all sources) that were collected since
// a time, by the day on which they were published. An article without a date counts on the day
// of its collection, in the zone of since; older articles, such as the archive of a new
// source, do not count.
func (st *Store) PublishedByDay(ctx context.Context, source int64, since time.Time) (all []DayCount, err error) {
	_, ahead := since.Zone()
	came := st.db.Dialect().DayOf("collected_at", "$3")
	which, args := ``, []any{since.UTC(), since.Format(time.DateOnly), ahead}
	if source != 0 {
		which, args = `source = $4 AND `, append(args, source)
	}
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		// With +source, SQLite does not read the rows in the order of another index.
		all, err = database.Collect(ctx, tx, func(row database.Row) (c DayCount, err error) {
			return c, row.Scan(&c.Source, &c.Day, &c.Articles)
		}, `SELECT source, day, COUNT(*) FROM (SELECT +source AS source, COALESCE(NULLIF(published_on, ''), `+came+`) AS day FROM articles WHERE `+which+`collected_at >= $1) AS a
			WHERE day >= $2 GROUP BY source, day ORDER BY day, source`, args...)
		return err
	})
	return all, err
}
