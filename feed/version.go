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

// versionAge is how long a version is used while this process writes nothing: the maximum
// delay until changes by another node are visible.
const versionAge = time.Second

// versions caches the version that was last read, so that not every request queries the
// database.
type versions struct {
	last    atomic.Pointer[versionRead]
	reading sync.Mutex
}

type versionRead struct {
	version   string
	modified  time.Time // when an article was last stored or changed
	corrected time.Time // when an admin last corrected, hid or unhid an article
	writes    int64     // writes of this process before it was read
	at        time.Time // by the system clock; only used to measure its age
}

// Version identifies a version of everything that pages and feeds show:
// articles, sources, lists, matches and issues. It is at most a second behind
// what other processes commit, and never behind this process. modified is when
// an article was last stored or its text last changed.
func (st *Store) Version(ctx context.Context) (version string, modified time.Time, err error) {
	r, err := st.readVersion(ctx)
	return r.version, r.modified, err
}

// CorrectedAt returns when an admin last corrected, hid or unhid an article;
// zero if never. It is as current as [Store.Version].
func (st *Store) CorrectedAt(ctx context.Context) (time.Time, error) {
	r, err := st.readVersion(ctx)
	return r.corrected, err
}

func (st *Store) readVersion(ctx context.Context) (versionRead, error) {
	if r := st.freshVersion(); r != nil {
		return *r, nil
	}
	st.versions.reading.Lock()
	defer st.versions.reading.Unlock()
	if r := st.freshVersion(); r != nil { // the previous holder of the lock has read it
		return *r, nil
	}
	r := &versionRead{writes: st.db.Writes(), at: time.Now()}
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		// The sum grows with every change, in whatever order transactions commit.
		var version int64
		if err := tx.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM changes`).Scan(&version); err != nil {
			return err
		}
		r.version = strconv.FormatInt(version, 36)
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
		return versionRead{}, err
	}
	st.versions.last.Store(r)
	return *r, nil
}

func (st *Store) freshVersion() *versionRead {
	r := st.versions.last.Load()
	if r == nil || r.writes != st.db.Writes() || time.Since(r.at) > versionAge {
		return nil
	}
	return r
}
