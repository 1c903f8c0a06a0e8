package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

func insertKey(ctx context.Context, tx *sql.Tx, secret string, at time.Time) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO secret_keys (secret, created_at) VALUES ($1, $2) RETURNING id`, secret, at).Scan(&id)
	return id, err
}

func countKeys(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM secret_keys`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWrite(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		at := time.Date(2026, 11, 23, 8, 0, 0, 123456000, time.UTC)

		t.Run("RollsBackOnError", func(t *testing.T) {
			boom := errors.New("boom")
			err := db.Write(ctx, func(tx *sql.Tx) error {
				if _, err := insertKey(ctx, tx, "a", at); err != nil {
					return err
				}
				return boom
			})
			if !errors.Is(err, boom) || countKeys(t, db) != 0 {
				t.Fatalf("err %v, %d rows; want boom and none", err, countKeys(t, db))
			}
		})
		t.Run("RollsBackOnPanic", func(t *testing.T) {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was swallowed")
					}
				}()
				_ = db.Write(ctx, func(tx *sql.Tx) error {
					if _, err := insertKey(ctx, tx, "a", at); err != nil {
						t.Error(err)
					}
					panic("boom")
				})
			}()
			if n := countKeys(t, db); n != 0 {
				t.Fatalf("%d rows after a panic, want 0", n)
			}
		})
		t.Run("KeepsTimesToTheMicrosecondInUTC", func(t *testing.T) {
			shanghai := time.FixedZone("CST", 8*3600)
			var got time.Time
			err := db.Write(ctx, func(tx *sql.Tx) error {
				id, err := insertKey(ctx, tx, "b", at.In(shanghai))
				if err != nil {
					return err
				}
				return tx.QueryRowContext(ctx, `SELECT created_at FROM secret_keys WHERE id = $1 AND created_at <= $2`, id, at).Scan(&got)
			})
			if err != nil || !got.Equal(at) || got.Location() != time.UTC {
				t.Fatalf("got %v (%v), err %v; want %v in UTC", got, got.Location(), err, at)
			}
		})
		t.Run("UniqueViolationIsRecognized", func(t *testing.T) {
			insert := func(ctx context.Context) error {
				return db.Write(ctx, func(tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, `INSERT INTO suppressions (address_hash, reason, at) VALUES ('x', 'test', $1)`, at)
					return err
				})
			}
			if err := insert(ctx); err != nil {
				t.Fatal(err)
			}
			if err := insert(ctx); !database.IsUniqueViolation(err) {
				t.Fatalf("second insert: %v; want a unique violation", err)
			}
		})
		t.Run("TwentyWritersAllCommit", func(t *testing.T) {
			before := countKeys(t, db)
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if err := db.Write(ctx, func(tx *sql.Tx) error {
						_, err := insertKey(ctx, tx, "c", at)
						return err
					}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if got := countKeys(t, db) - before; got != 20 {
				t.Fatalf("%d rows, want 20", got)
			}
		})
	})
}

func TestReadRefusesToWrite(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		err := db.Read(t.Context(), func(tx *sql.Tx) error {
			_, err := insertKey(t.Context(), tx, "a", time.Now())
			return err
		})
		if err == nil {
			t.Fatal("a read transaction wrote a row")
		}
	})
}

func TestSubqueriesOfJSONArrays(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var ids, texts int
		err := db.Read(t.Context(), func(tx *sql.Tx) error {
			err := tx.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM (`+db.Dialect().IDs("$1")+`) AS x`, `[1,22,333]`).Scan(&ids)
			if err != nil {
				return err
			}
			return tx.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM (`+db.Dialect().Texts("$1")+`) AS x`, `["甲","it's"]`).Scan(&texts)
		})
		if err != nil || ids != 3 || texts != 2 {
			t.Fatalf("got %d ids and %d texts, err %v; want 3 and 2", ids, texts, err)
		}
	})
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatalf("migrating again: %v", err)
		}
		current, latest, err := db.Version(t.Context())
		if err != nil || current != latest || latest < 1 {
			t.Fatalf("version %d of %d, err %v", current, latest, err)
		}
		err = db.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Fatalf("a newer schema gave %v; want a refusal that says so", err)
		}
	})
}

// A SQLite database has one daemon at a time; a PostgreSQL database can have many.
func TestDaemon(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		release, err := db.Daemon()
		if err != nil {
			t.Fatal(err)
		}
		second, err := db.Daemon()
		switch {
		case db.Dialect() == database.Postgres && err != nil:
			t.Errorf("a second node: %v", err)
		case db.Dialect() == database.SQLite && (err == nil || !strings.Contains(err.Error(), "another dibao serve runs")):
			t.Errorf("a second daemon: %v, want that it is refused", err)
		}
		if second != nil {
			second()
		}
		release()
		if release, err = db.Daemon(); err != nil {
			t.Fatalf("after the first has ended: %v", err)
		}
		release()
	})
}

func TestOpenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	notDatabase := filepath.Join(dir, "text.db")
	if err := os.WriteFile(notDatabase, []byte(strings.Repeat("this is not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ url, want string }{
		"Memory":      {"sqlite::memory:", "path of a file"},
		"NoPath":      {"sqlite:", "path of a file"},
		"NoFolder":    {"sqlite:" + filepath.Join(dir, "missing", "x.db"), "create it first"},
		"NoDatabase":  {"sqlite:" + notDatabase, "check that"},
		"Scheme":      {"mysql://x", "sqlite:PATH"},
		"Unreachable": {"postgres://dibao:geheim@127.0.0.1:1/dibao", "check that PostgreSQL runs"},
		"BadURL":      {"postgres://dibao:geheim@127.0.0.1:port/dibao", "postgres://USER"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := database.Open(t.Context(), c.url, database.Options{})
			if err == nil {
				db.Close()
				t.Fatalf("%s opened", c.url)
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "geheim") {
				t.Fatalf("%s: %q; want %q in it and no password", c.url, err, c.want)
			}
		})
	}
}

// lastReleased is the latest migration of the last release. Raise it with each release.
const lastReleased = 61

// The program of the last release must work with all later migrations, so they only add. A
// table or column that it uses is dropped one release later.
func TestMigrationsAdd(t *testing.T) {
	t.Parallel()
	takes := regexp.MustCompile(`(?i)\bDROP (?:TABLE|COLUMN)|\bRENAME\b|\bALTER COLUMN\b|\bADD CONSTRAINT\b|\bCREATE UNIQUE INDEX\b`)
	column := regexp.MustCompile(`(?i)\bADD COLUMN [^;]*;`)
	files, err := filepath.Glob("migrations/*/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	for _, file := range files {
		var number int
		if _, err := fmt.Sscanf(filepath.Base(file), "%d_", &number); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if number <= lastReleased {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		up = regexp.MustCompile(`--[^\n]*`).ReplaceAllString(up, "")
		if found := takes.FindString(up); found != "" {
			t.Errorf("%s: %s; nodes of the last release may need what was there", file, found)
		}
		for _, added := range column.FindAllString(up, -1) {
			if strings.Contains(added, "NOT NULL") && !strings.Contains(added, "DEFAULT") {
				t.Errorf("%s: %s nodes of the last release insert rows without it", file, added)
			}
		}
	}
}
