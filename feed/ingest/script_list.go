package ingest

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"

	"dibao/feed/ingest/literal"
	"dibao/internal/lazyregexp"
	"dibao/policy/when"
)

// Limits on the literals of scripts that are read.
const (
	maxScriptValues = 40
	maxScriptBytes  = 4 << 20
)

// valueStart matches the beginning of an array or object that a script assigns or passes.
var valueStart = lazyregexp.New(`(?:[=(:]\s*)(?:JSON\.parse\(\s*['"]|\[\s*\{|\{\s*["'\w])`)

// scriptList searches the scripts of a page for its list: an array of objects with title
// and address that another script renders.
func scriptList(doc *goquery.Document, p Page, src Source) (List, bool) {
	var best List
	most, left, values := 0.0, maxScriptBytes, 0
	take := func(v any) {
		by, err := proposeJSON(v, p, src)
		if err != nil || by.score <= most {
			return
		}
		found := src
		found.Settings = by.set
		if l, err := readElements(v, p, found); err == nil && len(l.Items) >= minJSONRows {
			best, most = l, by.score
		}
	}
	doc.Find("script").Each(func(_ int, s *goquery.Selection) {
		text := s.Text()
		if left -= len(text); left < 0 {
			return
		}
		whole := text
		for text != "" && values < maxScriptValues {
			v, rest, ok := nextValue(text)
			if !ok {
				break
			}
			values++
			text = rest
			take(v)
		}
		if rows := literal.Rows(whole, sortOf(clockOf(p, src))); rows != nil {
			take(rows)
		}
	})
	return best, most > 0
}

// sortOf returns what a string of a script may be in a row of a list.
func sortOf(clock when.Clock) func(string) literal.Sort {
	return func(s string) literal.Sort {
		switch n := utf8.RuneCountInString(s); {
		case isAddress(s):
			return literal.Address
		case n <= 20 && isWholeDate(s, clock):
			return literal.Date
		case n >= minRowTitle && n <= maxRow && hasLetters(s) && !strings.ContainsAny(s, "<>{}"):
			return literal.Title
		}
		return literal.Other
	}
}

func isWholeDate(s string, clock when.Clock) bool {
	_, ok := readJSONDate(s, clock)
	return ok
}

// nextValue reads the next literal of a script, and returns the rest of the script.
func nextValue(text string) (v any, rest string, ok bool) {
	if head := strings.TrimSpace(text[:min(len(text), 100)]); head != "" && (head[0] == '{' || head[0] == '[') && json.Valid([]byte(text)) {
		v, err := literal.ParseJSON(text) // type="application/json"
		return v, "", err == nil
	}
	m := valueStart.FindStringIndex(text)
	if m == nil {
		return nil, "", false
	}
	start := m[0] + strings.IndexAny(text[m[0]:m[1]], "[{'\"")
	v, end, _ := literal.Value(text, start)
	if s, isText := v.(string); isText {
		v, _ = literal.ParseJSON(s)
	}
	return literal.Unpack(v), text[max(end, m[1]):], true
}
