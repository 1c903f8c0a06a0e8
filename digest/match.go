package digest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"dibao/feed"
	"dibao/feed/filter"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/subscribers"
)

const (
	// staleAfter is the age at which an article that is collected for the first
	// time counts as archive, not as news: it is stored and searchable, but in
	// no issue. Otherwise a new source, or a migration that changes the dates
	// of an archive, would fill an issue.
	staleAfter = 31 * 24 * time.Hour
	// newsFor is how long after its collection an article may still become news, because it
	// was corrected or released. It is longer than any outage that should have no effect.
	newsFor = 45 * 24 * time.Hour
	// welcomeWindow is how far back a new list, or one whose query changed, is matched, so
	// that its next issue is not empty.
	welcomeWindow = 7 * 24 * time.Hour
	// matchPage is the number of articles that are read, with their text, at a time.
	matchPage = 200
)

// Query converts the query of a list into a query on articles.
func Query(q subscribers.Query) filter.Query {
	kinds := make([]policy.Kind, len(q.Kinds))
	for i, k := range q.Kinds {
		kinds[i] = policy.Kind(k)
	}
	return filter.Query{
		Themes: q.Themes, Regions: q.Regions, Issuers: q.Issuers, Kinds: kinds,
		Types: q.Types, Sources: q.Sources, Documents: q.Documents, Chains: q.Chains, Any: q.Any, All: q.All, None: q.None,
	}
}

// Match examines the articles that are new or have changed since it last ran, and stores a
// match for each list that they match, with the next sequence number of the list. It
// deletes a match that no longer applies and was in no issue. A list that is new or has a
// changed query is matched with the articles of the last week.
func (s *Service) Match(ctx context.Context) error {
	lists, err := s.subscribers.Lists(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if err := s.lookBack(ctx, l); err != nil {
			return fmt.Errorf("match list %s: %w", l.Slug, err)
		}
	}
	for {
		n, err := s.matchChanged(ctx, lists)
		if err != nil || n < matchPage {
			return err
		}
	}
}

// matchChanged matches a page of changed articles and removes it from the queue
// in the same transaction. It returns how many rows of the queue it removed.
func (s *Service) matchChanged(ctx context.Context, lists []subscribers.List) (int, error) {
	var seqs, ids []int64
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		seqs, ids = nil, nil
		_, err := database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
			var seq, id int64
			err := r.Scan(&seq, &id)
			seqs, ids = append(seqs, seq), append(ids, id)
			return struct{}{}, err
		}, `SELECT seq, article FROM unmatched ORDER BY seq LIMIT $1`, matchPage)
		return err
	})
	if err != nil || len(seqs) == 0 {
		return 0, err
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	found, err := s.findMatches(ctx, lists, ids)
	if err != nil {
		return 0, err
	}
	return len(seqs), s.db.Write(ctx, func(tx *sql.Tx) error {
		matched, err := database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT DISTINCT list FROM matches WHERE article IN (`+s.db.Dialect().IDs("$1")+`)`, database.JSON(ids))
		if err != nil {
			return err
		}
		for i, l := range lists {
			if len(found[i]) == 0 && !slices.Contains(matched, l.ID) {
				continue
			}
			if err := s.saveMatches(ctx, tx, l.ID, found[i], ids); err != nil {
				return fmt.Errorf("match list %s: %w", l.Slug, err)
			}
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM unmatched WHERE seq IN (`+s.db.Dialect().IDs("$1")+`)`, database.JSON(seqs))
		return err
	})
}

// lookBack matches a list again if its query has changed since the last match.
func (s *Service) lookBack(ctx context.Context, l subscribers.List) error {
	query := database.JSON(l.Query)
	var ids []int64
	done := false
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var last string
		err := tx.QueryRowContext(ctx, `SELECT query FROM matched_queries WHERE list = $1`, l.ID).Scan(&last)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if done = err == nil && last == query; done {
			return nil
		}
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			SELECT id FROM articles WHERE collected_at >= $2
			UNION SELECT a.id FROM unmatched u JOIN articles a ON a.id = u.article
			UNION SELECT article FROM matches WHERE list = $1 AND NOT EXISTS (
				SELECT 1 FROM issue_items x JOIN issues i ON i.id = x.issue WHERE i.list = $1 AND x.article = matches.article)
			ORDER BY 1`, l.ID, s.now().Add(-welcomeWindow))
		return err
	})
	if err != nil || done {
		return err
	}
	for page := range slices.Chunk(ids, matchPage) {
		found, err := s.findMatches(ctx, []subscribers.List{l}, page)
		if err != nil {
			return err
		}
		err = s.db.Write(ctx, func(tx *sql.Tx) error { return s.saveMatches(ctx, tx, l.ID, found[0], page) })
		if err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO matched_queries (list, query) VALUES ($1, $2)
			ON CONFLICT (list) DO UPDATE SET query = excluded.query`, l.ID, query)
		return err
	})
}

