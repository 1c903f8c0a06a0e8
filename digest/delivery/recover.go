package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"dibao/internal/database"
)

// recover releases the claims of runs that ended: deliveries that their journals record as
// sent are sent; those handed over without a reply get at most one more copy; the rest is
// tried as if nothing had happened.
func (l *Ledger) recover(ctx context.Context) (n int, err error) {
	runs := make(map[string]time.Time) // lease by owner
	err = l.db.Read(ctx, func(tx *sql.Tx) error {
		for _, query := range []string{
			// Rows whose run is not in the table were claimed by an older version.
			`SELECT DISTINCT claimed_by, lease_until FROM deliveries WHERE state = 'claimed' AND claimed_by NOT IN (SELECT owner FROM delivery_runs)`,
			`SELECT owner, lease_until FROM delivery_runs`,
		} {
			leases, err := database.CollectMap(ctx, tx, database.ScanPair[string, sql.Null[time.Time]], query)
			if err != nil {
				return err
			}
			for owner, lease := range leases {
				runs[owner] = lease.V
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for owner, lease := range runs {
		if owner == l.owner {
			continue
		}
		taken, err := l.recoverRun(ctx, owner, lease)
		if err != nil {
			return n, fmt.Errorf("claims of %s: %w", owner, err)
		}
		n += taken
	}
	return n, sweepJournals(l.db, func(journal string) bool {
		for owner := range runs {
			if journalPath(l.db, owner) == journal {
				return true
			}
		}
		return false
	})
}

// recoverRun releases the claims of a run, if it has ended. The lock of its journal proves
// that; if there is none, only its lease does: containers may have the same host name and
// process id.
func (l *Ledger) recoverRun(ctx context.Context, owner string, lease time.Time) (n int, err error) {
	now := l.now()
	file, err := openJournal(journalPath(l.db, owner))
	switch {
	case errors.Is(err, errAlive):
		return 0, nil
	case err == nil:
		text, err := file.read()
		if err == nil {
			n, err = l.takeOver(ctx, owner, &text, now)
		}
		return n, errors.Join(err, file.close(err == nil))
	case !l.inRow() && !errors.Is(err, fs.ErrNotExist):
		return 0, err
	}
	if !lease.Before(now) {
		return 0, nil
	}
	return l.takeOver(ctx, owner, nil, now)
}

// takeOver ends a run whose process has ended; file is the content of the run's
// file, nil if there is none. If two nodes try, one of them finds no run.
func (l *Ledger) takeOver(ctx context.Context, owner string, file *string, now time.Time) (n int, err error) {
	ids := l.db.Dialect().IDs("$3")
	ofRun := ` WHERE state = 'claimed' AND claimed_by = $2`
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		n = 0
		// Deleting the row makes sure that the run can't hand over anything any more, even
		// if it is still alive.
		texts, err := database.Collect(ctx, tx, database.ScanOne[string], `DELETE FROM delivery_runs WHERE owner = $1 RETURNING journal`, owner)
		if err != nil {
			return err
		}
		j := parseJournal(strings.Join(texts, ""))
		switch {
		case file != nil && l.inRow(): // only those that reached their final dot were handed over
			dots := parseJournal(*file).handed
			j.handed = slices.DeleteFunc(j.handed, func(id int64) bool { return !slices.Contains(dots, id) })
		case file != nil:
			j = parseJournal(*file)
		}
		for _, step := range []struct {
			statement string
			named     bool
			ids       []int64
		}{
			{`UPDATE deliveries SET state = 'sent', next_at = NULL, done_at = $1, handed_attempt = attempts, claimed_by = '', lease_until = NULL` +
				ofRun + ` AND id IN (` + ids + `)`, true, j.sent},
			{`UPDATE deliveries SET state = 'uncertain', uncertain = uncertain + 1, handed_attempt = attempts,
				next_at = NULL, done_at = $1, first_tried_at = COALESCE(first_tried_at, $1), claimed_by = '', lease_until = NULL` + ofRun + ` AND uncertain > 0 AND id IN (` + ids + `)`, true, j.handed},
			{`UPDATE deliveries SET state = 'uncertain', uncertain = uncertain + 1, handed_attempt = attempts,
				next_at = $1, first_tried_at = COALESCE(first_tried_at, $1), claimed_by = '', lease_until = NULL` + ofRun + ` AND uncertain = 0 AND id IN (` + ids + `)`, true, j.handed},
			// An attempt that was not handed over does not count.
			{`UPDATE deliveries SET state = 'waiting', next_at = $1, attempts = attempts - 1,
				first_tried_at = COALESCE(first_tried_at, $1), claimed_by = '', lease_until = NULL` + ofRun, false, nil},
		} {
			args := []any{now, owner}
			if step.named {
				args = append(args, database.JSON(append([]int64{}, step.ids...)))
			}
			res, err := tx.ExecContext(ctx, step.statement, args...)
			if err != nil {
				return err
			}
			affected, err := res.RowsAffected()
			if err != nil {
				return err
			}
			n += int(affected)
		}
		return nil
	})
	return n, err
}

// stopped is the condition that a delivery d waits for what an admin may have corrected.
const stopped = `d.state = 'waiting' AND d.reply <> '' AND (d.attempts = 0 OR d.reply_code >= 500) AND NOT ` + ownLimit

// retryNow makes deliveries due that wait because no server accepted them, or
// after a final reply (5xx): such replies are about us, not the reader, and an
// admin who asks for a try has fixed the cause. Deliveries that are spread over
// time have no reply, and those that wait for our own limits continue to wait.
func (l *Ledger) retryNow(ctx context.Context) error {
	return l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE deliveries AS d SET next_at = $1 WHERE next_at > $1 AND `+stopped+`
			AND mailing IN (SELECT id FROM mailings WHERE state = 'sending')`, l.now())
		return err
	})
}
