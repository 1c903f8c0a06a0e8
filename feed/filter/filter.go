// Package filter decides which articles match the query of a list or a reader,
// and why. It does not use the database.
package filter

import (
	"slices"
	"strings"

	"dibao/feed"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/policy/fold"
	"dibao/policy/theme"
)

// Query says which articles a list or a reader asks for. All fields that are set must
// match; within a field one value is enough. The zero Query matches everything.
type Query struct {
	Themes  []string
	Regions []string // GB/T 2260 codes; each includes the regions in it
	Issuers []string
	Kinds   []policy.Kind
	Types   []string // 文种
	Sources []int64
	// Documents are numbers of followed documents: the document itself and all articles
	// that change or explain it match. Chains are numbers of documents of which only
	// implementing documents (落实) match.
	Documents []string
	Chains    []string
	Any       []string // words, one of which must be in title, summary or text, after folding by fold.Text
	All       []string // words that must all be there
	None      []string // words that must not be in title or summary
}

// Reason is a part of a query that an article matches: the name of the field in the
// singular and the value, such as {"theme", "民政"}.
type Reason struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Match reports whether an article, read with its text, matches the query, and why.
func (q Query) Match(a feed.Article) (why []Reason, ok bool) {
	f := a.Facts
	fields := []struct {
		name  string
		asked bool
		value string
	}{
		{"theme", len(q.Themes) > 0, find(q.Themes, func(s string) bool { return theme.Matches(s, f.Theme) })},
		{"region", len(q.Regions) > 0, find(q.Regions, func(s string) bool { return s != "" && strings.HasPrefix(f.Region, division.TrimCode(s)) })},
		{"issuer", len(q.Issuers) > 0, find(q.Issuers, func(s string) bool { return slices.Contains(f.Issuers, s) })},
		{"kind", len(q.Kinds) > 0, string(find(q.Kinds, func(k policy.Kind) bool { return k == f.Kind }))},
		{"type", len(q.Types) > 0, find(q.Types, func(s string) bool { return s == f.Type })},
		{"document", len(q.Documents) > 0, find(q.Documents, func(n string) bool { return n == f.DocumentNumber || cites(f, n, "") || isRelated(a, n, "") })},
		{"chain", len(q.Chains) > 0, find(q.Chains, func(n string) bool {
			return cites(f, n, policy.RelationImplements) || isRelated(a, n, policy.RelationImplements)
		})},
	}
	for _, x := range fields {
		if !x.asked {
			continue
		}
		if x.value == "" {
			return nil, false
		}
		why = append(why, Reason{x.name, x.value})
	}
	if len(q.Sources) > 0 {
		if !slices.Contains(q.Sources, a.SourceID) {
			return nil, false
		}
		why = append(why, Reason{"source", a.SourceName})
	}
	words, ok := q.matchWords(f)
	if !ok {
		return nil, false
	}
	return append(why, words...), true
}

// cites reports whether the text mentions the document with number n, in the given relation
// or, for "", in any.
func cites(f policy.Facts, n, relation string) bool {
	return slices.ContainsFunc(f.Citations, func(c policy.Citation) bool {
		return c.Number == n && (relation == "" || c.Relation == relation)
	})
}

// isRelated reports whether the article is known to be related to the document with number n,
// in the given relation or, for "", in any.
func isRelated(a feed.Article, n, relation string) bool {
	return slices.ContainsFunc(a.Related, func(d feed.RelatedDocument) bool {
		return d.Number == n && (relation == "" || d.Kind == relation)
	})
}

func (q Query) matchWords(f policy.Facts) (why []Reason, ok bool) {
	if len(q.Any)+len(q.All)+len(q.None) == 0 {
		return nil, true
	}
	head := fold.Text(f.Title + "\n" + f.DocumentNumber + "\n" + f.Summary)
	text := head + "\n" + fold.Text(strings.Join(f.Paragraphs, "\n"))
	in := func(text string) func(string) bool {
		return func(word string) bool { return strings.Contains(text, fold.Text(word)) }
	}
	if slices.ContainsFunc(q.None, in(head)) {
		return nil, false
	}
	for _, w := range q.All {
		if !in(text)(w) {
			return nil, false
		}
		why = append(why, Reason{"word", w})
	}
	if len(q.Any) > 0 {
		w := find(q.Any, in(text))
		if w == "" {
			return nil, false
		}
		why = append(why, Reason{"word", w})
	}
	return why, true
}

// find returns the first value for which holds is true, or the zero value.
func find[T any](values []T, holds func(T) bool) T {
	for _, v := range values {
		if holds(v) {
			return v
		}
	}
	var none T
	return none
}
