package digest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"dibao/digest/delivery"
	"dibao/internal/database"
)

// Resent is the result of Resend.
type Resent struct {
	Again      int `json:"again"`      // deliveries that are sent again
	Later      int `json:"brought"`    // readers who get the same articles in a later mailing
	Suppressed int `json:"suppressed"` // readers who are suppressed or gone
}

// failedDelivery is a delivery that the reader did not get.
type failedDelivery struct {
	id, subscriber int64
	items          []contentItem
}

// Resend sends a mailing again to the readers of a domain, or for "" to all, whose delivery
// failed permanently: the same email, with the same Message-ID. Nobody gets anything twice:
// an email is not sent if it may have been delivered, or if a later mailing contains any of
// its articles. A finished mailing returns to the state "sending".
func (s *Service) Resend(ctx context.Context, mailing int64, domain string) (out Resent, err error) {
	report, err := s.ReportOf(ctx, mailing)
	if err != nil {
		return out, err
	}
	if report.State == "cancelled" || report.State == "composed" {
		return out, fmt.Errorf("mailing %d is %s; only one that was sent can be sent again", mailing, report.State)
	}
	for after := int64(0); ; {
		n, last, err := s.resendPage(ctx, mailing, domain, after, &out)
		if errors.Is(err, errTaken) {
			continue
		}
		if err != nil || n == 0 {
			return out, err
		}
		after = last
	}
}

// resendPage resends a page of deliveries: the failed ones after a given one.
func (s *Service) resendPage(ctx context.Context, mailing int64, domain string, after int64, out *Resent) (n int, last int64, err error) {
	version, err := s.compositionVersion(ctx)
	if err != nil {
		return 0, 0, err
	}
	var failed []failedDelivery
	var got map[int64]map[mailed]bool
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		if failed, err = s.failedDeliveries(ctx, tx, mailing, domain, after); err != nil {
			return err
		}
		got, err = s.sentElsewhere(ctx, tx, mailing, failed)
		return err
	})
	if err != nil || len(failed) == 0 {
		return 0, 0, err
	}
	ids := make([]int64, len(failed))
	for i, f := range failed {
		ids[i] = f.subscriber
	}
	readers, err := s.subscribers.Recipients(ctx, ids)
	if err != nil {
		return 0, 0, err
	}
	page, again := Resent{}, []int64{}
	for _, f := range failed {
		r, here := readers[f.subscriber]
		switch {
		case !here || r.Suppressed:
			page.Suppressed++
		case anyOf(f.items, got[f.subscriber]):
			page.Later++
		default:
			again = append(again, f.id)
		}
	}
	page.Again = len(again)
	if len(again) > 0 {
		err = s.reopen(ctx, mailing, again, version)
	}
	if err == nil {
		*out = Resent{out.Again + page.Again, out.Later + page.Later, out.Suppressed + page.Suppressed}
	}
	return len(failed), failed[len(failed)-1].id, err
}

func anyOf(items []contentItem, got map[mailed]bool) bool {
	for _, it := range items {
		if got[mailed{it.Article, it.Event}] {
			return true
		}
	}
	return false
}

// failedDeliveries returns deliveries of a mailing that failed and were never
// handed over without a reply.
func (s *Service) failedDeliveries(ctx context.Context, tx *sql.Tx, mailing int64, domain string, after int64) ([]failedDelivery, error) {
	return database.Collect(ctx, tx, func(r database.Row) (f failedDelivery, err error) {
		var items string
		if err := r.Scan(&f.id, &f.subscriber, &items); err != nil {
			return f, err
		}
		return f, json.Unmarshal([]byte(items), &f.items)
	}, `SELECT d.id, d.subscriber, v.items FROM deliveries d JOIN variants v ON v.id = d.variant JOIN subscribers u ON u.id = d.subscriber
		WHERE d.mailing = $1 AND d.state = 'failed' AND d.uncertain = 0 AND d.id > $3 AND ($2 = '' OR `+s.db.Dialect().Pick(delivery.OfDomainSQLite, delivery.OfDomainPostgres)+`)
		ORDER BY d.id LIMIT $4`, mailing, domain, after, readerPage)
}

// sentElsewhere returns what other mailings sent to readers, or are about to send.
func (s *Service) sentElsewhere(ctx context.Context, tx *sql.Tx, mailing int64, failed []failedDelivery) (map[int64]map[mailed]bool, error) {
	ids := make([]int64, len(failed))
	for i, f := range failed {
		ids[i] = f.subscriber
	}
	got := make(map[int64]map[mailed]bool)
	_, err := database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
		var reader int64
		var text string
		var items []contentItem
		if err := r.Scan(&reader, &text); err != nil {
			return struct{}{}, err
		}
		if got[reader] == nil {
			got[reader] = make(map[mailed]bool)
		}
		err := json.Unmarshal([]byte(text), &items)
		for _, it := range items {
			got[reader][mailed{it.Article, it.Event}] = true
		}
		return struct{}{}, err
	}, `SELECT d.subscriber, v.items FROM deliveries d JOIN variants v ON v.id = d.variant JOIN mailings m ON m.id = d.mailing
		WHERE d.subscriber IN (`+s.db.Dialect().IDs("$1")+`) AND d.mailing > $2
		AND d.state NOT IN ('failed', 'suppressed') AND (m.state <> 'cancelled' OR d.state <> 'waiting')`, database.JSON(ids), mailing)
	return got, err
}

// reopen makes failed deliveries due again, if no others have been created since version.
func (s *Service) reopen(ctx context.Context, mailing int64, ids []int64, version int64) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := s.countComposition(ctx, tx, version); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = 'waiting', next_at = $2, first_tried_at = NULL, done_at = NULL, reply_code = 0, reply = ''
			WHERE state = 'failed' AND id IN (`+s.db.Dialect().IDs("$1")+`)`, database.JSON(ids), s.now()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE mailings SET state = 'sending', done_at = NULL, stuck_told_at = NULL WHERE id = $1 AND state = 'done'`, mailing)
		return err
	})
}
