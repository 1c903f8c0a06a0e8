package database_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

var backedUpAt = time.Date(2026, 11, 24, 8, 0, 0, 123456000, time.UTC)

// fill stores rows that refer to each other, with texts of all kinds.
func fill(t *testing.T, db *database.DB) {
	t.Helper()
	exec(t, db, `INSERT INTO sources (url, kind, name, next_at, created_at) VALUES ('https://a.example/', 'page', '样例〔2026〕"号"', $1, $1)`, backedUpAt)
	exec(t, db, `INSERT INTO articles (source, guid, url, title, page_state, published_at, collected_at, updated_at)
		VALUES (1, 'g1', 'https://a.example/1', '一', 'complete', $1, $1, $1), (1, 'g2', 'https://a.example/2', '二', 'complete', NULL, $1, $1)`, backedUpAt)
	exec(t, db, `INSERT INTO lists (slug, title, created_at, updated_at) VALUES ('weekly', '周刊', $1, $1)`, backedUpAt)
	exec(t, db, `INSERT INTO matches (list, article, matched_at) SELECT l.id, a.id, $1 FROM lists l, articles a`, backedUpAt)
	exec(t, db, `DELETE FROM matches WHERE article = (SELECT MAX(id) FROM articles)`)
}

func exec(t *testing.T, db *database.DB, query string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func backup(t *testing.T, db *database.DB) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := db.Backup(t.Context(), &b, backedUpAt); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unzip(t *testing.T, b []byte) []string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(all)), "\n")
	slices.Sort(lines)
	return lines
}

// withoutHead removes the line with the last ids: a restore leaves a gap after them.
func withoutHead(t *testing.T, b []byte) []string {
	return slices.DeleteFunc(unzip(t, b), func(line string) bool { return strings.HasPrefix(line, `{"format"`) })
}

// A backup that is restored and made again is the same, whichever databases it passes
// through.
func TestBackupPassesFromDatabaseToDatabase(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, from *database.DB) {
		fill(t, from)
		original := backup(t, from)
		databasetest.Each(t, func(t *testing.T, to *database.DB) {
			rows, madeAt, err := to.Restore(t.Context(), bytes.NewReader(original))
			if err != nil {
				t.Fatal(err)
			}
			if rows != 13 || !madeAt.Equal(backedUpAt) {
				t.Errorf("restored %d rows of %s", rows, madeAt)
			}
			if d := cmp.Diff(withoutHead(t, original), withoutHead(t, backup(t, to))); d != "" {
				t.Error(d)
			}
			// An id that was assigned before the backup is not assigned again.
			exec(t, to, `INSERT INTO matches (list, article, matched_at) SELECT l.id, MAX(a.id), $1 FROM lists l, articles a GROUP BY l.id`, backedUpAt)
			var seq int64
			err = to.Read(t.Context(), func(tx *sql.Tx) error {
				return tx.QueryRowContext(t.Context(), `SELECT MAX(seq) FROM matches`).Scan(&seq)
			})
			if err != nil || seq != 3+1<<24 {
				t.Errorf("the next match is number %d (%v), want one above all that may have been given out", seq, err)
			}
			if _, _, err := to.Restore(t.Context(), bytes.NewReader(original)); !errors.Is(err, database.ErrNotEmpty) {
				t.Errorf("a second restore: %v, want ErrNotEmpty", err)
			}
		})
	})
}

// A broken backup changes nothing.
func TestBrokenBackupsAreRefusedWhole(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		fill(t, db)
		good := backup(t, db)
		lines := func(change func(string) string) []byte {
			r, _ := gzip.NewReader(bytes.NewReader(good))
			all, _ := io.ReadAll(r)
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			io.WriteString(w, change(string(all)))
			w.Close()
			return b.Bytes()
		}
		broken := map[string][]byte{
			"no gzip":     []byte("hello"),
			"cut bytes":   good[:len(good)-20],
			"cut lines":   lines(func(s string) string { return s[:strings.LastIndex(strings.TrimSpace(s), "\n")+1] }),
			"wrong count": lines(func(s string) string { return strings.Replace(s, `{"rows":`, `{"rows":9`, 1) }),
			"unknown table": lines(func(s string) string {
				return strings.Replace(s, `"table":"lists"`, `"table":"lists; DROP TABLE lists"`, 1)
			}),
			"newer schema": lines(func(s string) string { return strings.Replace(s, `"schema":`, `"schema":99`, 1) }),
			"dangling row": lines(func(s string) string { return strings.Replace(s, `[1,1,{"t"`, `[9,1,{"t"`, 1) }),
		}
		databasetest.Each(t, func(t *testing.T, empty *database.DB) {
			before := unzip(t, backup(t, empty))
			for name, b := range broken {
				if _, _, err := empty.Restore(t.Context(), bytes.NewReader(b)); err == nil {
					t.Errorf("%s: restored", name)
				}
				if d := cmp.Diff(before, unzip(t, backup(t, empty))); d != "" {
					t.Errorf("%s left something behind: %s", name, d)
				}
			}
		})
	})
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"format":"dibao-backup","schema":1,"made_at":"2026-11-24T08:00:00Z"}` + "\n" + `{"table":"lists","columns":["id"]}` + "\n[1]\n" + `{"rows":1}`))
	f.Add([]byte(`{"format":"dibao-backup","schema":1}` + "\n" + `{"table":"lists","columns":["id","slug"]}` + "\n" + `[{"t":"x"},{"b":"!"}]`))
	f.Fuzz(func(t *testing.T, lines []byte) {
		db, err := database.Open(t.Context(), "sqlite:"+t.TempDir()+"/x.db", database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write(lines)
		w.Close()
		if rows, _, err := db.Restore(t.Context(), &b); err != nil && rows != 0 {
			t.Errorf("%d rows with an error: %v", rows, err)
		}
	})
}
