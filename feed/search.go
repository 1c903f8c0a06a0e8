package feed

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dibao/internal/database"
)

// SearchQuery is what a reader types, and which page of the answer is wanted.
// Words are all required; "…" holds words together; -word excludes; OR stands
// between alternatives; fields are issuer: theme: region: kind: type: source:
// number: year: after: before: (docs/search.md).
type SearchQuery struct {
	Text   string
	Limit  int // 0 is 20; at most 200
	Offset int // at most MaxOffset
	Facets bool
}

// MaxOffset is how deep an answer can be paged.
const MaxOffset = 1000

// Results is a page of an answer: titles before numbers before texts, and the
// newest first within each.
type Results struct {
	Hits     []Hit
	Total    int
	AtLeast  bool // there are more than Total, or a few less
	Facets   Facets
	Problems []string // parts of the query that were not understood
}

// Hit is one article that was found; its text comes along.
type Hit struct {
	Article Article
	Where   string // number, title, head (number or issuer in part), text
	Title   []Span
	Snippet []Span
}

// Span is a piece of text, marked where it is what was looked for.
type Span struct {
	Text string `json:"text"`
	Hit  bool   `json:"hit,omitempty"`
}

// Facets counts the newest of what was found, at most FacetSample of it.
type Facets struct {
	Kinds, Themes, Regions, Issuers, Years []FacetCount
	Sampled                                bool // more were found than counted
}

// FacetCount is a value and how many have it.
type FacetCount struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

const (
	// FacetSample is how many of the newest articles are counted by facet.
	FacetSample = 1000
	// countedUpTo is where an answer stops counting, for a query of one token; for
	// one of several sooner.
	countedUpTo = 10_000
	// verifiedWhole is up to how many articles are all looked at, so that the
	// total is exact though the index knows pairs of characters only.
	verifiedWhole = 60
	searchPage    = 40  // candidates that are looked at together
	maxVerified   = 400 // candidates whose text is looked at for one answer
)

// Search answers a query. Nothing asked for is nothing found.
func (st *Store) Search(ctx context.Context, sq SearchQuery) (Results, error) {
	q := parseQuery(sq.Text)
	out := Results{Problems: q.problems}
	if sq.Limit <= 0 {
		sq.Limit = 20
	}
	sq.Limit, sq.Offset = min(sq.Limit, 200), min(max(sq.Offset, 0), MaxOffset)
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		s := searching{st: st, tx: tx, q: q, m: st.matcher(), need: sq.Offset + sq.Limit, seen: make(map[int64]bool)}
		return s.run(ctx, sq, &out)
	})
	if err != nil {
		return Results{}, fmt.Errorf("search %q: %w", sq.Text, err)
	}
	return out, nil
}

// found is an article on its way into the answer.
type found struct {
	key, article int64
	class        int
}

// The classes of an answer, the best first.
const (
	classNumber = iota // it is the document of that number
	classExact         // its title is what was asked for
	classTitle
	classHead
	classText
)

type searching struct {
	st   *Store
	tx   *sql.Tx
	q    parsedQuery
	m    matcher
	need int
	seen map[int64]bool
	got  []found
}

func (s *searching) run(ctx context.Context, sq SearchQuery, out *Results) error {
	if err := s.resolveSources(ctx); err != nil {
		return err
	}
	all := s.m.query(s.q, inAll)
	if all == "" {
		return nil
	}
	if s.st.db.Dialect() == database.Postgres {
		// A plan made for any word would be bad for common ones.
		if _, err := s.tx.ExecContext(ctx, `SET LOCAL plan_cache_mode = force_custom_plan`); err != nil {
			return err
		}
	}
	var err error
	counted := false
	if sq.Facets {
		if out.Facets, out.Total, err = s.facets(ctx, all); err != nil {
			return err
		}
		counted = !out.Facets.Sampled
	}
	upTo := countedUpTo / s.q.size()
	if s.q.size() >= manyTokens {
		upTo = FacetSample
		counted = counted || sq.Facets
	}
	if !counted {
		if out.Total, err = s.count(ctx, all, upTo); err != nil {
			return err
		}
	}
	if out.Total == 0 {
		return nil
	}
	whole := !s.q.isExact() && out.Total <= verifiedWhole
	if whole {
		s.need = max(s.need, verifiedWhole)
	}
	if err := s.findNumbers(ctx); err != nil {
		return err
	}
	if err := s.findHeads(ctx); err != nil {
		return err
	}
	exhausted := false
	if len(s.got) < s.need {
		if exhausted, err = s.findTexts(ctx, all); err != nil {
			return err
		}
	}
	switch {
	case exhausted:
		out.Total = len(s.got)
	case out.Total > upTo || sq.Facets && counted && out.Facets.Sampled:
		out.Total, out.AtLeast = min(out.Total, upTo), true
	case !s.q.isExact():
		out.AtLeast = true
	}
	page := s.got[min(sq.Offset, len(s.got)):min(sq.Offset+sq.Limit, len(s.got))]
	out.Hits, err = s.load(ctx, page)
	return err
}

