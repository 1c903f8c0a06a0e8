package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"dibao/internal/database"
)

const (
	flushAfter = 512                    // outcomes that are written to their rows together
	flushEvery = 500 * time.Millisecond // maximum time between two writes, so that the progress is up to date
	// gatherFor is how long a hand-over waits for those of other connections if
	// the journal is a row: a commit costs the same for one and for all.
	gatherFor = 2 * time.Millisecond
)

// handOver is a delivery whose final dot waits for the commit.
type handOver struct {
	id   int64
	done chan error
}

// run writes outcomes to their rows and renews the lease while others send, until
// stop is closed; then it writes what is left.
func (l *Ledger) run(stop <-chan struct{}) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	renewAt := l.now().Add(l.lease / 3)
	for {
		select {
		case <-stop:
			l.end()
			return
		case <-tick.C:
			l.mu.Lock()
			late := len(l.pending) > 0 && time.Since(l.flushedAt) >= flushEvery
			if !l.committing && (late || !l.now().Before(renewAt)) {
				renewAt = l.now().Add(l.lease / 3)
				l.commit(true, nil)
			}
			l.mu.Unlock()
		}
	}
}

// handOver records that the final dot of a delivery is about to be sent; the dot may be
// sent once it returns nil. done is the caller's channel with a buffer of one, reused for
// each message.
func (l *Ledger) handOver(id int64, done chan error) error {
	if !l.inRow() {
		return l.handOverInFile(id)
	}
	l.mu.Lock()
	l.journal.handOver(id)
	l.waiting = append(l.waiting, handOver{id, done})
	switch { // the last connection commits for all of them
	case l.committing: // the connection that commits looks for others afterwards
	case len(l.waiting) >= l.busy():
		l.commit(false, nil)
	case len(l.waiting) == 1:
		l.wakeLater()
	}
	l.mu.Unlock()
	if err := <-done; err != nil {
		return err
	}
	return l.noteDot(id)
}

// noteDot records in the file of a journal that is a row that the dot of a
// hand-over is about to be sent. If that fails, the file is removed, and only
// the row counts.
func (l *Ledger) noteDot(id int64) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	l.dots.text = l.dots.text[:0]
	l.dots.write('h', id)
	if l.file.append(l.dots.text) != nil {
		err = l.file.close(true)
		l.file = nil
	}
	return err
}

func (l *Ledger) handOverInFile(id int64) error {
	l.mu.Lock()
	before := len(l.journal.text)
	l.journal.handOver(id)
	err := l.writeFile()
	if err != nil {
		l.journal.forget(id)
		l.journal.text = l.journal.text[:before]
	}
	l.mu.Unlock()
	if err != nil {
		l.fail(err)
	}
	return err
}

// writeFile writes what is to be written to the journal's file; l.mu is held.
func (l *Ledger) writeFile() error {
	err := l.file.append(l.journal.text)
	if err == nil {
		l.journal.text = l.journal.text[:0]
	}
	return err
}

// wakeLater commits what waits if the other connections take too long. l.mu is held.
func (l *Ledger) wakeLater() {
	if l.timer != nil {
		l.timer.Reset(gatherFor)
		return
	}
	l.timer = time.AfterFunc(gatherFor, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.committing && len(l.waiting) > 0 {
			l.commit(false, nil)
		}
	})
}

// finish records an outcome. It is stored with the next hand-over or flush.
func (l *Ledger) finish(d Delivery, o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, entry{d.ID, o})
	if o.state != "uncertain" { // what may have been delivered stays handed over until its row says so
		l.journal.answered(d.ID, o.state == "sent")
	}
	if len(l.pending) >= 2*flushAfter && !l.committing { // no claim will write them soon, because many deliveries were requeued
		l.commit(true, nil)
	}
}

