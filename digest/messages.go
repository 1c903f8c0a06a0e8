package digest

import (
	"context"
	"database/sql"
	"fmt"
	netmail "net/mail"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/internal/mail"
)

// messagePage is the number of deliveries that EachMessage reads at a time.
const messagePage = 500

// EachMessage calls f with every message of a mailing as it would be sent, unsigned, in the
// order of its deliveries, whatever their states. The message consists of pieces, most of
// them shared, which f may use until it returns. Readers who no longer exist are skipped.
func (s *Service) EachMessage(ctx context.Context, mailing int64, messageKey []byte, f func(to string, message [][]byte) error) error {
	r := newRenderer(s, nil)
	var assembly mail.Assembly
	after, err := s.firstDelivery(ctx, mailing)
	if err != nil {
		return err
	}
	for {
		var page []delivery.Delivery
		err := s.db.Read(ctx, func(tx *sql.Tx) error {
			var err error
			page, err = database.Collect(ctx, tx, func(row database.Row) (delivery.Delivery, error) {
				var d delivery.Delivery
				return d, row.Scan(&d.ID, &d.Subscriber, &d.Variant)
			}, `SELECT id, subscriber, variant FROM deliveries WHERE mailing + 0 = $1 AND id > $2 ORDER BY id LIMIT $3`, // by id: + 0 keeps the planner from using the index of mailings
				mailing, after, messagePage)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		ids := make([]int64, len(page))
		for i, d := range page {
			ids[i] = d.Subscriber
		}
		readers, err := s.subscribers.Readers(ctx, ids)
		if err != nil {
			return err
		}
		for _, d := range page {
			after = d.ID
			reader, ok := readers[d.Subscriber]
			if !ok {
				continue
			}
			v, err := r.variant(ctx, d.Variant)
			if err != nil {
				return fmt.Errorf("render variant %d: %w", d.Variant, err)
			}
			personal, err := r.personal(v, reader, mail.MessageID(messageKey, mailing, d.Subscriber, mail.DomainOf(v.from.Address)))
			if err != nil {
				return err
			}
			personal.To = netmail.Address{Address: reader.Address}
			if err := v.message.Assemble(&assembly, personal); err != nil {
				return fmt.Errorf("message of delivery %d: %w", d.ID, err)
			}
			if err := f(reader.Address, assembly.Pieces); err != nil {
				return err
			}
		}
	}
}

// firstDelivery returns the id before the first delivery of a mailing.
func (s *Service) firstDelivery(ctx context.Context, mailing int64) (id int64, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COALESCE(MIN(id), 1) - 1 FROM deliveries WHERE mailing = $1`, mailing).Scan(&id)
	})
	return id, err
}
