package digest_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail"
	"dibao/subscribers"
)

// readersAt subscribes n readers of a domain.
func (w *world) readersAt(domain string, n int, l subscribers.List) {
	w.t.Helper()
	for i := range n {
		must[int64](w.t)(w.readers.AddConfirmed(w.t.Context(), fmt.Sprintf("r%d@%s", i, domain), "zh", []subscribers.List{l}, "test"))
	}
}

// rejecting makes the mail server call f for its reply to each recipient.
func (w *world) rejecting(f func(to string) *smtp.SMTPError) {
	if f == nil {
		w.refuse(nil)
		return
	}
	w.refuse(func(_, to string) *smtp.SMTPError { return f(to) })
}

func sqlite(t *testing.T) *database.DB {
	t.Helper()
	db := must[*database.DB](t)(database.Open(t.Context(), databasetest.SQLite(t), database.Options{}))
	t.Cleanup(func() { db.Close() })
	return db
}

// closedPort returns an address on which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}

func (w *world) composeOne() int64 {
	w.t.Helper()
	w.article("甲通知")
	w.week()
	made := w.composeDue()
	if len(made) != 1 {
		w.t.Fatalf("%d mailings were composed, want 1", len(made))
	}
	return made[0].Mailing
}

func (w *world) deliverer(opts delivery.Options) *delivery.Deliverer {
	w.t.Helper()
	opts.Server, opts.MessageKey = mail.Options{Addr: w.addr, TLS: mail.TLSNone}, []byte("key")
	return must[*delivery.Deliverer](w.t)(w.service.NewDeliverer(opts))
}

// While one domain does not answer and another greylists everything, mail to the others
// continues: it is delivered long before the first domain answers.
func TestStalledDomainHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	l := w.list("weekly", subscribers.Query{})
	w.readersAt("stalls.example", 20, l)
	w.readersAt("grey.example", 40, l)
	for i := range 4 {
		w.readersAt(fmt.Sprintf("fine%d.example", i), 50, l)
	}
	release := make(chan struct{})
	var fine atomic.Int64
	through := make(chan struct{})
	w.rejecting(func(to string) *smtp.SMTPError {
		switch {
		case strings.HasSuffix(to, "@stalls.example"):
			<-release
		case strings.HasSuffix(to, "@grey.example"):
			return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
		default:
			if fine.Add(1) == 200 {
				close(through)
			}
		}
		return nil
	})
	w.composeOne()
	d := w.deliverer(delivery.Options{Connections: 2, StallAfter: 100 * time.Millisecond})
	ended := make(chan delivery.Delivered, 1)
	go func() {
		done, err := d.Deliver(context.WithoutCancel(t.Context()))
		if err != nil {
			t.Error(err)
		}
		ended <- done
	}()
	select {
	case <-through:
	case <-time.After(30 * time.Second):
		t.Errorf("%d of 200 messages to domains that answer went out while another did not", fine.Load())
	}
	close(release)
	if done := <-ended; done.Sent != 220 || done.Deferred != 40 {
		t.Errorf("%+v, want 220 sent and 40 deferred", done)
	}
}

// deliverLimited sends the mail that is due, with a limit for qq.com, while the clock of w runs; it returns
// how long that takes by this clock.
func (w *world) deliverLimited(limit delivery.Limit) (done delivery.Delivered, took time.Duration) {
	w.t.Helper()
	stop := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() {
		for ; ; w.advance(10 * time.Millisecond) {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	begun := w.now()
	d := w.deliverer(delivery.Options{Limits: map[string]delivery.Limit{"qq.com": limit}})
	done = must[delivery.Delivered](w.t)(d.Deliver(w.t.Context()))
	took = w.now().Sub(begun)
	close(stop)
	ticking.Wait()
	return done, took
}

// Messages beyond a domain's limit per minute wait, delay nothing else, and are sent in the
// same run.
func TestLimitOfADomain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	l := w.list("weekly", subscribers.Query{})
	w.readersAt("qq.com", 20, l)
	w.readersAt("foxmail.com", 20, l)
	w.readersAt("fine.example", 30, l)
	w.composeOne()
	done, took := w.deliverLimited(delivery.Limit{PerMinute: 600, PerConnection: 2, Connections: 1})
	// Forty at no more than ten per second, 5% of a minute's messages at once.
	if done.Sent != 70 || took < (40-30)*time.Second/10 {
		t.Fatalf("%+v in %s; want 70 sent, and not sooner than the limit says", done, took)
	}
}

// A domain is first sent to at a quarter of its limit. Messages that were postponed at that rate
// are sent earlier when the domain accepts more.
func TestPostponedMessagesAreSentEarlier(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.readersAt("qq.com", 300, l)
		w.composeOne()
		done, took := w.deliverLimited(delivery.Limit{PerMinute: 2400})
		// 300 messages take 7.5 s at the limit and 30 s at a quarter of it.
		if done.Sent != 300 || took < (300-120)*time.Minute/2400 || took > 20*time.Second {
			t.Errorf("%+v in %s; want 300 sent in about 8 s", done, took)
		}
	})
}

