package digest

import (
	"context"
	"database/sql"

	"dibao/feed/filter"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/subscribers"
)

// followed returns documents that the list follows by number and whose last day is near,
// unless the list has already reported that. This needs no new article, and the document
// may never have been in an issue.
func (s *Service) followed(ctx context.Context, tx *sql.Tx, l subscribers.List, today policy.Date) ([]IssueItem, error) {
	if len(l.Query.Documents) == 0 {
		return nil, nil
	}
	type due struct {
		article int64
		number  string
		expires policy.Date
	}
	all, err := database.Collect(ctx, tx, func(r database.Row) (d due, err error) {
		err = r.Scan(&d.article, &d.number, &d.expires)
		return d, err
	}, `SELECT d.article, MIN(n.name), MIN(d.expires_on) FROM document_names n JOIN documents d ON d.id = n.document
		WHERE n.kind = 'number' AND n.name IN (`+s.db.Dialect().Texts("$2")+`) AND d.article IS NOT NULL AND d.repealed_by IS NULL
			AND d.expires_on >= $3 AND d.expires_on < $4 AND NOT EXISTS (
				SELECT 1 FROM issue_items x JOIN issues i ON i.id = x.issue JOIN carriers c ON c.article = x.article
				WHERE i.list = $1 AND c.document = d.id AND x.event = 'expiring')
		GROUP BY d.article ORDER BY 3, 1`, l.ID, database.JSON(l.Query.Documents), today.String(), today.AddDays(expiringWithin).String())
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ids := make([]int64, len(all))
	for i, d := range all {
		ids[i] = d.article
	}
	articles, err := s.articles.ArticlesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []IssueItem
	for _, d := range all {
		a, ok := articles[d.article]
		if !ok || isWithheld(a) {
			continue
		}
		a.Facts.ExpiresOn = d.expires // others may have extended it
		out = append(out, IssueItem{Article: a, Event: eventExpiring, Why: []filter.Reason{{Field: "document", Value: d.number}}})
	}
	return out, nil
}
