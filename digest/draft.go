package digest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"dibao/feed"
	"dibao/feed/filter"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/subscribers"
)

// draft is an issue that is not stored yet.
type draft struct {
	items    []IssueItem // in reading order
	lastSeq  int64       // matches up to this one are processed
	backfill int         // old articles that arrived in a flood since the last issue: they are held
	waiting  int         // matches for which the issue has no room
	sameText []matched   // matches with the same text as an item, or as an article of an earlier issue
}

// matched is a match with its article.
type matched struct {
	seq     int64
	why     []filter.Reason
	article feed.Article
}

// draft makes the issue of a list from the matches after lastSeq, up to its
// maximum size: the rest waits for the next one. An article with the same text
// as an item of this or an earlier issue is merged into that item.
func (s *Service) draft(ctx context.Context, tx *sql.Tx, d dueList, lastSeq int64) (draft, error) {
	out := draft{lastSeq: lastSeq}
	today := localDate(d.at, d.list.Zone)
	found, err := s.candidates(ctx, tx, d.list, lastSeq)
	if err != nil {
		return draft{}, err
	}
	ids := make([]int64, len(found))
	for i, m := range found {
		ids[i] = m.article.ID
	}
	same, err := s.sameTexts(ctx, ids)
	if err != nil {
		return draft{}, err
	}
	published, err := s.inEarlierIssues(ctx, tx, d.list.ID, same)
	if err != nil {
		return draft{}, err
	}
	at := make(map[int64]int) // by the key of a text: its place among the items
	for _, m := range found {
		ids := same.of(m.article.ID)
		i, here := at[ids[0]]
		switch {
		case slices.ContainsFunc(ids, func(id int64) bool { return published[id] }):
			out.sameText = append(out.sameText, m)
		case here: // another article with a text that is already here
			out.sameText = append(out.sameText, m)
			if same.first(m.article.ID) {
				out.items[i].Article, out.items[i].Why = m.article, m.why
			}
		case len(out.items) == d.list.MaxItems:
			out.waiting++
		default:
			at[ids[0]] = len(out.items)
			out.items = append(out.items, IssueItem{Article: m.article, Why: m.why, Same: ids, Pinned: m.article.Pinned})
		}
		if out.waiting == 0 { // all matches from the first waiting one on are examined again
			out.lastSeq = m.seq
		}
	}
	followed, err := s.followed(ctx, tx, d.list, today)
	if err != nil {
		return draft{}, err
	}
	amended, err := s.amendedCalls(ctx, tx, d.list.ID, today)
	if err != nil {
		return draft{}, err
	}
	edited, err := s.editedCalls(ctx, tx, d.list.ID, today)
	if err != nil {
		return draft{}, err
	}
	for _, it := range slices.Concat(followed, amended, edited) {
		if !slices.ContainsFunc(out.items, func(x IssueItem) bool { return x.Article.ID == it.Article.ID }) {
			out.items = append(out.items, it)
		}
	}
	if len(out.items) > 0 {
		if out.backfill, err = s.heldBack(ctx, tx, d); err != nil {
			return draft{}, err
		}
		returning, err := s.returning(ctx, tx, d.list.ID, today, out.items)
		if err != nil {
			return draft{}, err
		}
		out.items = append(out.items, returning...)
	}
	for i := range out.items {
		it := &out.items[i]
		it.Same = slices.DeleteFunc(slices.Clone(it.Same), func(id int64) bool { return id == it.Article.ID })
		it.Section = sectionOf(it.Article, it.Event, today)
		it.Priority, it.Reason = priorityOf(*it, today)
		if it.Event != "" {
			it.Reason = it.By
		}
	}
	sortItems(out.items)
	return out, nil
}

// maxHeldBack limits the number of held articles that are examined for a list.
const maxHeldBack = 5000

// heldBack counts the articles that match the list, arrived since its last issue, and are
// held because they are old and arrived in a flood (补登旧文).
func (s *Service) heldBack(ctx context.Context, tx *sql.Tx, d dueList) (n int, err error) {
	since := d.list.CreatedAt
	var last sql.Null[time.Time]
	err = tx.QueryRowContext(ctx, `SELECT created_at FROM issues WHERE list = $1 AND number > 0 ORDER BY number DESC LIMIT 1`, d.list.ID).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	if last.Valid {
		since = last.V
	}
	ids, err := database.Collect(ctx, tx, database.ScanOne[int64],
		`SELECT id FROM articles WHERE held = 1 AND hidden = 0 AND withdrawn_at IS NULL AND collected_at > $1 ORDER BY id LIMIT $2`, since, maxHeldBack)
	if err != nil {
		return 0, err
	}
	for page := range slices.Chunk(ids, matchPage) {
		articles, err := s.articles.ArticlesForMatching(ctx, page)
		if err != nil {
			return 0, err
		}
		for _, a := range articles {
			if _, ok := Query(d.list.Query).Match(a); ok {
				n++
			}
		}
	}
	return n, nil
}

