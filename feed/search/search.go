package search

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
	"dibao/policy/fold"
)

// Query is a reader's query, and which page of the results to return. All words are
// required; "…" keeps words together; -word excludes; OR separates alternatives; fields are
// issuer: theme: region: kind: type: source: number: year: after: before: (docs/search.md).
type Query struct {
	Text   string
	Limit  int // 0 means 20; at most 200
	Offset int // at most MaxOffset
	Facets bool
}

// MaxOffset is the maximum offset of a page of results.
const MaxOffset = 1000

const (
	// FacetSample is the maximum number of newest results that are counted, by facet and in
	// total: beyond it, the total is shown as "1000 or more".
	FacetSample = 1000
	// verifiedWhole is the maximum number of results of which every text is
	// checked, so that the total is exact, although the index contains only
	// pairs of characters.
	verifiedWhole = 60
	searchPage    = 20  // candidates that are examined together
	maxVerified   = 400 // candidates whose text is examined for one query
)

// Search answers a query. An empty query has no results.
func (ix *Index) Search(ctx context.Context, sq Query, read Reader) (Answer, error) {
	q := parseQuery(sq.Text)
	out := Answer{Problems: q.problems}
	if sq.Limit <= 0 {
		sq.Limit = 20
	}
	sq.Limit, sq.Offset = min(sq.Limit, 200), min(max(sq.Offset, 0), MaxOffset)
	err := ix.db.Read(ctx, func(tx *sql.Tx) (err error) {
		s := searching{ix: ix, tx: tx, q: q, m: ix.matcher(), read: read, need: sq.Offset + sq.Limit, seen: make(map[int64]bool)}
		if err := s.run(ctx, sq, &out); err != nil || out.Total > 0 || len(q.problems) > 0 {
			return err
		}
		out.Problems, err = s.absent(ctx)
		return err
	})
	if err != nil {
		return Answer{}, fmt.Errorf("search %q: %w", sq.Text, err)
	}
	return out, nil
}

// found is an article that may be in the results.
type found struct {
	key, article int64
	class        int
}

// The classes of results, best first.
const (
	classNumber = iota // the document with that number
	classExact         // the title is exactly the query
	classTitle
	classHead
	classText
)

type searching struct {
	ix   *Index
	tx   *sql.Tx
	q    parsedQuery
	m    matcher
	need int
	read Reader
	seen map[int64]bool
	got  []found

	newest []surveyed // newest results: FacetSample of them, or all that are needed
	all    bool       // newest contains all results
}

// surveyed is one of the newest results of a query.
type surveyed struct {
	found
	facets string
}

func (s *searching) run(ctx context.Context, sq Query, out *Answer) error {
	if err := s.resolveSources(ctx); err != nil {
		return err
	}
	all := s.m.query(s.q, inAll)
	if all == "" {
		return nil
	}
	if err := s.plan(ctx); err != nil {
		return err
	}
	if err := s.survey(ctx, all); err != nil || len(s.newest) == 0 {
		return err
	}
	if sq.Facets {
		out.Facets = s.facets()
	}
	if !s.q.isExact() && s.all && len(s.newest) <= verifiedWhole {
		s.need = max(s.need, verifiedWhole)
	}
	if err := s.findNumbers(ctx); err != nil {
		return err
	}
	if err := s.findHeads(ctx); err != nil {
		return err
	}
	exhausted := false
	var err error
	if len(s.got) < s.need {
		if exhausted, err = s.findTexts(ctx); err != nil {
			return err
		}
	}
	switch {
	case exhausted:
		out.Total = len(s.got)
	case s.all:
		out.Total, out.AtLeast = len(s.newest), !s.q.isExact()
	default:
		out.Total, out.AtLeast = len(s.newest)-1, true
	}
	page := s.got[min(sq.Offset, len(s.got)):min(sq.Offset+sq.Limit, len(s.got))]
	out.Hits, err = s.load(ctx, page)
	return err
}

// absent returns the conditions of a query without results that no article meets.
func (s *searching) absent(ctx context.Context) (problems []Problem, err error) {
	alone := *s
	alone.q = parsedQuery{}
	for _, f := range s.q.filters {
		any, err := alone.find(ctx, inAll, s.m.filter(f), 1)
		if err != nil {
			return nil, err
		}
		if len(any) == 0 {
			f.given.Absent = true
			problems = append(problems, f.given)
		}
	}
	return problems, nil
}

// resolveSources replaces names of sources by their ids.
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
					`SELECT CAST(id AS TEXT) FROM sources WHERE name LIKE '%' || $1 || '%' ORDER BY id LIMIT 50`, strings.NewReplacer("%", "", "_", "").Replace(v))
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

// keys returns the range of keys for the days of the query.
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
	headTexts  = `SELECT id, title, document_number, issuers, '', '[]' FROM articles WHERE id IN `
	wholeTexts = `SELECT id, title, document_number, issuers, summary || ' ' || facts, paragraphs FROM articles WHERE id IN `
)

