// Package subscribers owns readers and lists: addresses, the confirmed opt-in,
// subscriptions with the log of consent, suppression, and the tokens in links.
//
// A list's query and schedule are kept as data; what they mean for articles is
// not known here. Times are UTC cut to microseconds. Every change of a
// subscription writes a consent event, so that the state can be told from the
// log. No address is logged.
package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"dibao/internal/database"
)

// ErrNotFound says that there is no such list or reader.
var ErrNotFound = errors.New("not found")

// Store keeps readers and lists.
type Store struct {
	db   *database.DB
	now  func() time.Time
	keys *Keys
}

// New returns a store on a migrated database; now is its clock. The secret key
// that signs tokens is made on first use.
func New(ctx context.Context, db *database.DB, now func() time.Time) (*Store, error) {
	s := &Store{db: db, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
	keys, err := loadKeys(ctx, db, s.now)
	if err != nil {
		return nil, err
	}
	s.keys = keys
	return s, nil
}

// Keys returns what signs and checks tokens.
func (s *Store) Keys() *Keys { return s.keys }

// State is the state of a subscription.
type State string

// The states of a subscription.
const (
	StatePending      State = "pending"      // asked for, not confirmed
	StateConfirmed    State = "confirmed"    // mailed
	StateUnsubscribed State = "unsubscribed" // ended; only the reader can begin it again
)

// Subscription is a reader's place on one list.
type Subscription struct {
	List        int64
	Slug, Title string
	State       State
	CreatedAt   time.Time
	ConfirmedAt time.Time // zero: never
	EndedAt     time.Time // zero: not
}

// Reader is a subscriber as a mailing needs it.
type Reader struct {
	ID         int64
	Address    string
	Language   string
	Lists      []int64 // confirmed
	Suppressed bool
}

// Subscriber is a reader with everything that is known of them.
type Subscriber struct {
	ID            int64
	Address       string
	Language      string
	CreatedAt     time.Time
	Suppressed    string // the reason, "" if not
	Subscriptions []Subscription
}

func scanReader(r database.Row) (Reader, error) {
	var reader Reader
	err := r.Scan(&reader.ID, &reader.Address, &reader.Language)
	return reader, err
}

// ForMailing returns the readers who take one of the lists, in the order of
// their ids after the given one, at most limit. Of their lists only the given
// ones are told. Suppressed readers are left out.
func (s *Store) ForMailing(ctx context.Context, lists []int64, after int64, limit int) ([]Reader, error) {
	var readers []Reader
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		in := s.db.Dialect().IDs("$1")
		var err error
		readers, err = database.Collect(ctx, tx, scanReader, `
			SELECT id, address, language FROM subscribers WHERE id > $2 AND EXISTS (
				SELECT 1 FROM subscriptions x WHERE x.subscriber = subscribers.id AND x.state = 'confirmed' AND x.list IN (`+in+`))
			ORDER BY id LIMIT $3`, jsonIDs(lists), after, limit)
		if err != nil || len(readers) == 0 {
			return err
		}
		return s.fill(ctx, tx, readers, lists)
	})
	if err != nil {
		return nil, err
	}
	// A page must keep its length, or its reader would take it for the last one:
	// suppressed readers stay in it and take no list.
	for i := range readers {
		if readers[i].Suppressed {
			readers[i].Lists = nil
		}
	}
	return readers, nil
}

// Readers returns readers by id with the lists they take now. Ids that are not
// there any more are missing from the map.
func (s *Store) Readers(ctx context.Context, ids []int64) (map[int64]Reader, error) {
	var readers []Reader
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		readers, err = database.Collect(ctx, tx, scanReader,
			`SELECT id, address, language FROM subscribers WHERE id IN (`+s.db.Dialect().IDs("$1")+`)`, jsonIDs(ids))
		if err != nil {
			return err
		}
		return s.fill(ctx, tx, readers, nil)
	})
	found := make(map[int64]Reader, len(readers))
	for _, r := range readers {
		found[r.ID] = r
	}
	return found, err
}

// fill adds to readers their confirmed lists (of lists, or all if nil) and
// whether they are suppressed.
func (s *Store) fill(ctx context.Context, tx *sql.Tx, readers []Reader, lists []int64) error {
	ids := make([]int64, len(readers))
	hashes := make([]string, len(readers))
	index := make(map[int64]int, len(readers))
	byHash := make(map[string]int, len(readers))
	for i, r := range readers {
		ids[i], index[r.ID] = r.ID, i
		hashes[i] = s.addressHash(r.Address)
		byHash[hashes[i]] = i
	}
	wanted := make(map[int64]bool, len(lists))
	for _, l := range lists {
		wanted[l] = true
	}
	rows, err := tx.QueryContext(ctx, `SELECT subscriber, list FROM subscriptions
		WHERE state = 'confirmed' AND subscriber IN (`+s.db.Dialect().IDs("$1")+`) ORDER BY subscriber, list`, jsonIDs(ids))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var subscriber, list int64
		if err := rows.Scan(&subscriber, &list); err != nil {
			return err
		}
		if lists == nil || wanted[list] {
			r := &readers[index[subscriber]]
			r.Lists = append(r.Lists, list)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	suppressed, err := database.Collect(ctx, tx, database.ScanOne[string],
		`SELECT address_hash FROM suppressions WHERE address_hash IN (`+s.db.Dialect().Texts("$1")+`)`, jsonTexts(hashes))
	for _, h := range suppressed {
		readers[byHash[h]].Suppressed = true
	}
	return err
}
