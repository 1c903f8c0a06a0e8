package database

import (
	"errors"
	"fmt"
	"os"
)

// ErrLocked says that another process has locked a file.
var ErrLocked = errors.New("another process has locked the file")

// Daemon makes this process the only daemon on a SQLite database, until it is released. Two
// daemons would collect each source twice and wait for each other. On PostgreSQL the nodes
// share the work, and any number can run.
func (db *DB) Daemon() (release func(), err error) {
	if db.dialect != SQLite {
		return func() {}, nil
	}
	f, err := os.OpenFile(db.Path()+"-daemon", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock database %s: %w", db.path, err)
	}
	if err := LockFile(f); err != nil {
		f.Close()
		if errors.Is(err, ErrLocked) {
			return nil, fmt.Errorf("another dibao serve runs on database %s; stop it first, or use PostgreSQL for several nodes", db.path)
		}
		return nil, fmt.Errorf("lock database %s: %w", db.path, err)
	}
	// The file stays: if it were removed, two processes could lock two files with the same
	// name.
	return func() { f.Close() }, nil
}
