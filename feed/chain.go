package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dibao/feed/search"
	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/division"
)

// Chain lists who issued what to implement a document (落实).
type Chain struct {
	Document Document
	Steps    []Step // earliest first
}

// Step is one document of a chain.
type Step struct {
	Document Document
	Days     int    // days after the implemented document; -1: a date is unknown
	SaidIn   string // title or text: it names that document; subject: the titles have the same subject
	Quote    string
}

// Chain returns the documents that implement a document, according to their texts or
// titles.
func (st *Store) Chain(ctx context.Context, document int64) (Chain, error) {
	d, err := st.Document(ctx, document)
	if err != nil {
		return Chain{}, err
	}
	out := Chain{Document: d}
	all, err := st.queryRelations(ctx, `SELECT `+relationColumns+` FROM relations r JOIN articles a ON a.id = r.article
		WHERE r.target = $1 AND r.document IS NOT NULL AND r.document <> $1 AND r.gone_at IS NULL AND r.kind = '`+policy.RelationImplements+`' AND a.hidden = 0
		ORDER BY r.id LIMIT 5000`, document)
	if err != nil {
		return out, err
	}
	slices.SortStableFunc(all, func(a, b Relation) int { return rank(a.SaidIn) - rank(b.SaidIn) })
	all = once(all, func(r Relation) int64 { return r.Document })
	ids := make([]int64, len(all))
	for i, r := range all {
		ids[i] = r.Document
	}
	docs, err := st.DocumentsByID(ctx, ids)
	if err != nil {
		return out, err
	}
	for _, r := range all {
		s := Step{Document: docs[r.Document], Days: -1, SaidIn: r.SaidIn, Quote: r.Quote}
		if from, to := d.On(), s.Document.On(); !from.IsZero() && !to.IsZero() {
			s.Days = from.DaysUntil(to)
		}
		out.Steps = append(out.Steps, s)
	}
	slices.SortStableFunc(out.Steps, func(a, b Step) int {
		x, y := a.Document.On(), b.Document.On()
		switch {
		case x == y:
			return strings.Compare(a.Document.Title, b.Document.Title)
		case x.IsZero():
			return 1
		case y.IsZero():
			return -1
		}
		return x.Compare(y)
	})
	return out, nil
}

// rank orders relations that a text states before those that only titles show.
func rank(saidIn string) int {
	return slices.Index([]string{"text", "title", "subject"}, saidIn)
}

func promisedSubject(title string) string { return policy.SubjectKey(title) }

// head returns the characters by which a subject is looked up.
func head(subject string) string {
	runes := []rune(subject)
	if len(runes) < policy.SubjectHead {
		return ""
	}
	return string(runes[:policy.SubjectHead])
}

// heads returns every head that a subject in a title can have.
func heads(titleKey string) []string {
	runes := []rune(titleKey)
	var all []string
	for i := 0; i+policy.SubjectHead <= len(runes) && i < 100; i++ {
		all = append(all, string(runes[i:i+policy.SubjectHead]))
	}
	return all
}

// levels gives the order of the levels, highest first.
var levels = []division.Level{division.Central, division.Ministry, division.Province, division.City, division.County}

func isBelow(a, b division.Level) bool {
	return slices.Index(levels, a) > slices.Index(levels, b) && slices.Contains(levels, b)
}

// implementer is a document that may implement another, or may be the announced one.
type implementer struct {
	article, document int64
	level             division.Level
	region            string
	on                policy.Date
	title, key        string
}

// relateSubjects finds documents whose titles contain the subject of a higher document, or
// of an announced one, in whatever order they arrived. These relations are weaker than
// those that a text states itself.
func (b *batch) relateSubjects(ctx context.Context) ([]citing, error) {
	var lower []implementer
	for _, a := range b.articles {
		if a.document != 0 {
			said := a.citing(Relation{})
			lower = append(lower, implementer{a.ID, a.document, a.Facts.Level, a.Facts.Region, said.on, a.Facts.Title, a.titleKey})
		}
	}
	found, err := b.relateUpward(ctx, lower)
	if err != nil {
		return nil, err
	}
	kept, err := b.keepPromises(ctx, lower)
	if err != nil {
		return nil, err
	}
	found = append(found, kept...)
	for _, c := range append(b.changed, b.created...) { // documents that arrived before the one that they implement
		if c.subject != "" {
			bearers, err := b.titled(ctx, c.subject)
			if err != nil {
				return nil, err
			}
			for _, x := range bearers {
				if r, ok := edge(x, c.id, c, c.subject); ok {
					found = append(found, r)
				}
			}
		}
	}
	return found, b.storeEdges(ctx, found)
}

