package channel

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/internal/nodes"
)

// A delivery goes through these states:
//
//	waiting ──claim──▶ claimed ──▶ sent | failed | cancelled
//	   ▲                  │
//	   ├── requeued ◀─────┤  refused for now, or never handed over
//	   └── handed over ◀──┘  without a response: once more, then it is uncertain
//
// The hand-over is a commit of its own, after all waiting and just before the service gets
// the message: a process that dies before it has certainly sent nothing.
//
// Pausing or canceling a mailing removes a claim that was not handed over. After the
// hand-over the claim stays, because the service may have the message; its times then
// say which state replaces waiting: with done_at it is canceled, without next_at it is
// paused.

// lease is how long a claim is valid if its node is in the list of nodes and not known to
// have ended: the node may be suspended. A request takes less than half of that time.
const lease = 5 * time.Minute

// claimed is a delivery that this process has claimed.
type claimed struct {
	id        int64
	issue     int64
	mailing   int64
	attempts  int64 // including this one
	uncertain int64
	firstAt   time.Time
}

// errLost says that a process no longer has a claim.
var errLost = errors.New("another node has taken this delivery over, or its mailing was stopped")

// due returns the channels with something due.
func (s *Store) due(ctx context.Context) (ids []int64, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT DISTINCT channel FROM channel_deliveries WHERE state = 'waiting' AND next_at <= $1 ORDER BY channel`, s.now())
		return err
	})
	return ids, err
}

// errNothing ends a transaction that found nothing to claim.
var errNothing = errors.New("nothing is due")

// claim claims the oldest due issue of a channel, together with the turn of its group. wait
// is how long the group still has to wait; both are zero if nothing is due.
func (s *Store) claim(ctx context.Context, self string, channel int64, group string, pause time.Duration) (c *claimed, wait time.Duration, err error) {
	now := s.now()
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		c, wait = &claimed{firstAt: now}, 0
		var first sql.Null[time.Time]
		err := tx.QueryRowContext(ctx, `
			UPDATE channel_deliveries SET state = 'claimed', attempts = attempts + 1, handed = 0, claimed_by = $1, lease_until = $2
			WHERE state = 'waiting' AND next_at <= $3 AND id = (
				SELECT id FROM channel_deliveries WHERE channel = $4 AND state = 'waiting' AND next_at <= $3 ORDER BY issue LIMIT 1)
			RETURNING id, issue, mailing, attempts, uncertain, first_at`, self, now.Add(lease), now, channel).Scan(&c.id, &c.issue, &c.mailing, &c.attempts, &c.uncertain, &first)
		if errors.Is(err, sql.ErrNoRows) {
			return errNothing
		}
		if err != nil {
			return err
		}
		if first.Valid {
			c.firstAt = first.V
		}
		var taken string
		err = tx.QueryRowContext(ctx, `
			INSERT INTO node_channel_turns (target, free_at) VALUES ($1, $2) ON CONFLICT (target) DO UPDATE SET free_at = excluded.free_at
			WHERE node_channel_turns.free_at <= $3 RETURNING target`, group, now.Add(pause), now).Scan(&taken)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var free time.Time
		if err := tx.QueryRowContext(ctx, `SELECT free_at FROM node_channel_turns WHERE target = $1`, group).Scan(&free); err != nil {
			return err
		}
		wait = max(free.Sub(now), time.Millisecond)
		return errNothing // rolls the claim back
	})
	if errors.Is(err, errNothing) {
		return nil, wait, nil
	}
	return c, 0, err
}

// hold prevents all channels of a group from sending for some time.
func (s *Store) hold(ctx context.Context, group string, d time.Duration) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO node_channel_turns (target, free_at) VALUES ($1, $2) ON CONFLICT (target) DO UPDATE SET free_at = excluded.free_at`,
			group, s.now().Add(d))
		return err
	})
}

