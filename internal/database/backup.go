package database

import (
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// A backup is lines of JSON, compressed with gzip. Its form is the same for both
// databases, so that a backup of one can be restored into the other:
//
//	{"format":"dibao-backup","schema":9,"made_at":"…","last_ids":{"articles":812}}
//	{"table":"articles","columns":["id","source",…]}
//	[1,3,…]                       a row; instants are {"t":"…"}, bytes {"b":"…"}
//	{"rows":4711}                 the last line: without it the file was cut off
//
// It omits derived data (the search index) and the tables of the job engine, whose jobs are
// scheduled again as their work becomes due.
type backupHead struct {
	Format  string           `json:"format"`
	Schema  int64            `json:"schema"`
	MadeAt  time.Time        `json:"made_at"`
	LastIDs map[string]int64 `json:"last_ids"` // by table, the last id that was assigned: no id is assigned twice
}

// backupLine is any line except the head and a row.
type backupLine struct {
	Table   string   `json:"table,omitempty"`
	Columns []string `json:"columns,omitempty"`
	Rows    *int64   `json:"rows,omitempty"`
}

const backupFormat = "dibao-backup"

// isDerived reports whether a table is derived from others, belongs to the job
// engine, or describes running processes.
func isDerived(table string) bool {
	for _, prefix := range []string{"river_", "goose_", "sqlite_", "node_", "nodes", "article_search", "search_keys", "search_pending", "traces"} {
		if strings.HasPrefix(table, prefix) {
			return true
		}
	}
	return false
}

// Backup writes the whole database to w in its state at one moment, even if others write at
// the same time. now is recorded in the file. It returns the number of rows.
func (db *DB) Backup(ctx context.Context, w io.Writer, now time.Time) (rows int64, err error) {
	schema, _, err := db.Version(ctx)
	if err != nil {
		return 0, err
	}
	zipped := gzip.NewWriter(w)
	out := json.NewEncoder(zipped)
	out.SetEscapeHTML(false)
	err = db.atOneMoment(ctx, func(tx *sql.Tx) error {
		head := backupHead{Format: backupFormat, Schema: schema, MadeAt: now.UTC()}
		tables, err := db.tables(ctx, tx)
		if err != nil {
			return err
		}
		if head.LastIDs, err = db.lastIDs(ctx, tx, tables); err != nil {
			return err
		}
		if err := out.Encode(head); err != nil {
			return err
		}
		for _, t := range tables {
			if err := out.Encode(backupLine{Table: t.name, Columns: t.columns}); err != nil {
				return err
			}
			n, err := eachRow(ctx, tx, t, func(values []any) error { return out.Encode(values) })
			if err != nil {
				return fmt.Errorf("table %s: %w", t.name, err)
			}
			rows += n
		}
		return out.Encode(backupLine{Rows: &rows})
	})
	if err = errors.Join(err, zipped.Close()); err != nil {
		return 0, fmt.Errorf("back up %s: %w", db, err)
	}
	return rows, nil
}

// atOneMoment reads data that others can't change in the meantime.
func (db *DB) atOneMoment(ctx context.Context, f func(tx *sql.Tx) error) error {
	isolation := &sql.TxOptions{}
	if db.dialect == Postgres { // a SQLite transaction sees one moment anyway
		isolation = &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	}
	return transact(ctx, db.reader, isolation, f)
}

// schemaTable is a table and its stored columns.
type schemaTable struct {
	name    string
	columns []string
}

// tables lists the tables and columns of a backup, sorted, because columns that migrations
// add are in different positions in the two databases.
func (db *DB) tables(ctx context.Context, tx *sql.Tx) ([]schemaTable, error) {
	type column struct{ table, name string }
	all, err := Collect(ctx, tx, func(r Row) (column, error) {
		var c column
		return c, r.Scan(&c.table, &c.name)
	}, db.dialect.Pick(
		// In hidden, 2 and 3 are generated columns, 1 is a virtual table's own column.
		`SELECT m.name, c.name FROM sqlite_master m, pragma_table_xinfo(m.name) c
		 WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND c.hidden = 0 ORDER BY m.name, c.name`,
		`SELECT c.table_name, c.column_name FROM information_schema.columns c
		 JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
		 WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
		 ORDER BY c.table_name COLLATE "C", c.column_name COLLATE "C"`))
	var tables []schemaTable
	for _, c := range all {
		if isDerived(c.table) {
			continue
		}
		if len(tables) == 0 || tables[len(tables)-1].name != c.table {
			tables = append(tables, schemaTable{name: c.table})
		}
		last := &tables[len(tables)-1]
		last.columns = append(last.columns, c.name)
	}
	return tables, err
}

// lastIDs returns the last id that was assigned, for each table with its own ids.
func (db *DB) lastIDs(ctx context.Context, tx *sql.Tx, tables []schemaTable) (map[string]int64, error) {
	type last struct {
		table string
		id    sql.Null[int64]
	}
	all, err := Collect(ctx, tx, func(r Row) (last, error) {
		var l last
		return l, r.Scan(&l.table, &l.id)
	}, db.dialect.Pick(
		`SELECT name, seq FROM sqlite_sequence`,
		`SELECT c.table_name, s.last_value FROM information_schema.columns c
		 JOIN pg_sequences s ON quote_ident(s.schemaname) || '.' || quote_ident(s.sequencename) = pg_get_serial_sequence(quote_ident(c.table_name), c.column_name)
		 WHERE c.table_schema = current_schema() AND c.is_identity = 'YES'`))
	ids := make(map[string]int64)
	for _, l := range all {
		if l.id.Valid && slices.ContainsFunc(tables, func(t schemaTable) bool { return t.name == l.table }) {
			ids[l.table] = l.id.V
		}
	}
	return ids, err
}

// quoted quotes identifiers of the schema for a statement.
func quoted(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }

// eachRow calls f with the values of each row in the form of a backup; the next row
// overwrites them.
func eachRow(ctx context.Context, tx *sql.Tx, t schemaTable, f func(values []any) error) (n int64, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+quoted(t.columns)+" FROM "+quoted([]string{t.name}))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	values := make([]any, len(t.columns))
	dest := make([]any, len(t.columns))
	for i := range values {
		dest[i] = &values[i]
	}
	for ; rows.Next(); n++ {
		if err := rows.Scan(dest...); err != nil {
			return n, err
		}
		for i, v := range values {
			switch v := v.(type) {
			case time.Time:
				values[i] = backupValue{Time: &v}
			case []byte:
				values[i] = backupValue{Bytes: &v}
			}
		}
		if err := f(values); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

// backupValue is a value without a form in JSON.
type backupValue struct {
	Time  *time.Time `json:"t,omitempty"`
	Bytes *[]byte    `json:"b,omitempty"`
}

// ErrNotEmpty says that a backup would overwrite the data in a database.
var ErrNotEmpty = errors.New("the database already contains data; restore into a new one")

// Restore reads a backup into an empty database, and migrates it to this
// program's schema: completely or not at all. It returns the number of rows and
// when the backup was made.
func (db *DB) Restore(ctx context.Context, r io.Reader) (rows int64, madeAt time.Time, err error) {
	return db.restoreWith(ctx, r, restoreGap)
}

// restoreWith is Restore with a gap of this many ids between those of the backup and new
// ones.
func (db *DB) restoreWith(ctx context.Context, r io.Reader, gap int64) (rows int64, madeAt time.Time, err error) {
	head, lines, err := openBackup(r)
	if err != nil {
		return 0, time.Time{}, err
	}
	if err := db.migrateTo(ctx, head.Schema); err != nil {
		return 0, time.Time{}, err
	}
	err = db.Write(ctx, func(tx *sql.Tx) error {
		rows, err = db.restore(ctx, tx, head, lines, gap)
		return err
	})
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("restore into %s: %w", db, err)
	}
	return rows, head.MadeAt, db.Migrate(ctx)
}

// migrateTo migrates an empty database to the schema of a backup.
func (db *DB) migrateTo(ctx context.Context, schema int64) error {
	p, err := db.provider()
	if err != nil {
		return err
	}
	current, latest, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case schema < 1 || schema > latest:
		return fmt.Errorf("the backup has schema %d and this program supports %d; run the dibao that made it", schema, latest)
	case current > schema:
		return fmt.Errorf("the backup has schema %d and the database %d; restore into a database that was never opened, such as --database sqlite:new.db", schema, current)
	}
	_, err = p.UpTo(ctx, schema)
	return err
}

