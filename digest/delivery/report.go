package delivery

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/internal/mail"
)

// MailingReport is the status of the deliveries of a mailing.
type MailingReport struct {
	Mailing           int64      `json:"mailing"`
	DueAt             time.Time  `json:"due_at"`
	State             string     `json:"state"`
	Waiting           int        `json:"waiting"`
	Claimed           int        `json:"claimed"`
	Sent              int        `json:"sent"`
	Failed            int        `json:"failed"`
	Uncertain         int        `json:"uncertain"`
	Suppressed        int        `json:"suppressed"`         // not tried: the reader is suppressed, or the mailing was canceled
	SuppressedReaders int        `json:"suppressed_readers"` // readers who are suppressed because of a reply to this mailing
	PerSecond         *float64   `json:"per_second"`         // messages sent in the last minute; null if nothing is being sent
	ETASeconds        *int64     `json:"eta_seconds"`        // time until the waiting messages are sent at that rate, or until the last of their next tries
	NextAt            *time.Time `json:"next_at"`            // when the next waiting message is tried
	DoneAt            *time.Time `json:"done_at"`
	Skipped           *Skipped   `json:"skipped"` // readers who get no email of it; null if they are not counted
}

// Skipped counts the readers of a mailing's lists who get no email of the mailing, by
// reason.
type Skipped struct {
	NothingNew  int `json:"nothing_new"` // readers who already got the articles, or whose choices match none of them
	Later       int `json:"later"`       // readers who chose a pause or fewer emails, and get the articles later
	Suppressed  int `json:"suppressed"`
	Unconfirmed int `json:"unconfirmed"` // readers who have not confirmed; counted only for a mailing without emails
}

// Plus returns the sums of two counts.
func (s Skipped) Plus(t Skipped) Skipped {
	return Skipped{s.NothingNew + t.NothingNew, s.Later + t.Later, s.Suppressed + t.Suppressed, s.Unconfirmed + t.Unconfirmed}
}

// Emails counts all emails of the mailing.
func (m MailingReport) Emails() int {
	return m.Waiting + m.Claimed + m.Sent + m.Failed + m.Uncertain + m.Suppressed
}

// rateWindow is the period over which the rate of a mailing is measured.
const rateWindow = time.Minute

// reportColumns read the counts that the database keeps (mailing_counts). Few deliveries are
// claimed at a time; because of the plus, both databases find them by an index of their own.
// All others wait.
const reportColumns = `m.id, m.due_at, m.state, m.done_at, m.skipped,
	CASE m.state WHEN 'done' THEN 0 ELSE (SELECT COUNT(*) FROM deliveries d WHERE +d.mailing = m.id AND d.state = 'claimed') END,
	(SELECT COALESCE(SUM(c.count), 0) FROM mailing_counts c WHERE c.mailing = m.id AND c.state = 'all'),
	(SELECT COALESCE(SUM(c.count), 0) FROM mailing_counts c WHERE c.mailing = m.id AND c.state = 'sent'),
	(SELECT COALESCE(SUM(c.count), 0) FROM mailing_counts c WHERE c.mailing = m.id AND c.state = 'failed'),
	(SELECT COALESCE(SUM(c.count), 0) FROM mailing_counts c WHERE c.mailing = m.id AND c.state = 'uncertain'),
	(SELECT COALESCE(SUM(c.count), 0) FROM mailing_counts c WHERE c.mailing = m.id AND c.state = 'suppressed'),
	(SELECT COUNT(*) FROM strikes k WHERE k.mailing = m.id AND k.state = 'suppressed'
		AND NOT EXISTS (SELECT 1 FROM consents c WHERE c.subscriber = k.subscriber AND c.event = 'unsuppressed' AND c.at >= k.at))`

