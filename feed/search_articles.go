package feed

import (
	"context"
	"database/sql"
	"encoding/json"

	"dibao/feed/search"
	"dibao/internal/database"
	"dibao/policy"
)

// Results is a page of results with their articles.
type Results struct {
	search.Answer
	Hits []Hit
}

// Hit is an article that matches, with its text.
type Hit struct {
	search.Hit
	Article Article
}

// Search answers a query. An empty query has no results.
func (st *Store) Search(ctx context.Context, q search.Query) (Results, error) {
	var articles map[int64]Article
	found, err := st.Index.Search(ctx, q, func(ctx context.Context, tx *sql.Tx, ids []int64, each func(int64, search.Texts)) error {
		list, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		articles, err = database.CollectMap(ctx, tx, func(row database.Row) (int64, Article, error) {
			a, err := scanFullArticle(row)
			t := search.Texts{Title: a.Title(), Summary: a.Facts.Summary}
			if a.MayShowText() {
				t.Paragraphs = a.Facts.Paragraphs
			}
			each(a.ID, t)
			a.Facts.Paragraphs = nil // a page of long texts takes much memory
			return a.ID, a, err
		}, `SELECT `+articleColumns+`, '', a.paragraphs, '{}', ''
			FROM articles a JOIN sources s ON s.id = a.source WHERE a.id IN (`+st.db.Dialect().IDs("$1")+`)`, string(list))
		return err
	})
	out := Results{Answer: found, Hits: make([]Hit, len(found.Hits))}
	for i, h := range found.Hits {
		out.Hits[i] = Hit{h, articles[h.ID]}
	}
	return out, err
}

// dayOf returns the day by which search filters and sorts: the day of publication, or else
// of issue, or else of collection.
func (a *batchArticle) dayOf() policy.Date {
	switch {
	case !a.Facts.PublishedOn.IsZero():
		return a.Facts.PublishedOn
	case !a.Facts.IssuedOn.IsZero():
		return a.Facts.IssuedOn
	}
	return policy.DateOf(a.CollectedAt.In(shanghai))
}

// indexed returns the part of an article that the index needs.
func (a *batchArticle) indexed() search.Article {
	out := search.Article{ID: a.ID, SourceID: a.SourceID, Title: a.Title(), Facts: a.Facts, On: a.dayOf()}
	for _, r := range a.relations() {
		out.Cited = append(out.Cited, r.TargetNumber)
	}
	if a.document != 0 && a.Facts.Level != "" {
		out.DocumentTitle = a.titleKey
	}
	return out
}

// indexSource reads stored articles for the search index.
func (st *Store) indexSource() search.Source {
	return search.Source{Begin: st.beginStoring, Articles: func(ctx context.Context, tx *sql.Tx, ids []int64) ([]search.Article, error) {
		all, err := st.loadForStoring(ctx, tx, ids)
		if err != nil {
			return nil, err
		}
		documentOf, err := st.documentsOf(ctx, tx, ids)
		if err != nil {
			return nil, err
		}
		var out []search.Article
		for _, a := range all {
			a.document, a.titleKey = documentOf[a.ID], a.title().Key
			if !a.Hidden {
				out = append(out, a.indexed())
			}
		}
		return out, nil
	}}
}

// queueForIndex makes the articles wait for the index; hidden ones are removed from the
// index at once.
func (b *batch) queueForIndex(ctx context.Context) error {
	ids := make([]int64, len(b.articles))
	var hidden []int64
	for i, a := range b.articles {
		ids[i] = a.ID
		if a.Hidden && !a.isNew {
			hidden = append(hidden, a.ID)
		}
	}
	waiting, err := b.st.Index.Wait(ctx, b.tx, ids, hidden)
	for i, w := range waiting {
		b.articles[i].waiting = w
	}
	return err
}

// queue passes stored articles to the index after they were committed.
func (st *Store) queue(ctx context.Context, stored []*batchArticle) error {
	all := make([]search.Waiting, len(stored))
	for i, a := range stored {
		all[i] = a.waiting
		if !a.Hidden {
			indexed := a.indexed()
			all[i].Article = &indexed
		}
	}
	return st.Index.Queue(ctx, all)
}
