package label

import (
	"strings"
	"testing"

	"dibao/internal/costtest"
	"dibao/policy/cut"
)

// TestCostOfLabels splits lines of the maximum length that is read. At most 2,000
// lines of a text are examined, so it reads many of them.
func TestCostOfLabels(t *testing.T) {
	for _, seed := range []costtest.Seed{
		{Name: "Labels", Units: []string{"来源：某委 作者：张明 发布时间：2026-11-27 "}},
		{Name: "EmptyLabels", Units: []string{"来源："}},
		{Name: "Names", Units: []string{"来源"}},
		{Name: "SpacedNames", Units: []string{"来 \u3000 "}},
		{Name: "Strangers", Units: []string{" 某某某某："}},
		{Name: "Colons", Units: []string{"："}},
		{Name: "Gaps", Head: "来源", Units: []string{" \x1f\u3000"}},
		{Name: "English", Units: []string{"Source: "}},
		{Name: "Sizes", Head: "字号：", Units: []string{"大 中 小 "}},
		{Name: "Dates", Head: "发布时间：", Units: []string{"2026-11-27 "}},
		{Name: "Text", Units: []string{"通知"}},
	} {
		t.Run(seed.Name, func(t *testing.T) {
			line := cut.First(string(seed.Input(4*maxLine)), maxLine)
			cost := costtest.Measure(func() { Split(line) })
			if limit := costtest.MaxTime / 40; cost.Time > limit || cost.Allocated > 4<<20 {
				t.Errorf("a line of %d bytes cost %+v; the limit is %s", len(line), cost, limit)
			}
			t.Logf("%s, %d kB", cost.Time, cost.Allocated>>10)
		})
	}
	costtest.Linear(t, []costtest.Seed{{Name: "LongLine", Units: []string{"来源："}}}, func(b []byte) {
		Split(string(b))
		FindDate(string(b))
		KindOf(strings.ToValidUTF8(string(b), ""))
	})
	costtest.Report(t, "policy/label")
}
