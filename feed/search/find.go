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
// FTS5 reads the articles with a word from the newest to the oldest. PostgreSQL's GIN index
// returns all of them, even if half of all articles match, before the newest is known. So the
// query is first limited to bands: articles have tokens for the periods of 8 to 2,048 days
// around their day, and the index intersects a band and a word without reading the rest. Few
// queries need a second band.
const (
	findSQLite = `SELECT COALESCE(group_concat(k.key || char(10) || k.article || char(10) || k.facets, char(30)), '') FROM
		(SELECT rowid AS key FROM article_search WHERE article_search MATCH $1 AND rowid >= $2 AND rowid < $3 ORDER BY rowid DESC LIMIT $4) s
		CROSS JOIN search_keys k WHERE k.key = s.key`

	// key + 0 keeps the planner from reading rows by key and parsing every text.
	findBodies  = findPostgres + `body @@ $1::tsquery` + findWithin
	findInHeads = findPostgres + `head @@ $1::tsquery` + findWithin

	findPostgres = `SELECT COALESCE(string_agg(s.key || chr(10) || s.article || chr(10) || s.facets, chr(30) ORDER BY s.key DESC), '') FROM
		(SELECT key, article, facets FROM article_search WHERE `
	findWithin = ` AND key + 0 >= $2 AND key + 0 < $3 ORDER BY key + 0 DESC LIMIT $4) s`
)

// plan sets how PostgreSQL plans the statements of a search.
func (s *searching) plan(ctx context.Context) error {
	if s.ix.db.Dialect() != database.Postgres {
		return nil
	}
	// Use the index for words, even if the planner considers a word too common, and no
	// generic plan.
	_, err := s.tx.ExecContext(ctx, `SELECT set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)`)
	return err
}

// find returns the newest results of a query in all texts or in heads.
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
			continue // this band can hardly contain as many results, nor can the same band of an earlier time
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
		wanted = articles[level] * limit / len(all) // estimated from the frequency in this band
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

// bandDays are the sizes of bands, in days. A band and the one before it are queried
// together, because the newest band may have just begun.
var bandDays = [...]int64{8, 32, 128, 512, 2048}

func bandToken(level int, band int64) string {
	return string(markBand) + string(rune('a'+level)) + strconv.FormatInt(band, 10)
}

// bands caches the number of articles in the newest bands.
type bands struct {
	mu       sync.Mutex
	articles [len(bandDays)]int
	at       time.Time
}

const (
	// bandsFor is how long the counts of bands are cached: they only affect which band is
	// queried first, and so how long a search takes.
	bandsFor = time.Minute
	// bandEnough is the number of articles in a band beyond which they are not counted.
	bandEnough = 50_000
)

// count returns how many articles are in the bands before a day.
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
