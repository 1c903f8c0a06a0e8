package ingest

import (
	"encoding/json"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"dibao/feed/ingest/literal"
	"dibao/policy"
	"dibao/policy/when"
	"dibao/policy/words"
)

// Limits on what scripts state about an article, in bytes.
const (
	maxLinkedData = 64 << 10
	maxTimeScript = 256 << 10
)

// linkedMembers are the members of schema.org, and of Baidu's variant of it,
// that describe an article.
var linkedMembers = []string{"headline", "title", "datePublished", "pubDate"}

// scriptTime matches the publication time that a script sets on the page.
var scriptTime = words.New(`\b(?:createTime|create_time|publish_?[tT]ime|pubTime|publishDate|ct)["']?\s*[=:]\s*["']((?:19|20)\d\d-\d\d?-\d\d?(?:[ T]\d\d?:\d\d(?::\d\d)?)?|1\d{9})["']`)

// readScriptMeta returns the facts about the article in linked data (JSON-LD) and in the
// scripts of a page, as meta elements: ld:headline, ld:datePublished, ld:author, and
// [policy.MetaOfScript] for a time.
func readScriptMeta(doc *goquery.Document) []policy.Pair {
	var all []policy.Pair
	add := func(name, value string) {
		if value = collapse(value); value != "" && len(all) < maxMeta {
			all = append(all, policy.Pair{Name: name, Content: clip(value, maxMetaText)})
		}
	}
	hasTime := false
	doc.Find("script").Each(func(_ int, s *goquery.Selection) {
		text := s.Text()
		if strings.Contains(strings.ToLower(s.AttrOr("type", "")), "ld+json") {
			if v, err := literal.ParseJSON(text[:min(len(text), maxLinkedData)]); err == nil {
				linkedData(v, 0, add)
			}
			return
		}
		if hasTime {
			return
		}
		if m := scriptTime.FindStringSubmatch(text[:min(len(text), maxTimeScript)]); m != nil {
			if w, ok := when.Read(m[1], when.Clock{Zone: when.Shanghai}); ok {
				hasTime = true
				add(policy.MetaOfScript, stampOf(w))
			}
		}
	})
	return all
}

// stampOf formats a date for policy.
func stampOf(w when.When) string {
	if w.At.IsZero() {
		return w.On.String()
	}
	return w.At.In(when.Shanghai).Format("2006-01-02 15:04:05")
}

// linkedData reads the members of the first article in linked data.
func linkedData(v any, depth int, add func(name, value string)) {
	switch v := v.(type) {
	case []any:
		for _, x := range v[:min(len(v), 20)] {
			linkedData(x, depth+1, add)
		}
	case map[string]any:
		if graph, ok := v["@graph"]; ok && depth < 3 {
			linkedData(graph, depth+1, add)
			return
		}
		kind, _ := v["@type"].(string)
		if _, ofBaidu := v["pubDate"]; !strings.HasSuffix(kind, "Article") && !strings.HasSuffix(kind, "Posting") && kind != "Report" && !ofBaidu {
			return
		}
		for _, name := range linkedMembers {
			if s, ok := v[name].(string); ok {
				add("ld:"+strings.Replace(name, "title", "headline", 1), s)
			}
		}
		author := v["author"]
		if list, ok := author.([]any); ok && len(list) > 0 {
			author = list[0]
		}
		if person, ok := author.(map[string]any); ok && person["@type"] == "Person" {
			if s, ok := person["name"].(string); ok {
				add("ld:author", s)
			}
		}
	}
}

// addTimes adds to labels with only a day the time that a time element of the page gives
// for that day.
func (r *articleReader) addTimes() {
	var times []when.When
	r.doc.Find("time[datetime]").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		if w, ok := when.Read(s.AttrOr("datetime", ""), when.Clock{Zone: when.Shanghai}); ok && !w.At.IsZero() {
			times = append(times, w)
		}
		return len(times) < 10
	})
	for i, l := range r.e.Labels {
		w, ok := when.First(l.Value, when.Clock{Zone: when.Shanghai})
		if !ok || !w.At.IsZero() || l.Name != "" && when.RoleOf(l.Name) != when.RolePublished {
			continue
		}
		for _, t := range times {
			if when.DateOf(t.At.In(when.Shanghai)) == w.On {
				r.e.Labels[i].Value = stampOf(t)
				break
			}
		}
	}
}

// articleInScripts returns the article of a page without a text that contains it as an
// object for the script that renders it (__NEXT_DATA__, __INITIAL_STATE__), as the page
// that would be rendered.
func articleInScripts(doc *goquery.Document, p Page) (page Page, ok bool) {
	body := doc.Find("body").Clone()
	body.Find("script, style, noscript, template, textarea").Remove()
	if runes(collapse(clip(body.Text(), 10*maxErrorText))) >= minText {
		return p, false
	}
	left := maxScriptBytes
	doc.Find("script").EachWithBreak(func(_ int, s *goquery.Selection) bool {
		text := strings.TrimSpace(s.Text())
		if left -= len(text); left < 0 {
			return false
		}
		if text == "" || !strings.Contains(text, "{") {
			return true
		}
		if text[0] != '{' && text[0] != '[' {
			at := valueStart.FindStringIndex(text)
			if at == nil {
				return true
			}
			v, _, _ := literal.Value(text, at[0]+strings.IndexAny(text[at[0]:at[1]], "[{'\""))
			b, err := json.Marshal(v)
			if err != nil {
				return true
			}
			text = string(b)
		}
		page, ok = articleOfJSON(Page{URL: p.URL, Body: []byte(text)}, "utf-8")
		return !ok
	})
	if !ok {
		return p, false
	}
	return page, true
}