func scanReport(r database.Row) (MailingReport, error) {
	var m MailingReport
	var done sql.Null[time.Time]
	var skipped sql.Null[string]
	var all int
	err := r.Scan(&m.Mailing, &m.DueAt, &m.State, &done, &skipped, &m.Claimed, &all, &m.Sent, &m.Failed, &m.Uncertain, &m.Suppressed, &m.SuppressedReaders)
	if err == nil && skipped.Valid {
		m.Skipped = &Skipped{}
		err = json.Unmarshal([]byte(skipped.V), m.Skipped)
	}
	m.Waiting = all - m.Claimed - m.Sent - m.Failed - m.Uncertain - m.Suppressed
	if done.Valid {
		m.DoneAt = &done.V
	}
	return m, err
}

// States counts the deliveries of the mailings that were due since a time, by state.
func States(ctx context.Context, tx *sql.Tx, since time.Time) (map[string]int, error) {
	states, err := database.CollectMap(ctx, tx, database.ScanPair[string, int], `
		SELECT c.state, CAST(SUM(c.count) AS BIGINT) FROM mailing_counts c JOIN mailings m ON m.id = c.mailing WHERE m.due_at >= $1 GROUP BY c.state`, since)
	if err != nil {
		return nil, err
	}
	waiting, claimed := states["all"], 0
	delete(states, "all")
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM deliveries d JOIN mailings m ON m.id = d.mailing WHERE d.state = 'claimed' AND m.due_at >= $1`, since).Scan(&claimed)
	states["claimed"] = claimed
	for _, n := range states {
		waiting -= n
	}
	states["waiting"] = waiting
	maps.DeleteFunc(states, func(_ string, n int) bool { return n == 0 })
	return states, err
}

// Report returns the status of the newest mailings, newest first.
func (s *Service) Report(ctx context.Context, limit int) ([]MailingReport, error) {
	return s.report(ctx, `SELECT `+reportColumns+` FROM mailings m ORDER BY m.id DESC LIMIT $1`, limit)
}

// ReportOf returns the status of one mailing.
func (s *Service) ReportOf(ctx context.Context, mailing int64) (MailingReport, error) {
	all, err := s.report(ctx, `SELECT `+reportColumns+` FROM mailings m WHERE m.id = $1`, mailing)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("mailing %d: %w; see: dibao issue report", mailing, ErrNotFound)
	}
	if err != nil {
		return MailingReport{}, err
	}
	return all[0], nil
}

// ReportsOf returns the status of some mailings, by number.
func (s *Service) ReportsOf(ctx context.Context, mailings []int64) (map[int64]MailingReport, error) {
	all, err := s.report(ctx, `SELECT `+reportColumns+` FROM mailings m WHERE m.id IN (`+s.db.Dialect().IDs("$1")+`)`, database.JSON(mailings))
	byID := make(map[int64]MailingReport, len(all))
	for _, m := range all {
		byID[m.Mailing] = m
	}
	return byID, err
}

func (s *Service) report(ctx context.Context, query string, arg any) (all []MailingReport, err error) {
	now := s.now()
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		if all, err = database.Collect(ctx, tx, scanReport, query, arg); err != nil {
			return err
		}
		for i := range all {
			if all[i].State == "sending" {
				if err := all[i].progress(ctx, tx, s.db.Dialect(), now); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return all, err
}

// How many deliveries of a mailing were sent after a time, and when the first of them was, in
// seconds since 1970. On PostgreSQL an index finds them. On SQLite the counts are kept for each
// interval of ten seconds.
const (
	sentSincePostgres = `SELECT COUNT(*), COALESCE(EXTRACT(EPOCH FROM MIN(done_at)), 0)::float8 FROM deliveries WHERE mailing = $1 AND state = 'sent' AND done_at > $2`
	sentSinceSQLite   = `SELECT COALESCE(SUM(count), 0), COALESCE(MIN(slot), 0) * 10.0 FROM mailing_counts WHERE mailing = $1 AND state = 'sent' AND slot > unixepoch($2) / 10`
)

// progress adds the rate of the last minute and what follows from it.
func (m *MailingReport) progress(ctx context.Context, tx *sql.Tx, dialect database.Dialect, now time.Time) error {
	var lately int
	var first float64
	var next sql.Null[time.Time]
	err := tx.QueryRowContext(ctx, dialect.Pick(sentSinceSQLite, sentSincePostgres), m.Mailing, now.Add(-rateWindow)).Scan(&lately, &first)
	if err != nil {
		return err
	}
	err = tx.QueryRowContext(ctx, `SELECT next_at FROM deliveries WHERE mailing = $1 AND state IN ('waiting', 'uncertain') AND next_at IS NOT NULL
		ORDER BY next_at LIMIT 1`, m.Mailing).Scan(&next)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if next.Valid {
		m.NextAt = &next.V
	}
	if lately == 0 {
		return nil
	}
	var last time.Time
	err = tx.QueryRowContext(ctx, `SELECT next_at FROM deliveries WHERE mailing = $1 AND state IN ('waiting', 'uncertain') AND next_at IS NOT NULL
		ORDER BY next_at DESC LIMIT 1`, m.Mailing).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	over := max(now.Sub(time.UnixMicro(int64(first*1e6))), time.Second)
	rate := float64(lately) / over.Seconds()
	m.PerSecond = &rate
	if left := m.Waiting + m.Claimed; left > 0 {
		eta := int64(max(float64(left)/rate, last.Sub(now).Seconds()) + 0.5)
		m.ETASeconds = &eta
	}
	return nil
}

// DomainReport is the status of the deliveries of a mailing to one domain.
type DomainReport struct {
	Domain     string     `json:"domain"`
	Sent       int        `json:"sent"`
	Waiting    int        `json:"waiting"`  // messages that wait, including claimed ones
	Deferred   int        `json:"deferred"` // waiting messages that were tried and will be tried again
	Failed     int        `json:"failed"`
	Uncertain  int        `json:"uncertain"`
	Suppressed int        `json:"suppressed"` // not tried: the reader is suppressed, or the mailing was canceled
	Stopped    int        `json:"stopped"`    // waiting messages that "dibao issue send" tries at once: the cause is not the mailbox
	NextAt     *time.Time `json:"next_at"`
	Reply      *string    `json:"reply"` // the last reply that was not a success, or the error
}

// Domains returns the state of a mailing by the domains of its readers, largest first.
// Readers whose data have been deleted since are not counted.
func (s *Service) Domains(ctx context.Context, mailing int64) ([]DomainReport, error) {
	byDomain := make(map[string]*DomainReport)
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT u.address, d.state, d.next_at, d.reply_code, CASE WHEN `+ownLimit+` THEN '' ELSE d.reply END, CASE WHEN `+stopped+` THEN 1 ELSE 0 END
			FROM deliveries d JOIN subscribers u ON u.id = d.subscriber WHERE d.mailing = $1`, mailing)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var address, state, reply string
			var next sql.Null[time.Time]
			var code, stopped int
			if err := rows.Scan(&address, &state, &next, &code, &reply, &stopped); err != nil {
				return err
			}
			domain := mail.DomainOf(address)
			if byDomain[domain] == nil {
				byDomain[domain] = &DomainReport{Domain: domain}
			}
			byDomain[domain].Stopped += stopped
			byDomain[domain].add(state, WithCode(code, reply), next)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	all := make([]DomainReport, 0, len(byDomain))
	for _, d := range byDomain {
		all = append(all, *d)
	}
	slices.SortFunc(all, func(a, b DomainReport) int {
		return cmp.Or(cmp.Compare(b.total(), a.total()), cmp.Compare(a.Domain, b.Domain))
	})
	return all, nil
}

func (d *DomainReport) total() int { return d.Sent + d.Waiting + d.Failed + d.Uncertain + d.Suppressed }

func (d *DomainReport) add(state, reply string, next sql.Null[time.Time]) {
	switch state {
	case "sent":
		d.Sent++
		return
	case "waiting", "claimed":
		d.Waiting++
		if reply != "" {
			d.Deferred++
		}
	case "uncertain":
		d.Uncertain++
	case "failed":
		d.Failed++
	case "suppressed":
		d.Suppressed++
		return
	default:
		return
	}
	if next.Valid && (d.NextAt == nil || next.V.Before(*d.NextAt)) {
		d.NextAt = &next.V
	}
	if reply != "" {
		d.Reply = &reply
	}
}
