// Package nodes records which processes work on one database, so that they can
// share the limits of mail servers and hosts.
//
// Each node renews its row every [Beat] and reads those of the others. A limit is divided
// among the nodes of a role; a new node gets no share before all others have seen it, and
// the share of a node is redistributed when it has not been seen for [GoneAfter]. A node
// that can't renew its row has no share, either. So the sum of the shares never exceeds the
// limit, whichever nodes start, stop or sleep.
package nodes

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"dibao/internal/database"
)

// Role is what a node does.
type Role string

// The roles.
const (
	Web     Role = "web"     // pages and feeds
	Collect Role = "collect" // sources
	Deliver Role = "deliver" // composing and sending
)

// Roles are all roles.
var Roles = []Role{Web, Collect, Deliver}

const (
	// Beat is how often a node renews its row and reads those of the others.
	Beat = 10 * time.Second
	// settleAfter is the time after which all others have seen a new node: nodes that have
	// not renewed their own row for this long have no share.
	settleAfter = 2 * Beat
	// GoneAfter is the time after which a node that was not seen counts as gone.
	GoneAfter = 3 * Beat
	// MaxSkew is the maximum difference between the clock of a node and that of the
	// database server.
	MaxSkew = 10 * time.Second
	// rememberFor is how long a node that is gone is listed.
	rememberFor = 24 * time.Hour
)

// Node is a process that works on the database.
type Node struct {
	ID        string
	Host      string
	PID       int
	Machine   string // machine on which PID is unique; "" means unknown
	Version   string
	Roles     []Role
	StartedAt time.Time     // by the clock of the database server, as for SeenAt
	SeenAt    time.Time     // when it last renewed its row
	Clock     time.Duration // how far its clock is ahead of that of the database server
	Gone      bool          // it was not seen for GoneAfter
}

// Share is a node's part of a limit.
type Share struct {
	Rank int // from 0
	Of   int // number of nodes that share; 0 means that this node may use nothing now
}

// Whole is the share of a single node.
var Whole = Share{Of: 1}

// Rate returns the share of a divisible limit, such as messages per minute.
func (s Share) Rate(limit float64) float64 {
	if s.Of == 0 {
		return 0
	}
	return limit / float64(s.Of)
}

// Count returns the share of a limit in whole numbers, such as connections; the remainder
// depends on name, so that it is not always the same node that gets it.
func (s Share) Count(limit int, name string) int {
	if s.Of == 0 {
		return 0
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	part := limit / s.Of
	if (s.Rank+int(h.Sum32()%uint32(s.Of)))%s.Of < limit%s.Of {
		part++
	}
	return part
}

// Member is this process as one of the nodes. A nil Member is a process without other
// nodes, and has no ID.
type Member struct {
	db  *database.DB
	log *slog.Logger

	mu       sync.Mutex
	self     Node
	all      []Node    // as last read, without those that are gone
	joinedAt time.Time // by the machine's clock, as for readAt
	readAt   time.Time
	settled  bool // all others have seen this node
}

// Join makes this process a node. Call Run to renew it.
func Join(ctx context.Context, db *database.DB, version string, roles []Role, log *slog.Logger) (*Member, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this host: %w", err)
	}
	m := &Member{db: db, log: log, self: Node{ID: rand.Text(), Host: host, PID: os.Getpid(), Machine: machine(), Version: version, Roles: roles}}
	joined.Store(m.self.ID, true)
	err = database.RetryUntilReachable(ctx, log, func() error {
		if err := m.forget(ctx); err != nil {
			return err
		}
		return m.beat(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("join the nodes of this database: %w", err)
	}
	return m, nil
}

// ID identifies this node in the database.
func (m *Member) ID() string {
	if m == nil {
		return ""
	}
	return m.self.ID
}

// Run renews the node's row until ctx ends, and then removes it. It returns an error if the
// database was moved to another one: no process may work with it any more.
func (m *Member) Run(ctx context.Context) error {
	ticker := time.NewTicker(Beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			if err := m.leave(context.WithoutCancel(ctx)); err != nil {
				m.log.Warn("row of this node not removed; it stays in the list for a while", "err", err)
			}
			return nil
		case <-ticker.C:
		}
		err := m.beat(ctx)
		if moved := (*database.MovedError)(nil); errors.As(err, &moved) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			m.log.Warn("this node could not renew its row; it gets no share of the limits until it can", "err", err)
		}
	}
}