// resolveSources turns names of sources into their ids.
func (s *searching) resolveSources(ctx context.Context) error {
	for _, filters := range [][]filter{s.q.filters, s.q.excluded} {
		for i, f := range filters {
			if f.mark != markSource {
				continue
			}
			ids := []string{"0"}
			for _, v := range f.values {
				if _, err := strconv.ParseInt(v, 10, 64); err == nil {
					ids = append(ids, v)
					continue
				}
				more, err := database.Collect(ctx, s.tx, database.ScanOne[string],
					`SELECT CAST(id AS TEXT) FROM sources WHERE name LIKE '%' || $1 || '%' ORDER BY id LIMIT 50`, likeWord(v))
				if err != nil {
					return err
				}
				ids = append(ids, more...)
			}
			filters[i].values = ids
		}
	}
	return nil
}

// keys returns the keys between which the days that were asked for lie.
func (s *searching) keys() (from, to int64) {
	from, to = 0, beforeAll
	if !s.q.after.IsZero() {
		from = searchKey(s.q.after, 0)
	}
	if !s.q.before.IsZero() {
		to = searchKey(s.q.before.AddDays(1), 0)
	}
	return from, to
}

const (
	countSQLite   = `SELECT COUNT(*) FROM (SELECT 1 FROM article_search WHERE article_search MATCH $1 AND rowid >= $2 AND rowid < $3 LIMIT $4)`
	countPostgres = `SELECT COUNT(*) FROM (SELECT 1 FROM article_search WHERE body @@ $1::tsquery AND key >= $2 AND key < $3 LIMIT $4) x`

	newestSQLite = `SELECT k.key, k.article FROM article_search s JOIN search_keys k ON k.key = s.rowid
		WHERE article_search MATCH $1 AND s.rowid >= $2 AND s.rowid < $3 ORDER BY s.rowid DESC LIMIT $4`
	newestHeadPG = `SELECT k.key, k.article FROM article_search s JOIN search_keys k ON k.key = s.key
		WHERE s.head @@ $1::tsquery AND s.key >= $2 AND s.key < $3 ORDER BY s.key DESC LIMIT $4`
	newestBodyPG = `SELECT k.key, k.article FROM article_search s JOIN search_keys k ON k.key = s.key
		WHERE s.body @@ $1::tsquery AND s.key >= $2 AND s.key < $3 ORDER BY s.key DESC LIMIT $4`

	headTexts  = `SELECT id, title, document_number, issuers, '', '[]' FROM articles WHERE id IN `
	wholeTexts = `SELECT id, title, document_number, issuers, summary || ' ' || facts, paragraphs FROM articles WHERE id IN `

	facetsSQLite = `SELECT facets, COUNT(*) FROM (SELECT k.facets FROM article_search s JOIN search_keys k ON k.key = s.rowid
		WHERE article_search MATCH $1 AND s.rowid >= $2 AND s.rowid < $3 ORDER BY s.rowid DESC LIMIT $4) GROUP BY facets`
	facetsPostgres = `SELECT facets, COUNT(*) FROM (SELECT k.facets FROM article_search s JOIN search_keys k ON k.key = s.key
		WHERE s.body @@ $1::tsquery AND s.key >= $2 AND s.key < $3 ORDER BY s.key DESC LIMIT $4) x GROUP BY facets`
)

