package subscribers

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"dibao/subscribers/mailaddr"
	"encoding/hex"
	"errors"
	"net/netip"
	"time"
)

// How often an address gets confirmation emails. The limits are in the database, so that a
// restart or a second node does not reset them; limits by network and domain are in
// limit_network.go.
const (
	maxConfirmations     = 3 // emails to one address in total, until its owner confirms
	confirmationInterval = 24 * time.Hour

	// To one mailbox, whose tags (name+tag@…) are separate addresses.
	maxMailboxConfirmations = 9
	mailboxInterval         = time.Hour
)

// mayConfirm counts a confirmation email to the address, if another one is allowed.
func (s *Store) mayConfirm(ctx context.Context, tx *sql.Tx, id int64, address string, now time.Time) (bool, error) {
	closed, err := s.isClosed(ctx, tx, address, now)
	if err != nil || closed {
		return false, err
	}
	var asked int // count the mailbox only if the address itself is within its limits
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM subscribers
		WHERE id = $1 AND confirmations < $2 AND (last_confirmation_at IS NULL OR last_confirmation_at <= $3)`,
		id, maxConfirmations, now.Add(-confirmationInterval)).Scan(&asked)
	if err != nil || asked == 0 {
		return false, err
	}
	if free, err := s.mailboxMayBeAsked(ctx, tx, address, now); err != nil || !free {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE subscribers SET confirmations = confirmations + 1, last_confirmation_at = $2 WHERE id = $1`, id, now)
	return err == nil, err
}

// NotMailed reverts the record of a confirmation email that was not sent: the address may
// be mailed again at once.
func (s *Store) NotMailed(ctx context.Context, address string) error {
	now := s.now()
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var id int64
		err := tx.QueryRowContext(ctx, `UPDATE subscribers SET confirmations = confirmations - 1, last_confirmation_at = NULL
			WHERE address = $1 AND confirmations > 0 RETURNING id`, address).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE confirmation_counts SET mailed = mailed - 1, last_at = $2 WHERE address_hash = $1 AND mailed > 0`,
			s.mailboxHash(address), now.Add(-mailboxInterval)); err != nil {
			return err
		}
		return logConsent(ctx, tx, id, 0, "confirmation not mailed", netip.Prefix{}, "", now)
	})
}

// mailboxMayBeAsked counts an email to the mailbox of an address, if another one is
// allowed: in one statement, because several nodes may handle requests at the same time.
func (s *Store) mailboxMayBeAsked(ctx context.Context, tx *sql.Tx, address string, now time.Time) (bool, error) {
	res, err := tx.ExecContext(ctx, `INSERT INTO confirmation_counts (address_hash, mailed, last_at) VALUES ($1, 1, $2)
		ON CONFLICT (address_hash) DO UPDATE SET mailed = confirmation_counts.mailed + 1, last_at = excluded.last_at
		WHERE confirmation_counts.mailed < $3 AND confirmation_counts.last_at <= $4`,
		s.mailboxHash(address), now, maxMailboxConfirmations, now.Add(-mailboxInterval))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// answered resets the count: the limits apply only to addresses that never answered.
func (s *Store) answered(ctx context.Context, tx *sql.Tx, id int64, address string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE subscribers SET confirmations = 0 WHERE id = $1`, id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM confirmation_counts WHERE address_hash IN ($1, $2)`, s.mailboxHash(address), s.addressHash(address))
	return err
}

// remember keeps the count of emails to an address when its reader's row is deleted.
func (s *Store) remember(ctx context.Context, tx *sql.Tx, id int64, address string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO confirmation_counts (address_hash, mailed, last_at)
		SELECT $2, confirmations, last_confirmation_at FROM subscribers WHERE id = $1 AND last_confirmation_at IS NOT NULL AND confirmations > 0
		ON CONFLICT (address_hash) DO UPDATE SET mailed = excluded.mailed, last_at = excluded.last_at`, id, s.addressHash(address))
	return err
}

// restoreCount sets the count of a reader's new row to that of an earlier one.
func (s *Store) restoreCount(ctx context.Context, tx *sql.Tx, id int64, address string) error {
	_, err := tx.ExecContext(ctx, `UPDATE subscribers SET
			confirmations = c.mailed, last_confirmation_at = c.last_at
		FROM confirmation_counts c WHERE c.address_hash = $2 AND subscribers.id = $1 AND subscribers.last_confirmation_at IS NULL`,
		id, s.addressHash(address))
	return err
}

// mayMailUnknown reports whether an address without a reader may be mailed, without
// counting anything: a refused request leaves no row.
func (s *Store) mayMailUnknown(ctx context.Context, tx *sql.Tx, address string, now time.Time) (bool, error) {
	if closed, err := s.isClosed(ctx, tx, address, now); err != nil || closed {
		return false, err
	}
	var refused bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM confirmation_counts
		WHERE address_hash = $1 AND (mailed >= $2 OR last_at > $3) OR address_hash = $4 AND (mailed >= $5 OR last_at > $6))`,
		s.addressHash(address), maxConfirmations, now.Add(-confirmationInterval),
		s.mailboxHash(address), maxMailboxConfirmations, now.Add(-mailboxInterval)).Scan(&refused)
	return err == nil && !refused, err
}

// mailboxHash returns a hash that identifies the mailbox of an address.
func (s *Store) mailboxHash(address string) string {
	m := hmac.New(sha256.New, s.suppression)
	m.Write([]byte("mailbox " + mailaddr.MailboxOf(address)))
	return hex.EncodeToString(m.Sum(nil))
}
