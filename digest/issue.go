package digest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/subscribers"
)

// ErrNotFound says that there is no such issue or mailing.
var ErrNotFound = errors.New("not found")

// Issue is one numbered edition (第 N 期) of a list at one due time.
type Issue struct {
	ID        int64
	List      subscribers.List // only the id where the method says so
	Number    int64
	DueAt     time.Time
	Mailing   int64 // 0: none
	Note      string
	CreatedAt time.Time
	Articles  []int64 // in reading order; only where the method says so
	Count     int     // of articles
}

// IssueItem is one article of an issue, in its place.
type IssueItem struct {
	Article feed.Article
	Section string
	Why     []feed.Reason
}

const issueColumns = `i.id, i.list, i.number, i.due_at, COALESCE(i.mailing, 0), i.note, i.created_at,
	(SELECT COUNT(*) FROM issue_items x WHERE x.issue = i.id)`

func scanIssue(r database.Row) (Issue, error) {
	var i Issue
	err := r.Scan(&i.ID, &i.List.ID, &i.Number, &i.DueAt, &i.Mailing, &i.Note, &i.CreatedAt, &i.Count)
	return i, err
}

// Issues returns the newest issues, of one list or, with list 0, of all; of the
// list they hold the id only.
func (s *Service) Issues(ctx context.Context, list int64, limit int) ([]Issue, error) {
	var all []Issue
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, scanIssue, `SELECT `+issueColumns+` FROM issues i
			WHERE i.number > 0 AND ($1 = 0 OR i.list = $1) ORDER BY i.due_at DESC, i.id DESC LIMIT $2`, list, limit)
		return err
	})
	return all, err
}

// IssueOf returns issue n of a list; of the list it holds the id only.
func (s *Service) IssueOf(ctx context.Context, list, n int64) (Issue, error) {
	var i Issue
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		i, err = scanIssue(tx.QueryRowContext(ctx, `SELECT `+issueColumns+` FROM issues i WHERE i.list = $1 AND i.number = $2 AND i.number > 0`, list, n))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Issue{}, fmt.Errorf("issue %d: %w", n, ErrNotFound)
	}
	return i, err
}

// IssueItems returns the articles of an issue in reading order, without their text.
func (s *Service) IssueItems(ctx context.Context, issue int64) ([]IssueItem, error) {
	return s.items(ctx, `SELECT article, section, why FROM issue_items WHERE issue = $1 ORDER BY position`, issue)
}

// Preview returns what the next issue of l would hold now.
func (s *Service) Preview(ctx context.Context, l subscribers.List) ([]IssueItem, error) {
	if err := s.Match(ctx); err != nil {
		return nil, err
	}
	var found []matched
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var last int64
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(last_seq), 0) FROM issues WHERE list = $1`, l.ID).Scan(&last)
		if err != nil {
			return err
		}
		found, err = s.candidates(ctx, tx, l, last)
		return err
	})
	if err != nil {
		return nil, err
	}
	sortMatched(found)
	items := make([]IssueItem, len(found))
	for i, m := range found {
		items[i] = IssueItem{Article: m.article, Section: sectionOf(m.article)}
		if err := json.Unmarshal([]byte(m.why), &items[i].Why); err != nil {
			return nil, fmt.Errorf("why of match %d: %w", m.seq, err)
		}
	}
	return items, nil
}

// items runs a query for article, section and why, and reads the articles.
func (s *Service) items(ctx context.Context, query string, arg int64) ([]IssueItem, error) {
	var items []IssueItem
	var ids []int64
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		items, err = database.Collect(ctx, tx, func(r database.Row) (IssueItem, error) {
			var it IssueItem
			var why string
			if err := r.Scan(&it.Article.ID, &it.Section, &why); err != nil {
				return it, err
			}
			ids = append(ids, it.Article.ID)
			return it, json.Unmarshal([]byte(why), &it.Why)
		}, query, arg)
		return err
	})
	if err != nil {
		return nil, err
	}
	articles, err := s.articles.ArticlesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range items {
		items[i].Article = articles[items[i].Article.ID]
	}
	return items, nil
}
