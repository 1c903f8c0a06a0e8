package feed

import (
	"context"
	"database/sql"
	"encoding/json"

	"dibao/internal/database"
	"dibao/policy"
)

// RelationsBefore returns relations of a kind with smaller ids, newest first; kind is the
// name in the API, "" for all.
func (st *Store) RelationsBefore(ctx context.Context, kind string, before int64, limit int) ([]Relation, error) {
	var all []Relation
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scanRelation, `SELECT `+relationColumns+` FROM relations r JOIN articles a ON a.id = r.article
			WHERE r.id < $1 AND ($2 = '' OR r.kind = $2 OR $2 = '提到' AND r.kind = '') AND r.gone_at IS NULL AND a.hidden = 0 ORDER BY r.id DESC LIMIT $3`, before, kind, limit)
		return err
	})
	return all, err
}

// DocumentsOfArticles returns the document that each article contains, if any.
func (st *Store) DocumentsOfArticles(ctx context.Context, articles []int64) (map[int64]Document, error) {
	documentOf, err := st.DocumentsOf(ctx, articles)
	if err != nil || len(documentOf) == 0 {
		return nil, err
	}
	var ids []int64
	for _, id := range documentOf {
		ids = append(ids, id)
	}
	documents, err := st.DocumentsByID(ctx, ids)
	found := make(map[int64]Document, len(documentOf))
	for article, id := range documentOf {
		if d, ok := documents[id]; ok {
			found[article] = d
		}
	}
	return found, err
}

// Effects returns what articles do to other documents: repeal, amend, extend,
// implement.
func (st *Store) Effects(ctx context.Context, articles []int64) ([]Relation, error) {
	list, err := json.Marshal(orEmpty(articles))
	if err != nil {
		return nil, err
	}
	var all []Relation
	err = st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scanRelation, `SELECT `+relationColumns+` FROM relations r
			WHERE r.article IN (`+st.db.Dialect().IDs("$1")+`) AND r.gone_at IS NULL AND r.said_in <> 'subject' AND r.kind IN ($2, $3, $4, $5, $6)
			ORDER BY r.kind, r.id LIMIT 2000`, string(list),
			policy.RelationRepeals, policy.RelationRepealsPart, policy.RelationAmends, policy.RelationExtends, policy.RelationImplements)
		return err
	})
	return all, err
}
