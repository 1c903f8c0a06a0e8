package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"

	"dibao/internal/database"
)

// A transaction loads the clusters and texts of many articles at once: loading them one by
// one made up three quarters of the statements for a feed whose items share a title, and
// SQLite admits no other writer meanwhile.

// loadMates loads the clusters and texts of the articles with which those of the batch are
// compared.
func (b *batch) loadMates(ctx context.Context, mates map[int64][]int64, alike map[*batchArticle][]int64) error {
	var ids []int64
	for _, a := range b.articles {
		ids = append(append(append(ids, a.ID), mates[a.ID]...), alike[a]...)
	}
	var err error
	if b.keys, err = b.textsByID(ctx, ids); err != nil {
		return err
	}
	b.clusters = make(map[int64]int64, len(ids))
	for _, id := range ids {
		b.clusters[id] = 0
	}
	list, err := json.Marshal(orEmpty(ids))
	if err != nil {
		return err
	}
	stored, err := database.CollectMap(ctx, b.tx, database.ScanPair[int64, int64],
		`SELECT article, cluster FROM clusters WHERE article IN (`+b.st.db.Dialect().IDs("$1")+`)`, string(list))
	maps.Copy(b.clusters, stored)
	return err
}

// clusterOf returns the cluster of an article; 0 means none.
func (b *batch) clusterOf(ctx context.Context, article int64) (int64, error) {
	if cluster, ok := b.clusters[article]; ok {
		return cluster, nil
	}
	var cluster int64
	err := b.tx.QueryRowContext(ctx, `SELECT cluster FROM clusters WHERE article = $1`, article).Scan(&cluster)
	if err == sql.ErrNoRows {
		err = nil
	}
	if err == nil {
		b.clusters[article] = cluster
	}
	return cluster, err
}

func (b *batch) sameCluster(ctx context.Context, x, y int64) (bool, error) {
	first, err := b.clusterOf(ctx, x)
	if err != nil || first == 0 {
		return false, err
	}
	second, err := b.clusterOf(ctx, y)
	return first == second, err
}

// renameCluster moves all articles of a cluster to another, or to none if it is 0.
func (b *batch) renameCluster(ctx context.Context, from, to int64) (sql.Result, error) {
	for article, cluster := range b.clusters {
		if cluster == from {
			b.clusters[article] = to
		}
	}
	if to == 0 {
		return b.tx.ExecContext(ctx, `DELETE FROM clusters WHERE cluster = $1`, from)
	}
	return b.tx.ExecContext(ctx, `UPDATE clusters SET cluster = $2 WHERE cluster = $1`, from, to)
}
