package digest_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dibao/digest/delivery"
	"dibao/digest/inbound"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail"
	"dibao/internal/mail/smtptest"
	"dibao/subscribers"
)

// relay is a mail server of the test that answers according to a script.
type relay struct {
	*smtptest.Server
	mu     sync.Mutex
	script func(phase, from, to string) string
	asked  map[string]int // number of answers by phase
}

func newRelay(t testing.TB) *relay {
	r := &relay{asked: make(map[string]int)}
	l := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	r.Server = smtptest.StartScript(t, l, func(phase, from, to string) string {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.asked[phase]++
		if r.script == nil {
			return ""
		}
		return r.script(phase, from, to)
	})
	return r
}

// says sets the relay's answer in a phase; "" makes it accept everything.
func (r *relay) says(phase, reply string) {
	r.answers(func(p, _, _ string) string {
		if p == phase {
			return reply
		}
		return ""
	})
}

func (r *relay) answers(script func(phase, from, to string) string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = script
}

// counted returns how often a phase was answered since the last call.
func (r *relay) counted(phase string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.asked[phase]
	r.asked[phase] = 0
	return n
}

// notices collects the notices to the admin.
type notices struct {
	mu  sync.Mutex
	all []delivery.Notice
}

func (n *notices) tell(_ context.Context, x delivery.Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, x)
}

func (n *notices) of(kind delivery.NoticeKind) (some []delivery.Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range n.all {
		if x.Kind == kind {
			some = append(some, x)
		}
	}
	return some
}

// through returns a deliverer that sends through relays, the first one first.
func (w *world) through(n *notices, relays ...*relay) *delivery.Deliverer {
	w.t.Helper()
	var servers []mail.Options
	for _, r := range relays {
		servers = append(servers, mail.Options{Addr: r.Addr, TLS: mail.TLSNone, Username: "u", Password: "p"})
	}
	return must[*delivery.Deliverer](w.t)(w.service.NewDeliverer(delivery.Options{
		Server: servers[0], Fallbacks: servers[1:], Connections: 4, MessageKey: []byte("key"), Notify: n.tell,
	}))
}

func (w *world) run(d *delivery.Deliverer) delivery.Delivered {
	w.t.Helper()
	return must[delivery.Delivered](w.t)(d.Deliver(w.t.Context()))
}

func (w *world) suppressedReaders() int {
	w.t.Helper()
	n := 0
	for _, c := range must[map[string]int](w.t)(w.readers.CountSuppressions(w.t.Context())) {
		n += c
	}
	return n
}

// This was once a bug: a relay that accepted no mail of ours, for a reason on our side, failed
// all 40 readers of two issues and then suppressed them.
func TestRelayThatRefusesUsLosesNobody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ phase, reply string }{
		"login":       {"auth", "535 Error: authentication failed"},
		"no login":    {"mail", "530 5.7.0 Authentication required"},
		"other user":  {"mail", "501 mail from address must be same as authorization user"},
		"send as":     {"mail", "550 5.7.60 SMTP; Client does not have permissions to send as this sender"},
		"no domain":   {"mail", "550 Domain may not exist or DNS check failed"},
		"no such":     {"mail", "550 5.1.1 user unknown"},
		"for now":     {"mail", "451 4.3.0 try again later"},
		"blacklisted": {"greeting", "554 5.7.1 your IP is blocked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sqlite(t))
			l := w.list("weekly", subscribers.Query{})
			for i := range 40 {
				w.readersAt(fmt.Sprintf("d%d.example", i), 1, l)
			}
			r, n := newRelay(t), &notices{}
			r.says(c.phase, c.reply)
			d := w.through(n, r)
			for issue := range 2 {
				w.composeOne()
				for range 6 {
					done := w.run(d)
					if done.Failed > 0 || done.Sent > 0 || done.Suppressed > 0 || issue == 0 && done.Refused == "" {
						t.Fatalf("issue %d: %+v", issue+1, done)
					}
					w.advance(time.Hour)
				}
				if asked := r.counted(c.phase); asked < 5 || asked > 6*2+4 {
					t.Errorf("issue %d: the relay was asked %d times; want one message a try", issue+1, asked)
				}
			}
			w.advance(72 * time.Hour) // longer than other mail is tried
			w.run(d)
			if got := n.of(delivery.NoticeRefused); len(got) != 1 || !strings.Contains(got[0].Text, strings.Fields(c.reply)[0]) || got[0].Domain != r.Addr {
				t.Errorf("told %+v, want one notice with the sentence of the server", got)
			}
			if p := must[[]delivery.Pause](t)(w.service.Pauses(t.Context())); len(p) != 1 || p[0].Name != r.Addr {
				t.Errorf("pauses %+v", p)
			}
			r.says("", "")
			w.advance(2 * time.Hour)
			done := w.run(d)
			if done.Sent != 80 || w.suppressedReaders() != 0 {
				t.Errorf("%+v, %d suppressed; want both issues sent to all", done, w.suppressedReaders())
			}
			for to, copies := range r.Received() {
				if copies != 2 {
					t.Errorf("%s got %d emails, want 2", to, copies)
				}
			}
			if p := must[[]delivery.Pause](t)(w.service.Pauses(t.Context())); len(p) != 0 {
				t.Errorf("still paused: %+v", p)
			}
		})
	}
}

