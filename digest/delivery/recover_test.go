package delivery

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// claimedByDead stores a run that claimed four deliveries and handed over three: 1 was
// sent, 2 was not answered, and 3 reached its dot only if the journal is a file that says
// so.
func claimedByDead(t *testing.T, db *database.DB, owner string) *journalFile {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	row, file := "h1 s1 h2 h3 ", "h1 h2 "
	if db.Dialect() == database.SQLite {
		row, file = "", "h1 s1 h2 "
	}
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO mailings (id, due_at, state, created_at) VALUES (1, $1, 'sending', $1)`, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO variants (id, mailing, key, language, issues) VALUES (1, 1, 'k', 'zh', '[]')`); err != nil {
			return err
		}
		for i := range 4 {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO subscribers (id, address, address_key, language, created_at) VALUES ($1, $2, $2, 'zh', $3)`,
				i+1, fmt.Sprintf("r%d@a.example", i), now); err != nil {
				return err
			}
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO deliveries (id, mailing, subscriber, variant, state, next_at, attempts, claimed_by)
				VALUES ($1, 1, $1, 1, 'claimed', $2, 1, $3)`, i+1, now, owner); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(t.Context(), `INSERT INTO delivery_runs (owner, lease_until, journal) VALUES ($1, $2, $3)`, owner, now.Add(-time.Hour), row)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := createJournal(journalPath(db, owner))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.append([]byte(file)); err != nil {
		t.Fatal(err)
	}
	return f
}

func utcNow() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// A living run keeps its claims whatever its lease says. After a run has ended, only
// deliveries that reached their dot may have been sent, and the others lose no attempt.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		const owner = "DEAD/1"
		file := claimedByDead(t, db, owner)
		l := newLedger(db, utcNow, time.Minute, "LIVING")
		if n, err := l.recover(t.Context()); n != 0 || err != nil {
			t.Fatalf("%d claims taken from a run that lives, %v", n, err)
		}
		if err := file.close(false); err != nil { // as a kill does
			t.Fatal(err)
		}
		if n, err := l.recover(t.Context()); n != 4 || err != nil {
			t.Fatalf("%d claims taken back, %v; want 4", n, err)
		}
		var got []string
		err := db.Read(t.Context(), func(tx *sql.Tx) error {
			var err error
			got, err = database.Collect(t.Context(), tx, database.ScanOne[string], `SELECT state || ' ' || attempts || ' ' || uncertain FROM deliveries ORDER BY id`)
			return err
		})
		if want := "[sent 1 0 uncertain 1 1 waiting 0 0 waiting 0 0]"; err != nil || fmt.Sprint(got) != want {
			t.Errorf("got %v, %v; want %s", got, err, want)
		}
		if _, err := openJournal(file.file.Name()); err == nil {
			t.Error("the journal is still there")
		}
	})
}

// If a run's journal is not on this machine, such as that of a run in another container,
// only the lease says when the run has ended, whatever its name is.
func TestOthersKeepTheirLease(t *testing.T) {
	t.Parallel()
	url := databasetest.Postgres(t)
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	owner := fmt.Sprintf("%s/%d/OTHER/1", host, os.Getpid()) // in the format of earlier releases
	if err := claimedByDead(t, db, owner).close(true); err != nil {
		t.Fatal(err)
	}
	l := newLedger(db, utcNow, time.Minute, "LIVING")
	lease := func(end time.Time) {
		t.Helper()
		err := db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE delivery_runs SET lease_until = $1`, end)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	lease(time.Now().Add(time.Hour))
	if n, err := l.recover(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d claims taken from a run whose lease holds, %v", n, err)
	}
	lease(time.Now().Add(-time.Second))
	if n, err := l.recover(t.Context()); n != 4 || err != nil {
		t.Fatalf("%d claims taken back, %v; want 4", n, err)
	}
}
