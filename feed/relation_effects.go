package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"dibao/internal/database"
	"dibao/policy"
)

// shanghai is the zone in which a document's last day ends.
var shanghai = time.FixedZone("CST", 8*60*60)

// applyRelations stores the effects of newly resolved relations on the documents that they
// point to: from when these are repealed, until when they are in force, and which version
// of a law or rule is current.
func (b *batch) applyRelations(ctx context.Context, resolved []citing, touched map[int64]bool) error {
	for _, r := range resolved {
		switch {
		case r.Document == 0:
		case r.Kind == policy.RelationRepeals:
			touched[r.Target] = true
		case r.Kind == policy.RelationExtends:
			b.extends = append(b.extends, r.Target)
		}
	}
	for _, id := range sortedKeys(touched) {
		if err := setRepealed(ctx, b.tx, id); err != nil {
			return err
		}
	}
	slices.Sort(b.extends)
	for _, id := range slices.Compact(b.extends) {
		if err := b.mergeArticles(ctx, id); err != nil {
			return err
		}
	}
	return b.orderWorks(ctx)
}

// repealing selects the relations that repeal documents.id: those of visible documents,
// with the day on which each takes effect.
const repealing = ` FROM relations r JOIN articles a ON a.id = r.article WHERE r.target = documents.id AND r.kind = '` + policy.RelationRepeals + `'
	AND r.gone_at IS NULL AND r.document IS NOT NULL AND r.document <> documents.id AND a.hidden = 0 `

// setRepealed stores from when and by what a document is repealed, from all relations to
// it.
func setRepealed(ctx context.Context, tx *sql.Tx, document int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE documents SET
		repealed_on = (SELECT MIN(COALESCE(a.effective_on, a.issued_on, a.published_on))`+repealing+`),
		repealed_by = (SELECT a.id`+repealing+`ORDER BY COALESCE(a.effective_on, a.issued_on, a.published_on, '9999'), a.id LIMIT 1)
		WHERE id = $1`, document)
	return err
}

// work identifies all versions of a law or rule.
type work struct{ name, region string }

// reorder marks the versions of a work to be ordered again.
func (b *batch) reorder(w work) {
	if w.name != "" && !slices.Contains(b.leftWorks, w) {
		b.leftWorks = append(b.leftWorks, w)
	}
}

// leaveWork removes a document from a work of which it is no longer a version: it was
// misread, or corrected.
func (b *batch) leaveWork(ctx context.Context, document int64, was work) error {
	if was.name == "" {
		return nil
	}
	b.reorder(was)
	_, err := b.tx.ExecContext(ctx, `UPDATE documents SET superseded_by = NULL, superseded_on = NULL WHERE id = $1 AND superseded_by IS NOT NULL`, document)
	return err
}

// orderWorks orders the versions of laws and rules, in whatever order they arrived.
func (b *batch) orderWorks(ctx context.Context) error {
	works := slices.Clone(b.leftWorks)
	for _, c := range append(b.changed, b.created...) {
		if w := (work{c.work, c.region}); !slices.Contains(works, w) {
			works = append(works, w)
		}
	}
	for _, w := range works {
		if err := b.orderVersions(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// orderVersions stores which version supersedes each version of a work: the next visible
// one.
func (b *batch) orderVersions(ctx context.Context, w work) error {
	if w.name == "" {
		return nil
	}
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (implementer, error) {
		var x implementer
		err := row.Scan(&x.document, &x.article, &x.on)
		return x, err
	}, `SELECT id, COALESCE(article, 0), COALESCE(issued_on, published_on) FROM documents
		WHERE work = $1 AND work <> '' AND region = $2 AND COALESCE(issued_on, published_on) IS NOT NULL ORDER BY COALESCE(issued_on, published_on), id LIMIT 100`, w.name, w.region)
	if err != nil {
		return err
	}
	for i, older := range all {
		var newer implementer
		if next := slices.IndexFunc(all[i:], func(x implementer) bool { return x.article != 0 && older.on.Before(x.on) }); next >= 0 {
			newer = all[i+next]
		}
		if err := b.supersede(ctx, older.document, newer.document); err != nil {
			return err
		}
	}
	return nil
}

// supersede stores the next version of a document, and from when that is in force; 0 means
// that there is none.
func (b *batch) supersede(ctx context.Context, document, newer int64) error {
	by := sql.Null[int64]{V: newer, Valid: newer != 0}
	_, err := b.tx.ExecContext(ctx, `UPDATE documents SET superseded_by = $2, superseded_on =
		(SELECT COALESCE(n.effective_on, n.issued_on, n.published_on) FROM documents n WHERE n.id = $2)
		WHERE id = $1 AND (superseded_by IS NOT NULL OR superseded_on IS NOT NULL OR $3 = 1)`, document, by, oneIf(by.Valid))
	return err
}

// extended returns the latest last day that extensions of a document state; zero if there
// are none.
func (b *batch) extended(ctx context.Context, document int64) (until policy.Date, err error) {
	all, err := database.Collect(ctx, b.tx, database.ScanOne[string], `SELECT a.facts FROM relations r JOIN articles a ON a.id = r.article
		WHERE r.target = $1 AND r.kind = $2 AND r.gone_at IS NULL AND r.document IS NOT NULL AND a.hidden = 0 LIMIT 100`, document, policy.RelationExtends)
	for _, text := range all {
		var f policy.Facts
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return until, err
		}
		if until.Before(f.ExtendsTo) {
			until = f.ExtendsTo
		}
	}
	return until, err
}
