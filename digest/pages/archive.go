package pages

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dibao/digest"
	"dibao/feed"
	"dibao/subscribers"
	"dibao/templates"
)

// matched returns a page of the matches of a list, and the query of the next one.
func (h *Web) matched(ctx context.Context, language string, list, before int64) (items []templates.Item, older string, err error) {
	articles, next, err := h.Service.MatchedBefore(ctx, list, before, homeArticles)
	if err != nil {
		return nil, "", err
	}
	if next > 0 {
		older = fmt.Sprintf("?before=%d", next)
	}
	items, err = h.Feeds.Items(ctx, language, articles)
	return items, older, err
}

// issueCards returns the cards of issues; lists are those that they may belong to.
func (h *Web) issueCards(ctx context.Context, issues []digest.Issue, lists []subscribers.List) ([]templates.IssueCard, error) {
	titles, err := h.Service.Leads(ctx, issues)
	if err != nil {
		return nil, err
	}
	cards := make([]templates.IssueCard, 0, len(issues))
	for _, i := range issues {
		at := slices.IndexFunc(lists, func(l subscribers.List) bool { return l.ID == i.List.ID })
		if at < 0 {
			continue // its list was removed or is not shown here
		}
		i.List = lists[at]
		cards = append(cards, templates.IssueCard{
			URL: h.Service.IssueURL(i), ListTitle: i.List.Title, Number: int(i.Number),
			Date: i.Day().String(), Count: i.Count, Lead: strings.Join(titles[i.ID], " · "),
		})
	}
	return cards, nil
}

// enrich adds what a page shows and an email has no room for: the current states, what a
// document repeals, reposts.
func (h *Web) enrich(ctx context.Context, language string, items []digest.IssueItem, sections []templates.Section) error {
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
			for _, d := range found.Dates {
				if d.Key == "deadline" {
					it.MoveDeadline(d.Date)
				}
			}
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
