package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"dibao/digest/verdict"
	"dibao/internal/database"
	"dibao/internal/mail"
	"dibao/subscribers"
)

// The maximum number of readers of a domain that one mailing may suppress, by replies and reports
// together: three, or 2% of the readers that the mailing has there. If it would suppress
// more, something is wrong at the domain or with us: none is suppressed, and an admin
// decides. The same applies to a whole mailing, because each of its readers may have a
// different domain: ten, or 5%, or half of a small mailing.
const (
	strikesLeast          = 3
	strikesPercent        = 2
	mailingStrikes        = 10
	mailingStrikesPercent = 5
)

// The number of such replies or reports about a reader's mailbox that suppress the address.
const (
	FullIssues    = 3 // issues for which the mailbox was full
	unknownIssues = 2 // issues that were refused for an unknown reason
	IssuesWithin  = 30 * 24 * time.Hour

	ClassFull = "full" // class of feedback: a full mailbox, as opposed to other temporary refusals
)

// Struck is a reader whom a reply or a report would have suppressed.
type Struck struct {
	Mailing, Subscriber int64
	Address             string
	Note                string // the words of the server
}

// Strike suppresses a reader, unless this mailing would suppress too many readers of the
// domain: then all of them become pending until an admin decides, including those who were
// already suppressed. The admin gets one notice per domain and mailing. Strike reports
// whether the reader is suppressed now.
func (s *Service) Strike(ctx context.Context, x Struck, notify func(context.Context, Notice)) (suppressed bool, err error) {
	domain := mail.DomainOf(x.Address)
	most, mostOfAll, counted, err := s.maxStrikes(ctx, x.Mailing, domain, false)
	if err != nil {
		return false, err
	}
	tripped, where := 0, domain // where is "" for the whole mailing
	strike := func(tx *sql.Tx) error {
		suppressed, tripped, where = false, 0, domain
		if err := s.lockMailing(ctx, tx, x.Mailing); err != nil {
			return err
		}
		var all, pending, mine int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(CASE WHEN state = 'pending' THEN 1 END), COUNT(CASE WHEN subscriber = $3 THEN 1 END)
			FROM strikes WHERE mailing = $1 AND domain = $2`, x.Mailing, domain, x.Subscriber).Scan(&all, &pending, &mine)
		switch {
		case err != nil:
			return err
		case mine > 0 && pending > 0: // the same reply again
			return nil
		case mine == 0 && all+1 > most:
			if !counted {
				return errNotCounted
			}
			if pending == 0 {
				tripped = all + 1
			}
			return s.trip(ctx, tx, x, domain, domain)
		case mine == 0:
			done, waits, err := ofMailing(ctx, tx, x.Mailing)
			if err != nil {
				return err
			}
			if waits || done+1 > mostOfAll {
				if !counted {
					return errNotCounted
				}
				if where = ""; !waits {
					tripped = done + 1
				}
				return s.trip(ctx, tx, x, domain, "")
			}
		}
		fresh, err := s.subscribers.SuppressIn(ctx, tx, x.Address, subscribers.ReasonBounce, x.Note)
		if suppressed = true; err != nil || !fresh {
			return err
		}
		if mine > 0 { // the suppression has been lifted since
			_, err := tx.ExecContext(ctx, `UPDATE strikes SET at = $3 WHERE mailing = $1 AND subscriber = $2`, x.Mailing, x.Subscriber, s.now())
			return err
		}
		return s.noteStrike(ctx, tx, x, domain, "suppressed")
	}
	if err = s.db.Write(ctx, strike); errors.Is(err, errNotCounted) { // others struck in the meantime, and the counts changed
		if most, mostOfAll, counted, err = s.maxStrikes(ctx, x.Mailing, domain, true); err == nil {
			err = s.db.Write(ctx, strike)
		}
	}
	if err == nil && tripped > 0 {
		s.opts.Logger.Error("too many readers would be suppressed by one mailing; the suppressions wait for an admin", "mailing_id", x.Mailing, "domain", where, "readers", tripped)
		if notify != nil {
			notify(ctx, Notice{Kind: NoticePending, Mailing: x.Mailing, Domain: where, Text: x.Note})
		}
	}
	return suppressed, err
}

// errNotCounted says that a limit is reached that depends on the number of readers of the
// mailing, which has not been counted yet.
var errNotCounted = errors.New("the readers of the mailing are not counted")

// ofMailing returns how many readers a mailing suppressed, and whether those of
// the whole mailing are pending: then new ones of any domain are pending, too.
func ofMailing(ctx context.Context, tx *sql.Tx, mailing int64) (done int, waits bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(done), 0), COUNT(CASE WHEN done < n AND n <= $2 THEN 1 END) > 0
		FROM (SELECT COUNT(*) AS n, COUNT(CASE WHEN state = 'suppressed' THEN 1 END) AS done FROM strikes WHERE mailing = $1 GROUP BY domain) AS d`,
		mailing, strikesLeast).Scan(&done, &waits)
	return done, waits, err
}

