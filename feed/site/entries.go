package site

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/policy"
)

// Entries are the articles of a feed: new ones are added at the end and none ever moves.
// Each has a place, a number that grows.
type Entries struct {
	// Places returns the articles at the places above the first and up to the second
	// number, newest first, at most limit of them.
	Places func(ctx context.Context, above, upTo int64, limit int) ([]Place, error)
	// Last returns the last place that was assigned, in any feed.
	Last func(ctx context.Context) (int64, error)
	// Withdrawn returns articles of the feed that were withdrawn since a time, at most 50.
	Withdrawn func(ctx context.Context, since time.Time) ([]int64, error)

	mayBeEmpty bool
}

// Place is the place of an article.
type Place struct{ Number, Article int64 }

const (
	// PageSize is the number of items in a feed document; older ones are in its archive
	// documents.
	PageSize = 50
	// cellSize is the number of places that no archive document crosses, so
	// that the archive of a slowly growing feed is always divided in the same
	// way.
	cellSize = 64 * PageSize
	// LastPlace is greater than every place.
	LastPlace = int64(1) << 62
)

// EntryPage is the part of the entries in one document.
type EntryPage struct {
	Articles []int64 // newest first
	Older    int64   // last place of the next older document, 0 means that there is none
}

// Page returns the newest entries, or the archive document that ends at a place: the items
// there and before, as many as fit in the same cell. Because each place is assigned only
// once, such a document never changes, and finding it takes the same time however old it
// is.
func (s Entries) Page(ctx context.Context, upTo int64) (EntryPage, error) {
	last, err := s.Last(ctx)
	if err != nil {
		return EntryPage{}, err
	}
	if upTo == 0 {
		return s.newest(ctx, last)
	}
	if upTo > last {
		return EntryPage{}, fmt.Errorf("archive document %d: %w", upTo, feed.ErrNotFound)
	}
	floor := (upTo - 1) / cellSize * cellSize
	places, err := s.Places(ctx, floor, upTo, PageSize)
	if err != nil {
		return EntryPage{}, err
	}
	page := EntryPage{Articles: ArticlesAt(places)}
	next := floor
	if len(places) == PageSize {
		next = places[PageSize-1].Number - 1
	}
	before, err := s.Places(ctx, 0, next, 1)
	if err != nil || len(before) == 0 {
		return page, err
	}
	page.Older = next
	if before[0].Number <= floor {
		page.Older = cellEnd(before[0].Number)
	}
	return page, nil
}

func (s Entries) newest(ctx context.Context, last int64) (EntryPage, error) {
	places, err := s.Places(ctx, 0, LastPlace, PageSize+1)
	if err != nil {
		return EntryPage{}, err
	}
	if len(places) == 0 && !s.mayBeEmpty {
		return EntryPage{}, fmt.Errorf("%w: %w", errNoSuchFeed, feed.ErrNotFound)
	}
	if len(places) <= PageSize {
		return EntryPage{Articles: ArticlesAt(places)}, nil
	}
	// The archive begins at a place that stays the same for a while. It overlaps with this
	// document, so that nothing is left out.
	first := places[PageSize].Number
	older := cellEnd(first)
	if older > last {
		older = (first + PageSize - 1) / PageSize * PageSize
	}
	return EntryPage{Articles: ArticlesAt(places[:PageSize]), Older: min(older, last)}, nil
}

func cellEnd(place int64) int64 { return (place + cellSize - 1) / cellSize * cellSize }

// ArticlesAt returns the articles at places.
func ArticlesAt(places []Place) []int64 {
	ids := make([]int64, len(places))
	for i, p := range places {
		ids[i] = p.Article
	}
	return ids
}

// OrNotFound returns the entries of a feed that does not exist if it is empty.
func (s Entries) OrNotFound() Entries {
	s.mayBeEmpty = false
	return s
}

// MayBeEmpty returns the entries of a feed that exists even if it is empty.
func (s Entries) MayBeEmpty() Entries {
	s.mayBeEmpty = true
	return s
}

// errNoSuchFeed says that a feed has never had articles and so does not exist.
var errNoSuchFeed = errors.New("the feed has no articles")

