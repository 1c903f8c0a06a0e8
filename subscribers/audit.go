package subscribers

import (
	"context"
	"database/sql"
	"time"

	"dibao/internal/database"
)

// AuditEvent is one change that an admin made.
type AuditEvent struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`  // the user of the operating system, or token:NAME
	Action string    `json:"action"` // as on the command line, such as subscriber suppress
	Target string    `json:"target"` // such as list weekly or subscriber 17; never an address
	Detail string    `json:"detail"`
}

// Audit records a change that an admin made, without addresses: the log
// outlives the reader.
func (s *Store) Audit(ctx context.Context, e AuditEvent) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO audit (at, actor, action, target, detail) VALUES ($1, $2, $3, $4, $5)`,
			s.now(), e.Actor, e.Action, withoutAddresses(e.Target), withoutAddresses(e.Detail))
		return err
	})
}

// AuditLog returns changes, newest first: at most limit, with ids lower than before (0 means the
// newest), whose action begins with the given text.
func (s *Store) AuditLog(ctx context.Context, before int64, action string, limit int) ([]AuditEvent, error) {
	var all []AuditEvent
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, func(r database.Row) (AuditEvent, error) {
			var e AuditEvent
			err := r.Scan(&e.ID, &e.At, &e.Actor, &e.Action, &e.Target, &e.Detail)
			return e, err
		}, `SELECT id, at, actor, action, target, detail FROM audit
			WHERE ($1 = 0 OR id < $1) AND action LIKE $2 ESCAPE '\' ORDER BY id DESC LIMIT $3`, before, likeEscaper.Replace(action)+"%", limit)
		return err
	})
	return all, err
}
