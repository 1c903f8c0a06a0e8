package subscribers

import (
	"context"
	"database/sql"

	"dibao/internal/database"
)

// WantEmpty returns the readers of the lists who asked for a note when nothing
// is new, in the order of their ids after the given one, at most limit.
func (s *Store) WantEmpty(ctx context.Context, lists []int64, after int64, limit int) ([]int64, error) {
	var ids []int64
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			SELECT id FROM subscribers WHERE wants_empty = 1 AND id > $2 AND EXISTS (
				SELECT 1 FROM subscriptions x WHERE x.subscriber = subscribers.id AND x.state = 'confirmed' AND x.list IN (`+s.db.Dialect().IDs("$1")+`))
			ORDER BY id LIMIT $3`, jsonArray(lists), after, limit)
		return err
	})
	return ids, err
}
