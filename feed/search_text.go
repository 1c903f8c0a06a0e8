package feed

import (
	"fmt"
	"strings"

	"dibao/policy"
)

// Both databases take a query as text: FTS5 with columns and AND, OR, NOT in
// words, PostgreSQL with & | ! in a tsquery. Tokens hold letters, digits and Han
// alone, so that quoting them is enough.

// matcher writes queries of one database.
type matcher struct {
	quote, and, or, not, prefix string
	column                      func(name, expression string) string
}

var (
	fts5 = matcher{`"`, " AND ", " OR ", " NOT ", "*", func(name, e string) string { return "{" + name + "} : (" + e + ")" }}
	// PostgreSQL has the tokens of fields in the same vector.
	tsquery = matcher{`'`, " & ", " | ", " & !", ":*", func(_, e string) string { return "(" + e + ")" }}
)

func (m matcher) token(t string) string {
	return m.quote + strings.ReplaceAll(t, m.quote, "") + m.quote
}

// phrase writes what a text with this phrase has. single says that characters
// have a token of their own.
func (m matcher) phrase(p phrase, single bool) string {
	all, prefix := p.tokens()
	var parts []string
	for _, t := range all {
		parts = append(parts, m.token(t))
	}
	if prefix != "" {
		t := m.token(prefix)
		if !single || !isHan([]rune(prefix)[0]) {
			if m.prefix == "*" {
				t += " *"
			} else {
				t += m.prefix
			}
		}
		parts = append(parts, t)
	}
	return "(" + strings.Join(parts, m.and) + ")"
}

func (m matcher) clause(c clause, single bool) string {
	var parts []string
	for _, p := range c.any {
		parts = append(parts, m.phrase(p, single))
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

// scope is which column of the index is asked.
type scope struct {
	columns string
	single  bool
}

var (
	inHead = scope{"head", true}
	inAll  = scope{"head body", false}
)

// query writes the whole query; "" asks for nothing that an index knows.
func (m matcher) query(q parsedQuery, in scope) string {
	var must, mustNot []string
	for _, c := range q.clauses {
		switch {
		case !c.exclude:
			must = append(must, m.column(in.columns, m.clause(c, in.single)))
		case c.isExact(): // longer ones are looked for in the text
			mustNot = append(mustNot, m.column(inAll.columns, m.clause(c, false)))
		}
	}
	for _, f := range q.filters {
		must = append(must, m.column("fields", m.filter(f)))
	}
	if span := q.months(); len(span.values)+len(span.years) > 0 {
		must = append(must, m.column("fields", m.span(span)))
	}
	for _, f := range q.excluded {
		mustNot = append(mustNot, m.column("fields", m.filter(f)))
	}
	if len(must) == 0 {
		if len(mustNot) == 0 {
			return ""
		}
		must = append(must, m.column("fields", m.anyYear()))
	}
	text := strings.Join(must, m.and)
	for _, n := range mustNot {
		text = "(" + text + ")" + m.not + n
	}
	return text
}

// anyYear is what every article has.
func (m matcher) anyYear() string {
	return "(" + m.token(string(markYear)+"1") + m.starred() + m.or + m.token(string(markYear)+"2") + m.starred() + ")"
}

func (m matcher) starred() string {
	if m.prefix == "*" {
		return " *"
	}
	return m.prefix
}

func (c clause) isExact() bool {
	for _, p := range c.any {
		if !p.isExact() {
			return false
		}
	}
	return true
}

// isExact reports whether what the index finds needs no second look.
func (q parsedQuery) isExact() bool {
	for _, c := range q.clauses {
		if !c.isExact() {
			return false
		}
	}
	return true
}

// numbers are the document numbers that a query asks for.
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

// timeSpan is a span of days in tokens: whole years, and months at its ends.
type timeSpan struct{ years, values []string }

func (m matcher) span(s timeSpan) string {
	var parts []string
	for _, y := range s.years {
		parts = append(parts, m.token(string(markYear)+y))
	}
	for _, v := range s.values {
		parts = append(parts, m.token(string(markMonth)+v))
	}
	return "(" + strings.Join(parts, m.or) + ")"
}

const (
	firstYear = 1900
	lastYear  = 2100
)

// months covers the days asked for, and at most a month more at either end, which
// the day itself settles. Without days it is empty.
func (q parsedQuery) months() timeSpan {
	var s timeSpan
	if q.after.IsZero() && q.before.IsZero() {
		return s
	}
	from, to := policy.Date{Year: 1980, Month: 1, Day: 1}, policy.Date{Year: 2060, Month: 12, Day: 31}
	if !q.after.IsZero() {
		from = q.after
	}
	if !q.before.IsZero() {
		to = q.before
	}
	if q.after.IsZero() && to.Year < 1981 {
		from.Year = firstYear
	}
	from.Year, to.Year = max(from.Year, firstYear), min(to.Year, lastYear)
	for y := from.Year; y <= to.Year; y++ {
		first, last := 1, 12
		if y == from.Year {
			first = int(from.Month)
		}
		if y == to.Year {
			last = int(to.Month)
		}
		if first == 1 && last == 12 {
			s.years = append(s.years, fmt.Sprintf("%04d", y))
			continue
		}
		for month := first; month <= last; month++ {
			s.values = append(s.values, fmt.Sprintf("%04d%02d", y, month))
		}
	}
	if len(s.years)+len(s.values) == 0 { // the days cross: nothing is between them
		s.values = []string{"0"}
	}
	return s
}
