package feed

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/internal/database"
)

// indexing says when articles that are stored get into the search index.
type indexing int

const (
	indexAtOnce indexing = iota
	indexLater           // by who calls queued after the transaction
)

// storeArticles stores articles in one transaction with all that follows from
// them: documents, relations, clusters, events, the search index. It may be run
// again with the same articles, in any order; what is stored is the same.
func (st *Store) storeArticles(ctx context.Context, tx *sql.Tx, articles []*arrival, now time.Time, when indexing) (added int, err error) {
	if len(articles) == 0 {
		return 0, nil
	}
	if err := st.beginStoring(ctx, tx); err != nil {
		return 0, err
	}
	if err := st.applyCorrections(ctx, tx, articles); err != nil {
		return 0, err
	}
	upsert, err := tx.PrepareContext(ctx, upsertArticle)
	if err != nil {
		return 0, err
	}
	defer upsert.Close()
	for _, a := range articles {
		if !a.isNew && a.ID == 0 { // not where it is only judged again
			if err := keepRevision(ctx, tx, a.Article, now); err != nil {
				return 0, err
			}
		}
		wasStored := a.ID != 0
		isNew, err := saveArticle(ctx, upsert, a, now)
		if err != nil {
			return 0, err
		}
		if a.isNew = isNew && !wasStored; a.isNew {
			added++
		}
	}
	b := newBatch(st, tx, articles, now)
	b.later = when == indexLater
	if err := b.place(ctx); err != nil {
		return 0, fmt.Errorf("store feeds: %w", err)
	}
	return added, b.follow(ctx)
}

func newBatch(st *Store, tx *sql.Tx, articles []*arrival, now time.Time) *batch {
	return &batch{st: st, tx: tx, now: now, articles: articles,
		named: make(map[string][]*candidate), inner: make(map[string]bool), loaded: make(map[string]bool), byID: make(map[int64]*candidate), regrouped: make(map[int64]bool)}
}

// follow stores what follows from articles that are stored.
func (b *batch) follow(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"documents", b.carry}, {"clusters", b.gather}, {"search index", b.index}, {"relations", b.relate}, {"what fell apart", b.recarry},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("store %s: %w", step.name, err)
		}
	}
	return nil
}

// place puts new articles into the feeds that carry them; those that are known
// the database moves by itself when they are judged otherwise.
func (b *batch) place(ctx context.Context) error {
	var rows [][]any
	for _, a := range b.articles {
		if a.isNew {
			for _, f := range a.feeds() {
				rows = append(rows, []any{f, a.ID})
			}
		}
	}
	return b.insert(ctx, insertFeeds, rows)
}

var insertFeeds = insertion{
	into: `INSERT INTO article_feeds (feed, article)`, columns: 2, after: `ON CONFLICT DO NOTHING`,
	postgres: `INSERT INTO article_feeds (feed, article) SELECT value ->> 0, (value ->> 1)::bigint FROM jsonb_array_elements($1::jsonb) ON CONFLICT DO NOTHING`,
}

// feeds returns the feeds that carry the article, as the trigger articles_judged
// has them.
func (a *arrival) feeds() []string {
	f := a.Facts
	all := []string{"source/" + strconv.FormatInt(a.SourceID, 10)}
	add := func(prefix, name string) {
		if name != "" {
			all = append(all, prefix+name)
		}
	}
	add("theme/", f.Theme)
	if main, _, ok := strings.Cut(f.Theme, `\`); ok {
		add("theme/", main)
	}
	add("region/", f.Region)
	for n := 2; n <= 6 && n < len(f.Region); n += 2 {
		add("region/", f.Region[:n])
	}
	for _, organ := range f.Issuers {
		add("issuer/", organ)
	}
	add("number/", f.DocumentNumber)
	for _, c := range f.Citations {
		add("number/", c.Number)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// beginStoring goes first in a transaction that stores articles or what follows
// from them. It lines up the writers of a PostgreSQL database, so that two of them
// do not make one document twice, and events are numbered in the order in which
// they can be seen.
func (st *Store) beginStoring(ctx context.Context, tx *sql.Tx) error {
	if err := touch(ctx, tx); err != nil || st.db.Dialect() != database.Postgres {
		return err
	}
	// All look-ups that follow are by keys. A database that was just filled has no
	// statistics yet, and would read whole tables for them.
	_, err := tx.ExecContext(ctx, `SET LOCAL enable_seqscan = off`)
	return err
}

// touch notes that something that pages or feeds show has changed. Whoever has
// done so goes first until it commits.
func touch(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO changes (topic, version) VALUES ('documents', 1) ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1`)
	return err
}

// Rebuild makes anew what follows from articles that lack it: after a backup was
// restored, which holds no search index, or an upgrade from a version that had
// none. It changes nothing else and returns how many articles lacked it.
func (st *Store) Rebuild(ctx context.Context) (int, error) {
	if err := st.IndexWaiting(ctx); err != nil {
		return 0, err
	}
	var lacking bool
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM articles) - (SELECT COUNT(*) FROM articles WHERE hidden = 1) > (SELECT COUNT(*) FROM search_keys)`).Scan(&lacking)
	})
	if err != nil || !lacking {
		return 0, err
	}
	total := 0
	for after := int64(0); ; {
		var page []int64
		err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
			page, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT a.id FROM articles a
				WHERE a.id > $1 AND a.hidden = 0 AND NOT EXISTS (SELECT 1 FROM search_keys k WHERE k.article = a.id) ORDER BY a.id LIMIT $2`, after, rereadPage)
			return err
		})
		if err != nil || len(page) == 0 {
			return total, err
		}
		err = st.db.Write(ctx, func(tx *sql.Tx) error {
			if err := st.beginStoring(ctx, tx); err != nil {
				return err
			}
			all, err := st.arrivals(ctx, tx, page)
			if err != nil {
				return err
			}
			return newBatch(st, tx, all, st.Now()).follow(ctx)
		})
		if err != nil {
			return total, err
		}
		total, after = total+len(page), page[len(page)-1]
	}
}
