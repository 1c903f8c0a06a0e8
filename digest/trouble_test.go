package digest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"dibao/digest/delivery"
	"dibao/digest/inbound"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail"
	"dibao/subscribers"
)

// troubles returns the troubles in one line each: kind, name, emails of all, reply.
func (w *world) troubles() (lines []string) {
	w.t.Helper()
	for _, x := range must[[]delivery.Trouble](w.t)(w.service.Troubles(w.t.Context())) {
		line := string(x.Kind)
		if x.Name != nil {
			line += " " + *x.Name
		}
		for _, n := range []*int{x.Emails, x.All} {
			if n != nil {
				line += fmt.Sprintf(" %d", *n)
			}
		}
		if x.Reply != nil {
			line += " " + *x.Reply
		}
		lines = append(lines, line)
	}
	return lines
}

func (w *world) wantTroubles(want ...string) {
	w.t.Helper()
	got := w.troubles()
	if len(got) != len(want) {
		w.t.Errorf("troubles %q, want %q", got, want)
		return
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			w.t.Errorf("trouble %q, want %q", got[i], want[i])
		}
	}
}

var blocked = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "your IP is on a block list"}

// These were once bugs: no command named the cause if the relay was down, if most emails of a
// mailing were refused, or if a domain was paused; all warned of a retry that needs nobody.
func TestTroublesOfMailings(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		for i := range 7 {
			w.readersAt(fmt.Sprintf("d%d.example", i), 1, l)
		}
		mailing := w.composeOne()
		w.wantTroubles()
		w.advance(2 * time.Hour)
		w.wantTroubles("idle 7")

		down := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{Server: mail.Options{Addr: closedPort(t), TLS: mail.TLSNone}, MessageKey: []byte("key")}))
		if _, err := down.Deliver(t.Context()); err == nil {
			t.Fatal("mail was sent to a port on which nothing listens")
		}
		w.wantTroubles("unreached 7 127.0.0.1:")
		w.advance(2 * time.Minute) // due again
		w.wantTroubles("unreached 7 127.0.0.1:")

		w.rejecting(func(to string) *smtp.SMTPError {
			if strings.Contains(to, "@d0.") || strings.Contains(to, "@d1.") || strings.Contains(to, "@d2.") {
				return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
			}
			return blocked
		})
		w.run(w.deliverer(delivery.Options{}))
		w.wantTroubles("failed 4 7 550 5.7.1 your IP is on a block list")
		w.rejecting(func(to string) *smtp.SMTPError {
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
		})
		w.advance(7 * time.Hour)
		w.run(w.deliverer(delivery.Options{}))
		w.wantTroubles("stuck 3 451 4.3.0 try again later", "failed 4 7")
		w.rejecting(nil)
		if again := must[int](t)(resent(w, mailing)); again != 4 {
			t.Errorf("%d emails are resent, want 4", again)
		}
		w.wantTroubles("stuck 3")
		w.advance(12 * time.Hour)
		w.run(w.deliverer(delivery.Options{}))
		w.wantTroubles()
	})
}

func resent(w *world, mailing int64) (int, error) {
	out, err := w.service.Resend(w.t.Context(), mailing, "")
	return out.Again, err
}

// TestPausedDomainSaysWhy tests former bugs: the reply of a domain that was paused by policy was
// replaced by a sentence of dibao, and nothing said how to go on.
func TestPausedDomainSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	l := w.list("weekly", subscribers.Query{})
	w.readersAt("big.example", 30, l)
	w.readersAt("fine.example", 3, l)
	w.rejecting(func(to string) *smtp.SMTPError {
		if strings.HasSuffix(to, "@big.example") {
			return blocked
		}
		return nil
	})
	mailing := w.composeOne()
	d := w.deliverer(delivery.Options{Connections: 1})
	w.run(d)
	w.wantTroubles("policy big.example 27 550 5.7.1 your IP is on a block list", "failed 3 33 550 5.7.1")
	for _, x := range must[[]delivery.DomainReport](t)(w.service.Domains(t.Context(), mailing)) {
		if x.Domain == "big.example" && (x.Waiting != 27 || x.Stopped != 27 || x.Reply == nil || *x.Reply != "550 5.7.1 your IP is on a block list") {
			t.Errorf("domain %+v", x)
		}
	}
	w.rejecting(nil)
	w.run(d)
	w.wantTroubles("policy big.example 27", "failed 3 33")
	if done := w.run(w.deliverer(delivery.Options{Probe: true})); done.Sent != 27 {
		t.Errorf("issue send: %+v, want 27 sent", done)
	}
	w.wantTroubles("failed 3 33")
}

// A domain that limits how fast we send, and full mailboxes, are no troubles: the former mail is
// tried again, the latter concerns its readers.
func TestLimitsAndFullMailboxesAreNoTroubles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	l := w.list("weekly", subscribers.Query{})
	w.readersAt("qq.com", 5, l)
	w.readersAt("full.example", 5, l)
	w.rejecting(func(to string) *smtp.SMTPError {
		if strings.HasSuffix(to, "@qq.com") {
			return &smtp.SMTPError{Code: 550, Message: "Ip frequency limited"}
		}
		return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 2, 2}, Message: "mailbox full"}
	})
	w.composeOne()
	if done := w.run(w.deliverer(delivery.Options{Connections: 1})); done.Deferred == 0 || done.Failed != 5 {
		t.Fatalf("%+v", done)
	}
	w.wantTroubles()
}

// TestReportAfterRefusals tests former bugs: the time left was that of the rate although the only
// email that waits is tried later, and readers counted as suppressed after an admin lifted that.
func TestReportAfterRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	l := w.list("weekly", subscribers.Query{})
	w.readersAt("fine.example", 3, l)
	w.readersAt("full.example", 1, l)
	w.readersAt("gone.example", 1, l)
	w.rejecting(func(to string) *smtp.SMTPError {
		switch {
		case strings.HasSuffix(to, "@full.example"):
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
		case strings.HasSuffix(to, "@gone.example"):
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "User unknown"}
		}
		return nil
	})
	mailing := w.composeOne()
	w.run(w.deliverer(delivery.Options{}))
	w.wantTroubles()
	w.advance(time.Second)
	r := must[delivery.MailingReport](t)(w.service.ReportOf(t.Context(), mailing))
	if r.NextAt == nil || r.ETASeconds == nil || *r.ETASeconds < 60 || r.SuppressedReaders != 1 {
		t.Errorf("report %+v; want a time until the next try, and one suppressed reader", r)
	}
	log := must[[]inbound.Feedback](t)(w.inbound().FeedbackLog(t.Context(), 0, "", 5))
	if len(log) != 1 || log[0].Address != "r0@gone.example" || log[0].StatusCode() != "5.1.1" || log[0].Text != "User unknown" {
		t.Errorf("log %+v", log)
	}
	w.advance(time.Minute)
	if ok := must[bool](t)(w.readers.Unsuppress(t.Context(), "r0@gone.example", "back")); !ok {
		t.Error("not suppressed")
	}
	if r := must[delivery.MailingReport](t)(w.service.ReportOf(t.Context(), mailing)); r.SuppressedReaders != 0 || r.ETASeconds != nil {
		t.Errorf("report %+v; want no suppressed reader and no time left", r)
	}
}
