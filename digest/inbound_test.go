package digest_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"dibao/digest/inbound"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// inboundWorld is a world with a reader to whom emails were sent.
type inboundWorld struct {
	*world
	list     subscribers.List
	reader   int64
	mailings int64
}

const inboundReader = "reader@reader.test"

func newInboundWorld(t *testing.T, db *database.DB) *inboundWorld {
	w := &inboundWorld{world: newWorld(t, db)}
	var err error
	if w.list, err = w.readers.CreateList(t.Context(), subscribers.List{Slug: "weekly"}); err != nil {
		t.Fatal(err)
	}
	if w.reader, err = w.readers.AddConfirmed(t.Context(), inboundReader, "zh", []subscribers.List{w.list}, "test"); err != nil {
		t.Fatal(err)
	}
	return w
}

// mailed stores a mailing with a delivery to the reader in a state.
func (w *inboundWorld) mailed(state string) (delivery int64) {
	w.t.Helper()
	w.mailings++
	now := w.now().UTC().Add(time.Duration(w.mailings) * time.Second)
	err := w.db.Write(w.t.Context(), func(tx *sql.Tx) error {
		var mailing, variant int64
		if err := tx.QueryRow(`INSERT INTO mailings (due_at, state, created_at) VALUES ($1, 'done', $1) RETURNING id`, now).Scan(&mailing); err != nil {
			return err
		}
		if err := tx.QueryRow(`INSERT INTO variants (mailing, key, language, issues) VALUES ($1, 'k', 'zh', '[]') RETURNING id`, mailing).Scan(&variant); err != nil {
			return err
		}
		return tx.QueryRow(`INSERT INTO deliveries (mailing, subscriber, variant, state, done_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
			mailing, w.reader, variant, state, now).Scan(&delivery)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return delivery
}

func (w *inboundWorld) verp(delivery int64) string {
	return "b+" + w.readers.Keys().BounceToken(delivery) + "@bounces.test"
}

func dsn(recipient, status, diagnostic string) string {
	return "From: MAILER-DAEMON@mx.test\r\nSubject: Undelivered Mail\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; " + recipient +
		"\r\nAction: failed\r\nStatus: " + status + "\r\nDiagnostic-Code: smtp; " + diagnostic + "\r\n--b--\r\n"
}

func (w *inboundWorld) receive(m inbound.Incoming) inbound.Result {
	w.t.Helper()
	in, err := w.inbound().Receive(w.t.Context(), m)
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

// state returns everything about the reader that an email could have changed.
func (w *inboundWorld) state() string {
	w.t.Helper()
	x, err := w.readers.SubscriberByAddress(w.t.Context(), inboundReader)
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(x.Subscriptions[0].State) + " " + x.Suppressed)
}

func TestReceive(t *testing.T) {
	const complaint = "From: fbl@big.test\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nList-Unsubscribe: <http://127.0.0.1/u/%s>\r\nSubject: x\r\n\r\n--b--\r\n"
	const away = "From: reader@reader.test\r\nAuto-Submitted: auto-replied\r\nSubject: Re: 邸报\r\n\r\nI am away.\r\n"
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newInboundWorld(t, db)
		lift := func() {
			if _, err := w.readers.Unsuppress(t.Context(), inboundReader, "test"); err != nil {
				t.Fatal(err)
			}
			err := db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.Exec(`DELETE FROM feedback`)
				if err == nil {
					_, err = tx.Exec(`UPDATE subscriptions SET state = 'confirmed'`)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		sent := w.mailed("sent")
		waiting := w.mailed("waiting")
		unsubscribe := w.readers.Keys().UnsubscribeToken(w.reader, w.list.ID)
		unsubscribeByMail := "U+" + strings.ToUpper(w.readers.Keys().MailUnsubscribeToken(w.reader, w.list.ID)) + "@bounces.test"
		for name, c := range map[string]struct {
			mail          inbound.Incoming
			effect, state string
		}{
			"NoSuchUser":           {inbound.Incoming{To: []string{w.verp(sent)}, Raw: []byte(dsn(inboundReader, "5.1.1", "550 5.1.1 no such user"))}, "suppressed", "confirmed bounce"},
			"TokenInCapitals":      {inbound.Incoming{To: []string{strings.ToUpper(w.verp(sent))}, Raw: []byte(dsn(inboundReader, "5.1.1", "550 5.1.1 no such user"))}, "suppressed", "confirmed bounce"},
			"TokenInTheHeader":     {inbound.Incoming{Raw: []byte("To: <" + w.verp(sent) + ">\r\n" + dsn(inboundReader, "5.1.1", "550 5.1.1 no such user"))}, "suppressed", "confirmed bounce"},
			"ForwardedAndRefused":  {inbound.Incoming{To: []string{w.verp(sent)}, Raw: []byte(dsn("other@else.test", "5.1.1", "550 5.1.1 no such user"))}, "suppressed", "confirmed bounce"},
			"Policy":               {inbound.Incoming{To: []string{w.verp(sent)}, Raw: []byte(dsn(inboundReader, "5.7.1", "550 5.7.1 blocked as spam"))}, "noted", "confirmed"},
			"FullOnce":             {inbound.Incoming{To: []string{w.verp(sent)}, Raw: []byte(dsn(inboundReader, "5.2.2", "552 5.2.2 mailbox full"))}, "noted", "confirmed"},
			"Delayed":              {inbound.Incoming{To: []string{w.verp(sent)}, Raw: []byte(strings.Replace(dsn(inboundReader, "4.4.1", "451 later"), "Action: failed", "Action: delayed", 1))}, "noted", "confirmed"},
			"Complaint":            {inbound.Incoming{Raw: []byte(fmt.Sprintf(complaint, unsubscribe))}, "suppressed", "confirmed complaint"},
			"ComplaintForged":      {inbound.Incoming{Raw: []byte(fmt.Sprintf(complaint, unsubscribe[1:]+"A"))}, "nothing", "confirmed"},
			"UnsubscribedByMail":   {inbound.Incoming{To: []string{unsubscribeByMail}, Raw: []byte("From: reader@reader.test\r\nSubject: unsubscribe\r\n\r\n")}, "unsubscribed", "unsubscribed"},
			"AutoReplyToThatToo":   {inbound.Incoming{To: []string{unsubscribeByMail}, Raw: []byte(away)}, "nothing", "confirmed"},
			"UnsubscribeForged":    {inbound.Incoming{To: []string{"u+" + w.readers.Keys().BounceToken(sent) + "@bounces.test"}, Raw: []byte("From: a@b.test\r\nSubject: unsubscribe\r\n\r\n")}, "nothing", "confirmed"},
			"AutoReply":            {inbound.Incoming{To: []string{w.verp(sent)}, Raw: []byte(away)}, "nothing", "confirmed"},
			"Letter":               {inbound.Incoming{To: []string{w.verp(sent)}, Raw: []byte("From: reader@reader.test\r\nSubject: thanks\r\n\r\nYes.\r\n")}, "nothing", "confirmed"},
			"NeverSent":            {inbound.Incoming{To: []string{w.verp(waiting)}, Raw: []byte(dsn(inboundReader, "5.1.1", "550 5.1.1 no such user"))}, "nothing", "confirmed"},
			"NoToken":              {inbound.Incoming{Raw: []byte(dsn(inboundReader, "5.1.1", "550 5.1.1 no such user"))}, "nothing", "confirmed"},
			"NoTokenFromAdmin":     {inbound.Incoming{FromAdmin: true, Raw: []byte(dsn(inboundReader, "5.1.1", "550 5.1.1 no such user"))}, "suppressed", "confirmed bounce"},
			"ForgedFromAdmin":      {inbound.Incoming{FromAdmin: true, To: []string{"b+" + strings.Repeat("a", 40) + "@bounces.test"}, Raw: []byte(dsn(inboundReader, "5.1.1", "550 5.1.1 no such user"))}, "nothing", "confirmed"},
			"OfNobody":             {inbound.Incoming{FromAdmin: true, Raw: []byte(dsn("nobody@else.test", "5.1.1", "550 5.1.1 no such user"))}, "nothing", "confirmed"},
			"TokenOfAnotherAction": {inbound.Incoming{To: []string{"b+" + w.readers.Keys().MailUnsubscribeToken(w.reader, 0) + "@bounces.test"}, Raw: []byte(dsn(inboundReader, "5.1.1", "550 5.1.1 no"))}, "nothing", "confirmed"},
		} {
			in := w.receive(c.mail)
			if in.Effect != c.effect || w.state() != c.state {
				t.Errorf("%s: %+v, state %q; want %s, %q", name, in, w.state(), c.effect, c.state)
			}
			lift()
		}

		// A report that was read once is recognized, and does nothing after an admin's
		// decision.
		raw := []byte(dsn(inboundReader, "5.1.1", "550 5.1.1 <reader@reader.test> no such user"))
		w.receive(inbound.Incoming{To: []string{w.verp(sent)}, Raw: raw})
		if _, err := w.readers.Unsuppress(t.Context(), inboundReader, "test"); err != nil {
			t.Fatal(err)
		}
		if in := w.receive(inbound.Incoming{To: []string{w.verp(sent)}, Raw: append(raw, "again\r\n"...)}); in.Effect != "nothing" || w.state() != "confirmed" {
			t.Errorf("replayed: %+v, state %q", in, w.state())
		}
		log, err := w.inbound().FeedbackLog(t.Context(), 0, "", 10)
		if err != nil || len(log) != 1 || log[0].Effect != "suppressed" || strings.Contains(log[0].Text, "reader@") {
			t.Errorf("log %+v, %v", log, err)
		}
		history, err := w.service.History(t.Context(), w.reader)
		if err != nil || len(history) != 3 {
			t.Errorf("history %+v, %v; want two emails and a bounce", history, err)
		}
	})
}

// A full mailbox is suppressed after three issues, a refusal by policy never, and an
// unknown answer not by itself.
func TestReportsAddUp(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for _, c := range []struct {
			status, text string
			issues       int // number of issues after which the address is suppressed; 0 means never
		}{
			{"5.2.2", "552 5.2.2 mailbox full", 3},
			{"5.0.0", "550 no", 0}, // nobody else is at the domain
			{"5.0.0", "550 no (in reply to RCPT TO command)", 0},
			{"5.7.1", "550 5.7.1 message looks like spam", 0},
			{"4.4.7", "450 4.4.7 expired", 0},
		} {
			w := newInboundWorldOn(t, db)
			for n := 1; n <= 5; n++ {
				delivery := w.mailed("sent")
				for range 3 { // the same issue counts once
					w.receive(inbound.Incoming{To: []string{w.verp(delivery)}, Raw: []byte(dsn(inboundReader, c.status, c.text))})
				}
				want := "confirmed"
				if c.issues > 0 && n >= c.issues {
					want = "confirmed bounce"
				}
				if got := w.state(); got != want {
					t.Errorf("%s %q, issue %d: %q, want %q", c.status, c.text, n, got, want)
				}
			}
			if err := w.readers.Forget(t.Context(), inboundReader); err != nil {
				t.Fatal(err)
			}
			if _, err := w.readers.Unsuppress(t.Context(), inboundReader, "test"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// newInboundWorldOn creates another world on the same database.
func newInboundWorldOn(t *testing.T, db *database.DB) *inboundWorld {
	t.Helper()
	w := newWorld(t, db)
	list, err := w.readers.ListBySlug(t.Context(), "weekly")
	if err != nil {
		return newInboundWorld(t, db)
	}
	id, err := w.readers.AddConfirmed(t.Context(), inboundReader, "zh", []subscribers.List{list}, "test")
	if err != nil {
		t.Fatal(err)
	}
	other := &inboundWorld{world: w, list: list, reader: id}
	_ = db.Read(t.Context(), func(tx *sql.Tx) error { return tx.QueryRow(`SELECT COUNT(*) FROM mailings`).Scan(&other.mailings) })
	return other
}

// Unsigned envelope senders change nothing, however they are made: bits altered, truncated,
// for another action, random.
func TestForgedEnvelopeSendersChangeNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		tries := 600
		if os.Getenv("DIBAO_LONG") != "" {
			tries = 100_000
		}
		w := newInboundWorld(t, db)
		sent := w.mailed("sent")
		token := w.readers.Keys().BounceToken(sent)
		raw := []byte(dsn(inboundReader, "5.1.1", "550 5.1.1 no such user"))
		const alphabet = "abcdefghijklmnopqrstuvwxyz234567"
		random := rand.New(rand.NewPCG(1, 2))
		for i := range tries {
			forged := []byte(token)
			switch i % 4 {
			case 0:
				at := random.IntN(len(forged))
				forged[at] = alphabet[(strings.IndexByte(alphabet, forged[at])+1+random.IntN(31))%32]
			case 1:
				forged = forged[:20+random.IntN(len(forged)-20)]
			case 2:
				for j := range forged {
					forged[j] = alphabet[random.IntN(32)]
				}
			case 3:
				forged = append(forged, alphabet[random.IntN(32)])
			}
			if in := w.receive(inbound.Incoming{To: []string{"b+" + string(forged) + "@bounces.test"}, Raw: raw}); in.Effect != "nothing" {
				t.Fatalf("try %d, %s: %+v", i, forged, in)
			}
		}
		if w.state() != "confirmed" {
			t.Errorf("state %q", w.state())
		}
		trust.Report(t, "forged envelope senders that change something", "0 of %d on each database", tries)
		if in := w.receive(inbound.Incoming{To: []string{"b+" + token + "@bounces.test"}, Raw: raw}); in.Effect != "suppressed" || in.Kind != mail.ReportBounce {
			t.Errorf("the token itself: %+v", in)
		}
	})
}

// Mail is accepted by its address alone, before it is read: only tokens of ours, each with
// its own letter.
func TestInboundTakesOnlySignedAddresses(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newInboundWorld(t, db)
		bounce, leave := w.readers.Keys().BounceToken(1), w.readers.Keys().MailUnsubscribeToken(w.reader, w.list.ID)
		other := bounce[:len(bounce)-2] + "aa"
		if other == bounce {
			other = bounce[:len(bounce)-2] + "bb"
		}
		for address, want := range map[string]bool{
			"b+" + bounce + "@bounces.test":                                          true,
			"B+" + strings.ToUpper(bounce) + "@bounces.test":                         true,
			"u+" + leave + "@bounces.test":                                           true,
			"u+" + bounce + "@bounces.test":                                          false,
			"b+" + leave + "@bounces.test":                                           false,
			"b+" + other + "@bounces.test":                                           false,
			"b+" + strings.Repeat("a", 54) + "@bounces.test":                         false,
			"b+" + w.readers.Keys().PreferencesToken(w.reader, "") + "@bounces.test": false,
			"c+" + bounce + "@bounces.test":                                          false,
			"reader@bounces.test":                                                    false,
			"b+@bounces.test":                                                        false,
		} {
			if got := w.inbound().Accepts(t.Context(), address); got != want {
				t.Errorf("%s is accepted: %v, want %v", address, got, want)
			}
		}
	})
}

// Only reports of abuse or fraud are complaints, and a report of "not-spam" withdraws a complaint.
// All other feedback reports go to the admin.
func TestNotSpamTakesAComplaintBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newInboundWorld(t, db)
		sent := w.mailed("sent")
		feedback := func(kind string) inbound.Incoming {
			return inbound.Incoming{To: []string{w.verp(sent)}, Raw: []byte("From: fbl@big.test\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n" +
				"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: " + kind + "\r\n\r\n--b--\r\n")}
		}
		for _, c := range []struct{ kind, effect, state string }{
			{"auth-failure", "nothing", "confirmed"}, {"virus", "nothing", "confirmed"}, {"not-spam", "noted", "confirmed"}, {"abuse", "suppressed", "confirmed complaint"},
		} {
			if in := w.receive(feedback(c.kind)); in.Effect != c.effect || w.state() != c.state {
				t.Errorf("%s: %+v, the reader is %s; want %s, %s", c.kind, in, w.state(), c.effect, c.state)
			}
		}
		sent = w.mailed("sent")
		if in := w.receive(feedback("not-spam")); in.Effect != inbound.EffectRestored || w.state() != "confirmed" {
			t.Errorf("not-spam after a complaint: %+v, the reader is %s", in, w.state())
		}
		if err := w.readers.Suppress(t.Context(), inboundReader, subscribers.ReasonAdmin, "asked by phone"); err != nil {
			t.Fatal(err)
		}
		sent = w.mailed("sent")
		if w.receive(feedback("not-spam")); w.state() != "confirmed admin" {
			t.Errorf("not-spam lifted what an admin said: %s", w.state())
		}
	})
}

// This was once a bug: a late bounce for an earlier address of a reader suppressed the present
// one.
func TestLateBounceCountsForTheAddressItWasSentTo(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newInboundWorld(t, db)
		before := w.mailed("sent")
		const old = inboundReader
		links, err := w.readers.AskChange(t.Context(), w.reader, "new@reader.test", netip.Prefix{})
		if err != nil || len(links) != 2 {
			t.Fatalf("%d links, %v", len(links), err)
		}
		w.advance(time.Hour)
		for _, l := range links {
			if _, err := w.readers.ConfirmChange(t.Context(), l.Token, netip.Prefix{}); err != nil {
				t.Fatal(err)
			}
		}
		suppressed := func() bool {
			is, err := w.readers.IsSuppressed(t.Context(), "new@reader.test")
			if err != nil {
				t.Fatal(err)
			}
			return is
		}
		in := w.receive(inbound.Incoming{To: []string{w.verp(before)}, Raw: []byte(dsn(old, "5.1.1", "550 5.1.1 no such user"))})
		if in.Effect != inbound.EffectNoted || suppressed() {
			t.Errorf("the old address: %+v, suppressed %t", in, suppressed())
		}
		w.advance(time.Hour)
		after := w.mailed("sent")
		if in := w.receive(inbound.Incoming{To: []string{w.verp(after)}, Raw: []byte(dsn("new@reader.test", "5.1.1", "550 5.1.1 no such user"))}); !suppressed() {
			t.Errorf("the new address: %+v", in)
		}
	})
}
