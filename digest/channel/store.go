package channel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/internal/fault"
)

// Store keeps the channels of lists and the ledger of what was sent to them.
type Store struct {
	db  *database.DB
	now func() time.Time
}

// NewStore returns the store of a database. now is its clock.
func NewStore(db *database.DB, now func() time.Time) *Store {
	return &Store{db: db, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
}

const channelColumns = `id, list, kind, address, room, secret_file, private = 1, proxy, key, created_at`

func scanChannel(r database.Row) (c Channel, err error) {
	return c, r.Scan(&c.ID, &c.List, &c.Kind, &c.Address, &c.Room, &c.SecretFile, &c.Private, &c.Proxy, &c.Key, &c.CreatedAt)
}

// Add stores a channel, if its secret file can be read. The channel gets the issues
// that are composed from now on.
func (s *Store) Add(ctx context.Context, c Channel) (Channel, error) {
	if _, err := c.open(); err != nil {
		return c, err
	}
	if err := checkProxy(c.Proxy); err != nil {
		return c, err
	}
	c.CreatedAt = s.now()
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `
			INSERT INTO channels (list, kind, address, room, secret_file, private, proxy, key, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
			c.List, c.Kind, c.Address, c.Room, c.SecretFile, database.Bit(c.Private), c.Proxy, c.Key, c.CreatedAt).Scan(&c.ID)
	})
	return c, err
}

// Channels returns the channels of a list, or of all lists if list is 0.
func (s *Store) Channels(ctx context.Context, list int64) (all []Channel, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, scanChannel, `SELECT `+channelColumns+` FROM channels WHERE $1 = 0 OR list = $1 ORDER BY id`, list)
		return err
	})
	return all, err
}

// Channel returns one channel.
func (s *Store) Channel(ctx context.Context, id int64) (c Channel, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		c, err = scanChannel(tx.QueryRowContext(ctx, `SELECT `+channelColumns+` FROM channels WHERE id = $1`, id))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.Missing("there is no channel %d; see: dibao list channel list", id)
	}
	return c, err
}

// Remove removes a channel and its ledger. Messages that are being sent are completed.
func (s *Store) Remove(ctx context.Context, id int64) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM channels WHERE id = $1`, id)
		return err
	})
}

// RemoveOf removes the channels of a list.
func (s *Store) RemoveOf(ctx context.Context, list int64) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM channels WHERE list = $1`, list)
		return err
	})
}

// Enqueue lets issues of a mailing be sent to the channels of their lists. It maps each
// issue to its list.
func (s *Store) Enqueue(ctx context.Context, tx *sql.Tx, mailing int64, issues map[int64]int64) error {
	now := s.now()
	for issue, list := range issues {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO channel_deliveries (channel, issue, mailing, state, next_at) SELECT id, $1, $2, 'waiting', $3 FROM channels WHERE list = $4
			ON CONFLICT (channel, issue) DO NOTHING`, issue, mailing, now, list); err != nil {
			return err
		}
	}
	return nil
}

// catchUpFor is how long after an issue was composed it is still added to channels that lack
// it.
const catchUpFor = 24 * time.Hour

// catchUp also enqueues issues that were composed by a node whose release has no
// channels.
func (s *Store) catchUp(ctx context.Context) error {
	const missing = ` FROM mailings m JOIN issues i ON i.mailing = m.id JOIN channels c ON c.list = i.list
		WHERE m.created_at >= $1 AND m.created_at > c.created_at AND m.state NOT IN ('paused', 'cancelled') AND i.number > 0
		AND NOT EXISTS (SELECT 1 FROM channel_deliveries d WHERE d.channel = c.id AND d.issue = i.id)`
	now := s.now()
	isMissing := false
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1`+missing+`)`, now.Add(-catchUpFor)).Scan(&isMissing)
	})
	if err != nil || !isMissing {
		return err
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO channel_deliveries (channel, issue, mailing, state, next_at)
			SELECT c.id, i.id, m.id, 'waiting', $2`+missing+` ON CONFLICT (channel, issue) DO NOTHING`, now.Add(-catchUpFor), now)
		return err
	})
}

