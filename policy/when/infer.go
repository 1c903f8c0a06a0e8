package when

import "time"

// Context is what precedes a row and can complete its date: a heading such as 2026年11月, or
// 2026-11-27 above the rows of one day.
type Context struct {
	Year, Month, Day int // 0 means not stated
}

// With returns the context with the values of a heading, which replace those of an earlier
// one.
func (x Context) With(w When) Context {
	switch {
	case w.Year > 0:
		return Context{w.Year, w.Month, w.Day}
	case w.Month > 0:
		return Context{x.Year, w.Month, w.Day}
	}
	return x
}

// Complete adds to a date what its heading states. If nothing states the year,
// it is the latest year in which the date is not in the future of the clock.
func (w When) Complete(x Context, c Clock) When {
	if !w.On.IsZero() || !w.Swapped.IsZero() {
		return w
	}
	y, m, d := w.Year, w.Month, w.Day
	if d == 0 {
		return w
	}
	if m == 0 {
		if m = x.Month; m == 0 {
			return w
		}
	}
	if y == 0 && w.Month == 0 || y == 0 && x.Year > 0 {
		y = x.Year
	}
	if y == 0 {
		return w.inYearOf(c.today(), m, c)
	}
	return w.on(MakeDate(y, m, d), c)
}

// inYearOf sets the latest year in which the date is not after a day.
func (w When) inYearOf(last Date, m int, c Clock) When {
	if last.IsZero() {
		return w
	}
	for y := last.Year; y > last.Year-9; y-- { // the last leap day may be years ago
		if on := MakeDate(y, m, w.Day); !on.IsZero() && !last.Before(on) {
			w.guessed = true
			return w.on(on, c)
		}
	}
	return w
}

func (w When) on(d Date, c Clock) When {
	if d.IsZero() {
		return w
	}
	w.On, w.Year, w.Month, w.Day = d, d.Year, int(d.Month), d.Day
	if w.clock != nil {
		w.setTime(*w.clock, c.zone())
	}
	return w
}

// minRun is the number of dates in descending order, except for small rises, that show that a
// list is in that order.
const minRun = 3

// minPerYear is the minimum number of rows of a year in a list of several years that states
// none; a list that rises more often is in another order.
const minPerYear = 5

// maxRise is the number of days by which a date may be later than the one above it in a list
// with the newest first: such lists are not strictly in order.
const maxRise = 31

// Series completes the dates of a list from each other, in place. In a list with the newest
// first, a date without a year that would be much later than those above it belongs to the
// year before; 05/01/2024 and 05/01/24 are read in the way in which the rows around them must be
// read. Rows without a date are zero values.
func Series(all []When, c Clock) {
	resolveOrder(all)
	resolveShort(all, c)
	rises, open := 0, 0 // rows much later than the one above; rows without a year
	for i, w := range all {
		if w.On.IsZero() && w.Month > 0 && w.Day > 0 && w.Year == 0 {
			all[i] = w.inYearOf(c.today(), w.Month, c)
		}
		if all[i].guessed {
			open++
		}
		if i > 0 && all[i].guessed && !all[i-1].On.IsZero() && all[i-1].On.AddDays(maxRise).Before(all[i].On) {
			rises++
		}
	}
	if rises*minPerYear > open {
		return // it is not in order
	}
	previous, run := Date{}, 0
	for i := range all {
		w := all[i]
		isNew := i <= minPerYear && c.today().AddDays(-maxRise).Before(w.On) // the rows above are pinned
		if last := previous.AddDays(maxRise); w.guessed && run >= minRun && last.Before(w.On) && !isNew {
			w = w.inYearOf(last, w.Month, c)
			all[i] = w
		}
		if w.On.IsZero() {
			continue
		}
		if previous.IsZero() || !previous.AddDays(maxRise).Before(w.On) {
			run++
		} else {
			run = 1
		}
		previous = w.On
	}
}

// resolveOrder decides for a whole list whether the day or the month comes
// first: one unambiguous date decides for all.
func resolveOrder(all []When) {
	dayFirst, monthFirst := 0, 0
	for _, w := range all {
		if !w.Swapped.IsZero() || w.On.IsZero() || !hasSlashedYearLast(w.Text) {
			continue
		}
		if first := leadingNumber(w.Text); first == w.Day && w.Day != int(w.On.Month) {
			dayFirst++
		} else if first == int(w.On.Month) && w.Day > 12 {
			monthFirst++
		}
	}
	for i, w := range all {
		if w.Swapped.IsZero() || dayFirst > 0 == (monthFirst > 0) {
			continue
		}
		if dayFirst > 0 {
			all[i].On = MakeDate(w.Year, w.Month, w.Day)
		} else {
			all[i].On, all[i].Month, all[i].Day = w.Swapped, int(w.Swapped.Month), w.Swapped.Day
		}
		all[i].Swapped = Date{}
	}
}

// resolveShort decides, for dates with a two-digit year, where the year is: so that all
// rows are valid dates, none is in the future, and they are best in order.
func resolveShort(all []When, c Clock) {
	var rows []int
	for i, w := range all {
		if w.short != (shortDate{}) {
			rows = append(rows, i)
		}
	}
	best, fewest := [3]int{}, len(rows)+1
	for _, o := range orders {
		falls, rises, fits := 0, 0, len(rows) > 0
		previous := Date{}
		for _, i := range rows {
			on := all[i].short.inOrder(o[0], o[1], o[2])
			if today := c.today(); on.IsZero() || !today.IsZero() && today.Before(on) {
				fits = false
				break
			}
			switch {
			case previous.IsZero() || previous == on:
			case previous.Before(on):
				rises++
			default:
				falls++
			}
			previous = on
		}
		if fits && min(rises, falls) < fewest {
			best, fewest = o, min(rises, falls)
		}
	}
	if fewest > len(rows) {
		return
	}
	for _, i := range rows {
		w := &all[i]
		if on := w.short.inOrder(best[0], best[1], best[2]); on != w.On {
			w.On, w.Year, w.Month, w.Day = on, on.Year, int(on.Month), on.Day
			if !w.At.IsZero() {
				w.At = time.Date(on.Year, on.Month, on.Day, w.At.Hour(), w.At.Minute(), w.At.Second(), w.At.Nanosecond(), w.At.Location())
			}
		}
	}
}

func hasSlashedYearLast(s string) bool {
	return len(s) >= 8 && (s[1] == '/' || s[2] == '/' || s[1] == '-' || s[2] == '-')
}

func leadingNumber(s string) int {
	n := 0
	for i := 0; i < len(s) && isDigit(s[i]); i++ {
		n = 10*n + int(s[i]-'0')
	}
	return n
}
