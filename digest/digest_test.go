package digest_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/digest/inbound"
	"dibao/feed"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail"
	"dibao/subscribers"
)

// world is a service on a real database with a clock that the test moves.
type world struct {
	t        testing.TB
	db       *database.DB
	articles *feed.Store
	readers  *subscribers.Store
	service  *digest.Service
	mu       sync.Mutex
	at       time.Time
	box      *mailbox.Mailbox
	reject   func(from, to string) *smtp.SMTPError
	addr     string
	serial   int
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func newWorld(t testing.TB, db *database.DB) *world {
	t.Helper()
	return newWorldAt(t, db, "http://127.0.0.1:8080")
}

// newWorldAt is newWorld with the address of its web pages.
func newWorldAt(t testing.TB, db *database.DB, baseURL string) *world {
	t.Helper()
	w := &world{t: t, db: db, at: time.Date(2026, 11, 20, 10, 0, 0, 0, time.FixedZone("CST", 8*3600))}
	var err error
	w.articles = feed.NewStore(db, w.now)
	if w.readers, err = subscribers.New(t.Context(), db, w.now); err != nil {
		t.Fatal(err)
	}
	w.service, err = digest.New(db, w.articles, w.readers, digest.Options{
		BaseURL: baseURL, From: netmail.Address{Address: "dibao@test.example"}, Now: w.now, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.box = mailbox.New(mailbox.Options{Reject: func(from, to string) *smtp.SMTPError {
		w.mu.Lock()
		reject := w.reject
		w.mu.Unlock()
		if reject == nil {
			return nil
		}
		return reject(from, to)
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.box.Run(ctx, l) }()
	t.Cleanup(func() { stop(); <-ended })
	return w
}

// inbound reads returned mail.
func (w *world) inbound() *inbound.Service {
	return inbound.New(w.db, w.readers, w.service.Service, inbound.Options{Now: w.now})
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) refuse(f func(from, to string) *smtp.SMTPError) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reject = f
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *world) list(slug string, q subscribers.Query) subscribers.List {
	w.t.Helper()
	return must[subscribers.List](w.t)(w.readers.CreateList(w.t.Context(), subscribers.List{Slug: slug, Query: q}))
}

func (w *world) reader(name string, lists ...subscribers.List) {
	w.t.Helper()
	must[int64](w.t)(w.readers.AddConfirmed(w.t.Context(), name+"@test.example", "zh", lists, "test"))
}

// article stores an article of today as a source would have provided it.
func (w *world) article(title string) {
	w.t.Helper()
	w.serial++
	err := w.db.Write(w.t.Context(), func(tx *sql.Tx) error {
		at := w.now().UTC()
		if _, err := tx.ExecContext(w.t.Context(), `
			INSERT INTO sources (id, url, kind, name, next_at, created_at) VALUES (1, 'http://a.example/', 'feed', '样例', $1, $1)
			ON CONFLICT (url) DO NOTHING`, at); err != nil {
			return err
		}
		_, err := tx.ExecContext(w.t.Context(), `
			INSERT INTO articles (source, guid, url, title, facts, page_state, collected_at, updated_at)
			VALUES (1, $1, $2, $3, $4, 'complete', $5, $5)`,
			fmt.Sprint(w.serial), fmt.Sprintf("http://a.example/%d", w.serial), title,
			fmt.Sprintf(`{"title":%q,"kind":"document","published_on":%q}`, title, at.Format(time.DateOnly)), at)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) composeDue() []digest.Composed {
	w.t.Helper()
	return must[[]digest.Composed](w.t)(w.service.ComposeDue(w.t.Context()))
}

func (w *world) deliver() delivery.Delivered {
	w.t.Helper()
	d := must[*delivery.Deliverer](w.t)(w.service.NewDeliverer(delivery.Options{
		Server: mail.Options{Addr: w.addr, TLS: mail.TLSNone}, Connections: 2, MessageKey: []byte("key"),
	}))
	return must[delivery.Delivered](w.t)(d.Deliver(w.t.Context()))
}

// week moves the clock to just after the next Monday morning.
func (w *world) week() {
	w.advance(7 * 24 * time.Hour)
}

// to returns the texts of a reader's emails.
func (w *world) to(name string) (texts []string) {
	for _, m := range w.box.Messages() {
		if m.To == name+"@test.example" {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

func (w *world) issueNumbers(composed []digest.Composed) (numbers []int64) {
	for _, c := range composed {
		for _, i := range c.Issues {
			numbers = append(numbers, i.Number)
		}
	}
	return numbers
}

func TestComposeOneIssueForEachDueTime(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.reader("a", w.list("weekly", subscribers.Query{}))
		w.article("甲通知")
		if got := w.composeDue(); len(got) != 0 {
			t.Fatalf("composed %v before Monday", got)
		}
		w.week()
		// Two nodes at the same time, and again: one issue.
		var all sync.WaitGroup
		var mu sync.Mutex
		var numbers []int64
		for range 4 {
			all.Go(func() {
				got, err := w.service.ComposeDue(t.Context())
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				numbers = append(numbers, w.issueNumbers(got)...)
			})
		}
		all.Wait()
		if !slices.Equal(numbers, []int64{1}) {
			t.Fatalf("issues %v, want [1]", numbers)
		}
		w.advance(-3 * 24 * time.Hour) // the clock is set back and forth
		w.composeDue()
		w.advance(3 * 24 * time.Hour)
		if got := w.composeDue(); len(w.issueNumbers(got)) != 0 {
			t.Fatalf("composed %v again", got)
		}
		// If nothing is new, there is no issue and no email. After three weeks without a node, there is one issue.
		w.week()
		if got := w.issueNumbers(w.composeDue()); len(got) != 0 {
			t.Fatalf("issue %v of nothing", got)
		}
		w.article("乙通知")
		w.week()
		w.week()
		w.week()
		if got := w.issueNumbers(w.composeDue()); !slices.Equal(got, []int64{2}) {
			t.Fatalf("issues %v after three weeks, want [2]", got)
		}
		if d := w.deliver(); d.Sent != 2 || len(w.to("a")) != 2 {
			t.Fatalf("%+v sent, %d received; want both issues", d, len(w.to("a")))
		}
	})
}

func TestLateArticleIsCarriedOver(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "small", MaxItems: 2}))
		w.reader("a", l)
		for _, title := range []string{"甲通知", "乙通知", "丙通知"} {
			w.article(title)
			w.advance(time.Minute)
		}
		w.week()
		w.composeDue()
		w.article("丁通知") // arrives while the first issue is being sent
		w.week()
		w.composeDue()
		w.week()
		if got := w.issueNumbers(w.composeDue()); len(got) != 0 {
			t.Fatalf("a third issue %v of two full ones", got)
		}
		w.deliver()
		got := w.to("a")
		if len(got) != 2 {
			t.Fatalf("%d emails, want 2", len(got))
		}
		for _, title := range []string{"甲通知", "乙通知", "丙通知", "丁通知"} {
			n := 0
			for _, text := range got {
				n += strings.Count(text, "· "+title)
			}
			if n != 1 {
				t.Errorf("%s came %d times, want once", title, n)
			}
		}
	})
}

func TestReaderOfSeveralListsGetsOneMailWithEachArticleOnce(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		all, elderly := w.list("all", subscribers.Query{}), w.list("elderly", subscribers.Query{Any: []string{"养老"}})
		later := must[subscribers.List](t)(w.readers.CreateList(t.Context(), subscribers.List{Slug: "later", Cron: "0 9 * * 2"}))
		w.reader("both", all, elderly, later)
		w.reader("one", elderly)
		w.article("养老服务通知")
		w.article("道路通知")
		w.week()
		w.composeDue() // Friday: "all" and "elderly" were due on Monday, "later" on Tuesday
		w.deliver()
		got := w.to("both")
		if len(got) != 1 {
			t.Fatalf("the reader of three lists got %d emails, want 1 (the Tuesday list has nothing new to them)", len(got))
		}
		if !strings.Contains(got[0], "养老服务通知") || !strings.Contains(got[0], "道路通知") {
			t.Fatalf("an article is missing:\n%s", got[0])
		}
		if n := strings.Count(got[0], "· 养老服务通知"); n != 1 {
			t.Fatalf("the article of two lists stands %d times:\n%s", n, got[0])
		}
		if one := w.to("one"); len(one) != 1 || strings.Contains(one[0], "道路通知") {
			t.Fatalf("the reader of one list got %q", one)
		}
	})
}

