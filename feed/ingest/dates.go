package ingest

import (
	"time"

	"dibao/policy/when"
)

// clockOf returns the time and zone that complete the dates of a page.
func clockOf(p Page, src Source) when.Clock {
	return when.Clock{Now: p.FetchedAt, Zone: when.Zone(src.Zone)}
}

// lastYear is the last year that a feed's date can have; 9999 is a placeholder.
const lastYear = 2100

// feedTime returns the instant of a feed's date in zone, or nil if there is none. Relative
// dates such as 昨天 do not count, because the time at which a feed was written is unknown.
func feedTime(raw string, zone *time.Location) *time.Time {
	w, ok := when.Read(raw, when.Clock{Zone: zone})
	if !ok {
		return nil
	}
	t := w.Instant(zone).In(zone)
	if t.Year() > lastYear {
		return nil
	}
	return &t
}