// leave removes the node's row, so that the others divide its share at once.
func (m *Member) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Beat)
	defer cancel()
	return m.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM nodes WHERE id = $1`, m.self.ID)
		return err
	})
}

// beat renews the node's row and reads those of the others.
func (m *Member) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleAfter) // a network that drops everything reports no error
	defer cancel()
	if err := m.db.Moved(ctx); err != nil {
		return err
	}
	skew, err := m.db.ClockSkew(ctx)
	if err != nil {
		return err
	}
	began := time.Now() // nodes that join after this are not in what is read
	now := began.Add(skew).UTC()
	if m.self.StartedAt.IsZero() {
		m.self.StartedAt = now
	}
	var all []Node
	err = m.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO nodes (id, host, pid, version, roles, started_at, seen_at, clock_ms, machine) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, clock_ms = excluded.clock_ms`,
			m.self.ID, m.self.Host, m.self.PID, m.self.Version, JoinRoles(m.self.Roles), m.self.StartedAt, now, -skew.Milliseconds(), m.self.Machine)
		return err
	})
	if err != nil {
		return err
	}
	// Read after the commit, and not from a replica: if two nodes join at the
	// same time, one sees the other.
	err = m.db.Write(ctx, func(tx *sql.Tx) error {
		all, err = read(ctx, tx, now)
		return err
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.readAt.IsZero() || passed(m.readAt) > settleAfter { // others may have considered this node gone
		m.joinedAt, m.settled = time.Now(), false
	}
	m.all = slices.DeleteFunc(all, func(n Node) bool { return n.Gone })
	m.readAt = began
	m.settled = m.settled || len(m.all) == 1 || passed(m.joinedAt) >= settleAfter
	return nil
}

// passed returns the time since t by the faster of two clocks: the machine's monotonic one
// stops during sleep, and the other may be set back.
func passed(t time.Time) time.Duration {
	return max(time.Since(t), time.Now().Round(0).Sub(t.Round(0)))
}

// forget removes nodes that were not seen for a day and those of this machine whose process
// has ended, with their turns, and hosts that were not requested for a day.
func (m *Member) forget(ctx context.Context) error {
	return m.db.Write(ctx, func(tx *sql.Tx) error {
		all, err := read(ctx, tx, time.Now())
		if err != nil {
			return err
		}
		for _, n := range all {
			isReused := n.isHere() && n.PID == m.self.PID && !ours(n.ID) // our process id belonged to another node
			if !isReused && !n.Ended() && time.Since(n.SeenAt) < rememberFor {
				continue
			}
			for _, table := range []string{"nodes WHERE id", "node_turns WHERE node"} {
				if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` = $1`, n.ID); err != nil {
					return err
				}
			}
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM node_turns WHERE free_at < $1`, time.Now().Add(-rememberFor))
		return err
	})
}

// joined are the nodes of this process: tests have several.
var joined sync.Map

func ours(id string) bool {
	_, ok := joined.Load(id)
	return ok
}

// Share returns this node's share of a limit of the nodes of a role.
func (m *Member) Share(role Role) Share {
	if m == nil {
		return Whole
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Share{Rank: -1}
	for _, n := range m.all {
		if !slices.Contains(n.Roles, role) {
			continue
		}
		if n.ID == m.self.ID {
			s.Rank = s.Of
		}
		s.Of++
	}
	if s.Rank < 0 || !m.settled || passed(m.readAt) > settleAfter {
		return Share{}
	}
	return s
}

// Settled waits until this node has its share.
func (m *Member) Settled(ctx context.Context, role Role) error {
	for m.Share(role).Of == 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(Beat / 10):
		}
	}
	return nil
}

// List returns the nodes in the order in which they started, including those
// that disappeared less than a day ago.
func List(ctx context.Context, db *database.DB) (all []Node, err error) {
	skew, err := db.ClockSkew(ctx)
	if err != nil {
		return nil, err
	}
	err = db.Read(ctx, func(tx *sql.Tx) error {
		all, err = read(ctx, tx, time.Now().Add(skew))
		return err
	})
	slices.SortStableFunc(all, func(a, b Node) int { return a.StartedAt.Compare(b.StartedAt) })
	return all, err
}

// Living returns the IDs of the running nodes.
func Living(ctx context.Context, db *database.DB) (ids []string, err error) {
	all, err := List(ctx, db)
	for _, n := range all {
		if !n.Gone && !n.Ended() {
			ids = append(ids, n.ID)
		}
	}
	return ids, err
}

// read returns all rows by id; their order gives each node its rank.
func read(ctx context.Context, tx *sql.Tx, now time.Time) ([]Node, error) {
	return database.Collect(ctx, tx, func(r database.Row) (n Node, err error) {
		var roles string
		var clock int64
		err = r.Scan(&n.ID, &n.Host, &n.PID, &n.Version, &roles, &n.StartedAt, &n.SeenAt, &clock, &n.Machine)
		n.Clock, n.Gone = time.Duration(clock)*time.Millisecond, now.Sub(n.SeenAt) > GoneAfter
		for r := range strings.SplitSeq(roles, ",") {
			n.Roles = append(n.Roles, Role(r))
		}
		return n, err
	}, `SELECT id, host, pid, version, roles, started_at, seen_at, clock_ms, machine FROM nodes ORDER BY id`)
}

// JoinRoles formats roles as ParseRoles reads them.
func JoinRoles(roles []Role) string {
	texts := make([]string, len(roles))
	for i, r := range roles {
		texts[i] = string(r)
	}
	return strings.Join(texts, ",")
}

// ParseRoles reads roles in the form of --role; "" means all of them.
func ParseRoles(s string) (roles []Role, err error) {
	if s == "" {
		return Roles, nil
	}
	for name := range strings.SplitSeq(s, ",") {
		role := Role(strings.TrimSpace(name))
		if !slices.Contains(Roles, role) {
			return nil, fmt.Errorf("there is no role %q; use web, collect or deliver", name)
		}
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles, nil
}
