package search

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"dibao/internal/database"
)

// Both databases return the newest results of a query in one row: a thousand rows cost more to
// transfer than to find.
//
// FTS5 reads the articles with a word from the newest on. PostgreSQL's GIN returns all of
// them, even if it is every second article, before the newest is known. So the query is
// limited to bands first: articles have tokens for the week, the month, the season and the
// years around their day, and the index intersects a band and a word without reading the rest.
// Few words need a second query.
const (
	findSQLite = `SELECT COALESCE(group_concat(k.key || char(10) || k.article || char(10) || k.facets, char(30)), '') FROM
		(SELECT rowid AS key FROM article_search WHERE article_search MATCH $1 AND rowid >= $2 AND rowid < $3 ORDER BY rowid DESC LIMIT $4) s
		CROSS JOIN search_keys k WHERE k.key = s.key`

	// key + 0 keeps the planner from going by key and taking every text apart.
	findBodies  = findPostgres + `body @@ $1::tsquery` + findWithin
	findInHeads = findPostgres + `head @@ $1::tsquery` + findWithin

	findPostgres = `SELECT COALESCE(string_agg(s.key || chr(10) || s.article || chr(10) || s.facets, chr(30) ORDER BY s.key DESC), '') FROM
		(SELECT key, article, facets FROM article_search WHERE `
	findWithin = ` AND key + 0 >= $2 AND key + 0 < $3 ORDER BY key + 0 DESC LIMIT $4) s`
)

// plan settles how PostgreSQL plans the statements of a search.
func (s *searching) plan(ctx context.Context) error {
	if s.ix.db.Dialect() != database.Postgres {
		return nil
	}
	// Use the index for words, however common the planner assumes a word to be,
	// and no generic plan.
	_, err := s.tx.ExecContext(ctx, `SELECT set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)`)
	return err
}

// find returns the newest that a query finds in all or in heads.
func (s *searching) find(ctx context.Context, in scope, query string, limit int) ([]surveyed, error) {
	from, to := s.keys()
	if s.ix.db.Dialect() != database.Postgres {
		return s.ask(ctx, findSQLite, query, from, to, limit)
	}
	statement := findBodies
	if in == inHead {
		statement = findInHeads
	}
	var newest int64
	if err := s.tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(key), 0) FROM search_keys`).Scan(&newest); err != nil {
		return nil, err
	}
	articles, err := s.ix.bands.count(ctx, s.tx, newest/searchDay)
	if err != nil {
		return nil, err
	}
	last := min(newest, to-1) / searchDay
	wanted := 2 * limit
	for level, size := range bandDays {
		if articles[level] < min(wanted, bandEnough) {
			continue // it can hardly hold as many, and one of an earlier time no more
		}
		band := last / size
		within := fmt.Sprintf("(%s)%s(%s%s%s)", query, s.m.and, s.m.token(bandToken(level, band)), s.m.or, s.m.token(bandToken(level, band-1)))
		all, err := s.ask(ctx, statement, within, from, to, limit)
		if err != nil || len(all) == limit || (band-1)*size*searchDay <= from {
			return all, err
		}
		if len(all) == 0 {
			break
		}
		wanted = articles[level] * limit / len(all) // as common as it is in these
	}
	return s.ask(ctx, statement, query, from, to, limit)
}

func (s *searching) ask(ctx context.Context, statement, query string, from, to int64, limit int) ([]surveyed, error) {
	var packed string
	err := s.tx.QueryRowContext(ctx, statement, query, from, to, limit).Scan(&packed)
	if err != nil {
		return nil, err
	}
	all := make([]surveyed, 0, strings.Count(packed, "\x1e")+1)
	for packed != "" {
		var row, key, article string
		row, packed, _ = strings.Cut(packed, "\x1e")
		key, row, _ = strings.Cut(row, "\n")
		article, row, _ = strings.Cut(row, "\n")
		x := surveyed{facets: row}
		if x.key, err = strconv.ParseInt(key, 10, 64); err != nil {
			return nil, err
		}
		if x.article, err = strconv.ParseInt(article, 10, 64); err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

// bandDays are the sizes of bands, in days. A band and the one before it are
// queried together, since the newest band may have just begun.
var bandDays = [...]int64{8, 32, 128, 512, 2048}

func bandToken(level int, band int64) string {
	return string(markBand) + string(rune('a'+level)) + strconv.FormatInt(band, 10)
}

// bands remembers how many articles the newest bands have.
type bands struct {
	mu       sync.Mutex
	articles [len(bandDays)]int
	at       time.Time
}

const (
	// bandsFor is how long the counts of bands are cached: they decide only
	// which band is queried first, and so how long it takes.
	bandsFor = time.Minute
	// bandEnough articles need not be counted further.
	bandEnough = 50_000
)

// count returns how many articles the bands before a day have.
func (b *bands) count(ctx context.Context, tx *sql.Tx, last int64) (articles [len(bandDays)]int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.at.IsZero() && time.Since(b.at) < bandsFor {
		return b.articles, nil
	}
	for level, size := range bandDays {
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM search_keys WHERE key >= $1 LIMIT $2) x`,
			(last/size-1)*size*searchDay, bandEnough).Scan(&articles[level])
		if err != nil {
			return articles, err
		}
	}
	b.articles, b.at = articles, time.Now()
	return articles, nil
}