// trip makes the suppressions by a mailing pending, and lifts those that it made; where is
// a domain or, for "", all domains.
func (s *Service) trip(ctx context.Context, tx *sql.Tx, x Struck, domain, where string) error {
	type done struct {
		subscriber int64
		at         time.Time
	}
	all, err := database.Collect(ctx, tx, func(r database.Row) (d done, err error) {
		err = r.Scan(&d.subscriber, &d.at)
		return d, err
	}, `SELECT subscriber, at FROM strikes WHERE mailing = $1 AND ($2 = '' OR domain = $2) AND state = 'suppressed'`, x.Mailing, where)
	if err != nil {
		return err
	}
	for _, d := range all {
		if _, err := s.subscribers.LiftBounce(ctx, tx, d.subscriber, d.at, "many readers at once"); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE strikes SET state = 'pending' WHERE mailing = $1 AND ($2 = '' OR domain = $2)`, x.Mailing, where); err != nil {
		return err
	}
	return s.noteStrike(ctx, tx, x, domain, "pending")
}

func (s *Service) noteStrike(ctx context.Context, tx *sql.Tx, x Struck, domain, state string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO strikes (mailing, subscriber, domain, state, note, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		x.Mailing, x.Subscriber, domain, state, database.Clip(verdict.Anonymous(x.Note), 300), s.now())
	return err
}

// lockMailing prevents other nodes from striking by the same mailing at the same time.
func (s *Service) lockMailing(ctx context.Context, tx *sql.Tx, mailing int64) error {
	var id int64
	return tx.QueryRowContext(ctx, s.db.Dialect().Pick(`SELECT id FROM mailings WHERE id = $1`, `SELECT id FROM mailings WHERE id = $1 FOR UPDATE`), mailing).Scan(&id)
}

// domainSizes caches how many readers mailings have at large domains.
type domainSizes struct {
	mu        sync.Mutex
	byMailing map[int64]sizesOf
}

// sizesOf returns how many readers a mailing has at each large domain; the key "" holds
// the total.
type sizesOf map[string]int

func (z sizesOf) most(domain string) (ofDomain, ofAll int) {
	all := min(max(mailingStrikes, z[""]*mailingStrikesPercent/100), z[""]/2)
	return max(strikesLeast, z[domain]*strikesPercent/100), max(strikesLeast, all)
}

// maxSizes limits the number of cached mailings.
const maxSizes = 16

const (
	largeDomainsSQLite = `SELECT substr(u.address_key, instr(u.address_key, '@') + 1) AS domain, COUNT(*) FROM deliveries d
		JOIN subscribers u ON u.id = d.subscriber WHERE d.mailing = $1 GROUP BY 1 HAVING COUNT(*) > $2`
	largeDomainsPostgres = `SELECT split_part(u.address_key, '@', 2) AS domain, COUNT(*) FROM deliveries d
		JOIN subscribers u ON u.id = d.subscriber WHERE d.mailing = $1 GROUP BY 1 HAVING COUNT(*) > $2`
)

// maxStrikes returns how many readers of a domain and in total one mailing may suppress.
// The readers of a mailing are counted once, and only if the number matters or the caller
// needs it; until then the lowest limits apply.
func (s *Service) maxStrikes(ctx context.Context, mailing int64, domain string, need bool) (ofDomain, ofAll int, counted bool, err error) {
	var sizes sizesOf
	s.sizes.mu.Lock()
	sizes = s.sizes.byMailing[mailing]
	s.sizes.mu.Unlock()
	if sizes != nil {
		ofDomain, ofAll = sizes.most(domain)
		return ofDomain, ofAll, true, nil
	}
	sizes = make(sizesOf)
	n := 0
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM strikes WHERE mailing = $1`, mailing).Scan(&n)
		if err != nil || n < strikesLeast && !need {
			return err
		}
		all := 0
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(count), 0) FROM mailing_counts WHERE mailing = $1 AND state = 'all'`, mailing).Scan(&all); err != nil {
			return err
		}
		sizes[""] = all
		large, err := database.CollectMap(ctx, tx, database.ScanPair[string, int], s.db.Dialect().Pick(largeDomainsSQLite, largeDomainsPostgres), mailing, strikesLeast*100/strikesPercent)
		maps.Copy(sizes, large)
		return err
	})
	if err != nil || n < strikesLeast && !need {
		return strikesLeast, strikesLeast, false, err
	}
	s.sizes.mu.Lock()
	defer s.sizes.mu.Unlock()
	if s.sizes.byMailing == nil || len(s.sizes.byMailing) >= maxSizes {
		s.sizes.byMailing = make(map[int64]sizesOf)
	}
	s.sizes.byMailing[mailing] = sizes
	ofDomain, ofAll = sizes.most(domain)
	return ofDomain, ofAll, true, nil
}

// Pending is a suppression that waits for an admin.
type Pending struct {
	Mailing    int64     `json:"mailing"`
	Domain     string    `json:"domain"`
	Subscriber int64     `json:"subscriber"`
	Address    string    `json:"address"`
	At         time.Time `json:"at"`
	Text       string    `json:"text"` // the words of the server
}

// Pending returns the suppressions that wait for an admin, of one domain or, for "", of
// all, the newest one of each reader. It leaves out readers to whom an email has been sent
// since: their mailboxes accept mail.
func (s *Service) Pending(ctx context.Context, domain string) (all []Pending, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, func(r database.Row) (p Pending, err error) {
			err = r.Scan(&p.Mailing, &p.Domain, &p.Subscriber, &p.Address, &p.At, &p.Text)
			return p, err
		}, `SELECT x.Mailing, x.domain, x.Subscriber, u.address, x.at, x.Note FROM strikes x JOIN subscribers u ON u.id = x.Subscriber
			WHERE x.state = 'pending' AND ($1 = '' OR x.domain = $1)
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.subscriber = x.Subscriber AND d.state = 'sent' AND d.done_at > x.at)
			AND NOT EXISTS (SELECT 1 FROM strikes y WHERE y.subscriber = x.Subscriber AND y.state = 'pending' AND y.mailing > x.Mailing)
			ORDER BY x.domain, x.Subscriber`, domain)
		return err
	})
	return all, err
}

// ApplyPending suppresses the readers whose suppression is pending, of one domain or, for
// "", of all, and returns their number.
func (s *Service) ApplyPending(ctx context.Context, domain string) (n int, err error) {
	all, err := s.Pending(ctx, domain)
	if err != nil {
		return 0, err
	}
	for _, p := range all {
		err := s.db.Write(ctx, func(tx *sql.Tx) error {
			if _, err := s.subscribers.SuppressIn(ctx, tx, p.Address, subscribers.ReasonBounce, p.Text); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `UPDATE strikes SET state = 'suppressed' WHERE subscriber = $1 AND state = 'pending'`, p.Subscriber)
			return err
		})
		if err != nil {
			return n, fmt.Errorf("done: %d of %d; run the command again for the rest: %w", n, len(all), err)
		}
		n++
	}
	return n, nil
}
