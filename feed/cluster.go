package feed

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dibao/internal/database"
	"dibao/policy"
)

const (
	// sketchSize is the number of hashes that are stored of a text. Of two texts that share
	// nine tenths of their 5-grams, only one pair in thousands has none of four hashes in
	// common.
	sketchSize = 4
	// maxAlike limits the articles with which one is compared, per hash of its sketch. A hash
	// that more articles share is common; the newest maxHolders of them are read.
	maxAlike, maxHolders = 12, 48
)

var insertSketches = database.Insertion{
	Into: `INSERT INTO sketches (hash, numbered, article)`, Columns: 3, After: `ON CONFLICT DO NOTHING`,
	Postgres: `INSERT INTO sketches (hash, numbered, article) SELECT (value ->> 0)::bigint, (value ->> 1)::bigint, (value ->> 2)::bigint
		FROM jsonb_array_elements($1::jsonb) ON CONFLICT DO NOTHING`,
}

// gather finds, for each article, those with the same text, and joins their clusters.
func (b *batch) storeClusters(ctx context.Context) error {
	var rows [][]any
	sketches := make(map[*batchArticle][]int64)
	for _, a := range b.articles {
		if a.PageState == PageWanted {
			continue
		}
		sketches[a] = a.sketch
		for _, h := range sketches[a] {
			rows = append(rows, []any{h, numbered(a.Facts), a.ID})
		}
	}
	if err := b.insert(ctx, insertSketches, rows); err != nil {
		return err
	}
	alike, err := b.withSharedSketch(ctx, sketches)
	if err != nil {
		return err
	}
	mates, err := b.mates(ctx)
	if err != nil {
		return err
	}
	if err := b.loadMates(ctx, mates, alike); err != nil {
		return err
	}
	for _, a := range b.articles {
		if !a.isNew {
			if err := b.regroup(ctx, a.ID); err != nil {
				return err
			}
		}
	}
	if err := b.compareAll(ctx, mates, alike); err != nil {
		return err
	}
	if len(b.compared.unknown) > 0 {
		if err := b.compareShort(ctx); err != nil {
			return err
		}
		if err := b.compareAll(ctx, mates, alike); err != nil {
			return err
		}
	}
	if len(b.compared.unknown) > 0 {
		return errUncompared
	}
	if err := b.mergeAdopted(ctx); err != nil {
		return err
	}
	for _, cluster := range sortedKeys(b.merged) {
		if err := b.pickFirst(ctx, cluster); err != nil {
			return err
		}
	}
	return b.warnUncompared(ctx)
}

