package digest

import (
	"context"
	"database/sql"
)

// PauseAll pauses every mailing that is composed or on its way and returns how many there
// are. After a restore nobody knows which of their mails went out since the
// backup was made, and a reader should not get one twice.
func (s *Service) PauseAll(ctx context.Context) (n int64, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE mailings SET state = 'paused' WHERE state IN ('sending', 'composed')`)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n, err
}