// relateUpward finds the higher documents whose subject is in a title.
func (b *batch) relateUpward(ctx context.Context, lower []implementer) ([]citing, error) {
	var grams []string
	for _, x := range lower {
		if isBelow(x.level, division.Central) {
			grams = append(grams, heads(x.key)...)
		}
	}
	if len(grams) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(grams)
	if err != nil {
		return nil, err
	}
	type higher struct {
		candidate
		subject string
	}
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (higher, error) {
		var h higher
		err := row.Scan(&h.id, &h.number, &h.title, &h.level, &h.region, &h.on, &h.subject)
		return h, err
	}, `SELECT d.id, d.number, d.title, d.level, d.region, COALESCE(d.issued_on, d.published_on), d.subject FROM documents d
		WHERE d.subject_head <> '' AND d.subject_head IN (`+b.st.db.Dialect().Texts("$1")+`) ORDER BY d.id LIMIT 5000`, string(list))
	if err != nil {
		return nil, err
	}
	var found []citing
	for _, x := range lower {
		for _, h := range all {
			if r, ok := edge(x, h.id, &h.candidate, h.subject); ok {
				found = append(found, r)
			}
		}
	}
	return found, nil
}

// edge returns the relation of a document to the higher one whose subject is in its title,
// unless the document is older.
func edge(x implementer, id int64, c *candidate, subject string) (citing, bool) {
	if x.document == id || !isBelow(x.level, c.level) || x.on.IsZero() || c.on.IsZero() || x.on.Before(c.on) || !strings.Contains(x.key, subject) || policy.ChangesAnother(x.title) {
		return citing{}, false
	}
	return citing{Relation: Relation{Article: x.article, Document: x.document, Kind: policy.RelationImplements, Target: id, TargetNumber: c.number,
		targetName: policy.TitleKey(c.title), TargetTitle: c.title, SaidIn: "subject", Quote: x.title}, region: x.region, on: x.on, titleKey: x.key}, true
}

// storeEdges stores relations, but does not replace those that the text itself states.
func (b *batch) storeEdges(ctx context.Context, edges []citing) error {
	var rows [][]any
	edges = once(edges, func(r citing) string {
		return fmt.Sprint(r.Article, "\n", r.Kind, "\n", r.TargetNumber, "\n", r.targetName)
	})
	for _, r := range edges {
		if r.SaidIn == "subject" && r.Kind == policy.RelationImplements {
			rows = append(rows, []any{r.Article, r.Document, r.Kind, r.Target, r.TargetNumber, r.targetName, r.TargetTitle, "[]", "", r.SaidIn, r.Quote, b.now})
		}
	}
	return b.insert(ctx, insertEdges, rows)
}

