package delivery

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/internal/mail"
)

// MailingReport is the status of the deliveries of a mailing.
type MailingReport struct {
	Mailing    int64      `json:"mailing"`
	DueAt      time.Time  `json:"due_at"`
	State      string     `json:"state"`
	Waiting    int        `json:"waiting"`
	Claimed    int        `json:"claimed"`
	Sent       int        `json:"sent"`
	Failed     int        `json:"failed"`
	Uncertain  int        `json:"uncertain"`
	Suppressed int        `json:"suppressed"`
	PerSecond  *float64   `json:"per_second"`  // sent in the last minute; null: nothing is being sent
	ETASeconds *int64     `json:"eta_seconds"` // for the waiting messages, at that rate
	NextAt     *time.Time `json:"next_at"`     // when the next waiting message is tried
	DoneAt     *time.Time `json:"done_at"`
}

// rateWindow is how far back the rate of a mailing is measured.
const rateWindow = time.Minute

// reportColumns count by the indexes that contain the rows: sent deliveries are in no
// index. Messages to readers who were forgotten since have no row, and are counted.
const reportColumns = `m.id, m.due_at, m.state, m.done_at,
	(SELECT COUNT(*) FROM deliveries d WHERE d.mailing = m.id),
	(SELECT COUNT(*) FROM deliveries d WHERE d.mailing = m.id AND d.state IN ('waiting', 'uncertain') AND d.next_at IS NOT NULL),
	(SELECT COUNT(*) FROM deliveries d WHERE d.mailing = m.id AND d.state = 'claimed'),
	(SELECT COUNT(*) FROM deliveries d WHERE d.mailing = m.id AND d.state = 'uncertain' AND d.next_at IS NOT NULL),
	(SELECT COUNT(*) FROM deliveries d WHERE d.mailing = m.id AND d.state = 'failed'),
	(SELECT COUNT(*) FROM deliveries d WHERE d.mailing = m.id AND d.state = 'uncertain'),
	(SELECT COUNT(*) FROM deliveries d WHERE d.mailing = m.id AND d.state = 'suppressed'),
	(SELECT COALESCE(SUM(f.count), 0) FROM mailing_forgotten f WHERE f.mailing = m.id AND f.state = 'sent'),
	(SELECT COALESCE(SUM(f.count), 0) FROM mailing_forgotten f WHERE f.mailing = m.id AND f.state = 'failed'),
	(SELECT COALESCE(SUM(f.count), 0) FROM mailing_forgotten f WHERE f.mailing = m.id AND f.state = 'uncertain'),
	(SELECT COALESCE(SUM(f.count), 0) FROM mailing_forgotten f WHERE f.mailing = m.id AND f.state = 'suppressed')`

func scanReport(r database.Row) (MailingReport, error) {
	var m MailingReport
	var done sql.Null[time.Time]
	var all, due, again int
	var forgotten MailingReport
	err := r.Scan(&m.Mailing, &m.DueAt, &m.State, &done, &all, &due, &m.Claimed, &again, &m.Failed, &m.Uncertain, &m.Suppressed,
		&forgotten.Sent, &forgotten.Failed, &forgotten.Uncertain, &forgotten.Suppressed)
	m.Waiting = due - again
	m.Sent = all - m.Waiting - m.Claimed - m.Failed - m.Uncertain - m.Suppressed + forgotten.Sent
	m.Failed += forgotten.Failed
	m.Uncertain += forgotten.Uncertain
	m.Suppressed += forgotten.Suppressed
	if done.Valid {
		m.DoneAt = &done.V
	}
	return m, err
}

// Report returns the status of the newest mailings, the newest first.
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

func (s *Service) report(ctx context.Context, query string, arg any) (all []MailingReport, err error) {
	now := s.now()
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		if all, err = database.Collect(ctx, tx, scanReport, query, arg); err != nil {
			return err
		}
		for i := range all {
			if all[i].State == "sending" {
				if err := all[i].progress(ctx, tx, now); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return all, err
}

// sentSince are the deliveries of a mailing that were sent after a time.
const sentSince = ` FROM deliveries WHERE mailing = $1 AND state = 'sent' AND done_at > $2`

// progress adds the rate of the last minute and what follows from it.
func (m *MailingReport) progress(ctx context.Context, tx *sql.Tx, now time.Time) error {
	var lately int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*)`+sentSince,
		m.Mailing, now.Add(-rateWindow)).Scan(&lately)
	if err != nil {
		return err
	}
	var first, next sql.Null[time.Time]
	err = tx.QueryRowContext(ctx, `SELECT done_at`+sentSince+` ORDER BY done_at LIMIT 1`,
		m.Mailing, now.Add(-rateWindow)).Scan(&first)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
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
	over := max(now.Sub(first.V), time.Second)
	rate := float64(lately) / over.Seconds()
	m.PerSecond = &rate
	if left := m.Waiting + m.Claimed; left > 0 {
		eta := int64(float64(left)/rate + 0.5)
		m.ETASeconds = &eta
	}
	return nil
}

// DomainReport is the status of the deliveries of a mailing to one domain.
type DomainReport struct {
	Domain     string     `json:"domain"`
	Sent       int        `json:"sent"`
	Waiting    int        `json:"waiting"`  // and claimed
	Deferred   int        `json:"deferred"` // those of the waiting ones that were tried and will be tried again
	Failed     int        `json:"failed"`
	Uncertain  int        `json:"uncertain"`
	Suppressed int        `json:"suppressed"` // not tried: the reader is suppressed, or the mailing was cancelled
	NextAt     *time.Time `json:"next_at"`
	Reply      *string    `json:"reply"` // the last reply that was not a success
}

// Domains returns the state of a mailing by the domains of its readers, the largest
// first. Readers whose data were deleted since are not counted.
func (s *Service) Domains(ctx context.Context, mailing int64) ([]DomainReport, error) {
	byDomain := make(map[string]*DomainReport)
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT u.address, d.state, d.next_at, d.reply FROM deliveries d JOIN subscribers u ON u.id = d.subscriber WHERE d.mailing = $1`, mailing)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var address, state, reply string
			var next sql.Null[time.Time]
			if err := rows.Scan(&address, &state, &next, &reply); err != nil {
				return err
			}
			domain := mail.DomainOf(address)
			if byDomain[domain] == nil {
				byDomain[domain] = &DomainReport{Domain: domain}
			}
			byDomain[domain].add(state, reply, next)
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
