package feed

import (
	"context"
	"database/sql"
	"encoding/json"

	"dibao/internal/database"
)

// ArticlesWithTextByID is ArticlesByID with content, paragraphs and evidence, by
// id. Ids that are not there are left out.
func (st *Store) ArticlesWithTextByID(ctx context.Context, ids []int64) ([]Article, error) {
	list, err := json.Marshal(orEmpty(ids))
	if err != nil {
		return nil, err
	}
	var all []Article
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, scanFullArticle, `SELECT `+articleColumns+`, a.content, a.paragraphs, a.evidence
			FROM articles a JOIN sources s ON s.id = a.source
			WHERE a.id IN (`+st.db.Dialect().IDs("$1")+`) ORDER BY a.id`, string(list))
		return err
	})
	return all, err
}