// maxCandidates limits the number of matches that are examined for one issue.
const maxCandidates = 4000

// candidates returns the matches of l after a sequence number, oldest first. It leaves out
// articles that have been withdrawn or held since they matched; if that is undone, they
// match again.
func (s *Service) candidates(ctx context.Context, tx *sql.Tx, l subscribers.List, after int64) ([]matched, error) {
	ids := []int64{}
	all, err := database.Collect(ctx, tx, func(r database.Row) (matched, error) {
		var m matched
		var why string
		if err := r.Scan(&m.seq, &m.article.ID, &why); err != nil {
			return m, err
		}
		ids = append(ids, m.article.ID)
		return m, json.Unmarshal([]byte(why), &m.why)
	}, `SELECT seq, article, why FROM matches WHERE list = $1 AND seq > $2 ORDER BY seq LIMIT $3`, l.ID, after, maxCandidates)
	if err != nil {
		return nil, err
	}
	articles, err := s.articles.ArticlesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	news := all[:0]
	for _, m := range all {
		a, ok := articles[m.article.ID]
		if !ok || leftOut(l, a) != "" {
			continue
		}
		m.article = a
		news = append(news, m)
	}
	return news, nil
}

// texts says which articles have the same text.
type texts struct {
	members map[int64][]int64 // by article: all articles with its text; they share the slice
	firsts  map[int64]bool    // the originals
}

// of returns the articles that have the same text as one, including itself; the
// first of them identifies the text.
func (t texts) of(article int64) []int64 {
	if ids := t.members[article]; len(ids) > 0 {
		return ids
	}
	return []int64{article}
}

func (t texts) first(article int64) bool { return t.firsts[article] }

// sameTexts finds the articles that have the same text as one of these.
func (s *Service) sameTexts(ctx context.Context, ids []int64) (texts, error) {
	clusters, err := s.articles.Clusters(ctx, ids)
	t := texts{members: make(map[int64][]int64, len(clusters)), firsts: make(map[int64]bool)}
	for _, c := range clusters {
		t.firsts[c.First] = true
		for _, id := range c.Articles {
			t.members[id] = c.Articles
		}
	}
	return t, err
}

// inEarlierIssues returns which of the articles, or of those with the same
// text, an issue of the list contained.
func (s *Service) inEarlierIssues(ctx context.Context, tx *sql.Tx, list int64, same texts) (map[int64]bool, error) {
	ids := []int64{}
	for id := range same.members {
		ids = append(ids, id)
	}
	published := make(map[int64]bool)
	if len(ids) == 0 {
		return published, nil
	}
	all, err := database.Collect(ctx, tx, database.ScanOne[int64], `
		SELECT x.article FROM issue_items x JOIN issues i ON i.id = x.issue
		WHERE i.list = $1 AND x.article IN (`+s.db.Dialect().IDs("$2")+`)`, list, database.JSON(ids))
	for _, id := range all {
		published[id] = true
	}
	return published, err
}

// returning returns articles of earlier issues of the list whose state changes now: they
// were repealed or amended, come into force this week, or have their last day soon. Each
// returns once for each event, and only in an issue that is published anyway.
func (s *Service) returning(ctx context.Context, tx *sql.Tx, list int64, today policy.Date, items []IssueItem) ([]IssueItem, error) {
	taken := make(map[int64]bool)
	for _, it := range items {
		taken[it.Article.ID] = true
	}
	out, err := s.changed(ctx, tx, list, today)
	if err != nil {
		return nil, err
	}
	out = slices.DeleteFunc(out, func(it IssueItem) bool { return taken[it.Article.ID] })
	for _, it := range out {
		taken[it.Article.ID] = true
	}
	for _, e := range []struct{ event, query string }{
		{eventEffective, `SELECT DISTINCT x.article FROM issue_items x JOIN issues i ON i.id = x.issue JOIN articles a ON a.id = x.article
			WHERE i.list = $1 AND a.effective_on >= $2 AND a.effective_on < $3 AND NOT EXISTS (
				SELECT 1 FROM issue_items y JOIN issues j ON j.id = y.issue WHERE j.list = $1 AND y.article = x.article AND y.section = 'effective')
			ORDER BY x.article`},
		{eventExpiring, `SELECT DISTINCT x.article FROM issue_items x JOIN issues i ON i.id = x.issue JOIN articles a ON a.id = x.article
				LEFT JOIN carriers c ON c.article = a.id LEFT JOIN documents d ON d.id = c.document
			WHERE i.list = $1 AND a.expires_on < $3 AND COALESCE(d.expires_on, a.expires_on) >= $2 AND COALESCE(d.expires_on, a.expires_on) < $3
				AND d.repealed_by IS NULL AND NOT EXISTS (
				SELECT 1 FROM issue_items y JOIN issues j ON j.id = y.issue WHERE j.list = $1 AND y.article = x.article AND y.event = 'expiring')
			ORDER BY x.article`},
	} {
		days := effectiveWithin
		if e.event == eventExpiring {
			days = expiringWithin
		}
		ids, err := database.Collect(ctx, tx, database.ScanOne[int64], e.query, list, today.String(), today.AddDays(days).String())
		if err != nil {
			return nil, err
		}
		articles, err := s.articles.ArticlesByID(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			a, ok := articles[id]
			if !ok || taken[id] || isWithheld(a) {
				continue
			}
			taken[id] = true
			out = append(out, IssueItem{Article: a, Event: e.event})
		}
	}
	return out, nil
}

