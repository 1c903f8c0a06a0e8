package inspect

import (
	"fmt"
	"time"

	"dibao/policy"
)

// timeFlag is a day or an instant.
type timeFlag struct{ time.Time }

// Set reads YYYY-MM-DD (noon in China) or RFC 3339.
func (t *timeFlag) Set(s string) error {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		day, err := policy.ParseDate(s)
		if err != nil {
			return fmt.Errorf("%q is neither YYYY-MM-DD nor a time such as 2026-11-29T12:00:00+08:00", s)
		}
		at = day.In(time.FixedZone("CST", 8*60*60)).Add(12 * time.Hour)
	}
	t.Time = at
	return nil
}

func (t *timeFlag) String() string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// Type returns the name of the kind of value, for the help.
func (t *timeFlag) Type() string { return "time" }

func (t *timeFlag) orNow() time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t.Time
}
