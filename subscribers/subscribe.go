package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"dibao/internal/database"
)

// How many confirmation mails one address gets, whoever asks for them.
const (
	maxConfirmations     = 3
	confirmationInterval = 24 * time.Hour
)

// TextVersion names the words that a reader agreed to. Change it with the words
// of the form or of the confirmation mail.
const TextVersion = "2026-11"

// Confirmation is a mail to send: the only one that goes to an address whose
// owner has not spoken yet.
type Confirmation struct {
	Address  string
	Language string
	Token    string
	Lists    []List
}

// Subscribe notes that somebody asked for lists in the name of an address. The
// answer is the same for an address that is known, unknown or suppressed, and
// the confirmation mail, if there is one to send, is for the caller to send
// after it answered. Only a bad address or a list that is not there is an error.
func (s *Store) Subscribe(ctx context.Context, address, language string, lists []List, network netip.Prefix) (*Confirmation, error) {
	address, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	if len(lists) == 0 {
		return nil, errors.New("choose a list")
	}
	now := s.now()
	var mail *Confirmation
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		mail = nil
		id, err := upsertSubscriber(ctx, tx, address, language, now)
		if err != nil {
			return err
		}
		var wanted []List
		for _, l := range lists {
			state, err := subscriptionState(ctx, tx, id, l.ID)
			if err != nil {
				return err
			}
			if state == StateConfirmed {
				continue
			}
			wanted = append(wanted, l)
			if state == StatePending {
				continue
			}
			if err := setState(ctx, tx, id, l.ID, StatePending, now); err != nil {
				return err
			}
			if err := logConsent(ctx, tx, id, l.ID, "asked", network, "", now); err != nil {
				return err
			}
		}
		if len(wanted) == 0 {
			return nil
		}
		allowed, err := s.mayConfirm(ctx, tx, id, address, now)
		if err != nil || !allowed {
			return err
		}
		mail = &Confirmation{Address: address, Language: language, Lists: wanted, Token: s.keys.Sign(Token{
			Action: ActionConfirm, Subscriber: id, Expires: now.AddDate(0, 0, ConfirmDays),
		})}
		return nil
	})
	return mail, err
}

// mayConfirm counts a confirmation mail to the address, if one more is allowed.
func (s *Store) mayConfirm(ctx context.Context, tx *sql.Tx, id int64, address string, now time.Time) (bool, error) {
	var suppressed bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM suppressions WHERE address_hash = $1)`, s.addressHash(address)).Scan(&suppressed)
	if err != nil || suppressed {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `
		UPDATE subscribers SET confirmations = confirmations + 1, last_confirmation_at = $2
		WHERE id = $1 AND confirmations < $3 AND (last_confirmation_at IS NULL OR last_confirmation_at <= $4)`,
		id, now, maxConfirmations, now.Add(-confirmationInterval))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// Pending returns the lists that a confirmation token would confirm.
func (s *Store) Pending(ctx context.Context, token string) ([]List, error) {
	t, err := s.keys.Check(token, ActionConfirm)
	if err != nil {
		return nil, err
	}
	return s.listsIn(ctx, t.Subscriber, StatePending)
}

// Confirm confirms everything that the reader of the token asked for. Confirming
// again changes nothing. It returns the lists that are confirmed now.
func (s *Store) Confirm(ctx context.Context, token string, network netip.Prefix) ([]List, error) {
	t, err := s.keys.Check(token, ActionConfirm)
	if err != nil {
		return nil, err
	}
	now := s.now()
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := mustExist(ctx, tx, t.Subscriber); err != nil {
			return err
		}
		lists, err := database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT list FROM subscriptions WHERE subscriber = $1 AND state = 'pending' ORDER BY list`, t.Subscriber)
		if err != nil {
			return err
		}
		for _, l := range lists {
			if err := setState(ctx, tx, t.Subscriber, l, StateConfirmed, now); err != nil {
				return err
			}
			if err := logConsent(ctx, tx, t.Subscriber, l, "confirmed", network, "by the button behind the mailed link", now); err != nil {
				return err
			}
		}
		// A reader who confirmed may ask again in a year without meeting the cap.
		_, err = tx.ExecContext(ctx, `UPDATE subscribers SET confirmations = 0 WHERE id = $1`, t.Subscriber)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.listsIn(ctx, t.Subscriber, StateConfirmed)
}

