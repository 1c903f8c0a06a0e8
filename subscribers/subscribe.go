package subscribers

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/subscribers/mailaddr"
	"dibao/subscribers/tokens"
)

// TextVersion identifies the words that a reader agreed to. Change it together with the
// words of the form or of the confirmation email.
const TextVersion = "2026-11"

// Kind is what a confirmation email asks to confirm.
type Kind string

// The kinds of confirmation.
const (
	KindOptIn     Kind = ""           // a subscription to lists
	KindChangeOld Kind = "change-old" // a change of address: the email to the old mailbox
	KindChangeNew Kind = "change-new" // a change of address: the email to the new mailbox
	KindDelete         = Kind(AskedDelete)
	KindData           = Kind(AskedData)
	KindLink           = Kind(AskedLink)
)

// Confirmation is an email to send. No other email goes to an address whose owner has not
// answered yet.
type Confirmation struct {
	Kind       Kind
	Address    string
	NewAddress string // for a change of address
	Language   string
	Token      string
	Lists      []List // for an opt-in
}

// Request is a request to subscribe an address to lists.
type Request struct {
	Address  string // as typed
	Language string // language of the emails: zh or en; "" means that of the first list
	Lists    []List
	Network  netip.Prefix // address block of the client
	Proof    Proof        // shows that a person sent it
}

// Subscribe records a request and returns the confirmation email to send. It returns nil if
// none must be sent: the reader gets the lists already, is suppressed, or was asked too
// often. The requester must not learn which, neither from the response nor from its timing:
// answer first, then send. Only an invalid address or a request without lists is an error.
func (s *Store) Subscribe(ctx context.Context, r Request) (*Confirmation, error) {
	address, err := mailaddr.Parse(r.Address)
	if err != nil {
		return nil, err
	}
	if len(r.Lists) == 0 {
		return nil, errors.New("choose at least one list")
	}
	r.Language = cmp.Or(r.Language, r.Lists[0].Language)
	// A flood of requests is refused by reading only: it leaves no rows and does not block
	// the database.
	if needed, err := s.ProofNeeded(ctx, r.Network, address); err != nil || needed > r.Proof {
		return nil, err
	}
	now := s.now()
	var mail *Confirmation
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		mail = nil
		if allowed, err := s.mayBeStored(ctx, tx, r, address, now); err != nil || !allowed {
			return err
		}
		id, err := upsertSubscriber(ctx, tx, address, r.Language, now)
		if err != nil {
			return err
		}
		if err := s.restoreCount(ctx, tx, id, address); err != nil {
			return err
		}
		var wanted []List
		for _, l := range r.Lists {
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
			if err := logConsent(ctx, tx, id, l.ID, "asked", r.Network, "", now); err != nil {
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
		if err := s.countMail(ctx, tx, r.Network, address, now); err != nil {
			return err
		}
		if err := logConsent(ctx, tx, id, 0, "confirmation mailed", r.Network, "", now); err != nil {
			return err
		}
		mail = &Confirmation{Address: address, Language: language(r.Language), Lists: wanted, Token: s.keys.Sign(tokens.Token{
			Action: tokens.ActionConfirm, Subscriber: id, Expires: now.AddDate(0, 0, tokens.ConfirmDays),
		})}
		return nil
	})
	return mail, err
}

// mayBeStored decides, before a row is written, whether a request is accepted:
// its network is below its limit, and the address has a reader or may be
// mailed.
func (s *Store) mayBeStored(ctx context.Context, tx *sql.Tx, r Request, address string, now time.Time) (bool, error) {
	if needed, err := s.proofNeeded(ctx, tx, r.Network, address); err != nil || needed > r.Proof {
		return false, err
	}
	var known bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM subscribers WHERE address_key = $1)`, mailaddr.Key(address)).Scan(&known); err != nil || known {
		return known, err
	}
	return s.mayMailUnknown(ctx, tx, address, now)
}

// Confirm confirms the lists that the page showed, of those that the reader of the token
// requested and does not get yet. Confirming again changes nothing. It returns the lists
// that are confirmed now.
func (s *Store) Confirm(ctx context.Context, token string, shown []int64, network netip.Prefix) ([]List, error) {
	t, err := s.keys.Check(ctx, token, tokens.ActionConfirm)
	if err != nil {
		return nil, err
	}
	now := s.now()
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := mustExist(ctx, tx, t.Subscriber); err != nil {
			return err
		}
		confirmed, err := database.Collect(ctx, tx, database.ScanOne[int64], `
			UPDATE subscriptions SET state = 'confirmed', confirmed_at = $2, ended_at = NULL
			WHERE subscriber = $1 AND state = 'pending' AND list IN (`+s.db.Dialect().IDs("$3")+`) RETURNING list`,
			t.Subscriber, now, jsonArray(shown))
		if err != nil || len(confirmed) == 0 {
			return err
		}
		if err := logConsents(ctx, tx, t.Subscriber, confirmed, "confirmed", network, "by the button behind the mailed link", now); err != nil {
			return err
		}
		if err := s.requestWelcome(ctx, tx, t.Subscriber, confirmed); err != nil {
			return err
		}
		var address string
		if err := tx.QueryRowContext(ctx, `SELECT address FROM subscribers WHERE id = $1`, t.Subscriber).Scan(&address); err != nil {
			return err
		}
		if err := s.answered(ctx, tx, t.Subscriber, address); err != nil {
			return err
		}
		// The confirmation email arrived, so the reader can get mail.
		if closed, err := s.isClosed(ctx, tx, address, now); err != nil || closed {
			return err
		}
		_, err = s.unsuppress(ctx, tx, address, "the reader confirmed again", network)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.listsIn(ctx, t.Subscriber, StateConfirmed)
}

// AddConfirmed subscribes an address at an admin's request; basis says how the
// reader agreed and is stored. A reader who unsubscribed is refused, and so is
// a suppressed address. The language of a new reader is lang or, if it is "", that of the
// first list.
func (s *Store) AddConfirmed(ctx context.Context, address, lang string, lists []List, basis string) (int64, error) {
	address, err := mailaddr.Parse(address)
	if err != nil {
		return 0, err
	}
	if basis == "" {
		return 0, errors.New("state how the reader agreed; this is stored as proof of consent")
	}
	if lang == "" && len(lists) > 0 {
		lang = lists[0].Language
	}
	now := s.now()
	var id int64
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		suppressed, err := s.suppressionOf(ctx, tx, address)
		if err != nil {
			return err
		}
		if suppressed != nil {
			return errSuppressed(address, suppressed.Reason)
		}
		if id, err = upsertSubscriber(ctx, tx, address, lang, now); err != nil {
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
				return fmt.Errorf("%s unsubscribed from the list %s; only the reader can subscribe again, at /subscribe", address, l.Slug)
			}
			if err := setState(ctx, tx, id, l.ID, StateConfirmed, now); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE subscriptions SET added_at = $3 WHERE subscriber = $1 AND list = $2`, id, l.ID, now); err != nil {
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

// hasLive reports whether a reader has a subscription that has not ended: to a
// list, or to any with list 0.
func (s *Store) hasLive(ctx context.Context, subscriber, list int64) (live bool, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM subscriptions
			WHERE subscriber = $1 AND (list = $2 OR $2 = 0) AND state <> 'unsubscribed')`, subscriber, list).Scan(&live)
	})
	return live, err
}

// Unsubscribe ends a reader's subscription to a list, or to all with list 0, and returns
// the lists that it ended. Calling it again changes nothing. how says in which way:
// one-click, page, mail, admin.
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
			WHERE subscriber = $1 AND (list = $2 OR $2 = 0) AND state <> 'unsubscribed' RETURNING list`, subscriber, list, now)
		if err != nil {
			return err
		}
		return logConsents(ctx, tx, subscriber, ended, "unsubscribed", network, how, now)
	})
	return ended, err
}

