package ingest

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// Limits on the literals of scripts that are read.
const (
	maxScriptValues = 40
	maxScriptBytes  = 4 << 20
)

// valueStart finds where a script sets something to an array or object, or passes
// one on.
var valueStart = regexp.MustCompile(`(?:[=(:]\s*)(?:JSON\.parse\(\s*['"]|\[\s*\{|\{\s*["'\w])`)

// scriptList looks for the list in the scripts of a page: an array of objects with
// title and address that another script draws.
func scriptList(doc *goquery.Document, p Page, src Source) (List, bool) {
	var best List
	most, left, values := 0.0, maxScriptBytes, 0
	doc.Find("script").Each(func(_ int, s *goquery.Selection) {
		text := s.Text()
		if left -= len(text); left < 0 {
			return
		}
		for text != "" && values < maxScriptValues {
			v, rest, ok := nextValue(text)
			if !ok {
				return
			}
			values++
			text = rest
			set, score, err := proposeJSON(v, p, src)
			if err != nil || score <= most {
				continue
			}
			found := src
			found.Settings = set
			if l, err := readElements(v, p, found); err == nil && len(l.Items) >= minJSONRows {
				best, most = l, score
			}
		}
	})
	return best, most > 0
}

// nextValue reads the next literal of a script, and returns what stands behind it.
func nextValue(text string) (v any, rest string, ok bool) {
	if head := strings.TrimSpace(text[:min(len(text), 100)]); head != "" && (head[0] == '{' || head[0] == '[') && json.Valid([]byte(text)) {
		v, err := parseJSONBody(text) // type="application/json"
		return v, "", err == nil
	}
	m := valueStart.FindStringIndex(text)
	if m == nil {
		return nil, "", false
	}
	start := m[0] + strings.IndexAny(text[m[0]:m[1]], "[{'\"")
	r := &literalReader{s: text, at: start}
	v, _ = r.value(0)
	if s, isText := v.(string); isText {
		v, _ = parseJSONBody(s)
	}
	return v, text[max(r.at, m[1]):], true
}
