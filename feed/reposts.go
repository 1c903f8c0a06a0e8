package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"dibao/internal/database"
)

// Cluster is a set of articles with the same text on several pages (转载).
type Cluster struct {
	First    int64   // id of the original
	Articles []int64 // all visible ones, the original first
}

// Clusters returns the cluster of each of these articles; articles without
// reposts are missing from the map.
func (st *Store) Clusters(ctx context.Context, articles []int64) (map[int64]Cluster, error) {
	list, err := json.Marshal(orEmpty(articles))
	if err != nil {
		return nil, err
	}
	type member struct {
		article, cluster int64
		first            bool
	}
	found := make(map[int64]Cluster)
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		all, err := database.Collect(ctx, tx, func(row database.Row) (member, error) {
			var m member
			err := row.Scan(&m.article, &m.cluster, &m.first)
			return m, err
		}, `SELECT k.article, k.cluster, k.first = 1 FROM clusters k JOIN articles a ON a.id = k.article
			WHERE a.hidden = 0 AND k.cluster IN (SELECT cluster FROM clusters WHERE article IN (`+st.db.Dialect().IDs("$1")+`))
			ORDER BY k.cluster, k.first DESC, k.article`, string(list))
		if err != nil {
			return err
		}
		whole := make(map[int64]Cluster)
		for _, m := range all {
			c := whole[m.cluster]
			if c.First == 0 {
				c.First = m.article
			}
			c.Articles = append(c.Articles, m.article)
			whole[m.cluster] = c
		}
		for _, m := range all {
			if len(whole[m.cluster].Articles) > 1 && slices.Contains(articles, m.article) {
				found[m.article] = whole[m.cluster]
			}
		}
		return nil
	})
	return found, err
}
