package nodes

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"dibao/internal/database"
)

// Turns gives the nodes of one PostgreSQL database turns at hosts, so that all
// of them together have no more concurrent requests to a host than one of them
// may have. The clock is that of the database server.
type Turns struct {
	DB      *database.DB
	Node    func() string // the owner of the turns: the ID of a node or of a command
	PerHost int           // concurrent requests to one host
	Lease   time.Duration // time after which a turn is free that was neither renewed nor returned, because its node died
}

// TurnsOf returns a function that waits for a turn, as Take does. It is nil on SQLite, where only one process
// collects. The function node returns the ID of this node, "" in commands.
func TurnsOf(db *database.DB, perHost int, node func() string) func(ctx context.Context, host string) (func(time.Duration), error) {
	if db.Dialect() == database.SQLite {
		return nil
	}
	command := rand.Text()
	t := &Turns{DB: db, Node: func() string { return cmp.Or(node(), command) }, PerHost: max(perHost, 1), Lease: turnLease}
	return t.Take
}

const (
	askFirst = 20 * time.Millisecond
	askLast  = time.Second
	// turnLease is short because other nodes wait for the turns of a node that was killed. A request may take
	// longer: its node renews the turn.
	turnLease = 20 * time.Second
	outage    = time.Minute // time that a restart of the database may take
)

// Take waits for a turn at a host. The returned function ends it with the pause
// before the next request.
func (t *Turns) Take(ctx context.Context, host string) (giveBack func(pause time.Duration), err error) {
	begun := time.Now()
	for wait := askFirst; ; wait = min(2*wait, askLast) {
		turn, err := t.take(ctx, host)
		// A database that restarts is not the host's fault.
		if err != nil && (ctx.Err() != nil || time.Since(begun) > outage) {
			return nil, err
		}
		if err == nil && turn >= 0 {
			ctx := context.WithoutCancel(ctx)
			stop := t.renew(ctx, host, turn)
			return func(pause time.Duration) {
				stop()
				t.giveBack(ctx, host, turn, pause)
			}, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// take returns the number of a turn, or -1 if none is free.
func (t *Turns) take(ctx context.Context, host string) (turn int64, err error) {
	err = t.DB.Write(ctx, func(tx *sql.Tx) error {
		for turn = range int64(t.PerHost) {
			var taken int64
			err := tx.QueryRowContext(ctx, `
				INSERT INTO node_turns (host, turn, node, free_at) VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
				ON CONFLICT (host, turn) DO UPDATE SET node = excluded.node, free_at = excluded.free_at
				WHERE node_turns.free_at <= clock_timestamp() RETURNING turn`, host, turn, t.Node(), t.Lease.Seconds()).Scan(&taken)
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		turn = -1
		return nil
	})
	return turn, err
}

// renew renews a turn until stop is called. stop waits for a running renewal, which must not take the
// turn again after it was returned.
func (t *Turns) renew(ctx context.Context, host string, turn int64) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(t.Lease / 4):
			}
			// A failed renewal is repeated before the lease ends.
			_ = t.DB.Write(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `
					UPDATE node_turns SET free_at = clock_timestamp() + make_interval(secs => $4) WHERE host = $1 AND turn = $2 AND node = $3`,
					host, turn, t.Node(), t.Lease.Seconds())
				return err
			})
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

func (t *Turns) giveBack(ctx context.Context, host string, turn int64, pause time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, t.Lease)
	defer cancel()
	// The pause applies to the host: its other free turns wait, too. A turn
	// that can't be returned now is free after Lease.
	_ = t.DB.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE node_turns SET free_at = clock_timestamp() + make_interval(secs => $4), node = CASE WHEN turn = $2 THEN '' ELSE node END
			WHERE host = $1 AND (turn = $2 AND node = $3 OR free_at < clock_timestamp() + make_interval(secs => $4))`, host, turn, t.Node(), pause.Seconds())
		return err
	})
}
