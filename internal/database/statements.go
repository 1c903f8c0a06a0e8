package database

import (
	"context"
	"database/sql/driver"
	"strings"
)

// maxStatements is the maximum number of prepared statements per connection. The program
// has fewer; statements beyond the limit are parsed each time.
const maxStatements = 400

// connector opens SQLite connections that cache their prepared statements. Parsing a
// statement takes longer than running most of them: a first collection spent an eighth of
// its time on it.
type connector struct {
	driver.Connector
	// uninterrupted statements always run to their end: those of the writer are
	// short, and watching the context of each takes a goroutine.
	uninterrupted bool
	begin         string // the statement that begins a transaction
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &keepingConn{sqliteConn: conn.(sqliteConn), uninterrupted: c.uninterrupted, begin: c.begin, kept: make(map[string]*keptStatement)}, nil
}

// sqliteConn contains the methods that database/sql calls and the driver provides.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keepingConn is a connection that caches its prepared statements. Like any connection it
// is used by one goroutine at a time.
type keepingConn struct {
	sqliteConn
	uninterrupted bool
	begin         string
	kept          map[string]*keptStatement
}

type keptStatement struct {
	stmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
	busy bool // its rows are being read
}

// Unwrap gives the driver's own functions their connection.
func (c *keepingConn) Unwrap() driver.Conn { return c.sqliteConn }

// statement returns the prepared statement of a query, marked busy, or nil if it must not
// be cached: it is in use, there are too many, or it does not read or write rows.
func (c *keepingConn) statement(ctx context.Context, query string) (*keptStatement, error) {
	if k, ok := c.kept[query]; ok {
		if k.busy {
			return nil, nil
		}
		k.busy = true
		return k, nil
	}
	verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	switch strings.ToUpper(verb) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK":
	default:
		return nil, nil
	}
	if len(c.kept) >= maxStatements {
		return nil, nil
	}
	stmt, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	k := &keptStatement{busy: true}
	var ok bool
	if k.stmt, ok = stmt.(interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}); !ok {
		return nil, stmt.Close()
	}
	c.kept[query] = k
	return k, nil
}

func (c *keepingConn) watch(ctx context.Context) context.Context {
	if c.uninterrupted {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// ExecContext runs a cached statement, or else lets the connection run it.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.exec(c.watch(ctx), query, args)
}

func (c *keepingConn) exec(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	k, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	defer func() { k.busy = false }()
	return k.stmt.ExecContext(ctx, args)
}

// QueryContext is ExecContext for rows; closing them frees the statement.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := k.stmt.QueryContext(c.watch(ctx), args)
	if err != nil {
		k.busy = false
		return nil, err
	}
	return &keptRows{Rows: rows, of: k}, nil
}

// beginReading begins a transaction that waits for nobody.
const beginReading, beginWriting = "BEGIN", "BEGIN IMMEDIATE"

// BeginTx begins a transaction. The driver would parse its statements each time, and start a
// goroutine to watch its commit.
func (c *keepingConn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if c.begin == beginReading {
		ctx = context.WithoutCancel(ctx)
	}
	if _, err := c.exec(ctx, c.begin, nil); err != nil {
		transaction{c}.Rollback() // it may have begun before its context ended
		return nil, err
	}
	return transaction{c}, nil
}

// transaction ends with cached statements. An end waits for nobody, because the log of SQLite
// has one writer, which has begun.
type transaction struct{ conn *keepingConn }

// Commit leaves the connection without a transaction, as database/sql expects, even if it
// fails.
func (t transaction) Commit() error {
	_, err := t.conn.exec(context.Background(), `COMMIT`, nil)
	if err != nil {
		t.Rollback()
	}
	return err
}

// Rollback returns an error if there is no transaction.
func (t transaction) Rollback() error {
	_, err := t.conn.exec(context.Background(), `ROLLBACK`, nil)
	return err
}

// PrepareContext returns a cached statement; closing it frees it.
func (c *keepingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	k, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.PrepareContext(ctx, query)
	}
	return &lentStatement{c, k}, nil
}

// lentStatement is a cached statement that a caller has prepared.
type lentStatement struct {
	conn *keepingConn
	of   *keptStatement
}

func (s *lentStatement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.of.stmt.ExecContext(s.conn.watch(ctx), args)
}

func (s *lentStatement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.of.stmt.QueryContext(s.conn.watch(ctx), args)
}

func (s *lentStatement) NumInput() int { return s.of.stmt.NumInput() }

// Close can be called twice: database/sql closes what a transaction leaves open.
func (s *lentStatement) Close() error {
	if s.of != nil {
		s.of.busy = false
		s.of = nil
	}
	return nil
}

// Exec and Query are called by database/sql if there is no context.
func (s *lentStatement) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

func (s *lentStatement) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}

func named(args []driver.Value) []driver.NamedValue {
	all := make([]driver.NamedValue, len(args))
	for i, v := range args {
		all[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return all
}

// Close closes the statements, then the connection.
func (c *keepingConn) Close() error {
	for _, k := range c.kept {
		k.stmt.Close()
	}
	c.kept = nil
	return c.sqliteConn.Close()
}

// keptRows frees its statement when it is closed.
type keptRows struct {
	driver.Rows
	of *keptStatement
}

func (r *keptRows) Close() error {
	err := r.Rows.Close()
	r.of.busy = false
	return err
}
