// Package inbound reads mail that comes back (bounces, feedback reports, requests
// to unsubscribe), decides what it means for the reader, and keeps a record of it.
package inbound

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/netip"
	"strings"
	"time"

	"dibao/digest/delivery"
	"dibao/digest/verdict"
	"dibao/internal/database"
	"dibao/internal/lazyregexp"
	"dibao/internal/mail"
	"dibao/subscribers"
)

// Options say how mail that comes back is read. The zero value of a field is the
// default named beside it.
type Options struct {
	Now    func() time.Time                             // time.Now
	Notify func(ctx context.Context, n delivery.Notice) // is called with what an admin should know; nil: only the log has it
}

// Service reads mail that comes back. Safe for concurrent use.
type Service struct {
	db          *database.DB
	subscribers *subscribers.Store
	ledger      *delivery.Service
	opts        Options
}

// New returns a service on the database of a ledger of deliveries.
func New(db *database.DB, readers *subscribers.Store, ledger *delivery.Service, opts Options) *Service {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Service{db: db, subscribers: readers, ledger: ledger, opts: opts}
}

func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }

// reportWithin is how long after a mail a report that carries no token of ours
// is believed to be about it.
const reportWithin = 30 * 24 * time.Hour

// Incoming is a mail that came to an address of ours.
type Incoming struct {
	To  []string // of the envelope; empty: only its header tells
	Raw []byte
	// FromAdmin is a file that an admin hands over. Anybody can write to a mailbox,
	// and there a report needs the token or the Message-ID of a mail of ours.
	FromAdmin bool
}

// Result says what an incoming mail is and what it changed.
type Result struct {
	Kind       mail.ReportKind `json:"kind"`
	Delivery   int64           `json:"delivery"`   // 0: of no mail of ours
	Subscriber int64           `json:"subscriber"` // 0: of no reader
	Class      string          `json:"class"`      // of a bounce: permanent, temporary, policy, unknown
	Status     string          `json:"status"`
	Effect     string          `json:"effect"` // suppressed, unsubscribed, restored, noted, nothing
	Why        string          `json:"why"`
}

// The effects of an incoming mail.
const (
	EffectSuppressed   = "suppressed"
	EffectUnsubscribed = "unsubscribed"
	EffectRestored     = "restored" // the suppression of a complaint is lifted
	EffectNoted        = "noted"    // in the reader's time line
	EffectNothing      = "nothing"
)

// Receive reads a mail that came back and does what it means for the reader: a
// mailbox that is not there and a complaint suppress the address at once, "not
// spam" takes a complaint back, a full one and what nobody understands after several issues, a policy never. A report
// of no mail of ours, one with a forged token, and one read before change nothing.
func (s *Service) Receive(ctx context.Context, m Incoming) (Result, error) {
	report := mail.ReadReport(m.Raw)
	in := Result{Kind: report.Kind, Effect: EffectNothing}
	to := append(m.To, mail.AddressesOf(m.Raw)...)
	if done, err := s.unsubscribeByMail(ctx, to, report.Kind, &in); done || err != nil {
		return in, err
	}
	switch report.Kind {
	case mail.ReportBounce, mail.ReportComplaint, mail.ReportUnsubscribe, mail.ReportNotSpam:
	case mail.ReportNotice:
		in.Why = "is a report for the admin and about no reader: " + database.Clip(report.Subject, 200)
		return in, nil
	default:
		in.Why = "is no report"
		return in, nil
	}
	found, err := s.deliveryOf(ctx, to, report, m.FromAdmin)
	if err != nil {
		return in, err
	}
	if found.id == 0 {
		in.Why = "is about no mail of ours"
		return in, nil
	}
	in.Delivery, in.Subscriber = found.id, found.subscriber
	return in, s.apply(ctx, found, report, &in)
}

// unsubscribeByMail takes a mail to u+TOKEN@… (List-Unsubscribe's mailto).
func (s *Service) unsubscribeByMail(ctx context.Context, to []string, kind mail.ReportKind, in *Result) (bool, error) {
	if kind == mail.ReportBounce || kind == mail.ReportAutoReply {
		return false, nil // programs answer to any address
	}
	for _, address := range to {
		token, ok := tokenIn(address, "u+")
		if !ok {
			continue
		}
		subscriber, list, err := s.subscribers.Keys().ParseMailUnsubscribeToken(ctx, token)
		if err != nil {
			continue
		}
		in.Kind, in.Subscriber = mail.ReportUnsubscribe, subscriber
		ended, err := s.subscribers.Unsubscribe(ctx, subscriber, list, "mail", netip.Prefix{})
		if errors.Is(err, subscribers.ErrNotFound) {
			in.Why = "its reader is not there any more"
			return true, nil
		}
		if err != nil {
			return true, err // the mail is read again: nobody's wish to leave is lost
		}
		if in.Effect = EffectUnsubscribed; len(ended) == 0 {
			in.Effect, in.Why = EffectNothing, "was unsubscribed already"
		}
		return true, nil
	}
	return false, nil
}

