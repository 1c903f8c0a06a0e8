package ingest

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
)

// errNoJSON is what is said of an answer that is neither JSON nor JSONP.
var errNoJSON = errors.New("this is no JSON that can be read")

// jsonp finds the call or the assignment that an answer in JSONP is wrapped in.
var jsonp = regexp.MustCompile(`^\s*(?:/\*.{0,200}?\*/\s*)?(?:try\s*\{\s*)?(?:(?:var|let|const|window)[\s.]+)?[\w.$\[\]"']{1,100}\s*(?:&&\s*[\w.$]{1,100}\s*)?[=(]\s*[{\["']`)

// IsJSON reports whether a body is an object or array in JSON, perhaps with a byte
// order mark in front of it, or wrapped in a call (JSONP).
func IsJSON(p Page) bool {
	head := strings.TrimLeft(string(p.Body[:min(len(p.Body), 400)]), "\uFEFF \t\r\n")
	switch {
	case head == "":
		return false
	case head[0] == '{' || head[0] == '[':
		return true
	}
	return head[0] != '<' && jsonp.MatchString(head)
}

// parseJSONBody reads JSON, JSONP, or what a script writes like it.
func parseJSONBody(text string) (any, error) {
	text = strings.TrimLeft(text, "\uFEFF \t\r\n")
	if text == "" {
		return nil, errNoJSON
	}
	if text[0] != '{' && text[0] != '[' {
		m := jsonp.FindStringIndex(text[:min(len(text), 800)])
		if m == nil {
			return nil, errNoJSON
		}
		text = text[m[1]-1:]
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var doc any
	if d.Decode(&doc) == nil {
		if inner, ok := doc.(string); ok && IsJSON(Page{Body: []byte(inner)}) {
			return parseJSONBody(inner)
		}
		return doc, nil
	}
	r := &literalReader{s: text}
	doc, ok := r.value(0)
	if _, isText := doc.(string); !ok || isText {
		return nil, errNoJSON
	}
	return doc, nil
}

// literalReader reads the literals of a script: JSON with single quotes, names
// without quotes, comments and commas at the end. What is no literal is nil.
type literalReader struct {
	s     string
	at    int
	nodes int
}

// Limits on literals.
const (
	maxLiteralDepth = 40
	maxLiteralNodes = 200000
)

func (r *literalReader) space() {
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

func (r *literalReader) skipTo(sign string) {
	if i := strings.Index(r.s[r.at:], sign); i >= 0 {
		r.at += i + len(sign)
		return
	}
	r.at = len(r.s)
}

// value reads a value; ok is false where the text ends in it or is too deep.
func (r *literalReader) value(depth int) (v any, ok bool) {
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

// expression passes over what is no literal, to the next comma or bracket.
func (r *literalReader) expression() {
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

func (r *literalReader) object(depth int) (any, bool) {
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

func (r *literalReader) array(depth int) (any, bool) {
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

// text reads a string at its quote.
func (r *literalReader) text() string {
	quote := r.s[r.at]
	r.at++
	start := r.at
	escaped := false
	for r.at < len(r.s) && r.s[r.at] != quote {
		if r.s[r.at] == '\\' {
			escaped = true
			r.at++
		}
		r.at++
	}
	end := min(r.at, len(r.s))
	r.at = min(r.at+1, len(r.s))
	raw := r.s[start:end]
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
