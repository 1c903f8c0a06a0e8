package feed

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/division"
)

// Columns of an article without its text, for lists of articles.
const articleColumns = `a.id, a.source, s.name, s.url, s.licence, a.guid, a.url, a.facts, a.attachments, a.warnings,
	a.page_state, a.page_tries, a.text_hash, a.collected_at, a.updated_at, a.held = 1, a.pinned = 1, a.hidden = 1, a.withdrawn_at`

// textColumns are large, so only some methods read them.
const textColumns = `, a.content, a.paragraphs, a.evidence, a.call`

func articleDest(a *Article, facts, attachments, warnings *string, withdrawn *sql.Null[time.Time]) []any {
	return []any{&a.ID, &a.SourceID, &a.SourceName, &a.SourceURL, &a.Licence, &a.GUID, &a.URL, facts, attachments, warnings,
		&a.PageState, &a.PageTries, &a.TextHash, &a.CollectedAt, &a.UpdatedAt, &a.Held, &a.Pinned, &a.Hidden, withdrawn}
}

func (a *Article) decode(facts, attachments, warnings string) error {
	return errors.Join(
		json.Unmarshal([]byte(facts), &a.Facts),
		json.Unmarshal([]byte(attachments), &a.Attachments),
		json.Unmarshal([]byte(warnings), &a.Warnings))
}

func scanArticle(row database.Row) (Article, error) {
	var a Article
	var facts, attachments, warnings string
	var withdrawn sql.Null[time.Time]
	if err := row.Scan(articleDest(&a, &facts, &attachments, &warnings, &withdrawn)...); err != nil {
		return Article{}, err
	}
	a.WithdrawnAt = withdrawn.V
	return a, a.decode(facts, attachments, warnings)
}

func scanFullArticle(row database.Row) (Article, error) {
	var a Article
	var facts, attachments, warnings, paragraphs, evidence, asks string
	var withdrawn sql.Null[time.Time]
	dest := append(articleDest(&a, &facts, &attachments, &warnings, &withdrawn), &a.Content, &paragraphs, &evidence, &asks)
	if err := row.Scan(dest...); err != nil {
		return Article{}, err
	}
	a.WithdrawnAt = withdrawn.V
	if err := a.decode(facts, attachments, warnings); err != nil {
		return Article{}, err
	}
	var err error
	a.Call, err = decodeCall(asks)
	return a, errors.Join(err,
		json.Unmarshal([]byte(paragraphs), &a.Facts.Paragraphs),
		json.Unmarshal([]byte(evidence), &a.Evidence))
}

// Selection says which articles to list. The zero Selection selects all of
// them; each field that is set narrows it.
type Selection struct {
	Source int64
	Since  time.Time // collected at or after
	Before int64     // an article id: only older ones, for paging
	Limit  int       // 0 means 50; at most 2000
	Kind   policy.Kind
	Region string // including the regions in it
	Theme  string
	Issuer string

	Hidden    bool // includes those that an admin hid
	Pinned    bool // only those that an admin pinned
	Corrected bool // only those with a correction that was not undone
}

// MaxSelection is the maximum number of articles that one call of Articles returns.
const MaxSelection = 2000

// Articles returns articles without their text, newest id first.
func (st *Store) Articles(ctx context.Context, sel Selection) ([]Article, error) {
	return st.selectArticles(ctx, sel, scanArticle, `SELECT `+articleColumns)
}

// ArticlesWithText is Articles with content, paragraphs and evidence.
func (st *Store) ArticlesWithText(ctx context.Context, sel Selection) ([]Article, error) {
	return st.selectArticles(ctx, sel, scanFullArticle, `SELECT `+articleColumns+textColumns)
}