var taggedAddress = lazyregexp.New(`(?i)^<?([a-z])\+([a-z0-9]{20,160})@`)

// tokenIn returns the token of an address such as b+TOKEN@bounces.example.
func tokenIn(address, prefix string) (string, bool) {
	m := taggedAddress.FindStringSubmatch(strings.TrimSpace(address))
	if m == nil || !strings.EqualFold(m[1]+"+", prefix) {
		return "", false
	}
	return m[2], true
}

// Takes reports whether an address is one that a mail of ours carries: that its
// token is signed by us. Everybody else's mail is refused before it is read.
func (s *Service) Takes(ctx context.Context, address string) bool {
	if token, ok := tokenIn(address, "b+"); ok {
		_, err := s.subscribers.Keys().ParseBounceToken(ctx, token)
		return err == nil
	}
	token, ok := tokenIn(address, "u+")
	if !ok {
		return false
	}
	_, _, err := s.subscribers.Keys().ParseMailUnsubscribeToken(ctx, token)
	return err == nil
}

// reported is a delivery that a report is about.
type reported struct{ id, mailing, subscriber int64 }

// deliveryOf finds the delivery of a report: by the token of its envelope
// sender, else by the Message-ID of the mail that came back, else, in an admin's
// file, by the reader it names.
func (s *Service) deliveryOf(ctx context.Context, to []string, r mail.Report, fromAdmin bool) (reported, error) {
	forged := false
	for _, address := range append(to, r.Original["Return-Path"]...) {
		token, ok := tokenIn(address, "b+")
		if !ok {
			continue
		}
		id, err := s.subscribers.Keys().ParseBounceToken(ctx, token)
		if err != nil {
			forged = true
			continue
		}
		return s.sentDelivery(ctx, `d.id = $1`, id)
	}
	if forged { // whoever made it up may have made up the rest
		return reported{}, nil
	}
	if d, err := s.deliveryOfLink(ctx, r.Original); d.id != 0 || err != nil {
		return d, err
	}
	for _, one := range r.Recipients {
		latest, err := s.latestDeliveries(ctx, one.Address)
		if err != nil {
			return reported{}, err
		}
		for _, d := range latest {
			if messageIDMatches(r.Original, s.subscribers.Keys().MessageIDKey(), d) {
				return d, nil
			}
		}
		if fromAdmin && len(latest) > 0 {
			return latest[0], nil
		}
	}
	return reported{}, nil
}

var unsubscribeLink = lazyregexp.New(`/u/([A-Za-z0-9_-]{20,160})[>?\s]`)

// deliveryOfLink finds a reader's latest delivery by the link to unsubscribe of
// the mail that came back: complaints hide whom they are of.
func (s *Service) deliveryOfLink(ctx context.Context, original netmail.Header) (reported, error) {
	m := unsubscribeLink.FindStringSubmatch(original.Get("List-Unsubscribe") + " ")
	if m == nil {
		return reported{}, nil
	}
	t, err := s.subscribers.Keys().Check(ctx, m[1], subscribers.ActionUnsubscribe)
	if err != nil {
		return reported{}, nil
	}
	return s.sentDelivery(ctx, `d.id = (SELECT MAX(id) FROM deliveries WHERE subscriber = $1 AND state NOT IN ('waiting', 'suppressed'))`, t.Subscriber)
}

func messageIDMatches(original netmail.Header, key []byte, d reported) bool {
	local, domain, ok := strings.Cut(strings.Trim(strings.TrimSpace(original.Get("Message-Id")), "<>"), "@")
	if !ok {
		return false
	}
	want, _, _ := strings.Cut(mail.MessageID(key, d.mailing, d.subscriber, domain), "@")
	return hmac.Equal([]byte(strings.ToLower(local)), []byte(want))
}

// wasSent is true of deliveries that left, or may have.
const wasSent = `d.state NOT IN ('waiting', 'suppressed')`

