package digest

import (
	"testing"

	"dibao/internal/costtest"
)

// TestCostOfReplies reads replies of mail servers and the journal of a run.
func TestCostOfReplies(t *testing.T) {
	costtest.Linear(t, []costtest.Seed{
		{Name: "Lines", Units: []string{"550-5.1.1 user unknown\r\n"}, Tail: "550 5.1.1 x"},
		{Name: "OneLine", Head: "550 5.1.1 ", Units: []string{"user unknown "}},
		{Name: "Digits", Units: []string{"5"}},
		{Name: "Codes", Head: "550 ", Units: []string{"5.1.1 "}},
		{Name: "Addresses", Head: "550 ", Units: []string{"http://a.test/%d "}},
		{Name: "Spaces", Head: "550 ", Units: []string{" "}, Tail: "x"},
		{Name: "Journal", Units: []string{"h %d\n", "s %d\n"}},
	}, func(b []byte) {
		code, enhanced, text, _ := ParseReply(string(b))
		Classify(code, enhanced, text, "a.test")
		parseJournal(string(b))
	})
}
