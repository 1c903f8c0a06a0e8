package feed

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// stampAge is how long a stamp is believed while this process writes nothing:
// how late what another node stores may be seen.
const stampAge = time.Second

// stamps remembers the last stamp that was read, so that requests need not ask
// the database one by one.
type stamps struct {
	last    atomic.Pointer[stampRead]
	reading sync.Mutex
}

type stampRead struct {
	stamp     string
	modified  time.Time // when an article was stored or changed last
	corrected time.Time // when an admin corrected, hid or showed an article last
	writes    int64     // of this process, before it was read
	at        time.Time // by the machine's clock, which stands for no time of day here
}

// Stamp names a version of everything that pages and feeds are made of:
// articles, sources, lists, matches and issues. It is at most a second behind
// what other processes commit, and never behind what this one did. modified is
// when an article was stored or its text changed last.
func (st *Store) Stamp(ctx context.Context) (stamp string, modified time.Time, err error) {
	r, err := st.readStamp(ctx)
	return r.stamp, r.modified, err
}

// CorrectedAt returns when an admin corrected, hid or showed an article last; zero
// if none did. It is as fresh as [Store.Stamp].
func (st *Store) CorrectedAt(ctx context.Context) (time.Time, error) {
	r, err := st.readStamp(ctx)
	return r.corrected, err
}

func (st *Store) readStamp(ctx context.Context) (stampRead, error) {
	if r := st.freshStamp(); r != nil {
		return *r, nil
	}
	st.stamps.reading.Lock()
	defer st.stamps.reading.Unlock()
	if r := st.freshStamp(); r != nil { // who held the lock read it
		return *r, nil
	}
	r := &stampRead{writes: st.db.Writes(), at: time.Now()}
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		// The sum grows with every change, in whatever order they are committed.
		var version int64
		if err := tx.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM changes`).Scan(&version); err != nil {
			return err
		}
		r.stamp = strconv.FormatInt(version, 36)
		for query, at := range map[string]*time.Time{
			`SELECT updated_at FROM articles ORDER BY updated_at DESC LIMIT 1`: &r.modified,
			`SELECT at FROM corrections ORDER BY id DESC LIMIT 1`:              &r.corrected,
		} {
			if err := tx.QueryRowContext(ctx, query).Scan(at); err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return stampRead{}, err
	}
	st.stamps.last.Store(r)
	return *r, nil
}

func (st *Store) freshStamp() *stampRead {
	r := st.stamps.last.Load()
	if r == nil || r.writes != st.db.Writes() || time.Since(r.at) > stampAge {
		return nil
	}
	return r
}
