// Package inbound reads returned mail (bounces, feedback reports, requests to unsubscribe),
// decides what it means for the reader, and records it.
package inbound

import (
	"context"
	"errors"
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

// Options are the options for reading returned mail. The zero value of a field means the
// default next to it.
type Options struct {
	Now    func() time.Time                             // default: time.Now
	Notify func(ctx context.Context, n delivery.Notice) // called with what an admin should know; nil means that it is only logged
}

// Service reads returned mail. It is safe for concurrent use.
type Service struct {
	db          *database.DB
	subscribers *subscribers.Store
	ledger      *delivery.Service
	opts        Options
}

// New returns a service for the database with the deliveries.
func New(db *database.DB, readers *subscribers.Store, ledger *delivery.Service, opts Options) *Service {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Service{db: db, subscribers: readers, ledger: ledger, opts: opts}
}

func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }

// reportWithin is the maximum time between an email and a report without a token of ours
// that counts as a report about it.
const reportWithin = 30 * 24 * time.Hour

// Incoming is an email to one of our addresses.
type Incoming struct {
	To  []string // recipients in the envelope; empty: taken from the header
	Raw []byte
	// FromAdmin says that the email is in a file of an admin. Anybody can write to a
	// mailbox, so a report in it needs the token or the Message-ID of one of our emails.
	FromAdmin bool
}

// Result says what an incoming email is and what it changed.
type Result struct {
	Kind       mail.ReportKind `json:"kind"`
	Delivery   int64           `json:"delivery"`   // 0 if it is not about an email of ours
	Subscriber int64           `json:"subscriber"` // 0 if it is not about a reader
	Class      string          `json:"class"`      // for a bounce: permanent, temporary, policy, unknown
	Status     string          `json:"status"`
	Effect     string          `json:"effect"` // suppressed, unsubscribed, restored, noted, nothing
	Why        string          `json:"why"`
}

// The effects of an incoming mail.
const (
	EffectSuppressed   = "suppressed"
	EffectUnsubscribed = "unsubscribed"
	EffectRestored     = "restored" // the suppression by a complaint is lifted
	EffectNoted        = "noted"    // recorded in the reader's history
	EffectNothing      = "nothing"
)

// Receive reads a returned email and applies it to the reader: an unknown mailbox and a
// complaint suppress the address at once, a full mailbox and an unknown reason after several
// issues, a refusal by policy never; "not spam" withdraws a complaint. A report that is not
// about one of our emails, has a forged token, or was read before changes nothing.
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
		in.Why = "this is a report for the admin, not about a reader: " + database.Clip(report.Subject, 200)
		return in, nil
	default:
		in.Why = "this is not a report"
		return in, nil
	}
	found, err := s.deliveryOf(ctx, to, report, m.FromAdmin)
	if err != nil {
		return in, err
	}
	if found.id == 0 {
		in.Why = "this is not about an email that dibao sent"
		return in, nil
	}
	in.Delivery, in.Subscriber = found.id, found.subscriber
	return in, s.apply(ctx, found, report, &in)
}

// unsubscribeByMail handles an email to u+TOKEN@… (List-Unsubscribe's mailto).
func (s *Service) unsubscribeByMail(ctx context.Context, to []string, kind mail.ReportKind, in *Result) (bool, error) {
	if kind == mail.ReportBounce || kind == mail.ReportAutoReply {
		return false, nil // automatic replies go to any address
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
			in.Why = "its reader no longer exists"
			return true, nil
		}
		if err != nil {
			return true, err // the mail is read again, so that no request to unsubscribe is lost
		}
		if in.Effect = EffectUnsubscribed; len(ended) == 0 {
			in.Effect, in.Why = EffectNothing, "the reader was already unsubscribed"
		}
		return true, nil
	}
	return false, nil
}

var taggedAddress = lazyregexp.New(`(?i)^<?([a-z])\+([a-z0-9]{20,160})@`)

// tokenIn returns the token in an address such as b+TOKEN@bounces.example.
func tokenIn(address, prefix string) (string, bool) {
	m := taggedAddress.FindStringSubmatch(strings.TrimSpace(address))
	if m == nil || !strings.EqualFold(m[1]+"+", prefix) {
		return "", false
	}
	return m[2], true
}

// Accepts reports whether an address comes from one of our emails: its token has our
// signature. Mail to all other addresses is refused before it is read.
func (s *Service) Accepts(ctx context.Context, address string) bool {
	if token, ok := tokenIn(address, delivery.BouncePrefix); ok {
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

// apply records a report and applies its effect.
func (s *Service) apply(ctx context.Context, d reported, r mail.Report, in *Result) error {
	readers, err := s.subscribers.Readers(ctx, []int64{d.subscriber})
	if err != nil {
		return err
	}
	reader, ok := readers[d.subscriber]
	if !ok {
		in.Why = "its reader no longer exists"
		return nil
	}
	one, v := verdictFor(r, reader.Address)
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
	if old { // it counts only for that address
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
		in.Why = "this report was read before"
		return nil
	}
	in.Effect = EffectNoted
	note := strings.TrimSpace(one.Status + " " + database.Clip(firstLine(one.Text), 200))
	suppressed := false
	switch {
	case old:
		in.Why = "the mail went to an earlier address of the reader"
	case r.Kind == mail.ReportNotSpam:
		if err := s.withdrawComplaint(ctx, d.subscriber, in); err != nil {
			return err
		}
	case r.Kind == mail.ReportComplaint:
		err, suppressed = s.subscribers.Suppress(ctx, reader.Address, subscribers.ReasonComplaint, note), true
	case r.Kind == mail.ReportUnsubscribe:
		if _, err := s.subscribers.Unsubscribe(ctx, d.subscriber, 0, "mail", netip.Prefix{}); err != nil {
			return err
		}
		in.Effect = EffectUnsubscribed
	case v.Suppress, class == delivery.ClassFull && refusals >= delivery.FullIssues:
		suppressed, err = s.ledger.Strike(ctx, delivery.Struck{Mailing: d.mailing, Subscriber: d.subscriber, Address: reader.Address, Note: note}, s.opts.Notify)
	}
	switch {
	case err != nil:
		return err
	case suppressed:
		in.Effect = EffectSuppressed
	case v.Suppress:
		in.Why = "the suppression waits for an admin, with others of the domain; see: dibao bounce list --pending"
	}
	return s.noteEffect(ctx, d, kind, class, in.Effect)
}

// verdictFor returns what a report says about a reader: about the recipient with their
// address, or about its only recipient.
func verdictFor(r mail.Report, address string) (mail.ReportRecipient, verdict.Verdict) {
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
	if len(r.Recipients) == 1 { // forwarded and then refused
		return r.Recipients[0], judgeReport(r.Recipients[0])
	}
	return mail.ReportRecipient{Action: "failed"}, verdict.Verdict{Class: verdict.Unknown}
}

// judgeReport is ClassifyBounce with a separate class for full mailboxes.
func judgeReport(one mail.ReportRecipient) verdict.Verdict {
	v := ClassifyBounce(one)
	v.Full = one.Action == "failed" && v.Class == verdict.Temporary && (one.Status == "5.2.2" || verdict.FullText(firstLine(one.Text)))
	return v
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return first
}
