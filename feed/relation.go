package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/policy"
)

// Kinds of relations in addition to those of policy.
const (
	RelationPromises = "即将出台" // announced, but not published yet
	RelationCites    = ""     // only mentioned
)

// CitesName is the name of RelationCites on pages and in the API.
const CitesName = "提到"

// Relation is what one text does to a document that it mentions: it points from the newer
// to the older text.
type Relation struct {
	ID            int64
	Article       int64  // the article that states it
	Document      int64  // the document that the article contains; 0 means none
	Kind          string // a constant of policy, RelationPromises or RelationCites
	Target        int64  // the mentioned document; 0 until it is known
	TargetNumber  string
	TargetTitle   string
	TargetIssuers []string
	SaidIn        string // title, text, or subject: the titles have the same subject
	Quote         string // the sentence that states it
	Since         time.Time
	GoneAt        time.Time // when the text stopped stating it; zero means that it still does
	targetName    string
	targetHead    string
}

const relationColumns = `r.id, r.article, COALESCE(r.document, 0), r.kind, COALESCE(r.target, 0), r.target_number, r.target_name,
	r.target_title, r.target_issuers, r.target_head, r.said_in, r.quote, r.since, r.gone_at`

func scanRelation(row database.Row) (Relation, error) {
	var r Relation
	dest, finish := r.dest()
	if err := row.Scan(dest...); err != nil {
		return r, err
	}
	return r, finish()
}

// dest returns the destinations for scanning relationColumns, and a function that converts
// the values afterwards.
func (r *Relation) dest() (dest []any, finish func() error) {
	var issuers string
	var gone sql.Null[time.Time]
	return []any{&r.ID, &r.Article, &r.Document, &r.Kind, &r.Target, &r.TargetNumber, &r.targetName,
			&r.TargetTitle, &issuers, &r.targetHead, &r.SaidIn, &r.Quote, &r.Since, &gone}, func() error {
			r.GoneAt = gone.V
			return json.Unmarshal([]byte(issuers), &r.TargetIssuers)
		}
}

// Relations returns the relations of an article, or of the document that it
// contains, to other documents.
func (st *Store) Relations(ctx context.Context, article int64) ([]Relation, error) {
	all, err := st.queryRelations(ctx, `SELECT `+relationColumns+` FROM relations r WHERE r.article = $1 AND r.gone_at IS NULL`+knownPage+` ORDER BY r.id`, article)
	return once(all, func(r Relation) string { // the title and a link may state the same relation
		if r.Target != 0 {
			return fmt.Sprint(r.Kind, "\n", r.Target)
		}
		return fmt.Sprint(r.Kind, "\n", r.TargetNumber, "\n", r.targetName)
	}), err
}

// knownPage removes links to pages that were not collected.
const knownPage = ` AND (r.target IS NOT NULL OR r.target_name NOT LIKE 'url:%')`

// RelationsFrom returns the relations of a document to others, each once, even if
// several articles contain it, without those of hidden articles.
func (st *Store) RelationsFrom(ctx context.Context, document int64) ([]Relation, error) {
	all, err := st.queryRelations(ctx, `SELECT `+relationColumns+` FROM relations r JOIN carriers c ON c.article = r.article
		JOIN articles a ON a.id = r.article WHERE r.document = $1 AND r.gone_at IS NULL AND a.hidden = 0`+knownPage+` ORDER BY c.standing, r.id LIMIT 2000`, document)
	return once(all, func(r Relation) string { return fmt.Sprint(r.Kind, "\n", r.TargetNumber, "\n", r.targetName) }), err
}

// RelationsTo returns the relations of others to a document, each once, without those of
// hidden articles.
func (st *Store) RelationsTo(ctx context.Context, document int64) ([]Relation, error) {
	all, err := st.queryRelations(ctx, `SELECT `+relationColumns+` FROM relations r JOIN articles a ON a.id = r.article
		LEFT JOIN carriers c ON c.article = r.article LEFT JOIN clusters k ON k.article = r.article
		WHERE r.target = $1 AND r.gone_at IS NULL AND a.hidden = 0 AND COALESCE(k.first, 1) = 1 AND COALESCE(r.document, 0) <> $1
		ORDER BY COALESCE(c.standing, 9), r.id LIMIT 2000`, document)
	return once(all, func(r Relation) string {
		if r.Document == 0 {
			return fmt.Sprint(r.Kind, "\na", r.Article)
		}
		return fmt.Sprint(r.Kind, "\nd", r.Document)
	}), err
}

func (st *Store) queryRelations(ctx context.Context, query string, id int64) ([]Relation, error) {
	var all []Relation
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, scanRelation, query, id)
		return err
	})
	return all, err
}

// once returns the first of all relations with the same key.
func once[T any, K comparable](all []T, key func(T) K) []T {
	seen := make(map[K]bool, len(all))
	return slices.DeleteFunc(all, func(v T) bool {
		k := key(v)
		was := seen[k]
		seen[k] = true
		return was
	})
}

// Interpretations returns the ids of the articles that explain a document, oldest first.
func (st *Store) Interpretations(ctx context.Context, document int64) ([]int64, error) {
	var all []int64
	err := st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		all, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			SELECT DISTINCT r.article FROM relations r JOIN articles a ON a.id = r.article LEFT JOIN clusters k ON k.article = r.article
			WHERE r.target = $1 AND r.kind = $2 AND r.gone_at IS NULL AND a.hidden = 0 AND COALESCE(k.first, 1) = 1
			ORDER BY r.article LIMIT 200`, document, policy.RelationInterprets)
		return err
	})
	return all, err
}

// OriginalsOf returns the document that each of these articles explains (解读 →
// 原文); articles that explain none are missing from the map.
func (st *Store) OriginalsOf(ctx context.Context, articles []int64) (map[int64]int64, error) {
	list, err := json.Marshal(orEmpty(articles))
	if err != nil {
		return nil, err
	}
	found := make(map[int64]int64)
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		all, err := database.Collect(ctx, tx, scanRelation, `SELECT `+relationColumns+` FROM relations r
			WHERE r.article IN (`+st.db.Dialect().IDs("$1")+`) AND r.kind = $2 AND r.target IS NOT NULL AND r.gone_at IS NULL ORDER BY r.id`,
			string(list), policy.RelationInterprets)
		for _, r := range all {
			if found[r.Article] == 0 {
				found[r.Article] = r.Target
			}
		}
		return err
	})
	return found, err
}

// TargetsOf returns, by article, the relations of these articles to documents that have a
// page on this site, without mere mentions.
func (st *Store) TargetsOf(ctx context.Context, articles []int64) (map[int64][]Relation, error) {
	list, err := json.Marshal(orEmpty(articles))
	if err != nil {
		return nil, err
	}
	found := make(map[int64][]Relation)
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		all, err := database.Collect(ctx, tx, scanRelation, `SELECT `+relationColumns+` FROM relations r JOIN documents d ON d.id = r.target
			WHERE r.article IN (`+st.db.Dialect().IDs("$1")+`) AND r.kind <> '' AND d.article IS NOT NULL AND r.gone_at IS NULL ORDER BY r.id`, string(list))
		// The title and the link of an interpretation may state the same relation.
		for _, r := range once(all, func(r Relation) string { return fmt.Sprint(r.Article, " ", r.Kind, " ", r.Target) }) {
			found[r.Article] = append(found[r.Article], r)
		}
		return err
	})
	return found, err
}
