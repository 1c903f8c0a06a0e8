package diff_test

import (
	"strings"
	"testing"

	"dibao/internal/costtest"
	"dibao/policy/diff"
)

// TestCostOfComparing compares texts with versions of themselves, within the budget of a
// page.
func TestCostOfComparing(t *testing.T) {
	const budget = 20 << 20
	costtest.Linear(t, []costtest.Seed{
		{Name: "Paragraphs", Units: []string{"第一条 各地要认真做好养老服务工作%d。\n"}},
		{Name: "SameParagraphs", Units: []string{"各地要认真做好养老服务工作。\n"}},
		{Name: "OneParagraph", Units: []string{"各地要认真做好养老服务工作%d，"}},
		{Name: "Characters", Units: []string{"养\n", "老\n"}},
		{Name: "Words", Units: []string{"a%d "}},
		{Name: "Articles", Units: []string{"第%d条\n"}},
		{Name: "Lines", Units: []string{"\n"}},
		{Name: "Invalid", Units: []string{"\xff\n"}},
	}, func(b []byte) {
		before := strings.Split(string(b), "\n")
		after := strings.Split(strings.NewReplacer("做好", "开展", "养", "老", "a1", "b", "条", "款").Replace(string(b)), "\n")
		changes, _ := diff.Within(before, after, budget)
		diff.Format(changes)
	})
	costtest.Report(t, "policy, comparison")
}
