package digest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"dibao/internal/database"
)

// A Ledger keeps what is known of each delivery.
//
//	waiting ──claim──▶ claimed ──▶ sent | failed | suppressed
//	   ▲                  │
//	   ├── put back ◀─────┤  refused for now, or never handed over
//	   └── uncertain ◀────┘  handed over and not answered: once more, then never
//
// A claim, with its lease, is committed before a message is begun, and the
// hand-over before its final dot is sent. So a delivery whose owner died before
// the hand-over was certainly not delivered, and is tried as if nothing had
// been; after the hand-over it may have been, and gets one more copy at most.
//
// A Ledger is of one run of one process. Hand-overs and outcomes are committed
// at once in the run's journal, and written to the rows of deliveries many at a
// time.
type Ledger struct {
	db    *database.DB
	now   func() time.Time
	owner string // host, process, a random part and the run: who claims
	lease time.Duration
	fail  func(error) // told of what could not be committed
	// busy is how many connections have a message on its way: as many hand-overs
	// may come together.
	busy func() int

	mu         sync.Mutex
	journal    journal
	pending    []entry    // outcomes that are in the journal and not in their rows
	waiting    []handOver // hand-overs that no commit has taken yet
	timer      *time.Timer
	committing bool // somebody writes
	unwanted   bool // another node took the claims over
}

// handOver is a delivery whose final dot waits for the commit.
type handOver struct {
	id   int64
	done chan error
}

// process tells this process from an earlier one that had the same number. It is
// one for all deliverers of the process: they must not take each other for dead.
var (
	process = rand.Text()
	runs    atomic.Int64
	living  sync.Map // the owners of this process that have not ended
)

// owner names a run of this process so that another on the same host can tell
// that it died.
func owner() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("name of this host: %w", err)
	}
	name := fmt.Sprintf("%s/%d/%s/%d", strings.ReplaceAll(host, "/", "_"), os.Getpid(), process, runs.Add(1))
	living.Store(name, true)
	return name, nil
}

// ownerDied reports whether the owner of a claim was a process of this host
// that is no longer there, or a run of ours that could not write how it ended.
// Of other hosts nothing is known: their lease decides.
func ownerDied(claimedBy, self string) bool {
	a, b := strings.Split(claimedBy, "/"), strings.Split(self, "/")
	if len(a) < 3 || len(b) < 3 || a[0] != b[0] {
		return false
	}
	if a[2] == b[2] {
		_, lives := living.Load(claimedBy)
		return !lives
	}
	if a[1] == b[1] {
		return true // our own number, and not us: it was used before
	}
	pid, err := strconv.Atoi(a[1])
	return err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// Delivery is one claimed delivery with what is needed to send it.
type Delivery struct {
	ID         int64
	Mailing    int64
	Subscriber int64
	Variant    int64
	Attempt    int64 // counting from 1
	Uncertain  int64 // attempts that were handed over and never answered
	FirstTried time.Time
}

// begin makes the run known, so that its claims can be told from those of others.
func (l *Ledger) begin(ctx context.Context) error {
	return l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO delivery_runs (owner, lease_until) VALUES ($1, $2)`, l.owner, l.now().Add(l.lease))
		return err
	})
}

const claimSQLite = `
	UPDATE deliveries SET state = 'claimed', attempts = attempts + 1, claimed_by = $1, lease_until = $2,
		first_tried_at = COALESCE(first_tried_at, $3)
	WHERE state IN ('waiting', 'uncertain') AND next_at <= $3 AND id IN (
		SELECT id FROM deliveries WHERE mailing = $4 AND state IN ('waiting', 'uncertain') AND next_at <= $3
		ORDER BY next_at, id LIMIT $5)
	RETURNING id, mailing, subscriber, variant, attempts, uncertain, first_tried_at`

const claimPostgres = `
	UPDATE deliveries SET state = 'claimed', attempts = attempts + 1, claimed_by = $1, lease_until = $2,
		first_tried_at = COALESCE(first_tried_at, $3)
	WHERE state IN ('waiting', 'uncertain') AND next_at <= $3 AND id IN (
		SELECT id FROM deliveries WHERE mailing = $4 AND state IN ('waiting', 'uncertain') AND next_at <= $3
		ORDER BY next_at, id LIMIT $5 FOR UPDATE SKIP LOCKED)
	RETURNING id, mailing, subscriber, variant, attempts, uncertain, first_tried_at`

// claim takes up to n deliveries that are due, of the oldest mailings first.
func (l *Ledger) claim(ctx context.Context, n int) ([]Delivery, error) {
	var claimed []Delivery
	now := l.now()
	due, err := l.due(ctx, now)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		claimed = claimed[:0]
		for _, mailing := range due {
			some, err := database.Collect(ctx, tx, func(r database.Row) (Delivery, error) {
				var d Delivery
				err := r.Scan(&d.ID, &d.Mailing, &d.Subscriber, &d.Variant, &d.Attempt, &d.Uncertain, &d.FirstTried)
				return d, err
			}, l.db.Dialect().Pick(claimSQLite, claimPostgres), l.owner, now.Add(l.lease), now, mailing, n-len(claimed))
			if err != nil {
				return err
			}
			if claimed = append(claimed, some...); len(claimed) >= n {
				break
			}
		}
		if len(claimed) == 0 {
			return nil
		}
		return l.renew(ctx, tx)
	})
	return claimed, err
}

// due returns the mailings that are being sent and of which something is due.
func (l *Ledger) due(ctx context.Context, now time.Time) (ids []int64, err error) {
	err = l.db.Read(ctx, func(tx *sql.Tx) error {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			SELECT id FROM mailings WHERE state = 'sending' AND EXISTS (
				SELECT 1 FROM deliveries d WHERE d.mailing = mailings.id AND d.state IN ('waiting', 'uncertain') AND d.next_at <= $1)
			ORDER BY id`, now)
		return err
	})
	return ids, err
}