// handOver records that the service may have the message from now on.
func (s *Store) handOver(ctx context.Context, self string, id int64) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE channel_deliveries SET handed = 1 WHERE id = $1 AND state = 'claimed' AND claimed_by = $2`, id, self)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errLost)
		}
		return nil
	})
}

// held is the current state of a claim.
type held struct {
	handed    bool // the service may have the message
	uncertain int64
	firstAt   sql.Null[time.Time]
	until     time.Time // end of its lease
}

// outcome is the result of a claim.
type outcome struct {
	state, reply string
	next         time.Time // when it is tried again; zero means never
	firstAt      sql.Null[time.Time]
	uncertain    int64
}

// finish writes the outcome of an attempt. next is when it is tried again, zero for never.
// It returns the state that was written: instead of waiting, a delivery may be paused or
// canceled.
func (s *Store) finish(ctx context.Context, self string, c claimed, state, reply string, next time.Time) (string, error) {
	return s.settle(ctx, self, c.id, func(held) (outcome, error) {
		return outcome{state, reply, next, sql.Null[time.Time]{V: c.firstAt, Valid: true}, c.uncertain}, nil
	})
}

// settle ends a claim of a process according to judge, and returns its new state. The error
// is errLost if the process no longer has the claim.
func (s *Store) settle(ctx context.Context, by string, id int64, judge func(held) (outcome, error)) (state string, err error) {
	const read = `SELECT handed = 1, uncertain, first_at, lease_until, next_at, done_at FROM channel_deliveries WHERE id = $1 AND state = 'claimed' AND claimed_by = $2`
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		var h held
		var nextAt, doneAt sql.Null[time.Time]
		err := tx.QueryRowContext(ctx, s.db.Dialect().Pick(read, read+` FOR UPDATE`), id, by).Scan(&h.handed, &h.uncertain, &h.firstAt, &h.until, &nextAt, &doneAt)
		if errors.Is(err, sql.ErrNoRows) {
			return errLost
		}
		if err != nil {
			return err
		}
		o, err := judge(h)
		if err != nil {
			return err
		}
		if state = o.state; state == stateWaiting {
			switch {
			case doneAt.Valid:
				state, o.next = stateCancelled, time.Time{}
			case !nextAt.Valid:
				state, o.next = statePaused, time.Time{}
			}
		}
		nextAt = sql.Null[time.Time]{V: o.next, Valid: !o.next.IsZero()}
		doneAt = sql.Null[time.Time]{V: s.now(), Valid: state != stateWaiting && state != statePaused}
		_, err = tx.ExecContext(ctx, `UPDATE channel_deliveries SET state = $2, reply = $3, next_at = $4, done_at = $5, first_at = $6, uncertain = $7,
			claimed_by = '', lease_until = NULL WHERE id = $1`, id, state, o.reply, nextAt, doneAt, o.firstAt, o.uncertain)
		return err
	})
	return state, err
}

// errHeld says that a process that may be alive has the claim.
var errHeld = errors.New("a process holds this claim, and its lease has not expired")

// recover releases the claims of nodes that ended. A delivery that was handed over is sent
// at most once more, or as often as necessary if the service ignores repetitions.
func (s *Store) recover(ctx context.Context, self string) (n int64, err error) {
	type claim struct {
		id       int64
		kind, by string
	}
	var all []claim // may be slightly out of date; settle checks each again
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, func(r database.Row) (x claim, err error) {
			return x, r.Scan(&x.id, &x.kind, &x.by)
		}, `SELECT d.id, c.kind, d.claimed_by FROM channel_deliveries d JOIN channels c ON c.id = d.channel WHERE d.state = 'claimed'`)
		return err
	})
	if err != nil {
		return 0, err
	}
	if len(all) == 0 {
		return 0, nil
	}
	living, err := nodes.List(ctx, s.db)
	if err != nil {
		return 0, err
	}
	living = slices.DeleteFunc(living, nodes.Node.Ended)
	now := s.now()
	for _, x := range all {
		isHere := x.by == self || slices.ContainsFunc(living, func(n nodes.Node) bool { return n.ID == x.by })
		_, err := s.settle(ctx, x.by, x.id, func(h held) (outcome, error) {
			if isHere && now.Before(h.until) {
				return outcome{}, errHeld
			}
			o := outcome{stateWaiting, "dibao ended before it was sent", now, h.firstAt, h.uncertain}
			if h.handed {
				o.reply = "dibao ended before the service answered"
				if !services[x.kind].repeats {
					if o.uncertain++; o.uncertain >= maxUncertain {
						o.state, o.next = stateUncertain, time.Time{}
					}
				}
			}
			return o, nil
		})
		if errors.Is(err, errLost) || errors.Is(err, errHeld) { // it ended just now, or another node was faster
			continue
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// maxUncertain is the maximum number of hand-overs of a message without a response.
const maxUncertain = 2