// TestSendTriesAtOnceWhatWaitsForOurFault tests a former bug: after the wrong password
// was corrected, "issue send" did not retry the emails that had failed because of it.
func TestSendTriesAtOnceWhatWaitsForOurFault(t *testing.T) {
	t.Parallel()
	for phase, reply := range map[string]string{"auth": "535 Error: authentication failed", "mail": "550 Domain may not exist or DNS check failed"} {
		databasetest.Each(t, func(t *testing.T, db *database.DB) {
			w := newWorld(t, db)
			w.readersAt("a.example", 2, w.list("weekly", subscribers.Query{}))
			r, n := newRelay(t), &notices{}
			r.says(phase, reply)
			w.composeOne()
			if done := w.run(w.through(n, r)); done.Sent > 0 || done.Refused == "" {
				t.Fatalf("%s: %+v", phase, done)
			}
			r.says("", "")
			probing := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
				Server: mail.Options{Addr: r.Addr, TLS: mail.TLSNone, Username: "u", Password: "p"}, Connections: 4, MessageKey: []byte("key"), Probe: true,
			}))
			if done := w.run(probing); done.Sent != 2 {
				t.Errorf("%s: %+v; want both sent at once", phase, done)
			}
		})
	}
}

// A refusal at RCPT or after the message that is our fault fails the issue, never
// suppresses, and the next issue contains what was not sent.
func TestRefusedForOurFaultSuppressesNobody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ phase, reply string }{
		"dns":     {"rcpt", "550 Domain may not exist or DNS check failed"},
		"spf":     {"rcpt", "550 5.7.23 SPF check failed"},
		"ip":      {"rcpt", "550 black ip. (发信IP被禁止)"},
		"content": {"dot", "550 Mail content denied"},
		"unknown": {"rcpt", "550 computer says no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sqlite(t))
			w.readersAt("one.example", 40, w.list("weekly", subscribers.Query{}))
			r, n := newRelay(t), &notices{}
			r.says(c.phase, c.reply)
			d := w.through(n, r)
			for range 2 {
				w.composeOne()
				for range 60 {
					w.run(d)
					w.advance(time.Hour)
				}
			}
			if w.suppressedReaders() != 0 {
				t.Errorf("%d suppressed", w.suppressedReaders())
			}
			if name != "unknown" && len(n.of(delivery.NoticePolicy)) == 0 {
				t.Errorf("the admin was told %+v, and not of a policy", n.all)
			}
		})
	}
}

