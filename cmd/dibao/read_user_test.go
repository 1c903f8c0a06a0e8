package main

import (
	"database/sql"
	"strings"
	"testing"

	"dibao/cmd/dibao/demo"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// TestReadsNeedNoMoreThanSelect does everything with a read user that has only SELECT, and
// follows every link of the pages with it.
func TestReadsNeedNoMoreThanSelect(t *testing.T) {
	url := databasetest.Postgres(t)
	readURL := strings.Replace(url, "dibao@", "reader_of_dibao@", 1)
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		for _, command := range []string{ // as in docs/security.md
			`CREATE ROLE reader_of_dibao LOGIN`,
			`GRANT USAGE ON SCHEMA public TO reader_of_dibao`,
			`GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_of_dibao`,
			`ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader_of_dibao`,
		} {
			if _, err := tx.ExecContext(t.Context(), command); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dropRole(t, url) })
	asReader, err := database.Open(t.Context(), url, database.Options{ReadURL: readURL})
	if err != nil {
		t.Fatal(err)
	}
	defer asReader.Close()
	err = asReader.Read(t.Context(), func(tx *sql.Tx) error {
		var user string
		var mayWrite bool
		err := tx.QueryRowContext(t.Context(), `SELECT current_user, has_table_privilege('subscribers', 'INSERT, UPDATE, DELETE, TRUNCATE')`).Scan(&user, &mayWrite)
		if user != "reader_of_dibao" || mayWrite {
			t.Errorf("Read is by %s, who may write: %v", user, mayWrite)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := demoOnce(t, demo.Options{ReadURL: readURL, AfterSteps: func(d *demo.Demo) { crawl(t, d) }}, url); err != nil {
		t.Fatal(err)
	}
}

func dropRole(t *testing.T, url string) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	if _, err := db.Exec(`DROP OWNED BY reader_of_dibao; DROP ROLE reader_of_dibao`); err != nil {
		t.Error(err)
	}
}
