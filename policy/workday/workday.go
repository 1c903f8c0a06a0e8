// Package workday counts working days in China, according to the yearly notices of the
// State Council.
package workday

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"time"

	"dibao/policy/when"
)

//go:embed holidays.tsv
var holidaysText string

// calendar contains the exceptions from an ordinary week, by date; years are
// those for which the State Council has published a notice.
var calendar = sync.OnceValue(func() *exceptions {
	c := &exceptions{make(map[when.Date]bool), make(map[when.Date]bool), make(map[int]string)}
	for line := range strings.Lines(holidaysText) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(cells) != 4 {
			continue
		}
		year, _ := strconv.Atoi(cells[0])
		c.years[year] = cells[1]
		for i, to := range []map[when.Date]bool{c.off, c.on} {
			for day := range strings.FieldsSeq(cells[2+i]) {
				if d, err := when.ParseDate(cells[0] + "-" + day); err == nil {
					to[d] = true
				}
			}
		}
	}
	return c
})

type exceptions struct {
	off, on map[when.Date]bool
	years   map[int]string // number of the notice
}

// byLaw are the holidays that have fixed days in the calendar, with the year since which the
// law (全国年节及纪念日放假办法) has them. Those of other calendars are known only from the notices.
var byLaw = map[[2]int]int{{1, 1}: 1949, {5, 1}: 1949, {5, 2}: 2025, {10, 1}: 1949, {10, 2}: 1949, {10, 3}: 1999}

// Is reports whether a date is a working day in China, by the State Council's yearly
// notice. exact is false if there is no notice for its year; then only weekends and byLaw count.
func Is(d when.Date) (works, exact bool) {
	c := calendar()
	_, exact = c.years[d.Year]
	switch weekday := d.In(time.UTC).Weekday(); {
	case c.off[d]:
		return false, exact
	case c.on[d]:
		return true, exact
	case !exact && byLaw[[2]int{int(d.Month), d.Day}] > 0 && d.Year >= byLaw[[2]int{int(d.Month), d.Day}]:
		return false, exact
	default:
		return weekday != time.Saturday && weekday != time.Sunday, exact
	}
}

// maxWorkdays limits a count: no term is ten years in working days.
const maxWorkdays = 3000

// Add returns the nth working day after d. exact is false if there is no notice
// for a year in between.
func Add(d when.Date, n int) (end when.Date, exact bool) {
	exact = true
	for n = min(n, maxWorkdays); n > 0; {
		d = d.AddDays(1)
		works, known := Is(d)
		exact = exact && known
		if works {
			n--
		}
	}
	return d, exact
}

// Between counts the working days after from, up to and including to; 0 if to
// is not later. exact is as in Add.
func Between(from, to when.Date) (n int, exact bool) {
	exact = true
	for d := from; d.Before(to) && n < maxWorkdays; {
		d = d.AddDays(1)
		works, known := Is(d)
		exact = exact && known
		if works {
			n++
		}
	}
	return n, exact
}