// renew writes the lease anew. It fails if another node took the claims over.
func (l *Ledger) renew(ctx context.Context, tx *sql.Tx) error {
	res, err := tx.ExecContext(ctx, `UPDATE delivery_runs SET lease_until = $2 WHERE owner = $1`, l.owner, l.now().Add(l.lease))
	return mustAffect(res, err)
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

// errLost says that our claims are no longer ours: the lease ran out.
var errLost = errors.New("the lease of this run ran out and another took its deliveries over; the next run goes on")

// outcome is what is written of a delivery after an attempt.
type outcome struct {
	state  string    // waiting, sent, failed, uncertain, suppressed
	nextAt time.Time // for waiting and uncertain
	code   int
	reply  string
	// untried takes the attempt back: the server could not be reached at all.
	untried bool
}

// entry is the outcome of a delivery.
type entry struct {
	id      int64
	outcome outcome
}

const (
	foldAfter = 512                    // outcomes that are written to their rows together
	foldEvery = 500 * time.Millisecond // or sooner, for who looks on
	// gatherFor is how long a hand-over waits for those of other connections: a
	// commit costs the same for one and for all.
	gatherFor = 2 * time.Millisecond
)

// run writes outcomes to their rows and renews the lease while others send, until
// stop is closed; then it writes what is left.
func (l *Ledger) run(stop <-chan struct{}) {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	renewAt := l.now().Add(l.lease / 3)
	for {
		select {
		case <-stop:
			l.end()
			return
		case <-tick.C:
			l.mu.Lock()
			if !l.committing && (len(l.pending) > 0 || !l.now().Before(renewAt)) {
				renewAt = l.now().Add(l.lease / 3)
				l.commit(true)
			}
			l.mu.Unlock()
		}
	}
}

// handOver commits that the final dot of a delivery is about to be sent. done is
// the caller's channel with room for one, used again for each message. Whoever
// comes last commits for all.
func (l *Ledger) handOver(id int64, done chan error) error {
	l.mu.Lock()
	l.journal.handOver(id)
	l.waiting = append(l.waiting, handOver{id, done})
	switch {
	case l.committing: // who commits looks again when it is done
	case len(l.waiting) >= l.busy():
		l.commit(false)
	case len(l.waiting) == 1:
		l.wakeLater()
	}
	l.mu.Unlock()
	return <-done
}

// wakeLater commits what waits, should the other connections take their time.
// l.mu is held.
func (l *Ledger) wakeLater() {
	if l.timer != nil {
		l.timer.Reset(gatherFor)
		return
	}
	l.timer = time.AfterFunc(gatherFor, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.committing && len(l.waiting) > 0 {
			l.commit(false)
		}
	})
}

