package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/robfig/cron/v3"

	"dibao/internal/database"
)

// The nodes run the schedules themselves, because River's leader leads only while its client
// runs. One row says which node leads, and for which minute jobs were last added. A node
// takes a minute and adds the jobs that became due since the last one in one transaction, so
// that no due time is skipped or doubled, whichever nodes die.

// followAfter is how much later than the leader other nodes try to take a minute, so that
// the same node leads as long as it lives.
const followAfter = 2 * time.Second

// planned is a schedule with its kind.
type planned struct {
	cron.Schedule
	kind    string
	atStart bool
}

func (r *Runner) plan(s Schedule) (planned, error) {
	if _, ok := r.kinds[s.Kind]; !ok {
		return planned{}, fmt.Errorf("schedule %q is for the unknown kind %q", s.Cron, s.Kind)
	}
	schedule, err := ParseSchedule(s.Cron, s.Zone)
	return planned{schedule, s.Kind, s.AtStart}, err
}

// lead adds jobs when they become due, until ctx ends.
func (r *Runner) lead(ctx context.Context) {
	leads := false
	for first := true; ctx.Err() == nil; first = false {
		took, err := r.takeMinute(ctx, first, leads)
		switch {
		case err == nil:
			if leads = took; leads {
				r.watch.look()
			}
		case ctx.Err() == nil:
			r.opts.Logger.Warn("scheduled jobs were not added; the node tries again in a minute", "err", err)
		}
		now := time.Now()
		next := now.Truncate(time.Minute).Add(time.Minute)
		if !leads {
			next = next.Add(followAfter)
		}
		timer := time.NewTimer(next.Sub(now))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.resign(ctx); err != nil {
		r.opts.Logger.Warn("this node remains the leader until another takes its place", "err", err)
	}
}

// takeMinute adds the jobs that became due since the last minute that a node took, unless
// another node has taken this one or is about to: the first time, a node leaves the minute
// to the leader. It reports whether this node leads; led says whether it did before.
func (r *Runner) takeMinute(ctx context.Context, first, led bool) (leads bool, err error) {
	var living []string
	if r.opts.Living != nil {
		if living, err = r.opts.Living(ctx, r.db); err != nil {
			return false, err
		}
	}
	err = r.db.Write(ctx, func(tx *sql.Tx) (err error) {
		leads, err = r.takeMinuteWithin(ctx, tx, time.Now(), first, led, living)
		return err
	})
	return leads, err
}

func (r *Runner) takeMinuteWithin(ctx context.Context, tx *sql.Tx, now time.Time, first, led bool, living []string) (bool, error) {
	var leader string
	var last int64
	err := tx.QueryRowContext(ctx, `SELECT node, minute FROM node_leader WHERE id = 1`+r.db.Dialect().Pick("", " FOR UPDATE")).Scan(&leader, &last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	minute := now.Unix() / 60
	isFree := leader == "" || r.opts.Living != nil && !slices.Contains(living, leader)
	switch {
	case isFree:
	case leader == r.opts.Node && last == minute:
		return true, nil
	case leader != r.opts.Node && (first || last >= minute):
		return false, nil
	}
	res, err := tx.ExecContext(ctx, `
		INSERT INTO node_leader (id, node, minute) VALUES (1, $1, $2)
		ON CONFLICT (id) DO UPDATE SET node = excluded.node, minute = excluded.minute WHERE node_leader.minute = $3`, r.opts.Node, minute, last)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 { // two nodes created the row
		return false, err
	}
	for _, p := range r.plans {
		isDue := !led && p.atStart
		if last > 0 && !isDue {
			next := p.Next(time.Unix(last*60, 0))
			isDue = !next.IsZero() && next.Unix()/60 <= minute
		}
		if !isDue {
			continue
		}
		// A job has one attempt, because the next beat adds another. There is never more than
		// one, even if no node can run it.
		if _, err := r.inserter.InsertTx(ctx, tx, call{Task: p.kind}, insertOpts(p.kind, 1)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// resign lets another node lead at once.
func (r *Runner) resign(ctx context.Context) error {
	return r.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE node_leader SET node = '' WHERE node = $1`, r.opts.Node)
		return err
	})
}

// Leader returns the name of the node that adds the scheduled jobs; "" if none has added
// any in the last two minutes.
func Leader(ctx context.Context, db *database.DB) (node string, err error) {
	err = db.Read(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT node FROM node_leader WHERE minute >= $1`, time.Now().Unix()/60-2).Scan(&node)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return node, err
}
