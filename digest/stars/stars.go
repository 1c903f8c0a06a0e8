// Package stars stores which calls readers starred, and which reminders are due by
// email.
package stars

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"dibao/digest/agenda"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/subscribers"
)

// Store stores stars in the database.
type Store struct {
	db  *database.DB
	now func() time.Time
}

// NewStore returns a store for a database.
func NewStore(db *database.DB, now func() time.Time) *Store { return &Store{db, now} }

// Max is the maximum number of stars of a reader.
const Max = 500

// ErrTooMany says that a reader already has Max stars.
var ErrTooMany = errors.New("too many stars")

// Star is a call that a reader starred.
type Star struct {
	Article   int64
	Title     string      // "" if the article is hidden
	Last      policy.Date // the current last day; zero means unknown
	Canceled  bool
	Hidden    bool // hidden by an admin since the reader starred it
	Withdrawn bool // withdrawn by its site
	Remind    bool
	At        time.Time
}

// Prospect says whether a reminder of a starred call can still be sent.
type Prospect string

// Whether a reminder can be sent. Its words have the key "star." and this value.
const (
	Dated   Prospect = ""        // a reminder will be sent
	Undated Prospect = "undated" // the call has no last day; a later notice may set one
	Late    Prospect = "late"    // the days of all reminders have passed, or the call no longer exists
)

// Prospect returns whether a reminder of the call can be sent from today on.
func (s Star) Prospect(today policy.Date) Prospect {
	if s.Canceled || s.Hidden || s.Withdrawn {
		return Late
	}
	if s.Last.IsZero() {
		return Undated
	}
	starred := policy.DateOf(s.At)
	for _, days := range agenda.ReminderDays {
		if day := s.Last.AddDays(-days); !day.Before(today) && starred.Before(day) {
			return Dated
		}
	}
	return Late
}

// The columns of a call, and those of its star.
const (
	callColumns = `SELECT a.id, CASE WHEN a.hidden = 0 THEN a.title ELSE '' END, COALESCE(cs.until_on, a.deadline_on), COALESCE(cs.kind, '') = 'canceled',
		a.hidden = 1, a.withdrawn_at IS NOT NULL`
	columns = callColumns + `, st.remind = 1, st.at
	FROM stars st JOIN articles a ON a.id = st.article LEFT JOIN call_states cs ON cs.article = st.article
	WHERE st.subscriber = $1`
)

// call returns where to scan callColumns.
func (s *Star) call() []any {
	return []any{&s.Article, &s.Title, &s.Last, &s.Canceled, &s.Hidden, &s.Withdrawn}
}

func scan(r database.Row) (s Star, err error) {
	return s, r.Scan(append(s.call(), &s.Remind, &s.At)...)
}

// Of returns the calls that a reader starred, those that end first in front.
func (s *Store) Of(ctx context.Context, subscriber int64) (all []Star, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, scan, columns+` ORDER BY COALESCE(cs.until_on, a.deadline_on, '9999'), st.article`, subscriber)
		return err
	})
	return all, err
}

// unstarred returns the star that an article would get if a reader starred it now.
func (s *Store) unstarred(ctx context.Context, article int64) (star Star, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, callColumns+` FROM articles a LEFT JOIN call_states cs ON cs.article = a.id WHERE a.id = $1`, article).Scan(star.call()...)
	})
	star.At = s.now()
	return star, err
}

// Put stars an article for a reader, or changes whether they are reminded of it. It
// returns ErrTooMany if the reader would have more than Max.
func (s *Store) Put(ctx context.Context, subscriber, article int64, remind bool) error {
	n := 0
	if remind {
		n = 1
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		var others int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM stars WHERE subscriber = $1 AND article <> $2`, subscriber, article).Scan(&others)
		if err == nil && others >= Max {
			err = ErrTooMany
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO stars (subscriber, article, remind, at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (subscriber, article) DO UPDATE SET remind = excluded.remind`, subscriber, article, n, s.now().UTC().Truncate(time.Microsecond))
		}
		return err
	})
}

// Remove removes a star, and reports whether there was one.
func (s *Store) Remove(ctx context.Context, subscriber, article int64) (was bool, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM stars WHERE subscriber = $1 AND article = $2`, subscriber, article)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		was = n > 0
		return err
	})
	return was, err
}

// StopReminders turns off all reminders of a reader; the stars remain.
func (s *Store) StopReminders(ctx context.Context, subscriber int64) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE stars SET remind = 0 WHERE subscriber = $1 AND remind <> 0`, subscriber)
		return err
	})
}

const (
	// keepDays is how many days a call stays starred after its last day.
	keepDays = 90
	// keepUndated is how many days a call without a last day stays starred.
	keepUndated = 400
)

