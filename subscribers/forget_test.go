package subscribers

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// fill stores a reader with a row in every table that can refer to one.
func (f *fixture) traces(address string) int64 {
	f.t.Helper()
	ctx := f.t.Context()
	mail := f.ask(address, f.weekly, f.monthly)
	f.confirm(mail.Token, f.weekly, f.monthly)
	x, err := f.SubscriberByAddress(ctx, address)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.SetPreferences(ctx, x.ID, Preferences{Lists: map[int64]Choice{f.weekly.ID: {Themes: []string{"民政"}}}}, testNetwork); err != nil {
		f.t.Fatal(err)
	}
	if err := f.Audit(ctx, AuditEvent{Actor: "root", Action: "subscriber suppress", Target: address, Detail: "wrote from " + address}); err != nil {
		f.t.Fatal(err)
	}
	if err := f.Suppress(ctx, "other@example.org", ReasonAdmin, "friend of "+address); err != nil {
		f.t.Fatal(err)
	}
	err = f.db.Write(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{
			`INSERT INTO mailings (id, due_at, state, created_at) VALUES (1, $1, 'done', $1)`,
			`INSERT INTO variants (id, mailing, key, language, issues) VALUES (1, 1, 'k', 'zh', '[]')`,
		} {
			var err error
			if strings.Contains(q, "$1") {
				_, err = tx.Exec(q, f.now())
			} else {
				_, err = tx.Exec(q)
			}
			if err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`INSERT INTO deliveries (id, mailing, subscriber, variant, state, reply) VALUES (1, 1, $1, 1, 'failed', $2)`, x.ID, "550 <"+address+">: no"); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO feedback (delivery, subscriber, kind, text, at) VALUES (1, $1, 'bounce', $2, $3)`, x.ID, "<"+address+">: no", f.now())
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return x.ID
}

// The test searches every column of every table for the address.
func TestForgetLeavesNoTraceInAnyTable(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		const address = "Zzyzx.Reader@forget.example.org"
		f.traces(address)
		if n := f.hits("zzyzx"); n == 0 {
			t.Fatal("the search finds nothing before")
		}
		if err := f.Forget(t.Context(), address); err != nil {
			t.Fatal(err)
		}
		if n := f.hits("zzyzx"); n != 0 {
			t.Errorf("%d columns still hold the address", n)
		}
		if is, err := f.Suppression(t.Context(), address); err != nil || is == nil || is.Reason != ReasonForgotten {
			t.Errorf("the hash is %+v, %v", is, err)
		}
		if _, err := f.AddConfirmed(t.Context(), address, "zh", []List{f.weekly}, "x"); err == nil {
			t.Error("an admin added a forgotten reader again")
		}
		if out := f.take("email\n" + address + "\n"); out.Added != 0 || out.Refused != 1 {
			t.Errorf("an import added a forgotten reader again: %+v", out)
		}
		if err := f.Forget(t.Context(), address); !errors.Is(err, ErrNotFound) {
			t.Errorf("the second time: %v", err)
		}
		const misspelled = "nobody@forget.example.org"
		if err := f.Forget(t.Context(), misspelled); !errors.Is(err, ErrNotFound) {
			t.Errorf("an address that nobody has: %v", err)
		}
		if is, err := f.Suppression(t.Context(), misspelled); err != nil || is != nil {
			t.Errorf("an address that nobody has is suppressed: %+v, %v", is, err)
		}
		f.clock.Advance(25 * time.Hour)
		if mail := f.ask(address, f.weekly); mail == nil {
			t.Error("a forgotten reader can't subscribe again with the form")
		}
	})
}

// hits counts the columns of all tables that contain a text, in any case.
func (f *fixture) hits(text string) int {
	f.t.Helper()
	columns := f.query(f.db.Dialect().Pick(
		`SELECT m.name || ' ' || p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'`,
		`SELECT table_name || ' ' || column_name FROM information_schema.columns WHERE table_schema = current_schema()`))
	hits := 0
	for line := range strings.Lines(columns) {
		table, column, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n := f.query(fmt.Sprintf(`SELECT COUNT(*) FROM %q WHERE LOWER(CAST(%q AS TEXT)) LIKE $1`, table, column), "%"+text+"%"); n != "0\n" {
			f.t.Logf("%s.%s: %s", table, column, n)
			hits++
		}
	}
	return hits
}

// The test searches the bytes of SQLite's file, its log and its journal: directly after
// forgetting, and after VACUUM.
func TestForgetLeavesNoTraceInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dibao.db")
	db, err := database.Open(t.Context(), "sqlite:"+path, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, db)
	for i := range 300 { // pages around the row are split and merged
		f.reader(fmt.Sprintf("other%d@example.org", i), f.weekly)
	}
	const address = "zzyzx.reader@forget.example.org"
	f.traces(address)
	for i := range 300 {
		f.reader(fmt.Sprintf("more%d@example.org", i), f.weekly)
	}
	if err := f.Forget(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"right after", "after VACUUM"} {
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(bytes.ToLower(b), []byte("zzyzx")) {
				t.Errorf("%s: %s holds the address", when, filepath.Base(name))
			}
		}
		if when == "right after" {
			if _, err := db.JobsDB().Exec("VACUUM"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestPrune(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		f.ask("never@example.org", f.weekly)
		left := f.reader("left@example.org", f.weekly)
		if _, err := f.Unsubscribe(ctx, left, 0, "one-click", testNetwork); err != nil {
			t.Fatal(err)
		}
		f.reader("stays@example.org", f.weekly)
		both := f.reader("both@example.org", f.weekly, f.monthly)
		if _, err := f.Unsubscribe(ctx, both, f.weekly.ID, "one-click", testNetwork); err != nil {
			t.Fatal(err)
		}
		if err := f.Audit(ctx, AuditEvent{Actor: "root", Action: "list create", Target: "list weekly"}); err != nil {
			t.Fatal(err)
		}
		const year = 365 * 24 * time.Hour
		for _, c := range []struct {
			after time.Duration
			want  Pruned
		}{
			{29 * 24 * time.Hour, Pruned{}},
			{2 * 24 * time.Hour, Pruned{Unconfirmed: 1}},
			{0, Pruned{}},
			{year, Pruned{Left: 1, Networks: 1, Audit: 1}},
			{0, Pruned{}},
		} {
			f.clock.Advance(c.after)
			got, err := f.Prune(ctx, year)
			if err != nil || got != c.want {
				t.Errorf("%s later: %+v, %v; want %+v", c.after, got, err, c.want)
			}
		}
		if got := f.states("stays@example.org") + f.states("both@example.org") + f.states("left@example.org") + f.states("never@example.org"); got !=
			"weekly=confirmedweekly=unsubscribed monthly=confirmedunknownunknown" {
			t.Errorf("states %q", got)
		}
		if out := f.take("email\nleft@example.org\n"); out.Added != 0 {
			t.Error("an import subscribed a reader again who unsubscribed long ago")
		}
		// The count of confirmations remains after the reader's row is deleted.
		for range 5 {
			f.ask("never@example.org", f.weekly)
			f.clock.Advance(25 * time.Hour)
		}
		if got := f.query(`SELECT confirmations FROM subscribers WHERE address = 'never@example.org'`); got != "3\n" {
			t.Errorf("confirmations ever: %s, want 3", got)
		}
	})
}