// survey finds the newest results of a query, for counts, facets and texts.
func (s *searching) survey(ctx context.Context, query string) (err error) {
	limit := max(FacetSample, 2*s.need) + 1 // matches in titles come first and may be among them
	s.newest, err = s.find(ctx, inAll, query, limit)
	s.all = len(s.newest) < limit
	return err
}

// heads returns the newest articles whose heads match a query.
func (s *searching) heads(ctx context.Context, query string, limit int) ([]found, error) {
	all, err := s.find(ctx, inHead, query, limit)
	heads := make([]found, len(all))
	for i, f := range all {
		heads[i] = f.found
	}
	return heads, err
}

const beforeAll = int64(1) << 62

func (s *searching) take(f found, class int) {
	if !s.seen[f.article] {
		s.seen[f.article] = true
		f.class = class
		s.got = append(s.got, f)
	}
}

// findNumbers finds the documents with the numbers in the query.
func (s *searching) findNumbers(ctx context.Context) error {
	numbers := s.q.numbers()
	if len(numbers) == 0 {
		return nil
	}
	own := s.q
	own.clauses = nil
	own.filters = append(slices.Clone(own.filters), filter{mark: markNumber, values: numbers})
	all, err := s.heads(ctx, s.m.query(own, inHead), s.need)
	for _, f := range all {
		s.take(f, classNumber)
	}
	return err
}

// findHeads finds articles that match the whole query in title, number and issuers.
func (s *searching) findHeads(ctx context.Context) error {
	positive := slices.ContainsFunc(s.q.clauses, func(c clause) bool { return !c.exclude })
	if !positive { // only fields: the order depends on the day alone
		return nil
	}
	// Only the whole text can show that a word does not occur.
	query, whole := headTexts, slices.ContainsFunc(s.q.clauses, func(c clause) bool { return c.exclude && !c.isExact() })
	if whole {
		query = wholeTexts
	}
	all, err := s.heads(ctx, s.m.query(s.q, inHead), s.need+searchPage)
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

// isTitle reports whether a title is exactly the query.
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

// findTexts finds the other matches, newest first. It reports whether it covered all of
// them.
func (s *searching) findTexts(ctx context.Context) (exhausted bool, err error) {
	if s.q.isExact() {
		for _, f := range s.newest {
			if len(s.got) >= s.need {
				return false, nil
			}
			s.take(f.found, classText)
		}
		return s.all, nil
	}
	looked := 0
	for page := range slices.Chunk(s.newest, searchPage) {
		if len(s.got) >= s.need || looked >= maxVerified {
			return false, nil
		}
		looked += len(page)
		var fresh []found
		for _, f := range page {
			if !s.seen[f.article] {
				fresh = append(fresh, f.found)
			}
		}
		if len(fresh) == 0 {
			continue
		}
		texts, err := s.texts(ctx, fresh, wholeTexts)
		if err != nil {
			return false, err
		}
		for _, f := range fresh {
			if s.holds(texts[f.article].all()) {
				s.take(f, classText)
			}
		}
	}
	return s.all, nil
}

// searchText is the folded text of an article that is searched.
type searchText struct{ title, number, issuers, summary, paragraphs string }

func (t searchText) head() string { return t.title + "\n" + t.number + "\n" + t.issuers }
func (t searchText) all() string  { return t.head() + "\n" + t.summary + "\n" + t.paragraphs }

// texts reads the texts to search. Lists stay JSON: the texts are between quotation marks,
// which search words never contain.
func (s *searching) texts(ctx context.Context, all []found, query string) (map[int64]searchText, error) {
	ids := make([]int64, len(all))
	for i, f := range all {
		ids[i] = f.article
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return database.CollectMap(ctx, s.tx, func(r database.Row) (id int64, t searchText, err error) {
		err = r.Scan(&id, &t.title, &t.number, &t.issuers, &t.summary, &t.paragraphs)
		t.title, t.number, t.issuers = fold.Text(t.title), fold.Text(t.number), fold.Text(t.issuers)
		t.summary, t.paragraphs = fold.Text(t.summary), fold.Text(t.paragraphs)
		return id, t, err
	}, query+`(`+s.ix.db.Dialect().IDs("$1")+`)`, string(list))
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

// load reads the articles of a page and marks the matches in them.
func (s *searching) load(ctx context.Context, page []found) ([]Hit, error) {
	ids := make([]int64, len(page))
	for i, f := range page {
		ids[i] = f.article
	}
	shown := make(map[int64]Hit, len(ids))
	err := s.read(ctx, s.tx, ids, func(id int64, t Texts) {
		shown[id] = Hit{ID: id, Title: s.q.mark(t.Title), Snippet: s.q.snippet(t)}
	})
	if err != nil {
		return nil, err
	}
	hits := make([]Hit, 0, len(page))
	for _, f := range page {
		h, ok := shown[f.article]
		if !ok {
			continue
		}
		h.Where = [...]string{"number", "title", "title", "head", "text"}[f.class]
		hits = append(hits, h)
	}
	return hits, nil
}
