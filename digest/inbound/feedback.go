package inbound

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"dibao/digest/delivery"
	"dibao/digest/verdict"
	"dibao/internal/database"
)

type feedbackRow struct{ kind, class, code, status, text, phase string }

// noteReport stores a report once for its delivery. It returns whether its effect must
// still be applied, and how many issues recently got a report of its class.
func (s *Service) noteReport(ctx context.Context, d reported, f feedbackRow) (fresh bool, refusals int, err error) {
	now := s.now()
	text := database.Clip(verdict.Anonymous(f.text), 500)
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		fresh, refusals = false, 0
		res, err := tx.ExecContext(ctx, `
			INSERT INTO feedback (delivery, subscriber, kind, class, code, status, text, at, report, phase)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (report) WHERE report IS NOT NULL DO NOTHING`,
			d.id, d.subscriber, f.kind, f.class, codeNumber(f.code), f.status, text, now, reportKey(d, f.kind, f.class), f.phase)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 { // it was read before, but perhaps the process ended before it applied the effect
			err := tx.QueryRowContext(ctx, `SELECT effect = '' FROM feedback WHERE report = $1`, reportKey(d, f.kind, f.class)).Scan(&fresh)
			if err != nil || !fresh {
				return err
			}
		}
		fresh = true
		return tx.QueryRowContext(ctx, `SELECT COUNT(DISTINCT delivery) FROM feedback WHERE subscriber = $1 AND class = $2 AND at > $3`,
			d.subscriber, f.class, now.Add(-delivery.IssuesWithin)).Scan(&refusals)
	})
	return fresh, refusals, err
}

func (s *Service) noteEffect(ctx context.Context, d reported, kind, class, effect string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE feedback SET effect = $2 WHERE report = $1`, reportKey(d, kind, class), effect)
		return err
	})
}

// reportKey is the same for equal reports of one delivery: a report that is
// sent again, or replayed, is recognized.
func reportKey(d reported, kind, class string) string {
	return fmt.Sprintf("%d %s %s", d.id, kind, class)
}

func codeNumber(code string) int {
	n := 0
	_, _ = fmt.Sscanf(code, "%d", &n) // 0 if there is none
	return n
}

// Feedback is a final refusal or a returned report.
type Feedback struct {
	ID         int64     `json:"id"`
	At         time.Time `json:"at"`
	Subscriber int64     `json:"subscriber"`
	Address    string    `json:"address"` // "" if the reader has been deleted
	Delivery   int64     `json:"delivery"`
	Kind       string    `json:"kind"`
	Class      string    `json:"class"`
	Status     string    `json:"status"`
	Code       int       `json:"code"`
	Text       string    `json:"text"`
	Effect     string    `json:"effect"` // suppressed, pending, unsubscribed, restored, noted, nothing
}

// StatusCode returns the enhanced status code, or else the SMTP code; "" if there is neither.
func (f Feedback) StatusCode() string {
	if f.Status == "" && f.Code != 0 {
		return strconv.Itoa(f.Code)
	}
	return f.Status
}

// FeedbackLog returns final refusals and reports, newest first: at most limit, with ids lower
// than before (or any if before is 0), of a kind (or any if kind is ""). Strikes record whether a
// refusal suppressed its reader.
func (s *Service) FeedbackLog(ctx context.Context, before int64, kind string, limit int) ([]Feedback, error) {
	var all []Feedback
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, func(r database.Row) (f Feedback, err error) {
			err = r.Scan(&f.ID, &f.At, &f.Subscriber, &f.Address, &f.Delivery, &f.Kind, &f.Class, &f.Status, &f.Code, &f.Text, &f.Effect)
			return f, err
		}, `SELECT id, at, COALESCE(subscriber, 0), COALESCE((SELECT address FROM subscribers u WHERE u.id = f.subscriber), ''), COALESCE(delivery, 0), kind, class, status, code, text,
				CASE WHEN kind <> 'reply' THEN effect
					ELSE COALESCE((SELECT x.state FROM strikes x JOIN deliveries d ON d.mailing = x.mailing WHERE d.id = f.delivery AND x.subscriber = f.subscriber), 'noted') END
			FROM feedback f
			WHERE ($1 = 0 OR id < $1) AND ($2 = '' OR kind = $2) ORDER BY id DESC LIMIT $3`, before, kind, limit)
		return err
	})
	return all, err
}

// PruneFeedback deletes feedback that is older than retention.
func (s *Service) PruneFeedback(ctx context.Context, retention time.Duration) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"feedback", "strikes"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE at < $1`, s.now().Add(-retention)); err != nil {
				return err
			}
		}
		return nil
	})
}