// allEntries are all articles, by id.
func allEntries(st *feed.Store) Entries {
	return Entries{
		mayBeEmpty: true, Last: func(ctx context.Context) (int64, error) { return lastArticle(ctx, st) },
		Places: func(ctx context.Context, above, upTo int64, limit int) ([]Place, error) {
			return Places(ctx, st.DB(), `SELECT id, id FROM articles WHERE id > $1 AND id <= $2 AND hidden = 0 ORDER BY id DESC LIMIT $3`, above, upTo, limit)
		},
		Withdrawn: func(ctx context.Context, since time.Time) ([]int64, error) {
			return Withdrawn(ctx, st.DB(), `SELECT id FROM articles WHERE withdrawn_at >= $1 ORDER BY withdrawn_at DESC LIMIT 50`, since)
		},
	}
}

// entriesIn are the articles in a feed of article_feeds, by id.
func entriesIn(st *feed.Store, key string) Entries {
	return Entries{
		mayBeEmpty: true, Last: func(ctx context.Context) (int64, error) { return lastArticle(ctx, st) },
		Places: func(ctx context.Context, above, upTo int64, limit int) ([]Place, error) {
			return Places(ctx, st.DB(), `SELECT f.article, f.article FROM article_feeds f JOIN articles a ON a.id = f.article
				WHERE f.feed = $4 AND f.article > $1 AND f.article <= $2 AND a.hidden = 0 ORDER BY f.article DESC LIMIT $3`, above, upTo, limit, key)
		},
		Withdrawn: func(ctx context.Context, since time.Time) ([]int64, error) {
			return Withdrawn(ctx, st.DB(), `SELECT a.id FROM articles a JOIN article_feeds f ON f.article = a.id AND f.feed = $2
				WHERE a.withdrawn_at >= $1 ORDER BY a.withdrawn_at DESC LIMIT 50`, since, key)
		},
	}
}

// implementing are the articles whose documents implement a document, by the
// number of the relation that states it.
func implementing(st *feed.Store, document int64) Entries {
	const relation = ` r.target = $4 AND r.document IS NOT NULL AND r.document <> $4 AND r.gone_at IS NULL AND r.kind = '` + policy.RelationImplements + `'`
	return Entries{
		mayBeEmpty: true,
		Last: func(ctx context.Context) (last int64, err error) {
			err = st.DB().Read(ctx, func(tx *sql.Tx) error {
				return tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM relations`).Scan(&last)
			})
			return last, err
		},
		Places: func(ctx context.Context, above, upTo int64, limit int) ([]Place, error) {
			return Places(ctx, st.DB(), `SELECT r.id, r.article FROM relations r JOIN articles a ON a.id = r.article AND a.hidden = 0
				WHERE r.id > $1 AND r.id <= $2 AND`+relation+` ORDER BY r.id DESC LIMIT $3`, above, upTo, limit, document)
		},
		Withdrawn: func(context.Context, time.Time) ([]int64, error) { return nil, nil },
	}
}

// newestEntries are the entries of a feed without an archive: at most those of one
// document.
func newestEntries(places []Place) Entries {
	slices.SortFunc(places, func(a, b Place) int { return cmp.Compare(b.Number, a.Number) })
	places = places[:min(PageSize, len(places))]
	return Entries{
		mayBeEmpty: true,
		Last:       func(context.Context) (int64, error) { return 0, nil },
		Places:     func(context.Context, int64, int64, int) ([]Place, error) { return places, nil },
		Withdrawn:  func(context.Context, time.Time) ([]int64, error) { return nil, nil },
	}
}

func lastArticle(ctx context.Context, st *feed.Store) (last int64, err error) {
	err = st.DB().Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM articles`).Scan(&last)
	})
	return last, err
}

// Places runs a query of places and articles.
func Places(ctx context.Context, db *database.DB, query string, args ...any) (all []Place, err error) {
	err = db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, func(r database.Row) (p Place, err error) {
			err = r.Scan(&p.Number, &p.Article)
			return p, err
		}, query, args...)
		return err
	})
	return all, err
}

// Withdrawn runs a query for the articles that were withdrawn since an instant, its $1.
func Withdrawn(ctx context.Context, db *database.DB, query string, since time.Time, args ...any) (ids []int64, err error) {
	err = db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], query, append([]any{since.UTC()}, args...)...)
		return err
	})
	return ids, err
}
