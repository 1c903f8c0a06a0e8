package feed

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// storeArticles stores articles in one transaction with all that follows from
// them: documents, relations, clusters, events, the search index. It may be run
// again with the same articles, in any order; what is stored is the same.
func (st *Store) storeArticles(ctx context.Context, tx *sql.Tx, articles []*arrival, now time.Time) (added int, err error) {
	if len(articles) == 0 {
		return 0, nil
	}
	// First of all: its row lines up the writers of a PostgreSQL database, so that
	// two of them do not make one document twice, and events are numbered in the
	// order in which they can be seen.
	if err := touch(ctx, tx); err != nil {
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
	b := batch{st: st, tx: tx, now: now, articles: articles,
		named: make(map[string][]*candidate), inner: make(map[string]bool), loaded: make(map[string]bool), byID: make(map[int64]*candidate)}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"documents", b.carry}, {"clusters", b.gather}, {"search index", b.index}, {"relations", b.relate},
	} {
		if err := step.do(ctx); err != nil {
			return 0, fmt.Errorf("store %s: %w", step.name, err)
		}
	}
	return added, nil
}

// touch notes that something that pages or feeds show has changed. Whoever has
// done so goes first until it commits.
func touch(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO changes (topic, version) VALUES ('documents', 1) ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1`)
	return err
}