func TestReaderWhoLeftGetsNothing(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		w.reader("stays", l)
		w.reader("leaves", l)
		w.reader("suppressed", l)
		w.article("甲通知")
		w.week()
		w.composeDue()
		left := must[subscribers.Subscriber](t)(w.readers.SubscriberByAddress(t.Context(), "leaves@test.example"))
		must[[]int64](t)(w.readers.Unsubscribe(t.Context(), left.ID, l.ID, "test", netip.Prefix{}))
		if err := w.readers.Suppress(t.Context(), "suppressed@test.example", "complaint", ""); err != nil {
			t.Fatal(err)
		}
		d := w.deliver()
		if d.Sent != 1 || d.Suppressed != 2 || len(w.to("stays")) != 1 || w.box.Count() != 1 {
			t.Fatalf("%+v; %d received", d, w.box.Count())
		}
	})
}

func TestRepliesDecideWhatIsNext(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		for _, name := range []string{"fine", "grey", "gone", "policy"} {
			w.reader(name, l)
		}
		greylisted := false
		w.refuse(func(_, to string) *smtp.SMTPError {
			switch to {
			case "grey@test.example":
				if !greylisted {
					greylisted = true
					return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
				}
			case "gone@test.example":
				return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
			case "policy@test.example":
				return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "looks like spam"}
			}
			return nil
		})
		w.article("甲通知")
		w.week()
		w.composeDue()
		if d := w.deliver(); d.Sent != 1 || d.Deferred != 1 || d.Failed != 2 {
			t.Fatalf("first run: %+v", d)
		}
		if d := w.deliver(); d.Sent != 0 {
			t.Fatalf("the greylisted one was tried at once: %+v", d)
		}
		w.advance(20 * time.Minute)
		if d := w.deliver(); d.Sent != 1 || len(w.to("grey")) != 1 {
			t.Fatalf("after the pause: %+v", d)
		}
		for name, want := range map[string]bool{"gone": true, "policy": false, "grey": false} {
			s := must[subscribers.Subscriber](t)(w.readers.SubscriberByAddress(t.Context(), name+"@test.example"))
			if (s.Suppressed != "") != want {
				t.Errorf("%s suppressed: %q, want %v", name, s.Suppressed, want)
			}
		}
		report := must[[]delivery.MailingReport](t)(w.service.Report(t.Context(), 1))
		if r := report[0]; r.State != "done" || r.Sent != 2 || r.Failed != 2 {
			t.Fatalf("report %+v", r)
		}
	})
}

