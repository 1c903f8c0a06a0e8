package ingest

import (
	"regexp"
	"strconv"
	"strings"
	"time"
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

// zoned finds a zone at the end of a date.
var zoned = regexp.MustCompile(`(?i)(?:[+-]\d{1,2}:?\d{2}|[\d\s]z|\b(?:gmt|utc?|[ecmp][sd]t|[wce]es?t|bst))\s*(?:\([^)]*\))?\s*(?:\d{4})?$`)

// eastern is a year, month and day as East Asia writes them, perhaps with a time
// of day: 2011年6月21日 8时30分, 2011/6/21 8:30, 2011.6.21.
var eastern = regexp.MustCompile(`^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[\sT]*(\d{1,2})\s*[:时]\s*(\d{1,2})\s*(?:[:分]\s*(\d{1,2})?秒?(?:\.\d+)?)?)?$`)

// The years that a feed's date may have; others are placeholders, such as the
// epoch or 9999.
const (
	firstYear = 1980
	lastYear  = 2100
)

// feedTime returns the instant of a feed's date in zone, or nil where it says
// none. parsed is what the feed parser made of it. A date that names no zone is
// in the source's own; CST on a Chinese site is China's, not Chicago's.
func feedTime(raw string, parsed *time.Time, zone *time.Location) *time.Time {
	raw = collapse(narrow(raw))
	var t time.Time
	switch m := eastern.FindStringSubmatch(raw); {
	case m != nil:
		var ok bool
		if t, ok = easternTime(m[1:], zone); !ok {
			return nil
		}
	case isDigits(raw) && (len(raw) == 10 || len(raw) == 13):
		n, _ := strconv.ParseInt(raw, 10, 64)
		if t = time.Unix(n, 0); len(raw) == 13 {
			t = time.UnixMilli(n)
		}
	case parsed == nil:
		return nil
	case strings.Contains(strings.ToUpper(raw), "CST"):
		t = inZone(parsed.UTC().Add(-6*time.Hour), zone) // gofeed took it for Chicago's
	case !zoned.MatchString(raw):
		t = inZone(*parsed, zone)
	default:
		t = *parsed
	}
	if t = t.In(zone); t.Year() < firstYear || t.Year() > lastYear {
		return nil
	}
	return &t
}

// inZone reads the clock of t as one in zone.
func inZone(t time.Time, zone *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}

// easternTime reads year, month, day, hour, minute, second; days that the
// calendar lacks are refused, 24:00 is the next day.
func easternTime(parts []string, zone *time.Location) (time.Time, bool) {
	var n [6]int
	for i, s := range parts {
		n[i], _ = strconv.Atoi(s) // digits or nothing
	}
	day := time.Date(n[0], time.Month(n[1]), n[2], 0, 0, 0, 0, zone)
	if day.Day() != n[2] || int(day.Month()) != n[1] || n[3] > 24 || n[4] > 59 || n[5] > 59 {
		return time.Time{}, false
	}
	return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, zone), true
}

func isDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// hanDate is a date in Chinese numerals.
var hanDate = regexp.MustCompile(`^([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日`)

// narrow writes full-width digits and Chinese numerals of a date in ASCII.
func narrow(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			return r - '！' + '!'
		}
		return r
	}, strings.TrimSpace(s))
	m := hanDate.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	year := strings.Map(func(r rune) rune { return rune('0' + hanDigit(r)) }, m[1])
	return year + "-" + strconv.Itoa(hanNumber(m[2])) + "-" + strconv.Itoa(hanNumber(m[3])) + s[len(m[0]):]
}

func hanDigit(r rune) int {
	return max(0, strings.Index("〇一二三四五六七八九", string(r))/len("〇"))
}

// hanNumber reads one to ninety-nine: 六, 十, 二十一.
func hanNumber(s string) int {
	tens, ones, hasTen := strings.Cut(s, "十")
	if !hasTen {
		tens, ones = "", s
	}
	n := 0
	for _, r := range ones {
		n = hanDigit(r)
	}
	switch {
	case hasTen && tens == "":
		n += 10
	case hasTen:
		for _, r := range tens {
			n += 10 * hanDigit(r)
		}
	}
	return n
}
