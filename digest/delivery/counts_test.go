package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

const countedMailings, countedReaders = 3, 400

// The counts of a mailing equal those of its rows at each moment, whatever several nodes
// and commands do at the same time, and after a move to another database.
func TestCountsAreThoseOfTheRows(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		fillCounted(t, db)
		nodes := 4
		if db.Dialect() == database.SQLite {
			nodes = 1
		}
		var working sync.WaitGroup
		for node := range nodes {
			l := countedLedger(t, db, fmt.Sprint("NODE", node))
			working.Go(func() { takeSteps(t, l, uint64(node), 200) })
			working.Go(func() {
				for range 20 {
					compareCounts(t, db)
				}
			})
		}
		working.Wait()
		compareReports(t, db)
		databasetest.Each(t, func(t *testing.T, to *database.DB) {
			if _, err := db.MoveTo(t.Context(), to, utcNow()); err != nil {
				t.Fatal(err)
			}
			compareReports(t, to)
			takeSteps(t, countedLedger(t, to, "MOVED"), 9, 50)
			compareReports(t, to)
		})
	})
}

func fillCounted(t *testing.T, db *database.DB) {
	t.Helper()
	now := utcNow()
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		for id := range countedReaders {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO subscribers (id, address, address_key, language, created_at) VALUES ($1, $2, $2, 'zh', $3)`,
				id, fmt.Sprintf("r%d@a.example", id), now); err != nil {
				return err
			}
		}
		for id := range countedMailings {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO mailings (id, due_at, state, created_at) VALUES ($1, $2, 'sending', $2)`, id, now.Add(time.Duration(id)*time.Minute)); err != nil {
				return err
			}
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO variants (id, mailing, key, language, issues) VALUES ($1, $1, 'k', 'zh', '[]')`, id); err != nil {
				return err
			}
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO deliveries (mailing, subscriber, variant, state, next_at)
				SELECT $1, id, $1, 'waiting', $2 FROM subscribers WHERE id % 2 = 0`, id, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func countedLedger(t *testing.T, db *database.DB, node string) *Ledger {
	t.Helper()
	l := newLedger(db, utcNow, time.Hour, node)
	l.fail, l.busy = func(err error) { t.Error(err) }, func() int { return 1 }
	if err := l.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

var errRolledBack = errors.New("rolled back")

// takeSteps changes deliveries as runs, commands and deletions of readers do.
func takeSteps(t *testing.T, l *Ledger, seed uint64, n int) {
	random := rand.New(rand.NewPCG(1, seed))
	ctx, now := t.Context(), utcNow()
	mailing := func() int { return random.IntN(countedMailings) }
	reader := func() int { return random.IntN(countedReaders) }
	change := func(statements ...string) func(args ...any) error {
		return func(args ...any) error {
			err := l.db.Write(ctx, func(tx *sql.Tx) error {
				for _, statement := range statements {
					if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
						return err
					}
				}
				if random.IntN(4) == 0 {
					return errRolledBack
				}
				return nil
			})
			if err != nil && (errors.Is(err, errRolledBack) || strings.Contains(err.Error(), "deliveries_subscriber_fkey")) { // a reader who was deleted in the meantime
				return nil
			}
			return err
		}
	}
	outcomes := []outcome{{state: "sent"}, {state: "sent", code: 250}, {state: "failed"}, {state: "suppressed"}, {state: "uncertain"},
		{state: "uncertain", nextAt: now}, {state: "waiting", nextAt: now, untried: true}, {state: "waiting", nextAt: now.Add(time.Hour)}}
	for range n {
		var err error
		switch random.IntN(8) {
		case 0:
			err = change(
				`UPDATE deliveries SET attempts = attempts WHERE subscriber = $1`, // they do not change until the end
				`INSERT INTO mailing_forgotten (mailing, state, count) SELECT mailing, state, COUNT(*) FROM deliveries WHERE subscriber = $1
				 AND (state IN ('sent', 'failed', 'suppressed') OR state = 'uncertain' AND next_at IS NULL) GROUP BY mailing, state
				 ON CONFLICT (mailing, state) DO UPDATE SET count = mailing_forgotten.count + excluded.count`,
				`DELETE FROM subscribers WHERE id = $1`)(reader())
		case 1:
			err = change(`UPDATE deliveries SET state = 'waiting', next_at = $2, done_at = NULL WHERE state = 'failed' AND mailing = $1`)(mailing(), now)
		case 2:
			err = change(`INSERT INTO deliveries (mailing, subscriber, variant, state, next_at)
				SELECT $1, id, $1, 'waiting', $3 FROM subscribers WHERE id > $2 AND id < $2 + 9 ON CONFLICT (mailing, subscriber) DO NOTHING`)(mailing(), reader(), now)
		case 3:
			err = change(`UPDATE deliveries SET state = 'suppressed', next_at = NULL WHERE mailing = $1 AND state IN ('waiting', 'uncertain') AND subscriber % 100 = $2`)(mailing(), random.IntN(100))
		default:
			var claimed []Delivery
			claimed, err = l.claim(ctx, 1+random.IntN(20))
			for _, d := range claimed {
				o := outcomes[random.IntN(len(outcomes))]
				if o.state == "uncertain" && d.Uncertain == 2 {
					o = outcomes[0]
				}
				if random.IntN(20) > 0 { // the others stay claimed
					l.finish(d, o)
				}
			}
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// compareCounts counts all rows. takeSteps records deleted readers in mailing_forgotten.
func compareCounts(t *testing.T, db *database.DB) {
	t.Helper()
	differ, err := differingCounts(t.Context(), db)
	if err != nil || len(differ) > 0 {
		t.Errorf("counts that differ from the rows: %v, %v", differ, err)
	}
}

func differingCounts(ctx context.Context, db *database.DB) (differ []string, err error) {
	err = db.Read(ctx, func(tx *sql.Tx) error {
		differ, err = database.Collect(ctx, tx, database.ScanOne[string], `
			SELECT mailing || ' ' || state || ' ' || SUM(n) FROM (
				SELECT mailing, state, -count AS n FROM mailing_counts
				UNION ALL SELECT mailing, 'all', 1 FROM deliveries
				UNION ALL SELECT mailing, state, 1 FROM deliveries WHERE state NOT IN ('waiting', 'claimed')
				UNION ALL SELECT mailing, 'all', count FROM mailing_forgotten
				UNION ALL SELECT mailing, state, count FROM mailing_forgotten) AS x
			GROUP BY mailing, state HAVING SUM(n) <> 0`)
		return err
	})
	return differ, err
}

// compareReports compares counts and reports with all rows, while nothing else writes.
func compareReports(t *testing.T, db *database.DB) {
	t.Helper()
	compareCounts(t, db)
	s := New(db, nil, ServiceOptions{Now: utcNow, Logger: slog.New(slog.DiscardHandler)})
	reports, err := s.Report(t.Context(), countedMailings)
	if err != nil || len(reports) != countedMailings {
		t.Fatalf("%+v, %v", reports, err)
	}
	for _, r := range reports {
		states := make(map[string]int)
		if err := db.Read(t.Context(), func(tx *sql.Tx) (err error) {
			states, err = database.CollectMap(t.Context(), tx, database.ScanPair[string, int], `SELECT state, CAST(SUM(n) AS BIGINT) FROM (
				SELECT state, 1 AS n FROM deliveries WHERE mailing = $1 UNION ALL SELECT state, count FROM mailing_forgotten WHERE mailing = $1) AS x GROUP BY state`, r.Mailing)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if r.Waiting != states["waiting"] || r.Claimed != states["claimed"] || r.Sent != states["sent"] || r.Failed != states["failed"] ||
			r.Uncertain != states["uncertain"] || r.Suppressed != states["suppressed"] || len(states) < 5 {
			t.Errorf("report %+v of %v", r, states)
		}
	}
}
