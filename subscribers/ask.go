package subscribers

import (
	"context"
	"database/sql"
	"dibao/subscribers/tokens"
	"errors"
	"time"
)

// A link in any old email opens a reader's preferences, so it must not be enough for
// something that can't be undone. Deleting a reader and downloading all data require a
// second link, which is mailed to the reader's own address on request.

// AskedFor is the purpose of a mailed second link.
type AskedFor string

// The purposes.
const (
	AskedDelete AskedFor = "delete" // delete the reader
	AskedData   AskedFor = "data"   // download all data about the reader
	AskedLink   AskedFor = "link"   // a new link to the preferences
	askedChange AskedFor = "change" // change the address; both mailboxes get a link
)

// action returns what the mailed token allows.
func (a AskedFor) action() tokens.Action {
	switch a {
	case AskedDelete:
		return tokens.ActionDelete
	case AskedData:
		return tokens.ActionData
	}
	return tokens.ActionPreferences
}

// AskHours is the number of hours for which a mailed link works that deletes a reader,
// downloads their data, or changes their address.
const AskHours = 24

const (
	askInterval = time.Hour // minimum time between two emails of one kind to a reader
	maxAsks     = 5         // emails of one kind until one of their links is used
)

// Ask returns the email with the link that a reader asked for. It returns nil if they were
// sent one within the hour, or five that nobody used. A later link invalidates earlier
// ones.
func (s *Store) Ask(ctx context.Context, subscriber int64, what AskedFor) (*Confirmation, error) {
	now := s.now()
	var mail *Confirmation
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		mail = nil
		c := Confirmation{Kind: Kind(what)}
		if err := tx.QueryRowContext(ctx, `SELECT address, language FROM subscribers WHERE id = $1`, subscriber).Scan(&c.Address, &c.Language); err != nil {
			return notFound(err)
		}
		nonce, err := s.mayAsk(ctx, tx, subscriber, what, now)
		if err != nil || nonce == 0 {
			return err
		}
		c.Token = s.askToken(what, subscriber, nonce, c.Address)
		mail = &c
		return nil
	})
	return mail, err
}

// mayAsk counts an email to a reader, if another one is allowed, and returns the number of
// its link, or 0 if it is not. It is one statement, because several nodes may handle
// requests at the same time.
func (s *Store) mayAsk(ctx context.Context, tx *sql.Tx, subscriber int64, what AskedFor, now time.Time) (nonce int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO reader_asks (subscriber, kind, nonce, mailed, asked_at) VALUES ($1, $2, $3, 1, $4)
		ON CONFLICT (subscriber, kind) DO UPDATE SET nonce = excluded.nonce, mailed = reader_asks.mailed + 1, asked_at = excluded.asked_at
		WHERE reader_asks.mailed < $5 AND reader_asks.asked_at <= $6 RETURNING nonce`,
		subscriber, what, now.UnixMicro(), now, maxAsks, now.Add(-askInterval)).Scan(&nonce)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return nonce, err
}

func (s *Store) askToken(what AskedFor, subscriber, nonce int64, address string) string {
	if what == AskedLink {
		return s.keys.PreferencesToken(subscriber, address)
	}
	return s.keys.Sign(tokens.Token{Action: what.action(), Subscriber: subscriber, List: nonce, Expires: s.now().Add(AskHours * time.Hour)})
}

// CheckAsked returns the reader of a mailed link, if the link is valid for this purpose and
// no later one was mailed; otherwise tokens.ErrInvalid, ErrExpired, or ErrNotFound if the
// reader was deleted.
func (s *Store) CheckAsked(ctx context.Context, token string, what AskedFor) (Subscriber, error) {
	t, err := s.keys.Check(ctx, token, what.action())
	if err != nil {
		return Subscriber{}, err
	}
	reader, err := s.subscriberByID(ctx, t.Subscriber)
	if err != nil {
		return Subscriber{}, err
	}
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		var one int
		return tx.QueryRowContext(ctx, `SELECT 1 FROM reader_asks WHERE subscriber = $1 AND kind = $2 AND nonce = $3`, t.Subscriber, what, t.List).Scan(&one)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = tokens.ErrExpired
	}
	return reader, err
}

// used resets the count of emails of one kind, because somebody reads them.
func used(ctx context.Context, tx *sql.Tx, subscriber int64, what AskedFor) error {
	_, err := tx.ExecContext(ctx, `UPDATE reader_asks SET mailed = 0 WHERE subscriber = $1 AND kind = $2`, subscriber, what)
	return err
}

// CalendarReader returns the reader whose calendar a link opens: a link with a
// CalendarToken, or one that opens the preferences.
func (s *Store) CalendarReader(ctx context.Context, token string) (Subscriber, error) {
	t, err := s.keys.Check(ctx, token, tokens.ActionCalendar)
	if err != nil {
		return s.ReaderOf(ctx, token)
	}
	reader, err := s.subscriberByID(ctx, t.Subscriber)
	if err == nil && t.List != s.keys.Binding(reader.Address) {
		err = tokens.ErrExpired
	}
	return reader, err
}

// ReaderOf returns the reader whose preferences a link opens. For a link that
// is older than PreferencesDays, or that was sent to an earlier address of the
// reader, it returns ErrExpired with the reader: a new link can be mailed to
// them.
func (s *Store) ReaderOf(ctx context.Context, token string) (Subscriber, error) {
	t, err := s.keys.Check(ctx, token, tokens.ActionPreferences)
	if err != nil && !errors.Is(err, tokens.ErrExpired) {
		return Subscriber{}, err
	}
	reader, missing := s.subscriberByID(ctx, t.Subscriber)
	switch {
	case missing != nil:
		return Subscriber{}, missing
	case err == nil && (t.Expires.IsZero() || t.List != s.keys.Binding(reader.Address)):
		err = tokens.ErrExpired
	}
	return reader, err
}
