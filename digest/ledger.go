package digest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
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
type Ledger struct {
	db    *database.DB
	now   func() time.Time
	owner string // host, process and a random part: who claims
	lease time.Duration
	out   chan entry
}

// process tells this process from an earlier one that had the same number. It is
// one for all deliverers of the process: they must not take each other for dead.
var process = rand.Text()

// owner names this process so that another on the same host can tell that it died.
func owner() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("name of this host: %w", err)
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), process), nil
}

// ownerDied reports whether the owner of a claim was a process of this host
// that is no longer there. Of other hosts nothing is known: their lease decides.
func ownerDied(claimedBy, self string) bool {
	a, b := strings.Split(claimedBy, "/"), strings.Split(self, "/")
	if len(a) != 3 || len(b) != 3 || a[0] != b[0] || claimedBy == self {
		return false
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

const claimSQLite = `
	UPDATE deliveries SET state = 'claimed', attempts = attempts + 1, claimed_by = $1, lease_until = $2,
		first_tried_at = COALESCE(first_tried_at, $3)
	WHERE state IN ('waiting', 'uncertain') AND next_at <= $3 AND id IN (
		SELECT d.id FROM deliveries d JOIN mailings m ON m.id = d.mailing
		WHERE d.state IN ('waiting', 'uncertain') AND d.next_at <= $3 AND m.state = 'sending'
		ORDER BY d.next_at, d.id LIMIT $4)
	RETURNING id, mailing, subscriber, variant, attempts, uncertain, first_tried_at`

const claimPostgres = `
	UPDATE deliveries SET state = 'claimed', attempts = attempts + 1, claimed_by = $1, lease_until = $2,
		first_tried_at = COALESCE(first_tried_at, $3)
	WHERE state IN ('waiting', 'uncertain') AND next_at <= $3 AND id IN (
		SELECT d.id FROM deliveries d JOIN mailings m ON m.id = d.mailing
		WHERE d.state IN ('waiting', 'uncertain') AND d.next_at <= $3 AND m.state = 'sending'
		ORDER BY d.next_at, d.id LIMIT $4 FOR UPDATE OF d SKIP LOCKED)
	RETURNING id, mailing, subscriber, variant, attempts, uncertain, first_tried_at`

// claim takes up to n deliveries that are due.
func (l *Ledger) claim(ctx context.Context, n int) ([]Delivery, error) {
	var claimed []Delivery
	now := l.now()
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		var err error
		claimed, err = database.Collect(ctx, tx, func(r database.Row) (Delivery, error) {
			var d Delivery
			err := r.Scan(&d.ID, &d.Mailing, &d.Subscriber, &d.Variant, &d.Attempt, &d.Uncertain, &d.FirstTried)
			return d, err
		}, l.db.Dialect().Pick(claimSQLite, claimPostgres), l.owner, now.Add(l.lease), now, n)
		return err
	})
	return claimed, err
}

