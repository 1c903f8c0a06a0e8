package feed

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"dibao/internal/database"
	"dibao/policy"
)

// maxEntries limits an index of themes, regions, issuers or sources.
const maxEntries = 3000

// ArticlesIn returns articles of a feed in the table article_feeds, such as
// theme/民政 or issuer/国务院, without their text, the most recently stored
// first; before is 0 or the article id to continue from. The cost does not
// depend on the age of the page.
func (st *Store) ArticlesIn(ctx context.Context, feed string, before int64, limit int) ([]Article, error) {
	var all []Article
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scanArticle, `SELECT `+articleColumns+`
			FROM article_feeds f JOIN articles a ON a.id = f.article JOIN sources s ON s.id = a.source
			WHERE f.feed = $1 AND ($2 = 0 OR f.article < $2) AND a.hidden = 0 ORDER BY f.article DESC LIMIT $3`, feed, before, min(limit, MaxSelection))
		return err
	})
	return all, err
}

// FeedNames returns the names after a prefix such as theme/ in article_feeds. It steps from
// one name to the next, because a DISTINCT query would read the whole table. Names with
// only hidden articles are left out.
func (st *Store) FeedNames(ctx context.Context, prefix string) ([]string, error) {
	var all []string
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, database.ScanOne[string], `
			WITH RECURSIVE f (feed) AS (
				SELECT (SELECT MIN(feed) FROM article_feeds WHERE feed > $1)
				UNION ALL
				SELECT (SELECT MIN(a.feed) FROM article_feeds a WHERE a.feed > f.feed) FROM f WHERE substr(f.feed, 1, length($1)) = $1
			)
			SELECT feed FROM f WHERE substr(feed, 1, length($1)) = $1
				AND EXISTS (SELECT 1 FROM article_feeds g JOIN articles a ON a.id = g.article WHERE g.feed = f.feed AND a.hidden = 0) LIMIT $2`, prefix, maxEntries)
		return err
	})
	for i := range all {
		all[i] = strings.TrimPrefix(all[i], prefix)
	}
	return all, err
}

// Due is a date in the future that an article states.
type Due struct {
	On      policy.Date
	Key     string // deadline, effective, expires
	Article Article
}

// Upcoming returns the dates on or after a day, nearest first.
func (st *Store) Upcoming(ctx context.Context, from policy.Date, limit int) ([]Due, error) {
	var all []Due
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		for _, q := range []struct{ key, clauses string }{
			{"deadline", ` WHERE a.deadline_on IS NOT NULL AND a.deadline_on <> '' AND a.deadline_on >= $1 AND a.held = 0 AND a.hidden = 0 ORDER BY a.deadline_on, a.id LIMIT $2`},
			{"effective", ` WHERE a.effective_on IS NOT NULL AND a.effective_on <> '' AND a.effective_on >= $1 AND a.kind = 'document' AND a.held = 0 AND a.hidden = 0 ORDER BY a.effective_on, a.id LIMIT $2`},
			{"expires", ` WHERE a.expires_on IS NOT NULL AND a.expires_on <> '' AND a.expires_on >= $1 AND a.kind = 'document' AND a.held = 0 AND a.hidden = 0 ORDER BY a.expires_on, a.id LIMIT $2`},
		} {
			found, err := database.Collect(ctx, tx, scanArticle, `SELECT `+articleColumns+` FROM articles a JOIN sources s ON s.id = a.source`+q.clauses, from, limit)
			if err != nil {
				return err
			}
			for _, a := range found {
				on := map[string]policy.Date{"deadline": a.Facts.DeadlineOn, "effective": a.Facts.EffectiveOn, "expires": a.Facts.ExpiresOn}[q.key]
				all = append(all, Due{on, q.key, a})
			}
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b Due) int { return a.On.Compare(b.On) })
	return all[:min(limit, len(all))], err
}
