package literal

import "strings"

// Limits on rows of strings.
const (
	maxStrings = 50_000 // strings of a script that are examined
	maxString  = 2000   // bytes of one string
	minRows    = 3
)

// Sort is what a string of a script may be in a row of a list.
type Sort byte

const (
	Other Sort = iota
	Title
	Address
	Date
)

// Rows finds the rows of a list that a script passes as strings: add("…", "/a/1.html",
// "2026-11-27"), or arrays of arrays. Each row is an object with the members title, url and
// date. It returns none if less than four fifths of them have all three: a menu has no
// dates.
func Rows(script string, sort func(string) Sort) []any {
	var rows []any
	begun, row := Other, map[string]any{}
	all, whole := 0, 0
	flush := func() {
		if len(row) == 0 {
			return
		}
		if all++; len(row) == 3 {
			whole++
			rows = append(rows, row)
		}
		row = map[string]any{}
	}
	each(script, func(text string) {
		kind := sort(text)
		name := [...]string{Title: "title", Address: "url", Date: "date"}[kind]
		if kind == Other || begun == Other && kind == Date {
			return
		}
		if begun == Other {
			begun = kind
		}
		if kind == begun {
			flush()
		}
		if row[name] == nil && len(row) > 0 || kind == begun {
			row[name] = text
		}
	})
	flush()
	if whole < minRows || whole*5 < all*4 {
		return nil
	}
	return rows
}

// each calls f for the strings of a script.
func each(script string, f func(string)) {
	r := &scriptReader{s: script}
	for n := 0; r.at < len(r.s) && n < maxStrings; {
		switch c := r.s[r.at]; {
		case strings.HasPrefix(r.s[r.at:], "//"):
			r.until("\n")
		case strings.HasPrefix(r.s[r.at:], "/*"):
			r.at += 2
			r.until("*/")
		case c == '"' || c == '\'' || c == '`':
			if text := r.literal(); len(text) <= maxString {
				f(text)
			}
			n++
		default:
			r.at++
		}
	}
}
