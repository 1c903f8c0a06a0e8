package search

import (
	"strings"

	"dibao/internal/database"
	"dibao/policy"
)

// Both databases accept a query as text: FTS5 with columns and the words AND, OR, NOT,
// PostgreSQL with & | ! in a tsquery. Tokens contain only letters, digits and Han
// characters, so that quoting them is enough.

// matcher writes queries for one database.
type matcher struct {
	quote, and, or, not, prefix string
	headMark                    string // precedes the tokens of title, number and issuers
	bands                       bool   // articles have tokens for the days around theirs
}

var (
	fts5 = matcher{`"`, " AND ", " OR ", " NOT ", " *", string(markHead), false}
	// In PostgreSQL, title, number and issuers have a vector of their own.
	tsquery = matcher{`'`, " & ", " | ", " & !", ":*", "", true}
)

func (ix *Index) matcher() matcher {
	if ix.db.Dialect() == database.Postgres {
		return tsquery
	}
	return fts5
}

func (m matcher) token(t string) string {
	return m.quote + strings.ReplaceAll(t, m.quote, "") + m.quote
}

// phrase writes the query for the tokens of a phrase. A single character has its own token,
// because too many pairs begin with a common character.
func (m matcher) phrase(p phrase, in scope) string {
	mark := ""
	if in == inHead {
		mark = m.headMark
	}
	all, prefix := p.tokens()
	var parts []string
	for _, t := range all {
		parts = append(parts, m.token(mark+t))
	}
	if prefix != "" {
		t := m.token(mark + prefix)
		if !isHan([]rune(prefix)[0]) {
			t += m.prefix
		}
		parts = append(parts, t)
	}
	return "(" + strings.Join(parts, m.and) + ")"
}

func (m matcher) clause(c clause, in scope) string {
	var parts []string
	for _, p := range c.any {
		parts = append(parts, m.phrase(p, in))
	}
	return "(" + strings.Join(parts, m.or) + ")"
}

func (m matcher) filter(f filter) string {
	var parts []string
	for _, v := range f.values {
		var tokens []string
		if f.pairs {
			tokens = marked(f.mark, phraseTokens(v))
		} else if v = plain(v); v != "" {
			tokens = []string{string(f.mark) + v}
		}
		if len(tokens) == 0 {
			continue
		}
		for i, t := range tokens {
			tokens[i] = m.token(t)
		}
		parts = append(parts, "("+strings.Join(tokens, m.and)+")")
	}
	if len(parts) == 0 {
		return m.token(string(f.mark) + "0")
	}
	return "(" + strings.Join(parts, m.or) + ")"
}

// scope is the part of articles that is searched.
type scope int

const (
	inAll  scope = iota
	inHead       // title, number and issuers
)

// query writes the whole query; "" if it contains nothing that the index can find.
func (m matcher) query(q parsedQuery, in scope) string {
	var must, mustNot []string
	for _, c := range q.clauses {
		switch {
		case !c.exclude:
			must = append(must, m.clause(c, in))
		case c.isExact(): // longer phrases are searched in the text
			mustNot = append(mustNot, m.clause(c, inAll))
		}
	}
	for _, f := range q.filters {
		must = append(must, m.filter(f))
	}
	for _, f := range q.excluded {
		mustNot = append(mustNot, m.filter(f))
	}
	if len(must) == 0 {
		if len(mustNot) == 0 && q.after.IsZero() && q.before.IsZero() {
			return ""
		}
		must = append(must, m.anyYear())
	}
	text := strings.Join(must, m.and)
	for _, n := range mustNot {
		text = "(" + text + ")" + m.not + n
	}
	return text
}

// anyYear writes a query that every article matches.
func (m matcher) anyYear() string {
	return "(" + m.token(string(markYear)+"1") + m.prefix + m.or + m.token(string(markYear)+"2") + m.prefix + ")"
}

func (c clause) isExact() bool {
	for _, p := range c.any {
		if !p.isExact() {
			return false
		}
	}
	return true
}

// isExact reports whether results of the index need no check in the text.
func (q parsedQuery) isExact() bool {
	for _, c := range q.clauses {
		if !c.isExact() {
			return false
		}
	}
	return true
}

// numbers returns the document numbers in a query.
func (q parsedQuery) numbers() []string {
	var all []string
	for _, c := range q.clauses {
		if c.exclude || len(c.any) != 1 || c.any[0].number == "" {
			continue
		}
		all = append(all, policy.NumberNames(c.any[0].number, "")...)
	}
	return all
}
