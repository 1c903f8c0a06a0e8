package feed

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"dibao/internal/database"
)

// HistoryEvent is an event in the history of an article after it was collected.
type HistoryEvent struct {
	At     time.Time
	What   string  // text, correction, undone, relation, relation-gone, withdrawn
	Field  string  // the corrected field, or the kind of relation
	Value  *string // the corrected value; nil means that the fact is unknown
	Detail string  // a note or a sentence
}

// History returns the events of an article, oldest first: its text changed, it was
// corrected, a relation to another document began or ended, its page was removed.
func (st *Store) History(ctx context.Context, article int64) ([]HistoryEvent, error) {
	var all []HistoryEvent
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, func(row database.Row) (HistoryEvent, error) {
			var h HistoryEvent
			err := row.Scan(&h.At, &h.What, &h.Field, &h.Value, &h.Detail)
			return h, err
		}, `SELECT replaced_at AS at, 'text' AS what, '' AS field, title AS value, '' AS detail FROM revisions WHERE article = $1
			UNION ALL SELECT at, CASE WHEN value IS NULL THEN 'undone' ELSE 'correction' END, field, NULLIF(value, ''), note FROM corrections WHERE article = $1
			UNION ALL SELECT since, 'relation', kind, CASE WHEN target_number = '' THEN target_title ELSE target_number END, quote FROM relations r WHERE article = $1`+knownPage+`
			UNION ALL SELECT gone_at, 'relation-gone', kind, CASE WHEN target_number = '' THEN target_title ELSE target_number END, quote FROM relations r
				WHERE article = $1 AND gone_at IS NOT NULL`+knownPage+`
			UNION ALL SELECT withdrawn_at, 'withdrawn', '', NULL, '' FROM articles WHERE id = $1 AND withdrawn_at IS NOT NULL`, article)
		return err
	})
	slices.SortStableFunc(all, func(a, b HistoryEvent) int { return a.At.Compare(b.At) })
	return all, err
}

// AreRelated reports whether two articles are versions of one text: they are
// the same article, contain the same document, are in one cluster, or contain
// versions of one law.
func (st *Store) AreRelated(ctx context.Context, a, b int64) (related bool, err error) {
	if a == b {
		return true, nil
	}
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM carriers x JOIN carriers y ON y.document = x.document WHERE x.article = $1 AND y.article = $2)
			OR EXISTS (SELECT 1 FROM clusters x JOIN clusters y ON y.cluster = x.cluster WHERE x.article = $1 AND y.article = $2)
			OR EXISTS (SELECT 1 FROM carriers x JOIN documents d ON d.id = x.document JOIN documents e ON e.work = d.work AND e.region = d.region
				JOIN carriers y ON y.document = e.id WHERE x.article = $1 AND y.article = $2 AND d.work <> '')`, a, b).Scan(&related)
	})
	return related, err
}
