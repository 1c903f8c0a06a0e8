// Package subscribers stores readers and lists: addresses, the confirmed opt-in,
// subscriptions with the consent log, suppression, and the tokens in links.
//
// A list's query and schedule are stored as data; this package does not apply
// them to articles. Times are UTC, truncated to microseconds. Every change of a
// subscription writes a consent event, so that the state can be derived from
// the log. No address is logged.
package subscribers

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/internal/fault"
	"dibao/policy"
	"dibao/policy/match"
	"dibao/subscribers/tokens"
)

// ErrNotFound says that a list or reader does not exist.
var ErrNotFound = fault.ErrNotFound

// Store stores readers and lists. It is safe for concurrent use.
type Store struct {
	db          *database.DB
	now         func() time.Time
	keys        *tokens.Keys
	suppression []byte // key for the hashes of addresses
	choices     choiceCache
}

// New returns a store for a migrated database; now is its clock. The secret key that signs
// tokens is created on first use.
func New(ctx context.Context, db *database.DB, now func() time.Time) (*Store, error) {
	s := &Store{db: db, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
	keys, err := tokens.Open(ctx, db, s.now)
	if err != nil {
		return nil, err
	}
	s.keys, s.suppression = keys, keys.Lasting("suppression")
	return s, nil
}

// Keys returns the keys that sign and check tokens.
func (s *Store) Keys() *tokens.Keys { return s.keys }

// State is the state of a subscription.
type State string

// The states of a subscription.
const (
	StatePending      State = "pending"      // requested, not confirmed
	StateConfirmed    State = "confirmed"    // gets mail
	StateUnsubscribed State = "unsubscribed" // ended; only the reader can begin it again
)

// States contains all of them.
var States = []State{StatePending, StateConfirmed, StateUnsubscribed}

// Subscription is a reader's subscription to one list.
type Subscription struct {
	List        int64
	Slug, Title string
	State       State
	CreatedAt   time.Time
	ConfirmedAt time.Time // zero means never
	EndedAt     time.Time // zero means not ended
}

// Reader is a subscriber with what a mailing needs.
type Reader struct {
	ID          int64
	Address     string
	Language    string
	Format      Format
	PausedUntil policy.Date         // the first day with mail again, as a date in the list's zone; zero means not paused
	WantsEmpty  bool                // send an email even if nothing is new
	Lists       []int64             // confirmed lists
	Added       map[int64]time.Time // by list: when an admin added or imported the reader; missing if the reader confirmed
	Choices     map[int64]Choice    // by list; missing if the reader gets the whole list
	Suppressed  bool
	Profile     *match.Profile // what the reader says about themselves; nil means nothing
}

// Subscriber is a reader with all stored facts.
type Subscriber struct {
	ID            int64
	Address       string
	Language      string
	CreatedAt     time.Time
	Suppressed    string // the reason, "" if not suppressed
	Subscriptions []Subscription
}

// add records when an admin added the reader to a list, if one did.
func (r *Reader) add(list int64, at sql.Null[time.Time]) {
	if at.Valid {
		if r.Added == nil {
			r.Added = make(map[int64]time.Time, 1)
		}
		r.Added[list] = at.V
	}
}

// takes reports whether the reader has confirmed a list.
func (x Subscriber) takes(list int64) bool {
	return slices.ContainsFunc(x.Subscriptions, func(s Subscription) bool { return s.List == list && s.State == StateConfirmed })
}

const readerColumns = `id, address, language, format, paused_until, wants_empty, profile`

func scanReader(r database.Row) (Reader, error) {
	var reader Reader
	var paused sql.Null[string]
	var profile string
	err := r.Scan(&reader.ID, &reader.Address, &reader.Language, &reader.Format, &paused, &reader.WantsEmpty, &profile)
	if err == nil {
		reader.Profile, err = profiles.of(profile)
	}
	if err == nil && paused.Valid {
		reader.PausedUntil, err = policy.ParseDate(paused.V)
	}
	return reader, err
}

// Readers returns readers by id with their current lists and whether they are suppressed,
// for the check directly before sending. Readers who no longer exist are missing from the
// map.
func (s *Store) Readers(ctx context.Context, ids []int64) (found map[int64]Reader, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		found, err = s.readers(ctx, tx, ids)
		return err
	})
	return found, err
}