// finish notes an outcome. It is committed with the next hand-over or fold.
func (l *Ledger) finish(d Delivery, o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, entry{d.ID, o})
	l.journal.answered(d.ID, o.state == "sent")
	if len(l.pending) >= 2*foldAfter && !l.committing { // nobody hands over, but many are put back
		l.commit(true)
	}
}

// commit writes the journal, and the outcomes to their rows where fold says so or
// enough have come, until nobody waits. l.mu is held, but not while writing.
func (l *Ledger) commit(fold bool) {
	l.committing = true
	defer func() { l.committing = false }()
	for first := true; first || len(l.waiting) > 0 && len(l.waiting) >= l.busy(); first = false {
		waiting := l.waiting
		l.waiting = nil
		folded := 0
		if fold || len(l.pending) >= foldAfter {
			folded = len(l.pending)
		}
		outcomes, text := l.pending[:folded:folded], string(l.journal.text)
		if folded > 0 {
			text = l.journal.inFlight()
		}
		l.mu.Unlock()
		err := l.write(func(ctx context.Context, tx *sql.Tx) error {
			if len(outcomes) > 0 {
				if err := l.writeOutcomes(ctx, tx, outcomes); err != nil {
					return err
				}
			}
			return l.writeJournal(ctx, tx, text)
		})
		l.mu.Lock()
		l.committed(waiting, folded, err)
		fold = false
	}
	if len(l.waiting) > 0 {
		l.wakeLater()
	}
}

// committed notes what a commit did, and tells who waits for it. A hand-over that
// was not committed is none. l.mu is held.
func (l *Ledger) committed(waiting []handOver, folded int, err error) {
	l.unwanted = l.unwanted || errors.Is(err, errLost)
	if err == nil && folded > 0 {
		l.pending = append(l.pending[:0], l.pending[folded:]...)
		l.journal.sent = l.journal.sent[:0]
		for _, e := range l.pending {
			if e.outcome.state == "sent" {
				l.journal.sent = append(l.journal.sent, e.id)
			}
		}
	}
	for _, w := range waiting {
		if err != nil {
			l.journal.forget(w.id)
		}
		w.done <- err
	}
	if folded > 0 || err != nil {
		l.journal.rewrite()
	}
}

// A database that restarts, or whose disk was full for a moment, is waited for a
// little at the end of a run: what it does not learn is sent once more.
const (
	endTries = 12
	endPause = 500 * time.Millisecond
)

