package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"dibao/policy/when"
)

// maxWalk bounds how deep and how far an answer is searched for its list.
const (
	maxWalkDepth = 8
	maxWalkNodes = 20000
)

// ProposeJSON looks for the list of articles in an answer in JSON: the array with
// the most elements that have a title and an address each. It returns the paths
// that read it, which the source's own settings precede.
func ProposeJSON(p Page, src Source) (Settings, error) {
	set := src.Settings
	if len(p.Body) > maxFeedBytes {
		return set, fmt.Errorf("the answer is larger than %d MB", maxFeedBytes>>20)
	}
	text, _ := Decode(p.Body, p.ContentType, set.Charset)
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return set, fmt.Errorf("this is no JSON that can be read: %w", err)
	}
	var best Settings
	most, nodes := 0, 0
	var walk func(v any, at string, depth int)
	walk = func(v any, at string, depth int) {
		if nodes++; depth > maxWalkDepth || nodes > maxWalkNodes {
			return
		}
		switch v := v.(type) {
		case map[string]any:
			for name, inner := range v {
				if !strings.ContainsAny(name, ".[]|") {
					walk(inner, strings.TrimPrefix(at+"."+name, "."), depth+1)
				}
			}
		case []any:
			if found, n := listKeys(v); n > most || n == most && n > 0 && at+"[]" < best.Item {
				best, most = found, n
				best.Item = at + "[]"
			}
			for _, inner := range v[:min(len(v), 3)] {
				walk(inner, at+"[]", depth+1)
			}
		}
	}
	walk(doc, "", 0)
	if most < minRows {
		return set, errors.New("no list of articles was found in the answer; set the paths --item, --title, --link and --date")
	}
	set.Item = firstOf(set.Item, best.Item)
	set.Link, set.Title, set.Date = firstOf(set.Link, best.Link), firstOf(set.Title, best.Title), firstOf(set.Date, best.Date)
	return set, nil
}

// listKeys names the keys of an array's elements that hold title, address and
// date, and says how many elements have the first two.
func listKeys(all []any) (found Settings, n int) {
	type tally struct{ titles, addresses, dates, chars int }
	keys := make(map[string]*tally)
	elements := 0
	for _, v := range all[:min(len(all), 200)] {
		m, ok := v.(map[string]any)
		if !ok {
			continue
		}
		elements++
		for name, value := range m {
			text := collapse(textOfJSON(value))
			if text == "" || strings.ContainsAny(name, ".[]|") {
				continue
			}
			t := keys[name]
			if t == nil {
				t = &tally{}
				keys[name] = t
			}
			chars := utf8.RuneCountInString(text)
			switch {
			case isAddress(text):
				t.addresses++
			case chars <= 40 && jsonDate(text, when.Clock{}) != "":
				t.dates++
			case chars >= minRowTitle && chars <= maxRow:
				t.titles++
				t.chars += chars
			}
		}
	}
	if elements == 0 {
		return found, 0
	}
	best := func(known []string, count func(*tally) int) (name string, n int) {
		for key, t := range keys {
			c := count(t) * 1000
			if slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, key) }) {
				c *= 10 // its name says so
			}
			if c > n || c == n && c > 0 && key < name {
				name, n = key, c
			}
		}
		return name, n
	}
	title, titles := best(titleKeys, func(t *tally) int { return t.titles })
	link, links := best(addressKeys, func(t *tally) int { return t.addresses })
	if titles == 0 || links == 0 {
		return found, 0
	}
	found = Settings{Title: title, Link: link}
	found.Date, _ = best(dateKeys, func(t *tally) int { return t.dates })
	return found, min(keys[title].titles, keys[link].addresses)
}

// dateKeys are where the day of publication stands; an element may have several days.
var dateKeys = []string{"pubDate", "publishTime", "publishDate", "publishedTime", "pubTime", "releaseTime", "docRelTime", "docPubTime", "date", "time", "fbrq", "fbsj", "PUBLISHTIME"}

// isAddress reports whether a value is an address, of its own or on the site.
func isAddress(s string) bool {
	if strings.ContainsAny(s, " \u3000<>") {
		return false
	}
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "/") && len(s) > 1 || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../")
}
