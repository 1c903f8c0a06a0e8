package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"dibao/feed/amend"
	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/policy"
)

// recheckAfter are the delays after which the page of an article is read again: most silent
// corrections are made soon, some late.
var recheckAfter = [...]time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour}

// Revision is an earlier version of an article's text.
type Revision struct {
	Title      string
	Paragraphs []string
	ReplacedAt time.Time
}

// Revisions returns the earlier versions of an article, oldest first.
func (st *Store) Revisions(ctx context.Context, article int64) ([]Revision, error) {
	var all []Revision
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, func(row database.Row) (Revision, error) {
			var r Revision
			var paragraphs string
			if err := row.Scan(&r.Title, &paragraphs, &r.ReplacedAt); err != nil {
				return r, err
			}
			return r, json.Unmarshal([]byte(paragraphs), &r.Paragraphs)
		}, `SELECT title, paragraphs, replaced_at FROM revisions WHERE article = $1 ORDER BY id`, article)
		return err
	})
	return all, err
}

// keepRevision stores the present version of an article before it is replaced, if a reader
// would see a different text. If the site changed the last day of a call in the text, it
// records both days.
func (b *batch) keepRevision(ctx context.Context, a *batchArticle) error {
	if a.columnsErr != nil {
		return a.columnsErr
	}
	was, until, err := b.movedDay(ctx, a)
	if err != nil {
		return err
	}
	_, err = b.tx.ExecContext(ctx, `
		INSERT INTO revisions (article, title, paragraphs, replaced_at, was_on, until_on)
		SELECT id, title, paragraphs, $5, $7, $8 FROM articles
		WHERE source = $1 AND guid = $2 AND page_state = 'complete' AND text_hash <> $6 AND (title <> $3 OR paragraphs <> $4)`,
		a.SourceID, a.GUID, a.Title(), a.columns.paragraphs, b.now, a.TextHash, was, until)
	return err
}

// movedDay returns the last day of a stored call and that in its new text; two zero dates if the
// site did not change it. It reads the stored text again, because an older version of dibao may
// have read another day in it.
func (b *batch) movedDay(ctx context.Context, a *batchArticle) (was, until policy.Date, err error) {
	ids, err := database.Collect(ctx, b.tx, database.ScanOne[int64], `SELECT id FROM articles WHERE source = $1 AND guid = $2
		AND page_state = 'complete' AND call <> '' AND text_hash <> $3 AND COALESCE(deadline_on, '') <> $4`, a.SourceID, a.GUID, a.TextHash, a.Facts.DeadlineOn.String())
	if err != nil || len(ids) == 0 {
		return policy.Date{}, policy.Date{}, err
	}
	stored, err := b.st.loadForStoring(ctx, b.tx, ids)
	if err != nil || len(stored) == 0 {
		return policy.Date{}, policy.Date{}, err
	}
	facts, _ := understand(stored[0].Evidence, b.now)
	if facts.DeadlineOn == a.Facts.DeadlineOn {
		return policy.Date{}, policy.Date{}, nil
	}
	return facts.DeadlineOn, a.Facts.DeadlineOn, nil
}

// withdrawnAfter is how long a page must be missing before its article is withdrawn: a page
// may return the next day.
const withdrawnAfter = 48 * time.Hour

// Item returns the item of a stored article, as its source gave it.
func (a Article) Item() ingest.Item {
	return ingest.Item{GUID: a.GUID, URL: a.URL, Title: a.Evidence.ListTitle, Attachments: a.Attachments, Evidence: a.Evidence, NeedsPage: true}
}

// RecheckAt returns when a page that was read n times again is due; zero if it is not read
// any more.
func RecheckAt(n int, now time.Time) time.Time {
	if n >= len(recheckAfter) {
		return time.Time{}
	}
	return now.Add(recheckAfter[n])
}

// PageNotRead records that a page could not be read for the nth time, and when it is due
// again.
func (st *Store) PageNotRead(ctx context.Context, article int64, n int) error {
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		return oneRow(tx.ExecContext(ctx, `UPDATE articles SET page_tries = $2, page_next_at = $3 WHERE id = $1`, article, n, nullTime(RecheckAt(n, st.Now()))))
	})
}

// PageRead records that a page was read for the nth time, and when it is due again.
func (st *Store) PageRead(ctx context.Context, article int64, n int) error {
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		return oneRow(tx.ExecContext(ctx, `UPDATE articles SET page_tries = $2, page_next_at = $3, page_gone_at = NULL WHERE id = $1`, article, n, nullTime(RecheckAt(n, st.Now()))))
	})
}

// PageGone records that a page was missing. When it has been missing for long enough, the
// article is withdrawn; its text stays.
func (st *Store) PageGone(ctx context.Context, article int64) (isWithdrawn bool, err error) {
	err = st.db.Write(ctx, func(tx *sql.Tx) error {
		isWithdrawn = false
		now := st.Now()
		var since sql.Null[time.Time]
		if err := tx.QueryRowContext(ctx, `SELECT page_gone_at FROM articles WHERE id = $1`, article).Scan(&since); err != nil {
			return err
		}
		if !since.Valid {
			since.V = now
		}
		if now.Sub(since.V) < withdrawnAfter {
			return oneRow(tx.ExecContext(ctx, `UPDATE articles SET page_gone_at = $2, page_next_at = $3 WHERE id = $1`, article, nullTime(since.V), nullTime(since.V.Add(withdrawnAfter))))
		}
		isWithdrawn = true
		if err := touch(ctx, tx); err != nil {
			return err
		}
		if err := oneRow(tx.ExecContext(ctx, `UPDATE articles SET withdrawn_at = $2, updated_at = $2, page_next_at = NULL WHERE id = $1`, article, now)); err != nil {
			return err
		}
		return amend.Restate(ctx, tx, st.db.Dialect(), now, []int64{article})
	})
	return isWithdrawn, err
}

// PagesDue returns articles of a source whose pages are due to be read, up to a limit.
func (st *Store) PagesDue(ctx context.Context, source int64, most int) ([]Article, error) {
	var all []Article
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, scanFullArticle, `SELECT `+articleColumns+textColumns+`
			FROM articles a JOIN sources s ON s.id = a.source
			WHERE a.source = $1 AND a.page_next_at <= $2 ORDER BY a.id LIMIT $3`,
			source, st.Now(), most)
		return err
	})
	return all, err
}
