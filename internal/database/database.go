// Package database opens dibao's database, SQLite or PostgreSQL, migrates it and runs
// transactions on it. It knows the schema, but no features.
//
// SQLite has one writer connection (BEGIN IMMEDIATE), a pool of readers that see committed
// rows, and a separate connection for the job engine; PostgreSQL uses one pool for all three.
// Times are UTC, and callers truncate them to microseconds, the precision of PostgreSQL.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Dialect is the kind of database.
type Dialect int

// The dialects.
const (
	SQLite Dialect = iota
	Postgres
)

// Pick returns the text for the dialect.
func (d Dialect) Pick(sqlite, postgres string) string {
	if d == Postgres {
		return postgres
	}
	return sqlite
}

// String returns the dialect's name in URLs.
func (d Dialect) String() string { return d.Pick("sqlite", "postgres") }

// Options are the options for using the database. The zero value of a field means the
// default next to it.
type Options struct {
	MaxConnections int // 10 for PostgreSQL, 4 readers for SQLite
	// ReadURL is the URL of the same PostgreSQL database with a read-only user, for Read.
	// "" means url.
	ReadURL string
}

// DB is an open database.
type DB struct {
	dialect              Dialect
	writer, reader, jobs *sql.DB
	shown                string // the URL without its password
	path                 string // path of SQLite's file
	writes               atomic.Int64
	gate                 gate          // in front of the writer
	backgroundReads      chan struct{} // slots that background reads occupy
	times                writeTimes
}

// Open connects to sqlite:PATH, postgres://… or postgresql://…; it does not
// migrate. It creates a missing SQLite file, but not its folder.
func Open(ctx context.Context, rawURL string, opts Options) (*DB, error) {
	scheme, rest, _ := strings.Cut(rawURL, ":")
	switch scheme {
	case "sqlite":
		if opts.ReadURL != "" {
			return nil, errors.New("read_url in [database] is for PostgreSQL only: SQLite's readers cannot write; remove it")
		}
		return openSQLite(ctx, strings.TrimPrefix(rest, "//"), opts)
	case "postgres", "postgresql":
		return openPostgres(ctx, rawURL, opts)
	}
	return nil, errors.New("database URL is neither sqlite:PATH nor postgres://…; set url in [database] or --database")
}

// File returns the path of the file in a URL; "" for PostgreSQL.
func File(rawURL string) string {
	path, ok := strings.CutPrefix(rawURL, "sqlite:")
	if !ok {
		return ""
	}
	return strings.TrimPrefix(path, "//")
}

func openSQLite(ctx context.Context, path string, opts Options) (*DB, error) {
	if path == "" || strings.Contains(path, ":memory:") {
		return nil, errors.New("database URL sqlite: needs the path of a file, such as sqlite:dibao.db")
	}
	if dir := filepath.Dir(path); dir != "." {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("database %s: the folder %s does not exist; create it first", path, dir)
		}
	}
	// Only its owner may read a new file, because it contains the readers. SQLite gives its
	// log the same permissions. If the file can't be created, SQLite's error is clearer.
	if f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		f.Close()
	}
	readers := opts.MaxConnections
	if readers <= 0 {
		readers = 4
	}
	db := &DB{dialect: SQLite, shown: "sqlite:" + path, path: path, gate: gate{free: 1}, backgroundReads: make(chan struct{}, max(1, readers/2))}
	for _, pool := range []struct {
		db    **sql.DB
		conns int
		begin string
		extra string
	}{
		{&db.writer, 1, beginWriting, "&_pragma=secure_delete(1)&_pragma=wal_autocheckpoint(4000)"}, // deleted data is also erased from the file
		{&db.reader, readers, beginReading, "&_pragma=query_only(1)&_pragma=cache_size(-4096)"},
		{&db.jobs, 1, beginWriting, ""},
	} {
		// The path is escaped so that ? and # in it do not begin parameters.
		dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
			"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)" +
			"&_time_format=sqlite&_timezone=UTC" + pool.extra
		plain, err := sqlite.NewConnector(dsn)
		if err != nil {
			return nil, fmt.Errorf("database %s: %w", path, err)
		}
		conn := sql.OpenDB(connector{plain, pool.db == &db.writer, pool.begin})
		conn.SetMaxOpenConns(pool.conns)
		conn.SetMaxIdleConns(pool.conns)
		*pool.db = conn
	}
	// The writer first: it creates the file and its WAL, which readers must not do.
	for _, conn := range []*sql.DB{db.writer, db.reader} {
		if err := conn.PingContext(ctx); err != nil {
			db.Close()
			if explained := Explain(err); explained != err {
				return nil, fmt.Errorf("database %s: %w", path, explained)
			}
			return nil, fmt.Errorf("database %s cannot be opened: %v; check that dibao can write the file and its folder", path, err)
		}
	}
	return db, nil
}