func scanReported(r database.Row) (d reported, err error) {
	err = r.Scan(&d.id, &d.mailing, &d.subscriber)
	return d, err
}

func (s *Service) sentDelivery(ctx context.Context, where string, args ...any) (reported, error) {
	var d reported
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		d, err = scanReported(tx.QueryRowContext(ctx, `SELECT d.id, d.mailing, d.subscriber FROM deliveries d WHERE `+wasSent+` AND `+where, args...))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return reported{}, nil
	}
	return d, err
}

// latestDeliveries returns what went to an address lately, the newest first.
func (s *Service) latestDeliveries(ctx context.Context, address string) ([]reported, error) {
	reader, err := s.subscribers.SubscriberByAddress(ctx, address)
	if errors.Is(err, subscribers.ErrNotFound) || errors.Is(err, subscribers.ErrAddress) {
		return nil, nil // of nobody
	}
	if err != nil {
		return nil, err
	}
	var all []reported
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, scanReported, `SELECT d.id, d.mailing, d.subscriber FROM deliveries d JOIN mailings m ON m.id = d.mailing
			WHERE d.subscriber = $1 AND m.created_at > $2 AND `+wasSent+` ORDER BY d.id DESC LIMIT 60`, reader.ID, s.now().Add(-reportWithin))
		return err
	})
	return all, err
}

// apply notes a report and does what it means.
func (s *Service) apply(ctx context.Context, d reported, r mail.Report, in *Result) error {
	readers, err := s.subscribers.Readers(ctx, []int64{d.subscriber})
	if err != nil {
		return err
	}
	reader, ok := readers[d.subscriber]
	if !ok {
		in.Why = "its reader is not there any more"
		return nil
	}
	one, v := ruling(r, reader.Address)
	in.Class, in.Status = v.Class.String(), one.Status
	kind := string(r.Kind)
	if r.Kind != mail.ReportBounce {
		in.Class = ""
	}
	class := in.Class
	if v.Full {
		class = delivery.ClassFull
	}
	old, err := s.wentToOldAddress(ctx, d, r, one, reader.Address)
	if err != nil {
		return err
	}
	if old { // it counts for that one only
		v, class = verdict.Verdict{}, classOld
	}
	phase := string(phaseOf(one.Command))
	if one.Action != "failed" {
		phase = ""
	}
	fresh, refusals, err := s.noteReport(ctx, d, feedbackRow{kind: kind, class: class, code: one.Code, status: one.Status, text: one.Text, phase: phase})
	if err != nil {
		return err
	}
	if !fresh {
		in.Why = "was read before"
		return nil
	}
	in.Effect = EffectNoted
	said := strings.TrimSpace(one.Status + " " + database.Clip(firstLine(one.Text), 200))
	suppressed := false
	switch {
	case old:
		in.Why = "went to an earlier address of the reader"
	case r.Kind == mail.ReportNotSpam:
		if err := s.takeBackComplaint(ctx, d.subscriber, in); err != nil {
			return err
		}
	case r.Kind == mail.ReportComplaint:
		err, suppressed = s.subscribers.Suppress(ctx, reader.Address, subscribers.ReasonComplaint, said), true
	case r.Kind == mail.ReportUnsubscribe:
		if _, err := s.subscribers.Unsubscribe(ctx, d.subscriber, 0, "mail", netip.Prefix{}); err != nil {
			return err
		}
		in.Effect = EffectUnsubscribed
	case v.Suppress, class == delivery.ClassFull && refusals >= delivery.FullIssues:
		suppressed, err = s.ledger.Strike(ctx, delivery.Struck{Mailing: d.mailing, Subscriber: d.subscriber, Address: reader.Address, Note: said}, s.opts.Notify)
	}
	switch {
	case err != nil:
		return err
	case suppressed:
		in.Effect = EffectSuppressed
	case v.Suppress:
		in.Why = "waits for an admin with others of the domain; see: dibao bounce list --pending"
	}
	return s.noteEffect(ctx, d, kind, class, in.Effect)
}

