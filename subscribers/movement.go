package subscribers

import (
	"context"
	"database/sql"
	"time"

	"dibao/internal/database"
)

// Movement is the number of readers who joined and left a list on a day.
type Movement struct {
	List         int64
	Day          string // YYYY-MM-DD
	Joined, Left int
}

// Movements returns the numbers of readers who joined and left the lists since a time,
// according to the consent log: readers who confirmed, were added or were imported; and
// readers who had done so before and unsubscribed. Days are in the zone of since. Deleted
// readers are not counted.
func (s *Store) Movements(ctx context.Context, since time.Time) (all []Movement, err error) {
	_, ahead := since.Zone()
	day := s.db.Dialect().DayOf("c.at", "$2")
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, func(r database.Row) (m Movement, err error) {
			return m, r.Scan(&m.List, &m.Day, &m.Joined, &m.Left)
		}, `SELECT list, day, SUM(joined), SUM(ended) FROM (
				SELECT c.list, `+day+` AS day, CASE WHEN c.event = 'unsubscribed' THEN 0 ELSE 1 END AS joined, CASE WHEN c.event = 'unsubscribed' THEN 1 ELSE 0 END AS ended
				FROM consents c WHERE c.at >= $1 AND c.list IS NOT NULL AND (c.event IN ('confirmed', 'added', 'imported') OR c.event = 'unsubscribed' AND EXISTS (
					SELECT 1 FROM consents j WHERE j.subscriber = c.subscriber AND j.list = c.list AND j.id < c.id AND j.event IN ('confirmed', 'added', 'imported')))) AS m
			GROUP BY list, day ORDER BY day, list`, since.UTC(), ahead)
		return err
	})
	return all, err
}