func (db *DB) restore(ctx context.Context, tx *sql.Tx, head backupHead, lines *lineReader, gap int64) (rows int64, err error) {
	tables, err := db.tables(ctx, tx)
	if err != nil {
		return 0, err
	}
	known := make(map[string][]string, len(tables))
	for _, t := range tables {
		known[t.name] = t.columns
	}
	left := maps.Clone(known) // tables that have not been read yet
	restoreKeys, err := db.suspendForeignKeys(ctx, tx)
	if err != nil {
		return 0, err
	}
	restoreTriggers, err := db.suspendTriggers(ctx, tx)
	if err != nil {
		return 0, err
	}
	if err := clear(ctx, tx, tables); err != nil {
		return 0, err
	}
	var insert *sql.Stmt
	var width int
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) > 0 && line[0] == '[' {
			if insert == nil {
				return 0, errors.New("the backup is damaged; use another one: a row precedes its table")
			}
			values, err := decodeRow(line, width)
			if err != nil {
				return 0, err
			}
			if _, err := insert.ExecContext(ctx, values...); err != nil {
				return 0, err
			}
			rows++
			continue
		}
		var l backupLine
		if err := json.Unmarshal(line, &l); err != nil {
			return 0, fmt.Errorf("the backup is damaged; use another one: %w", err)
		}
		if insert != nil {
			insert.Close()
			insert = nil
		}
		if l.Rows != nil {
			if *l.Rows != rows {
				return 0, fmt.Errorf("the backup is damaged; use another one: it should have %d rows and has %d", *l.Rows, rows)
			}
			if err := restoreTriggers(); err != nil {
				return 0, err
			}
			if err := restoreKeys(); err != nil {
				return 0, err
			}
			return rows, db.setLastIDs(ctx, tx, head.LastIDs, gap, known) // last, because PostgreSQL's sequences can't be set back
		}
		if width = len(l.Columns); width == 0 || width > len(left[l.Table]) || !isSubset(l.Columns, left[l.Table]) {
			return 0, fmt.Errorf("the backup is damaged; use another one: this schema has no table %q with such columns, or the table occurs twice", l.Table)
		}
		delete(left, l.Table)
		if insert, err = tx.PrepareContext(ctx, insertStatement(l.Table, l.Columns)); err != nil {
			return 0, err
		}
	}
	return 0, errors.Join(errors.New("the backup is truncated; use another one"), lines.Err())
}

