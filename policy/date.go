package policy

import (
	"time"

	"dibao/policy/when"
)

// Date is a calendar date without a time of day or zone (成文日期, 施行日期 …).
// The zero Date means that no date is known.
type Date = when.Date

// DateOf returns the calendar date of t in t's own location.
func DateOf(t time.Time) Date { return when.DateOf(t) }

// ParseDate reads YYYY-MM-DD. Days that the calendar lacks are refused.
func ParseDate(s string) (Date, error) { return when.ParseDate(s) }