func TestServerDownLosesNothing(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.reader("a", w.list("weekly", subscribers.Query{}))
		w.article("甲通知")
		w.week()
		w.composeDue()
		up := w.addr
		closed, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		w.addr = closed.Addr().String()
		closed.Close()
		d := must[*delivery.Deliverer](t)(w.service.NewDeliverer(delivery.Options{Server: mail.Options{Addr: w.addr, TLS: mail.TLSNone}}))
		if _, err := d.Deliver(t.Context()); err == nil {
			t.Fatal("a server that is down went unnoticed")
		}
		w.addr = up
		w.advance(2 * time.Minute)
		if d := w.deliver(); d.Sent != 1 {
			t.Fatalf("after it came back: %+v", d)
		}
	})
}

// Two deliverers of one process share the work and don't take claims from each other.
func TestTwoDeliverersOfOneProcess(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		l := w.list("weekly", subscribers.Query{})
		for i := range 60 {
			w.reader(fmt.Sprint("r", i), l)
		}
		w.article("甲通知")
		w.week()
		w.composeDue()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				d, err := w.service.NewDeliverer(delivery.Options{Server: mail.Options{Addr: w.addr, TLS: mail.TLSNone}, Connections: 2})
				if err != nil {
					t.Error(err)
					return
				}
				if done, err := d.Deliver(t.Context()); err != nil || done.Recovered > 0 {
					t.Errorf("%+v, %v", done, err)
				}
			})
		}
		all.Wait()
		if n := w.box.Count(); n != 60 {
			t.Fatalf("%d messages for 60 readers", n)
		}
	})
}
