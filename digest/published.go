package digest

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"dibao/feed"
	"dibao/feed/site"
	"dibao/internal/database"
)

// IssuesBefore returns the newest published issues of one list, or of all if
// list is 0, whose number is lower than before (0 means any). They contain only the id
// of their list.
func (s *Service) IssuesBefore(ctx context.Context, list, before int64, limit int) ([]Issue, error) {
	if list == 0 {
		return s.Issues(ctx, 0, limit)
	}
	var all []Issue
	err := s.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scanIssue, `SELECT `+issueColumns+` FROM issues i
			WHERE i.list = $1 AND i.number > 0 AND i.held = 0 AND ($2 = 0 OR i.number < $2) ORDER BY i.number DESC LIMIT $3`, list, before, limit)
		return err
	})
	return all, err
}

// MatchedBefore returns a page of the articles that match a list, newest first, from the
// match before a number (0 means the last one). It returns the number before which the next page
// starts, 0 if there is none.
func (s *Service) MatchedBefore(ctx context.Context, list, before int64, limit int) (articles []feed.Article, next int64, err error) {
	type match struct{ seq, article int64 }
	var page []match
	err = s.db.Read(ctx, func(tx *sql.Tx) (err error) {
		page, err = database.Collect(ctx, tx, func(row database.Row) (m match, err error) {
			return m, row.Scan(&m.seq, &m.article)
		}, `SELECT seq, article FROM matches WHERE list = $1 AND ($2 = 0 OR seq < $2) ORDER BY seq DESC LIMIT $3`, list, before, limit+1)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].seq
	}
	ids := make([]int64, len(page))
	for i, m := range page {
		ids[i] = m.article
	}
	articles, err = s.articles.ArticlesInOrder(ctx, ids)
	if err != nil {
		return nil, 0, err
	}
	return articles, next, nil
}

// Matched is a page of the articles that match a list, with the numbers of the matches.
func (s *Service) Matched(list int64) site.Entries {
	return site.Entries{
		Last: func(ctx context.Context) (last int64, err error) {
			err = s.db.Read(ctx, func(tx *sql.Tx) error {
				return tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM matches`).Scan(&last)
			})
			return last, err
		},
		Places: func(ctx context.Context, above, upTo int64, limit int) ([]site.Place, error) {
			return site.Places(ctx, s.db, `SELECT seq, article FROM matches
				WHERE list = $4 AND seq > $1 AND seq <= $2 ORDER BY seq DESC LIMIT $3`, above, upTo, limit, list)
		},
		Withdrawn: func(ctx context.Context, since time.Time) ([]int64, error) {
			return site.Withdrawn(ctx, s.db, `SELECT a.id FROM articles a JOIN matches m ON m.article = a.id AND m.list = $2
				WHERE a.withdrawn_at >= $1 ORDER BY a.withdrawn_at DESC LIMIT 50`, since, list)
		},
	}.MayBeEmpty()
}

// leadTitles is the number of titles on the card of an issue.
const leadTitles = 3

// Leads returns the first titles of issues, by the id of the issue.
func (s *Service) Leads(ctx context.Context, issues []Issue) (map[int64][]string, error) {
	ids := make([]int64, len(issues))
	for i := range issues {
		ids[i] = issues[i].ID
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	titles := make(map[int64][]string)
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT i.issue, a.title FROM issue_items i JOIN articles a ON a.id = i.article
			WHERE i.issue IN (`+s.db.Dialect().IDs("$1")+`) AND a.hidden = 0 AND (
				SELECT COUNT(*) FROM issue_items f JOIN articles g ON g.id = f.article
				WHERE f.issue = i.issue AND f.position < i.position AND g.hidden = 0) < $2
			ORDER BY i.issue, i.position`, string(list), leadTitles)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var issue int64
			var title string
			if err := rows.Scan(&issue, &title); err != nil {
				return err
			}
			titles[issue] = append(titles[issue], title)
		}
		return rows.Err()
	})
	return titles, err
}

// Neighbors returns the addresses of the issues before and after i, "" at the ends.
func (s *Service) Neighbors(ctx context.Context, i Issue) (older, newer string, err error) {
	var numbers []int64
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		numbers, err = database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT number FROM issues WHERE list = $1 AND number IN ($2, $3) AND number > 0 AND held = 0`, i.List.ID, i.Number-1, i.Number+1)
		return err
	})
	for _, n := range numbers {
		other := s.IssueURL(Issue{List: i.List, Number: n})
		if n < i.Number {
			older = other
		} else {
			newer = other
		}
	}
	return older, newer, err
}
