package feed

import (
	"context"
	"database/sql"
	"encoding/json"

	"dibao/internal/database"
)

// ArticlesWithTextByID is ArticlesByID with content, paragraphs and evidence. Ids that do
// not exist are missing from the map.
func (st *Store) ArticlesWithTextByID(ctx context.Context, ids []int64) ([]Article, error) {
	list, err := json.Marshal(orEmpty(ids))
	if err != nil {
		return nil, err
	}
	var all []Article
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		all, err = database.Collect(ctx, tx, scanFullArticle, `SELECT `+articleColumns+textColumns+`
			FROM articles a JOIN sources s ON s.id = a.source
			WHERE a.id IN (`+st.db.Dialect().IDs("$1")+`) ORDER BY a.id`, string(list))
		return err
	})
	return all, err
}

// maxFeedText limits the texts in one feed, in characters; articles beyond it have only a
// summary.
const maxFeedText = 1 << 20

// sizes returns the number of characters in a column of these articles, by id.
func (st *Store) sizes(ctx context.Context, tx *sql.Tx, column, list string) (map[int64]int, error) {
	return database.CollectMap(ctx, tx, database.ScanPair[int64, int],
		`SELECT id, length(`+column+`) FROM articles WHERE id IN (`+st.db.Dialect().IDs("$1")+`)`, list)
}

// ArticlesForFeed returns articles. The first ones have their content, as far as it fits
// into a feed. Hidden articles are included.
func (st *Store) ArticlesForFeed(ctx context.Context, ids []int64) (all []Article, err error) {
	list, err := json.Marshal(orEmpty(ids))
	if err != nil {
		return nil, err
	}
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		sizes, err := st.sizes(ctx, tx, "content", string(list))
		if err != nil {
			return err
		}
		var whole []int64
		for size, i := 0, 0; i < len(ids); i++ {
			if size += sizes[ids[i]]; size <= maxFeedText {
				whole = append(whole, ids[i])
			}
		}
		some, err := json.Marshal(orEmpty(whole))
		if err != nil {
			return err
		}
		all, err = database.Collect(ctx, tx, scanFullArticle, `SELECT `+articleColumns+`, CASE WHEN a.id IN (`+st.db.Dialect().IDs("$1")+`) THEN a.content ELSE '' END, '[]', '{}', ''
			FROM articles a JOIN sources s ON s.id = a.source
			WHERE a.id IN (`+st.db.Dialect().IDs("$2")+`) ORDER BY a.id`, string(some), string(list))
		return err
	})
	return all, err
}

// maxLoaded limits the texts that are loaded at a time for matching, in characters.
const maxLoaded = 1 << 20

// InPieces splits ids into pieces whose texts fit into little memory.
func (st *Store) InPieces(ctx context.Context, ids []int64) (pieces [][]int64, err error) {
	list, err := json.Marshal(orEmpty(ids))
	if err != nil {
		return nil, err
	}
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		sizes, err := st.sizes(ctx, tx, "paragraphs", string(list))
		from, size := 0, 0
		for i, id := range ids {
			if size += sizes[id]; i > from && size > maxLoaded {
				pieces, from, size = append(pieces, ids[from:i]), i, sizes[id]
			}
		}
		if from < len(ids) {
			pieces = append(pieces, ids[from:])
		}
		return err
	})
	return pieces, err
}

// RelatedDocument is a document to which an article is related: the article contains it
// (Kind ""), has a resolved relation to it, or announced it.
type RelatedDocument struct {
	Number string // canonical
	Kind   string // kind of relation; RelationPromises for a document that the article announced
}

// ArticlesForMatching is ArticlesWithTextByID with the documents with a number
// to which each article is related, even if its text names them only by title.
func (st *Store) ArticlesForMatching(ctx context.Context, ids []int64) ([]Article, error) {
	all, err := st.ArticlesWithTextByID(ctx, ids)
	if err != nil || len(all) == 0 {
		return all, err
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	related := make(map[int64][]RelatedDocument)
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		in := `(` + st.db.Dialect().IDs("$1") + `)`
		_, err := database.Collect(ctx, tx, func(row database.Row) (_ struct{}, err error) {
			var article int64
			var d RelatedDocument
			err = row.Scan(&article, &d.Kind, &d.Number)
			related[article] = append(related[article], d)
			return struct{}{}, err
		}, `SELECT r.article, r.kind, d.number FROM relations r JOIN documents d ON d.id = r.target
				WHERE r.article IN `+in+` AND r.gone_at IS NULL AND r.kind <> $2 AND d.number <> ''
			UNION ALL SELECT c.article, r.kind, p.number FROM carriers c JOIN relations r ON r.target = c.document AND r.kind = $2 AND r.gone_at IS NULL
				JOIN documents p ON p.id = r.document WHERE c.article IN `+in+` AND p.number <> ''
			UNION ALL SELECT c.article, '', d.number FROM carriers c JOIN documents d ON d.id = c.document WHERE c.article IN `+in+` AND d.number <> ''`,
			string(list), RelationPromises)
		return err
	})
	for i := range all {
		all[i].Related = related[all[i].ID]
	}
	return all, err
}
