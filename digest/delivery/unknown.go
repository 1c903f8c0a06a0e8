package delivery

import (
	"context"
	"database/sql"
	"time"

	"dibao/internal/database"
	"dibao/internal/mail"
)

// acceptedNear is the maximum time between a refusal and another email to the domain whose
// acceptance shows that the server accepted mail then: a server that refused everybody for
// a while refused us.
const acceptedNear = 10 * time.Minute

// bouncesWithin is the time within which reports usually arrive: an email without a report
// after this time was accepted.
const bouncesWithin = 24 * time.Hour

// refusedUnknown is a reader whom a server refused at RCPT for a reason that no
// rule matches.
type refusedUnknown struct {
	mailing, subscriber int64
	address             string
	text                string
	reported            bool      // whether a report, not a reply, refused it
	at                  time.Time // time of the last refusal
}

// settleUnknown suppresses readers whom servers of finished mailings refused at RCPT for an
// unknown reason, if another recent issue was refused in the same way, nothing was accepted
// in between, and the server accepted mail of the same mailing to others of the domain. A
// server that refuses everybody has a problem with us.
func (s *Service) settleUnknown(ctx context.Context, notify func(context.Context, Notice)) error {
	var accused []refusedUnknown
	err := s.db.Read(ctx, func(tx *sql.Tx) (err error) {
		accused, err = s.repeatedUnknown(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	type place struct {
		mailing  int64
		domain   string
		reported bool
		at       time.Time
	}
	accepts := make(map[place]bool)
	for _, x := range accused {
		at := place{x.mailing, mail.DomainOf(x.address), x.reported, x.at.Truncate(acceptedNear)}
		if _, known := accepts[at]; !known {
			if accepts[at], err = s.acceptedOthers(ctx, at.mailing, at.domain, at.reported, x.at); err != nil {
				return err
			}
		}
		if !accepts[at] {
			continue
		}
		if _, err := s.Strike(ctx, Struck{Mailing: x.mailing, Subscriber: x.subscriber, Address: x.address, Note: x.text}, notify); err != nil {
			return err
		}
	}
	return nil
}

// repeatedUnknown returns the readers of a mailing, and of another recent one, who were
// refused in this way and have not been judged yet. An email that was returned was not
// accepted.
func (s *Service) repeatedUnknown(ctx context.Context, tx *sql.Tx) ([]refusedUnknown, error) {
	return database.Collect(ctx, tx, func(r database.Row) (x refusedUnknown, err error) {
		err = r.Scan(&x.mailing, &x.subscriber, &x.address, &x.text, &x.reported, &x.at)
		return x, err
	}, `SELECT a.mailing, a.subscriber, a.address, a.text, a.reported, last.at FROM (
		SELECT d.mailing, u.id AS subscriber, u.address, MIN(f.text) AS text, MIN(f.kind) = 'bounce' AS reported, MAX(f.id) AS last FROM feedback f JOIN deliveries d ON d.id = f.delivery
			JOIN mailings m ON m.id = d.mailing JOIN subscribers u ON u.id = f.subscriber
		WHERE f.class = 'unknown' AND f.phase = 'rcpt' AND f.kind IN ('reply', 'bounce') AND f.at > $1 AND m.state IN ('done', 'cancelled')
		AND NOT EXISTS (SELECT 1 FROM strikes x WHERE x.mailing = d.mailing AND x.subscriber = u.id)
		AND (SELECT COUNT(DISTINCT g.delivery) FROM feedback g WHERE g.subscriber = u.id AND g.class = 'unknown' AND g.phase = 'rcpt' AND g.at > $1 AND g.at <= f.at
			AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.subscriber = u.id AND e.state = 'sent' AND e.done_at > g.at
				AND NOT EXISTS (SELECT 1 FROM feedback h WHERE h.subscriber = u.id AND h.delivery = e.id AND h.kind = 'bounce')
				AND e.done_at < f.at)) >= $2
		GROUP BY d.mailing, u.id, u.address) a JOIN feedback last ON last.id = a.last ORDER BY a.mailing, a.subscriber`, s.now().Add(-IssuesWithin), unknownIssues)
}

// OfDomainSQLite and OfDomainPostgres are conditions: the reader u has an address of the
// domain $2.
const (
	OfDomainSQLite   = `substr(u.address_key, instr(u.address_key, '@') + 1) = $2`
	OfDomainPostgres = `split_part(u.address_key, '@', 2) = $2`
)

// acceptedOthers reports whether a mailing reached any reader of a domain at about the time
// of a refusal. If refusals arrive as reports, whose time says nothing, enough time must
// have passed for reports on the others.
func (s *Service) acceptedOthers(ctx context.Context, mailing int64, domain string, reported bool, at time.Time) (accepted bool, err error) {
	after, before := at.Add(-acceptedNear), at.Add(acceptedNear)
	if reported {
		after, before = time.Time{}, s.now().Add(-bouncesWithin)
	}
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM deliveries d JOIN subscribers u ON u.id = d.subscriber
			WHERE d.mailing = $1 AND d.state = 'sent' AND d.done_at <= $3 AND d.done_at >= $4 AND `+s.db.Dialect().Pick(OfDomainSQLite, OfDomainPostgres)+`
			AND NOT EXISTS (SELECT 1 FROM feedback f WHERE f.subscriber = d.subscriber AND f.delivery = d.id AND f.kind = 'bounce'))`, mailing, domain, before, after).Scan(&accepted)
	})
	return accepted, err
}