// count counts what a query finds, but not further than one above upTo.
func (s *searching) count(ctx context.Context, query string, upTo int) (n int, err error) {
	from, to := s.keys()
	err = s.tx.QueryRowContext(ctx, s.st.db.Dialect().Pick(countSQLite, countPostgres), query, from, to, upTo+1).Scan(&n)
	return n, err
}

// newest returns the newest articles of a query before a key.
func (s *searching) newest(ctx context.Context, sql, query string, before int64, limit int) ([]found, error) {
	from, to := s.keys()
	return database.Collect(ctx, s.tx, func(row database.Row) (found, error) {
		var f found
		err := row.Scan(&f.key, &f.article)
		return f, err
	}, sql, query, from, min(before, to), limit)
}

const beforeAll = int64(1) << 62

func (s *searching) take(f found, class int) {
	if !s.seen[f.article] {
		s.seen[f.article] = true
		f.class = class
		s.got = append(s.got, f)
	}
}

// findNumbers finds the documents of the numbers that were asked for.
func (s *searching) findNumbers(ctx context.Context) error {
	numbers := s.q.numbers()
	if len(numbers) == 0 {
		return nil
	}
	own := s.q
	own.clauses = nil
	own.filters = append(slices.Clone(own.filters), filter{mark: markNumber, values: numbers})
	all, err := s.newest(ctx, s.st.db.Dialect().Pick(newestSQLite, newestHeadPG), s.m.query(own, inHead), beforeAll, s.need)
	for _, f := range all {
		s.take(f, classNumber)
	}
	return err
}

// findHeads finds what has all of it in title, number and issuers.
func (s *searching) findHeads(ctx context.Context) error {
	positive := slices.ContainsFunc(s.q.clauses, func(c clause) bool { return !c.exclude })
	if !positive { // fields alone: the day is all that orders
		return nil
	}
	// What must not stand anywhere, only the whole text can tell.
	query, whole := headTexts, slices.ContainsFunc(s.q.clauses, func(c clause) bool { return c.exclude && !c.isExact() })
	if whole {
		query = wholeTexts
	}
	all, err := s.newest(ctx, s.st.db.Dialect().Pick(newestSQLite, newestHeadPG), s.m.query(s.q, inHead), beforeAll, s.need+searchPage)
	if err != nil || len(all) == 0 {
		return err
	}
	heads, err := s.texts(ctx, all, query)
	if err != nil {
		return err
	}
	start := len(s.got)
	for _, f := range all {
		t := heads[f.article]
		switch {
		case whole && !s.holds(t.all()):
		case t.title != "" && s.holds(t.title):
			class := classTitle
			if s.isTitle(t.title) {
				class = classExact
			}
			s.take(f, class)
		case s.holds(t.head()):
			s.take(f, classHead)
		}
	}
	slices.SortStableFunc(s.got[start:], func(a, b found) int { return cmp.Compare(a.class, b.class) })
	return nil
}

// isTitle reports whether a title is nothing but what was asked for.
func (s *searching) isTitle(title string) bool {
	if len(s.q.clauses) != 1 || len(s.q.clauses[0].any) != 1 {
		return false
	}
	return strings.Join(s.q.clauses[0].any[0].pieces, "") == plainTitle(title)
}

func plainTitle(s string) string {
	return strings.Map(func(r rune) rune {
		if isHan(r) || isWord(r) {
			return r
		}
		return -1
	}, s)
}

// findTexts finds the rest, the newest first. It reports whether it got through
// all there are.
func (s *searching) findTexts(ctx context.Context, query string) (exhausted bool, err error) {
	exact := s.q.isExact()
	for before, looked := beforeAll, 0; ; {
		size := searchPage
		if exact {
			size = s.need - len(s.got) + len(s.seen)
		}
		all, err := s.newest(ctx, s.st.db.Dialect().Pick(newestSQLite, newestBodyPG), query, before, size)
		if err != nil {
			return false, err
		}
		fresh := slices.DeleteFunc(slices.Clone(all), func(f found) bool { return s.seen[f.article] })
		var texts map[int64]searchText
		if !exact && len(fresh) > 0 {
			if texts, err = s.texts(ctx, fresh, wholeTexts); err != nil {
				return false, err
			}
		}
		for _, f := range fresh {
			if exact || s.holds(texts[f.article].all()) {
				s.take(f, classText)
			}
		}
		looked += len(all)
		switch {
		case len(all) < size:
			return true, nil
		case len(s.got) >= s.need || looked >= maxVerified:
			return false, nil
		}
		before = all[len(all)-1].key
	}
}

