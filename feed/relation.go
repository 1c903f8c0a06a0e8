package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/policy"
)

// Kinds of relation beside those of policy.
const (
	RelationPromises = "即将出台" // announced, no document yet
	RelationCites    = ""     // only named
)

// CitesName is what pages and the API call RelationCites.
const CitesName = "提到"

// Relation is what one text does with a document that it names: it points from
// the newer to the older.
type Relation struct {
	ID            int64
	Article       int64  // that says so
	Document      int64  // that the article carries; 0: none
	Kind          string // a constant of policy, RelationPromises or RelationCites
	Target        int64  // the document meant; 0 until it is here
	TargetNumber  string
	TargetTitle   string
	TargetIssuers []string
	SaidIn        string // title, text, or subject: the titles speak of one matter
	Quote         string // the sentence that says so
	Since         time.Time
	GoneAt        time.Time // when the text no longer said so; zero: it does
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

// dest returns where relationColumns are scanned to, and what reads them after.
func (r *Relation) dest() (dest []any, finish func() error) {
	var issuers string
	var gone sql.Null[time.Time]
	return []any{&r.ID, &r.Article, &r.Document, &r.Kind, &r.Target, &r.TargetNumber, &r.targetName,
			&r.TargetTitle, &issuers, &r.targetHead, &r.SaidIn, &r.Quote, &r.Since, &gone}, func() error {
			r.GoneAt = gone.V
			return json.Unmarshal([]byte(issuers), &r.TargetIssuers)
		}
}

// Relations returns what an article, or the document that it carries, does with
// others.
func (st *Store) Relations(ctx context.Context, article int64) ([]Relation, error) {
	all, err := st.queryRelations(ctx, `SELECT `+relationColumns+` FROM relations r WHERE r.article = $1 AND r.gone_at IS NULL`+knownPage+` ORDER BY r.id`, article)
	return once(all, func(r Relation) string { // by its title and by a link it is one
		if r.Target != 0 {
			return fmt.Sprint(r.Kind, "\n", r.Target)
		}
		return fmt.Sprint(r.Kind, "\n", r.TargetNumber, "\n", r.targetName)
	}), err
}

// knownPage leaves out links to pages that are not here.
const knownPage = ` AND (r.target IS NOT NULL OR r.target_name NOT LIKE 'url:%')`

// RelationsFrom returns what a document does with others, each once however many
// articles carry it: those of an article that is hidden are left out.
func (st *Store) RelationsFrom(ctx context.Context, document int64) ([]Relation, error) {
	all, err := st.queryRelations(ctx, `SELECT `+relationColumns+` FROM relations r JOIN carriers c ON c.article = r.article
		JOIN articles a ON a.id = r.article WHERE r.document = $1 AND r.gone_at IS NULL AND a.hidden = 0`+knownPage+` ORDER BY c.standing, r.id LIMIT 2000`, document)
	return once(all, func(r Relation) string { return fmt.Sprint(r.Kind, "\n", r.TargetNumber, "\n", r.targetName) }), err
}

// RelationsTo returns what others do with a document, each once: those of an
// article that is hidden are left out.
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

// once keeps the first of those that have one key.
func once[T any, K comparable](all []T, key func(T) K) []T {
	seen := make(map[K]bool, len(all))
	return slices.DeleteFunc(all, func(v T) bool {
		k := key(v)
		was := seen[k]
		seen[k] = true
		return was
	})
}

// Interpretations returns the ids of the articles that explain a document, the
// oldest first.
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

// TargetsOf returns, by article, what these articles do with documents that have
// a page here; those that only name one are left out.
func (st *Store) TargetsOf(ctx context.Context, articles []int64) (map[int64][]Relation, error) {
	list, err := json.Marshal(orEmpty(articles))
	if err != nil {
		return nil, err
	}
	found := make(map[int64][]Relation)
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		all, err := database.Collect(ctx, tx, scanRelation, `SELECT `+relationColumns+` FROM relations r JOIN documents d ON d.id = r.target
			WHERE r.article IN (`+st.db.Dialect().IDs("$1")+`) AND r.kind <> '' AND d.article IS NOT NULL AND r.gone_at IS NULL ORDER BY r.id`, string(list))
		// What an interpretation's title and its link say of one document is one.
		for _, r := range once(all, func(r Relation) string { return fmt.Sprint(r.Article, " ", r.Kind, " ", r.Target) }) {
			found[r.Article] = append(found[r.Article], r)
		}
		return err
	})
	return found, err
}

// maxQuote bounds a quoted sentence, in characters.
const maxQuote = 200

// relations returns what the article's text says of other documents.
func (a *arrival) relations() []Relation {
	if a.said != nil {
		return a.said
	}
	all := []Relation{}
	for _, c := range a.Facts.Citations {
		r := Relation{
			Article: a.ID, Kind: c.Relation, TargetNumber: c.Number, TargetTitle: c.Title, TargetIssuers: c.Issuers,
			targetName: policy.TitleKey(c.Title),
		}
		if c.Status == policy.StatusPromised {
			r.Kind = RelationPromises
			r.targetHead = head(promisedSubject(c.Title))
		}
		own := r.TargetNumber != "" && r.TargetNumber == a.Facts.DocumentNumber || r.TargetNumber == "" && r.targetName == a.titleKey
		if own || r.TargetNumber == "" && r.targetName == "" ||
			slices.ContainsFunc(all, func(x Relation) bool {
				return x.Kind == r.Kind && x.TargetNumber == r.TargetNumber && x.targetName == r.targetName
			}) {
			continue
		}
		r.SaidIn, r.Quote = a.quote(c)
		all = append(all, r)
	}
	for _, l := range a.Facts.Originals {
		if name := pageName(l.URL); name != "" && name != pageName(a.URL) {
			all = append(all, Relation{Article: a.ID, Kind: policy.RelationInterprets, targetName: name, TargetTitle: l.Text, SaidIn: "text", Quote: l.Text})
		}
	}
	a.said = once(all, func(r Relation) string { return fmt.Sprint(r.Kind, "\n", r.TargetNumber, "\n", r.targetName) })
	return a.said
}

