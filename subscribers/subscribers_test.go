package subscribers

import (
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/subscribers/mailaddr"
)

var (
	testStart   = time.Date(2026, 11, 23, 1, 2, 3, 456789000, time.UTC)
	testNetwork = netip.MustParsePrefix("192.0.2.0/24")
)

// clock does not move until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: testStart} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is a store with a clock, two public lists and a hidden one.
type fixture struct {
	*Store
	t                      *testing.T
	db                     *database.DB
	clock                  *clock
	weekly, monthly, inner List
}

func newFixture(t *testing.T, db *database.DB) *fixture {
	t.Helper()
	f := &fixture{t: t, db: db, clock: newClock()}
	var err error
	if f.Store, err = New(t.Context(), db, f.clock.Now); err != nil {
		t.Fatal(err)
	}
	f.weekly = f.create(List{Slug: "weekly", Title: "民政周报"})
	f.monthly = f.create(List{Slug: "monthly", Title: "每月", Cron: "0 8 1 * *"})
	f.inner = f.create(List{Slug: "inner", Title: "内部", Visibility: Hidden})
	return f
}

func (f *fixture) create(l List) List {
	f.t.Helper()
	created, err := f.CreateList(f.t.Context(), l)
	if err != nil {
		f.t.Fatal(err)
	}
	return created
}

// ask subscribes and returns the confirmation email, nil if there is none.
func (f *fixture) ask(address string, lists ...List) *Confirmation {
	f.t.Helper()
	mail, err := f.Subscribe(f.t.Context(), Request{Address: address, Language: "zh", Lists: lists, Network: testNetwork})
	if err != nil {
		f.t.Fatalf("subscribe %s: %v", address, err)
	}
	return mail
}

func (f *fixture) confirm(token string, lists ...List) {
	f.t.Helper()
	if _, err := f.Confirm(f.t.Context(), token, ids(lists), testNetwork); err != nil {
		f.t.Fatalf("confirm: %v", err)
	}
}

// reader returns the id of a reader who confirmed the lists.
func (f *fixture) reader(address string, lists ...List) int64 {
	f.t.Helper()
	id, err := f.AddConfirmed(f.t.Context(), address, "zh", lists, "signed a form")
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// wipe empties the tables, which is faster than creating a database.
func wipe(t *testing.T, db *database.DB) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		for _, table := range []string{"request_mails", "consents", "subscriptions", "subscribers", "suppressions", "confirmation_counts", "lists"} {
			if _, err := tx.Exec("DELETE FROM " + table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func ids(lists []List) []int64 {
	out := make([]int64, len(lists))
	for i, l := range lists {
		out[i] = l.ID
	}
	return out
}

// states returns a reader's subscriptions as "weekly=confirmed monthly=pending".
func (f *fixture) states(address string) string {
	f.t.Helper()
	x, err := f.SubscriberByAddress(f.t.Context(), address)
	if errors.Is(err, ErrNotFound) {
		return "unknown"
	}
	if err != nil {
		f.t.Fatal(err)
	}
	var out []string
	for _, s := range x.Subscriptions {
		out = append(out, s.Slug+"="+string(s.State))
	}
	return strings.Join(out, " ")
}

// log returns the consent events of a reader as "list event detail" lines.
func (f *fixture) log(address string) string {
	f.t.Helper()
	return f.query(`SELECT COALESCE(l.slug, '-') || ' ' || c.event || ' ' || c.network || ' ' || c.detail
		FROM consents c JOIN subscribers s ON s.id = c.subscriber LEFT JOIN lists l ON l.id = c.list
		WHERE s.address_key = $1 ORDER BY c.id`, mailaddr.Key(address))
}

// dump returns every row of the tables that this package writes.
func (f *fixture) dump() string {
	f.t.Helper()
	var b strings.Builder
	for _, q := range []string{
		`SELECT 'list', id, slug, updated_at, removed_at FROM lists ORDER BY id`,
		`SELECT 'subscriber', id, address, language, confirmations, last_confirmation_at FROM subscribers ORDER BY id`,
		`SELECT 'subscription', subscriber, list, state, created_at, confirmed_at, ended_at FROM subscriptions ORDER BY subscriber, list`,
		`SELECT 'consent', id, subscriber, list, event, at, network, text_version, detail FROM consents ORDER BY id`,
		`SELECT 'suppression', address_hash, reason, note, at FROM suppressions ORDER BY address_hash`,
		`SELECT 'key', id, retired_at FROM secret_keys ORDER BY id`,
	} {
		b.WriteString(f.query(q))
	}
	return b.String()
}

func (f *fixture) query(q string, args ...any) string {
	f.t.Helper()
	var b strings.Builder
	err := f.db.Read(f.t.Context(), func(tx *sql.Tx) error {
		rows, err := tx.Query(q, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			b.WriteString(strings.TrimSuffix(fmt.Sprintln(values...), "\n") + "\n")
		}
		return rows.Err()
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return b.String()
}
