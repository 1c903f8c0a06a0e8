package policy

import "testing"

// Numeric dates become dates in words; numbers that only look like dates stay.
func TestPlainDates(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"公示时间：2026.7.13-2026.7.17":  "公示时间：2026年7月13日-2026年7月17日",
		"报名：2026-07-13至2026-07-17":  "报名：2026年7月13日至2026年7月17日",
		"编号：2026.7.13-45":           "编号：2026.7.13-45",
		"电话：0531-2026.7.13":         "电话：0531-2026.7.13",
		"2026.7.13-2026.7.17-2":     "2026.7.13-2026.7.17-2",
		"2026.7.13--2026.7.17":      "2026.7.13--2026.7.17",
		"自2026/7/13-2026/7/17，共五天。": "自2026年7月13日-2026年7月17日，共五天。",
	} {
		if got, _ := plainDates(line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
