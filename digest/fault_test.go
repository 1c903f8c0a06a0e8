package digest_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"dibao/digest/delivery"
	"dibao/internal/mail"
	"dibao/internal/mail/dnstest"
	"dibao/internal/mail/smtptest"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// listenEach listens on one port at n addresses of loopback.
func listenEach(t *testing.T, n int) (all []net.Listener, port int) {
	t.Helper()
	for range 5 {
		all = all[:0]
		for i := range n {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.%d.%d:%d", 1+i/200, 1+i%200, port))
			if err != nil && port == 0 {
				t.Skipf("this system has one loopback address only: %v", err)
			}
			if err != nil {
				break
			}
			t.Cleanup(func() { l.Close() })
			all = append(all, l)
			port = l.Addr().(*net.TCPAddr).Port
		}
		if len(all) == n {
			return all, port
		}
		port = 0
	}
	t.Fatal("no port is free at all addresses")
	return nil, 0
}

// delivered is a row of the ledger.
type delivered struct {
	state      string
	next       time.Duration // time until it is tried again; 0 means that it is not
	reply      string
	suppressed bool
}

// deliveryTo returns the state of the latest delivery to a reader.
func (w *world) deliveryTo(address string) (d delivered) {
	w.t.Helper()
	s := must[subscribers.Subscriber](w.t)(w.readers.SubscriberByAddress(w.t.Context(), address))
	d.suppressed = s.Suppressed != ""
	err := w.db.Read(w.t.Context(), func(tx *sql.Tx) error {
		var next sql.Null[time.Time]
		err := tx.QueryRowContext(w.t.Context(), `SELECT state, next_at, reply FROM deliveries WHERE subscriber = $1 ORDER BY id DESC LIMIT 1`, s.ID).
			Scan(&d.state, &next, &d.reply)
		if next.Valid {
			d.next = next.V.Sub(w.now())
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// faultyDomain is a domain whose server fails in a phase.
type faultyDomain struct {
	phase string
	fault smtptest.Fault
	*smtptest.Server
}

func (f faultyDomain) name() string { return f.phase + "-" + f.fault.Name + ".example" }

// want returns the result of the fault according to the table of replies; more than one
// state if it depends on timing.
func (f faultyDomain) want() (states string, from, to time.Duration, suppressed bool) {
	const broken, soon = time.Minute, time.Minute // a connection that broke, or a 421, at first
	back := func(states string) (string, time.Duration, time.Duration, bool) {
		return states, 11 * time.Minute, 19 * time.Minute, false // 15 m, ± a quarter
	}
	atDot := f.phase == "dot" || f.phase == "body"
	switch {
	case f.phase == "quit", f.phase == "handshake",
		f.phase == "ehlo" && f.fault.Code != 0 && f.fault.Code != 421,     // HELO is enough
		f.phase == "starttls" && f.fault.Code != 0 && f.fault.Code != 421: // it continues without TLS, if encryption is not required
		return "sent", 0, 0, false
	case f.fault.Code == 550 && (f.phase == "greeting" || f.phase == "mail"): // no reader was named: the fault is ours
		return "waiting", 5 * time.Minute, 5 * time.Minute, false
	case f.fault.Code == 451 && (f.phase == "greeting" || f.phase == "mail"):
		return "waiting", soon, soon, false
	case f.fault.Code == 451:
		return back("waiting")
	case f.fault.Code == 550: // "no such user" describes the reader, whether it follows RCPT or the message
		return "failed", 0, 0, f.phase == "rcpt" || f.phase == "data" || atDot
	case f.fault.Code == 421 && f.phase == "body": // it disconnects while we write: the reply may not be read
		return "waiting uncertain", soon, 19 * time.Minute, false
	case f.fault.Code == 421:
		return "waiting", soon, soon, false
	case f.phase == "dot":
		return back("uncertain")
	case f.phase == "body": // broken before the dot was written, or after
		return "waiting uncertain", broken, 19 * time.Minute, false
	}
	return "waiting", broken, broken, false
}

// Each domain's own server fails in another way, in another phase: each delivery ends as
// the table of replies says, no wait is longer than its deadline, and mail to a domain with
// a working server is delivered well before those that wait for a deadline. When all
// servers work again, every reader who is not refused gets the email.
func TestFaultsOfServersOfDomains(t *testing.T) {
	t.Parallel()
	const deadline = time.Second
	var domains []faultyDomain
	for _, phase := range smtptest.Phases {
		if phase == "auth" || phase == "rset" {
			continue // see TestFaultsOfRelays
		}
		for _, f := range smtptest.Faults {
			domains = append(domains, faultyDomain{phase: phase, fault: f})
		}
	}
	listeners, port := listenEach(t, len(domains)+1)
	var records []string
	point := func(domain string, l net.Listener) {
		host, _, _ := net.SplitHostPort(l.Addr().String())
		records = append(records, domain+". IN MX 10 mx."+domain+".", "mx."+domain+". IN A "+host)
	}
	for i := range domains {
		domains[i].Server = smtptest.Start(t, listeners[i], domains[i].phase, domains[i].fault)
		point(domains[i].name(), listeners[i])
	}
	well := smtptest.Start(t, listeners[len(domains)], "", smtptest.Fault{})
	point("well.example", listeners[len(domains)])
	records = append(records, "unreachable.example. IN MX 10 mx.unreachable.example.", "mx.unreachable.example. IN A 127.0.100.100")

	w := newWorld(t, sqlite(t))
	l := w.list("weekly", subscribers.Query{})
	for _, d := range domains {
		w.readersAt(d.name(), 1, l)
	}
	w.readersAt("unreachable.example", 1, l)
	w.readersAt("nowhere.example", 1, l)
	const healthy = 200
	w.readersAt("well.example", healthy, l)
	w.composeOne()
	d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
		Server:     mail.Options{Timeouts: allTimeouts(deadline)},
		Direct:     &mail.Router{Resolver: dnstest.Resolver(dnstest.Serve(t, records...)), Port: port},
		StallAfter: deadline / 10, Connections: 8, MessageKey: []byte("key"),
	}))
	must[delivery.Delivered](t)(d.Deliver(t.Context()))
	trust.Report(t, "faulty servers of domains", "%d domains at once; the healthy one has %d of %d", len(domains), len(well.Received()), healthy)

	if n := len(well.Received()); n != healthy {
		t.Errorf("%d of %d messages to the domain whose server is well", n, healthy)
	}
	for _, f := range domains {
		n, longest := f.Faults()
		if n == 0 {
			t.Errorf("%s: the fault was never met", f.name())
		}
		if longest > 3*deadline {
			t.Errorf("%s: a client waited for %s, its deadline is %s", f.name(), longest, deadline)
		}
		got := w.deliveryTo("r0@" + f.name())
		states, from, to, suppressed := f.want()
		if !strings.Contains(states, got.state) || got.next < from || got.next > to || got.suppressed != suppressed {
			t.Errorf("%s: %+v; want %s, again in %s to %s, suppressed %v", f.name(), got, states, from, to, suppressed)
		}
		f.Heal()
	}
	if got := w.deliveryTo("r0@unreachable.example"); got.state != "waiting" {
		t.Errorf("a server that is not reached: %+v", got)
	}
	if got := w.deliveryTo("r0@nowhere.example"); got.state != "failed" || !got.suppressed {
		t.Errorf("a domain that does not exist: %+v", got)
	}
	for range 6 {
		w.advance(time.Hour)
		must[delivery.Delivered](t)(d.Deliver(t.Context()))
	}
	for _, f := range domains {
		copies := f.Received()["r0@"+f.name()]
		states, _, _, _ := f.want()
		most := 1
		if strings.Contains(states, "uncertain") {
			most = 2
		}
		if states == "failed" && copies > 0 || states != "failed" && (copies < 1 || copies > most) {
			t.Errorf("%s: %d copies in the end, after %s", f.name(), copies, states)
		}
	}
}

// With relays: whatever one does until it has our password, the other one is used instead,
// and what one does at RSET costs nobody the email.
func TestFaultsOfRelays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite(t))
	l := w.list("weekly", subscribers.Query{})
	for _, address := range []string{"refused", "next"} { // RSET follows a refusal
		w.reader(address, l)
	}
	start := func(phase string, f smtptest.Fault) *smtptest.Server {
		return smtptest.Start(t, must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0")), phase, f)
	}
	for _, phase := range []string{"greeting", "ehlo", "auth", "rset"} {
		for _, f := range smtptest.Faults {
			name := phase + "/" + f.Name
			first, second := start(phase, f), start("", smtptest.Fault{})
			relay := func(s *smtptest.Server) mail.Options {
				return mail.Options{Addr: s.Addr, TLS: mail.TLSNone, Username: "u", Password: "p", Timeouts: allTimeouts(2 * time.Second)}
			}
			if _, err := w.readers.Unsuppress(t.Context(), "refused@test.example", ""); err != nil {
				t.Fatal(err)
			}
			w.composeOne()
			d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{
				Server: relay(first), Fallbacks: []mail.Options{relay(second)}, Connections: 1, MessageKey: []byte("key"),
			}))
			done := must[delivery.Delivered](t)(d.Deliver(context.WithoutCancel(t.Context())))
			if n, longest := first.Faults(); n != 1 || longest > 6*time.Second {
				t.Errorf("%s: the fault was met %d times, and waited for %s", name, n, longest)
			}
			if done.Failed != 1 || done.Sent+done.Deferred != 1 {
				t.Errorf("%s: %+v; want the one refused, and the other sent or tried later", name, done)
			}
			first.Heal()
			w.advance(2 * time.Hour)
			must[delivery.Delivered](t)(d.Deliver(t.Context()))
			if n := first.Received()["next@test.example"] + second.Received()["next@test.example"]; n != 1 {
				t.Errorf("%s: %d copies", name, n)
			}
		}
	}
}