// quote finds the sentence that names a document.
func (a *arrival) quote(c policy.Citation) (saidIn, sentence string) {
	for _, what := range []string{c.Title, c.Number} {
		if what == "" {
			continue
		}
		if strings.Contains(a.Facts.Title, what) {
			return "title", a.Facts.Title
		}
		for _, p := range a.Facts.Paragraphs {
			at := strings.Index(p, what)
			if at < 0 {
				continue
			}
			from, to := strings.LastIndex(p[:at], "。"), len(p)
			if from >= 0 {
				from += len("。")
			}
			if i := strings.Index(p[at:], "。"); i >= 0 {
				to = at + i + len("。")
			}
			return "text", cutRunes(p[max(from, 0):to], at-max(from, 0))
		}
	}
	return "text", ""
}

// cutRunes returns s, or about maxQuote characters of it around a byte offset.
func cutRunes(s string, at int) string {
	runes := []rune(s)
	if len(runes) <= maxQuote {
		return s
	}
	middle := len([]rune(s[:at]))
	from := max(0, min(middle-maxQuote/3, len(runes)-maxQuote))
	cut := string(runes[from : from+maxQuote])
	if from > 0 {
		cut = "…" + cut
	}
	if from+maxQuote < len(runes) {
		cut += "…"
	}
	return cut
}

// citing is a relation with what is known of the text that says so.
type citing struct {
	Relation
	region   string
	on       policy.Date
	titleKey string
	hidden   bool
}

func (a *arrival) citing(r Relation) citing {
	on := a.Facts.IssuedOn
	if on.IsZero() {
		on = a.Facts.PublishedOn
	}
	return citing{Relation: r, region: a.Facts.Region, on: on, titleKey: a.titleKey, hidden: a.Hidden}
}

// resolve returns the known document that a text means; nil where none is known
// or several may be meant. It depends on nothing but the documents and the text,
// so that the order of their arrival does not matter.
func (b *batch) resolve(r citing) *candidate {
	var found []*candidate
	if r.TargetNumber != "" {
		for _, c := range b.named[r.TargetNumber] {
			if c.id != r.Document && !(len(r.TargetIssuers) > 0 && len(c.issuers) > 0 && len(b.named[r.TargetNumber]) > 1 && !shareOrgan(c.issuers, r.TargetIssuers)) {
				found = append(found, c)
			}
		}
		found = nearest(found, r.region)
	}
	if len(found) == 0 && r.targetName != "" {
		for _, c := range b.named[r.targetName] {
			switch {
			case c.id == r.Document,
				r.TargetNumber != "" && c.number != "" && !slices.Contains(policy.NumberNames(c.number, c.region), r.TargetNumber),
				len(r.TargetIssuers) > 0 && len(c.issuers) > 0 && !shareOrgan(c.issuers, r.TargetIssuers),
				!strings.HasPrefix(r.region, c.region) && !strings.HasPrefix(c.region, r.region),
				r.Kind != RelationPromises && !r.on.IsZero() && !c.issuedOn.IsZero() && r.on.Before(c.issuedOn),
				r.Kind == RelationPromises && !r.on.IsZero() && (c.issuedOn.IsZero() || c.issuedOn.Before(r.on)):
			default:
				found = append(found, c)
			}
		}
		found = nearest(found, r.region)
	}
	if len(found) == 0 {
		return nil
	}
	if len(found) > 1 { // versions: the one that held when it was said
		for _, c := range found[1:] {
			if c.work == "" || c.work != found[0].work {
				return nil
			}
		}
		slices.SortFunc(found, func(x, y *candidate) int {
			if c := y.issuedOn.Compare(x.issuedOn); c != 0 {
				return c
			}
			return int(x.id - y.id)
		})
	}
	return found[0]
}

// nearest keeps, of documents of several governments, those of the region that
// the text is from, then of the region above it.
func nearest(all []*candidate, region string) []*candidate {
	if len(all) < 2 {
		return all
	}
	for n := len(region); n >= 0; n -= 2 {
		var near []*candidate
		for _, c := range all {
			if c.region == region[:n] {
				near = append(near, c)
			}
		}
		if len(near) > 0 {
			return near
		}
	}
	return all
}

// relate stores what the articles say of other documents, and settles what
// earlier articles said of those that have just come.
func (b *batch) relate(ctx context.Context) error {
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
		return fmt.Errorf("settle relations: %w", err)
	}
	resolved = append(resolved, settled...)
	bySubject, err := b.relateSubjects(ctx)
	if err != nil {
		return fmt.Errorf("relate subjects: %w", err)
	}
	return b.announce(ctx, append(resolved, bySubject...), touched)
}

var (
	insertRelations = database.Insertion{Into: relationInto, Columns: 12, After: relationAgain, Postgres: relationRows + ` ` + relationAgain}
	// Edges are not stored over what the text itself says.
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

// endRelations ends what known articles no longer say.
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

// settle resolves what earlier articles said of documents whose names have just
// become known, or changed. It returns what is resolved now.
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

// settlePage settles relations to documents with these names, a JSON array: those
// that are behind the relation after. It returns the last of them, or 0 if there
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