// recover takes back what owners that died had claimed.
func (l *Ledger) recover(ctx context.Context) (n int, err error) {
	now := l.now()
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		n = 0
		owners, err := database.Collect(ctx, tx, database.ScanOne[string], `SELECT DISTINCT claimed_by FROM deliveries WHERE state = 'claimed'`)
		if err != nil {
			return err
		}
		dead := []string{}
		for _, o := range owners {
			if ownerDied(o, l.owner) {
				dead = append(dead, o)
			}
		}
		list, err := json.Marshal(dead)
		if err != nil {
			return err
		}
		lost := ` WHERE state = 'claimed' AND (lease_until < $1 OR claimed_by IN (` + l.db.Dialect().Texts("$2") + `))`
		for _, statement := range []string{
			`UPDATE deliveries SET state = 'waiting', next_at = $1, claimed_by = '', lease_until = NULL` +
				lost + ` AND handed_attempt < attempts`,
			`UPDATE deliveries SET state = 'uncertain', uncertain = uncertain + 1, next_at = NULL, done_at = $1, claimed_by = '', lease_until = NULL` +
				lost + ` AND handed_attempt = attempts AND uncertain > 0`,
			`UPDATE deliveries SET state = 'uncertain', uncertain = uncertain + 1, next_at = $1, claimed_by = '', lease_until = NULL` +
				lost + ` AND handed_attempt = attempts AND uncertain = 0`,
		} {
			res, err := tx.ExecContext(ctx, statement, now, string(list))
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

// outcome is what is written of a delivery after an attempt.
type outcome struct {
	state  string    // waiting, sent, failed, uncertain, suppressed
	nextAt time.Time // for waiting and uncertain
	code   int
	reply  string
	// untried takes the attempt back: the server could not be reached at all.
	untried bool
}

// entry is one line for the ledger: a hand-over or an outcome.
type entry struct {
	id, attempt int64
	outcome     *outcome // nil: the hand-over
	done        chan error
}

// maxEntries is how many entries are committed together at most.
const maxEntries = 512

// run commits entries until the channel is closed, as many together as have
// come meanwhile: with many connections a commit serves them all.
func (l *Ledger) run() {
	for first := range l.out {
		batch := []entry{first}
		for more := true; more && len(batch) < maxEntries; {
			select {
			case e, ok := <-l.out:
				if more = ok; ok {
					batch = append(batch, e)
				}
			default:
				more = false
			}
		}
		l.write(batch)
	}
}

// commitWithin bounds one commit; it is not cut short by a stop, since what it
// writes has happened.
const commitWithin = 30 * time.Second

// write commits a batch and tells each entry how it went. A claim that was lost
// fails its own entry only.
func (l *Ledger) write(batch []entry) {
	ctx, cancel := context.WithTimeout(context.Background(), commitWithin)
	defer cancel()
	lost := make([]bool, len(batch))
	err := l.db.Write(ctx, func(tx *sql.Tx) error {
		for i, e := range batch {
			n, err := l.writeEntry(ctx, tx, e)
			if err != nil {
				return fmt.Errorf("delivery %d: %w", e.id, err)
			}
			lost[i] = n == 0
		}
		return nil
	})
	for i, e := range batch {
		switch {
		case err != nil:
			e.done <- err
		case lost[i]:
			e.done <- errLost
		default:
			e.done <- nil
		}
	}
}

// errLost says that a claim is no longer ours: its lease ran out.
var errLost = errors.New("the claim was lost to another node")

// writeEntry writes one entry and returns how many rows it changed: none if the
// claim is no longer ours.
func (l *Ledger) writeEntry(ctx context.Context, tx *sql.Tx, e entry) (int64, error) {
	var res sql.Result
	var err error
	if o := e.outcome; o == nil {
		res, err = tx.ExecContext(ctx, `UPDATE deliveries SET handed_attempt = attempts
			WHERE id = $1 AND state = 'claimed' AND claimed_by = $2 AND attempts = $3`, e.id, l.owner, e.attempt)
	} else {
		var done time.Time
		if o.nextAt.IsZero() {
			done = l.now()
		}
		res, err = tx.ExecContext(ctx, `
			UPDATE deliveries SET state = $4, uncertain = uncertain + $5, attempts = attempts - $6,
				next_at = $7, done_at = $8, reply_code = $9, reply = $10, claimed_by = '', lease_until = NULL
			WHERE id = $1 AND state = 'claimed' AND claimed_by = $2 AND attempts = $3`,
			e.id, l.owner, e.attempt, o.state, count(o.state == "uncertain"), count(o.untried),
			nullTime(o.nextAt), nullTime(done), o.code, clip(o.reply, 500))
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func count(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// handOver commits that the final dot of a delivery is about to be sent.
func (l *Ledger) handOver(d Delivery) error { return <-l.enter(d, nil) }

// finish notes an outcome; the channel yields once it is committed.
func (l *Ledger) finish(d Delivery, o outcome) <-chan error { return l.enter(d, &o) }

func (l *Ledger) enter(d Delivery, o *outcome) <-chan error {
	done := make(chan error, 1)
	l.out <- entry{d.ID, d.Attempt, o, done}
	return done
}

// closeMailings marks mailings done of which nothing is left to do.
func (l *Ledger) closeMailings(ctx context.Context) error {
	return l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE mailings SET state = 'done', done_at = $1 WHERE state = 'sending' AND NOT EXISTS (
				SELECT 1 FROM deliveries d WHERE d.mailing = mailings.id
				AND (d.state IN ('waiting', 'claimed') OR (d.state = 'uncertain' AND d.next_at IS NOT NULL)))`, l.now())
		return err
	})
}

func nullTime(t time.Time) sql.Null[time.Time] {
	return sql.Null[time.Time]{V: t.UTC().Truncate(time.Microsecond), Valid: !t.IsZero()}
}

// clip cuts s to at most n bytes, never inside a character.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