// move changes the states of deliveries that meet a condition, of one mailing, or of all if
// mailing is 0. A delivery that the service may have got is only marked through its times,
// for settle.
func (s *Store) move(ctx context.Context, mailing int64, state, from string) (n int64, err error) {
	now := s.now()
	nextAt, doneAt := sql.Null[time.Time]{V: now, Valid: state == stateWaiting}, sql.Null[time.Time]{V: now, Valid: state == stateCancelled}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE channel_deliveries SET state = CASE WHEN state = 'claimed' AND handed = 1 THEN state ELSE $2 END,
			next_at = $3, done_at = $4, first_at = NULL WHERE ($1 = 0 OR mailing = $1) AND (`+from+`)`, mailing, state, nextAt, doneAt)
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	return n, err
}

// PauseAll pauses everything that was not sent, as after a restore: messages that were
// claimed when the backup was made may have been posted.
func (s *Store) PauseAll(ctx context.Context) (int64, error) {
	return s.Pause(ctx, 0)
}

// Pause prevents the rest of a mailing from being sent. What is being posted may still
// arrive, but is not tried again.
func (s *Store) Pause(ctx context.Context, mailing int64) (int64, error) {
	return s.move(ctx, mailing, statePaused, `state = 'waiting' OR state = 'claimed' AND next_at IS NOT NULL`)
}

// Resume reverts Pause.
func (s *Store) Resume(ctx context.Context, mailing int64) (int64, error) {
	return s.move(ctx, mailing, stateWaiting, `state = 'paused' OR state = 'claimed' AND next_at IS NULL AND done_at IS NULL`)
}

// Cancel drops the rest of a mailing. What is being posted may still arrive, but is not
// tried again.
func (s *Store) Cancel(ctx context.Context, mailing int64) (int64, error) {
	return s.move(ctx, mailing, stateCancelled, `state IN ('waiting', 'paused') OR state = 'claimed' AND done_at IS NULL`)
}

// Retry makes the failed deliveries of a mailing due again. A delivery that may have been
// posted is not changed.
func (s *Store) Retry(ctx context.Context, mailing int64) (n int64, err error) {
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE channel_deliveries SET state = 'waiting', next_at = $2, first_at = NULL, done_at = NULL, attempts = 0
			WHERE mailing = $1 AND state = 'failed' AND uncertain = 0`, mailing, s.now())
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	return n, err
}

// Row is the delivery of an issue to a channel, as in JSON.
type Row struct {
	Channel   int64      `json:"channel"`
	Kind      string     `json:"kind"`
	Issue     int64      `json:"issue_id"`
	Mailing   int64      `json:"mailing"`
	State     string     `json:"state"` // waiting, claimed, sent, failed, uncertain, paused, cancelled
	Attempts  int64      `json:"attempts"`
	Uncertain int64      `json:"uncertain"` // attempts that may have been posted but were not answered
	NextAt    *time.Time `json:"next_at"`
	DoneAt    *time.Time `json:"done_at"`
	Reply     *string    `json:"reply"` // last reply of the service, with advice
}

const rowColumns = `d.channel, c.kind, d.issue, d.mailing, d.state, d.attempts, d.uncertain, d.next_at, d.done_at, NULLIF(d.reply, '')`

func scanRow(r database.Row) (x Row, err error) {
	err = r.Scan(&x.Channel, &x.Kind, &x.Issue, &x.Mailing, &x.State, &x.Attempts, &x.Uncertain, &x.NextAt, &x.DoneAt, &x.Reply)
	if x.State == stateClaimed { // while a row is claimed, its times are those of the claim, not of the delivery
		x.NextAt, x.DoneAt = nil, nil
	}
	return x, err
}

// Report returns the states of the issues of a mailing.
func (s *Store) Report(ctx context.Context, mailing int64) (rows []Row, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		rows, err = database.Collect(ctx, tx, scanRow, `SELECT `+rowColumns+` FROM channel_deliveries d JOIN channels c ON c.id = d.channel
			WHERE d.mailing = $1 ORDER BY d.channel, d.issue`, mailing)
		return err
	})
	return rows, err
}

// Latest returns the state of the newest issue in each channel.
func (s *Store) Latest(ctx context.Context) (latest map[int64]Row, err error) {
	var rows []Row
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		rows, err = database.Collect(ctx, tx, scanRow, `SELECT `+rowColumns+` FROM channel_deliveries d JOIN channels c ON c.id = d.channel
			WHERE d.id IN (SELECT MAX(id) FROM channel_deliveries GROUP BY channel)`)
		return err
	})
	latest = make(map[int64]Row, len(rows))
	for _, r := range rows {
		latest[r.Channel] = r
	}
	return latest, err
}

// Troubled returns the newest issue of each channel in which it failed, is uncertain, or is
// tried again.
func (s *Store) Troubled(ctx context.Context) (rows []Row, err error) {
	latest, err := s.Latest(ctx)
	for _, id := range slices.Sorted(maps.Keys(latest)) {
		r := latest[id]
		if r.State == stateFailed || r.State == stateUncertain || r.State == stateWaiting && r.Attempts > 0 {
			rows = append(rows, r)
		}
	}
	return rows, err
}

// LastReply returns the last reply of the service, "" if there is none.
func (r Row) LastReply() string {
	if r.Reply == nil {
		return ""
	}
	return *r.Reply
}

// Count returns the number of deliveries by state.
func (s *Store) Count(ctx context.Context) (counts map[string]int, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		counts, err = database.CollectMap(ctx, tx, database.ScanPair[string, int], `SELECT state, COUNT(*) FROM channel_deliveries GROUP BY state`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count deliveries to channels: %w", err)
	}
	return counts, nil
}

// Check returns why a channel can't send, nil if its file can be used.
func (c Channel) Check() error {
	_, err := c.open()
	return err
}

// Host is the server of a channel: the address of a bot contains its key. It returns ""
// if the file of the channel can't be read.
func (c Channel) Host() string {
	t, err := c.open()
	if err != nil && t.Address == "" && t.secret.address == "" {
		return ""
	}
	return t.host()
}