const (
	selectionFrom = `
	FROM articles a JOIN sources s ON s.id = a.source
	WHERE ($1 = 0 OR a.source = $1) AND ($2 = 0 OR a.id < $2) AND a.hidden <= $4
		AND a.pinned >= $5 AND ($6 = 0 OR EXISTS (SELECT 1 FROM corrections c WHERE c.article = a.id
			AND c.value IS NOT NULL AND NOT (c.field IN ('pinned', 'hidden') AND c.value = '0')
			AND NOT EXISTS (SELECT 1 FROM corrections l WHERE l.article = c.article AND l.field = c.field AND l.id > c.id))) AND ($7 = '' OR a.kind = $7)
		AND ($8 = '' OR a.region LIKE $8 || '%') AND ($9 = '' OR a.theme LIKE '%' || $9 || '%') AND ($10 = '' OR a.issuers LIKE '%"' || $10 || '"%')`
	// If no time is given, the query must not mention it: SQLite would use the index on the
	// time and sort all articles.
	selectionSince = ` AND a.collected_at >= $11`
	selectionOrder = ` ORDER BY a.id DESC LIMIT $3`
)

func (st *Store) selectArticles(ctx context.Context, sel Selection, scan func(database.Row) (Article, error), columns string) ([]Article, error) {
	if sel.Limit <= 0 {
		sel.Limit = 50
	}
	query := columns + selectionFrom + selectionOrder
	args := []any{sel.Source, sel.Before, min(sel.Limit, MaxSelection), oneIf(sel.Hidden), oneIf(sel.Pinned), oneIf(sel.Corrected),
		string(sel.Kind), division.TrimCode(sel.Region), likeWord(sel.Theme), likeWord(sel.Issuer)}
	if !sel.Since.IsZero() {
		query, args = columns+selectionFrom+selectionSince+selectionOrder, append(args, sel.Since.UTC())
	}
	var all []Article
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scan, query, args...)
		return err
	})
	return all, err
}

// ArticlesInOrder returns the articles with these ids, without their text, in the order
// of the ids. Those that do not exist or are hidden are missing.
func (st *Store) ArticlesInOrder(ctx context.Context, ids []int64) ([]Article, error) {
	found, err := st.ArticlesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	var all []Article
	for _, id := range ids {
		if a, ok := found[id]; ok {
			all = append(all, a)
		}
	}
	return all, nil
}

// ArticlesByID returns the articles with these ids, without their text, keyed
// by id. Ids that do not exist or are hidden are missing from the map.
func (st *Store) ArticlesByID(ctx context.Context, ids []int64) (map[int64]Article, error) {
	list, err := json.Marshal(orEmpty(ids))
	if err != nil {
		return nil, err
	}
	var found map[int64]Article
	err = st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		found, err = database.CollectMap(ctx, tx, func(r database.Row) (int64, Article, error) {
			a, err := scanArticle(r)
			return a.ID, a, err
		}, `SELECT `+articleColumns+`
			FROM articles a JOIN sources s ON s.id = a.source
			WHERE a.id IN (`+st.db.Dialect().IDs("$1")+`) AND a.hidden = 0`, string(list))
		return err
	})
	return found, err
}

// Article returns one article with its text.
func (st *Store) Article(ctx context.Context, id int64) (Article, error) {
	var a Article
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		a, err = scanFullArticle(tx.QueryRowContext(ctx, `SELECT `+articleColumns+textColumns+`
			FROM articles a JOIN sources s ON s.id = a.source WHERE a.id = $1`, id))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Article{}, fmt.Errorf("article %d: %w", id, ErrNotFound)
	}
	return a, err
}

// Known is what is stored about an item of a source.
type Known struct {
	ID   int64
	GUID string
	Hash string // hash of its text
}

// KnownArticles returns what is stored about the items of a source, by GUID.
func (st *Store) KnownArticles(ctx context.Context, source int64, guids []string) (map[string]Known, error) {
	list, err := json.Marshal(guids)
	if err != nil {
		return nil, err
	}
	var found map[string]Known
	err = st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		found, err = database.CollectMap(ctx, tx, func(r database.Row) (string, Known, error) {
			var k Known
			err := r.Scan(&k.ID, &k.GUID, &k.Hash)
			return k.GUID, k, err
		}, `SELECT id, guid, text_hash FROM articles
			WHERE source = $1 AND guid IN (`+st.db.Dialect().Texts("$2")+`)`, source, string(list))
		return err
	})
	return found, err
}

