package templates

import (
	"slices"
	"testing"
)

// The table of a line has a row for each change, that of bars one for each step with
// values.
func TestChartRows(t *testing.T) {
	t.Parallel()
	c := Chart{Line: true, Labels: []string{"08:00", "08:01", "08:02", "08:03"}, Series: []Series{{Values: []float64{0, 2, 2, 3}}, {Values: []float64{0, 0, 0, 0}}}}
	for _, x := range []struct {
		isLine bool
		want   []string
	}{{true, []string{"08:01", "08:03"}}, {false, []string{"08:01", "08:02", "08:03"}}} {
		c.Line = x.isLine
		var got []string
		for _, row := range c.Rows() {
			got = append(got, row[0])
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("line %t: rows %v, want %v", x.isLine, got, x.want)
		}
	}
}
