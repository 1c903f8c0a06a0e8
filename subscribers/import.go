package subscribers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/subscribers/mailaddr"
)

// Import contains the settings for importing readers from a file.
type Import struct {
	Open     func() (io.ReadCloser, error) // opens the file at its beginning, each time it is called
	Columns  ColumnChoice                  // the meanings of its columns, if their names do not state them
	Lists    []List                        // for rows without a list
	Consent  string                        // how the readers agreed, for rows that do not state it
	Language string                        // for rows without a language; "" means that of the first list of a row
	Apply    bool                          // otherwise nothing is stored, but the result is reported anyway
	Progress func(rows int)                // called from time to time; may be nil
}

// Imported is the result of an import, or what it would be.
type Imported struct {
	Rows     int    `json:"rows"`
	Readers  int    `json:"readers"` // new readers
	Added    int    `json:"added"`   // new subscriptions, including ended and pending ones
	Known    int    `json:"known"`   // rows that change nothing
	Refused  int    `json:"refused"`
	Narrowed int    `json:"narrowed"` // new subscriptions that get only some themes or regions of their list
	Notes    []Note `json:"-"`
	// Unread are the names of the columns that the import does not use, without those that
	// the admin named as such.
	Unread []string `json:"unread_columns"`
}

// Note is a remark about one row.
type Note struct {
	Row     int // row of the file, counting from 1 including the header
	Address string
	Refused bool // the row was not imported; otherwise it was, with this remark
	Why     string
}

// maxNotes limits the memory for notes; refused rows beyond it are still counted.
const maxNotes = 100_000

// An import is stored in slices, so that in the meantime readers can unsubscribe and emails
// can be sent.
const (
	importBatch  = 500                    // rows per slice
	importWrites = 250 * time.Millisecond // time for consecutive slices, followed by
	importPause  = 100 * time.Millisecond // a pause for other processes that wait to write to SQLite
)

// PartialImportError says that an import was interrupted while it was being stored. Running
// it again stores the rest.
type PartialImportError struct {
	Rows int // number of rows of the file that were stored, from its beginning
	Err  error
}

func (e *PartialImportError) Error() string {
	return fmt.Sprintf("%v; the first %d rows were imported: run the command again, it imports the rest and changes nothing else", e.Err, e.Rows)
}

func (e *PartialImportError) Unwrap() error { return e.Err }

