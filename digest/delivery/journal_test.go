package delivery

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

func fileDB(t *testing.T) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A journal's file belongs to one run until that run ends; afterwards,
// complete words can be read from it.
func TestJournalFile(t *testing.T) {
	t.Parallel()
	path := journalPath(fileDB(t), "host/1/ABC/1")
	f, err := createJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"h1 ", "s1 h2 ", "f h2 ", "s2 h3 h", "4"} {
		if err := f.append([]byte(words)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := openJournal(path); !errors.Is(err, errAlive) {
		t.Errorf("a journal in use was opened: %v", err)
	}
	if err := f.close(false); err != nil { // as a kill does
		t.Fatal(err)
	}
	left, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := left.read()
	if err != nil {
		t.Fatal(err)
	}
	if j := parseJournal(text); len(j.sent) != 1 || j.sent[0] != 2 || len(j.handed) != 1 || j.handed[0] != 3 {
		t.Errorf("%q is read as sent %v, handed over %v", text, j.sent, j.handed)
	}
	if err := left.close(true); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a journal that was removed: %v", err)
	}
}

// A failed append leaves no word behind once another one succeeds.
func TestJournalFileAfterFailure(t *testing.T) {
	t.Parallel()
	f, err := createJournal(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.close(true)
	whole := f.file
	if f.file, err = os.Open(whole.Name()); err != nil { // not writable
		t.Fatal(err)
	}
	if err := f.append([]byte("h17 h18 ")); err == nil {
		t.Error("an append that failed went unnoticed")
	}
	f.file.Close()
	f.file = whole
	if err := f.append([]byte("h19 ")); err != nil {
		t.Fatal(err)
	}
	if text, err := f.read(); err != nil || text != "h19 " {
		t.Errorf("read %q, %v", text, err)
	}
}

// Files that runs left behind are removed, except for journals in use, journals of known
// runs, and new ones.
func TestSweepJournals(t *testing.T) {
	t.Parallel()
	db := fileDB(t)
	made := make(map[string]*journalFile)
	for _, owner := range []string{"used", "known", "new", "left"} {
		f, err := createJournal(journalPath(db, owner))
		if err != nil {
			t.Fatal(err)
		}
		made[owner] = f
		if owner != "used" {
			f.close(false)
		}
		if old := time.Now().Add(-time.Hour); owner != "new" {
			if err := os.Chtimes(f.file.Name(), old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	defer made["used"].close(true)
	if err := sweepJournals(db, func(path string) bool { return path == journalPath(db, "known") }); err != nil {
		t.Fatal(err)
	}
	for owner, f := range made {
		_, err := os.Stat(f.file.Name())
		if stays := owner != "left"; (err == nil) != stays {
			t.Errorf("%s: %v, want it to stay: %v", owner, err, stays)
		}
	}
}
