package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/policy"
)

// EventKind is what happened to a document.
type EventKind string

// The kinds of event.
const (
	EventRepealed    EventKind = "repealed"    // another document repeals it
	EventAmended     EventKind = "amended"     // another amends it, or is its new version
	EventExpiring    EventKind = "expiring"    // its last day is at most policy.ExpiringDays away
	EventExpired     EventKind = "expired"     // its last day is over
	EventAppeared    EventKind = "appeared"    // what it promised is here
	EventInterpreted EventKind = "interpreted" // an article explains it
	EventImplemented EventKind = "implemented" // another document implements it
	EventWithdrawn   EventKind = "withdrawn"   // every page that carried it was taken away
)

// Event is one thing that happened to a document, with a sequence number that
// grows in the order in which events can be seen.
type Event struct {
	Seq      int64
	Document int64
	Kind     EventKind
	Article  int64       // that brought it; 0 for the passing of time
	On       policy.Date // when it takes effect, as far as it is known
	At       time.Time   // when it was noticed
}

// Events returns what happened after a sequence number, the oldest first, at most
// limit (0: 1000). documents narrows it; none is all. What the day has brought
// (expiring, expired) is noted first.
func (st *Store) Events(ctx context.Context, after int64, documents []int64, limit int) ([]Event, error) {
	if err := st.noteExpiry(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = 1000
	}
	list, err := json.Marshal(orEmpty(documents))
	if err != nil {
		return nil, err
	}
	var all []Event
	err = st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, func(row database.Row) (Event, error) {
			var e Event
			err := row.Scan(&e.Seq, &e.Document, &e.Kind, &e.Article, &e.On, &e.At)
			return e, err
		}, `SELECT e.seq, e.document, e.kind, COALESCE(e.article, 0), e.on_date, e.at FROM document_events e
			LEFT JOIN articles a ON a.id = e.article
			WHERE e.seq > $1 AND ($2 = 0 OR e.document IN (`+st.db.Dialect().IDs("$3")+`)) AND COALESCE(a.hidden, 0) = 0
			ORDER BY e.seq LIMIT $4`, after, len(documents), string(list), limit)
		return err
	})
	return all, err
}

