package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"time"

	"dibao/internal/database"
	"dibao/subscribers/mailaddr"
	"dibao/subscribers/tokens"
)

// AskChange records that a reader wants another address and returns the two
// emails that ask both mailboxes. It returns none if the address can't be used:
// another reader has it, it is suppressed, or it was asked too often. The
// requester must not learn which. A request replaces an earlier one and
// invalidates its links.
func (s *Store) AskChange(ctx context.Context, subscriber int64, typed string, network netip.Prefix) ([]Confirmation, error) {
	address, err := mailaddr.Parse(typed)
	if err != nil {
		return nil, err
	}
	if mailaddr.RoleOf(address) == mailaddr.RoleMachine {
		return nil, mailaddr.ErrInvalid
	}
	now := s.now()
	var mails []Confirmation
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		mails = nil
		var old, lang string
		if err := tx.QueryRowContext(ctx, `SELECT address, language FROM subscribers WHERE id = $1`, subscriber).Scan(&old, &lang); err != nil {
			return notFound(err)
		}
		// The holder of a mailed link needs no other proof.
		if needed, err := s.proofNeeded(ctx, tx, network, address); err != nil || needed > ProofWorked {
			return err
		}
		free, err := s.mayChangeTo(ctx, tx, subscriber, address, now)
		if err != nil || !free {
			return err
		}
		if err := s.countMail(ctx, tx, network, address, now); err != nil {
			return err
		}
		var nonce int64
		err = tx.QueryRowContext(ctx, `INSERT INTO address_changes (subscriber, nonce, address, asked_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (subscriber) DO UPDATE SET nonce = excluded.nonce, address = excluded.address, asked_at = excluded.asked_at, old_said_at = NULL, new_said_at = NULL
			RETURNING nonce`, subscriber, now.UnixMicro(), address, now).Scan(&nonce)
		if err != nil {
			return err
		}
		if err := logConsent(ctx, tx, subscriber, 0, "change of address asked", network, "", now); err != nil {
			return err
		}
		for _, side := range []struct {
			kind    Kind
			action  tokens.Action
			address string
		}{{KindChangeOld, tokens.ActionChangeOld, old}, {KindChangeNew, tokens.ActionChangeNew, address}} {
			mails = append(mails, Confirmation{
				Kind: side.kind, Address: side.address, NewAddress: address, Language: lang,
				Token: s.keys.Sign(tokens.Token{Action: side.action, Subscriber: subscriber, List: nonce, Expires: now.Add(AskHours * time.Hour)}),
			})
		}
		return nil
	})
	return mails, err
}

// mayChangeTo reports whether a reader may change to an address, and counts the email to
// that address.
func (s *Store) mayChangeTo(ctx context.Context, tx *sql.Tx, subscriber int64, address string, now time.Time) (bool, error) {
	var taken bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM subscribers WHERE address_key = $1 AND (id <> $2 OR address = $3))`,
		mailaddr.Key(address), subscriber, address).Scan(&taken)
	if err != nil || taken {
		return false, err
	}
	if closed, err := s.isClosed(ctx, tx, address, now); err != nil || closed {
		return false, err
	}
	if nonce, err := s.mayAsk(ctx, tx, subscriber, askedChange, now); err != nil || nonce == 0 {
		return false, err
	}
	return s.mailboxMayBeAsked(ctx, tx, address, now)
}

// Change is a change of address, for one of its two links.
type Change struct {
	Address string // the new address
	Done    bool   // both mailboxes have agreed
	said    bool   // the mailbox of the link has agreed
}

// changeOf returns the change that a link belongs to, ErrExpired if a later one replaced
// it.
func (s *Store) changeOf(ctx context.Context, tx *sql.Tx, t tokens.Token) (Change, error) {
	var c Change
	var old, fresh sql.Null[time.Time]
	err := tx.QueryRowContext(ctx, `SELECT address, old_said_at, new_said_at FROM address_changes WHERE subscriber = $1 AND nonce = $2`, t.Subscriber, t.List).
		Scan(&c.Address, &old, &fresh)
	if errors.Is(err, sql.ErrNoRows) {
		return c, tokens.ErrExpired
	}
	c.said = t.Action == tokens.ActionChangeOld && old.Valid || t.Action == tokens.ActionChangeNew && fresh.Valid
	c.Done = old.Valid && fresh.Valid
	return c, err
}

// checkChange checks the link of either mailbox.
func (s *Store) checkChange(ctx context.Context, token string) (tokens.Token, error) {
	t, err := s.keys.Check(ctx, token, tokens.ActionChangeOld)
	if errors.Is(err, tokens.ErrInvalid) {
		return s.keys.Check(ctx, token, tokens.ActionChangeNew)
	}
	return t, err
}

// PendingChange returns the change of address that a link would make.
func (s *Store) PendingChange(ctx context.Context, token string) (Change, error) {
	t, err := s.checkChange(ctx, token)
	if err != nil {
		return Change{}, err
	}
	var c Change
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		c, err = s.changeOf(ctx, tx, t)
		return err
	})
	return c, err
}

// ConfirmChange records that the mailbox of a link agrees. When both have agreed, the
// reader's address is changed; deliveries to the old address still belong to the reader.
func (s *Store) ConfirmChange(ctx context.Context, token string, network netip.Prefix) (Change, error) {
	t, err := s.checkChange(ctx, token)
	if err != nil {
		return Change{}, err
	}
	now := s.now()
	var c Change
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if c, err = s.changeOf(ctx, tx, t); err != nil || c.Done || c.said {
			return err
		}
		query := `UPDATE address_changes SET old_said_at = $2 WHERE subscriber = $1`
		if t.Action == tokens.ActionChangeNew {
			query = `UPDATE address_changes SET new_said_at = $2 WHERE subscriber = $1`
		}
		if _, err := tx.ExecContext(ctx, query, t.Subscriber, now); err != nil {
			return err
		}
		if c, err = s.changeOf(ctx, tx, t); err != nil || !c.Done {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE subscribers SET address = $2, address_key = $3 WHERE id = $1`, t.Subscriber, c.Address, mailaddr.Key(c.Address)); err != nil {
			return err
		}
		if err := errors.Join(used(ctx, tx, t.Subscriber, askedChange), s.answered(ctx, tx, t.Subscriber, c.Address)); err != nil {
			return err
		}
		if closed, err := s.isClosed(ctx, tx, c.Address, now); err != nil {
			return err
		} else if !closed {
			if _, err := s.unsuppress(ctx, tx, c.Address, "the reader confirmed the address", network); err != nil {
				return err
			}
		}
		// Both links still use the row to show that the change is done; the address is not
		// needed any more.
		if _, err := tx.ExecContext(ctx, `UPDATE address_changes SET address = '' WHERE subscriber = $1`, t.Subscriber); err != nil {
			return err
		}
		return logConsent(ctx, tx, t.Subscriber, 0, "address changed", network, "confirmed at both", now)
	})
	if database.IsUniqueViolation(err) { // somebody subscribed with the address in the meantime
		return Change{}, tokens.ErrExpired
	}
	return c, err
}

// ChangedAddressSince reports whether a reader's address was changed after a time.
func (s *Store) ChangedAddressSince(ctx context.Context, subscriber int64, since time.Time) (bool, error) {
	var n int
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM consents WHERE subscriber = $1 AND event = 'address changed' AND at >= $2`, subscriber, since).Scan(&n)
	})
	return n > 0, err
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
