package delivery

import (
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// bigReaders and bigMailings make a ledger of ten million deliveries. The last mailing is
// being sent: half of it is done, some in the last minute.
const bigReaders, bigMailings = 1_000_000, 10

// fillLedger fills it without checking foreign keys, which are valid, and builds the
// indexes afterwards.
var fillLedger = fmt.Sprintf(`
SET session_replication_role = replica;
CREATE TEMP TABLE built AS SELECT indexdef, indexname FROM pg_indexes WHERE tablename = 'deliveries' AND indexname NOT LIKE '%%_key' AND indexname NOT LIKE '%%_pkey';
DO $$ DECLARE name TEXT; BEGIN FOR name IN SELECT indexname FROM built LOOP EXECUTE 'DROP INDEX ' || name; END LOOP; END $$;
INSERT INTO lists (slug, title, created_at, updated_at) VALUES ('weekly', '样例周报', now(), now());
INSERT INTO subscribers (id, address, address_key, language, created_at, last_confirmation_at) SELECT n, 'r' || n || '@x' || n %% 50 || '.example', 'r' || n || '@x' || n %% 50 || '.example', 'zh', now() - interval '5 years', now() - interval '5 years' FROM generate_series(1, %[1]d) n;
INSERT INTO subscriptions (subscriber, list, state, created_at, ended_at) SELECT n, (SELECT MIN(id) FROM lists), CASE WHEN n %% 1000 = 0 THEN 'unsubscribed' ELSE 'confirmed' END, now() - interval '5 years', CASE WHEN n %% 1000 = 0 THEN now() - interval '4 years' END FROM generate_series(1, %[1]d) n;
INSERT INTO mailings (id, due_at, state, created_at, done_at) SELECT n, now() - (%[2]d - n) * interval '7 days', CASE WHEN n < %[2]d THEN 'done' ELSE 'sending' END, now() - (%[2]d - n) * interval '7 days', CASE WHEN n < %[2]d THEN now() END FROM generate_series(1, %[2]d) n;
INSERT INTO variants (id, mailing, key, language, issues) SELECT n, n, 'k', 'zh', '[]' FROM generate_series(1, %[2]d) n;
INSERT INTO deliveries (mailing, subscriber, variant, state, next_at, attempts, done_at) SELECT m, s, m,
	CASE WHEN m < %[2]d OR s <= %[1]d / 2 THEN CASE WHEN s %% 500 = 1 THEN 'failed' ELSE 'sent' END ELSE 'waiting' END,
	CASE WHEN m < %[2]d OR s <= %[1]d / 2 THEN NULL ELSE now() - interval '10 minutes' END, 1,
	CASE WHEN m < %[2]d OR s <= %[1]d / 2 THEN now() - (%[2]d - m) * interval '7 days' - (%[1]d / 2 - s %% (%[1]d / 2)) * interval '2 milliseconds' END
	FROM generate_series(1, %[2]d) m, generate_series(1, %[1]d) s;
DO $$ DECLARE def TEXT; BEGIN FOR def IN SELECT indexdef FROM built LOOP EXECUTE def; END LOOP; END $$;
INSERT INTO mailing_counts (mailing, state, slot, count) SELECT mailing, 'all', 0, COUNT(*) FROM deliveries GROUP BY mailing
	UNION ALL SELECT mailing, state, 0, COUNT(*) FROM deliveries WHERE state <> 'waiting' GROUP BY mailing, state;
SELECT setval(pg_get_serial_sequence('subscribers', 'id'), %[1]d);
SET session_replication_role = DEFAULT;
ANALYZE`, bigReaders, bigMailings)

// timed runs f this many times and returns the median duration and the 99th percentile.
func timed(t *testing.T, times int, f func() error) (median, p99 time.Duration) {
	t.Helper()
	all := make([]time.Duration, times)
	for i := range all {
		begun := time.Now()
		if err := f(); err != nil {
			t.Fatal(err)
		}
		all[i] = time.Since(begun)
	}
	slices.Sort(all)
	return all[times/2], all[(times*99-1)/100]
}

// With ten million deliveries, claims, reports and pruning are as fast as with few, and no query
// reads the whole table. Other programs may keep the machine busy, so the limits apply to the
// median; the figures include the 99th percentile.
func TestLedgerOfTenMillion(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("fills a ledger of ten million deliveries; set DIBAO_LONG=1")
	}
	url, _ := databasetest.PostgresOfItsOwn(t)
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := t.Context()
	conn, err := db.JobsDB().Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for query := range strings.SplitSeq(fillLedger, ";\n") {
		if _, err := conn.ExecContext(ctx, query); err != nil {
			t.Fatalf("%v: %.200s", err, query)
		}
	}
	if _, err := conn.ExecContext(ctx, `VACUUM`); err != nil { // as autovacuum does
		t.Fatal(err)
	}
	conn.Close()
	t.Logf("filled in %s", time.Since(begun).Round(time.Second))
	readers, err := subscribers.New(ctx, db, utcNow)
	if err != nil {
		t.Fatal(err)
	}
	s := New(db, readers, ServiceOptions{Now: utcNow, Logger: slog.New(slog.DiscardHandler)})

	l := newLedger(db, utcNow, time.Hour, "NODE")
	l.fail, l.busy = func(err error) { t.Error(err) }, func() int { return 1 }
	if err := l.begin(ctx); err != nil {
		t.Fatal(err)
	}
	median, p99 := timed(t, 300, func() error {
		got, err := l.claim(ctx, 128)
		if err == nil && len(got) != 128 {
			err = fmt.Errorf("%d were claimed", len(got))
		}
		return err
	})
	trust.Report(t, "claim of 128 of 10 million deliveries", "half within %s, 99 of 100 within %s", median.Round(100*time.Microsecond), p99.Round(100*time.Microsecond))
	if median > 20*time.Millisecond {
		t.Errorf("half of the claims take %s; the limit is 20ms", median)
	}
	median, p99 = timed(t, 100, func() error {
		r, err := s.ReportOf(ctx, bigMailings)
		if err == nil && (r.Sent+r.Failed != bigReaders/2 || r.Claimed != 300*128) {
			err = fmt.Errorf("%+v", r)
		}
		return err
	})
	trust.Report(t, "report of a mailing to a million of 10 million deliveries", "half within %s, 99 of 100 within %s", median.Round(time.Millisecond), p99.Round(time.Millisecond))
	if median > 100*time.Millisecond {
		t.Errorf("half of the reports take %s; the limit is 100ms", median)
	}
	for _, q := range []struct {
		query string
		args  []any
	}{
		{claimPostgres, []any{l.owner, utcNow(), bigMailings, 128}},
		{`SELECT ` + reportColumns + ` FROM mailings m WHERE m.id = $1`, []any{bigMailings}},
		{sentSincePostgres, []any{bigMailings, utcNow().Add(-rateWindow)}},
		{`DELETE FROM subscribers WHERE id = $1`, []any{1}},
	} {
		if plan := planOf(t, db, q.query, q.args...); strings.Contains(plan, "Seq Scan on deliveries") {
			t.Errorf("%s\nreads all deliveries:\n%s", q.query, plan)
		}
	}
	pruned, err := readers.Prune(ctx, 365*24*time.Hour)
	if err != nil || pruned.Left != bigReaders/1000 {
		t.Fatalf("%+v, %v", pruned, err)
	}
	_, background := db.WriteTimes()
	median, p99 = background.Hold.Quantile(0.5), background.Hold.Quantile(0.99)
	trust.Report(t, "pruning 1,000 of a million readers", "%d transactions, half within %s, 99 of 100 within %s", background.Hold.Count, median.Round(time.Millisecond), p99.Round(time.Millisecond))
	if median > 100*time.Millisecond {
		t.Errorf("half of the transactions of pruning take %s; the limit is 100ms", median)
	}
	var deliveries int
	if err := db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM deliveries`).Scan(&deliveries)
	}); err != nil || deliveries != (bigReaders-bigReaders/1000)*bigMailings {
		t.Errorf("%d deliveries are left, %v", deliveries, err)
	}
}

// planOf returns PostgreSQL's plan for a statement.
func planOf(t *testing.T, db *database.DB, query string, args ...any) string {
	t.Helper()
	var lines []string
	err := db.Write(t.Context(), func(tx *sql.Tx) (err error) {
		lines, err = database.Collect(t.Context(), tx, database.ScanOne[string], `EXPLAIN `+query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
