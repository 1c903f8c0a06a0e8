package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"dibao/internal/database"
)

// A Ledger records the state of each delivery.
//
//	waiting ──claim──▶ claimed ──▶ sent | failed | suppressed
//	   ▲                  │
//	   ├── requeued ◀─────┤  refused for now, or never handed over
//	   └── uncertain ◀────┘  handed over without a reply: once more, then never
//
// A claim, with its lease, is committed before a message is started, and the hand-over before
// its final dot is sent. So a delivery whose owner died before the hand-over was certainly not
// delivered and is tried again; after the hand-over it may have been delivered and gets at
// most one more copy.
//
// A Ledger belongs to one run of one process. Events are written at once to the run's journal,
// and in batches to the rows of deliveries. The journal of a run on SQLite is a file of its
// own (journalFile), that of one on PostgreSQL is in its row of delivery_runs, where other
// nodes find it. There the file only says which of the hand-overs in the row reached their
// final dot: a commit takes time to return, and a kill in that time would count as a copy.
type Ledger struct {
	db    *database.DB
	now   func() time.Time
	owner string // owner of the claims: the node, which is one process, and the run
	lease time.Duration
	fail  func(error) // called with the error of a commit that failed
	// busy returns the number of connections that are sending a message: this many
	// hand-overs may be committed together.
	busy func() int

	dueMailings []int64 // as of the last call of claim
	dueAt       time.Time

	mu         sync.Mutex
	free       *sync.Cond // signaled when committing ends
	journal    journal
	dots       journal      // a word for the file on PostgreSQL
	file       *journalFile // nil on PostgreSQL if it can't be made
	pending    []entry      // outcomes that are in the journal and not in their rows
	flushedAt  time.Time    // when outcomes were last written, by the machine's clock
	waiting    []handOver   // hand-overs that no commit has taken yet
	timer      *time.Timer
	committing bool // a commit is running
	unwanted   bool // another node took over the claims
}

// newLedger returns the ledger of a new run of a node.
func newLedger(db *database.DB, now func() time.Time, lease time.Duration, node string) *Ledger {
	l := &Ledger{db: db, now: now, lease: lease, owner: fmt.Sprintf("%s/%d", node, runs.Add(1))}
	l.free = sync.NewCond(&l.mu)
	return l
}

// runs counts the runs of this process.
var runs atomic.Int64

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

// inRow reports whether the journal is in the row of its run.
func (l *Ledger) inRow() bool { return l.db.Dialect() == database.Postgres }

