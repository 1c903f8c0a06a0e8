package feed

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dibao/feed/search"
	"dibao/internal/database"
	"dibao/policy"
)

// arrival is an article on its way into the store.
type arrival struct {
	Article
	pageNext time.Time // when its page is to be read again; zero: never
	document int64     // that it carries; 0: none
	titleKey string
	said     []Relation     // memo of relations
	titles   *policy.Names  // memo of title
	waiting  search.Waiting // what the index is to hold, of one that waits for it
	readHash string         // of a stored one that is judged again: the hash of its text when it was read

	// What prepare computes.
	sketch     []int64
	columns    largeColumns
	columnsErr error

	unfinished bool // it could not be compared with all that it may be the same as
}

// standing ranks the sites that carry one text: the issuer's own first, then
// other official ones.
func (a *arrival) standing() int {
	official := a.Licence == LicenceOfficial
	own := a.Evidence.Issuer != "" && slices.ContainsFunc(a.Facts.Issuers, func(s string) bool {
		return strings.HasSuffix(s, a.Evidence.Issuer) || strings.HasSuffix(a.Evidence.Issuer, s)
	})
	switch {
	case official && own:
		return 0
	case official:
		return 1
	case own:
		return 2
	}
	return 3
}

// carriesDocument reports whether the article is the text of a document. A title
// that only a list told may be cut short.
func (a *arrival) carriesDocument() bool {
	return a.Facts.Kind == policy.KindDocument && a.PageState != PageWanted
}

// name is a name of a document.
type name struct{ name, kind string }

// title returns what the article's title says of its document.
func (a *arrival) title() policy.Names {
	if a.titles == nil {
		n := policy.NamesOf(a.Facts)
		a.titles = &n
	}
	return *a.titles
}

// names returns what the document of an article is cited by.
func (a *arrival) names() []name {
	var all []name
	for _, n := range policy.NumberNames(a.Facts.DocumentNumber, a.Facts.Region) {
		all = append(all, name{n, "number"})
	}
	add := func(title, kind string) {
		if title != "" && !slices.ContainsFunc(all, func(n name) bool { return n.name == title }) {
			all = append(all, name{title, kind})
		}
	}
	titles := a.title()
	add(titles.Key, "title")
	for _, inner := range titles.Carried {
		add(inner, "inner")
	}
	add(titles.Bare, "inner")
	return all
}

// known document of a batch: what identity and citations are held against.
type candidate struct {
	id                          int64
	number, title, region, work string
	subject                     string // where it was stored just now
	level                       policy.Level
	issuers                     []string
	issuedOn                    policy.Date
	on                          policy.Date // of issue, else of publication
}

// batch is the work on articles that are stored together. It knows the documents
// that go by any name that the articles use.
type batch struct {
	st        *Store
	tx        *sql.Tx
	now       time.Time
	articles  []*arrival
	named     map[string][]*candidate // by name
	inner     map[string]bool         // name + "\n" + id: not the document's own title
	loaded    map[string]bool         // names that were looked up
	byID      map[int64]*candidate
	fresh     []string           // names that documents got just now
	born      []*candidate       // documents that are new
	renewed   []*candidate       // those whose relatives are looked for anew
	left      []work             // whose versions are put in order without one that left
	parted    []int64            // articles whose cluster fell apart
	extends   []int64            // documents whose term others extend, or no longer do
	regrouped map[int64]bool     // clusters that were put together anew
	clusters  map[int64]int64    // as they are now, of the articles that were asked for; 0: none
	keys      map[int64]textRef  // of the articles that those of the batch are compared with
	folded    map[int64]bool     // clusters whose original is to be picked
	adopted   map[int64][]string // pages by document that took them over
	compared  *comparisons
	waiting   []bearer // memo of waitingTitles
	hasRead   bool     // waiting is there
}

func (b *batch) ids() []int64 {
	ids := make([]int64, len(b.articles))
	for i, a := range b.articles {
		ids[i] = a.ID
	}
	return ids
}

// load looks up the documents that go by these names.
func (b *batch) load(ctx context.Context, names []string) error {
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" || b.loaded[n] })
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, n := range names {
		b.loaded[n] = true
	}
	list, err := json.Marshal(names)
	if err != nil {
		return err
	}
	type found struct {
		name, kind string
		candidate
	}
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (found, error) {
		var f found
		var issuers string
		err := row.Scan(&f.name, &f.kind, &f.id, &f.number, &f.title, &f.region, &f.work, &f.level, &issuers, &f.issuedOn)
		if err != nil {
			return f, err
		}
		return f, json.Unmarshal([]byte(issuers), &f.issuers)
	}, b.st.db.Dialect().Pick(namedSQLite, namedPostgres), string(list), maxNamed)
	if err != nil {
		return fmt.Errorf("look up documents: %w", err)
	}
	for _, f := range all {
		c := b.byID[f.id]
		if c == nil {
			c = &f.candidate
			b.byID[f.id] = c
		}
		b.addName(name{f.name, f.kind}, c)
	}
	return nil
}

