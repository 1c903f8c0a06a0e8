package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"dibao/internal/database"
	"dibao/policy"
)

// storeRelations stores what the articles state about other documents, and resolves
// relations of earlier articles to documents that have just arrived.
func (b *batch) storeRelations(ctx context.Context) error {
	touched := make(map[int64]bool) // documents whose state may have changed
	if err := b.endRelations(ctx, touched); err != nil {
		return err
	}
	var rows [][]any
	var resolved []citing
	for _, a := range b.articles {
		for _, r := range a.relations() {
			r.Article, r.Document = a.ID, a.document
			said := a.citing(r)
			var target, document any
			if r.Document != 0 {
				document = r.Document
			}
			if c := b.resolve(said); c != nil {
				target = c.id
				said.Target = c.id
				resolved = append(resolved, said)
			}
			issuers, err := json.Marshal(orEmpty(r.TargetIssuers))
			if err != nil {
				return err
			}
			rows = append(rows, []any{r.Article, document, r.Kind, target, r.TargetNumber, r.targetName, r.TargetTitle, string(issuers), r.targetHead, r.SaidIn, r.Quote, b.now})
		}
	}
	if err := b.insert(ctx, insertRelations, rows); err != nil {
		return fmt.Errorf("store relations: %w", err)
	}
	settled, err := b.settle(ctx)
	if err != nil {
		return fmt.Errorf("resolve relations: %w", err)
	}
	resolved = append(resolved, settled...)
	bySubject, err := b.relateSubjects(ctx)
	if err != nil {
		return fmt.Errorf("relate documents by subject: %w", err)
	}
	return b.applyRelations(ctx, append(resolved, bySubject...), touched)
}

var (
	insertRelations = database.Insertion{Into: relationInto, Columns: 12, After: relationAgain, Postgres: relationRows + ` ` + relationAgain}
	// These do not replace what the text itself states.
	insertEdges = database.Insertion{Into: relationInto, Columns: 12, After: edgeAgain, Postgres: relationRows + ` ` + edgeAgain}
)

const (
	relationInto = `INSERT INTO relations (article, document, kind, target, target_number, target_name, target_title, target_issuers, target_head, said_in, quote, since)`
	relationRows = relationInto + ` SELECT (value ->> 0)::bigint, (value ->> 1)::bigint, value ->> 2, (value ->> 3)::bigint, value ->> 4, value ->> 5,
			value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, (value ->> 11)::timestamptz FROM jsonb_array_elements($1::jsonb)`
	relationAgain = `ON CONFLICT (article, kind, target_number, target_name) DO UPDATE SET document = excluded.document, target = excluded.target,
			said_in = excluded.said_in, quote = excluded.quote, gone_at = NULL`
	edgeAgain = `ON CONFLICT (article, kind, target_number, target_name) DO UPDATE SET target = excluded.target, document = excluded.document, gone_at = NULL`
)

// endRelations ends the relations that known articles no longer state.
func (b *batch) endRelations(ctx context.Context, touched map[int64]bool) error {
	for _, a := range b.articles {
		if a.isNew {
			continue
		}
		now := a.relations()
		had, err := database.Collect(ctx, b.tx, scanRelation, `SELECT `+relationColumns+` FROM relations r WHERE r.article = $1 AND r.gone_at IS NULL`, a.ID)
		if err != nil {
			return err
		}
		for _, r := range had {
			if slices.ContainsFunc(now, func(n Relation) bool {
				return n.Kind == r.Kind && n.TargetNumber == r.TargetNumber && n.targetName == r.targetName
			}) {
				continue
			}
			if _, err := b.tx.ExecContext(ctx, `UPDATE relations SET gone_at = $2 WHERE id = $1`, r.ID, b.now); err != nil {
				return err
			}
			if r.Target != 0 {
				touched[r.Target] = true
			}
			if r.Target != 0 && r.Kind == policy.RelationExtends {
				b.extends = append(b.extends, r.Target)
			}
		}
	}
	return nil
}

// settle resolves relations of earlier articles to documents whose names have just become
// known or changed. It returns the relations that it resolved.
func (b *batch) settle(ctx context.Context) ([]citing, error) {
	if len(b.fresh) == 0 {
		return nil, nil
	}
	slices.Sort(b.fresh)
	list, err := json.Marshal(slices.Compact(b.fresh))
	if err != nil {
		return nil, err
	}
	resolved, last, err := b.settlePage(ctx, string(list), 0)
	if err == nil && last != 0 {
		_, err = b.tx.ExecContext(ctx, `INSERT INTO settle_pending (names, after) VALUES ($1, $2)`, string(list), last)
	}
	return resolved, err
}

// settlePage resolves relations to documents with these names, a JSON array, beginning
// after the relation with the id after. It returns the id of the last one, or 0 if there
// are no more.
func (b *batch) settlePage(ctx context.Context, list string, after int64) (resolved []citing, last int64, err error) {
	names := b.st.db.Dialect().Texts("$1")
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (citing, error) {
		var c citing
		var published policy.Date
		var title string
		dest, finish := c.dest()
		if err := row.Scan(append(dest, &c.region, &c.on, &published, &title, &c.hidden)...); err != nil {
			return c, err
		}
		if c.on.IsZero() {
			c.on = published
		}
		c.titleKey = policy.TitleKey(title)
		return c, finish()
	}, `SELECT `+relationColumns+`, a.region, a.issued_on, a.published_on, a.title, a.hidden = 1 FROM relations r JOIN articles a ON a.id = r.article
		WHERE r.id IN (SELECT id FROM relations WHERE target_number <> '' AND target_number IN (`+names+`)
			UNION SELECT id FROM relations WHERE target_name <> '' AND target_name IN (`+names+`))
			AND r.id > $2 AND r.gone_at IS NULL AND r.said_in <> 'subject' ORDER BY r.id LIMIT $3`, list, after, settlePage)
	if err != nil || len(all) == 0 {
		return nil, 0, err
	}
	if len(all) == settlePage {
		last = all[len(all)-1].ID
	}
	var more []string
	for _, r := range all {
		more = append(more, r.TargetNumber, r.targetName)
	}
	if err := b.load(ctx, more); err != nil {
		return nil, 0, err
	}
	if err := b.loadPages(ctx, more); err != nil {
		return nil, 0, err
	}
	for _, r := range all {
		was := r.Target
		r.Target = 0
		if c := b.resolve(r); c != nil {
			r.Target = c.id
			resolved = append(resolved, r)
		}
		if r.Target == was {
			continue
		}
		if _, err := b.tx.ExecContext(ctx, `UPDATE relations SET target = $2 WHERE id = $1`, r.ID, sql.Null[int64]{V: r.Target, Valid: r.Target != 0}); err != nil {
			return nil, 0, err
		}
	}
	return resolved, last, nil
}
