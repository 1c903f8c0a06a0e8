package delivery

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/internal/lazyregexp"
	"dibao/internal/mail"
)

var addressInReply = lazyregexp.New(`[^\s<>"'(),;:@]+@([^\s<>"'(),;:@]+)`)

// WithoutAddresses returns a reply without the names of mailboxes in it, so
// that it can be shown to everybody who may see a mailing, and equal replies
// can be counted.
func WithoutAddresses(reply string) string { return addressInReply.ReplaceAllString(reply, "…@$1") }

// WithCode returns a stored reply as the server sent it.
func WithCode(code int, reply string) string {
	if code == 0 {
		return reply
	}
	return fmt.Sprintf("%d %s", code, reply)
}

// Refusal is a reply to deliveries that are not finished.
type Refusal struct {
	State   string // failed, waiting or uncertain
	Code    int    // SMTP code; 0 means that the text is not a reply
	Reply   string // without addresses
	Count   int
	Domains []string // domains of the readers, the most frequent first
}

// Refusals returns why deliveries of a mailing failed or wait, the most frequent
// reason first.
func (s *Service) Refusals(ctx context.Context, mailing int64) ([]Refusal, error) {
	type key struct {
		state, reply string
		code         int
	}
	domains := make(map[key]map[string]int)
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		_, err := database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
			var k key
			var address string
			if err := r.Scan(&k.state, &k.code, &k.reply, &address); err != nil {
				return struct{}{}, err
			}
			k.reply = WithoutAddresses(k.reply)
			if domains[k] == nil {
				domains[k] = make(map[string]int)
			}
			domains[k][mail.DomainOf(address)]++
			return struct{}{}, nil
		}, `SELECT d.state, d.reply_code, d.reply, u.address FROM deliveries d JOIN subscribers u ON u.id = d.subscriber
			WHERE d.mailing = $1 AND d.state IN ('failed', 'waiting', 'uncertain') AND d.reply <> ''`, mailing)
		return err
	})
	all := make([]Refusal, 0, len(domains))
	for k, of := range domains {
		r := Refusal{State: k.state, Code: k.code, Reply: k.reply}
		for _, n := range of {
			r.Count += n
		}
		r.Domains = slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b)) })
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.State, b.State), cmp.Compare(a.Reply, b.Reply))
	})
	return all, err
}

// Progress is how many deliveries of a mailing were finished at a given time.
type Progress struct {
	At           time.Time
	Sent, Failed int
}

// tail is the share of the last deliveries that a curve leaves out: a few that were tried
// for days would compress the rest into one point.
const tail = 0.01

// Curve returns how a mailing progressed, in equal steps of time from when it was due
// until nearly all deliveries were finished. later says when the last one was finished,
// and how many were finished after the end of the curve. Without any delivery the curve
// is empty.
func (s *Service) Curve(ctx context.Context, mailing int64, steps int) (curve []Progress, later Progress, err error) {
	type end struct {
		state string
		at    time.Time
	}
	var due time.Time
	var ends []end
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT due_at FROM mailings WHERE id = $1`, mailing).Scan(&due); err != nil {
			return err
		}
		ends, err = database.Collect(ctx, tx, func(r database.Row) (e end, err error) { return e, r.Scan(&e.state, &e.at) },
			`SELECT state, done_at FROM deliveries WHERE mailing = $1 AND state IN ('sent', 'failed') AND done_at IS NOT NULL`, mailing)
		return err
	})
	if err != nil || len(ends) == 0 {
		return nil, Progress{}, err
	}
	slices.SortFunc(ends, func(a, b end) int { return a.at.Compare(b.at) })
	begin := ends[0].at
	if due.Before(begin) && begin.Sub(due) < time.Hour { // otherwise the mailing was held or paused
		begin = due
	}
	over := max(ends[len(ends)-1-int(float64(len(ends))*tail)].at.Sub(begin), time.Second)
	steps = min(steps, int(over/time.Second)) // a step is at least a second
	i, now := 0, Progress{}
	for step := range steps + 1 {
		now.At = begin.Add(over * time.Duration(step) / time.Duration(steps))
		for i < len(ends) && !ends[i].at.After(now.At) {
			now.add(ends[i].state)
			i++
		}
		curve = append(curve, now)
	}
	for _, e := range ends[i:] {
		later.At = e.at
		later.add(e.state)
	}
	return curve, later, nil
}

func (p *Progress) add(state string) {
	if state == "failed" {
		p.Failed++
		return
	}
	p.Sent++
}

// ReportCount is the number of reports and final refusals of a class on a day.
type ReportCount struct {
	Day   string // YYYY-MM-DD
	Kind  string // reply (a final refusal), bounce or complaint
	Class string
	Count int
}

// ReportsByDay counts the final refusals, bounces and complaints since a time, by day
// in the time zone of since
func (s *Service) ReportsByDay(ctx context.Context, since time.Time) (all []ReportCount, err error) {
	_, ahead := since.Zone()
	day := s.db.Dialect().DayOf("at", "$2")
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, func(r database.Row) (c ReportCount, err error) {
			return c, r.Scan(&c.Day, &c.Kind, &c.Class, &c.Count)
		}, `SELECT day, kind, class, COUNT(*) FROM (SELECT `+day+` AS day, kind, class FROM feedback WHERE at >= $1 AND kind IN ('reply', 'bounce', 'complaint')) AS f
			GROUP BY day, kind, class ORDER BY day, kind, class`, since.UTC(), ahead)
		return err
	})
	return all, err
}