// maxNamed bounds the documents that are looked at for one name. So many have one
// only where a name says nothing, or somebody wants us to look at them all.
const maxNamed = 50

const (
	namedColumns = `SELECT n.name, n.kind, d.id, d.number, d.title, d.region, d.work, d.level, d.issuers, d.issued_on `
	namedSQLite  = namedColumns + `FROM json_each($1) q, json_each((SELECT json_group_array(document) FROM
			(SELECT document FROM document_names WHERE name = q.value ORDER BY document LIMIT $2))) j
		JOIN document_names n ON n.name = q.value AND n.document = j.value JOIN documents d ON d.id = n.document ORDER BY d.id`
	namedPostgres = namedColumns + `FROM jsonb_array_elements_text($1::jsonb) q (value) CROSS JOIN LATERAL
			(SELECT name, document, kind FROM document_names WHERE name = q.value ORDER BY document LIMIT $2) n JOIN documents d ON d.id = n.document ORDER BY d.id`
)

func (b *batch) addName(n name, c *candidate) {
	if !slices.Contains(b.named[n.name], c) {
		b.named[n.name] = append(b.named[n.name], c)
		if n.kind == "inner" {
			b.inner[fmt.Sprint(n.name, "\n", c.id)] = true
		}
	}
}

// identify returns the known document that an article carries; nil if it is new.
// A number is one document's within its region, unless the titles have little in
// common; without a number title, date and issuer decide.
func (b *batch) identify(a *arrival) *candidate {
	f := a.Facts
	for _, n := range policy.NumberNames(f.DocumentNumber, f.Region) {
		for _, c := range b.named[n] {
			key := policy.TitleKey(c.title)
			if key == a.titleKey || policy.RegionsCompatible(c.region, f.Region) && policy.TitlesShare(c.title, f.Title) >= 0.5 {
				return c
			}
		}
	}
	if f.IssuedOn.IsZero() || a.titleKey == "" {
		return nil
	}
	for _, c := range b.named[a.titleKey] {
		numbers := f.DocumentNumber == "" || c.number == "" || slices.Contains(policy.NumberNames(c.number, c.region), f.DocumentNumber)
		if numbers && c.issuedOn == f.IssuedOn && !b.inner[fmt.Sprint(a.titleKey, "\n", c.id)] &&
			(len(c.issuers) == 0 || len(f.Issuers) == 0 || shareOrgan(c.issuers, f.Issuers)) {
			return c
		}
	}
	return nil
}

// shareOrgan reports whether two lists of organs have one in common, be it
// written with or without its region (民政厅, 四川省民政厅).
func shareOrgan(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if strings.HasSuffix(x, y) || strings.HasSuffix(y, x) {
				return true
			}
		}
	}
	return false
}

