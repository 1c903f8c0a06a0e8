package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"dibao/internal/database"
)

// NoticeKind is the subject of a notification to the admin.
type NoticeKind string

// The kinds of notices.
const (
	NoticeDone    NoticeKind = "done"    // a mailing is finished
	NoticeStuck   NoticeKind = "stuck"   // a mailing does not progress
	NoticePolicy  NoticeKind = "policy"  // a domain refuses our mail
	NoticeMessage NoticeKind = "message" // a server does not accept a message
	NoticeRefused NoticeKind = "refused" // a relay or a domain refuses our mail before a recipient is named
	NoticePending NoticeKind = "pending" // many suppressions at one domain, or of one mailing, wait for the admin
)

// Notice is something that an admin should know.
type Notice struct {
	Kind    NoticeKind
	Mailing int64         // 0 means none
	Domain  string        // "" means that no domain is affected; for a relay, HOST:PORT
	Text    string        // the words of a server
	Report  MailingReport // for a mailing that is done or stuck
}

// stuckAfter is the age of the oldest waiting delivery of a mailing, others of
// which were sent, at which an admin is notified.
const stuckAfter = 6 * time.Hour

// close marks the mailings that are done, and reports those and the stuck ones.
func (r *deliveryRun) close(ctx context.Context) error {
	done, err := r.ledger.closeMailings(ctx)
	if err == nil && len(done) > 0 {
		err = r.service.settleUnknown(ctx, r.opts.Notify)
	}
	if err != nil || r.opts.Notify == nil {
		return err
	}
	stuck, err := r.service.stuckMailings(ctx)
	if err != nil {
		return err
	}
	for kind, ids := range map[NoticeKind][]int64{NoticeDone: done, NoticeStuck: stuck} {
		for _, id := range ids {
			report, err := r.service.ReportOf(ctx, id)
			if err != nil {
				return err
			}
			r.opts.Notify(ctx, Notice{Kind: kind, Mailing: id, Report: report})
		}
	}
	return nil
}

// stuckMailings returns mailings that are late and were not reported before.
func (s *Service) stuckMailings(ctx context.Context) (ids []int64, err error) {
	now := s.now()
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			UPDATE mailings SET stuck_told_at = $1 WHERE state = 'sending' AND stuck_told_at IS NULL AND EXISTS (
				SELECT 1 FROM deliveries d WHERE d.mailing = mailings.id AND d.state IN ('waiting', 'uncertain') AND d.first_tried_at < $2)
			RETURNING id`, now, now.Add(-stuckAfter))
		return err
	})
	return ids, err
}

// Pause stops a mailing on all nodes within seconds. Messages in flight to a
// server are completed.
func (s *Service) Pause(ctx context.Context, mailing int64) error {
	return s.setMailing(ctx, mailing, "paused", "sending", "composed")
}

// Resume continues a paused mailing. If it was paused while it was being
// composed, composing continues: readers without a delivery get one.
func (s *Service) Resume(ctx context.Context, mailing int64) error {
	return s.setMailing(ctx, mailing, "sending", "paused")
}

// Cancel cancels a mailing: its unsent messages are dropped.
func (s *Service) Cancel(ctx context.Context, mailing int64) error {
	if err := s.setMailing(ctx, mailing, "cancelled", "sending", "paused", "composed"); err != nil {
		return err
	}
	for {
		var n int64
		err := s.db.Write(ctx, func(tx *sql.Tx) error {
			res, err := tx.ExecContext(ctx, `
				UPDATE deliveries SET state = 'suppressed', next_at = NULL, done_at = $2, reply_code = 0, reply = 'cancelled' WHERE id IN (
					SELECT id FROM deliveries WHERE mailing = $1 AND state IN ('waiting', 'uncertain') AND next_at IS NOT NULL LIMIT 5000)
				AND state IN ('waiting', 'uncertain')`, mailing, s.now())
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// setMailing changes the state of a mailing, if it is in one of these states.
func (s *Service) setMailing(ctx context.Context, mailing int64, state string, from ...string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var now string
		err := tx.QueryRowContext(ctx, `SELECT state FROM mailings WHERE id = $1`, mailing).Scan(&now)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("mailing %d: %w; see: dibao issue report", mailing, ErrNotFound)
		}
		if err != nil || now == state {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE mailings SET state = CASE WHEN $2 = 'sending' AND composed_at IS NULL THEN 'composed' ELSE $2 END
			WHERE id = $1 AND state IN (`+s.db.Dialect().Texts("$3")+`)`,
			mailing, state, database.JSON(from))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return errors.Join(err, fmt.Errorf("mailing %d is %s; its state can't change to %s", mailing, now, state))
		}
		return nil
	})
}

// haltedMailings returns the mailings that were paused or canceled while some
// of their deliveries were claimed.
func (s *Service) haltedMailings(ctx context.Context) (ids []int64, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			SELECT id FROM mailings WHERE state IN ('paused', 'cancelled')
			AND EXISTS (SELECT 1 FROM deliveries d WHERE +d.mailing = mailings.id AND d.state = 'claimed')`)
		return err
	})
	return ids, err
}