// setLists begins and ends subscriptions so that the reader has exactly these lists.
func (s *Store) setLists(ctx context.Context, tx *sql.Tx, subscriber int64, lists []int64, network netip.Prefix) error {
	now := s.now()
	var begun []int64
	for _, l := range lists {
		state, err := subscriptionState(ctx, tx, subscriber, l)
		if err != nil {
			return err
		}
		if state == StateConfirmed {
			continue
		}
		if err := setState(ctx, tx, subscriber, l, StateConfirmed, now); err != nil {
			return err
		}
		begun = append(begun, l)
	}
	if err := logConsents(ctx, tx, subscriber, begun, "confirmed", network, onPreferencePage, now); err != nil {
		return err
	}
	if err := s.requestWelcome(ctx, tx, subscriber, begun); err != nil {
		return err
	}
	ended, err := database.Collect(ctx, tx, database.ScanOne[int64], `
		UPDATE subscriptions SET state = 'unsubscribed', ended_at = $2
		WHERE subscriber = $1 AND state <> 'unsubscribed' AND list NOT IN (`+s.db.Dialect().IDs("$3")+`) RETURNING list`,
		subscriber, now, jsonArray(lists))
	if err != nil {
		return err
	}
	return logConsents(ctx, tx, subscriber, ended, "unsubscribed", network, onPreferencePage, now)
}

// upsertSubscriber returns the reader with an address, creating it if necessary. It locks
// the reader's row until the transaction ends. A request does not change the language of a
// reader who has confirmed a list, because anybody can send it.
func upsertSubscriber(ctx context.Context, tx *sql.Tx, address, lang string, now time.Time) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `
		INSERT INTO subscribers (address, address_key, language, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (address_key) DO UPDATE SET language = CASE
			WHEN EXISTS (SELECT 1 FROM subscriptions x WHERE x.subscriber = subscribers.id AND x.state = 'confirmed') THEN subscribers.language
			ELSE excluded.language END
		RETURNING id`,
		address, mailaddr.Key(address), language(lang), now).Scan(&id)
	return id, err
}

// subscriptionState returns "" if there is no subscription.
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
		ON CONFLICT (subscriber, list) DO UPDATE SET state = excluded.state, confirmed_at = excluded.confirmed_at, ended_at = NULL, added_at = NULL`,
		subscriber, list, state, now, confirmed)
	return err
}

// logConsent writes a consent event; list 0 means all lists.
func logConsent(ctx context.Context, tx *sql.Tx, subscriber, list int64, event string, network netip.Prefix, detail string, now time.Time) error {
	block := ""
	if network.IsValid() {
		block = network.Masked().String()
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO consents (subscriber, list, event, at, network, text_version, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		subscriber, sql.Null[int64]{V: list, Valid: list != 0}, event, now, block, TextVersion, detail)
	return err
}

// logConsents writes the same event for several lists, in their order.
func logConsents(ctx context.Context, tx *sql.Tx, subscriber int64, lists []int64, event string, network netip.Prefix, detail string, now time.Time) error {
	slices.Sort(lists) // RETURNING guarantees no order
	for _, l := range lists {
		if err := logConsent(ctx, tx, subscriber, l, event, network, detail, now); err != nil {
			return err
		}
	}
	return nil
}

// language returns a supported language; zh by default.
func language(l string) string {
	if l == "en" {
		return "en"
	}
	return "zh"
}

func mustExist(ctx context.Context, tx *sql.Tx, subscriber int64) error {
	var one int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM subscribers WHERE id = $1`, subscriber).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// listsIn returns the lists to which a reader has a subscription in this state.
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
