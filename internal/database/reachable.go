package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// restartWithin is how long a node waits for a PostgreSQL that restarts, from the first error to
	// the last call. It is shorter than the 90 s after which systemd ends a service that does not
	// start; if the first call takes longer than the difference, systemd starts the node again.
	restartWithin = time.Minute
	retryEvery    = time.Second
)

// RetryUntilReachable runs f, and runs it again each second for up to a minute while its error means
// that PostgreSQL can't be reached, is starting or is stopping. It returns other errors,
// such as a wrong password, at once. It logs that it waits.
func RetryUntilReachable(ctx context.Context, log *slog.Logger, f func() error) error {
	// The first call may take long before it fails, since PostgreSQL no longer answers. That is not part of the minute.
	for begun := (time.Time{}); ; {
		err := f()
		if err == nil && !begun.IsZero() {
			log.Info("the database can be reached again", "after", time.Since(begun).Round(time.Second))
		}
		if err == nil || !isUnreachable(err) || !begun.IsZero() && time.Since(begun) > restartWithin {
			return err
		}
		if begun.IsZero() {
			begun = time.Now()
			log.Warn("the database can't be reached; this node tries again for a minute before it gives up", "err", err)
		}
		timer := time.NewTimer(retryEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

// ErrUnreachable is part of the errors of [DB.Read] and [DB.Write] if PostgreSQL can't be
// reached, is starting or is stopping: the data to be stored may be valid.
var ErrUnreachable = errors.New("the database can't be reached")

// unreachableError adds ErrUnreachable to an error whose text already says this.
type unreachableError struct{ error }

func (e unreachableError) Unwrap() []error { return []error{e.error, ErrUnreachable} }

func markUnreachable(err error) error {
	if err != nil && isUnreachable(err) {
		return unreachableError{err}
	}
	return err
}

// isUnreachable reports whether an error comes from the connection to the server, or from a
// server that is starting, stopping, has no free connection or ended a transaction in which this
// process did nothing (appendix A of PostgreSQL's manual).
func isUnreachable(err error) bool {
	if errors.Is(err, ErrUnreachable) {
		return true
	}
	switch pgCode(err) {
	case "57P01", "57P02", "57P03", "53300", "25P03":
		return true
	case "":
	default:
		return false
	}
	var connection *net.OpError
	var name *net.DNSError
	var connect *pgconn.ConnectError
	return errors.As(err, &connection) || errors.As(err, &name) || errors.As(err, &connect) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err)
}
