package digest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dibao/feed"
	"dibao/internal/database"
	"dibao/subscribers"
)

// LeftOut is an article that the next issue of a list would not contain, and why.
type LeftOut struct {
	Article feed.Article
	Why     string // theme, region, …: the condition of the query that it does not meet; or held, withdrawn, older, archive, same, issued, repost, full, passed
	Detail  string // the article's own value, in words; for a repost, the number of the article that was issued
}

// The reasons in addition to those of leftOut and the fields of a query.
const (
	leftOutSame   = "same"   // another article of the issue has the same text
	leftOutIssued = "issued" // an issue already contained it
	leftOutRepost = "repost" // an issue already contained another article with the same text
	leftOutFull   = "full"   // the issue is full; it waits for the next one
	leftOutPassed = "passed" // it did not match, or was withheld, when the issue was composed that followed it
)

// LeftOut returns recent articles that the next issue of l would not contain, newest first,
// at most limit.
func (s *Service) LeftOut(ctx context.Context, l subscribers.List, limit int) ([]LeftOut, error) {
	if err := s.Match(ctx); err != nil {
		return nil, err
	}
	var next draft
	issued, matches := make(map[int64]bool), make(map[int64]int64)
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		last, err := lastIssued(ctx, tx, l.ID)
		if err != nil {
			return err
		}
		inEarlier, err := database.Collect(ctx, tx, database.ScanOne[int64],
			`SELECT x.article FROM issue_items x JOIN issues i ON i.id = x.issue WHERE i.list = $1`, l.ID)
		if err != nil {
			return err
		}
		for _, id := range inEarlier {
			issued[id] = true
		}
		matches, err = database.CollectMap(ctx, tx, database.ScanPair[int64, int64], `SELECT article, seq FROM matches WHERE list = $1 AND seq > $2`, l.ID, last)
		if err != nil {
			return err
		}
		next, err = s.draft(ctx, tx, dueList{l, s.now()}, last)
		return err
	})
	if err != nil {
		return nil, err
	}
	inIssue := make(map[int64]bool)
	for _, it := range next.items {
		inIssue[it.Article.ID] = true
	}
	sameText := make(map[int64]bool)
	for _, m := range next.sameText {
		sameText[m.article.ID] = true
	}
	articles, err := s.articles.ArticlesWithText(ctx, feed.Selection{Since: s.now().Add(-staleAfter), Limit: min(2000, 10*limit)})
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(articles))
	for i, a := range articles {
		ids[i] = a.ID
	}
	same, err := s.sameTexts(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []LeftOut
	for _, a := range articles {
		if inIssue[a.ID] || len(out) == limit {
			continue
		}
		one := LeftOut{Article: a, Why: leftOut(l, a)}
		switch {
		case one.Why != "":
		case issued[a.ID]:
			one.Why = leftOutIssued
		default:
			if one.Why, one.Detail = unmet(l.Query, a); one.Why != "" {
				break
			}
			twin := slices.IndexFunc(same.of(a.ID), func(id int64) bool { return issued[id] })
			switch {
			case twin >= 0:
				one.Why, one.Detail = leftOutRepost, strconv.FormatInt(same.of(a.ID)[twin], 10)
			case sameText[a.ID]:
				one.Why = leftOutSame
			case matches[a.ID] > next.lastSeq:
				one.Why, one.Detail = leftOutFull, fmt.Sprintf("an issue holds %d", l.MaxItems)
			default:
				one.Why = leftOutPassed
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// unmet returns the first condition of a query that an article does not meet, and the
// article's own value; "" if it meets all.
func unmet(q subscribers.Query, a feed.Article) (field, has string) {
	f := a.Facts
	for _, one := range []struct {
		field string
		query subscribers.Query
		has   string
	}{
		{"source", subscribers.Query{Sources: q.Sources}, a.SourceName},
		{"kind", subscribers.Query{Kinds: q.Kinds}, string(f.Kind)},
		{"type", subscribers.Query{Types: q.Types}, f.Type},
		{"theme", subscribers.Query{Themes: q.Themes}, f.Theme},
		{"region", subscribers.Query{Regions: q.Regions}, f.Region},
		{"issuer", subscribers.Query{Issuers: q.Issuers}, strings.Join(f.Issuers, "、")},
		{"document", subscribers.Query{Documents: q.Documents}, f.DocumentNumber},
		{"chain", subscribers.Query{Chains: q.Chains}, strings.Join(q.Chains, "、")},
		{"none", subscribers.Query{None: q.None}, "one of the words that must not be there"},
		{"all", subscribers.Query{All: q.All}, "not every word that must be there"},
		{"any", subscribers.Query{Any: q.Any}, "none of the words"},
	} {
		if _, ok := Query(one.query).Match(a); !ok {
			return one.field, one.has
		}
	}
	return "", ""
}
