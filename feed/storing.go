package feed

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"dibao/internal/database"
)

// storeArticles stores articles in one transaction with all that follows from
// them: documents, relations, clusters, events, the search index. It may be run
// again with the same articles, in any order; what is stored is the same.
func (st *Store) storeArticles(ctx context.Context, tx *sql.Tx, articles []*arrival, now time.Time) (added int, err error) {
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
	return added, st.follow(ctx, tx, articles, now)
}

// follow stores what follows from articles that are stored.
func (st *Store) follow(ctx context.Context, tx *sql.Tx, articles []*arrival, now time.Time) error {
	b := batch{st: st, tx: tx, now: now, articles: articles,
		named: make(map[string][]*candidate), inner: make(map[string]bool), loaded: make(map[string]bool), byID: make(map[int64]*candidate), regrouped: make(map[int64]bool)}
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
			return st.follow(ctx, tx, all, st.Now())
		})
		if err != nil {
			return total, err
		}
		total, after = total+len(page), page[len(page)-1]
	}
}