// searchText is what is looked through of an article, folded.
type searchText struct{ title, number, issuers, summary, paragraphs string }

func (t searchText) head() string { return t.title + "\n" + t.number + "\n" + t.issuers }
func (t searchText) all() string  { return t.head() + "\n" + t.summary + "\n" + t.paragraphs }

// texts reads what is looked through. Lists stay JSON: what stands between their
// quotation marks is the text, and no word holds one.
func (s *searching) texts(ctx context.Context, all []found, query string) (map[int64]searchText, error) {
	ids := make([]int64, len(all))
	for i, f := range all {
		ids[i] = f.article
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	texts := make(map[int64]searchText, len(all))
	rows, err := s.tx.QueryContext(ctx, query+`(`+s.st.db.Dialect().IDs("$1")+`)`, string(list))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var t searchText
		if err := rows.Scan(&id, &t.title, &t.number, &t.issuers, &t.summary, &t.paragraphs); err != nil {
			return nil, err
		}
		t.title, t.number, t.issuers = foldText(t.title), foldText(t.number), foldText(t.issuers)
		t.summary, t.paragraphs = foldText(t.summary), foldText(t.paragraphs)
		texts[id] = t
	}
	return texts, rows.Err()
}

// holds reports whether a folded text satisfies every clause.
func (s *searching) holds(text string) bool {
	for _, c := range s.q.clauses {
		if !c.holds(text) {
			return false
		}
	}
	return true
}

// load reads the articles of a page and marks in them what was looked for.
func (s *searching) load(ctx context.Context, page []found) ([]Hit, error) {
	ids := make([]int64, len(page))
	for i, f := range page {
		ids[i] = f.article
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	all, err := database.Collect(ctx, s.tx, scanFullArticle, `SELECT `+articleColumns+`, '', a.paragraphs, '{}'
		FROM articles a JOIN sources s ON s.id = a.source WHERE a.id IN (`+s.st.db.Dialect().IDs("$1")+`)`, string(list))
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]Article, len(all))
	for _, a := range all {
		byID[a.ID] = a
	}
	hits := make([]Hit, 0, len(page))
	for _, f := range page {
		a, ok := byID[f.article]
		if !ok {
			continue
		}
		hits = append(hits, Hit{Article: a, Where: [...]string{"number", "title", "title", "head", "text"}[f.class],
			Title: s.q.mark(a.Title()), Snippet: s.q.snippet(a)})
	}
	return hits, nil
}

// facets counts the newest of what was found, and how many it counted.
func (s *searching) facets(ctx context.Context, query string) (f Facets, total int, err error) {
	from, to := s.keys()
	rows, err := s.tx.QueryContext(ctx, s.st.db.Dialect().Pick(facetsSQLite, facetsPostgres), query, from, to, FacetSample)
	if err != nil {
		return f, 0, err
	}
	defer rows.Close()
	counts := [5]map[string]int{}
	for i := range counts {
		counts[i] = make(map[string]int)
	}
	for rows.Next() {
		var packed string
		var n int
		if err := rows.Scan(&packed, &n); err != nil {
			return f, 0, err
		}
		total += n
		for i, v := range strings.SplitN(packed, "\n", len(counts)) {
			if v != "" {
				counts[i][v] += n
			}
		}
	}
	regions := make(map[string]int)
	for code, n := range counts[2] { // by province: a city of it counts for it
		regions[code[:min(2, len(code))]] += n
	}
	return Facets{Kinds: ranked(counts[0]), Themes: ranked(counts[1]), Regions: ranked(regions), Issuers: ranked(counts[3]), Years: ranked(counts[4]),
		Sampled: total == FacetSample}, total, rows.Err()
}

// maxFacet is how many values of a facet are told.
const maxFacet = 20

func ranked(counts map[string]int) []FacetCount {
	all := make([]FacetCount, 0, len(counts))
	for v, n := range counts {
		all = append(all, FacetCount{v, n})
	}
	slices.SortFunc(all, func(a, b FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	return all[:min(len(all), maxFacet)]
}
