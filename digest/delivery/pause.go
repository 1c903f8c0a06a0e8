package delivery

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"dibao/digest/verdict"
	"dibao/internal/database"
	"dibao/internal/mail"
)

// Pause says that a relay, or with direct delivery a group of domains, refuses
// our mail before a recipient is named. The fault is ours: nothing is sent there
// until the next try, which one message makes, and no delivery fails because of
// it.
type Pause struct {
	Name      string    `json:"name"` // HOST:PORT of a relay, or the domain that identifies the group
	Tries     int       `json:"tries"`
	Since     time.Time `json:"since"`
	NextTryAt time.Time `json:"next_try_at"`
	Reply     string    `json:"reply"` // the last reply, with its code and the command that it answers

	notified  bool
	resumedAt time.Time
}

// open reports whether the pause is still in effect.
func (p Pause) open(now time.Time) bool { return p.Tries > 0 && now.Before(p.NextTryAt) }

const (
	firstPause     = 5 * time.Minute // after a 5xx
	firstSoftPause = time.Minute     // after a 4xx
	longestPause   = time.Hour
	softTries      = 3 // after this many 4xx in a row, the admin is notified
)

// pauseFor returns the pause after the nth refusal in a row.
func pauseFor(code, n int, v verdict.Verdict) time.Duration {
	first := firstPause
	if code/100 == 4 {
		first = firstSoftPause
	}
	return max(v.Retry, min(first<<min(n-1, 6), longestPause))
}

// refusesUs returns a refusal that is about us: one before a recipient was named,
// unless it is about this message (its size, or a form of address).
func refusesUs(reply *mail.ReplyError, v verdict.Verdict) bool {
	return verdict.Phase(reply.Phase).BeforeReader() && v.Class != verdict.Message
}

// pauses are the pauses that this node knows about. They are stored, so that they also
// hold after a restart and on other nodes.
type pauses struct {
	service *Service
	mu      sync.Mutex
	byName  map[string]Pause
}

// load reads what other nodes stored. With probe, every pause ends.
func (p *pauses) load(ctx context.Context, probe bool) error {
	all, err := p.service.storedPauses(ctx)
	if err != nil {
		return err
	}
	now := p.service.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byName = make(map[string]Pause, len(all))
	for _, x := range all {
		if probe && x.open(now) {
			x.NextTryAt = now
		}
		p.byName[x.Name] = x
	}
	return nil
}

// forgetOthers drops the pauses of relays that are not configured any more.
func (p *pauses) forgetOthers(ctx context.Context, configured []string) error {
	for name := range p.all() {
		if slices.Contains(configured, name) {
			continue
		}
		err := p.service.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM send_pauses WHERE name = $1`, name)
			return err
		})
		if err != nil {
			return err
		}
		p.mu.Lock()
		delete(p.byName, name)
		p.mu.Unlock()
	}
	return nil
}

func (p *pauses) of(name string) Pause {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byName[name]
}

// refused records a refusal. Replies that were in flight when the pause began count as
// the same one. notify reports whether to notify the admin now, which is once per pause.
func (p *pauses) refused(ctx context.Context, name string, reply *mail.ReplyError, v verdict.Verdict) (x Pause, notify bool, err error) {
	now := p.service.now()
	p.mu.Lock()
	x = p.byName[name]
	if x.open(now) {
		p.mu.Unlock()
		return x, false, nil
	}
	if x.Tries == 0 {
		x = Pause{Name: name, Since: now, resumedAt: x.resumedAt}
	}
	x.Tries++
	x.Reply = database.Clip(reply.Error(), maxReply)
	x.NextTryAt = now.Add(pauseFor(reply.Code, x.Tries, v))
	notify = !x.notified && (reply.Code >= 500 || x.Tries >= softTries)
	x.notified = x.notified || notify
	p.byName[name] = x
	p.mu.Unlock()
	return x, notify, p.service.storePause(ctx, x)
}

// accepted records that our mail is accepted again.
func (p *pauses) accepted(ctx context.Context, name string) error {
	p.mu.Lock()
	x := p.byName[name]
	if x.Tries == 0 {
		p.mu.Unlock()
		return nil
	}
	x.Tries, x.notified, x.resumedAt = 0, false, p.service.now()
	p.byName[name] = x
	p.mu.Unlock()
	return p.service.storePause(ctx, x)
}

// resumed returns when a relay or a lane with these names last accepted mail again after a
// pause.
func (p *pauses) resumed(names ...string) (at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		at = latest(at, p.byName[name].resumedAt)
	}
	return at
}

func (p *pauses) all() map[string]Pause {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.byName)
}

// keepPauses loads the servers that refuse our mail.
func (r *deliveryRun) keepPauses(ctx context.Context) error {
	if err := r.pauses.load(ctx, r.opts.Probe); err != nil {
		return fmt.Errorf("read which servers refuse our mail: %w", err)
	}
	if r.opts.Direct == nil {
		if err := r.pauses.forgetOthers(ctx, r.servers.names()); err != nil {
			return fmt.Errorf("remove mail servers that are no longer used: %w", err)
		}
		if refused := r.servers.refusing(r.service.now()); refused != nil {
			r.total.Refused = refused.Error()
		}
		return nil
	}
	for _, p := range r.pauses.all() {
		if p.Tries > 0 {
			r.lanes.of(p.Name).hold(p.NextTryAt, cause{reply: p.Reply})
		}
	}
	return nil
}

// unproven reports whether one message has to test whether the relays accept
// our mail again, before others follow.
func (r *deliveryRun) unproven() bool { return r.opts.Direct == nil && r.servers.unproven() }

// serverDown stops the run: every delivery would fail in the same way, through no fault
// of its own.
func (r *deliveryRun) serverDown(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down == nil {
		r.down = err
		r.service.opts.Logger.Error("no mail server accepts our mail", "err", err)
	}
	r.changed.Broadcast()
}

// Pauses returns the servers that refuse our mail before a recipient is named.
func (s *Service) Pauses(ctx context.Context) ([]Pause, error) {
	all, err := s.storedPauses(ctx)
	now := all[:0]
	for _, p := range all {
		if p.Tries > 0 {
			now = append(now, p)
		}
	}
	return now, err
}

func (s *Service) storedPauses(ctx context.Context) (all []Pause, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, func(r database.Row) (p Pause, err error) {
			var notifiedAt, resumed sql.Null[time.Time]
			err = r.Scan(&p.Name, &p.Tries, &p.Since, &p.NextTryAt, &p.Reply, &notifiedAt, &resumed)
			p.notified, p.resumedAt = notifiedAt.Valid, resumed.V
			return p, err
		}, `SELECT name, tries, since, next_try_at, reply, told_at, resumed_at FROM send_pauses ORDER BY name`)
		return err
	})
	return all, err
}

func (s *Service) storePause(ctx context.Context, p Pause) error {
	notifiedAt := sql.Null[time.Time]{V: s.now(), Valid: p.notified}
	resumed := sql.Null[time.Time]{V: p.resumedAt, Valid: !p.resumedAt.IsZero()}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO send_pauses (name, tries, since, next_try_at, reply, told_at, resumed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (name) DO UPDATE SET tries = excluded.tries, since = excluded.since, next_try_at = excluded.next_try_at,
				reply = excluded.reply, told_at = excluded.told_at, resumed_at = excluded.resumed_at`,
			p.Name, p.Tries, p.Since, p.NextTryAt, p.Reply, notifiedAt, resumed)
		return err
	})
}
