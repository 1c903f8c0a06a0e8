package when

import (
	"testing"
	"time"

	"dibao/internal/costtest"
)

// TestCostOfDates reads texts and values that contain dates, or almost do.
func TestCostOfDates(t *testing.T) {
	clock := Clock{Now: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)}
	costtest.Linear(t, []costtest.Seed{
		{Name: "Dates", Units: []string{"2026年11月20日"}},
		{Name: "Labels", Units: []string{"发布日期：2026-11-20 "}},
		{Name: "Digits", Units: []string{"2026112"}},
		{Name: "Signs", Units: []string{"1-"}},
		{Name: "Colons", Units: []string{"1:"}},
		{Name: "Months", Units: []string{"Nov "}},
		{Name: "ForeignMonths", Units: []string{"1 de mai de ", "27 февраля "}},
		{Name: "Cyrillic", Units: []string{"я"}},
		{Name: "ChineseDigits", Units: []string{"二〇二六年十一月"}},
		{Name: "Relative", Units: []string{"昨天3小时前"}},
		{Name: "Weekdays", Units: []string{"星期五Fri,"}},
		{Name: "Wide", Units: []string{"２０２６年"}},
		{Name: "Spaces", Units: []string{" \u3000"}, Tail: "2026"},
		{Name: "Letters", Units: []string{"a"}},
		{Name: "Borders", Units: []string{"\x1f2026\x1f11"}},
		{Name: "Invalid", Units: []string{"\xff\xe5"}},
	}, func(b []byte) {
		text := string(b)
		Published(Find(text, clock), clock)
		Read(text, clock)
		RoleOf(text)
	})
	costtest.Report(t, "policy/when")
}
