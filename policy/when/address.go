package when

import (
	"strconv"
	"strings"

	"dibao/policy/words"
)

var (
	// Dates in addresses: /2018-12/06/, /20220528/, t20220528_, /2008/9/19/, /202202/13/ …
	// A month alone (/202611/1100.html) is not a day, so the parts are separated, or eight
	// digits together, or the day has its own folder.
	partedAddress  = words.New(`/((?:19|20)\d{2})[-/](0?[1-9]|1[0-2])[-/](0?[1-9]|[12]\d|3[01])(?:[/_.]|$)`)
	folderAddress  = words.New(`/((?:19|20)\d{2})(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01])/`)
	compactAddress = words.New(`[/_t]((?:19|20)\d{2})(\d{2})(\d{2})(?:[/_.\d]|$)`)
)

// InAddress finds the date in an address, if there is one.
func InAddress(address string) (Date, bool) {
	if !strings.Contains(address, "19") && !strings.Contains(address, "20") {
		return Date{}, false
	}
	for _, re := range []*words.Regexp{compactAddress, partedAddress, folderAddress} {
		m := re.FindStringSubmatch(address)
		if m == nil {
			continue
		}
		y, _ := strconv.Atoi(m[1])
		mo, _ := strconv.Atoi(m[2])
		d, _ := strconv.Atoi(m[3])
		if on := MakeDate(y, mo, d); !on.IsZero() {
			return on, true
		}
	}
	return Date{}, false
}

// monthAddress matches a month in an address: /202611/1100.html.
var monthAddress = words.New(`/((?:19|20)\d{2})[-/]?(0[1-9]|1[0-2])/`)

// maxApart is the maximum number of days between the date that a row prints and the one in
// the address of its article.
const maxApart = 31

// InYearOf adds to a date without a year that of the day or month in the address of its
// article, which may be relative, if the two dates are close together: 11-27 and
// 202011/t20201127_1.html.
func (w When) InYearOf(address string, c Clock) When {
	if !w.On.IsZero() || w.Year > 0 || w.Month == 0 || w.Day == 0 {
		return w
	}
	address = "/" + address
	at, ok := InAddress(address)
	if m := monthAddress.FindStringSubmatch(address); !ok && m != nil {
		y, _ := strconv.Atoi(m[1])
		month, _ := strconv.Atoi(m[2])
		at, ok = MakeDate(y, month, 15), true
	}
	for y := at.Year - 1; ok && y <= at.Year+1; y++ {
		on := MakeDate(y, w.Month, w.Day)
		if days := at.DaysUntil(on); !on.IsZero() && max(days, -days) <= maxApart && (c.today().IsZero() || !c.today().Before(on)) {
			return w.on(on, c)
		}
	}
	return w
}
