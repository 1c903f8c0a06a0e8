package ingest

import (
	"time"

	"dibao/policy/when"
)

// defaultZone is where sources that name no zone are.
const defaultZone = "Asia/Shanghai"

// shanghai is loaded once: that takes longer than reading a date.
var shanghai = loadZone(defaultZone)

func zoneOf(name string) *time.Location {
	if name == "" || name == defaultZone {
		return shanghai
	}
	return loadZone(name)
}

func loadZone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.FixedZone("CST", 8*60*60) // a machine without zone files
	}
	return loc
}

// clockOf returns what the dates of a page are counted from.
func clockOf(p Page, src Source) when.Clock {
	return when.Clock{Now: p.FetchedAt, Zone: zoneOf(src.Zone)}
}

// lastYear is the last year that a feed's date may have; 9999 is a placeholder.
const lastYear = 2100

// feedTime returns the instant of a feed's date in zone, or nil if it states
// none: a feed may have been written at any time, so 昨天 is not a date in it.
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