// begin stores the run, so that its claims can be distinguished from those of others.
func (l *Ledger) begin(ctx context.Context) (err error) {
	if l.file, err = createJournal(journalPath(l.db, l.owner)); err != nil && !l.inRow() {
		return err
	}
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO delivery_runs (owner, lease_until) VALUES ($1, $2)`, l.owner, l.now().Add(l.lease))
		return err
	})
	if err != nil && l.file != nil {
		err = errors.Join(err, l.file.close(true))
	}
	return err
}

// A claim writes little: the lease of its run covers it, and the time of the
// first try is recorded only for deliveries that are not sent at once.
const claimSQLite = `
	UPDATE deliveries SET state = 'claimed', attempts = attempts + 1, claimed_by = $1
	WHERE id IN (
		SELECT id FROM deliveries WHERE mailing = $3 AND state IN ('waiting', 'uncertain') AND next_at > $5 AND next_at <= $2 AND ($6 = '' OR reply = $6)
		AND EXISTS (SELECT 1 FROM mailings WHERE id = $3 AND state = 'sending') ORDER BY next_at, id LIMIT $4)
	RETURNING id, mailing, subscriber, variant, attempts, uncertain, first_tried_at`

// PostgreSQL's nodes claim at the same time, so the condition is checked again.
const claimPostgres = `
	UPDATE deliveries SET state = 'claimed', attempts = attempts + 1, claimed_by = $1
	WHERE state IN ('waiting', 'uncertain') AND next_at <= $2 AND id IN (
		SELECT id FROM deliveries WHERE mailing = $3 AND state IN ('waiting', 'uncertain') AND next_at > $5 AND next_at <= $2 AND ($6 = '' OR reply = $6)
		AND EXISTS (SELECT 1 FROM mailings WHERE id = $3 AND state = 'sending') ORDER BY next_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
	RETURNING id, mailing, subscriber, variant, attempts, uncertain, first_tried_at`

// claim claims up to n deliveries that are due, those of the oldest mailings first.
func (l *Ledger) claim(ctx context.Context, n int) (claimed []Delivery, err error) {
	if time.Since(l.dueAt) < lookEvery { // nearly always still correct, and the claim itself checks
		if claimed, err = l.claimOf(ctx, l.dueMailings, time.Time{}, l.now(), "", n); len(claimed) > 0 || err != nil {
			return claimed, err
		}
	}
	if l.dueMailings, err = l.due(ctx, l.now()); err != nil {
		return nil, err
	}
	l.dueAt = time.Now()
	return l.claimOf(ctx, l.dueMailings, time.Time{}, l.now(), "", n)
}

// claimPostponed claims up to n deliveries that were postponed for a reason, before the time
// they were postponed to.
func (l *Ledger) claimPostponed(ctx context.Context, why string, n int) ([]Delivery, error) {
	now := l.now()
	never := now.AddDate(100, 0, 0)
	mailings, err := l.due(ctx, never)
	if err != nil {
		return nil, err
	}
	return l.claimOf(ctx, mailings, now, never, why, n) // not the many that are due, which have no reply
}

// claimOf claims deliveries of some mailings that are due after one time and by another; only
// those with a reply if it is not empty. The same transaction writes all outcomes since the last claim.
func (l *Ledger) claimOf(ctx context.Context, mailings []int64, after, by time.Time, reply string, n int) (claimed []Delivery, err error) {
	if len(mailings) == 0 || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	err = l.commit(true, func(ctx context.Context, tx *sql.Tx) error {
		claimed = claimed[:0]
		for _, mailing := range mailings {
			some, err := database.Collect(ctx, tx, scanDelivery, l.db.Dialect().Pick(claimSQLite, claimPostgres),
				l.owner, by, mailing, n-len(claimed), after, reply)
			if err != nil {
				return err
			}
			if claimed = append(claimed, some...); len(claimed) >= n {
				break
			}
		}
		return nil
	})
	for i := range claimed {
		if claimed[i].FirstTried.IsZero() {
			claimed[i].FirstTried = now
		}
	}
	return claimed, err
}

func scanDelivery(r database.Row) (d Delivery, err error) {
	var tried sql.Null[time.Time]
	err = r.Scan(&d.ID, &d.Mailing, &d.Subscriber, &d.Variant, &d.Attempt, &d.Uncertain, &tried)
	d.FirstTried = tried.V
	return d, err
}

// due returns the mailings that are being sent and have deliveries due.
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

// outcome is what is recorded about a delivery after an attempt.
type outcome struct {
	state  string    // waiting, sent, failed, uncertain, suppressed
	nextAt time.Time // for waiting and uncertain
	code   int
	reply  string
	// the attempt does not count, because the server could not be reached at all
	untried bool
}

// entry is the outcome of a delivery.
type entry struct {
	id      int64
	outcome outcome
}

// The ids are looked up one by one; that the rows are claimed by us is only checked,
// not looked up: the plus sign tells SQLite not to use the index.
const outcomesSQLite = `
	UPDATE deliveries SET state = o.state, uncertain = uncertain + (o.state = 'uncertain'), attempts = attempts - o.untried,
		handed_attempt = CASE WHEN o.state IN ('sent', 'uncertain') THEN attempts ELSE handed_attempt END,
		next_at = o.next_at, done_at = CASE WHEN o.next_at IS NULL THEN $3 END, reply_code = o.code, reply = o.reply,
		first_tried_at = COALESCE(first_tried_at, $3), claimed_by = ''
	FROM (SELECT value->>0 AS id, value->>1 AS state, value->>2 AS untried, value->>3 AS next_at, value->>4 AS code, value->>5 AS reply
		FROM json_each($1)) o
	WHERE deliveries.id = o.id AND +deliveries.state = 'claimed' AND +deliveries.claimed_by = $2`

const outcomesPostgres = `
	UPDATE deliveries SET state = o.state, uncertain = uncertain + CASE WHEN o.state = 'uncertain' THEN 1 ELSE 0 END, attempts = attempts - o.untried,
		handed_attempt = CASE WHEN o.state IN ('sent', 'uncertain') THEN attempts ELSE handed_attempt END,
		next_at = o.next_at, done_at = CASE WHEN o.next_at IS NULL THEN $3::timestamptz END, reply_code = o.code, reply = o.reply,
		first_tried_at = COALESCE(first_tried_at, $3::timestamptz), claimed_by = ''
	FROM (SELECT (value->>0)::bigint AS id, value->>1 AS state, (value->>2)::bigint AS untried, (value->>3)::timestamptz AS next_at,
		(value->>4)::bigint AS code, value->>5 AS reply FROM jsonb_array_elements($1::jsonb)) o
	WHERE deliveries.id = o.id AND deliveries.state = 'claimed' AND deliveries.claimed_by = $2`

// For sent deliveries, nearly all, there is little to write: the ids with the
// text of the reply, as one JSON object. It takes half as long as the statement
// above.
const sentSQLite = `
	UPDATE deliveries SET state = 'sent', handed_attempt = attempts, next_at = NULL, done_at = $3, reply_code = $4, reply = o.value, claimed_by = ''
	FROM json_each($1) o WHERE deliveries.id = CAST(o.key AS INTEGER) AND +deliveries.state = 'claimed' AND +deliveries.claimed_by = $2`

const sentPostgres = `
	UPDATE deliveries SET state = 'sent', handed_attempt = attempts, next_at = NULL, done_at = $3, reply_code = $4, reply = o.value, claimed_by = ''
	FROM jsonb_each_text($1::jsonb) o WHERE deliveries.id = o.key::bigint AND deliveries.state = 'claimed' AND deliveries.claimed_by = $2`

// writeOutcomes writes outcomes to the rows of their deliveries.
func (l *Ledger) writeOutcomes(ctx context.Context, tx *sql.Tx, outcomes []entry) error {
	now := l.now()
	sent := make(map[int][]byte) // by code of the reply
	rows := []byte{'['}
	for _, e := range outcomes {
		if e.outcome.state == "sent" {
			object := sent[e.outcome.code]
			if object == nil {
				object = append(make([]byte, 0, 64*len(outcomes)), '{')
			}
			object = append(strconv.AppendInt(append(object, '"'), e.id, 10), `":`...)
			sent[e.outcome.code] = append(appendText(object, e.outcome.reply), ',')
			continue
		}
		rows = append(e.appendJSON(rows), ',')
	}
	for code, object := range sent {
		object[len(object)-1] = '}'
		if _, err := tx.ExecContext(ctx, l.db.Dialect().Pick(sentSQLite, sentPostgres), string(object), l.owner, now, code); err != nil {
			return err
		}
	}
	if len(rows) == 1 {
		return nil
	}
	rows[len(rows)-1] = ']'
	_, err := tx.ExecContext(ctx, l.db.Dialect().Pick(outcomesSQLite, outcomesPostgres), string(rows), l.owner, now)
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
	return append(appendText(append(b, ','), o.reply), ']')
}

// appendText writes the text of a reply as JSON.
func appendText(b []byte, reply string) []byte {
	for i := range len(reply) {
		if c := reply[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || i >= maxReply {
			return append(b, database.JSON(database.Clip(reply, maxReply))...)
		}
	}
	return append(append(append(b, '"'), reply...), '"') // most replies look like this
}

// maxReply is the number of bytes of a reply that are stored.
const maxReply = 500

// closeMailings marks mailings without anything left to do as done, and returns them.
func (l *Ledger) closeMailings(ctx context.Context) (done []int64, err error) {
	err = l.db.Write(ctx, func(tx *sql.Tx) error {
		done, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			UPDATE mailings SET state = 'done', done_at = $1 WHERE state = 'sending'
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.mailing = mailings.id AND d.state IN ('waiting', 'uncertain') AND d.next_at IS NOT NULL)
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE +d.mailing = mailings.id AND d.state = 'claimed') RETURNING id`, l.now())
		return err
	})
	return done, err
}

// ReplySuppressed is the reply of deliveries that were not started because the
// reader was suppressed in the meantime.
const ReplySuppressed = "suppressed"
