package inbound

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	netmail "net/mail"
	"strings"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/internal/lazyregexp"
	"dibao/internal/mail"
	"dibao/subscribers"
	"dibao/subscribers/mailaddr"
	"dibao/subscribers/tokens"
)

// reported is a delivery that a report is about.
type reported struct{ id, mailing, subscriber int64 }

// deliveryOf finds the delivery of a report: by the token of its envelope sender, or else
// by the Message-ID of the returned mail, or else, in an admin's file, by the reader that
// it names.
func (s *Service) deliveryOf(ctx context.Context, to []string, r mail.Report, fromAdmin bool) (reported, error) {
	forged := false
	for _, address := range append(to, r.Original["Return-Path"]...) {
		token, ok := tokenIn(address, delivery.BouncePrefix)
		if !ok {
			continue
		}
		id, err := s.subscribers.Keys().ParseBounceToken(ctx, token)
		if err != nil {
			forged = true
			continue
		}
		return s.sentDelivery(ctx, `d.id = $1`, id)
	}
	if forged { // the sender may also have invented the rest
		return reported{}, nil
	}
	if d, err := s.deliveryOfLink(ctx, r.Original); d.id != 0 || err != nil {
		return d, err
	}
	for _, one := range r.Recipients {
		latest, err := s.latestDeliveries(ctx, one.Address)
		if err != nil {
			return reported{}, err
		}
		for _, d := range latest {
			if messageIDMatches(r.Original, s.subscribers.Keys().MessageIDKey(), d) {
				return d, nil
			}
		}
		if fromAdmin && len(latest) > 0 {
			return latest[0], nil
		}
	}
	return reported{}, nil
}

var unsubscribeLink = lazyregexp.New(`/u/([A-Za-z0-9_-]{20,160})[>/?\s]`)

// deliveryOfLink finds a reader's latest delivery by the unsubscribe link of
// the returned mail: complaints hide who sent them.
func (s *Service) deliveryOfLink(ctx context.Context, original netmail.Header) (reported, error) {
	m := unsubscribeLink.FindStringSubmatch(original.Get("List-Unsubscribe") + " ")
	if m == nil {
		return reported{}, nil
	}
	t, err := s.subscribers.Keys().Check(ctx, m[1], tokens.ActionUnsubscribe)
	if err != nil {
		return reported{}, nil
	}
	return s.sentDelivery(ctx, `d.id = (SELECT MAX(id) FROM deliveries WHERE subscriber = $1 AND state NOT IN ('waiting', 'suppressed'))`, t.Subscriber)
}

func messageIDMatches(original netmail.Header, key []byte, d reported) bool {
	local, domain, ok := strings.Cut(strings.Trim(strings.TrimSpace(original.Get("Message-Id")), "<>"), "@")
	if !ok {
		return false
	}
	want, _, _ := strings.Cut(mail.MessageID(key, d.mailing, d.subscriber, domain), "@")
	return hmac.Equal([]byte(strings.ToLower(local)), []byte(want))
}

// wasSent is the condition of deliveries that were sent or may have been.
const wasSent = `d.state NOT IN ('waiting', 'suppressed')`

func scanReported(r database.Row) (d reported, err error) {
	err = r.Scan(&d.id, &d.mailing, &d.subscriber)
	return d, err
}

func (s *Service) sentDelivery(ctx context.Context, where string, args ...any) (reported, error) {
	var d reported
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		d, err = scanReported(tx.QueryRowContext(ctx, `SELECT d.id, d.mailing, d.subscriber FROM deliveries d WHERE `+wasSent+` AND `+where, args...))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return reported{}, nil
	}
	return d, err
}

// latestDeliveries returns the recent deliveries to an address, newest first.
func (s *Service) latestDeliveries(ctx context.Context, address string) ([]reported, error) {
	reader, err := s.subscribers.SubscriberByAddress(ctx, address)
	if errors.Is(err, subscribers.ErrNotFound) || errors.Is(err, mailaddr.ErrInvalid) {
		return nil, nil // not a reader's
	}
	if err != nil {
		return nil, err
	}
	var all []reported
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, scanReported, `SELECT d.id, d.mailing, d.subscriber FROM deliveries d JOIN mailings m ON m.id = d.mailing
			WHERE d.subscriber = $1 AND m.created_at > $2 AND `+wasSent+` ORDER BY d.id DESC LIMIT 60`, reader.ID, s.now().Add(-reportWithin))
		return err
	})
	return all, err
}
