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
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/policy"
)

// ErrNotFound says that there is no such list or reader.
var ErrNotFound = errors.New("not found")

// Store keeps readers and lists. Safe for concurrent use.
type Store struct {
	db          *database.DB
	now         func() time.Time
	keys        *Keys
	suppression []byte // key of the hashes of addresses
}

// New returns a store on a migrated database; now is its clock. The secret key
// that signs tokens is made on first use.
func New(ctx context.Context, db *database.DB, now func() time.Time) (*Store, error) {
	s := &Store{db: db, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
	keys, err := openKeys(ctx, db, s.now)
	if err != nil {
		return nil, err
	}
	s.keys, s.suppression = keys, keys.lasting("suppression")
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
	ID          int64
	Address     string
	Language    string
	Format      Format
	PausedUntil policy.Date      // the first day with mail again, by the calendar of the list's zone; zero: not paused
	WantsEmpty  bool             // a note when nothing is new
	Lists       []int64          // confirmed
	Choices     map[int64]Choice // by list; missing where the reader takes the list as it is
	Suppressed  bool
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

// takes reports whether the reader confirmed a list.
func (x Subscriber) takes(list int64) bool {
	return slices.ContainsFunc(x.Subscriptions, func(s Subscription) bool { return s.List == list && s.State == StateConfirmed })
}

const readerColumns = `id, address, language, format, paused_until, wants_empty`

func scanReader(r database.Row) (Reader, error) {
	var reader Reader
	var paused sql.Null[string]
	err := r.Scan(&reader.ID, &reader.Address, &reader.Language, &reader.Format, &paused, &reader.WantsEmpty)
	if err == nil && paused.Valid {
		reader.PausedUntil, err = policy.ParseDate(paused.V)
	}
	return reader, err
}

// ForMailing returns the readers who confirmed one of the lists, in the order
// of their ids after the given one, at most limit; fewer are the last page. Of
// their lists only the given ones are told. Suppressed readers are told with no
// list at all: a page that left them out would look like the last one.
func (s *Store) ForMailing(ctx context.Context, lists []int64, after int64, limit int) ([]Reader, error) {
	var readers []Reader
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		in := s.db.Dialect().IDs("$1")
		var err error
		readers, err = database.Collect(ctx, tx, scanReader, `
			SELECT `+readerColumns+` FROM subscribers WHERE id > $2 AND EXISTS (
				SELECT 1 FROM subscriptions x WHERE x.subscriber = subscribers.id AND x.state = 'confirmed' AND x.list IN (`+in+`))
			ORDER BY id LIMIT $3`, jsonArray(lists), after, limit)
		if err != nil || len(readers) == 0 {
			return err
		}
		return s.fill(ctx, tx, readers, lists)
	})
	if err != nil {
		return nil, err
	}
	for i := range readers {
		if readers[i].Suppressed {
			readers[i].Lists = nil
		}
	}
	return readers, nil
}

// Readers returns readers by id with the lists they take now and whether they
// are suppressed: the check right before sending. Who is not there any more is
// missing from the map.
func (s *Store) Readers(ctx context.Context, ids []int64) (map[int64]Reader, error) {
	var readers []Reader
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		readers, err = database.Collect(ctx, tx, scanReader,
			`SELECT `+readerColumns+` FROM subscribers WHERE id IN (`+s.db.Dialect().IDs("$1")+`)`, jsonArray(ids))
		if err != nil {
			return err
		}
		return s.fill(ctx, tx, readers, nil)
	})
	if err != nil {
		return nil, err
	}
	found := make(map[int64]Reader, len(readers))
	for _, r := range readers {
		found[r.ID] = r
	}
	return found, nil
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
	rows, err := tx.QueryContext(ctx, `SELECT subscriber, list, themes, regions, frequency FROM subscriptions
		WHERE state = 'confirmed' AND subscriber IN (`+s.db.Dialect().IDs("$1")+`) ORDER BY subscriber, list`, jsonArray(ids))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var subscriber, list int64
		var stored storedChoice
		if err := rows.Scan(&subscriber, &list, &stored.themes, &stored.regions, &stored.frequency); err != nil {
			return err
		}
		if lists != nil && !wanted[list] {
			continue
		}
		r := &readers[index[subscriber]]
		r.Lists = append(r.Lists, list)
		choice, err := stored.choice()
		if err != nil {
			return fmt.Errorf("choices of reader %d on list %d: %w", subscriber, list, err)
		}
		if !choice.IsDefault() {
			if r.Choices == nil {
				r.Choices = make(map[int64]Choice)
			}
			r.Choices[list] = choice
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	suppressed, err := database.Collect(ctx, tx, database.ScanOne[string],
		`SELECT address_hash FROM suppressions WHERE address_hash IN (`+s.db.Dialect().Texts("$1")+`)`, jsonArray(hashes))
	for _, h := range suppressed {
		readers[byHash[h]].Suppressed = true
	}
	return err
}

// jsonArray writes values for the IDs and Texts of database.Dialect; nil is [].
func jsonArray[T int64 | string](values []T) string {
	if values == nil {
		values = []T{}
	}
	return toJSON(values)
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("subscribers: %T does not marshal: %v", v, err)) // only our own plain values come here
	}
	return string(b)
}
