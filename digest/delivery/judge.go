package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dibao/digest/verdict"
	"dibao/internal/database"
	"dibao/internal/mail"
)

// causeOf returns the cause of what waits after a refusal.
func causeOf(refused *mail.ReplyError) cause { return cause{refused.Code, refused.Words()} }

// verdictOn returns the refusal with which Send ended, nil if it ended otherwise, and
// what it means.
func verdictOn(j job, err error) (*mail.ReplyError, verdict.Verdict) {
	var refused *mail.ReplyError
	if !errors.As(err, &refused) {
		return nil, verdict.Verdict{}
	}
	return refused, verdict.Judge(verdict.Reply{
		Phase: verdict.Phase(refused.Phase), Domain: mail.DomainOf(j.reader.Address), Code: refused.Code, Enhanced: refused.Enhanced, Text: refused.Text,
	})
}

// late reports whether an email has been tried for long enough. A first attempt
// is never late: the email may have waited for a relay that was down or for an
// admin's pause, without an attempt. Time during which the cause was ours does
// not count.
func (r *deliveryRun) late(j job, now time.Time) bool {
	if j.Attempt <= 1 {
		return false
	}
	names := []string{j.lane.name}
	if r.opts.Direct == nil {
		names = r.servers.names()
	}
	return now.Sub(latest(j.FirstTried, r.pauses.resumed(names...))) >= r.opts.GiveUpAfter
}

// judge turns the end of a Send into what the ledger records (the table of
// replies in docs/delivery.md), and lets the lane learn from it.
func (r *deliveryRun) judge(j job, reply mail.Reply, refused *mail.ReplyError, v verdict.Verdict, err error) outcome {
	now := r.service.now()
	switch {
	case err == nil:
		r.mu.Lock()
		r.total.Sent++
		j.lane.succeeded()
		r.mu.Unlock()
		return outcome{state: "sent", code: reply.Code, reply: reply.Text}
	case errors.Is(err, mail.ErrUncertain):
		r.count(func(t *Delivered) { t.Uncertain++ })
		o := outcome{state: "uncertain", reply: err.Error()}
		if j.Uncertain == 0 { // otherwise its second copy is being sent: it never gets a third
			o.nextAt = now.Add(verdict.Backoff(1, jitter(j.ID)))
		}
		return o
	case refused != nil:
		r.learn(j, v, causeOf(refused), now)
		if v.Retries() && !r.late(j, now) {
			r.count(func(t *Delivered) { t.Deferred++ })
			return outcome{state: "waiting", nextAt: now.Add(retryAfter(v, refused.Code, j)), code: refused.Code, reply: refused.Words()}
		}
		r.count(func(t *Delivered) { t.Failed++ })
		r.react(j, v, refused)
		return outcome{state: "failed", code: refused.Code, reply: refused.Words()}
	case r.late(j, now):
		r.count(func(t *Delivered) { t.Failed++ })
		return outcome{state: "failed", reply: err.Error()}
	}
	// The connection broke before the message was handed over: the first time, the
	// connection is to blame; later, perhaps the message.
	r.count(func(t *Delivered) { t.Deferred++ })
	pause := brokenPause
	if j.Attempt > 1 {
		pause = verdict.Backoff(int(j.Attempt-1), jitter(j.ID))
	}
	return outcome{state: "waiting", nextAt: now.Add(pause), reply: err.Error()}
}

// brokenPause is how long a message waits after its connection broke for the first
// time.
const brokenPause = time.Minute

func (r *deliveryRun) learn(j job, v verdict.Verdict, refusal cause, now time.Time) {
	x := j.lane
	r.mu.Lock()
	paused := x.learn(v, refusal, now)
	if _, _, held := x.held(now, r.opts.Share()); held && len(x.queue) > 0 {
		r.heldQueued = true
		r.changed.Broadcast()
	}
	r.mu.Unlock()
	if !paused {
		return
	}
	r.service.opts.Logger.Error("a domain refuses our mail by its policy; its mail waits", "domain", x.name, "duration", policyPause)
	if r.opts.Notify != nil {
		r.opts.Notify(context.Background(), Notice{Kind: NoticePolicy, Mailing: j.Mailing, Domain: x.name, Text: WithCode(refusal.code, refusal.reply)})
	}
}

func retryAfter(v verdict.Verdict, code int, j job) time.Duration {
	switch {
	case v.Retry > 0:
		return time.Duration(float64(v.Retry) * (0.75 + jitter(j.ID)/2))
	case code == 421 && j.Attempt == 1: // the server closes the connection, which says little about the message
		return brokenPause
	}
	return verdict.Backoff(int(j.Attempt), jitter(j.ID))
}

// jitter returns a value between 0 and 1 that spreads retries by delivery, the same on
// every node.
func jitter(id int64) float64 { return float64(uint64(id)*0x9E3779B97F4A7C15>>11) / (1 << 53) }

// react stores what a final refusal means for the reader.
func (r *deliveryRun) react(j job, v verdict.Verdict, refused *mail.ReplyError) {
	ctx, cancel := context.WithTimeout(context.Background(), commitWithin)
	defer cancel()
	now := r.service.now()
	class := v.Class.String()
	if v.Full && v.Class == verdict.Temporary {
		class = ClassFull // unlike a temporary refusal that lasted too long, which is not the reader's fault
	}
	refusals := 0 // refusals of this class, in a row or recently
	err := r.service.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO feedback (delivery, subscriber, kind, class, code, status, text, phase, at) VALUES ($1, $2, 'reply', $3, $4, $5, $6, $7, $8)`,
			j.ID, j.Subscriber, class, refused.Code, refused.Enhanced, database.Clip(refused.Text, 500), refused.Phase, now); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `
			SELECT COUNT(DISTINCT f.delivery) FROM feedback f WHERE f.subscriber = $1 AND f.kind = 'reply' AND f.class = $2 AND f.at > $3
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.subscriber = $1 AND d.state = 'sent' AND d.done_at > f.at)`,
			j.Subscriber, class, now.Add(-IssuesWithin)).Scan(&refusals)
	})
	if err == nil && (v.Suppress || class == ClassFull && refusals >= FullIssues) {
		_, err = r.service.Strike(ctx, Struck{Mailing: j.Mailing, Subscriber: j.Subscriber, Address: j.reader.Address, Note: fmt.Sprintf("%d %s", refused.Code, database.Clip(refused.Words(), 200))}, r.opts.Notify)
	}
	if err == nil && v.Class == verdict.Message {
		r.service.opts.Logger.Error("a server can't take this message", "mailing_id", j.Mailing, "delivery_id", j.ID, "reply_code", refused.Code)
		if r.opts.Notify != nil {
			r.opts.Notify(ctx, Notice{Kind: NoticeMessage, Mailing: j.Mailing, Domain: j.lane.name, Text: refused.Error()})
		}
	}
	r.note(err)
}

func (r *deliveryRun) log(j job, o outcome) {
	l := r.service.opts.Logger
	switch o.state {
	case "sent":
		if !l.Enabled(context.Background(), slog.LevelDebug) { // skipped for a million successes
			return
		}
		l.Debug("delivery sent", "delivery_id", j.ID, "mailing_id", j.Mailing, "attempt", j.Attempt)
	case "failed":
		l.Warn("delivery refused", "delivery_id", j.ID, "mailing_id", j.Mailing, "attempt", j.Attempt, "reply_code", o.code)
	default:
		l.Info("delivery deferred", "delivery_id", j.ID, "mailing_id", j.Mailing, "attempt", j.Attempt, "reply_code", o.code, "state", o.state)
	}
}
