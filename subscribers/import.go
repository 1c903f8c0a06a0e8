package subscribers

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"dibao/internal/database"
)

// Import says how readers are taken over from a file.
type Import struct {
	Open     func() (io.ReadCloser, error) // the file, from its beginning each time
	Columns  ColumnChoice                  // what its columns are, where their names do not say so
	Lists    []List                        // for rows that name none
	Consent  string                        // how the readers agreed, for rows that do not say
	Language string                        // for rows that name none; "" is zh
	Apply    bool                          // else nothing is stored, and the outcome is told all the same
	Progress func(rows int)                // called now and then; may be nil
}

// Imported says what an import did, or would do.
type Imported struct {
	Rows    int    `json:"rows"`
	Readers int    `json:"readers"` // that were not known
	Added   int    `json:"added"`   // subscriptions begun, or recorded as ended or pending
	Known   int    `json:"known"`   // rows that change nothing
	Refused int    `json:"refused"`
	Notes   []Note `json:"-"`
}

// Note is what has to be said of one row.
type Note struct {
	Row     int // of the file, counting from 1 with its header
	Address string
	Refused bool // else the row was taken, with a remark
	Why     string
}

// maxNotes bounds the memory of notes; what is refused is counted beyond it, too.
const maxNotes = 100_000

const importBatch = 500 // rows

// errDryRun ends the transaction of an import that is not applied.
var errDryRun = errors.New("dry run")

