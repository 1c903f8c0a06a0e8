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
//	   ├── put back ◀─────┤  refused for now, or never handed over
//	   └── handed over ◀──┘  and not answered: once more, then it is uncertain
//
// The hand-over is a commit of its own, after all waiting and just before the service gets
// the message: a process that dies before it has certainly sent nothing.

// lease is how long a claim holds of a node that is in the list of nodes and not known to
// have ended: it may be asleep. A request takes less than half of it.
const lease = 5 * time.Minute

// claimed is a delivery that this process has claimed.
type claimed struct {
	id        int64
	issue     int64
	attempts  int64 // with this one
	uncertain int64
	firstAt   time.Time
}

// errLost says that another node took a claim over.
var errLost = errors.New("another node has taken this delivery over")

// due returns the channels of which something is due.
func (s *Store) due(ctx context.Context) (ids []int64, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT DISTINCT channel FROM channel_deliveries WHERE state = 'waiting' AND next_at <= $1 ORDER BY channel`, s.now())
		return err
	})
	return ids, err
}

// errNothing ends a transaction that has found nothing to claim.
var errNothing = errors.New("nothing is due")

// claim takes the oldest issue that is due in a channel, together with the turn of its
// group. wait says how long the group has no turn; both are zero if nothing is due.
func (s *Store) claim(ctx context.Context, self string, channel int64, group string, pause time.Duration) (c *claimed, wait time.Duration, err error) {
	now := s.now()
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		c, wait = &claimed{firstAt: now}, 0
		var first sql.Null[time.Time]
		err := tx.QueryRowContext(ctx, `
			UPDATE channel_deliveries SET state = 'claimed', attempts = attempts + 1, handed = 0, claimed_by = $1, lease_until = $2
			WHERE state = 'waiting' AND next_at <= $3 AND id = (
				SELECT id FROM channel_deliveries WHERE channel = $4 AND state = 'waiting' AND next_at <= $3 ORDER BY issue LIMIT 1)
			RETURNING id, issue, attempts, uncertain, first_at`, self, now.Add(lease), now, channel).Scan(&c.id, &c.issue, &c.attempts, &c.uncertain, &first)
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
		return errNothing // and the claim is taken back
	})
	if errors.Is(err, errNothing) {
		return nil, wait, nil
	}
	return c, 0, err
}

// hold keeps all channels of a group from sending for some time.
func (s *Store) hold(ctx context.Context, group string, d time.Duration) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO node_channel_turns (target, free_at) VALUES ($1, $2) ON CONFLICT (target) DO UPDATE SET free_at = excluded.free_at`,
			group, s.now().Add(d))
		return err
	})
}

// handOver notes that the service may have the message from now on.
func (s *Store) handOver(ctx context.Context, self string, id int64) error {
	return s.own(ctx, self, id, `handed = 1`)
}

// finish writes the outcome of an attempt. next is when it is tried again, zero for never.
func (s *Store) finish(ctx context.Context, self string, c claimed, state, reply string, next time.Time) error {
	now := s.now()
	uncertain := c.uncertain
	return s.own(ctx, self, c.id, `state = $3, reply = $4, next_at = $5, done_at = $6, first_at = $7, uncertain = $8, claimed_by = '', lease_until = NULL`,
		state, reply, sql.Null[time.Time]{V: next, Valid: !next.IsZero()}, sql.Null[time.Time]{V: now, Valid: next.IsZero()}, c.firstAt, uncertain)
}

// own changes a delivery that this process still has.
func (s *Store) own(ctx context.Context, self string, id int64, set string, args ...any) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE channel_deliveries SET `+set+` WHERE id = $1 AND state = 'claimed' AND claimed_by = $2`, append([]any{id, self}, args...)...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errLost)
		}
		return nil
	})
}

// recover takes back what nodes that ended had claimed. What they had handed over gets
// one more message at most, or as many as it takes where the service ignores repetitions.
func (s *Store) recover(ctx context.Context, self string) (n int64, err error) {
	type claim struct {
		id, uncertain int64
		handed        bool
		kind, by      string
		until         time.Time
	}
	var all []claim
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, func(r database.Row) (x claim, err error) {
			return x, r.Scan(&x.id, &x.uncertain, &x.handed, &x.kind, &x.by, &x.until)
		}, `SELECT d.id, d.uncertain, d.handed = 1, c.kind, d.claimed_by, d.lease_until FROM channel_deliveries d JOIN channels c ON c.id = d.channel WHERE d.state = 'claimed'`)
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
		if isHere && now.Before(x.until) {
			continue
		}
		state, uncertain, reply := stateWaiting, x.uncertain, "dibao ended before it was sent"
		if x.handed {
			reply = "dibao ended before the service answered"
			if !services[x.kind].repeats {
				if uncertain++; uncertain >= mostUncertain {
					state = stateUncertain
				}
			}
		}
		nextAt, doneAt := sql.Null[time.Time]{V: now, Valid: state == stateWaiting}, sql.Null[time.Time]{V: now, Valid: state != stateWaiting}
		err := s.own(ctx, x.by, x.id, `state = $3, reply = $4, next_at = $5, done_at = $6, uncertain = $7, claimed_by = '', lease_until = NULL`,
			state, reply, nextAt, doneAt, uncertain)
		if errors.Is(err, errLost) { // it ended just now, or another node was faster
			continue
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// mostUncertain is how often a message may be handed over without an answer.
const mostUncertain = 2
