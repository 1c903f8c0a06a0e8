package delivery

import (
	"testing"

	"dibao/internal/costtest"
)

// TestCostOfJournals reads the journal of a run.
func TestCostOfJournals(t *testing.T) {
	costtest.Linear(t, []costtest.Seed{
		{Name: "Entries", Units: []string{"h %d\n", "s %d\n"}},
		{Name: "Numbers", Units: []string{"%d "}},
		{Name: "Lines", Units: []string{"\n"}},
	}, func(b []byte) { parseJournal(string(b)) })
	costtest.Report(t, "digest")
}
