package database_test

import (
	"context"
	"database/sql"
	"testing"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// A query that runs again while its rows are still being read, one whose table changed, and
// one that failed all give the right results.
func TestStatementsAreKept(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		err := db.Write(ctx, func(tx *sql.Tx) error {
			for _, q := range []string{`CREATE TABLE kept (n BIGINT PRIMARY KEY)`, `INSERT INTO kept (n) VALUES (1), (2), (3)`} {
				if _, err := tx.ExecContext(ctx, q); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		const insert, all = `INSERT INTO kept (n) VALUES ($1)`, `SELECT * FROM kept ORDER BY n`
		count := func(tx *sql.Tx) int {
			rows, err := database.Collect(ctx, tx, database.ScanOne[int64], `SELECT n FROM kept ORDER BY n`)
			if err != nil {
				t.Fatal(err)
			}
			return len(rows)
		}
		if err := db.Write(ctx, func(tx *sql.Tx) error { _, err := tx.ExecContext(ctx, insert, 1); return err }); !database.IsUniqueViolation(err) {
			t.Fatalf("a second row 1 gave %v", err)
		}
		if err := db.Write(ctx, func(tx *sql.Tx) error {
			prepared, err := tx.PrepareContext(ctx, insert)
			if err != nil {
				return err
			}
			defer prepared.Close()
			if _, err := prepared.ExecContext(ctx, 4); err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, insert, 5) // the same query, while it is prepared
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if db.Dialect() == database.SQLite { // PostgreSQL's driver reads one result at a time
			if err := db.Read(ctx, func(tx *sql.Tx) error {
				rows, err := tx.QueryContext(ctx, `SELECT n FROM kept ORDER BY n`)
				if err != nil {
					return err
				}
				defer rows.Close()
				for n := 0; rows.Next(); n++ {
					if got := count(tx); got != 5 {
						t.Errorf("in row %d the same query finds %d rows", n, got)
					}
				}
				return rows.Err()
			}); err != nil {
				t.Fatal(err)
			}
		}
		columns := func() int {
			var n int
			if err := db.Write(ctx, func(tx *sql.Tx) error {
				rows, err := tx.QueryContext(ctx, all)
				if err != nil {
					return err
				}
				defer rows.Close()
				names, err := rows.Columns()
				n = len(names)
				return err
			}); err != nil && db.Dialect() == database.SQLite {
				t.Fatal(err)
			}
			return n
		}
		before := columns()
		if err := db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `ALTER TABLE kept ADD COLUMN word TEXT`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if after := columns(); db.Dialect() == database.SQLite && (before != 1 || after != 2) {
			t.Errorf("%d columns before the table changed, %d after", before, after)
		}
		stopped, stop := context.WithCancel(ctx)
		stop()
		if err := db.Write(stopped, func(tx *sql.Tx) error { _, err := tx.ExecContext(stopped, insert, 6); return err }); err == nil {
			t.Error("wrote although the context had ended")
		}
	})
}
