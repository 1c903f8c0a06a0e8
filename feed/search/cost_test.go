package search

import (
	"testing"

	"dibao/internal/costtest"
)

// TestCostOfQueries reads what people and programs enter in the search box, and marks the
// matches in a long text.
func TestCostOfQueries(t *testing.T) {
	queries := []string{"养老 服务", "issuer:国务院 养老*", "国发〔2026〕1号", "\"通知\" OR 公告 -废止", "a*"}
	costtest.Linear(t, []costtest.Seed{
		{Name: "Words", Units: []string{"养老 "}},
		{Name: "OneWord", Units: []string{"养老"}},
		{Name: "Fields", Units: []string{"issuer:国务院%d "}},
		{Name: "Values", Head: "region:", Units: []string{"浙江,"}},
		{Name: "Colons", Units: []string{":"}},
		{Name: "Quotes", Units: []string{`"`}},
		{Name: "OpenQuotes", Units: []string{"“"}},
		{Name: "Minus", Units: []string{"-"}},
		{Name: "Ors", Units: []string{"a OR "}},
		{Name: "Stars", Units: []string{"a*"}},
		{Name: "Numbers", Units: []string{"国发〔2026〕%d号"}},
		{Name: "Dates", Head: "after:", Units: []string{"2026-"}},
		{Name: "Spaces", Units: []string{" \u3000"}},
		{Name: "Letters", Units: []string{"a"}},
		{Name: "Pieces", Units: []string{"a关"}},
		{Name: "Invalid", Units: []string{"\xff"}},
	}, func(b []byte) {
		text := string(b)
		fts5.query(parseQuery(text), inHead)
		for _, query := range queries {
			parseQuery(query).mark(text)
		}
	})
	costtest.Report(t, "feed, searches")
}