// While one relay refuses us, the other one sends, and the first is tried again with one
// message at a time.
func TestOtherRelayStandsInForOneThatRefusesUs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	w.readersAt("one.example", 40, w.list("weekly", subscribers.Query{}))
	first, second, n := newRelay(t), newRelay(t), &notices{}
	first.says("mail", "550 5.7.60 not permitted to send as this sender")
	w.composeOne()
	d := w.through(n, first, second)
	if done := w.run(d); done.Sent != 40 || done.Failed > 0 || done.Refused != "" {
		t.Fatalf("%+v", done)
	}
	if len(n.of(delivery.NoticeRefused)) != 1 || len(second.Received()) != 40 {
		t.Errorf("told %+v, %d received", n.of(delivery.NoticeRefused), len(second.Received()))
	}
	first.counted("mail")
	first.says("", "")
	w.composeOne()
	if done := w.run(d); done.Sent != 40 || first.counted("mail") == 0 {
		t.Errorf("%+v; the first relay is not used again", done)
	}
}

// NetEase's MI:DMC counts the messages of a connection: a new connection continues at once.
func TestTooManyOnAConnectionGoesOnWithANewOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	w.readersAt("163.com", 12, w.list("weekly", subscribers.Query{}))
	r, n := newRelay(t), &notices{}
	var greetings, taken atomic.Int64
	r.answers(func(phase, _, to string) string {
		switch phase {
		case "greeting":
			greetings.Add(1)
			taken.Store(0)
		case "rcpt":
			if taken.Add(1) > 3 {
				return "451 MI:DMC 192.0.2.1 too many in one connection"
			}
		}
		return ""
	})
	w.composeOne()
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: r.Addr, TLS: mail.TLSNone}, Connections: 1, MessageKey: []byte("key"), Notify: n.tell,
	}))
	if done := w.run(d); done.Sent != 12 || done.Deferred != 0 {
		t.Errorf("%+v by %d connections", done, greetings.Load())
	}
}

// Readers who each have a different domain: of 40, one mailing suppresses at most 10, and
// if more would be suppressed, none is.
func TestManyGoneAtManyDomainsWaitForTheAdmin(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		for i := range 40 {
			w.readersAt(fmt.Sprintf("d%d.example", i), 1, l)
		}
		r, n := newRelay(t), &notices{}
		r.answers(func(phase, _, _ string) string {
			if phase == "rcpt" {
				return "550 5.1.1 no such user"
			}
			return ""
		})
		w.composeOne()
		if done := w.run(w.through(n, r)); done.Failed != 40 {
			t.Fatalf("%+v", done)
		}
		if got := w.suppressedReaders(); got != 0 {
			t.Errorf("%d suppressed", got)
		}
		if got := must[[]delivery.Pending](t)(w.service.Pending(t.Context(), "")); len(got) != 40 {
			t.Errorf("%d wait", len(got))
		}
		if got := n.of(delivery.NoticePending); len(got) != 1 || got[0].Domain != "" {
			t.Errorf("told %+v", got)
		}
	})
}

// More than three readers and 2% of a domain at once: nobody is suppressed, the admin is
// notified once and decides.
func TestManyGoneAtOnceWaitForTheAdmin(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.readersAt("big.example", 40, l)
		w.readersAt("small.example", 3, l)
		w.readersAt("fine.example", 5, l)
		r, n := newRelay(t), &notices{}
		r.answers(func(phase, _, to string) string {
			if phase == "rcpt" && !strings.HasSuffix(to, "@fine.example") {
				return "550 5.1.1 no such user"
			}
			return ""
		})
		w.composeOne()
		d := w.through(n, r)
		if done := w.run(d); done.Failed != 43 || done.Sent != 5 {
			t.Fatalf("%+v", done)
		}
		if got := w.suppressedReaders(); got != 3 {
			t.Errorf("%d suppressed, want the 3 of small.example", got)
		}
		pending := must[[]delivery.Pending](t)(w.service.Pending(t.Context(), ""))
		if len(pending) != 40 || slices.ContainsFunc(pending, func(p delivery.Pending) bool { return p.Domain != "big.example" }) {
			t.Errorf("%d pending, want 40 of big.example: %+v", len(pending), pending)
		}
		if got := n.of(delivery.NoticePending); len(got) != 1 || got[0].Domain != "big.example" {
			t.Errorf("told %+v, want once", got)
		}
		if applied := must[int](t)(w.service.ApplyPending(t.Context(), "big.example")); applied != 40 || w.suppressedReaders() != 43 {
			t.Errorf("%d applied, %d suppressed", applied, w.suppressedReaders())
		}
	})
}

