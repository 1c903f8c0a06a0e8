package feed

import (
	"cmp"
	"context"
	"slices"

	"dibao/internal/database"
)

// maxRegrouped limits the size of a cluster whose articles are compared again: in a larger
// one, a single page says little about the others.
const maxRegrouped = 64

// regroup splits the cluster of an article whose text may have changed, and
// merges the articles that still have the same text: the changed article may
// have been the only link between the others.
func (b *batch) regroup(ctx context.Context, article int64) error {
	cluster, err := b.clusterOf(ctx, article)
	if err != nil || cluster == 0 || b.regrouped[cluster] {
		return err
	}
	ids, err := database.Collect(ctx, b.tx, database.ScanOne[int64], `SELECT article FROM clusters WHERE cluster = $1 ORDER BY article LIMIT 5000`, cluster)
	if err != nil {
		return err
	}
	if len(ids) > maxRegrouped {
		return b.leaveCluster(ctx, article, cluster)
	}
	members, err := b.textKeys(ctx, ids)
	if err != nil {
		return err
	}
	if _, err := b.renameCluster(ctx, cluster, 0); err != nil {
		return err
	}
	group := make(map[int64]int64, len(ids)) // by article: the lowest id of its new group
	for i, a := range members {
		if group[a.id] == 0 {
			group[a.id] = a.id
		}
		for _, other := range members[i+1:] {
			if group[other.id] == group[a.id] {
				continue
			}
			sameness := b.compared.sameness(a, other)
			if !sameness.Same {
				continue
			}
			if err := b.adoptStoredDocument(ctx, a.id, other.id); err != nil {
				return err
			}
			if err := b.mergeClusters(ctx, a.id, other.id, sameness.Why); err != nil {
				return err
			}
			ours, theirs := group[a.id], cmp.Or(group[other.id], other.id)
			group[other.id] = theirs
			for id, g := range group {
				if g == ours || g == theirs {
					group[id] = min(ours, theirs) // the id that mergeClusters chooses
				}
			}
		}
	}
	for _, m := range members {
		b.regrouped[group[m.id]] = true
		if group[m.id] != group[members[0].id] {
			b.separated = append(b.separated, ids...)
			break
		}
	}
	return nil
}

// adoptStoredDocument is adoptDocument for two stored articles, either of which may have been
// judged again.
func (b *batch) adoptStoredDocument(ctx context.Context, x, y int64) error {
	for _, a := range b.articles {
		switch a.ID {
		case x:
			return b.adoptDocument(ctx, a, y)
		case y:
			return b.adoptDocument(ctx, a, x)
		}
	}
	return nil
}

// queueSeparated queues the articles of split clusters to be judged again: an article
// without a number may have taken over the document of another.
func (b *batch) queueSeparated(ctx context.Context) error {
	for _, a := range b.articles {
		b.separated = slices.DeleteFunc(b.separated, func(id int64) bool { return id == a.ID })
	}
	if len(b.separated) == 0 {
		return nil
	}
	slices.Sort(b.separated)
	var rows [][]any
	for _, id := range slices.Compact(b.separated) {
		rows = append(rows, []any{id})
	}
	return b.insert(ctx, insertJudging, rows)
}

var insertJudging = database.Insertion{
	Into: `INSERT INTO judge_pending (article)`, Columns: 1, After: `ON CONFLICT DO NOTHING`,
	Postgres: `INSERT INTO judge_pending (article) SELECT (value ->> 0)::bigint FROM jsonb_array_elements($1::jsonb) ON CONFLICT DO NOTHING`,
}

// leaveCluster removes an article from its cluster.
func (b *batch) leaveCluster(ctx context.Context, article, cluster int64) error {
	if _, err := b.tx.ExecContext(ctx, `DELETE FROM clusters WHERE article = $1`, article); err != nil {
		return err
	}
	b.clusters[article] = 0
	rest, err := database.Collect(ctx, b.tx, database.ScanOne[int64], `SELECT MIN(article) FROM clusters WHERE cluster = $1`, cluster)
	if err != nil {
		return err
	}
	if _, err := b.renameCluster(ctx, cluster, rest[0]); err != nil {
		return err
	}
	return b.pickFirst(ctx, rest[0])
}