func (s *Store) readers(ctx context.Context, tx *sql.Tx, ids []int64) (map[int64]Reader, error) {
	readers, err := database.Collect(ctx, tx, scanReader,
		`SELECT `+readerColumns+` FROM subscribers WHERE id IN (`+s.db.Dialect().IDs("$1")+`)`, jsonArray(ids))
	if err == nil {
		err = s.fill(ctx, tx, readers)
	}
	if err != nil {
		return nil, err
	}
	found := make(map[int64]Reader, len(readers))
	for _, r := range readers {
		found[r.ID] = r
	}
	return found, nil
}

// Recipients returns what sending needs to know about readers, by id: their
// address, their current lists, who added them and whether they are suppressed.
// It leaves out their choices, for a third of the cost of Readers. Readers who
// no longer exist are missing from the map.
func (s *Store) Recipients(ctx context.Context, ids []int64) (map[int64]Reader, error) {
	readers := make([]Reader, 0, len(ids))
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		readers = readers[:0]
		rows, err := tx.QueryContext(ctx, `SELECT u.id, u.address, COALESCE(x.list, 0), x.added_at FROM subscribers u
			LEFT JOIN subscriptions x ON x.subscriber = u.id AND x.state = 'confirmed'
			WHERE u.id IN (`+s.db.Dialect().IDs("$1")+`) ORDER BY u.id, x.list`, jsonArray(ids))
		if err != nil {
			return err
		}
		defer rows.Close()
		var r Reader
		var list int64
		var added sql.Null[time.Time]
		for rows.Next() {
			if err := rows.Scan(&r.ID, &r.Address, &list, &added); err != nil {
				return err
			}
			if n := len(readers); n == 0 || readers[n-1].ID != r.ID {
				readers = append(readers, r)
			}
			if list != 0 {
				last := &readers[len(readers)-1]
				last.Lists = append(last.Lists, list)
				last.add(list, added)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return s.fillSuppressed(ctx, tx, readers)
	})
	found := make(map[int64]Reader, len(readers))
	for _, r := range readers {
		found[r.ID] = r
	}
	return found, err
}

// fill adds to readers their confirmed lists and whether they are suppressed.
func (s *Store) fill(ctx context.Context, tx *sql.Tx, readers []Reader) error {
	ids := make([]int64, len(readers))
	index := make(map[int64]int, len(readers))
	for i, r := range readers {
		ids[i], index[r.ID] = r.ID, i
	}
	rows, err := tx.QueryContext(ctx, `SELECT subscriber, list, themes, regions, frequency, added_at FROM subscriptions
		WHERE state = 'confirmed' AND subscriber IN (`+s.db.Dialect().IDs("$1")+`) ORDER BY subscriber, list`, jsonArray(ids))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var subscriber, list int64
		var stored storedChoice
		var added sql.Null[time.Time]
		if err := rows.Scan(&subscriber, &list, &stored.themes, &stored.regions, &stored.frequency, &added); err != nil {
			return err
		}
		reader := &readers[index[subscriber]]
		if err := s.take(reader, list, stored); err != nil {
			return err
		}
		reader.add(list, added)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return s.fillSuppressed(ctx, tx, readers)
}

// jsonArray encodes values for the IDs and Texts of database.Dialect; nil is [].
func jsonArray[T int64 | string](values []T) string {
	if values == nil {
		values = []T{}
	}
	return toJSON(values)
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("subscribers: %T does not marshal: %v", v, err)) // plain values of this package always marshal
	}
	return string(b)
}
