package database_test

import (
	"bytes"
	"database/sql"
	"maps"
	"strings"
	"testing"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// The other database has the same content, and the old database is closed until an admin
// opens it again.
func TestMove(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, from *database.DB) {
		fill(t, from)
		databasetest.Each(t, func(t *testing.T, to *database.DB) {
			if rows, err := from.MoveTo(t.Context(), to, backedUpAt); err != nil || rows != 13 {
				t.Fatalf("%d rows, %v", rows, err)
			}
			if err := from.Moved(t.Context()); err == nil || !strings.Contains(err.Error(), to.String()) {
				t.Errorf("the old database says %v", err)
			}
			if err := to.Moved(t.Context()); err != nil {
				t.Errorf("the new database says %v", err)
			}
			// Ids continue without the gap of a backup, because none was assigned in
			// between.
			exec(t, to, `INSERT INTO matches (list, article, matched_at) SELECT l.id, MAX(a.id), $1 FROM lists l, articles a GROUP BY l.id`, backedUpAt)
			var seq int64
			if err := to.Read(t.Context(), func(tx *sql.Tx) error {
				return tx.QueryRowContext(t.Context(), `SELECT MAX(seq) FROM matches`).Scan(&seq)
			}); err != nil || seq != 3 {
				t.Errorf("the next match is number %d (%v), want 3", seq, err)
			}
			// A second move finds data, and leaves both databases unchanged: the new one may be
			// in use.
			if _, err := from.MoveTo(t.Context(), to, backedUpAt); err == nil {
				t.Error("moved over what was there")
			}
			if err := from.Moved(t.Context()); err == nil {
				t.Error("a second move that failed opens the old database again")
			}
			if err := from.Reopen(t.Context()); err != nil || from.Moved(t.Context()) != nil {
				t.Errorf("opened again: %v, %v", err, from.Moved(t.Context()))
			}
			// A first move that fails does not close the database.
			if _, err := from.MoveTo(t.Context(), to, backedUpAt); err == nil || from.Moved(t.Context()) != nil {
				t.Errorf("after a first move that failed: %v, %v", err, from.Moved(t.Context()))
			}
		})
	})
}

// One different value changes the sum of its table, and of no other.
func TestSums(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		fill(t, db)
		sums := func(db *database.DB) map[string]database.Sum {
			t.Helper()
			s, err := db.Sums(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		before := sums(db)
		databasetest.Each(t, func(t *testing.T, other *database.DB) {
			if _, _, err := other.Restore(t.Context(), bytes.NewReader(backup(t, db))); err != nil {
				t.Fatal(err)
			}
			if after := sums(other); !maps.Equal(before, after) {
				t.Errorf("%v is %v elsewhere", before, after)
			}
			exec(t, other, `UPDATE lists SET title = 'another'`)
			for table, s := range sums(other) {
				if table != "changes" && (s != before[table]) != (table == "lists") { // a trigger records changes
					t.Errorf("%s: %v, before %v", table, s, before[table])
				}
			}
		})
	})
}
