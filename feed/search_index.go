package feed

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

// searchDay is how many articles a day has room for in the order of keys before
// two take turns; they do then, and nothing else happens.
const searchDay = 1 << 20

// searchKey orders articles by the day they are from, then by id.
func searchKey(on policy.Date, id int64) int64 {
	days := int64(policy.Date{Year: 1900, Month: 1, Day: 1}.DaysUntil(on))
	return max(days, 0)*searchDay + id%searchDay
}

// dayOf is the day that search and its order go by: of publication, else of
// issue, else of collection.
func (a *arrival) dayOf() policy.Date {
	switch {
	case !a.Facts.PublishedOn.IsZero():
		return a.Facts.PublishedOn
	case !a.Facts.IssuedOn.IsZero():
		return a.Facts.IssuedOn
	}
	return policy.DateOf(a.CollectedAt.In(shanghai))
}

// searchRow is what the index holds of an article.
type searchRow struct {
	article, key       int64
	on, facets         string
	head, body, fields string
}

// searchRow makes the tokens of an article for a database.
func (a *arrival) searchRow(m matcher) searchRow {
	f := a.Facts
	on := a.dayOf()
	head, body, fields := tokens{mark: m.headMark}, tokens{}, tokens{}
	head.add(a.Title(), true)
	head.add(f.DocumentNumber, false)
	body.add(a.Title(), true)
	body.add(f.DocumentNumber, true)
	for _, organ := range f.Issuers {
		head.add(organ, true)
		body.add(organ, true)
		fields.fieldPairs(markIssuer, organ)
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
	for _, r := range a.relations() {
		fields.field(markCited, r.TargetNumber)
	}
	if a.document != 0 && f.Level != "" {
		fields.fieldPairs(markTitle, a.titleKey)
	}
	day := on.String()
	fields.field(markYear, day[:4])
	key := searchKey(on, a.ID)
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
	return searchRow{article: a.ID, key: key, on: day, facets: strings.Join([]string{string(f.Kind), theme, f.Region, issuer, day[:4]}, "\n"),
		head: head.String(), body: body.String(), fields: fields.String()}
}

// index replaces what the index holds of articles: known may be in it, rows are
// what it holds then.
func (st *Store) index(ctx context.Context, tx *sql.Tx, known []int64, rows []searchRow) error {
	if err := st.unindex(ctx, tx, known); err != nil {
		return err
	}
	// FTS5 writes out what it has gathered whenever a key is less than the one
	// before.
	sortRows(rows)
	if err := st.insertKeys(ctx, tx, rows); err != nil {
		return err
	}
	sortRows(rows) // some may have had to give way
	insert, err := tx.PrepareContext(ctx, st.db.Dialect().Pick(indexSQLite, indexPostgres))
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, r := range rows {
		values := []any{r.key, r.head, r.body, r.fields}
		if st.db.Dialect() == database.Postgres {
			values = append(values, r.article, r.facets)
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return fmt.Errorf("index: %w", err)
		}
	}
	if st.db.Dialect() != database.Postgres || len(rows) == 0 {
		return nil
	}
	// What is pending every query would read.
	_, err = tx.ExecContext(ctx, `SELECT gin_clean_pending_list(i::regclass) FROM (VALUES ('article_search_head'), ('article_search_body')) AS v (i)`)
	return err
}

var insertKeyRows = insertion{
	into: `INSERT INTO search_keys (key, article, on_date, facets)`, columns: 4, after: `ON CONFLICT (key) DO NOTHING`,
	postgres: `INSERT INTO search_keys (key, article, on_date, facets) SELECT (value ->> 0)::bigint, (value ->> 1)::bigint, value ->> 2, value ->> 3
		FROM jsonb_array_elements($1::jsonb) ON CONFLICT (key) DO NOTHING`,
}

// insertKeys gives each row its key: the next that is free.
func (st *Store) insertKeys(ctx context.Context, tx *sql.Tx, rows []searchRow) error {
	taken := make(map[int64]bool, len(rows))
	left := make([]*searchRow, len(rows))
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
		if err := insertKeyRows.run(ctx, tx, st.db.Dialect(), values); err != nil {
			return err
		}
		list, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		stored, err := database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT article FROM search_keys WHERE article IN (`+st.db.Dialect().IDs("$1")+`)`, string(list))
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
		left = slices.DeleteFunc(left, func(r *searchRow) bool { return has[r.article] })
	}
	return nil
}

const (
	indexSQLite   = `INSERT INTO article_search (rowid, tokens) VALUES ($1, $2 || ' ' || $3 || ' ' || $4)`
	indexPostgres = `INSERT INTO article_search (key, article, facets, head, body) VALUES ($1, $5, $6, array_to_tsvector(array_remove(string_to_array($2 || ' ' || $4, ' '), '')),
		array_to_tsvector(array_remove(string_to_array($3 || ' ' || $4, ' '), '')))`
)

// unindex takes articles out of the index.
func (st *Store) unindex(ctx context.Context, tx *sql.Tx, articles []int64) error {
	if len(articles) == 0 {
		return nil
	}
	list, err := json.Marshal(articles)
	if err != nil {
		return err
	}
	keys, err := database.Collect(ctx, tx, database.ScanOne[int64],
		`SELECT key FROM search_keys WHERE article IN (`+st.db.Dialect().IDs("$1")+`) ORDER BY key`, string(list))
	if err != nil {
		return err
	}
	for _, key := range keys {
		for _, query := range []string{st.db.Dialect().Pick(`DELETE FROM article_search WHERE rowid = $1`, `DELETE FROM article_search WHERE key = $1`),
			`DELETE FROM search_keys WHERE key = $1`} {
			if _, err := tx.ExecContext(ctx, query, key); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortRows(rows []searchRow) {
	slices.SortFunc(rows, func(a, b searchRow) int { return cmp.Compare(a.key, b.key) })
}

// ftsTitle is the query of FTS5 for documents whose cleaned title holds all pairs
// of a cleaned phrase.
func ftsTitle(phrase string) string {
	return joinTokens(marked(markTitle, phraseTokens(phrase)), `"`, `" AND "`)
}

// tsTitle is ftsTitle for PostgreSQL.
func tsTitle(phrase string) string {
	return joinTokens(marked(markTitle, phraseTokens(phrase)), `'`, `' & '`)
}

func marked(mark rune, all []string) []string {
	out := make([]string, len(all))
	for i, t := range all {
		out[i] = string(mark) + t
	}
	return out
}

// joinTokens quotes tokens, which hold neither quotes nor spaces.
func joinTokens(all []string, quote, between string) string {
	return quote + strings.Join(all, between) + quote
}

// phraseTokens returns the tokens that a text with this phrase has: all but the
// last character alone, since the run may go on there.
func phraseTokens(phrase string) []string {
	all := split(phrase)
	if n := len(all); n > 1 {
		if last := []rune(all[n-1]); len(last) == 1 && isHan(last[0]) {
			return all[:n-1]
		}
	}
	return all
}

// tidyPages is how much of the search index one transaction of Tidy puts in
// order: what comes in meanwhile waits for no more than that.
const tidyPages = 1000

// Tidy puts the search index in order, a little at a time, so that a search reads
// one piece of it. It may be left out: the databases do so by themselves as far
// as they must.
func (st *Store) Tidy(ctx context.Context) error {
	if err := st.IndexWaiting(ctx); err != nil {
		return err
	}
	if st.db.Dialect() == database.Postgres {
		for _, query := range []string{`ANALYZE article_search`, `ANALYZE search_keys`} {
			if err := st.db.Write(ctx, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, query)
				return err
			}); err != nil {
				return fmt.Errorf("tidy the search index: %w", err)
			}
		}
		return nil
	}
	// A negative number begins to merge all there is, a positive one goes on with it
	// (FTS5, "The 'merge' Command").
	for pages := -tidyPages; ; pages = tidyPages {
		var before, after int64
		err := st.db.Write(ctx, func(tx *sql.Tx) error {
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
		if after-before < 2 { // nothing was left to merge
			return nil
		}
	}
}

// Megabytes is how large the database is.
func (st *Store) Megabytes(ctx context.Context) (float64, error) {
	var size int64
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, st.db.Dialect().Pick(
			`SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`, `SELECT pg_database_size(current_database())`)).Scan(&size)
	})
	return float64(size) / (1 << 20), err
}
