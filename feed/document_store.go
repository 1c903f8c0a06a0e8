package feed

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dibao/internal/database"
	"dibao/policy"
)

// storeDocuments finds or creates the document of each article that is the text of one.
func (b *batch) storeDocuments(ctx context.Context) error {
	var names []string
	for _, a := range b.articles {
		a.titleKey = a.title().Key // corrections may have changed the title
		if a.containsDocument() {
			for _, n := range a.names() {
				names = append(names, n.name)
			}
		}
		for _, r := range a.relations() {
			names = append(names, r.TargetNumber, r.targetName)
		}
	}
	if err := b.load(ctx, names); err != nil {
		return err
	}
	if err := b.loadPages(ctx, names); err != nil {
		return err
	}
	var before map[int64]int64
	if slices.ContainsFunc(b.articles, func(a *batchArticle) bool { return !a.isNew }) {
		var err error
		if before, err = b.st.documentsOf(ctx, b.tx, b.ids()); err != nil {
			return err
		}
	}
	redo := make(map[int64]bool)
	var nameRows, articleRows [][]any
	for _, a := range b.articles {
		c, err := b.documentOf(ctx, a, before[a.ID], redo)
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		a.document = c.id
		for _, n := range a.names() {
			if slices.Contains(b.named[n.name], c) { // the name was known before
				continue
			}
			nameRows = append(nameRows, []any{n.name, c.id, n.kind})
			b.addName(n, c)
			b.fresh = append(b.fresh, n.name)
		}
		if page := pageName(a.URL); page != "" && !a.Hidden { // links to this page may be waiting for it
			b.addName(name{page, "inner"}, c)
			b.fresh = append(b.fresh, page)
		}
		articleRows = append(articleRows, []any{a.ID, c.id, a.rank()})
	}
	if err := b.insert(ctx, insertNames, nameRows); err != nil {
		return err
	}
	if err := b.insert(ctx, insertArticles, articleRows); err != nil {
		return err
	}
	for _, id := range sortedKeys(redo) {
		if err := b.mergeArticles(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// documentOf returns the document that an article contains, and creates it if it is new; nil
// if the article contains none. was is the document that it contained before, 0 for none; redo
// collects the documents whose facts change as a result.
func (b *batch) documentOf(ctx context.Context, a *batchArticle, was int64, redo map[int64]bool) (c *candidate, err error) {
	if !a.containsDocument() {
		if was != 0 {
			b.fresh = append(b.fresh, pageName(a.URL))
			redo[was] = true
			_, err = b.tx.ExecContext(ctx, `DELETE FROM carriers WHERE article = $1`, a.ID)
		}
		return nil, err
	}
	c = b.identify(a)
	switch {
	case c != nil:
		redo[c.id] = true
	case was != 0 && (a.Hidden || b.knowsLess(was, a) || !b.hasOthers(ctx, was, a.ID)): // it is the same text, better understood
		redo[was] = true
		if c = b.byID[was]; c == nil {
			c = &candidate{id: was} // mergeArticles fills it
			b.byID[was] = c
		}
	default:
		if c, err = b.newDocument(ctx, a); err != nil {
			return nil, err
		}
	}
	if was != 0 && was != c.id {
		redo[was] = true
	}
	return c, nil
}

var (
	insertNames = database.Insertion{
		Into: `INSERT INTO document_names (name, document, kind)`, Columns: 3, After: `ON CONFLICT DO NOTHING`,
		Postgres: `INSERT INTO document_names (name, document, kind) SELECT value ->> 0, (value ->> 1)::bigint, value ->> 2
			FROM jsonb_array_elements($1::jsonb) ON CONFLICT DO NOTHING`,
	}
	insertArticles = database.Insertion{
		Into: `INSERT INTO carriers (article, document, standing)`, Columns: 3,
		After: `ON CONFLICT (article) DO UPDATE SET document = excluded.document, standing = excluded.standing`,
		Postgres: `INSERT INTO carriers (article, document, standing) SELECT (value ->> 0)::bigint, (value ->> 1)::bigint, (value ->> 2)::bigint
			FROM jsonb_array_elements($1::jsonb) ON CONFLICT (article) DO UPDATE SET document = excluded.document, standing = excluded.standing`,
	}
)

// knowsLess reports whether the document that an article contained has the article's title
// but neither a number nor a date: the only page that stated them was hidden.
func (b *batch) knowsLess(document int64, a *batchArticle) bool {
	c := b.byID[document]
	return c != nil && c.number == "" && c.issuedOn.IsZero() && a.titleKey != "" && policy.TitleKey(c.title) == a.titleKey &&
		(a.Facts.DocumentNumber != "" || !a.Facts.IssuedOn.IsZero())
}

func (b *batch) hasOthers(ctx context.Context, document, article int64) bool {
	var has bool
	err := b.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM carriers WHERE document = $1 AND article <> $2)`, document, article).Scan(&has)
	return err != nil || has
}

func (b *batch) newDocument(ctx context.Context, a *batchArticle) (*candidate, error) {
	f := a.Facts
	issuers, err := json.Marshal(orEmpty(f.Issuers))
	if err != nil {
		return nil, err
	}
	c := &candidate{number: f.DocumentNumber, title: a.Title(), region: f.Region, work: a.title().Work, level: f.Level, issuers: f.Issuers, issuedOn: f.IssuedOn, on: cmp.Or(f.IssuedOn, f.PublishedOn)}
	subject := a.title().Subject
	c.subject = subject
	shown := sql.Null[int64]{V: a.ID, Valid: !a.Hidden}
	err = b.tx.QueryRowContext(ctx, `
		INSERT INTO documents (key, number, title, issuers, type, level, region, theme, issued_on, published_on, effective_on,
			expires_on, work, subject, subject_head, article, marker, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $18, $17, $17)
		ON CONFLICT (key) DO UPDATE SET updated_at = excluded.updated_at RETURNING id`,
		documentKey(a), f.DocumentNumber, a.Title(), string(issuers), f.Type, f.Level, f.Region, f.Theme, f.IssuedOn, f.PublishedOn, f.EffectiveOn,
		f.ExpiresOn, c.work, subject, head(subject), shown, b.now, f.Marker).Scan(&c.id)
	if err != nil {
		return nil, fmt.Errorf("store the document of %s: %w", a.URL, err)
	}
	b.byID[c.id] = c
	b.created = append(b.created, c)
	return c, nil
}

// maxArticles limits the articles that are considered for one document, those with the best
// rank: thousands of pages add nothing to the first hundred.
const maxArticles = 100

// mergeArticles sets the facts of a document from the visible articles that contain it, or
// from all if none is visible. Each fact comes from the article with the best rank that has
// it, so that the order of arrival does not matter. A document that no article contains any
// more is deleted.
func (b *batch) mergeArticles(ctx context.Context, id int64) error {
	type page struct {
		batchArticle
		rank int
	}
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (page, error) {
		var c page
		var facts string
		if err := row.Scan(&c.ID, &c.URL, &c.Hidden, &facts, &c.rank); err != nil {
			return c, err
		}
		return c, json.Unmarshal([]byte(facts), &c.Facts)
	}, `SELECT a.id, a.url, a.hidden = 1, a.facts, c.standing FROM
		(SELECT article, standing FROM carriers WHERE document = $1 ORDER BY standing, article LIMIT $2) c JOIN articles a ON a.id = c.article
		ORDER BY a.hidden, c.standing, COALESCE(a.published_on, '9999'), a.id`, id, maxArticles)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		if err := b.dropEdges(ctx, id); err != nil {
			return err
		}
		var w work
		err := b.tx.QueryRowContext(ctx, `DELETE FROM documents WHERE id = $1 RETURNING work, region`, id).Scan(&w.name, &w.region)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return b.leaveWork(ctx, id, w)
	}
	var shown sql.Null[int64]
	if first := all[0]; !first.Hidden { // a page that an admin hid counts only if no other page is visible
		shown = sql.Null[int64]{V: first.ID, Valid: true}
		all = slices.DeleteFunc(all, func(c page) bool { return c.Hidden })
	}
	f := all[0].Facts
	names := map[string]string{}
	for i := range all {
		c := &all[i]
		c.titleKey = c.title().Key
		g := c.Facts
		f.DocumentNumber, f.Type, f.Level = cmp.Or(f.DocumentNumber, g.DocumentNumber), cmp.Or(f.Type, g.Type), cmp.Or(f.Level, g.Level)
		f.Region, f.Theme, f.Title = cmp.Or(f.Region, g.Region), cmp.Or(f.Theme, g.Theme), cmp.Or(f.Title, g.Title)
		f.IssuedOn, f.PublishedOn = cmp.Or(f.IssuedOn, g.IssuedOn), cmp.Or(f.PublishedOn, g.PublishedOn)
		f.EffectiveOn, f.ExpiresOn = cmp.Or(f.EffectiveOn, g.EffectiveOn), cmp.Or(f.ExpiresOn, g.ExpiresOn)
		if len(f.Issuers) == 0 {
			f.Issuers = g.Issuers
		}
		for _, n := range c.names() {
			if names[n.name] == "" {
				names[n.name] = n.kind
			}
		}
	}
	until, err := b.extended(ctx, id)
	if err != nil {
		return err
	}
	if !until.IsZero() && f.ExpiresOn.Before(until) {
		f.ExpiresOn = until
	}
	return b.updateDocument(ctx, id, f, shown, names)
}

func (b *batch) updateDocument(ctx context.Context, id int64, f policy.Facts, shown sql.Null[int64], names map[string]string) error {
	issuers, err := json.Marshal(orEmpty(f.Issuers))
	if err != nil {
		return err
	}
	titles := policy.NamesOf(f)
	subject := titles.Subject
	var before, number, hosts string
	var on policy.Date
	var was work
	if err := b.tx.QueryRowContext(ctx, `SELECT subject, work, region, number, issuers, issued_on FROM documents WHERE id = $1`, id).
		Scan(&before, &was.name, &was.region, &number, &hosts, &on); err != nil {
		return err
	}
	isOther := was.region != f.Region || number != f.DocumentNumber || hosts != string(issuers) || on != f.IssuedOn // then mentions of it are resolved again
	_, err = b.tx.ExecContext(ctx, `
		UPDATE documents SET number = $2, title = $3, issuers = $4, type = $5, level = $6, region = $7, theme = $8, issued_on = $9,
			published_on = $10, effective_on = $11, expires_on = $12, work = $13, subject = $14, subject_head = $15, article = $16, updated_at = $17, marker = $18
		WHERE id = $1`,
		id, f.DocumentNumber, f.Title, string(issuers), f.Type, f.Level, f.Region, f.Theme, f.IssuedOn,
		f.PublishedOn, f.EffectiveOn, f.ExpiresOn, titles.Work, subject, head(subject), shown, b.now, f.Marker)
	if err != nil {
		return err
	}
	c := b.byID[id]
	if c == nil {
		c = &candidate{id: id}
		b.byID[id] = c
	}
	c.number, c.title, c.region, c.work, c.subject = f.DocumentNumber, f.Title, f.Region, titles.Work, subject
	c.level, c.issuers, c.issuedOn, c.on = f.Level, f.Issuers, f.IssuedOn, cmp.Or(f.IssuedOn, f.PublishedOn)
	if now := (work{c.work, c.region}); now != was {
		if err := b.leaveWork(ctx, id, was); err != nil {
			return err
		}
	}
	if before != subject && !slices.Contains(b.created, c) { // others may implement it now, or may no longer implement it
		if err := b.dropEdges(ctx, id); err != nil {
			return err
		}
	}
	if (before != subject || c.work != "") && !slices.Contains(b.created, c) {
		b.changed = append(b.changed, c)
	}
	have, err := database.Collect(ctx, b.tx, database.ScanOne[string], `SELECT name FROM document_names WHERE document = $1`, id)
	if err != nil {
		return err
	}
	for _, n := range have {
		if names[n] == "" { // it was misread or corrected
			if _, err := b.tx.ExecContext(ctx, `DELETE FROM document_names WHERE name = $1 AND document = $2`, n, id); err != nil {
				return err
			}
			b.fresh = append(b.fresh, n)
			b.named[n] = slices.DeleteFunc(b.named[n], func(x *candidate) bool { return x.id == id })
		}
	}
	for n, kind := range names {
		b.addName(name{n, kind}, c)
		if isOther {
			b.fresh = append(b.fresh, n)
		}
	}
	return nil
}

// dropEdges deletes the relations to a document that rest only on its title.
func (b *batch) dropEdges(ctx context.Context, document int64) error {
	_, err := b.tx.ExecContext(ctx, `DELETE FROM relations WHERE target = $1 AND said_in = 'subject'`, document)
	return err
}