// carry finds or makes the document of each article that is one's text.
func (b *batch) carry(ctx context.Context) error {
	var names []string
	for _, a := range b.articles {
		a.titleKey = a.title().Key // corrections may have changed it
		if a.carriesDocument() {
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
	before := make(map[int64]int64)
	if slices.ContainsFunc(b.articles, func(a *arrival) bool { return !a.isNew }) {
		if err := b.st.carried(ctx, b.tx, b.ids(), before); err != nil {
			return err
		}
	}
	redo := make(map[int64]bool)
	var nameRows, carrierRows [][]any
	for _, a := range b.articles {
		was := before[a.ID]
		if !a.carriesDocument() {
			if was != 0 {
				b.fresh = append(b.fresh, pageName(a.URL))
				if _, err := b.tx.ExecContext(ctx, `DELETE FROM carriers WHERE article = $1`, a.ID); err != nil {
					return err
				}
				redo[was] = true
			}
			continue
		}
		c := b.identify(a)
		switch {
		case c != nil:
			redo[c.id] = true
		case was != 0 && (a.Hidden || b.knowsLess(was, a) || !b.hasOthers(ctx, was, a.ID)): // it is the same text, better understood
			redo[was] = true
			if c = b.byID[was]; c == nil {
				c = &candidate{id: was} // mergeCarriers fills it
				b.byID[was] = c
			}
		default:
			var err error
			if c, err = b.newDocument(ctx, a); err != nil {
				return err
			}
		}
		if was != 0 && was != c.id {
			redo[was] = true
		}
		a.document = c.id
		for _, n := range a.names() {
			if slices.Contains(b.named[n.name], c) { // settled when it came
				continue
			}
			nameRows = append(nameRows, []any{n.name, c.id, n.kind})
			b.addName(n, c)
			b.fresh = append(b.fresh, n.name)
		}
		if page := pageName(a.URL); page != "" && !a.Hidden { // links to it may be waiting
			b.addName(name{page, "inner"}, c)
			b.fresh = append(b.fresh, page)
		}
		carrierRows = append(carrierRows, []any{a.ID, c.id, a.standing()})
	}
	if err := b.insert(ctx, insertNames, nameRows); err != nil {
		return err
	}
	if err := b.insert(ctx, insertCarriers, carrierRows); err != nil {
		return err
	}
	for _, id := range sortedKeys(redo) {
		if err := b.mergeCarriers(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys[T any](m map[int64]T) []int64 {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

var (
	insertNames = database.Insertion{
		Into: `INSERT INTO document_names (name, document, kind)`, Columns: 3, After: `ON CONFLICT DO NOTHING`,
		Postgres: `INSERT INTO document_names (name, document, kind) SELECT value ->> 0, (value ->> 1)::bigint, value ->> 2
			FROM jsonb_array_elements($1::jsonb) ON CONFLICT DO NOTHING`,
	}
	insertCarriers = database.Insertion{
		Into: `INSERT INTO carriers (article, document, standing)`, Columns: 3,
		After: `ON CONFLICT (article) DO UPDATE SET document = excluded.document, standing = excluded.standing`,
		Postgres: `INSERT INTO carriers (article, document, standing) SELECT (value ->> 0)::bigint, (value ->> 1)::bigint, (value ->> 2)::bigint
			FROM jsonb_array_elements($1::jsonb) ON CONFLICT (article) DO UPDATE SET document = excluded.document, standing = excluded.standing`,
	}
)

// knowsLess reports whether the document that an article carried has its title and
// says nothing of number or date: the only page that gave them was hidden.
func (b *batch) knowsLess(document int64, a *arrival) bool {
	c := b.byID[document]
	return c != nil && c.number == "" && c.issuedOn.IsZero() && a.titleKey != "" && policy.TitleKey(c.title) == a.titleKey &&
		(a.Facts.DocumentNumber != "" || !a.Facts.IssuedOn.IsZero())
}

func (b *batch) hasOthers(ctx context.Context, document, article int64) bool {
	var has bool
	err := b.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM carriers WHERE document = $1 AND article <> $2)`, document, article).Scan(&has)
	return err != nil || has
}

// documentKey is the identity of a document when it comes. What has neither a
// number nor a date is known by the article alone.
func documentKey(a *arrival) string {
	f := a.Facts
	switch {
	case f.DocumentNumber != "":
		return "n " + f.Region + " " + f.DocumentNumber + " " + a.titleKey
	case f.IssuedOn.IsZero() || a.titleKey == "":
		return fmt.Sprintf("a %d", a.ID)
	}
	return "t " + f.IssuedOn.String() + " " + a.titleKey + " " + strings.Join(f.Issuers, " ")
}

func (b *batch) newDocument(ctx context.Context, a *arrival) (*candidate, error) {
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
	b.born = append(b.born, c)
	return c, nil
}

// maxCarriers bounds the articles that are heard of one document, those of the best
// standing: what thousands of pages say of it, the first hundred do.
const maxCarriers = 100

// mergeCarriers sets what a document is from the articles that carry it and are
// shown, or from all while none is: for each fact the article of the best standing
// that has it counts, so that the order in which they came does not. A document
// that nothing carries any more goes.
func (b *batch) mergeCarriers(ctx context.Context, id int64) error {
	type carrier struct {
		arrival
		rank int
	}
	all, err := database.Collect(ctx, b.tx, func(row database.Row) (carrier, error) {
		var c carrier
		var facts string
		if err := row.Scan(&c.ID, &c.URL, &c.Hidden, &facts, &c.rank); err != nil {
			return c, err
		}
		return c, json.Unmarshal([]byte(facts), &c.Facts)
	}, `SELECT a.id, a.url, a.hidden = 1, a.facts, c.standing FROM
		(SELECT article, standing FROM carriers WHERE document = $1 ORDER BY standing, article LIMIT $2) c JOIN articles a ON a.id = c.article
		ORDER BY a.hidden, c.standing, COALESCE(a.published_on, '9999'), a.id`, id, maxCarriers)
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
	if first := all[0]; !first.Hidden { // what an admin hid says nothing while another page is shown
		shown = sql.Null[int64]{V: first.ID, Valid: true}
		all = slices.DeleteFunc(all, func(c carrier) bool { return c.Hidden })
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
	isOther := was.region != f.Region || number != f.DocumentNumber || hosts != string(issuers) || on != f.IssuedOn // to whom names it
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
	if before != subject && !slices.Contains(b.born, c) { // others may implement it now, or no longer
		if err := b.dropEdges(ctx, id); err != nil {
			return err
		}
	}
	if (before != subject || c.work != "") && !slices.Contains(b.born, c) {
		b.renewed = append(b.renewed, c)
	}
	have, err := database.Collect(ctx, b.tx, database.ScanOne[string], `SELECT name FROM document_names WHERE document = $1`, id)
	if err != nil {
		return err
	}
	for _, n := range have {
		if names[n] == "" { // it was misread, or corrected by hand
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

// dropEdges drops the relations to a document that nothing but its title drew.
func (b *batch) dropEdges(ctx context.Context, document int64) error {
	_, err := b.tx.ExecContext(ctx, `DELETE FROM relations WHERE target = $1 AND said_in = 'subject'`, document)
	return err
}
