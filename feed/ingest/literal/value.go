// Package literal reads literals in the scripts of a page: objects and arrays, strings that
// are written into the page, rows of strings. It does not run scripts.
package literal

import (
	"encoding/json"
	"strings"
)

// Value reads the literal that begins at a byte offset of a script, and returns where it
// ends. Parts that are not literals are nil; ok is false if the text ends within it or it
// is nested too deeply.
func Value(s string, at int) (v any, end int, ok bool) {
	r := &valueReader{s: s, at: at}
	v, ok = r.value(0)
	return v, r.at, ok
}

// valueReader reads the literals of a script: JSON with single quotes, unquoted
// names, comments and trailing commas. Anything else is nil.
type valueReader struct {
	s     string
	at    int
	nodes int
}

// Limits on literals.
const (
	maxLiteralDepth = 40
	maxLiteralNodes = 200000
)

func (r *valueReader) space() {
	for r.at < len(r.s) {
		switch c := r.s[r.at]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			r.at++
		case strings.HasPrefix(r.s[r.at:], "//"):
			r.skipTo("\n")
		case strings.HasPrefix(r.s[r.at:], "/*"):
			r.skipTo("*/")
		default:
			return
		}
	}
}

func (r *valueReader) skipTo(sign string) {
	if i := strings.Index(r.s[r.at:], sign); i >= 0 {
		r.at += i + len(sign)
		return
	}
	r.at = len(r.s)
}

// value reads a value; ok is false if the text ends within it or it is nested too deeply.
func (r *valueReader) value(depth int) (v any, ok bool) {
	r.space()
	if r.nodes++; r.at >= len(r.s) || depth > maxLiteralDepth || r.nodes > maxLiteralNodes {
		return nil, false
	}
	switch c := r.s[r.at]; {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.array(depth)
	case c == '"' || c == '\'' || c == '`':
		return r.text(), r.at <= len(r.s)
	case isNameByte(c) || c == '-' || c == '+':
		start := r.at
		r.at++
		for r.at < len(r.s) && isNameByte(r.s[r.at]) {
			r.at++
		}
		word := r.s[start:r.at]
		switch {
		case word == "true" || word == "false":
			return word == "true", true
		case word[0] == '-' || word[0] >= '0' && word[0] <= '9':
			return json.Number(word), true
		}
	}
	r.expression()
	return nil, r.at < len(r.s)
}

// expression passes over what is not a literal, to the next comma or bracket.
func (r *valueReader) expression() {
	open := 0
	for r.at < len(r.s) {
		switch c := r.s[r.at]; c {
		case '"', '\'', '`':
			r.text()
			continue
		case '(', '[', '{':
			open++
		case ')', ']', '}':
			if open == 0 {
				return
			}
			open--
		case ',', ';':
			if open == 0 {
				return
			}
		}
		r.at++
	}
}

func (r *valueReader) object(depth int) (any, bool) {
	out := make(map[string]any)
	r.at++
	for {
		r.space()
		if r.at >= len(r.s) {
			return out, false
		}
		var key string
		switch c := r.s[r.at]; {
		case c == '}':
			r.at++
			return out, true
		case c == ',':
			r.at++
			continue
		case c == '"' || c == '\'':
			key = r.text()
		default:
			start := r.at
			for r.at < len(r.s) && (isNameByte(r.s[r.at]) || r.s[r.at] == '-' || r.s[r.at] >= 0x80) {
				r.at++
			}
			if key = r.s[start:r.at]; key == "" {
				return out, false
			}
		}
		r.space()
		if r.at >= len(r.s) || r.s[r.at] != ':' {
			return out, false
		}
		r.at++
		v, ok := r.value(depth + 1)
		out[key] = v
		if !ok {
			return out, false
		}
	}
}

func (r *valueReader) array(depth int) (any, bool) {
	out := []any{}
	r.at++
	for {
		r.space()
		if r.at >= len(r.s) {
			return out, false
		}
		switch r.s[r.at] {
		case ']':
			r.at++
			return out, true
		case ',':
			r.at++
			continue
		}
		before := r.at
		v, ok := r.value(depth + 1)
		out = append(out, v)
		if !ok || r.at == before {
			return out, false
		}
	}
}

// quoted returns the content of the string whose quote is at s[at], as it is
// written, whether it contains escapes, and where it ends. A string that is not
// closed ends with s.
func quoted(s string, at int) (raw string, escaped bool, after int) {
	quote := s[at]
	at++
	start := at
	for at < len(s) && s[at] != quote {
		if s[at] == '\\' {
			escaped = true
			at++
		}
		at++
	}
	return s[start:min(at, len(s))], escaped, min(at+1, len(s))
}

// text reads a string at its quote.
func (r *valueReader) text() string {
	quote := r.s[r.at]
	raw, escaped, after := quoted(r.s, r.at)
	r.at = after
	if !escaped {
		return raw
	}
	var out string
	if quote == '"' && json.Unmarshal([]byte(`"`+raw+`"`), &out) == nil {
		return out
	}
	if json.Unmarshal([]byte(`"`+strings.NewReplacer(`\\`, `\\`, `\'`, `'`, `\"`, `\"`, `"`, `\"`).Replace(raw)+`"`), &out) == nil {
		return out
	}
	return unescapeScript.Replace(raw)
}
