package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dibao/policy"
	"dibao/policy/when"
)

// jsonReader reads the answers in JSON that list pages drawn by scripts ask for.
// The settings are paths: names parted by dots, «[]» for every element of an
// array and «[0]» for one. «data.html | li» takes markup at the path and rows
// in it by a selector.
type jsonReader struct{}

var _ Reader = jsonReader{}

// addressKeys are where an item's address stands when the source does not say.
var addressKeys = []string{"url", "URL", "link", "href", "articleUrl", "infoUrl"}

// titleKeys are where its title stands.
var titleKeys = []string{"title", "TITLE", "name", "infoTitle"}

// Read returns the elements at the item path, in their order. Each needs its
// own page to be read.
func (jsonReader) Read(p Page, src Source) ([]Item, error) {
	if len(p.Body) > maxFeedBytes {
		return nil, fmt.Errorf("the answer is larger than %d MB", maxFeedBytes>>20)
	}
	set := src.Settings
	if set.Item == "" {
		return nil, errors.New("set the item path of the source, such as data.list[]")
	}
	text, _ := Decode(p.Body, p.ContentType, set.Charset)
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("the answer is no JSON that can be read: %w", err)
	}
	at, selector, isMarkup := strings.Cut(set.Item, "|")
	found, err := walkJSON([]any{doc}, at)
	if err != nil {
		return nil, err
	}
	if isMarkup {
		var markup strings.Builder
		for _, v := range found {
			markup.WriteString(textOfJSON(v))
		}
		rows := src
		rows.Settings.Item, rows.Settings.Charset = strings.TrimSpace(selector), ""
		return pageReader{}.Read(Page{URL: p.URL, ContentType: "text/html; charset=utf-8", Body: []byte(markup.String())}, rows)
	}
	var items []Item
	seen := make(map[string]bool)
	clock := clockOf(p, src)
	for _, v := range found {
		address := resolve(p.URL, valueAt(v, set.Link, addressKeys))
		title := clip(plainText(valueAt(v, set.Title, titleKeys)), maxTitle)
		if address == "" || title == "" || seen[address] || len(items) >= maxFeedItems {
			continue
		}
		seen[address] = true
		it := Item{GUID: identity(address), URL: address, Title: title, NeedsPage: true}
		it.Evidence = policy.Evidence{
			URL: address, Title: title, SiteName: src.Name, Zone: src.Zone, Issuer: src.Issuer, Region: src.Region,
			ListTitle: title, ListDate: jsonDate(valueAt(v, set.Date, nil), clock),
		}
		items = append(items, it)
	}
	return items, nil
}

// valueAt returns the text at a path, or at the first key that has any where no
// path is set.
func valueAt(v any, at string, keys []string) string {
	if at != "" {
		keys = []string{at}
	}
	for _, key := range keys {
		if found, err := walkJSON([]any{v}, key); err == nil && len(found) > 0 {
			if text := textOfJSON(found[0]); text != "" {
				return text
			}
		}
	}
	return ""
}

func textOfJSON(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// walkJSON follows a path from each of the values.
func walkJSON(from []any, at string) ([]any, error) {
	for step := range strings.SplitSeq(strings.TrimSpace(at), ".") {
		name, index, isArray := strings.Cut(step, "[")
		var next []any
		for _, v := range from {
			if name != "" {
				m, ok := v.(map[string]any)
				if !ok {
					continue
				}
				if v, ok = m[name]; !ok {
					continue
				}
			}
			if !isArray {
				next = append(next, v)
				continue
			}
			all, _ := v.([]any)
			if index == "]" {
				next = append(next, all...)
				continue
			}
			n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			if err != nil || n < 0 {
				return nil, fmt.Errorf("path %q of the source: «[%s» is neither [] nor [0]", at, index)
			}
			if n < len(all) {
				next = append(next, all[n])
			}
		}
		from = next
	}
	return from, nil
}

// jsonDate reads a date as text, or as seconds or milliseconds since 1970.
func jsonDate(s string, clock when.Clock) string {
	w, ok := when.Read(s, clock)
	if !ok {
		w, ok = when.Published(when.Find(s, clock), clock)
	}
	if !ok {
		return ""
	}
	return w.On.String()
}