// keepPromises relates announcements to the announced documents: documents of
// the batch to earlier announcements, and earlier documents to announcements of
// the batch (a page may be collected long after it was written).
func (b *batch) keepPromises(ctx context.Context, arrived []implementer) ([]citing, error) {
	var open bool
	err := b.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM relations WHERE target_head <> '' AND target IS NULL)`).Scan(&open)
	if err != nil || !open {
		return nil, err
	}
	grams := b.promisedHeads()
	for _, x := range arrived {
		grams = append(grams, heads(x.key)...)
	}
	list, err := json.Marshal(orEmpty(grams))
	if err != nil {
		return nil, err
	}
	type promise struct {
		citing
		article string
	}
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (promise, error) {
		var p promise
		var published policy.Date
		dest, finish := p.dest()
		if err := row.Scan(append(dest, &p.region, &p.on, &published, &p.article, &p.hidden)...); err != nil {
			return p, err
		}
		if p.on.IsZero() {
			p.on = published
		}
		return p, finish()
	}, `SELECT `+relationColumns+`, a.region, a.issued_on, a.published_on, a.title, a.hidden = 1 FROM relations r JOIN articles a ON a.id = r.article
		WHERE r.target_head <> '' AND r.target_head IN (`+b.st.db.Dialect().Texts("$1")+`) AND r.kind = $2 AND r.target IS NULL AND r.gone_at IS NULL
		ORDER BY r.id LIMIT 2000`, string(list), RelationPromises)
	if err != nil {
		return nil, err
	}
	var kept []citing
	for _, p := range all {
		p.titleKey = policy.TitleKey(p.article)
		subject := promisedSubject(p.TargetTitle)
		bearers := arrived
		if slices.ContainsFunc(b.articles, func(a *batchArticle) bool { return a.ID == p.Article }) {
			if bearers, err = b.titled(ctx, subject); err != nil {
				return nil, err
			}
		}
		best := implementer{}
		for _, x := range bearers {
			if subject == "" || x.document == p.Document || !strings.Contains(x.key, subject) || p.on.IsZero() || x.on.IsZero() || x.on.Before(p.on) {
				continue
			}
			if best.document == 0 || x.on.Before(best.on) || x.on == best.on && x.document < best.document {
				best = x
			}
		}
		if best.document == 0 {
			continue
		}
		if _, err := b.tx.ExecContext(ctx, `UPDATE relations SET target = $2 WHERE id = $1`, p.ID, best.document); err != nil {
			return nil, err
		}
		p.Target, p.SaidIn = best.document, "subject"
		kept = append(kept, p.citing)
	}
	return kept, nil
}

// promisedHeads returns the heads of the subjects that the texts of the batch announce.
func (b *batch) promisedHeads() []string {
	var all []string
	for _, a := range b.articles {
		for _, r := range a.relations() {
			if r.targetHead != "" {
				all = append(all, r.targetHead)
			}
		}
	}
	return all
}

// titled returns the documents whose titles contain a subject, by the search index.
func (b *batch) titled(ctx context.Context, subject string) ([]implementer, error) {
	waiting, err := b.waitingTitles(ctx)
	if err != nil {
		return nil, err
	}
	all, err := database.Collect(ctx, b.tx, scanImplementer, b.st.db.Dialect().Pick(titledSQLite, titledPostgres), search.TitleQuery(b.st.db.Dialect(), subject))
	all = slices.DeleteFunc(append(all, waiting...), func(x implementer) bool { return !strings.Contains(x.key, subject) })
	return once(all, func(x implementer) int64 { return x.document }), err
}

// maxWaiting is the maximum number of titles that are read of articles that wait for the
// index: more wait only while a database is indexed from scratch, before anything is
// collected.
const maxWaiting = 2 * search.Batch

// waitingTitles returns the documents of articles that wait for the search index.
func (b *batch) waitingTitles(ctx context.Context) (all []implementer, err error) {
	if !b.hasRead {
		b.waiting, err = database.Collect(ctx, b.tx, scanImplementer, titledColumns+`search_pending s JOIN carriers c ON c.article = s.article
			JOIN documents d ON d.id = c.document WHERE d.article = s.article ORDER BY s.article DESC LIMIT $1`, maxWaiting)
		b.hasRead = true
	}
	return b.waiting, err
}

func scanImplementer(row database.Row) (implementer, error) {
	var x implementer
	err := row.Scan(&x.article, &x.document, &x.level, &x.region, &x.on, &x.title)
	x.key = policy.TitleKey(x.title)
	return x, err
}

const (
	titledColumns  = `SELECT d.article, d.id, d.level, d.region, COALESCE(d.issued_on, d.published_on), d.title FROM `
	titledSQLite   = titledColumns + `article_search s JOIN search_keys k ON k.key = s.rowid JOIN carriers c ON c.article = k.article JOIN documents d ON d.id = c.document WHERE article_search MATCH $1 AND d.article = k.article LIMIT 1000`
	titledPostgres = titledColumns + `article_search s JOIN search_keys k ON k.key = s.key JOIN carriers c ON c.article = k.article JOIN documents d ON d.id = c.document WHERE s.head @@ $1::tsquery AND d.article = k.article LIMIT 1000`
)
