// Package search is the full-text index of articles: tokens, the index in either
// database, and queries.
package search

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dibao/internal/database"
	"dibao/policy"
)

// Article is what the index needs to know about an article.
type Article struct {
	ID       int64
	SourceID int64
	Title    string
	Facts    policy.Facts
	On       policy.Date // the day by which results are filtered and sorted
	Cited    []string    // numbers of documents that the text mentions
	// DocumentTitle is the cleaned title of the document in the article, if that may
	// implement another; else "".
	DocumentTitle string
}

// Source is where the index reads stored articles.
type Source struct {
	// Articles returns stored articles; hidden ones are left out, because they are not in
	// any index.
	Articles func(ctx context.Context, tx *sql.Tx, ids []int64) ([]Article, error)
	// Begin must be called first in a transaction that changes search results.
	Begin func(ctx context.Context, tx *sql.Tx) error
}

// Index is the full-text index of the articles of a database. It owns the
// tables article_search, search_keys and search_pending, and reads texts of
// articles and names of sources with statements of its own.
type Index struct {
	db     *database.DB
	source Source
	bands  bands
	queue  queue
	pieces *database.Pieces // pieces of kilobytes of tokens
}

// New returns the index of a database.
func New(db *database.DB, source Source) *Index {
	return &Index{db: db, source: source, pieces: database.NewPieces(128, 32, 4096)}
}

// searchDay is the number of keys per day; if there are more articles, some share a key,
// which does no harm.
const searchDay = 1 << 20

// searchKey returns a key that orders articles by day, then by id.
func searchKey(on policy.Date, id int64) int64 {
	days := int64(policy.Date{Year: 1900, Month: 1, Day: 1}.DaysUntil(on))
	return max(days, 0)*searchDay + id%searchDay
}

// row is the index entry of an article.
type row struct {
	article, key       int64
	on, facets         string
	head, body, fields string
}

// rowOf returns the index entry of an article for a database.
func (m matcher) rowOf(a Article) row {
	f := a.Facts
	head, body, fields := tokens{mark: m.headMark}, tokens{}, tokens{}
	defer body.pairs.lend()()
	head.add(a.Title, true)
	head.add(f.DocumentNumber, false)
	body.add(a.Title, true)
	body.add(f.DocumentNumber, true)
	for _, issuer := range f.Issuers {
		head.add(issuer, true)
		body.add(issuer, true)
		fields.fieldPairs(markIssuer, issuer)
	}
	body.add(f.Summary, true)
	body.add(f.Author+" "+f.AuthorOffice+" "+f.Credit, true)
	for _, p := range f.Paragraphs {
		body.add(p, true)
	}
	fields.field(markKind, string(f.Kind))
	fields.fieldPairs(markTheme, f.Theme)
	fields.field(markType, f.Type)
	fields.field(markSource, strconv.FormatInt(a.SourceID, 10))
	for n := 2; n <= len(f.Region); n += 2 {
		fields.field(markRegion, f.Region[:n])
	}
	for _, n := range policy.NumberNames(f.DocumentNumber, f.Region) {
		fields.field(markNumber, n)
	}
	for _, n := range a.Cited {
		fields.field(markCited, n)
	}
	if a.DocumentTitle != "" {
		fields.fieldPairs(markTitle, a.DocumentTitle)
	}
	day := a.On.String()
	fields.field(markYear, day[:4])
	key := searchKey(a.On, a.ID)
	if m.bands {
		for level, days := range bandDays {
			fields.word(bandToken(level, key/searchDay/days))
		}
	}
	issuer := ""
	if len(f.Issuers) > 0 {
		issuer = f.Issuers[0]
	}
	theme, _, _ := strings.Cut(f.Theme, `\`)
	return row{article: a.ID, key: key, on: day, facets: strings.Join([]string{string(f.Kind), theme, f.Region, issuer, day[:4]}, "\n"),
		head: head.String(), body: body.String(), fields: fields.String()}
}

// store replaces the entries of articles: known may be in the index, rows are
// their new entries.
func (ix *Index) store(ctx context.Context, tx *sql.Tx, known []int64, rows []row) error {
	if err := ix.unindex(ctx, tx, known); err != nil {
		return err
	}
	// FTS5 writes its buffer to disk whenever a key is lower than the one before.
	sortRows(rows)
	if err := ix.insertKeys(ctx, tx, rows); err != nil {
		return err
	}
	sortRows(rows) // keys that were taken have changed
	for _, r := range rows {
		values := []any{r.key, r.head, r.body, r.fields}
		if ix.db.Dialect() == database.Postgres {
			values = append(values, r.article, r.facets)
		}
		if _, err := tx.ExecContext(ctx, ix.db.Dialect().Pick(indexSQLite, indexPostgres), values...); err != nil {
			return fmt.Errorf("index: %w", err)
		}
	}
	return nil
}

var insertKeyRows = database.Insertion{
	Into: `INSERT INTO search_keys (key, article, on_date, facets)`, Columns: 4, After: `ON CONFLICT (key) DO NOTHING`,
	Postgres: `INSERT INTO search_keys (key, article, on_date, facets) SELECT (value ->> 0)::bigint, (value ->> 1)::bigint, value ->> 2, value ->> 3
		FROM jsonb_array_elements($1::jsonb) ON CONFLICT (key) DO NOTHING`,
}

// insertKeys gives each row the next free key.
func (ix *Index) insertKeys(ctx context.Context, tx *sql.Tx, rows []row) error {
	taken := make(map[int64]bool, len(rows))
	left := make([]*row, len(rows))
	for i := range rows {
		left[i] = &rows[i]
	}
	for len(left) > 0 {
		values := make([][]any, len(left))
		ids := make([]int64, len(left))
		for i, r := range left {
			for taken[r.key] {
				r.key++
			}
			taken[r.key] = true
			values[i], ids[i] = []any{r.key, r.article, r.on, r.facets}, r.article
		}
		if err := insertKeyRows.Run(ctx, tx, ix.db.Dialect(), values); err != nil {
			return err
		}
		list, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		stored, err := database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT article FROM search_keys WHERE article IN (`+ix.db.Dialect().IDs("$1")+`)`, string(list))
		if err != nil {
			return err
		}
		if len(stored) == len(left) {
			return nil
		}
		has := make(map[int64]bool, len(stored))
		for _, id := range stored {
			has[id] = true
		}
		left = slices.DeleteFunc(left, func(r *row) bool { return has[r.article] })
	}
	return nil
}

