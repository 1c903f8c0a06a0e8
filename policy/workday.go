package policy

import (
	_ "embed"
	"strings"
	"time"
)

//go:embed holidays.tsv
var holidaysText string

// calendar holds what differs from a plain week, by date; years are those that
// the State Council has given notice of.
var calendar = func() (c struct {
	off, on map[Date]bool
	years   map[int]string // number of the notice
}) {
	c.off, c.on, c.years = make(map[Date]bool), make(map[Date]bool), make(map[int]string)
	for line := range strings.Lines(holidaysText) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(cells) != 4 {
			continue
		}
		year, _ := number(cells[0])
		c.years[year] = cells[1]
		for i, to := range []map[Date]bool{c.off, c.on} {
			for day := range strings.FieldsSeq(cells[2+i]) {
				if d, err := ParseDate(cells[0] + "-" + day); err == nil {
					to[d] = true
				}
			}
		}
	}
	return c
}()

// IsWorkday reports whether a date is worked in China, by the State Council's
// yearly notice. exact is false where there is no notice for its year.
func IsWorkday(d Date) (works, exact bool) {
	_, exact = calendar.years[d.Year]
	switch weekday := d.In(time.UTC).Weekday(); {
	case calendar.off[d]:
		return false, exact
	case calendar.on[d]:
		return true, exact
	default:
		return weekday != time.Saturday && weekday != time.Sunday, exact
	}
}

// maxWorkdays bounds a count: nobody gives a term of ten years in working days.
const maxWorkdays = 3000

// AddWorkdays returns the nth working day after d. exact is false where a year of
// the way has no notice.
func AddWorkdays(d Date, n int) (end Date, exact bool) {
	exact = true
	for n = min(n, maxWorkdays); n > 0; {
		d = d.AddDays(1)
		works, known := IsWorkday(d)
		exact = exact && known
		if works {
			n--
		}
	}
	return d, exact
}

// WorkdaysBetween counts the working days after from, up to and with to; 0 if to
// is not later. exact is as in AddWorkdays.
func WorkdaysBetween(from, to Date) (n int, exact bool) {
	exact = true
	for d := from; d.Before(to) && n < maxWorkdays; {
		d = d.AddDays(1)
		works, known := IsWorkday(d)
		exact = exact && known
		if works {
			n++
		}
	}
	return n, exact
}

const (
	latestDays = 20   // working days in which a document is to be made public (政府信息公开条例 第二十六条)
	openSince  = 2008 // the year that the regulation came into force
)

// late counts the working days between issue and publication where they are more
// than the regulation gives, and the page itself says when it was published.
func (u *understanding) late() {
	said := u.PublishedFrom != "" && u.PublishedFrom != "url" && u.PublishedFrom != "feed" && u.PublishedFrom != "list page"
	if u.Kind != KindDocument || u.IssuedOn.IsZero() || u.PublishedOn.IsZero() || !said || u.IssuedOn.Year < openSince {
		return
	}
	if n, _ := WorkdaysBetween(u.IssuedOn, u.PublishedOn); n > latestDays {
		u.LateDays = n
	}
}
