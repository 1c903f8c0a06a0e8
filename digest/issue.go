package digest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dibao/digest/delivery"
	"dibao/digest/forreader"
	"dibao/feed"
	"dibao/feed/amend"
	"dibao/feed/filter"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/call"
	"dibao/subscribers"
)

// ErrNotFound says that an issue, mailing or variant does not exist.
var ErrNotFound = delivery.ErrNotFound

// Issue is one issue (第 N 期) of a list, composed for one due time.
type Issue struct {
	ID        int64
	List      subscribers.List // only the id, if the method says so
	Number    int64
	DueAt     time.Time
	Mailing   int64 // 0 means none
	Held      bool  // waits for an admin
	Backfill  int   // old articles that arrived in a flood and are not in it
	Note      string
	CreatedAt time.Time
	Articles  []int64 // in reading order; set only by methods that say so
	Count     int     // number of articles that are not hidden now
}

// Day returns the date on which the issue is due in the time zone of its list.
func (i Issue) Day() policy.Date { return localDate(i.DueAt, i.List.Zone) }

// IssueItem is one article of an issue, in its place.
type IssueItem struct {
	Article  feed.Article
	Section  string
	Why      []filter.Reason
	Issue    int64              // the issue it belongs to; set only by methods that say so
	Event    string             // "" means that it is new; otherwise, why it appears again
	Under    int64              // the article of the same email that it explains; 0 means none
	By       string             // the title of the document that repealed or amended it; "" if unknown
	Document int64              // the document that the article contains; 0 means none
	Explains int64              // the document that it is an interpretation of; 0 means none
	Targets  []feed.Relation    // its relations to documents in the database
	Same     []int64            // other articles with the same text
	Pinned   bool               // set by an admin
	Priority int                // priority as a highlight; see priorityOf
	Reason   string             // the reason for the priority
	Chosen   []filter.Reason    // parts of the reader's choice that it matches
	Concern  *forreader.Concern // its call, compared with the reader's profile; nil means that it is not a call for this reader

	ChangedBy int64         // the article that repealed or amended it; 0 means unknown
	Call      *call.Call    // set only when an email is rendered; nil means that it is not a call
	Amended   *amend.Change // how a later notice changed its call; nil means no change
	ChangedOn policy.Date   // the day of the repeal; zero means unknown
}

// sameTexts returns articles with the same text as they are stored.
func (it IssueItem) sameTexts() []int64 {
	if it.Same == nil {
		return []int64{}
	}
	return it.Same
}

const issueColumns = `i.id, i.list, i.number, i.due_at, COALESCE(i.mailing, 0), i.held = 1, i.backfill, i.note, i.created_at,
	(SELECT COUNT(*) FROM issue_items x JOIN articles a ON a.id = x.article WHERE x.issue = i.id AND a.hidden = 0)`

func scanIssue(r database.Row) (Issue, error) {
	var i Issue
	err := r.Scan(&i.ID, &i.List.ID, &i.Number, &i.DueAt, &i.Mailing, &i.Held, &i.Backfill, &i.Note, &i.CreatedAt, &i.Count)
	return i, err
}

// Issues returns the newest issues of one list, or of all if list is 0, without held ones.
// Only the id of their list is set.
func (s *Service) Issues(ctx context.Context, list int64, limit int) ([]Issue, error) {
	var all []Issue
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, scanIssue, `SELECT `+issueColumns+` FROM issues i
			WHERE i.number > 0 AND i.held = 0 AND ($1 = 0 OR i.list = $1) ORDER BY i.due_at DESC, i.id DESC LIMIT $2`, list, limit)
		return err
	})
	return all, err
}

// IssuesOfMailing returns the issues that a mailing sends: their numbers, and
// the titles of their lists.
func (s *Service) IssuesOfMailing(ctx context.Context, mailing int64) (all []Issue, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, func(r database.Row) (i Issue, err error) {
			return i, r.Scan(&i.ID, &i.Number, &i.List.ID, &i.List.Title)
		}, `SELECT i.id, i.number, l.id, l.title FROM issues i JOIN lists l ON l.id = i.list WHERE i.mailing = $1 AND i.number > 0 ORDER BY i.id`, mailing)
		return err
	})
	return all, err
}

