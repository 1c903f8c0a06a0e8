package ingest

import (
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dibao/internal/lazyregexp"
)

// Hints are what a source says about how to read it, apart from its items. They are stored
// with the source as JSON, because a 304 response does not repeat them.
type Hints struct {
	TTL       time.Duration `json:"ttl,omitempty"`        // RSS 2.0 ttl, or the sy:update period; 0 if unknown
	SkipHours []int         `json:"skip_hours,omitempty"` // 0–23, UTC (RSS 2.0)
	SkipDays  []int         `json:"skip_days,omitempty"`  // days of the week in UTC; 0 is Sunday (RSS 2.0)
	Hub       string        `json:"hub,omitempty"`        // WebSub hub
	Topic     string        `json:"topic,omitempty"`      // address to subscribe to at the hub
}

// maxHead is the number of bytes of a feed that are searched for hints.
const maxHead = 64 << 10

var (
	firstItem   = lazyregexp.New(`(?i)<(?:item|entry)[\s>]|"items"\s*:`)
	ttlElement  = lazyregexp.New(`(?i)<ttl>\s*(\d{1,6})\s*</ttl>`)
	hourElement = lazyregexp.New(`(?i)<hour>\s*(\d{1,2})\s*</hour>`)
	dayElement  = lazyregexp.New(`(?i)<day>\s*(\w+)\s*</day>`)
	syPeriod    = lazyregexp.New(`(?i)<sy:updatePeriod>\s*(\w+)\s*</`)
	syFrequency = lazyregexp.New(`(?i)<sy:updateFrequency>\s*(\d{1,4})\s*</`)
	linkElement = lazyregexp.New(`(?i)<(?:\w+:)?link\s[^<>]*>`)
	relOf       = lazyregexp.New(`(?i)\brel\s*=\s*["']([^"'<>]*)["']`)
	hrefOf      = lazyregexp.New(`(?i)\bhref\s*=\s*["']([^"'<>]*)["']`)
	linkHeader  = lazyregexp.New(`<([^<>]*)>\s*;[^,]*\brel\s*=\s*"?([\w -]+)"?`)
	jsonHub     = lazyregexp.New(`(?i)"type"\s*:\s*"websub"\s*,\s*"url"\s*:\s*"([^"\\]+)"`)
	jsonSelf    = lazyregexp.New(`"feed_url"\s*:\s*"([^"\\]+)"`)
)

var periods = map[string]time.Duration{
	"hourly": time.Hour, "daily": 24 * time.Hour, "weekly": 7 * 24 * time.Hour, "monthly": 30 * 24 * time.Hour, "yearly": 365 * 24 * time.Hour,
}

// ReadHints reads the hints of a feed from the part before its first item and
// from the Link fields of the response (RFC 8288), which take precedence (W3C
// WebSub §4).
func ReadHints(p Page, header http.Header) Hints {
	head := p.Body[:min(len(p.Body), maxHead)]
	if at := firstItem.FindIndex(head); at != nil {
		head = head[:at[0]]
	}
	text := string(head)
	var h Hints
	if m := ttlElement.FindStringSubmatch(text); m != nil {
		minutes, _ := strconv.Atoi(m[1]) // six digits
		h.TTL = time.Duration(minutes) * time.Minute
	} else if m := syPeriod.FindStringSubmatch(text); m != nil {
		times := 1
		if f := syFrequency.FindStringSubmatch(text); f != nil {
			times, _ = strconv.Atoi(f[1])
		}
		h.TTL = periods[strings.ToLower(m[1])] / time.Duration(max(times, 1))
	}
	for _, m := range hourElement.FindAllStringSubmatch(text, 24) {
		hour, _ := strconv.Atoi(m[1])
		h.SkipHours = append(h.SkipHours, hour%24) // some sites count hours from 1 to 24
	}
	for _, m := range dayElement.FindAllStringSubmatch(text, 7) {
		for day := time.Sunday; day <= time.Saturday; day++ {
			if strings.EqualFold(m[1], day.String()) {
				h.SkipDays = append(h.SkipDays, int(day))
			}
		}
	}
	set := func(rel, href string) {
		for name := range strings.FieldsSeq(strings.ToLower(rel)) {
			switch {
			case name == "hub" && h.Hub == "":
				h.Hub = resolve(p.URL, href)
			case name == "self" && h.Topic == "":
				h.Topic = resolve(p.URL, href)
			}
		}
	}
	for _, value := range header.Values("Link") {
		for _, m := range linkHeader.FindAllStringSubmatch(clip(value, 8<<10), 20) {
			set(m[2], m[1])
		}
	}
	for _, link := range linkElement.FindAllString(text, 50) {
		rel, href := relOf.FindStringSubmatch(link), hrefOf.FindStringSubmatch(link)
		if rel != nil && href != nil {
			set(rel[1], html.UnescapeString(href[1]))
		}
	}
	if m := jsonHub.FindStringSubmatch(text); m != nil {
		set("hub", m[1])
	}
	if m := jsonSelf.FindStringSubmatch(text); m != nil {
		set("self", m[1])
	}
	if h.Hub == "" {
		h.Topic = ""
	} else if h.Topic == "" {
		h.Topic = p.URL
	}
	return h
}