// Prune deletes the stars of calls that ended long ago, and the records of their
// reminders. It returns how many stars it deleted.
func (s *Store) Prune(ctx context.Context) (n int64, err error) {
	now := s.now().UTC().Truncate(time.Microsecond)
	err = s.db.Write(database.Background(ctx), func(tx *sql.Tx) error {
		over := policy.DateOf(now).AddDays(-keepDays).String()
		res, err := tx.ExecContext(ctx, `DELETE FROM stars WHERE (subscriber, article) IN (SELECT st.subscriber, st.article FROM stars st
			JOIN articles a ON a.id = st.article LEFT JOIN call_states cs ON cs.article = st.article
			WHERE COALESCE(cs.until_on, a.deadline_on) < $1 OR COALESCE(cs.until_on, a.deadline_on) IS NULL AND st.at < $2)`, over, now.AddDate(0, 0, -keepUndated))
		if err != nil {
			return err
		}
		if n, err = res.RowsAffected(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM reminders WHERE last_on < $1`, over)
		return err
	})
	return n, err
}

// Wanted is a star whose last day may be near enough for a reminder.
type Wanted struct {
	Subscriber, Article int64
	At                  time.Time
	Last                policy.Date
	sent                int // the nearest reminder that was composed for Last, in days before it; 0 means none
}

// Near returns at most limit stars with reminders whose calls end between two days, in the
// order of readers, of readers whose ID is greater than after. It returns all such stars of
// a reader or none of them, so limit must be greater than Max.
func (s *Store) Near(ctx context.Context, from, to policy.Date, after int64, limit int) (all []Wanted, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, func(r database.Row) (w Wanted, err error) {
			return w, r.Scan(&w.Subscriber, &w.Article, &w.At, &w.Last, &w.sent)
		}, `SELECT st.subscriber, st.article, st.at, COALESCE(cs.until_on, a.deadline_on),
				COALESCE((SELECT MIN(x.days) FROM reminders x WHERE x.subscriber = st.subscriber AND x.article = st.article AND x.last_on = COALESCE(cs.until_on, a.deadline_on)), 0) FROM stars st
			JOIN articles a ON a.id = st.article LEFT JOIN call_states cs ON cs.article = st.article
			WHERE st.subscriber > $5 AND st.remind = 1 AND a.hidden = 0 AND a.held = 0 AND a.withdrawn_at IS NULL AND COALESCE(cs.kind, '') <> 'canceled'
				AND COALESCE(cs.until_on, a.deadline_on) >= $1 AND COALESCE(cs.until_on, a.deadline_on) <= $2
				AND NOT EXISTS (SELECT 1 FROM reminders x WHERE x.subscriber = st.subscriber AND x.article = st.article AND x.last_on = COALESCE(cs.until_on, a.deadline_on) AND x.days = $4)
			ORDER BY st.subscriber, st.article LIMIT $3`, from, to, limit, slices.Min(agenda.ReminderDays), after)
		return err
	})
	if n := len(all); n > 0 && n == limit { // the last reader may have more
		last := all[n-1].Subscriber
		all = slices.DeleteFunc(all, func(w Wanted) bool { return w.Subscriber == last })
	}
	return all, err
}

// Due returns the reminder that is due today and has not been composed, as the number of
// days before the last day; 0 if there is none. A reader who starred the call on the day of
// a reminder or later, in the zone, does not get that reminder.
func (w Wanted) Due(today policy.Date, zone *time.Location) int {
	starred := policy.DateOf(w.At.In(zone))
	for i := len(agenda.ReminderDays) - 1; i >= 0; i-- {
		day := w.Last.AddDays(-agenda.ReminderDays[i])
		if !today.Before(day) && !w.Last.Before(today) {
			if w.sent != 0 && w.sent <= agenda.ReminderDays[i] || !starred.Before(day) {
				return 0
			}
			return agenda.ReminderDays[i]
		}
	}
	return 0
}

// Claim records that a reminder is being composed, and reports whether this is the
// first time.
func Claim(ctx context.Context, tx *sql.Tx, w Wanted, days int, mailing int64) (bool, error) {
	res, err := tx.ExecContext(ctx, `INSERT INTO reminders (subscriber, article, last_on, days, mailing) SELECT $1, $2, $3, $4, $5
		WHERE EXISTS (SELECT 1 FROM stars WHERE subscriber = $1 AND article = $2 AND remind = 1) ON CONFLICT DO NOTHING`,
		w.Subscriber, w.Article, w.Last.String(), days, mailing)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Listed returns the calls that a reader starred, for the download of their data.
func (s *Store) Listed(ctx context.Context, subscriber int64) ([]subscribers.Starred, error) {
	all, err := s.Of(ctx, subscriber)
	out := []subscribers.Starred{}
	for _, x := range all {
		item := subscribers.Starred{Article: x.Article, Title: x.Title, Remind: x.Remind, Canceled: x.Canceled, At: x.At}
		if !x.Last.IsZero() {
			day := x.Last.String()
			item.Last = &day
		}
		out = append(out, item)
	}
	return out, err
}