func openPostgres(ctx context.Context, rawURL string, opts Options) (*DB, error) {
	pool, shown, err := openPool(ctx, rawURL, "url", opts)
	if err != nil {
		return nil, err
	}
	// Background reads leave connections for the others.
	free := max(1, pool.Stats().MaxOpenConnections/2)
	db := &DB{dialect: Postgres, writer: pool, reader: pool, jobs: pool, shown: shown, gate: gate{free: free, only: true}, backgroundReads: make(chan struct{}, max(1, free/2))}
	if opts.ReadURL == "" {
		return db, nil
	}
	if db.reader, _, err = openPool(ctx, opts.ReadURL, "read_url", opts); err != nil {
		db.reader = pool
		db.Close()
		return nil, err
	}
	return db, nil
}

// pgerrcodeNoDatabase is the SQLSTATE invalid_catalog_name.
const pgerrcodeNoDatabase = "3D000"

// openPool connects to the URL in a key of [database].
func openPool(ctx context.Context, rawURL, key string, opts Options) (pool *sql.DB, shown string, err error) {
	config, err := pgx.ParseConfig(rawURL)
	if err != nil {
		// The error of ParseConfig may contain the URL, and the URL a password.
		return nil, "", errors.New("database URL is not a PostgreSQL URL; write " + key + " in [database] as postgres://USER@HOST:PORT/NAME")
	}
	shown = fmt.Sprintf("postgres://%s@%s:%d/%s", config.User, config.Host, config.Port, config.Database)
	pool = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(_ context.Context, c *pgx.Conn) error {
		c.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}))
	conns := opts.MaxConnections
	if conns <= 0 {
		conns = 10
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		if refused := new(pgconn.PgError); errors.As(err, &refused) && refused.Code == pgerrcodeNoDatabase {
			return nil, "", fmt.Errorf("database %s does not exist; create it with: createdb -h %s -p %d -U %s %s", shown, config.Host, config.Port, config.User, config.Database)
		}
		return nil, "", fmt.Errorf("database %s can't be reached: %w; check that PostgreSQL runs there and that %s in [database] is right", shown, reason(err), key)
	}
	return pool, shown, nil
}

// reason extracts the cause from a connection error, whose text contains the
// whole connection configuration.
func reason(err error) error {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) && connect.Unwrap() != nil {
		return connect.Unwrap()
	}
	return err
}

// Dialect returns the kind of database.
func (db *DB) Dialect() Dialect { return db.dialect }

// String returns the URL without its password.
func (db *DB) String() string { return db.shown }

// Path returns the path of SQLite's file, with links resolved, for files that
// must be next to it; "" for PostgreSQL.
func (db *DB) Path() string {
	if real, err := filepath.EvalSymlinks(db.path); err == nil && db.path != "" {
		return real
	}
	return db.path
}

// JobsDB returns the connections for the job engine: one for SQLite.
func (db *DB) JobsDB() *sql.DB { return db.jobs }

// ClockSkew returns how far the clock of the database server is ahead of ours.
// SQLite uses ours.
func (db *DB) ClockSkew(ctx context.Context) (skew time.Duration, err error) {
	if db.dialect == SQLite {
		return 0, nil
	}
	err = db.Read(ctx, func(tx *sql.Tx) error {
		var theirs time.Time
		asked := time.Now()
		if err := tx.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&theirs); err != nil {
			return err
		}
		skew = theirs.Sub(asked.Add(time.Since(asked) / 2))
		return nil
	})
	return skew, err
}