// An unknown refusal suppresses a reader at RCPT, in the second issue, and only if the
// domain accepts mail for others.
func TestUnknownSuppressesOnlyWhereOthersAreAccepted(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		for _, domain := range []string{"mixed.example", "dot.example", "closed.example"} {
			w.readersAt(domain, 3, l)
		}
		r := newRelay(t)
		r.answers(func(phase, _, to string) string {
			switch {
			case phase == "rcpt" && (to == "r0@mixed.example" || strings.HasSuffix(to, "@closed.example")), phase == "dot" && to == "r0@dot.example":
				return "550 computer says no"
			}
			return ""
		})
		d := w.through(&notices{}, r)
		for issue := 1; issue <= 3; issue++ {
			w.composeOne()
			w.run(d)
			for address, want := range map[string]bool{"r0@mixed.example": issue >= 2, "r1@mixed.example": false, "r0@dot.example": false, "r0@closed.example": false} {
				s := must[subscribers.Subscriber](t)(w.readers.SubscriberByAddress(t.Context(), address))
				if (s.Suppressed != "") != want {
					t.Errorf("issue %d: %s suppressed: %q, want %v", issue, address, s.Suppressed, want)
				}
			}
		}
	})
}

// aboutUs are replies that are our fault, by the phases in which servers send them.
var aboutUs = map[string][]string{
	"greeting": {"554 5.7.1 your IP is listed", "421 4.7.0 too many connections", "550 5.1.1 user unknown"},
	"auth":     {"535 5.7.8 authentication failed", "454 4.7.0 temporary authentication failure", "550 User not found"},
	"mail": {"501 mail from address must be same as authorization user", "550 5.7.60 SendAsDenied", "530 login first", "451 4.3.0 later",
		"553 5.1.8 sender domain does not exist", "550 no such user here", "552 5.2.2 mailbox full", "550 what?"},
	"rcpt": {"550 Domain may not exist or DNS check failed", "550 5.7.23 SPF check failed", "550 Sender address rejected: not found",
		"550 black ip. (发信IP被禁止)", "550 5.7.1 DKIM signature missing", "450 4.7.1 greylisted", "550 mail from frequency limited",
		"554 5.7.1 Client host rejected: cannot find your reverse hostname", "550 computer says no"},
	"dot": {"550 Mail content denied", "554 5.7.1 spam detected", "550 5.7.26 DMARC policy", "550 User unknown", "550 what?", "451 4.7.1 try later"},
}

// No sequence of replies about us suppresses anybody, and replies before a recipient was named
// never fail a delivery permanently.
func TestPropertyRepliesAboutUsSuppressNobody(t *testing.T) {
	checks := "6"
	if os.Getenv("DIBAO_LONG") != "" {
		checks = "200"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, sqlite(t))
		l := w.list("weekly", subscribers.Query{})
		for i := range rapid.IntRange(1, 4).Draw(rt, "domains") {
			w.readersAt(fmt.Sprintf("d%d.example", i), rapid.IntRange(1, 12).Draw(rt, "readers"), l)
		}
		r := newRelay(t)
		d := w.through(&notices{}, r)
		failed := 0
		phases := slices.Sorted(maps.Keys(aboutUs))
		early := true // no reply yet after a reader was named
		for range rapid.IntRange(1, 4).Draw(rt, "issues") {
			w.composeOne()
			for range rapid.IntRange(1, 5).Draw(rt, "runs") {
				phase := rapid.SampledFrom(phases).Draw(rt, "phase")
				reply := rapid.SampledFrom(aboutUs[phase]).Draw(rt, "reply")
				early = early && phase != "rcpt" && phase != "dot"
				each := rapid.IntRange(1, 3).Draw(rt, "each") // of this many connections or messages, one is refused
				if reply == "550 computer says no" {
					each = 1 // if only some readers of a domain get it twice, the reply is about them
				}
				n := 0
				r.answers(func(p, _, _ string) string {
					if p != phase {
						return ""
					}
					if n++; n%each != 0 {
						return ""
					}
					return reply
				})
				done := w.run(d)
				failed += done.Failed
				w.advance(time.Duration(rapid.IntRange(1, 40).Draw(rt, "hours")) * time.Hour)
			}
		}
		if n := w.suppressedReaders(); n != 0 {
			rt.Fatalf("%d readers are suppressed", n)
		}
		if early && failed > 0 {
			rt.Fatalf("%d deliveries failed before a recipient was named", failed)
		}
		r.says("", "")
		for range 4 {
			w.advance(time.Hour)
			failed += w.run(d).Failed
		}
		for to, copies := range r.Received() {
			if copies > w.mailingsMade() {
				rt.Fatalf("%s got %d emails of %d mailings", to, copies, w.mailingsMade())
			}
		}
	})
}

