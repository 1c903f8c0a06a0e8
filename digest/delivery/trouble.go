package delivery

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"dibao/digest/verdict"
	"dibao/internal/database"
	"dibao/internal/mail"
)

// TroubleKind says what keeps emails from readers.
type TroubleKind string

// The kinds of troubles.
const (
	TroubleUnreached TroubleKind = "unreached" // no relay can be reached
	TroubleRefused   TroubleKind = "refused"   // a relay or a domain refuses our mail before a recipient is named
	TroublePolicy    TroubleKind = "policy"    // a domain refused mail by its policy, and the rest of its mail waits
	TroubleIdle      TroubleKind = "idle"      // emails are due, and nothing sends them
	TroubleStuck     TroubleKind = "stuck"     // emails were first tried long ago and still wait
	TroubleFailed    TroubleKind = "failed"    // many emails of a mailing failed, and not because of their readers
)

// Trouble is something about mailings that an admin should look into. That a mailbox refused
// an email, or that an email is tried again later, is none.
type Trouble struct {
	Kind    TroubleKind `json:"kind"`
	Name    *string     `json:"name"`    // HOST:PORT of a relay, or a domain; null if it concerns none
	Mailing *int64      `json:"mailing"` // null if it may concern several
	Emails  *int        `json:"emails"`  // emails that wait or failed; null if they are not counted
	All     *int        `json:"all"`     // all emails of the mailing; null unless some of them failed
	Since   *time.Time  `json:"since"`   // since when they are due, were first tried or are refused
	NextAt  *time.Time  `json:"next_at"` // the next try; null if there is none
	Reply   *string     `json:"reply"`   // the reply of a server, or an error, without addresses; of several the most frequent
}

const (
	failedWithin    = 7 * 24 * time.Hour // mailings that were due earlier are left out
	failuresPercent = 2                  // of a mailing; and at least as many as pause a domain
	dueLong         = time.Hour          // emails that are due and not sent for this time are idle
	unreachedPrefix = "mail server "     // the beginning of the error if no relay can be reached
)

// Troubles returns what an admin should look into. All commands, pages and notices go by it.
func (s *Service) Troubles(ctx context.Context) ([]Trouble, error) {
	pauses, err := s.Pauses(ctx)
	if err != nil {
		return nil, err
	}
	sending, err := s.report(ctx, `SELECT `+reportColumns+` FROM mailings m WHERE m.state = $1 ORDER BY m.id`, "sending")
	if err != nil {
		return nil, err
	}
	recent, err := s.report(ctx, `SELECT `+reportColumns+` FROM mailings m WHERE m.due_at >= $1 ORDER BY m.id DESC`, s.now().Add(-failedWithin))
	if err != nil {
		return nil, err
	}
	all, err := s.waitingTroubles(ctx, sending, pauses)
	for _, p := range pauses {
		reply := WithoutAddresses(p.Reply)
		all = append(all, Trouble{Kind: TroubleRefused, Name: &p.Name, Since: &p.Since, NextAt: &p.NextTryAt, Reply: &reply})
	}
	if !slices.ContainsFunc(all, func(t Trouble) bool { return t.Kind == TroubleUnreached || t.Kind == TroubleRefused }) { // these explain it
		all = append(all, s.idleTroubles(sending)...)
	}
	for _, m := range recent {
		if err == nil && isMany(m.Failed, m.Emails()) {
			all, err = s.addFailed(ctx, all, m)
		}
	}
	return all, err
}

