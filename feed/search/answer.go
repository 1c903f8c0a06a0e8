package search

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
)

// Answer is a page of results: matches in titles first, then in numbers, then in texts;
// newest first within each.
type Answer struct {
	Hits     []Hit
	Total    int
	AtLeast  bool // there are more than Total results, or a few less
	Facets   Facets
	Problems []Problem
}

// Problem is a part of a query that was not understood or that nothing can match.
type Problem struct {
	Field, Value string // Field is "" for a word
	Absent       bool   // the value may be right, but no article has it
}

func (p Problem) String() string {
	if p.Field == "" {
		return p.Value
	}
	return p.Field + ":" + p.Value
}

// Hit is an article that matches.
type Hit struct {
	ID      int64
	Where   string // number, title, head (number or issuer in part), text
	Title   []Span
	Snippet []Span
}

// Texts are the texts in which the matches of a hit are marked.
type Texts struct {
	Title, Summary string
	Paragraphs     []string // nil if they may not be shown: with enough queries, snippets would reveal the whole text
}

// Reader reads the articles of a page and passes each, with the texts of its hit, to a
// function.
type Reader func(ctx context.Context, tx *sql.Tx, ids []int64, each func(id int64, t Texts)) error

// Span is a piece of text, marked if it matches the query.
type Span struct {
	Text string `json:"text"`
	Hit  bool   `json:"hit,omitempty"`
}

// Facets are counts of the newest results, at most FacetSample of them.
type Facets struct {
	Kinds, Themes, Regions, Issuers, Years []FacetCount
	Sampled                                bool // there are more results than were counted
}

// FacetCount is a value and its number of results.
type FacetCount struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// facets counts the newest results.
func (s *searching) facets() Facets {
	same := make(map[string]int) // most articles have few different values
	for _, f := range s.newest[:min(len(s.newest), FacetSample)] {
		same[f.facets]++
	}
	counts := [5]map[string]int{}
	for i := range counts {
		counts[i] = make(map[string]int)
	}
	for packed, n := range same {
		for i, v := range strings.SplitN(packed, "\n", len(counts)) {
			if v != "" {
				counts[i][v] += n
			}
		}
	}
	regions := make(map[string]int)
	for code, n := range counts[2] { // by province: includes its cities
		regions[code[:min(2, len(code))]] += n
	}
	return Facets{Kinds: ranked(counts[0]), Themes: ranked(counts[1]), Regions: ranked(regions), Issuers: ranked(counts[3]), Years: ranked(counts[4]),
		Sampled: len(s.newest) > FacetSample}
}

// maxFacet is the number of values of a facet that are listed.
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