// match is an article that matches a list, and why.
type match struct {
	article int64
	why     []filter.Reason
	late    bool // it was collected too long ago to be news, unless it is already matched
}

// findMatches returns, for each list, which of the articles match.
func (s *Service) findMatches(ctx context.Context, lists []subscribers.List, ids []int64) ([][]match, error) {
	pieces, err := s.articles.InPieces(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := make([][]match, len(lists))
	since := s.now().Add(-newsFor)
	for _, piece := range pieces {
		articles, err := s.articles.ArticlesForMatching(ctx, piece)
		if err != nil {
			return nil, err
		}
		for _, a := range articles {
			for i, l := range lists {
				if why, ok := wants(l, a); ok {
					found[i] = append(found[i], match{a.ID, why, a.CollectedAt.Before(since)})
				}
			}
		}
	}
	return found, nil
}

// wants reports whether article a matches list l, and why.
func wants(l subscribers.List, a feed.Article) (why []filter.Reason, ok bool) {
	if leftOut(l, a) != "" {
		return nil, false
	}
	return Query(l.Query).Match(a)
}

// The reasons for which an article is not news for a list, whatever its query.
const (
	leftOutHidden    = "hidden"    // set by an admin
	leftOutHeld      = "held"      // it came in a flood of old articles
	leftOutWithdrawn = "withdrawn" // its site removed it
	leftOutOlder     = "older"     // it was collected before the list existed
	leftOutArchive   = "archive"   // it was old when it was collected
)

// leftOut returns why an article is not news for a list, "" if it is.
func leftOut(l subscribers.List, a feed.Article) string {
	switch on := a.Facts.PublishedOn; {
	case a.Hidden:
		return leftOutHidden
	case a.Held:
		return leftOutHeld
	case !a.WithdrawnAt.IsZero():
		return leftOutWithdrawn
	case a.CollectedAt.Before(l.CreatedAt.Add(-welcomeWindow)):
		return leftOutOlder
	case !on.IsZero() && on.In(time.UTC).Before(a.CollectedAt.Add(-staleAfter)):
		return leftOutArchive
	}
	return ""
}

// saveMatches stores which of the articles of a page match a list, and deletes
// matches that no longer apply. Locking the row of the list makes the order of
// sequence numbers the order of commits: otherwise an issue composed at the same
// time could skip a match forever.
func (s *Service) saveMatches(ctx context.Context, tx *sql.Tx, list int64, found []match, page []int64) error {
	if err := s.lockList(ctx, tx, list); err != nil {
		return err
	}
	// Delete the matches that an issue skipped and that no issue contained: they
	// are stored again with a new number.
	_, err := tx.ExecContext(ctx, `DELETE FROM matches WHERE list = $1 AND article IN (`+s.db.Dialect().IDs("$2")+`)
		AND seq <= COALESCE((SELECT MAX(last_seq) FROM issues WHERE list = $1), 0) AND `+notIssued, list, database.JSON(page))
	if err != nil {
		return err
	}
	known, err := database.Collect(ctx, tx, database.ScanOne[int64],
		`SELECT article FROM matches WHERE list = $1 AND article IN (`+s.db.Dialect().IDs("$2")+`)`, list, database.JSON(page))
	if err != nil {
		return err
	}
	gone := make(map[int64]bool, len(known))
	for _, id := range known {
		gone[id] = true
	}
	slices.SortFunc(found, func(a, b match) int { return cmp.Compare(a.article, b.article) })
	for _, m := range found {
		if m.late && !gone[m.article] {
			continue
		}
		delete(gone, m.article)
		_, err := tx.ExecContext(ctx, `
			INSERT INTO matches (list, article, why, matched_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (list, article) DO UPDATE SET why = excluded.why`, list, m.article, database.JSON(m.why), s.now())
		if err != nil {
			return err
		}
	}
	if len(gone) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(gone))
	for id := range gone {
		ids = append(ids, id)
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM matches WHERE list = $1 AND article IN (`+s.db.Dialect().IDs("$2")+`) AND `+notIssued, list, database.JSON(ids))
	return err
}

// notIssued is the condition for matches that no issue of their list contained.
const notIssued = `NOT EXISTS (
	SELECT 1 FROM issue_items x JOIN issues i ON i.id = x.issue WHERE i.list = matches.list AND x.article = matches.article)`

// lockList makes other transactions that lock the list wait. On SQLite any
// write transaction does.
func (s *Service) lockList(ctx context.Context, tx *sql.Tx, list int64) error {
	var id int64
	err := tx.QueryRowContext(ctx, s.db.Dialect().Pick(`SELECT id FROM lists WHERE id = $1`, `SELECT id FROM lists WHERE id = $1 FOR UPDATE`), list).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("list %d no longer exists", list)
	}
	return err
}