const (
	indexSQLite   = `INSERT INTO article_search (rowid, tokens) VALUES ($1, $2 || ' ' || $3 || ' ' || $4)`
	indexPostgres = `INSERT INTO article_search (key, article, facets, head, body) VALUES ($1, $5, $6, array_to_tsvector(array_remove(string_to_array($2 || ' ' || $4, ' '), '')),
		array_to_tsvector(array_remove(string_to_array($3 || ' ' || $4, ' '), '')))`
)

// unindex removes articles from the index.
func (ix *Index) unindex(ctx context.Context, tx *sql.Tx, articles []int64) error {
	if len(articles) == 0 {
		return nil
	}
	list, err := json.Marshal(articles)
	if err != nil {
		return err
	}
	keys, err := database.Collect(ctx, tx, database.ScanOne[int64],
		`SELECT key FROM search_keys WHERE article IN (`+ix.db.Dialect().IDs("$1")+`) ORDER BY key`, string(list))
	if err != nil {
		return err
	}
	for _, key := range keys {
		for _, query := range []string{ix.db.Dialect().Pick(`DELETE FROM article_search WHERE rowid = $1`, `DELETE FROM article_search WHERE key = $1`),
			`DELETE FROM search_keys WHERE key = $1`} {
			if _, err := tx.ExecContext(ctx, query, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortRows(rows []row) {
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.key, b.key) })
}

// TitleQuery returns the query, in the language of the database's index, for documents
// whose cleaned title contains all pairs of a cleaned phrase.
func TitleQuery(dialect database.Dialect, phrase string) string {
	tokens := marked(markTitle, phraseTokens(phrase))
	if dialect == database.Postgres {
		return joinTokens(tokens, `'`, `' & '`)
	}
	return joinTokens(tokens, `"`, `" AND "`)
}

func marked(mark rune, all []string) []string {
	out := make([]string, len(all))
	for i, t := range all {
		out[i] = string(mark) + t
	}
	return out
}

// joinTokens quotes tokens, which contain neither quotes nor spaces.
func joinTokens(all []string, quote, between string) string {
	return quote + strings.Join(all, between) + quote
}

// phraseTokens returns the tokens that any text with this phrase has: all except that of a
// single last character, because the run of characters may continue in the text.
func phraseTokens(phrase string) []string {
	all := split(phrase)
	if n := len(all); n > 1 {
		if last := []rune(all[n-1]); len(last) == 1 && isHan(last[0]) {
			return all[:n-1]
		}
	}
	return all
}

// tidyPages is the number of pages of the search index that one transaction of Tidy merges:
// concurrent writes wait no longer than that.
const tidyPages = 1000

// Tidy merges the segments of the search index a little at a time, so that a search reads
// few of them, or merges all into one, which rewrites the index. It is optional: the
// databases merge segments by themselves when they must.
func (ix *Index) Tidy(ctx context.Context, all bool) error {
	if err := ix.Flush(ctx); err != nil {
		return err
	}
	if ix.db.Dialect() == database.Postgres {
		for _, query := range []string{`ANALYZE article_search`, `ANALYZE search_keys`} {
			if err := ix.db.Write(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, query)
				return err
			}); err != nil {
				return fmt.Errorf("tidy the search index: %w", err)
			}
		}
		return nil
	}
	// A negative number starts merging everything, a positive one continues
	// (FTS5, "The 'merge' Command").
	pages := tidyPages
	if all {
		pages = -tidyPages
	}
	for ; ; pages = tidyPages {
		var before, after int64
		err := ix.db.Write(ctx, func(tx *sql.Tx) error {
			if err := tx.QueryRowContext(ctx, `SELECT total_changes()`).Scan(&before); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO article_search (article_search, rank) VALUES ('merge', $1)`, pages); err != nil {
				return err
			}
			return tx.QueryRowContext(ctx, `SELECT total_changes()`).Scan(&after)
		})
		if err != nil {
			return fmt.Errorf("tidy the search index: %w", err)
		}
		if after-before < 2 { // there was nothing left to merge
			return nil
		}
	}
}
