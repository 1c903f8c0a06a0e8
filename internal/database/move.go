package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Sum is a checksum of a table: the same in either database.
type Sum struct {
	Rows  int64
	Check uint64 // checksum of all rows, whatever their order
}

// Sums returns the sum of each table of a backup.
func (db *DB) Sums(ctx context.Context) (map[string]Sum, error) {
	sums := make(map[string]Sum)
	err := db.atOneMoment(ctx, func(tx *sql.Tx) error {
		tables, err := db.tables(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range tables {
			var s Sum
			s.Rows, err = eachRow(ctx, tx, t, func(values []any) error {
				text, err := json.Marshal(values)
				h := sha256.Sum256(text)
				s.Check += binary.LittleEndian.Uint64(h[:])
				return err
			})
			if err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
			sums[t.name] = s
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", db, err)
	}
	return sums, nil
}

// MoveTo copies everything into an empty database, in one transaction there, and compares
// the two. While it runs and afterwards, this database refuses work: see [DB.Moved]. If it
// fails, discard the other database; this one is then open or closed as before.
func (db *DB) MoveTo(ctx context.Context, to *DB, now time.Time) (rows int64, err error) {
	wasClosed := db.Moved(ctx) != nil
	if err := db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM node_moves`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO node_moves (address, began_at) VALUES ($1, $2)`, to.String(), now)
		return err
	}); err != nil {
		return 0, fmt.Errorf("close %s: %w", db, err)
	}
	defer func() {
		if err != nil && !wasClosed {
			err = errors.Join(err, db.Reopen(context.WithoutCancel(ctx)))
		}
	}()
	in, out := io.Pipe()
	go func() {
		_, err := db.Backup(ctx, out, now)
		out.CloseWithError(err)
	}()
	rows, _, err = to.restoreWith(ctx, in, 0) // no ids were assigned since
	in.CloseWithError(errors.New("the other database failed"))
	if err != nil {
		return 0, err
	}
	before, err := db.Sums(ctx)
	if err != nil {
		return 0, err
	}
	after, err := to.Sums(ctx)
	if err != nil {
		return 0, err
	}
	var differ []string
	for _, table := range slices.Sorted(maps.Keys(before)) {
		if before[table] != after[table] {
			differ = append(differ, table)
		}
	}
	if len(differ) > 0 {
		return 0, fmt.Errorf("%s and %s differ in the tables %s; delete the new database and migrate again", to, db, strings.Join(differ, ", "))
	}
	return rows, nil
}

// Reopen lets a database that was moved be used again.
func (db *DB) Reopen(ctx context.Context) error {
	return db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM node_moves`)
		return err
	})
}

// MovedError says that the database was moved to another, or is being moved.
type MovedError struct {
	To string    // address of the other database, without a password
	At time.Time // its location is the zone of the date in the error
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("this database was moved to %s on %s; set url in [database] to that, or work with this one again: dibao migrate --stay", e.To, e.At.Format(time.DateOnly))
}

// Moved returns a [MovedError] if this database was moved to another, or is being moved.
func (db *DB) Moved(ctx context.Context) error {
	return db.Read(ctx, func(tx *sql.Tx) error {
		var address string
		var began time.Time
		err := tx.QueryRowContext(ctx, `SELECT address, began_at FROM node_moves`).Scan(&address, &began)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return &MovedError{To: address, At: began}
	})
}
