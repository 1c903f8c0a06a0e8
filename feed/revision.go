package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"dibao/feed/ingest"
	"dibao/internal/database"
	"dibao/internal/fetch"
)

// recheckAfter are the times after which the page of an article is read again:
// most silent corrections come soon, a few late.
var recheckAfter = [...]time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour}

// Revision is what an article said until its text changed.
type Revision struct {
	Title      string
	Paragraphs []string
	ReplacedAt time.Time
}

// Revisions returns the earlier versions of an article, the oldest first.
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

// keepRevision stores what is stored of an article before it is replaced, if
// what a reader sees is another text.
func keepRevision(ctx context.Context, tx *sql.Tx, a *arrival, now time.Time) error {
	if a.columnsErr != nil {
		return a.columnsErr
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO revisions (article, title, paragraphs, replaced_at)
		SELECT id, title, paragraphs, $5 FROM articles
		WHERE source = $1 AND guid = $2 AND page_state = 'complete' AND text_hash <> $6 AND (title <> $3 OR paragraphs <> $4)`,
		a.SourceID, a.GUID, a.Title(), a.columns.paragraphs, now, a.TextHash)
	return err
}

// A page that is gone may be back tomorrow: an article is withdrawn once its page
// is found gone again after withdrawnAfter. Where manyGone or more are gone and none is
// there, the site moved them, and nothing is withdrawn.
const (
	withdrawnAfter = 48 * time.Hour
	manyGone       = 5
)

// recheckPages reads the pages of stored articles again, which are due: a text
// that was edited becomes a revision, a page that stays gone marks its article as
// withdrawn. Neither is ever deleted.
func (c *Collector) recheckPages(ctx context.Context, src *Source, due []Article, out *Collection) error {
	failed, there := 0, 0
	var gone []Article
	for _, stored := range due {
		if failed >= giveUpAfter {
			break
		}
		a, err := c.readPage(ctx, src, stored.item(), out)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var status *fetch.StatusError
		switch {
		case errors.As(err, &status) && (status.Status == http.StatusNotFound || status.Status == http.StatusGone):
			gone, err = append(gone, stored), nil
		case err != nil:
			failed++
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s: not read again: %v", stored.URL, err))
			err = c.Store.recheckNext(ctx, stored.ID, stored.PageTries+1)
		default:
			there++
			if a.TextHash != stored.TextHash {
				a.PageState, a.PageTries, a.pageRead = PageComplete, stored.PageTries+1, true
				err = c.save(ctx, []Article{a}, out)
			}
			err = errors.Join(err, c.Store.pageThere(ctx, stored.ID, stored.PageTries+1))
		}
		if err != nil {
			return err
		}
	}
	if len(gone) >= manyGone && there == 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%d pages are gone at once and none is there: the site seems to have moved them; nothing is withdrawn", len(gone)))
		for _, stored := range gone {
			if err := c.Store.recheckNext(ctx, stored.ID, stored.PageTries+1); err != nil {
				return err
			}
		}
		return nil
	}
	for _, stored := range gone {
		isWithdrawn, err := c.Store.pageGone(ctx, stored.ID)
		if err != nil {
			return err
		}
		if isWithdrawn {
			out.Withdrawn++
		}
	}
	return nil
}

// item is what the source said of a stored article.
func (a Article) item() ingest.Item {
	return ingest.Item{GUID: a.GUID, URL: a.URL, Title: a.Evidence.ListTitle, Attachments: a.Attachments, Evidence: a.Evidence, NeedsPage: true}
}

// recheckAt returns when a page that was read n times again is due; it is zero
// once it never is.
func recheckAt(n int, now time.Time) time.Time {
	if n >= len(recheckAfter) {
		return time.Time{}
	}
	return now.Add(recheckAfter[n])
}

func (st *Store) recheckNext(ctx context.Context, article int64, n int) error {
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		return oneRow(tx.ExecContext(ctx, `UPDATE articles SET page_tries = $2, page_next_at = $3 WHERE id = $1`, article, n, nullTime(recheckAt(n, st.Now()))))
	})
}

// pageThere is recheckNext for a page that was read.
func (st *Store) pageThere(ctx context.Context, article int64, n int) error {
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		return oneRow(tx.ExecContext(ctx, `UPDATE articles SET page_tries = $2, page_next_at = $3, page_gone_at = NULL WHERE id = $1`, article, n, nullTime(recheckAt(n, st.Now()))))
	})
}

// pageGone records that a page was found gone. Once it has been for long enough
// the site took the article away; what it said stays.
func (st *Store) pageGone(ctx context.Context, article int64) (isWithdrawn bool, err error) {
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
		err := oneRow(tx.ExecContext(ctx, `UPDATE articles SET withdrawn_at = $2, updated_at = $2, page_next_at = NULL WHERE id = $1`, article, now))
		if err != nil {
			return err
		}
		return noteWithdrawn(ctx, tx, article, now)
	})
	return isWithdrawn, err
}

// pagesDue returns the articles of a source whose page is to be read now.
func (st *Store) pagesDue(ctx context.Context, source int64) ([]Article, error) {
	var all []Article
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, scanFullArticle, `SELECT `+articleColumns+`, a.content, a.paragraphs, a.evidence
			FROM articles a JOIN sources s ON s.id = a.source
			WHERE a.source = $1 AND a.page_next_at <= $2 ORDER BY a.id LIMIT $3`,
			source, st.Now(), maxPages)
		return err
	})
	return all, err
}