// hashText identifies a version of an article's text. The summary that we write does not
// count: a better rule for summaries does not make a new text. If there is no text, the
// feed's summary is used.
func hashText(f policy.Facts) string {
	h := sha256.New()
	text := f.Paragraphs
	if len(text) == 0 {
		text = []string{f.Summary}
	}
	for _, p := range append([]string{f.Title}, text...) {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

const upsertArticle = `
		INSERT INTO articles (source, guid, url, title, kind, type, document_number, issuers, theme, region, language,
			published_on, published_at, issued_on, effective_on, expires_on, deadline_on, summary, content, paragraphs,
			facts, evidence, attachments, warnings, text_hash, page_state, page_tries, page_next_at, collected_at, updated_at, placed, call)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
			$21, $22, $23, $24, $25, $26, $27, $28, $29, $29, 1, $30)
		ON CONFLICT (source, guid) DO UPDATE SET
			url = excluded.url, title = excluded.title, kind = excluded.kind, type = excluded.type,
			document_number = excluded.document_number, issuers = excluded.issuers, theme = excluded.theme,
			region = excluded.region, language = excluded.language, published_on = excluded.published_on,
			published_at = excluded.published_at, issued_on = excluded.issued_on, effective_on = excluded.effective_on,
			expires_on = excluded.expires_on, deadline_on = excluded.deadline_on, summary = excluded.summary,
			content = excluded.content, paragraphs = excluded.paragraphs, facts = excluded.facts,
			evidence = excluded.evidence, attachments = excluded.attachments, warnings = excluded.warnings,
			updated_at = CASE WHEN articles.text_hash = excluded.text_hash THEN articles.updated_at ELSE excluded.updated_at END,
			text_hash = excluded.text_hash, page_state = excluded.page_state, page_tries = excluded.page_tries,
			page_next_at = excluded.page_next_at, call = excluded.call
		RETURNING id, collected_at = $29`

// largeColumns are columns that may be large and that corrections never change.
type largeColumns struct{ paragraphs, evidence, attachments, call string }

func newColumns(a Article) (largeColumns, error) {
	var c largeColumns
	for _, x := range []struct {
		to *string
		v  any
	}{{&c.paragraphs, orEmpty(a.Facts.Paragraphs)}, {&c.evidence, a.Evidence}, {&c.attachments, orEmpty(a.Attachments)}} {
		b, err := json.Marshal(x.v)
		if err != nil {
			return c, fmt.Errorf("article %s: %w", a.URL, err)
		}
		*x.to = string(b)
	}
	var err error
	if c.call, err = encodeCall(a.Call); err != nil {
		return c, fmt.Errorf("article %s: %w", a.URL, err)
	}
	return c, nil
}

// saveArticle inserts an article or replaces what is stored of it. UpdatedAt
// changes only if the text does. It sets the id and reports whether the article
// is new.
func saveArticle(ctx context.Context, tx *sql.Tx, a *batchArticle, now time.Time) (isNew bool, err error) {
	if a.columnsErr != nil {
		return false, a.columnsErr
	}
	facts := a.Facts
	facts.Paragraphs = nil
	var small [3]string
	for i, v := range []any{facts, orEmpty(a.Warnings), orEmpty(facts.Issuers)} {
		b, err := json.Marshal(v)
		if err != nil {
			return false, fmt.Errorf("article %s: %w", a.URL, err)
		}
		small[i] = string(b)
	}
	err = tx.QueryRowContext(ctx, upsertArticle,
		a.SourceID, a.GUID, a.URL, a.Title(), a.Facts.Kind, a.Facts.Type, a.Facts.DocumentNumber, small[2], a.Facts.Theme,
		a.Facts.Region, a.Facts.Language, a.Facts.PublishedOn, nullTime(a.Facts.PublishedAt), a.Facts.IssuedOn, a.Facts.EffectiveOn,
		a.Facts.ExpiresOn, a.Facts.DeadlineOn, a.Facts.Summary, a.Content, a.columns.paragraphs, small[0], a.columns.evidence, a.columns.attachments,
		small[1], a.TextHash, a.PageState, a.PageTries, nullTime(a.pageNext), now, a.columns.call).Scan(&a.ID, &isNew)
	if err != nil {
		return false, fmt.Errorf("store article %s: %w", a.URL, err)
	}
	return isNew, nil
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func nullTime(t time.Time) sql.Null[time.Time] {
	return sql.Null[time.Time]{V: t.UTC().Truncate(time.Microsecond), Valid: !t.IsZero()}
}
