package subscribers

import (
	"context"
	"database/sql"
	"time"

	"dibao/policy/match"
)

type newReader struct {
	address, key, language string
	format                 Format
}

// newSubscription is a row of subscriptions with its consent event.
type newSubscription struct {
	key     string // key of the reader's address
	list    int64
	state   State
	since   time.Time
	consent string
	choice  Choice
	profile match.Profile // profile of the reader
}

func (r *importRun) subscription(e importEntry, list int64, state State) newSubscription {
	n := newSubscription{e.key, list, state, e.since, e.consent, e.choice, e.profile}
	if n.since.IsZero() {
		n.since = r.now
	}
	return n
}

// sqlTime is an instant in the format of SQLite, which PostgreSQL also reads.
func sqlTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999999-07:00") }

// insertImported stores readers and their subscriptions with a few statements
// for all of them: a statement for each row costs five times as much.
func (s *Store) insertImported(ctx context.Context, tx *sql.Tx, fresh []newReader, begun []newSubscription, pending []subscriptionKey, now time.Time) error {
	if len(begun) == 0 {
		return nil
	}
	d := s.db.Dialect()
	from := d.Pick(`json_each($1)`, `jsonb_array_elements($1::jsonb) AS j (value)`)
	if len(fresh) > 0 {
		rows := make([][4]string, len(fresh))
		for i, f := range fresh {
			rows[i] = [4]string{f.address, f.key, f.language, string(f.format)}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO subscribers (address, address_key, language, format, created_at)
			SELECT value->>0, value->>1, value->>2, value->>3, $2 FROM `+from, toJSON(rows), now); err != nil {
			return err
		}
	}
	keys := make([]string, len(begun))
	for i, b := range begun {
		keys[i] = b.key
	}
	known, err := readersByKey(ctx, tx, d, keys)
	if err != nil {
		return err
	}
	for _, p := range pending {
		if _, err := tx.ExecContext(ctx, `DELETE FROM subscriptions WHERE subscriber = $1 AND list = $2 AND state = 'pending'`, known[p.key].id, p.list); err != nil {
			return err
		}
	}
	values := make([][5]any, len(begun))
	for i, b := range begun {
		values[i] = [5]any{known[b.key].id, b.list, b.state, sqlTime(b.since), b.consent}
	}
	rows := toJSON(values)
	since, at := d.Pick(`value->>3`, `CAST(value->>3 AS TIMESTAMPTZ)`), d.Pick(`$2`, `$2::timestamptz`)
	if _, err := tx.ExecContext(ctx, `INSERT INTO subscriptions (subscriber, list, state, created_at, confirmed_at, ended_at, added_at)
		SELECT CAST(value->>0 AS BIGINT), CAST(value->>1 AS BIGINT), value->>2, `+at+`,
			CASE WHEN value->>2 = 'confirmed' THEN `+since+` END, CASE WHEN value->>2 = 'unsubscribed' THEN `+since+` END,
			CASE WHEN value->>2 = 'confirmed' THEN `+at+` END FROM `+from, rows, now); err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, `INSERT INTO consents (subscriber, list, event, at, text_version, detail)
		SELECT CAST(value->>0 AS BIGINT), CAST(value->>1 AS BIGINT),
			CASE value->>2 WHEN 'confirmed' THEN 'imported' ELSE 'imported as ' || (value->>2) END, $2, '', value->>4 FROM `+from, rows, now); err != nil {
		return err
	}
	for _, b := range begun {
		if !b.profile.IsZero() { // never replace what the reader stated
			if _, err := tx.ExecContext(ctx, `UPDATE subscribers SET profile = $2 WHERE id = $1 AND profile = ''`, known[b.key].id, encodeProfile(b.profile)); err != nil {
				return err
			}
		}
		if b.choice.IsDefault() {
			continue
		}
		if err := setChoice(ctx, tx, known[b.key].id, b.list, b.choice); err != nil {
			return err
		}
	}
	return nil
}
