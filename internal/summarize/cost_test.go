package summarize

import (
	"strings"
	"testing"

	"dibao/internal/costtest"
)

// TestCostOfAnswers reads what endpoints of models answer.
func TestCostOfAnswers(t *testing.T) {
	source := strings.Repeat("2026年，", maxInput/6)
	const open, end = `{"model":"m","choices":[{"message":{"content":"`, `"}}]}`
	costtest.Linear(t, []costtest.Seed{
		{Name: "Text", Head: open, Units: []string{"通知"}, Tail: end},
		{Name: "Digits", Head: open, Units: []string{"1"}, Tail: end},
		{Name: "Numbers", Head: open, Units: []string{"%d,"}, Tail: end},
		{Name: "Spaces", Head: open, Units: []string{" "}, Tail: end},
		{Name: "Escapes", Head: open, Units: []string{`\u202e\ud800`}, Tail: end},
		{Name: "Choices", Head: `{"choices":[{}`, Units: []string{`,{"message":{"content":"x"}}`}, Tail: "]}"},
		{Name: "EmptyChoices", Head: `{"choices":[{}`, Units: []string{`,{}`}, Tail: "]}"},
		{Name: "Keys", Head: `{"a":1`, Units: []string{`,"a%d":1`}, Tail: "}"},
		{Name: "Nested", Units: []string{"["}},
		{Name: "NestedObjects", Units: []string{`{"choices":`}},
		{Name: "Invalid", Units: []string{"\xff"}},
	}, func(b []byte) {
		b = b[:min(len(b), maxAnswer)] // no more is read
		read(b, "m", source)
		_ = firstRunes(oneLine(string(b)), 100)
	})
	costtest.Report(t, "internal/summarize")
}