// LastEvent returns the sequence number of the newest event; 0 if there is none.
func (st *Store) LastEvent(ctx context.Context) (int64, error) {
	var seq int64
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM document_events`).Scan(&seq)
	})
	return seq, err
}

const insertEvent = `INSERT INTO document_events (document, kind, key, article, on_date, at) VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (document, kind, key) DO NOTHING`

// noteExpiry notes the documents whose last day is near or over. A document that
// was over for long when it came is not news to anybody.
func (st *Store) noteExpiry(ctx context.Context) error {
	now := st.Now()
	today := policy.DateOf(now.In(shanghai))
	type due struct {
		id int64
		on policy.Date
	}
	var all []due
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, func(row database.Row) (due, error) {
			var d due
			err := row.Scan(&d.id, &d.on)
			return d, err
		}, `SELECT d.id, d.expires_on FROM documents d WHERE d.expires_on IS NOT NULL AND d.expires_on <= $1 AND d.expires_on >= $2
			AND d.repealed_by IS NULL AND NOT EXISTS (SELECT 1 FROM document_events e WHERE e.document = d.id AND e.key = d.expires_on
				AND e.kind = CASE WHEN d.expires_on < $3 THEN 'expired' ELSE 'expiring' END) ORDER BY d.expires_on, d.id LIMIT 1000`,
			today.AddDays(policy.ExpiringDays), today.AddDays(-policy.ExpiringDays), today)
		return err
	})
	if err != nil || len(all) == 0 {
		return err
	}
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		if err := touch(ctx, tx); err != nil {
			return err
		}
		for _, d := range all {
			kind := EventExpiring
			if d.on.Before(today) {
				kind = EventExpired
			}
			if _, err := tx.ExecContext(ctx, insertEvent, d.id, kind, d.on.String(), nil, d.on, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// shanghai is the zone in which a document's last day ends.
var shanghai = time.FixedZone("CST", 8*60*60)

// announce notes what the relations that were just resolved mean for the
// documents that they point to, and whose new version has come.
func (b *batch) announce(ctx context.Context, resolved []citing, touched map[int64]bool) error {
	for _, r := range resolved {
		kind, document, key := EventKind(""), r.Target, "t "+r.titleKey
		if r.Document != 0 {
			key = fmt.Sprintf("d %d", r.Document)
		}
		switch {
		case r.Kind == policy.RelationRepeals && r.Document != 0:
			touched[r.Target] = true
			kind = EventRepealed
		case r.Kind == policy.RelationAmends && r.Document != 0:
			kind = EventAmended
		case r.Kind == policy.RelationExtends && r.Document != 0:
			b.extends = append(b.extends, r.Target) // a later day on which it expires is all that there is to tell
		case r.Kind == policy.RelationInterprets:
			kind = EventInterpreted
		case r.Kind == policy.RelationImplements && r.Document != 0:
			kind = EventImplemented
		case r.Kind == RelationPromises && r.Document != 0:
			kind, document, key = EventAppeared, r.Document, fmt.Sprintf("d %d", r.Target)
		}
		if kind == "" || r.hidden {
			continue
		}
		if err := b.event(ctx, document, kind, key, r.Article, r.on); err != nil {
			return err
		}
	}
	for _, id := range sortedKeys(touched) {
		if err := setRepealed(ctx, b.tx, id); err != nil {
			return err
		}
	}
	slices.Sort(b.extends)
	for _, id := range slices.Compact(b.extends) {
		if err := b.mergeCarriers(ctx, id); err != nil {
			return err
		}
	}
	return b.announceVersions(ctx)
}

// event notes one event; a promise's is brought by the article that kept it.
func (b *batch) event(ctx context.Context, document int64, kind EventKind, key string, article int64, on policy.Date) error {
	_, err := b.tx.ExecContext(ctx, insertEvent, document, kind, key, article, on, b.now)
	return err
}

// repealing are the relations that repeal documents.id: those of documents that
// are shown, with the day from which each holds.
const repealing = ` FROM relations r JOIN articles a ON a.id = r.article WHERE r.target = documents.id AND r.kind = '` + policy.RelationRepeals + `'
	AND r.gone_at IS NULL AND r.document IS NOT NULL AND r.document <> documents.id AND a.hidden = 0 `

// setRepealed sets since when and by what a document is repealed, from all that
// is said of it.
func setRepealed(ctx context.Context, tx *sql.Tx, document int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE documents SET
		repealed_on = (SELECT MIN(COALESCE(a.effective_on, a.issued_on, a.published_on))`+repealing+`),
		repealed_by = (SELECT a.id`+repealing+`ORDER BY COALESCE(a.effective_on, a.issued_on, a.published_on, '9999'), a.id LIMIT 1)
		WHERE id = $1`, document)
	return err
}

// work is what the versions of a law or rule have in common.
type work struct{ name, region string }

// reorder has the versions of a work put in order anew.
func (b *batch) reorder(w work) {
	if w.name != "" && !slices.Contains(b.leftWorks, w) {
		b.leftWorks = append(b.leftWorks, w)
	}
}

// leaveWork takes a document out of a work that it is no version of any more:
// it was misread, or corrected by hand.
func (b *batch) leaveWork(ctx context.Context, document int64, was work) error {
	if was.name == "" {
		return nil
	}
	b.reorder(was)
	if _, err := b.tx.ExecContext(ctx, `UPDATE documents SET superseded_by = NULL, superseded_on = NULL WHERE id = $1 AND superseded_by IS NOT NULL`, document); err != nil {
		return err
	}
	_, err := b.tx.ExecContext(ctx, `DELETE FROM document_events WHERE kind = $1 AND key LIKE 'v %' AND (document = $2 OR key = $3)`,
		EventAmended, document, versionKey(document))
	return err
}

