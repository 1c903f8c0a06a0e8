package workday

import (
	"testing"

	"dibao/policy/when"
)

func TestWorkdays(t *testing.T) {
	t.Parallel()
	day := func(s string) when.Date {
		d, err := when.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for s, want := range map[string]bool{
		"2024-02-04": true, "2024-02-12": false, "2024-10-12": true, "2024-10-07": false, "2026-01-04": true, "2026-11-24": true, "2026-11-28": false,
		"2020-01-31": false, // the extended Spring Festival, by a separate notice
	} {
		if works, exact := Is(day(s)); works != want || !exact {
			t.Errorf("%s: works %v, exact %v", s, works, exact)
		}
	}
	for s, want := range map[string]bool{
		"2035-10-01": false, "2035-10-03": false, "2035-10-04": true, "2035-01-01": false, "2035-05-02": false, "2035-04-05": true, "2035-04-07": false,
		"1998-05-01": false, "1990-05-02": true, "1995-10-03": true,
	} {
		if works, exact := Is(day(s)); works != want || exact {
			t.Errorf("%s, of a year without a notice: works %v, exact %v", s, works, exact)
		}
	}
	// 2024-09-27 is a Friday; the following Sunday is a working day, then seven days are
	// off.
	if end, exact := Add(day("2024-09-27"), 3); end.String() != "2024-10-08" || !exact {
		t.Errorf("three working days later: %s, %v", end, exact)
	}
	if n, exact := Between(day("2024-09-27"), day("2024-10-08")); n != 3 || !exact {
		t.Errorf("%d working days, %v", n, exact)
	}
}
