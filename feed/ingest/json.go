package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"dibao/feed/ingest/decode"
	"dibao/feed/ingest/jsonpath"
	"dibao/feed/ingest/list"
	"dibao/feed/ingest/literal"
	"dibao/feed/ingest/weburl"
	"dibao/policy"
	"dibao/policy/when"
)

// jsonReader reads the JSON responses that scripts of list pages request. The
// settings are paths (see jsonpath). "data.html | li" takes markup at the path and finds
// rows in it by a selector, or by structure if none is given.
type jsonReader struct{}

var _ Reader = jsonReader{}

// Read returns the elements at the item path, in their order. For each, the article's own
// page must be read, too.
func (jsonReader) Read(p Page, src Source) ([]Item, error) {
	if src.Settings.Item == "" {
		return nil, errors.New("set the item path of the source, such as data.list[]")
	}
	l, err := readJSONList(p, src)
	return l.Items, err
}

// decodeJSON decodes a JSON or JSONP response.
func decodeJSON(p Page, charset string) (any, error) {
	if len(p.Body) > maxFeedBytes {
		return nil, fmt.Errorf("the response is larger than %d MB", maxFeedBytes>>20)
	}
	text, _ := decode.Text(p.Body, p.ContentType, charset)
	return literal.ParseJSON(text)
}

// readJSONList reads a list in a response by the paths of the source; if there are none, it
// finds them.
func readJSONList(p Page, src Source) (List, error) {
	doc, err := decodeJSON(p, src.Settings.Charset)
	if err != nil {
		return List{}, err
	}
	if src.Settings.Item != "" {
		return readElements(doc, p, src)
	}
	found, err := proposeJSON(doc, p, src)
	if err != nil {
		return List{}, err
	}
	src.Settings = found.set
	l, err := readElements(doc, p, src)
	l.Dropped = append(found.dropped, l.Dropped...)
	return l, err
}

// readElements reads the elements at the item path of a source.
func readElements(doc any, p Page, src Source) (List, error) {
	set := src.Settings
	at, selector, isMarkup := strings.Cut(set.Item, "|")
	var order map[string]int
	if strings.Contains(at, "{}") {
		text, _ := decode.Text(p.Body, p.ContentType, set.Charset)
		order = jsonpath.KeyOrder(text)
	}
	found, err := jsonpath.Walk([]any{doc}, at, order)
	if err != nil {
		return List{}, err
	}
	if isMarkup {
		var markup strings.Builder
		for _, v := range found {
			markup.WriteString(textOfJSON(v))
		}
		src.Settings.Item = strings.TrimSpace(selector)
		return readMarkup(markup.String(), p, src)
	}
	var l List
	var dates []when.When // dates of the items
	seen := make(map[string]bool)
	clock := clockOf(p, src)
	for _, v := range found {
		title := clip(plainText(valueAt(v, set.Title, titleKeys)), maxTitle)
		address := resolve(p.URL, addressOf(v, set.Link))
		why := list.Reason("")
		switch {
		case title == "":
			why = list.NoTitleMember
		case address == "":
			why = list.NoAddress
		case seen[weburl.Identity(address)]:
			why = list.SameAddress
		case len(l.Items) >= maxFeedItems:
			why = list.BeyondLimit
		}
		if why != "" {
			l.Dropped.Add(why, "2,000", title)
			continue
		}
		seen[weburl.Identity(address)] = true
		it := Item{GUID: weburl.Identity(address), URL: address, Title: title, NeedsPage: true}
		it.Evidence = policy.Evidence{URL: address, Title: title, SiteName: src.Name, Zone: src.Zone, Issuer: src.Issuer, Region: src.Region, ListTitle: title}
		l.Items = append(l.Items, it)
		dates = append(dates, statedIn(valueAt(v, set.Date, nil), clock))
	}
	when.Series(dates, clock)
	for i, w := range dates {
		if !w.On.IsZero() {
			l.Items[i].Evidence.ListDate, l.Items[i].DateFrom = w.On.String(), set.Date
		}
	}
	return l, nil
}

// readMarkup reads the rows of markup that a response contains.
func readMarkup(markup string, p Page, src Source) (List, error) {
	src.Settings.Charset = ""
	page := Page{URL: p.URL, ContentType: "text/html; charset=utf-8", Body: []byte(markup), FetchedAt: p.FetchedAt}
	doc, err := parseList(page, "")
	if err != nil {
		return List{}, err
	}
	l, err := readRows(doc, page, src)
	return l.List, err
}

// addressKeys are the keys of an item's address if the source does not set one.
var addressKeys = []string{"url", "URL", "link", "href", "articleUrl", "infoUrl"}

// titleKeys are the keys of its title.
var titleKeys = []string{"title", "TITLE", "name", "infoTitle"}

// addressOf returns the address of an element: the value at a path, or a template filled
// with the values of other paths (https://…/detail?id={docId}).
func addressOf(v any, link string) string {
	if !strings.Contains(link, "{") {
		return valueAt(v, link, addressKeys)
	}
	var b strings.Builder
	for link != "" {
		before, rest, ok := strings.Cut(link, "{")
		b.WriteString(before)
		if !ok {
			break
		}
		path, after, ok := strings.Cut(rest, "}")
		value := valueAt(v, path, []string{path})
		if !ok || value == "" {
			return ""
		}
		if strings.Contains(b.String(), "?") {
			value = url.QueryEscape(value)
		}
		b.WriteString(value)
		link = after
	}
	return b.String()
}

// valueAt returns the text at a path or, if no path is set, at the first key
// that has a text.
func valueAt(v any, at string, keys []string) string {
	if at != "" {
		keys = []string{at}
	}
	for _, key := range keys {
		if found, err := jsonpath.Walk([]any{v}, key, nil); err == nil && len(found) > 0 {
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
	case []any: // [2026,11,27,9,30] of Java
		if len(v) < 3 || len(v) > 7 {
			return ""
		}
		var parts [3]string
		for i := range parts {
			n, ok := v[i].(json.Number)
			if !ok || i == 0 && len(n) != 4 {
				return ""
			}
			parts[i] = n.String()
		}
		return strings.Join(parts[:], "-")
	}
	return ""
}

// statedIn reads a date as text, or as seconds or milliseconds since 1970. The
// year may be missing, and 05/01/2026 leaves open which part is the month; the
// zero When means no date.
func statedIn(s string, clock when.Clock) when.When {
	if s == "" {
		return when.When{}
	}
	if w, ok := when.Read(s, clock); ok {
		if w.Zoned && !w.At.IsZero() { // 2026-11-26T16:00:00Z is the next day in China
			w.On = when.DateOf(w.At.In(clock.Zone))
		}
		return w
	}
	w, ok := when.Published(when.Find(s, clock), clock)
	if !ok || w.Weak {
		return when.When{}
	}
	return w
}

// readJSONDate reads a date that is complete without the context of other dates.
func readJSONDate(s string, clock when.Clock) (when.When, bool) {
	w := statedIn(s, clock).Complete(when.Context{}, clock)
	return w, !w.On.IsZero() || !w.Swapped.IsZero()
}
