package digest

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/subscribers"
	"dibao/templates"
)

// issuesBefore returns the newest published issues of one list, or of all with
// list 0, whose number is lower than before (0: any); of the list they contain
// only the id.
func (s *Service) issuesBefore(ctx context.Context, list, before int64, limit int) ([]Issue, error) {
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

// matched returns a page of what a list matched, and the query of the next one.
func (h *Web) matched(ctx context.Context, language string, list, before int64) (items []templates.Item, older string, err error) {
	s := h.Service
	type match struct{ seq, article int64 }
	var page []match
	err = s.db.Read(ctx, func(tx *sql.Tx) (err error) {
		page, err = database.Collect(ctx, tx, func(row database.Row) (m match, err error) {
			return m, row.Scan(&m.seq, &m.article)
		}, `SELECT seq, article FROM matches WHERE list = $1 AND ($2 = 0 OR seq < $2) ORDER BY seq DESC LIMIT $3`, list, before, homeArticles+1)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if len(page) > homeArticles {
		page = page[:homeArticles]
		older = fmt.Sprintf("?before=%d", page[homeArticles-1].seq)
	}
	ids := make([]int64, len(page))
	for i, m := range page {
		ids[i] = m.article
	}
	found, err := s.articles.ArticlesByID(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	var articles []feed.Article
	for _, id := range ids {
		if a, ok := found[id]; ok {
			articles = append(articles, a)
		}
	}
	items, err = h.Feeds.Items(ctx, language, articles)
	return items, older, err
}

// leadTitles is how many titles are on the card of an issue.
const leadTitles = 3

// leads returns the first titles of issues, by issue.
func (s *Service) leads(ctx context.Context, issues []Issue) (map[int64][]string, error) {
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

// issueCards fills the cards of issues; lists are those that they may be of.
func (s *Service) issueCards(ctx context.Context, issues []Issue, lists []subscribers.List) ([]templates.IssueCard, error) {
	titles, err := s.leads(ctx, issues)
	if err != nil {
		return nil, err
	}
	cards := make([]templates.IssueCard, 0, len(issues))
	for _, i := range issues {
		at := slices.IndexFunc(lists, func(l subscribers.List) bool { return l.ID == i.List.ID })
		if at < 0 {
			continue // of a list that is removed or not shown here
		}
		i.List = lists[at]
		cards = append(cards, templates.IssueCard{
			URL: s.issueURL(i), ListTitle: i.List.Title, Number: int(i.Number),
			Date: localDate(i.DueAt, i.List.Zone).String(), Count: i.Count, Lead: strings.Join(titles[i.ID], " · "),
		})
	}
	return cards, nil
}

// enrich adds to the items of sections what a page shows and an email has no room
// for: states today, what a document repeals, reposts.
func (h *Web) enrich(ctx context.Context, language string, items []IssueItem, sections []templates.Section) error {
	articles := make([]feed.Article, len(items))
	for i := range items {
		articles[i] = items[i].Article
	}
	rich, err := h.Feeds.Items(ctx, language, articles)
	if err != nil {
		return err
	}
	byURL := make(map[string]templates.Item, len(rich))
	for _, it := range rich {
		byURL[it.URL] = it
	}
	for _, section := range sections {
		for i := range section.Items {
			it := &section.Items[i]
			found := byURL[it.URL]
			it.Status, it.Change, it.ChangeURL = found.Status, found.Change, found.ChangeURL
			if it.Effects == nil {
				it.Effects = found.Effects
			}
			if it.Reposts == nil {
				it.Reposts, it.RepostCount = found.Reposts, found.RepostCount
			}
		}
	}
	return nil
}