func TestPauseResumeCancel(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.readersAt("a.example", 40, l)
		paused := make(chan struct{})
		var n atomic.Int64
		var mailing int64
		w.rejecting(func(string) *smtp.SMTPError {
			if n.Add(1) == 5 {
				if err := w.service.Pause(context.Background(), mailing); err != nil {
					t.Error(err)
				}
				close(paused)
			}
			if n.Load() > 5 { // until the deliverer looks again, at most a second later
				time.Sleep(150 * time.Millisecond)
			}
			return nil
		})
		mailing = w.composeOne()
		d := w.deliverer(delivery.Options{Connections: 1})
		first := must[delivery.Delivered](t)(d.Deliver(t.Context()))
		<-paused
		if first.Sent < 5 || first.Sent > 25 {
			t.Fatalf("%+v before the pause was seen", first)
		}
		if done := must[delivery.Delivered](t)(d.Deliver(t.Context())); done.Sent != 0 {
			t.Fatalf("%+v while paused", done)
		}
		w.rejecting(nil)
		if err := w.service.Resume(t.Context(), mailing); err != nil {
			t.Fatal(err)
		}
		report := must[delivery.MailingReport](t)(w.service.ReportOf(t.Context(), mailing))
		if report.State != "sending" || report.Sent != first.Sent || report.Waiting != 40-first.Sent {
			t.Fatalf("report %+v after %d were sent", report, first.Sent)
		}
		if err := w.service.Cancel(t.Context(), mailing); err != nil {
			t.Fatal(err)
		}
		if done := must[delivery.Delivered](t)(d.Deliver(t.Context())); done.Sent != 0 {
			t.Fatalf("%+v after it was cancelled", done)
		}
		report = must[delivery.MailingReport](t)(w.service.ReportOf(t.Context(), mailing))
		if report.State != "cancelled" || report.Suppressed != 40-first.Sent || report.Sent != first.Sent {
			t.Errorf("report %+v", report)
		}
		if err := w.service.Resume(t.Context(), mailing); err == nil {
			t.Error("a cancelled mailing goes on")
		}
		domains := must[[]delivery.DomainReport](t)(w.service.Domains(t.Context(), mailing))
		if len(domains) != 1 || domains[0].Domain != "a.example" || domains[0].Sent != first.Sent {
			t.Errorf("domains %+v", domains)
		}
	})
}

// If a relay can't be reached, the next one is used.
func TestFallbackRelay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	w.readersAt("a.example", 3, w.list("weekly", subscribers.Query{}))
	var told []delivery.Notice
	w.composeOne()
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server:    mail.Options{Addr: closedPort(t), TLS: mail.TLSNone},
		Fallbacks: []mail.Options{{Addr: w.addr, TLS: mail.TLSNone}}, Connections: 2,
		Notify: func(_ context.Context, n delivery.Notice) { told = append(told, n) },
	}))
	if done := must[delivery.Delivered](t)(d.Deliver(t.Context())); done.Sent != 3 {
		t.Fatalf("%+v", done)
	}
	if len(told) != 1 || told[0].Kind != delivery.NoticeDone || told[0].Report.Sent != 3 {
		t.Errorf("told %+v, want that the mailing is done", told)
	}
}

// A full mailbox fails the issue, and is suppressed if it is full for three issues.
func TestFullMailboxIsSuppressedAfterThreeIssues(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.reader("full", w.list("weekly", subscribers.Query{}))
		w.rejecting(func(string) *smtp.SMTPError {
			return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 2, 2}, Message: "mailbox full"}
		})
		for issue := 1; issue <= 3; issue++ {
			w.composeOne()
			if done := w.deliver(); done.Failed != 1 {
				t.Fatalf("issue %d: %+v", issue, done)
			}
			s := must[subscribers.Subscriber](t)(w.readers.SubscriberByAddress(t.Context(), "full@test.example"))
			if got := s.Suppressed != ""; got != (issue == 3) {
				t.Fatalf("suppressed %v after issue %d", got, issue)
			}
		}
	})
}
