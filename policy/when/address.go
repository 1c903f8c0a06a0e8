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