// AddConfirmed subscribes an address on an admin's word; basis says how the
// reader agreed and is kept. A reader who left is not brought back: that is
// refused, and so is a suppressed address.
func (s *Store) AddConfirmed(ctx context.Context, address, language string, lists []List, basis string) (int64, error) {
	address, err := ParseAddress(address)
	if err != nil {
		return 0, err
	}
	if basis == "" {
		return 0, errors.New("say how the reader agreed; it is kept as the proof of consent")
	}
	now := s.now()
	var id int64
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		var suppressed bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM suppressions WHERE address_hash = $1)`, s.addressHash(address)).Scan(&suppressed)
		if err != nil {
			return err
		}
		if suppressed {
			return fmt.Errorf("%s is suppressed; the reader's mailbox refused mail or complained", address)
		}
		if id, err = upsertSubscriber(ctx, tx, address, language, now); err != nil {
			return err
		}
		for _, l := range lists {
			state, err := subscriptionState(ctx, tx, id, l.ID)
			if err != nil {
				return err
			}
			switch state {
			case StateConfirmed:
				continue
			case StateUnsubscribed:
				return fmt.Errorf("%s left the list %s; only the reader can come back, by %s", address, l.Slug, "/subscribe")
			}
			if err := setState(ctx, tx, id, l.ID, StateConfirmed, now); err != nil {
				return err
			}
			if err := logConsent(ctx, tx, id, l.ID, "added", netip.Prefix{}, basis, now); err != nil {
				return err
			}
		}
		return nil
	})
	return id, err
}

// Unsubscribe ends a reader's subscription to a list, or to all with list 0, and
// returns the lists that it ended. Doing it again changes nothing. how says by
// which way: one-click, page, admin.
func (s *Store) Unsubscribe(ctx context.Context, subscriber, list int64, how string, network netip.Prefix) ([]int64, error) {
	now := s.now()
	var ended []int64
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := mustExist(ctx, tx, subscriber); err != nil {
			return err
		}
		var err error
		ended, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			UPDATE subscriptions SET state = 'unsubscribed', ended_at = $3
			WHERE subscriber = $1 AND ($2 = 0 OR list = $2) AND state <> 'unsubscribed' RETURNING list`, subscriber, list, now)
		if err != nil {
			return err
		}
		slices.Sort(ended)
		for _, l := range ended {
			if err := logConsent(ctx, tx, subscriber, l, "unsubscribed", network, how, now); err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}

// SetLists makes lists the public lists that a reader takes, and sets the
// language. Lists that are new need no mail: the token came to the address.
func (s *Store) SetLists(ctx context.Context, subscriber int64, lists []List, language string, network netip.Prefix) error {
	now := s.now()
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := mustExist(ctx, tx, subscriber); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE subscribers SET language = $2 WHERE id = $1`, subscriber, language); err != nil {
			return err
		}
		keep := make([]int64, len(lists))
		for i, l := range lists {
			keep[i] = l.ID
			state, err := subscriptionState(ctx, tx, subscriber, l.ID)
			if err != nil || state == StateConfirmed {
				if err != nil {
					return err
				}
				continue
			}
			if err := setState(ctx, tx, subscriber, l.ID, StateConfirmed, now); err != nil {
				return err
			}
			if err := logConsent(ctx, tx, subscriber, l.ID, "confirmed", network, "on the preference page", now); err != nil {
				return err
			}
		}
		ended, err := database.Collect(ctx, tx, database.ScanOne[int64], `
			UPDATE subscriptions SET state = 'unsubscribed', ended_at = $2
			WHERE subscriber = $1 AND state <> 'unsubscribed' AND list IN (SELECT id FROM lists WHERE visibility = 'public')
			AND list NOT IN (`+s.db.Dialect().IDs("$3")+`) RETURNING list`, subscriber, now, jsonIDs(keep))
		if err != nil {
			return err
		}
		for _, l := range ended {
			if err := logConsent(ctx, tx, subscriber, l, "unsubscribed", network, "on the preference page", now); err != nil {
				return err
			}
		}
		return nil
	})
}

func upsertSubscriber(ctx context.Context, tx *sql.Tx, address, language string, now time.Time) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `
		INSERT INTO subscribers (address, address_key, language, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (address_key) DO UPDATE SET address = subscribers.address RETURNING id`,
		address, addressKey(address), language, now).Scan(&id)
	return id, err
}

// subscriptionState returns "" where there is no subscription.
func subscriptionState(ctx context.Context, tx *sql.Tx, subscriber, list int64) (state State, err error) {
	err = tx.QueryRowContext(ctx, `SELECT state FROM subscriptions WHERE subscriber = $1 AND list = $2`, subscriber, list).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return state, err
}

// setState makes a subscription pending or confirmed.
func setState(ctx context.Context, tx *sql.Tx, subscriber, list int64, state State, now time.Time) error {
	confirmed := sql.Null[time.Time]{V: now, Valid: state == StateConfirmed}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO subscriptions (subscriber, list, state, created_at, confirmed_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (subscriber, list) DO UPDATE SET state = excluded.state, confirmed_at = excluded.confirmed_at, ended_at = NULL`,
		subscriber, list, state, now, confirmed)
	return err
}

func logConsent(ctx context.Context, tx *sql.Tx, subscriber, list int64, event string, network netip.Prefix, detail string, now time.Time) error {
	block := ""
	if network.IsValid() {
		block = network.String()
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO consents (subscriber, list, event, at, network, text_version, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		subscriber, list, event, now, block, TextVersion, detail)
	return err
}

func mustExist(ctx context.Context, tx *sql.Tx, subscriber int64) error {
	var one int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM subscribers WHERE id = $1`, subscriber).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// listsIn returns the lists that a reader has in a state.
func (s *Store) listsIn(ctx context.Context, subscriber int64, state State) ([]List, error) {
	var all []List
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, scanList, `SELECT `+listColumns+` FROM lists
			WHERE removed_at IS NULL AND id IN (SELECT list FROM subscriptions WHERE subscriber = $1 AND state = $2) ORDER BY id`, subscriber, state)
		return err
	})
	return all, err
}
