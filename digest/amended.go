package digest

import (
	"context"
	"database/sql"
	"slices"

	"dibao/feed"
	"dibao/feed/amend"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/call"
)

// amendedCalls returns calls of earlier issues of the list that a later notice moved,
// corrected or canceled. Each call appears once for each notice, for the readers who got
// the call; one such call is enough for an issue.
func (s *Service) amendedCalls(ctx context.Context, tx *sql.Tx, list int64, today policy.Date) ([]IssueItem, error) {
	type due struct {
		article, notice int64
		was, until      policy.Date
	}
	all, err := database.Collect(ctx, tx, func(r database.Row) (d due, err error) {
		return d, r.Scan(&d.article, &d.notice, &d.was, &d.until)
	}, `SELECT DISTINCT x.article, s.notice, s.was_on, s.until_on FROM call_states s JOIN issue_items x ON x.article = s.article AND x.event = ''
			JOIN issues i ON i.id = x.issue
		WHERE i.list = $1 AND i.held = 0 AND s.at >= $2 AND NOT EXISTS (
			SELECT 1 FROM issue_items y JOIN issues j ON j.id = y.issue WHERE j.list = $1 AND y.article = x.article AND y.event = 'change/' || s.notice)
		ORDER BY x.article`, list, s.now().AddDate(0, 0, -changedFor))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ids := []int64{}
	for _, d := range all {
		ids = append(ids, d.article, d.notice)
	}
	articles, clusters, err := s.withClusters(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []IssueItem
	for _, d := range all {
		a, notice := articles[d.article], articles[d.notice]
		over := !d.until.IsZero() && d.until.Before(today) && d.was.Before(today)
		if a.ID == 0 || notice.ID == 0 || isWithheld(a) || isWithheld(notice) || over {
			continue
		}
		out = append(out, IssueItem{Article: a, Event: amend.Event(d.notice), By: notice.Title(), Same: clusters[d.article].Articles})
	}
	return out, nil
}

// withClusters returns articles, and the clusters that they are in.
func (s *Service) withClusters(ctx context.Context, ids []int64) (map[int64]feed.Article, map[int64]feed.Cluster, error) {
	articles, err := s.articles.ArticlesByID(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	clusters, err := s.articles.Clusters(ctx, ids)
	return articles, clusters, err
}

// editedCalls returns calls of earlier issues of the list whose last day differs from that which
// readers know, because the site has since changed it in the text. If a notice announced the same
// day, only the notice is reported.
func (s *Service) editedCalls(ctx context.Context, tx *sql.Tx, list int64, today policy.Date) ([]IssueItem, error) {
	type edit struct {
		article, first, last int64       // revisions since the last issue that stated a last day
		was, until, now      policy.Date // the last day before the first revision, after the last one, and of the article
	}
	all, err := database.Collect(ctx, tx, func(r database.Row) (e edit, err error) {
		return e, r.Scan(&e.article, &e.first, &e.was, &e.until, &e.now)
	}, `SELECT DISTINCT r.article, r.id, r.was_on, r.until_on, a.deadline_on FROM revisions r JOIN articles a ON a.id = r.article
			JOIN issue_items x ON x.article = r.article AND x.event = '' JOIN issues i ON i.id = x.issue AND i.created_at < r.replaced_at
		WHERE i.list = $1 AND i.held = 0 AND r.replaced_at >= $2 AND r.until_on IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM call_states s WHERE s.article = r.article AND (s.until_on = r.until_on OR s.kind = 'canceled'))
			AND NOT EXISTS (SELECT 1 FROM issue_items y JOIN issues j ON j.id = y.issue
				WHERE j.list = $1 AND y.article = r.article AND y.event LIKE 'edit/%' AND j.created_at > r.replaced_at)
		ORDER BY r.article, r.id`, list, s.now().AddDate(0, 0, -changedFor))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	edits := make(map[int64]edit)
	ids := []int64{}
	for _, e := range all {
		e.last = e.first
		if first, ok := edits[e.article]; ok {
			e.first, e.was = first.first, first.was
		} else {
			ids = append(ids, e.article)
		}
		edits[e.article] = e
	}
	ids = slices.DeleteFunc(ids, func(id int64) bool {
		e := edits[id]
		return e.until != e.now || e.was == e.until || e.until.Before(today)
	})
	if len(ids) == 0 {
		return nil, nil
	}
	articles, clusters, err := s.withClusters(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []IssueItem
	for _, id := range ids {
		if a, ok := articles[id]; ok && !isWithheld(a) {
			out = append(out, IssueItem{Article: a, Event: amend.EditEvent(edits[id].first, edits[id].last), Same: clusters[id].Articles})
		}
	}
	return out, nil
}

// amendItems adds to the calls among items what notices changed in them. It leaves out
// changes that no longer apply.
func (s *Service) amendItems(ctx context.Context, items []IssueItem) ([]IssueItem, error) {
	var news []int64
	for i := range items {
		it := &items[i]
		if first, last, isEdit := amend.EditOf(it.Event); isEdit {
			c, ok, err := amend.Edit(ctx, s.db, first, last)
			if err != nil {
				return nil, err
			}
			if ok {
				it.Amended, it.ChangedBy = &c, c.Notice
			}
			continue
		}
		notice := amend.NoticeOf(it.Event)
		if notice == 0 {
			news = append(news, it.Article.ID)
			continue
		}
		target, c, err := amend.Target(ctx, s.db, notice)
		if err != nil {
			return nil, err
		}
		if target != 0 {
			it.Amended, it.ChangedBy = &c, notice
		}
	}
	states, err := amend.States(ctx, s.db, news)
	if err != nil {
		return nil, err
	}
	for i := range items {
		st, ok := states[items[i].Article.ID]
		if ok && !st.Until.IsZero() { // a later notice moved the deadline
			items[i].Article.Facts.DeadlineOn = st.Until
		}
		if !ok || items[i].Event != "" {
			continue
		}
		items[i].Amended, items[i].ChangedBy = &amend.Change{Notice: st.Notice, Kind: st.Kind, Was: st.Was, Until: st.Until}, st.Notice
	}
	return slices.DeleteFunc(items, func(it IssueItem) bool { return amend.ChangesCall(it.Event) && it.Amended == nil }), nil
}

// isCanceled reports whether the call of an item has been canceled since.
func (it IssueItem) isCanceled() bool {
	return it.Amended != nil && it.Amended.Kind == call.ChangeCanceled
}

// asNews returns the identities under which a reader got the article as news.
func (it IssueItem) asNews() []mailed {
	out := []mailed{{it.Article.ID, ""}}
	for _, id := range it.Same {
		out = append(out, mailed{id, ""})
	}
	return out
}