// commit renews the lease and writes, in one transaction, the outcomes to their
// rows (if flush is set or there are enough), the statements of also, and a
// journal that is a row; it repeats the latter until no hand-over waits. It
// returns the error of the transaction that ran also. l.mu is held, but not
// while writing.
func (l *Ledger) commit(flush bool, also func(ctx context.Context, tx *sql.Tx) error) (err error) {
	for l.committing {
		l.free.Wait()
	}
	l.committing = true
	defer func() { l.committing = false; l.free.Broadcast() }()
	for first := true; first || len(l.waiting) > 0 && len(l.waiting) >= l.busy(); first = false {
		waiting := l.waiting
		l.waiting = nil
		var outcomes []entry
		if flush || len(l.pending) >= flushAfter {
			outcomes = l.pending[:len(l.pending):len(l.pending)]
		}
		text := ""
		if l.inRow() {
			text = l.journal.without(outcomes)
		}
		l.mu.Unlock()
		failed := l.write(func(ctx context.Context, tx *sql.Tx) error {
			if err := l.writeOutcomes(ctx, tx, outcomes); err != nil {
				return err
			}
			if also != nil {
				if err := also(ctx, tx); err != nil {
					return err
				}
			}
			return l.writeRun(ctx, tx, text)
		})
		switch {
		case also != nil:
			err = failed
		case failed != nil:
			l.fail(failed)
		}
		l.mu.Lock()
		l.committed(waiting, outcomes, failed)
		flush, also = false, nil
	}
	if len(l.waiting) > 0 {
		l.wakeLater()
	}
	return err
}

// committed records the result of a commit and notifies its waiters. A
// hand-over that was not committed did not happen. l.mu is held.
func (l *Ledger) committed(waiting []handOver, outcomes []entry, err error) {
	l.unwanted = l.unwanted || errors.Is(err, errLost)
	for _, w := range waiting {
		if err != nil {
			l.journal.forget(w.id)
		}
		w.done <- err
	}
	if err == nil && len(outcomes) > 0 {
		l.flushedAt = time.Now()
		l.journal.settled(outcomes, l.pending[len(outcomes):])
		l.pending = append(l.pending[:0], l.pending[len(outcomes):]...)
	}
	switch {
	case l.inRow() && (err != nil || len(outcomes) > 0):
		l.journal.rewrite()
	case !l.inRow() && err == nil && len(outcomes) > 0:
		l.journal.rewriteAfterFlush()
		if err := l.writeFile(); err != nil {
			l.fail(err)
		}
	}
}

// At the end of a run, wait a little for a database that restarts, or whose disk was
// full for a moment: each outcome that it does not record means one more copy.
const (
	endTries = 12
	endPause = 500 * time.Millisecond
)

// end writes what is left and deletes the run from the table.
func (l *Ledger) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for try := 0; try < endTries && (try == 0 || len(l.pending) > 0) && !l.unwanted; try++ {
		if try > 0 {
			<-time.After(endPause) // nobody else needs the lock any more
		}
		l.commit(true, nil)
	}
	over := false // otherwise, the journal remains for the next run
	if len(l.pending) == 0 {
		err := l.write(func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM delivery_runs WHERE owner = $1`, l.owner)
			return err
		})
		if over = err == nil; !over {
			l.fail(err)
		}
	}
	if l.file != nil {
		l.file.close(over) // if it can't be removed, a few bytes stay
	}
}

// commitWithin limits one commit; stopping does not interrupt it, because what it records
// has happened.
const commitWithin = 30 * time.Second

// write commits the data.
func (l *Ledger) write(f func(ctx context.Context, tx *sql.Tx) error) error {
	ctx := context.Background()
	if l.db.Dialect() == database.Postgres { // SQLite has its own limit, and a cheaper one
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, commitWithin)
		defer cancel()
	}
	if err := l.db.Write(ctx, func(tx *sql.Tx) error { return f(ctx, tx) }); err != nil {
		return fmt.Errorf("delivery ledger: %w", err)
	}
	return nil
}

// writeRun renews the lease and writes a journal that is a row. It fails if
// another node took over the claims.
func (l *Ledger) writeRun(ctx context.Context, tx *sql.Tx, text string) error {
	until := l.now().Add(l.lease)
	if !l.inRow() {
		return mustAffect(tx.ExecContext(ctx, `UPDATE delivery_runs SET lease_until = $2 WHERE owner = $1`, l.owner, until))
	}
	return mustAffect(tx.ExecContext(ctx, `UPDATE delivery_runs SET journal = $2, lease_until = $3 WHERE owner = $1`, l.owner, text, until))
}

func mustAffect(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		return errors.Join(err, errLost)
	}
	return nil
}

// errLost says that our claims are no longer ours, because the lease expired.
var errLost = errors.New("the lease of this run expired and another run took over its deliveries; the next run continues")
