package digest

import (
	"context"
	"database/sql"
	"time"

	"dibao/internal/database"
)

// MailingReport says how the deliveries of a mailing stand.
type MailingReport struct {
	Mailing    int64     `json:"mailing"`
	DueAt      time.Time `json:"due_at"`
	State      string    `json:"state"`
	Waiting    int       `json:"waiting"`
	Claimed    int       `json:"claimed"`
	Sent       int       `json:"sent"`
	Failed     int       `json:"failed"`
	Uncertain  int       `json:"uncertain"`
	Suppressed int       `json:"suppressed"`
}

// Report returns how the newest mailings stand, the newest first.
func (s *Service) Report(ctx context.Context, limit int) ([]MailingReport, error) {
	var all []MailingReport
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, func(r database.Row) (MailingReport, error) {
			var m MailingReport
			err := r.Scan(&m.Mailing, &m.DueAt, &m.State, &m.Waiting, &m.Claimed, &m.Sent, &m.Failed, &m.Uncertain, &m.Suppressed)
			return m, err
		}, `SELECT m.id, m.due_at, m.state,
				COUNT(CASE WHEN d.state = 'waiting' THEN 1 END), COUNT(CASE WHEN d.state = 'claimed' THEN 1 END),
				COUNT(CASE WHEN d.state = 'sent' THEN 1 END), COUNT(CASE WHEN d.state = 'failed' THEN 1 END),
				COUNT(CASE WHEN d.state = 'uncertain' THEN 1 END), COUNT(CASE WHEN d.state = 'suppressed' THEN 1 END)
			FROM mailings m LEFT JOIN deliveries d ON d.mailing = m.id
			GROUP BY m.id, m.due_at, m.state ORDER BY m.id DESC LIMIT $1`, limit)
		return err
	})
	return all, err
}