// ruling returns what a report says of a reader: by their address, or of the
// only one it names.
func ruling(r mail.Report, address string) (mail.ReportRecipient, verdict.Verdict) {
	if r.Kind != mail.ReportBounce {
		one := mail.ReportRecipient{Action: "failed"}
		if len(r.Recipients) > 0 {
			one = r.Recipients[0]
		}
		return one, verdict.Verdict{}
	}
	for _, one := range r.Recipients {
		if strings.EqualFold(one.Address, address) {
			return one, judgeReport(one)
		}
	}
	if len(r.Recipients) == 1 { // forwarded, and refused there
		return r.Recipients[0], judgeReport(r.Recipients[0])
	}
	return mail.ReportRecipient{Action: "failed"}, verdict.Verdict{Class: verdict.Unknown}
}

// judgeReport is ClassifyBounce, with what is only full said to be so.
func judgeReport(one mail.ReportRecipient) verdict.Verdict {
	v := ClassifyBounce(one)
	v.Full = one.Action == "failed" && v.Class == verdict.Temporary && (one.Status == "5.2.2" || verdict.FullText(firstLine(one.Text)))
	return v
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return first
}

type feedbackRow struct{ kind, class, code, status, text, phase string }

// noteReport stores a report once for its delivery, and returns whether what it
// means is still to be done and how many issues got one of its class lately.
func (s *Service) noteReport(ctx context.Context, d reported, f feedbackRow) (fresh bool, refusals int, err error) {
	now := s.now()
	text := database.Clip(verdict.Anonymous(f.text), 500)
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		fresh, refusals = false, 0
		res, err := tx.ExecContext(ctx, `
			INSERT INTO feedback (delivery, subscriber, kind, class, code, status, text, at, report, phase)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (report) WHERE report IS NOT NULL DO NOTHING`,
			d.id, d.subscriber, f.kind, f.class, codeNumber(f.code), f.status, text, now, reportKey(d, f.kind, f.class), f.phase)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 { // it is read again; whoever read it first may not have got as far as its effect
			err := tx.QueryRowContext(ctx, `SELECT effect = '' FROM feedback WHERE report = $1`, reportKey(d, f.kind, f.class)).Scan(&fresh)
			if err != nil || !fresh {
				return err
			}
		}
		fresh = true
		return tx.QueryRowContext(ctx, `SELECT COUNT(DISTINCT delivery) FROM feedback WHERE subscriber = $1 AND class = $2 AND at > $3`,
			d.subscriber, f.class, now.Add(-delivery.IssuesWithin)).Scan(&refusals)
	})
	return fresh, refusals, err
}

func (s *Service) noteEffect(ctx context.Context, d reported, kind, class, effect string) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE feedback SET effect = $2 WHERE report = $1`, reportKey(d, kind, class), effect)
		return err
	})
}

// reportKey is one for each delivery and what is said of it: a report that comes
// again, or is replayed, is known.
func reportKey(d reported, kind, class string) string {
	return fmt.Sprintf("%d %s %s", d.id, kind, class)
}

func codeNumber(code string) int {
	n := 0
	_, _ = fmt.Sscanf(code, "%d", &n) // none is 0
	return n
}

// Feedback is a line of what came back.
type Feedback struct {
	ID         int64     `json:"id"`
	At         time.Time `json:"at"`
	Subscriber int64     `json:"subscriber"`
	Delivery   int64     `json:"delivery"`
	Kind       string    `json:"kind"`
	Class      string    `json:"class"`
	Status     string    `json:"status"`
	Code       int       `json:"code"`
	Text       string    `json:"text"`
	Effect     string    `json:"effect"`
}

// FeedbackLog returns what came back, the newest first: at most limit, older
// than the id before (0: the newest), of a kind ("": any).
func (s *Service) FeedbackLog(ctx context.Context, before int64, kind string, limit int) ([]Feedback, error) {
	var all []Feedback
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, func(r database.Row) (f Feedback, err error) {
			err = r.Scan(&f.ID, &f.At, &f.Subscriber, &f.Delivery, &f.Kind, &f.Class, &f.Status, &f.Code, &f.Text, &f.Effect)
			return f, err
		}, `SELECT id, at, COALESCE(subscriber, 0), COALESCE(delivery, 0), kind, class, status, code, text, effect FROM feedback
			WHERE ($1 = 0 OR id < $1) AND ($2 = '' OR kind = $2) ORDER BY id DESC LIMIT $3`, before, kind, limit)
		return err
	})
	return all, err
}

// PruneFeedback deletes what came back longer ago than retention.
func (s *Service) PruneFeedback(ctx context.Context, retention time.Duration) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"feedback", "strikes"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE at < $1`, s.now().Add(-retention)); err != nil {
				return err
			}
		}
		return nil
	})
}
