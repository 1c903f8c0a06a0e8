package site

import (
	"context"
	"database/sql"
	"time"

	"dibao/feed"
	"dibao/feed/publish"
	"dibao/internal/database"
)

// SitemapParts returns the parts of the sitemaps of articles and of documents, each with
// the time of its latest change.
func SitemapParts(ctx context.Context, st *feed.Store) (articles, documents []time.Time, err error) {
	err = st.DB().Read(ctx, func(tx *sql.Tx) error {
		for _, x := range []struct {
			parts        *[]time.Time
			last, newest string
		}{
			{&articles, `SELECT COALESCE(MAX(id), 0) FROM articles`, `SELECT updated_at FROM articles WHERE id > $1 AND id <= $2 ORDER BY id DESC LIMIT 1`},
			{&documents, `SELECT COALESCE(MAX(id), 0) FROM documents`, `SELECT updated_at FROM documents WHERE id > $1 AND id <= $2 ORDER BY id DESC LIMIT 1`},
		} {
			var last int64
			if err := tx.QueryRowContext(ctx, x.last).Scan(&last); err != nil {
				return err
			}
			*x.parts = nil
			for from := int64(0); from < last; from += publish.SitemapPart {
				newest, err := database.Collect(ctx, tx, database.ScanOne[time.Time], x.newest, from, from+publish.SitemapPart)
				if err != nil {
					return err
				}
				at := time.Time{}
				if len(newest) > 0 {
					at = newest[0]
				}
				*x.parts = append(*x.parts, at)
			}
		}
		return nil
	})
	return articles, documents, err
}

// SitemapArticles returns the nth part of the sitemap of articles, from 1.
func SitemapArticles(ctx context.Context, st *feed.Store, base string, n int64) ([]publish.Location, error) {
	return sitemapPart(ctx, st, n, func(r database.Row) (l publish.Location, err error) {
		var id int64
		err = r.Scan(&id, &l.Changed)
		l.URL = feed.ArticleURL(base, id)
		return l, err
	}, `SELECT id, updated_at FROM articles WHERE id > $1 AND id <= $2 AND hidden = 0 ORDER BY id`)
}

// SitemapDocuments returns the nth part of the sitemap of documents, from 1.
func SitemapDocuments(ctx context.Context, st *feed.Store, base string, n int64) ([]publish.Location, error) {
	return sitemapPart(ctx, st, n, func(r database.Row) (l publish.Location, err error) {
		var d feed.Document
		err = r.Scan(&d.ID, &d.Number, &l.Changed)
		l.URL = base + d.Path()
		return l, err
	}, `SELECT id, number, updated_at FROM documents WHERE id > $1 AND id <= $2 AND article IS NOT NULL ORDER BY id`)
}

func sitemapPart(ctx context.Context, st *feed.Store, n int64, scan func(database.Row) (publish.Location, error), query string) (all []publish.Location, err error) {
	if n < 1 || n > 1_000_000 {
		return nil, feed.ErrNotFound
	}
	err = st.DB().Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scan, query, (n-1)*publish.SitemapPart, n*publish.SitemapPart)
		return err
	})
	if err == nil && len(all) == 0 {
		err = feed.ErrNotFound
	}
	return all, err
}