func isSubset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// insertStatement returns a statement with names of the schema only.
func insertStatement(table string, columns []string) string {
	params := make([]string, len(columns))
	for i := range params {
		params[i] = fmt.Sprintf("$%d", i+1)
	}
	return "INSERT INTO " + quoted([]string{table}) + " (" + quoted(columns) + ") VALUES (" + strings.Join(params, ", ") + ")"
}

// clear removes the rows that migrations and the first start inserted, and
// refuses a database that was used.
func clear(ctx context.Context, tx *sql.Tx, tables []schemaTable) error {
	var used bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sources) OR EXISTS (SELECT 1 FROM lists) OR EXISTS (SELECT 1 FROM subscribers)`).Scan(&used)
	if err != nil {
		return err
	}
	if used {
		return ErrNotEmpty
	}
	for _, t := range tables {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+quoted([]string{t.name})); err != nil {
			return err
		}
	}
	return nil
}

// suspendForeignKeys allows inserting rows in any order; the returned function checks them
// all.
func (db *DB) suspendForeignKeys(ctx context.Context, tx *sql.Tx) (check func() error, err error) {
	if db.dialect == SQLite {
		_, err := tx.ExecContext(ctx, `PRAGMA defer_foreign_keys = ON`) // until the commit, which checks them
		return func() error { return nil }, err
	}
	type key struct{ table, name, definition string }
	keys, err := Collect(ctx, tx, func(r Row) (key, error) {
		var k key
		return k, r.Scan(&k.table, &k.name, &k.definition)
	}, `SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
		WHERE contype = 'f' AND connamespace = current_schema()::regnamespace`)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if _, err := tx.ExecContext(ctx, "ALTER TABLE "+k.table+" DROP CONSTRAINT "+k.name); err != nil {
			return nil, err
		}
	}
	return func() error {
		for _, k := range keys {
			if _, err := tx.ExecContext(ctx, "ALTER TABLE "+k.table+" ADD CONSTRAINT "+k.name+" "+k.definition); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// suspendTriggers prevents inserted rows from adding rows that are inserted themselves. The
// returned function restores the triggers.
func (db *DB) suspendTriggers(ctx context.Context, tx *sql.Tx) (restore func() error, err error) {
	type statement struct{ off, on string }
	all, err := Collect(ctx, tx, func(r Row) (s statement, err error) {
		return s, r.Scan(&s.off, &s.on)
	}, db.dialect.Pick(
		`SELECT 'DROP TRIGGER "' || name || '"', sql FROM sqlite_master WHERE type = 'trigger'`,
		`SELECT DISTINCT 'ALTER TABLE ' || tgrelid::regclass::text || ' DISABLE TRIGGER USER', 'ALTER TABLE ' || tgrelid::regclass::text || ' ENABLE TRIGGER USER'
		 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace`))
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if _, err := tx.ExecContext(ctx, s.off); err != nil {
			return nil, err
		}
	}
	return func() error {
		for _, s := range all {
			if _, err := tx.ExecContext(ctx, s.on); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// restoreGap is the number of ids between those of a backup and those of new rows. Ids that
// were assigned after the backup was made are in mailed tokens, and the keys that sign
// these are restored: these ids must never belong to somebody else.
const restoreGap = 1 << 24

// setLastIDs makes new rows get ids after all that were ever assigned.
func (db *DB) setLastIDs(ctx context.Context, tx *sql.Tx, ids map[string]int64, gap int64, known map[string][]string) error {
	for table, id := range ids {
		if known[table] == nil || id < 1 {
			continue
		}
		id += gap
		if db.dialect == SQLite {
			if _, err := tx.ExecContext(ctx, `DELETE FROM sqlite_sequence WHERE name = $1`, table); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)`, table, id); err != nil {
				return err
			}
			continue
		}
		if _, err := tx.ExecContext(ctx, `SELECT setval(pg_get_serial_sequence(quote_ident(table_name), column_name), $2)
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 AND is_identity = 'YES'`, table, id); err != nil {
			return err
		}
	}
	return nil
}