// isWithheld reports whether an article is no longer shown.
func isWithheld(a feed.Article) bool { return a.Held || a.Hidden || !a.WithdrawnAt.IsZero() }

// changedFor is the number of days for which the change of a document's state is news.
const changedFor = 31

// changed returns articles of earlier issues of the list that another document has repealed
// or amended since.
func (s *Service) changed(ctx context.Context, tx *sql.Tx, list int64, today policy.Date) ([]IssueItem, error) {
	type place struct {
		article int64
		event   string
	}
	earlier := make(map[place]bool)
	ids := []int64{}
	_, err := database.Collect(ctx, tx, func(r database.Row) (struct{}, error) {
		var p place
		err := r.Scan(&p.article, &p.event)
		if p.event == "" {
			ids = append(ids, p.article)
		}
		earlier[p] = true
		return struct{}{}, err
	}, `SELECT x.article, x.event FROM issue_items x JOIN issues i ON i.id = x.issue WHERE i.list = $1 ORDER BY x.article`, list)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	documentOf, err := s.articles.DocumentsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	documents, err := s.articles.DocumentsByID(ctx, slices.Sorted(maps.Values(documentOf)))
	if err != nil {
		return nil, err
	}
	var out []IssueItem
	var by []int64 // articles whose titles are wanted
	for _, id := range ids {
		d, ok := documents[documentOf[id]]
		if !ok {
			continue
		}
		it := IssueItem{Article: feed.Article{ID: id}}
		var on policy.Date
		switch {
		case d.RepealedBy != 0:
			it.Event, it.ChangedBy, on = eventRepealed, d.RepealedBy, d.RepealedOn
		case d.SupersededBy != 0:
			it.Event, on = eventAmended, d.SupersededOn
			it.ChangedBy = documents[d.SupersededBy].Article
		default:
			continue
		}
		if earlier[place{id, it.Event}] || !on.IsZero() && on.AddDays(changedFor).Before(today) {
			continue
		}
		out = append(out, it)
		by = append(by, id)
		if it.ChangedBy != 0 {
			by = append(by, it.ChangedBy)
		}
	}
	articles, err := s.articles.ArticlesByID(ctx, by)
	if err != nil {
		return nil, err
	}
	out = slices.DeleteFunc(out, func(it IssueItem) bool {
		a, ok := articles[it.Article.ID]
		return !ok || isWithheld(a)
	})
	for i := range out {
		out[i].Article = articles[out[i].Article.ID]
		if a, ok := articles[out[i].ChangedBy]; ok {
			out[i].By = a.Title()
		}
	}
	return out, nil
}

// identities returns everything that a reader who got the item has got with it.
func (it IssueItem) identities() []mailed {
	out := []mailed{{it.Article.ID, it.Event}}
	if it.Event == "" {
		for _, id := range it.Same {
			if id != it.Article.ID {
				out = append(out, mailed{id, ""})
			}
		}
	}
	return out
}

// issuesBetween returns the numbered issues of a list in a range of numbers,
// the oldest first, without held ones.
func (s *Service) issuesBetween(ctx context.Context, l subscribers.List, from, to int64) ([]Issue, error) {
	var all []Issue
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, scanIssue, `SELECT `+issueColumns+` FROM issues i
			WHERE i.list = $1 AND i.id >= $2 AND i.id < $3 AND i.number > 0 AND i.held = 0 ORDER BY i.id`, l.ID, from, to)
		return err
	})
	for i := range all {
		all[i].List = l
	}
	return all, err
}

func localDate(t time.Time, zone string) policy.Date {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC // zones are checked when lists are stored
	}
	return policy.DateOf(t.In(loc))
}