// versionKey is the key of the event that a document is another's next version.
func versionKey(document int64) string { return fmt.Sprintf("v %d", document) }

// announceVersions puts the versions of laws and rules in order, and tells of the
// new ones, whichever came first.
func (b *batch) announceVersions(ctx context.Context) error {
	came := make(map[work][]int64)
	for _, w := range b.leftWorks {
		came[w] = nil
	}
	for _, c := range append(b.changed, b.created...) {
		w := work{c.work, c.region}
		came[w] = append(came[w], c.id)
	}
	for w, documents := range came {
		if err := b.orderVersions(ctx, w, documents); err != nil {
			return err
		}
	}
	return nil
}

// orderVersions sets by what each version of a work is superseded: the next one
// that is shown. What concerns the documents that have come is told.
func (b *batch) orderVersions(ctx context.Context, w work, came []int64) error {
	if w.name == "" {
		return nil
	}
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (bearer, error) {
		var x bearer
		err := row.Scan(&x.document, &x.article, &x.on)
		return x, err
	}, `SELECT id, COALESCE(article, 0), COALESCE(issued_on, published_on) FROM documents
		WHERE work = $1 AND work <> '' AND region = $2 AND COALESCE(issued_on, published_on) IS NOT NULL ORDER BY COALESCE(issued_on, published_on), id LIMIT 100`, w.name, w.region)
	if err != nil {
		return err
	}
	for i, older := range all {
		var newer bearer
		if next := slices.IndexFunc(all[i:], func(x bearer) bool { return x.article != 0 && older.on.Before(x.on) }); next >= 0 {
			newer = all[i+next]
		}
		if err := b.supersede(ctx, older.document, newer.document); err != nil {
			return err
		}
		if newer.document == 0 || !slices.Contains(came, older.document) && !slices.Contains(came, newer.document) {
			continue
		}
		if err := b.event(ctx, older.document, EventAmended, versionKey(newer.document), newer.article, newer.on); err != nil {
			return err
		}
	}
	return nil
}

// supersede sets the next version of a document, and from when that holds; 0 says
// that there is none.
func (b *batch) supersede(ctx context.Context, document, newer int64) error {
	by := sql.Null[int64]{V: newer, Valid: newer != 0}
	_, err := b.tx.ExecContext(ctx, `UPDATE documents SET superseded_by = $2, superseded_on =
		(SELECT COALESCE(n.effective_on, n.issued_on, n.published_on) FROM documents n WHERE n.id = $2)
		WHERE id = $1 AND (superseded_by IS NOT NULL OR superseded_on IS NOT NULL OR $3 = 1)`, document, by, oneIf(by.Valid))
	return err
}

// extended returns the last day that others give a document whose term they
// extend; zero if none does.
func (b *batch) extended(ctx context.Context, document int64) (until policy.Date, err error) {
	all, err := database.Collect(ctx, b.tx, database.ScanOne[string], `SELECT a.facts FROM relations r JOIN articles a ON a.id = r.article
		WHERE r.target = $1 AND r.kind = $2 AND r.gone_at IS NULL AND r.document IS NOT NULL AND a.hidden = 0 LIMIT 100`, document, policy.RelationExtends)
	for _, text := range all {
		var f policy.Facts
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return until, err
		}
		if until.Before(f.ExtendsTo) {
			until = f.ExtendsTo
		}
	}
	return until, err
}

// noteWithdrawn notes that every page that carried a document was taken away.
func noteWithdrawn(ctx context.Context, tx *sql.Tx, article int64, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO document_events (document, kind, key, article, at)
		SELECT c.document, 'withdrawn', 'a', c.article, $2 FROM carriers c WHERE c.article = $1
			AND NOT EXISTS (SELECT 1 FROM carriers o JOIN articles a ON a.id = o.article WHERE o.document = c.document AND a.withdrawn_at IS NULL)
		ON CONFLICT (document, kind, key) DO NOTHING`, article, now)
	return err
}
