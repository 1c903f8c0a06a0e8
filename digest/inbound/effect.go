package inbound

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/internal/mail"
)

// classOld is the class of feedback on an email to an address that the reader has changed
// since; it does not count.
const classOld = "old address"

// wentToOldAddress reports whether a bounce is about an address that the reader had when
// the email was sent and has changed since. A report that names the present address is
// about that one, whenever it arrives.
func (s *Service) wentToOldAddress(ctx context.Context, d reported, r mail.Report, one mail.ReportRecipient, present string) (bool, error) {
	if r.Kind != mail.ReportBounce || strings.EqualFold(one.Address, present) {
		return false, nil
	}
	var sent time.Time
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		times, err := database.Collect(ctx, tx, database.ScanOne[sql.Null[time.Time]], `
			SELECT done_at FROM deliveries WHERE id = $1 UNION ALL SELECT first_tried_at FROM deliveries WHERE id = $1
			UNION ALL SELECT created_at FROM mailings WHERE id = $2`, d.id, d.mailing)
		for _, t := range times {
			if t.Valid && sent.IsZero() {
				sent = t.V
			}
		}
		return err
	})
	if err != nil {
		return false, err
	}
	return s.subscribers.ChangedAddressSince(ctx, d.subscriber, sent)
}

// withdrawComplaint lifts the suppression that a complaint of the reader caused.
func (s *Service) withdrawComplaint(ctx context.Context, subscriber int64, in *Result) error {
	lifted, err := s.subscribers.LiftComplaint(ctx, subscriber, "the reader says that it is not spam")
	if lifted {
		in.Effect = EffectRestored
	}
	return err
}
