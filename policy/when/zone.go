package when

import "time"

// Shanghai is the zone of nearly every source. It is loaded once, because loading takes
// longer than reading a date.
var Shanghai = loadZone("Asia/Shanghai")

// Zone returns the zone with this name: Shanghai for "", and UTC+8 if the machine does not
// know the name.
func Zone(name string) *time.Location {
	if name == "" || name == "Asia/Shanghai" {
		return Shanghai
	}
	return loadZone(name)
}

func loadZone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.FixedZone("CST", 8*60*60) // the machine may have no time zone files
	}
	return loc
}