// end writes what is left and takes the run from the table.
func (l *Ledger) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for try := 0; try < endTries && (try == 0 || len(l.pending) > 0) && !l.unwanted; try++ {
		if try > 0 {
			<-time.After(endPause) // nobody else needs the lock any more
		}
		l.commit(true)
	}
	if len(l.pending) > 0 {
		return // the journal in the database stays for who comes next
	}
	l.write(func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM delivery_runs WHERE owner = $1`, l.owner)
		return err
	})
}

// commitWithin bounds one commit; it is not cut short by a stop, since what it
// writes has happened.
const commitWithin = 30 * time.Second

// write commits, and tells of a failure.
func (l *Ledger) write(f func(ctx context.Context, tx *sql.Tx) error) error {
	ctx := context.Background()
	if l.db.Dialect() == database.Postgres { // SQLite has its own limit, and a cheaper one
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, commitWithin)
		defer cancel()
	}
	err := l.db.Write(ctx, func(tx *sql.Tx) error { return f(ctx, tx) })
	if err != nil {
		l.fail(fmt.Errorf("delivery ledger: %w", err))
	}
	return err
}

func (l *Ledger) writeJournal(ctx context.Context, tx *sql.Tx, text string) error {
	res, err := tx.ExecContext(ctx, `UPDATE delivery_runs SET journal = $2, lease_until = $3 WHERE owner = $1`,
		l.owner, text, l.now().Add(l.lease))
	return mustAffect(res, err)
}

// The ids are looked up one by one; that the rows are claimed by us is only
// checked, which the plus tells SQLite.
const outcomesSQLite = `
	UPDATE deliveries SET state = o.state, uncertain = uncertain + (o.state = 'uncertain'), attempts = attempts - o.untried,
		handed_attempt = CASE WHEN o.state IN ('sent', 'uncertain') THEN attempts ELSE handed_attempt END,
		next_at = o.next_at, done_at = CASE WHEN o.next_at IS NULL THEN $3 END, reply_code = o.code, reply = o.reply,
		claimed_by = '', lease_until = NULL
	FROM (SELECT value->>0 AS id, value->>1 AS state, value->>2 AS untried, value->>3 AS next_at, value->>4 AS code, value->>5 AS reply
		FROM json_each($1)) o
	WHERE deliveries.id = o.id AND +deliveries.state = 'claimed' AND +deliveries.claimed_by = $2`

const outcomesPostgres = `
	UPDATE deliveries SET state = o.state, uncertain = uncertain + CASE WHEN o.state = 'uncertain' THEN 1 ELSE 0 END, attempts = attempts - o.untried,
		handed_attempt = CASE WHEN o.state IN ('sent', 'uncertain') THEN attempts ELSE handed_attempt END,
		next_at = o.next_at, done_at = CASE WHEN o.next_at IS NULL THEN $3::timestamptz END, reply_code = o.code, reply = o.reply,
		claimed_by = '', lease_until = NULL
	FROM (SELECT (value->>0)::bigint AS id, value->>1 AS state, (value->>2)::bigint AS untried, (value->>3)::timestamptz AS next_at,
		(value->>4)::bigint AS code, value->>5 AS reply FROM jsonb_array_elements($1::jsonb)) o
	WHERE deliveries.id = o.id AND deliveries.state = 'claimed' AND deliveries.claimed_by = $2`

// writeOutcomes writes outcomes to the rows of their deliveries.
func (l *Ledger) writeOutcomes(ctx context.Context, tx *sql.Tx, outcomes []entry) error {
	rows := []byte{'['}
	for i, e := range outcomes {
		if i > 0 {
			rows = append(rows, ',')
		}
		rows = e.appendJSON(rows)
	}
	_, err := tx.ExecContext(ctx, l.db.Dialect().Pick(outcomesSQLite, outcomesPostgres), string(append(rows, ']')), l.owner, l.now())
	return err
}

// sqliteTime is how the driver writes times (_time_format=sqlite); PostgreSQL
// reads it as well.
const sqliteTime = "2006-01-02 15:04:05.999999999-07:00"

func (e entry) appendJSON(b []byte) []byte {
	o := e.outcome
	b = strconv.AppendInt(append(b, '['), e.id, 10)
	b = append(append(append(b, `,"`...), o.state...), `",`...)
	untried := byte('0')
	if o.untried {
		untried = '1'
	}
	b = append(b, untried, ',')
	if o.nextAt.IsZero() {
		b = append(b, "null"...)
	} else {
		b = o.nextAt.UTC().Truncate(time.Microsecond).AppendFormat(append(b, '"'), sqliteTime)
		b = append(b, '"')
	}
	b = strconv.AppendInt(append(b, ','), int64(o.code), 10)
	return append(append(append(b, ','), toJSON(clip(o.reply, 500))...), ']')
}

// closeMailings marks mailings done of which nothing is left to do, and returns
// those.
func (l *Ledger) closeMailings(ctx context.Context) (done []int64, err error) {
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		done, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			UPDATE mailings SET state = 'done', done_at = $1 WHERE state = 'sending'
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.mailing = mailings.id AND d.state IN ('waiting', 'uncertain') AND d.next_at IS NOT NULL)
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.mailing = mailings.id AND d.state = 'claimed') RETURNING id`, l.now())
		return err
	})
	return done, err
}

// clip cuts s to at most n bytes, never inside a character.
func clip(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", " ") // PostgreSQL keeps no NUL
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func count(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