// compareAll compares each article with those that may have the same text, each pair once.
func (b *batch) compareAll(ctx context.Context, mates map[int64][]int64, alike map[*batchArticle][]int64) error {
	compared := make(map[[2]int64]bool)
	for _, a := range b.articles {
		ids := slices.Concat(mates[a.ID], alike[a])
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			pair := [2]int64{min(id, a.ID), max(id, a.ID)}
			if id == a.ID || compared[pair] {
				continue
			}
			compared[pair] = true
			if err := b.compare(ctx, a, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// warnUncompared adds a warning to articles that were not compared with every
// article that may have the same text.
func (b *batch) warnUncompared(ctx context.Context) error {
	for _, a := range b.articles {
		if !a.unfinished || slices.ContainsFunc(a.Warnings, uncompared.Equal) {
			continue
		}
		a.Warnings = append(slices.Clone(a.Warnings), uncompared)
		list, err := json.Marshal(a.Warnings)
		if err != nil {
			return err
		}
		if _, err := b.tx.ExecContext(ctx, `UPDATE articles SET warnings = $2 WHERE id = $1`, a.ID, string(list)); err != nil {
			return err
		}
	}
	return nil
}

// numbered returns 1 for an article with a document number: two such articles have the same
// text only if the numbers are equal, so they need not be found by their words.
func numbered(f policy.Facts) int {
	if f.DocumentNumber != "" {
		return 1
	}
	return 0
}

// withSharedSketch returns, for each article, stored ones that share hashes of its sketch, those
// that share most and the newest ones first. A hash that many share belongs to a common phrase,
// such as 各区人民政府: articles must share two of these. Otherwise an article would be compared
// with dozens of others in a large archive, nearly always without a match.
func (b *batch) withSharedSketch(ctx context.Context, sketches map[*batchArticle][]int64) (map[*batchArticle][]int64, error) {
	type key struct{ hash, numbered int64 }
	holders, keys := make(map[key][]int64), make(map[*batchArticle][]key)
	for a, hashes := range sketches {
		for _, h := range hashes {
			for n := range int64(2 - numbered(a.Facts)) {
				keys[a], holders[key{h, n}] = append(keys[a], key{h, n}), nil
			}
		}
	}
	found := make(map[*batchArticle][]int64)
	if len(holders) == 0 {
		return found, nil
	}
	rows := make([][]any, 0, len(holders))
	for k := range holders {
		rows = append(rows, []any{k.hash, k.numbered})
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	result, err := b.tx.QueryContext(ctx, b.st.db.Dialect().Pick(alikeSQLite, alikePostgres), string(list), maxHolders)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	for result.Next() {
		var k key
		var article int64
		if err := result.Scan(&k.hash, &k.numbered, &article); err != nil {
			return nil, err
		}
		holders[k] = append(holders[k], article)
	}
	for a, own := range keys {
		weights := make(map[int64]int) // by article: a rare hash weighs as much as all common ones
		for _, k := range own {
			weight := sketchSize
			if len(sketches[a]) > 1 && len(holders[k]) > maxAlike {
				weight = 1
			}
			for _, article := range holders[k] {
				weights[article] += weight
			}
		}
		maps.DeleteFunc(weights, func(_ int64, weight int) bool { return weight < 2 })
		alike := slices.SortedFunc(maps.Keys(weights), func(x, y int64) int {
			return cmp.Or(weights[y]-weights[x], cmp.Compare(y, x))
		})
		found[a] = alike[:min(len(alike), sketchSize*maxAlike)]
	}
	return found, result.Err()
}

// A hash may belong to a sentence in thousands of texts: only the newest articles are read
// for each hash.
const (
	alikeSQLite = `WITH asked AS (SELECT CAST(value ->> 0 AS BIGINT) AS hash, CAST(value ->> 1 AS BIGINT) AS numbered FROM json_each($1))
		SELECT q.hash, q.numbered, j.value FROM asked q, json_each((SELECT json_group_array(article) FROM
			(SELECT s.article FROM sketches s WHERE s.hash = q.hash AND s.numbered = q.numbered ORDER BY s.article DESC LIMIT $2))) j`
	alikePostgres = `WITH asked AS (SELECT CAST(value ->> 0 AS BIGINT) AS hash, CAST(value ->> 1 AS BIGINT) AS numbered FROM jsonb_array_elements($1::jsonb))
		SELECT q.hash, q.numbered, j.article FROM asked q CROSS JOIN LATERAL
			(SELECT s.article FROM sketches s WHERE s.hash = q.hash AND s.numbered = q.numbered ORDER BY s.article DESC LIMIT $2) j`
)

// mates returns, for each article, a few others that contain the same document: these are in
// one cluster, or will be.
func (b *batch) mates(ctx context.Context) (map[int64][]int64, error) {
	inBatch := make(map[int64][]int64)
	for _, a := range b.articles {
		if all := inBatch[a.document]; a.document != 0 && len(all) < maxAlike {
			inBatch[a.document] = append(all, a.ID)
		}
	}
	for _, document := range sortedKeys(inBatch) {
		if slices.ContainsFunc(b.created, func(c *candidate) bool { return c.id == document }) {
			continue
		}
		stored, err := b.articlesOf(ctx, document)
		if err != nil {
			return nil, err
		}
		inBatch[document] = append(inBatch[document], stored...)
	}
	found := make(map[int64][]int64)
	for _, a := range b.articles {
		found[a.ID] = slices.Clone(inBatch[a.document])
	}
	return found, nil
}

// articlesOf returns a few articles that contain a document, those with the best rank.
func (b *batch) articlesOf(ctx context.Context, document int64) ([]int64, error) {
	return database.Collect(ctx, b.tx, database.ScanOne[int64],
		`SELECT article FROM carriers WHERE document = $1 ORDER BY standing, article LIMIT $2`, document, maxAlike)
}

// compare joins the clusters of two articles if they have the same text.
func (b *batch) compare(ctx context.Context, a *batchArticle, id int64) error {
	if sameCluster, err := b.sameCluster(ctx, a.ID, id); err != nil || sameCluster {
		return err
	}
	other, ok := b.keys[id]
	if !ok {
		return nil // the article is gone, its sketch is not
	}
	sameness := b.compared.sameness(textRef{a.textKey(), a.ID}, other)
	a.unfinished = a.unfinished || sameness.Unfinished
	if !sameness.Same {
		return nil
	}
	if err := b.adoptDocument(ctx, a, id); err != nil {
		return err
	}
	return b.mergeClusters(ctx, a.ID, id, sameness.Why)
}

// adoptDocument gives an article whose document could not be determined,
// because it has no number or date, the document of an article with the same
// text.
func (b *batch) adoptDocument(ctx context.Context, a *batchArticle, id int64) error {
	if a.document == 0 {
		return nil
	}
	documentOf, err := b.st.documentsOf(ctx, b.tx, []int64{id})
	if err != nil {
		return err
	}
	theirs := documentOf[id]
	if theirs == 0 || theirs == a.document {
		return nil
	}
	ours, err := documentByID(ctx, b.tx, a.document)
	if err != nil {
		return err
	}
	them, err := documentByID(ctx, b.tx, theirs)
	if err != nil {
		return err
	}
	from, to := ours, them
	if them.Number == "" && them.IssuedOn.IsZero() && (ours.Number != "" || !ours.IssuedOn.IsZero()) {
		from, to = them, ours
	} else if ours.Number != "" || !ours.IssuedOn.IsZero() {
		return nil // both have a document of their own
	}
	if _, err := b.tx.ExecContext(ctx, `UPDATE carriers SET document = $2 WHERE document = $1`, from.ID, to.ID); err != nil {
		return err
	}
	if _, err := b.tx.ExecContext(ctx, `UPDATE relations SET document = $2 WHERE document = $1`, from.ID, to.ID); err != nil {
		return err
	}
	pages := append(b.adopted[to.ID], b.adopted[from.ID]...)
	for _, x := range b.articles {
		if x.document == from.ID {
			x.document = to.ID
			pages = append(pages, pageName(x.URL))
		}
	}
	delete(b.adopted, from.ID)
	b.adopted[to.ID] = pages
	isFrom := func(c *candidate) bool { return c.id == from.ID }
	b.created, b.changed = slices.DeleteFunc(b.created, isFrom), slices.DeleteFunc(b.changed, isFrom)
	for n, all := range b.named {
		b.named[n] = slices.DeleteFunc(all, func(c *candidate) bool { return c.id == from.ID })
	}
	return b.mergeArticles(ctx, from.ID) // no article contains it any more: delete it
}

// mergeAdopted updates documents that took over articles of other documents, once for all
// of these articles.
func (b *batch) mergeAdopted(ctx context.Context) error {
	for _, id := range sortedKeys(b.adopted) {
		if err := b.mergeArticles(ctx, id); err != nil {
			return err
		}
		if err := b.keepNames(ctx, id); err != nil {
			return err
		}
		for _, page := range b.adopted[id] {
			b.addName(name{page, "inner"}, b.byID[id])
		}
	}
	return nil
}

// keepNames stores the names that mergeArticles found for a document.
func (b *batch) keepNames(ctx context.Context, id int64) error {
	var rows [][]any
	for n, all := range b.named {
		if slices.ContainsFunc(all, func(c *candidate) bool { return c.id == id }) && !strings.HasPrefix(n, byLink) {
			kind := "title"
			switch {
			case b.inner[fmt.Sprint(n, "\n", id)]:
				kind = "inner"
			case slices.Contains(policy.NumberNames(b.byID[id].number, b.byID[id].region), n):
				kind = "number"
			}
			rows = append(rows, []any{n, id, kind})
			b.fresh = append(b.fresh, n)
		}
	}
	return b.insert(ctx, insertNames, rows)
}

// mergeClusters merges the clusters of two articles. The id of the new cluster is its lowest article
// id, in whatever order articles arrive.
func (b *batch) mergeClusters(ctx context.Context, x, y int64, why string) error {
	least := min(x, y)
	var was [2]int64
	for i, id := range []int64{x, y} {
		c, err := b.clusterOf(ctx, id)
		if err != nil {
			return err
		}
		if was[i] = c; c != 0 {
			least = min(least, c)
		}
	}
	for i, id := range []int64{x, y} {
		var err error
		switch was[i] {
		case least:
		case 0:
			b.clusters[id] = least
			_, err = b.tx.ExecContext(ctx, `INSERT INTO clusters (article, cluster, first, why) VALUES ($1, $2, 0, $3)`, id, least, why)
		default:
			delete(b.merged, was[i])
			_, err = b.renameCluster(ctx, was[i], least)
		}
		if err != nil {
			return err
		}
	}
	b.merged[least] = true
	return nil
}

// maxRanked limits the size of a cluster whose original is chosen again; in a larger
// cluster, only new articles compete with the present original.
const maxRanked = 200

// pickFirst marks the original of a cluster: of the visible pages, the one with the best
// rank, then the earliest.
func (b *batch) pickFirst(ctx context.Context, cluster int64) error {
	own, err := json.Marshal(b.ids())
	if err != nil {
		return err
	}
	var size int
	if err := b.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM clusters WHERE cluster = $1`, cluster).Scan(&size); err != nil {
		return err
	}
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (*batchArticle, error) {
		var m batchArticle
		var issuers string
		err := row.Scan(&m.ID, &m.Hidden, &m.Licence, &m.Evidence.Issuer, &issuers)
		if err != nil {
			return nil, err
		}
		return &m, json.Unmarshal([]byte(issuers), &m.Facts.Issuers)
	}, `SELECT a.id, a.hidden = 1, s.licence, s.issuer, a.issuers FROM clusters k JOIN articles a ON a.id = k.article JOIN sources s ON s.id = a.source
		WHERE k.cluster = $1 AND (k.first = 1 OR $2 = 0 OR k.article IN (`+b.st.db.Dialect().IDs("$3")+`))
		ORDER BY a.hidden, COALESCE(a.published_on, '9999'), a.id`, cluster, oneIf(size > maxRanked), string(own))
	if err != nil || len(all) == 0 {
		return err
	}
	best := all[0]
	for _, m := range all[1:] {
		if m.Hidden == best.Hidden && m.rank() < best.rank() {
			best = m
		}
	}
	_, err = b.tx.ExecContext(ctx, `UPDATE clusters SET first = 1 - first WHERE cluster = $1 AND first <> CASE WHEN article = $2 THEN 1 ELSE 0 END`, cluster, best.ID)
	return err
}
