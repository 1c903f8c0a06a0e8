package digest

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/subscribers"
)

const (
	// staleAfter is the age at which an article that is collected for the first
	// time is archive and no news: it is stored and searchable, but no list
	// takes it. It keeps a new source, or a migration that re-dates an archive,
	// from filling an issue.
	staleAfter = 31 * 24 * time.Hour
	// matchWindow is how far back matching looks at collected articles. It is
	// longer than any outage that should cost nothing.
	matchWindow = 45 * 24 * time.Hour
	// welcomeWindow is how much a new list may reach back before its creation,
	// so that its first issue is not empty.
	welcomeWindow = 7 * 24 * time.Hour
)

// Query translates what a list asks for into a query on articles.
func Query(q subscribers.Query) feed.Query {
	kinds := make([]policy.Kind, len(q.Kinds))
	for i, k := range q.Kinds {
		kinds[i] = policy.Kind(k)
	}
	return feed.Query{
		Themes: q.Themes, Regions: q.Regions, Issuers: q.Issuers, Kinds: kinds,
		Sources: q.Sources, Any: q.Any, All: q.All, None: q.None,
	}
}

// candidate is an article that a list asks for.
type candidate struct {
	article feed.Article
	why     []feed.Reason
}

// Match finds the articles that each list asks for and has not got yet, and
// gives each match the next sequence number of its list.
func (s *Service) Match(ctx context.Context) error {
	lists, err := s.subscribers.Lists(ctx)
	if err != nil || len(lists) == 0 {
		return err
	}
	wanted := make(map[int64][]candidate, len(lists))
	now := s.now()
	err = s.eachCollected(ctx, now.Add(-matchWindow), func(a feed.Article) {
		for _, l := range lists {
			if why, ok := wants(l, a); ok {
				wanted[l.ID] = append(wanted[l.ID], candidate{a, why})
			}
		}
	})
	if err != nil {
		return err
	}
	for _, l := range lists {
		if err := s.saveMatches(ctx, l.ID, wanted[l.ID], now); err != nil {
			return fmt.Errorf("match list %s: %w", l.Slug, err)
		}
	}
	return nil
}

// wants reports whether list l takes article a, and why.
func wants(l subscribers.List, a feed.Article) (why []feed.Reason, ok bool) {
	if a.Held || a.CollectedAt.Before(l.CreatedAt.Add(-welcomeWindow)) {
		return nil, false
	}
	if on := a.Facts.PublishedOn; !on.IsZero() && on.In(time.UTC).Before(a.CollectedAt.Add(-staleAfter)) {
		return nil, false
	}
	return Query(l.Query).Match(a)
}

// eachCollected calls f with the articles collected since, the newest first.
func (s *Service) eachCollected(ctx context.Context, since time.Time, f func(feed.Article)) error {
	before := int64(0)
	for {
		page, err := s.articles.ArticlesWithText(ctx, feed.Selection{Since: since, Before: before, Limit: 500})
		if err != nil {
			return err
		}
		for _, a := range page {
			f(a)
		}
		if len(page) < 500 {
			return nil
		}
		before = page[len(page)-1].ID
	}
}

// saveMatches stores new matches, the oldest article first. Holding the row of
// the list makes the order of sequence numbers the order of commits: without
// that, an issue composed meanwhile could pass over a match for good.
func (s *Service) saveMatches(ctx context.Context, list int64, found []candidate, now time.Time) error {
	if len(found) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := lockList(ctx, tx, list); err != nil {
			return err
		}
		have, err := database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT article FROM matches WHERE list = $1 AND article >= $2`, list, found[len(found)-1].article.ID)
		if err != nil {
			return err
		}
		known := make(map[int64]bool, len(have))
		for _, id := range have {
			known[id] = true
		}
		for i := len(found) - 1; i >= 0; i-- {
			c := found[i]
			if known[c.article.ID] {
				continue
			}
			if _, err := tx.ExecContext(ctx, `
				INSERT INTO matches (list, article, why, matched_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (list, article) DO NOTHING`, list, c.article.ID, toJSON(c.why), now); err != nil {
				return err
			}
		}
		return nil
	})
}

func lockList(ctx context.Context, tx *sql.Tx, list int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE lists SET updated_at = updated_at WHERE id = $1`, list)
	return err
}