// IssueOf returns issue n of a list; only the id of its list is set.
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

// IssueItems returns the articles of an issue in reading order, without their
// text and without hidden ones. Those of a held issue are pinned as they are now.
func (s *Service) IssueItems(ctx context.Context, issue int64) ([]IssueItem, error) {
	var items []IssueItem
	var ids []int64
	var held bool
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		ids = nil
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(held), 0) = 1 FROM issues WHERE id = $1`, issue).Scan(&held)
		if err != nil {
			return err
		}
		items, err = database.Collect(ctx, tx, func(r database.Row) (IssueItem, error) {
			var it IssueItem
			var why, folded string
			if err := r.Scan(&it.Article.ID, &it.Section, &why, &it.Event, &it.Priority, &it.Reason, &folded); err != nil {
				return it, err
			}
			ids = append(ids, it.Article.ID)
			it.Pinned = it.Reason == leadPinned
			if it.Event != "" {
				it.By = it.Reason
			}
			return it, errors.Join(json.Unmarshal([]byte(why), &it.Why), json.Unmarshal([]byte(folded), &it.Same))
		}, `SELECT article, section, why, event, standing, reason, folded FROM issue_items WHERE issue = $1 ORDER BY position`, issue)
		return err
	})
	if err != nil {
		return nil, err
	}
	articles, err := s.articles.ArticlesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	items = slices.DeleteFunc(items, func(it IssueItem) bool { return articles[it.Article.ID].ID == 0 })
	for i := range items {
		items[i].Article = articles[items[i].Article.ID]
		if held {
			items[i].pin()
		}
	}
	if err := s.relate(ctx, items, ids); err != nil {
		return nil, err
	}
	return s.amendItems(ctx, items)
}

// relate finds which documents the items contain, explain or change.
func (s *Service) relate(ctx context.Context, items []IssueItem, ids []int64) error {
	documentOf, err := s.articles.DocumentsOf(ctx, ids)
	if err != nil {
		return err
	}
	explained, err := s.articles.OriginalsOf(ctx, ids)
	if err != nil {
		return err
	}
	targets, err := s.articles.TargetsOf(ctx, ids)
	if err != nil {
		return err
	}
	var changed []int64 // documents that were repealed
	for _, it := range items {
		if it.Event == eventRepealed {
			changed = append(changed, documentOf[it.Article.ID])
		}
	}
	documents, err := s.articles.DocumentsByID(ctx, changed)
	for i := range items {
		id := items[i].Article.ID
		items[i].Document, items[i].Explains, items[i].Targets = documentOf[id], explained[id], targets[id]
		if d, ok := documents[documentOf[id]]; ok && items[i].Event == eventRepealed {
			items[i].ChangedBy, items[i].ChangedOn = d.RepealedBy, d.RepealedOn
		}
	}
	return err
}

// Preview returns what the next issue of l would contain now, in reading order.
func (s *Service) Preview(ctx context.Context, l subscribers.List) ([]IssueItem, error) {
	next, err := s.next(ctx, l)
	return next.items, err
}

// lastIssued returns the number of the last match of a list that an issue has processed; 0
// if there is no issue.
func lastIssued(ctx context.Context, tx *sql.Tx, list int64) (seq int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(last_seq), 0) FROM issues WHERE list = $1`, list).Scan(&seq)
	return seq, err
}

// next drafts the next issue of l as it would be now.
func (s *Service) next(ctx context.Context, l subscribers.List) (next draft, err error) {
	if err := s.Match(ctx); err != nil {
		return draft{}, err
	}
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		last, err := lastIssued(ctx, tx, l.ID)
		if err != nil {
			return err
		}
		next, err = s.draft(ctx, tx, dueList{l, s.now()}, last)
		return err
	})
	if err != nil {
		return draft{}, err
	}
	ids := make([]int64, len(next.items))
	for i, it := range next.items {
		ids[i] = it.Article.ID
	}
	if err := s.relate(ctx, next.items, ids); err != nil {
		return draft{}, err
	}
	next.items, err = s.amendItems(ctx, next.items)
	return next, err
}