// Import takes readers over, all rows of the file or, if it fails, none. It
// never brings back who left or is suppressed, mails nobody, and run again it
// changes nothing.
func (s *Store) Import(ctx context.Context, in Import) (Imported, error) {
	var out Imported
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		out = Imported{}
		file, err := in.Open()
		if err != nil {
			return err
		}
		defer file.Close()
		run := importRun{store: s, tx: tx, in: in, out: &out, now: s.now(), bySlug: make(map[string]int64)}
		if err := run.all(ctx, file); err != nil {
			return err
		}
		if !in.Apply {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return out, err
}

// importRun is one reading of the file, in one transaction.
type importRun struct {
	store  *Store
	tx     *sql.Tx
	in     Import
	out    *Imported
	now    time.Time
	bySlug map[string]int64
	batch  []row
}

func (r *importRun) all(ctx context.Context, file io.Reader) error {
	reader, err := newImportReader(file, r.in.Columns)
	if err != nil {
		return err
	}
	if r.in.Consent == "" && !reader.has(columnConsent) {
		return errors.New("say how the readers agreed with --consent; it is kept with each as the proof of consent")
	}
	lists, err := database.Collect(ctx, r.tx, scanList, `SELECT `+listColumns+` FROM lists WHERE removed_at IS NULL`)
	if err != nil {
		return err
	}
	for _, l := range lists {
		r.bySlug[l.Slug] = l.ID
	}
	for {
		next, err := reader.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		r.out.Rows++
		if r.batch = append(r.batch, next); len(r.batch) == importBatch {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
	}
	return r.flush(ctx)
}

func (r *importRun) note(n Note) {
	if len(r.out.Notes) < maxNotes {
		r.out.Notes = append(r.out.Notes, n)
	}
}

func (r *importRun) refuse(x row, why string) {
	r.out.Refused++
	r.note(Note{x.number, x.address, true, why})
}

// entry is a row with its reader, as far as it may be stored.
type importEntry struct {
	row
	key, hash string
	lists     []int64
}

// flush stores the rows of a batch.
func (r *importRun) flush(ctx context.Context) error {
	var entries []importEntry
	for _, x := range r.batch {
		if e, why := r.check(x); why != "" {
			r.refuse(x, why)
		} else {
			entries = append(entries, e)
		}
	}
	r.batch = r.batch[:0]
	if r.in.Progress != nil {
		r.in.Progress(r.out.Rows)
	}
	entries, err := r.withoutSuppressed(ctx, entries)
	if err != nil || len(entries) == 0 {
		return err
	}
	before, err := r.readers(ctx, entries)
	if err != nil {
		return err
	}
	states, err := r.states(ctx, before)
	if err != nil {
		return err
	}
	var fresh []newReader
	var begun []newSubscription
	var ended []subscriptionKey // pending ones that an admin's word confirms
	seen := make(map[string]bool)
	for _, e := range entries {
		adds, refused := 0, ""
		var subs []newSubscription
		for _, l := range e.lists {
			state := cmp.Or(e.state, StateConfirmed)
			switch old := states[subscriptionKey{e.key, l}]; {
			case old == StateUnsubscribed && state != StateUnsubscribed:
				refused = "left the list; only the reader can come back, by the page /subscribe"
				continue
			case old == StatePending && state == StateConfirmed:
				ended = append(ended, subscriptionKey{e.key, l})
			case old != "":
				continue
			}
			states[subscriptionKey{e.key, l}] = state
			adds++
			subs = append(subs, r.subscription(e, l, state))
		}
		if adds == 0 && refused != "" {
			r.refuse(e.row, refused)
			continue
		}
		if adds == 0 {
			r.out.Known++
			continue
		}
		r.out.Added += adds
		begun = append(begun, subs...)
		if before[e.key] == 0 && !seen[e.key] {
			seen[e.key] = true
			r.out.Readers++
			fresh = append(fresh, newReader{e.address, e.key, language(e.language), cmp.Or(e.format, HTML)})
		}
	}
	return r.store.insertImported(ctx, r.tx, fresh, begun, ended, r.now)
}

// check parses a row; why says what is wrong with it.
func (r *importRun) check(x row) (e importEntry, why string) {
	if x.broken != "" {
		return e, x.broken
	}
	address, cleaned, why := addressIn(x.address)
	if why != "" {
		return e, why
	}
	if x.gone != "" {
		return e, x.gone
	}
	if cleaned {
		r.note(Note{x.number, address, false, "had invisible characters or wide spaces; taken without them"})
	}
	switch RoleOf(address) {
	case RoleMachine:
		return e, "is the address of a program, not of a reader"
	case RoleOffice:
		r.note(Note{x.number, address, false, "is an office's address; taken, several people may read it"})
	}
	if meant := Suggest(address); meant != "" {
		r.note(Note{x.number, address, false, "looks like a slip; taken as it is, perhaps " + meant + " is meant"})
	}
	e = importEntry{row: x, key: addressKey(address), hash: r.store.addressHash(address)}
	e.address, e.language, e.consent = address, cmp.Or(x.language, r.in.Language), cmp.Or(x.consent, r.in.Consent)
	if x.state == StatePending { // nobody agreed yet
		e.consent = ""
	} else if e.consent == "" {
		return e, "does not say how the reader agreed"
	}
	if x.lists == nil {
		for _, l := range r.in.Lists {
			e.lists = append(e.lists, l.ID)
		}
	}
	for _, slug := range x.lists {
		id, ok := r.bySlug[slug]
		if !ok {
			return e, fmt.Sprintf("names the list %q, which is not there", slug)
		}
		e.lists = append(e.lists, id)
	}
	if len(e.lists) == 0 {
		return e, "names no list; give one with --list"
	}
	return e, ""
}

func (r *importRun) withoutSuppressed(ctx context.Context, entries []importEntry) ([]importEntry, error) {
	hashes := make([]string, len(entries))
	for i, e := range entries {
		hashes[i] = e.hash
	}
	type found struct{ hash, reason string }
	suppressed, err := database.Collect(ctx, r.tx, func(row database.Row) (f found, err error) {
		err = row.Scan(&f.hash, &f.reason)
		return f, err
	}, `SELECT address_hash, reason FROM suppressions WHERE address_hash IN (`+r.store.db.Dialect().Texts("$1")+`)`, jsonArray(hashes))
	if err != nil || len(suppressed) == 0 {
		return entries, err
	}
	reasons := make(map[string]string)
	for _, f := range suppressed {
		reasons[f.hash] = f.reason
	}
	kept := entries[:0]
	for _, e := range entries {
		if reason, is := reasons[e.hash]; is && e.state != StateUnsubscribed {
			r.refuse(e.row, "is suppressed ("+reason+")")
			continue
		}
		kept = append(kept, e)
	}
	return kept, nil
}

// readers returns the ids of readers who are there, by the key of their address.
func (r *importRun) readers(ctx context.Context, entries []importEntry) (map[string]int64, error) {
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.key
	}
	return readersByKey(ctx, r.tx, r.store.db.Dialect(), keys)
}

func readersByKey(ctx context.Context, tx *sql.Tx, d database.Dialect, keys []string) (map[string]int64, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, address_key FROM subscribers WHERE address_key IN (`+d.Texts("$1")+`)`, jsonArray(keys))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make(map[string]int64, len(keys))
	for rows.Next() {
		var id int64
		var key string
		if err := rows.Scan(&id, &key); err != nil {
			return nil, err
		}
		found[key] = id
	}
	return found, rows.Err()
}

// subscriptionKey is a place on a list before its reader has an id.
type subscriptionKey struct {
	key  string // of the address
	list int64
}

func (r *importRun) states(ctx context.Context, readers map[string]int64) (map[subscriptionKey]State, error) {
	ids := make([]int64, 0, len(readers))
	keys := make(map[int64]string, len(readers))
	for key, id := range readers {
		ids = append(ids, id)
		keys[id] = key
	}
	rows, err := r.tx.QueryContext(ctx, `SELECT subscriber, list, state FROM subscriptions WHERE subscriber IN (`+r.store.db.Dialect().IDs("$1")+`)`, jsonArray(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	states := make(map[subscriptionKey]State)
	for rows.Next() {
		var id, list int64
		var state State
		if err := rows.Scan(&id, &list, &state); err != nil {
			return nil, err
		}
		states[subscriptionKey{keys[id], list}] = state
	}
	return states, rows.Err()
}

type newReader struct {
	address, key, language string
	format                 Format
}

// newSubscription is a row of subscriptions with its consent event.
type newSubscription struct {
	key     string // of the reader's address
	list    int64
	state   State
	since   time.Time
	consent string
	choice  Choice
}

func (r *importRun) subscription(e importEntry, list int64, state State) newSubscription {
	n := newSubscription{e.key, list, state, e.since, e.consent, e.choice}
	if n.since.IsZero() {
		n.since = r.now
	}
	return n
}

// stamp is an instant as SQLite stores it and PostgreSQL reads it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999999-07:00") }

// insertImported stores readers and their subscriptions, a few statements for
// all of them: a statement a row costs five times as much.
func (s *Store) insertImported(ctx context.Context, tx *sql.Tx, fresh []newReader, begun []newSubscription, pending []subscriptionKey, now time.Time) error {
	if len(begun) == 0 {
		return nil
	}
	d := s.db.Dialect()
	from := d.Pick(`json_each($1)`, `jsonb_array_elements($1::jsonb) AS j (value)`)
	if len(fresh) > 0 {
		rows := make([][4]string, len(fresh))
		for i, f := range fresh {
			rows[i] = [4]string{f.address, f.key, f.language, string(f.format)}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO subscribers (address, address_key, language, format, created_at)
			SELECT value->>0, value->>1, value->>2, value->>3, $2 FROM `+from, toJSON(rows), now); err != nil {
			return err
		}
	}
	keys := make([]string, len(begun))
	for i, b := range begun {
		keys[i] = b.key
	}
	ids, err := readersByKey(ctx, tx, d, keys)
	if err != nil {
		return err
	}
	for _, p := range pending {
		if _, err := tx.ExecContext(ctx, `DELETE FROM subscriptions WHERE subscriber = $1 AND list = $2 AND state = 'pending'`, ids[p.key], p.list); err != nil {
			return err
		}
	}
	values := make([][5]any, len(begun))
	for i, b := range begun {
		values[i] = [5]any{ids[b.key], b.list, b.state, stamp(b.since), b.consent}
	}
	rows := toJSON(values)
	since, at := d.Pick(`value->>3`, `CAST(value->>3 AS TIMESTAMPTZ)`), d.Pick(`$2`, `$2::timestamptz`)
	if _, err := tx.ExecContext(ctx, `INSERT INTO subscriptions (subscriber, list, state, created_at, confirmed_at, ended_at, added_at)
		SELECT CAST(value->>0 AS BIGINT), CAST(value->>1 AS BIGINT), value->>2, `+at+`,
			CASE WHEN value->>2 = 'confirmed' THEN `+since+` END, CASE WHEN value->>2 = 'unsubscribed' THEN `+since+` END,
			CASE WHEN value->>2 = 'confirmed' THEN `+at+` END FROM `+from, rows, now); err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, `INSERT INTO consents (subscriber, list, event, at, text_version, detail)
		SELECT CAST(value->>0 AS BIGINT), CAST(value->>1 AS BIGINT),
			CASE value->>2 WHEN 'confirmed' THEN 'imported' ELSE 'imported as ' || (value->>2) END, $2, '', value->>4 FROM `+from, rows, now); err != nil {
		return err
	}
	for _, b := range begun {
		if b.choice.IsDefault() {
			continue
		}
		if err := setChoice(ctx, tx, ids[b.key], b.list, b.choice); err != nil {
			return err
		}
	}
	return nil
}
