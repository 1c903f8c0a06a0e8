package templates

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Chart is a plot of one or more series over the same steps: stacked bars, or a
// filled line. It is drawn as SVG in the colors of the page, with texts in the
// page's own fonts, and has its numbers as a table below.
type Chart struct {
	ID     string   // id of the element, unique on the page
	Title  string   // what is plotted
	Note   string   // what it shows, in a sentence; "" if the title says it
	Step   string   // meaning of a step, the heading of the table's first column
	Labels []string // labels of the steps
	Ticks  []Tick
	Series []Series
	Line   bool // a filled line instead of bars
}

// Tick is a label below a plot, at a step.
type Tick struct {
	At   int
	Text string
}

// Series are the values of a chart, one per step. Values below zero extend down
// from the zero line. Class is its color: good, wait, bad or plain.
type Series struct {
	Name, Class string
	Values      []float64
}

// The size of the plot area, in its own units: it is as wide as the page.
const (
	plotWidth  = 1000
	plotHeight = 160
)

// mark is a piece of a plot: a bar, or the outline of a series of lines.
type mark struct{ X, Y, W, H, Class, Label, Points string }

// rule is a line of the scale, or a label below the plot.
type rule struct{ At, Text, Anchor string }

// short formats a number with at most two decimals.
func short(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }

// extent returns the range of the scale, with a round upper end.
func (c Chart) extent() (low, high float64) {
	for i := range c.Labels {
		var up, down float64
		for _, s := range c.Series {
			if v := s.Values[i]; c.Line {
				up = max(up, v)
			} else {
				up, down = up+max(v, 0), down+min(v, 0)
			}
		}
		low, high = min(low, down), max(high, up)
	}
	return -roundUp(-low), max(roundUp(high), roundUp(-low)/2, 1)
}

// roundUp returns the next round number that is at least v.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8} {
		if v <= n*unit {
			return n * unit
		}
	}
	return 10 * unit
}

// Marks returns the pieces to draw.
func (c Chart) Marks() (marks []mark) {
	low, high := c.extent()
	y := func(v float64) float64 { return plotHeight * (high - v) / (high - low) }
	width := plotWidth / float64(max(len(c.Labels), 1))
	gap := min(width/5, 4)
	if c.Line {
		for _, s := range c.Series {
			points := []string{fmt.Sprintf("0,%d", plotHeight)}
			for i, v := range s.Values {
				points = append(points, short(float64(i)*plotWidth/float64(max(len(s.Values)-1, 1)))+","+short(y(v)))
			}
			points = append(points, fmt.Sprintf("%d,%d", plotWidth, plotHeight))
			marks = append(marks, mark{Class: s.Class, Points: strings.Join(points, " ")})
		}
		return marks
	}
	for i, label := range c.Labels {
		up, down := 0.0, 0.0
		for _, s := range c.Series {
			v, from := s.Values[i], up
			if v < 0 {
				from, down = down, down+v
			} else {
				up += v
			}
			if v == 0 {
				continue
			}
			marks = append(marks, mark{
				X: short(float64(i)*width + gap/2), W: short(width - gap), Y: short(y(max(from, from+v))), H: short(math.Abs(v) * plotHeight / (high - low)),
				Class: s.Class, Label: label + " · " + s.Name + " " + short(math.Abs(v)),
			})
		}
	}
	return marks
}

// Scale returns the lines of the scale.
func (c Chart) Scale() (rules []rule) {
	low, high := c.extent()
	for _, v := range []float64{high, high / 2, 0, low} {
		if v == high/2 && v != math.Trunc(v) || v == low && low == 0 && len(rules) > 0 && rules[len(rules)-1].Text == "0" {
			continue
		}
		rules = append(rules, rule{At: short(plotTop + plotHeight*(high-v)/(high-low)), Text: short(math.Abs(v))})
	}
	return rules
}

// plotTop is the space above the plot area, for the uppermost label.
const plotTop = 14

// Below returns the labels below the plot, in percent of its width.
func (c Chart) Below() (rules []rule) {
	n := float64(max(len(c.Labels), 1))
	for _, tick := range c.Ticks {
		at, anchor := (float64(tick.At)+0.5)/n*100, "middle"
		if c.Line {
			at = float64(tick.At) / max(n-1, 1) * 100
		}
		switch {
		case at < 6:
			at, anchor = 0, "start"
		case at > 94:
			at, anchor = 100, "end"
		}
		rules = append(rules, rule{short(at), tick.Text, anchor})
	}
	return rules
}

// Rows returns the numbers of the table: one row for each step with a value other than 0;
// for a line, only those steps at which it changes.
func (c Chart) Rows() (rows [][]string) {
	for i, label := range c.Labels {
		row, some := []string{label}, false
		for _, s := range c.Series {
			row, some = append(row, short(math.Abs(s.Values[i]))), some || s.Values[i] != 0
		}
		isFlat := c.Line && len(rows) > 0 && slices.Equal(row[1:], rows[len(rows)-1][1:])
		if some && !isFlat {
			rows = append(rows, row)
		}
	}
	return rows
}