// waitingTroubles returns the troubles of deliveries that were tried or postponed, and wait.
// Most deliveries of a large mailing have been due since the mailing is: they are not read.
func (s *Service) waitingTroubles(ctx context.Context, sending []MailingReport, pauses []Pause) ([]Trouble, error) {
	now := s.now()
	isSending := make(map[int64]bool)
	waiting := 0
	for _, m := range sending {
		isSending[m.Mailing] = m.PerSecond != nil
		waiting += m.Waiting + m.Claimed
	}
	var unreached *Trouble
	policy, stuck := make(map[string]*tally), make(map[int64]*tally)
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		_, err := database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
			var mailing, attempts int64
			var code int
			var reply, address string
			var next time.Time
			var tried sql.Null[time.Time]
			if err := r.Scan(&mailing, &attempts, &code, &reply, &next, &tried, &address); err != nil {
				return struct{}{}, err
			}
			// Deliveries that are due again wait only for their turn if others are being sent.
			holds := next.After(now) || !isSending[mailing]
			domain := mail.DomainOf(address)
			answered := slices.ContainsFunc(pauses, func(p Pause) bool { return strings.Contains(p.Reply, reply) })
			switch {
			case answered:
			case attempts == 0 && code == 0 && strings.HasPrefix(reply, unreachedPrefix):
				if holds && (unreached == nil || next.After(*unreached.NextAt)) {
					reply = strings.TrimPrefix(reply, unreachedPrefix)
					unreached = &Trouble{Kind: TroubleUnreached, Emails: &waiting, NextAt: &next, Reply: &reply}
				}
			case verdict.Judge(verdict.Reply{Phase: verdict.PhaseDot, Domain: domain, Code: code, Text: reply}).Class == verdict.Policy:
				if holds { // other 5xx replies may mean that mail comes too fast
					count(policy, domain, Trouble{Kind: TroublePolicy, Name: &domain, NextAt: &next}, WithCode(code, reply))
				}
			case tried.Valid && tried.V.Before(now.Add(-stuckAfter)):
				count(stuck, mailing, Trouble{Kind: TroubleStuck, Mailing: &mailing, Since: &tried.V, NextAt: &next}, WithCode(code, reply))
			}
			return struct{}{}, nil
		}, `SELECT m.id, d.attempts, d.reply_code, d.reply, d.next_at, d.first_tried_at, u.address
			FROM mailings m JOIN deliveries d ON d.mailing = m.id JOIN subscribers u ON u.id = d.subscriber
			WHERE m.state = 'sending' AND d.state IN ('waiting', 'uncertain') AND d.next_at > m.due_at AND d.reply <> ''
				AND NOT `+ownLimit)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case unreached != nil: // it explains the rest
		return []Trouble{*unreached}, nil
	}
	var all []Trouble
	for _, domain := range slices.Sorted(maps.Keys(policy)) {
		all = append(all, policy[domain].Trouble)
	}
	for _, m := range sending {
		if t := stuck[m.Mailing]; t != nil && isMany(*t.Emails, m.Emails()) {
			all = append(all, t.Trouble)
		}
	}
	return all, nil
}

// isMany reports whether so many emails of a mailing have the same trouble that it is not
// that of single mailboxes.
func isMany(emails, all int) bool {
	return emails >= policyRefusals && emails*100 > all*failuresPercent
}

// tally is a trouble with the replies to its emails.
type tally struct {
	Trouble
	replies map[string]int
}

// count counts an email in the trouble with a key.
func count[K comparable](all map[K]*tally, key K, t Trouble, reply string) {
	x := all[key]
	if x == nil {
		x = &tally{t, make(map[string]int)}
		all[key] = x
	}
	x.add(reply)
	if t.NextAt.Before(*x.NextAt) {
		x.NextAt = t.NextAt
	}
	if t.Since != nil && t.Since.Before(*x.Since) {
		x.Since = t.Since
	}
}

func (t *tally) add(reply string) {
	if reply = WithoutAddresses(reply); t.Emails == nil {
		t.Emails, t.Reply = new(int), &reply
	}
	*t.Emails++
	if t.replies[reply]++; t.replies[reply] > t.replies[*t.Reply] {
		t.Reply = &reply
	}
}

// idleTroubles returns the mailings whose emails have been due for long and are not being sent.
func (s *Service) idleTroubles(sending []MailingReport) (all []Trouble) {
	for _, m := range sending {
		if emails := m.Waiting + m.Claimed; m.NextAt != nil && m.PerSecond == nil && s.now().Sub(*m.NextAt) > dueLong {
			all = append(all, Trouble{Kind: TroubleIdle, Mailing: &m.Mailing, Emails: &emails, Since: m.NextAt})
		}
	}
	return all
}

// addFailed adds the emails of a mailing that failed for other reasons than their readers, and
// whose readers have got no email since.
func (s *Service) addFailed(ctx context.Context, troubles []Trouble, m MailingReport) ([]Trouble, error) {
	all := m.Emails()
	t := tally{Trouble{Kind: TroubleFailed, Mailing: &m.Mailing, All: &all}, make(map[string]int)}
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		_, err := database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
			var code int
			var reply string
			err := r.Scan(&code, &reply)
			if !verdict.Judge(verdict.Reply{Code: code, Text: reply}).Full { // a full mailbox is its reader's matter
				t.add(WithCode(code, reply))
			}
			return struct{}{}, err
		}, `SELECT d.reply_code, d.reply FROM deliveries d WHERE d.mailing = $1 AND d.state = 'failed'
			AND NOT EXISTS (SELECT 1 FROM strikes k WHERE k.mailing = d.mailing AND k.subscriber = d.subscriber)
			AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.subscriber = d.subscriber AND e.mailing >= d.mailing AND e.state = 'sent' AND e.done_at > d.done_at)`, m.Mailing)
		return err
	})
	if err == nil && t.Emails != nil && isMany(*t.Emails, all) {
		troubles = append(troubles, t.Trouble)
	}
	return troubles, err
}