// Close closes all connections; running transactions fail.
func (db *DB) Close() error {
	var errs []error
	seen := make(map[*sql.DB]bool)
	for _, c := range []*sql.DB{db.reader, db.jobs, db.writer} {
		if c != nil && !seen[c] {
			seen[c] = true
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// Read runs f in a read-only transaction, so that f reads one consistent state.
// Reads under a context of Background leave half of the connections to others,
// so f must not call Read.
func (db *DB) Read(ctx context.Context, f func(tx *sql.Tx) error) error {
	if classOf(ctx) == background {
		select {
		case db.backgroundReads <- struct{}{}:
			defer func() { <-db.backgroundReads }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return transact(ctx, db.reader, &sql.TxOptions{ReadOnly: db.dialect == Postgres}, f)
}

// writeTries is the maximum number of runs of a transaction that PostgreSQL aborts.
const writeTries = 5

// maxBusy is how long a transaction waits for another process that writes to
// SQLite's file, such as dibao collect next to the daemon. It retries every 10
// s (busy_timeout).
const maxBusy = 50 * time.Second

// Write runs f in a transaction, which is committed if f returns nil.
// PostgreSQL may abort a transaction (serialization failure, deadlock); then f
// is run again from its beginning, so it must not keep the results of an
// earlier run. On SQLite f must not call Write. Writes under a context of
// Background wait for all others.
func (db *DB) Write(ctx context.Context, f func(tx *sql.Tx) error) error {
	c, asked := classOf(ctx), time.Now()
	if err := db.gate.enter(ctx, c); err != nil {
		return err
	}
	defer db.gate.leave(c)
	begun := time.Now()
	defer func() { db.times.add(c, begun.Sub(asked), time.Since(begun)) }()
	for try := 1; ; try++ {
		err := transact(ctx, db.writer, nil, f)
		if isBusy(err) && time.Since(begun) < maxBusy && ctx.Err() == nil {
			continue // another process is writing; the transaction was rolled back
		}
		if err == nil || try >= writeTries || !isBrokenOff(err) {
			db.writes.Add(1) // even a failed transaction may have been committed
			return err
		}
	}
}

// Writes returns the number of write transactions of this process. While it does not
// change, only other processes can have changed anything.
func (db *DB) Writes() int64 { return db.writes.Load() }

func transact(ctx context.Context, conn *sql.DB, opts *sql.TxOptions, f func(tx *sql.Tx) error) error {
	tx, err := conn.BeginTx(ctx, opts)
	if err != nil {
		return markUnreachable(Explain(err))
	}
	defer tx.Rollback() // after a commit it does nothing; after a panic it frees the writer
	if err := f(tx); err != nil {
		return markUnreachable(Explain(err))
	}
	return markUnreachable(Explain(tx.Commit()))
}

// PostgreSQL's class codes (appendix A of its manual).
const (
	pgUniqueViolation      = "23505"
	pgSerializationFailure = "40001"
	pgDeadlockDetected     = "40P01"
)

func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

func isBrokenOff(err error) bool {
	c := pgCode(err)
	return c == pgSerializationFailure || c == pgDeadlockDetected
}

func isBusy(err error) bool {
	c := sqliteCode(err) & 0xff
	return c == sqlite3.SQLITE_BUSY || c == sqlite3.SQLITE_LOCKED
}

// IsUniqueViolation reports whether an error says that a unique key forbids a row.
func IsUniqueViolation(err error) bool {
	c := sqliteCode(err)
	return pgCode(err) == pgUniqueViolation || c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// Explain adds advice to errors that an admin can correct, in this package and for others
// that query the database. SQLite reports a page that the disk can't read as damaged.
func Explain(err error) error {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("another program has been writing to the database for a minute: %w; end it, or run the command again later", err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("database can't be written: %w; check the permissions of the file and its folder", err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("disk is full: %w; free space and run again: nothing was lost", err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("disk failed: %w; look for its errors in the system log, and check what is damaged: dibao doctor", err)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %v; check that url in [database] names the right file; if so, %s", ErrDamaged, err, restoreAdvice)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %v; %s", ErrDamaged, err, restoreAdvice)
	}
	return err
}

// ErrDamaged says that SQLite's file does not contain what SQLite wrote: a page
// was overwritten or lost.
var ErrDamaged = errors.New("database file is damaged")

const restoreAdvice = "look for errors of the disk in the system log, stop dibao, move the file and its -wal and -shm files away, and read the newest backup into a new file with: dibao restore FILE"

// Check reads SQLite's whole file and returns ErrDamaged, with the fault and advice, if a
// page of it is damaged. It takes about a second per gigabyte. On PostgreSQL, which has its
// own checksums, it does nothing.
func (db *DB) Check(ctx context.Context) error {
	if db.dialect != SQLite {
		return nil
	}
	var found string
	if err := db.reader.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&found); err != nil {
		return Explain(err)
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s; %s", ErrDamaged, strings.ReplaceAll(found, "\n", " "), restoreAdvice)
	}
	return nil
}

// Flush moves committed data from SQLite's log into its file, so that neither contains
// deleted data. While others read, it does what it can; the next call moves the rest.
// PostgreSQL does this by itself.
func (db *DB) Flush(ctx context.Context) error {
	if db.dialect != SQLite {
		return nil
	}
	_, err := db.writer.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return Explain(err)
}

// Megabytes returns the size of the database.
func (db *DB) Megabytes(ctx context.Context) (float64, error) {
	var size int64
	err := db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, db.Dialect().Pick(
			`SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`, `SELECT pg_database_size(current_database())`)).Scan(&size)
	})
	return float64(size) / (1 << 20), err
}