func (w *world) mailingsMade() int {
	return len(must[[]delivery.MailingReport](w.t)(w.service.Report(w.t.Context(), 100)))
}

// Unknown reports suppress as replies do: after the second issue, when reports on others
// would have arrived, if the server refused at RCPT, and accepted mail for others of the
// domain.
func TestUnknownReportsSuppressOnlyWhereOthersAreAccepted(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.readersAt("mixed.example", 3, l)
		w.readersAt("closed.example", 2, l)
		for issue := 1; issue <= 4; issue++ {
			mailing := w.composeOne()
			w.deliver()
			for address, text := range map[string]string{
				"r0@mixed.example":  "550 no (in reply to RCPT TO command)",
				"r1@mixed.example":  "550 no (in reply to end of DATA command)",
				"r0@closed.example": "550 no (in reply to RCPT TO command)",
				"r1@closed.example": "550 no (in reply to RCPT TO command)",
			} {
				in := must[inbound.Result](t)(w.inbound().Receive(t.Context(), inbound.Incoming{FromAdmin: true, Raw: []byte(dsn(address, "5.0.0", text))}))
				if in.Effect == inbound.EffectNothing && (issue < 4 || address != "r0@mixed.example") {
					t.Fatalf("mailing %d, %s: %+v", mailing, address, in)
				}
			}
			for address, want := range map[string]bool{"r0@mixed.example": issue >= 3, "r1@mixed.example": false, "r2@mixed.example": false} {
				s := must[subscribers.Subscriber](t)(w.readers.SubscriberByAddress(t.Context(), address))
				if (s.Suppressed != "") != want {
					t.Errorf("issue %d: %s suppressed: %q, want %v", issue, address, s.Suppressed, want)
				}
			}
		}
		if n := w.suppressedReaders(); n != 1 {
			t.Errorf("%d suppressed, want one", n)
		}
	})
}

// Replies and reports of one mailing count together.
func TestRepliesAndReportsCountTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	w.readersAt("big.example", 20, w.list("weekly", subscribers.Query{}))
	r, n := newRelay(t), &notices{}
	r.answers(func(phase, _, to string) string {
		if phase == "rcpt" && (to == "r0@big.example" || to == "r1@big.example") {
			return "550 5.1.1 no such user"
		}
		return ""
	})
	w.composeOne()
	w.run(w.through(n, r))
	if w.suppressedReaders() != 2 {
		t.Fatalf("%d suppressed by replies, want 2", w.suppressedReaders())
	}
	for i := 2; i < 5; i++ {
		must[inbound.Result](t)(w.inbound().Receive(t.Context(), inbound.Incoming{FromAdmin: true, Raw: []byte(dsn(fmt.Sprintf("r%d@big.example", i), "5.1.1", "550 5.1.1 no such user"))}))
	}
	if got := must[[]delivery.Pending](t)(w.service.Pending(t.Context(), "")); len(got) != 5 || w.suppressedReaders() != 0 {
		t.Errorf("%d pending, %d suppressed; want all 5 pending", len(got), w.suppressedReaders())
	}
}