// Import imports the readers of a file, or none if the file can't be read to
// its end. It never resubscribes readers who unsubscribed or are suppressed,
// sends no email, and changes nothing when it is run again. If it is
// interrupted after it began to store, it returns a *PartialImportError.
func (s *Store) Import(ctx context.Context, in Import) (Imported, error) {
	ctx = database.Background(ctx)
	run := importRun{store: s, in: in, now: s.now(), bySlug: make(map[string]List), planned: make(map[plannedKey]State)}
	lists, err := s.Lists(ctx)
	if err != nil {
		return Imported{}, err
	}
	for _, l := range lists {
		run.bySlug[l.Slug] = l
	}
	if !in.Apply {
		err := s.db.Read(ctx, func(tx *sql.Tx) error {
			return run.each(func() error { return run.flush(ctx, tx) })
		})
		return run.out, err
	}
	if err := run.each(func() error { return nil }); err != nil {
		return Imported{}, err
	}
	stored, writing := 0, time.Duration(0)
	err = run.each(func() error {
		if writing > importWrites {
			writing = 0
			select {
			case <-time.After(importPause):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		began := time.Now()
		err := run.storeSlice(ctx)
		writing += time.Since(began)
		if err == nil {
			stored = run.out.Rows
		}
		return err
	})
	if err != nil && stored > 0 {
		err = &PartialImportError{stored, err}
	}
	return run.out, err
}

// importRun is the state of reading a file once.
type importRun struct {
	store   *Store
	in      Import
	out     Imported
	now     time.Time
	bySlug  map[string]List
	batch   []row
	planned map[plannedKey]State // what an import without Apply would have stored
}

// plannedKey is a short form of a subscriptionKey: a file may have a million of them.
type plannedKey struct {
	address [16]byte // derived from the SHA-256 of the address's key
	list    int64    // 0 means the reader
}

func planOf(key string, list int64) plannedKey {
	sum := sha256.Sum256([]byte(key))
	return plannedKey{[16]byte(sum[:16]), list}
}

// each reads the file and calls flush whenever a batch is full.
func (r *importRun) each(flush func() error) error {
	file, err := r.in.Open()
	if err != nil {
		return err
	}
	defer file.Close()
	reader, err := newImportReader(file, r.in.Columns)
	if err != nil {
		return err
	}
	if r.in.Consent == "" && !reader.has(columnConsent) {
		return errors.New("state with --consent how the readers agreed; this is stored with each as proof of consent")
	}
	r.out, r.batch = Imported{Unread: reader.unread(r.in.Columns)}, nil
	for {
		next, err := reader.next()
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return err
		}
		r.out.Rows++
		if r.batch = append(r.batch, next); len(r.batch) == importBatch {
			if err := flush(); err != nil {
				return err
			}
			r.batch = r.batch[:0]
		}
	}
}

// storeSlice stores the batch in a separate transaction, which may run twice.
func (r *importRun) storeSlice(ctx context.Context) error {
	before := r.out
	return r.store.db.Write(ctx, func(tx *sql.Tx) error {
		r.out = before
		return r.flush(ctx, tx)
	})
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

// importEntry is a row with its reader, as far as it may be stored.
type importEntry struct {
	row
	key, hash string
	lists     []int64
	ofList    string // language of the first list
}

// flush stores the rows of a batch, or plans them if the import is not applied.
func (r *importRun) flush(ctx context.Context, tx *sql.Tx) error {
	var entries []importEntry
	for _, x := range r.batch {
		if e, why := r.check(x); why != "" {
			r.refuse(x, why)
		} else {
			entries = append(entries, e)
		}
	}
	if r.in.Progress != nil {
		r.in.Progress(r.out.Rows)
	}
	entries, err := r.withoutSuppressed(ctx, tx, entries)
	if err != nil || len(entries) == 0 {
		return err
	}
	before, err := r.known(ctx, tx, entries)
	if err != nil {
		return err
	}
	states, err := r.states(ctx, tx, before)
	if err != nil {
		return err
	}
	var fresh []newReader
	var begun []newSubscription
	var ended []subscriptionKey // pending ones that the admin's statement confirms
	seen := make(map[string]bool)
	for _, e := range entries {
		adds, refused := 0, ""
		var subs []newSubscription
		for _, l := range e.lists {
			state := cmp.Or(e.state, StateConfirmed)
			switch old := cmp.Or(r.planned[planOf(e.key, l)], states[subscriptionKey{e.key, l}].state); {
			case old == StateUnsubscribed && state != StateUnsubscribed:
				refused = "the reader unsubscribed from the list; only the reader can subscribe again, at /subscribe"
				continue
			case old == StatePending && state == StateConfirmed:
				ended = append(ended, subscriptionKey{e.key, l})
			case old != "":
				continue
			}
			states[subscriptionKey{e.key, l}] = knownSubscription{state, e.choice}
			r.plan(e.key, l, state)
			adds++
			subs = append(subs, r.subscription(e, l, state))
		}
		if adds == 0 && refused != "" {
			r.refuse(e.row, refused)
			continue
		}
		if e.differs(before[e.key], states) {
			r.note(Note{e.number, e.address, false, "an import does not change the language, format, frequency, themes and regions of existing readers; to change them: dibao subscriber edit"})
		}
		if adds == 0 {
			r.out.Known++
			continue
		}
		r.out.Added += adds
		if len(e.choice.Themes)+len(e.choice.Regions) > 0 {
			r.out.Narrowed += adds
		}
		begun = append(begun, subs...)
		if before[e.key].id == 0 && !seen[e.key] && r.planned[planOf(e.key, 0)] == "" {
			seen[e.key] = true
			r.plan(e.key, 0, StateConfirmed)
			r.out.Readers++
			fresh = append(fresh, newReader{e.address, e.key, language(cmp.Or(e.language, r.in.Language, e.ofList)), cmp.Or(e.format, HTML)})
		}
	}
	if !r.in.Apply {
		return nil
	}
	return r.store.insertImported(ctx, tx, fresh, begun, ended, r.now)
}

// plan records what a later slice would find in the database, if nothing is stored.
func (r *importRun) plan(key string, list int64, state State) {
	if !r.in.Apply {
		r.planned[planOf(key, list)] = state
	}
}

// check parses a row; why says what is wrong with it.
func (r *importRun) check(x row) (e importEntry, why string) {
	if x.broken != "" {
		return e, x.broken
	}
	address, cleaned, why := mailaddr.InField(x.address)
	if why != "" {
		return e, why
	}
	if x.gone != "" && x.state != StateUnsubscribed {
		return e, x.gone
	}
	for _, remark := range x.remarks {
		r.note(Note{x.number, address, false, remark})
	}
	if cleaned {
		r.note(Note{x.number, address, false, "the address had invisible characters or wide spaces; it was imported without them"})
	}
	switch mailaddr.RoleOf(address) {
	case mailaddr.RoleMachine:
		return e, "this is the address of a program, not of a reader"
	case mailaddr.RoleOffice:
		r.note(Note{x.number, address, false, "this is the address of an office, which several people may read; it was imported"})
	}
	if meant := mailaddr.Suggest(address); meant != "" {
		r.note(Note{x.number, address, false, "the address looks misspelled (for " + meant + "?); it was imported unchanged"})
	}
	e = importEntry{row: x, key: mailaddr.Key(address), hash: r.store.addressHash(address)}
	e.address, e.consent = address, cmp.Or(x.consent, r.in.Consent)
	if x.state == StatePending { // nobody agreed yet
		e.consent = ""
	} else if e.consent == "" {
		return e, "the row does not say how the reader agreed"
	}
	if x.lists == nil {
		for _, l := range r.in.Lists {
			e.lists = append(e.lists, l.ID)
			e.ofList = cmp.Or(e.ofList, l.Language)
		}
	}
	for _, slug := range x.lists {
		l, ok := r.bySlug[slug]
		if !ok {
			return e, fmt.Sprintf("the row is for the list %q, which does not exist", slug)
		}
		e.lists = append(e.lists, l.ID)
		e.ofList = cmp.Or(e.ofList, l.Language)
	}
	if len(e.lists) == 0 {
		return e, "the row has no list; specify one with --list"
	}
	return e, ""
}

func (r *importRun) withoutSuppressed(ctx context.Context, tx *sql.Tx, entries []importEntry) ([]importEntry, error) {
	hashes := make([]string, len(entries))
	for i, e := range entries {
		hashes[i] = e.hash
	}
	reasons, err := database.CollectMap(ctx, tx, database.ScanPair[string, string],
		`SELECT address_hash, reason FROM suppressions WHERE address_hash IN (`+r.store.db.Dialect().Texts("$1")+`)`, jsonArray(hashes))
	if err != nil || len(reasons) == 0 {
		return entries, err
	}
	kept := entries[:0]
	for _, e := range entries {
		if reason, is := reasons[e.hash]; is && e.state != StateUnsubscribed {
			r.refuse(e.row, "the address is suppressed ("+reason+")")
			continue
		}
		kept = append(kept, e)
	}
	return kept, nil
}

// knownReader is an existing reader.
type knownReader struct {
	id       int64
	language string
	format   Format
}

// known returns the existing readers, by the key of their address.
func (r *importRun) known(ctx context.Context, tx *sql.Tx, entries []importEntry) (map[string]knownReader, error) {
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.key
	}
	return readersByKey(ctx, tx, r.store.db.Dialect(), keys)
}

func readersByKey(ctx context.Context, tx *sql.Tx, d database.Dialect, keys []string) (map[string]knownReader, error) {
	return database.CollectMap(ctx, tx, func(r database.Row) (key string, k knownReader, err error) {
		err = r.Scan(&key, &k.id, &k.language, &k.format)
		return key, k, err
	}, `SELECT address_key, id, language, format FROM subscribers WHERE address_key IN (`+d.Texts("$1")+`)`, jsonArray(keys))
}

// knownSubscription is an existing subscription.
type knownSubscription struct {
	state  State
	choice Choice
}

// differs reports whether a row states something else about an existing reader than what is
// stored.
func (e *importEntry) differs(reader knownReader, subs map[subscriptionKey]knownSubscription) bool {
	if reader.id == 0 {
		return false
	}
	if e.language != "" && e.language != reader.language || e.format != "" && e.format != reader.format {
		return true
	}
	return slices.ContainsFunc(e.lists, func(l int64) bool {
		old := subs[subscriptionKey{e.key, l}].choice
		return e.choice.Frequency != "" && cmp.Or(old.Frequency, EveryIssue) != e.choice.Frequency ||
			len(e.choice.Themes) > 0 && !slices.Equal(old.Themes, e.choice.Themes) || len(e.choice.Regions) > 0 && !slices.Equal(old.Regions, e.choice.Regions)
	})
}

// subscriptionKey identifies a subscription before its reader has an id.
type subscriptionKey struct {
	key  string // key of the address
	list int64
}

func (r *importRun) states(ctx context.Context, tx *sql.Tx, readers map[string]knownReader) (map[subscriptionKey]knownSubscription, error) {
	ids := make([]int64, 0, len(readers))
	keys := make(map[int64]string, len(readers))
	for key, x := range readers {
		ids = append(ids, x.id)
		keys[x.id] = key
	}
	return database.CollectMap(ctx, tx, func(r database.Row) (k subscriptionKey, sub knownSubscription, err error) {
		var id int64
		var c storedChoice
		if err = r.Scan(&id, &k.list, &sub.state, &c.themes, &c.regions, &c.frequency); err == nil {
			k.key = keys[id]
			sub.choice, err = c.choice()
		}
		return k, sub, err
	}, `SELECT subscriber, list, state, themes, regions, frequency FROM subscriptions WHERE subscriber IN (`+r.store.db.Dialect().IDs("$1")+`)`, jsonArray(ids))
}
