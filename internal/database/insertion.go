package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"sync"
)

// Insertion stores rows with few statements: on SQLite in lists of fixed
// lengths, so that the statements are parsed once; on PostgreSQL all at once as
// a JSON array, since each statement is a round trip.
type Insertion struct {
	Into     string // INSERT INTO …, without VALUES
	Columns  int
	After    string // the text after the values, such as ON CONFLICT …
	Postgres string // the statement for PostgreSQL, with the array as $1
}

// rowLists are the numbers of rows of one SQLite statement: inserting each row alone would
// cost as much again in calls as in storing.
var rowLists = [...]int{32, 16, 8, 4, 2, 1}

// lists caches the texts of statements with several rows.
var lists sync.Map // listKey to string

type listKey struct {
	into, after string
	rows        int
}

// text returns the statement for this many rows in SQLite.
func (in Insertion) text(rows int) string {
	key := listKey{in.Into, in.After, rows}
	if s, ok := lists.Load(key); ok {
		return s.(string)
	}
	// The parameters have no names: SQLite finds a named one by comparing it with those
	// before it.
	row := "(" + strings.Repeat("?, ", in.Columns-1) + "?)"
	text := in.Into + " VALUES " + strings.Repeat(row+", ", rows-1) + row + " " + in.After
	lists.Store(key, text)
	return text
}

// Run stores the rows, each with as many values as there are columns. A key
// must not occur twice if a conflict updates.
func (in Insertion) Run(ctx context.Context, tx *sql.Tx, dialect Dialect, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if dialect == Postgres {
		list, err := json.Marshal(rows)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, in.Postgres, string(list))
		return err
	}
	values := make([]any, 0, rowLists[0]*in.Columns)
	for _, n := range rowLists {
		for ; len(rows) >= n; rows = rows[n:] {
			values = values[:0]
			for _, row := range rows[:n] {
				values = append(values, row...)
			}
			if _, err := tx.ExecContext(ctx, in.text(n), values...); err != nil {
				return err
			}
		}
	}
	return nil
}
