package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"sync"

	"dibao/internal/database"
)

// insertion stores rows by few statements: SQLite takes them in lists of fixed
// lengths, so that the statements are parsed once, PostgreSQL all at once as a
// JSON array, since each statement is a journey.
type insertion struct {
	into     string // INSERT INTO …, up to VALUES
	columns  int
	after    string // ON CONFLICT …, behind the values
	postgres string // with the array as $1
}

// rowLists are how many rows one statement of SQLite takes: each row alone costs
// as much again in calls as in storing.
var rowLists = [...]int{32, 8, 1}

// lists remembers the texts of statements with several rows.
var lists sync.Map // listKey to string

type listKey struct {
	into, after string
	rows        int
}

// text is the statement for so many rows of SQLite.
func (in insertion) text(rows int) string {
	key := listKey{in.into, in.after, rows}
	if s, ok := lists.Load(key); ok {
		return s.(string)
	}
	// Parameters without a name: SQLite looks up each by going through those before.
	row := "(" + strings.Repeat("?, ", in.columns-1) + "?)"
	text := in.into + " VALUES " + strings.Repeat(row+", ", rows-1) + row + " " + in.after
	lists.Store(key, text)
	return text
}

// run stores the rows, each of as many values as there are columns. A key must not
// come twice where a conflict updates.
func (in insertion) run(ctx context.Context, tx *sql.Tx, dialect database.Dialect, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if dialect == database.Postgres {
		list, err := json.Marshal(rows)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, in.postgres, string(list))
		return err
	}
	values := make([]any, 0, rowLists[0]*in.columns)
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

func (b *batch) insert(ctx context.Context, in insertion, rows [][]any) error {
	return in.run(ctx, b.tx, b.st.db.Dialect(), rows)
}
